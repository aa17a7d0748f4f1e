//! Parcels: what one warehouse would send for an order, and the cheapest way to keep the promise.

use std::collections::HashMap;

use super::network::OutboundNetwork;
use super::order::{Line, Order};

/// What left a warehouse for an order.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Parcel {
    /// The order's place in the list.
    pub order: usize,
    /// Where it left.
    pub warehouse: usize,
    /// How it was shipped.
    pub option: usize,
    /// The day on which it was picked and left.
    pub day: u32,
    /// What is in it.
    pub lines: Vec<Line>,
    /// Money for the carrier.
    pub price: f64,
}

impl Parcel {
    /// All units in it.
    #[must_use]
    pub fn units(&self) -> u64 {
        self.lines.iter().map(|line| u64::from(line.units)).sum()
    }
}

/// Units picked, by warehouse and day.
#[derive(Debug, Default)]
pub(super) struct Picks(HashMap<(usize, u32), u64>);

impl Picks {
    pub(super) fn take(&mut self, parcel: &Parcel) {
        *self.0.entry((parcel.warehouse, parcel.day)).or_default() += parcel.units();
    }

    /// The first day from `first` to `last` on which the warehouse can pick so many units more.
    fn day(&self, warehouse: usize, daily: u32, units: u64, first: u32, last: u32) -> Option<u32> {
        let most = u64::from(daily).checked_sub(units)?;
        (first..=last).find(|&day| {
            self.0
                .get(&(warehouse, day))
                .is_none_or(|used| *used <= most)
        })
    }
}

/// The cheapest parcel with these lines that arrives in time; of equally cheap ones, by the first option.
pub(super) fn cheapest(
    network: &OutboundNetwork,
    picks: &Picks,
    (index, order): (usize, &Order),
    warehouse: usize,
    lines: Vec<Line>,
) -> Option<Parcel> {
    let place = network.warehouses[warehouse];
    let units: u64 = lines.iter().map(|line| u64::from(line.units)).sum();
    let weight: f64 = lines
        .iter()
        .map(|line| f64::from(line.units) * network.weights[line.product])
        .sum();
    let first = order
        .day
        .checked_add(u32::from(order.time > place.cut_off))?;
    let due = order.day.saturating_add(order.promise_days);
    let band = network.band(warehouse, order.zone);
    let mut best: Option<(f64, usize, u32)> = None;
    for (option, way) in network.options.iter().enumerate() {
        let Some(price) = way.parcel_price(band, weight) else {
            continue;
        };
        if best.is_some_and(|(least, ..)| least <= price) {
            continue;
        }
        let last = due.checked_sub(way.transit_days[band]);
        let day = last.and_then(|last| picks.day(warehouse, place.daily_picks, units, first, last));
        if let Some(day) = day {
            best = Some((price, option, day));
        }
    }
    best.map(|(price, option, day)| Parcel {
        order: index,
        warehouse,
        option,
        day,
        lines,
        price,
    })
}
