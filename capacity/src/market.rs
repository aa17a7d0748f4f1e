//! A coordinator as a market of `exo-idp`: what policies meet when a facility's limits are priced.

use hindsight_exo_idp::market::{Market, MarketInputs};
use hindsight_exo_idp::period::{Event, Position};
use hindsight_exo_idp::policy::{Observation, Policy, Signals};
use hindsight_gpu::{DelayLine, Scalar};

use crate::buyer::Buyer;
use crate::cases::{Cohort, composition};
use crate::coordinator::{Coordinator, contributions};
use crate::error::{Argument, Error};
use crate::limits::{Kind, Limits};
use crate::record::Record;
use crate::shape::{
    ACCEPTED, ARRIVING, COST, DEMAND, DEVIATION, FAST, HORIZON, LATER, OUTLOOK, PRICE, SLOW, SOON,
};

/// The rows of a product and week that are known before an order; those that are not are zero.
fn known(record: &Record<'_>, product: usize, week: usize) -> [f64; ARRIVING] {
    let panel = record.panel();
    let [fast, slow, deviation] = record.level(product, week);
    let [soon, later] = record.ahead(product, week);
    let mut rows = [0.0; ARRIVING];
    for (row, value) in [
        (PRICE, panel.price(product, week)),
        (COST, panel.cost(product, week)),
        (ACCEPTED, 1.0),
        (FAST, fast),
        (SLOW, slow),
        (DEVIATION, deviation),
        (SOON, soon),
        (LATER, later),
    ] {
        rows[row] = value;
    }
    debug_assert_eq!(DEMAND, 0);
    rows
}

/// A buyer with the signals of a record: a policy of any replay of its panel, in a market that publishes prices.
#[derive(Debug, Clone, PartialEq)]
pub struct PricedBuyer {
    buyer: Buyer,
    signals: Signals,
}

impl PricedBuyer {
    /// The buyer on a record.
    #[must_use]
    pub fn new(buyer: Buyer, record: &Record<'_>) -> Self {
        let (weeks, products) = (record.panel().weeks(), record.panel().products());
        let signals = Signals::from_fn(weeks, 8, products, |week, row, product| {
            let rows = known(record, product, week);
            [FAST, SLOW, DEVIATION, SOON, LATER, PRICE, COST]
                .get(row)
                .map_or_else(|| record.lead(product), |&at| rows[at])
        });
        PricedBuyer { buyer, signals }
    }
}

impl Policy for PricedBuyer {
    fn name(&self) -> &str {
        self.buyer.name()
    }
    fn theta(&self) -> &[f64] {
        self.buyer.theta()
    }
    fn signals(&self) -> Option<&Signals> {
        Some(&self.signals)
    }
    fn is_network(&self) -> bool {
        true
    }
    fn order<S: Scalar>(
        &self,
        theta: &[S],
        seen: &Observation<'_, S>,
        memory: &mut [DelayLine<S>],
    ) -> S {
        self.buyer.order(theta, seen, memory)
    }
}

/// A coordinator that prices limits in replays: it sees sums over all products of a sample, publishes this week's prices and those of the
/// [`HORIZON`] weeks ahead, in money a unit, and charges this week's. The charge is no part of the reward.
///
/// The limits are those of all products of the panel together. Weeks are counted from the first of the panel; where limits begin later, give those of
/// the weeks before as large numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct PricedCapacity {
    coordinator: Coordinator,
    signals: Signals,
}

impl PricedCapacity {
    /// The market over a record under limits.
    ///
    /// # Errors
    /// Limits of other resources or fewer weeks than the record's; a coordinator of another shape.
    pub fn new(
        coordinator: Coordinator,
        record: &Record<'_>,
        limits: &Limits,
    ) -> Result<Self, Error> {
        let (weeks, products) = (record.panel().weeks(), record.panel().products());
        let (shape, resources) = (record.shape(), record.resources().len());
        if *coordinator.shape() != shape || limits.resources() != resources {
            let argument = Argument::Limit;
            let (expected, found) = (resources, limits.resources());
            return Err(Error::Length {
                argument,
                expected,
                found,
            });
        }
        if limits.weeks() < weeks {
            return Err(Error::TooShort {
                needed: weeks,
                found: limits.weeks(),
            });
        }
        // Who is in the cohort is looked at where levels begin.
        let everyone = Cohort {
            products: (0..products).collect(),
            start: crate::record::HISTORY,
        };
        let traits = composition(record, &everyone);
        let shared = resources * (HORIZON + 1);
        let value = |week: usize, row: usize, product: usize| {
            let Some(row) = row.checked_sub(ARRIVING) else {
                return known(record, product, week)[row];
            };
            let Some(row) = row.checked_sub(resources) else {
                return record.resources()[row].volumes()[product];
            };
            match row.checked_sub(shared) {
                None => limits.outlook(row / (HORIZON + 1), week, row % (HORIZON + 1)),
                Some(row) => traits[row],
            }
        };
        let rows = ARRIVING + resources + shared + traits.len();
        let signals = Signals::from_fn(weeks, rows, products, value);
        Ok(PricedCapacity {
            coordinator,
            signals,
        })
    }

    fn resources(&self) -> usize {
        self.coordinator.shape().resources()
    }
}

impl Market for PricedCapacity {
    fn theta(&self) -> Vec<f64> {
        self.coordinator.theta().to_vec()
    }
    fn signals(&self) -> Vec<&Signals> {
        vec![&self.signals]
    }
    fn is_network(&self) -> bool {
        true
    }
    fn published(&self) -> usize {
        self.coordinator.shape().published()
    }
    fn publish<S: Scalar>(
        &self,
        inputs: &MarketInputs<'_, S>,
        seen: &Position<S>,
        _: &mut [DelayLine<S>],
        out: &mut Vec<S>,
    ) {
        let (own, rest) = inputs.rows.split_at(ARRIVING);
        let (volumes, known) = rest.split_at(self.resources());
        let all = contributions(self.coordinator.shape(), own, volumes, seen);
        let sums: Vec<S> = all.into_iter().map(Scalar::lane_sum).collect();
        let mut shared = vec![S::constant(0.0); OUTLOOK];
        shared.extend_from_slice(known);
        let prices = self.coordinator.prices(inputs.theta, &sums, &shared);
        let prices = prices.into_iter().enumerate();
        out.extend(prices.map(|(k, price)| price * volumes[k / (HORIZON + 1)]));
    }
    fn charge<S: Scalar>(
        &self,
        _: &MarketInputs<'_, S>,
        event: &Event<S>,
        published: &[S],
    ) -> Option<S> {
        let kinds = self.coordinator.shape().kinds.iter().enumerate();
        Some(kinds.fold(S::constant(0.0), |sum, (r, kind)| {
            let used = match kind {
                Kind::Storage => event.on_hand,
                Kind::Inbound => event.received,
            };
            sum + published[r * (HORIZON + 1)] * used
        }))
    }
}
