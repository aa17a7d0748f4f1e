//! The first tree: a greedy plan.

use super::amount::Amount;
use super::basis::{AT_CAPACITY, AT_ZERO, Basis, IN_TREE};
use super::network::Network;
use super::tree::Tree;
use gpu::numbers::vectorize;

/// Regions choose the cheapest warehouse that has stock left, those first that would lose most by the second cheapest.
///
/// Every allocation ends a warehouse's stock or a region's demand; the node that is done hangs on the other.
pub(super) fn greedy(network: &Network<'_>, prices: &[f64]) -> Basis {
    let (warehouses, regions, hub) = (network.warehouses, network.regions, network.hub);
    let cost = network.problem.cost();
    let mut left: Vec<Amount> = (0..warehouses).map(|w| network.supply(w)).collect();
    // Prices of the warehouses that still have stock.
    let mut open = prices.to_vec();
    let bounded = network.problem.capacity().is_some();
    let mut parents = vec![hub; hub];
    let mut state = vec![AT_ZERO; warehouses * regions];
    for r in by_regret(network, prices) {
        let node = warehouses + r;
        let mut wanted = -network.supply(node);
        loop {
            let (mut least, mut w) = (network.problem.lost_penalty()[r], hub);
            for (v, price) in open.iter().enumerate() {
                let full = bounded && state[v * regions + r] == AT_CAPACITY;
                let c = if full {
                    f64::INFINITY
                } else {
                    cost[v * regions + r] + price
                };
                (least, w) = if c < least { (c, v) } else { (least, w) };
            }
            if w == hub {
                break;
            }
            let arc = w * regions + r;
            let limit = Amount::of(network.problem.arc_capacity(arc));
            let most = wanted.min(left[w]);
            if limit < most {
                state[arc] = AT_CAPACITY;
                left[w] -= limit;
                wanted -= limit;
                continue;
            }
            state[arc] = IN_TREE;
            left[w] -= most;
            wanted -= most;
            if left[w] > Amount::ZERO {
                parents[node] = w;
                break;
            }
            parents[w] = node;
            open[w] = f64::INFINITY;
        }
    }
    let mut basis = Basis {
        tree: Tree::new(&parents, network),
        state,
        bounded,
        pivots: 0,
    };
    basis.repair(network);
    basis
}

/// Regions by how much dearer their second cheapest warehouse is, the largest difference first.
fn by_regret(network: &Network<'_>, prices: &[f64]) -> Vec<usize> {
    let regions = network.regions;
    let mut least = vec![f64::INFINITY; regions];
    let mut second = vec![f64::INFINITY; regions];
    vectorize(
        #[inline(always)]
        || {
            for (row, price) in network.problem.cost().chunks_exact(regions).zip(prices) {
                for ((cost, least), second) in row.iter().zip(&mut least).zip(&mut second) {
                    let cost = cost + price;
                    let high = if cost < *least { *least } else { cost };
                    *least = if cost < *least { cost } else { *least };
                    *second = if high < *second { high } else { *second };
                }
            }
        },
    );
    let regret: Vec<f64> = second
        .iter()
        .zip(&least)
        .map(|(s, l)| if l.is_finite() { s - l } else { 0.0 })
        .collect();
    let mut order: Vec<usize> = (0..regions).collect();
    order.sort_unstable_by(|&a, &b| regret[b].total_cmp(&regret[a]).then(a.cmp(&b)));
    order
}
