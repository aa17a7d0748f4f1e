//! The demand of one product so far.

use crate::count::count;

/// Weight of the newest week in the smoothed mean.
const SMOOTHING: f64 = 0.15;
/// What a week takes off the largest demand that is remembered.
const FADING: f64 = 0.98;

/// Demand of the weeks pushed so far, with sums that answer for any stretch of them. Weeks that are not known (absent, out of stock)
/// count for nothing.
#[derive(Debug, Clone)]
pub(super) struct History {
    demand: Vec<f64>,
    /// Over the weeks before each week: known weeks, their demand, its square, known weeks without demand.
    sums: Vec<[f64; 4]>,
    known: Vec<bool>,
    /// Demand and its square over the weeks that had any.
    sales: [f64; 2],
    lagged: f64,
    smoothed: f64,
    largest: f64,
    since_sale: f64,
    /// The smallest demand above zero, which tells the unit of sale; infinite where there was none.
    smallest: f64,
    /// Sums of price and cost over the known weeks.
    prices: [f64; 2],
}

impl History {
    pub(super) fn new() -> Self {
        History {
            demand: Vec::new(),
            sums: vec![[0.0; 4]],
            known: Vec::new(),
            sales: [0.0; 2],
            lagged: 0.0,
            smoothed: 0.0,
            largest: 0.0,
            since_sale: 0.0,
            smallest: f64::INFINITY,
            prices: [0.0; 2],
        }
    }

    /// Adds a week.
    pub(super) fn push(&mut self, known: bool, demand: f64, price: f64, cost: f64) {
        let mut sums = self.sums[self.demand.len()];
        if known {
            if let (Some(&true), Some(&before)) = (self.known.last(), self.demand.last()) {
                let mean = self.mean();
                self.lagged += (demand - mean) * (before - mean);
            }
            sums[0] += 1.0;
            sums[1] += demand;
            sums[2] += demand * demand;
            sums[3] += f64::from(u8::from(demand <= 0.0));
            self.smoothed += SMOOTHING.max(1.0 / sums[0]) * (demand - self.smoothed);
            self.largest = (self.largest * FADING).max(demand);
            if demand > 0.0 {
                self.sales[0] += demand;
                self.sales[1] += demand * demand;
                self.since_sale = 0.0;
                self.smallest = self.smallest.min(demand);
            } else {
                self.since_sale += 1.0;
            }
            self.prices[0] += price;
            self.prices[1] += cost;
        }
        self.sums.push(sums);
        self.demand.push(if known { demand } else { 0.0 });
        self.known.push(known);
    }

    /// The number of weeks pushed.
    pub(super) fn weeks(&self) -> usize {
        self.demand.len()
    }

    /// Known weeks, their demand, its square and known weeks without demand over weeks `from..to`, cut at the first.
    fn over(&self, from: usize, to: usize) -> [f64; 4] {
        let (a, b) = (&self.sums[from.min(to)], &self.sums[to]);
        std::array::from_fn(|k| b[k] - a[k])
    }

    /// The last `weeks` weeks, as [`over`](Self::over).
    fn last(&self, weeks: usize) -> [f64; 4] {
        let now = self.weeks();
        self.over(now.saturating_sub(weeks), now)
    }

    /// Known weeks and their demand over weeks `from..to`.
    pub(super) fn total(&self, from: usize, to: usize) -> (f64, f64) {
        let [n, sum, ..] = self.over(from, to);
        (n, sum)
    }

    /// A week's demand, if it is known.
    pub(super) fn demand(&self, week: usize) -> Option<f64> {
        self.known[week].then(|| self.demand[week])
    }

    /// Known weeks so far.
    pub(super) fn known(&self) -> f64 {
        self.sums[self.weeks()][0]
    }

    /// Mean demand so far; zero where no week is known.
    pub(super) fn mean(&self) -> f64 {
        let [n, sum, ..] = self.sums[self.weeks()];
        sum / n.max(1.0)
    }

    /// Mean demand of the last weeks; that of all weeks where none of them is known.
    pub(super) fn recent(&self, weeks: usize) -> f64 {
        let [n, sum, ..] = self.last(weeks);
        if n > 0.0 { sum / n } else { self.mean() }
    }

    /// Share of the last weeks that are known.
    pub(super) fn coverage(&self, weeks: usize) -> f64 {
        self.last(weeks)[0] / count(weeks)
    }

    /// The exponentially smoothed mean.
    pub(super) fn smoothed(&self) -> f64 {
        self.smoothed
    }

    /// The standard deviation of the last weeks' demand.
    pub(super) fn deviation(&self, weeks: usize) -> f64 {
        let [n, sum, squares, _] = self.last(weeks);
        let mean = sum / n.max(1.0);
        (squares / n.max(1.0) - mean * mean).max(0.0).sqrt()
    }

    /// Share of the known weeks among the last ones that had no demand.
    pub(super) fn idle(&self, weeks: usize) -> f64 {
        let [n, _, _, zeros] = self.last(weeks);
        zeros / n.max(1.0)
    }

    /// Known weeks since the last with demand.
    pub(super) fn since_sale(&self) -> f64 {
        self.since_sale
    }

    /// Known weeks that had demand.
    pub(super) fn sales(&self) -> f64 {
        let [n, _, _, zeros] = self.sums[self.weeks()];
        n - zeros
    }

    /// Coefficient of variation of the demand of weeks that had any; none with fewer than two of them.
    pub(super) fn variation_of_sales(&self) -> Option<f64> {
        let n = self.sales();
        if n < 2.0 {
            return None;
        }
        let mean = self.sales[0] / n;
        Some((self.sales[1] / n - mean * mean).max(0.0).sqrt() / mean)
    }

    /// Variance of demand over its mean, in units: one for Poisson demand, larger where customers buy in bulk.
    pub(super) fn dispersion(&self) -> f64 {
        let mean = self.mean();
        if mean > 0.0 {
            self.deviation(self.weeks()).powi(2) / mean
        } else {
            0.0
        }
    }

    /// The largest demand, fading with time.
    pub(super) fn largest(&self) -> f64 {
        self.largest
    }

    /// Correlation of neighbouring weeks; zero with fewer than nine.
    pub(super) fn autocorrelation(&self) -> f64 {
        let n = self.known();
        let variance = self.deviation(self.weeks()).powi(2) * n;
        if n > 8.0 && variance > 1e-12 * self.largest * self.largest {
            (self.lagged / variance).clamp(-1.0, 1.0)
        } else {
            0.0
        }
    }

    /// The smallest demand above zero so far.
    pub(super) fn smallest(&self) -> Option<f64> {
        self.smallest.is_finite().then_some(self.smallest)
    }

    /// Mean price and cost of the known weeks; none before the first.
    pub(super) fn prices(&self) -> Option<(f64, f64)> {
        let n = self.known();
        (n > 0.0).then(|| (self.prices[0] / n, self.prices[1] / n))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The sums are those of a plain pass over the weeks.
        #[test]
        fn answers_are_those_of_a_plain_pass(
            weeks in prop::collection::vec((prop::bool::weighted(0.8), prop_oneof![Just(0.0), 0.5_f64..40.0]), 1..60), span in 1_usize..30,
        ) {
            let mut history = History::new();
            for &(known, demand) in &weeks {
                history.push(known, demand, 3.0, 2.0);
            }
            let known = |from: usize| weeks[from..].iter().filter(|w| w.0).map(|w| w.1).collect::<Vec<f64>>();
            let mean = |x: &[f64]| x.iter().sum::<f64>() / count(x.len().max(1));
            let (all, last) = (known(0), known(weeks.len().saturating_sub(span)));
            prop_assert!((history.mean() - mean(&all)).abs() < 1e-9);
            if !last.is_empty() {
                prop_assert!((history.recent(span) - mean(&last)).abs() < 1e-9);
                let variance = mean(&last.iter().map(|d| (d - mean(&last)).powi(2)).collect::<Vec<f64>>());
                prop_assert!((history.deviation(span).powi(2) - variance).abs() < 1e-7);
                let idle = count(last.iter().filter(|&&d| d == 0.0).count()) / count(last.len());
                prop_assert!((history.idle(span) - idle).abs() < 1e-12);
            }
            prop_assert!((history.known() - count(all.len())).abs() < 1e-12);
        }
    }
}
