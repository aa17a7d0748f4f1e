//! Matrix products.
//!
//! Sixteen accumulators hold 8 rows by 32 lanes, or up to 4 rows by 64 lanes: enough to hide the latency of the multipliers,
//! and a step of the inner loop is at most ten loads for sixteen fused multiply-adds.

use std::arch::x86_64::{
    _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_set1_ps, _mm512_setzero_ps, _mm512_storeu_ps,
};

use super::W;
use crate::kernel::TILE;
use crate::kernel::avx2;
use crate::kernel::dense::PANEL;
use crate::kernel::isa::{Proof512, WIDE_PANEL};

/// Writes one panel's products; see [`Matrix::panel`](crate::kernel::dense::Matrix::panel).
pub(in crate::kernel) fn panel(
    _: Proof512,
    rows: usize,
    panel: &[f32],
    segments: &[&[f32]],
    begin: Option<&[f32; PANEL]>,
    out: &mut [f32],
) {
    let width: usize = segments.iter().map(|s| s.len() / TILE).sum();
    assert!(out.len() >= rows * TILE && panel.len() >= rows * width);
    // SAFETY: the proof says that AVX-512 is there; the ranges are asserted above.
    unsafe {
        match rows {
            1 => panel_of::<1, 4>(panel, segments, begin, out),
            2 => panel_of::<2, 4>(panel, segments, begin, out),
            3 => panel_of::<3, 4>(panel, segments, begin, out),
            4 => panel_of::<4, 4>(panel, segments, begin, out),
            5 => panel_of::<5, 2>(panel, segments, begin, out),
            6 => panel_of::<6, 2>(panel, segments, begin, out),
            7 => panel_of::<7, 2>(panel, segments, begin, out),
            8 => panel_of::<8, 2>(panel, segments, begin, out),
            _ => unreachable!("a panel has one to eight rows, not {rows}"),
        }
    }
}

/// # Safety
/// AVX-512; `out` holds `M` rows and `panel` `M` weights for every row of the segments; `N` registers divide a row.
#[target_feature(enable = "avx512f")]
unsafe fn panel_of<const M: usize, const N: usize>(
    panel: &[f32],
    segments: &[&[f32]],
    begin: Option<&[f32; PANEL]>,
    out: &mut [f32],
) {
    for first in (0..TILE).step_by(N * W) {
        let out = out.as_mut_ptr().wrapping_add(first);
        let mut sums = [[_mm512_setzero_ps(); N]; M];
        let mut weights = panel.as_ptr();
        // SAFETY: by the caller's promise all rows lie inside their slices.
        unsafe {
            for (j, sum) in sums.iter_mut().enumerate() {
                for (n, s) in sum.iter_mut().enumerate() {
                    *s = match begin {
                        Some(begin) => _mm512_set1_ps(begin[j]),
                        None => _mm512_loadu_ps(out.add(j * TILE + n * W)),
                    };
                }
            }
            for segment in segments {
                let mut x = segment.as_ptr().add(first);
                for _ in 0..segment.len() / TILE {
                    let mut lanes = [_mm512_setzero_ps(); N];
                    for (n, l) in lanes.iter_mut().enumerate() {
                        *l = _mm512_loadu_ps(x.add(n * W));
                    }
                    for (j, sum) in sums.iter_mut().enumerate() {
                        let w = _mm512_set1_ps(*weights.add(j));
                        for (s, &l) in sum.iter_mut().zip(&lanes) {
                            *s = _mm512_fmadd_ps(w, l, *s);
                        }
                    }
                    weights = weights.add(M);
                    x = x.add(TILE);
                }
            }
            for (j, sum) in sums.iter().enumerate() {
                for (n, &s) in sum.iter().enumerate() {
                    _mm512_storeu_ps(out.add(j * TILE + n * W), s);
                }
            }
        }
    }
}

/// Adds $dZ\, X^T$ to `grad`; see [`Matrix::outer`](crate::kernel::dense::Matrix::outer).
pub(in crate::kernel) fn outer(
    proof: Proof512,
    dz: &[f32],
    xt: &[f32],
    width: usize,
    grad: &mut [f32],
) {
    let outputs = dz.len() / TILE;
    let whole = width - width % W;
    assert!(xt.len() >= TILE * width && grad.len() >= outputs * width);
    for row in (0..outputs).step_by(WIDE_PANEL) {
        let (dz, grad) = (&dz[row * TILE..], &mut grad[row * width..]);
        // SAFETY: the proof says that AVX-512 is there; the ranges are asserted above.
        unsafe {
            match outputs - row {
                1 => outer_of::<1>(dz, xt, width, grad),
                2 => outer_of::<2>(dz, xt, width, grad),
                3 => outer_of::<3>(dz, xt, width, grad),
                4 => outer_of::<4>(dz, xt, width, grad),
                5 => outer_of::<5>(dz, xt, width, grad),
                6 => outer_of::<6>(dz, xt, width, grad),
                7 => outer_of::<7>(dz, xt, width, grad),
                _ => outer_of::<8>(dz, xt, width, grad),
            }
        }
    }
    if whole < width {
        avx2::outer(proof.avx2(), dz, xt, width, whole, grad);
    }
}

/// # Safety
/// AVX-512; `dz` has `M` rows, `grad` `M` times `width` numbers, `xt` [`TILE`] times `width`.
#[target_feature(enable = "avx512f")]
unsafe fn outer_of<const M: usize>(dz: &[f32], xt: &[f32], width: usize, grad: &mut [f32]) {
    let mut column = 0;
    while width - column >= W {
        // SAFETY: by the caller's promise; as many columns as are taken are left.
        unsafe {
            let (xt, grad) = (&xt[column..], grad.as_mut_ptr().add(column));
            if width - column >= 2 * W {
                outer_block::<M, 2>(dz, xt, width, grad);
                column += 2 * W;
            } else {
                outer_block::<M, 1>(dz, xt, width, grad);
                column += W;
            }
        }
    }
}

/// # Safety
/// As [`outer_of`], with `N` registers of columns left at `xt` and `grad`.
#[target_feature(enable = "avx512f")]
#[inline]
unsafe fn outer_block<const M: usize, const N: usize>(
    dz: &[f32],
    xt: &[f32],
    width: usize,
    grad: *mut f32,
) {
    let mut sums = [[_mm512_setzero_ps(); N]; M];
    // SAFETY: by the caller's promise.
    unsafe {
        for (j, sum) in sums.iter_mut().enumerate() {
            for (n, s) in sum.iter_mut().enumerate() {
                *s = _mm512_loadu_ps(grad.add(j * width + n * W));
            }
        }
        let mut x = xt.as_ptr();
        for lane in 0..TILE {
            let mut columns = [_mm512_setzero_ps(); N];
            for (n, c) in columns.iter_mut().enumerate() {
                *c = _mm512_loadu_ps(x.add(n * W));
            }
            for (j, sum) in sums.iter_mut().enumerate() {
                let d = _mm512_set1_ps(*dz.as_ptr().add(j * TILE + lane));
                for (s, &c) in sum.iter_mut().zip(&columns) {
                    *s = _mm512_fmadd_ps(d, c, *s);
                }
            }
            x = x.wrapping_add(width);
        }
        for (j, sum) in sums.iter().enumerate() {
            for (n, &s) in sum.iter().enumerate() {
                _mm512_storeu_ps(grad.add(j * width + n * W), s);
            }
        }
    }
}
