//! Synthetic data for the tests.

use crate::laws::Log;

pub(crate) use crate::laws::uniform;

/// Confidences uniform on [0, 1] and outcomes drawn with them: perfectly calibrated.
pub(crate) fn calibrated(n: usize, seed: u64) -> (Vec<f64>, Vec<bool>) {
    distorted(n, seed, |p| p)
}

/// Confidences uniform on [0, 1], outcomes drawn with `truth(confidence)`.
pub(crate) fn distorted(n: usize, seed: u64, truth: impl Fn(f64) -> f64) -> (Vec<f64>, Vec<bool>) {
    let log = Log::distorted(n, seed, truth);
    (log.confidence, log.correct)
}
