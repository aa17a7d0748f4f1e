//! Rounds of self-improvement, judged from their logs.

use super::estimate::{GapOptions, gap};
use super::filter::Weighting;
use super::passk::{PassSummary, pass_summary};
use super::responses::Responses;
use crate::error::{Error, Result};

/// The log of one round: the responses sampled from the model of that round, scored by a verifier.
#[derive(Debug, Clone)]
pub struct Round {
    /// Responses with true utilities.
    pub responses: Responses,
    /// The verifier's scores, in the same order.
    pub scores: Vec<f64>,
}

/// What one round shows.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct RoundSummary {
    /// Round, from 0.
    pub round: usize,
    /// Mean utility J of the round's generator.
    pub utility: f64,
    /// Gap and its standard error over prompts.
    pub gap: f64,
    /// Standard error of the gap.
    pub gap_se: f64,
    /// Mean relative gap.
    pub relative: f64,
    /// J of the next round minus J of this one; `None` in the last.
    pub improvement: Option<f64>,
    /// Improvement minus gap: minus the loss of the update, which bounds how far training fell short of the filter; `None` in the last.
    pub update_excess: Option<f64>,
    /// pass@k and pass^k at k = 1, 2, 4, ... up to the smallest number of responses; empty if utilities are not 0 and 1. A pass@k that
    /// falls for large k while it rises for small k is a loss of diversity.
    pub pass: Vec<PassSummary>,
}

/// Returns a summary of each round. Training happens elsewhere; this judges what was sampled before and after it.
///
/// # Errors
/// [`Error::Empty`] for no rounds; as [`gap`].
#[allow(clippy::float_cmp)] // Utilities are 0 or 1 exactly.
pub fn judge_rounds(
    rounds: &[Round],
    weighting: Weighting,
    options: GapOptions,
) -> Result<Vec<RoundSummary>> {
    if rounds.is_empty() {
        return Err(Error::Empty { what: "rounds" });
    }
    let mut out: Vec<RoundSummary> = Vec::with_capacity(rounds.len());
    for (round, log) in rounds.iter().enumerate() {
        let r = &log.responses;
        let estimate = gap(r, &log.scores, weighting, options)?;
        let binary = r.utility.iter().all(|u| *u == 0.0 || *u == 1.0);
        let fewest = (0..r.prompts())
            .map(|p| r.utilities(p).len())
            .min()
            .unwrap_or(0);
        let ks = std::iter::successors(Some(1usize), |k| k.checked_mul(2))
            .take_while(|k| binary && *k <= fewest);
        let pass = ks.map(|k| pass_summary(r, k)).collect::<Result<_>>()?;
        // J over all prompts, whatever the filter drops.
        let utility = (0..r.prompts())
            .map(|p| crate::stats::interval::mean(r.utilities(p)))
            .collect::<Vec<_>>();
        let utility = crate::stats::interval::mean(&utility);
        if let Some(last) = out.last_mut() {
            last.improvement = Some(utility - last.utility);
            last.update_excess = Some(utility - last.utility - last.gap);
        }
        out.push(RoundSummary {
            round,
            utility,
            gap: estimate.gap,
            gap_se: estimate.gap_se,
            relative: estimate.relative,
            improvement: None,
            update_excess: None,
            pass,
        });
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_that_equals_the_filter_has_no_excess() {
        // Round 1 samples exactly the filtered generator of round 0.
        let zero = Round {
            responses: Responses::new(&[vec![1.0, 0.0, 0.0, 1.0], vec![0.0, 1.0, 0.0, 0.0]])
                .unwrap(),
            scores: vec![0.9, 0.1, 0.8, 0.9, 0.1, 0.9, 0.9, 0.1],
        };
        let one = Round {
            responses: Responses::new(&[vec![1.0, 0.0, 1.0], vec![1.0, 0.0]]).unwrap(),
            scores: vec![0.9; 5],
        };
        let s = judge_rounds(
            &[zero, one],
            Weighting::Threshold(0.5),
            GapOptions::default(),
        )
        .unwrap();
        assert!((s[0].improvement.unwrap() - s[0].gap).abs() < 1e-12);
        assert!(s[0].update_excess.unwrap().abs() < 1e-12);
        assert!(s[1].improvement.is_none());
        assert_eq!(s[0].pass.iter().map(|p| p.k).collect::<Vec<_>>(), [1, 2, 4]);
        assert!((s[0].pass[0].pass_at_k - s[0].utility).abs() < 1e-12);
        assert!(judge_rounds(&[], Weighting::Threshold(0.5), GapOptions::default()).is_err());
    }
}
