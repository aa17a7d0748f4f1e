//! Between rows of lanes and rows of their groups, where all groups of a tile have the same number of lanes: whole registers.
//!
//! The compiler would take the lanes of several groups together, number by number.

use std::arch::x86_64::{
    __m256d, _mm_loadu_ps, _mm256_add_pd, _mm256_add_ps, _mm256_cvtps_pd, _mm256_loadu_ps,
    _mm256_max_pd, _mm256_permute2f128_pd, _mm256_set1_pd, _mm256_set1_ps, _mm256_storeu_ps,
    _mm256_unpackhi_pd, _mm256_unpacklo_pd,
};

use super::W;
use crate::kernel::isa::Proof;
use crate::kernel::shape::TILE;
use crate::record::Reduce;

/// Numbers of a register of `f64`.
const D: usize = 4;

/// Whether there are kernels for groups of so many lanes.
pub(in crate::kernel) fn takes(lanes: usize) -> bool {
    lanes > 0 && lanes.is_multiple_of(W)
}

/// Joins each group's lanes, of whole rows: one number a row and group.
pub(in crate::kernel) fn join(
    _: Proof,
    f: Reduce,
    rows: &[f32],
    (groups, lanes): (usize, usize),
    out: &mut [f64],
) {
    assert!(takes(lanes) && groups * lanes <= TILE);
    for (row, out) in rows
        .as_chunks::<TILE>()
        .0
        .iter()
        .zip(out.chunks_exact_mut(groups))
    {
        // SAFETY: the proof says that AVX2 is there; the row holds all groups.
        unsafe {
            match f {
                Reduce::Sum => join_row::<false>(row, lanes, out),
                Reduce::Max => join_row::<true>(row, lanes, out),
            }
        }
    }
}

/// Four groups at a time: each has its parts in a register, and what becomes of the parts does so for all four at once.
///
/// # Safety
/// AVX2; `lanes` is a multiple of eight.
#[target_feature(enable = "avx2,fma")]
unsafe fn join_row<const MAX: bool>(row: &[f32; TILE], lanes: usize, out: &mut [f64]) {
    let nothing = if MAX { f64::NEG_INFINITY } else { 0.0 };
    let mut first = 0;
    for out in out.chunks_mut(D) {
        let mut parts = [_mm256_set1_pd(nothing); D];
        for part in parts.iter_mut().take(out.len()) {
            for at in (first..first + lanes).step_by(D) {
                // SAFETY: by the caller's promise.
                let four = unsafe { _mm_loadu_ps(row.as_ptr().add(at)) };
                *part = fold::<MAX>(*part, _mm256_cvtps_pd(four));
            }
            first += lanes;
        }
        let [a, b, c, d] = parts;
        let ab = fold::<MAX>(_mm256_unpacklo_pd(a, b), _mm256_unpackhi_pd(a, b));
        let cd = fold::<MAX>(_mm256_unpacklo_pd(c, d), _mm256_unpackhi_pd(c, d));
        let low = _mm256_permute2f128_pd::<0x20>(ab, cd);
        let high = _mm256_permute2f128_pd::<0x31>(ab, cd);
        let all = doubles(fold::<MAX>(low, high));
        out.copy_from_slice(&all[..out.len()]);
    }
}

/// The sum, or the first unless the second is larger.
#[target_feature(enable = "avx2,fma")]
#[inline]
fn fold<const MAX: bool>(a: __m256d, b: __m256d) -> __m256d {
    if MAX {
        _mm256_max_pd(b, a)
    } else {
        _mm256_add_pd(a, b)
    }
}

#[target_feature(enable = "avx2,fma")]
#[inline]
fn doubles(x: __m256d) -> [f64; D] {
    let mut out = [0.0; D];
    // SAFETY: as many numbers.
    unsafe { std::arch::x86_64::_mm256_storeu_pd(out.as_mut_ptr(), x) };
    out
}

/// Writes the numbers of the groups to all their lanes, or where `ADD` adds them.
pub(in crate::kernel) fn spread<const ADD: bool>(
    _: Proof,
    values: &[f32],
    (groups, lanes): (usize, usize),
    out: &mut [f32],
) {
    assert!(takes(lanes) && groups * lanes <= TILE);
    for (values, row) in values
        .chunks_exact(groups)
        .zip(out.as_chunks_mut::<TILE>().0)
    {
        // SAFETY: the proof says that AVX2 is there; the row holds all groups.
        unsafe { spread_row::<ADD>(values, lanes, row) }
    }
}

/// # Safety
/// AVX2; the row holds `lanes` numbers, a multiple of eight, for each value.
#[target_feature(enable = "avx2,fma")]
unsafe fn spread_row<const ADD: bool>(values: &[f32], lanes: usize, row: &mut [f32; TILE]) {
    let mut at = 0;
    for &value in values {
        let all = _mm256_set1_ps(value);
        for _ in 0..lanes / W {
            // SAFETY: by the caller's promise.
            unsafe {
                let to = row.as_mut_ptr().add(at);
                let sum = if ADD {
                    _mm256_add_ps(_mm256_loadu_ps(to), all)
                } else {
                    all
                };
                _mm256_storeu_ps(to, sum);
            }
            at += W;
        }
    }
}
