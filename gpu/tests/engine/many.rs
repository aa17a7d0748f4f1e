//! Many lanes side by side as one scalar: the hand loop that programs with sums over lanes are held against.

use std::ops::{Add, Div, Mul, Neg, Sub};

use hindsight_gpu::{RoundGradient, Scalar};

#[derive(Debug, Clone, Copy)]
pub(crate) struct Many<S, const N: usize>(pub(crate) [S; N]);

impl<S: Scalar, const N: usize> Many<S, N> {
    fn map(self, f: impl Fn(S) -> S) -> Self {
        Many(self.0.map(f))
    }
    fn zip(self, other: Self, f: impl Fn(S, S) -> S) -> Self {
        Many(std::array::from_fn(|i| f(self.0[i], other.0[i])))
    }
}

macro_rules! operator {
    ($trait:ident, $method:ident) => {
        impl<S: Scalar, const N: usize> $trait for Many<S, N> {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                self.zip(other, $trait::$method)
            }
        }
    };
}
operator!(Add, add);
operator!(Sub, sub);
operator!(Mul, mul);
operator!(Div, div);

impl<S: Scalar, const N: usize> Neg for Many<S, N> {
    type Output = Self;
    fn neg(self) -> Self {
        self.map(|x| -x)
    }
}

macro_rules! elementwise {
    ($($name:ident),*) => {
        $(fn $name(self) -> Self {
            self.map(S::$name)
        })*
    };
}

impl<S: Scalar, const N: usize> Scalar for Many<S, N> {
    fn constant(value: f64) -> Self {
        Many([S::constant(value); N])
    }
    elementwise!(
        exp, ln, sqrt, tanh, sigmoid, softplus, erf, abs, positive, detach, relu, silu
    );
    fn min(self, other: Self) -> Self {
        self.zip(other, S::min)
    }
    fn max(self, other: Self) -> Self {
        self.zip(other, S::max)
    }
    fn select(mask: Self, yes: Self, no: Self) -> Self {
        Many(std::array::from_fn(|i| {
            S::select(mask.0[i], yes.0[i], no.0[i])
        }))
    }
    fn round(self, gradient: RoundGradient) -> Self {
        self.map(|x| x.round(gradient))
    }
    fn lane_max(self) -> Self {
        let top = self.0.into_iter().reduce(S::max).map(S::detach);
        top.map_or(self, |top| Many([top; N]))
    }
    fn lane_sum(self) -> Self {
        let total = self.0.iter().fold(S::constant(0.0), |sum, &x| sum + x);
        Many([total; N])
    }
}
