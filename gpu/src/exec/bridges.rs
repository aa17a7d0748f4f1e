//! What passes between a tile of lanes and the tile of their groups: sums one way, copies the other way, and in reverse their adjoints, of
//! which each is the other's.

use super::source::lane;
use super::tile::{Gradients, Tile};
use crate::kernel::TILE;
use crate::kernel::elementwise::Source;
use crate::kernel::real::Real;
use crate::record::{Arg, Bridge, Reduce, Space};

impl<F: Real> Tile<'_, F> {
    /// Joins the lanes of each group, one number for every row of the bridges and every group of the block.
    pub(super) fn join(&self, period: usize, bridges: &[Bridge], joined: &mut [f64]) {
        let reader = self.reader(period);
        let rows = bridges
            .iter()
            .flat_map(|b| (0..b.rows).map(move |i| (b.f, b.row(i).0)));
        let groups = self.here.segments.len();
        for ((f, from), joined) in rows.zip(joined.chunks_exact_mut(groups)) {
            let source = reader.arg(from, 1);
            for (joined, lanes) in joined.iter_mut().zip(self.here.segments) {
                *joined = match source {
                    Source::Rows(row) | Source::Repeated(row) => join(f, &row[lanes.clone()]),
                    Source::Splat(x) => lanes
                        .clone()
                        .fold(f.nothing(), |j, _| f.join(j, x.to_f64())),
                };
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
        let rows = bridges
            .iter()
            .flat_map(|b| (0..b.rows).map(move |i| b.row(i).1));
        let count = self.here.count;
        for (to, joined) in rows.zip(joined.chunks_exact(count)) {
            let at = self.map.of(space, period, to);
            for (out, &j) in self.memory.rows[at..at + count].iter_mut().zip(joined) {
                *out = F::from_f64(j);
            }
        }
    }

    /// In a tile of lanes: writes what comes over from the groups, the same in all lanes of a group.
    pub(super) fn take_over(
        &mut self,
        space: Space,
        period: usize,
        bridges: &[Bridge],
        groups: &Tile<'_, F>,
    ) {
        let reader = groups.reader(period);
        for bridge in bridges {
            let at = self.map.of(space, period, bridge.to);
            let out = &mut self.memory.rows[at..at + bridge.rows * TILE];
            for (i, out) in out.chunks_exact_mut(TILE).enumerate() {
                let source = reader.arg(bridge.row(i).0, 1);
                if let [_] = self.here.segments {
                    out.fill(lane(source, 0));
                    continue;
                }
                for (g, lanes) in self.here.segments.iter().enumerate() {
                    out[lanes.clone()].fill(lane(source, g));
                }
                let last = out[self.here.count - 1];
                out[self.here.count..].fill(last);
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
        let rows = live(bridges).map(|(_, to)| self.adjoints.of(space, period, to));
        let groups = self.here.segments.len();
        for (at, joined) in rows.zip(joined.chunks_exact_mut(groups)) {
            let row = &self.memory.adjoints[at..at + TILE];
            for (joined, lanes) in joined.iter_mut().zip(self.here.segments) {
                *joined = join(Reduce::Sum, &row[lanes.clone()]);
            }
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
        let count = self.here.count;
        let mut row = [F::default(); TILE];
        for ((from, _), joined) in live(bridges).zip(joined.chunks_exact(count)) {
            for (r, &j) in row.iter_mut().zip(joined) {
                *r = F::from_f64(j);
            }
            self.add_row(from, period, &row[..count], gradients);
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
        let segments = self.here.segments;
        let mut row = [F::default(); TILE];
        for (from, to) in live(bridges) {
            let at = groups.adjoints.of(space, period, to);
            for (lanes, &d) in segments.iter().zip(&groups.memory.adjoints[at..]) {
                row[lanes.clone()].fill(d);
            }
            self.add_row(from, period, &row, gradients);
        }
    }
}

/// The rows whose adjoints are wanted, there and here.
pub(super) fn live(bridges: &[Bridge]) -> impl Iterator<Item = (Arg, usize)> + Clone {
    let live = bridges.iter().filter(|bridge| bridge.live);
    live.flat_map(|bridge| (0..bridge.rows).map(|i| bridge.row(i)))
}

/// The lanes of a group as one number: in an order that depends on their number alone.
fn join<F: Real>(f: Reduce, lanes: &[F]) -> f64 {
    /// Sums that do not wait for one another.
    const PARTS: usize = 4;
    let mut parts = [f.nothing(); PARTS];
    let chunks = lanes.chunks_exact(PARTS);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (part, x) in parts.iter_mut().zip(chunk) {
            *part = f.join(*part, x.to_f64());
        }
    }
    for (part, x) in parts.iter_mut().zip(rest) {
        *part = f.join(*part, x.to_f64());
    }
    f.join(f.join(parts[0], parts[1]), f.join(parts[2], parts[3]))
}
