//! The forward pass of a tile.

use std::ops::Range;

use super::arena::{Rows, Tile};
use super::classes;
use super::source::{Reader, lane};
use crate::kernel::TILE;
use crate::kernel::elementwise::{self, Source};
use crate::kernel::real::Real;
use crate::record::{Arg, Dense, MAX_SEGMENTS, NORMALISER, Op, Row, Space};
use crate::scalar::Activation;

impl<F: Real> Tile<'_, F> {
    /// Takes over tile `index` of the run and reads its lanes' inputs.
    pub(super) fn enter(&mut self, index: usize) {
        let batch = self.run.batch;
        self.first = index * TILE;
        self.count = (batch.run_lanes() - self.first).min(TILE);
        for (k, out) in self
            .rows
            .start
            .chunks_exact_mut(TILE)
            .take(self.run.program.shape.lane)
            .enumerate()
        {
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

    /// Runs one phase of the start block.
    pub(super) fn start_phase(&mut self, phase: usize, sums: &mut [f64]) {
        let ops = self.run.program.start.phases[phase].clone();
        self.forward(Space::Start, 0, ops, sums);
    }

    /// Brings the inputs and the state of a period to its slot.
    pub(super) fn open(&mut self, period: usize) {
        let (batch, program) = (self.run.batch, self.run.program);
        self.rows.periods.go_to(period);
        self.saved.periods.go_to(period);
        let slot = self.rows.periods.at(period);
        let inputs = &mut self.rows.periods.numbers[slot..][..program.shape.exo * TILE];
        batch.gather_exo(period, self.first, self.count, inputs);
        for k in 0..program.states() {
            let (from, at) = if period == 0 {
                (program.initial[k], 0)
            } else {
                (program.next[k], period - 1)
            };
            let out = slot + program.state_row(k).index * TILE;
            self.copy_arg(from, at, out);
        }
    }

    /// Copies one row of period `at` to place `out` of the values.
    fn copy_arg(&mut self, arg: Arg, at: usize, out: usize) {
        let run = self.run;
        let value = |arg| match arg {
            Arg::Const(c) => F::from_f64(c),
            Arg::Param(i) => run.params[i],
            Arg::Shared(i) => run.shared(at)[i],
            Arg::Row(_) => F::default(),
        };
        let Rows { start, periods, .. } = &mut self.rows;
        match arg {
            Arg::Row(Row {
                space: Space::Period,
                index,
                lag,
            }) => match at.checked_sub(lag) {
                Some(period) => {
                    let from = periods.at(period) + index * TILE;
                    periods.numbers.copy_within(from..from + TILE, out);
                }
                None => periods.numbers[out..out + TILE].fill(F::default()),
            },
            Arg::Row(row) => {
                periods.numbers[out..out + TILE].copy_from_slice(&start[row.index * TILE..][..TILE])
            }
            other => periods.numbers[out..out + TILE].fill(value(other)),
        }
    }

    /// Runs one phase of a period.
    pub(super) fn phase(&mut self, period: usize, phase: usize, sums: &mut [f64]) {
        let ops = self.run.program.period.phases[phase].clone();
        self.forward(Space::Period, period, ops, sums);
    }

    /// Books the objective of a period and hands out its traces, `traces[k * lanes + lane]`.
    pub(super) fn close(&mut self, period: usize, mut trace: impl FnMut(usize, usize, F)) {
        let program = self.run.program;
        let mut objective = self.objective;
        let count = self.count;
        let reader = self.reader(period);
        match reader.arg(program.objective, 1) {
            Source::Rows(row) => {
                for (o, &r) in objective.iter_mut().zip(row) {
                    *o += r.to_f64();
                }
            }
            Source::Splat(r) => objective.iter_mut().for_each(|o| *o += r.to_f64()),
        }
        for (k, &arg) in program.traces.iter().enumerate() {
            let source = reader.arg(arg, 1);
            for i in 0..count {
                trace(k, i, lane(source, i));
            }
        }
        self.objective = objective;
    }

    /// The state after the last period.
    pub(super) fn final_state(&self, mut write: impl FnMut(usize, usize, F)) {
        let reader = self.reader(self.run.batch.run_periods() - 1);
        for (k, &arg) in self.run.program.next.iter().enumerate() {
            let source = reader.arg(arg, 1);
            for i in 0..self.count {
                write(k, i, lane(source, i));
            }
        }
    }

    /// Everything of a period whose operations have run.
    pub(super) fn reader(&self, period: usize) -> Reader<'_, F> {
        Reader::new(self.run, &self.rows, Space::Period, period)
    }

    /// Writes the totals of the sums over lanes that ended a phase.
    pub(super) fn receive(&mut self, space: Space, period: usize, phase: usize, totals: &[f64]) {
        let program = self.run.program;
        let (block, values, base) = match space {
            Space::Start => (&program.start, &mut self.rows.start, 0),
            Space::Period => {
                let periods = &mut self.rows.periods;
                let base = periods.at(period);
                (&program.period, &mut periods.numbers, base)
            }
        };
        for op in &block.ops[block.phases[phase].clone()] {
            if let Op::Reduce { out, id, .. } = op {
                values[base + out * TILE..][..TILE].fill(F::from_f64(totals[*id]));
            }
        }
    }

    fn forward(&mut self, space: Space, period: usize, ops: Range<usize>, sums: &mut [f64]) {
        let run = self.run;
        let (isa, program) = (run.isa, run.program);
        let block = if space == Space::Start {
            &program.start
        } else {
            &program.period
        };
        let shared = run.shared_in(space, period);
        let slots = self.rows.periods.slots;
        let slot = slots.at(period);
        let Rows {
            start: start_rows,
            periods,
            zeros,
        } = &mut self.rows;
        let saved = &mut self.saved;
        for op in &block.ops[ops] {
            let (first, rows) = op.results();
            let (start, before, out, after, resume): (&[F], &[F], &mut [F], &[F], usize) =
                match space {
                    Space::Start => {
                        let (start, out) = start_rows.split_at_mut(first * TILE);
                        (start, &[], &mut out[..rows * TILE], &[], 0)
                    }
                    Space::Period => {
                        let at = slot + first * TILE;
                        let (before, rest) = periods.numbers.split_at_mut(at);
                        let (out, after) = rest.split_at_mut(rows * TILE);
                        (start_rows, before, out, after, at + rows * TILE)
                    }
                };
            let reader = Reader {
                start,
                before,
                after,
                resume,
                slots,
                period,
                zeros,
                params: run.params,
                shared,
            };
            match op {
                Op::Unary { f, x, rows, .. } => {
                    elementwise::unary(isa, *f, reader.arg(*x, *rows), out)
                }
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
                    let saved = match dense.activation {
                        Activation::Identity => &mut [],
                        _ => saved.rows(space, period, dense.saved, dense.outputs),
                    };
                    let segments = segments(dense, &reader);
                    let bias = dense
                        .bias
                        .map_or(&[][..], |b| &run.params[b..b + dense.outputs]);
                    run.packed[dense.id].forward(
                        isa,
                        &segments[..dense.segments.len()],
                        bias,
                        dense.activation,
                        out,
                        saved,
                    );
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
                    let bias = layer
                        .bias
                        .map_or(&[][..], |b| &run.params[b..b + layer.outputs]);
                    let logits = &mut self.logits[..layer.outputs * TILE];
                    run.packed[layer.id].forward(
                        isa,
                        &segments[..layer.segments.len()],
                        bias,
                        Activation::Identity,
                        logits,
                        &mut [],
                    );
                    let normaliser = saved.rows(space, period, layer.saved, NORMALISER);
                    classes::log_likelihood(isa, logits, reader.arg(*index, 1), out, normaliser);
                }
                Op::Reduce { f, x, id, .. } => {
                    let x = reader.arg(*x, 1);
                    let lanes = (0..self.count).map(|i| lane(x, i).to_f64());
                    sums[*id] = lanes.fold(f.nothing(), |a, b| f.join(a, b));
                }
                Op::Custom {
                    op,
                    inputs,
                    outputs,
                    ..
                } => {
                    self.numbers.resize(inputs.len() + outputs, 0.0);
                    let (x, y) = self.numbers.split_at_mut(inputs.len());
                    for i in 0..self.count {
                        for (x, &arg) in x.iter_mut().zip(inputs) {
                            *x = lane(reader.arg(arg, 1), i).to_f64();
                        }
                        op.forward(x, y);
                        for (j, &y) in y.iter().enumerate() {
                            out[j * TILE + i] = F::from_f64(y);
                        }
                    }
                    for row in out.chunks_exact_mut(TILE) {
                        let last = row[self.count - 1];
                        row[self.count..].fill(last);
                    }
                }
            }
        }
    }
}

/// The rows of a dense layer's inputs.
pub(super) fn segments<'a, F: Real>(
    dense: &Dense,
    reader: &Reader<'a, F>,
) -> [&'a [F]; MAX_SEGMENTS] {
    let mut segments: [&[F]; MAX_SEGMENTS] = [&[]; MAX_SEGMENTS];
    for (segment, &(row, rows)) in segments.iter_mut().zip(&dense.segments) {
        *segment = reader.rows(row, rows);
    }
    segments
}

#[allow(
    clippy::cast_precision_loss,
    reason = "a number of lanes is far below 2^52"
)]
pub(super) fn lanes_as_f64(lanes: usize) -> f64 {
    lanes as f64
}
