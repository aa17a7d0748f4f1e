//! Arithmetic on tiles: a row is [`TILE`] lanes, contiguous.
//!
//! From the bottom up: sizes ([`shape`]), instruction sets ([`isa`]), numbers ([`number`]), kernels in portable code
//! ([`elementwise`], [`adjoint`], [`activation`], [`softmax`], [`product`]) and in vector instructions (`x86`), the choice between them
//! ([`dispatch`]), the number types of programs ([`real`]), layers packed for the kernels ([`dense`]), and layers of a few columns ([`narrow`]).

mod activation;
pub(crate) mod adjoint;
pub(crate) mod aligned;
pub(crate) mod dense;
pub(crate) mod direct;
pub(crate) mod dispatch;
pub(crate) mod elementwise;
pub(crate) mod groups;
pub(crate) mod isa;
pub(crate) mod narrow;
mod number;
pub(crate) mod prefetch;
mod product;
pub(crate) mod real;
mod shape;
mod softmax;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(crate) use shape::{EIGHT, TILE, WIDE, padded};
