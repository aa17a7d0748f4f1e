//! The adjoint of a dense layer.

use super::adjoint::disjoint;
use super::arena::{Gradients, Tile};
use super::forward::segments;
use super::reverse::Target;
use crate::kernel::TILE;
use crate::kernel::dense::{Matrix, padded};
use crate::kernel::real::Real;
use crate::record::{Arg, Dense, Space};
use crate::scalar::Activation;

impl<F: Real> Tile<'_, F> {
    pub(super) fn reverse_dense(
        &mut self,
        space: Space,
        period: usize,
        dense: &Dense,
        gradients: &mut Gradients<F>,
    ) {
        let run = self.run;
        let isa = run.isa;
        let len = dense.outputs * TILE;
        let mut transposed = std::mem::take(&mut self.transposed);
        let mut start_adjoint = std::mem::take(&mut self.start_adjoint);
        let mut adjoint = std::mem::take(&mut self.adjoint);
        let saved_at = |slot: usize| (slot * run.program.period.saved + dense.saved) * TILE;
        let (dz_at, slope) = match space {
            Space::Start => (dense.out * TILE, self.start_saved.get(dense.saved * TILE..)),
            Space::Period => (
                self.adjoint_slot(period) + dense.out * TILE,
                self.saved.get(saved_at(period % self.ring)..),
            ),
        };
        {
            let home = if space == Space::Start {
                &mut start_adjoint
            } else {
                &mut adjoint
            };
            let dz = &mut home[dz_at..dz_at + len];
            let count = self.count;
            let slope = match dense.activation {
                Activation::Identity => &[],
                _ => &slope.unwrap_or(&[])[..len],
            };
            let bias = match dense.bias {
                Some(b) => &mut gradients.params[b..b + dense.outputs],
                None => &mut [],
            };
            F::scale(isa, dz, slope, count, bias);
            let reader = self.reader_for(space, period);
            let segments = segments(dense, &reader);
            let segments = &segments[..dense.segments.len()];
            weight_gradient(
                isa,
                dz,
                segments,
                count,
                &mut transposed,
                &mut gradients.dense[dense.id],
                padded(dense.width),
            );
        }
        for (s, (&(row, rows), &wanted)) in dense.segments.iter().zip(&dense.wanted).enumerate() {
            if !wanted && !run.batch.differentiate_inputs {
                continue;
            }
            let packed = &run.packed[dense.id];
            let fresh = dense.fresh[s];
            match (self.target(Arg::Row(row), period), space) {
                (Target::Start(at), Space::Start) => {
                    let (dx, dz) =
                        disjoint(&mut start_adjoint, at..at + rows * TILE, dz_at..dz_at + len);
                    packed.backward(isa, s, dz, fresh, dx);
                }
                (Target::Start(at), Space::Period) => {
                    packed.backward(
                        isa,
                        s,
                        &adjoint[dz_at..dz_at + len],
                        fresh,
                        &mut start_adjoint[at..at + rows * TILE],
                    );
                }
                (Target::Period(at), _) => {
                    let (dx, dz) = disjoint(&mut adjoint, at..at + rows * TILE, dz_at..dz_at + len);
                    packed.backward(isa, s, dz, fresh, dx);
                }
                (Target::Param(_) | Target::Nothing, _) => {}
            }
        }
        self.transposed = transposed;
        self.start_adjoint = start_adjoint;
        self.adjoint = adjoint;
    }
}

/// Adds $dZ\, X^T$, summed over the first `count` lanes, to the gradient of the weights; `dz` is zero beyond them.
fn weight_gradient<F: Real>(
    isa: crate::kernel::isa::Isa,
    dz: &[F],
    segments: &[&[F]],
    count: usize,
    transposed: &mut [F],
    grad: &mut [F],
    width: usize,
) {
    // A layer of one or two outputs is cheaper by scalar products: nothing to transpose.
    if dz.len() <= 2 * TILE {
        for (dz, mut grad) in dz.chunks_exact(TILE).zip(grad.chunks_exact_mut(width)) {
            for segment in segments {
                let here;
                (here, grad) = grad.split_at_mut(segment.len() / TILE);
                F::dots(isa, dz, count, segment, here);
            }
        }
        return;
    }
    let mut column = 0;
    for segment in segments {
        <F as Matrix>::transpose(isa, segment, column, width, transposed);
        column += segment.len() / TILE;
    }
    transposed[count * width..TILE * width].fill(F::default());
    <F as Matrix>::outer(isa, dz, transposed, width, grad);
}
