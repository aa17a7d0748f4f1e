//! Correlated equilibria of constant-sum games whose objective depends on the payoffs alone: a pair of optimal strategies is best, and two linear
//! programmes of the players' own size replace one over all profiles.
//!
//! In units of both players' spreads let $u$ be the row player's payoff and $1-u$ the column player's, with value $v$ and optimal strategies
//! $x^{\ast},y^{\ast}$. Deviating to $y^{\ast}$ whatever it is told must not help the column player, so every equilibrium of either concept gives the
//! row player at most $\max_a u(a,y^{\ast})=v$, and likewise at least $v$: an objective that is an affine function of $u$ is the same at all of them. The multipliers of
//! this proof are the probabilities of the deviations in $y^{\ast}$ (for a falling objective, in $x^{\ast}$).

use super::correlated::{Concept, Deviation, Found};
use super::zero_sum;
use crate::game::Game;

/// Rounding of payoffs in units of their spread.
const ROUNDING: f64 = 1e-12;
/// Largest gap, in units of the spread, of a solution that is taken.
const PROOF: f64 = 1e-9;

/// The product of optimal strategies, where the game, given in units of its players' spreads, is one of constant sum and the objective a function of the payoffs;
/// `None` for all other games, and where the zero-sum solver cannot prove its answer.
pub(super) fn product(unit: &Game, concept: Concept, objective: &[f64]) -> Option<Found> {
    let &[rows, columns] = unit.shape() else {
        return None;
    };
    let (u, other) = (unit.payoffs(0)?, unit.payoffs(1)?);
    if objective.len() != u.len()
        || u.iter()
            .zip(other)
            .any(|(u, w)| (u + w - 1.0).abs() > ROUNDING)
    {
        return None;
    }
    let (base, slope) = affine(u, objective)?;
    let solution = zero_sum::in_units(u, columns).ok()?;
    if solution.duality_gap > PROOF {
        return None;
    }
    let joint: Vec<f64> = solution
        .row
        .iter()
        .flat_map(|x| solution.column.iter().map(move |y| x * y))
        .collect();
    let value = joint.iter().zip(objective).map(|(p, c)| p * c).sum();
    let (player, actions, deviates) = if slope > 0.0 {
        (1, columns, &solution.column)
    } else {
        (0, rows, &solution.row)
    };
    let told: Vec<Option<usize>> = match concept {
        Concept::Correlated => (0..actions).map(Some).collect(),
        Concept::CoarseCorrelated => vec![None],
    };
    let used = || deviates.iter().enumerate().filter(|(_, p)| **p > 0.0);
    let multipliers = told
        .into_iter()
        .flat_map(|from| used().map(move |(to, p)| (from, to, p)))
        .filter(|(from, to, _)| slope != 0.0 && *from != Some(*to))
        .map(|(from, to, p)| (Deviation { player, from, to }, slope.abs() * p))
        .collect();
    // What the deviation guarantees; the value lies midway between both sides' guarantees.
    let guaranteed = solution.value + 0.5 * solution.duality_gap.copysign(slope);
    let bound = base + slope * guaranteed;
    Some(Found {
        joint,
        value,
        gap: (bound - value).max(0.0),
        multipliers,
        pivots: 0,
    })
}

/// The intercept and slope of `objective` as a function of `u`, whose values reach from 0 to 1; `None` when it is none within rounding.
fn affine(u: &[f64], objective: &[f64]) -> Option<(f64, f64)> {
    let pairs = || u.iter().zip(objective);
    let (_, &base) = pairs().min_by(|a, b| a.0.total_cmp(b.0))?;
    let (_, &top) = pairs().max_by(|a, b| a.0.total_cmp(b.0))?;
    let slope = top - base;
    let size = base.abs().max(top.abs());
    pairs()
        .all(|(u, c)| (base + slope * u - c).abs() <= ROUNDING * size)
        .then_some((base, slope))
}

#[cfg(test)]
mod tests {
    use super::super::correlated::{Objective, correlated_equilibrium};
    use super::super::deviation_gains;
    use super::super::incentives::Incentives;
    use super::super::lp::maximise;
    use super::*;
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};

    /// A game of constant sum, each player in units of its own, and the noise that makes it another kind of game.
    fn game(rows: usize, columns: usize, whole: bool, noise: f64, seed: u64) -> Game {
        let mut rng = rand_pcg::Pcg64::seed_from_u64(seed);
        let u: Vec<f64> = (0..rows * columns)
            .map(|_| {
                if whole {
                    f64::from(rng.random_range(0..4u8))
                } else {
                    rng.random_range(-1.0..1.0)
                }
            })
            .collect();
        let (first, second) = (
            10f64.powi(rng.random_range(-6..7)),
            10f64.powi(rng.random_range(-6..7)),
        );
        let a = u.iter().map(|u| first * (u + 3.0)).collect();
        let b = u
            .iter()
            .map(|u| second * (5.0 - u + noise * rng.random_range(-1.0..1.0)))
            .collect();
        Game::new(vec![rows, columns], vec![a, b]).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn the_whole_programme_gives_the_same_value(rows in 1usize..8, columns in 1usize..8, whole in any::<bool>(), rising in any::<bool>(), coarse in any::<bool>(), seed in any::<u64>()) {
            let game = game(rows, columns, whole, 0.0, seed);
            let concept = if coarse { Concept::CoarseCorrelated } else { Concept::Correlated };
            let (unit, _) = game.rescaled();
            let u = unit.payoffs(0).unwrap();
            prop_assume!(u.contains(&1.0));
            let objective: Vec<f64> = u.iter().map(|u| if rising { 2.0 + 7.0 * u } else { 2.0 - 7.0 * u }).collect();
            let product = product(&unit, concept, &objective).expect("a game of constant sum");
            let programme = maximise(&Incentives::new(&unit, concept, None), &objective).unwrap().unwrap();
            prop_assert!((product.value - programme.value).abs() < 1e-7, "{} {}", product.value, programme.value);
            prop_assert!(product.gap < 1e-8);
            for (player, gains) in deviation_gains(&unit, &product.joint).unwrap().iter().enumerate() {
                prop_assert!(gains.swap < 1e-9, "{player} {gains:?}");
            }
        }

        #[test]
        fn the_multipliers_prove_the_bound(rows in 2usize..7, columns in 2usize..7, whole in any::<bool>(), rising in any::<bool>(), coarse in any::<bool>(), seed in any::<u64>()) {
            let game = game(rows, columns, whole, 0.0, seed);
            let concept = if coarse { Concept::CoarseCorrelated } else { Concept::Correlated };
            let (unit, _) = game.rescaled();
            let u = unit.payoffs(0).unwrap();
            prop_assume!(u.contains(&1.0));
            let objective: Vec<f64> = u.iter().map(|u| if rising { 3.0 * u } else { -3.0 * u }).collect();
            let product = product(&unit, concept, &objective).unwrap();
            // Weak duality from the definition: no profile is worth more than the bound once every deviation is charged.
            for s in 0..game.profiles() {
                let profile = game.profile(s);
                let charged: f64 = product.multipliers.iter().filter(|(d, _)| d.from.is_none_or(|f| f == profile[d.player])).map(|(d, y)| {
                    let mut other = profile.clone();
                    other[d.player] = d.to;
                    let mine = unit.payoffs(d.player).unwrap();
                    y * (mine[unit.index(&other).unwrap()] - mine[s])
                }).sum();
                prop_assert!(objective[s] - charged <= product.value + product.gap + 1e-9);
            }
        }
    }

    #[test]
    fn a_game_that_is_nearly_of_constant_sum_is_none() {
        for seed in 0..20 {
            let (near, _) = game(4, 5, false, 1e-6, seed).rescaled();
            let objective = near.payoffs(0).unwrap();
            assert!(product(&near, Concept::Correlated, objective).is_none());
            let (unit, _) = game(4, 5, false, 0.0, seed).rescaled();
            let own: Vec<f64> = (0..20).map(f64::from).collect();
            assert!(product(&unit, Concept::Correlated, &own).is_none());
            assert!(product(&unit, Concept::Correlated, unit.payoffs(1).unwrap()).is_some());
        }
    }

    #[test]
    fn a_large_game_takes_no_pivot_of_the_whole_programme() {
        let game = game(60, 60, false, 0.0, 3);
        let e = correlated_equilibrium(&game, Concept::Correlated, &Objective::Player(0)).unwrap();
        assert_eq!(e.pivots, 0);
        assert!(e.infeasibility < 1e-9 * 2e6);
    }
}
