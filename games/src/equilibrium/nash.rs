//! All extreme Nash equilibria of small bimatrix games, degenerate ones included.

use crate::error::{Argument, GamesError};
use crate::game::Game;

/// A Nash equilibrium in mixed strategies.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct NashEquilibrium {
    /// The row player's strategy.
    pub row: Vec<f64>,
    /// The column player's strategy.
    pub column: Vec<f64>,
    /// Expected payoffs of both.
    pub payoffs: [f64; 2],
}

const LARGEST: usize = 18;

struct Vertex {
    point: Vec<f64>,
    labels: u64,
}

/// All extreme Nash equilibria of a bimatrix game, pure and mixed, by enumeration of the vertices of both best-reply polytopes.
///
/// In a nondegenerate game these are all equilibria. In a degenerate game the equilibria form polytopes and the result holds their
/// extreme points: nothing is lost, but convex combinations of some of them are equilibria too.
/// Takes time of order $\binom{m+n}{m}$; games with more than 18 actions in all are refused.
///
/// # Errors
/// [`GamesError::NotTwoPlayers`], [`GamesError::TooLarge`].
///
/// ```
/// use hindsight_games::{Game, equilibrium::nash_equilibria};
/// let battle = Game::bimatrix(&[vec![2.0, 0.0], vec![0.0, 1.0]], &[vec![1.0, 0.0], vec![0.0, 2.0]])?;
/// let all = nash_equilibria(&battle)?;
/// assert_eq!(all.len(), 3);
/// assert!(all.iter().any(|e| (e.row[0] - 2.0 / 3.0).abs() < 1e-12 && (e.column[0] - 1.0 / 3.0).abs() < 1e-12));
/// # Ok::<(), hindsight_games::GamesError>(())
/// ```
pub fn nash_equilibria(game: &Game) -> Result<Vec<NashEquilibrium>, GamesError> {
    let &[m, n] = game.shape() else {
        return Err(GamesError::NotTwoPlayers {
            players: game.players(),
        });
    };
    if m + n > LARGEST {
        return Err(GamesError::TooLarge {
            argument: Argument::ActionsOfBoth,
            size: m + n,
            limit: LARGEST,
        });
    }
    let (a, b) = (
        game.payoffs(0).unwrap_or(&[]),
        game.payoffs(1).unwrap_or(&[]),
    );
    let positive = |t: &[f64]| -> Vec<f64> {
        let low = t.iter().copied().fold(f64::INFINITY, f64::min);
        let high = t.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let width = if high > low { high - low } else { 1.0 };
        t.iter().map(|u| (u - low) / width + 1.0).collect()
    };
    let (a, b) = (positive(a), positive(b));
    // Label i < m: row i is unplayed or a best reply; label m + j: the same for column j.
    let transposed: Vec<f64> = (0..n * m).map(|at| b[at % m * n + at / m]).collect();
    let rows = vertices(&transposed, m, n, |c| c);
    let columns = vertices(&a, n, m, |c| if c < n { m + c } else { c - n });
    let everything = (1u64 << (m + n)) - 1;
    let mut found = Vec::new();
    for x in &rows {
        for y in columns.iter().filter(|y| x.labels | y.labels == everything) {
            let normal = |v: &[f64]| -> Option<Vec<f64>> {
                let sum: f64 = v.iter().sum();
                (sum > 1e-9).then(|| v.iter().map(|p| p / sum).collect())
            };
            if let (Some(row), Some(column)) = (normal(&x.point), normal(&y.point)) {
                let payoff = |player: usize| -> f64 {
                    let t = game.payoffs(player).unwrap_or(&[]);
                    row.iter()
                        .enumerate()
                        .map(|(i, p)| {
                            p * column
                                .iter()
                                .enumerate()
                                .map(|(j, q)| q * t[i * n + j])
                                .sum::<f64>()
                        })
                        .sum()
                };
                let payoffs = [payoff(0), payoff(1)];
                found.push(NashEquilibrium {
                    row,
                    column,
                    payoffs,
                });
            }
        }
    }
    Ok(found)
}

/// Vertices of $\{x\ge0,\ Mx\le1\}$ for `matrix` with `rows` rows and `d` columns; constraint `c < d` is $x_c\ge0$, the others are rows.
fn vertices(matrix: &[f64], d: usize, rows: usize, label: impl Fn(usize) -> usize) -> Vec<Vertex> {
    let mut found: Vec<Vertex> = Vec::new();
    let mut system = vec![0.0; d * (d + 1)];
    let mut free = Vec::with_capacity(d);
    let mut tight = Vec::with_capacity(d);
    let total = d + rows;
    let mut set: u64 = (1 << d) - 1;
    while set < 1 << total {
        free.clear();
        free.extend((0..d).filter(|&c| set >> c & 1 == 0));
        tight.clear();
        tight.extend((0..rows).filter(|&r| set >> (d + r) & 1 == 1));
        if let Some(point) = solve(matrix, d, &free, &tight, &mut system) {
            let feasible = point.iter().all(|&v| v >= -1e-9)
                && (0..rows).all(|r| slack(matrix, d, r, &point) >= -1e-9);
            if feasible
                && !found.iter().any(|v| {
                    v.point
                        .iter()
                        .zip(&point)
                        .all(|(a, b)| (a - b).abs() < 1e-9)
                })
            {
                let mut labels = 0u64;
                for (c, &v) in point.iter().enumerate() {
                    labels |= u64::from(v <= 1e-9) << label(c);
                }
                for r in 0..rows {
                    labels |= u64::from(slack(matrix, d, r, &point) <= 1e-9) << label(d + r);
                }
                let point = point
                    .into_iter()
                    .map(|v| if v <= 1e-9 { 0.0 } else { v })
                    .collect();
                found.push(Vertex { point, labels });
            }
        }
        // The next set with the same number of members.
        let low = set & set.wrapping_neg();
        let ripple = set + low;
        set = (((ripple ^ set) >> 2) / low) | ripple;
    }
    found
}

fn slack(matrix: &[f64], d: usize, r: usize, x: &[f64]) -> f64 {
    1.0 - matrix[r * d..(r + 1) * d]
        .iter()
        .zip(x)
        .map(|(m, v)| m * v)
        .sum::<f64>()
}

/// Solves the tight rows for the free coordinates by elimination with partial pivoting; `None` when singular.
fn solve(
    matrix: &[f64],
    d: usize,
    free: &[usize],
    tight: &[usize],
    system: &mut [f64],
) -> Option<Vec<f64>> {
    let k = free.len();
    let stride = k + 1;
    for (line, &r) in tight.iter().enumerate() {
        for (i, &c) in free.iter().enumerate() {
            system[line * stride + i] = matrix[r * d + c];
        }
        system[line * stride + k] = 1.0;
    }
    for column in 0..k {
        let pivot = (column..k).max_by(|&p, &q| {
            system[p * stride + column]
                .abs()
                .total_cmp(&system[q * stride + column].abs())
        })?;
        if system[pivot * stride + column].abs() < 1e-11 {
            return None;
        }
        for i in 0..stride {
            system.swap(pivot * stride + i, column * stride + i);
        }
        for line in 0..k {
            if line != column {
                let t = system[line * stride + column] / system[column * stride + column];
                if t != 0.0 {
                    for i in column..stride {
                        system[line * stride + i] -= t * system[column * stride + i];
                    }
                }
            }
        }
    }
    let mut x = vec![0.0; d];
    for (line, &c) in free.iter().enumerate() {
        x[c] = system[line * stride + k] / system[line * stride + line];
    }
    Some(x)
}

#[cfg(test)]
mod tests {
    use super::super::{Concept, correlated_gap, nash_conv, payoff_range};
    use super::*;
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn every_equilibrium_is_one_and_pure_ones_are_found(m in 1usize..5, n in 1usize..5, whole in any::<bool>(), seed in any::<u64>()) {
            let mut rng = rand_pcg::Pcg64::seed_from_u64(seed);
            let game = Game::from_fn(&[m, n], |_, _| {
                if whole { f64::from(rng.random_range(0..3u8)) } else { rng.random_range(0.0..1.0) }
            }).unwrap();
            let all = nash_equilibria(&game).unwrap();
            prop_assert!(!all.is_empty());
            if !whole {
                prop_assert!(all.len() % 2 == 1, "nondegenerate games have an odd number");
            }
            let range = payoff_range(&game, Concept::Correlated, 0).unwrap();
            for e in &all {
                let profile = [e.row.clone(), e.column.clone()];
                prop_assert!(nash_conv(&game, &profile).unwrap() < 1e-8);
                // A Nash equilibrium is a correlated one.
                let joint: Vec<f64> = e.row.iter().flat_map(|p| e.column.iter().map(move |q| p * q)).collect();
                prop_assert!(correlated_gap(&game, &joint).unwrap() < 1e-8);
                prop_assert!(range.0 - 1e-7 <= e.payoffs[0] && e.payoffs[0] <= range.1 + 1e-7);
            }
            for profile in game.pure_nash() {
                prop_assert!(all.iter().any(|e| e.row[profile[0]] > 1.0 - 1e-9 && e.column[profile[1]] > 1.0 - 1e-9));
            }
        }
    }

    #[test]
    fn a_degenerate_game_gives_all_extreme_points() {
        // The second column's player is indifferent when row 0 is played: a segment of equilibria with two ends, plus the strict one.
        let game = Game::bimatrix(
            &[vec![1.0, 1.0], vec![0.0, 2.0]],
            &[vec![1.0, 1.0], vec![0.0, 1.0]],
        )
        .unwrap();
        let all = nash_equilibria(&game).unwrap();
        assert!(
            all.iter()
                .any(|e| e.row == [1.0, 0.0] && e.column == [1.0, 0.0])
        );
        assert!(
            all.iter()
                .any(|e| e.row == [1.0, 0.0] && (e.column[0] - 0.5).abs() < 1e-12)
        );
        assert!(
            all.iter()
                .any(|e| e.row == [0.0, 1.0] && e.column == [0.0, 1.0])
        );
        assert_eq!(all.len(), 3);
    }

    #[test]
    fn large_games_are_refused() {
        let game = Game::from_fn(&[10, 10], |_, _| 0.0).unwrap();
        assert!(matches!(
            nash_equilibria(&game),
            Err(GamesError::TooLarge { size: 20, .. })
        ));
    }
}
