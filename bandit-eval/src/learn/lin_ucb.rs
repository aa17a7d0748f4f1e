//! Optimism in linear contexts.

use rand::Rng;

use super::disjoint::Disjoint;
use super::{Choice, Learner};
use crate::error::{Allowed, Result};

/// LinUCB with one regression per action: takes the action of the largest $x^\top \hat\theta_k + \alpha \sqrt{x^\top A_k^{-1} x}$, the first where several are.
///
/// Source: Li, Chu, Langford and Schapire (2010), algorithm 1.
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
}

impl Learner for LinUcb {
    fn models(&self) -> &Disjoint {
        &self.models
    }

    fn models_mut(&mut self) -> &mut Disjoint {
        &mut self.models
    }

    fn choose(&mut self, context: &[f64], _rng: &mut dyn Rng) -> Result<Choice> {
        let alpha = self.alpha;
        let action = self.models.best_by(context, |guess| {
            guess.mean + alpha * guess.leverage.max(0.0).sqrt()
        })?;
        Ok(Choice {
            action,
            propensity: Some(1.0),
        })
    }
}
