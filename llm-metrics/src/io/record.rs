//! One calibration record, and the answer that it gives.

use crate::calibration::largest;

/// One record.
#[derive(Debug, Clone, PartialEq)]
pub enum Record<'a> {
    /// Confidence in [0, 1] and outcome.
    Binary(f64, bool),
    /// Probabilities over classes, summing to 1 within 0.002, and the label.
    Probabilities(&'a [f64], usize),
    /// Logits over classes and the label.
    Logits(&'a [f64], usize),
}

impl Record<'_> {
    /// Returns the confidence of the record's answer and whether it is right: of a distribution, the largest probability and whether the first
    /// class that has it is the label.
    ///
    /// ```
    /// use hindsight_llm_metrics::io::Record;
    /// assert_eq!(Record::Binary(0.8, false).top_label(), (0.8, false));
    /// assert_eq!(Record::Logits(&[1000.0, 1000.0], 1).top_label(), (0.5, false)); // a tie: the first counts
    /// ```
    #[must_use]
    pub fn top_label(&self) -> (f64, bool) {
        let ((confidence, arg, _), label) = match *self {
            Record::Binary(confidence, correct) => return (confidence, correct),
            Record::Probabilities(q, label) => (largest(q.iter().copied()), label),
            Record::Logits(z, label) => {
                let top = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let mass = |v: &f64| (v - top).exp();
                let sum: f64 = z.iter().map(mass).sum();
                // Only what lies within a few roundings of the top can share its probability.
                let share = |v: &f64| if v - top > -1e-12 { mass(v) / sum } else { 0.0 };
                (largest(z.iter().map(share)), label)
            }
        };
        (confidence, arg == label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::{Logits, Probabilities};
    use proptest::prelude::*;

    proptest! {
        /// Logits that lie within a rounding of each other share their probability, and the first counts, as after a softmax in memory.
        #[test]
        fn top_labels_are_those_of_the_scores_in_memory(
            z in proptest::collection::vec(prop_oneof![3 => -5.0f64..5.0, 1 => Just(1.0)], 2..7), nudges in proptest::collection::vec(-3i32..4, 7),
            label in 0usize..2,
        ) {
            let z: Vec<f64> = z.iter().zip(nudges).map(|(v, n)| v + f64::from(n) * f64::EPSILON / 2.0).collect();
            let q = Logits::new(z.clone(), z.len(), vec![label]).unwrap().softmax();
            let top = q.top_label();
            let expected = (top.confidence[0], top.correct[0]);
            prop_assert_eq!(Record::Logits(&z, label).top_label(), expected);
            prop_assert_eq!(Record::Probabilities(q.values(), label).top_label(), expected);
        }
    }

    #[test]
    fn a_logit_of_minus_infinity_is_no_answer() {
        let z = [f64::NEG_INFINITY, -3.0];
        assert_eq!(Record::Logits(&z, 1).top_label(), (1.0, true));
        let p = Probabilities::new(vec![0.5, 0.5], 2, vec![1]).unwrap();
        assert_eq!(
            Record::Probabilities(p.values(), 1).top_label(),
            (0.5, false)
        );
    }
}
