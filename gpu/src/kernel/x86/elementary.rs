//! Elementary functions on registers, bit for bit those of [`math`](crate::math) with fused operations.

use super::register::Register;
use crate::math;

/// The exponential as $(1 + m) s$; returns $m$ and $s$.
///
/// # Safety
/// The instructions of the register, here and below.
#[inline(always)]
unsafe fn exp_parts<R: Register>(x: R) -> (R, R) {
    // SAFETY: by the caller's promise.
    unsafe {
        let all = |c: f32| R::splat(c);
        let [c0, c1, c2, c3, c4] = math::QUOTIENT;
        let x = all(math::LOWEST).max(all(math::HIGHEST).min(x));
        let magic = all(math::MAGIC);
        let shifted = x.madd(all(std::f32::consts::LOG2_E), magic);
        let n = shifted.sub(magic);
        let r = n.madd(all(-math::LN2_LOW), n.madd(all(-math::LN2_HIGH), x));
        // In pairs: the chain of dependent operations is shorter than with one after another.
        let square = r.mul(r);
        let low = all(c1).madd(r, all(c0));
        let high = all(c4).madd(square, all(c3).madd(r, all(c2)));
        let m = high.madd(square, low).madd(square, r);
        (m, shifted.power())
    }
}

/// $a / q$ for $q$ in $[2^{-2}, 2^{125}]$.
///
/// # Safety
/// As above.
#[inline(always)]
unsafe fn quotient<R: Register>(a: R, q: R) -> R {
    // SAFETY: by the caller's promise.
    unsafe {
        let one = R::splat(1.0);
        let y = q.bits_from(math::RECIPROCAL);
        let y = q.nmadd(y, one).madd(y, y);
        let h = q.nmadd(y, one);
        let ay = a.mul(y);
        h.madd(h, h).madd(ay, ay)
    }
}

/// $e^x$.
///
/// # Safety
/// As above.
#[inline(always)]
pub(super) unsafe fn exp<R: Register>(x: R) -> R {
    // SAFETY: by the caller's promise.
    unsafe {
        let (m, scale) = exp_parts(x);
        m.add(R::splat(1.0)).mul(scale)
    }
}

/// $1 / (1 + e^{-x})$.
///
/// # Safety
/// As above.
#[inline(always)]
pub(super) unsafe fn sigmoid<R: Register>(x: R) -> R {
    // SAFETY: by the caller's promise.
    unsafe {
        let all = |c: f32| R::splat(c);
        let [c0, c1, c2, c3, c4] = math::QUOTIENT;
        // The exponential of -x: limits and factors change their signs instead.
        let x = all(-math::QUARTER_LOWEST).min(all(-math::HIGHEST).max(x));
        let magic = all(math::QUARTER_MAGIC);
        let shifted = x.madd(all(-std::f32::consts::LOG2_E), magic);
        let n = shifted.sub(magic);
        let r = n.madd(all(-math::LN2_LOW), n.msub(all(-math::LN2_HIGH), x));
        let square = r.mul(r);
        let low = all(c1).madd(r, all(c0));
        let high = all(c4).madd(square, all(c3).madd(r, all(c2)));
        let p = high.madd(square, low).madd(square, r).add(all(1.0));
        quotient(all(0.25), p.madd(shifted.power(), all(0.25)))
    }
}

/// $\tanh x$.
///
/// # Safety
/// As above.
#[inline(always)]
pub(super) unsafe fn tanh<R: Register>(x: R) -> R {
    // SAFETY: by the caller's promise.
    unsafe {
        let (m, scale) = exp_parts(x.abs().mul(R::splat(-2.0)));
        let d = m.madd(scale, scale.sub(R::splat(1.0)));
        let zero = R::splat(0.0);
        quotient(zero.sub(d), d.add(R::splat(2.0))).copysign(x)
    }
}
