//! How far a play is from equilibrium: gaps of joint distributions, NashConv and exploitability of mixed profiles.

use crate::error::{GamesError, real};
use crate::game::Game;

/// The correlated-equilibrium gap of a joint distribution: the largest sum, over any player's actions $a$, of what it gains by
/// replacing $a$ by its best $b(a)$,
///
/// $$\max_i \sum_a \max_b \sum_{s_{-i}}p(a,s_{-i})\thinspace[u_i(b,s_{-i})-u_i(a,s_{-i})].$$
///
/// It is 0 exactly at correlated equilibria, and for the time average of the outer products of the players' mixed plays it equals the largest swap
/// regret divided by the number of rounds. It must be given that joint average, not a product of averages.
///
/// # Errors
/// [`GamesError::Length`], [`GamesError::NotAProbability`] or [`GamesError::NotADistribution`] for a wrong `joint`.
pub fn correlated_gap(game: &Game, joint: &[f64]) -> Result<f64, GamesError> {
    Ok(deviation_gains(game, joint)?
        .iter()
        .map(|g| g.swap)
        .fold(0.0, f64::max))
}

/// The pairwise gap: the largest gain of one player from one replacement $a\to b$. At most [`correlated_gap`], and equal to the largest internal
/// regret divided by the number of rounds.
///
/// # Errors
/// As [`correlated_gap`].
pub fn pairwise_correlated_gap(game: &Game, joint: &[f64]) -> Result<f64, GamesError> {
    Ok(deviation_gains(game, joint)?
        .iter()
        .map(|g| g.internal)
        .fold(0.0, f64::max))
}

/// The coarse-correlated gap: the largest gain of one player from one fixed action,
/// $\max_{i,b}\sum_s p(s)[u_i(b,s_{-i})-u_i(s)]$, at least 0 when `joint` is not a coarse correlated equilibrium. It may be negative: every fixed action is
/// then strictly worse than the play.
///
/// # Errors
/// As [`correlated_gap`].
pub fn coarse_correlated_gap(game: &Game, joint: &[f64]) -> Result<f64, GamesError> {
    Ok(deviation_gains(game, joint)?
        .iter()
        .map(|g| g.external)
        .fold(f64::NEG_INFINITY, f64::max))
}

/// What one player could gain against a joint distribution, in its own payoffs.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DeviationGains {
    /// By its best fixed action; may be negative.
    pub external: f64,
    /// By its best replacement of one action by another; at least 0.
    pub internal: f64,
    /// By its best replacement of every action; at least 0.
    pub swap: f64,
}

/// What each player could gain by deviating from a joint distribution: the gaps of this module are the largest of these.
///
/// # Errors
/// As [`correlated_gap`].
///
/// ```
/// use hindsight_games::{Game, equilibrium::deviation_gains};
/// let chicken = Game::bimatrix(&[vec![6.0, 2.0], vec![7.0, 0.0]], &[vec![6.0, 7.0], vec![2.0, 0.0]])?;
/// let gains = deviation_gains(&chicken, &[1.0, 0.0, 0.0, 0.0])?; // both swerve
/// assert_eq!(gains[0].external, 1.0);
/// # Ok::<(), hindsight_games::GamesError>(())
/// ```
pub fn deviation_gains(game: &Game, joint: &[f64]) -> Result<Vec<DeviationGains>, GamesError> {
    game.check_joint(joint)?;
    let mut all = Vec::with_capacity(game.players());
    for (player, &k) in game.shape().iter().enumerate() {
        let (tensor, stride) = (game.payoffs(player).unwrap_or(&[]), game.stride(player));
        let mut gain = vec![0.0; k * k];
        for (s, &p) in joint.iter().enumerate() {
            if p > 0.0 {
                let a = s / stride % k;
                let base = s - a * stride;
                for b in 0..k {
                    gain[a * k + b] += p * (tensor[base + b * stride] - tensor[s]);
                }
            }
        }
        let mut g = DeviationGains {
            external: f64::NEG_INFINITY,
            internal: 0.0,
            swap: 0.0,
        };
        for b in 0..k {
            g.external = g.external.max((0..k).map(|a| gain[a * k + b]).sum());
        }
        for row in gain.chunks_exact(k) {
            let best = row.iter().copied().fold(0.0, f64::max);
            g.internal = g.internal.max(best);
            g.swap += best;
        }
        all.push(g);
    }
    Ok(all)
}

/// NashConv of a mixed profile: the sum over players of the gain of a best reply, 0 exactly at Nash equilibria.
///
/// # Errors
/// [`GamesError::Length`], [`GamesError::NotAProbability`] or [`GamesError::NotADistribution`] for a wrong profile.
pub fn nash_conv(game: &Game, mixed: &[Vec<f64>]) -> Result<f64, GamesError> {
    Ok(best_reply_gains(game, mixed)?.iter().sum())
}

/// What each player gains by its best reply to a mixed profile, at least 0; the sum is [`nash_conv`].
///
/// # Errors
/// As [`nash_conv`].
pub fn best_reply_gains(game: &Game, mixed: &[Vec<f64>]) -> Result<Vec<f64>, GamesError> {
    (0..game.players())
        .map(|player| {
            let payoffs = game.action_payoffs(player, mixed)?;
            // Differences before weights: a common large payoff cancels exactly.
            let best = payoffs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            Ok(payoffs
                .iter()
                .zip(&mixed[player])
                .map(|(u, x)| x * (best - u))
                .sum())
        })
        .collect()
}

/// Exploitability: [`nash_conv`] divided by the number of players.
///
/// # Errors
/// As [`nash_conv`].
pub fn exploitability(game: &Game, mixed: &[Vec<f64>]) -> Result<f64, GamesError> {
    Ok(nash_conv(game, mixed)? / real(game.players()))
}

#[cfg(test)]
mod tests {
    use super::super::{Concept, Objective, correlated_equilibrium};
    use super::*;
    use crate::error::Argument;
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64;

    pub(crate) fn random_game(rng: &mut Pcg64, shape: &[usize], whole: bool) -> Game {
        Game::from_fn(shape, |_, _| {
            if whole {
                f64::from(rng.random_range(0..4u8))
            } else {
                rng.random_range(-1.0..1.0)
            }
        })
        .unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(150))]
        #[test]
        fn optimal_equilibria_withstand_deviations_and_carry_a_proof(
            shape in prop_oneof![Just(vec![1, 1]), Just(vec![1, 3]), Just(vec![2, 2]), Just(vec![4, 3]), Just(vec![6, 6]), Just(vec![2, 3, 2]), Just(vec![2, 2, 2, 2])],
            whole in any::<bool>(), seed in any::<u64>(),
        ) {
            let mut rng = Pcg64::seed_from_u64(seed);
            let game = random_game(&mut rng, &shape, whole);
            let random: Vec<f64> = (0..game.profiles()).map(|_| rng.random_range(-1.0..1.0)).collect();
            for objective in [Objective::Welfare, Objective::MaxMin, Objective::Player(1), Objective::AgainstPlayer(0), Objective::Linear(random)] {
                let ce = correlated_equilibrium(&game, Concept::Correlated, &objective).unwrap();
                let cce = correlated_equilibrium(&game, Concept::CoarseCorrelated, &objective).unwrap();
                // Feasible by the gap functions (another code path), optimal by weak duality.
                prop_assert!(correlated_gap(&game, &ce.joint).unwrap() < 1e-7);
                prop_assert!(coarse_correlated_gap(&game, &cce.joint).unwrap() < 1e-7);
                prop_assert!(ce.gap < 1e-7 && cce.gap < 1e-7, "{} {}", ce.gap, cce.gap);
                // Correlated equilibria are coarse ones.
                prop_assert!(ce.value <= cce.value + 1e-7);
                // Every pure Nash equilibrium is a correlated equilibrium.
                for profile in game.pure_nash() {
                    let s = game.index(&profile).unwrap();
                    let u: Vec<f64> = (0..game.players()).map(|i| game.payoffs(i).unwrap()[s]).collect();
                    let v = match &objective {
                        Objective::Welfare => u.iter().sum(),
                        Objective::MaxMin => u.iter().copied().fold(f64::INFINITY, f64::min),
                        Objective::Player(i) => u[*i],
                        Objective::AgainstPlayer(i) => -u[*i],
                        Objective::Linear(c) => c[s],
                    };
                    prop_assert!(v <= ce.value + 1e-7);
                }
                if objective == Objective::MaxMin {
                    let least = ce.payoffs.iter().copied().fold(f64::INFINITY, f64::min);
                    prop_assert!((least - ce.value).abs() < 1e-7);
                }
            }
        }

        #[test]
        fn gaps_are_ordered(seed in any::<u64>()) {
            let mut rng = Pcg64::seed_from_u64(seed);
            let game = random_game(&mut rng, &[3, 4], false);
            let w: Vec<f64> = (0..12).map(|_| rng.random_range(0.0..1.0)).collect();
            let sum: f64 = w.iter().sum();
            let joint: Vec<f64> = w.iter().map(|v| v / sum).collect();
            let (ce, pair, cce) = (
                correlated_gap(&game, &joint).unwrap(),
                pairwise_correlated_gap(&game, &joint).unwrap(),
                coarse_correlated_gap(&game, &joint).unwrap(),
            );
            prop_assert!(0.0 <= pair && pair <= ce && ce <= 4.0 * pair + 1e-15 && cce <= ce + 1e-15);
        }
    }

    #[test]
    fn a_distribution_that_does_not_sum_to_one_is_refused() {
        let game = Game::zero_sum(&[vec![1.0, 0.0], vec![0.0, 1.0]]).unwrap();
        assert_eq!(
            correlated_gap(&game, &[0.5, 0.25, 0.25, 0.25]).unwrap_err(),
            GamesError::NotADistribution {
                argument: Argument::Joint,
                sum: 1.25
            }
        );
        assert!(matches!(
            nash_conv(&game, &[vec![-0.5, 1.5], vec![0.5, 0.5]]),
            Err(GamesError::NotAProbability { index: 0, .. })
        ));
    }
}
