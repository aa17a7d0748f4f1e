//! The activation $z / (1 + e^{-z})$.

use super::register::Register;
use crate::kernel::math;

/// Replaces `z` by the activation and, where `SLOPE`, writes the derivative to `slope`.
///
/// # Safety
/// The instructions of the register; `z` holds whole registers and, where `SLOPE`, `slope` as many numbers.
#[inline(always)]
pub(super) unsafe fn silu_of<R: Register, const SLOPE: bool>(z: &mut [f32], slope: &mut [f32]) {
    for at in (0..z.len()).step_by(R::LANES) {
        // SAFETY: by the caller's promise.
        unsafe {
            let z = z.as_mut_ptr().add(at);
            let x = R::load(z);
            let s = sigmoid(x);
            let h = x.mul(s);
            h.store(z);
            if SLOPE {
                let rest = R::splat(1.0).sub(s);
                h.madd(rest, s).store(slope.as_mut_ptr().add(at));
            }
        }
    }
}

/// # Safety
/// The instructions of the register.
#[inline(always)]
unsafe fn sigmoid<R: Register>(x: R) -> R {
    // SAFETY: by the caller's promise.
    unsafe {
        let all = |c: f32| R::splat(c);
        let [c0, c1, c2, c3, c4] = math::QUOTIENT;
        // The exponential of -x: limits and factors change their signs instead.
        let x = all(-math::LOWEST).min(all(-math::HIGHEST).max(x));
        let magic = all(math::MAGIC);
        let shifted = x.madd(all(-std::f32::consts::LOG2_E), magic);
        let n = shifted.sub(magic);
        let r = n.madd(all(-math::LN2_LOW), n.msub(all(-math::LN2_HIGH), x));
        // In pairs: the chain of dependent operations is shorter than with one after another.
        let square = r.mul(r);
        let low = all(c1).madd(r, all(c0));
        let high = all(c4).madd(square, all(c3).madd(r, all(c2)));
        let p = high.madd(square, low).madd(square, r).add(all(1.0));
        all(1.0).div(p.madd(shifted.power(), all(1.0)))
    }
}
