//! Posterior sampling in linear contexts.

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use super::disjoint::Disjoint;
use super::{Choice, Learner};
use crate::error::{Allowed, Result};

/// Thompson sampling in linear contexts: draws $\theta_k \sim N(\hat\theta_k, v^2 A_k^{-1})$ and takes the best action under the draws. Source: Agrawal and Goyal (2013).
///
/// Parameters of different actions are independent and each is used once, so what is drawn is the value itself:
/// $x^\top \theta_k \sim N(x^\top \hat\theta_k, v^2 x^\top A_k^{-1} x)$, the same law without a factorisation.
#[derive(Debug, Clone, PartialEq)]
pub struct LinTs {
    models: Disjoint,
    scale: f64,
}

impl LinTs {
    /// Returns a learner whose posterior has the scale $v$.
    ///
    /// # Errors
    /// As [`Disjoint::new`], and when the scale is negative or not finite.
    pub fn new(actions: usize, features: usize, scale: f64, penalty: f64) -> Result<Self> {
        let scale = Allowed::AtLeast(0.0).check("scale", scale)?;
        Ok(LinTs {
            models: Disjoint::new(actions, features, penalty)?,
            scale,
        })
    }
}

impl Learner for LinTs {
    fn models(&self) -> &Disjoint {
        &self.models
    }

    fn models_mut(&mut self) -> &mut Disjoint {
        &mut self.models
    }

    fn choose(&mut self, context: &[f64], rng: &mut dyn Rng) -> Result<Choice> {
        let scale = self.scale;
        let action = self.models.best_by(context, |guess| {
            let normal: f64 = StandardNormal.sample(&mut *rng);
            guess.mean + scale * guess.leverage.max(0.0).sqrt() * normal
        })?;
        Ok(Choice {
            action,
            propensity: None,
        })
    }
}
