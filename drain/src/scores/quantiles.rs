//! Quantiles and intervals.

use super::forecasts::{Forecasts, between, count, finite};
use super::sort::{Sorted, lists};
use crate::error::{Argument, DrainError};

/// The loss of a quantile at a level $\tau$, in the unit of the data: $(\tau - \mathbb 1(y < q)) (y - q)$, also called the pinball loss, without a factor of two.
///
/// # Errors
/// A number that is not finite, a level that is not between 0 and 1.
///
/// ```
/// use hindsight_drain::scores::quantile_loss;
/// assert_eq!(quantile_loss(8.0, 10.0, 0.75)?, 0.25 * 2.0);
/// # Ok::<(), hindsight_drain::DrainError>(())
/// ```
pub fn quantile_loss(outcome: f64, quantile: f64, level: f64) -> Result<f64, DrainError> {
    finite(Argument::Outcome, &[outcome])?;
    finite(Argument::Quantile, &[quantile])?;
    between(Argument::Level, level, 0.0, 1.0)?;
    Ok(pinball(outcome, quantile, level))
}

fn pinball(outcome: f64, quantile: f64, level: f64) -> f64 {
    let gap = outcome - quantile;
    (level * gap).max((level - 1.0) * gap)
}

/// The weighted quantile loss at each level, a share of all outcomes: twice the sum of [`quantile_loss`] over the sum of $|y|$, over all forecasts and
/// components, with the members' quantiles of type 7. Its mean over many levels approaches the sum of the plain [`crps`](super::crps()) over that of $|y|$.
///
/// # Errors
/// A level that is not between 0 and 1; outcomes that are all zero.
///
/// ```
/// use hindsight_drain::scores::{Forecasts, weighted_quantile_loss};
/// let loss = weighted_quantile_loss(&Forecasts::new(&[1.0, 2.0, 3.0], &[4.0])?, &[0.5])?;
/// assert_eq!(loss, [2.0 * 0.5 * 2.0 / 4.0]);
/// # Ok::<(), hindsight_drain::DrainError>(())
/// ```
pub fn weighted_quantile_loss(
    forecasts: &Forecasts<'_>,
    levels: &[f64],
) -> Result<Vec<f64>, DrainError> {
    for level in levels {
        between(Argument::Level, *level, 0.0, 1.0)?;
    }
    let scale: f64 = forecasts.outcomes().iter().map(|y| y.abs()).sum();
    if scale <= 0.0 {
        return Err(DrainError::NoScale {
            argument: Argument::Outcome,
        });
    }
    let mut totals = vec![0.0; levels.len()];
    lists(forecasts, |sorted, outcome| {
        for (total, level) in totals.iter_mut().zip(levels) {
            *total += pinball(outcome, quantile(sorted, *level), *level);
        }
    });
    Ok(totals.iter().map(|total| 2.0 * total / scale).collect())
}

/// The score of an interval that should hold the outcome with probability `level`, in the unit of the data: its width, and
/// $2 / (1 - \text{level})$ for every unit by which the outcome lies outside.
///
/// # Errors
/// A number that is not finite, a level that is not between 0 and 1, an upper end below the lower one.
///
/// ```
/// use hindsight_drain::scores::interval_score;
/// assert_eq!(interval_score(1.0, 3.0, 4.0, 0.75)?, 2.0 + 8.0);
/// # Ok::<(), hindsight_drain::DrainError>(())
/// ```
pub fn interval_score(lower: f64, upper: f64, outcome: f64, level: f64) -> Result<f64, DrainError> {
    for (argument, value) in [
        (Argument::Lower, lower),
        (Argument::Upper, upper),
        (Argument::Outcome, outcome),
    ] {
        finite(argument, &[value])?;
    }
    between(Argument::Level, level, 0.0, 1.0)?;
    if upper < lower {
        return Err(DrainError::NotAscending {
            argument: Argument::Upper,
            index: 1,
        });
    }
    Ok(interval(lower, upper, outcome, level))
}

pub(super) fn interval(lower: f64, upper: f64, outcome: f64, level: f64) -> f64 {
    let outside = (lower - outcome).max(outcome - upper).max(0.0);
    upper - lower + 2.0 / (1.0 - level) * outside
}

/// The quantile of type 7: linear between the members, whose levels are $0, 1 / (M - 1), \dots, 1$.
pub(super) fn quantile(sorted: &Sorted<'_>, level: f64) -> f64 {
    let last = sorted.len() - 1;
    let place = level * count(last);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place in the list"
    )]
    let below = (place.floor() as usize).min(last);
    let (low, high) = (sorted.at(below), sorted.at((below + 1).min(last)));
    low + (place - count(below)) * (high - low)
}
