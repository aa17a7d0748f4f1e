//! Sequences of rewards that are hard for learners, and what learners make of them.

use rand::{Rng, RngExt};

use super::account::{RegretAccount, Regrets};
use super::learner::{Learner, OracleLearner};
use super::sampled::SampledModifications;
use super::smooth::{ProductActions, SmoothOracle};
use super::swap::BlumMansour;
use crate::error::GamesError;

/// Plays `rounds` rounds against a sequence that adapts: the reward 1 goes to the action that is least likely half of the time, and to an action that drifts
/// from the first to the last otherwise. Regrets are those of the mixed plays.
///
/// # Errors
/// Those of the learner.
///
/// ```
/// use hindsight_games::repeated::{Hedge, adaptive_regret};
/// use rand::SeedableRng;
/// let mut rng = rand_pcg::Pcg64::seed_from_u64(1);
/// let account = adaptive_regret(&mut Hedge::fixed(4, 500)?, 500, &mut rng)?;
/// assert!(account.external() <= Hedge::fixed(4, 500)?.bound(500));
/// # Ok::<(), hindsight_games::GamesError>(())
/// ```
pub fn adaptive_regret(
    learner: &mut dyn Learner,
    rounds: usize,
    rng: &mut impl Rng,
) -> Result<RegretAccount, GamesError> {
    let k = learner.actions();
    let mut account = RegretAccount::new(k)?;
    let mut rewards = vec![0.0; k];
    for round in 0..rounds {
        let play = learner.play().to_vec();
        rewards.fill(0.0);
        if rng.random::<bool>() {
            let least = (0..k).min_by(|&a, &b| play[a].total_cmp(&play[b]));
            rewards[least.unwrap_or(0)] = 1.0;
        } else {
            rewards[round * k / rounds] = 1.0;
        }
        account.record(&play, &rewards)?;
        learner.observe(&rewards)?;
    }
    Ok(account)
}

/// Average regrets over actions made of `factors` choices between two options, $2^n$ in all, against rewards that pay the less likely option of each factor.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ManyActions {
    /// Number of factors.
    pub factors: usize,
    /// Average regrets of [`SampledModifications`].
    pub sampled: Regrets,
    /// Its calls of the oracle.
    pub oracle_calls: usize,
    /// Average regrets of [`BlumMansour`], where actions are few enough to be listed.
    pub blum_mansour: Option<Regrets>,
}

/// Most factors with which actions are listed.
const LISTED: usize = 6;

/// Plays `rounds` rounds with `factors` choices between two options.
///
/// # Errors
/// [`GamesError`] of [`ProductActions`] and of the learners.
pub fn many_actions(
    factors: usize,
    rounds: usize,
    rng: impl Rng,
) -> Result<ManyActions, GamesError> {
    let oracle = ProductActions::new(&vec![2; factors])?;
    let mut sampled = SampledModifications::new(oracle.clone(), rounds, rounds, rng)?;
    for _ in 0..rounds {
        let rewards = less_likely(&oracle, sampled.play()?, factors);
        sampled.observe(&rewards)?;
    }
    let listed = if factors <= LISTED {
        Some(listed(&oracle, factors, rounds)?)
    } else {
        None
    };
    Ok(ManyActions {
        factors,
        sampled: sampled.regrets().average(),
        oracle_calls: sampled.oracle_calls(),
        blum_mansour: listed,
    })
}

/// The same by Blum and Mansour's learner over the listed actions.
fn listed(oracle: &ProductActions, factors: usize, rounds: usize) -> Result<Regrets, GamesError> {
    let size = 1usize << factors;
    let mut learner = BlumMansour::tuned(size, rounds)?;
    let mut account = RegretAccount::new(size)?;
    for _ in 0..rounds {
        let play = learner.play().to_vec();
        let sparse: Vec<(u64, f64)> = (0..).zip(play.iter().copied()).collect();
        let options = less_likely(oracle, &sparse, factors);
        let rewards: Vec<f64> = sparse
            .iter()
            .map(|(action, _)| oracle.reward(&options, *action))
            .collect();
        account.record(&play, &rewards)?;
        learner.observe(&rewards)?;
    }
    Ok(account.regrets().average())
}

/// Rewards that pay the less likely option of each factor.
fn less_likely(oracle: &ProductActions, play: &[(u64, f64)], factors: usize) -> Vec<f64> {
    let mut second = vec![0.0; factors];
    for &(action, q) in play {
        for (s, option) in second.iter_mut().zip(oracle.options(action)) {
            if option == 1 {
                *s += q;
            }
        }
    }
    let share = 1.0 / crate::error::real(factors);
    second
        .into_iter()
        .flat_map(|s| if s <= 0.5 { [0.0, share] } else { [share, 0.0] })
        .collect()
}
