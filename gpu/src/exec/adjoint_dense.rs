//! The adjoint of a dense layer.

use super::disjoint::disjoint;
use super::reverse::{Target, target};
use super::source::{Reader, segments};
use super::tile::{Gradients, Tile};
use crate::kernel::isa::Isa;
use crate::kernel::real::Real;
use crate::kernel::{EIGHT, narrow, padded};
use crate::record::{Arg, Dense, MAX_SEGMENTS, Space};
use crate::scalar::Activation;

impl<F: Real> Tile<'_, F> {
    pub(super) fn reverse_dense(
        &mut self,
        space: Space,
        period: usize,
        dense: &Dense,
        gradients: &mut Gradients<F>,
    ) {
        let (run, isa, width) = (self.run, self.run.isa, self.width());
        let len = dense.outputs * width;
        let dz_at = self.adjoints.of(space, period, dense.out);
        let targets = dense
            .segments
            .iter()
            .map(|&(row, _)| target(self, Arg::Row(row), period));
        let mut places = [Target::Nothing; MAX_SEGMENTS];
        places
            .iter_mut()
            .zip(targets)
            .for_each(|(place, target)| *place = target);
        let saved_at = self.saved.of(space, period, dense.saved);
        let groups = self.is_of_groups();
        let memory = &mut self.memory;
        let slope = match dense.activation {
            Activation::Identity => &[],
            _ => &memory.saved[saved_at..][..len],
        };
        let bias = match dense.bias {
            Some(b) if dense.trained => &mut gradients.params[b..b + dense.outputs],
            _ => &mut [],
        };
        let reader = Reader::whole(&memory.rows, &memory.zeros, &self.map, period, run.params);
        let segments = segments(dense, &reader);
        let segments = &segments[..dense.segments.len()];
        let dz = &mut memory.adjoints[dz_at..dz_at + len];
        if groups {
            narrow::scale(isa, width, dz, slope, bias);
        } else {
            F::scale(isa, width, dz, slope, self.here.count, bias);
        }
        if dense.trained {
            let (scratch, grad) = (&mut memory.transposed, &mut gradients.dense[dense.id]);
            let wide = padded(dense.width);
            if groups {
                narrow::weight_gradient(isa, width, dz, segments, wide, scratch, grad);
            } else {
                let lanes = (width, self.here.count);
                weight_gradient(isa, lanes, dz, segments, scratch, grad, wide);
            }
        }
        let mut column = 0;
        for (s, &(_, rows)) in dense.segments.iter().enumerate() {
            let columns = column..column + rows;
            column += rows;
            let Target::Rows(at) = places[s] else {
                continue;
            };
            if !dense.wanted[s] {
                continue;
            }
            let adjoints = &mut memory.adjoints;
            let (dx, dz) = disjoint(adjoints, at..at + rows * width, dz_at..dz_at + len);
            if groups {
                let weights = &run.params[dense.weights..][..dense.outputs * dense.width];
                let scratch = &mut memory.transposed;
                narrow::adjoint(
                    isa,
                    width,
                    weights,
                    columns,
                    dz,
                    dense.fresh[s],
                    scratch,
                    dx,
                );
            } else {
                run.packed[dense.id].backward(isa, width, s, dz, dense.fresh[s], dx);
            }
        }
    }
}

/// Outputs, and inputs, up to which the gradient of a layer's weights is cheaper by scalar products than as a product of padded matrices.
const FEW: usize = 4;

/// Inputs beyond the last whole block of columns up to which the same holds of them alone.
const REST: usize = 2;

/// Adds $dZ\thinspace X^T$, summed over the first `count` of the lanes of a row, to the gradient of the weights; `dz` is zero beyond them.
pub(super) fn weight_gradient<F: Real>(
    isa: Isa,
    (lanes, count): (usize, usize),
    dz: &[F],
    segments: &[&[F]],
    transposed: &mut [F],
    grad: &mut [F],
    width: usize,
) {
    // By scalar products there is nothing to transpose, there are no columns of padding, and no sum waits for the one before.
    let inputs: usize = segments.iter().map(|segment| segment.len() / lanes).sum();
    let whole = match inputs % EIGHT {
        _ if dz.len() <= FEW * lanes || inputs <= FEW => 0,
        1..=REST => inputs - inputs % EIGHT,
        _ => width,
    };
    // These first: where a tile is not full they take the room of what is transposed.
    let mut column = 0;
    for segment in segments {
        let first = column;
        column += segment.len() / lanes;
        let at = whole.clamp(first, column);
        let rest = &segment[(at - first) * lanes..];
        if !rest.is_empty() {
            let grad = (&mut *grad, width, at);
            scalar_products(isa, (lanes, count), dz, rest, transposed, grad);
        }
    }
    if whole == 0 {
        return;
    }
    let mut column = 0;
    for segment in segments {
        let rows = (segment.len() / lanes).min(whole - column);
        F::transpose(
            isa,
            lanes,
            &segment[..rows * lanes],
            column,
            width,
            transposed,
        );
        column += rows;
    }
    transposed[count * width..lanes * width].fill(F::default());
    F::outer(isa, lanes, dz, transposed, (whole, width), grad);
}

/// Adds the scalar product of each row of `dz` with each of these rows, over the first `count` lanes, to columns `first..` of the gradient.
fn scalar_products<F: Real>(
    isa: Isa,
    (lanes, count): (usize, usize),
    dz: &[F],
    rows: &[F],
    scratch: &mut [F],
    (grad, width, first): (&mut [F], usize, usize),
) {
    let rows = if count < lanes {
        let own = &mut scratch[..rows.len()];
        own.copy_from_slice(rows);
        for row in own.chunks_exact_mut(lanes) {
            row[count..].fill(F::default());
        }
        own
    } else {
        rows
    };
    for (dz, grad) in dz.chunks_exact(lanes).zip(grad.chunks_exact_mut(width)) {
        F::dots(isa, dz, rows, &mut grad[first..][..rows.len() / lanes]);
    }
}
