//! Commitment to a mixed strategy in bimatrix games: strong and weak Stackelberg equilibria.

use super::lp::{Rows, maximise};
use super::zero_sum::solve_zero_sum;
use crate::error::{Argument, GamesError, Method};
use crate::game::{Game, dot};

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

/// The best commitment of a leader.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Commitment {
    /// The leader's payoff: a maximum in the strong form, a supremum in the weak form.
    pub value: f64,
    /// The leader's mixed strategy; in the weak form the limit of strategies whose payoffs tend to `value`.
    pub strategy: Vec<f64>,
    /// The follower's pure reply, one of its actions.
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

impl Region<'_> {
    fn strategies(&self) -> usize {
        self.leader.len() / self.columns
    }
}

impl Rows for Region<'_> {
    fn count(&self) -> usize {
        self.columns + self.equivalent.len()
    }
    fn entries(&self, r: usize, mut visit: impl FnMut(usize, f64)) {
        let (matrix, plus, minus) = if r < self.columns {
            (self.follower, r, self.reply)
        } else {
            (self.leader, self.reply, self.equivalent[r - self.columns])
        };
        for (i, line) in matrix.chunks_exact(self.columns).enumerate() {
            visit(i, line[plus] - line[minus]);
        }
        if r >= self.columns {
            visit(self.strategies(), -1.0);
        }
    }
    fn add_column(&self, i: usize, p: f64, out: &mut [f64]) {
        if i == self.strategies() {
            out[self.columns..].iter_mut().for_each(|o| *o -= p);
            return;
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
    fn normalised(&self, j: usize) -> bool {
        j < self.strategies()
    }
}

/// The best mixed commitment of player `leader` (0 or 1), by one linear programme for each reply of the follower (Conitzer and Sandholm 2006).
///
/// Let $A$ hold the leader's and $B$ the follower's payoffs, rows being the leader's actions. With [`FollowerTies::ForLeader`]:
/// $\max_j\max_{x\in X(j)}x^\top A_j$ with $X(j)=\lbrace x\in\Delta: x^\top B_k\le x^\top B_j\ \forall k\rbrace$. With
/// [`FollowerTies::AgainstLeader`]: the supremum over $x$ of the leader's worst payoff among the follower's best replies, which is
/// $\max_j\max_{x\in X(j)}\min_{k\equiv j}x^\top A_k$ over the replies $j$ whose region has an interior, with $k\equiv j$ when $B_k=B_j$ (von Stengel and Zamir 2010).
///
/// # Errors
/// [`GamesError::NotTwoPlayers`], [`GamesError::NoSuchAction`] for the leader, [`GamesError::NotConverged`].
///
/// ```
/// use hindsight_games::{Game, equilibrium::{FollowerTies, stackelberg}};
/// // Committing to half and half makes the follower choose the second column.
/// let game = Game::bimatrix(&[vec![2.0, 4.0], vec![1.0, 3.0]], &[vec![1.0, 0.0], vec![0.0, 1.0]])?;
/// let best = stackelberg(&game, 0, FollowerTies::ForLeader)?;
/// assert!((best.value - 3.5).abs() < 1e-9 && best.reply == 1);
/// # Ok::<(), hindsight_games::GamesError>(())
/// ```
pub fn stackelberg(
    game: &Game,
    leader: usize,
    ties: FollowerTies,
) -> Result<Commitment, GamesError> {
    if game.players() != 2 {
        return Err(GamesError::NotTwoPlayers {
            players: game.players(),
        });
    }
    if leader > 1 {
        return Err(GamesError::NoSuchAction {
            argument: Argument::Player,
            value: leader,
            actions: 2,
        });
    }
    let oriented = if leader == 0 {
        game.clone()
    } else {
        game.exchanged()?
    };
    row_leads(&oriented, ties)
}

fn row_leads(game: &Game, ties: FollowerTies) -> Result<Commitment, GamesError> {
    let (rows, columns) = (game.shape()[0], game.shape()[1]);
    let (unit, _) = game.rescaled();
    let (leader, follower) = (
        unit.payoffs(0).unwrap_or(&[]),
        unit.payoffs(1).unwrap_or(&[]),
    );
    let mut best: Option<(f64, Vec<f64>, usize, Vec<usize>)> = None;
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
        if let Some((value, ..)) = &best {
            // Cannot beat what is found: the largest payoff in this column is no larger.
            if cost.iter().all(|c| c <= value) {
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
        if best.as_ref().is_none_or(|b| optimum.value > b.0) {
            let strategy = optimum.x[..rows].to_vec();
            best = Some((optimum.value, strategy, reply, region.equivalent));
        }
    }
    let (_, strategy, reply, equivalent) = best.ok_or(GamesError::NotConverged {
        method: Method::Commitment,
        residual: f64::INFINITY,
        iterations: columns,
    })?;
    let expected = |player: usize, column: usize| -> f64 {
        let payoffs = game.payoffs(player).unwrap_or(&[]);
        let column = payoffs.iter().skip(column).step_by(columns);
        column.zip(&strategy).map(|(u, x)| x * u).sum()
    };
    Ok(Commitment {
        value: equivalent
            .iter()
            .map(|&k| expected(0, k))
            .fold(expected(0, reply), f64::min),
        reply,
        follower_payoff: expected(1, reply),
        strict: strictly_best(follower, columns, reply, &strategy),
        strategy,
    })
}

/// Differences between `reply` and each other column `k`, in units of the largest, as `(k, differences)`.
fn leads(
    follower: &[f64],
    columns: usize,
    reply: usize,
) -> impl Iterator<Item = (usize, Vec<f64>)> {
    (0..columns).filter_map(move |k| {
        let mut lead: Vec<f64> = follower
            .chunks_exact(columns)
            .map(|line| line[reply] - line[k])
            .collect();
        let size = lead.iter().fold(0.0f64, |a, v| a.max(v.abs()));
        lead.iter_mut().for_each(|v| *v /= size);
        (size > 0.0).then_some((k, lead))
    })
}

/// Whether `reply` is better than every other column by more than rounding.
fn strictly_best(follower: &[f64], columns: usize, reply: usize, strategy: &[f64]) -> bool {
    let better = leads(follower, columns, reply)
        .filter(|(_, lead)| dot(lead, strategy) > 1e-9)
        .count();
    better == columns - 1
}

/// Whether some mixed strategy makes `reply` strictly better than every column that is not equivalent to it.
fn has_interior(
    follower: &[f64],
    rows: usize,
    columns: usize,
    reply: usize,
) -> Result<bool, GamesError> {
    let others: Vec<Vec<f64>> = leads(follower, columns, reply)
        .map(|(_, lead)| lead)
        .collect();
    if others.is_empty() {
        return Ok(true);
    }
    let matrix: Vec<Vec<f64>> = (0..rows)
        .map(|i| others.iter().map(|lead| lead[i]).collect())
        .collect();
    Ok(solve_zero_sum(&matrix)?.value > 1e-10)
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
                let ours = stackelberg(&game, 0, ties).unwrap();
                prop_assert!((ours.value - brute).abs() < 2e-6, "{:?} {} {} {:?} {:?}", ties, ours.value, brute, game, ours);
            }
            // Committing is worth at least any pure Nash equilibrium.
            let strong = stackelberg(&game, 0, FollowerTies::ForLeader).unwrap().value;
            for profile in game.pure_nash() {
                prop_assert!(game.payoff(0, &profile).unwrap() <= strong + 1e-9);
            }
            prop_assert!(stackelberg(&game, 0, FollowerTies::AgainstLeader).unwrap().value <= strong + 1e-9);
        }
    }
}
