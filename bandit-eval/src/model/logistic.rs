//! Logistic regression with a penalty.

use super::gram::{normal_equations, solve};
use super::{Features, Linear, Model, Regressor, check};
use crate::error::{Allowed, Error, Result};

/// Logistic regression of rewards in [0, 1]: maximises the weighted log likelihood less $\frac{\lambda}{2} \lVert \beta \rVert^2$ by Newton's method, with
/// steps that are halved until the likelihood rises. The intercept is not penalised.
///
/// ```
/// use hindsight_bandit_eval::model::{Features, Regressor, Logistic, Model};
/// let features = Features::new(1, &[0.0, 0.0, 0.0, 1.0, 1.0, 1.0])?;
/// let model = Logistic::new(1e-6)?.fit(features, &[0.0, 0.0, 1.0, 0.0, 1.0, 1.0], None)?;
/// assert!((model.predict(&[1.0]) - 2.0 / 3.0).abs() < 1e-5);
/// # Ok::<(), hindsight_bandit_eval::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Logistic {
    penalty: f64,
}

const STEPS: usize = 100;

impl Logistic {
    /// Returns logistic regression with a penalty $\lambda$.
    ///
    /// # Errors
    /// When the penalty is not positive and finite: without one the optimum of separable data lies at infinity.
    pub fn new(penalty: f64) -> Result<Self> {
        Ok(Logistic {
            penalty: Allowed::Above(0.0).check("penalty", penalty)?,
        })
    }

    fn loss(
        &self,
        model: &Linear,
        features: Features<'_>,
        y: &[f64],
        weights: Option<&[f64]>,
    ) -> f64 {
        let squares: f64 = model.coefficients.iter().map(|b| b * b).sum();
        let rows = y.iter().enumerate().map(|(i, y)| {
            let z = model.predict(features.row(i));
            weights.map_or(1.0, |w| w[i]) * (z.max(0.0) - y * z + (-z.abs()).exp().ln_1p())
        });
        rows.sum::<f64>() + 0.5 * self.penalty * squares
    }
}

/// A logistic reward model.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LogisticModel {
    /// The log odds.
    pub log_odds: Linear,
}

impl Regressor for Logistic {
    type Model = LogisticModel;

    fn fit(
        &self,
        features: Features<'_>,
        rewards: &[f64],
        weights: Option<&[f64]>,
    ) -> Result<LogisticModel> {
        check(features, rewards, weights)?;
        if let Some(index) = rewards.iter().position(|y| !(0.0..=1.0).contains(y)) {
            return Err(Error::Value {
                what: "rewards",
                index,
                value: rewards[index],
                min: 0.0,
                max: 1.0,
            });
        }
        let total = weights.map_or_else(
            || rewards.iter().map(|_| 1.0).sum::<f64>(),
            |w| w.iter().sum(),
        );
        let hits: f64 = rewards
            .iter()
            .enumerate()
            .map(|(i, y)| y * weights.map_or(1.0, |w| w[i]))
            .sum();
        // One half of a success and of a failure beside: the start is finite, and so is the intercept where all rewards are alike.
        let share = (hits + 0.5) / (total + 1.0);
        let mut model = Linear {
            intercept: (share / (1.0 - share)).ln(),
            coefficients: vec![0.0; features.columns()],
        };
        if hits <= 0.0 || hits >= total {
            return Ok(LogisticModel { log_odds: model });
        }
        let mut loss = self.loss(&model, features, rewards, weights);
        for _ in 0..STEPS {
            let Some(next) = self.step(&model, loss, features, rewards, weights)? else {
                return Ok(LogisticModel { log_odds: model });
            };
            (model, loss) = next;
        }
        Err(Error::NotConverged {
            what: "logistic regression",
            steps: STEPS,
        })
    }
}

impl Logistic {
    /// A Newton step and the loss after it; `None` where none leads down any more.
    fn step(
        &self,
        model: &Linear,
        loss: f64,
        features: Features<'_>,
        y: &[f64],
        weights: Option<&[f64]>,
    ) -> Result<Option<(Linear, f64)>> {
        let (mut curvature, mut residual) =
            (Vec::with_capacity(y.len()), Vec::with_capacity(y.len()));
        for (i, y) in y.iter().enumerate() {
            let p = sigmoid(model.predict(features.row(i)));
            let weight = weights.map_or(1.0, |w| w[i]);
            let c = weight * (p * (1.0 - p)).max(1e-12);
            curvature.push(c);
            residual.push(weight * (y - p) / c.max(f64::MIN_POSITIVE));
        }
        let (gram, mut right) = normal_equations(features, &residual, Some(&curvature), true);
        for (r, b) in right.iter_mut().skip(1).zip(&model.coefficients) {
            *r -= self.penalty * b;
        }
        let step = solve(gram, &right, self.penalty, true)?;
        let decrease = step.dot(&right);
        let mut length = 1.0;
        while length > 1e-10 && decrease > 1e-12 * (1.0 + loss.abs()) {
            let mut next = model.clone();
            next.intercept += length * step[0];
            for (b, s) in next.coefficients.iter_mut().zip(step.iter().skip(1)) {
                *b += length * s;
            }
            let after = self.loss(&next, features, y, weights);
            if after < loss {
                return Ok(Some((next, after)));
            }
            length /= 2.0;
        }
        Ok(None)
    }
}

impl Model for LogisticModel {
    fn predict(&self, features: &[f64]) -> f64 {
        sigmoid(self.log_odds.predict(features))
    }
}

fn sigmoid(z: f64) -> f64 {
    if z >= 0.0 {
        1.0 / (1.0 + (-z).exp())
    } else {
        let e = z.exp();
        e / (1.0 + e)
    }
}
