//! Activations of whole rows.
//!
//! Two registers go side by side. No closures here and in [`softmax`](super::softmax): what is compiled for the instructions are functions that are always inlined.

use super::elementary::{sigmoid, tanh};
use super::register::Register;
use crate::scalar::Activation;

/// Replaces `z` by its activation and, where `SLOPE`, writes the derivative to `slope`; returns whether there is a kernel for it.
///
/// # Safety
/// The instructions of the register; `z` holds whole registers and, where `SLOPE`, `slope` as many numbers.
#[inline(always)]
pub(super) unsafe fn activate_of<R: Register, const SLOPE: bool>(
    f: Activation,
    z: &mut [f32],
    slope: &mut [f32],
) -> bool {
    // SAFETY: by the caller's promise.
    unsafe {
        match f {
            Activation::Silu => each::<[R; 4], Silu, SLOPE>(z, slope),
            Activation::Sigmoid => each::<[R; 4], Sigmoid, SLOPE>(z, slope),
            Activation::Tanh => each::<[R; 4], Tanh, SLOPE>(z, slope),
            _ => return false,
        }
    }
    true
}

/// # Safety
/// As [`activate_of`].
#[inline(always)]
unsafe fn each<R: Register, F: Function, const SLOPE: bool>(z: &mut [f32], slope: &mut [f32]) {
    for at in (0..z.len()).step_by(R::LANES) {
        // SAFETY: by the caller's promise.
        unsafe {
            let z = z.as_mut_ptr().add(at);
            let (y, dy) = F::of(R::load(z));
            y.store(z);
            if SLOPE {
                dy.store(slope.as_mut_ptr().add(at));
            }
        }
    }
}

trait Function {
    /// The value and the derivative.
    ///
    /// # Safety
    /// The instructions of the register.
    unsafe fn of<R: Register>(x: R) -> (R, R);
}

struct Silu;
impl Function for Silu {
    #[inline(always)]
    unsafe fn of<R: Register>(x: R) -> (R, R) {
        // SAFETY: by the caller's promise, here and below.
        unsafe {
            let s = sigmoid(x);
            let h = x.mul(s);
            (h, h.madd(R::splat(1.0).sub(s), s))
        }
    }
}

struct Sigmoid;
impl Function for Sigmoid {
    #[inline(always)]
    unsafe fn of<R: Register>(x: R) -> (R, R) {
        // SAFETY: as above.
        unsafe {
            let s = sigmoid(x);
            (s, s.mul(R::splat(1.0).sub(s)))
        }
    }
}

struct Tanh;
impl Function for Tanh {
    #[inline(always)]
    unsafe fn of<R: Register>(x: R) -> (R, R) {
        // SAFETY: as above.
        unsafe {
            let t = tanh(x);
            (t, R::splat(1.0).sub(t.mul(t)))
        }
    }
}
