//! What passes between a tile of lanes and the tile of their groups: sums one way, copies the other way, and in reverse their adjoints, of
//! which each is the other's.

use super::reverse::{Target, target};
use super::tile::{Gradients, Tile};
use crate::kernel::WIDE;
use crate::kernel::elementwise::{self, Source};
use crate::kernel::real::Real;
use crate::record::{Bridge, Reduce, Space};

impl<F: Real> Tile<'_, F> {
    /// Joins the lanes of each group, one number for every row of the bridges and every group of the block.
    pub(super) fn join(&self, period: usize, bridges: &[Bridge], joined: &mut [f64]) {
        let reader = self.reader(period);
        let count = self.here.groups.lanes.len();
        let mut rest = joined;
        for bridge in bridges {
            let here;
            (here, rest) = rest.split_at_mut(bridge.rows * count);
            match reader.arg(bridge.from, bridge.rows) {
                Source::Rows(rows) | Source::Repeated(rows) => {
                    F::join(self.run.isa, bridge.f, rows, self.here.groups, here);
                }
                Source::Splat(x) => {
                    let row = [x; WIDE];
                    let row = &row[..self.width()];
                    for here in here.chunks_exact_mut(count) {
                        F::join(self.run.isa, bridge.f, row, self.here.groups, here);
                    }
                }
            }
        }
    }

    /// In a tile of groups: writes what came over from the lanes.
    pub(super) fn receive(
        &mut self,
        space: Space,
        period: usize,
        bridges: &[Bridge],
        joined: &[f64],
    ) {
        let mut rest = joined;
        for bridge in bridges {
            let here;
            (here, rest) = rest.split_at(bridge.rows * self.here.count);
            let at = self.map.of(space, period, bridge.to);
            for (out, &j) in self.memory.rows[at..][..here.len()].iter_mut().zip(here) {
                *out = F::from_f64(j);
            }
        }
    }

    /// In a tile of lanes: writes what comes over from the groups, the same in all lanes of a group.
    pub(super) fn take_over<'b>(
        &mut self,
        space: Space,
        period: usize,
        bridges: impl IntoIterator<Item = &'b Bridge>,
        groups: &Tile<'_, F>,
    ) {
        let reader = groups.reader(period);
        for bridge in bridges {
            let at = self.map.of(space, period, bridge.to);
            let len = bridge.rows * self.width();
            let out = &mut self.memory.rows[at..at + len];
            match reader.arg(bridge.from, bridge.rows) {
                Source::Rows(values) | Source::Repeated(values) => {
                    F::spread(self.run.isa, values, self.here.groups, out);
                }
                Source::Splat(x) => out.fill(x),
            }
        }
    }

    /// In a tile of lanes: the adjoints of what came over from the groups, added up over the lanes of each group.
    pub(super) fn join_adjoints(
        &self,
        space: Space,
        period: usize,
        bridges: &[Bridge],
        joined: &mut [f64],
    ) {
        let mut rest = joined;
        for bridge in live(bridges) {
            let here;
            (here, rest) = rest.split_at_mut(bridge.rows * self.here.groups.lanes.len());
            let at = self.adjoints.of(space, period, bridge.to);
            let rows = &self.memory.adjoints[at..at + bridge.rows * self.width()];
            F::join(self.run.isa, Reduce::Sum, rows, self.here.groups, here);
        }
    }

    /// In a tile of groups: adds what [`join_adjoints`](Self::join_adjoints) found to the adjoints of what was handed over.
    pub(super) fn receive_adjoints(
        &mut self,
        period: usize,
        bridges: &[Bridge],
        joined: &[f64],
        gradients: &mut Gradients<F>,
    ) {
        let mut rest = joined;
        for bridge in live(bridges) {
            let here;
            (here, rest) = rest.split_at(bridge.rows * self.here.count);
            match target(self, bridge.from, period) {
                Target::Rows(at) => {
                    let adjoints = &mut self.memory.adjoints[at..][..here.len()];
                    for (adjoint, &j) in adjoints.iter_mut().zip(here) {
                        *adjoint = *adjoint + F::from_f64(j);
                    }
                }
                Target::Param(i) => {
                    let own = &mut gradients.params[i];
                    *own = here.iter().fold(*own, |sum, &j| sum + F::from_f64(j));
                }
                Target::Nothing => {}
            }
        }
    }

    /// In a tile of lanes: adds the adjoints of the groups' sums to those of what was summed.
    pub(super) fn take_over_adjoints(
        &mut self,
        space: Space,
        period: usize,
        bridges: &[Bridge],
        groups: &Tile<'_, F>,
        gradients: &mut Gradients<F>,
    ) {
        let (isa, own, width) = (self.run.isa, self.here.groups, self.width());
        for bridge in live(bridges) {
            let at = groups.adjoints.of(space, period, bridge.to);
            let values = &groups.memory.adjoints[at..][..bridge.rows * own.lanes.len()];
            match target(self, bridge.from, period) {
                Target::Rows(at) => {
                    let adjoints = &mut self.memory.adjoints[at..][..bridge.rows * width];
                    F::spread_more(isa, values, own, adjoints);
                }
                Target::Param(i) => {
                    let mut row = [F::default(); WIDE];
                    let row = &mut row[..width];
                    for values in values.chunks_exact(own.lanes.len()) {
                        F::spread(isa, values, own, row);
                        let row = &row[..self.here.count];
                        elementwise::sum(isa, row, &mut gradients.params[i]);
                    }
                }
                Target::Nothing => {}
            }
        }
    }
}

/// Those whose adjoints are wanted.
pub(super) fn live(bridges: &[Bridge]) -> impl Iterator<Item = &Bridge> + Clone {
    bridges.iter().filter(|bridge| bridge.live)
}
