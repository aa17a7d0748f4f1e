//! Logits over K classes with their labels.

use crate::calibration::probabilities::{Probabilities, check_shape, row_access};
use crate::error::{Error, Result};

/// n records of logits over K classes, row-major, with labels in 0..K. A logit of $-\infty$ (a label without any probability) is
/// allowed if the row has a finite one.
///
/// ```
/// use hindsight_llm_metrics::calibration::Logits;
/// let z = Logits::new(vec![1000.0, 0.0], 2, vec![1])?;
/// assert_eq!(z.nll(), 1000.0); // log-sum-exp: no clipping, no overflow
/// # Ok::<(), hindsight_llm_metrics::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Logits {
    values: Vec<f64>,
    classes: usize,
    labels: Vec<usize>,
}

row_access!(Logits, "logits");

impl Logits {
    /// Returns checked logits.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::Length`], [`Error::Label`], [`Error::NotFinite`] (NaN, $+\infty$, or a row of $-\infty$ alone);
    /// [`Error::Parameter`] for fewer than two classes.
    pub fn new(values: Vec<f64>, classes: usize, labels: Vec<usize>) -> Result<Self> {
        check_shape(&values, classes, &labels)?;
        for (i, row) in values.chunks_exact(classes).enumerate() {
            check_logits(i, row)?;
        }
        Ok(Self {
            values,
            classes,
            labels,
        })
    }

    /// Returns the records with the given indices, in that order. Indices out of range are skipped.
    pub(crate) fn subset(&self, keep: impl Fn(usize) -> bool) -> Option<Self> {
        let kept: Vec<usize> = (0..self.len()).filter(|&i| keep(i)).collect();
        let values = kept
            .iter()
            .flat_map(|&i| {
                self.values[i * self.classes..(i + 1) * self.classes]
                    .iter()
                    .copied()
            })
            .collect();
        let labels: Vec<usize> = kept.iter().map(|&i| self.labels[i]).collect();
        (!kept.is_empty()).then_some(Self {
            values,
            classes: self.classes,
            labels,
        })
    }

    /// Returns the softmax, rows shifted by their maximum.
    #[must_use]
    pub fn softmax(&self) -> Probabilities {
        self.softmax_at(1.0)
    }
    /// The softmax of `beta` times the logits, beta > 0.
    pub(crate) fn softmax_at(&self, beta: f64) -> Probabilities {
        let mut values = self.values.clone();
        for row in values.chunks_exact_mut(self.classes) {
            softmax_in_place(row, beta);
        }
        Probabilities {
            values,
            classes: self.classes,
            labels: self.labels.clone(),
        }
    }
    /// Returns the log loss $\frac1n \sum_i (\mathrm{lse}(z_i) - z_{i y_i})$; infinite if a label's logit is $-\infty$.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // Counts.
    pub fn nll(&self) -> f64 {
        self.rows()
            .map(|(row, label)| log_sum_exp(row) - row[label])
            .sum::<f64>()
            / self.len() as f64
    }
}

/// Returns $\ln \sum_k e^{z_k}$ without overflow; $-\infty$ for no terms.
///
/// ```
/// use hindsight_llm_metrics::calibration::log_sum_exp;
/// assert!((log_sum_exp(&[1000.0, 1000.0]) - 1000.0 - 2f64.ln()).abs() < 1e-12);
/// assert_eq!(log_sum_exp(&[]), f64::NEG_INFINITY);
/// ```
#[must_use]
pub fn log_sum_exp(values: &[f64]) -> f64 {
    let top = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if top.is_infinite() {
        return top;
    }
    top + values.iter().map(|v| (v - top).exp()).sum::<f64>().ln()
}

/// Checks the row of record `index`.
pub(crate) fn check_logits(index: usize, row: &[f64]) -> Result<()> {
    let bad = row.iter().position(|v| v.is_nan() || *v == f64::INFINITY);
    match bad.or_else(|| row.iter().all(|v| v.is_infinite()).then_some(0)) {
        Some(k) => Err(Error::NotFinite {
            what: "logits",
            index: index.saturating_mul(row.len()).saturating_add(k),
            value: row.get(k).copied().unwrap_or(f64::NAN),
        }),
        None => Ok(()),
    }
}

pub(crate) fn softmax_in_place(row: &mut [f64], beta: f64) {
    let top = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for v in row.iter_mut() {
        *v = (beta * (*v - top)).exp();
        sum += *v;
    }
    for v in row.iter_mut() {
        *v /= sum;
    }
}
