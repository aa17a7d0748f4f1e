//! Why a problem has no answer.

use super::basis::Basis;
use super::network::Network;
use crate::error::Cut;

impl Basis {
    /// The demand that only artificial arcs serve, if it is more than rounding, as a cut.
    pub(super) fn cut(&self, network: &Network<'_>) -> Option<Cut> {
        let (warehouses, regions, hub) = (network.warehouses, network.regions, network.hub);
        let mut seen = vec![false; hub];
        let mut queue: Vec<usize> = (warehouses..hub)
            .filter(|&node| {
                let link = self.tree.link(node);
                self.tree.parent(node) == hub
                    && network.is_artificial(self.tree.arc(node))
                    && link.flow.units > 64.0 * network.dust
            })
            .collect();
        if queue.is_empty() {
            return None;
        }
        queue.iter().for_each(|&node| seen[node] = true);
        let mut flows = vec![0.0; warehouses * regions];
        self.shipped(&mut flows, network);
        let problem = network.problem;
        // Whoever could send more to a region of the cut belongs to it, and so does whoever it serves instead.
        while let Some(node) = queue.pop() {
            let mut join = |other: usize| {
                if !seen[other] {
                    seen[other] = true;
                    queue.push(other);
                }
            };
            if node < warehouses {
                (0..regions)
                    .filter(|r| flows[node * regions + r] > network.dust)
                    .for_each(|r| join(warehouses + r));
            } else {
                let r = node - warehouses;
                (0..warehouses)
                    .filter(|w| {
                        let a = w * regions + r;
                        let open = problem.cost()[a] < f64::INFINITY;
                        open && problem.arc_capacity(a) - flows[a] > network.dust
                    })
                    .for_each(&mut join);
            }
        }
        let regions_in: Vec<usize> = (0..regions).filter(|r| seen[warehouses + r]).collect();
        let warehouses_in: Vec<usize> = (0..warehouses).filter(|&w| seen[w]).collect();
        let demand: f64 = regions_in.iter().map(|&r| problem.demand()[r]).sum();
        let stock: f64 = warehouses_in.iter().map(|&w| problem.stock()[w]).sum();
        let carried: f64 = (0..warehouses)
            .filter(|&w| !seen[w])
            .flat_map(|w| regions_in.iter().map(move |r| w * regions + r))
            .filter(|&a| problem.cost()[a] < f64::INFINITY)
            .map(|a| problem.arc_capacity(a))
            .sum();
        Some(Cut {
            regions: regions_in,
            warehouses: warehouses_in,
            shortfall: demand - stock - carried,
        })
    }
}
