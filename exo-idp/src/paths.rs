//! Exogenous paths: what happens whatever the policy does.

use crate::arrivals::Arrivals;
use crate::error::Error;
use crate::panel::Panel;

/// The exogenous paths of a panel: its record, with one or several samples of what the record lacks (arrivals).
///
/// A *lane* is one product with one sample of arrivals; lane `sample * products + product`.
#[derive(Debug, Clone)]
pub struct Paths<'p> {
    panel: &'p Panel,
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

impl<'p> Paths<'p> {
    /// The paths of a panel with `samples` samples of arrivals per product.
    ///
    /// # Errors
    /// When `samples` is zero, or a share of an order is negative or not finite.
    pub fn new(panel: &'p Panel, arrivals: &dyn Arrivals, samples: usize) -> Result<Self, Error> {
        if samples == 0 {
            return Err(Error::Empty("the set of samples"));
        }
        let (products, weeks, longest) =
            (panel.products(), panel.weeks(), arrivals.max_lead_time());
        let lanes = products * samples;
        let mut shares = vec![0.0; (weeks + longest) * (longest + 1) * lanes];
        let mut full = true;
        let mut own = vec![0.0; longest + 1];
        for lane in 0..lanes {
            let (product, sample) = (lane % products, lane / products);
            for placed in 0..weeks + longest {
                let week = to_i64(placed) - to_i64(longest);
                arrivals.shares(product, sample, week, &mut own);
                if let Some(&value) = own.iter().find(|s| !(s.is_finite() && **s >= 0.0)) {
                    return Err(Error::Domain {
                        name: "share of an order",
                        domain: "a finite number, at least zero",
                        value,
                    });
                }
                full &= (own.iter().sum::<f64>() - 1.0).abs() <= FULL;
                for (k, &share) in own.iter().enumerate() {
                    shares[(placed * (longest + 1) + k) * lanes + lane] = share;
                }
            }
        }
        let mut paths = Paths {
            panel,
            samples,
            longest,
            shares,
            outstanding: vec![0.0; weeks * longest * lanes],
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
        let weeks = 0..self.panel.weeks();
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
        let mut left = Vec::with_capacity(self.panel.weeks() * longest * lanes);
        for week in 0..self.panel.weeks() {
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

    /// The panel.
    #[must_use]
    pub fn panel(&self) -> &'p Panel {
        self.panel
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
        self.placed(week + self.longest, k)
    }

    fn placed(&self, placed: usize, k: usize) -> &[f64] {
        &self.shares[(placed * (self.longest + 1) + k) * self.lanes()..][..self.lanes()]
    }

    /// The shares, by lane, of the order placed `age` weeks before a week that arrive `k` weeks after it was placed.
    pub(crate) fn before(&self, week: usize, age: usize, k: usize) -> &[f64] {
        self.placed(week + self.longest - age, k)
    }

    /// The shares, by lane, of the order of `k` weeks ago that arrive in a week.
    #[must_use]
    pub fn arriving(&self, week: usize, k: usize) -> &[f64] {
        self.placed(week + self.longest - k, k)
    }

    /// The shares, by lane, of the order of `k + 1` weeks ago that have not been received before a week: what a buyer knows to be
    /// open, whether it will come or not.
    #[must_use]
    pub fn outstanding(&self, week: usize, k: usize) -> &[f64] {
        &self.outstanding[(week * self.longest + k) * self.lanes()..][..self.lanes()]
    }

    /// The shares, by lane, of the order of `k + 1` weeks ago that arrive in a week or later.
    #[must_use]
    pub fn coming(&self, week: usize, k: usize) -> &[f64] {
        match &self.yields {
            Some(yields) => {
                &yields.coming[(week * self.longest + k) * self.lanes()..][..self.lanes()]
            }
            None => self.outstanding(week, k),
        }
    }

    /// The shares, by lane, of the order of a week that arrive in all; `None` where every order arrives in full.
    #[must_use]
    pub fn supplied(&self, week: usize) -> Option<&[f64]> {
        let yields = self.yields.as_ref()?;
        Some(&yields.supplied[week * self.lanes()..][..self.lanes()])
    }
}

#[allow(clippy::cast_possible_wrap, reason = "weeks are far below 2^63")]
fn to_i64(week: usize) -> i64 {
    week as i64
}
