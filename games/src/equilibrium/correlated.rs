//! Correlated and coarse correlated equilibria that are best for a linear objective.

use super::programme::{Optimum, Rows};
use super::simplex::maximise;
use crate::error::{GamesError, finite, length};
use crate::game::Game;

/// Which deviations an equilibrium must withstand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Concept {
    /// Correlated equilibrium: told $a$, a player may play $b$ instead (Aumann 1974).
    Correlated,
    /// Coarse correlated equilibrium: a player may play $b$ whatever it is told (Moulin and Vial 1978).
    CoarseCorrelated,
}

/// What the mediator maximises over the equilibria.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Objective {
    /// The sum of all payoffs.
    Welfare,
    /// One player's payoff.
    Player(usize),
    /// The negative of one player's payoff.
    AgainstPlayer(usize),
    /// The smallest payoff of any player.
    MaxMin,
    /// A linear function of the joint distribution: one coefficient a profile, row-major.
    Linear(Vec<f64>),
}

/// A deviation: `player`, told `from` (or anything, when `None`), plays `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Deviation {
    /// The player who deviates, counted from 0.
    pub player: usize,
    /// The action it was told; `None` in the coarse concept.
    pub from: Option<usize>,
    /// The action it plays instead.
    pub to: usize,
}

/// An optimal equilibrium with the certificate of its optimality.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CorrelatedEquilibrium {
    /// Probability of each pure profile, row-major; a vertex of the set of equilibria.
    pub joint: Vec<f64>,
    /// The objective at `joint`.
    pub value: f64,
    /// Expected payoff of each player.
    pub payoffs: Vec<f64>,
    /// Deviations with a positive multiplier, largest first: the objective would rise by about the multiplier for each unit of
    /// gain allowed to that deviation.
    pub binding: Vec<(Deviation, f64)>,
    /// Proven bound on how much a better equilibrium could add to `value` (weak duality).
    pub gap: f64,
    /// Largest gain of a deviation, at most rounding.
    pub infeasibility: f64,
    /// Simplex pivots done.
    pub pivots: usize,
}

struct Incentives<'a> {
    game: &'a Game,
    concept: Concept,
    /// First row of each player.
    first: Vec<usize>,
    count: usize,
    /// Max-min: an extra column `w` and one row for each player but the first.
    fair: bool,
}

impl<'a> Incentives<'a> {
    fn new(game: &'a Game, concept: Concept, fair: bool) -> Self {
        let mut count = 0;
        let mut first = Vec::with_capacity(game.players());
        for &k in game.shape() {
            first.push(count);
            count += match concept {
                Concept::Correlated => k * k,
                Concept::CoarseCorrelated => k,
            };
        }
        Self {
            game,
            concept,
            first,
            count,
            fair,
        }
    }

    fn deviation(&self, r: usize) -> Option<Deviation> {
        if r >= self.count {
            return None;
        }
        let player = self.first.partition_point(|&f| f <= r) - 1;
        let (at, k) = (r - self.first[player], self.game.shape()[player]);
        Some(match self.concept {
            Concept::Correlated => Deviation {
                player,
                from: Some(at / k),
                to: at % k,
            },
            Concept::CoarseCorrelated => Deviation {
                player,
                from: None,
                to: at,
            },
        })
    }

    fn tensor(&self, player: usize) -> &[f64] {
        self.game.payoffs(player).unwrap_or(&[])
    }
}

impl Rows for Incentives<'_> {
    fn count(&self) -> usize {
        self.count
            + if self.fair {
                self.game.players() - 1
            } else {
                0
            }
    }

    fn activity(&self, x: &[(usize, f64)], out: &mut [f64]) {
        let profiles = self.game.profiles();
        for &(s, p) in x {
            if s >= profiles {
                for o in &mut out[self.count..] {
                    *o -= p;
                }
                continue;
            }
            for (player, &k) in self.game.shape().iter().enumerate() {
                let tensor = self.tensor(player);
                let stride = self.game.stride(player);
                let a = s / stride % k;
                let base = s - a * stride;
                let own = tensor[s];
                let row = self.first[player]
                    + if self.concept == Concept::Correlated {
                        a * k
                    } else {
                        0
                    };
                for (b, o) in out[row..row + k].iter_mut().enumerate() {
                    *o += p * (tensor[base + b * stride] - own);
                }
            }
            if self.fair {
                let u = self.tensor(0)[s];
                for (i, o) in out[self.count..].iter_mut().enumerate() {
                    *o += p * (u - self.tensor(i + 1)[s]);
                }
            }
        }
    }

    fn row(&self, r: usize, out: &mut [f64]) {
        let profiles = self.game.profiles();
        let Some(Deviation { player, from, to }) = self.deviation(r) else {
            let (u, v) = (self.tensor(0), self.tensor(r - self.count + 1));
            for s in 0..profiles {
                out[s] = u[s] - v[s];
            }
            out[profiles] = -1.0;
            return;
        };
        let tensor = self.tensor(player);
        let stride = self.game.stride(player);
        let k = self.game.shape()[player];
        for high in (0..profiles).step_by(stride * k) {
            for low in high..high + stride {
                let better = tensor[low + to * stride];
                let mut set = |a: usize| out[low + a * stride] = better - tensor[low + a * stride];
                match from {
                    Some(a) => set(a),
                    None => (0..k).for_each(&mut set),
                }
            }
        }
    }

    fn normalised(&self, j: usize) -> bool {
        j < self.game.profiles()
    }
}

/// The equilibrium of the given concept that maximises the objective:
///
/// $$\max_{p\in\Delta}\ \sum_s c_s p_s\quad\text{s.t.}\quad \sum_{s_{-i}}p(a,s_{-i})\,[u_i(b,s_{-i})-u_i(a,s_{-i})]\le0\ \ \forall i,a,b$$
///
/// (summed over $a$ in the coarse concept). An equilibrium always exists. The optimum is a polytope when the game is degenerate: the
/// value is unique, the distribution need not be. The method is exact up to rounding and returns a bound on what is left.
///
/// # Errors
/// [`GamesError::NoSuchAction`] for an unknown player, [`GamesError::Length`] or [`GamesError::NotFinite`] for wrong coefficients,
/// [`GamesError::NotConverged`] when the pivot limit is reached.
///
/// ```
/// use hindsight_games::{Game, equilibrium::{Concept, Objective, correlated_equilibrium}};
/// let chicken = Game::bimatrix(&[vec![6.0, 2.0], vec![7.0, 0.0]], &[vec![6.0, 7.0], vec![2.0, 0.0]])?;
/// let best = correlated_equilibrium(&chicken, Concept::Correlated, &Objective::Welfare)?;
/// assert!((best.value - 10.5).abs() < 1e-9); // Aumann's example: half (swerve, swerve), a quarter each for the asymmetric ones
/// # Ok::<(), hindsight_games::GamesError>(())
/// ```
pub fn correlated_equilibrium(
    game: &Game,
    concept: Concept,
    objective: &Objective,
) -> Result<CorrelatedEquilibrium, GamesError> {
    let profiles = game.profiles();
    let player_payoffs = |player: usize| {
        game.payoffs(player).ok_or(GamesError::NoSuchAction {
            argument: "objective's player",
            value: player,
            actions: game.players(),
        })
    };
    let mut fair = false;
    let mut cost: Vec<f64> = match objective {
        Objective::Welfare => (0..profiles)
            .map(|s| {
                (0..game.players())
                    .filter_map(|i| game.payoffs(i))
                    .map(|u| u[s])
                    .sum()
            })
            .collect(),
        Objective::Player(i) => player_payoffs(*i)?.to_vec(),
        Objective::AgainstPlayer(i) => player_payoffs(*i)?.iter().map(|u| -u).collect(),
        Objective::MaxMin => {
            fair = true;
            player_payoffs(0)?.to_vec()
        }
        Objective::Linear(c) => {
            length("objective", profiles, c.len())?;
            for &v in c {
                finite("objective", v)?;
            }
            c.clone()
        }
    };
    if fair {
        cost.push(-1.0);
    }
    let rows = Incentives::new(game, concept, fair);
    let Optimum {
        mut x,
        value,
        duals,
        gap,
        infeasibility,
        pivots,
    } = maximise(&rows, &cost)?.ok_or(GamesError::NotConverged {
        method: "dual simplex",
        residual: f64::INFINITY,
        iterations: 0,
    })?;
    x.truncate(profiles);
    let mut binding: Vec<(Deviation, f64)> = duals
        .into_iter()
        .filter_map(|(r, y)| rows.deviation(r).map(|d| (d, y)))
        .collect();
    binding.sort_by(|a, b| b.1.total_cmp(&a.1));
    let payoffs = (0..game.players())
        .filter_map(|i| game.payoffs(i))
        .map(|u| u.iter().zip(&x).map(|(u, p)| u * p).sum())
        .collect();
    Ok(CorrelatedEquilibrium {
        joint: x,
        value,
        payoffs,
        binding,
        gap,
        infeasibility,
        pivots,
    })
}

/// The least and the greatest expected payoff of a player over all equilibria of the concept.
///
/// # Errors
/// As [`correlated_equilibrium`].
pub fn payoff_range(
    game: &Game,
    concept: Concept,
    player: usize,
) -> Result<(f64, f64), GamesError> {
    let low = correlated_equilibrium(game, concept, &Objective::AgainstPlayer(player))?;
    let high = correlated_equilibrium(game, concept, &Objective::Player(player))?;
    Ok((-low.value, high.value))
}
