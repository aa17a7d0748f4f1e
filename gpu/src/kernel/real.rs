//! The number types that programs run in.

use super::dense::Matrix;
use super::math;
use crate::scalar::Scalar;

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
    fn fast_softplus<const FMA: bool>(self) -> Self;
    fn fast_tanh<const FMA: bool>(self) -> Self;
    #[inline(always)]
    fn fast_sigmoid<const FMA: bool>(self) -> Self {
        let one = Self::constant(1.0);
        one / (one + (-self).fast_exp::<FMA>())
    }
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
    fn madd<const FMA: bool>(a: Self, b: Self, c: Self) -> Self {
        math::madd::<FMA>(a, b, c)
    }
    #[inline(always)]
    fn fast_exp<const FMA: bool>(self) -> Self {
        math::exp_f32::<FMA>(self)
    }
    #[inline(always)]
    fn fast_softplus<const FMA: bool>(self) -> Self {
        let positive = if self > 0.0 { self } else { 0.0 };
        positive + math::ln_1p_of_unit_f32::<FMA>(math::exp_f32::<FMA>(-self.abs()))
    }
    #[inline(always)]
    fn fast_tanh<const FMA: bool>(self) -> Self {
        let e = math::exp_f32::<FMA>(-2.0 * self.abs());
        ((1.0 - e) / (1.0 + e)).copysign(self)
    }
}

impl Elementary for f64 {
    #[inline(always)]
    fn madd<const FMA: bool>(a: Self, b: Self, c: Self) -> Self {
        if FMA { a.mul_add(b, c) } else { a * b + c }
    }
    #[inline(always)]
    fn fast_exp<const FMA: bool>(self) -> Self {
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
