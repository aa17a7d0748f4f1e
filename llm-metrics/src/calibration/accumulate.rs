//! One pass over records in constant memory: a mergeable accumulator for calibration error, Brier score and log loss.

use std::ops::IndexMut;

use crate::calibration::bins::{EdgeRule, Edges, FEW, few_bin};
use crate::calibration::log_loss::{BLOCK, Losses};
use crate::calibration::reliability::{Bin, Reliability};
use crate::error::{Error, Result, check_len, check_unit};
use crate::stats::exact_sum::{UNIT_SCALE, unit, unit_sum, unit_unshifted};

/// Copies of the hot counters, so that consecutive records of one bin do not wait for each other.
const LANES: usize = 4;

/// Per lane, the count (high half) with the correct ones (low half), and the wrapped sum of unshifted confidences.
type Cell = [u64; 2 * LANES];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct BinSums {
    pub(super) count: u64,
    pub(super) correct: u64,
    confidence: u128,
}

/// A one-pass, mergeable accumulator over (confidence, correct) records, with memory proportional to the number of bins.
///
/// Every record is rounded once to a grid of $2^{-52}$ (confidences, Brier terms, and log losses less whole powers of two) and summed as
/// an integer. Merging is therefore associative and commutative: any sharding, order or thread count gives the same bits.
///
/// ```
/// use hindsight_llm_metrics::calibration::{Accumulator, EdgeRule, Edges};
/// let edges = Edges::equal_width(15, EdgeRule::UpperClosed)?;
/// let (mut a, mut b) = (Accumulator::new(edges.clone()), Accumulator::new(edges));
/// a.extend(&[0.9, 0.6], &[true, false])?;
/// b.push(0.7, true)?;
/// a.merge(&b)?;
/// let s = a.summary()?;
/// assert_eq!(s.n, 3);
/// assert!((s.brier - (0.01 + 0.36 + 0.09) / 3.0).abs() < 1e-12);
/// # Ok::<(), hindsight_llm_metrics::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Accumulator {
    edges: Edges,
    sums: Vec<BinSums>,
    n: u64,
    losses: Losses,
    hot: Vec<Cell>,
}

/// Adds records to the cells of their bins; the lanes take turns. Bins are found four at a time, before anything is stored.
#[inline(always)]
fn scatter<H: IndexMut<usize, Output = Cell> + ?Sized>(
    confidence: &[f64],
    correct: &[bool],
    hot: &mut H,
    within: impl Fn(usize) -> usize,
    bin_of: impl Fn(f64) -> usize,
) {
    let mut add = |bin: usize, lane: usize, c: f64, y: bool| {
        let cell = &mut hot[within(bin)];
        cell[2 * lane] += (1 << 32) + u64::from(y);
        cell[2 * lane + 1] = cell[2 * lane + 1].wrapping_add(unit_unshifted(c));
    };
    let (c, c_rest) = confidence.as_chunks::<LANES>();
    let (y, y_rest) = correct.as_chunks::<LANES>();
    for (c, y) in c.iter().zip(y) {
        let bins = c.map(&bin_of);
        for lane in 0..LANES {
            add(bins[lane], lane, c[lane], y[lane]);
        }
    }
    for (&c, &y) in c_rest.iter().zip(y_rest) {
        add(bin_of(c), 0, c, y);
    }
}

/// Scores of binary records: what one pass yields.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Summary {
    /// Number of records.
    pub n: u64,
    /// Share of correct records.
    pub accuracy: f64,
    /// Mean confidence.
    pub mean_confidence: f64,
    /// Brier score $\frac1n \sum (c_i - y_i)^2$.
    pub brier: f64,
    /// Log loss $-\frac1n \sum \ln(y_i c_i + (1-y_i)(1-c_i))$; infinite if a record was given probability 0.
    pub nll: f64,
    /// Records that were given probability 0.
    pub impossible: u64,
    /// The reliability table.
    pub reliability: Reliability,
}

#[allow(clippy::cast_precision_loss)] // Integers are scaled to doubles at the very end, with one rounding.
impl Accumulator {
    /// Returns an empty accumulator over `edges`.
    #[must_use]
    pub fn new(edges: Edges) -> Self {
        let m = edges.len();
        Self {
            edges,
            sums: vec![BinSums::default(); m],
            n: 0,
            losses: Losses::default(),
            hot: vec![[0; 2 * LANES]; m.max(FEW)],
        }
    }

    /// Returns the number of records so far.
    #[must_use]
    pub fn n(&self) -> u64 {
        self.n
    }

    /// Returns the edges.
    #[must_use]
    pub fn edges(&self) -> &Edges {
        &self.edges
    }

    /// Adds one record.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] unless `confidence` lies in [0, 1]; the accumulator is then unchanged.
    pub fn push(&mut self, confidence: f64, correct: bool) -> Result<()> {
        check_unit("confidence", &[confidence])?;
        self.sums[self.edges.bin_of(confidence)].add(confidence, correct);
        self.n += 1;
        self.losses.add(confidence, correct);
        Ok(())
    }

    /// Adds records; the fast path.
    ///
    /// # Errors
    /// [`Error::Length`], or [`Error::OutOfRange`] at the first confidence outside [0, 1]; the accumulator is then unchanged. Empty
    /// input is allowed.
    pub fn extend(&mut self, confidence: &[f64], correct: &[bool]) -> Result<()> {
        check_len("correct", confidence.len(), correct.len())?;
        // Ranges are checked block by block, while the block is in the cache; a bad one takes back what went before.
        let before = (self.sums.clone(), self.losses);
        for (c, y) in confidence.chunks(BLOCK).zip(correct.chunks(BLOCK)) {
            if !self.block(c, y) {
                (self.sums, self.losses) = before;
                return check_unit("confidence", confidence);
            }
        }
        self.n += confidence.len() as u64;
        Ok(())
    }

    /// Adds one block; returns false, with nothing added, if a confidence lies outside [0, 1].
    fn block(&mut self, confidence: &[f64], correct: &[bool]) -> bool {
        if !self.losses.block(confidence, correct) {
            return false;
        }
        let edges = &self.edges;
        match (edges.few(), self.hot.first_chunk_mut::<FEW>()) {
            (Some((upper, scale)), Some(hot)) => {
                let cell = |bin: usize| bin % FEW;
                match edges.rule() {
                    EdgeRule::UpperClosed => {
                        scatter(confidence, correct, hot, cell, |c| {
                            few_bin::<true>(upper, scale, c)
                        });
                    }
                    EdgeRule::LowerClosed => {
                        scatter(confidence, correct, hot, cell, |c| {
                            few_bin::<false>(upper, scale, c)
                        });
                    }
                }
            }
            _ => scatter(
                confidence,
                correct,
                &mut self.hot[..],
                |b| b,
                |c| edges.bin_of(c),
            ),
        }
        for (sums, cell) in self.sums.iter_mut().zip(&mut self.hot) {
            for lane in 0..LANES {
                let count = cell[2 * lane] >> 32;
                sums.count += count;
                sums.correct += cell[2 * lane] & 0xFFFF_FFFF;
                sums.confidence += u128::from(unit_sum(count, cell[2 * lane + 1]));
            }
            *cell = [0; 2 * LANES];
        }
        true
    }

    /// Adds everything that `other` has seen.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if the edges differ.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        if self.edges != other.edges {
            return Err(Error::Mismatch { what: "bin edges" });
        }
        for (a, b) in self.sums.iter_mut().zip(&other.sums) {
            a.merge(b);
        }
        self.n += other.n;
        self.losses.merge(&other.losses);
        Ok(())
    }
    /// Returns the reliability table.
    ///
    /// # Errors
    /// [`Error::Empty`] before the first record.
    pub fn reliability(&self) -> Result<Reliability> {
        if self.n == 0 {
            return Err(Error::Empty { what: "records" });
        }
        Ok(table(&self.edges, &self.sums))
    }

    /// Returns all scores.
    ///
    /// # Errors
    /// [`Error::Empty`] before the first record.
    pub fn summary(&self) -> Result<Summary> {
        let reliability = self.reliability()?;
        let n = self.n as f64;
        Ok(Summary {
            n: self.n,
            accuracy: reliability.accuracy(),
            mean_confidence: reliability.mean_confidence(),
            brier: self.losses.squares as f64 * UNIT_SCALE / n,
            nll: self.losses.log_loss() / n,
            impossible: self.losses.impossible,
            reliability,
        })
    }
}

impl BinSums {
    /// Adds a record with a confidence in [0, 1].
    #[inline]
    pub(super) fn add(&mut self, confidence: f64, correct: bool) {
        self.count += 1;
        self.correct += u64::from(correct);
        self.confidence += u128::from(unit(confidence));
    }
    pub(super) fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.correct += other.correct;
        self.confidence += other.confidence;
    }
}

/// The table of sums over the bins of `edges`.
#[allow(clippy::cast_precision_loss)] // Integers are scaled to doubles at the very end, with one rounding.
pub(super) fn table(edges: &Edges, sums: &[BinSums]) -> Reliability {
    let values = edges.values();
    let bins = sums
        .iter()
        .enumerate()
        .map(|(i, s)| Bin {
            lower: values[i],
            upper: values[i + 1],
            count: s.count,
            correct: s.correct,
            confidence_sum: s.confidence as f64 * UNIT_SCALE,
        })
        .collect();
    Reliability {
        bins,
        rule: edges.rule(),
        n: sums.iter().map(|s| s.count).sum(),
    }
}

impl Reliability {
    /// Returns the table of `confidence` (in [0, 1]) against `correct` over `edges`.
    ///
    /// Sums are exact on a grid of $2^{-52}$, so the table does not depend on the order of the records.
    ///
    /// # Errors
    /// [`Error::Length`], [`Error::Empty`], [`Error::OutOfRange`] (NaN included).
    pub fn new(confidence: &[f64], correct: &[bool], edges: Edges) -> Result<Self> {
        let mut acc = Accumulator::new(edges);
        acc.extend(confidence, correct)?;
        acc.reliability()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn edges() -> Edges {
        Edges::equal_width(15, EdgeRule::UpperClosed).unwrap()
    }

    proptest! {
        #[test]
        fn any_sharding_gives_the_same_bits(
            data in proptest::collection::vec((0.0f64..=1.0, any::<bool>()), 2..3000),
            cut in 0.0f64..1.0,
        ) {
            let (conf, y): (Vec<f64>, Vec<bool>) = data.iter().copied().unzip();
            let mut whole = Accumulator::new(edges());
            whole.extend(&conf, &y).unwrap();
            let at = (cut * conf.len() as f64) as usize;
            let (mut a, mut b) = (Accumulator::new(edges()), Accumulator::new(edges()));
            a.extend(&conf[..at], &y[..at]).unwrap();
            for (c, y) in data[at..].iter().rev() { b.push(*c, *y).unwrap(); }
            b.merge(&a).unwrap();
            prop_assert_eq!(whole.summary().unwrap(), b.summary().unwrap());
        }

        #[test]
        fn scores_equal_their_formulas(data in proptest::collection::vec((0.0f64..=1.0, any::<bool>()), 1..2500)) {
            let (conf, y): (Vec<f64>, Vec<bool>) = data.iter().copied().unzip();
            let mut acc = Accumulator::new(edges());
            acc.extend(&conf, &y).unwrap();
            let s = acc.summary().unwrap();
            let n = data.len() as f64;
            let brier = data.iter().map(|(c, y)| (c - f64::from(u8::from(*y))).powi(2)).sum::<f64>() / n;
            let nll = -data.iter().map(|(c, y)| if *y { c.ln() } else { (1.0 - c).ln() }).sum::<f64>() / n;
            prop_assert!((s.brier - brier).abs() < 1e-12);
            prop_assert!(s.nll == nll || (s.nll - nll).abs() < 1e-11 * (1.0 + nll));
        }
    }

    #[test]
    fn a_certain_mistake_costs_infinity_and_is_counted() {
        let mut acc = Accumulator::new(edges());
        acc.extend(&[1.0, 0.5, 1e-310], &[false, true, true])
            .unwrap();
        let s = acc.summary().unwrap();
        assert!(s.nll.is_infinite() && s.impossible == 1);
    }

    #[test]
    fn wrong_records_leave_no_trace_and_different_edges_do_not_merge() {
        let mut acc = Accumulator::new(edges());
        assert!(acc.extend(&[0.5, 1.5], &[true, true]).is_err());
        assert!(acc.push(f64::NAN, true).is_err());
        assert_eq!(acc.n(), 0);
        assert!(matches!(acc.summary(), Err(Error::Empty { .. })));
        let other = Accumulator::new(Edges::equal_width(10, EdgeRule::UpperClosed).unwrap());
        assert!(matches!(acc.merge(&other), Err(Error::Mismatch { .. })));
    }
}
