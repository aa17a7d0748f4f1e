//! One order after the other.

use super::network::{OutboundNetwork, length, number};
use super::order::{self, Line, Order};
use super::parcel::{Parcel, Picks, cheapest};
use crate::error::{Argument, DrainError};

/// How orders are met.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Rules {
    /// Money for every parcel of an order beyond the first. Default 0.
    pub split_penalty: f64,
    /// Money for every unit that is not shipped. Default 0: it is counted, and changes no decision.
    pub lost_penalty: f64,
    /// Days of local demand for which a warehouse holds its stock back from zones that are not local to it, unless an order would be
    /// lost. Default 0.
    pub look_ahead_days: f64,
    /// Decides between warehouses that cost the same. Default 0.
    pub seed: u64,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            split_penalty: 0.0,
            lost_penalty: 0.0,
            look_ahead_days: 0.0,
            seed: 0,
        }
    }
}

/// What happened to all orders.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Ledger {
    /// All parcels, by order.
    pub parcels: Vec<Parcel>,
    /// Stock that is left, warehouse by warehouse, one entry a product.
    pub stock: Vec<u32>,
    /// Units that left each warehouse.
    pub drain: Vec<u64>,
    /// Money for carriers by warehouse.
    pub shipping: Vec<f64>,
    /// Units not shipped by zone.
    pub lost: Vec<u64>,
    /// Parcels beyond the first of their orders.
    pub splits: u64,
    /// Orders for which stock that was held back was released.
    pub released: u64,
    /// Money: carriers, splits and lost units.
    pub cost: f64,
}

/// Meets the orders one by one, in the order in which they are placed, each as cheaply as it can be met alone.
///
/// `stock` holds whole units, warehouse by warehouse, one entry a product; `forecast` the units a day that each zone is expected to ask for, zone by zone, one
/// entry a product. An order is met from one warehouse by the cheapest option that keeps the promise, given cut-off times and what can
/// still be picked; or in several parcels, each time from where a unit costs least, if that with its penalty is cheaper or no
/// warehouse has it all. What cannot arrive in time is lost. Nothing is known of later orders but the forecast.
///
/// # Errors
/// Lists whose lengths are not the network's, a negative or non-finite number, orders beyond the network or not by time.
///
/// ```
/// use hindsight_drain::orders::{Line, Order, OutboundNetwork, Rules, ShipOption, Warehouse, fulfil};
/// let ground = ShipOption { transit_days: vec![1, 4], weight_limits: vec![20.0], price: vec![vec![5.0], vec![8.0]] };
/// let air = ShipOption { transit_days: vec![1, 1], weight_limits: vec![20.0], price: vec![vec![15.0], vec![30.0]] };
/// let house = Warehouse { cut_off: 0.6, daily_picks: 100 };
/// // Each warehouse has its zone nearby; the other is far. One product of weight 2.
/// let network = OutboundNetwork::new(vec![house; 2], vec![ground, air], vec![0, 1, 1, 0], vec![2.0])?;
/// let order = |promise_days| Order { day: 0, time: 0.5, zone: 0, promise_days, lines: vec![Line { product: 0, units: 1 }] };
/// let ledger = fulfil(&network, &[1, 5], &[order(2), order(2), order(4)], &[1.0, 1.0], &Rules::default())?;
/// assert_eq!(ledger.drain, [1, 2]); // the second and third come from far,
/// assert_eq!(ledger.cost, 5.0 + 30.0 + 8.0); // one of them in a hurry
/// # Ok::<(), hindsight_drain::DrainError>(())
/// ```
pub fn fulfil(
    network: &OutboundNetwork,
    stock: &[u32],
    orders: &[Order],
    forecast: &[f64],
    rules: &Rules,
) -> Result<Ledger, DrainError> {
    let (warehouses, zones, products) = (network.warehouses(), network.zones(), network.products());
    length(Argument::Stock, warehouses * products, stock.len())?;
    length(Argument::Forecast, zones * products, forecast.len())?;
    for (index, &units) in forecast.iter().enumerate() {
        number(Argument::Forecast, index, units)?;
    }
    number(Argument::SplitPenalty, 0, rules.split_penalty)?;
    number(Argument::LostPenalty, 0, rules.lost_penalty)?;
    number(Argument::LookAhead, 0, rules.look_ahead_days)?;
    order::check(orders, network)?;
    let mut desk = Desk {
        network,
        rules,
        picks: Picks::default(),
        reserve: reserves(network, forecast, rules.look_ahead_days),
        ledger: Ledger {
            stock: stock.to_vec(),
            drain: vec![0; warehouses],
            shipping: vec![0.0; warehouses],
            lost: vec![0; zones],
            ..Ledger::default()
        },
    };
    for order in orders.iter().enumerate() {
        desk.meet(order);
    }
    Ok(desk.ledger)
}

/// Units of each warehouse and product that its local zones are expected to ask for.
fn reserves(network: &OutboundNetwork, forecast: &[f64], days: f64) -> Vec<u32> {
    let products = network.products();
    let mut expected = vec![0.0; network.warehouses() * products];
    for (zone, rates) in forecast.chunks_exact(products).enumerate() {
        let local = network.local_warehouse(zone);
        for (total, rate) in expected[local * products..].iter_mut().zip(rates) {
            *total += rate * days;
        }
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole units; the cast saturates"
    )]
    expected.iter().map(|units| units.ceil() as u32).collect()
}

/// What is known while orders are met.
struct Desk<'a> {
    network: &'a OutboundNetwork,
    rules: &'a Rules,
    picks: Picks,
    reserve: Vec<u32>,
    ledger: Ledger,
}

/// Parcels that would meet an order, or part of it.
struct Proposal {
    parcels: Vec<Parcel>,
    units: u64,
    cost: f64,
}

impl Desk<'_> {
    fn meet(&mut self, (index, order): (usize, &Order)) {
        let wanted = order.units();
        let mut chosen = self.propose((index, order), true);
        if chosen.units < wanted && self.rules.look_ahead_days > 0.0 {
            let without = self.propose((index, order), false);
            if without.units > chosen.units {
                chosen = without;
                self.ledger.released += 1;
            }
        }
        let ledger = &mut self.ledger;
        #[expect(clippy::cast_precision_loss, reason = "units of one order")]
        let missing = (wanted - chosen.units) as f64;
        ledger.lost[order.zone] += wanted - chosen.units;
        ledger.cost += chosen.cost + missing * self.rules.lost_penalty;
        ledger.splits += chosen.parcels.len().saturating_sub(1) as u64;
        for parcel in chosen.parcels {
            self.picks.take(&parcel);
            for line in &parcel.lines {
                ledger.stock[parcel.warehouse * self.network.products() + line.product] -=
                    line.units;
            }
            ledger.drain[parcel.warehouse] += parcel.units();
            ledger.shipping[parcel.warehouse] += parcel.price;
            ledger.parcels.push(parcel);
        }
    }

    /// From one warehouse where that is possible and not dearer, else in parts.
    fn propose(&self, order: (usize, &Order), hold: bool) -> Proposal {
        let whole = self.whole(order, hold);
        let parts = self.parts(order, hold);
        match whole {
            Some(whole) if parts.units < whole.units || parts.cost >= whole.cost => whole,
            _ => parts,
        }
    }

    fn whole(&self, (index, order): (usize, &Order), hold: bool) -> Option<Proposal> {
        let wanted = order.units();
        let candidates = (0..self.network.warehouses()).filter_map(|w| {
            let lines = self.available(w, order, &order.lines, hold);
            let units: u64 = lines.iter().map(|line| u64::from(line.units)).sum();
            (units == wanted && units > 0)
                .then(|| cheapest(self.network, &self.picks, (index, order), w, lines))
                .flatten()
        });
        let best = candidates.min_by(|a, b| {
            let tie = self
                .draw(index, a.warehouse)
                .cmp(&self.draw(index, b.warehouse));
            a.price.total_cmp(&b.price).then(tie)
        })?;
        Some(Proposal {
            units: wanted,
            cost: best.price,
            parcels: vec![best],
        })
    }

    /// Parcels one after the other, each from where a unit costs least.
    fn parts(&self, (index, order): (usize, &Order), hold: bool) -> Proposal {
        let mut rest = order.lines.clone();
        let mut proposal = Proposal {
            parcels: Vec::new(),
            units: 0,
            cost: 0.0,
        };
        loop {
            let extra = if proposal.parcels.is_empty() {
                0.0
            } else {
                self.rules.split_penalty
            };
            #[expect(clippy::cast_precision_loss, reason = "units of one order")]
            let per_unit = |parcel: &Parcel| (parcel.price + extra) / parcel.units() as f64;
            let candidates = (0..self.network.warehouses())
                .filter(|w| proposal.parcels.iter().all(|p| p.warehouse != *w))
                .filter_map(|w| {
                    let lines = self.available(w, order, &rest, hold);
                    (!lines.is_empty())
                        .then(|| cheapest(self.network, &self.picks, (index, order), w, lines))
                        .flatten()
                });
            let Some(best) = candidates.min_by(|a, b| {
                let tie = self
                    .draw(index, a.warehouse)
                    .cmp(&self.draw(index, b.warehouse));
                per_unit(a).total_cmp(&per_unit(b)).then(tie)
            }) else {
                return proposal;
            };
            for line in &best.lines {
                let mut units = line.units;
                for open in rest.iter_mut().filter(|open| open.product == line.product) {
                    let taken = units.min(open.units);
                    open.units -= taken;
                    units -= taken;
                }
            }
            proposal.units += best.units();
            proposal.cost += best.price + extra;
            proposal.parcels.push(best);
        }
    }

    /// What a warehouse could send of these lines.
    fn available(&self, warehouse: usize, order: &Order, lines: &[Line], hold: bool) -> Vec<Line> {
        let held = hold && self.network.local_warehouse(order.zone) != warehouse;
        let products = self.network.products();
        let mut found: Vec<Line> = Vec::with_capacity(lines.len());
        for line in lines {
            let place = warehouse * products + line.product;
            let kept = if held { self.reserve[place] } else { 0 };
            let earlier = found.iter().filter(|f| f.product == line.product);
            let taken: u32 = earlier.map(|f| f.units).sum();
            let left = self.ledger.stock[place].saturating_sub(kept) - taken;
            let units = line.units.min(left);
            if units > 0 {
                found.push(Line { units, ..*line });
            }
        }
        found
    }

    /// A random number of an order and a warehouse: the output function of SplitMix64 on a counter.
    fn draw(&self, order: usize, warehouse: usize) -> u64 {
        let count = (order as u64) << 20 ^ warehouse as u64;
        let mut z = self
            .rules
            .seed
            .wrapping_add(count.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}
