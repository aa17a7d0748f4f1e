//! The number types that programs run in.

use super::dispatch::Kernels;

/// `f32` or `f64`: the number type that a program runs in.
///
/// Training wants `f32`; gradient tests want `f64`. In `f32` the exponential, and what is made of it, are polynomials within a
/// few units in the last place. The trait is sealed.
#[allow(
    private_bounds,
    reason = "sealed: the kernels of a type are not for others to write"
)]
pub trait Real: Kernels {
    /// The nearest number of this type.
    fn from_f64(x: f64) -> Self;
    /// The same number as `f64`.
    fn to_f64(self) -> f64;
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
