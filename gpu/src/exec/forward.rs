//! The forward pass of a tile.

use std::ops::Range;

use super::classes;
use super::source::{Reader, lane, segments};
use super::tile::{Memory, Tile};
use crate::kernel::elementwise::{self, Source};
use crate::kernel::real::Real;
use crate::kernel::{TILE, narrow};
use crate::record::{Arg, NORMALISER, Op, Space};
use crate::scalar::Activation;

impl<F: Real> Tile<'_, F> {
    /// Takes over tile `index` of the run and reads its lanes' inputs.
    pub(super) fn enter(&mut self, index: usize) {
        let run = self.run;
        let (batch, place) = (run.batch, &run.arrangement.tiles[index]);
        (self.first, self.count) = (place.first, place.count);
        self.segments = run.arrangement.segments(index);
        let rows = self.memory.rows.chunks_exact_mut(TILE);
        for (k, out) in rows.take(run.plan.shape.lane).enumerate() {
            let row = &batch.lane[k * batch.lanes..(k + 1) * batch.lanes];
            batch.gather(row, self.first, self.count, out);
        }
        match &batch.weights {
            Some(weights) => batch.gather(weights, self.first, self.count, &mut self.weights),
            None => self
                .weights
                .fill(F::from_f64(1.0 / lanes_as_f64(batch.run_lanes()))),
        }
        self.weights[self.count..].fill(F::default());
        self.objective = [0.0; TILE];
    }

    /// Takes over the groups of a block.
    pub(super) fn enter_groups(&mut self, groups: Range<usize>) {
        (self.first, self.count) = (groups.start, groups.len());
        self.lay(self.count);
    }

    /// Brings the inputs and the state of a period to its slot.
    pub(super) fn open(&mut self, period: usize) {
        self.go_to(period);
        let (batch, side, map) = (self.run.batch, self.side, self.map);
        let place = |k: usize| map.of_period(period, side.inputs[k]);
        if std::ptr::eq(side, &self.run.plan.lane) {
            let rows = &mut self.memory.rows;
            batch.gather_exo(period, self.first, self.count, place, rows);
        } else {
            for k in 0..side.inputs.len() {
                for (i, out) in self.memory.rows[place(k)..][..self.count]
                    .iter_mut()
                    .enumerate()
                {
                    *out = batch.shared_of(period, k, self.first + i);
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
        let mut objective = self.objective;
        let count = self.count;
        let reader = self.reader(period);
        match reader.arg(plan.objective, 1) {
            Source::Rows(row) => {
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
        self.objective = objective;
    }

    /// Everything of a period whose operations have run.
    pub(super) fn reader(&self, period: usize) -> Reader<'_, F> {
        let Memory { rows, zeros, .. } = &self.memory;
        Reader::whole(rows, zeros, self.map, period, self.run.params)
    }

    /// Where a row of this block is, in the period that is worked on.
    pub(super) fn place(&self, space: Space, period: usize, index: usize) -> usize {
        match space {
            Space::Start => index * self.width(),
            Space::Period => self.map.of_period(period, index),
        }
    }

    /// Runs the operations of one phase; in a differentiated run, those that do not wait for the way back.
    pub(super) fn run_phase(&mut self, space: Space, period: usize, phase: usize) {
        let code = self.code(space);
        let mut ops = code.phases[phase].ops.clone();
        if self.run.reverse.is_some() {
            ops.end = ops.end.min(code.late);
        }
        self.run(space, period, ops);
    }

    /// Runs the operations of a period that waited, on the way back.
    pub(super) fn run_late(&mut self, period: usize) {
        let code = self.code(Space::Period);
        self.run(Space::Period, period, code.late..code.ops.len());
    }

    fn run(&mut self, space: Space, period: usize, ops: Range<usize>) {
        let (run, isa) = (self.run, self.run.isa);
        let code = self.code(space);
        let width = self.width();
        for op in &code.ops[ops] {
            let (first, rows) = op.results();
            let at = self.place(space, period, first);
            let (before, rest) = self.memory.rows.split_at_mut(at);
            let (out, after) = rest.split_at_mut(rows * width);
            let reader = Reader {
                before,
                after,
                resume: at + rows * width,
                map: self.map,
                period,
                zeros: &self.memory.zeros,
                params: run.params,
            };
            match op {
                Op::Unary { f, x, rows, .. } => F::unary(isa, *f, reader.arg(*x, *rows), out),
                Op::Binary { f, a, b, rows, .. } => {
                    elementwise::binary(isa, *f, reader.arg(*a, *rows), reader.arg(*b, *rows), out);
                }
                Op::Select { mask, yes, no, .. } => {
                    let (mask, yes, no) = (
                        reader.arg(*mask, 1),
                        reader.arg(*yes, 1),
                        reader.arg(*no, 1),
                    );
                    for (i, o) in out.iter_mut().enumerate() {
                        *o = F::select(lane(mask, i), lane(yes, i), lane(no, i));
                    }
                }
                Op::Dense(dense) => {
                    let saved = if run.reverse.is_none() || dense.activation == Activation::Identity
                    {
                        &mut []
                    } else {
                        let at = match space {
                            Space::Start => dense.saved * width,
                            Space::Period => self.saved.at(period) + dense.saved * width,
                        };
                        &mut self.memory.saved[at..][..rows * width]
                    };
                    let segments = segments(dense, &reader);
                    let segments = &segments[..dense.segments.len()];
                    let bias = dense
                        .bias
                        .map_or(&[][..], |b| &run.params[b..b + dense.outputs]);
                    if self.segments.is_empty() {
                        let weights = &run.params[dense.weights..][..dense.outputs * dense.width];
                        let scratch = &mut self.memory.transposed;
                        narrow::forward(
                            isa,
                            width,
                            weights,
                            bias,
                            segments,
                            dense.activation,
                            scratch,
                            out,
                            saved,
                        );
                    } else {
                        run.packed[dense.id].forward(
                            isa,
                            segments,
                            bias,
                            dense.activation,
                            out,
                            saved,
                        );
                    }
                }
                Op::Softmax { x, rows, .. } => {
                    F::shares(isa, reader.rows(*x, *rows), out);
                }
                Op::LogSoftmax { x, rows, .. } => {
                    F::log_shares(isa, reader.rows(*x, *rows), out);
                }
                Op::Pick { x, rows, index, .. } => {
                    classes::pick(reader.rows(*x, *rows), reader.arg(*index, 1), out);
                }
                Op::Lookup {
                    table,
                    entries,
                    width,
                    index,
                    ..
                } => {
                    let table = &run.params[*table..][..entries * width];
                    classes::lookup(table, *width, reader.arg(*index, 1), out);
                }
                Op::LogLikelihood {
                    logits: layer,
                    index,
                    ..
                } => {
                    let segments = segments(layer, &reader);
                    let segments = &segments[..layer.segments.len()];
                    let bias = layer
                        .bias
                        .map_or(&[][..], |b| &run.params[b..b + layer.outputs]);
                    let logits = &mut self.memory.logits[..layer.outputs * TILE];
                    let identity = Activation::Identity;
                    run.packed[layer.id].forward(isa, segments, bias, identity, logits, &mut []);
                    let normaliser = if run.reverse.is_none() {
                        &mut []
                    } else {
                        let at = match space {
                            Space::Start => layer.saved * width,
                            Space::Period => self.saved.at(period) + layer.saved * width,
                        };
                        &mut self.memory.saved[at..][..NORMALISER * width]
                    };
                    classes::log_likelihood(isa, logits, reader.arg(*index, 1), out, normaliser);
                    self.logits_of = (space == Space::Period).then_some(first);
                }
                // The lanes of a group are joined between phases.
                Op::Reduce { .. } => {}
                Op::Custom {
                    op,
                    inputs,
                    outputs,
                    ..
                } => {
                    let numbers = &mut self.memory.numbers;
                    numbers.resize(inputs.len() + outputs, 0.0);
                    let (x, y) = numbers.split_at_mut(inputs.len());
                    for i in 0..self.count {
                        for (x, &arg) in x.iter_mut().zip(inputs) {
                            *x = lane(reader.arg(arg, 1), i).to_f64();
                        }
                        op.forward(x, y);
                        for (j, &y) in y.iter().enumerate() {
                            out[j * width + i] = F::from_f64(y);
                        }
                    }
                    for row in out.chunks_exact_mut(width) {
                        let last = row[self.count - 1];
                        row[self.count..].fill(last);
                    }
                }
            }
        }
    }
}

#[allow(
    clippy::cast_precision_loss,
    reason = "a number of lanes is far below 2^52"
)]
pub(super) fn lanes_as_f64(lanes: usize) -> f64 {
    lanes as f64
}
