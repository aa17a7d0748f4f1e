//! Optimism in linear contexts.

use super::disjoint::Disjoint;
use crate::error::{Allowed, Result};

/// LinUCB with one regression per action: takes the action of the largest $x^\top \hat\theta_k + \alpha \sqrt{x^\top A_k^{-1} x}$, the first where several are.
///
/// Source: Li, Chu, Langford and Schapire (2010), algorithm 1.
///
/// ```
/// use hindsight_bandit_eval::learn::LinUcb;
/// let mut learner = LinUcb::new(2, 1, 1.0, 1.0)?;
/// for _ in 0..50 {
///     let action = learner.choose(&[1.0])?;
///     learner.learn(action, if action == 1 { 1.0 } else { 0.2 })?;
/// }
/// assert_eq!(learner.choose(&[1.0])?, 1);
/// # Ok::<(), hindsight_bandit_eval::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct LinUcb {
    models: Disjoint,
    alpha: f64,
}

impl LinUcb {
    /// Returns a learner of so many actions on so many features; `alpha` is its optimism.
    ///
    /// # Errors
    /// As [`Disjoint::new`], and when `alpha` is negative or not finite.
    pub fn new(actions: usize, features: usize, alpha: f64, penalty: f64) -> Result<Self> {
        let alpha = Allowed::AtLeast(0.0).check("alpha", alpha)?;
        Ok(LinUcb {
            models: Disjoint::new(actions, features, penalty)?,
            alpha,
        })
    }

    /// Returns the action for a context.
    ///
    /// # Errors
    /// When the context has another length, or a number that is not finite.
    pub fn choose(&mut self, context: &[f64]) -> Result<usize> {
        let (alpha, mut best) = (self.alpha, (0, f64::NEG_INFINITY));
        self.models.guesses(context, |action, guess| {
            let bound = guess.mean + alpha * guess.leverage.max(0.0).sqrt();
            if bound > best.1 {
                best = (action, bound);
            }
        })?;
        Ok(best.0)
    }

    /// Learns what an action earned in the context that [`LinUcb::choose`] saw last.
    ///
    /// # Errors
    /// When there is no such action, or the reward is not finite.
    pub fn learn(&mut self, action: usize, reward: f64) -> Result<()> {
        self.models.coefficients(action)?;
        if !reward.is_finite() {
            return Err(crate::Error::Reward {
                round: 0,
                value: reward,
            });
        }
        self.models.update(action, reward);
        Ok(())
    }

    /// The regressions.
    #[must_use]
    pub fn models(&self) -> &Disjoint {
        &self.models
    }
}
