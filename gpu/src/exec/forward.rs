//! The forward pass of a tile: what it begins with, what a period begins with, and which operations run.

use std::ops::Range;

use super::ring::Parts;
use super::source::{Reader, lane};
use super::tile::{Memory, Place, Run, Tile};
use crate::kernel::elementwise::Source;
use crate::kernel::groups::Groups;
use crate::kernel::real::Real;
use crate::record::{Arg, Space};

impl<'r, F: Real> Tile<'r, F> {
    /// Tiles of lanes, by their numbers in the run, in some memory; reads their lanes' inputs.
    pub(super) fn of_lanes(
        run: &'r Run<'r, F>,
        tiles: impl Iterator<Item = usize>,
        memory: Memory<F>,
    ) -> Self {
        let places = tiles.map(|index| place_of(run, index)).collect();
        let mut tile = Tile::new(run, &run.plan.lane, run.arrangement.width, places, memory);
        for t in 0..tile.tiles() {
            tile.turn_to(t);
            let (batch, here) = (run.batch, &tile.here);
            let picks = batch.picks(here.first, here.count);
            let place = |k| tile.map.of_start(k);
            let rows = (tile.width(), place);
            batch.lane.gather(0, picks, rows, &mut tile.memory.rows);
            // A thread goes on with the next tile more often than not.
            if let Some(next) = run.arrangement.tiles.get(here.index + 1) {
                let groups = run.arrangement.groups_of(here.index + 1);
                batch.ask(next.first, next.count, groups);
            }
        }
        tile
    }

    /// The tile of the groups of a block, in some memory.
    pub(super) fn of_groups(run: &'r Run<'r, F>, groups: Range<usize>, memory: Memory<F>) -> Self {
        let place = Place::new(0, groups.start, groups.len());
        Tile::new(run, &run.plan.group, groups.len(), vec![place], memory)
    }

    /// Brings the inputs and the state of a period to its slot.
    pub(super) fn open(&mut self, period: usize) {
        self.go_to(period);
        let (batch, side, map, here) = (self.run.batch, self.side, self.map, &self.here);
        let place = |k: usize| map.of_period(period, side.inputs[k]);
        if std::ptr::eq(side, &self.run.plan.lane) {
            let rows = &mut self.memory.rows;
            let to = (self.map.width, place);
            batch.gather_exo(period, here.first, here.count, to, rows);
        } else {
            for k in 0..side.inputs.len() {
                let out = &mut self.memory.rows[place(k)..][..here.count];
                for (i, out) in out.iter_mut().enumerate() {
                    *out = batch.shared_of(period, k, here.first + i);
                }
            }
        }
        for (k, &row) in side.states.iter().enumerate() {
            let (from, at) = match period.checked_sub(1) {
                Some(before) => (side.next[k], before),
                None => (side.initial[k], 0),
            };
            self.copy_arg(from, at, map.of_period(period, row));
        }
    }

    /// Copies one row of period `at` to place `out` of the rows.
    fn copy_arg(&mut self, arg: Arg, at: usize, out: usize) {
        let (params, width) = (self.run.params, self.width());
        let rows = &mut self.memory.rows;
        match arg {
            Arg::Row(row) => match self.map.at(row, at) {
                Some(from) => rows.copy_within(from..from + width, out),
                None => rows[out..out + width].fill(F::default()),
            },
            Arg::Const(c) => rows[out..out + width].fill(F::from_f64(c)),
            Arg::Param(i) => rows[out..out + width].fill(params[i]),
            Arg::Shared(_) => {}
        }
    }

    /// Books the objective of a period and hands out its traces, `traces[k * lanes + lane]`.
    pub(super) fn close(&mut self, period: usize, mut trace: impl FnMut(usize, usize, F)) {
        let plan = self.run.plan;
        let mut objective = self.here.objective;
        let count = self.here.count;
        let reader = self.reader(period);
        match reader.arg(plan.objective, 1) {
            Source::Rows(row) | Source::Repeated(row) => {
                for (o, &r) in objective.iter_mut().zip(row) {
                    *o += r.to_f64();
                }
            }
            Source::Splat(r) => objective.iter_mut().for_each(|o| *o += r.to_f64()),
        }
        for (k, &arg) in plan.traces.iter().enumerate() {
            let source = reader.arg(arg, 1);
            for i in 0..count {
                trace(k, i, lane(source, i));
            }
        }
        self.here.objective = objective;
    }

    /// Everything of a period whose operations have run.
    pub(super) fn reader(&self, period: usize) -> Reader<'_, F> {
        let Memory { rows, zeros, .. } = &self.memory;
        Reader::whole(rows, zeros, &self.map, period, self.run.params)
    }

    /// Runs the operations of one phase; in a differentiated run, those that do not wait for the way back.
    pub(super) fn run_phase(&mut self, space: Space, period: usize, phase: usize) {
        let code = self.code(space);
        let reverse = self.run.reverse.is_some();
        let mut ops = code.phases[phase].ops.clone();
        if reverse {
            ops.end = ops.end.min(code.late);
        }
        let parts = self.map.parts(period);
        for at in ops {
            self.operate((space, period), at, &parts, reverse && !code.again[at]);
        }
    }

    /// Runs one operation; where `save`, with what its reverse needs of it.
    #[inline(always)]
    fn operate(&mut self, (space, period): (Space, usize), at: usize, parts: &Parts, save: bool) {
        match &self.directs.of(space)[at] {
            Some(direct) => direct.run(parts, &mut self.memory.rows),
            None => self.apply(space, period, &self.code(space).ops[at], save),
        }
    }

    /// Runs the operations of one phase of a period that waited, or were not kept, on the way back.
    pub(super) fn run_again(&mut self, period: usize, phase: usize) {
        let code = self.code(Space::Period);
        let parts = self.map.parts(period);
        for at in code.phases[phase].ops.clone() {
            if code.again[at] || at >= code.late {
                self.operate((Space::Period, period), at, &parts, true);
            }
        }
    }
}

/// What is known of tile `index` of a run.
fn place_of<'r, F: Real>(run: &'r Run<'r, F>, index: usize) -> Place<'r, F> {
    let (batch, tile) = (run.batch, &run.arrangement.tiles[index]);
    let mut place = Place::new(index, tile.first, tile.count);
    place.groups = Groups::new(run.arrangement.segments(index), run.arrangement.width);
    match &batch.weights {
        Some(weights) => batch
            .picks(tile.first, tile.count)
            .copy(weights, &mut place.weights),
        None => place
            .weights
            .fill(F::from_f64(1.0 / lanes_as_f64(batch.run_lanes()))),
    }
    place.weights[tile.count..].fill(F::default());
    place
}

#[allow(
    clippy::cast_precision_loss,
    reason = "a number of lanes is far below 2^52"
)]
pub(super) fn lanes_as_f64(lanes: usize) -> f64 {
    lanes as f64
}
