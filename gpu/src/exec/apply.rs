//! Running one operation on a tile.

use super::classes;
use super::source::{Reader, lane, segments};
use super::tile::{Run, Tile};
use crate::kernel::elementwise::{self, Source};
use crate::kernel::real::Real;
use crate::kernel::{TILE, narrow};
use crate::record::{Arg, CustomOp, Dense, Op, Space};
use crate::scalar::Activation;

impl<F: Real> Tile<'_, F> {
    /// Runs an operation; where `save`, with what its reverse needs of it.
    pub(super) fn apply(&mut self, space: Space, period: usize, op: &Op, save: bool) {
        let (run, isa, width) = (self.run, self.run.isa, self.width());
        let slope = match op.layer() {
            Some(layer) if save => {
                let first = self.saved.of(space, period, layer.saved);
                first..first + op.saved() * width
            }
            _ => 0..0,
        };
        let (first, rows) = op.results();
        let at = self.map.of(space, period, first);
        let groups = self.is_of_groups();
        let memory = &mut self.memory;
        let (before, rest) = memory.rows.split_at_mut(at);
        let (out, after) = rest.split_at_mut(rows * width);
        let reader = Reader {
            before,
            after,
            resume: at + rows * width,
            map: &self.map,
            period,
            zeros: &memory.zeros,
            params: run.params,
        };
        match op {
            Op::Unary { f, x, rows, .. } => F::unary(isa, *f, reader.arg(*x, *rows), out),
            Op::Binary {
                f,
                a,
                b,
                repeated,
                rows,
                ..
            } => {
                let (a, b) = reader.both((*a, *b), *rows, *repeated);
                elementwise::binary(isa, *f, a, b, out);
            }
            Op::Select { mask, yes, no, .. } => {
                select([*mask, *yes, *no].map(|arg| reader.arg(arg, 1)), out);
            }
            Op::Dense(dense) => {
                let slope = &mut memory.saved[slope];
                if groups {
                    narrow_layer(run, dense, &reader, &mut memory.transposed, out, slope);
                } else {
                    layer(run, dense, &reader, dense.activation, out, slope);
                }
            }
            Op::Softmax { x, rows, .. } => F::shares(isa, reader.rows(*x, *rows), out),
            Op::LogSoftmax { x, rows, .. } => F::log_shares(isa, reader.rows(*x, *rows), out),
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
                logits: dense,
                index,
                ..
            } => {
                let logits = &mut memory.logits[..dense.outputs * TILE];
                layer(run, dense, &reader, Activation::Identity, logits, &mut []);
                let normaliser = &mut memory.saved[slope];
                classes::log_likelihood(isa, logits, reader.arg(*index, 1), out, normaliser);
                self.logits_of = (space == Space::Period).then_some(first);
            }
            // The lanes of a group are joined between phases.
            Op::Reduce { .. } => {}
            Op::Custom { op, inputs, .. } => {
                let count = self.here.count;
                custom(
                    op.as_ref(),
                    inputs,
                    &reader,
                    count,
                    &mut memory.numbers,
                    out,
                );
            }
        }
    }
}

fn select<F: Real>([mask, yes, no]: [Source<'_, F>; 3], out: &mut [F]) {
    for (i, o) in out.iter_mut().enumerate() {
        *o = F::select(lane(mask, i), lane(yes, i), lane(no, i));
    }
}

/// The biases of a layer; none where it has none.
fn biases<'p, F: Real>(run: &Run<'p, F>, layer: &Dense) -> &'p [F] {
    let all = |b: usize| &run.params[b..b + layer.outputs];
    layer.bias.map_or(&[], all)
}

fn layer<F: Real>(
    run: &Run<'_, F>,
    layer: &Dense,
    reader: &Reader<'_, F>,
    activation: Activation,
    out: &mut [F],
    slope: &mut [F],
) {
    let segments = segments(layer, reader);
    let segments = &segments[..layer.segments.len()];
    let packed = &run.packed[layer.id];
    packed.forward(
        run.isa,
        reader.map.width,
        segments,
        biases(run, layer),
        activation,
        out,
        slope,
    );
}

/// A layer of the groups.
fn narrow_layer<F: Real>(
    run: &Run<'_, F>,
    layer: &Dense,
    reader: &Reader<'_, F>,
    scratch: &mut [F],
    out: &mut [F],
    slope: &mut [F],
) {
    let segments = segments(layer, reader);
    let segments = &segments[..layer.segments.len()];
    let weights = &run.params[layer.weights..][..layer.outputs * layer.width];
    narrow::forward(
        run.isa,
        reader.map.width,
        weights,
        biases(run, layer),
        segments,
        layer.activation,
        scratch,
        out,
        slope,
    );
}

/// A custom operation, lane by lane; what lies beyond the lanes' count repeats the last.
fn custom<F: Real>(
    op: &dyn CustomOp,
    inputs: &[Arg],
    reader: &Reader<'_, F>,
    count: usize,
    numbers: &mut Vec<f64>,
    out: &mut [F],
) {
    let width = reader.map.width;
    numbers.resize(inputs.len() + out.len() / width, 0.0);
    let (x, y) = numbers.split_at_mut(inputs.len());
    for i in 0..count {
        for (x, &arg) in x.iter_mut().zip(inputs) {
            *x = lane(reader.arg(arg, 1), i).to_f64();
        }
        op.forward(x, y);
        for (row, &y) in out.chunks_exact_mut(width).zip(&*y) {
            row[i] = F::from_f64(y);
        }
    }
    for row in out.chunks_exact_mut(width) {
        let last = row[count - 1];
        row[count..].fill(last);
    }
}
