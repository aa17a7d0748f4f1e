//! The linear programme below the simulator.

use super::Rules;
use super::network::{OutboundNetwork, ShipOption, length, number};
use super::order::{self, Order};
use crate::error::{Argument, DrainError};
use crate::fulfilment::Fulfilment;

/// The fulfilment programme whose cost no way of meeting these orders falls below.
///
/// Regions are zones, demand is all that is asked for, stock all units of all products; a unit costs the least that it can cost in any parcel that one of the zone's orders
/// allows, whatever the promise: the least over options and numbers of units of the price of so many of the order's lightest units,
/// divided by their number. Where every order asks for one unit of the only product, promises bind nobody and picks suffice, only the greed of the simulator
/// lies between the two. `lost_penalty` is that of the rules.
///
/// # Errors
/// As [`fulfil`](super::fulfil).
///
/// ```
/// use hindsight_drain::fulfilment::{NetworkSimplex, Solver};
/// use hindsight_drain::orders::*;
/// let ground = ShipOption { transit_days: vec![1, 4], weight_limits: vec![20.0], price: vec![vec![5.0], vec![8.0]] };
/// let house = Warehouse { cut_off: 1.0, daily_picks: 100 };
/// let network = OutboundNetwork::new(vec![house; 2], vec![ground], vec![0, 0, 0, 1], vec![2.0])?;
/// let order = |zone| Order { day: 0, time: 0.5, zone, promise_days: 9, lines: vec![Line { product: 0, units: 1 }] };
/// let orders = [order(0), order(1)];
/// let rules = Rules { lost_penalty: 50.0, ..Rules::default() };
/// let bound = NetworkSimplex::new().solve(&relaxation(&network, &[1, 1], &orders, &rules)?)?.cost;
/// assert_eq!(bound, 10.0); // who knows what comes leaves the first warehouse to the second order
/// assert!(fulfil(&network, &[1, 1], &orders, &[1.0, 1.0], &rules)?.cost >= bound);
/// # Ok::<(), hindsight_drain::DrainError>(())
/// ```
pub fn relaxation(
    network: &OutboundNetwork,
    stock: &[u32],
    orders: &[Order],
    rules: &Rules,
) -> Result<Fulfilment, DrainError> {
    let (warehouses, zones, products) = (network.warehouses(), network.zones(), network.products());
    length(Argument::Stock, warehouses * products, stock.len())?;
    number(Argument::LostPenalty, 0, rules.lost_penalty)?;
    order::check(orders, network)?;
    let supply = stock
        .chunks_exact(products)
        .map(|row| row.iter().map(|units| f64::from(*units)).sum())
        .collect();
    let mut demand = vec![0.0; zones];
    let mut cost = vec![f64::INFINITY; warehouses * zones];
    for order in orders {
        let lightest = order
            .lines
            .iter()
            .filter(|line| line.units > 0)
            .map(|line| network.weights[line.product])
            .fold(f64::INFINITY, f64::min);
        #[expect(clippy::cast_precision_loss, reason = "units of one order")]
        let units = order.units() as f64;
        demand[order.zone] += units;
        if units > 0.0 {
            for w in 0..warehouses {
                let band = network.band(w, order.zone);
                let least = &mut cost[w * zones + order.zone];
                for option in &network.options {
                    *least = least.min(unit_price(option, band, lightest, units));
                }
            }
        }
    }
    Fulfilment::new(supply, demand, cost)?.with_lost_penalty(vec![rules.lost_penalty; zones])
}

/// The least price of a unit in a parcel of 1 to `most` units: under each weight limit, in the fullest parcel. Infinite if none is carried.
fn unit_price(option: &ShipOption, band: usize, weight: f64, most: f64) -> f64 {
    let columns = option.weight_limits.iter().zip(&option.price[band]);
    columns
        .map(|(limit, price)| {
            // A little more than the quotient: one unit too many only lowers the bound, one too few would break it.
            let count = (limit / weight * (1.0 + 1e-12)).floor().min(most);
            if count >= 1.0 {
                price / count
            } else {
                f64::INFINITY
            }
        })
        .fold(f64::INFINITY, f64::min)
}
