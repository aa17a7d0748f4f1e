//! Commitment to a mixed strategy in bimatrix games: strong and weak Stackelberg equilibria.

use super::programme::Rows;
use super::simplex::maximise;
use super::zero_sum::solve_zero_sum;
use crate::error::GamesError;
use crate::game::Game;

/// What an indifferent follower does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum FollowerTies {
    /// Ties are broken in the leader's favour (strong form).
    ForLeader,
    /// Ties are broken against the leader (weak form): the value is a supremum that need not be attained.
    AgainstLeader,
}

/// The best commitment of the row player.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Commitment {
    /// The leader's payoff: a maximum in the strong form, a supremum in the weak form.
    pub value: f64,
    /// The leader's mixed strategy; in the weak form the limit of strategies whose payoffs tend to `value`.
    pub strategy: Vec<f64>,
    /// The follower's pure reply.
    pub reply: usize,
    /// The follower's payoff there.
    pub follower_payoff: f64,
    /// Whether the follower's reply is strictly its best at `strategy` (then both forms agree there).
    pub strict: bool,
}

/// Rows: the follower prefers `reply` to each other column; then the epigraph of the leader's least payoff over equivalent columns.
struct Region<'a> {
    leader: &'a [f64],
    follower: &'a [f64],
    columns: usize,
    reply: usize,
    equivalent: Vec<usize>,
}

impl Rows for Region<'_> {
    fn count(&self) -> usize {
        self.columns + self.equivalent.len()
    }
    fn activity(&self, x: &[(usize, f64)], out: &mut [f64]) {
        let m = self.leader.len() / self.columns;
        for &(i, p) in x {
            if i == m {
                out[self.columns..].iter_mut().for_each(|o| *o -= p);
                continue;
            }
            let b = &self.follower[i * self.columns..(i + 1) * self.columns];
            let own = b[self.reply];
            for (o, v) in out.iter_mut().zip(b) {
                *o += p * (v - own);
            }
            let a = &self.leader[i * self.columns..(i + 1) * self.columns];
            for (o, &k) in out[self.columns..].iter_mut().zip(&self.equivalent) {
                *o += p * (a[self.reply] - a[k]);
            }
        }
    }
    fn row(&self, r: usize, out: &mut [f64]) {
        let m = self.leader.len() / self.columns;
        let (matrix, plus, minus) = if r < self.columns {
            (self.follower, r, self.reply)
        } else {
            (self.leader, self.reply, self.equivalent[r - self.columns])
        };
        for (o, line) in out.iter_mut().zip(matrix.chunks_exact(self.columns)) {
            *o = line[plus] - line[minus];
        }
        if r >= self.columns {
            out[m] = -1.0;
        }
    }
    fn normalised(&self, j: usize) -> bool {
        j < self.leader.len() / self.columns
    }
}

/// The best mixed commitment of the row player, by one linear programme for each reply of the column player (Conitzer and Sandholm 2006).
///
/// With [`FollowerTies::ForLeader`]: $\max_j\max_{x\in X(j)}x^\top A_j$ with $X(j)=\{x\in\Delta: x^\top B_k\le x^\top B_j\ \forall k\}$. With
/// [`FollowerTies::AgainstLeader`]: the supremum over $x$ of the leader's worst payoff among the follower's best replies, which is
/// $\max_j\max_{x\in X(j)}\min_{k\equiv j}x^\top A_k$ over the replies $j$ whose region has an interior, with $k\equiv j$ when $B_k=B_j$ (von Stengel and Zamir 2010).
///
/// # Errors
/// [`GamesError::NotTwoPlayers`], [`GamesError::NotConverged`].
///
/// ```
/// use hindsight_games::{Game, equilibrium::{FollowerTies, stackelberg}};
/// // Committing to half and half makes the follower choose the second column.
/// let game = Game::bimatrix(&[vec![2.0, 4.0], vec![1.0, 3.0]], &[vec![1.0, 0.0], vec![0.0, 1.0]])?;
/// let best = stackelberg(&game, FollowerTies::ForLeader)?;
/// assert!((best.value - 3.5).abs() < 1e-9 && best.reply == 1);
/// # Ok::<(), hindsight_games::GamesError>(())
/// ```
pub fn stackelberg(game: &Game, ties: FollowerTies) -> Result<Commitment, GamesError> {
    let &[rows, columns] = game.shape() else {
        return Err(GamesError::NotTwoPlayers {
            players: game.players(),
        });
    };
    let (leader, follower) = (
        game.payoffs(0).unwrap_or(&[]),
        game.payoffs(1).unwrap_or(&[]),
    );
    let mut best: Option<Commitment> = None;
    for reply in 0..columns {
        #[allow(clippy::float_cmp)] // equivalent columns are equal exactly
        let same = |k: usize| {
            (0..rows).all(|i| follower[i * columns + k] == follower[i * columns + reply])
        };
        let mut equivalent = Vec::new();
        if ties == FollowerTies::AgainstLeader {
            equivalent = (0..columns).filter(|&k| k != reply && same(k)).collect();
            if !has_interior(follower, rows, columns, reply)? {
                continue;
            }
        }
        let mut cost: Vec<f64> = (0..rows).map(|i| leader[i * columns + reply]).collect();
        if let Some(found) = &best {
            // Cannot beat what is found: the largest payoff in this column is no larger.
            if cost.iter().all(|&c| c <= found.value) {
                continue;
            }
        }
        if !equivalent.is_empty() {
            cost.push(-1.0);
        }
        let region = Region {
            leader,
            follower,
            columns,
            reply,
            equivalent,
        };
        let Some(optimum) = maximise(&region, &cost)? else {
            continue;
        };
        if best.as_ref().is_none_or(|b| optimum.value > b.value) {
            let strategy = optimum.x[..rows].to_vec();
            let payoff = |k: usize| -> f64 {
                (0..rows)
                    .map(|i| strategy[i] * follower[i * columns + k])
                    .sum()
            };
            let follower_payoff = payoff(reply);
            let strict = (0..columns).all(|k| k == reply || payoff(k) < follower_payoff - 1e-9);
            best = Some(Commitment {
                value: optimum.value,
                strategy,
                reply,
                follower_payoff,
                strict,
            });
        }
    }
    best.ok_or(GamesError::NotConverged {
        method: "multiple linear programmes",
        residual: f64::INFINITY,
        iterations: columns,
    })
}

/// Whether some mixed strategy makes `reply` strictly better than every column that is not equivalent to it.
#[allow(clippy::float_cmp)] // equivalent columns are equal exactly
fn has_interior(
    follower: &[f64],
    rows: usize,
    columns: usize,
    reply: usize,
) -> Result<bool, GamesError> {
    let others: Vec<usize> = (0..columns)
        .filter(|&k| (0..rows).any(|i| follower[i * columns + k] != follower[i * columns + reply]))
        .collect();
    if others.is_empty() {
        return Ok(true);
    }
    let matrix: Vec<Vec<f64>> = (0..rows)
        .map(|i| {
            others
                .iter()
                .map(|&k| follower[i * columns + reply] - follower[i * columns + k])
                .collect()
        })
        .collect();
    Ok(solve_zero_sum(&matrix)?.value > 1e-9)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};

    /// The leader's payoff against a best-replying follower, by direct evaluation.
    fn payoff(game: &Game, x: f64, ties: FollowerTies) -> f64 {
        let mixed = [vec![x, 1.0 - x], vec![1.0 / 3.0; 3]];
        let replies = game.action_payoffs(1, &mixed).unwrap();
        let best = replies.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let a = game.payoffs(0).unwrap();
        (0..3)
            .filter(|&j| replies[j] >= best - 1e-9)
            .map(|j| x * a[j] + (1.0 - x) * a[3 + j])
            .fold(f64::NAN, |u, v| match ties {
                FollowerTies::ForLeader => u.max(v),
                FollowerTies::AgainstLeader => u.min(v),
            })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]
        #[test]
        fn commitment_equals_brute_force(whole in any::<bool>(), seed in any::<u64>()) {
            let mut rng = rand_pcg::Pcg64::seed_from_u64(seed);
            let game = Game::from_fn(&[2, 3], |_, _| {
                if whole { f64::from(rng.random_range(0..3u8)) } else { rng.random_range(0.0..2.0) }
            }).unwrap();
            let b = game.payoffs(1).unwrap();
            // Points where two replies tie, both sides of each, and a grid.
            let mut points: Vec<f64> = (0..=400).map(|i| f64::from(i) / 400.0).collect();
            // And where two of the leader's payoffs tie: the kinks of the worst of equivalent replies.
            let a = game.payoffs(0).unwrap();
            for payoffs in [a, b] {
                for j in 0..3 {
                    for k in 0..j {
                        let (d0, d1) = (payoffs[j] - payoffs[k], payoffs[3 + j] - payoffs[3 + k]);
                        let x = d1 / (d1 - d0);
                        if x.is_finite() {
                            points.extend([x, x - 1e-7, x + 1e-7]);
                        }
                    }
                }
            }
            points.retain(|x| (0.0..=1.0).contains(x));
            for ties in [FollowerTies::ForLeader, FollowerTies::AgainstLeader] {
                let brute = points.iter().map(|&x| payoff(&game, x, ties)).fold(f64::NEG_INFINITY, f64::max);
                let ours = stackelberg(&game, ties).unwrap();
                prop_assert!((ours.value - brute).abs() < 2e-6, "{:?} {} {} {:?} {:?}", ties, ours.value, brute, game, ours);
            }
            // Committing is worth at least any pure Nash equilibrium.
            let strong = stackelberg(&game, FollowerTies::ForLeader).unwrap().value;
            for profile in game.pure_nash() {
                prop_assert!(game.payoff(0, &profile).unwrap() <= strong + 1e-9);
            }
            prop_assert!(stackelberg(&game, FollowerTies::AgainstLeader).unwrap().value <= strong + 1e-9);
        }
    }
}
