//! The protocol of learners: [`Learner::play`] shows the play of the coming round, [`Learner::observe`] takes what is told of it.
//!
//! Two variants differ in what is told or shown: a [`BanditLearner`] is told the reward of one action, an [`OracleLearner`] has too many actions to list and
//! shows its play in a form of its own. [`FromBandit`] and [`FromOracle`] seat them where a [`Learner`] is asked for.

use rand::Rng;

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

/// A learner that is told the reward of the action that was drawn from its play, and no other.
///
/// Rewards lie in $\[0,1\]$.
pub trait BanditLearner {
    /// Number of actions.
    fn actions(&self) -> usize;

    /// The distribution from which the action of the coming round is to be drawn.
    fn play(&self) -> &[f64];

    /// Takes the reward of the action that was drawn.
    ///
    /// # Errors
    /// [`GamesError::NoSuchAction`]; [`GamesError::OutOfRange`] or [`GamesError::NotFinite`] for a reward outside $\[0,1\]$. The learner is unchanged then.
    fn observe(&mut self, action: usize, reward: f64) -> Result<(), GamesError>;
}

/// A learner whose actions are known to an oracle only: rewards are linear in a vector of the round.
pub trait OracleLearner {
    /// How a play is shown: an action as a vector, or the few actions with positive probability.
    type Play: ?Sized;

    /// Length of the reward vectors.
    fn dimension(&self) -> usize;

    /// The play of the coming round. Calling it again before [`OracleLearner::observe`] returns the same play.
    ///
    /// # Errors
    /// [`GamesError::NotConverged`] where a play is the solution of equations.
    fn play(&mut self) -> Result<&Self::Play, GamesError>;

    /// Takes the reward vector of the round.
    ///
    /// # Errors
    /// [`GamesError::Length`], [`GamesError::NotFinite`], [`GamesError::OutOfRange`] where rewards are bounded, and those of [`OracleLearner::play`].
    fn observe(&mut self, rewards: &[f64]) -> Result<(), GamesError>;

    /// Oracle calls made so far.
    fn oracle_calls(&self) -> usize;
}

/// A bandit learner seated as a [`Learner`]: each round an action is drawn, and of the rewards only that action's is passed on.
///
/// ```
/// use hindsight_games::repeated::{Exp3, FromBandit, Learner};
/// use rand::SeedableRng;
/// let mut seat = FromBandit::new(Exp3::implicit(3, 100)?, rand_pcg::Pcg64::seed_from_u64(1));
/// seat.observe(&[1.0, 0.0, 0.0])?;
/// assert_eq!(seat.play().len(), 3);
/// # Ok::<(), hindsight_games::GamesError>(())
/// ```
#[derive(Debug, Clone)]
pub struct FromBandit<B, R> {
    learner: B,
    rng: R,
}

impl<B: BanditLearner, R: Rng> FromBandit<B, R> {
    /// Seats `learner`, whose actions are drawn by `rng`.
    pub fn new(learner: B, rng: R) -> Self {
        Self { learner, rng }
    }
}

impl<B: BanditLearner, R: Rng> Learner for FromBandit<B, R> {
    fn actions(&self) -> usize {
        self.learner.actions()
    }
    fn play(&mut self) -> &[f64] {
        self.learner.play()
    }
    fn observe(&mut self, rewards: &[f64]) -> Result<(), GamesError> {
        check_rewards(self.learner.actions(), rewards)?;
        let action = super::draw(self.learner.play(), &mut self.rng);
        self.learner.observe(action, rewards[action])
    }
}

/// An oracle learner over single actions seated as a [`Learner`]: its action is a unit vector.
#[derive(Debug, Clone)]
pub struct FromOracle<L> {
    learner: L,
    play: Vec<f64>,
}

impl<L: OracleLearner<Play = [f64]>> FromOracle<L> {
    /// Seats `learner`.
    ///
    /// # Errors
    /// Those of its first play.
    pub fn new(mut learner: L) -> Result<Self, GamesError> {
        let play = learner.play()?.to_vec();
        Ok(Self { learner, play })
    }
}

impl<L: OracleLearner<Play = [f64]>> Learner for FromOracle<L> {
    fn actions(&self) -> usize {
        self.learner.dimension()
    }
    fn play(&mut self) -> &[f64] {
        &self.play
    }
    fn observe(&mut self, rewards: &[f64]) -> Result<(), GamesError> {
        self.learner.observe(rewards)?;
        self.play.copy_from_slice(self.learner.play()?);
        Ok(())
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
    use rand::SeedableRng;
    use rand_pcg::Pcg64;

    pub(crate) fn rng(seed: u64) -> Pcg64 {
        Pcg64::seed_from_u64(seed)
    }
}
