//! The two maps between prices and use: what a cohort uses at given prices, and the prices at which it uses what there is.

use hindsight_gpu::{Device, Real};

use crate::buyer::Buyer;
use crate::cases::Cases;
use crate::control::published;
use crate::coordinator::{Coordinator, level, unit_price};
use crate::error::{Argument, Error};
use crate::shape::{HORIZON, OUTLOOK, Shape};

/// A number of every cohort, resource and week, in this order: prices, use.
pub type ByWeek = Vec<Vec<Vec<f64>>>;

/// What a cohort uses at prices that are known ahead: the primal map.
pub trait PrimalMap {
    /// Use `[cohort][resource][week]`, in volume, at prices `[cohort][resource][week]`, in money per volume.
    ///
    /// # Errors
    /// Prices that do not fit, and those of whatever answers.
    fn usage(&self, prices: &[Vec<Vec<f64>>]) -> Result<ByWeek, Error>;
}

/// A buyer replayed on the cases: the primal map by simulation.
#[derive(Debug, Clone, Copy)]
pub struct Replayed<'a> {
    /// Cohorts and their paths.
    pub cases: &'a Cases<f32>,
    /// The buyer.
    pub buyer: &'a Buyer,
    /// Where it is run.
    pub device: &'a Device,
}

impl PrimalMap for Replayed<'_> {
    fn usage(&self, prices: &[Vec<Vec<f64>>]) -> Result<ByWeek, Error> {
        Ok(self.cases.announced(self.buyer, prices, self.device)?.usage)
    }
}

/// The buyer that knows all demand and arrivals, by linear programming: the primal map of which the dual bounds are made. For small problems.
#[derive(Debug, Clone, Copy)]
pub struct Clairvoyant<'a, F>(pub &'a Cases<F>);

impl<F: Real> PrimalMap for Clairvoyant<'_, F> {
    fn usage(&self, prices: &[Vec<Vec<f64>>]) -> Result<ByWeek, Error> {
        let own = prices.iter().enumerate();
        own.map(|(group, prices)| Ok(self.0.solved(group, Some(prices))?.1))
            .collect()
    }
}

/// All that is seen of a cohort before its orders of a week: sums over its products, the limits that are known, who is in it, and last week.
#[derive(Debug, Clone, Copy)]
pub struct Aggregates<'a> {
    pub(crate) shape: &'a Shape,
    pub(crate) sums: &'a [f64],
    pub(crate) shared: &'a [f64],
    /// The cohort, by number.
    pub cohort: usize,
    /// The week, from 0.
    pub week: usize,
    /// What was used last week, by resource; in the first week nothing.
    pub used: &'a [f64],
    /// The limits of last week, by resource; in the first week those of this one.
    pub limits: &'a [f64],
}

impl Aggregates<'_> {
    /// The number of resources.
    #[must_use]
    pub fn resources(&self) -> usize {
        self.shape.resources()
    }
    /// A week's demand at its slow level, in volume of a resource.
    #[must_use]
    pub fn demand(&self, resource: usize) -> f64 {
        level(self.shape, self.sums, resource)
    }
    /// What is expected of a limit some weeks ahead, at most [`HORIZON`].
    #[must_use]
    pub fn limit(&self, resource: usize, ahead: usize) -> f64 {
        self.shared[OUTLOOK + resource * (HORIZON + 1) + ahead.min(HORIZON)]
    }
    /// What a unit of volume costs: the unit of prices, in money per volume.
    #[must_use]
    pub fn unit_price(&self, resource: usize) -> f64 {
        unit_price(self.shape, self.sums, resource)
    }
}

/// Prices for a cohort from what is seen of it, so that it uses what there is: the dual map. A coordinator is one.
pub trait DualMap: std::fmt::Debug {
    /// Prices `[resource * (HORIZON + 1) + week ahead]`, in money per volume. Weeks of a cohort are asked for in their order.
    fn prices(&mut self, seen: &Aggregates<'_>) -> Vec<f64>;
}

impl DualMap for &Coordinator {
    fn prices(&mut self, seen: &Aggregates<'_>) -> Vec<f64> {
        Coordinator::prices(self, self.theta(), seen.sums, seen.shared)
    }
}

/// Prices that were settled before, `[cohort][week][resource * (HORIZON + 1) + week ahead]`, as a roll-out has them: to play them again behind a gate.
#[derive(Debug, Clone, Copy)]
pub struct Posted<'a>(pub &'a [Vec<Vec<f64>>]);

impl DualMap for Posted<'_> {
    fn prices(&mut self, seen: &Aggregates<'_>) -> Vec<f64> {
        let own = self.0.get(seen.cohort).and_then(|own| own.get(seen.week));
        own.cloned()
            .unwrap_or_else(|| vec![0.0; seen.shape.published()])
    }
}

/// Control by feedback alone: a price rises with last week's excess over the limit, falls with what was left free, and is announced to stay. It
/// looks at no limit ahead.
///
/// $$ \lambda_t = \max\Bigl(\lambda_{t-1} + \kappa \frac{u_{t-1} - K_{t-1}}{K_{t-1}}, 0\Bigr) $$
/// in unit prices, $\kappa$ the gain.
#[derive(Debug, Clone, PartialEq)]
pub struct Feedback {
    gain: f64,
    /// `[cohort][resource]`, in unit prices.
    prices: Vec<Vec<f64>>,
}

impl Feedback {
    /// Feedback with a gain, in unit prices for a use of twice the limit.
    ///
    /// # Errors
    /// A gain that is not above zero or not finite.
    pub fn new(gain: f64) -> Result<Self, Error> {
        if gain > 0.0 && gain.is_finite() {
            let prices = Vec::new();
            return Ok(Feedback { gain, prices });
        }
        Err(Error::Setting {
            argument: Argument::Baseline,
            value: gain,
        })
    }
}

impl DualMap for Feedback {
    fn prices(&mut self, seen: &Aggregates<'_>) -> Vec<f64> {
        let none = vec![0.0; seen.resources()];
        let least = self.prices.len().max(seen.cohort + 1);
        self.prices.resize(least, none.clone());
        if seen.week == 0 {
            self.prices[seen.cohort] = none;
        }
        let own = self.prices[seen.cohort].iter_mut().enumerate();
        let mut all = Vec::new();
        for (r, price) in own {
            if seen.week > 0 {
                let limit = seen.limits[r].max(1e-9);
                let gap = (seen.used[r] - seen.limits[r]) / limit;
                *price = (*price + self.gain * gap.clamp(-1.0, 1.0)).max(0.0);
            }
            all.push(vec![*price * seen.unit_price(r)]);
        }
        published(&all, 0)
    }
}
