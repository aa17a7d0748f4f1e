//! Intervals: for a proportion (Wilson, Clopper-Pearson), and from bootstrap replicates (percentile, basic, BCa).

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};
use statrs::function::beta::checked_beta_reg;

use crate::error::{Allowed, Error, Result, check_finite, check_level};

/// A confidence interval.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Interval {
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// Nominal coverage, e.g. 0.95.
    pub level: f64,
}

impl Interval {
    /// Returns whether `value` lies within, ends included.
    #[must_use]
    pub fn contains(&self, value: f64) -> bool {
        self.lower <= value && value <= self.upper
    }

    /// Returns the normal interval `estimate` $\pm\thinspace z_{(1+\text{level})/2}$ `standard_error`; NaN at both ends for a standard error of NaN (one
    /// observation).
    ///
    /// ```
    /// use hindsight_llm_metrics::stats::Interval;
    /// let i = Interval::normal(0.5, 0.1, 0.95)?;
    /// assert!((i.upper - 0.695_996).abs() < 1e-6);
    /// # Ok::<(), hindsight_llm_metrics::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Parameter`] for `level`.
    pub fn normal(estimate: f64, standard_error: f64, level: f64) -> Result<Self> {
        check_level(level)?;
        let half = normal_quantile(f64::midpoint(1.0, level)) * standard_error;
        Ok(Self {
            lower: estimate - half,
            upper: estimate + half,
            level,
        })
    }
}

/// Returns the standard normal quantile $\Phi^{-1}(p)$; infinite at 0 and 1.
pub(crate) fn normal_quantile(p: f64) -> f64 {
    if p <= 0.0 {
        f64::NEG_INFINITY
    } else if p >= 1.0 {
        f64::INFINITY
    } else {
        Normal::standard().inverse_cdf(p)
    }
}

pub(crate) fn normal_cdf(x: f64) -> f64 {
    Normal::standard().cdf(x)
}

/// Returns the quantile of Student's t; `None` unless the degrees of freedom are positive and p lies strictly between 0 and 1.
pub(crate) fn t_quantile(p: f64, dof: f64) -> Option<f64> {
    if !(dof > 0.0 && dof.is_finite() && p > 0.0 && p < 1.0) {
        return None;
    }
    // P(|T| > t) = I_x(dof / 2, 1/2) at x = dof / (dof + t^2).
    let x = beta_quantile(dof / 2.0, 0.5, 2.0 * p.min(1.0 - p));
    Some((dof * (1.0 - x) / x).sqrt().copysign(p - 0.5))
}

/// The quantile of the beta distribution by bisection: the library's own inversion does not always end in the far tails.
fn beta_quantile(a: f64, b: f64, p: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..200 {
        let mid = f64::midpoint(low, high);
        if high - low <= 1e-13 * high {
            break;
        }
        if checked_beta_reg(a, b, mid).is_ok_and(|v| v < p) {
            low = mid;
        } else {
            high = mid;
        }
    }
    f64::midpoint(low, high)
}

/// Returns the two-sided p-value of a t statistic, 0 where it is infinite; `None` for NaN, or unless the degrees of freedom are positive.
pub(crate) fn t_p_value(t: f64, dof: f64) -> Option<f64> {
    if t.is_nan() {
        return None;
    }
    // Beyond this the square overflows, and the distribution function with it.
    if t.abs() > 1e100 {
        return Some(0.0);
    }
    StudentsT::new(0.0, 1.0, dof)
        .ok()
        .map(|d| 2.0 * d.sf(t.abs()))
}

/// Returns Wilson's score interval for a proportion with `successes` of `n`:
/// $\frac{\hat p + z^2/2n \pm z\sqrt{\hat p(1-\hat p)/n + z^2/4n^2}}{1 + z^2/n}$.
///
/// It covers at about the nominal rate on average over the true proportion; [`clopper_pearson`] covers at no less than it anywhere.
///
/// ```
/// let i = hindsight_llm_metrics::stats::wilson(8, 10, 0.95)?;
/// assert!((i.lower - 0.4901625).abs() < 1e-6 && (i.upper - 0.9433178).abs() < 1e-6);
/// # Ok::<(), hindsight_llm_metrics::Error>(())
/// ```
///
/// # Errors
/// [`Error::Parameter`] if `n` is 0, `successes > n`, or `level` is outside (0, 1).
#[allow(clippy::cast_precision_loss)] // Counts below 2^53.
pub fn wilson(successes: u64, n: u64, level: f64) -> Result<Interval> {
    check_counts(successes, n)?;
    check_level(level)?;
    let z = normal_quantile(0.5 + level / 2.0);
    let (count, p) = (n as f64, successes as f64 / n as f64);
    let z2 = z * z / count;
    let centre = (p + z2 / 2.0) / (1.0 + z2);
    let half = z / (1.0 + z2) * (p * (1.0 - p) / count + z2 / (4.0 * count)).sqrt();
    let lower = if successes == 0 {
        0.0
    } else {
        (centre - half).max(0.0)
    };
    let upper = if successes == n {
        1.0
    } else {
        (centre + half).min(1.0)
    };
    Ok(Interval {
        lower,
        upper,
        level,
    })
}

/// Returns the Clopper-Pearson interval for a proportion with `successes` of `n`: the values that neither one-sided exact binomial
/// test rejects at $(1 - \text{level})/2$. It never covers at less than `level`.
///
/// ```
/// let i = hindsight_llm_metrics::stats::clopper_pearson(0, 10, 0.95)?;
/// assert!(i.lower == 0.0 && (i.upper - (1.0 - 0.025f64.powf(0.1))).abs() < 1e-9);
/// # Ok::<(), hindsight_llm_metrics::Error>(())
/// ```
///
/// # Errors
/// As [`wilson`].
#[allow(clippy::cast_precision_loss)] // Counts below 2^53.
pub fn clopper_pearson(successes: u64, n: u64, level: f64) -> Result<Interval> {
    check_counts(successes, n)?;
    check_level(level)?;
    let tail = (1.0 - level) / 2.0;
    let (k, m) = (successes as f64, n as f64);
    let lower = if successes == 0 {
        0.0
    } else {
        beta_quantile(k, m - k + 1.0, tail).min(k / m)
    };
    let upper = if successes == n {
        1.0
    } else {
        beta_quantile(k + 1.0, m - k, 1.0 - tail).max(k / m)
    };
    Ok(Interval {
        lower,
        upper,
        level,
    })
}

#[allow(clippy::cast_precision_loss)] // For the message alone.
fn check_counts(successes: u64, n: u64) -> Result<()> {
    if n == 0 {
        return Err(Error::Parameter {
            name: "n",
            value: 0.0,
            allowed: Allowed::AtLeast(1.0),
        });
    }
    if successes > n {
        return Err(Error::Parameter {
            name: "successes",
            value: successes as f64,
            allowed: Allowed::AtMost(n as f64),
        });
    }
    Ok(())
}

/// How an interval is read off bootstrap replicates.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum BootstrapInterval {
    /// Quantiles of the replicates. Sound for smooth, nearly unbiased estimates; wrong for a calibration error near zero.
    Percentile,
    /// The quantiles reflected at the estimate.
    Basic,
    /// Bias-corrected and accelerated; the acceleration is $\frac{\sum (\bar\theta - \theta_{(i)})^3}{6 (\sum (\bar\theta - \theta_{(i)})^2)^{3/2}}$
    /// of the leave-one-out estimates, see [`acceleration`].
    Bca {
        /// The acceleration.
        acceleration: f64,
    },
}

/// Returns the interval at `level` that `replicates` of an estimate give.
///
/// Quantiles are NumPy's default (linear interpolation). With all replicates on one side of `estimate`, BCa degenerates to the
/// extreme replicate.
///
/// ```
/// use hindsight_llm_metrics::stats::{BootstrapInterval, bootstrap_interval};
/// let replicates: Vec<f64> = (0..=100).map(f64::from).collect();
/// let i = bootstrap_interval(&replicates, 50.0, 0.9, BootstrapInterval::Percentile)?;
/// assert!((i.lower - 5.0).abs() < 1e-9 && (i.upper - 95.0).abs() < 1e-9);
/// # Ok::<(), hindsight_llm_metrics::Error>(())
/// ```
///
/// # Errors
/// [`Error::Empty`] or [`Error::NotFinite`] for `replicates`; [`Error::Parameter`] for `level`.
#[allow(clippy::cast_precision_loss)] // Counts of replicates.
pub fn bootstrap_interval(
    replicates: &[f64],
    estimate: f64,
    level: f64,
    kind: BootstrapInterval,
) -> Result<Interval> {
    check_finite("replicates", replicates)?;
    check_finite("estimate", &[estimate])?;
    check_level(level)?;
    let mut sorted = replicates.to_vec();
    sorted.sort_by(f64::total_cmp);
    let tail = (1.0 - level) / 2.0;
    let (lower, upper) = match kind {
        BootstrapInterval::Percentile => (
            quantile_sorted(&sorted, tail),
            quantile_sorted(&sorted, 1.0 - tail),
        ),
        BootstrapInterval::Basic => (
            2.0 * estimate - quantile_sorted(&sorted, 1.0 - tail),
            2.0 * estimate - quantile_sorted(&sorted, tail),
        ),
        BootstrapInterval::Bca { acceleration } => {
            let below = sorted.partition_point(|v| *v < estimate);
            let ties = sorted.partition_point(|v| *v <= estimate) - below;
            let z0 = normal_quantile((below as f64 + ties as f64 / 2.0) / sorted.len() as f64);
            let adjusted = |p: f64| {
                if z0.is_infinite() {
                    return if z0 > 0.0 { 1.0 } else { 0.0 };
                }
                let z = z0 + normal_quantile(p);
                normal_cdf(z0 + z / (1.0 - acceleration * z))
            };
            (
                quantile_sorted(&sorted, adjusted(tail)),
                quantile_sorted(&sorted, adjusted(1.0 - tail)),
            )
        }
    };
    Ok(Interval {
        lower,
        upper,
        level,
    })
}

/// Returns the bootstrap's standard error: the standard deviation of the replicates, with divisor one less than their number.
///
/// ```
/// use hindsight_llm_metrics::stats::bootstrap_standard_error;
/// assert_eq!(bootstrap_standard_error(&[1.0, 3.0])?, 2f64.sqrt());
/// # Ok::<(), hindsight_llm_metrics::Error>(())
/// ```
///
/// # Errors
/// [`Error::Empty`] or [`Error::NotFinite`] for `replicates`; [`Error::TooFew`] for a single one.
pub fn bootstrap_standard_error(replicates: &[f64]) -> Result<f64> {
    check_finite("replicates", replicates)?;
    if replicates.len() < 2 {
        return Err(Error::TooFew {
            what: "a standard error",
            needed: 2,
            found: 1,
        });
    }
    Ok(sample_sd(replicates))
}

/// Returns the acceleration for [`BootstrapInterval::Bca`] from leave-one-out estimates; 0 if they do not vary.
///
/// # Errors
/// [`Error::Empty`] or [`Error::NotFinite`] for `leave_one_out`.
pub fn acceleration(leave_one_out: &[f64]) -> Result<f64> {
    check_finite("leave_one_out", leave_one_out)?;
    let centre = mean(leave_one_out);
    let (mut cubes, mut squares) = (0.0, 0.0);
    for v in leave_one_out {
        let d = centre - v;
        cubes += d * d * d;
        squares += d * d;
    }
    Ok(if squares > 0.0 {
        cubes / (6.0 * squares.powf(1.5))
    } else {
        0.0
    })
}

/// The quantile of sorted values with linear interpolation, NumPy's default.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)] // 0 <= position < len.
pub(crate) fn quantile_sorted(sorted: &[f64], p: f64) -> f64 {
    let last = sorted.len() - 1;
    let position = p.clamp(0.0, 1.0) * last as f64;
    let low = position as usize;
    let high = (low + 1).min(last);
    sorted[low] + (position - low as f64) * (sorted[high] - sorted[low])
}

#[allow(clippy::cast_precision_loss)] // Counts below 2^53.
pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The sample standard deviation (divisor n - 1); NaN for fewer than two values.
#[allow(clippy::cast_precision_loss)] // Counts below 2^53.
pub(crate) fn sample_sd(values: &[f64]) -> f64 {
    let m = mean(values);
    (values.iter().map(|v| (v - m) * (v - m)).sum::<f64>() / (values.len() as f64 - 1.0)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Binomial tail P(X >= k), summed from logarithms of factorials.
    fn upper_tail(k: u64, n: u64, p: f64) -> f64 {
        let ln_fact = |m: u64| (1..=m).map(|i| (i as f64).ln()).sum::<f64>();
        (k..=n)
            .map(|i| {
                let c = ln_fact(n) - ln_fact(i) - ln_fact(n - i);
                (c + i as f64 * p.ln() + (n - i) as f64 * (1.0 - p).ln()).exp()
            })
            .sum()
    }

    proptest! {
        #[test]
        fn clopper_pearson_ends_solve_the_binomial_equations(n in 1u64..60, k in 0u64..60) {
            let k = k.min(n);
            let i = clopper_pearson(k, n, 0.9).unwrap();
            if k > 0 { prop_assert!((upper_tail(k, n, i.lower) - 0.05).abs() < 1e-6); }
            if k < n { prop_assert!((1.0 - upper_tail(k + 1, n, i.upper) - 0.05).abs() < 1e-6); }
        }

        #[test]
        fn wilson_ends_solve_the_score_equation(n in 1u64..500, k in 1u64..500) {
            prop_assume!(k < n);
            let i = wilson(k, n, 0.95).unwrap();
            let z = normal_quantile(0.975);
            for p in [i.lower, i.upper] {
                let score = (k as f64 / n as f64 - p) / (p * (1.0 - p) / n as f64).sqrt();
                prop_assert!((score.abs() - z).abs() < 1e-7);
            }
            prop_assert!(i.contains(k as f64 / n as f64));
        }

        #[test]
        fn bca_without_bias_or_acceleration_is_the_percentile(shift in -3.0f64..3.0) {
            let r: Vec<f64> = (-100..=100).map(|i| f64::from(i) + shift).collect();
            let a = bootstrap_interval(&r, shift, 0.9, BootstrapInterval::Bca { acceleration: 0.0 }).unwrap();
            let b = bootstrap_interval(&r, shift, 0.9, BootstrapInterval::Percentile).unwrap();
            prop_assert!((a.lower - b.lower).abs() < 1e-6 && (a.upper - b.upper).abs() < 1e-6);
        }
    }

    #[test]
    fn extreme_arguments_give_numbers_and_no_panic() {
        for n in [1u64, 2, 10, 1_000, 1_000_000] {
            for k in [0, 1, n / 3, n - 1, n] {
                for level in [1e-9, 0.5, 0.999_999, 1.0 - 1e-15] {
                    for i in [
                        wilson(k, n, level).unwrap(),
                        clopper_pearson(k, n, level).unwrap(),
                    ] {
                        assert!(
                            0.0 <= i.lower && i.lower <= i.upper && i.upper <= 1.0,
                            "{k} {n} {level} {i:?}"
                        );
                    }
                }
            }
        }
        assert_eq!(t_p_value(f64::INFINITY, 3.0), Some(0.0));
        assert_eq!(t_p_value(f64::NAN, 3.0), None);
        assert_eq!(t_p_value(1.0, 0.0), None);
        assert!(t_p_value(1e-300, 5.0).unwrap() > 0.99 && t_p_value(1e99, 1.0).unwrap() < 1e-90);
        assert!(
            t_quantile(1.0 - 1e-15, 1.0).unwrap() > 1e10 && t_quantile(0.975, 1e9).unwrap() < 2.0
        );
    }

    /// Tables of Student's t, to five decimals.
    #[test]
    fn quantiles_and_tails_of_t_are_those_of_the_tables() {
        for (p, dof, t) in [
            (0.975, 1.0, 12.706_20),
            (0.975, 2.0, 4.302_65),
            (0.975, 3.0, 3.182_45),
            (0.975, 10.0, 2.228_14),
            (0.975, 30.0, 2.042_27),
            (0.95, 5.0, 2.015_05),
            (0.995, 4.0, 4.604_09),
            (0.9, 7.0, 1.414_92),
            (0.995, 120.0, 2.617_42),
        ] {
            assert!((t_quantile(p, dof).unwrap() - t).abs() < 6e-6, "{p} {dof}");
            assert!(
                (t_quantile(1.0 - p, dof).unwrap() + t).abs() < 6e-6,
                "{p} {dof}"
            );
            assert!(
                (t_p_value(t, dof).unwrap() - 2.0 * (1.0 - p)).abs() < 2e-6,
                "{p} {dof}"
            );
        }
        assert!(
            (normal_quantile(0.975) - 1.959_964).abs() < 1e-6
                && (normal_cdf(1.644_853_627) - 0.95).abs() < 1e-9
        );
    }

    #[test]
    fn one_success_in_all_is_bounded_and_wrong_counts_fail() {
        assert!(wilson(3, 3, 0.95).unwrap().upper == 1.0);
        assert!(
            wilson(4, 3, 0.95).is_err()
                && wilson(0, 0, 0.95).is_err()
                && wilson(1, 2, 1.0).is_err()
        );
    }

    #[test]
    fn acceleration_of_a_symmetric_sample_vanishes() {
        assert!(acceleration(&[-1.0, 0.0, 1.0]).unwrap().abs() < 1e-15);
        assert!(acceleration(&[0.0, 0.0, 1.0]).unwrap() < 0.0);
    }
}
