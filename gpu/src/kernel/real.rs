//! The number types that programs run in.

use super::TILE;
use super::dense::Matrix;
use super::isa::Isa;
use super::math;
use crate::scalar::{Activation, Scalar};

/// `f32` or `f64`: the number type that a program runs in.
///
/// Training wants `f32`; gradient tests want `f64`. In `f32` the exponential, and what is made of it, are polynomials within a
/// few units in the last place. The trait is sealed.
#[allow(
    private_bounds,
    reason = "sealed: the kernels of a type are not for others to write"
)]
pub trait Real:
    Scalar + Default + PartialOrd + Send + Sync + Elementary + Matrix + 'static
{
    /// The nearest number of this type.
    fn from_f64(x: f64) -> Self;
    /// The same number as `f64`.
    fn to_f64(self) -> f64;
}

/// Elementary functions as the kernels compute them.
pub(crate) trait Elementary: Scalar {
    fn madd<const FMA: bool>(a: Self, b: Self, c: Self) -> Self;
    fn fast_exp<const FMA: bool>(self) -> Self;
    /// The exponential of a number that is not positive: zero where it would not be a normal number.
    fn exp_of_nonpositive<const FMA: bool>(self) -> Self;
    fn fast_softplus<const FMA: bool>(self) -> Self;
    fn fast_tanh<const FMA: bool>(self) -> Self;
    #[inline(always)]
    fn fast_sigmoid<const FMA: bool>(self) -> Self {
        let one = Self::constant(1.0);
        one / (one + (-self).fast_exp::<FMA>())
    }
    /// Replaces `z` by its activation and writes the derivative to `slope`, unless that is empty.
    fn activate(isa: Isa, activation: Activation, z: &mut [Self], slope: &mut [Self]);
    /// Multiplies rows of adjoints by the saved derivatives (unless there are none), clears the lanes from `count` on, and
    /// adds the rows' totals to `sums` (which may be empty).
    fn scale(isa: Isa, rows: &mut [Self], slope: &[Self], count: usize, sums: &mut [Self]);
    /// Adds to `out` the scalar products of `a` with each of the rows, over the first `count` lanes.
    fn dots(isa: Isa, a: &[Self], count: usize, rows: &[Self], out: &mut [Self]);
}

impl Real for f32 {
    #[inline(always)]
    #[allow(
        clippy::cast_possible_truncation,
        reason = "rounding to the run's type is the purpose"
    )]
    fn from_f64(x: f64) -> Self {
        x as f32
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
}

impl Real for f64 {
    #[inline(always)]
    fn from_f64(x: f64) -> Self {
        x
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }
}

impl Elementary for f32 {
    #[inline(always)]
    fn fast_sigmoid<const FMA: bool>(self) -> Self {
        math::sigmoid_f32::<FMA>(self)
    }
    fn activate(isa: Isa, activation: Activation, z: &mut [Self], slope: &mut [Self]) {
        match (isa, activation) {
            #[cfg(target_arch = "x86_64")]
            (Isa::Avx2(proof), Activation::Silu) if z.len().is_multiple_of(TILE) => {
                super::x86::avx2::silu(proof, z, slope);
            }
            #[cfg(target_arch = "x86_64")]
            (Isa::Avx512(proof), Activation::Silu) if z.len().is_multiple_of(TILE) => {
                super::x86::avx512::silu(proof, z, slope);
            }
            _ => super::activation::portable(isa, activation, z, slope),
        }
    }
    fn scale(isa: Isa, rows: &mut [Self], slope: &[Self], count: usize, sums: &mut [Self]) {
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(proof) if count == TILE => super::x86::scale(proof, rows, slope, sums),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(proof) if count == TILE => {
                super::x86::scale(proof.avx2(), rows, slope, sums);
            }
            _ => super::activation::portable_scale(isa, rows, slope, count, sums),
        }
    }
    fn dots(isa: Isa, a: &[Self], count: usize, rows: &[Self], out: &mut [Self]) {
        match (isa, a.first_chunk()) {
            #[cfg(target_arch = "x86_64")]
            (Isa::Avx2(proof), Some(a)) if count == TILE => super::x86::dots(proof, a, rows, out),
            #[cfg(target_arch = "x86_64")]
            (Isa::Avx512(proof), Some(a)) if count == TILE => {
                super::x86::dots(proof.avx2(), a, rows, out);
            }
            _ => super::elementwise::portable_dots(isa, a, count, rows, out),
        }
    }
    #[inline(always)]
    fn madd<const FMA: bool>(a: Self, b: Self, c: Self) -> Self {
        math::madd::<FMA>(a, b, c)
    }
    #[inline(always)]
    fn fast_exp<const FMA: bool>(self) -> Self {
        math::exp_f32::<FMA>(self)
    }
    #[inline(always)]
    fn exp_of_nonpositive<const FMA: bool>(self) -> Self {
        math::exp_of_nonpositive_f32::<FMA>(self)
    }
    #[inline(always)]
    fn fast_softplus<const FMA: bool>(self) -> Self {
        let positive = if self > 0.0 { self } else { 0.0 };
        positive + math::ln_1p_of_unit_f32::<FMA>(math::exp_f32::<FMA>(-self.abs()))
    }
    #[inline(always)]
    fn fast_tanh<const FMA: bool>(self) -> Self {
        math::tanh_f32::<FMA>(self)
    }
}

impl Elementary for f64 {
    fn activate(isa: Isa, activation: Activation, z: &mut [Self], slope: &mut [Self]) {
        super::activation::portable(isa, activation, z, slope);
    }
    fn scale(isa: Isa, rows: &mut [Self], slope: &[Self], count: usize, sums: &mut [Self]) {
        super::activation::portable_scale(isa, rows, slope, count, sums);
    }
    fn dots(isa: Isa, a: &[Self], count: usize, rows: &[Self], out: &mut [Self]) {
        super::elementwise::portable_dots(isa, a, count, rows, out);
    }
    #[inline(always)]
    fn madd<const FMA: bool>(a: Self, b: Self, c: Self) -> Self {
        if FMA { a.mul_add(b, c) } else { a * b + c }
    }
    #[inline(always)]
    fn fast_exp<const FMA: bool>(self) -> Self {
        self.exp()
    }
    #[inline(always)]
    fn exp_of_nonpositive<const FMA: bool>(self) -> Self {
        self.exp()
    }
    #[inline(always)]
    fn fast_softplus<const FMA: bool>(self) -> Self {
        self.softplus()
    }
    #[inline(always)]
    fn fast_tanh<const FMA: bool>(self) -> Self {
        self.tanh()
    }
}
