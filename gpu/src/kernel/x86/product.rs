//! Matrix products.
//!
//! As many sums as hide the latency of the multipliers stay in registers: rows of weights by registers of lanes. A step of the
//! inner loop loads the lanes once and each weight once, so the multipliers are the limit and not the loads.

use std::ops::Range;

use super::register::Register;
use crate::kernel::shape::PANEL;

/// Writes the products of a panel of `M` rows of so many lanes, `N` registers at a time.
///
/// # Safety
/// The instructions of the register; `out` holds `M` rows and `panel` `M` weights for every row of the segments; `N` registers divide
/// a row.
#[inline(always)]
pub(super) unsafe fn panel_of<R: Register, const M: usize, const N: usize>(
    lanes: usize,
    panel: &[f32],
    segments: &[&[f32]],
    begin: Option<&[f32; PANEL]>,
    out: &mut [f32],
) {
    for first in (0..lanes).step_by(N * R::LANES) {
        let out = out.as_mut_ptr().wrapping_add(first);
        let mut weights = panel.as_ptr();
        // SAFETY: by the caller's promise all rows lie inside their slices.
        unsafe {
            let mut sums = [[R::splat(0.0); N]; M];
            for (j, sum) in sums.iter_mut().enumerate() {
                for (n, s) in sum.iter_mut().enumerate() {
                    *s = match begin {
                        Some(begin) => R::splat(begin[j]),
                        None => R::load(out.add(j * lanes + n * R::LANES)),
                    };
                }
            }
            for segment in segments {
                let mut x = segment.as_ptr().add(first);
                for _ in 0..segment.len() / lanes {
                    let mut values = [R::splat(0.0); N];
                    for (n, l) in values.iter_mut().enumerate() {
                        *l = R::load(x.add(n * R::LANES));
                    }
                    for (j, sum) in sums.iter_mut().enumerate() {
                        let w = R::splat(*weights.add(j));
                        for (s, &l) in sum.iter_mut().zip(&values) {
                            *s = w.madd(l, *s);
                        }
                    }
                    weights = weights.add(M);
                    x = x.add(lanes);
                }
            }
            for (j, sum) in sums.iter().enumerate() {
                for (n, s) in sum.iter().enumerate() {
                    s.store(out.add(j * lanes + n * R::LANES));
                }
            }
        }
    }
}

/// Adds the weight gradients of `M` outputs, `N` registers of columns at a time and then one, from column `first` on as far as whole
/// registers reach.
///
/// # Safety
/// The instructions of the register; `dz` has `M` rows of so many lanes, `grad` `M` times `width` numbers, `xt` `lanes` times `width`.
#[inline(always)]
pub(super) unsafe fn outer_of<R: Register, const M: usize, const N: usize>(
    lanes: usize,
    dz: &[f32],
    xt: &[f32],
    (columns, width): (Range<usize>, usize),
    grad: &mut [f32],
) {
    let mut column = columns.start;
    while columns.end - column >= R::LANES {
        // SAFETY: by the caller's promise; as many columns as are taken are left.
        unsafe {
            let (xt, grad) = (xt.as_ptr().add(column), grad.as_mut_ptr().add(column));
            if columns.end - column >= N * R::LANES {
                outer_block::<R, M, N>(lanes, dz, xt, width, grad);
                column += N * R::LANES;
            } else {
                outer_block::<R, M, 1>(lanes, dz, xt, width, grad);
                column += R::LANES;
            }
        }
    }
}

/// # Safety
/// As [`outer_of`], with `N` registers of columns left at `xt` and `grad`.
#[inline(always)]
unsafe fn outer_block<R: Register, const M: usize, const N: usize>(
    lanes: usize,
    dz: &[f32],
    xt: *const f32,
    width: usize,
    grad: *mut f32,
) {
    // SAFETY: by the caller's promise.
    unsafe {
        let mut sums = [[R::splat(0.0); N]; M];
        for (j, sum) in sums.iter_mut().enumerate() {
            for (n, s) in sum.iter_mut().enumerate() {
                *s = R::load(grad.add(j * width + n * R::LANES));
            }
        }
        let mut x = xt;
        for lane in 0..lanes {
            let mut columns = [R::splat(0.0); N];
            for (n, c) in columns.iter_mut().enumerate() {
                *c = R::load(x.add(n * R::LANES));
            }
            for (j, sum) in sums.iter_mut().enumerate() {
                let d = R::splat(*dz.as_ptr().add(j * lanes + lane));
                for (s, &c) in sum.iter_mut().zip(&columns) {
                    *s = d.madd(c, *s);
                }
            }
            x = x.wrapping_add(width);
        }
        for (j, sum) in sums.iter().enumerate() {
            for (n, s) in sum.iter().enumerate() {
                s.store(grad.add(j * width + n * R::LANES));
            }
        }
    }
}
