//! How a fit ended, and what every fit asks of its data.

use crate::error::{Error, Result, check_len, check_unit};

/// How a fit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum FitStatus {
    /// The optimum was found.
    Converged,
    /// The likelihood rises without end: the outcomes are separated by the scores (temperature to 0, slope to infinity). The map returned
    /// is the last finite one.
    Separated,
    /// The scores run against the outcomes, so that the best temperature is infinite; the map returned is the uniform one.
    AntiCorrelated,
    /// The iterations ran out before the gradient vanished.
    IterationLimit,
}

pub(super) fn check_binary(confidence: &[f64], correct: &[bool]) -> Result<()> {
    check_len("correct", confidence.len(), correct.len())?;
    if confidence.is_empty() {
        return Err(Error::Empty { what: "confidence" });
    }
    check_unit("confidence", confidence)
}
