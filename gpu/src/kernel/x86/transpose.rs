//! Rows as columns.

use std::arch::x86_64::{
    __m256, _mm_loadu_ps, _mm256_castps128_ps256, _mm256_insertf128_ps, _mm256_shuffle_ps,
    _mm256_storeu_ps, _mm256_unpackhi_ps, _mm256_unpacklo_ps,
};

use super::W;
use crate::kernel::isa::Proof;

/// Writes rows as columns; see [`Kernels::transpose`](crate::kernel::dispatch::Kernels::transpose).
pub(in crate::kernel) fn transpose(
    _: Proof,
    lanes: usize,
    x: &[f32],
    column: usize,
    width: usize,
    xt: &mut [f32],
) {
    let rows = x.len() / lanes;
    assert!(lanes.is_multiple_of(W) && xt.len() >= lanes * width && column + rows <= width);
    let whole = rows - rows % W;
    for row in (0..whole).step_by(W) {
        for lane in (0..lanes).step_by(W) {
            // SAFETY: the proof says that AVX2 is there; eight rows and eight columns are left by the bounds of the loops.
            unsafe {
                transpose_8x8(
                    x.as_ptr().add(row * lanes + lane),
                    lanes,
                    xt.as_mut_ptr().add(lane * width + column + row),
                    width,
                );
            }
        }
    }
    for (k, values) in x.chunks_exact(lanes).enumerate().skip(whole) {
        for (lane, &value) in values.iter().enumerate() {
            xt[lane * width + column + k] = value;
        }
    }
}

/// # Safety
/// AVX2; eight rows of eight numbers at `from` (`lanes` apart) and at `to` (`width` apart).
#[target_feature(enable = "avx2,fma")]
unsafe fn transpose_8x8(from: *const f32, lanes: usize, to: *mut f32, width: usize) {
    for half in 0..2 {
        // Four numbers of a row and of the fourth row behind it: put together while they are loaded, they need no exchange of halves later.
        let pair = |i: usize| -> __m256 {
            // SAFETY: by the caller's promise.
            unsafe {
                let from = from.add(i * lanes + 4 * half);
                let low = _mm256_castps128_ps256(_mm_loadu_ps(from));
                _mm256_insertf128_ps::<1>(low, _mm_loadu_ps(from.add(4 * lanes)))
            }
        };
        let [a, b, c, d] = [pair(0), pair(1), pair(2), pair(3)];
        let (ab, cd) = (_mm256_unpacklo_ps(a, b), _mm256_unpacklo_ps(c, d));
        let (more_ab, more_cd) = (_mm256_unpackhi_ps(a, b), _mm256_unpackhi_ps(c, d));
        let columns = [
            _mm256_shuffle_ps::<0x44>(ab, cd),
            _mm256_shuffle_ps::<0xEE>(ab, cd),
            _mm256_shuffle_ps::<0x44>(more_ab, more_cd),
            _mm256_shuffle_ps::<0xEE>(more_ab, more_cd),
        ];
        for (i, &column) in columns.iter().enumerate() {
            // SAFETY: by the caller's promise.
            unsafe { _mm256_storeu_ps(to.add((i + 4 * half) * width), column) }
        }
    }
}
