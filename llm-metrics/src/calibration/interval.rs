//! How uncertain a binned calibration error is: an interval that covers at zero, with many bins and at the ends of the scale too.

use super::reliability::Reliability;
use super::supposed::{Draws, Row, SETS, Supposition};
use crate::error::{Allowed, Error, Result, check_level};
use crate::stats::Interval;
use crate::stats::interval::clopper_pearson;

/// Which binned error an interval is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum Norm {
    /// [`Reliability::l1`], the expected calibration error.
    L1,
    /// [`Reliability::l2`].
    L2,
    /// [`Reliability::max`].
    Max,
}

/// Share of the error probability that pays for the box of plausible accuracies, where there are several bins.
const BOX_SHARE: f64 = 0.1;

/// Returns an interval for the binned calibration error $\theta = \sum_b p_b |\delta_b|$ (or $\sqrt{\sum_b p_b \delta_b^2}$, or $\max_b |\delta_b|$), where
/// $\delta_b$ is the difference between the true accuracy of bin b and its mean confidence, given the confidences.
///
/// A percentile bootstrap of a calibration error fails: the plug-in error of n records is biased upward, a resample of them is biased twice. Here every
/// value of $\theta$ is tested. The bins' right answers are binomial; many sets of accuracies have the same $\theta$, so those are supposed that
/// are worst for the test: the differences spread over the bins in proportion to their standard deviations (which gives the smallest observed error),
/// gathered in few bins (which gives the largest), and the set nearest to the observed one. A value belongs to the interval unless the observed error
/// lies in the same tail of the drawn ones under all of them. Accuracies outside exact simultaneous intervals are not supposed (Berger and Boos, 1994: a tenth of the
/// error probability pays for that). For the maximum, and for a single bin, probabilities are exact or nearly so. Our formulation; its coverage over a grid of
/// bins, records and laws is a table in the [crate's README](crate#coverage), measured by `examples/coverage.rs`.
///
/// The interval may leave out the plug-in error itself, from which the noise has not been taken: with many bins and few records that error is mostly
/// [`Reliability::noise_floor`]. The debiased errors are nearer. Records must be independent; for several responses of one prompt see
/// [`cluster_ece_bootstrap`](crate::calibration::cluster_ece_bootstrap). Draws are keyed by `seed`.
///
/// ```
/// use hindsight_llm_metrics::calibration::{EdgeRule, Edges, Norm, Reliability, calibration_interval};
/// let table = |right: u64, of: u64, confidence: f64| {
///     let outcomes: Vec<bool> = (0..of).map(|i| i < right).collect();
///     Reliability::new(&vec![confidence; outcomes.len()], &outcomes, Edges::equal_width(10, EdgeRule::UpperClosed)?)
/// };
/// let i = calibration_interval(&table(60, 100, 0.9)?, Norm::L1, 0.95, 1000, 1)?;
/// assert!(i.lower > 0.15 && i.upper < 0.45 && i.contains(0.3));
/// // All of five right at confidence 1: an accuracy of 0.025^(1/5) = 0.478 is not ruled out.
/// let i = calibration_interval(&table(5, 5, 1.0)?, Norm::L1, 0.95, 1000, 1)?;
/// assert!(i.lower == 0.0 && (i.upper - 0.522).abs() < 0.01);
/// # Ok::<(), hindsight_llm_metrics::Error>(())
/// ```
///
/// # Errors
/// [`Error::Parameter`] for `level`, or fewer than 100 `draws`; [`Error::TooFew`] if several bins hold fewer than two records on average: nothing
/// can then be said about the bins.
#[allow(clippy::cast_precision_loss)] // Counts below 2^53.
pub fn calibration_interval(
    table: &Reliability,
    norm: Norm,
    level: f64,
    draws: usize,
    seed: u64,
) -> Result<Interval> {
    check_level(level)?;
    if draws < 100 {
        return Err(Error::Parameter {
            name: "draws",
            value: draws as f64,
            allowed: Allowed::AtLeast(100.0),
        });
    }
    let filled = table.terms().count();
    if filled > 1 && 2 * filled as u64 > table.n() {
        return Err(Error::TooFew {
            what: "the number of records for an interval over so many filled bins",
            needed: 2 * filled,
            found: usize::try_from(table.n()).unwrap_or(usize::MAX),
        });
    }
    let alpha = 1.0 - level;
    let (tail, within) = match (norm, filled) {
        (Norm::Max, _) | (_, 1) => (alpha / 2.0, None),
        _ => (
            (1.0 - BOX_SHARE) * alpha / 2.0,
            Some(1.0 - BOX_SHARE * alpha / filled as f64),
        ),
    };
    let rows = table
        .terms()
        .map(|(share, gap, b)| {
            let (low, high) = match within {
                None => (0.0, 1.0),
                Some(level) => {
                    let i = clopper_pearson(b.correct(), b.count(), level)?;
                    (i.lower, i.upper)
                }
            };
            let count = b.count() as f64;
            Ok(Row::new(share, count, gap, b.correct() as f64, low, high))
        })
        .collect::<Result<Vec<Row>>>()?;
    let (lower, upper) = match norm {
        Norm::Max => super::largest::ends(&rows, tail),
        _ => inverted(&rows, norm, tail, draws, seed),
    };
    Ok(Interval {
        lower,
        upper: upper.max(lower),
        level,
    })
}

/// The ends of the values of the error that neither tail of its test rejects.
fn inverted(rows: &[Row], norm: Norm, tail: f64, draws: usize, seed: u64) -> (f64, f64) {
    let supposition = Supposition::new(rows, norm);
    let observed = supposition.size(rows.iter().map(|r| r.gap));
    let (least, most) = supposition.range();
    let mut test = Test::new(&supposition, rows, draws, seed);
    let lower = if test.above(least, observed, tail) {
        least
    } else {
        let middle = observed.clamp(least, most);
        let to = if test.above(middle, observed, tail) {
            middle
        } else {
            most
        };
        bisect(least, to, |t| test.above(t, observed, tail))
    };
    // Outcomes that match the confidences better than chance allows say no more than a typical match.
    let mut reference = observed;
    if !test.below(least, observed, tail) {
        let room = supposition.size(rows.iter().map(|_| 1.0));
        reference = bisect(observed, room, |t| test.below(least, t, 0.5));
    }
    let upper = if test.below(most, reference, tail) {
        most
    } else {
        let from = lower.max(least);
        let start = if test.below(from, reference, tail) {
            from
        } else {
            least
        };
        bisect(most, start, |t| test.below(t, reference, tail))
    };
    (lower, upper)
}

/// Whether a supposed error lets chance produce an observed one.
struct Test<'a> {
    supposition: &'a Supposition<'a>,
    rows: &'a [Row],
    draws: Draws,
    /// The set of accuracies that passed last, which is tried first: one that passes is enough.
    first: usize,
}

impl<'a> Test<'a> {
    fn new(supposition: &'a Supposition<'a>, rows: &'a [Row], draws: usize, seed: u64) -> Self {
        let draws = Draws::new(rows.len(), draws, seed);
        Self {
            supposition,
            rows,
            draws,
            first: 0,
        }
    }
    /// Whether an error of at least `than` has a probability above `tail` under some accuracies whose error is `theta`.
    fn above(&mut self, theta: f64, than: f64, tail: f64) -> bool {
        self.exceeds(theta, tail, |drawn| drawn >= than - 1e-12)
    }
    /// The same of an error of at most `than`.
    fn below(&mut self, theta: f64, than: f64, tail: f64) -> bool {
        self.exceeds(theta, tail, |drawn| drawn <= than + 1e-12)
    }
    fn exceeds(&mut self, theta: f64, tail: f64, passes: impl Fn(f64) -> bool + Copy) -> bool {
        let mut tried: Vec<Vec<f64>> = Vec::with_capacity(SETS);
        for i in 0..SETS {
            let at = (self.first + i) % SETS;
            let set = self.supposition.set(theta, at);
            if tried.contains(&set) {
                continue;
            }
            if self.draws.share(self.rows, &set, self.supposition, passes) > tail {
                self.first = at;
                return true;
            }
            tried.push(set);
        }
        false
    }
}

/// The value nearest to `from` at which `holds` is true, given that it fails at `from` and holds at `to`.
pub(super) fn bisect(from: f64, to: f64, mut holds: impl FnMut(f64) -> bool) -> f64 {
    let (mut bad, mut good) = (from, to);
    for _ in 0..60 {
        if (good - bad).abs() <= 1e-4 * good.abs().max(1e-5) {
            break;
        }
        let mid = f64::midpoint(bad, good);
        if holds(mid) {
            good = mid;
        } else {
            bad = mid;
        }
    }
    good
}

#[cfg(test)]
mod tests;
