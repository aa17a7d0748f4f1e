//! Log loss of binary records, and the loops over blocks that it shares with the accumulator.

use crate::error::{Error, Result, check_len, check_unit};
use crate::stats::exact_sum::{LogSum, split_ln, unit_sum, unit_unshifted};

/// Records per block. 1024 sums of at most 2^52 each stay below 2^64, and a block stays in the first cache.
pub(crate) const BLOCK: usize = 1024;

/// Sums of log losses and squared misses, exact whatever the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Losses {
    pub(crate) logs: LogSum,
    pub(crate) squares: u128,
    /// Records that were given probability 0.
    pub(crate) impossible: u64,
}

impl Losses {
    /// Adds one record with a confidence in [0, 1].
    pub(crate) fn add(&mut self, confidence: f64, correct: bool) {
        let rest = 1.0 - confidence;
        let (q, miss) = if correct {
            (confidence, rest)
        } else {
            (rest, confidence)
        };
        self.add_square(1, unit_unshifted(miss * miss));
        self.add_log(q);
    }

    fn add_log(&mut self, q: f64) {
        if q > 0.0 {
            self.logs.add(q);
        } else {
            self.impossible += 1;
        }
    }

    fn add_square(&mut self, n: u64, unshifted: u64) {
        self.squares += u128::from(unit_sum(n, unshifted));
    }

    /// Adds at most [`BLOCK`] records; returns false, with nothing added, if a confidence lies outside [0, 1].
    ///
    /// Two loops without branches, each small enough for the registers, so that both vectorise.
    pub(crate) fn block(&mut self, confidence: &[f64], correct: &[bool]) -> bool {
        let mut buffer = [0.0f64; BLOCK];
        let happened = &mut buffer[..confidence.len()];
        let (mut unusual, mut squares) = (0u64, 0u64);
        for ((q, &c), &y) in happened.iter_mut().zip(confidence).zip(correct) {
            let rest = 1.0 - c;
            let swap = (c.to_bits() ^ rest.to_bits()) & u64::from(y).wrapping_neg();
            *q = f64::from_bits(rest.to_bits() ^ swap);
            let miss = f64::from_bits(c.to_bits() ^ swap);
            // A confidence outside [0, 1] makes one of the two negative, or both NaN.
            unusual |= u64::from(!(*q >= f64::MIN_POSITIVE)) | u64::from(!(miss >= 0.0));
            squares = squares.wrapping_add(unit_unshifted(miss * miss));
        }
        let n = confidence.len() as u64;
        if unusual == 0 {
            let (mut exponents, mut mantissas) = (0u64, 0u64);
            for &q in happened.iter() {
                let (e, m) = split_ln(q);
                exponents = exponents.wrapping_add(e);
                mantissas = mantissas.wrapping_add(m);
            }
            self.logs.add_split(n, exponents, mantissas);
        } else if confidence.iter().all(|c| (0.0..=1.0).contains(c)) {
            happened.iter().for_each(|&q| self.add_log(q));
        } else {
            return false;
        }
        self.add_square(n, squares);
        true
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.logs.merge(&other.logs);
        self.squares += other.squares;
        self.impossible += other.impossible;
    }

    /// The sum of log losses, infinite if a record was given probability 0.
    pub(crate) fn log_loss(&self) -> f64 {
        if self.impossible > 0 {
            f64::INFINITY
        } else {
            self.logs.value()
        }
    }
}

/// Returns the log loss $-\frac1n \sum_i \ln(y_i c_i + (1-y_i)(1-c_i))$ in nats; infinite if a record was given probability 0.
///
/// Nothing is clipped. Logarithms are rounded once each to a grid of $2^{-52}$ and added as integers, so that the order of the records
/// does not matter. About 3 ns a record on one core, in constant memory.
///
/// # Errors
/// [`Error::Length`]; [`Error::Empty`]; [`Error::OutOfRange`] at the first confidence outside [0, 1].
///
/// ```
/// use hindsight_llm_metrics::calibration::log_loss;
/// let loss = log_loss(&[0.8, 0.4], &[true, false])?;
/// assert!((loss + (0.8f64.ln() + 0.6f64.ln()) / 2.0).abs() < 1e-15);
/// assert!(log_loss(&[1.0], &[false])?.is_infinite());
/// # Ok::<(), hindsight_llm_metrics::Error>(())
/// ```
#[allow(clippy::cast_precision_loss)] // A count.
pub fn log_loss(confidence: &[f64], correct: &[bool]) -> Result<f64> {
    check_len("correct", confidence.len(), correct.len())?;
    if confidence.is_empty() {
        return Err(Error::Empty { what: "records" });
    }
    let mut losses = Losses::default();
    for (c, y) in confidence.chunks(BLOCK).zip(correct.chunks(BLOCK)) {
        if !losses.block(c, y) {
            check_unit("confidence", confidence)?;
        }
    }
    Ok(losses.log_loss() / confidence.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Confidences as they come, at the ends, below the normal numbers and next to one.
    fn confidence() -> impl Strategy<Value = f64> {
        prop_oneof![
            6 => 0.0f64..=1.0,
            1 => Just(0.0), 1 => Just(-0.0), 1 => Just(1.0), 1 => Just(1.0 - f64::EPSILON / 2.0),
            1 => (0.0f64..1e-300).prop_map(|v| v * 1e-10),
        ]
    }

    proptest! {
        #[test]
        fn log_loss_equals_the_naive_mean(data in proptest::collection::vec((confidence(), any::<bool>()), 1..2500)) {
            let (c, y): (Vec<f64>, Vec<bool>) = data.iter().copied().unzip();
            let naive = data.iter().map(|(c, y)| if *y { -c.ln() } else { -(1.0 - c).ln() }).sum::<f64>() / data.len() as f64;
            let ours = log_loss(&c, &y).unwrap();
            // The naive sum of n terms is itself off by up to n roundings.
            let tolerance = (data.len() as f64 + 4.0) * f64::EPSILON * naive + 2.0 * f64::EPSILON;
            prop_assert!(ours == naive || (ours - naive).abs() <= tolerance, "{} {}", ours, naive);
        }

        #[test]
        fn blocks_equal_single_records(data in proptest::collection::vec((confidence(), any::<bool>()), 1..BLOCK)) {
            let (c, y): (Vec<f64>, Vec<bool>) = data.iter().copied().unzip();
            let (mut one, mut block) = (Losses::default(), Losses::default());
            data.iter().rev().for_each(|(c, y)| one.add(*c, *y));
            prop_assert!(block.block(&c, &y));
            prop_assert_eq!(one, block);
        }

        #[test]
        fn a_confidence_outside_is_seen_wherever_it_stands(
            at in 0usize..1500, y in any::<bool>(),
            bad in prop_oneof![Just(f64::NAN), Just(-f64::NAN), Just(-1e-300), Just(1.0 + f64::EPSILON), Just(f64::INFINITY), Just(-2.0)],
        ) {
            let mut c = vec![0.5; 1500];
            c[at] = bad;
            let e = log_loss(&c, &vec![y; 1500]).unwrap_err();
            prop_assert!(matches!(e, Error::OutOfRange { index, .. } if index == at), "{}", e);
        }
    }
}
