//! One forward derivative over any scalar.

use std::ops::{Add, Div, Mul, Neg, Sub};

use super::{RoundGradient, Scalar};

/// A value with its derivative in one direction, over any scalar: over [`Lanes`](super::Lanes) it gives the derivative of
/// a whole bundle of roll-outs with respect to one policy parameter at little more than the cost of the roll-out.
///
/// ```
/// use hindsight_gpu::numbers::Tangent;
/// use hindsight_gpu::Scalar;
/// let x = Tangent::new(3.0_f64, 1.0);
/// let y = x * x + Tangent::constant(1.0);
/// assert_eq!((y.value, y.slope), (10.0, 6.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tangent<S> {
    /// The value.
    pub value: S,
    /// Its derivative.
    pub slope: S,
}

impl<S: Scalar> Tangent<S> {
    /// A value with a given derivative.
    #[inline(always)]
    pub fn new(value: S, slope: S) -> Self {
        Tangent { value, slope }
    }

    #[inline(always)]
    fn chain(value: S, derivative: S, slope: S) -> Self {
        Tangent {
            value,
            slope: derivative * slope,
        }
    }

    /// The derivative of the one that `first` picks.
    #[inline(always)]
    fn pick(value: S, first: S, a: Self, b: Self) -> Self {
        Tangent {
            value,
            slope: S::select(first, a.slope, b.slope),
        }
    }
}

impl<S: Scalar> Add for Tangent<S> {
    type Output = Self;
    #[inline(always)]
    fn add(self, o: Self) -> Self {
        Tangent {
            value: self.value + o.value,
            slope: self.slope + o.slope,
        }
    }
}
impl<S: Scalar> Sub for Tangent<S> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, o: Self) -> Self {
        Tangent {
            value: self.value - o.value,
            slope: self.slope - o.slope,
        }
    }
}
impl<S: Scalar> Mul for Tangent<S> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, o: Self) -> Self {
        Tangent {
            value: self.value * o.value,
            slope: self.slope * o.value + self.value * o.slope,
        }
    }
}
impl<S: Scalar> Div for Tangent<S> {
    type Output = Self;
    #[inline(always)]
    fn div(self, o: Self) -> Self {
        let value = self.value / o.value;
        Tangent {
            value,
            slope: (self.slope - value * o.slope) / o.value,
        }
    }
}
impl<S: Scalar> Neg for Tangent<S> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Tangent {
            value: -self.value,
            slope: -self.slope,
        }
    }
}

impl<S: Scalar> Scalar for Tangent<S> {
    #[inline(always)]
    fn constant(value: f64) -> Self {
        Tangent {
            value: S::constant(value),
            slope: S::constant(0.0),
        }
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        Self::pick(
            self.value.min(other.value),
            (self.value - other.value).positive(),
            other,
            self,
        )
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        Self::pick(
            self.value.max(other.value),
            (other.value - self.value).positive(),
            other,
            self,
        )
    }
    #[inline(always)]
    fn exp(self) -> Self {
        let e = self.value.exp();
        Self::chain(e, e, self.slope)
    }
    #[inline(always)]
    fn ln(self) -> Self {
        Tangent {
            value: self.value.ln(),
            slope: self.slope / self.value,
        }
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        let r = self.value.sqrt();
        Tangent {
            value: r,
            slope: self.slope / (r + r),
        }
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        let t = self.value.tanh();
        Self::chain(t, S::constant(1.0) - t * t, self.slope)
    }
    #[inline(always)]
    fn sigmoid(self) -> Self {
        let s = self.value.sigmoid();
        Self::chain(s, s * (S::constant(1.0) - s), self.slope)
    }
    #[inline(always)]
    fn softplus(self) -> Self {
        Self::chain(self.value.softplus(), self.value.sigmoid(), self.slope)
    }
    #[inline(always)]
    fn erf(self) -> Self {
        let d = S::constant(std::f64::consts::FRAC_2_SQRT_PI) * (-(self.value * self.value)).exp();
        Self::chain(self.value.erf(), d, self.slope)
    }
    #[inline(always)]
    fn abs(self) -> Self {
        let sign = self.value.positive() - (-self.value).positive();
        Self::chain(self.value.abs(), sign, self.slope)
    }
    #[inline(always)]
    fn positive(self) -> Self {
        Tangent {
            value: self.value.positive(),
            slope: S::constant(0.0),
        }
    }
    #[inline(always)]
    fn select(mask: Self, yes: Self, no: Self) -> Self {
        Self::pick(
            S::select(mask.value, yes.value, no.value),
            mask.value,
            yes,
            no,
        )
    }
    #[inline(always)]
    fn round(self, gradient: RoundGradient) -> Self {
        let slope = match gradient {
            RoundGradient::StraightThrough => self.slope,
            RoundGradient::Zero => S::constant(0.0),
        };
        Tangent {
            value: self.value.round(gradient),
            slope,
        }
    }
    #[inline(always)]
    fn detach(self) -> Self {
        Tangent {
            value: self.value,
            slope: S::constant(0.0),
        }
    }
    #[inline(always)]
    fn lane_sum(self) -> Self {
        Tangent {
            value: self.value.lane_sum(),
            slope: self.slope.lane_sum(),
        }
    }
}
