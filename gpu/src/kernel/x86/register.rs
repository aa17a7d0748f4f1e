//! What the kernels need of a vector register of `f32`.

use std::arch::x86_64::{
    __m256, __m512, _mm_add_ps, _mm_add_ss, _mm_cvtss_f32, _mm_movehdup_ps, _mm_movehl_ps,
    _mm256_add_ps, _mm256_and_si256, _mm256_castpd_ps, _mm256_castps_si256, _mm256_castps256_ps128,
    _mm256_castsi256_ps, _mm256_div_ps, _mm256_extractf128_ps, _mm256_fmadd_ps, _mm256_fmsub_ps,
    _mm256_fnmadd_ps, _mm256_loadu_ps, _mm256_max_ps, _mm256_min_ps, _mm256_mul_ps,
    _mm256_or_si256, _mm256_set1_epi32, _mm256_set1_ps, _mm256_slli_epi32, _mm256_storeu_ps,
    _mm256_sub_epi32, _mm256_sub_ps, _mm256_xor_si256, _mm512_add_ps, _mm512_and_si512,
    _mm512_castps_pd, _mm512_castps_si512, _mm512_castps512_ps256, _mm512_castsi512_ps,
    _mm512_div_ps, _mm512_extractf64x4_pd, _mm512_fmadd_ps, _mm512_fmsub_ps, _mm512_fnmadd_ps,
    _mm512_loadu_ps, _mm512_max_ps, _mm512_min_ps, _mm512_mul_ps, _mm512_or_si512,
    _mm512_set1_epi32, _mm512_set1_ps, _mm512_slli_epi32, _mm512_storeu_ps, _mm512_sub_epi32,
    _mm512_sub_ps, _mm512_xor_si512,
};

/// A vector register of `f32`.
///
/// # Safety
/// Every function may be called only where the processor has the register's instructions, and `load` and `store` only with
/// `LANES` numbers at the pointer. All are inlined into functions compiled for those instructions.
pub(super) trait Register: Copy {
    const LANES: usize;
    unsafe fn load(from: *const f32) -> Self;
    unsafe fn store(self, to: *mut f32);
    unsafe fn splat(x: f32) -> Self;
    unsafe fn add(self, b: Self) -> Self;
    unsafe fn sub(self, b: Self) -> Self;
    unsafe fn mul(self, b: Self) -> Self;
    unsafe fn div(self, b: Self) -> Self;
    /// The second operand where either is NaN.
    unsafe fn max(self, b: Self) -> Self;
    /// The second operand where either is NaN.
    unsafe fn min(self, b: Self) -> Self;
    /// `self * b + c`, rounded once.
    unsafe fn madd(self, b: Self, c: Self) -> Self;
    /// `self * b - c`, rounded once.
    unsafe fn msub(self, b: Self, c: Self) -> Self;
    /// `c - self * b`, rounded once.
    unsafe fn nmadd(self, b: Self, c: Self) -> Self;
    /// The number with the other sign.
    unsafe fn negative(self) -> Self;
    /// The number without its sign.
    unsafe fn abs(self) -> Self;
    /// The size of a number that is not negative, with the sign of another.
    unsafe fn copysign(self, sign: Self) -> Self;
    /// $2^n$ from the low bits of a number that holds $n + 127$ there.
    unsafe fn power(self) -> Self;
    /// What is left of `bits` when the bits of a number are taken from it as a whole number.
    unsafe fn bits_from(self, bits: i32) -> Self;
}

/// One register of the processor.
pub(super) trait Single: Register {
    /// The sum of its numbers, by halves.
    ///
    /// # Safety
    /// As all of [`Register`].
    unsafe fn total(self) -> f32;
}

macro_rules! register {
    (
        $register:ty, $lanes:literal, $load:ident, $store:ident, $splat:ident, $add:ident, $sub:ident, $mul:ident, $div:ident, $max:ident,
        $min:ident, $madd:ident, $msub:ident, $nmadd:ident, $bits:ident, $numbers:ident, $shift:ident, $whole:ident,
        $and:ident, $or:ident, $xor:ident, $less:ident
    ) => {
        impl Register for $register {
            const LANES: usize = $lanes;
            #[inline(always)]
            unsafe fn load(from: *const f32) -> Self {
                // SAFETY: by the caller's promise, here and below.
                unsafe { $load(from) }
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut f32) {
                // SAFETY: as above.
                unsafe { $store(to, self) }
            }
            #[inline(always)]
            unsafe fn splat(x: f32) -> Self {
                // SAFETY: as above.
                unsafe { $splat(x) }
            }
            #[inline(always)]
            unsafe fn add(self, b: Self) -> Self {
                // SAFETY: as above.
                unsafe { $add(self, b) }
            }
            #[inline(always)]
            unsafe fn sub(self, b: Self) -> Self {
                // SAFETY: as above.
                unsafe { $sub(self, b) }
            }
            #[inline(always)]
            unsafe fn mul(self, b: Self) -> Self {
                // SAFETY: as above.
                unsafe { $mul(self, b) }
            }
            #[inline(always)]
            unsafe fn div(self, b: Self) -> Self {
                // SAFETY: as above.
                unsafe { $div(self, b) }
            }
            #[inline(always)]
            unsafe fn max(self, b: Self) -> Self {
                // SAFETY: as above.
                unsafe { $max(self, b) }
            }
            #[inline(always)]
            unsafe fn min(self, b: Self) -> Self {
                // SAFETY: as above.
                unsafe { $min(self, b) }
            }
            #[inline(always)]
            unsafe fn madd(self, b: Self, c: Self) -> Self {
                // SAFETY: as above.
                unsafe { $madd(self, b, c) }
            }
            #[inline(always)]
            unsafe fn msub(self, b: Self, c: Self) -> Self {
                // SAFETY: as above.
                unsafe { $msub(self, b, c) }
            }
            #[inline(always)]
            unsafe fn nmadd(self, b: Self, c: Self) -> Self {
                // SAFETY: as above.
                unsafe { $nmadd(self, b, c) }
            }
            #[inline(always)]
            unsafe fn negative(self) -> Self {
                // SAFETY: as above.
                unsafe { $numbers($xor($bits(self), $whole(i32::MIN))) }
            }
            #[inline(always)]
            unsafe fn abs(self) -> Self {
                // SAFETY: as above.
                unsafe { $numbers($and($bits(self), $whole(i32::MAX))) }
            }
            #[inline(always)]
            unsafe fn copysign(self, sign: Self) -> Self {
                // SAFETY: as above.
                unsafe { $numbers($or($bits(self), $and($bits(sign), $whole(i32::MIN)))) }
            }
            #[inline(always)]
            unsafe fn power(self) -> Self {
                // SAFETY: as above.
                unsafe { $numbers($shift::<23>($bits(self))) }
            }
            #[inline(always)]
            unsafe fn bits_from(self, bits: i32) -> Self {
                // SAFETY: as above.
                unsafe { $numbers($less($whole(bits), $bits(self))) }
            }
        }
    };
}

register!(
    __m256,
    8,
    _mm256_loadu_ps,
    _mm256_storeu_ps,
    _mm256_set1_ps,
    _mm256_add_ps,
    _mm256_sub_ps,
    _mm256_mul_ps,
    _mm256_div_ps,
    _mm256_max_ps,
    _mm256_min_ps,
    _mm256_fmadd_ps,
    _mm256_fmsub_ps,
    _mm256_fnmadd_ps,
    _mm256_castps_si256,
    _mm256_castsi256_ps,
    _mm256_slli_epi32,
    _mm256_set1_epi32,
    _mm256_and_si256,
    _mm256_or_si256,
    _mm256_xor_si256,
    _mm256_sub_epi32
);
register!(
    __m512,
    16,
    _mm512_loadu_ps,
    _mm512_storeu_ps,
    _mm512_set1_ps,
    _mm512_add_ps,
    _mm512_sub_ps,
    _mm512_mul_ps,
    _mm512_div_ps,
    _mm512_max_ps,
    _mm512_min_ps,
    _mm512_fmadd_ps,
    _mm512_fmsub_ps,
    _mm512_fnmadd_ps,
    _mm512_castps_si512,
    _mm512_castsi512_ps,
    _mm512_slli_epi32,
    _mm512_set1_epi32,
    _mm512_and_si512,
    _mm512_or_si512,
    _mm512_xor_si512,
    _mm512_sub_epi32
);

impl Single for __m256 {
    #[inline(always)]
    unsafe fn total(self) -> f32 {
        // SAFETY: by the caller's promise.
        unsafe {
            let four = _mm_add_ps(
                _mm256_castps256_ps128(self),
                _mm256_extractf128_ps::<1>(self),
            );
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
        }
    }
}

impl Single for __m512 {
    #[inline(always)]
    unsafe fn total(self) -> f32 {
        // SAFETY: by the caller's promise.
        unsafe {
            let high = _mm512_extractf64x4_pd::<1>(_mm512_castps_pd(self));
            let low = _mm512_castps512_ps256(self);
            _mm256_add_ps(low, _mm256_castpd_ps(high)).total()
        }
    }
}

/// Several registers that go through the same operations side by side: the processor waits less for the results of each.
macro_rules! side_by_side {
    ($($name:ident($($arg:ident),*)),*) => {
        $(#[inline(always)]
        unsafe fn $name(self, $($arg: Self),*) -> Self {
            let mut out = self;
            for n in 0..N {
                // SAFETY: by the caller's promise.
                out[n] = unsafe { self[n].$name($($arg[n]),*) };
            }
            out
        })*
    };
}

impl<R: Register, const N: usize> Register for [R; N] {
    const LANES: usize = N * R::LANES;
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: by the caller's promise, here and below.
        unsafe {
            let mut out = [R::splat(0.0); N];
            for (n, out) in out.iter_mut().enumerate() {
                *out = R::load(from.add(n * R::LANES));
            }
            out
        }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        for (n, register) in self.into_iter().enumerate() {
            // SAFETY: as above.
            unsafe { register.store(to.add(n * R::LANES)) }
        }
    }
    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        // SAFETY: as above.
        [unsafe { R::splat(x) }; N]
    }
    side_by_side!(
        add(b),
        sub(b),
        mul(b),
        div(b),
        max(b),
        min(b),
        madd(b, c),
        msub(b, c),
        nmadd(b, c),
        negative(),
        abs(),
        copysign(sign),
        power()
    );
    #[inline(always)]
    unsafe fn bits_from(self, bits: i32) -> Self {
        let mut out = self;
        for out in &mut out {
            // SAFETY: as above.
            *out = unsafe { out.bits_from(bits) };
        }
        out
    }
}
