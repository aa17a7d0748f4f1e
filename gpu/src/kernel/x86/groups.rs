//! Between rows of lanes and rows of their groups, where all groups of a tile have the same number of lanes: whole registers.
//!
//! The compiler would take the lanes of several groups together, number by number.

use std::arch::x86_64::{
    __m256d, _mm_loadu_ps, _mm256_add_pd, _mm256_add_ps, _mm256_cvtps_pd, _mm256_cvtsd_f64,
    _mm256_loadu_ps, _mm256_max_pd, _mm256_permute2f128_pd, _mm256_set1_pd, _mm256_set1_ps,
    _mm256_storeu_pd, _mm256_storeu_ps, _mm256_unpackhi_pd, _mm256_unpacklo_pd,
};

use super::W;
use crate::kernel::groups::Groups;
use crate::kernel::isa::Proof;
use crate::kernel::shape::{TILE, WIDE};
use crate::record::Reduce;

/// Numbers of a register of `f64`.
const D: usize = 4;

/// Whether there are kernels for groups of so many lanes.
pub(in crate::kernel) fn takes(groups: Groups<'_>) -> bool {
    matches!(groups.even, 8 | 16 | 32 | TILE | WIDE)
}

/// The number of groups and the lanes of a row, which holds all of them.
fn places(groups: Groups<'_>) -> [usize; 2] {
    let (count, row) = (groups.lanes.len(), groups.row);
    assert!(takes(groups) && count * groups.even <= row);
    [count, row]
}

/// Joins each group's lanes, of whole rows: one number a row and group.
pub(in crate::kernel) fn join(
    _: Proof,
    f: Reduce,
    rows: &[f32],
    groups: Groups<'_>,
    out: &mut [f64],
) {
    let places = places(groups);
    // SAFETY: the proof says that AVX2 is there; rows hold all groups.
    unsafe {
        match (f, groups.even) {
            (Reduce::Sum, 8) => join_rows::<false, 8>(rows, places, out),
            (Reduce::Sum, 16) => join_rows::<false, 16>(rows, places, out),
            (Reduce::Sum, 32) => join_rows::<false, 32>(rows, places, out),
            (Reduce::Sum, TILE) => join_rows::<false, TILE>(rows, places, out),
            (Reduce::Sum, _) => join_rows::<false, WIDE>(rows, places, out),
            (Reduce::Max, 8) => join_rows::<true, 8>(rows, places, out),
            (Reduce::Max, 16) => join_rows::<true, 16>(rows, places, out),
            (Reduce::Max, 32) => join_rows::<true, 32>(rows, places, out),
            (Reduce::Max, TILE) => join_rows::<true, TILE>(rows, places, out),
            (Reduce::Max, _) => join_rows::<true, WIDE>(rows, places, out),
        }
    }
}

/// Four groups at a time: each has its parts in a register, and what becomes of the parts does so for all four at once.
///
/// # Safety
/// AVX2; a row holds `groups` groups of `LANES` lanes, a multiple of four.
#[target_feature(enable = "avx2,fma")]
unsafe fn join_rows<const MAX: bool, const LANES: usize>(
    rows: &[f32],
    [groups, row]: [usize; 2],
    out: &mut [f64],
) {
    let rows = rows.chunks_exact(row);
    for (row, out) in rows.zip(out.chunks_exact_mut(groups)) {
        let (fours, rest) = out.as_chunks_mut::<D>();
        let singles = fours.len() * D;
        // SAFETY: by the caller's promise, here and below.
        unsafe {
            for (at, out) in fours.iter_mut().enumerate() {
                let group = |g: usize| row.as_ptr().add((at * D + g) * LANES);
                let [a, b, c, d] = [group(0), group(1), group(2), group(3)];
                let (a, b) = (parts::<MAX, LANES>(a), parts::<MAX, LANES>(b));
                let (c, d) = (parts::<MAX, LANES>(c), parts::<MAX, LANES>(d));
                _mm256_storeu_pd(out.as_mut_ptr(), joined::<MAX>(a, b, c, d));
            }
            for (at, out) in rest.iter_mut().enumerate() {
                let a = parts::<MAX, LANES>(row.as_ptr().add((singles + at) * LANES));
                *out = _mm256_cvtsd_f64(joined::<MAX>(a, a, a, a));
            }
        }
    }
}

/// Every fourth lane of a group as one number.
///
/// # Safety
/// AVX2; so many lanes.
#[target_feature(enable = "avx2,fma")]
#[inline]
unsafe fn parts<const MAX: bool, const LANES: usize>(lanes: *const f32) -> __m256d {
    let nothing = if MAX { f64::NEG_INFINITY } else { 0.0 };
    let mut parts = _mm256_set1_pd(nothing);
    for at in (0..LANES).step_by(D) {
        // SAFETY: by the caller's promise.
        let four = unsafe { _mm_loadu_ps(lanes.add(at)) };
        parts = fold::<MAX>(parts, _mm256_cvtps_pd(four));
    }
    parts
}

/// The parts of four groups as one number each.
#[target_feature(enable = "avx2,fma")]
#[inline]
fn joined<const MAX: bool>(a: __m256d, b: __m256d, c: __m256d, d: __m256d) -> __m256d {
    let ab = fold::<MAX>(_mm256_unpacklo_pd(a, b), _mm256_unpackhi_pd(a, b));
    let cd = fold::<MAX>(_mm256_unpacklo_pd(c, d), _mm256_unpackhi_pd(c, d));
    let low = _mm256_permute2f128_pd::<0x20>(ab, cd);
    let high = _mm256_permute2f128_pd::<0x31>(ab, cd);
    fold::<MAX>(low, high)
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

/// Writes the numbers of the groups to all their lanes, or where `ADD` adds them.
pub(in crate::kernel) fn spread<const ADD: bool>(
    _: Proof,
    values: &[f32],
    groups: Groups<'_>,
    out: &mut [f32],
) {
    let places = places(groups);
    // SAFETY: the proof says that AVX2 is there; rows hold all groups.
    unsafe {
        match groups.even {
            8 => spread_rows::<ADD, 8>(values, places, out),
            16 => spread_rows::<ADD, 16>(values, places, out),
            32 => spread_rows::<ADD, 32>(values, places, out),
            TILE => spread_rows::<ADD, TILE>(values, places, out),
            _ => spread_rows::<ADD, WIDE>(values, places, out),
        }
    }
}

/// # Safety
/// AVX2; a row holds `groups` groups of `LANES` lanes, a multiple of eight.
#[target_feature(enable = "avx2,fma")]
unsafe fn spread_rows<const ADD: bool, const LANES: usize>(
    values: &[f32],
    [groups, row]: [usize; 2],
    out: &mut [f32],
) {
    let rows = out.chunks_exact_mut(row);
    for (values, row) in values.chunks_exact(groups).zip(rows) {
        for (&value, lanes) in values.iter().zip(row.as_chunks_mut::<LANES>().0) {
            let all = _mm256_set1_ps(value);
            for to in lanes.as_chunks_mut::<W>().0 {
                // SAFETY: as many numbers as a register.
                unsafe {
                    let sum = if ADD {
                        _mm256_add_ps(_mm256_loadu_ps(to.as_ptr()), all)
                    } else {
                        all
                    };
                    _mm256_storeu_ps(to.as_mut_ptr(), sum);
                }
            }
        }
    }
}
