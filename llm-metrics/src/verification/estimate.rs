//! The gap and the relative gap from samples, with their standard errors.

use super::filter::{Weighting, weights};
use super::responses::Responses;
use crate::error::{Error, Result, check_finite, check_len};
use crate::stats::interval::{mean, sample_sd};

/// What to do with a prompt of which the filter keeps nothing. The paper's rule could not be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum EmptyFilter {
    /// The filtered generator is the generator itself: gap 0.
    #[default]
    KeepBase,
    /// The prompt is left out of the means.
    Drop,
    /// An error that names the prompt.
    Error,
}

/// What the relative gap is for a prompt on which every response is the best possible (0/0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum Perfect {
    /// Zero: there was nothing to gain.
    #[default]
    Zero,
    /// The prompt is left out of the relative mean.
    Drop,
}

/// Choices that the estimate leaves open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct GapOptions {
    /// Prompts of which nothing is kept.
    pub empty: EmptyFilter,
    /// Prompts with nothing to gain.
    pub perfect: Perfect,
    /// Whether the filtered utility of each prompt is corrected by the jackknife over its responses (weights held fixed). For soft
    /// weights it removes the leading bias of the ratio, of order 1/R.
    pub jackknife: bool,
}

/// The gap on one prompt.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct PromptGap {
    /// Prompt, from 0.
    pub prompt: usize,
    /// Mean utility of all responses, b.
    pub base: f64,
    /// Weighted mean utility, v.
    pub filtered: f64,
    /// v - b.
    pub gap: f64,
    /// (v - b) / (best possible - b); `None` where dropped.
    pub relative: Option<f64>,
    /// Whether the filter kept nothing.
    pub empty: bool,
}

/// The generation-verification gap over prompts.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct GapEstimate {
    /// Prompts in the means.
    pub prompts: usize,
    /// Responses of all prompts.
    pub responses: usize,
    /// Prompts of which nothing was kept, counted whatever was done with them.
    pub empty_prompts: usize,
    /// Prompts with nothing to gain.
    pub perfect_prompts: usize,
    /// Share of the responses with positive weight.
    pub kept: f64,
    /// Mean utility J of the generator over the prompts in the means.
    pub base: f64,
    /// Mean utility of the filtered generator.
    pub filtered: f64,
    /// Mean gap.
    pub gap: f64,
    /// Standard error of the gap over prompts; NaN for one prompt.
    pub gap_se: f64,
    /// Mean of the per-prompt relative gaps (not the ratio of means); NaN if all were dropped.
    pub relative: f64,
    /// Standard error of the relative gap over prompts.
    pub relative_se: f64,
    /// Median of the per-prompt relative gaps.
    pub relative_median: f64,
    /// Share of prompts whose relative gap is below -1: the heavy tail that can dominate the mean.
    pub relative_below_minus_one: f64,
    /// Utility of all kept responses pooled over prompts: another quantity, given for comparison; NaN if nothing was kept.
    pub pooled: f64,
    /// The prompts in the means.
    pub per_prompt: Vec<PromptGap>,
}

/// Returns the gap of `responses` filtered by `scores`.
///
/// Per prompt, with utilities u and weights w: $b = \bar u$, $v = \sum w u / \sum w$, gap $v - b = \mathrm{Cov}(w, u)/\bar w$, relative gap
/// $(v - b)/(u^\ast- b)$; then means over prompts (Definitions 2.1 and 2.2 of the paper; the relative gap is the mean of ratios).
/// Standard errors are over prompts, since responses of one prompt are not independent units.
///
/// ```
/// use hindsight_llm_metrics::verification::{GapOptions, Responses, Weighting, gap};
/// let r = Responses::new(&[vec![1.0, 0.0, 0.0, 1.0], vec![0.0, 1.0, 0.0, 0.0]])?;
/// let scores = [0.9, 0.1, 0.8, 0.9, 0.2, 0.9, 0.1, 0.3];
/// let g = gap(&r, &scores, Weighting::Threshold(0.8), GapOptions::default())?;
/// // Prompt 1: 1/2 -> 2/3. Prompt 2: 1/4 -> 1.
/// assert!((g.gap - (1.0 / 6.0 + 0.75) / 2.0).abs() < 1e-12);
/// assert!((g.relative - (1.0 / 3.0 + 1.0) / 2.0).abs() < 1e-12);
/// # Ok::<(), hindsight_llm_metrics::Error>(())
/// ```
///
/// # Errors
/// As [`weights`]; [`Error::EmptyFilter`] if asked for; [`Error::Empty`] if every prompt is dropped.
pub fn gap(
    responses: &Responses,
    scores: &[f64],
    weighting: Weighting,
    options: GapOptions,
) -> Result<GapEstimate> {
    gap_with_weights(responses, &weights(responses, scores, weighting)?, options)
}

/// Returns the gap under weights of any origin: an ensemble, a tournament.
///
/// # Errors
/// [`Error::Length`]; [`Error::NotFinite`], [`Error::OutOfRange`] for a negative weight; as [`gap`].
#[allow(clippy::cast_precision_loss)] // Counts.
pub fn gap_with_weights(
    responses: &Responses,
    weights: &[f64],
    options: GapOptions,
) -> Result<GapEstimate> {
    check_len("weights", responses.len(), weights.len())?;
    check_finite("weights", weights)?;
    if let Some(index) = weights.iter().position(|w| *w < 0.0) {
        return Err(Error::OutOfRange {
            what: "weights",
            index,
            value: weights[index],
            min: 0.0,
            max: f64::INFINITY,
        });
    }
    let mut per_prompt = Vec::with_capacity(responses.prompts());
    let (mut empty_prompts, mut perfect_prompts) = (0, 0);
    let (mut pooled_weight, mut pooled_utility) = (0.0, 0.0);
    for (prompt, range) in responses.groups().enumerate() {
        let (u, w) = (&responses.utility[range.clone()], &weights[range]);
        let base = mean(u);
        let total: f64 = w.iter().sum();
        let empty = total <= 0.0;
        if empty {
            empty_prompts += 1;
            match options.empty {
                EmptyFilter::KeepBase => {}
                EmptyFilter::Drop => continue,
                EmptyFilter::Error => return Err(Error::EmptyFilter { prompt }),
            }
        }
        pooled_weight += total;
        pooled_utility += u.iter().zip(w).map(|(u, w)| u * w).sum::<f64>();
        let filtered = if empty {
            base
        } else {
            filtered_utility(u, w, options.jackknife)
        };
        let room = responses.ceiling[prompt] - base;
        let perfect = room <= 1e-12;
        perfect_prompts += usize::from(perfect);
        let relative = match (perfect, options.perfect) {
            (false, _) => Some((filtered - base) / room),
            (true, Perfect::Zero) => Some(0.0),
            (true, Perfect::Drop) => None,
        };
        per_prompt.push(PromptGap {
            prompt,
            base,
            filtered,
            gap: filtered - base,
            relative,
            empty,
        });
    }
    if per_prompt.is_empty() {
        return Err(Error::Empty {
            what: "the set of prompts with a kept response",
        });
    }
    let column = |f: fn(&PromptGap) -> f64| per_prompt.iter().map(f).collect::<Vec<f64>>();
    let gaps = column(|p| p.gap);
    let mut relatives: Vec<f64> = per_prompt.iter().filter_map(|p| p.relative).collect();
    relatives.sort_by(f64::total_cmp);
    let n = gaps.len() as f64;
    let m = relatives.len() as f64;
    let median = if relatives.is_empty() {
        f64::NAN
    } else {
        crate::stats::interval::quantile_sorted(&relatives, 0.5)
    };
    Ok(GapEstimate {
        prompts: per_prompt.len(),
        responses: responses.len(),
        empty_prompts,
        perfect_prompts,
        kept: weights.iter().filter(|w| **w > 0.0).count() as f64 / weights.len() as f64,
        base: mean(&column(|p| p.base)),
        filtered: mean(&column(|p| p.filtered)),
        gap: mean(&gaps),
        gap_se: sample_sd(&gaps) / n.sqrt(),
        relative: mean(&relatives),
        relative_se: sample_sd(&relatives) / m.sqrt(),
        relative_median: median,
        relative_below_minus_one: relatives.iter().filter(|r| **r < -1.0).count() as f64 / m,
        pooled: pooled_utility / pooled_weight,
        per_prompt,
    })
}

/// The weighted mean utility, with the jackknife R v - (R - 1) mean(v without i) if asked for and possible.
#[allow(clippy::cast_precision_loss)] // Counts.
fn filtered_utility(u: &[f64], w: &[f64], jackknife: bool) -> f64 {
    let total: f64 = w.iter().sum();
    let sum: f64 = u.iter().zip(w).map(|(u, w)| u * w).sum();
    let v = sum / total;
    // If one response carries all the weight, leaving it out leaves nothing.
    if !jackknife || u.len() < 2 || w.iter().any(|w| total - w <= 1e-12 * total) {
        return v;
    }
    let r = u.len() as f64;
    let without: f64 = u
        .iter()
        .zip(w)
        .map(|(u, w)| (sum - u * w) / (total - w))
        .sum::<f64>()
        / r;
    r * v - (r - 1.0) * without
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::uniform;
    use proptest::prelude::*;

    fn case() -> impl Strategy<Value = (Vec<Vec<f64>>, Vec<f64>)> {
        proptest::collection::vec(1usize..8, 1..6).prop_flat_map(|sizes| {
            let n: usize = sizes.iter().sum();
            (
                proptest::collection::vec(0u32..=4, n),
                proptest::collection::vec(0u32..=4, n),
            )
                .prop_map(move |(u, s)| {
                    let mut at = 0;
                    let lists = sizes
                        .iter()
                        .map(|k| {
                            at += k;
                            u[at - k..at].iter().map(|v| f64::from(*v) / 4.0).collect()
                        })
                        .collect();
                    (lists, s.iter().map(|v| f64::from(*v) / 4.0).collect())
                })
        })
    }

    proptest! {
        #[test]
        fn gap_equals_its_definition((lists, scores) in case(), tau in 0u32..=5) {
            let tau = f64::from(tau) / 4.0;
            let r = Responses::new(&lists).unwrap();
            let g = gap(&r, &scores, Weighting::Threshold(tau), GapOptions::default()).unwrap();
            let (mut at, mut sum, mut rel) = (0, 0.0, 0.0);
            for u in &lists {
                let s = &scores[at..at + u.len()];
                at += u.len();
                let b = u.iter().sum::<f64>() / u.len() as f64;
                let kept: Vec<f64> = u.iter().zip(s).filter(|(_, s)| **s >= tau).map(|(u, _)| *u).collect();
                let v = if kept.is_empty() { b } else { kept.iter().sum::<f64>() / kept.len() as f64 };
                sum += v - b;
                rel += if b < 1.0 { (v - b) / (1.0 - b) } else { 0.0 };
            }
            prop_assert!((g.gap - sum / lists.len() as f64).abs() < 1e-12);
            prop_assert!((g.relative - rel / lists.len() as f64).abs() < 1e-12);
            prop_assert!((g.filtered - g.base - g.gap).abs() < 1e-12);
        }

        #[test]
        fn gap_is_the_covariance_over_the_mean_weight((lists, scores) in case(), beta in 0.1f64..5.0) {
            let r = Responses::new(&lists).unwrap();
            let w = weights(&r, &scores, Weighting::Exponential { beta }).unwrap();
            let g = gap_with_weights(&r, &w, GapOptions::default()).unwrap();
            let mut at = 0;
            for (u, p) in lists.iter().zip(&g.per_prompt) {
                let w = &w[at..at + u.len()];
                at += u.len();
                let (mw, mu) = (mean(w), mean(u));
                let cov = u.iter().zip(w).map(|(u, w)| (u - mu) * (w - mw)).sum::<f64>() / u.len() as f64;
                prop_assert!((p.gap - cov / mw).abs() < 1e-12);
            }
        }

        #[test]
        fn constant_scores_give_no_gap((lists, _) in case(), beta in 0.1f64..5.0) {
            let r = Responses::new(&lists).unwrap();
            let flat = vec![0.5; r.len()];
            for w in [Weighting::Threshold(0.5), Weighting::Exponential { beta }] {
                prop_assert!(gap(&r, &flat, w, GapOptions::default()).unwrap().gap.abs() < 1e-12);
            }
        }
    }

    #[test]
    fn the_papers_toy_figure() {
        // Figure 2: 60 % become 66.7 %, a gap of 6.7 points: 6 of 10 right, the filter keeps 4 right of 6.
        let r = Responses::new(&[vec![1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]]).unwrap();
        let s = [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0];
        let g = gap(&r, &s, Weighting::Threshold(0.5), GapOptions::default()).unwrap();
        assert!((g.filtered - 2.0 / 3.0).abs() < 1e-12 && (g.gap - 1.0 / 15.0).abs() < 1e-12);
    }

    #[test]
    fn absolute_and_relative_gap_can_differ_in_sign() {
        // As in the paper's Sudoku table: a small gain on hard prompts, a loss on a nearly solved one.
        let mut easy = vec![1.0; 19];
        easy.push(0.0);
        let mut s = vec![0.0; 19];
        s.push(1.0);
        let hard = vec![1.0, 0.0, 0.0, 0.0];
        let scores: Vec<f64> = s
            .iter()
            .copied()
            .chain([1.0, 0.0, 0.0, 0.0].repeat(3))
            .collect();
        let r = Responses::new(&[easy, hard.clone(), hard.clone(), hard]).unwrap();
        let g = gap(
            &r,
            &scores,
            Weighting::Threshold(0.5),
            GapOptions::default(),
        )
        .unwrap();
        assert!(g.gap > 0.0 && g.relative < 0.0);
        assert_eq!(g.relative_below_minus_one, 0.25);
    }

    #[test]
    fn empty_and_perfect_prompts_follow_the_options_and_are_counted() {
        let r = Responses::new(&[vec![1.0, 1.0], vec![0.0, 1.0]]).unwrap();
        let s = [0.9, 0.9, 0.1, 0.1];
        let run = |empty, perfect| {
            gap(
                &r,
                &s,
                Weighting::Threshold(0.5),
                GapOptions {
                    empty,
                    perfect,
                    jackknife: false,
                },
            )
        };
        let g = run(EmptyFilter::KeepBase, Perfect::Zero).unwrap();
        assert_eq!(
            (g.prompts, g.empty_prompts, g.perfect_prompts, g.gap),
            (2, 1, 1, 0.0)
        );
        let g = run(EmptyFilter::Drop, Perfect::Drop).unwrap();
        assert_eq!((g.prompts, g.empty_prompts), (1, 1));
        assert!(g.relative.is_nan());
        assert_eq!(
            run(EmptyFilter::Error, Perfect::Zero).unwrap_err(),
            Error::EmptyFilter { prompt: 1 }
        );
        let all = gap(
            &r,
            &s,
            Weighting::Threshold(2.0),
            GapOptions {
                empty: EmptyFilter::Drop,
                ..GapOptions::default()
            },
        );
        assert!(matches!(all, Err(Error::Empty { .. })));
    }

    #[test]
    fn the_jackknife_removes_the_ratio_bias_of_soft_weights() {
        // Score = utility + noise; truth by a large sample. 4000 prompts of 6 responses, bias of the plain ratio about -1/R.
        let beta = 0.3;
        let draw = |i: u64| {
            let u = f64::from(u8::from(uniform(1, 1, i) < 0.4));
            (u, u + 1.5 * uniform(1, 2, i))
        };
        let (mut num, mut den, mut base) = (0.0, 0.0, 0.0);
        let big = 2_000_000u64;
        for i in 0..big {
            let (u, s) = draw(i + 1_000_000_000);
            let w = (s / beta).exp();
            num += w * u;
            den += w;
            base += u;
        }
        let truth = num / den - base / big as f64;
        let data: Vec<(f64, f64)> = (0..24_000).map(draw).collect();
        let lists: Vec<Vec<f64>> = data
            .chunks(6)
            .map(|c| c.iter().map(|d| d.0).collect())
            .collect();
        let scores: Vec<f64> = data.iter().map(|d| d.1).collect();
        let r = Responses::new(&lists).unwrap();
        let w = Weighting::Exponential { beta };
        let plain = gap(&r, &scores, w, GapOptions::default()).unwrap();
        let jack = gap(
            &r,
            &scores,
            w,
            GapOptions {
                jackknife: true,
                ..GapOptions::default()
            },
        )
        .unwrap();
        assert!(
            (plain.gap - truth).abs() > 5.0 * plain.gap_se,
            "the planted bias: {} {truth}",
            plain.gap
        );
        assert!(
            (jack.gap - truth).abs() < 0.4 * (plain.gap - truth).abs(),
            "{} {} {truth}",
            plain.gap,
            jack.gap
        );
    }

    #[test]
    fn a_ceiling_below_a_utility_is_refused() {
        let r = || Responses::new(&[vec![0.5, 0.2]]).unwrap();
        assert!(r().with_ceiling(vec![0.4]).is_err());
        let g = gap(
            &r().with_ceiling(vec![0.5]).unwrap(),
            &[1.0, 0.0],
            Weighting::Threshold(0.5),
            GapOptions::default(),
        );
        assert!((g.unwrap().relative - 1.0).abs() < 1e-12);
    }
}
