//! How far to shrink weights: two rules, neither to be trusted blindly, and the path that they saw.

use crate::error::{Error, Result};
use crate::estimator::Estimator;
use crate::evaluation::{Estimate, Evaluation};

/// How a parameter is chosen among estimators that shrink weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum TuningRule {
    /// Lepski's rule as SLOPE has it: of estimators from the least biased to the least variable, the last that agrees with all before
    /// it, $|\hat V_i - \hat V_j| \le c_i + (\sqrt 6 - 1)\thinspace c_j$ with half widths $c$ of 95 % intervals. Source: Su, Srinath and Krishnamurthy (2020).
    Slope,
    /// The least estimated mean squared error, $\hat V_j$'s squared standard error plus the square of its difference from the least shrunk estimate, of
    /// which the variance of that difference is taken off.
    MeanSquare,
}

/// One estimator on the path.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct TuningStep {
    /// The estimate.
    pub estimate: Estimate,
    /// What the rule looks at: for `Slope` half the width of the interval, for `MeanSquare` the estimated mean squared error.
    pub criterion: f64,
}

/// A choice, with the path that led to it.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Tuning {
    /// From the largest standard error to the least.
    pub path: Vec<TuningStep>,
    /// The chosen step.
    pub chosen: usize,
}

impl Evaluation {
    /// Chooses among estimators that this evaluation keeps, say `SwitchDr` at ten thresholds: see [`TuningRule`].
    ///
    /// The same data choose and estimate: the standard error of the chosen estimate does not know of the choice.
    ///
    /// ```
    /// use hindsight_bandit_eval::{Estimator, Evaluation, Weighted, tuning::TuningRule};
    /// let grid: Vec<Estimator> = [1.0, 4.0, 16.0, 64.0].map(Estimator::Clipped).to_vec();
    /// let mut evaluation = Evaluation::new(&grid)?;
    /// for i in 0..20_000 {
    ///     let weight = if i % 100 == 0 { 60.0 } else { 0.4 };
    ///     evaluation.push_weighted(&Weighted { weight, propensity: 0.01, reward: f64::from(i % 3), model: None })?;
    /// }
    /// let tuning = evaluation.tune(&grid, TuningRule::Slope)?;
    /// // Almost all is lost below 60: a clip there changes the answer.
    /// assert_eq!(tuning.path[tuning.chosen].estimate.estimator, Estimator::Clipped(64.0));
    /// # Ok::<(), hindsight_bandit_eval::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there is no candidate, or one is not kept.
    pub fn tune(&self, candidates: &[Estimator], rule: TuningRule) -> Result<Tuning> {
        let mut estimates = Vec::with_capacity(candidates.len());
        for candidate in candidates {
            estimates.push(self.raw(*candidate)?);
        }
        estimates.sort_by(|a, b| b.standard_error.total_cmp(&a.standard_error));
        let Some(first) = estimates.first().copied() else {
            return Err(Error::TooFew {
                what: "the number of candidates",
                needed: 1,
                found: 0,
            });
        };
        match rule {
            TuningRule::Slope => slope(estimates),
            TuningRule::MeanSquare => self.mean_square(estimates, first.estimator),
        }
    }

    fn mean_square(&self, estimates: Vec<Estimate>, least: Estimator) -> Result<Tuning> {
        let mut path = Vec::with_capacity(estimates.len());
        for estimate in estimates {
            let (bias, error) = self.difference(estimate.estimator, least);
            let criterion =
                estimate.standard_error.powi(2) + (bias * bias - error * error).max(0.0);
            path.push(TuningStep {
                estimate,
                criterion,
            });
        }
        let least = path
            .iter()
            .enumerate()
            .min_by(|a, b| a.1.criterion.total_cmp(&b.1.criterion));
        let chosen = least.map_or(0, |(i, _)| i);
        Ok(Tuning { path, chosen })
    }

    /// The difference of two estimates and its standard error.
    fn difference(&self, one: Estimator, other: Estimator) -> (f64, f64) {
        let all = self.settled();
        let (a, mut gradient) = one.linearise(&all.terms, &all.moments);
        let (b, slopes) = other.linearise(&all.terms, &all.moments);
        gradient.iter_mut().zip(slopes).for_each(|(g, s)| *g -= s);
        (
            a - b,
            (all.moments.variance(&gradient) / all.moments.count()).sqrt(),
        )
    }
}

fn slope(estimates: Vec<Estimate>) -> Result<Tuning> {
    let mut path = Vec::with_capacity(estimates.len());
    for estimate in estimates {
        let criterion = estimate.interval(0.95)?.width() / 2.0;
        path.push(TuningStep {
            estimate,
            criterion,
        });
    }
    let factor = 6.0_f64.sqrt() - 1.0;
    let agrees = |j: usize| {
        let last = &path[j];
        path[..j].iter().all(|step| {
            let apart = (step.estimate.value - last.estimate.value).abs();
            apart <= step.criterion + factor * last.criterion
        })
    };
    let chosen = (1..path.len())
        .take_while(|j| agrees(*j))
        .last()
        .unwrap_or(0);
    Ok(Tuning { path, chosen })
}
