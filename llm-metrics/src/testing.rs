//! Synthetic data for the tests.

use crate::stats::stream::hash;

/// A uniform in [0, 1) from a key.
pub(crate) fn uniform(seed: u64, stream: u64, i: u64) -> f64 {
    (hash(seed, stream, i) >> 11) as f64 / (1u64 << 53) as f64
}

/// Confidences uniform on [0, 1] and outcomes drawn with them: perfectly calibrated.
pub(crate) fn calibrated(n: usize, seed: u64) -> (Vec<f64>, Vec<bool>) {
    distorted(n, seed, |p| p)
}

/// Confidences uniform on [0, 1], outcomes drawn with `truth(confidence)`.
pub(crate) fn distorted(n: usize, seed: u64, truth: impl Fn(f64) -> f64) -> (Vec<f64>, Vec<bool>) {
    (0..n as u64)
        .map(|i| {
            let p = uniform(seed, 1, i);
            (p, uniform(seed, 2, i) < truth(p))
        })
        .unzip()
}
