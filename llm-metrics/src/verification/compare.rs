//! Verifiers and generators side by side: paired differences and the matrix of cross-verification.

use super::estimate::{GapEstimate, GapOptions, gap};
use super::filter::Weighting;
use super::responses::Responses;
use crate::error::{Error, Result, check_len};
use crate::stats::interval::{mean, sample_sd};

/// The difference of two verifiers' gaps on the same prompts.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct PairedDifference {
    /// Prompts in both estimates.
    pub prompts: usize,
    /// Mean of the per-prompt differences, first minus second.
    pub difference: f64,
    /// Standard error of the mean; NaN for one prompt.
    pub standard_error: f64,
}

/// Returns the paired difference of two estimates over the prompts that are in both.
///
/// # Errors
/// [`Error::Empty`] if no prompt is in both.
#[allow(clippy::cast_precision_loss)] // Counts.
pub fn paired_difference(first: &GapEstimate, second: &GapEstimate) -> Result<PairedDifference> {
    let mut other = second.per_prompt.iter().peekable();
    let mut differences = Vec::new();
    for a in &first.per_prompt {
        while other.peek().is_some_and(|b| b.prompt < a.prompt) {
            other.next();
        }
        if let Some(b) = other.peek().filter(|b| b.prompt == a.prompt) {
            differences.push(a.gap - b.gap);
        }
    }
    if differences.is_empty() {
        return Err(Error::Empty {
            what: "the set of prompts in both estimates",
        });
    }
    Ok(PairedDifference {
        prompts: differences.len(),
        difference: mean(&differences),
        standard_error: sample_sd(&differences) / (differences.len() as f64).sqrt(),
    })
}

/// Returns the cross-verification matrix: row g, column v is the gap of generator g filtered by verifier v. The diagonal of models
/// that verify themselves is the self-gap.
///
/// `generators` holds each generator's responses with one slice of scores per verifier, in the same order of verifiers.
///
/// # Errors
/// [`Error::Length`] if generators have different numbers of verifiers; as [`gap`].
pub fn cross_matrix(
    generators: &[(&Responses, &[Vec<f64>])],
    weighting: Weighting,
    options: GapOptions,
) -> Result<Vec<Vec<GapEstimate>>> {
    let verifiers = generators.first().map_or(0, |g| g.1.len());
    generators
        .iter()
        .map(|(responses, scores)| {
            check_len("the verifiers of a generator", verifiers, scores.len())?;
            scores
                .iter()
                .map(|s| gap(responses, s, weighting, options))
                .collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paired_differences_are_sharper_and_the_matrix_has_its_diagonal() {
        let r = Responses::new(&[vec![1.0, 0.0], vec![0.0, 1.0], vec![1.0, 0.0]]).unwrap();
        let (a, b) = (
            vec![0.9, 0.1, 0.1, 0.9, 0.9, 0.9],
            vec![0.9, 0.1, 0.1, 0.9, 0.1, 0.9],
        );
        let rows = cross_matrix(
            &[(&r, &[a, b])],
            Weighting::Threshold(0.5),
            GapOptions::default(),
        )
        .unwrap();
        let d = paired_difference(&rows[0][0], &rows[0][1]).unwrap();
        assert!((d.difference - (rows[0][0].gap - rows[0][1].gap)).abs() < 1e-12);
        assert_eq!(d.prompts, 3);
    }

    #[test]
    fn the_paired_error_is_that_of_the_differences() {
        // Two verifiers that differ on one prompt of three by half a point: mean 1/6, and no more than that in spread.
        let r = Responses::new(&[vec![1.0, 0.0], vec![0.0, 1.0], vec![1.0, 0.0]]).unwrap();
        let run =
            |s: [f64; 6]| gap(&r, &s, Weighting::Threshold(0.5), GapOptions::default()).unwrap();
        let (a, b) = (
            run([0.9, 0.1, 0.1, 0.9, 0.9, 0.1]),
            run([0.9, 0.1, 0.1, 0.9, 0.9, 0.9]),
        );
        let d = paired_difference(&a, &b).unwrap();
        assert!((d.difference - 1.0 / 6.0).abs() < 1e-12);
        // Differences 0, 0, 1/2: variance 1/12, standard error sqrt(1/36).
        assert!((d.standard_error - 1.0 / 6.0).abs() < 1e-12);
    }
}
