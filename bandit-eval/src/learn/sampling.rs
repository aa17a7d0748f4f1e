//! Learners that randomise.

use nalgebra::{Cholesky, DMatrix, DVector};
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};

use super::disjoint::Disjoint;
use crate::error::{Allowed, Error, Result};

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
        let means = means(&mut self.models, context)?;
        #[allow(clippy::cast_precision_loss, reason = "a number of actions")]
        let mut row = vec![self.epsilon / means.len() as f64; means.len()];
        row[best(&means)] += 1.0 - self.epsilon;
        Ok(row)
    }

    /// Returns an action by lot, and its propensity for the log.
    ///
    /// # Errors
    /// As for the probabilities.
    pub fn choose<R: Rng + ?Sized>(
        &mut self,
        context: &[f64],
        rng: &mut R,
    ) -> Result<(usize, f64)> {
        Ok(draw(&self.probabilities(context)?, rng))
    }

    /// Learns what an action earned.
    ///
    /// # Errors
    /// As [`Disjoint::learn`].
    pub fn learn(&mut self, context: &[f64], action: usize, reward: f64) -> Result<()> {
        self.models.learn(context, action, reward)
    }
}

/// Probabilities $1 / (K + \gamma (\hat r_{\text{best}} - \hat r_k))$ of the actions that are not the best, and the rest for the best. Source: Foster and Rakhlin
/// (2020), "SquareCB".
///
/// ```
/// use hindsight_bandit_eval::learn::SquareCb;
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
        let means = means(&mut self.models, context)?;
        let first = best(&means);
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

    /// Returns an action by lot, and its propensity for the log.
    ///
    /// # Errors
    /// As for the probabilities.
    pub fn choose<R: Rng + ?Sized>(
        &mut self,
        context: &[f64],
        rng: &mut R,
    ) -> Result<(usize, f64)> {
        Ok(draw(&self.probabilities(context)?, rng))
    }

    /// Learns what an action earned.
    ///
    /// # Errors
    /// As [`Disjoint::learn`].
    pub fn learn(&mut self, context: &[f64], action: usize, reward: f64) -> Result<()> {
        self.models.learn(context, action, reward)
    }
}

/// Thompson sampling in linear contexts: draws $\theta_k \sim N(\hat\theta_k, v^2 A_k^{-1})$ and takes the best action under the draws. Source: Agrawal and Goyal (2013).
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

    /// Returns the action for a context, by lot.
    ///
    /// # Errors
    /// When the context has another length, or a number that is not finite, or a posterior is singular in floating point.
    pub fn choose<R: Rng + ?Sized>(&mut self, context: &[f64], rng: &mut R) -> Result<usize> {
        super::check_context(self.models.features(), context)?;
        let x = DVector::from_column_slice(context);
        let mut best = (0, f64::NEG_INFINITY);
        for action in 0..self.models.actions() {
            let size = self.models.features();
            let entries: Vec<f64> = self.models.inverse(action).flatten().copied().collect();
            // Rounding makes it a little unsymmetric; the factorisation reads one triangle.
            let covariance = DMatrix::from_row_slice(size, size, &entries);
            let factor = Cholesky::new(covariance).ok_or(Error::Singular)?;
            let normal = DVector::from_fn(size, |_, _| StandardNormal.sample(rng));
            let noise = factor.l() * normal * self.scale;
            let theta = DVector::from_column_slice(self.models.coefficients(action)?);
            let value = (theta + noise).dot(&x);
            if value > best.1 {
                best = (action, value);
            }
        }
        Ok(best.0)
    }

    /// Learns what an action earned.
    ///
    /// # Errors
    /// As [`Disjoint::learn`].
    pub fn learn(&mut self, context: &[f64], action: usize, reward: f64) -> Result<()> {
        self.models.learn(context, action, reward)
    }
}

/// An action by lot, and its probability.
fn draw<R: Rng + ?Sized>(row: &[f64], rng: &mut R) -> (usize, f64) {
    let mut u: f64 = rng.random();
    let drawn = row.iter().position(|p| {
        u -= p;
        u < 0.0
    });
    // Rounding may leave a little beyond the last.
    let action = drawn
        .or_else(|| row.iter().rposition(|p| *p > 0.0))
        .unwrap_or(0);
    (action, row[action])
}

fn means(models: &mut Disjoint, context: &[f64]) -> Result<Vec<f64>> {
    let mut means = vec![0.0; models.actions()];
    models.guesses(context, |action, guess| means[action] = guess.mean)?;
    Ok(means)
}

fn best(means: &[f64]) -> usize {
    let mut best = 0;
    for (action, mean) in means.iter().enumerate() {
        if *mean > means[best] {
            best = action;
        }
    }
    best
}
