//! What the kernels need of a number.

use crate::math;
use crate::scalar::Scalar;

/// `f32` or `f64` with elementary functions as the kernels compute them, with fused operations or without.
pub(crate) trait Number: Scalar + Default + PartialOrd + Send + Sync + 'static {
    /// The same number in double precision.
    fn to_double(self) -> f64;
    fn madd<const FMA: bool>(a: Self, b: Self, c: Self) -> Self;
    fn fast_exp<const FMA: bool>(self) -> Self;
    fn fast_ln<const FMA: bool>(self) -> Self;
    fn fast_softplus<const FMA: bool>(self) -> Self;
    fn fast_tanh<const FMA: bool>(self) -> Self;
    #[inline(always)]
    fn fast_sigmoid<const FMA: bool>(self) -> Self {
        let one = Self::constant(1.0);
        one / (one + (-self).fast_exp::<FMA>())
    }
}

impl Number for f32 {
    #[inline(always)]
    fn to_double(self) -> f64 {
        f64::from(self)
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
    fn fast_ln<const FMA: bool>(self) -> Self {
        math::ln_f32::<FMA>(self)
    }
    #[inline(always)]
    fn fast_softplus<const FMA: bool>(self) -> Self {
        math::softplus_f32::<FMA>(self)
    }
    #[inline(always)]
    fn fast_tanh<const FMA: bool>(self) -> Self {
        math::tanh_f32::<FMA>(self)
    }
    #[inline(always)]
    fn fast_sigmoid<const FMA: bool>(self) -> Self {
        math::sigmoid_f32::<FMA>(self)
    }
}

impl Number for f64 {
    #[inline(always)]
    fn to_double(self) -> f64 {
        self
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
    fn fast_ln<const FMA: bool>(self) -> Self {
        self.ln()
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
