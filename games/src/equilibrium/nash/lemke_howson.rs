//! One Nash equilibrium by complementary pivoting (Lemke and Howson 1964).

use num_bigint::BigInt;

use super::tableau::{Overflow, Tableau, Whole};
use super::vertices::normalised;
use super::{NashEquilibrium, Polytopes};
use crate::error::{Argument, GamesError, Method};
use crate::game::Game;

/// Most actions of both players for which every pivot is exact.
const EXACT: usize = 44;
/// Pivots after which a path is given up.
const PIVOTS: usize = 100_000;
/// Largest gain of a best reply over the payoffs that it weighs, in units of the spread, for paths in floating point.
const PROOF: f64 = 1e-11;
/// Entries this small, relative to others of 1, are rounding.
const ROUNDING: f64 = 1e-10;

/// One Nash equilibrium of a bimatrix game of any size: the end of the path that starts by dropping `label` (a row, or the number of rows plus
/// a column).
///
/// Different labels may lead to different equilibria; not every equilibrium is found so (see [`super::nash_equilibria`]). With at most
/// 44 actions in all every pivot is exact, as in the enumeration. Larger games are walked in floating point with lexicographic ties;
/// the end of the path is checked against all best replies, other labels are tried when it fails, and nothing is returned unproved.
///
/// # Errors
/// [`GamesError::NotTwoPlayers`], [`GamesError::NoSuchAction`] for the label, [`GamesError::NotConverged`].
///
/// ```
/// use hindsight_games::{Game, equilibrium::{lemke_howson, nash_conv}};
/// let game = Game::from_fn(&[60, 60], |player, s| ((s[0] * 37 + s[1] * 11 * (player + 1)) % 23) as f64)?;
/// let found = lemke_howson(&game, 0)?;
/// assert!(nash_conv(&game, &[found.row, found.column])? < 1e-8);
/// # Ok::<(), hindsight_games::GamesError>(())
/// ```
pub fn lemke_howson(game: &Game, label: usize) -> Result<NashEquilibrium, GamesError> {
    let &[m, n] = game.shape() else {
        return Err(GamesError::NotTwoPlayers {
            players: game.players(),
        });
    };
    if label >= m + n {
        return Err(GamesError::NoSuchAction {
            argument: Argument::Label,
            value: label,
            actions: m + n,
        });
    }
    let stopped = |residual| GamesError::NotConverged {
        method: Method::LemkeHowson,
        residual,
        iterations: PIVOTS,
    };
    if m + n <= EXACT {
        let polytopes = Polytopes::new(game)?;
        let (x, y) = exact::<i128>(&polytopes, label)
            .or_else(|Overflow| exact::<BigInt>(&polytopes, label))
            .map_err(|Overflow| stopped(f64::INFINITY))?;
        return Ok(NashEquilibrium::new(game, x, y));
    }
    let (unit, _) = game.rescaled();
    let mut least = f64::INFINITY;
    for start in (0..m + n).map(|step| (label + step) % (m + n)).take(20) {
        let Ok((x, y)) = floating(game, start) else {
            continue;
        };
        let gain = relative_gain(&unit, &x, &y);
        if gain <= PROOF {
            return Ok(NashEquilibrium::new(game, x, y));
        }
        least = least.min(gain);
    }
    Err(stopped(least))
}

/// A vertex that moves along the edge of a variable that enters.
trait Walk {
    /// Lets `entering` enter; returns the variable that leaves.
    fn exchange(&mut self, entering: usize) -> Result<usize, Overflow>;
}

impl<N: Whole> Walk for Tableau<N> {
    fn exchange(&mut self, entering: usize) -> Result<usize, Overflow> {
        let r = self.leaving(entering)?;
        self.pivot(entering, r)
    }
}

/// Follows the path from the origin of both polytopes: what leaves one enters the other, until the dropped label is back.
fn follow(
    row: &mut impl Walk,
    column: &mut impl Walk,
    (m, n): (usize, usize),
    label: usize,
) -> Result<(), Overflow> {
    let mut in_row = label < m;
    let mut entering = label;
    for _ in 0..PIVOTS {
        // Variables of the row polytope carry their own labels; those of the column polytope start with the columns.
        let left = if in_row {
            row.exchange(entering)?
        } else {
            let variable = if entering < m {
                n + entering
            } else {
                entering - m
            };
            let left = column.exchange(variable)?;
            if left < n { m + left } else { left - n }
        };
        if left == label {
            return Ok(());
        }
        entering = left;
        in_row = !in_row;
    }
    Err(Overflow)
}

type Strategies = (Vec<f64>, Vec<f64>);

fn exact<N: Whole>(polytopes: &Polytopes, label: usize) -> Result<Strategies, Overflow> {
    let (m, n) = (polytopes.rows, polytopes.columns);
    let mut row = Tableau::<N>::origin(&polytopes.row, m)?;
    let mut column = Tableau::<N>::origin(&polytopes.column, n)?;
    follow(&mut row, &mut column, (m, n), label)?;
    let strategy = |tableau: &Tableau<N>| normalised(&tableau.point().0).ok_or(Overflow);
    Ok((strategy(&row)?, strategy(&column)?))
}

/// The polytope in floating point: coefficients of all variables and the right-hand side, one line a row, basic columns are unit vectors.
struct Floating {
    dimension: usize,
    entries: Vec<f64>,
    basic: Vec<usize>,
}

impl Floating {
    /// `payoff(r, c)` in $[0,1]$, over `rows` rows.
    fn origin(rows: usize, dimension: usize, payoff: impl Fn(usize, usize) -> f64) -> Self {
        let width = dimension + rows + 1;
        let mut entries = vec![0.0; rows * width];
        for (r, line) in entries.chunks_exact_mut(width).enumerate() {
            for (c, v) in line[..dimension].iter_mut().enumerate() {
                *v = 1.0 + payoff(r, c);
            }
            line[dimension + r] = 1.0;
            line[width - 1] = 1.0;
        }
        Self {
            dimension,
            entries,
            basic: (dimension..dimension + rows).collect(),
        }
    }

    fn width(&self) -> usize {
        self.dimension + self.basic.len() + 1
    }

    fn leaving(&self, entering: usize) -> Option<usize> {
        let width = self.width();
        let line = |r: usize| &self.entries[r * width..(r + 1) * width];
        let mut left: Vec<usize> = (0..self.basic.len())
            .filter(|&r| line(r)[entering] > ROUNDING)
            .collect();
        for at in std::iter::once(width - 1).chain(self.dimension..width - 1) {
            if left.len() < 2 {
                break;
            }
            let ratio = |r: usize| line(r)[at] / line(r)[entering];
            let least = left.iter().map(|&r| ratio(r)).fold(f64::INFINITY, f64::min);
            left.retain(|&r| ratio(r) <= least + ROUNDING * (1.0 + least.abs()));
        }
        left.first().copied()
    }

    fn strategy(&self) -> Vec<f64> {
        let mut x = vec![0.0; self.dimension];
        for (line, &variable) in self.entries.chunks_exact(self.width()).zip(&self.basic) {
            if let Some(x) = x.get_mut(variable) {
                *x = line[line.len() - 1].max(0.0);
            }
        }
        let sum: f64 = x.iter().sum();
        x.iter_mut().for_each(|v| *v /= sum);
        x
    }
}

impl Walk for Floating {
    fn exchange(&mut self, entering: usize) -> Result<usize, Overflow> {
        let r = self.leaving(entering).ok_or(Overflow)?;
        let width = self.width();
        let mut pivot_line = self.entries[r * width..(r + 1) * width].to_vec();
        let scale = 1.0 / pivot_line[entering];
        pivot_line.iter_mut().for_each(|v| *v *= scale);
        pivot_line[entering] = 1.0;
        for (i, line) in self.entries.chunks_exact_mut(width).enumerate() {
            let factor = line[entering];
            if i == r {
                line.copy_from_slice(&pivot_line);
            } else if factor != 0.0 {
                for (v, p) in line.iter_mut().zip(&pivot_line) {
                    *v -= factor * p;
                }
                line[entering] = 0.0;
            }
        }
        Ok(std::mem::replace(&mut self.basic[r], entering))
    }
}

fn floating(game: &Game, label: usize) -> Result<Strategies, Overflow> {
    let (m, n) = (game.shape()[0], game.shape()[1]);
    let (unit, _) = game.rescaled();
    let (a, b) = (
        unit.payoffs(0).unwrap_or(&[]),
        unit.payoffs(1).unwrap_or(&[]),
    );
    let mut row = Floating::origin(n, m, |j, i| b[i * n + j]);
    let mut column = Floating::origin(m, n, |i, j| a[i * n + j]);
    follow(&mut row, &mut column, (m, n), label)?;
    Ok((row.strategy(), column.strategy()))
}

/// The largest gain of a best reply over what is played, relative to the sizes of the payoffs in both.
fn relative_gain(game: &Game, x: &[f64], y: &[f64]) -> f64 {
    let n = y.len();
    let against = |player: usize, action: usize| -> (f64, f64) {
        let u = game.payoffs(player).unwrap_or(&[]);
        let (weights, at): (&[f64], _) = if player == 0 {
            (y, (action * n, 1))
        } else {
            (x, (action, n))
        };
        let terms = weights
            .iter()
            .enumerate()
            .filter(|(_, w)| **w > 0.0)
            .map(|(o, w)| w * u[at.0 + o * at.1]);
        terms.fold((0.0, 0.0), |(sum, size), t| (sum + t, size + t.abs()))
    };
    let mut worst = 0.0f64;
    for (player, own) in [x, y].into_iter().enumerate() {
        let all: Vec<(f64, f64)> = (0..own.len()).map(|a| against(player, a)).collect();
        for (&(u, size), _) in all.iter().zip(own).filter(|(_, p)| **p > 0.0) {
            for &(better, other) in &all {
                if better > u {
                    worst = worst.max((better - u) / size.max(other));
                }
            }
        }
    }
    worst
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::equilibrium::nash_conv;
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};

    fn random(m: usize, n: usize, whole: bool, seed: u64) -> Game {
        let mut rng = rand_pcg::Pcg64::seed_from_u64(seed);
        Game::from_fn(&[m, n], |_, _| {
            if whole {
                f64::from(rng.random_range(0..4u8))
            } else {
                rng.random()
            }
        })
        .unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn every_label_leads_to_an_equilibrium(m in 1usize..6, n in 1usize..6, whole in any::<bool>(), seed in any::<u64>()) {
            let game = random(m, n, whole, seed);
            let all = crate::equilibrium::nash_equilibria(&game).unwrap();
            for label in 0..m + n {
                let e = lemke_howson(&game, label).unwrap();
                prop_assert!(nash_conv(&game, &[e.row.clone(), e.column.clone()]).unwrap() < 1e-12);
                // Complementary vertices are extreme: the enumeration has it.
                prop_assert!(all.iter().any(|f| f.row == e.row && f.column == e.column));
            }
        }

        #[test]
        fn floating_paths_end_where_exact_ones_do(n in 2usize..12, seed in any::<u64>()) {
            let game = random(n, n, false, seed);
            let e = lemke_howson(&game, 0).unwrap();
            let (x, y) = floating(&game, 0).unwrap();
            let near = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-8);
            prop_assert!(near(&e.row, &x) && near(&e.column, &y));
        }
    }

    #[test]
    fn large_games_are_proved() {
        for (n, whole) in [(40, false), (40, true), (90, false), (60, true)] {
            let game = random(n, n, whole, 5);
            let e = lemke_howson(&game, 3).unwrap();
            assert!(nash_conv(&game, &[e.row, e.column]).unwrap() < 1e-8);
        }
    }

    #[test]
    fn a_planted_deviation_is_seen() {
        let game = Game::zero_sum(&[vec![1e9, 0.0], vec![0.0, 1.0]]).unwrap();
        assert!(relative_gain(&game, &[0.5, 0.5], &[0.5, 0.5]) > 0.1);
    }
}
