//! From verifier scores to weights: filters, soft weights, ensembles.

use super::responses::Responses;
use crate::error::{Allowed, Error, Result, check_finite, check_len, check_positive};
use crate::stats::interval::mean;

/// How a quantile of a prompt's own scores is read when it falls between two of them. With scores on a short scale (1 to 10) the rule
/// changes which responses are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum QuantileRule {
    /// Linear interpolation, NumPy's default.
    #[default]
    Linear,
    /// The lower neighbour.
    Lower,
    /// The higher neighbour.
    Higher,
    /// The smallest score whose distribution function is at least q.
    InvertedCdf,
}

/// How scores weight the responses of a prompt.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum Weighting {
    /// Rejection sampling at one threshold for all prompts: weight 1 where $s \ge \tau$, else 0.
    Threshold(f64),
    /// Rejection sampling at the q quantile of each prompt's own scores: weight 1 where s is at least it.
    Quantile {
        /// The quantile in [0, 1]; 0.9 keeps about the top tenth, and all ties with the threshold.
        q: f64,
        /// How it is read between two scores.
        rule: QuantileRule,
    },
    /// The weights of KL-constrained reinforcement learning, $e^{s/\beta}$, normalised in each prompt.
    Exponential {
        /// The strength of the constraint, positive: 0 tends to the best response alone, infinity to no change.
        beta: f64,
    },
}

/// Returns the weight of each response. Soft weights are scaled to a maximum of 1 within each prompt, which no estimate notices.
///
/// ```
/// use hindsight_llm_metrics::verification::{Responses, Weighting, weights};
/// let r = Responses::new(&[vec![1.0, 0.0, 1.0]])?;
/// assert_eq!(weights(&r, &[0.9, 0.2, 0.8], Weighting::Threshold(0.8))?, [1.0, 0.0, 1.0]);
/// # Ok::<(), hindsight_llm_metrics::Error>(())
/// ```
///
/// # Errors
/// [`Error::Length`], [`Error::NotFinite`] for `scores`; [`Error::Parameter`] for the weighting.
pub fn weights(responses: &Responses, scores: &[f64], weighting: Weighting) -> Result<Vec<f64>> {
    check_len("scores", responses.len(), scores.len())?;
    check_finite("scores", scores)?;
    let keep = |tau: f64| move |s: &f64| f64::from(u8::from(*s >= tau));
    Ok(match weighting {
        Weighting::Threshold(tau) => {
            if tau.is_nan() {
                return Err(Error::Parameter {
                    name: "threshold",
                    value: tau,
                    allowed: Allowed::Number,
                });
            }
            scores.iter().map(keep(tau)).collect()
        }
        Weighting::Quantile { q, rule } => {
            if !(0.0..=1.0).contains(&q) {
                return Err(Error::Parameter {
                    name: "quantile",
                    value: q,
                    allowed: Allowed::Within(0.0, 1.0),
                });
            }
            let mut out = Vec::with_capacity(scores.len());
            for range in responses.groups() {
                let own = &scores[range];
                let mut sorted = own.to_vec();
                sorted.sort_by(f64::total_cmp);
                out.extend(own.iter().map(keep(quantile(&sorted, q, rule))));
            }
            out
        }
        Weighting::Exponential { beta } => {
            check_positive("beta", beta)?;
            let mut out = Vec::with_capacity(scores.len());
            for range in responses.groups() {
                let own = &scores[range];
                let top = own.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                out.extend(own.iter().map(|s| ((s - top) / beta).exp()));
            }
            out
        }
    })
}

/// The q quantile of sorted, non-empty scores.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)] // 0 <= position < len.
fn quantile(sorted: &[f64], q: f64, rule: QuantileRule) -> f64 {
    let last = sorted.len() - 1;
    let position = q * last as f64;
    let (low, high) = (position.floor() as usize, position.ceil() as usize);
    match rule {
        QuantileRule::Linear => {
            let t = position - low as f64;
            // Written so that equal neighbours give their own value to the last bit: the threshold must keep its ties.
            if sorted[low] >= sorted[high] {
                sorted[low]
            } else {
                sorted[low] + t * (sorted[high] - sorted[low])
            }
        }
        QuantileRule::Lower => sorted[low],
        QuantileRule::Higher => sorted[high.min(last)],
        QuantileRule::InvertedCdf => {
            let rank = (q * sorted.len() as f64 - 1e-9).ceil() as usize;
            sorted[rank.clamp(1, sorted.len()) - 1]
        }
    }
}

/// Returns the score of a verifier asked for one of two words, from their log-probabilities:
/// $P(\text{correct}) / (P(\text{correct}) + P(\text{incorrect})) = \sigma(\ell_c - \ell_i)$; NaN if both are $-\infty$.
///
/// ```
/// let s = hindsight_llm_metrics::verification::choice_score(0.3f64.ln(), 0.1f64.ln());
/// assert!((s - 0.75).abs() < 1e-12);
/// ```
#[must_use]
pub fn choice_score(log_correct: f64, log_incorrect: f64) -> f64 {
    if log_correct >= log_incorrect {
        1.0 / (1.0 + (log_incorrect - log_correct).exp())
    } else {
        let e = (log_correct - log_incorrect).exp();
        e / (1.0 + e)
    }
}

/// Returns the product of several verifiers' weights: the logical AND of filters.
///
/// # Errors
/// [`Error::Empty`] for no verifiers; [`Error::Length`].
pub fn ensemble(verifiers: &[Vec<f64>]) -> Result<Vec<f64>> {
    let first = verifiers
        .first()
        .ok_or(Error::Empty { what: "verifiers" })?;
    let mut out = first.clone();
    for v in &verifiers[1..] {
        check_len("the weights of a verifier", out.len(), v.len())?;
        for (o, w) in out.iter_mut().zip(v) {
            *o *= w;
        }
    }
    Ok(out)
}

/// Returns Pearson's correlation of two verifiers' scores; NaN if one of them is constant.
///
/// # Errors
/// [`Error::Length`], [`Error::Empty`], [`Error::NotFinite`].
pub fn score_correlation(a: &[f64], b: &[f64]) -> Result<f64> {
    check_len("b", a.len(), b.len())?;
    check_finite("a", a)?;
    check_finite("b", b)?;
    let (ma, mb) = (mean(a), mean(b));
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        ab += (x - ma) * (y - mb);
        aa += (x - ma) * (x - ma);
        bb += (y - mb) * (y - mb);
    }
    Ok(ab / (aa * bb).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quantile_rules_agree_with_numpy() {
        // numpy.quantile([1, 2, 4, 8, 16], [0.3, 0.5, 0.9], method=...)
        let s = [1.0, 2.0, 4.0, 8.0, 16.0];
        let all = |rule| [0.3, 0.5, 0.9].map(|q| quantile(&s, q, rule));
        for (a, b) in all(QuantileRule::Linear).iter().zip([2.4, 4.0, 12.8]) {
            assert!((a - b).abs() < 1e-12);
        }
        assert_eq!(all(QuantileRule::Lower), [2.0, 4.0, 8.0]);
        assert_eq!(all(QuantileRule::Higher), [4.0, 4.0, 16.0]);
        assert_eq!(all(QuantileRule::InvertedCdf), [2.0, 4.0, 16.0]);
    }

    proptest! {
        #[test]
        fn a_quantile_always_keeps_at_least_one_response_and_all_ties(
            s in proptest::collection::vec(0u32..10, 1..40), q in 0.0f64..=1.0,
        ) {
            let scores: Vec<f64> = s.iter().map(|v| f64::from(*v) / 7.0).collect();
            let r = Responses::new(&[vec![0.0; scores.len()]]).unwrap();
            for rule in [QuantileRule::Linear, QuantileRule::Lower, QuantileRule::Higher, QuantileRule::InvertedCdf] {
                let w = weights(&r, &scores, Weighting::Quantile { q, rule }).unwrap();
                prop_assert!(w.contains(&1.0));
                for (i, a) in scores.iter().enumerate() {
                    for (j, b) in scores.iter().enumerate() {
                        prop_assert!(a < b || w[i] >= w[j]);
                    }
                }
            }
        }

        #[test]
        fn soft_weights_ignore_a_shift_of_the_scores(
            s in proptest::collection::vec(-5.0f64..5.0, 1..20), shift in -1e3f64..1e3, beta in 0.1f64..10.0,
        ) {
            let r = Responses::new(&[vec![0.0; s.len()]]).unwrap();
            let shifted: Vec<f64> = s.iter().map(|v| v + shift).collect();
            let (a, b) = (Weighting::Exponential { beta }, Weighting::Exponential { beta });
            for (x, y) in weights(&r, &s, a).unwrap().iter().zip(weights(&r, &shifted, b).unwrap()) {
                prop_assert!((x - y).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn choice_score_is_stable_and_ensembles_are_logical_and() {
        assert_eq!(choice_score(-1e4, 0.0), 0.0);
        assert_eq!(choice_score(0.0, -1e4), 1.0);
        assert_eq!(choice_score(0.0, f64::NEG_INFINITY), 1.0);
        assert_eq!(
            ensemble(&[vec![1.0, 1.0, 0.0], vec![1.0, 0.0, 1.0]]).unwrap(),
            [1.0, 0.0, 0.0]
        );
        assert!(ensemble(&[]).is_err() && ensemble(&[vec![1.0], vec![]]).is_err());
        assert!(
            (score_correlation(&[1.0, 2.0, 3.0], &[2.0, 4.0, 6.0]).unwrap() - 1.0).abs() < 1e-12
        );
    }
}
