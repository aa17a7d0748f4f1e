//! Full predictive distributions over K classes, as probabilities or as logits, with their labels.

use crate::calibration::bins::{EdgeRule, Edges};
use crate::calibration::reliability::Reliability;
use crate::error::{Allowed, Error, Result, check_len};

/// How far a row of probabilities may be from summing to one: logs are often rounded to three or four digits.
const SUM_TOLERANCE: f64 = 2e-3;

/// How to cut [0, 1] into bins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Binning {
    /// This many bins of equal width.
    EqualWidth(usize),
    /// At most this many bins with equally many records.
    EqualMass(usize),
}

impl Binning {
    /// Returns the edges for `values`.
    ///
    /// # Errors
    /// As [`Edges::equal_width`] and [`Edges::equal_mass`].
    pub fn edges(self, values: &[f64], rule: EdgeRule) -> Result<Edges> {
        match self {
            Binning::EqualWidth(m) => Edges::equal_width(m, rule),
            Binning::EqualMass(m) => Edges::equal_mass(values, m, rule),
        }
    }
}

/// Top-label view of multiclass predictions.
#[derive(Debug, Clone, PartialEq)]
pub struct TopLabel {
    /// Largest probability of each record.
    pub confidence: Vec<f64>,
    /// Whether the first class with that probability is the label.
    pub correct: Vec<bool>,
    /// Records whose largest probability is shared by several classes.
    pub ties: usize,
}

/// Reading access to `values`, `classes` and `labels`, alike for probabilities and logits.
macro_rules! row_access {
    ($name:ident, $what:literal) => {
        impl $name {
            /// Returns the number of records.
            #[must_use]
            #[allow(clippy::len_without_is_empty)] // There is always at least one.
            pub fn len(&self) -> usize {
                self.labels.len()
            }
            /// Returns the number of classes.
            #[must_use]
            pub fn classes(&self) -> usize {
                self.classes
            }
            /// Returns the labels.
            #[must_use]
            pub fn labels(&self) -> &[usize] {
                &self.labels
            }
            #[doc = concat!("Returns all ", $what, ", row-major.")]
            #[must_use]
            pub fn values(&self) -> &[f64] {
                &self.values
            }
            pub(crate) fn rows(&self) -> impl Iterator<Item = (&[f64], usize)> {
                self.values
                    .chunks_exact(self.classes)
                    .zip(self.labels.iter().copied())
            }
        }
    };
}
pub(crate) use row_access;

/// n records of probabilities over K classes, row-major, with labels in 0..K.
///
/// ```
/// use hindsight_llm_metrics::calibration::Probabilities;
/// let p = Probabilities::new(vec![0.7, 0.2, 0.1, 0.1, 0.1, 0.8], 3, vec![0, 1])?;
/// assert_eq!(p.top_label().correct, [true, false]);
/// // Sum over classes, as lm-evaluation-harness has it: (0.09 + 0.04 + 0.01 + 0.01 + 0.81 + 0.64) / 2.
/// assert!((p.brier() - 0.8).abs() < 1e-12);
/// # Ok::<(), hindsight_llm_metrics::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Probabilities {
    pub(crate) values: Vec<f64>,
    pub(crate) classes: usize,
    pub(crate) labels: Vec<usize>,
}

row_access!(Probabilities, "probabilities");

impl Probabilities {
    /// Returns checked probabilities.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::Length`], [`Error::OutOfRange`], [`Error::Label`]; [`Error::NotNormalised`] if a row misses 1 by more
    /// than 0.002 (logits, most often); [`Error::Parameter`] for fewer than two classes.
    pub fn new(values: Vec<f64>, classes: usize, labels: Vec<usize>) -> Result<Self> {
        check_shape(&values, classes, &labels)?;
        for (index, row) in values.chunks_exact(classes).enumerate() {
            check_probabilities(index, row)?;
        }
        Ok(Self {
            values,
            classes,
            labels,
        })
    }

    /// Returns confidences and correctness of the first class with the largest probability (the argmax of NumPy and PyTorch).
    #[must_use]
    pub fn top_label(&self) -> TopLabel {
        let mut top = TopLabel {
            confidence: Vec::with_capacity(self.len()),
            correct: Vec::with_capacity(self.len()),
            ties: 0,
        };
        for (row, label) in self.rows() {
            let (arg, ties) = argmax(row);
            top.confidence.push(row[arg].min(1.0));
            top.correct.push(arg == label);
            top.ties += usize::from(ties > 1);
        }
        top
    }

    /// Returns the accuracy with ties shared: a record whose top probability is shared by t classes, the label among them, counts 1/t.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // Counts.
    pub fn accuracy_shared(&self) -> f64 {
        let credit = self.rows().map(|(row, label)| {
            let (arg, ties) = argmax(row);
            if row[label] >= row[arg] {
                1.0 / ties as f64
            } else {
                0.0
            }
        });
        credit.sum::<f64>() / self.len() as f64
    }

    /// Returns the Brier score $\frac1n \sum_i \sum_k (q_{ik} - 1[y_i = k])^2$, in [0, 2]: the sum over classes, not their mean.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // Counts.
    pub fn brier(&self) -> f64 {
        let one = |(row, label): (&[f64], usize)| -> f64 {
            row.iter()
                .enumerate()
                .map(|(k, q)| (q - f64::from(u8::from(k == label))).powi(2))
                .sum()
        };
        self.rows().map(one).sum::<f64>() / self.len() as f64
    }

    /// Returns the log loss $-\frac1n \sum_i \ln q_{i y_i}$; infinite if a label was given probability 0. Nothing is clipped.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // Counts.
    pub fn nll(&self) -> f64 {
        self.rows()
            .map(|(row, label)| -row[label].ln())
            .sum::<f64>()
            / self.len() as f64
    }

    /// Returns one reliability table per class, of $q_{ik}$ against $1[y_i = k]$; equal-mass edges are found class by class.
    ///
    /// # Errors
    /// [`Error::Parameter`] for the number of bins.
    pub fn class_wise(&self, binning: Binning, rule: EdgeRule) -> Result<ClassWise> {
        let table = |k: usize| {
            let confidence: Vec<f64> = self.rows().map(|(row, _)| row[k]).collect();
            let correct: Vec<bool> = self.labels.iter().map(|l| *l == k).collect();
            Reliability::new(&confidence, &correct, binning.edges(&confidence, rule)?)
        };
        Ok(ClassWise {
            tables: (0..self.classes).map(table).collect::<Result<_>>()?,
        })
    }
}

/// One reliability table per class.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ClassWise {
    tables: Vec<Reliability>,
}

#[allow(clippy::cast_precision_loss)] // Counts of classes.
impl ClassWise {
    pub(crate) fn new(tables: Vec<Reliability>) -> Self {
        Self { tables }
    }
    /// Returns the tables, class by class.
    #[must_use]
    pub fn tables(&self) -> &[Reliability] {
        &self.tables
    }
    /// Returns $\left(\frac1K \sum_k \mathrm{ce}_k^p\right)^{1/p}$ with $\mathrm{ce}_k$ the $l_p$ error of class k.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless `p` is at least 1 and finite.
    pub fn lp(&self, p: f64) -> Result<f64> {
        let mut sum = 0.0;
        for t in &self.tables {
            sum += t.lp(p)?.powf(p);
        }
        Ok((sum / self.tables.len() as f64).powf(1.0 / p))
    }
    /// Returns the root of the mean debiased square over classes, 0 where that is negative. Classes are averaged before clipping.
    #[must_use]
    pub fn debiased_l2(&self) -> f64 {
        let sum: f64 = self
            .tables
            .iter()
            .map(Reliability::debiased_l2_squared)
            .sum();
        (sum / self.tables.len() as f64).max(0.0).sqrt()
    }
}

/// Checks the row of record `index`.
pub(crate) fn check_probabilities(index: usize, row: &[f64]) -> Result<()> {
    let sum: f64 = row.iter().sum();
    if !((sum - 1.0).abs() <= SUM_TOLERANCE) {
        return Err(Error::NotNormalised { index, sum });
    }
    match row.iter().position(|v| !(0.0..=1.0).contains(v)) {
        Some(k) => Err(Error::OutOfRange {
            what: "probabilities",
            index: index.saturating_mul(row.len()).saturating_add(k),
            value: row[k],
            min: 0.0,
            max: 1.0,
        }),
        None => Ok(()),
    }
}

/// The largest of the values, the first index that has it, and how many share it.
pub(crate) fn largest(values: impl Iterator<Item = f64>) -> (f64, usize, usize) {
    values
        .enumerate()
        .fold((f64::NEG_INFINITY, 0, 0), |(top, arg, ties), (k, v)| {
            if v > top {
                (v, k, 1)
            } else {
                (top, arg, ties + usize::from(v >= top))
            }
        })
}

/// The first index of the largest value and how many share it.
pub(crate) fn argmax(row: &[f64]) -> (usize, usize) {
    let (_, arg, ties) = largest(row.iter().copied());
    (arg, ties)
}

#[allow(clippy::cast_precision_loss)] // For the message alone.
pub(crate) fn check_shape(values: &[f64], classes: usize, labels: &[usize]) -> Result<()> {
    if classes < 2 {
        return Err(Error::Parameter {
            name: "classes",
            value: classes as f64,
            allowed: Allowed::AtLeast(2.0),
        });
    }
    if labels.is_empty() {
        return Err(Error::Empty { what: "labels" });
    }
    check_len("values", labels.len().saturating_mul(classes), values.len())?;
    match labels.iter().position(|l| *l >= classes) {
        Some(index) => Err(Error::Label {
            index,
            label: labels[index],
            classes,
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::logits::Logits;
    use proptest::prelude::*;

    fn logits() -> impl Strategy<Value = (Vec<f64>, Vec<usize>)> {
        (1usize..40).prop_flat_map(|n| {
            (
                proptest::collection::vec(-8.0f64..8.0, n * 4),
                proptest::collection::vec(0usize..4, n),
            )
        })
    }

    proptest! {
        #[test]
        fn softmax_ignores_a_shift_and_nll_agrees_with_it((z, y) in logits(), shift in -500.0f64..500.0) {
            let a = Logits::new(z.clone(), 4, y.clone()).unwrap();
            let b = Logits::new(z.iter().map(|v| v + shift).collect(), 4, y).unwrap();
            for (p, q) in a.softmax().values().iter().zip(b.softmax().values()) {
                prop_assert!((p - q).abs() < 1e-12);
            }
            prop_assert!((a.nll() - a.softmax().nll()).abs() < 1e-9);
            prop_assert!((a.nll() - b.nll()).abs() < 1e-9);
        }

        #[test]
        fn class_wise_errors_equal_their_formula((z, y) in logits()) {
            let p = Logits::new(z, 4, y).unwrap().softmax();
            for binning in [Binning::EqualWidth(5), Binning::EqualMass(5)] {
                let c = p.class_wise(binning, EdgeRule::UpperClosed).unwrap();
                let by_hand: f64 = c.tables().iter().map(|t| t.l2().powi(2)).sum::<f64>() / 4.0;
                prop_assert!((c.lp(2.0).unwrap() - by_hand.sqrt()).abs() < 1e-12);
                let by_hand: f64 = c.tables().iter().map(Reliability::l1).sum::<f64>() / 4.0;
                prop_assert!((c.lp(1.0).unwrap() - by_hand).abs() < 1e-12);
                prop_assert!(c.debiased_l2() <= c.lp(2.0).unwrap() + 1e-12);
            }
        }

        #[test]
        fn brier_lies_between_zero_and_two((z, y) in logits()) {
            let b = Logits::new(z, 4, y).unwrap().softmax().brier();
            prop_assert!((0.0..=2.0).contains(&b));
        }
    }

    #[test]
    fn ties_go_to_the_first_class_or_are_shared() {
        let p = Probabilities::new(vec![0.5, 0.5, 0.5, 0.5], 2, vec![0, 1]).unwrap();
        let top = p.top_label();
        assert_eq!((top.correct, top.ties), (vec![true, false], 2));
        assert_eq!(p.accuracy_shared(), 0.5);
    }

    #[test]
    fn logits_as_probabilities_labels_outside_and_nan_are_refused() {
        assert!(matches!(
            Probabilities::new(vec![2.0, -1.0], 2, vec![0]),
            Err(Error::OutOfRange { .. })
        ));
        assert!(matches!(
            Probabilities::new(vec![2.0, 3.0], 2, vec![0]),
            Err(Error::NotNormalised { index: 0, .. })
        ));
        assert!(matches!(
            Probabilities::new(vec![f64::NAN, 1.0], 2, vec![0]),
            Err(Error::NotNormalised { .. })
        ));
        assert!(matches!(
            Probabilities::new(vec![0.5, 0.5], 2, vec![2]),
            Err(Error::Label { label: 2, .. })
        ));
        assert!(matches!(
            Probabilities::new(vec![], 2, vec![]),
            Err(Error::Empty { .. })
        ));
        assert!(matches!(
            Logits::new(vec![f64::NEG_INFINITY; 2], 2, vec![0]),
            Err(Error::NotFinite { .. })
        ));
        assert!(
            Logits::new(vec![f64::NEG_INFINITY, 0.0], 2, vec![0])
                .unwrap()
                .nll()
                .is_infinite()
        );
        assert!(matches!(
            Probabilities::new(vec![1.0], 1, vec![0]),
            Err(Error::Parameter { .. })
        ));
    }
}
