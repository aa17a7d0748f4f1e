//! The gap at every threshold from one sort.

use super::estimate::{EmptyFilter, GapOptions, Perfect};
use super::responses::Responses;
use crate::error::{Error, Result, check_finite, check_len};
use crate::stats::interval::mean;

/// The gap at one threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct SweepPoint {
    /// The threshold: responses with at least this score are kept.
    pub threshold: f64,
    /// Share of responses kept.
    pub kept: f64,
    /// Prompts of which nothing is kept.
    pub empty_prompts: usize,
    /// Mean gap.
    pub gap: f64,
    /// Standard error of the gap over prompts; NaN for one prompt.
    pub gap_se: f64,
    /// Mean of the per-prompt relative gaps.
    pub relative: f64,
}

#[derive(Clone, Copy, Default)]
struct State {
    kept: f64,
    utility: f64,
    gap: f64,
    relative: f64,
}

/// Returns the gap at every distinct score taken as a threshold, by falling threshold: $O(N \log N)$ for N responses in all.
///
/// Responses enter in the order of their scores; each changes the sums of its own prompt alone. Under [`EmptyFilter::Error`] only
/// thresholds at which every prompt keeps something are returned. The jackknife option does not apply to filters of weight 0 and 1
/// and is ignored.
///
/// # Errors
/// [`Error::Length`], [`Error::NotFinite`].
#[allow(clippy::cast_precision_loss)] // Counts.
pub fn threshold_sweep(
    responses: &Responses,
    scores: &[f64],
    options: GapOptions,
) -> Result<Vec<SweepPoint>> {
    check_len("scores", responses.len(), scores.len())?;
    check_finite("scores", scores)?;
    let bases: Vec<f64> = (0..responses.prompts())
        .map(|p| mean(responses.utilities(p)))
        .collect();
    let mut order: Vec<(f64, usize, f64)> = Vec::with_capacity(scores.len());
    for (prompt, range) in responses.groups().enumerate() {
        order.extend(range.map(|i| (scores[i], prompt, responses.utility[i])));
    }
    order.sort_by(|a, b| b.0.total_cmp(&a.0));
    let room = |prompt: usize| responses.ceiling[prompt] - bases[prompt];
    let counts_relative = |prompt: usize| room(prompt) > 1e-12 || options.perfect == Perfect::Zero;
    let mut states = vec![State::default(); bases.len()];
    let (mut gaps, mut squares, mut relatives) = (0.0, 0.0, 0.0);
    let (mut filled, mut filled_relative, mut kept) = (0usize, 0usize, 0usize);
    let all_relative = (0..bases.len()).filter(|p| counts_relative(*p)).count();
    let mut points = Vec::new();
    for group in order.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        for &(_, prompt, utility) in group {
            let s = &mut states[prompt];
            if s.kept == 0.0 {
                filled += 1;
                filled_relative += usize::from(counts_relative(prompt));
            }
            s.kept += 1.0;
            s.utility += utility;
            gaps -= s.gap;
            squares -= s.gap * s.gap;
            relatives -= s.relative;
            s.gap = s.utility / s.kept - bases[prompt];
            s.relative = if room(prompt) > 1e-12 {
                s.gap / room(prompt)
            } else {
                0.0
            };
            gaps += s.gap;
            squares += s.gap * s.gap;
            relatives += s.relative;
            kept += 1;
        }
        let (n, m) = match options.empty {
            EmptyFilter::KeepBase => (bases.len(), all_relative),
            EmptyFilter::Drop => (filled, filled_relative),
            EmptyFilter::Error if filled < bases.len() => continue,
            EmptyFilter::Error => (bases.len(), all_relative),
        };
        let count = n as f64;
        let gap = gaps / count;
        let variance = (squares / count - gap * gap).max(0.0) / (count - 1.0);
        points.push(SweepPoint {
            threshold: group[0].0,
            kept: kept as f64 / scores.len() as f64,
            empty_prompts: bases.len() - filled,
            gap,
            gap_se: variance.sqrt(),
            relative: relatives / m as f64,
        });
    }
    if points.is_empty() {
        Err(Error::Empty {
            what: "the set of thresholds",
        })
    } else {
        Ok(points)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verification::{Weighting, gap};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_point_equals_the_gap_at_its_threshold(
            data in proptest::collection::vec((0u64..6, 0u32..=1, 0u32..8), 1..60),
            drop in any::<bool>(), perfect in any::<bool>(),
        ) {
            let keys: Vec<u64> = data.iter().map(|d| d.0).collect();
            let u: Vec<f64> = data.iter().map(|d| f64::from(d.1)).collect();
            let s: Vec<f64> = data.iter().map(|d| f64::from(d.2) / 7.0).collect();
            let (r, order) = Responses::from_log(&keys, &u).unwrap();
            let s = Responses::arrange(&order, &s).unwrap();
            let options = GapOptions {
                empty: if drop { EmptyFilter::Drop } else { EmptyFilter::KeepBase },
                perfect: if perfect { Perfect::Drop } else { Perfect::Zero },
                jackknife: false,
            };
            for point in threshold_sweep(&r, &s, options).unwrap() {
                let g = gap(&r, &s, Weighting::Threshold(point.threshold), options).unwrap();
                prop_assert!((g.gap - point.gap).abs() < 1e-9);
                prop_assert!((g.gap_se - point.gap_se).abs() < 1e-7 || g.gap_se.is_nan());
                prop_assert!((g.relative - point.relative).abs() < 1e-9 || g.relative.is_nan());
                prop_assert_eq!(g.empty_prompts, point.empty_prompts);
                prop_assert!((g.kept - point.kept).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn the_lowest_threshold_keeps_all_and_gains_nothing() {
        let r = Responses::new(&[vec![1.0, 0.0], vec![0.0, 0.0]]).unwrap();
        let s = threshold_sweep(&r, &[0.9, 0.3, 0.2, 0.1], GapOptions::default()).unwrap();
        let last = s[s.len() - 1];
        assert!(last.gap.abs() < 1e-12 && last.kept == 1.0 && last.empty_prompts == 0);
        let strict = GapOptions {
            empty: EmptyFilter::Error,
            ..GapOptions::default()
        };
        assert_eq!(
            threshold_sweep(&r, &[0.9, 0.3, 0.2, 0.1], strict)
                .unwrap()
                .len(),
            2
        );
    }
}
