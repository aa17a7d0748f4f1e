//! Kernels in AVX-512 instructions. Each gives the same bits as its twin in AVX2: the same operations in the same order, twice
//! as many lanes at a time.

#![allow(
    unsafe_code,
    reason = "vector loads and stores through pointers whose ranges are asserted at the entry"
)]

mod matrix;
mod unit;

pub(super) use matrix::{outer, panel};
pub(super) use unit::silu;

/// Lanes of a register.
const W: usize = 16;
