//! Rows as columns.

use std::arch::x86_64::{
    __m256, _mm256_loadu_ps, _mm256_permute2f128_ps, _mm256_shuffle_ps, _mm256_storeu_ps,
    _mm256_unpackhi_ps, _mm256_unpacklo_ps,
};

use super::W;
use crate::kernel::isa::Proof;
use crate::kernel::shape::TILE;

/// Writes rows as columns; see [`Kernels::transpose`](crate::kernel::dispatch::Kernels::transpose).
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
