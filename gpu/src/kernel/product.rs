//! Matrix products on tiles, in portable code.
//!
//! A tile of $k$ rows is a $k \times$ [`TILE`] matrix, lanes contiguous.

use super::isa::per_isa;
use super::number::Number;
use super::shape::{BLOCK, PANEL, TILE};

/// A panel in portable code, compiled for the instructions at hand.
#[inline(always)]
fn panel_body<const FMA: bool, F: Number>(
    rows: usize,
    panel: &[F],
    segments: &[&[F]],
    begin: Option<&[F; PANEL]>,
    out: &mut [F],
) {
    for block in 0..TILE / BLOCK {
        let mut sums = begin.map_or([[F::default(); BLOCK]; PANEL], |b| b.map(|b| [b; BLOCK]));
        if begin.is_none() {
            for (sum, row) in sums.iter_mut().zip(out.chunks_exact(TILE)) {
                sum.copy_from_slice(&row[block * BLOCK..(block + 1) * BLOCK]);
            }
        }
        let inputs = segments.iter().flat_map(|s| s.chunks_exact(TILE));
        for (weights, x) in panel.chunks_exact(rows).zip(inputs) {
            let x = &x[block * BLOCK..(block + 1) * BLOCK];
            for (sum, &w) in sums.iter_mut().zip(weights) {
                for (s, &x) in sum.iter_mut().zip(x) {
                    *s = F::madd::<FMA>(w, x, *s);
                }
            }
        }
        for (sum, row) in sums.iter().zip(out.chunks_exact_mut(TILE)) {
            row[block * BLOCK..(block + 1) * BLOCK].copy_from_slice(sum);
        }
    }
}

#[inline(always)]
fn outer_body<const FMA: bool, F: Number>(dz: &[F], xt: &[F], width: usize, grad: &mut [F]) {
    for (dz, grad) in dz.chunks_exact(TILE).zip(grad.chunks_exact_mut(width)) {
        for (&d, x) in dz.iter().zip(xt.chunks_exact(width)) {
            for (g, &x) in grad.iter_mut().zip(x) {
                *g = F::madd::<FMA>(d, x, *g);
            }
        }
    }
}

/// Rows as columns; see [`Kernels::transpose`](super::dispatch::Kernels::transpose).
pub(super) fn transpose<F: Copy>(x: &[F], column: usize, width: usize, xt: &mut [F]) {
    for (k, row) in x.chunks_exact(TILE).enumerate() {
        for (lane, &value) in row.iter().enumerate() {
            xt[lane * width + column + k] = value;
        }
    }
}

per_isa!(
    /// One panel of weights; see [`Kernels::panel`](super::dispatch::Kernels::panel).
    fn panel<F>(rows: usize, panel: &[F], segments: &[&[F]], begin: Option<&[F; PANEL]>, out: &mut [F]) = panel_body
);
per_isa!(
    /// Weight gradients; see [`Kernels::outer`](super::dispatch::Kernels::outer).
    fn outer<F>(dz: &[F], xt: &[F], width: usize, grad: &mut [F]) = outer_body
);
