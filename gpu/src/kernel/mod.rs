//! Arithmetic on tiles: a row is [`TILE`] lanes, contiguous.

pub(crate) mod activation;
pub(crate) mod aligned;
pub(crate) mod dense;
pub(crate) mod elementwise;
pub(crate) mod isa;
pub(crate) mod math;
pub(crate) mod prefetch;
pub(crate) mod real;
pub(crate) mod softmax;
#[cfg(target_arch = "x86_64")]
mod x86;

/// Lanes of a tile: a row of `f32` is four cache lines, and a few hundred rows stay in the second-level cache.
pub(crate) const TILE: usize = 64;
