//! Calibration of records that do not count alike: importance weights, strata sampled at different rates.

use super::bins::Edges;
use crate::error::{Error, Result, check_len, check_unit};
use crate::stats::exact_sum::ExactSum;

/// One filled bin of weighted records.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct WeightedBin {
    /// The bin, from 0.
    pub bin: usize,
    /// Sum of its weights.
    pub weight: f64,
    /// Weighted mean confidence.
    pub confidence: f64,
    /// Weighted accuracy.
    pub accuracy: f64,
}

/// Scores of weighted records: every mean and share is one of weights.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct WeightedScores {
    /// Records with a positive weight.
    pub records: usize,
    /// Sum of the weights.
    pub weight: f64,
    /// Kish's effective number of records, $(\sum w)^2 / \sum w^2$: as many records of equal weight would say as much of a mean.
    pub effective_records: f64,
    /// Share of right answers.
    pub accuracy: f64,
    /// Mean confidence.
    pub mean_confidence: f64,
    /// $\sum_b p_b |d_b|$.
    pub l1: f64,
    /// $\sqrt{\sum_b p_b d_b^2}$.
    pub l2: f64,
    /// The largest $|d_b|$.
    pub max: f64,
    /// Accuracy minus mean confidence.
    pub signed: f64,
    /// Brier score of the answers.
    pub brier: f64,
    /// Log loss of the answers in nats; infinite if a record was given probability 0.
    pub log_loss: f64,
    /// The filled bins.
    pub bins: Vec<WeightedBin>,
}

/// Returns the scores of answers with the given `confidence`, `correct` or not, that count by their `weight`; only ratios of weights matter, and records of
/// weight 0 count for nothing. Sums do not depend on the order of the records.
///
/// There are no intervals: bins of weighted records are not binomial.
///
/// ```
/// use hindsight_llm_metrics::calibration::{EdgeRule, Edges, weighted_scores};
/// // Hard questions were sampled at a third of the rate of easy ones.
/// let edges = Edges::equal_width(10, EdgeRule::UpperClosed)?;
/// let scores = weighted_scores(&[0.9, 0.9, 0.6], &[true, true, false], &[1.0, 1.0, 3.0], &edges)?;
/// assert!((scores.accuracy - 0.4).abs() < 1e-12 && (scores.l1 - (0.4 * 0.1 + 0.6 * 0.6)).abs() < 1e-12);
/// assert!((scores.effective_records - 25.0 / 11.0).abs() < 1e-12);
/// # Ok::<(), hindsight_llm_metrics::Error>(())
/// ```
///
/// # Errors
/// [`Error::Length`], [`Error::Empty`], [`Error::OutOfRange`] for a confidence outside [0, 1] or a weight that is negative or not finite; [`Error::Empty`] if all
/// weights are 0.
pub fn weighted_scores(
    confidence: &[f64],
    correct: &[bool],
    weight: &[f64],
    edges: &Edges,
) -> Result<WeightedScores> {
    check_len("correct", confidence.len(), correct.len())?;
    check_len("weight", confidence.len(), weight.len())?;
    check_unit("confidence", confidence)?;
    if let Some(index) = weight.iter().position(|w| !(*w >= 0.0 && w.is_finite())) {
        return Err(Error::OutOfRange {
            what: "weight",
            index,
            value: weight[index],
            min: 0.0,
            max: f64::MAX,
        });
    }
    // A scale that keeps the squares of the weights within the range of doubles.
    let scale = weight.iter().copied().fold(0.0, f64::max);
    if scale == 0.0 {
        return Err(Error::Empty {
            what: "the weights",
        });
    }
    let mut sums = vec![[ExactSum::default(); 3]; edges.len()];
    let [mut squares, mut brier, mut losses] = [ExactSum::default(); 3];
    let (mut records, mut impossible) = (0, false);
    for ((&c, &y), &w) in confidence.iter().zip(correct).zip(weight) {
        if w == 0.0 {
            continue;
        }
        records += 1;
        let w = w / scale;
        let q = if y { c } else { 1.0 - c };
        let bin = &mut sums[edges.bin_of(c)];
        bin[0].add(w);
        bin[1].add(w * c);
        bin[2].add(if y { w } else { 0.0 });
        squares.add(w * w);
        brier.add(w * (1.0 - q) * (1.0 - q));
        if q > 0.0 {
            losses.add(-w * q.ln());
        } else {
            impossible = true;
        }
    }
    let filled: Vec<(usize, [f64; 3])> = sums
        .iter()
        .map(|bin| bin.each_ref().map(ExactSum::value))
        .enumerate()
        .filter(|(_, bin)| bin[0] > 0.0)
        .collect();
    let total = |k: usize| filled.iter().map(|(_, bin)| bin[k]).sum::<f64>();
    let (weight, mean_confidence, accuracy) = (total(0), total(1) / total(0), total(2) / total(0));
    let gaps = || {
        filled
            .iter()
            .map(|(_, bin)| (bin[0] / weight, (bin[2] - bin[1]) / bin[0]))
    };
    Ok(WeightedScores {
        records,
        weight: weight * scale,
        effective_records: weight * weight / squares.value(),
        accuracy,
        mean_confidence,
        l1: gaps().map(|(p, d)| p * d.abs()).sum(),
        l2: gaps().map(|(p, d)| p * d * d).sum::<f64>().sqrt(),
        max: gaps().map(|(_, d)| d.abs()).fold(0.0, f64::max),
        signed: accuracy - mean_confidence,
        brier: brier.value() / weight,
        log_loss: if impossible {
            f64::INFINITY
        } else {
            losses.value() / weight
        },
        bins: filled
            .iter()
            .map(|(k, bin)| WeightedBin {
                bin: *k,
                weight: bin[0] * scale,
                confidence: bin[1] / bin[0],
                accuracy: bin[2] / bin[0],
            })
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::{Accumulator, EdgeRule};
    use proptest::prelude::*;

    proptest! {
        /// A record of weight 3 is three records; all weights may be multiplied by anything; the order does not matter.
        #[test]
        fn whole_weights_are_repeated_records(
            records in proptest::collection::vec((0.0f64..=1.0, any::<bool>(), 0u32..4), 1..60), scale in 1e-200f64..1e200,
        ) {
            prop_assume!(records.iter().any(|r| r.2 > 0));
            let edges = Edges::equal_width(7, EdgeRule::UpperClosed).unwrap();
            let mut repeated = Accumulator::new(edges.clone());
            for (c, y, times) in &records {
                for _ in 0..*times {
                    repeated.push(*c, *y).unwrap();
                }
            }
            let of = |records: &[(f64, bool, u32)]| {
                let c: Vec<f64> = records.iter().map(|r| r.0).collect();
                let y: Vec<bool> = records.iter().map(|r| r.1).collect();
                let w: Vec<f64> = records.iter().map(|r| f64::from(r.2) * scale).collect();
                weighted_scores(&c, &y, &w, &edges).unwrap()
            };
            let (a, b) = (of(&records), repeated.summary().unwrap());
            let close = |x: f64, y: f64| (x - y).abs() <= 1e-9 * (1.0 + y.abs()) || x == y;
            prop_assert!(close(a.accuracy, b.accuracy) && close(a.mean_confidence, b.mean_confidence));
            prop_assert!(close(a.l1, b.reliability.l1()) && close(a.l2, b.reliability.l2()) && close(a.max, b.reliability.max()));
            prop_assert!(close(a.brier, b.brier) && close(a.log_loss, b.nll) && close(a.signed, b.reliability.signed()));
            let reversed: Vec<_> = records.iter().rev().copied().collect();
            prop_assert_eq!(of(&reversed), a);
        }
    }

    #[test]
    fn wrong_weights_are_told() {
        let edges = Edges::equal_width(2, EdgeRule::UpperClosed).unwrap();
        let of = |w: &[f64]| weighted_scores(&[0.2, 0.7], &[true, false], w, &edges);
        for bad in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(matches!(
                of(&[1.0, bad]),
                Err(Error::OutOfRange { index: 1, .. })
            ));
        }
        assert!(matches!(of(&[0.0, 0.0]), Err(Error::Empty { .. })));
        assert!(matches!(of(&[1.0]), Err(Error::Length { .. })));
        assert_eq!(of(&[2.0, 0.0]).unwrap().records, 1);
    }
}
