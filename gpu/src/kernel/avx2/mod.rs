//! Kernels in AVX2 and FMA instructions.

#![allow(
    unsafe_code,
    reason = "vector loads and stores through pointers whose ranges are asserted at the entry"
)]

mod matrix;
mod sums;
mod unit;

pub(super) use matrix::{outer, panel, transpose};
pub(super) use sums::{dots, scale};
pub(super) use unit::silu;

/// Lanes of a register.
const W: usize = 8;
