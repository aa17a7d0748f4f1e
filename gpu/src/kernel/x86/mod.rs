//! Kernels in the vector instructions of x86-64: AVX2 with FMA, and AVX-512.
//!
//! Products and activations are written once over [`Register`], and compiled for each instruction set here: the same operations
//! in the same order on twice as many lanes, hence the same bits. What waits for memory rather than for the multipliers
//! ([`groups`], [`transpose`](mod@transpose)) has one form, in AVX2.

#![allow(
    unsafe_code,
    reason = "vector loads and stores through pointers whose ranges are asserted at the entry"
)]

mod activation;
mod elementary;
pub(super) mod groups;
mod product;
mod register;
mod softmax;
mod sums;
mod transpose;

use std::arch::x86_64::{__m256, __m512};

use std::ops::Range;

use super::isa::{Proof, Proof512};
use super::shape::{PANEL, TILE, WIDE};
use crate::scalar::Activation;
use register::Register;

pub(super) use transpose::transpose;

/// Lanes of a register of AVX2.
const W: usize = <__m256 as Register>::LANES;

/// The kernels of one instruction set. Of a panel and of a block of weight gradients: how many registers of lanes or of columns go
/// with how many rows, so that their products fill the registers.
macro_rules! instruction_set {
    (
        $module:ident, $register:ty, $proof:ty, $features:literal,
        panels [$($m:literal: $n:literal),*], outer [$($rows:literal: $columns:literal),*]
    ) => {
        pub(super) mod $module {
            use super::*;

            /// Registers of a row of a tile, and of a wide one.
            const ROW: usize = TILE / <$register>::LANES;
            const WIDE_ROW: usize = WIDE / <$register>::LANES;

            /// Writes one panel's products; see [`Kernels::panel`](crate::kernel::dispatch::Kernels::panel).
            pub(in crate::kernel) fn panel(
                _: $proof,
                (rows, lanes): (usize, usize),
                panel: &[f32],
                segments: &[&[f32]],
                begin: Option<&[f32; PANEL]>,
                out: &mut [f32],
            ) {
                #[target_feature(enable = $features)]
                unsafe fn wide(
                    (rows, lanes): (usize, usize),
                    panel: &[f32],
                    segments: &[&[f32]],
                    begin: Option<&[f32; PANEL]>,
                    out: &mut [f32],
                ) {
                    // SAFETY: by the caller's promise.
                    unsafe {
                        match rows {
                            $($m => product::panel_of::<$register, $m, $n>(lanes, panel, segments, begin, out),)*
                            _ => unreachable!("a panel of {rows} rows"),
                        }
                    }
                }
                let width: usize = segments.iter().map(|s| s.len() / lanes).sum();
                assert!(lanes.is_multiple_of(TILE) && out.len() >= rows * lanes && panel.len() >= rows * width);
                // SAFETY: the proof says that the instructions are there; the ranges are asserted above.
                unsafe { wide((rows, lanes), panel, segments, begin, out) }
            }

            /// Adds $dZ\thinspace X^T$ to `grad`, from a column on as far as whole registers reach, and returns the first column left; see
            /// [`Kernels::outer`](crate::kernel::dispatch::Kernels::outer).
            pub(in crate::kernel) fn outer(
                _: $proof,
                lanes: usize,
                dz: &[f32],
                xt: &[f32],
                (columns, width): (Range<usize>, usize),
                grad: &mut [f32],
            ) -> usize {
                #[target_feature(enable = $features)]
                unsafe fn wide(
                    (rows, lanes): (usize, usize),
                    dz: &[f32],
                    xt: &[f32],
                    (columns, width): (Range<usize>, usize),
                    grad: &mut [f32],
                ) {
                    // SAFETY: by the caller's promise.
                    unsafe {
                        match rows {
                            $($rows => product::outer_of::<$register, $rows, $columns>(lanes, dz, xt, (columns, width), grad),)*
                            _ => unreachable!("a block of {rows} rows"),
                        }
                    }
                }
                const MOST: usize = [$($rows),*].len();
                let outputs = dz.len() / lanes;
                assert!(columns.end <= width && xt.len() >= lanes * width && grad.len() >= outputs * width);
                for row in (0..outputs).step_by(MOST) {
                    let (dz, grad) = (&dz[row * lanes..], &mut grad[row * width..]);
                    // SAFETY: the proof says that the instructions are there; the ranges are asserted above.
                    unsafe { wide(((outputs - row).min(MOST), lanes), dz, xt, (columns.clone(), width), grad) }
                }
                columns.end - columns.len() % <$register>::LANES
            }

            /// The activation of whole tiles, with its derivative unless `slope` is empty; returns whether there is a kernel for it.
            /// See [`Kernels::activate`](crate::kernel::dispatch::Kernels::activate).
            pub(in crate::kernel) fn activate(
                _: $proof,
                f: Activation,
                z: &mut [f32],
                slope: &mut [f32],
            ) -> bool {
                #[target_feature(enable = $features)]
                unsafe fn wide(f: Activation, z: &mut [f32], slope: &mut [f32]) -> bool {
                    // SAFETY: by the caller's promise.
                    unsafe {
                        if slope.is_empty() {
                            activation::activate_of::<$register, false>(f, z, slope)
                        } else {
                            activation::activate_of::<$register, true>(f, z, slope)
                        }
                    }
                }
                assert!(z.len().is_multiple_of(TILE) && (slope.is_empty() || slope.len() == z.len()));
                // SAFETY: the proof says that the instructions are there; the ranges are asserted above.
                unsafe { wide(f, z, slope) }
            }

            /// Scales adjoints and adds them up; see [`Kernels::scale`](crate::kernel::dispatch::Kernels::scale).
            pub(in crate::kernel) fn scale(
                _: $proof,
                lanes: usize,
                rows: &mut [f32],
                slope: &[f32],
                sums: &mut [f32],
            ) {
                #[target_feature(enable = $features)]
                unsafe fn wide(lanes: usize, rows: &mut [f32], slope: &[f32], sums: &mut [f32]) {
                    // SAFETY: by the caller's promise.
                    unsafe {
                        match lanes {
                            TILE => sums::scale_of::<$register, ROW>(rows, slope, sums),
                            WIDE => sums::scale_of::<$register, WIDE_ROW>(rows, slope, sums),
                            _ => unreachable!("rows of {lanes} lanes"),
                        }
                    }
                }
                assert!(slope.is_empty() || slope.len() == rows.len());
                // SAFETY: the proof says that the instructions are there; the range is asserted above.
                unsafe { wide(lanes, rows, slope, sums) }
            }

            /// Scalar products of whole rows; see [`Kernels::dots`](crate::kernel::dispatch::Kernels::dots).
            pub(in crate::kernel) fn dots(_: $proof, a: &[f32], rows: &[f32], out: &mut [f32]) {
                #[target_feature(enable = $features)]
                unsafe fn wide(a: &[f32], rows: &[f32], out: &mut [f32]) {
                    // SAFETY: by the caller's promise.
                    unsafe {
                        match a.len() {
                            TILE => sums::dots_of::<$register, ROW>(a, rows, out),
                            WIDE => sums::dots_of::<$register, WIDE_ROW>(a, rows, out),
                            lanes => unreachable!("rows of {lanes} lanes"),
                        }
                    }
                }
                // SAFETY: the proof says that the instructions are there.
                unsafe { wide(a, rows, out) }
            }

            /// Writes the shares of classes; see [`Kernels::shares`](crate::kernel::dispatch::Kernels::shares).
            pub(in crate::kernel) fn shares(_: $proof, x: &[f32], out: &mut [f32]) {
                #[target_feature(enable = $features)]
                unsafe fn wide(x: &[f32], out: &mut [f32]) {
                    // SAFETY: by the caller's promise.
                    unsafe { softmax::softmax_of::<$register>(x, out) }
                }
                assert!(x.len().is_multiple_of(TILE) && out.len() == x.len());
                // SAFETY: the proof says that the instructions are there; the ranges are asserted above.
                unsafe { wide(x, out) }
            }

            /// The largest of each lane and the sum of the exponentials; see
            /// [`Kernels::exponentials`](crate::kernel::dispatch::Kernels::exponentials).
            pub(in crate::kernel) fn normaliser(
                _: $proof,
                x: &[f32],
                top: &mut [f32; TILE],
                total: &mut [f32; TILE],
            ) {
                #[target_feature(enable = $features)]
                unsafe fn wide(x: &[f32], top: &mut [f32; TILE], total: &mut [f32; TILE]) {
                    // SAFETY: by the caller's promise.
                    unsafe { softmax::normaliser_of::<$register>(x, top, total) }
                }
                assert!(x.len().is_multiple_of(TILE));
                // SAFETY: the proof says that the instructions are there; the range is asserted above.
                unsafe { wide(x, top, total) }
            }

            /// The adjoints of logits; see [`Kernels::likelihood_adjoint`](crate::kernel::dispatch::Kernels::likelihood_adjoint).
            pub(in crate::kernel) fn likelihood_adjoint(
                _: $proof,
                z: &mut [f32],
                top: &[f32; TILE],
                log_total: &[f32; TILE],
                dy: &[f32; TILE],
            ) {
                #[target_feature(enable = $features)]
                unsafe fn wide(
                    z: &mut [f32],
                    top: &[f32; TILE],
                    log_total: &[f32; TILE],
                    dy: &[f32; TILE],
                ) {
                    // SAFETY: by the caller's promise.
                    unsafe {
                        softmax::likelihood_adjoint_of::<$register>(z, top, log_total, dy);
                    }
                }
                // SAFETY: the proof says that the instructions are there.
                unsafe { wide(z, top, log_total, dy) }
            }
        }
    };
}

// Sixteen registers: twelve sums, two of lanes, one weight.
instruction_set!(
    avx2, __m256, Proof, "avx2,fma",
    panels [1: 2, 2: 2, 3: 2, 4: 2, 5: 2, 6: 2],
    outer [1: 2, 2: 2, 3: 2, 4: 2, 5: 2, 6: 2]
);
// Thirty-two registers: sixteen sums, up to four of lanes, one weight.
instruction_set!(
    avx512, __m512, Proof512, "avx512f,avx2,fma",
    panels [1: 4, 2: 4, 3: 4, 4: 4, 5: 2, 6: 2, 7: 2, 8: 2],
    outer [1: 2, 2: 2, 3: 2, 4: 2, 5: 2, 6: 2, 7: 2, 8: 2]
);
