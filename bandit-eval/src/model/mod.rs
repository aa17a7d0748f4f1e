//! Reward models, and predictions of rounds that a model has not seen.
//!
//! [`cross_fit`] predicts every round by models fitted without it, as the estimators ask for: a model that is judged on the rounds it was
//! fitted to makes errors look smaller than they are.

mod cross;
mod gram;
mod isotonic;
mod logistic;
mod ridge;

pub(crate) use cross::ByAction;
pub use cross::{Folds, LoggedFeatures, cross_fit, mrdr_weight};
pub use isotonic::{Isotonic, IsotonicModel};
pub use logistic::{Logistic, LogisticModel};
pub use ridge::{Linear, Ridge};

use crate::error::{Error, Result, check_finite, check_len};

/// Rows of features, one after another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Features<'a> {
    columns: usize,
    values: &'a [f64],
}

impl<'a> Features<'a> {
    /// Returns rows of so many numbers.
    ///
    /// # Errors
    /// When there is no column, the numbers do not fill whole rows, or one is not finite.
    pub fn new(columns: usize, values: &'a [f64]) -> Result<Self> {
        if columns == 0 {
            return Err(Error::TooFew {
                what: "the number of features",
                needed: 1,
                found: 0,
            });
        }
        check_len(
            "features",
            values.len().next_multiple_of(columns),
            values.len(),
        )?;
        check_finite("features", values)?;
        Ok(Features { columns, values })
    }

    /// The number of features.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.values.len() / self.columns
    }

    pub(crate) fn values(&self) -> &'a [f64] {
        self.values
    }

    pub(crate) fn row(&self, row: usize) -> &'a [f64] {
        &self.values[row * self.columns..][..self.columns]
    }

    /// The features of some rows, in their order.
    pub(crate) fn gather(&self, rows: &[usize]) -> Vec<f64> {
        rows.iter().flat_map(|r| self.row(*r)).copied().collect()
    }
}

/// A way to fit a reward model.
pub trait Regressor {
    /// What is fitted.
    type Model: Model;

    /// Returns the model of these rewards; each row counts as much as its weight says, or as one.
    ///
    /// # Errors
    /// When lengths differ, a number is not finite, a weight is negative, or the fit fails.
    fn fit(
        &self,
        features: Features<'_>,
        rewards: &[f64],
        weights: Option<&[f64]>,
    ) -> Result<Self::Model>;
}

/// A fitted reward model.
pub trait Model {
    /// Returns the predicted reward of a row of features, as many as it was fitted to.
    fn predict(&self, features: &[f64]) -> f64;
}

fn check(features: Features<'_>, rewards: &[f64], weights: Option<&[f64]>) -> Result<()> {
    check_len("rewards", features.rows(), rewards.len())?;
    check_finite("rewards", rewards)?;
    if let Some(weights) = weights {
        check_len("weights", features.rows(), weights.len())?;
        if let Some(index) = weights.iter().position(|w| !(*w >= 0.0 && w.is_finite())) {
            return Err(Error::Value {
                what: "weights",
                index,
                value: weights[index],
                min: 0.0,
                max: f64::MAX,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
