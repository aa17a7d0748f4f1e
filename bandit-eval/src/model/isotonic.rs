//! Isotonic regression on one feature: a score that somebody else's model gave.

use super::{Features, Model, Regressor, check};
use crate::error::{Error, Result};

/// Isotonic regression of the reward on the only feature, by pooling adjacent violators: the non-decreasing function of least weighted squares.
///
/// ```
/// use hindsight_bandit_eval::model::{Features, Isotonic, Regressor, Model};
/// let features = Features::new(1, &[1.0, 2.0, 3.0, 4.0])?;
/// let model = Isotonic.fit(features, &[0.0, 2.0, 1.0, 3.0], None)?;
/// assert_eq!([0.0, 2.5, 9.0].map(|x| model.predict(&[x])), [0.0, 1.5, 3.0]);
/// # Ok::<(), hindsight_bandit_eval::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Isotonic;

/// A step function: constant from each edge to the next, and as at the ends beyond them.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct IsotonicModel {
    edges: Vec<f64>,
    values: Vec<f64>,
}

impl Regressor for Isotonic {
    type Model = IsotonicModel;

    fn fit(
        &self,
        features: Features<'_>,
        rewards: &[f64],
        weights: Option<&[f64]>,
    ) -> Result<IsotonicModel> {
        check(features, rewards, weights)?;
        crate::error::check_len("features of isotonic regression", 1, features.columns())?;
        let mut order: Vec<usize> = (0..rewards.len()).collect();
        order.sort_by(|a, b| features.row(*a)[0].total_cmp(&features.row(*b)[0]));
        // First score, sum of weighted rewards, sum of weights: of equal scores, then of pools.
        let mut scores: Vec<(f64, f64, f64)> = Vec::new();
        for i in order {
            let (score, weight) = (features.row(i)[0], weights.map_or(1.0, |w| w[i]));
            let more = (weight * rewards[i], weight);
            match scores.last_mut() {
                Some(last) if last.0.total_cmp(&score).is_eq() => {
                    (last.1, last.2) = (last.1 + more.0, last.2 + more.1);
                }
                _ => scores.push((score, more.0, more.1)),
            }
        }
        let mut pools: Vec<(f64, f64, f64)> = Vec::new();
        for mut pool in scores {
            while let Some(&(first, sum, total)) = pools.last()
                && pool.2 > 0.0
                && (total == 0.0 || sum * pool.2 >= pool.1 * total)
            {
                pool = (first, pool.1 + sum, pool.2 + total);
                pools.pop();
            }
            pools.push(pool);
        }
        pools.retain(|p| p.2 > 0.0);
        if pools.is_empty() {
            return Err(Error::TooFew {
                what: "the number of rows of positive weight",
                needed: 1,
                found: 0,
            });
        }
        Ok(IsotonicModel {
            edges: pools.iter().map(|p| p.0).collect(),
            values: pools.iter().map(|p| p.1 / p.2).collect(),
        })
    }
}

impl Model for IsotonicModel {
    fn predict(&self, features: &[f64]) -> f64 {
        let score = features.first().copied().unwrap_or(f64::NAN);
        let after = self.edges.partition_point(|edge| *edge <= score);
        self.values[after.saturating_sub(1)]
    }
}
