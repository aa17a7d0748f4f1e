//! From token log-probabilities to label scores, through the words that stand for a label.

use crate::calibration::logits::log_sum_exp;
use crate::error::{Error, Result};

/// The words (tokens) that stand for each label.
///
/// ```
/// use hindsight_llm_metrics::calibration::Verbalisers;
/// let words = Verbalisers::from_labels(&["Yes", "No"])?;
/// assert_eq!(words.words()[0], [" Yes", "Yes", "yes"]);
/// let scores = words.scores(|token| match token { "Yes" => Some(0.5f64.ln()), " Yes" => Some(0.25f64.ln()), _ => None })?;
/// assert!((scores[0] - 0.75f64.ln()).abs() < 1e-12); // probabilities of a label's words add
/// assert_eq!(scores[1], f64::NEG_INFINITY); // a label without any word has probability 0, not logit 0
/// # Ok::<(), hindsight_llm_metrics::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verbalisers {
    words: Vec<Vec<String>>,
}

impl Verbalisers {
    /// Returns verbalisers with the given words per label.
    ///
    /// # Errors
    /// [`Error::TooFew`] for fewer than two labels or for a label without words.
    pub fn new(words: Vec<Vec<String>>) -> Result<Self> {
        if words.len() < 2 {
            return Err(Error::TooFew {
                what: "the number of labels",
                needed: 2,
                found: words.len(),
            });
        }
        if words.iter().any(Vec::is_empty) {
            return Err(Error::TooFew {
                what: "the number of words of a label",
                needed: 1,
                found: 0,
            });
        }
        Ok(Self { words })
    }

    /// Returns for each label the three forms that the code of arXiv:2312.04021 tries: with a leading space, as it is, in lower case;
    /// repeated forms once.
    ///
    /// # Errors
    /// [`Error::TooFew`] for fewer than two labels.
    pub fn from_labels(labels: &[&str]) -> Result<Self> {
        let forms = |label: &&str| {
            let mut forms: Vec<String> = Vec::new();
            for form in [
                format!(" {label}"),
                (*label).to_owned(),
                label.to_lowercase(),
            ] {
                if !forms.contains(&form) {
                    forms.push(form);
                }
            }
            forms
        };
        Self::new(labels.iter().map(forms).collect())
    }

    /// Returns the words, label by label.
    #[must_use]
    pub fn words(&self) -> &[Vec<String>] {
        &self.words
    }

    /// Returns each label's log-probability mass: the log-sum-exp of the log-probabilities of its words that `log_probability` knows.
    ///
    /// Probabilities add, so log-probabilities combine by log-sum-exp (adding them would multiply). The scores are logits for
    /// [`crate::calibration::Logits`]; a softmax over labels normalises them.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if a word's value is NaN or above 0; [`Error::Empty`] if no word of any label is known.
    pub fn scores(&self, log_probability: impl Fn(&str) -> Option<f64>) -> Result<Vec<f64>> {
        let mut scores = Vec::with_capacity(self.words.len());
        for (index, words) in self.words.iter().enumerate() {
            let found: Vec<f64> = words.iter().filter_map(|w| log_probability(w)).collect();
            // A little above 0 is rounding in the log.
            if let Some(&value) = found.iter().find(|v| !(**v <= 1e-6)) {
                return Err(Error::OutOfRange {
                    what: "log-probability of label",
                    index,
                    value,
                    min: f64::NEG_INFINITY,
                    max: 0.0,
                });
            }
            scores.push(log_sum_exp(&found));
        }
        if scores.iter().all(|s| s.is_infinite()) {
            return Err(Error::Empty {
                what: "the probability mass on all labels",
            });
        }
        Ok(scores)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_add_and_values_above_zero_are_refused() {
        let v = Verbalisers::new(vec![vec!["a".into(), "b".into()], vec!["c".into()]]).unwrap();
        let s = v
            .scores(|w| {
                Some(match w {
                    "a" => 0.1f64.ln(),
                    "b" => 0.2f64.ln(),
                    _ => 0.4f64.ln(),
                })
            })
            .unwrap();
        assert!((s[0].exp() - 0.3).abs() < 1e-12 && (s[1].exp() - 0.4).abs() < 1e-12);
        assert!(matches!(
            v.scores(|_| Some(0.3)),
            Err(Error::OutOfRange { index: 0, .. })
        ));
        assert!(matches!(
            v.scores(|_| Some(f64::NAN)),
            Err(Error::OutOfRange { .. })
        ));
        assert!(matches!(v.scores(|_| None), Err(Error::Empty { .. })));
        assert!(Verbalisers::from_labels(&["one"]).is_err());
        assert_eq!(
            Verbalisers::from_labels(&["a", "b"]).unwrap().words()[0],
            [" a", "a"]
        );
    }
}
