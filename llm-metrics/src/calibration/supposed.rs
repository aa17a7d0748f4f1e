//! Sets of true accuracies that have a given calibration error, and what they let one observe.

use super::interval::Norm;
use crate::stats::binomial::Quantiles;
use crate::stats::stream::generator;
use rand::RngExt;

/// One filled bin.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// Share of the records.
    pub(super) share: f64,
    /// Number of records.
    pub(super) count: f64,
    /// Mean confidence.
    pub(super) confidence: f64,
    /// Observed accuracy minus mean confidence.
    pub(super) gap: f64,
    /// Accuracies that are supposed.
    low: f64,
    high: f64,
    /// A standard deviation of the accuracy that is positive even in a bin of one kind of outcome.
    deviation: f64,
}

impl Row {
    pub(super) fn new(share: f64, count: f64, gap: f64, correct: f64, low: f64, high: f64) -> Self {
        let a = (correct + 1.0) / (count + 2.0);
        Self {
            share,
            count,
            confidence: correct / count - gap,
            gap,
            low,
            high,
            deviation: (a * (1.0 - a) / count).sqrt(),
        }
    }
    /// The least and the largest size of a difference that is supposed.
    fn sizes(&self) -> (f64, f64) {
        let c = self.confidence;
        let least = (self.low - c).max(c - self.high).max(0.0);
        (least, (self.high - c).max(c - self.low).max(least))
    }
    /// The mean observed size at accuracy `a`, or the mean square.
    fn mean_size(&self, norm: Norm, a: f64) -> f64 {
        let variance = a * (1.0 - a) / self.count;
        let m = a - self.confidence;
        match norm {
            Norm::L2 => m * m + variance,
            _ => super::reliability::folded_normal_mean(m, variance.sqrt()),
        }
    }
    /// The accuracy at a difference of size `m`, on the side where the mean observed error is larger or smaller, as far as the side has room.
    fn accuracy(&self, norm: Norm, m: f64, larger: bool) -> f64 {
        let (up, down) = (self.confidence + m, self.confidence - m);
        let slack = 1e-12;
        let (up_fits, down_fits) = (up <= self.high + slack, down >= self.low - slack);
        let upward = match (up_fits, down_fits) {
            (true, true) => {
                (self.mean_size(norm, up.min(1.0)) >= self.mean_size(norm, down.max(0.0))) == larger
            }
            (up, _) => up,
        };
        if upward { up } else { down }.clamp(0.0, 1.0)
    }
}

/// How many sets of accuracies are supposed for one error: three ways to spread it over the bins, each on two sides of the confidences.
pub(super) const SETS: usize = 6;

/// All bins under a supposed error.
#[derive(Debug)]
pub(super) struct Supposition<'a> {
    rows: &'a [Row],
    norm: Norm,
    /// Bins in the order in which a gathered error fills them.
    order: Vec<usize>,
}

impl<'a> Supposition<'a> {
    pub(super) fn new(rows: &'a [Row], norm: Norm) -> Self {
        let gain = |r: &Row| {
            let (least, most) = r.sizes();
            let rise = r.mean_size(norm, r.accuracy(norm, most, true))
                - r.mean_size(norm, r.accuracy(norm, least, true));
            match norm {
                Norm::L2 => r.share * r.deviation * r.deviation,
                _ => rise / (most - least).max(1e-300),
            }
        };
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by(|a, b| gain(&rows[*b]).total_cmp(&gain(&rows[*a])));
        Self { rows, norm, order }
    }

    /// The error of differences by bin.
    pub(super) fn size(&self, gaps: impl Iterator<Item = f64>) -> f64 {
        let terms = self.rows.iter().zip(gaps);
        match self.norm {
            Norm::L2 => terms.map(|(r, d)| r.share * d * d).sum::<f64>().sqrt(),
            _ => terms.map(|(r, d)| r.share * d.abs()).sum(),
        }
    }

    /// The least and the largest error that is supposed.
    pub(super) fn range(&self) -> (f64, f64) {
        (
            self.size(self.rows.iter().map(|r| r.sizes().0)),
            self.size(self.rows.iter().map(|r| r.sizes().1)),
        )
    }

    /// Accuracies whose error is `theta`, the `at`-th of [`SETS`].
    pub(super) fn set(&self, theta: f64, at: usize) -> Vec<f64> {
        let sizes = match at / 2 {
            0 => self.scaled(theta, |r, k| k * r.deviation),
            1 => self.scaled(theta, |r, k| {
                let offset = (k - 1.0) * r.deviation * r.deviation * r.share.sqrt();
                (r.gap.abs() * k.min(1.0) + offset.max(0.0)).max(0.0)
            }),
            _ => self.gathered(theta),
        };
        let accuracies = self.rows.iter().zip(&sizes);
        accuracies
            .map(|(r, m)| r.accuracy(self.norm, *m, at % 2 == 1))
            .collect()
    }

    /// Sizes by a rule with one factor, found so that the error is `theta`.
    fn scaled(&self, theta: f64, rule: impl Fn(&Row, f64) -> f64) -> Vec<f64> {
        let sizes = |k: f64| {
            self.rows.iter().map(move |r| (r, k)).map(|(r, k)| {
                let (least, most) = r.sizes();
                rule(r, k).clamp(least, most)
            })
        };
        let mut high = 1.0;
        while self.size(sizes(high)) < theta && high < 1e15 {
            high *= 4.0;
        }
        let mut low = 0.0;
        for _ in 0..60 {
            let mid = f64::midpoint(low, high);
            if self.size(sizes(mid)) < theta {
                low = mid;
            } else {
                high = mid;
            }
            if high - low <= 1e-9 * high {
                break;
            }
        }
        sizes(high).collect()
    }

    /// Sizes as small as they may be in all bins but a few.
    fn gathered(&self, theta: f64) -> Vec<f64> {
        let mut sizes: Vec<f64> = self.rows.iter().map(|r| r.sizes().0).collect();
        let power = |m: f64| if self.norm == Norm::L2 { m * m } else { m };
        let goal = power(theta);
        let mut total: f64 = self
            .rows
            .iter()
            .zip(&sizes)
            .map(|(r, m)| r.share * power(*m))
            .sum();
        for &b in &self.order {
            let (least, most) = self.rows[b].sizes();
            let share = self.rows[b].share;
            let room = share * (power(most) - power(least));
            if total + room <= goal {
                sizes[b] = most;
                total += room;
                continue;
            }
            let m = power(least) + (goal - total).max(0.0) / share;
            sizes[b] = if self.norm == Norm::L2 { m.sqrt() } else { m };
            break;
        }
        sizes
    }
}

/// Numbers of right answers, drawn with the same uniforms whatever is supposed.
#[derive(Debug)]
pub(super) struct Draws {
    quantiles: Quantiles,
    /// By bin, the order in which its stratified uniforms are used.
    order: Vec<Vec<u32>>,
    totals: Vec<f64>,
    counts: Vec<f64>,
}

impl Draws {
    pub(super) fn new(bins: usize, draws: usize, seed: u64) -> Self {
        let order = (0..bins)
            .map(|b| {
                let mut rng = generator(seed, 0xCA1B, b as u64);
                let mut order: Vec<u32> = (0..u32::try_from(draws).unwrap_or(u32::MAX)).collect();
                for i in (1..order.len()).rev() {
                    order.swap(i, rng.random_range(0..=i));
                }
                order
            })
            .collect();
        Self {
            quantiles: Quantiles::new(draws),
            order,
            totals: vec![0.0; draws],
            counts: vec![0.0; draws],
        }
    }

    /// The share of draws whose error passes `counts`.
    #[allow(clippy::cast_precision_loss)] // Numbers of draws.
    pub(super) fn share(
        &mut self,
        rows: &[Row],
        accuracies: &[f64],
        supposition: &Supposition<'_>,
        passes: impl Fn(f64) -> bool,
    ) -> f64 {
        self.totals.fill(0.0);
        let squared = supposition.norm == Norm::L2;
        for ((row, a), order) in rows.iter().zip(accuracies).zip(&self.order) {
            self.quantiles.fill(row.count, *a, &mut self.counts);
            for (k, at) in self.counts.iter().zip(order) {
                let d = k / row.count - row.confidence;
                self.totals[*at as usize] += row.share * if squared { d * d } else { d.abs() };
            }
        }
        let root = |t: f64| if squared { t.sqrt() } else { t };
        let passed = self.totals.iter().filter(|t| passes(root(**t))).count();
        passed as f64 / self.totals.len() as f64
    }
}
