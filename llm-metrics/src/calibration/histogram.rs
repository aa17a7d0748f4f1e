//! A fine, mergeable histogram of confidences.

use crate::calibration::bins::{EdgeRule, Edges};
use crate::calibration::reliability::{Bin, Reliability};
use crate::error::{Error, Result, check_len, check_unit};

/// Cells of the histogram: a power of two, so that `p * CELLS` and every coarser grid are exact.
pub(crate) const CELLS: usize = 1 << 14;
/// Units of an offset within a cell.
pub(crate) const OFFSET_SCALE: f64 = 2_147_483_648.0;

/// Sums over the records of one cell and one outcome: count, offsets within the cell, squared offsets.
pub(crate) type Cell = [u64; 3];

/// A mergeable histogram of confidences in 16,384 cells, split by outcome, that keeps the first two moments within each cell.
///
/// From it follow [`ConfidenceHistogram::smooth_ece`], equal-mass reliability tables whose edges lie on cells, and selective
/// prediction, all in one pass and 0.8 MiB whatever the length of the log. Sums are integers: any sharding gives the same bits.
///
/// ```
/// use hindsight_llm_metrics::calibration::ConfidenceHistogram;
/// let mut h = ConfidenceHistogram::new();
/// h.extend(&[0.9, 0.9, 0.9, 0.9], &[true, true, false, false])?;
/// // All confidences are 0.9 and half are right: the smooth error is close to 0.4.
/// let smooth = h.smooth_ece()?;
/// assert!((smooth.value - 0.4).abs() < 0.1);
/// # Ok::<(), hindsight_llm_metrics::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct ConfidenceHistogram {
    /// Index 2 * cell + correct.
    pub(crate) cells: Vec<Cell>,
    pub(crate) n: u64,
}

impl Default for ConfidenceHistogram {
    fn default() -> Self {
        Self::new()
    }
}

/// The cell and the offset within it, in units of 2^-31 cells.
#[inline(always)]
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss
)] // 0 <= p <= 1.
fn locate(p: f64) -> (usize, u64) {
    let x = p * CELLS as f64;
    let cell = (x as i32).min(CELLS as i32 - 1);
    let offset = (x - f64::from(cell)) * OFFSET_SCALE;
    (cell as usize, offset as i64 as u64)
}

#[allow(clippy::cast_precision_loss)] // Counts below 2^53.
impl ConfidenceHistogram {
    /// Returns an empty histogram.
    #[must_use]
    pub fn new() -> Self {
        Self {
            cells: vec![[0; 3]; 2 * CELLS],
            n: 0,
        }
    }

    /// Returns the number of records so far.
    #[must_use]
    pub fn n(&self) -> u64 {
        self.n
    }

    /// Adds records.
    ///
    /// # Errors
    /// [`Error::Length`], or [`Error::OutOfRange`] at the first confidence outside [0, 1]; the histogram is then unchanged. Empty
    /// input is allowed.
    pub fn extend(&mut self, confidence: &[f64], correct: &[bool]) -> Result<()> {
        check_len("correct", confidence.len(), correct.len())?;
        if confidence.is_empty() {
            return Ok(());
        }
        check_unit("confidence", confidence)?;
        for (&c, &y) in confidence.iter().zip(correct) {
            let (cell, offset) = locate(c);
            if let Some(sums) = self.cells.get_mut(2 * cell + usize::from(y)) {
                sums[0] += 1;
                sums[1] += offset;
                sums[2] += (offset * offset) >> 31;
            }
        }
        self.n += confidence.len() as u64;
        Ok(())
    }

    /// Adds everything that `other` has seen.
    pub fn merge(&mut self, other: &Self) {
        for (a, b) in self.cells.iter_mut().zip(&other.cells) {
            for (x, y) in a.iter_mut().zip(b) {
                *x += y;
            }
        }
        self.n += other.n;
    }

    /// Returns the reliability table over at most `bins` bins of about equal mass, whose edges lie on cells (multiples of 1/16384).
    ///
    /// Bins are lower-closed, as cells are. Confidences crowded into less than a cell cannot be split; for that use
    /// [`Edges::equal_mass`] on the records themselves.
    ///
    /// # Errors
    /// [`Error::Empty`] before the first record; [`Error::Parameter`] unless `bins` is between 1 and 4096.
    pub fn equal_mass(&self, bins: usize) -> Result<Reliability> {
        Edges::equal_width(bins, EdgeRule::LowerClosed)?;
        if self.n == 0 {
            return Err(Error::Empty { what: "records" });
        }
        let mut cuts = vec![0];
        let (mut before, mut target) = (0u64, 1);
        for (k, pair) in self.cells.chunks_exact(2).enumerate() {
            let after = before + pair[0][0] + pair[1][0];
            while target < bins
                && u128::from(after) * bins as u128 >= u128::from(self.n) * target as u128
            {
                let goal = self.n as f64 * target as f64 / bins as f64;
                let cut = if goal - (before as f64) < after as f64 - goal {
                    k
                } else {
                    k + 1
                };
                if cut > cuts[cuts.len() - 1] && cut < CELLS {
                    cuts.push(cut);
                }
                target += 1;
            }
            before = after;
        }
        cuts.push(CELLS);
        let bins = cuts.windows(2).map(|w| self.bin(w[0], w[1])).collect();
        Ok(Reliability {
            bins,
            rule: EdgeRule::LowerClosed,
            n: self.n,
        })
    }

    fn bin(&self, from: usize, to: usize) -> Bin {
        let g = CELLS as f64;
        let mut bin = Bin {
            lower: from as f64 / g,
            upper: to as f64 / g,
            count: 0,
            correct: 0,
            confidence_sum: 0.0,
        };
        for k in from..to {
            for y in 0..2 {
                let [n, s1, _] = self.cells[2 * k + y];
                bin.count += n;
                bin.correct += n * y as u64;
                bin.confidence_sum += (k as f64 * n as f64 + s1 as f64 / OFFSET_SCALE) / g;
            }
        }
        bin
    }

    /// Groups (highest confidence in the cell's middle, records, wrong ones), from the most confident down.
    pub(crate) fn groups(&self) -> impl Iterator<Item = (f64, u64, u64)> {
        self.cells
            .chunks_exact(2)
            .enumerate()
            .rev()
            .filter_map(|(k, pair)| {
                let n = pair[0][0] + pair[1][0];
                (n > 0).then(|| (k as f64 / CELLS as f64, n, pair[0][0]))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::calibrated;
    use proptest::prelude::*;

    fn histogram(conf: &[f64], y: &[bool]) -> ConfidenceHistogram {
        let mut h = ConfidenceHistogram::new();
        h.extend(conf, y).unwrap();
        h
    }

    proptest! {
        #[test]
        fn histogram_does_not_depend_on_order_or_shards(
            data in proptest::collection::vec((0.0f64..=1.0, any::<bool>()), 1..300), at in 0usize..300,
        ) {
            let at = at.min(data.len());
            let (conf, y): (Vec<f64>, Vec<bool>) = data.iter().copied().unzip();
            let (rc, ry): (Vec<f64>, Vec<bool>) = data[at..].iter().rev().copied().unzip();
            let mut parts = histogram(&rc, &ry);
            parts.merge(&histogram(&conf[..at], &y[..at]));
            let whole = histogram(&conf, &y);
            prop_assert_eq!(&whole.cells, &parts.cells);
            prop_assert_eq!(whole.n(), parts.n());
        }
    }

    #[test]
    fn equal_mass_agrees_with_records_up_to_a_cell() {
        let (conf, y) = calibrated(20_000, 8);
        let h = histogram(&conf, &y).equal_mass(15).unwrap();
        let exact = Reliability::new(
            &conf,
            &y,
            Edges::equal_mass(&conf, 15, EdgeRule::LowerClosed).unwrap(),
        )
        .unwrap();
        assert_eq!(h.bins().len(), 15);
        assert!((h.l1() - exact.l1()).abs() < 1e-3);
        for (a, b) in h.bins().iter().zip(exact.bins()) {
            assert!(a.count().abs_diff(b.count()) <= 8);
        }
        assert_eq!(h.bins().iter().map(Bin::count).sum::<u64>(), 20_000);
    }

    #[test]
    fn one_crowded_value_stays_in_one_bin_and_nothing_has_no_table() {
        let h = histogram(&[1.0; 50], &[true; 50]).equal_mass(10).unwrap();
        let counts: Vec<u64> = h.bins().iter().map(Bin::count).filter(|n| *n > 0).collect();
        assert_eq!(counts, [50]);
        assert!(ConfidenceHistogram::new().equal_mass(10).is_err());
    }
}
