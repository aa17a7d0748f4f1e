//! Activations.

use std::arch::x86_64::{
    __m256, _mm256_add_epi32, _mm256_add_ps, _mm256_castps_si256, _mm256_castsi256_ps,
    _mm256_div_ps, _mm256_fmadd_ps, _mm256_fmsub_ps, _mm256_loadu_ps, _mm256_max_ps, _mm256_min_ps,
    _mm256_mul_ps, _mm256_set1_epi32, _mm256_set1_ps, _mm256_slli_epi32, _mm256_storeu_ps,
    _mm256_sub_ps,
};

use super::W;
use crate::kernel::isa::Proof;
use crate::kernel::math;

/// Vectors that go through the exponential side by side: enough to fill the multipliers while each waits for its last step.
const ABREAST: usize = 4;

/// The activation $z / (1 + e^{-z})$ of whole tiles, with its derivative unless `slope` is empty; bit for bit that of
/// [`math::sigmoid_f32`] with fused operations.
pub(in crate::kernel) fn silu(_: Proof, z: &mut [f32], slope: &mut [f32]) {
    assert!(z.len().is_multiple_of(W * ABREAST) && (slope.is_empty() || slope.len() == z.len()));
    // SAFETY: the proof says that AVX2 and FMA are there; the ranges are asserted above.
    unsafe {
        if slope.is_empty() {
            silu_of::<false>(z, slope);
        } else {
            silu_of::<true>(z, slope);
        }
    }
}

/// # Safety
/// AVX2 and FMA; `z` holds whole groups of vectors, and where `SLOPE`, `slope` as many.
#[target_feature(enable = "avx2,fma")]
unsafe fn silu_of<const SLOPE: bool>(z: &mut [f32], slope: &mut [f32]) {
    let one = _mm256_set1_ps(1.0);
    for at in (0..z.len()).step_by(W * ABREAST) {
        // SAFETY: by the caller's promise.
        unsafe {
            let z = z.as_mut_ptr().add(at);
            let x: [__m256; ABREAST] = std::array::from_fn(|i| _mm256_loadu_ps(z.add(i * W)));
            let s = sigmoids(x);
            for i in 0..ABREAST {
                let h = _mm256_mul_ps(x[i], s[i]);
                _mm256_storeu_ps(z.add(i * W), h);
                if SLOPE {
                    let d = _mm256_fmadd_ps(h, _mm256_sub_ps(one, s[i]), s[i]);
                    _mm256_storeu_ps(slope.as_mut_ptr().add(at + i * W), d);
                }
            }
        }
    }
}

#[target_feature(enable = "avx2,fma")]
#[inline]
fn sigmoids(x: [__m256; ABREAST]) -> [__m256; ABREAST] {
    let all = |c: f32| _mm256_set1_ps(c);
    let [c0, c1, c2, c3, c4] = math::QUOTIENT.map(all);
    // The exponential of -x: limits and factors change their signs instead.
    let x = x.map(|x| _mm256_max_ps(all(-math::HIGHEST), x));
    let x = x.map(|x| _mm256_min_ps(all(-math::LOWEST), x));
    let magic = all(math::MAGIC);
    let shifted = x.map(|x| _mm256_fmadd_ps(x, all(-std::f32::consts::LOG2_E), magic));
    let n = shifted.map(|s| _mm256_sub_ps(s, magic));
    let r = zip(n, x, |n, x| _mm256_fmsub_ps(n, all(-math::LN2_HIGH), x));
    let r = zip(n, r, |n, r| _mm256_fmadd_ps(n, all(-math::LN2_LOW), r));
    let square = r.map(|r| _mm256_mul_ps(r, r));
    let low = r.map(|r| _mm256_fmadd_ps(c1, r, c0));
    let high = r.map(|r| _mm256_fmadd_ps(c3, r, c2));
    let high = zip(square, high, |s, h| _mm256_fmadd_ps(c4, s, h));
    let q = zip3(high, square, low, |h, s, l| _mm256_fmadd_ps(h, s, l));
    let p = zip3(q, square, r, |q, s, r| _mm256_fmadd_ps(q, s, r));
    let p = p.map(|p| _mm256_add_ps(p, all(1.0)));
    let scale = shifted.map(|s| {
        let exponent = _mm256_add_epi32(_mm256_castps_si256(s), _mm256_set1_epi32(127));
        _mm256_castsi256_ps(_mm256_slli_epi32::<23>(exponent))
    });
    let below = zip(p, scale, |p, s| _mm256_fmadd_ps(p, s, all(1.0)));
    below.map(|b| _mm256_div_ps(all(1.0), b))
}

#[inline(always)]
fn zip(
    a: [__m256; ABREAST],
    b: [__m256; ABREAST],
    f: impl Fn(__m256, __m256) -> __m256,
) -> [__m256; ABREAST] {
    std::array::from_fn(|i| f(a[i], b[i]))
}

#[inline(always)]
fn zip3(
    a: [__m256; ABREAST],
    b: [__m256; ABREAST],
    c: [__m256; ABREAST],
    f: impl Fn(__m256, __m256, __m256) -> __m256,
) -> [__m256; ABREAST] {
    std::array::from_fn(|i| f(a[i], b[i], c[i]))
}
