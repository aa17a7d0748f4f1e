//! What a level promises.

use proptest::test_runner::TestCaseError;

use crate::error::Result;
use crate::stats::Interval;
use crate::stats::clopper_pearson;

/// Chance that a good interval is taken for a bad one.
const FALSE_ALARM: f64 = 1e-5;

/// Over `repeats` draws of data, numbered from 0 for `interval` to draw by, the interval holds the truth as often as `level` says: the law fails
/// where so few hits have a chance of less than 1 in 100,000 at that level. An interval that is too wide passes.
///
/// With 1,000 repeats an interval of 70 % is caught that claims 95, and one of 91; with 200 one of 84.
///
/// # Errors
/// [`TestCaseError`] with the share of hits; errors of `interval`.
pub fn is_calibrated_interval(
    level: f64,
    truth: f64,
    repeats: u64,
    interval: impl Fn(u64) -> Result<Interval>,
) -> std::result::Result<(), TestCaseError> {
    let mut hits = 0;
    for seed in 0..repeats {
        hits += u64::from(interval(seed)?.contains(truth));
    }
    // The exact interval's upper end lies below the level just where so few hits are so unlikely.
    let possible = clopper_pearson(hits, repeats, 1.0 - 2.0 * FALSE_ALARM)?;
    if possible.upper < level {
        return Err(TestCaseError::fail(format!(
            "{hits} of {repeats} intervals hold {truth}, which a level of {level} does not leave to chance"
        )));
    }
    Ok(())
}
