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
