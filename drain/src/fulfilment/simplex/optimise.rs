//! From a basis to the best one: first by cost, then among all cheapest plans by rank.

use super::basis::{AT_CAPACITY, Basis, Entering, IN_TREE};
use super::network::{Arc, Network};
use super::pricing::{Pricing, improves, is_tied, row_has_tie};
use crate::error::DrainError;

impl Basis {
    /// Pivots until no arc betters the cost, prices computed afresh included; returns the nodes, parents first.
    pub(super) fn cheapen(&mut self, network: &Network<'_>) -> Result<Vec<usize>, DrainError> {
        let mut pricing = Pricing::new(network);
        let mut fresh = true;
        let mut order = None;
        loop {
            let noise = self.noise(network);
            while let Some(entering) = pricing.search(self, network, noise) {
                self.count(network)?;
                self.pivot(entering, network);
                fresh = false;
            }
            if fresh {
                return Ok(order.unwrap_or_else(|| self.tree.order()));
            }
            let now = self.tree.order();
            let changed = self.tree.refresh(&now, network);
            // Prices that the pivots have kept exactly need no second search, unless it would see more: artificial costs make noise.
            if !changed && 2.0 * self.noise(network) >= noise {
                return Ok(now);
            }
            order = Some(now);
            fresh = true;
        }
    }

    /// Among all cheapest plans, the one that the rule for ties names; returns the arcs whose flow may change without changing the cost.
    pub(super) fn break_ties(
        &mut self,
        order: &[usize],
        network: &Network<'_>,
    ) -> Result<Vec<Arc>, DrainError> {
        let tied = self.tied(order, network);
        for &node in order {
            let above = self.tree.rank[self.tree.parent(node)];
            let rank = rank(self.tree.arc(node), network);
            self.tree.rank[node] = if self.tree.link(node).up {
                above - rank
            } else {
                above + rank
            };
        }
        loop {
            let mut moved = false;
            for &arc in &tied {
                let reduced =
                    rank(arc, network) + self.tree.rank[arc.from] - self.tree.rank[arc.to];
                let state = network.shipping(arc).map_or(1.0, |a| self.state[a]);
                if reduced == 0 || !improves(reduced, state) || self.tree.holds(arc) {
                    continue;
                }
                self.count(network)?;
                self.pivot(
                    Entering {
                        arc,
                        price: 0.0,
                        rank: reduced,
                    },
                    network,
                );
                moved = true;
            }
            if !moved {
                return Ok(tied);
            }
        }
    }

    /// Arcs with a reduced cost of zero, but for the artificial ones: those of the tree first, from the hub down.
    fn tied(&mut self, order: &[usize], network: &Network<'_>) -> Vec<Arc> {
        let noise = self.noise(network);
        let hub = network.hub;
        let mut tied = Vec::with_capacity(2 * hub);
        let of_tree = order.iter().map(|&node| self.tree.arc(node));
        tied.extend(of_tree.filter(|&arc| !network.is_artificial(arc)));
        for w in 0..network.warehouses {
            if row_has_tie(self, network, w, noise) {
                let arcs = (network.warehouses..hub).map(|to| Arc { from: w, to });
                tied.extend(arcs.filter(|&arc| {
                    network
                        .shipping(arc)
                        .is_some_and(|a| self.state[a] != IN_TREE)
                        && is_tied(self, network, arc, noise)
                }));
            }
        }
        let keep = (0..network.warehouses).map(|w| Arc { from: w, to: hub });
        let lose = (network.warehouses..hub).map(|to| Arc { from: hub, to });
        tied.extend(keep.chain(lose).filter(|&arc| {
            !network.is_artificial(arc)
                && !self.tree.holds(arc)
                && is_tied(self, network, arc, noise)
        }));
        tied
    }

    /// The nodes on which all optimal duals agree: those that units can leave to the hub and reach from it over arcs that cost nothing.
    ///
    /// A set of nodes can raise its prices unless a tied arc with room leads out of it, and lower them unless one leads into it.
    pub(super) fn agreed(&self, tied: &[Arc], flows: &[f64], network: &Network<'_>) -> Vec<bool> {
        let mut moves = Vec::with_capacity(2 * tied.len());
        let mut both_ways = 0;
        for &arc in tied {
            let (more, less) = match network.shipping(arc) {
                Some(a) => {
                    let limit = network.problem.arc_capacity(a);
                    (limit - flows[a] > network.dust, flows[a] > network.dust)
                }
                None => {
                    let node = if arc.from == network.hub {
                        arc.to
                    } else {
                        arc.from
                    };
                    let units = self.tree.link(node).flow.units;
                    (true, self.tree.holds(arc) && units > network.dust)
                }
            };
            both_ways += usize::from(more && less && self.tree.holds(arc));
            if more {
                moves.push((arc.from, arc.to));
            }
            if less {
                moves.push((arc.to, arc.from));
            }
        }
        // No arc of the tree is at a bound: the tree alone joins all nodes.
        if both_ways == network.hub {
            return vec![true; network.hub + 1];
        }
        let from_hub = reached(network.hub, &moves);
        moves.iter_mut().for_each(|m| *m = (m.1, m.0));
        let to_hub = reached(network.hub, &moves);
        from_hub
            .iter()
            .zip(&to_hub)
            .map(|(a, b)| *a && *b)
            .collect()
    }

    /// Writes the flows of the shipping arcs into `flows`, which is zero.
    pub(super) fn shipped(&self, flows: &mut [f64], network: &Network<'_>) {
        if let Some(capacity) = network.problem.capacity() {
            for (a, state) in self.state.iter().enumerate() {
                if *state == AT_CAPACITY {
                    flows[a] = capacity[a];
                }
            }
        }
        for node in 0..network.hub {
            if let Some(a) = network.shipping(self.tree.arc(node)) {
                debug_assert!(self.state[a] == IN_TREE);
                let limit = network.problem.arc_capacity(a);
                flows[a] = self.tree.link(node).flow.units.clamp(0.0, limit);
            }
        }
    }

    /// No sensible problem needs as many pivots; a limit makes an endless loop by rounding impossible.
    fn count(&self, network: &Network<'_>) -> Result<(), DrainError> {
        let limit = 1000 + 100 * (network.hub + network.warehouses * network.regions);
        if self.pivots < limit {
            Ok(())
        } else {
            Err(DrainError::NotConverged {
                pivots: self.pivots,
            })
        }
    }
}

/// What decides among equally cheap plans, by itself minimised: unused stock costs $W - w$ a unit, lost demand $R - r$.
fn rank(arc: Arc, network: &Network<'_>) -> i64 {
    let rank = if network.is_artificial(arc) {
        0
    } else if arc.to == network.hub {
        network.warehouses - arc.from
    } else if arc.from == network.hub {
        network.hub - arc.to
    } else {
        0
    };
    i64::try_from(rank).unwrap_or(i64::MAX)
}

/// Nodes that can be reached over these moves.
fn reached(hub: usize, moves: &[(usize, usize)]) -> Vec<bool> {
    let mut seen = vec![false; hub + 1];
    seen[hub] = true;
    let mut grows = true;
    while grows {
        grows = false;
        for &(from, to) in moves {
            if seen[from] && !seen[to] {
                seen[to] = true;
                grows = true;
            }
        }
    }
    seen
}
