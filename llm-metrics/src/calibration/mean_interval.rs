//! Intervals of means that cover with few records and with rare large losses: of bounded losses, and of weighted wrong answers.

use rand_distr::{Distribution, Exp1, Gamma, StandardNormal};

use crate::error::Result;
use crate::stats::interval::quantile_sorted;
use crate::stats::stream::generator;
use crate::stats::{Interval, clopper_pearson, par};

/// Losses below this are counted as zero.
const LEAST: f64 = 8.673_617_379_884_035e-19; // 2^-60
/// Cells of an octave, a power of two: within one a loss is known to 1 part in 16.
const OCTAVE_BITS: u32 = 4;
/// Octaves from 2^-60 to 2^11: a log loss of more than 745 no double can give.
const OCTAVES: usize = 71;

/// Losses counted on a logarithmic scale, with the range that they could have been in: a mergeable record of a distribution, in constant memory.
#[derive(Debug, Clone)]
pub(super) struct LossCells {
    counts: Vec<u64>,
    /// The least and the largest loss that a record could have had.
    range: [f64; 2],
}

impl Default for LossCells {
    fn default() -> Self {
        Self {
            counts: vec![0; (OCTAVES << OCTAVE_BITS) + 1],
            range: [f64::INFINITY, 0.0],
        }
    }
}

/// The upper bits of a double: its exponent and the first bits of its mantissa.
fn head(loss: f64) -> usize {
    usize::try_from(loss.to_bits() >> (52 - OCTAVE_BITS)).unwrap_or(usize::MAX)
}

impl LossCells {
    /// Counts a finite loss of `count` records, each of which could have had one within `range`.
    pub(super) fn add(&mut self, loss: f64, range: [f64; 2], count: u64) {
        let cell = if loss < LEAST {
            0
        } else {
            (head(loss) - head(LEAST) + 1).min(self.counts.len() - 1)
        };
        self.counts[cell] += count;
        self.widen(range);
    }

    fn widen(&mut self, [least, most]: [f64; 2]) {
        self.range = [self.range[0].min(least), self.range[1].max(most)];
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (a, b) in self.counts.iter_mut().zip(&other.counts) {
            *a += b;
        }
        self.widen(other.range);
    }

    /// The filled cells: the middle of each, and its count.
    #[allow(clippy::cast_precision_loss)] // Counts.
    fn filled(&self) -> Vec<(f64, f64)> {
        let cells = self.counts.iter().enumerate().filter(|c| *c.1 > 0);
        cells
            .map(|(cell, count)| {
                let middle = |cell: usize| {
                    let bits = ((cell + head(LEAST) - 1) as u64) << (52 - OCTAVE_BITS);
                    f64::from_bits(bits | 1 << (51 - OCTAVE_BITS))
                };
                let value = if cell == 0 { 0.0 } else { middle(cell) };
                (value, *count as f64)
            })
            .collect()
    }

    /// The sum of the squared distances of the losses from `mean`, as far as the cells tell.
    pub(super) fn squares(&self, mean: f64) -> f64 {
        let cells = self.filled();
        cells.iter().map(|(v, n)| n * (v - mean).powi(2)).sum()
    }

    /// Returns an interval for the mean of losses within the range that is possible, given their mean and standard deviation; its upper end is infinite where a loss
    /// could have been.
    ///
    /// Gaffke's bound: the mean of the losses and of one more at the end of their range, weighted by the spacings of uniforms. For losses of two values it is
    /// Clopper and Pearson's bound, for many it is the Bayesian bootstrap. Where the cells exaggerate the spread they are drawn together; what they hide of it is added
    /// as normal noise.
    #[allow(clippy::cast_precision_loss)] // Counts.
    pub(super) fn interval(
        &self,
        (mean, deviation): (f64, f64),
        level: f64,
        draws: usize,
        seed: u64,
    ) -> Interval {
        let cells = self.filled();
        let n: f64 = cells.iter().map(|c| c.1).sum();
        let centre = cells.iter().map(|(v, k)| v * k).sum::<f64>() / n;
        let square = |v: f64| (v - centre) * (v - centre);
        let between = cells.iter().map(|(v, k)| square(*v) * k).sum::<f64>() / (n - 1.0).max(1.0);
        let within = ((deviation * deviation - between).max(0.0) / n).sqrt();
        let within = if within.is_nan() { 0.0 } else { within };
        let together = deviation / between.sqrt();
        let together = if together < 1.0 { together } else { 1.0 };
        let value = |v: f64| mean + together * (v - centre);
        let laws: Vec<(f64, Gamma<f64>)> = cells
            .iter()
            .filter_map(|(v, k)| Gamma::new(*k, 1.0).ok().map(|law| (value(*v), law)))
            .collect();
        let drawn: Vec<[f64; 2]> = par::map(draws, |r| {
            let mut rng = generator(seed, 0x6AFF, r as u64);
            let (mut weight, mut sum) = (0.0, 0.0);
            for (v, law) in &laws {
                let w = law.sample(&mut rng);
                weight += w;
                sum += w * v;
            }
            let end: f64 = Exp1.sample(&mut rng);
            let noise: f64 = StandardNormal.sample(&mut rng);
            self.range
                .map(|m| (sum + end * m) / (weight + end) + within * noise)
        });
        let (lower, upper) = ends(&drawn, level);
        Interval {
            lower: lower.clamp(self.range[0].min(mean), mean),
            upper: upper.clamp(mean, self.range[1].max(mean)),
            level,
        }
    }
}

/// Records that count for as much each, so many of them wrong.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    /// What a share of 1 of wrong answers adds to the sum.
    pub(super) weight: f64,
    /// Records.
    pub(super) count: u64,
    /// Wrong ones.
    pub(super) wrong: u64,
    /// Root mean square of the records' own weights over their mean, at least 1.
    pub(super) unevenness: f64,
}

/// Returns an interval for a weighted sum of the blocks' shares of wrong answers, whose estimate is given.
///
/// Each share is drawn from the distributions that Clopper and Pearson's bounds are quantiles of; the sum's quantiles are the ends. With one block of even
/// weights they are those bounds.
#[allow(clippy::cast_precision_loss)] // Counts.
pub(super) fn weighted_errors(
    blocks: &[Block],
    estimate: f64,
    level: f64,
    draws: usize,
    seed: u64,
) -> Result<Interval> {
    if let [b] = blocks
        && b.unevenness <= 1.0
    {
        let i = clopper_pearson(b.wrong, b.count, level)?;
        let [lower, upper] = [i.lower, i.upper].map(|share| b.weight * share);
        return Ok(Interval {
            lower: lower.min(estimate),
            upper: upper.max(estimate),
            level,
        });
    }
    let share = |b: &Block| b.wrong as f64 / b.count as f64;
    let gamma = |shape: f64| Gamma::new(shape, 1.0).ok();
    let laws: Vec<_> = blocks
        .iter()
        .map(|b| (gamma(b.wrong as f64), gamma((b.count - b.wrong) as f64)))
        .collect();
    let drawn: Vec<[f64; 2]> = par::map(draws, |r| {
        let mut rng = generator(seed, 0xA5EC, r as u64);
        let mut sums = [estimate; 2];
        for (b, (wrong, right)) in blocks.iter().zip(&laws) {
            let mut draw = |law: &Option<Gamma<f64>>| law.map_or(0.0, |law| law.sample(&mut rng));
            let (w, r) = (draw(wrong), draw(right));
            let end: f64 = Exp1.sample(&mut rng);
            for (sum, end_wrong) in sums.iter_mut().zip([0.0, end]) {
                let drawn = (w + end_wrong) / (w + r + end);
                *sum += b.weight * b.unevenness * (drawn - share(b));
            }
        }
        sums
    });
    let (lower, upper) = ends(&drawn, level);
    Ok(Interval {
        lower: lower.clamp(0.0, estimate),
        upper: upper.clamp(estimate, 1.0),
        level,
    })
}

/// The lower quantile of the first and the upper quantile of the second of each pair.
fn ends(drawn: &[[f64; 2]], level: f64) -> (f64, f64) {
    let tail = (1.0 - level) / 2.0;
    let sorted = |k: usize| {
        let mut values: Vec<f64> = drawn.iter().map(|d| d[k]).collect();
        values.sort_by(f64::total_cmp);
        values
    };
    let upper = sorted(1);
    let upper = if upper.iter().all(|v| v.is_finite()) {
        quantile_sorted(&upper, 1.0 - tail)
    } else {
        f64::INFINITY
    };
    (quantile_sorted(&sorted(0), tail), upper)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::uniform;

    fn cells(losses: &[f64], range: [f64; 2]) -> LossCells {
        let mut cells = LossCells::default();
        losses.iter().for_each(|l| cells.add(*l, range, 1));
        cells
    }

    fn moments(losses: &[f64]) -> (f64, f64) {
        let n = losses.len() as f64;
        let mean = losses.iter().sum::<f64>() / n;
        let sum: f64 = losses.iter().map(|l| (l - mean).powi(2)).sum();
        (mean, (sum / (n - 1.0)).sqrt())
    }

    #[test]
    fn losses_of_two_values_give_the_exact_binomial_interval() {
        for wrong in [0u64, 1, 7] {
            let losses: Vec<f64> = (0..20).map(|i| f64::from(u8::from(i < wrong))).collect();
            let i = cells(&losses, [0.0, 1.0]).interval(moments(&losses), 0.9, 20_000, 1);
            let exact = clopper_pearson(wrong, 20, 0.9).unwrap();
            assert!((i.lower - exact.lower).abs() < 5e-3, "{i:?} {exact:?}");
            assert!((i.upper - exact.upper).abs() < 5e-3, "{i:?} {exact:?}");
            let block = Block {
                weight: 1.0,
                count: 20,
                wrong,
                unevenness: 1.0,
            };
            let shares = weighted_errors(&[block], wrong as f64 / 20.0, 0.9, 100, 1).unwrap();
            assert_eq!(shares, exact);
        }
    }

    #[test]
    fn many_losses_give_the_normal_interval_also_within_one_cell() {
        for (scale, base) in [(1.0, 0.0), (0.02, 6.9)] {
            let losses: Vec<f64> = (0..5000)
                .map(|i| base + scale * uniform(3, 1, i).powi(2))
                .collect();
            let m = moments(&losses);
            let i = cells(&losses, [base, base + scale]).interval(m, 0.95, 4000, 1);
            let half = 1.96 * m.1 / 5000f64.sqrt();
            // One loss more at an end of the range moves that end by a few shares of a record.
            let room = 0.1 * half + 4.0 * scale / 5000.0;
            for distance in [m.0 - i.lower, i.upper - m.0] {
                assert!(
                    distance > 0.9 * half && distance < half + room,
                    "{i:?} {m:?}"
                );
            }
        }
        let i = cells(&[0.1, 0.3], [0.0, f64::INFINITY]).interval((0.2, 0.14), 0.9, 200, 1);
        assert!(i.lower > 0.0 && i.upper == f64::INFINITY, "{i:?}");
    }

    #[test]
    fn cells_keep_losses_to_one_part_in_sixteen_and_merge() {
        let losses = [0.0, 1e-30, 3e-5, 0.7, 1.0, 700.0];
        let filled = cells(&losses, [0.0, 1.0]).filled();
        assert_eq!(filled[0], (0.0, 2.0));
        for (loss, (middle, _)) in losses[2..].iter().zip(&filled[1..]) {
            assert!((middle / loss - 1.0).abs() <= 1.0 / 16.0, "{loss} {middle}");
        }
        let mut a = cells(&losses[..3], [0.5, 1.0]);
        a.merge(&cells(&losses[3..], [0.0, 2.0]));
        assert_eq!((a.filled(), a.range), (filled, [0.0, 2.0]));
    }
}
