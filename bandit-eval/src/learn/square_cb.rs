//! Probabilities by inverse gaps.

use rand::Rng;

use super::disjoint::Disjoint;
use super::{Choice, Learner, largest};
use crate::error::{Allowed, Result};

/// Probabilities $1 / (K + \gamma (\hat r_{\text{best}} - \hat r_k))$ of the actions that are not the best, and the rest for the best. Source: Foster and Rakhlin
/// (2020), "SquareCB".
///
/// ```
/// use hindsight_bandit_eval::learn::{Learner, SquareCb};
/// let mut learner = SquareCb::new(2, 1, 50.0, 1.0)?;
/// learner.learn(&[1.0], 0, 1.0)?; // half of it is believed
/// let row = learner.probabilities(&[1.0])?;
/// assert!((row[1] - 1.0 / 27.0).abs() < 1e-12 && (row[0] + row[1] - 1.0).abs() < 1e-12);
/// # Ok::<(), hindsight_bandit_eval::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SquareCb {
    models: Disjoint,
    gamma: f64,
}

impl SquareCb {
    /// Returns a learner; the larger `gamma`, the less it explores.
    ///
    /// # Errors
    /// As [`Disjoint::new`], and when `gamma` is not positive and finite.
    pub fn new(actions: usize, features: usize, gamma: f64, penalty: f64) -> Result<Self> {
        let gamma = Allowed::Above(0.0).check("gamma", gamma)?;
        Ok(SquareCb {
            models: Disjoint::new(actions, features, penalty)?,
            gamma,
        })
    }

    /// Returns the probabilities of all actions in a context.
    ///
    /// # Errors
    /// When the context has another length, or a number that is not finite.
    pub fn probabilities(&mut self, context: &[f64]) -> Result<Vec<f64>> {
        let means = self.models.means(context)?;
        let first = largest(&means);
        #[allow(clippy::cast_precision_loss, reason = "a number of actions")]
        let actions = means.len() as f64;
        let mut row: Vec<f64> = means
            .iter()
            .map(|m| 1.0 / (actions + self.gamma * (means[first] - m)))
            .collect();
        row[first] = 0.0;
        row[first] = 1.0 - row.iter().sum::<f64>();
        Ok(row)
    }
}

impl Learner for SquareCb {
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
