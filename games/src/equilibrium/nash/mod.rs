//! Nash equilibria of bimatrix games, exactly: all extreme ones of small games, one of large ones.

mod integers;
mod lemke_howson;
mod tableau;
mod vertices;

pub use lemke_howson::lemke_howson;

use num_bigint::BigInt;

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

/// All extreme Nash equilibria of a bimatrix game, pure and mixed, by enumeration of the vertices of both best-reply polytopes.
///
/// In a nondegenerate game these are all equilibria. In a degenerate game the equilibria form polytopes and the result holds their
/// extreme points: nothing is lost, but convex combinations of some of them are equilibria too.
///
/// The enumeration is exact: payoffs become whole numbers (fractions of the spread with small denominators where all payoffs are such
/// within rounding, the stored numbers otherwise) and no step rounds, so a penalty of $-10^9$ beside payoffs of 1 does no harm. Time grows with the number of
/// vertices; games with more than 60,000 on one side (random games of about 13 by 13) or more than 128 actions in all are refused.
/// [`lemke_howson`] finds one equilibrium of larger ones.
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
    let polytopes = Polytopes::new(game)?;
    let (m, n) = (polytopes.rows, polytopes.columns);
    if m + n > 128 {
        return Err(GamesError::TooLarge {
            argument: Argument::ActionsOfBoth,
            size: m + n,
            limit: 128,
        });
    }
    let too_many = |_| GamesError::TooLarge {
        argument: Argument::Vertices,
        size: vertices::LARGEST + 1,
        limit: vertices::LARGEST,
    };
    // Label i < m: row i is unplayed or a best reply; label m + j: the same for column j.
    let rows = vertices::vertices(&polytopes.row, m).map_err(too_many)?;
    let columns = vertices::vertices(&polytopes.column, n).map_err(too_many)?;
    let everything = if m + n == 128 {
        u128::MAX
    } else {
        (1 << (m + n)) - 1
    };
    let turned = |labels: u128| labels >> n | (labels & ((1 << n) - 1)) << m;
    let mut found = Vec::new();
    for y in &columns {
        let labels = turned(y.labels);
        for x in rows.iter().filter(|x| x.labels | labels == everything) {
            found.push(NashEquilibrium::new(game, x.point.clone(), y.point.clone()));
        }
    }
    Ok(found)
}

/// The best-reply polytopes $\lbrace x\ge0, B^\top x\le1\rbrace$ and $\lbrace y\ge0, Ay\le1\rbrace$ in whole numbers.
struct Polytopes {
    rows: usize,
    columns: usize,
    /// $B^\top$: one line a column of the game.
    row: Vec<BigInt>,
    /// $A$: one line a row of the game.
    column: Vec<BigInt>,
}

impl Polytopes {
    fn new(game: &Game) -> Result<Self, GamesError> {
        let &[m, n] = game.shape() else {
            return Err(GamesError::NotTwoPlayers {
                players: game.players(),
            });
        };
        let whole = |player| integers::whole(game.payoffs(player).unwrap_or(&[]));
        let b = whole(1);
        Ok(Self {
            rows: m,
            columns: n,
            row: (0..n * m)
                .map(|at| b[at % m * n + at / m].clone())
                .collect(),
            column: whole(0),
        })
    }
}

impl NashEquilibrium {
    fn new(game: &Game, row: Vec<f64>, column: Vec<f64>) -> Self {
        let n = column.len();
        let payoff = |player: usize| -> f64 {
            let t = game.payoffs(player).unwrap_or(&[]);
            row.iter()
                .zip(t.chunks_exact(n))
                .filter(|(p, _)| **p > 0.0)
                .map(|(p, line)| {
                    let pairs = line.iter().zip(&column).filter(|(_, q)| **q > 0.0);
                    p * pairs.map(|(u, q)| q * u).sum::<f64>()
                })
                .sum()
        };
        Self {
            payoffs: [payoff(0), payoff(1)],
            row,
            column,
        }
    }
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
        let game = Game::from_fn(&[100, 29], |_, _| 0.0).unwrap();
        assert!(matches!(
            nash_equilibria(&game),
            Err(GamesError::TooLarge { size: 129, .. })
        ));
    }
}
