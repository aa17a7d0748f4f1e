//! Matrix products.
//!
//! Twelve accumulators hold 6 rows by 16 lanes; a step of the inner loop is two loads, six broadcasts and twelve fused
//! multiply-adds, so the multipliers are the limit and not the loads.

use std::arch::x86_64::{
    __m256, _mm256_broadcast_ss, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_permute2f128_ps,
    _mm256_setzero_ps, _mm256_shuffle_ps, _mm256_storeu_ps, _mm256_unpackhi_ps, _mm256_unpacklo_ps,
};

use super::W;
use crate::kernel::TILE;
use crate::kernel::dense::PANEL;
use crate::kernel::isa::Proof;

/// Writes one panel's products; see [`Matrix::panel`](crate::kernel::dense::Matrix::panel).
pub(in crate::kernel) fn panel(
    _: Proof,
    rows: usize,
    panel: &[f32],
    segments: &[&[f32]],
    begin: Option<&[f32; PANEL]>,
    out: &mut [f32],
) {
    let width: usize = segments.iter().map(|s| s.len() / TILE).sum();
    assert!(out.len() >= rows * TILE && panel.len() >= rows * width);
    // SAFETY: the proof says that AVX2 and FMA are there; the ranges are asserted above.
    unsafe {
        match rows {
            1 => panel_of::<1>(panel, segments, begin, out),
            2 => panel_of::<2>(panel, segments, begin, out),
            3 => panel_of::<3>(panel, segments, begin, out),
            4 => panel_of::<4>(panel, segments, begin, out),
            5 => panel_of::<5>(panel, segments, begin, out),
            6 => panel_of::<6>(panel, segments, begin, out),
            _ => unreachable!("a panel has one to six rows, not {rows}"),
        }
    }
}

/// # Safety
/// AVX2 and FMA; `out` holds `M` rows and `panel` `M` weights for every row of the segments.
#[target_feature(enable = "avx2,fma")]
unsafe fn panel_of<const M: usize>(
    panel: &[f32],
    segments: &[&[f32]],
    begin: Option<&[f32; PANEL]>,
    out: &mut [f32],
) {
    for block in 0..TILE / (2 * W) {
        let out = out.as_mut_ptr().wrapping_add(block * 2 * W);
        let mut sums = [[_mm256_setzero_ps(); 2]; M];
        let mut weights = panel.as_ptr();
        // SAFETY: by the caller's promise all rows lie inside their slices.
        unsafe {
            for (j, sum) in sums.iter_mut().enumerate() {
                *sum = match begin {
                    Some(begin) => [_mm256_broadcast_ss(&begin[j]); 2],
                    None => [
                        _mm256_loadu_ps(out.add(j * TILE)),
                        _mm256_loadu_ps(out.add(j * TILE + W)),
                    ],
                };
            }
            for segment in segments {
                let mut x = segment.as_ptr().add(block * 2 * W);
                for _ in 0..segment.len() / TILE {
                    let (x0, x1) = (_mm256_loadu_ps(x), _mm256_loadu_ps(x.add(W)));
                    for (j, sum) in sums.iter_mut().enumerate() {
                        let w = _mm256_broadcast_ss(&*weights.add(j));
                        sum[0] = _mm256_fmadd_ps(w, x0, sum[0]);
                        sum[1] = _mm256_fmadd_ps(w, x1, sum[1]);
                    }
                    weights = weights.add(M);
                    x = x.add(TILE);
                }
            }
            for (j, sum) in sums.iter().enumerate() {
                _mm256_storeu_ps(out.add(j * TILE), sum[0]);
                _mm256_storeu_ps(out.add(j * TILE + W), sum[1]);
            }
        }
    }
}

/// Adds $dZ\, X^T$ to `grad`, from column `first` on; see [`Matrix::outer`](crate::kernel::dense::Matrix::outer).
pub(in crate::kernel) fn outer(
    _: Proof,
    dz: &[f32],
    xt: &[f32],
    width: usize,
    first: usize,
    grad: &mut [f32],
) {
    let outputs = dz.len() / TILE;
    assert!(
        (width - first).is_multiple_of(W)
            && xt.len() >= TILE * width
            && grad.len() >= outputs * width
    );
    let mut row = 0;
    while row < outputs {
        let rows = (outputs - row).min(6);
        let (dz, grad) = (&dz[row * TILE..], &mut grad[row * width..]);
        // SAFETY: the proof says that AVX2 and FMA are there; the ranges are asserted above.
        unsafe {
            match rows {
                1 => outer_of::<1>(dz, xt, width, first, grad),
                2 => outer_of::<2>(dz, xt, width, first, grad),
                3 => outer_of::<3>(dz, xt, width, first, grad),
                4 => outer_of::<4>(dz, xt, width, first, grad),
                5 => outer_of::<5>(dz, xt, width, first, grad),
                _ => outer_of::<6>(dz, xt, width, first, grad),
            }
        }
        row += rows;
    }
}

/// # Safety
/// AVX2 and FMA; `dz` has `M` rows, `grad` `M` times `width` numbers, `xt` [`TILE`] times `width`, a multiple of 8 from `first` on.
#[target_feature(enable = "avx2,fma")]
unsafe fn outer_of<const M: usize>(
    dz: &[f32],
    xt: &[f32],
    width: usize,
    first: usize,
    grad: &mut [f32],
) {
    let mut column = first;
    while column < width {
        // SAFETY: by the caller's promise; a block of 16 columns is taken only where 16 are left.
        unsafe {
            if width - column >= 2 * W {
                outer_block::<M, 2>(dz, &xt[column..], width, grad.as_mut_ptr().add(column));
                column += 2 * W;
            } else {
                outer_block::<M, 1>(dz, &xt[column..], width, grad.as_mut_ptr().add(column));
                column += W;
            }
        }
    }
}

/// # Safety
/// As [`outer_of`], with `N` registers of columns left at `xt` and `grad`.
#[target_feature(enable = "avx2,fma")]
#[inline]
unsafe fn outer_block<const M: usize, const N: usize>(
    dz: &[f32],
    xt: &[f32],
    width: usize,
    grad: *mut f32,
) {
    let mut sums = [[_mm256_setzero_ps(); N]; M];
    // SAFETY: by the caller's promise.
    unsafe {
        for (j, sum) in sums.iter_mut().enumerate() {
            for (n, s) in sum.iter_mut().enumerate() {
                *s = _mm256_loadu_ps(grad.add(j * width + n * W));
            }
        }
        let mut x = xt.as_ptr();
        for lane in 0..TILE {
            let mut columns = [_mm256_setzero_ps(); N];
            for (n, c) in columns.iter_mut().enumerate() {
                *c = _mm256_loadu_ps(x.add(n * W));
            }
            for (j, sum) in sums.iter_mut().enumerate() {
                let d = _mm256_broadcast_ss(&*dz.as_ptr().add(j * TILE + lane));
                for (s, &c) in sum.iter_mut().zip(&columns) {
                    *s = _mm256_fmadd_ps(d, c, *s);
                }
            }
            x = x.wrapping_add(width);
        }
        for (j, sum) in sums.iter().enumerate() {
            for (n, &s) in sum.iter().enumerate() {
                _mm256_storeu_ps(grad.add(j * width + n * W), s);
            }
        }
    }
}

/// Writes rows as columns; see [`Matrix::transpose`](crate::kernel::dense::Matrix::transpose).
pub(in crate::kernel) fn transpose(
    _: Proof,
    x: &[f32],
    column: usize,
    width: usize,
    xt: &mut [f32],
) {
    let rows = x.len() / TILE;
    assert!(xt.len() >= TILE * width && column + rows <= width);
    let whole = rows - rows % W;
    for row in (0..whole).step_by(W) {
        for lane in (0..TILE).step_by(W) {
            // SAFETY: the proof says that AVX2 is there; eight rows and eight columns are left by the bounds of the loops.
            unsafe {
                transpose_8x8(
                    x.as_ptr().add(row * TILE + lane),
                    xt.as_mut_ptr().add(lane * width + column + row),
                    width,
                );
            }
        }
    }
    for (k, values) in x.chunks_exact(TILE).enumerate().skip(whole) {
        for (lane, &value) in values.iter().enumerate() {
            xt[lane * width + column + k] = value;
        }
    }
}

/// # Safety
/// AVX2; eight rows of eight numbers at `from` ([`TILE`] apart) and at `to` (`width` apart).
#[target_feature(enable = "avx2,fma")]
unsafe fn transpose_8x8(from: *const f32, to: *mut f32, width: usize) {
    // SAFETY: by the caller's promise.
    let row = |i: usize| -> __m256 { unsafe { _mm256_loadu_ps(from.add(i * TILE)) } };
    let pair = |a: usize| {
        let (x, y) = (row(a), row(a + 1));
        (_mm256_unpacklo_ps(x, y), _mm256_unpackhi_ps(x, y))
    };
    let quad = |a: usize| {
        let ((l0, h0), (l1, h1)) = (pair(a), pair(a + 2));
        [
            _mm256_shuffle_ps::<0x44>(l0, l1),
            _mm256_shuffle_ps::<0xEE>(l0, l1),
            _mm256_shuffle_ps::<0x44>(h0, h1),
            _mm256_shuffle_ps::<0xEE>(h0, h1),
        ]
    };
    let (top, bottom) = (quad(0), quad(4));
    for (i, (&t, &b)) in top.iter().zip(&bottom).enumerate() {
        // SAFETY: by the caller's promise.
        unsafe {
            _mm256_storeu_ps(to.add(i * width), _mm256_permute2f128_ps::<0x20>(t, b));
            _mm256_storeu_ps(
                to.add((i + 4) * width),
                _mm256_permute2f128_ps::<0x31>(t, b),
            );
        }
    }
}
