//! Forward derivatives by the `autodiff` package: the oracle of every gradient here.

use std::ops::{Add, Div, Mul, Neg, Sub};

use autodiff::{F1, Float};

use super::{RoundGradient, Scalar, place, table_rows};

/// A dual number over `f64`, computed by the `autodiff` package: an implementation of forward derivatives that is not
/// ours, which checks every reverse-mode gradient; also the tool for policies of a few parameters.
///
/// ```
/// use hindsight_gpu::numbers::Dual;
/// use hindsight_gpu::Scalar;
/// let x = Dual::variable(0.5);
/// let y = (x * x).exp();
/// assert!((y.derivative() - 2.0 * 0.5 * (0.25_f64).exp()).abs() < 1e-15);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dual(F1);

impl Dual {
    /// The variable to differentiate by: derivative 1.
    #[must_use]
    pub fn variable(value: f64) -> Self {
        Dual(F1::new(value, 1.0))
    }
    /// The value.
    #[must_use]
    pub fn value(self) -> f64 {
        self.0.x
    }
    /// The derivative.
    #[must_use]
    pub fn derivative(self) -> f64 {
        self.0.dx
    }
}

macro_rules! operator {
    ($trait:ident, $method:ident) => {
        impl $trait for Dual {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                Dual($trait::$method(self.0, other.0))
            }
        }
    };
}
operator!(Add, add);
operator!(Sub, sub);
operator!(Mul, mul);
operator!(Div, div);

impl Neg for Dual {
    type Output = Self;
    fn neg(self) -> Self {
        Dual(-self.0)
    }
}

impl Scalar for Dual {
    fn constant(value: f64) -> Self {
        Dual(F1::cst(value))
    }
    fn min(self, other: Self) -> Self {
        if other.value() < self.value() {
            other
        } else {
            self
        }
    }
    fn max(self, other: Self) -> Self {
        if other.value() > self.value() {
            other
        } else {
            self
        }
    }
    fn exp(self) -> Self {
        Dual(Float::exp(self.0))
    }
    fn ln(self) -> Self {
        Dual(Float::ln(self.0))
    }
    fn sqrt(self) -> Self {
        Dual(Float::sqrt(self.0))
    }
    fn tanh(self) -> Self {
        Dual(Float::tanh(self.0))
    }
    fn sigmoid(self) -> Self {
        let one = F1::cst(1.0);
        Dual(one / (one + Float::exp(-self.0)))
    }
    fn softplus(self) -> Self {
        // Both branches are ln(1 + e^x); the second does not overflow.
        if self.value() <= 0.0 {
            Dual(Float::ln_1p(Float::exp(self.0)))
        } else {
            Dual(self.0 + Float::ln_1p(Float::exp(-self.0)))
        }
    }
    fn erf(self) -> Self {
        let x = self.value();
        Dual(F1::new(
            libm::erf(x),
            std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp() * self.derivative(),
        ))
    }
    fn abs(self) -> Self {
        let sign = f64::from(self.value() > 0.0) - f64::from(self.value() < 0.0);
        Dual(F1::new(self.value().abs(), sign * self.derivative()))
    }
    fn positive(self) -> Self {
        Self::constant(if self.value() > 0.0 { 1.0 } else { 0.0 })
    }
    fn select(mask: Self, yes: Self, no: Self) -> Self {
        if mask.value() > 0.5 { yes } else { no }
    }
    fn round(self, gradient: RoundGradient) -> Self {
        // The package reports a derivative of 1 for its own rounding, whatever one wants.
        let slope = match gradient {
            RoundGradient::StraightThrough => self.derivative(),
            RoundGradient::Zero => 0.0,
        };
        Dual(F1::new(self.value().round_ties_even(), slope))
    }
    fn detach(self) -> Self {
        Self::constant(self.value())
    }
    fn pick(xs: &[Self], index: Self) -> Self {
        let none = Self::constant(f64::NAN);
        place(index.value(), xs.len()).map_or(none, |i| xs[i])
    }
    fn lookup(table: &[Self], width: usize, index: Self, out: &mut Vec<Self>) {
        match place(index.value(), table_rows(table.len(), width)) {
            Some(i) => out.extend_from_slice(&table[i * width..][..width]),
            None => out.extend(std::iter::repeat_n(Self::constant(f64::NAN), width)),
        }
    }
}
