//! Exogenous paths: what happens whatever the policy does.

use std::ops::Range;

use crate::arrivals::Arrivals;
use crate::error::Error;
use crate::panel::Panel;

/// The exogenous paths of a panel: its record, with one or several samples of what the record lacks (arrivals).
///
/// A *lane* is one product with one sample of arrivals; lane `sample * products + product`.
#[derive(Debug, Clone)]
pub struct Paths<'p> {
    panel: &'p Panel,
    /// The weeks that there are arrivals for; the arrays below begin with the first.
    weeks: Range<usize>,
    samples: usize,
    longest: usize,
    /// `[longest + week][k][lane]`: the share of the order of a week that arrives `k` weeks later; the first orders are placed
    /// before the first week.
    shares: Vec<f64>,
    /// `[week][k][lane]`: the share of the order of `k + 1` weeks ago that has not been received before this week.
    outstanding: Vec<f64>,
    yields: Option<Yields>,
}

/// What is known of arrivals that do not add up to the order.
#[derive(Debug, Clone)]
struct Yields {
    /// `[week][lane]`: the share of the order of a week that arrives in all.
    supplied: Vec<f64>,
    /// `[week][k][lane]`: the share of the order of `k + 1` weeks ago that will arrive in this week or later.
    coming: Vec<f64>,
}

/// An order is delivered in full when its shares sum to one, to this.
const FULL: f64 = 1e-9;

/// Lanes that are drawn together, so that rows are written in pieces of their own.
const TOGETHER: usize = 16;

impl<'p> Paths<'p> {
    /// The paths of a panel with `samples` samples of arrivals per product.
    ///
    /// # Errors
    /// When `samples` is zero, or a share of an order is negative or not finite.
    pub fn new(panel: &'p Panel, arrivals: &dyn Arrivals, samples: usize) -> Result<Self, Error> {
        Paths::over(panel, arrivals, samples, 0..panel.weeks())
    }

    /// The same paths in some weeks alone, for replays that see no other; they take memory for these weeks.
    ///
    /// # Errors
    /// As [`new`](Paths::new), and when the weeks end after the panel.
    pub fn over(
        panel: &'p Panel,
        arrivals: &dyn Arrivals,
        samples: usize,
        weeks: Range<usize>,
    ) -> Result<Self, Error> {
        if samples == 0 {
            return Err(Error::Empty("the set of samples"));
        }
        if weeks.is_empty() || weeks.end > panel.weeks() {
            let Range { start, end } = weeks;
            return Err(Error::Weeks {
                what: "the weeks are empty or outside the panel",
                start,
                end,
                weeks: panel.weeks(),
            });
        }
        let (over, weeks) = (weeks.clone(), weeks.len());
        let (products, longest) = (panel.products(), arrivals.max_lead_time());
        let lanes = products * samples;
        let mut shares = vec![0.0; (weeks + longest) * (longest + 1) * lanes];
        let mut full = true;
        let each = longest + 1;
        let before = to_i64(over.start) - to_i64(longest);
        let mut runs = vec![0.0; TOGETHER * (weeks + longest) * each];
        for first in (0..lanes).step_by(TOGETHER) {
            let block = first..lanes.min(first + TOGETHER);
            let runs = &mut runs[..block.len() * (weeks + longest) * each];
            for (lane, run) in block
                .clone()
                .zip(runs.chunks_exact_mut((weeks + longest) * each))
            {
                arrivals.run(lane % products, lane / products, before, run);
                if let Some(&value) = run.iter().find(|s| !(s.is_finite() && **s >= 0.0)) {
                    return Err(Error::Domain {
                        name: "share of an order",
                        domain: "a finite number, at least zero",
                        value,
                    });
                }
                let mut orders = run.chunks_exact(each);
                full &= orders.all(|own| (own.iter().sum::<f64>() - 1.0).abs() <= FULL);
            }
            for row in 0..(weeks + longest) * each {
                let own = runs.iter().skip(row).step_by((weeks + longest) * each);
                let into = &mut shares[row * lanes + block.start..row * lanes + block.end];
                into.iter_mut()
                    .zip(own)
                    .for_each(|(into, &share)| *into = share);
            }
        }
        let mut paths = Paths {
            panel,
            weeks: over,
            samples,
            longest,
            shares,
            outstanding: Vec::new(),
            yields: None,
        };
        paths.outstanding = paths.remaining(|_| 1.0);
        if full {
            return Ok(paths);
        }
        Ok(paths.with_yields())
    }

    /// The same paths with what orders bring in all, even where every order is delivered in full.
    pub(crate) fn with_yields(mut self) -> Self {
        let (lanes, longest) = (self.lanes(), self.longest);
        let total = |placed: usize, lane: usize| {
            let row = |k: usize| (placed * (longest + 1) + k) * lanes + lane;
            (0..=longest).map(|k| self.shares[row(k)]).sum::<f64>()
        };
        let weeks = 0..self.weeks.len();
        let cells = weeks.flat_map(|week| (0..lanes).map(move |lane| (week, lane)));
        let supplied = cells.map(|(week, lane)| total(week + longest, lane));
        self.yields = Some(Yields {
            supplied: supplied.collect(),
            coming: self.remaining(|(placed, lane)| total(placed, lane)),
        });
        self
    }

    /// `[week][k][lane]`: what is left, before a week, of the order of `k + 1` weeks ago, where `of` gives what there was of it.
    fn remaining(&self, of: impl Fn((usize, usize)) -> f64) -> Vec<f64> {
        let (lanes, longest) = (self.lanes(), self.longest);
        let mut left = Vec::with_capacity(self.weeks.len() * longest * lanes);
        for week in 0..self.weeks.len() {
            for age in 1..=longest {
                let placed = week + longest - age;
                left.extend((0..lanes).map(|lane| {
                    let row = |k: usize| (placed * (longest + 1) + k) * lanes + lane;
                    let start = of((placed, lane));
                    (0..age)
                        .fold(start, |left, k| left - self.shares[row(k)])
                        .max(0.0)
                }));
            }
        }
        left
    }

    /// The same paths of some of the products; `panel` is [`Panel::select`] of the same list.
    ///
    /// # Errors
    /// When a product does not exist, or the panel has another number of products or weeks.
    pub fn select<'q>(&self, panel: &'q Panel, products: &[usize]) -> Result<Paths<'q>, Error> {
        let lanes = self.lanes_of(products)?;
        for (array, expected, found) in [
            ("products of the panel", products.len(), panel.products()),
            ("weeks of the panel", self.panel.weeks(), panel.weeks()),
        ] {
            if expected != found {
                return Err(Error::Length {
                    array: array.into(),
                    expected,
                    found,
                });
            }
        }
        let of = |values: &[f64]| -> Vec<f64> {
            let rows = values.chunks_exact(self.lanes().max(1));
            rows.flat_map(|row| lanes.iter().map(|&lane| row[lane]))
                .collect()
        };
        Ok(Paths {
            panel,
            weeks: self.weeks.clone(),
            samples: self.samples,
            longest: self.longest,
            shares: of(&self.shares),
            outstanding: of(&self.outstanding),
            yields: self.yields.as_ref().map(|yields| Yields {
                supplied: of(&yields.supplied),
                coming: of(&yields.coming),
            }),
        })
    }

    /// The lanes of some of the products, sample by sample.
    pub(crate) fn lanes_of(&self, products: &[usize]) -> Result<Vec<usize>, Error> {
        let all = self.panel.products();
        if let Some(&product) = products.iter().find(|&&product| product >= all) {
            return Err(Error::Product {
                product,
                products: all,
            });
        }
        let samples = 0..self.samples;
        let lanes = samples.flat_map(|sample| products.iter().map(move |p| sample * all + p));
        Ok(lanes.collect())
    }

    /// The panel.
    #[must_use]
    pub fn panel(&self) -> &'p Panel {
        self.panel
    }

    /// The weeks that there are arrivals for.
    #[must_use]
    pub fn weeks(&self) -> Range<usize> {
        self.weeks.clone()
    }

    /// Samples of arrivals per product.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// The number of lanes: products times samples.
    #[must_use]
    pub fn lanes(&self) -> usize {
        self.panel.products() * self.samples
    }

    /// The product of a lane.
    #[must_use]
    pub fn product(&self, lane: usize) -> usize {
        lane % self.panel.products()
    }

    /// The longest time that any part of an order takes, in weeks.
    #[must_use]
    pub fn max_lead_time(&self) -> usize {
        self.longest
    }

    /// Whether some order does not arrive in full, or arrives in excess.
    #[must_use]
    pub fn has_yields(&self) -> bool {
        self.yields.is_some()
    }

    /// The shares, by lane, of the order of a week that arrive `k` weeks later.
    #[must_use]
    pub fn shares(&self, week: usize, k: usize) -> &[f64] {
        self.placed(week, 0, k)
    }

    /// Of the order placed `age` weeks before a week.
    fn placed(&self, week: usize, age: usize, k: usize) -> &[f64] {
        let placed = week - self.weeks.start + self.longest - age;
        &self.shares[(placed * (self.longest + 1) + k) * self.lanes()..][..self.lanes()]
    }

    /// The shares, by lane, of the order placed `age` weeks before a week that arrive `k` weeks after it was placed.
    pub(crate) fn before(&self, week: usize, age: usize, k: usize) -> &[f64] {
        self.placed(week, age, k)
    }

    /// The shares, by lane, of the order of `k` weeks ago that arrive in a week.
    #[must_use]
    pub fn arriving(&self, week: usize, k: usize) -> &[f64] {
        self.placed(week, k, k)
    }

    /// The shares, by lane, of the order of `k + 1` weeks ago that have not been received before a week: what a buyer knows to be
    /// open, whether it will come or not.
    #[must_use]
    pub fn outstanding(&self, week: usize, k: usize) -> &[f64] {
        let week = week - self.weeks.start;
        &self.outstanding[(week * self.longest + k) * self.lanes()..][..self.lanes()]
    }

    /// The shares, by lane, of the order of `k + 1` weeks ago that arrive in a week or later.
    #[must_use]
    pub fn coming(&self, week: usize, k: usize) -> &[f64] {
        match &self.yields {
            Some(yields) => {
                let week = week - self.weeks.start;
                &yields.coming[(week * self.longest + k) * self.lanes()..][..self.lanes()]
            }
            None => self.outstanding(week, k),
        }
    }

    /// The shares, by lane, of the order of a week that arrive in all; `None` where every order arrives in full.
    #[must_use]
    pub fn supplied(&self, week: usize) -> Option<&[f64]> {
        let yields = self.yields.as_ref()?;
        let week = week - self.weeks.start;
        Some(&yields.supplied[week * self.lanes()..][..self.lanes()])
    }
}

#[allow(clippy::cast_possible_wrap, reason = "weeks are far below 2^63")]
fn to_i64(week: usize) -> i64 {
    week as i64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::LeadTimes;
    use crate::panel::Columns;

    /// Pieces that depend on product, sample and week.
    #[derive(Debug)]
    struct Pieces;

    impl Arrivals for Pieces {
        fn max_lead_time(&self) -> usize {
            2
        }

        fn shares(&self, product: usize, sample: usize, week: i64, shares: &mut [f64]) {
            shares.fill(0.0);
            let k = week.rem_euclid(3);
            shares[usize::try_from(k).unwrap()] = 0.5 + 0.1 * crate::count::count(product + sample);
            shares[2] += 0.25;
        }
    }

    fn panel(products: usize, weeks: usize) -> Panel {
        let cells = products * weeks;
        let columns = Columns {
            demand: vec![3.0; cells],
            price: vec![2.0; cells],
            cost: vec![1.0; cells],
            present: vec![true; cells],
            covariates: vec![],
        };
        let names = (0..products).map(|p| p.to_string()).collect();
        Panel::new(names, weeks, columns).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// In some weeks alone the arrivals are those of the whole record, and each is what the law says of its product, sample and week.
        #[test]
        fn paths_in_some_weeks_are_those_of_the_whole(
            products in 1_usize..40, samples in 1_usize..3, start in 0_usize..10, length in 1_usize..9, persistence in 0.0_f64..0.9, seed in 0_u64..50,
        ) {
            let panel = panel(products, 20);
            let lead_times = LeadTimes::new(vec![0.1, 0.0, 0.4, 0.5], persistence, seed).unwrap();
            for arrivals in [&lead_times as &dyn Arrivals, &Pieces] {
                let whole = Paths::new(&panel, arrivals, samples).unwrap();
                let some = Paths::over(&panel, arrivals, samples, start..start + length).unwrap();
                let mut own = vec![0.0; arrivals.max_lead_time() + 1];
                for week in start..start + length {
                    for k in 0..=whole.max_lead_time() {
                        prop_assert_eq!(whole.shares(week, k), some.shares(week, k));
                        prop_assert_eq!(whole.arriving(week, k), some.arriving(week, k));
                        for lane in 0..whole.lanes() {
                            let placed = to_i64(week) - to_i64(k);
                            arrivals.shares(whole.product(lane), lane / products, placed, &mut own);
                            prop_assert_eq!(whole.arriving(week, k)[lane].to_bits(), own[k].to_bits());
                        }
                    }
                    for k in 0..whole.max_lead_time() {
                        prop_assert_eq!(whole.outstanding(week, k), some.outstanding(week, k));
                        prop_assert_eq!(whole.coming(week, k), some.coming(week, k));
                    }
                    prop_assert_eq!(whole.supplied(week), some.supplied(week));
                }
            }
        }
    }
}
