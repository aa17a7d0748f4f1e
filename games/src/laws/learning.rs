//! What a learner owes.

use proptest::test_runner::TestCaseError;
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::Adversary;
use crate::repeated::{Learner, RegretAccount};

/// A kind of regret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Regret {
    /// Against the best fixed action.
    External,
    /// Against the best replacement of one action by another.
    Internal,
    /// Against the best replacement of every action.
    Swap,
}

impl Regret {
    fn of(self, account: &RegretAccount) -> f64 {
        match self {
            Regret::External => account.external(),
            Regret::Internal => account.internal(),
            Regret::Swap => account.swap(),
        }
    }
}

/// Against this adversary the regret stays at or below `bound(rounds)` after 1, 2, 4, ... rounds and after the last.
///
/// A learner with linear regret fails for any bound that grows more slowly, once there are rounds enough: a hundred times the number of actions will
/// do for a bound of $\sqrt{T \ln K}$.
///
/// # Errors
/// [`TestCaseError`] with the round, the regret and the bound; what the learner itself refuses.
pub fn regret_within_bound<L: Learner + ?Sized>(
    learner: &mut L,
    regret: Regret,
    bound: impl Fn(usize) -> f64,
    adversary: Adversary,
    rounds: usize,
    seed: u64,
) -> Result<(), TestCaseError> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut account = RegretAccount::new(learner.actions())?;
    let mut rewards = vec![0.0; learner.actions()];
    for round in 0..rounds {
        let play = learner.play().to_vec();
        adversary.rewards(round, &play, &mut rng, &mut rewards);
        account.record(&play, &rewards)?;
        learner.observe(&rewards)?;
        let played = round + 1;
        if !played.is_power_of_two() && played < rounds {
            continue;
        }
        let (found, allowed) = (regret.of(&account), bound(played));
        if found.is_nan() || allowed.is_nan() || found > allowed + 1e-9 * (1.0 + allowed.abs()) {
            return Err(TestCaseError::fail(format!(
                "{regret:?} regret {found} above {allowed} after {played} rounds against {adversary:?}"
            )));
        }
    }
    Ok(())
}

/// For a hundred rounds: plays are distributions over the actions, asking again gives the same play, and rewards of the wrong number or that are
/// not finite are refused and leave the learner as it was.
///
/// # Errors
/// [`TestCaseError`] with the round and what was broken.
pub fn keeps_the_protocol<L: Learner + ?Sized>(
    learner: &mut L,
    adversary: Adversary,
    seed: u64,
) -> Result<(), TestCaseError> {
    let mut rng = StdRng::seed_from_u64(seed);
    let actions = learner.actions();
    let mut rewards = vec![0.0; actions];
    for round in 0..100 {
        let broken = |what: &str| Err(TestCaseError::fail(format!("round {round}: {what}")));
        let play = learner.play().to_vec();
        let total: f64 = play.iter().sum();
        if play.len() != actions {
            return broken(&format!(
                "{} probabilities of {actions} actions",
                play.len()
            ));
        }
        if play.iter().any(|p| !(-1e-12..=1.0 + 1e-9).contains(p)) || (total - 1.0).abs() > 1e-9 {
            return broken(&format!("{play:?} is no distribution"));
        }
        if learner.play() != play {
            return broken("asked again, it plays otherwise");
        }
        if learner.observe(&vec![0.0; actions + 1]).is_ok() {
            return broken(
                "`observe` takes a reward more than there are actions: it must refuse it, as `GamesError::Length`",
            );
        }
        let mut infinite = rewards.clone();
        infinite[round % actions] = f64::INFINITY;
        if learner.observe(&infinite).is_ok() {
            return broken(
                "`observe` takes an infinite reward: it must refuse it, as `GamesError::NotFinite`",
            );
        }
        if learner.play() != play {
            return broken("refused rewards have changed it");
        }
        adversary.rewards(round, &play, &mut rng, &mut rewards);
        learner.observe(&rewards)?;
    }
    Ok(())
}
