//! What a learner is: a mixed play for the coming round, then the rewards of all actions.

use crate::error::{Argument, GamesError, length};

/// A learner with full information: it plays a distribution and then sees the reward of every action.
///
/// Bounds are stated for rewards in $\[0,1\]$; other finite rewards are taken and scale the bounds.
pub trait Learner {
    /// Number of actions.
    fn actions(&self) -> usize;

    /// The distribution to play in the coming round. Calling it again before [`Learner::observe`] returns the same distribution.
    fn play(&mut self) -> &[f64];

    /// Takes the rewards of the round, one an action.
    ///
    /// # Errors
    /// [`GamesError::Length`] or [`GamesError::NotFinite`]; the learner is unchanged then.
    fn observe(&mut self, rewards: &[f64]) -> Result<(), GamesError>;
}

impl<L: Learner + ?Sized> Learner for Box<L> {
    fn actions(&self) -> usize {
        (**self).actions()
    }
    fn play(&mut self) -> &[f64] {
        (**self).play()
    }
    fn observe(&mut self, rewards: &[f64]) -> Result<(), GamesError> {
        (**self).observe(rewards)
    }
}

/// Checks a reward vector.
pub(crate) fn check_rewards(actions: usize, rewards: &[f64]) -> Result<(), GamesError> {
    length(Argument::Rewards, actions, rewards.len())?;
    // No branch an entry: the compiler can keep this in vector registers.
    if !rewards.iter().fold(true, |all, r| all & r.is_finite()) {
        let value = rewards
            .iter()
            .copied()
            .find(|r| !r.is_finite())
            .unwrap_or(f64::NAN);
        return Err(GamesError::NotFinite {
            argument: Argument::Rewards,
            value,
        });
    }
    Ok(())
}

/// `actions` when there is at least one.
pub(crate) fn check_actions(actions: usize) -> Result<usize, GamesError> {
    if actions == 0 {
        Err(GamesError::Empty {
            argument: Argument::Actions,
        })
    } else {
        Ok(actions)
    }
}

/// `rounds` when there is at least one.
pub(crate) fn check_horizon(rounds: usize) -> Result<usize, GamesError> {
    if rounds == 0 {
        Err(GamesError::Empty {
            argument: Argument::Horizon,
        })
    } else {
        Ok(rounds)
    }
}

/// Opponents for the learners' tests: each gives a reward vector in $\[0,1\]$ that may depend on the play.
#[cfg(test)]
pub(crate) mod opponents {
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64;

    #[derive(Debug, Clone, Copy)]
    pub(crate) enum Opponent {
        /// Independent uniform rewards.
        Noise,
        /// 1 for the action with the least probability, 0 otherwise.
        Contrarian,
        /// A good action that changes every so often.
        Drift,
        /// Alternates between two actions.
        Flip,
    }

    pub(crate) const ALL: [Opponent; 4] = [
        Opponent::Noise,
        Opponent::Contrarian,
        Opponent::Drift,
        Opponent::Flip,
    ];

    pub(crate) fn rng(seed: u64) -> Pcg64 {
        Pcg64::seed_from_u64(seed)
    }

    pub(crate) fn rewards(
        kind: Opponent,
        t: usize,
        play: &[f64],
        rng: &mut Pcg64,
        out: &mut [f64],
    ) {
        let k = out.len();
        match kind {
            Opponent::Noise => out.iter_mut().for_each(|r| *r = rng.random()),
            Opponent::Contrarian => {
                let least = (0..k).min_by(|&a, &b| play[a].total_cmp(&play[b])).unwrap();
                out.fill(0.0);
                out[least] = 1.0;
            }
            Opponent::Drift => {
                for (a, r) in out.iter_mut().enumerate() {
                    *r = if a == t / 50 % k {
                        0.9
                    } else {
                        0.5 * rng.random::<f64>()
                    };
                }
            }
            Opponent::Flip => {
                out.fill(0.0);
                out[t % 2 % k] = 1.0;
            }
        }
    }
}
