//! The adjoint of a dense layer.

use super::adjoint::disjoint;
use super::arena::{Gradients, Kept, Tile};
use super::forward::segments;
use super::reverse::{Target, target};
use super::source::Reader;
use crate::kernel::real::Real;
use crate::kernel::{TILE, padded};
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
        let Kept { start, periods } = &mut self.adjoints;
        let (dz_at, slope) = match space {
            Space::Start => (dense.out * TILE, self.saved.start.get(dense.saved * TILE..)),
            Space::Period => {
                let at = self.saved.periods.at(period) + dense.saved * TILE;
                let slope = self.saved.periods.numbers.get(at..);
                (periods.at(period) + dense.out * TILE, slope)
            }
        };
        let dz = match space {
            Space::Start => &mut start[dz_at..dz_at + len],
            Space::Period => &mut periods.numbers[dz_at..dz_at + len],
        };
        let slope = match dense.activation {
            Activation::Identity => &[],
            _ => &slope.unwrap_or(&[])[..len],
        };
        let bias = match dense.bias {
            Some(b) => &mut gradients.params[b..b + dense.outputs],
            None => &mut [],
        };
        F::scale(isa, dz, slope, self.count, bias);
        let reader = Reader::new(run, &self.rows, space, period);
        let segments = segments(dense, &reader);
        weight_gradient(
            isa,
            dz,
            &segments[..dense.segments.len()],
            self.count,
            &mut self.transposed,
            &mut gradients.dense[dense.id],
            padded(dense.width),
        );
        for (s, (&(row, rows), &wanted)) in dense.segments.iter().zip(&dense.wanted).enumerate() {
            if !wanted && !run.batch.differentiate_inputs {
                continue;
            }
            let (dx, dz) = match (target(&periods.slots, Arg::Row(row), period), space) {
                (Target::Start(at), Space::Start) => {
                    disjoint(start, at..at + rows * TILE, dz_at..dz_at + len)
                }
                (Target::Start(at), Space::Period) => (
                    &mut start[at..at + rows * TILE],
                    &periods.numbers[dz_at..dz_at + len],
                ),
                (Target::Period(at), _) => {
                    let numbers = &mut periods.numbers;
                    disjoint(numbers, at..at + rows * TILE, dz_at..dz_at + len)
                }
                (Target::Param(_) | Target::Nothing, _) => continue,
            };
            run.packed[dense.id].backward(isa, s, dz, dense.fresh[s], dx);
        }
    }
}

/// Adds $dZ\, X^T$, summed over the first `count` lanes, to the gradient of the weights; `dz` is zero beyond them.
pub(super) fn weight_gradient<F: Real>(
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
        F::transpose(isa, segment, column, width, transposed);
        column += segment.len() / TILE;
    }
    transposed[count * width..TILE * width].fill(F::default());
    F::outer(isa, dz, transposed, width, grad);
}
