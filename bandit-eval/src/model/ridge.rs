//! Least squares with a penalty.

use super::gram::{normal_equations, solve};
use super::{Features, Model, Regressor, check};
use crate::error::{Allowed, Result};

/// Ridge regression: minimises $\sum_i w_i (y_i - b - x_i^\top \beta)^2 + \lambda \lVert \beta \rVert^2$; the intercept $b$ is not penalised.
///
/// ```
/// use hindsight_bandit_eval::model::{Features, Regressor, Model, Ridge};
/// let features = Features::new(1, &[0.0, 1.0, 2.0, 3.0])?;
/// let model = Ridge::new(1e-9)?.fit(features, &[1.0, 3.0, 5.0, 7.0], None)?;
/// assert!((model.predict(&[10.0]) - 21.0).abs() < 1e-6);
/// # Ok::<(), hindsight_bandit_eval::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ridge {
    penalty: f64,
    intercept: bool,
}

impl Ridge {
    /// Returns ridge regression with a penalty $\lambda$.
    ///
    /// # Errors
    /// When the penalty is negative or not finite.
    pub fn new(penalty: f64) -> Result<Self> {
        Ok(Ridge {
            penalty: Allowed::AtLeast(0.0).check("penalty", penalty)?,
            intercept: true,
        })
    }

    /// The same without an intercept.
    #[must_use]
    pub fn through_origin(self) -> Self {
        Ridge {
            intercept: false,
            ..self
        }
    }
}

/// A linear reward model.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Linear {
    /// The intercept; 0 without one.
    pub intercept: f64,
    /// One coefficient per feature.
    pub coefficients: Vec<f64>,
}

impl Regressor for Ridge {
    type Model = Linear;

    fn fit(
        &self,
        features: Features<'_>,
        rewards: &[f64],
        weights: Option<&[f64]>,
    ) -> Result<Linear> {
        check(features, rewards, weights)?;
        let (gram, right) = normal_equations(features, rewards, weights, self.intercept);
        let solution = solve(gram, &right, self.penalty, self.intercept)?;
        let (intercept, coefficients) = solution.as_slice().split_at(usize::from(self.intercept));
        Ok(Linear {
            intercept: intercept.first().copied().unwrap_or(0.0),
            coefficients: coefficients.to_vec(),
        })
    }
}

impl Model for Linear {
    fn predict(&self, features: &[f64]) -> f64 {
        let products = self.coefficients.iter().zip(features).map(|(b, x)| b * x);
        self.intercept + products.sum::<f64>()
    }
}
