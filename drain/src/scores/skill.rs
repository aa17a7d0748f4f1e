//! Comparison of two forecasters on the same outcomes.

use statrs::function::erf::erfc;

use super::forecasts::{count, finite};
use crate::error::{Argument, DrainError};

/// How much better scores are than a baseline's.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Skill {
    /// One less the ratio of mean scores: 1 is perfect, 0 as good as the baseline, negative worse.
    pub skill: f64,
    /// Its standard error, paired forecast by forecast.
    pub standard_error: f64,
}

impl Skill {
    /// The interval of so many standard errors to both sides.
    #[must_use]
    pub fn interval(&self, errors: f64) -> (f64, f64) {
        let reach = errors * self.standard_error;
        (self.skill - reach, self.skill + reach)
    }
}

/// The skill $1 - \bar s / \bar b$ of scores $s$ beside those of a baseline $b$ on the same outcomes, with its error by the delta method:
/// the long-run variance of $(s_i - (\bar s / \bar b) b_i) / \bar b$, over $n$.
///
/// `lags` is how many outcomes apart errors are still correlated, 0 where they are independent; see [`newey_west_lags`].
///
/// # Errors
/// Lists that disagree in length or have fewer than two entries, a number that is not finite, as many lags as entries, a baseline
/// whose mean is not positive.
///
/// ```
/// use hindsight_drain::scores::skill;
/// let skill = skill(&[1.0, 2.0, 1.0], &[2.0, 4.0, 2.0], 0)?;
/// assert_eq!((skill.skill, skill.standard_error), (0.5, 0.0)); // always half
/// # Ok::<(), hindsight_drain::DrainError>(())
/// ```
pub fn skill(scores: &[f64], baseline: &[f64], lags: usize) -> Result<Skill, DrainError> {
    check(scores, baseline, lags)?;
    let n = count(scores.len());
    let mean = |list: &[f64]| list.iter().sum::<f64>() / n;
    let scale = mean(baseline);
    if scale <= 0.0 {
        return Err(DrainError::NoScale {
            argument: Argument::Baseline,
        });
    }
    let ratio = mean(scores) / scale;
    let pairs = scores.iter().zip(baseline);
    let influence: Vec<f64> = pairs.map(|(s, b)| (s - ratio * b) / scale).collect();
    Ok(Skill {
        skill: 1.0 - ratio,
        standard_error: (long_run_variance(&influence, lags) / n).sqrt(),
    })
}

/// Whether two forecasters differ.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DieboldMariano {
    /// The mean difference of scores; negative where the first are better.
    pub difference: f64,
    /// Its standard error, consistent under autocorrelation and unequal variances.
    pub standard_error: f64,
    /// The difference in standard errors; infinite where there is a difference without any error, 0 where there is neither.
    pub statistic: f64,
    /// The two-sided p-value of a normal statistic.
    pub p_value: f64,
}

/// The test of Diebold and Mariano of equal expected scores, with the variance of Newey and West (Bartlett weights), which is never negative.
///
/// `lags` is how many outcomes apart errors are still correlated, 0 where they are independent; see [`newey_west_lags`].
///
/// # Errors
/// Lists that disagree in length or have fewer than two entries, a number that is not finite, as many lags as entries.
///
/// ```
/// use hindsight_drain::scores::diebold_mariano;
/// let test = diebold_mariano(&[1.0, 2.0, 3.0, 2.0], &[2.0, 2.0, 5.0, 3.0], 0)?;
/// assert_eq!(test.difference, -1.0);
/// assert!(test.p_value < 0.02);
/// # Ok::<(), hindsight_drain::DrainError>(())
/// ```
pub fn diebold_mariano(
    scores: &[f64],
    baseline: &[f64],
    lags: usize,
) -> Result<DieboldMariano, DrainError> {
    check(scores, baseline, lags)?;
    let n = count(scores.len());
    let differences: Vec<f64> = scores.iter().zip(baseline).map(|(a, b)| a - b).collect();
    let difference = differences.iter().sum::<f64>() / n;
    let standard_error = (long_run_variance(&differences, lags) / n).sqrt();
    let statistic = if difference.abs() > 0.0 {
        difference / standard_error
    } else {
        0.0
    };
    Ok(DieboldMariano {
        difference,
        standard_error,
        statistic,
        p_value: erfc(statistic.abs() * std::f64::consts::FRAC_1_SQRT_2),
    })
}

/// A usual number of lags for so many outcomes in order of time: $\lfloor 4 (n / 100)^{2/9} \rfloor$, below $n$.
#[must_use]
pub fn newey_west_lags(outcomes: usize) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a small positive number"
    )]
    let lags = (4.0 * (count(outcomes) / 100.0).powf(2.0 / 9.0)).floor() as usize;
    lags.min(outcomes.saturating_sub(1))
}

/// The variance of the sum of all, over their number: autocovariances up to `lags`, with weights that fall linearly.
fn long_run_variance(list: &[f64], lags: usize) -> f64 {
    let n = count(list.len());
    let mean = list.iter().sum::<f64>() / n;
    let gaps: Vec<f64> = list.iter().map(|v| v - mean).collect();
    let covariance = |lag: usize| {
        gaps.iter()
            .zip(&gaps[lag..])
            .map(|(a, b)| a * b)
            .sum::<f64>()
    };
    let weighted = |lag: usize| 2.0 * (1.0 - count(lag) / count(lags + 1)) * covariance(lag);
    // n - 1 once, so that independent scores have their usual standard error.
    ((covariance(0) + (1..=lags).map(weighted).sum::<f64>()) / (n - 1.0)).max(0.0)
}

fn check(scores: &[f64], baseline: &[f64], lags: usize) -> Result<(), DrainError> {
    if scores.len() < 2 {
        return Err(DrainError::TooFew {
            argument: Argument::Score,
            needed: 2,
            found: scores.len(),
        });
    }
    if scores.len() != baseline.len() {
        return Err(DrainError::Length {
            argument: Argument::Baseline,
            expected: scores.len(),
            found: baseline.len(),
        });
    }
    finite(Argument::Score, scores)?;
    finite(Argument::Baseline, baseline)?;
    if lags >= scores.len() {
        return Err(DrainError::OutOfBounds {
            argument: Argument::Lags,
            index: lags,
            count: scores.len(),
        });
    }
    Ok(())
}
