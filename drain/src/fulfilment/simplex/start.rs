//! The first tree: a greedy plan.

use super::amount::Amount;
use super::basis::{AT_CAPACITY, AT_ZERO, Basis, IN_TREE};
use super::network::Network;
use super::tree::Tree;

/// Regions choose the cheapest warehouse that has stock left, those first that would lose most by the second cheapest.
///
/// Every allocation ends a warehouse's stock or a region's demand; the node that is done hangs on the other.
pub(super) fn greedy(network: &Network<'_>) -> Basis {
    let (warehouses, regions, hub) = (network.warehouses, network.regions, network.hub);
    let cost = network.problem.cost();
    let mut left: Vec<Amount> = (0..warehouses).map(|w| network.supply(w)).collect();
    let mut parents = vec![hub; hub];
    let mut state = vec![AT_ZERO; warehouses * regions];
    for r in by_regret(network) {
        let node = warehouses + r;
        let mut wanted = -network.supply(node);
        loop {
            let mut best: Option<(f64, usize)> = None;
            for w in 0..warehouses {
                let c = cost[w * regions + r];
                let open = left[w] > Amount::ZERO && state[w * regions + r] == AT_ZERO;
                if open && c < best.map_or(network.problem.lost_penalty()[r], |(least, _)| least) {
                    best = Some((c, w));
                }
            }
            let Some((_, w)) = best else { break };
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
        }
    }
    let mut basis = Basis {
        tree: Tree::new(&parents, network),
        state,
        bounded: network.problem.capacity().is_some(),
        pivots: 0,
    };
    basis.repair(network);
    basis
}

/// Regions by how much dearer their second cheapest warehouse is, the largest difference first.
fn by_regret(network: &Network<'_>) -> Vec<usize> {
    let regions = network.regions;
    let mut least = vec![f64::INFINITY; regions];
    let mut second = vec![f64::INFINITY; regions];
    for row in network.problem.cost().chunks_exact(regions) {
        for r in 0..regions {
            let high = if row[r] < least[r] { least[r] } else { row[r] };
            least[r] = if row[r] < least[r] { row[r] } else { least[r] };
            second[r] = if high < second[r] { high } else { second[r] };
        }
    }
    let regret: Vec<f64> = second
        .iter()
        .zip(&least)
        .map(|(s, l)| if l.is_finite() { s - l } else { 0.0 })
        .collect();
    let mut order: Vec<usize> = (0..regions).collect();
    order.sort_by(|&a, &b| regret[b].total_cmp(&regret[a]).then(a.cmp(&b)));
    order
}
