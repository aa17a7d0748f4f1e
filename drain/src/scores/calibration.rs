//! Coverage of intervals and probability integral transforms.

use rand::{Rng, RngExt};

use super::forecasts::{Forecasts, between, count};
use super::quantiles::{interval, quantile};
use super::sort::lists;
use crate::error::{Argument, DrainError};

/// How central intervals of ensembles fared.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Coverage {
    /// What the intervals should cover.
    pub level: f64,
    /// The share of outcomes that they cover, ends included.
    pub share: f64,
    /// The standard error of the share, if outcomes are independent.
    pub standard_error: f64,
    /// The mean width, in the unit of the data: sharpness.
    pub width: f64,
    /// The mean [interval score](super::interval_score).
    pub interval_score: f64,
}

/// The coverage of the central interval between the members' quantiles (type 7) at each level, over all forecasts and components.
///
/// The interval of few members is too narrow to cover its level even where members and outcome come from one law: of $M$ members, that between
/// the least and the largest covers $(M - 1) / (M + 1)$.
///
/// # Errors
/// A level that is not between 0 and 1.
///
/// ```
/// use hindsight_drain::scores::{Forecasts, coverage};
/// let forecasts = Forecasts::new(&[1.0, 2.0, 3.0, 1.0, 2.0, 3.0], &[2.5, 9.0])?;
/// let half = coverage(&forecasts, &[0.5])?[0];
/// assert_eq!((half.share, half.width), (0.5, 1.0));
/// # Ok::<(), hindsight_drain::DrainError>(())
/// ```
pub fn coverage(forecasts: &Forecasts<'_>, levels: &[f64]) -> Result<Vec<Coverage>, DrainError> {
    for level in levels {
        between(Argument::Level, *level, 0.0, 1.0)?;
    }
    let mut totals = vec![(0_usize, 0.0, 0.0); levels.len()];
    lists(forecasts, |sorted, outcome| {
        for ((inside, width, score), &level) in totals.iter_mut().zip(levels) {
            let tail = (1.0 - level) / 2.0;
            let (lower, upper) = (quantile(sorted, tail), quantile(sorted, 1.0 - tail));
            *inside += usize::from((lower..=upper).contains(&outcome));
            *width += upper - lower;
            *score += interval(lower, upper, outcome, level);
        }
    });
    let n = count(forecasts.outcomes().len());
    let result = |((inside, width, score), &level)| {
        let share = count(inside) / n;
        Coverage {
            level,
            share,
            standard_error: (share * (1.0 - share) / n).sqrt(),
            width: width / n,
            interval_score: score / n,
        }
    };
    Ok(totals.into_iter().zip(levels).map(result).collect())
}

/// The probability integral transform of an outcome under a law with jumps: `below` + u (`at` - `below`), where `below` is the law's probability of less than the
/// outcome, `at` that of no more, and u uniform. Uniform if the law is right, also where outcomes are counts or pile up at
/// zero or at capacity.
///
/// # Errors
/// A probability outside [0, 1], `at` less than `below`.
pub fn randomised_pit<R: Rng + ?Sized>(
    below: f64,
    at: f64,
    rng: &mut R,
) -> Result<f64, DrainError> {
    let argument = Argument::Density;
    for (index, value) in [below, at].into_iter().enumerate() {
        if !(0.0..=1.0).contains(&value) {
            return Err(DrainError::NotAShare {
                argument,
                index,
                value,
            });
        }
    }
    if at < below {
        return Err(DrainError::NotAscending { argument, index: 1 });
    }
    Ok(below + rng.random::<f64>() * (at - below))
}

/// The probability integral transform of every outcome among its members, forecast by forecast, component by component: $(b + u (e + 1)) / (M + 1)$, where $b$
/// members lie below the outcome, $e$ equal it, and $u$ is uniform. Exactly uniform if outcome and members are exchangeable, ties included.
///
/// ```
/// use hindsight_drain::scores::{Forecasts, ensemble_pit};
/// use rand::SeedableRng;
/// let mut rng = rand_pcg::Pcg64::seed_from_u64(1);
/// let pit = ensemble_pit(&Forecasts::new(&[0.0, 0.0, 5.0], &[7.0])?, &mut rng);
/// assert!((0.75..1.0).contains(&pit[0]));
/// # Ok::<(), hindsight_drain::DrainError>(())
/// ```
pub fn ensemble_pit<R: Rng + ?Sized>(forecasts: &Forecasts<'_>, rng: &mut R) -> Vec<f64> {
    let mut pit = Vec::with_capacity(forecasts.outcomes().len());
    lists(forecasts, |sorted, outcome| {
        let (below, equal) = sorted.place(outcome);
        let place = count(below) + rng.random::<f64>() * count(equal + 1);
        pit.push(place / count(sorted.len() + 1));
    });
    pit
}
