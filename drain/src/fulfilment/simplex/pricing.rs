//! Which arc enters: block pricing.

use super::basis::{AT_CAPACITY, Basis, Entering};
use super::network::{Arc, Network};
use gpu::numbers::vectorize;

/// Arcs that are looked at side by side: comparisons one after another would wait for each other.
const LANES: usize = 8;

/// Searches rows of arcs in turn, a few at a time, and takes the best of the first rows that have a candidate.
#[derive(Debug)]
pub(super) struct Pricing {
    /// The row at which the next search starts; one a warehouse, the last are the arcs of the hub.
    row: usize,
    rows_at_once: usize,
}

impl Pricing {
    pub(super) fn new(network: &Network<'_>) -> Self {
        // Some hundred arcs in vector instructions cost less than a pivot saved; more than that only on large problems.
        let arcs = network.regions * network.warehouses;
        let block = 256 + 4 * arcs.isqrt();
        Self {
            row: 0,
            rows_at_once: block.div_ceil(network.regions),
        }
    }

    /// An arc whose reduced cost is worse than `noise`, if there is one.
    pub(super) fn search(
        &mut self,
        basis: &Basis,
        network: &Network<'_>,
        noise: f64,
    ) -> Option<Entering> {
        let rows = network.warehouses + 1;
        let (mut best, mut best_row) = (-noise, None);
        for scanned in 1..=rows {
            let row = self.row;
            self.row = if row + 1 == rows { 0 } else { row + 1 };
            let least = if row == network.warehouses {
                hub_row(basis, network).0
            } else {
                vectorize(
                    #[inline(always)]
                    || row_minimum(basis, network, row),
                )
            };
            if least < best {
                (best, best_row) = (least, Some(row));
            }
            if best_row.is_some() && scanned % self.rows_at_once == 0 {
                break;
            }
        }
        let row = best_row?;
        let arc = if row == network.warehouses {
            hub_row(basis, network).1?
        } else {
            locate(basis, network, row, best)?
        };
        Some(Entering {
            arc,
            price: basis.reduced(arc, network),
            rank: 0,
        })
    }
}

/// Factor, cost and price of each region's arc from one warehouse.
#[inline(always)]
fn row<'a>(
    basis: &'a Basis,
    network: &'a Network<'_>,
    w: usize,
) -> (&'a [f64], &'a [f64], &'a [f64], f64) {
    let regions = network.regions;
    (
        &basis.state[w * regions..][..regions],
        &network.problem.cost()[w * regions..][..regions],
        &basis.tree.price[network.warehouses..][..regions],
        basis.tree.price[w],
    )
}

/// The least product of an arc's factor and its reduced cost.
#[inline(always)]
fn row_minimum(basis: &Basis, network: &Network<'_>, w: usize) -> f64 {
    let (state, cost, delivered, stock) = row(basis, network, w);
    let mut least = [f64::INFINITY; LANES];
    let whole = state.len() / LANES * LANES;
    for start in (0..whole).step_by(LANES) {
        let (s, c, d) = (
            &state[start..][..LANES],
            &cost[start..][..LANES],
            &delivered[start..][..LANES],
        );
        for lane in 0..LANES {
            let value = s[lane] * (c[lane] + stock - d[lane]);
            // NaN, of an infinite cost with factor zero, is never less.
            least[lane] = if value < least[lane] {
                value
            } else {
                least[lane]
            };
        }
    }
    for r in whole..state.len() {
        let value = state[r] * (cost[r] + stock - delivered[r]);
        least[0] = if value < least[0] { value } else { least[0] };
    }
    least
        .iter()
        .fold(f64::INFINITY, |m, &v| if v < m { v } else { m })
}

/// The first arc of a row with the value that [`row_minimum`] found.
fn locate(basis: &Basis, network: &Network<'_>, w: usize, value: f64) -> Option<Arc> {
    let (state, cost, delivered, stock) = row(basis, network, w);
    (0..state.len())
        .find(|&r| state[r] * (cost[r] + stock - delivered[r]) <= value)
        .map(|r| Arc {
            from: w,
            to: network.warehouses + r,
        })
}

/// The best of the arcs that keep stock or lose demand.
fn hub_row(basis: &Basis, network: &Network<'_>) -> (f64, Option<Arc>) {
    let (mut least, mut arc) = (0.0, None);
    let (hub, price) = (network.hub, &basis.tree.price);
    for (w, &value) in price[..network.warehouses].iter().enumerate() {
        if value < least {
            (least, arc) = (value, Some(Arc { from: w, to: hub }));
        }
    }
    for (r, penalty) in network.problem.lost_penalty().iter().enumerate() {
        let to = network.warehouses + r;
        // Where no loss is allowed, the artificial arc: what is missing at a warehouse moves to the regions it serves.
        let cost = if penalty.is_finite() {
            *penalty
        } else {
            network.forbidding
        };
        let value = cost - price[to];
        if value < least {
            (least, arc) = (value, Some(Arc { from: hub, to }));
        }
    }
    (least, arc)
}

/// Whether a warehouse has an arc outside the tree whose reduced cost is zero up to `noise`.
pub(super) fn row_has_tie(basis: &Basis, network: &Network<'_>, w: usize, noise: f64) -> bool {
    let (state, cost, delivered, stock) = row(basis, network, w);
    // Squares of the factors: one outside the tree, zero within.
    let hit = |state: f64, cost: f64, delivered: f64| {
        let tied = (cost + stock - delivered).abs() <= noise;
        if tied { state * state } else { 0.0 }
    };
    vectorize(
        #[inline(always)]
        || {
            let (states, rest) = state.as_chunks::<LANES>();
            let (costs, costs_left) = cost.as_chunks::<LANES>();
            let (prices, prices_left) = delivered.as_chunks::<LANES>();
            let mut found = [0.0; LANES];
            for ((s, c), d) in states.iter().zip(costs).zip(prices) {
                for lane in 0..LANES {
                    found[lane] += hit(s[lane], c[lane], d[lane]);
                }
            }
            for ((&s, &c), &d) in rest.iter().zip(costs_left).zip(prices_left) {
                found[0] += hit(s, c, d);
            }
            found.iter().sum::<f64>() > 0.0
        },
    )
}

/// Whether moving an arc away from its bound changes the cost by less than `noise`, or it lies in the tree.
pub(super) fn is_tied(basis: &Basis, network: &Network<'_>, arc: Arc, noise: f64) -> bool {
    basis.reduced(arc, network).abs() <= noise
}

/// Whether moving an arc away from its bound betters the costs that decide ties.
pub(super) fn improves(rank: i64, state: f64) -> bool {
    if state == AT_CAPACITY {
        rank > 0
    } else {
        rank < 0
    }
}
