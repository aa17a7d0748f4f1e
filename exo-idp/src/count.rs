//! Sizes as numbers.

/// A size as a number.
#[allow(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
pub(crate) fn count(n: usize) -> f64 {
    n as f64
}
