//! Shares of classes, lane by lane; see [`softmax`](crate::kernel::softmax).

use super::elementary::exp;
use super::register::Register;
use crate::kernel::shape::TILE;

/// Registers of lanes that go through the rows together.
const N: usize = 4;

/// Writes the shares of the rows `x`.
///
/// # Safety
/// The instructions of the register; `x` and `out` are whole rows, as many.
#[inline(always)]
pub(super) unsafe fn softmax_of<R: Register>(x: &[f32], out: &mut [f32]) {
    let rows = x.len() / TILE;
    for first in (0..TILE).step_by(N * R::LANES) {
        // SAFETY: by the caller's promise; the rows' blocks of lanes lie inside their slices.
        unsafe {
            let (x, out) = (x.as_ptr().add(first), out.as_mut_ptr().add(first));
            let top = top_of::<R>(x, rows);
            let mut total = [R::splat(0.0); N];
            for row in 0..rows {
                for n in 0..N {
                    let at = row * TILE + n * R::LANES;
                    let e = exp(R::load(x.add(at)).sub(top[n]));
                    e.store(out.add(at));
                    total[n] = total[n].add(e);
                }
            }
            for total in &mut total {
                *total = R::splat(1.0).div(*total);
            }
            for row in 0..rows {
                for (n, &inverse) in total.iter().enumerate() {
                    let at = out.add(row * TILE + n * R::LANES);
                    R::load(at).mul(inverse).store(at);
                }
            }
        }
    }
}

/// The largest of each lane of a block.
///
/// # Safety
/// The instructions of the register; `rows` rows from `x` on, which is the first row's block.
#[inline(always)]
unsafe fn top_of<R: Register>(x: *const f32, rows: usize) -> [R; N] {
    // SAFETY: by the caller's promise.
    unsafe {
        let mut top = [R::splat(f32::NEG_INFINITY); N];
        for row in 0..rows {
            for (n, top) in top.iter_mut().enumerate() {
                *top = top.max(R::load(x.add(row * TILE + n * R::LANES)));
            }
        }
        top
    }
}

/// Writes the largest of each lane, and the sum of the exponentials of all without it.
///
/// # Safety
/// The instructions of the register; `x` is whole rows.
#[inline(always)]
pub(super) unsafe fn normaliser_of<R: Register>(
    x: &[f32],
    top: &mut [f32; TILE],
    total: &mut [f32; TILE],
) {
    let rows = x.len() / TILE;
    for first in (0..TILE).step_by(N * R::LANES) {
        // SAFETY: by the caller's promise; the rows' blocks of lanes lie inside their slices.
        unsafe {
            let x = x.as_ptr().add(first);
            let tops = top_of::<R>(x, rows);
            let mut totals = [R::splat(0.0); N];
            for row in 0..rows {
                for n in 0..N {
                    let x = R::load(x.add(row * TILE + n * R::LANES));
                    totals[n] = totals[n].add(exp(x.sub(tops[n])));
                }
            }
            for n in 0..N {
                tops[n].store(top.as_mut_ptr().add(first + n * R::LANES));
                totals[n].store(total.as_mut_ptr().add(first + n * R::LANES));
            }
        }
    }
}

/// Replaces logits by minus their shares times `dy`.
///
/// # Safety
/// The instructions of the register; `z` is whole rows.
#[inline(always)]
pub(super) unsafe fn likelihood_adjoint_of<R: Register>(
    z: &mut [f32],
    top: &[f32; TILE],
    log_total: &[f32; TILE],
    dy: &[f32; TILE],
) {
    for row in z.as_chunks_mut::<TILE>().0 {
        for at in (0..TILE).step_by(R::LANES) {
            // SAFETY: by the caller's promise; every row has as many lanes.
            unsafe {
                let z = row.as_mut_ptr().add(at);
                let top = R::load(top.as_ptr().add(at));
                let log_total = R::load(log_total.as_ptr().add(at));
                let share = exp(R::load(z).sub(top).sub(log_total));
                share.mul(R::load(dy.as_ptr().add(at))).negative().store(z);
            }
        }
    }
}
