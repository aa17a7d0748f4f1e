//! One pass over full predictive distributions in memory that grows with classes and bins alone: a mergeable accumulator.

use crate::calibration::accumulate::{Accumulator, BinSums, Summary, table};
use crate::calibration::bins::Edges;
use crate::calibration::logits::check_logits;
use crate::calibration::mean_interval::LossCells;
use crate::calibration::probabilities::{ClassWise, argmax, check_probabilities};
use crate::calibration::score_intervals::mean_loss;
use crate::calibration::scores::{Score, ScoreSettings};
use crate::error::{Allowed, Error, Result};
use crate::stats::exact_sum::{ExactSum, UNIT_SCALE, unit};

/// A one-pass, mergeable accumulator over distributions with their labels: the table of the top label, one table per class, the Brier
/// score summed over classes, the log loss, and ties.
///
/// The top label is the first class with the largest probability (the argmax of NumPy and PyTorch). Class k's table sets $q_{ik}$ against
/// $1[y_i = k]$ over the records that have a class k; records may differ in their number of classes, as multiple-choice questions do.
/// Sums are exact on a grid of $2^{-52}$, log losses exact without one: any sharding, order or thread count gives the same bits.
///
/// Memory: 32 bytes a class and bin, at most [`DistributionAccumulator::CELLS`] of these. Time: about 10 ns a class, and an exponential a class for logits.
///
/// ```
/// use hindsight_llm_metrics::calibration::{DistributionAccumulator, EdgeRule, Edges};
/// let edges = Edges::equal_width(15, EdgeRule::UpperClosed)?;
/// let (mut a, mut b) = (DistributionAccumulator::new(edges.clone()), DistributionAccumulator::new(edges));
/// assert_eq!(a.push_probabilities(&[0.7, 0.2, 0.1], 0)?, (0.7, true));
/// assert_eq!(b.push_logits(&[1000.0, 1000.0, 0.0], 1)?, (0.5, false)); // a tie: the first counts
/// a.merge(&b)?;
/// let s = a.summary()?;
/// assert_eq!((s.top.n, s.ties, s.class_wise.tables().len()), (2, 1, 3));
/// // Sum over classes: (0.09 + 0.04 + 0.01 + 0.25 + 0.25) / 2.
/// assert!((s.brier - 0.32).abs() < 1e-12);
/// assert!((s.nll - (2f64.ln() - 0.7f64.ln()) / 2.0).abs() < 1e-12);
/// # Ok::<(), hindsight_llm_metrics::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct DistributionAccumulator {
    top: Accumulator,
    /// Class by class, one sum a bin.
    classes: Vec<BinSums>,
    squares: u128,
    /// Sums of the squares of the records' Brier scores and log losses.
    spreads: [ExactSum; 2],
    losses: ExactSum,
    /// The records' Brier scores and log losses, for intervals.
    cells: [LossCells; 2],
    impossible: u64,
    ties: u64,
    softmax: Vec<f64>,
}

/// Scores of full distributions: what one pass yields.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct DistributionSummary {
    /// Scores of the top label, as a binary record.
    pub top: Summary,
    /// Brier score $\frac1n \sum_i \sum_k (q_{ik} - 1[y_i = k])^2$, in [0, 2]: the sum over classes, not their mean.
    pub brier: f64,
    /// Log loss $-\frac1n \sum_i \ln q_{i y_i}$ in nats; infinite if a label was given probability 0. Nothing is clipped.
    pub nll: f64,
    /// Standard deviation of the Brier score of a record; NaN for one record.
    pub brier_sd: f64,
    /// Standard deviation of the log loss of a record; NaN for one record, or if a label was given probability 0.
    pub nll_sd: f64,
    /// Records whose label was given probability 0.
    pub impossible: u64,
    /// Records whose largest probability is shared by several classes.
    pub ties: u64,
    /// One reliability table per class.
    pub class_wise: ClassWise,
}

impl DistributionAccumulator {
    /// The largest number of classes times bins: 128 MiB of sums.
    pub const CELLS: usize = 1 << 22;

    /// Returns an empty accumulator, its tables over `edges`.
    #[must_use]
    pub fn new(edges: Edges) -> Self {
        Self {
            top: Accumulator::new(edges),
            classes: Vec::new(),
            squares: 0,
            spreads: [ExactSum::default(); 2],
            losses: ExactSum::default(),
            cells: [LossCells::default(), LossCells::default()],
            impossible: 0,
            ties: 0,
            softmax: Vec::new(),
        }
    }

    /// Returns the number of records so far.
    #[must_use]
    pub fn n(&self) -> u64 {
        self.top.n()
    }

    /// Returns the largest number of classes of a record so far.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes.len() / self.top.edges().len()
    }

    /// Adds a record of probabilities $q_1, \dots, q_K$; returns its largest probability and whether its class is the label.
    ///
    /// # Errors
    /// As [`Probabilities::new`](crate::calibration::Probabilities::new), with the record's number as index; [`Error::TooMany`] beyond
    /// [`DistributionAccumulator::CELLS`]. The accumulator is then unchanged.
    pub fn push_probabilities(&mut self, q: &[f64], label: usize) -> Result<(f64, bool)> {
        self.check(q, label)?;
        check_probabilities(self.index(), q)?;
        let (least, largest) = ends(q);
        let range = [largest, least].map(|q| -q.min(1.0).ln());
        self.add(q, -q[label].ln(), range, label)
    }

    /// Adds a record of logits $z_1, \dots, z_K$ through their softmax; its log loss is $\ln \sum_k e^{z_k} - z_y$, without overflow.
    /// Returns the largest probability and whether its class is the label.
    ///
    /// # Errors
    /// As [`Logits::new`](crate::calibration::Logits::new), with the record's number as index; the accumulator is then unchanged.
    pub fn push_logits(&mut self, z: &[f64], label: usize) -> Result<(f64, bool)> {
        self.check(z, label)?;
        check_logits(self.index(), z)?;
        let (least, largest) = ends(z);
        let mut q = std::mem::take(&mut self.softmax);
        q.clear();
        q.extend(z.iter().map(|v| (v - largest).exp()));
        let sum: f64 = q.iter().sum();
        q.iter_mut().for_each(|v| *v /= sum);
        let loss = |of: f64| sum.ln() + (largest - of);
        let added = self.add(&q, loss(z[label]), [loss(largest), loss(least)], label);
        self.softmax = q;
        added
    }

    fn index(&self) -> usize {
        usize::try_from(self.n()).unwrap_or(usize::MAX)
    }

    fn check(&self, row: &[f64], label: usize) -> Result<()> {
        if row.len() < 2 {
            #[allow(clippy::cast_precision_loss)] // For the message alone.
            let value = row.len() as f64;
            return Err(Error::Parameter {
                name: "classes",
                value,
                allowed: Allowed::AtLeast(2.0),
            });
        }
        if label >= row.len() {
            return Err(Error::Label {
                index: self.index(),
                label,
                classes: row.len(),
            });
        }
        Ok(())
    }

    /// Adds a checked distribution with its log loss, and the range of those that other labels would have given it.
    fn add(&mut self, q: &[f64], loss: f64, range: [f64; 2], label: usize) -> Result<(f64, bool)> {
        let (arg, ties) = argmax(q);
        let top = (q[arg], arg == label);
        let edges = self.top.edges();
        let bins = edges.len();
        let cells = q.len().saturating_mul(bins);
        if cells > Self::CELLS {
            return Err(Error::TooMany {
                what: "the number of classes times bins",
                most: Self::CELLS,
                found: cells,
            });
        }
        if self.classes.len() < cells {
            self.classes.resize(cells, BinSums::default());
        }
        let mut brier = 0.0;
        for (k, (p, class)) in q
            .iter()
            .zip(self.classes.chunks_exact_mut(bins))
            .enumerate()
        {
            let p = p.min(1.0);
            class[edges.bin_of(p)].add(p, k == label);
            let miss = if k == label { 1.0 - p } else { p };
            self.squares += u128::from(unit(miss * miss));
            brier += miss * miss;
        }
        self.top.push(top.0.min(1.0), top.1)?;
        self.spreads[0].add(brier * brier);
        self.cells[0].add(brier, [0.0, 2.0], 1);
        if loss.is_finite() {
            self.cells[1].add(loss, range, 1);
            self.losses.add(loss);
            self.spreads[1].add(loss * loss);
        } else {
            self.impossible += 1;
        }
        self.ties += u64::from(ties > 1);
        Ok(top)
    }

    /// Adds everything that `other` has seen.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if the edges differ; the accumulator is then unchanged.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        self.top.merge(&other.top)?;
        if self.classes.len() < other.classes.len() {
            self.classes.resize(other.classes.len(), BinSums::default());
        }
        for (a, b) in self.classes.iter_mut().zip(&other.classes) {
            a.merge(b);
        }
        self.squares += other.squares;
        for (a, b) in self.spreads.iter_mut().zip(&other.spreads) {
            a.merge(b);
        }
        self.losses.merge(&other.losses);
        for (a, b) in self.cells.iter_mut().zip(&other.cells) {
            a.merge(b);
        }
        self.impossible += other.impossible;
        self.ties += other.ties;
        Ok(())
    }

    /// Brier score and log loss with their intervals.
    pub(super) fn intervals(&self, of: &DistributionSummary, s: &ScoreSettings) -> [Score; 2] {
        let [brier, losses] = &self.cells;
        [
            mean_loss(brier, (of.brier, of.brier_sd), s),
            mean_loss(losses, (of.nll, of.nll_sd), s),
        ]
    }

    /// Returns all scores.
    ///
    /// # Errors
    /// [`Error::Empty`] before the first record.
    #[allow(clippy::cast_precision_loss)] // Integers become doubles at the very end.
    pub fn summary(&self) -> Result<DistributionSummary> {
        let top = self.top.summary()?;
        let n = top.n as f64;
        let edges = self.top.edges();
        let tables = self
            .classes
            .chunks_exact(edges.len())
            .map(|s| table(edges, s));
        let mean_loss = self.losses.value() / n;
        let brier = self.squares as f64 * UNIT_SCALE / n;
        let deviation = |squares: f64, mean: f64| {
            let sum = (squares - n * mean * mean).max(0.0);
            if n > 1.0 {
                (sum / (n - 1.0)).sqrt()
            } else {
                f64::NAN
            }
        };
        Ok(DistributionSummary {
            brier,
            brier_sd: deviation(self.spreads[0].value(), brier),
            nll_sd: if self.impossible > 0 {
                f64::NAN
            } else {
                deviation(self.spreads[1].value(), mean_loss)
            },
            nll: if self.impossible > 0 {
                f64::INFINITY
            } else {
                mean_loss
            },
            impossible: self.impossible,
            ties: self.ties,
            class_wise: ClassWise::new(tables.collect()),
            top,
        })
    }
}

/// The least and the largest value.
fn ends(values: &[f64]) -> (f64, f64) {
    let none = (f64::INFINITY, f64::NEG_INFINITY);
    values.iter().fold(none, |(l, h), v| (l.min(*v), h.max(*v)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::bins::EdgeRule;
    use crate::calibration::{Binning, Logits, Probabilities, Reliability};
    use proptest::prelude::*;

    const K: usize = 4;

    fn edges() -> Edges {
        Edges::equal_width(15, EdgeRule::UpperClosed).unwrap()
    }

    fn empty() -> DistributionAccumulator {
        DistributionAccumulator::new(edges())
    }

    /// Logits as models give them, of a few values (which tie), far apart, or minus infinity.
    fn logit() -> impl Strategy<Value = f64> {
        prop_oneof![6 => -8.0f64..8.0, 2 => (-2i32..3).prop_map(f64::from), 1 => -1e4f64..1e4, 1 => Just(f64::NEG_INFINITY)]
    }

    fn records() -> impl Strategy<Value = Vec<(Vec<f64>, usize)>> {
        let row = proptest::collection::vec(logit(), K)
            .prop_filter("one is finite", |z| z.iter().any(|v| v.is_finite()));
        proptest::collection::vec((row, 0usize..K), 1..60)
    }

    fn stacked(data: &[(Vec<f64>, usize)]) -> (Vec<f64>, Vec<usize>) {
        (
            data.iter().flat_map(|d| d.0.iter().copied()).collect(),
            data.iter().map(|d| d.1).collect(),
        )
    }

    /// The same scores from everything in memory: plain sums of doubles in the order of the records.
    fn agree(s: &DistributionSummary, q: &Probabilities, nll: f64) {
        let top = q.top_label();
        let table = Reliability::new(&top.confidence, &top.correct, edges()).unwrap();
        assert_eq!(s.top.reliability, table);
        assert_eq!((s.top.n, s.ties), (q.len() as u64, top.ties as u64));
        assert!(
            (s.brier - q.brier()).abs() < 1e-12,
            "{} {}",
            s.brier,
            q.brier()
        );
        // Each of the n roundings of the naive sum is relative to it, and so is one rounding per logit (up to 10^4 here) and record.
        let tolerance = 1e-11 * (1.0 + nll);
        assert!(
            s.nll == nll || (s.nll - nll).abs() < tolerance,
            "{} {nll}",
            s.nll
        );
        let class_wise = q
            .class_wise(Binning::EqualWidth(15), EdgeRule::UpperClosed)
            .unwrap();
        assert_eq!(s.class_wise, class_wise);
    }

    proptest! {
        #[test]
        fn one_pass_equals_the_scores_in_memory(data in records()) {
            let (values, labels) = stacked(&data);
            let z = Logits::new(values, K, labels.clone()).unwrap();
            let q = z.softmax();
            let (mut of_logits, mut of_probabilities) = (empty(), empty());
            for ((row, label), p) in data.iter().zip(q.values().chunks_exact(K)) {
                let top = of_logits.push_logits(row, *label).unwrap();
                prop_assert_eq!(top, of_probabilities.push_probabilities(p, *label).unwrap());
            }
            agree(&of_logits.summary().unwrap(), &q, z.nll());
            agree(&of_probabilities.summary().unwrap(), &q, q.nll());
        }

        #[test]
        fn any_sharding_and_order_give_the_same_bits(
            data in proptest::collection::vec((proptest::collection::vec(-30.0f64..30.0, 2..6), 0usize..2, any::<bool>()), 2..60),
            shards in 1usize..5, turn in any::<prop::sample::Index>(),
        ) {
            let push = |a: &mut DistributionAccumulator, (z, label, logits): &(Vec<f64>, usize, bool)| {
                if *logits {
                    a.push_logits(z, *label).unwrap();
                } else {
                    let q = Logits::new(z.clone(), z.len(), vec![*label]).unwrap().softmax();
                    a.push_probabilities(q.values(), *label).unwrap();
                }
            };
            let mut whole = empty();
            data.iter().for_each(|d| push(&mut whole, d));
            let mut parts = vec![empty(); shards];
            let mut order: Vec<usize> = (0..data.len()).rev().collect();
            order.rotate_left(turn.index(data.len()));
            for i in order {
                push(&mut parts[i % shards], &data[i]);
            }
            let merged = parts.iter().rev().fold(empty(), |mut all, part| {
                all.merge(part).unwrap();
                all
            });
            prop_assert_eq!(whole.summary().unwrap(), merged.summary().unwrap());
        }
    }

    #[test]
    fn a_certain_mistake_costs_infinity_and_a_near_one_its_distance() {
        let mut a = empty();
        a.push_logits(&[0.0, -1e30], 1).unwrap();
        assert_eq!(a.summary().unwrap().nll, 1e30);
        a.push_logits(&[f64::NEG_INFINITY, 0.0], 0).unwrap();
        a.push_probabilities(&[1.0, 0.0], 1).unwrap();
        let s = a.summary().unwrap();
        assert!(s.nll.is_infinite() && s.impossible == 2 && s.brier > 1.9);
    }

    #[test]
    fn classes_are_judged_on_the_records_that_have_them() {
        let mut a = empty();
        a.push_probabilities(&[0.5, 0.2, 0.3], 2).unwrap();
        a.push_probabilities(&[0.9, 0.1], 0).unwrap();
        let s = a.summary().unwrap();
        let counts: Vec<u64> = s.class_wise.tables().iter().map(Reliability::n).collect();
        assert_eq!(counts, [2, 2, 1]);
        assert!((s.brier - (0.25 + 0.04 + 0.49 + 0.01 + 0.01) / 2.0).abs() < 1e-12);
    }

    #[test]
    fn wrong_records_leave_no_trace() {
        let mut a = empty();
        a.push_probabilities(&[0.5, 0.5], 1).unwrap();
        let before = a.summary().unwrap();
        for (q, label) in [
            (&[0.5, 0.6][..], 0),
            (&[1.5, -0.5], 0),
            (&[f64::NAN, 1.0], 0),
            (&[0.5, 0.5], 2),
            (&[1.0], 0),
            (&[], 0),
        ] {
            assert!(a.push_probabilities(q, label).is_err(), "{q:?}");
        }
        for (z, label) in [
            (&[f64::INFINITY, 0.0][..], 0),
            (&[f64::NEG_INFINITY; 2], 0),
            (&[0.0, f64::NAN], 0),
            (&[0.0, 0.0], 7),
            (&[0.0], 0),
        ] {
            assert!(a.push_logits(z, label).is_err(), "{z:?}");
        }
        assert!(matches!(
            a.push_probabilities(&[0.9, 0.9], 0),
            Err(Error::NotNormalised { index: 1, .. })
        ));
        // Of one record there is no spread: NaN, which equals nothing but its own words.
        assert_eq!(format!("{:?}", a.summary().unwrap()), format!("{before:?}"));
        let ten = Edges::equal_width(10, EdgeRule::UpperClosed).unwrap();
        assert!(matches!(
            a.merge(&DistributionAccumulator::new(ten)),
            Err(Error::Mismatch { .. })
        ));
        assert_eq!(format!("{:?}", a.summary().unwrap()), format!("{before:?}"));
        assert!(matches!(empty().summary(), Err(Error::Empty { .. })));
    }
}
