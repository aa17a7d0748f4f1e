//! What a score owes.

use proptest::test_runner::TestCaseError;

use super::Log;
use super::log::uniform;
use crate::error::Result;

/// A loss of a stated probability is proper: for every belief in $1/20, \dots, 19/20$ the expected loss is least where the belief is stated, among
/// all probabilities in steps of 0.001 from 0.001 to 0.999. It must not be the same everywhere.
///
/// # Errors
/// [`TestCaseError`] with the belief and what scores better than saying it.
pub fn is_proper(loss: impl Fn(f64, bool) -> f64) -> std::result::Result<(), TestCaseError> {
    for belief in (1..20).map(|twentieths| f64::from(twentieths) / 20.0) {
        let expected =
            |stated: f64| belief * loss(stated, true) + (1.0 - belief) * loss(stated, false);
        let honest = expected(belief);
        let mut greatest = honest;
        for stated in (1..1_000).map(|thousandths| f64::from(thousandths) / 1_000.0) {
            let found = expected(stated);
            greatest = greatest.max(found);
            if found.is_nan() || found < honest - 1e-9 * (1.0 + honest.abs()) {
                return Err(TestCaseError::fail(format!(
                    "who believes {belief} loses {honest} by saying so, and {found} by saying {stated}"
                )));
            }
        }
        if greatest <= honest {
            return Err(TestCaseError::fail(format!(
                "who believes {belief} loses {honest} whatever is said"
            )));
        }
    }
    Ok(())
}

/// A metric of a log does not depend on the order of its records, to $10^{-12}$ of its size.
///
/// # Errors
/// [`TestCaseError`] with both values; errors of the metric.
pub fn order_does_not_matter(
    log: &Log,
    seed: u64,
    metric: impl Fn(&[f64], &[bool]) -> Result<f64>,
) -> std::result::Result<(), TestCaseError> {
    let mut order: Vec<usize> = (0..log.confidence.len()).collect();
    order.sort_by(|&a, &b| uniform(seed, 3, a as u64).total_cmp(&uniform(seed, 3, b as u64)));
    let confidence: Vec<f64> = order.iter().map(|&i| log.confidence[i]).collect();
    let correct: Vec<bool> = order.iter().map(|&i| log.correct[i]).collect();
    let (here, there) = (
        metric(&log.confidence, &log.correct)?,
        metric(&confidence, &correct)?,
    );
    let close = (here - there).abs() <= 1e-12 * (1.0 + here.abs());
    if close || here.is_nan() && there.is_nan() {
        return Ok(());
    }
    Err(TestCaseError::fail(format!(
        "{here}, and {there} in another order"
    )))
}
