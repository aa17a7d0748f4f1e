//! Bootstrap of the gap over prompts, and over responses within prompts.

use super::estimate::{GapOptions, gap_with_weights};
use super::responses::Responses;
use crate::error::Result;
use crate::stats::par;
use crate::stats::stream::{hash, poisson_weight};

/// What is resampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum Stages {
    /// Prompts, each with all its responses: the unit of independence. Its spread already contains that of the responses.
    #[default]
    Prompts,
    /// Prompts, and responses within each: wider than [`Stages::Prompts`], for when another draw of responses on redrawn prompts is the
    /// question.
    PromptsAndResponses,
}

/// Bootstrap replicates of the gap.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct GapReplicates {
    /// Mean gap of each replicate.
    pub gap: Vec<f64>,
    /// Mean relative gap of each replicate.
    pub relative: Vec<f64>,
}

/// Returns replicates of the mean gap and the mean relative gap with Poisson(1) weights keyed by (seed, prompt, replicate).
///
/// Feed them to [`crate::stats::bootstrap_interval`]. A replicate in which no prompt has weight is the estimate itself.
///
/// # Errors
/// As [`gap_with_weights`].
#[allow(clippy::cast_precision_loss)] // Counts.
pub fn gap_bootstrap(
    responses: &Responses,
    weights: &[f64],
    options: GapOptions,
    stages: Stages,
    replicates: usize,
    seed: u64,
) -> Result<GapReplicates> {
    let estimate = gap_with_weights(responses, weights, options)?;
    let pairs = par::map(replicates, |r| {
        let (mut n, mut gap, mut m, mut relative) = (0.0, 0.0, 0.0, 0.0);
        for p in &estimate.per_prompt {
            let weight = f64::from(poisson_weight(seed, p.prompt as u64, r as u64));
            if weight <= 0.0 {
                continue;
            }
            let (g, rel) = match stages {
                Stages::Prompts => (p.gap, p.relative),
                Stages::PromptsAndResponses => redraw(
                    responses,
                    weights,
                    p.prompt,
                    hash(seed, 0x2574, r as u64),
                    p.relative,
                ),
            };
            n += weight;
            gap += weight * g;
            if let Some(rel) = rel {
                m += weight;
                relative += weight * rel;
            }
        }
        let or = |sum: f64, count: f64, alternative: f64| {
            if count > 0.0 {
                sum / count
            } else {
                alternative
            }
        };
        (or(gap, n, estimate.gap), or(relative, m, estimate.relative))
    });
    let (gap, relative) = pairs.into_iter().unzip();
    Ok(GapReplicates { gap, relative })
}

/// The gap of a prompt under Poisson weights of its responses. Where no response has weight, or none that is kept, the gap is 0.
fn redraw(
    responses: &Responses,
    weights: &[f64],
    prompt: usize,
    key: u64,
    relative: Option<f64>,
) -> (f64, Option<f64>) {
    let (mut n, mut sum, mut kept, mut kept_sum) = (0.0, 0.0, 0.0, 0.0);
    for i in responses.range(prompt).into_iter().flatten() {
        let m = f64::from(poisson_weight(key, i as u64, 1));
        n += m;
        sum += m * responses.utility[i];
        kept += m * weights[i];
        kept_sum += m * weights[i] * responses.utility[i];
    }
    if n <= 0.0 || kept <= 0.0 {
        return (0.0, relative.map(|_| 0.0));
    }
    let base = sum / n;
    let gap = kept_sum / kept - base;
    let room = responses.ceiling[prompt] - base;
    (
        gap,
        relative.map(|_| if room > 1e-12 { gap / room } else { 0.0 }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::interval::{BootstrapInterval, bootstrap_interval, mean, sample_sd};
    use crate::testing::uniform;
    use crate::verification::{Weighting, weights};

    /// P prompts of R responses whose difficulty varies; score = utility + noise.
    fn data(prompts: usize, r: usize, seed: u64) -> (Responses, Vec<f64>) {
        let mut lists = vec![];
        let mut scores = vec![];
        for p in 0..prompts as u64 {
            let difficulty = uniform(seed, 1, p);
            let u: Vec<f64> = (0..r as u64)
                .map(|i| f64::from(u8::from(uniform(seed, 2, p * 1000 + i) < difficulty)))
                .collect();
            scores.extend(
                u.iter()
                    .enumerate()
                    .map(|(i, u)| 0.5 * u + uniform(seed, 3, p * 1000 + i as u64)),
            );
            lists.push(u);
        }
        (Responses::new(&lists).unwrap(), scores)
    }

    #[test]
    fn spread_agrees_with_the_standard_error_over_prompts() {
        let (r, s) = data(300, 8, 1);
        let w = weights(&r, &s, Weighting::Threshold(0.8)).unwrap();
        let e = gap_with_weights(&r, &w, GapOptions::default()).unwrap();
        let b = gap_bootstrap(&r, &w, GapOptions::default(), Stages::Prompts, 1000, 3).unwrap();
        assert!((mean(&b.gap) - e.gap).abs() < 4.0 * e.gap_se / 1000f64.sqrt());
        assert!((sample_sd(&b.gap) / e.gap_se - 1.0).abs() < 0.1);
        let two = gap_bootstrap(
            &r,
            &w,
            GapOptions::default(),
            Stages::PromptsAndResponses,
            300,
            3,
        )
        .unwrap();
        assert!(sample_sd(&two.gap) > sample_sd(&b.gap));
    }

    #[test]
    fn percentile_interval_over_prompts_covers_and_over_responses_does_not() {
        // Truth: the expectation over prompts, by a large run. 200 sets of 60 prompts; standard error of the coverage 0.021.
        let options = GapOptions::default();
        let value = |r: &Responses, s: &[f64]| {
            gap_with_weights(
                r,
                &weights(r, s, Weighting::Threshold(0.8)).unwrap(),
                options,
            )
            .unwrap()
        };
        let (r, s) = data(60_000, 8, 777);
        let truth = value(&r, &s).gap;
        let (mut good, mut bad) = (0, 0);
        for set in 0..200 {
            let (r, s) = data(60, 8, 10_000 + set);
            let w = weights(&r, &s, Weighting::Threshold(0.8)).unwrap();
            let e = gap_with_weights(&r, &w, options).unwrap();
            let b = gap_bootstrap(&r, &w, options, Stages::Prompts, 300, set).unwrap();
            good += usize::from(
                bootstrap_interval(&b.gap, e.gap, 0.9, BootstrapInterval::Percentile)
                    .unwrap()
                    .contains(truth),
            );
            // The planted fault: every response counted as a unit of its own.
            let se = e.gap_se / 8f64.sqrt();
            bad += usize::from((e.gap - truth).abs() < 1.645 * se);
        }
        assert!(good as f64 / 200.0 > 0.9 - 4.0 * 0.021, "{good}");
        assert!((bad as f64) / 200.0 < 0.9 - 4.0 * 0.021, "{bad}");
    }
}
