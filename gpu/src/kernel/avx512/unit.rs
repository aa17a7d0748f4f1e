//! Activations.

use std::arch::x86_64::{
    __m512, _mm512_add_epi32, _mm512_add_ps, _mm512_castps_si512, _mm512_castsi512_ps,
    _mm512_div_ps, _mm512_fmadd_ps, _mm512_fmsub_ps, _mm512_loadu_ps, _mm512_max_ps, _mm512_min_ps,
    _mm512_mul_ps, _mm512_set1_epi32, _mm512_set1_ps, _mm512_slli_epi32, _mm512_storeu_ps,
    _mm512_sub_ps,
};

use super::W;
use crate::kernel::isa::Proof512;
use crate::kernel::math;

/// Vectors that go through the exponential side by side: a row of a tile.
const ABREAST: usize = 4;

/// The activation $z / (1 + e^{-z})$ of whole tiles, with its derivative unless `slope` is empty; bit for bit that of
/// [`math::sigmoid_f32`] with fused operations.
pub(in crate::kernel) fn silu(_: Proof512, z: &mut [f32], slope: &mut [f32]) {
    assert!(z.len().is_multiple_of(W * ABREAST) && (slope.is_empty() || slope.len() == z.len()));
    // SAFETY: the proof says that AVX-512 is there; the ranges are asserted above.
    unsafe {
        if slope.is_empty() {
            silu_of::<false>(z, slope);
        } else {
            silu_of::<true>(z, slope);
        }
    }
}

/// # Safety
/// AVX-512; `z` holds whole groups of vectors, and where `SLOPE`, `slope` as many.
#[target_feature(enable = "avx512f")]
unsafe fn silu_of<const SLOPE: bool>(z: &mut [f32], slope: &mut [f32]) {
    let one = _mm512_set1_ps(1.0);
    for at in (0..z.len()).step_by(W * ABREAST) {
        // SAFETY: by the caller's promise.
        unsafe {
            let z = z.as_mut_ptr().add(at);
            for i in 0..ABREAST {
                let x = _mm512_loadu_ps(z.add(i * W));
                let s = sigmoid(x);
                let h = _mm512_mul_ps(x, s);
                _mm512_storeu_ps(z.add(i * W), h);
                if SLOPE {
                    let d = _mm512_fmadd_ps(h, _mm512_sub_ps(one, s), s);
                    _mm512_storeu_ps(slope.as_mut_ptr().add(at + i * W), d);
                }
            }
        }
    }
}

#[target_feature(enable = "avx512f")]
#[inline]
fn sigmoid(x: __m512) -> __m512 {
    let all = |c: f32| _mm512_set1_ps(c);
    let [c0, c1, c2, c3, c4] = math::QUOTIENT.map(all);
    // The exponential of -x: limits and factors change their signs instead.
    let x = _mm512_max_ps(all(-math::HIGHEST), x);
    let x = _mm512_min_ps(all(-math::LOWEST), x);
    let magic = all(math::MAGIC);
    let shifted = _mm512_fmadd_ps(x, all(-std::f32::consts::LOG2_E), magic);
    let n = _mm512_sub_ps(shifted, magic);
    let r = _mm512_fmsub_ps(n, all(-math::LN2_HIGH), x);
    let r = _mm512_fmadd_ps(n, all(-math::LN2_LOW), r);
    let square = _mm512_mul_ps(r, r);
    let low = _mm512_fmadd_ps(c1, r, c0);
    let high = _mm512_fmadd_ps(c4, square, _mm512_fmadd_ps(c3, r, c2));
    let p = _mm512_fmadd_ps(_mm512_fmadd_ps(high, square, low), square, r);
    let p = _mm512_add_ps(p, all(1.0));
    let exponent = _mm512_add_epi32(_mm512_castps_si512(shifted), _mm512_set1_epi32(127));
    let scale = _mm512_castsi512_ps(_mm512_slli_epi32::<23>(exponent));
    _mm512_div_ps(all(1.0), _mm512_fmadd_ps(p, scale, all(1.0)))
}
