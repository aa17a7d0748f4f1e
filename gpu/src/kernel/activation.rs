//! Activations of dense layers, with the derivative that reverse mode keeps.

use super::isa::per_isa;
use super::real::Real;
use super::{TILE, elementwise};
use crate::scalar::Activation;

#[inline(always)]
fn each<F: Real>(z: &mut [F], slope: &mut [F], f: impl Fn(F) -> (F, F)) {
    if slope.is_empty() {
        for z in z {
            *z = f(*z).0;
        }
    } else {
        for (z, slope) in z.iter_mut().zip(slope) {
            (*z, *slope) = f(*z);
        }
    }
}

#[inline(always)]
fn apply_body<const FMA: bool, F: Real>(activation: Activation, z: &mut [F], slope: &mut [F]) {
    let one = F::constant(1.0);
    match activation {
        Activation::Identity => {}
        Activation::Relu => each(z, slope, |z| (z.relu(), z.positive())),
        Activation::Silu => each(z, slope, |z| {
            let s = z.fast_sigmoid::<FMA>();
            let h = z * s;
            (h, F::madd::<FMA>(h, one - s, s))
        }),
        Activation::Softplus => each(z, slope, |z| {
            (z.fast_softplus::<FMA>(), z.fast_sigmoid::<FMA>())
        }),
        Activation::Sigmoid => each(z, slope, |z| {
            let s = z.fast_sigmoid::<FMA>();
            (s, s * (one - s))
        }),
        Activation::Tanh => each(z, slope, |z| {
            let t = z.fast_tanh::<FMA>();
            (t, one - t * t)
        }),
    }
}

#[inline(always)]
fn scale_body<const FMA: bool, F: Real>(
    adjoint: &mut [F],
    slope: &[F],
    count: usize,
    sums: &mut [F],
) {
    for (row, slope) in adjoint.chunks_exact_mut(TILE).zip(slope.chunks_exact(TILE)) {
        for (a, &s) in row.iter_mut().zip(slope) {
            *a = *a * s;
        }
    }
    if count < TILE {
        for row in adjoint.chunks_exact_mut(TILE) {
            row[count..].fill(F::default());
        }
    }
    for (sum, row) in sums.iter_mut().zip(adjoint.chunks_exact(TILE)) {
        *sum = *sum + elementwise::total(row);
    }
}

per_isa!(
    /// Replaces `z` by its activation and writes the derivative to `slope`, unless that is empty.
    fn apply<F>(activation: Activation, z: &mut [F], slope: &mut [F]) = apply_body
);
per_isa!(
    /// Multiplies the adjoint by the saved derivative (unless that is empty), clears the lanes from `count` on, and adds the
    /// rows' totals to `sums` (which may be empty).
    fn scale<F>(adjoint: &mut [F], slope: &[F], count: usize, sums: &mut [F]) = scale_body
);
