//! The best, and any by lot now and then.

use rand::Rng;

use super::disjoint::Disjoint;
use super::{Choice, Learner, largest};
use crate::error::{Allowed, Result};

/// The best action by the regressions with probability $1 - \varepsilon$, any by lot otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct EpsilonGreedy {
    models: Disjoint,
    epsilon: f64,
}

impl EpsilonGreedy {
    /// Returns a learner.
    ///
    /// # Errors
    /// As [`Disjoint::new`], and when `epsilon` is outside [0, 1].
    pub fn new(actions: usize, features: usize, epsilon: f64, penalty: f64) -> Result<Self> {
        let epsilon = Allowed::Within(0.0, 1.0).check("epsilon", epsilon)?;
        Ok(EpsilonGreedy {
            models: Disjoint::new(actions, features, penalty)?,
            epsilon,
        })
    }

    /// Returns the probabilities of all actions in a context.
    ///
    /// # Errors
    /// When the context has another length, or a number that is not finite.
    pub fn probabilities(&mut self, context: &[f64]) -> Result<Vec<f64>> {
        let means = self.models.means(context)?;
        #[allow(clippy::cast_precision_loss, reason = "a number of actions")]
        let mut row = vec![self.epsilon / means.len() as f64; means.len()];
        row[largest(&means)] += 1.0 - self.epsilon;
        Ok(row)
    }
}

impl Learner for EpsilonGreedy {
    fn models(&self) -> &Disjoint {
        &self.models
    }

    fn models_mut(&mut self) -> &mut Disjoint {
        &mut self.models
    }

    fn choose(&mut self, context: &[f64], rng: &mut dyn Rng) -> Result<Choice> {
        Ok(Choice::draw(&self.probabilities(context)?, rng))
    }
}
