//! Sums over the lanes of whole rows.

use std::arch::x86_64::{
    __m256, _mm_add_ps, _mm_add_ss, _mm_cvtss_f32, _mm_movehdup_ps, _mm_movehl_ps, _mm256_add_ps,
    _mm256_castps256_ps128, _mm256_extractf128_ps, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_mul_ps,
    _mm256_storeu_ps,
};

use super::W;
use crate::kernel::isa::Proof;
use crate::kernel::shape::TILE;

/// Vectors of a row.
const VECTORS: usize = TILE / W;

/// Multiplies rows by their slopes (unless there are none) and adds their totals to `sums` (which may be empty).
pub(in crate::kernel) fn scale(_: Proof, rows: &mut [f32], slope: &[f32], sums: &mut [f32]) {
    assert!(slope.is_empty() || slope.len() == rows.len());
    // SAFETY: the proof says that AVX2 and FMA are there.
    unsafe { scale_of(rows, slope, sums) }
}

#[target_feature(enable = "avx2,fma")]
fn scale_of(rows: &mut [f32], slope: &[f32], sums: &mut [f32]) {
    for (o, row) in rows.as_chunks_mut::<TILE>().0.iter_mut().enumerate() {
        let mut values = load(row);
        if let Some(slope) = slope.get(o * TILE..).and_then(|s| s.first_chunk()) {
            let slope = load(slope);
            for (i, value) in values.iter_mut().enumerate() {
                *value = _mm256_mul_ps(*value, slope[i]);
                // SAFETY: the row has as many vectors.
                unsafe { _mm256_storeu_ps(row.as_mut_ptr().add(i * W), *value) };
            }
        }
        if let Some(sum) = sums.get_mut(o) {
            *sum += total(values);
        }
    }
}

/// Adds to `out` the scalar products of `a` with each row.
pub(in crate::kernel) fn dots(_: Proof, a: &[f32; TILE], rows: &[f32], out: &mut [f32]) {
    // SAFETY: the proof says that AVX2 and FMA are there.
    unsafe { dots_of(a, rows, out) }
}

#[target_feature(enable = "avx2,fma")]
fn dots_of(a: &[f32; TILE], rows: &[f32], out: &mut [f32]) {
    let a = load(a);
    for (out, row) in out.iter_mut().zip(rows.as_chunks::<TILE>().0) {
        let b = load(row);
        // Two products into one accumulator each: four accumulators.
        let mut sums: [__m256; VECTORS / 2] = std::array::from_fn(|i| _mm256_mul_ps(a[i], b[i]));
        for (i, sum) in sums.iter_mut().enumerate() {
            *sum = _mm256_fmadd_ps(a[i + VECTORS / 2], b[i + VECTORS / 2], *sum);
        }
        let halves = [
            _mm256_add_ps(sums[0], sums[2]),
            _mm256_add_ps(sums[1], sums[3]),
        ];
        *out += horizontal(_mm256_add_ps(halves[0], halves[1]));
    }
}

#[target_feature(enable = "avx2,fma")]
#[inline]
fn load(row: &[f32; TILE]) -> [__m256; VECTORS] {
    // SAFETY: the row has as many vectors.
    std::array::from_fn(|i| unsafe { _mm256_loadu_ps(row.as_ptr().add(i * W)) })
}

/// The sum of a row, by halves.
#[target_feature(enable = "avx2,fma")]
#[inline]
fn total(v: [__m256; VECTORS]) -> f32 {
    let four: [__m256; 4] = std::array::from_fn(|i| _mm256_add_ps(v[i], v[i + 4]));
    let two = [
        _mm256_add_ps(four[0], four[2]),
        _mm256_add_ps(four[1], four[3]),
    ];
    horizontal(_mm256_add_ps(two[0], two[1]))
}

#[target_feature(enable = "avx2,fma")]
#[inline]
fn horizontal(v: __m256) -> f32 {
    let four = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v));
    let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
}
