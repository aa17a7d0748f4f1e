//! The problem as a network: warehouses, regions, and a hub that takes the unused stock and stands in for the lost demand.

use super::amount::Amount;
use crate::fulfilment::problem::{Fulfilment, largest};

/// An arc of the network. Arcs to and from the hub have no capacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Arc {
    pub(super) from: usize,
    pub(super) to: usize,
}

/// Nodes are numbered: warehouses from 0, then regions, the hub last. An arc is known by its two ends: warehouse to region ships, warehouse to
/// hub keeps, hub to region loses. The two other directions are artificial: they cost more than any way round them.
#[derive(Debug)]
pub(super) struct Network<'a> {
    pub(super) problem: &'a Fulfilment,
    pub(super) warehouses: usize,
    pub(super) regions: usize,
    pub(super) hub: usize,
    /// Cost of an artificial arc.
    pub(super) forbidding: f64,
    /// The largest cost of an arc that is not banned.
    pub(super) dearest: f64,
    /// Units that are rounding: relative to the whole demand.
    pub(super) dust: f64,
    /// All demand.
    total: f64,
}

/// Rounding errors of sums along a tree, in units of the last place of the largest term.
pub(super) const ROUNDING: f64 = 64.0 * f64::EPSILON;

impl<'a> Network<'a> {
    pub(super) fn new(problem: &'a Fulfilment) -> Self {
        let (warehouses, regions) = (problem.warehouses(), problem.regions());
        let dearest = largest(problem.cost());
        let penalty = largest(problem.lost_penalty());
        let total: f64 = problem.demand().iter().sum();
        let hub = warehouses + regions;
        #[expect(clippy::cast_precision_loss, reason = "a count of nodes")]
        let longest = 2.0 * (hub + 1) as f64;
        Self {
            problem,
            warehouses,
            regions,
            hub,
            forbidding: if dearest.max(penalty) > 0.0 {
                longest * dearest.max(penalty)
            } else {
                1.0
            },
            dearest,
            dust: ROUNDING * total,
            total,
        }
    }

    /// What enters the network at a node; stock beyond twice the whole demand is cut off, since it cannot leave.
    pub(super) fn supply(&self, node: usize) -> Amount {
        if node < self.warehouses {
            let nudge = i64::try_from(self.regions + 1).unwrap_or(i64::MAX);
            Amount::nudged(self.problem.stock()[node].min(2.0 * self.total), nudge)
        } else {
            -Amount::nudged(self.problem.demand()[node - self.warehouses], 1)
        }
    }

    /// The number of a shipping arc, row by row.
    pub(super) fn shipping(&self, arc: Arc) -> Option<usize> {
        (arc.from < self.warehouses && arc.to < self.hub)
            .then(|| arc.from * self.regions + arc.to - self.warehouses)
    }

    pub(super) fn is_artificial(&self, arc: Arc) -> bool {
        if arc.from == self.hub {
            arc.to < self.warehouses
                || self.problem.lost_penalty()[arc.to - self.warehouses].is_infinite()
        } else {
            arc.to == self.hub && arc.from >= self.warehouses
        }
    }

    pub(super) fn cost(&self, arc: Arc) -> f64 {
        if let Some(shipping) = self.shipping(arc) {
            self.problem.cost()[shipping]
        } else if self.is_artificial(arc) {
            // Missing units are to show at the regions, not at the warehouses.
            if arc.from == self.hub && arc.to < self.warehouses {
                2.0 * self.forbidding
            } else {
                self.forbidding
            }
        } else if arc.from == self.hub {
            self.problem.lost_penalty()[arc.to - self.warehouses]
        } else {
            0.0
        }
    }

    pub(super) fn capacity(&self, arc: Arc) -> Amount {
        Amount::of(
            self.shipping(arc)
                .map_or(f64::INFINITY, |a| self.problem.arc_capacity(a)),
        )
    }
}
