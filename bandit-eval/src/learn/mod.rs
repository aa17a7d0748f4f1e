//! Policies that learn while they act: which action to take in a context, from rewards of the actions taken.
//!
//! | type | how it explores |
//! |---|---|
//! | [`LinUcb`] | optimism: the estimate plus a multiple of its standard error. It does not randomise: its log has propensities of 1 |
//! | [`LinTs`] | draws parameters from their posterior. Its propensities have no closed form |
//! | [`EpsilonGreedy`] | the best with probability $1 - \varepsilon$, any by lot otherwise |
//! | [`SquareCb`] | probabilities that fall with the gap to the best |
//!
//! All are a [`Learner`]: one ridge regression per action, [`Disjoint`], updated in $d^2$ operations a round, and a rule of choice.
//!
//! A [`History`] holds logged rounds with their contexts. [`History::replay`] says what a learner would have earned had it acted there itself,
//! [`History::improvement`] how much more than the logging policy a learnt policy earns, with a lower bound, on rounds that it has not seen.
//! [`History::policy`] learns from all rounds of a log at once: the action of the largest doubly robust score. [`Contest`] does it all for several
//! learners on one log.

mod contest;
mod disjoint;
mod epsilon_greedy;
mod history;
mod improvement;
mod lin_ts;
mod lin_ucb;
mod replay;
mod square_cb;

pub use contest::{Contest, Exploration, Learnt, Standing};
pub use disjoint::Disjoint;
pub use epsilon_greedy::EpsilonGreedy;
pub use history::History;
pub use improvement::Improvement;
pub use lin_ts::LinTs;
pub use lin_ucb::LinUcb;
pub use replay::{Replayed, Stage};
pub use square_cb::SquareCb;

use std::fmt::Debug;

use rand::{Rng, RngExt};

use crate::error::{Result, check_finite, check_len};

/// A policy that learns while it acts, by one regression per action.
///
/// ```
/// use hindsight_bandit_eval::learn::{EpsilonGreedy, Learner, LinUcb};
/// use rand::SeedableRng;
/// let mut rng = rand_pcg::Pcg64::seed_from_u64(1);
/// let learners: [Box<dyn Learner>; 2] = [
///     Box::new(LinUcb::new(2, 1, 1.0, 1.0)?),
///     Box::new(EpsilonGreedy::new(2, 1, 0.1, 1.0)?),
/// ];
/// for mut learner in learners {
///     for _ in 0..50 {
///         let choice = learner.choose(&[1.0], &mut rng)?;
///         learner.learn(&[1.0], choice.action, if choice.action == 1 { 1.0 } else { 0.2 })?;
///     }
///     assert_eq!(learner.best(&[1.0])?, 1);
/// }
/// # Ok::<(), hindsight_bandit_eval::Error>(())
/// ```
pub trait Learner: Debug {
    /// Its regressions.
    fn models(&self) -> &Disjoint;

    /// Its regressions, to be updated.
    fn models_mut(&mut self) -> &mut Disjoint;

    /// Returns the action for a context, by lot where the learner randomises.
    ///
    /// # Errors
    /// When the context has another length, or a number that is not finite.
    fn choose(&mut self, context: &[f64], rng: &mut dyn Rng) -> Result<Choice>;

    /// Learns what an action earned in a context, whoever took it.
    ///
    /// # Errors
    /// As [`Disjoint::learn`].
    fn learn(&mut self, context: &[f64], action: usize, reward: f64) -> Result<()> {
        self.models_mut().learn(context, action, reward)
    }

    /// Returns the best action by what was learnt so far, without exploration.
    ///
    /// # Errors
    /// As [`Learner::choose`].
    fn best(&mut self, context: &[f64]) -> Result<usize> {
        self.models_mut()
            .means(context)
            .map(|means| largest(&means))
    }
}

/// An action that was chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    /// The action.
    pub action: usize,
    /// The probability with which it was chosen, for the log; `None` where it has no closed form.
    pub propensity: Option<f64>,
}

impl Choice {
    /// An action by lot.
    fn draw(probabilities: &[f64], rng: &mut dyn Rng) -> Self {
        let mut u: f64 = rng.random();
        let drawn = probabilities.iter().position(|p| {
            u -= p;
            u < 0.0
        });
        // Rounding may leave a little beyond the last.
        let action = drawn
            .or_else(|| probabilities.iter().rposition(|p| *p > 0.0))
            .unwrap_or(0);
        Choice {
            action,
            propensity: Some(probabilities[action]),
        }
    }
}

/// The first of the largest numbers.
fn largest(values: &[f64]) -> usize {
    let mut best = 0;
    for (place, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = place;
        }
    }
    best
}

#[allow(clippy::cast_precision_loss, reason = "a number of rounds")]
fn count(n: usize) -> f64 {
    n as f64
}

fn check_context(expected: usize, context: &[f64]) -> Result<()> {
    check_len("the context", expected, context.len())?;
    check_finite("context", context)
}

#[cfg(test)]
mod tests;
