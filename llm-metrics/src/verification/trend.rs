//! How the relative gap moves with pre-training compute.

use crate::error::{Allowed, Error, Result, check_len};
use crate::stats::interval::Interval;
use crate::stats::regress::{Kendall, Ols, kendall};

/// The fit of a gap on the logarithm of compute within one family of models.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ScalingTrend {
    /// Least squares of the gap on log10 of FLOPs: intercept, slope per decade.
    pub fit: Ols,
    /// Student's t interval of the slope; `None` with two points.
    pub slope_interval: Option<Interval>,
    /// Rank correlation with its exact p-value: the evidence for monotony without a linear form.
    pub monotone: Kendall,
}

impl ScalingTrend {
    /// Returns the fitted gap at a compute of `flops`; NaN or infinite where that has no logarithm.
    #[must_use]
    pub fn at(&self, flops: f64) -> f64 {
        let c = &self.fit.coefficients;
        c[0].estimate + c[1].estimate * flops.log10()
    }
}

/// Returns training compute in FLOPs by the usual rule $6 N D$ for N parameters and D tokens.
#[must_use]
pub fn training_flops(parameters: f64, tokens: f64) -> f64 {
    6.0 * parameters * tokens
}

/// Returns the trend of `gap` in $\log_{10}$ of `flops` over the models of one family.
///
/// The paper finds the relative gap about linear in log pre-training FLOPs within a family, with slopes that differ by family; few
/// points make intervals wide, and this says how wide.
///
/// ```
/// use hindsight_llm_metrics::verification::scaling_trend;
/// let t = scaling_trend(&[1e21, 1e22, 1e23, 1e24], &[0.02, 0.11, 0.19, 0.32], 0.95)?;
/// assert!((t.fit.coefficients[1].estimate - 0.098).abs() < 1e-9);
/// assert!((t.at(1e23) - t.at(1e22) - 0.098).abs() < 1e-9);
/// # Ok::<(), hindsight_llm_metrics::Error>(())
/// ```
///
/// # Errors
/// [`Error::Length`], [`Error::Parameter`] for compute that is not positive or a level outside (0, 1), [`Error::TooFew`] below two models,
/// [`Error::Collinear`] if all have the same compute.
pub fn scaling_trend(flops: &[f64], gap: &[f64], level: f64) -> Result<ScalingTrend> {
    check_len("gap", flops.len(), gap.len())?;
    crate::error::check_level(level)?;
    if let Some(&value) = flops.iter().find(|f| !(**f > 0.0 && f.is_finite())) {
        return Err(Error::Parameter {
            name: "flops",
            value,
            allowed: Allowed::Above(0.0),
        });
    }
    let x: Vec<f64> = flops.iter().map(|f| f.log10()).collect();
    let fit = Ols::fit(&[&x], gap)?;
    let slope_interval = fit.interval(1, level).ok();
    Ok(ScalingTrend {
        monotone: kendall(&x, gap)?,
        fit,
        slope_interval,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_points_have_no_interval_and_the_interval_covers() {
        assert!(
            scaling_trend(&[1.0, 10.0], &[0.0, 1.0], 0.9)
                .unwrap()
                .slope_interval
                .is_none()
        );
        assert!(scaling_trend(&[1.0, 0.0], &[0.0, 1.0], 0.9).is_err());
        // Five models, slope 0.1, noise about 0.03: a 90 % interval covers in 400 repetitions within four standard errors (0.06).
        let flops = [1e20, 1e21, 1e22, 1e23, 1e24];
        let hits = (0..400u64)
            .filter(|&s| {
                let gap: Vec<f64> = (0..5u64)
                    .map(|i| {
                        let noise: f64 = (0..12)
                            .map(|k| crate::testing::uniform(s, i, k))
                            .sum::<f64>()
                            - 6.0;
                        0.1 * i as f64 + 0.03 * noise
                    })
                    .collect();
                scaling_trend(&flops, &gap, 0.9)
                    .unwrap()
                    .slope_interval
                    .unwrap()
                    .contains(0.1)
            })
            .count();
        assert!((hits as f64 / 400.0 - 0.9).abs() < 0.06, "{hits}");
        assert_eq!(training_flops(7e9, 2e12), 8.4e22);
    }
}
