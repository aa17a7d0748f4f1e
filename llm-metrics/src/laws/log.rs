//! Logs to test with.

use proptest::collection::vec;
use proptest::prelude::{Strategy, any};

use crate::stats::stream::hash;

/// Confidences, one a record, with whether the record was right.
#[derive(Debug, Clone, PartialEq)]
pub struct Log {
    /// Stated probabilities of being right, in $\[0,1\]$.
    pub confidence: Vec<f64>,
    /// What happened.
    pub correct: Vec<bool>,
}

impl Log {
    /// `records` confidences, uniform on $\[0,1\]$, that are right as often as they say.
    #[must_use]
    pub fn calibrated(records: usize, seed: u64) -> Self {
        Log::distorted(records, seed, |confidence| confidence)
    }

    /// `records` confidences, uniform on $\[0,1\]$, that are right with the probability `truth(confidence)`.
    #[must_use]
    pub fn distorted(records: usize, seed: u64, truth: impl Fn(f64) -> f64) -> Self {
        let one = |i: u64| {
            let confidence = uniform(seed, 1, i);
            (confidence, uniform(seed, 2, i) < truth(confidence))
        };
        let (confidence, correct) = (0..records as u64).map(one).unzip();
        Log {
            confidence,
            correct,
        }
    }
}

/// A uniform in [0, 1) from a key.
#[allow(clippy::cast_precision_loss, reason = "53 bits are exact")]
pub(crate) fn uniform(seed: u64, stream: u64, i: u64) -> f64 {
    (hash(seed, stream, i) >> 11) as f64 / (1_u64 << 53) as f64
}

/// Logs of 1 to `most` records. Half of the confidences lie on twentieths: on edges of bins, at 0, at 1, on one another.
pub fn logs(most: usize) -> impl Strategy<Value = Log> {
    let record = (0_u8..=20, any::<bool>(), 0.0_f64..=1.0, any::<bool>()).prop_map(
        |(twentieths, on_grid, free, correct)| {
            let confidence = if on_grid {
                f64::from(twentieths) / 20.0
            } else {
                free
            };
            (confidence, correct)
        },
    );
    vec(record, 1..=most.max(1)).prop_map(|records| {
        let (confidence, correct) = records.into_iter().unzip();
        Log {
            confidence,
            correct,
        }
    })
}
