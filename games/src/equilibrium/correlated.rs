//! Correlated and coarse correlated equilibria that are best for a linear objective.

use super::constant_sum;
use super::gap::{DeviationGains, deviation_gains};
use super::incentives::Incentives;
use super::lp::maximise;
use crate::error::{Argument, GamesError, Method, finite, length};
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
    /// Probability of each pure profile, row-major: a vertex of the set of equilibria, or the product of optimal strategies where the game is one of
    /// constant sum and the objective depends on the payoffs alone.
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
    /// What each player could gain by deviating, at most rounding in units of its payoff spread.
    pub gains: Vec<DeviationGains>,
    /// Largest gain of a deviation that the concept forbids, at most rounding.
    pub infeasibility: f64,
    /// Simplex pivots done.
    pub pivots: usize,
}

/// The equilibrium of the given concept that maximises the objective:
///
/// $$\max_{p\in\Delta}\ \sum_s c_s p_s\quad\text{s.t.}\quad \sum_{s_{-i}}p(a,s_{-i})\thinspace[u_i(b,s_{-i})-u_i(a,s_{-i})]\le0\ \ \forall i,a,b$$
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
    let target = Target::new(game, objective)?;
    let (unit, scales) = game.rescaled();
    let found = match constant_sum::product(&unit, concept, &target.cost) {
        Some(product) => product,
        None => by_programme(&unit, concept, &target)?,
    };
    let joint = found.joint;
    let mut binding: Vec<(Deviation, f64)> = found
        .multipliers
        .into_iter()
        .map(|(d, y)| (d, y * target.unit / scales[d.player].0))
        .collect();
    binding.sort_by(|a, b| b.1.total_cmp(&a.1));
    let gains = deviation_gains(game, &joint)?;
    let infeasibility = gains
        .iter()
        .map(|g| match concept {
            Concept::Correlated => g.internal,
            Concept::CoarseCorrelated => g.external,
        })
        .fold(0.0, f64::max);
    Ok(CorrelatedEquilibrium {
        payoffs: game.expected_payoffs(&joint)?,
        joint,
        value: target.shift + target.unit * found.value,
        binding,
        gap: target.unit * found.gap,
        gains,
        infeasibility,
        pivots: found.pivots,
    })
}

/// An optimal equilibrium, its value and the bound that proves it in units of the programme.
pub(super) struct Found {
    pub(super) joint: Vec<f64>,
    pub(super) value: f64,
    pub(super) gap: f64,
    /// In units of the deviating player's payoff spread.
    pub(super) multipliers: Vec<(Deviation, f64)>,
    pub(super) pivots: usize,
}

/// Solves the whole programme of a game in units of its players' spreads.
fn by_programme(unit: &Game, concept: Concept, target: &Target) -> Result<Found, GamesError> {
    let rows = Incentives::new(unit, concept, target.common.clone());
    let optimum = maximise(&rows, &target.cost)?.ok_or(GamesError::NotConverged {
        method: Method::DualSimplex,
        residual: f64::INFINITY,
        iterations: 0,
    })?;
    let mut joint = optimum.x;
    joint.truncate(unit.profiles());
    Ok(Found {
        joint,
        value: optimum.value,
        multipliers: optimum
            .duals
            .into_iter()
            .filter_map(|(r, y)| rows.deviation(r).map(|d| (d, y)))
            .collect(),
        gap: optimum.gap,
        pivots: optimum.pivots,
    })
}

/// An objective as the programme takes it: `shift` plus `unit` times the programme's optimum is the objective.
struct Target {
    /// One coefficient a profile, and one of the extra column of the max-min objective.
    cost: Vec<f64>,
    /// All players' payoffs in one unit, for the max-min objective.
    common: Option<Vec<Vec<f64>>>,
    unit: f64,
    shift: f64,
}

impl Target {
    fn new(game: &Game, objective: &Objective) -> Result<Self, GamesError> {
        let payoffs = |player: usize| {
            game.payoffs(player).ok_or(GamesError::NoSuchAction {
                argument: Argument::Objective,
                value: player,
                actions: game.players(),
            })
        };
        let plain = |cost| Self {
            cost,
            common: None,
            unit: 1.0,
            shift: 0.0,
        };
        Ok(match objective {
            Objective::Welfare => plain((0..game.profiles()).map(|s| game.welfare(s)).collect()),
            Objective::Player(i) => plain(payoffs(*i)?.to_vec()),
            Objective::AgainstPlayer(i) => plain(payoffs(*i)?.iter().map(|u| -u).collect()),
            Objective::MaxMin => {
                let all = || (0..game.players()).filter_map(|i| game.payoffs(i));
                let (low, high) = all()
                    .flatten()
                    .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &u| {
                        (low.min(u), high.max(u))
                    });
                let unit = if high > low { high - low } else { 1.0 };
                let common: Vec<Vec<f64>> = all()
                    .map(|u| u.iter().map(|u| (u - low) / unit).collect())
                    .collect();
                let mut cost = common[0].clone();
                cost.push(-1.0);
                Self {
                    cost,
                    common: Some(common),
                    unit,
                    shift: low,
                }
            }
            Objective::Linear(c) => {
                length(Argument::Objective, game.profiles(), c.len())?;
                for &v in c {
                    finite(Argument::Objective, v)?;
                }
                plain(c.clone())
            }
        })
    }
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

#[cfg(test)]
mod tests {
    use super::super::nash_equilibria;
    use super::*;
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};

    fn game(shape: &[usize], whole: bool, seed: u64) -> Game {
        let mut rng = rand_pcg::Pcg64::seed_from_u64(seed);
        let draw = |_: usize, _: &[usize]| {
            if whole {
                f64::from(rng.random_range(0..4u8))
            } else {
                rng.random_range(-1.0..1.0)
            }
        };
        Game::from_fn(shape, draw).unwrap()
    }

    fn best(game: &Game, concept: Concept, objective: &Objective) -> CorrelatedEquilibrium {
        correlated_equilibrium(game, concept, objective).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        /// Nash, correlated, coarse correlated: each set contains the one before.
        #[test]
        fn the_concepts_are_nested(rows in 1usize..5, columns in 1usize..5, whole in any::<bool>(), seed in any::<u64>()) {
            let game = game(&[rows, columns], whole, seed);
            let nash = nash_equilibria(&game).unwrap().iter().map(|e| e.payoffs[0] + e.payoffs[1]).fold(f64::NEG_INFINITY, f64::max);
            let correlated = best(&game, Concept::Correlated, &Objective::Welfare).value;
            let coarse = best(&game, Concept::CoarseCorrelated, &Objective::Welfare).value;
            prop_assert!(nash <= correlated + 1e-8 && correlated <= coarse + 1e-8, "{nash} {correlated} {coarse}");
        }

        /// The smallest payoff is at most what each player can get, and at least what the best welfare leaves the poorest.
        #[test]
        fn the_smallest_payoff_lies_between_its_bounds(whole in any::<bool>(), seed in any::<u64>()) {
            let game = game(&[3, 2, 2], whole, seed);
            for concept in [Concept::Correlated, Concept::CoarseCorrelated] {
                let fair = best(&game, concept, &Objective::MaxMin);
                let least = fair.payoffs.iter().copied().fold(f64::INFINITY, f64::min);
                prop_assert!((fair.value - least).abs() < 1e-7);
                for player in 0..3 {
                    let (_, high) = payoff_range(&game, concept, player).unwrap();
                    prop_assert!(fair.value <= high + 1e-7);
                }
                let rich = best(&game, concept, &Objective::Welfare);
                let poorest = rich.payoffs.iter().copied().fold(f64::INFINITY, f64::min);
                prop_assert!(poorest <= fair.value + 1e-7);
            }
        }

        /// The multipliers that are shown prove the value: no profile is worth more once every deviation is charged.
        #[test]
        fn binding_deviations_prove_the_value(rows in 1usize..5, columns in 1usize..5, coarse in any::<bool>(), seed in any::<u64>()) {
            let game = game(&[rows, columns], false, seed);
            let concept = if coarse { Concept::CoarseCorrelated } else { Concept::Correlated };
            let e = best(&game, concept, &Objective::Welfare);
            for s in 0..game.profiles() {
                let profile = game.profile(s);
                let charged: f64 = e.binding.iter().filter(|(d, _)| d.from.is_none_or(|f| f == profile[d.player])).map(|(d, y)| {
                    let mut other = profile.clone();
                    other[d.player] = d.to;
                    let own = game.payoffs(d.player).unwrap();
                    y * (own[game.index(&other).unwrap()] - own[s])
                }).sum();
                prop_assert!(game.welfare(s) - charged <= e.value + e.gap + 1e-7);
            }
        }
    }

    #[test]
    fn unknown_players_and_wrong_coefficients_are_refused() {
        let game = game(&[2, 2], true, 1);
        let ask = |objective| correlated_equilibrium(&game, Concept::Correlated, &objective);
        assert!(matches!(
            ask(Objective::Player(2)),
            Err(GamesError::NoSuchAction { value: 2, .. })
        ));
        assert!(matches!(
            ask(Objective::Linear(vec![1.0; 3])),
            Err(GamesError::Length {
                expected: 4,
                found: 3,
                ..
            })
        ));
        assert!(matches!(
            ask(Objective::Linear(vec![f64::NAN; 4])),
            Err(GamesError::NotFinite { .. })
        ));
    }
}
