//! Intervals of a mean, from its standard error or from the range of what is averaged.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use crate::error::{Allowed, Error, Result, check_level};

/// A confidence interval.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
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

    /// Returns the distance of the ends.
    #[must_use]
    pub fn width(&self) -> f64 {
        self.upper - self.lower
    }

    pub(crate) fn around(centre: f64, half: f64, level: f64) -> Self {
        Interval {
            lower: centre - half,
            upper: centre + half,
            level,
        }
    }

    pub(crate) fn scaled(self, offset: f64, factor: f64) -> Self {
        Interval {
            lower: offset + factor * self.lower,
            upper: offset + factor * self.upper,
            level: self.level,
        }
    }
}

/// A mean, and what is known of the law of its error.
pub(crate) struct Shape {
    pub(crate) value: f64,
    pub(crate) standard_error: f64,
    pub(crate) skewness: f64,
    pub(crate) freedom: f64,
    pub(crate) rounds: u64,
}

impl Shape {
    /// The interval: Student's quantile, at a level corrected by Bonferroni for so many looks, taken back through Hall's transformation.
    pub(crate) fn interval(&self, level: f64, looks: usize) -> Result<Interval> {
        check_level(level)?;
        if looks == 0 {
            return Err(Error::TooFew {
                what: "the number of looks",
                needed: 1,
                found: 0,
            });
        }
        #[allow(clippy::cast_precision_loss, reason = "a small number")]
        let tail = (1.0 - level) / 2.0 / looks as f64;
        let quantile = t_quantile(1.0 - tail, self.freedom);
        #[allow(clippy::cast_precision_loss, reason = "a number of rounds")]
        let lean = self.skewness / (self.rounds as f64).sqrt();
        let end = |z: f64| self.value - self.standard_error * unskewed(z, lean);
        Ok(Interval {
            lower: end(quantile),
            upper: end(-quantile),
            level,
        })
    }
}

/// Returns half the width of the empirical Bernstein interval of a mean of `n` independent values in a range of length `range`:
/// $$ \sqrt{\frac{2 v \ln(4/\alpha)}{n}} + \frac{7 R \ln(4/\alpha)}{3 (n - 1)}, $$
/// with the sample variance $v$ and $\alpha = 1 - \text{level}$; infinite for fewer than two values.
///
/// The range must be known beforehand: that of the sample is no bound. Source: Maurer and Pontil (2009), theorem 4, for both sides.
///
/// ```
/// use hindsight_bandit_eval::empirical_bernstein;
/// let half = empirical_bernstein(0.1, 1.0, 1_000.0, 0.95)?;
/// assert!((half - 0.0398).abs() < 1e-4);
/// # Ok::<(), hindsight_bandit_eval::Error>(())
/// ```
///
/// # Errors
/// When the level is not between 0 and 1, or variance or range are negative or not finite.
pub fn empirical_bernstein(variance: f64, range: f64, n: f64, level: f64) -> Result<f64> {
    check_level(level)?;
    Allowed::AtLeast(0.0).check("variance", variance)?;
    Allowed::AtLeast(0.0).check("range", range)?;
    if n < 2.0 {
        return Ok(f64::INFINITY);
    }
    let bits = (4.0 / (1.0 - level)).ln();
    Ok((2.0 * variance * bits / n).sqrt() + 7.0 * range * bits / (3.0 * (n - 1.0)))
}

/// The studentised mean at which its transformation, free of the skewness $c \sqrt n$, is `z`.
fn unskewed(z: f64, lean: f64) -> f64 {
    if lean.abs() < 1e-6 {
        return z;
    }
    3.0 / lean * ((1.0 + lean * z - lean * lean / 6.0).cbrt() - 1.0)
}

pub(crate) fn normal_quantile(p: f64) -> f64 {
    Normal::standard().inverse_cdf(p)
}

/// The probability that a standard normal variable is further from zero than `z`.
pub(crate) fn two_sided(z: f64) -> f64 {
    2.0 * Normal::standard().cdf(-z.abs())
}

/// The quantile of Student's t for $p \ge 1/2$, by bisection on its distribution function; infinite without a degree of freedom.
pub(crate) fn t_quantile(p: f64, freedom: f64) -> f64 {
    let normal = normal_quantile(p);
    if freedom > 1e7 {
        return normal;
    }
    let Ok(law) = StudentsT::new(0.0, 1.0, freedom) else {
        return f64::INFINITY;
    };
    let (mut low, mut high) = (normal, normal.max(1.0));
    while law.cdf(high) < p {
        low = high;
        high *= 2.0;
        if high > 1e12 {
            return f64::INFINITY;
        }
    }
    for _ in 0..80 {
        let middle = f64::midpoint(low, high);
        if law.cdf(middle) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_agree_with_tables() {
        for (freedom, value) in [
            (1.0, 12.7062),
            (4.0, 2.7764),
            (30.0, 2.0423),
            (1e9, 1.95996),
        ] {
            assert!(
                (t_quantile(0.975, freedom) - value).abs() < 1e-4,
                "{freedom}"
            );
        }
        assert_eq!(t_quantile(0.975, 0.0), f64::INFINITY);
        assert!((two_sided(1.959_964) - 0.05).abs() < 1e-7);
    }

    #[test]
    fn empirical_bernstein_refuses_what_is_no_range() {
        assert!(empirical_bernstein(0.1, f64::INFINITY, 9.0, 0.95).is_err());
        assert!(empirical_bernstein(f64::NAN, 1.0, 9.0, 0.95).is_err());
        assert!(empirical_bernstein(0.1, 1.0, 9.0, 1.0).is_err());
        assert_eq!(empirical_bernstein(0.1, 1.0, 1.0, 0.9), Ok(f64::INFINITY));
    }
}
