//! Elementary functions in a form that the compiler can vectorise.

/// $ab + c$, in one instruction where the code is compiled for a processor that has it.
#[inline(always)]
pub(crate) fn madd<const FMA: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// $e^x$ in `f32`, within two units in the last place on $[-87, 88]$; below it falls to (nearly) zero, above it is held at
/// the value of 88. NaN stays NaN.
///
/// Range reduction $x = n \ln 2 + r$, $|r| \le \ln 2 / 2$, with $\ln 2$ in two parts, then the Taylor polynomial of degree 7
/// in $r$, whose remainder is below $r^8 / 8! < 6 \cdot 10^{-9}$.
#[inline(always)]
pub(crate) fn exp_f32<const FMA: bool>(x: f32) -> f32 {
    const LOG2_E: f32 = std::f32::consts::LOG2_E;
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    // Adding and subtracting 1.5 * 2^23 rounds to the nearest integer and leaves it in the low bits.
    const MAGIC: f32 = 12_582_912.0;
    let x = if x > 88.0 { 88.0 } else { x };
    let x = if x < -87.0 { -87.0 } else { x };
    let shifted = madd::<FMA>(x, LOG2_E, MAGIC);
    let n = shifted - MAGIC;
    let r = madd::<FMA>(n, -LN2_LOW, madd::<FMA>(n, -LN2_HIGH, x));
    let p = 1.0 / 5040.0;
    let p = madd::<FMA>(p, r, 1.0 / 720.0);
    let p = madd::<FMA>(p, r, 1.0 / 120.0);
    let p = madd::<FMA>(p, r, 1.0 / 24.0);
    let p = madd::<FMA>(p, r, 1.0 / 6.0);
    let p = madd::<FMA>(p, r, 0.5);
    let p = madd::<FMA>(p, r * r, r) + 1.0;
    let scale = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
    p * scale
}

/// $\ln(1 + u)$ for $u$ in $[0, 1]$, within two units in the last place.
///
/// $\ln(1 + u) = 2 \operatorname{artanh} s$ with $s = u / (2 + u) \le 1/3$: no cancellation for small $u$. The series is cut
/// after $s^{14}$, with a relative remainder below $9^{-8} / 17 \cdot 9/8$.
#[inline(always)]
pub(crate) fn ln_1p_of_unit_f32<const FMA: bool>(u: f32) -> f32 {
    let s = u / (2.0 + u);
    let z = s * s;
    let p = 1.0 / 15.0;
    let p = madd::<FMA>(p, z, 1.0 / 13.0);
    let p = madd::<FMA>(p, z, 1.0 / 11.0);
    let p = madd::<FMA>(p, z, 1.0 / 9.0);
    let p = madd::<FMA>(p, z, 1.0 / 7.0);
    let p = madd::<FMA>(p, z, 0.2);
    let p = madd::<FMA>(p, z, 1.0 / 3.0);
    let p = madd::<FMA>(p, z, 1.0);
    2.0 * s * p
}

#[cfg(test)]
mod tests {
    use super::{exp_f32, ln_1p_of_unit_f32};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn exp_is_within_two_units_in_the_last_place(x in -87.0_f32..88.0) {
            let exact = f64::from(x).exp();
            let error = (f64::from(exp_f32::<false>(x)) - exact).abs() / exact;
            prop_assert!(error < 2.0 * f64::from(f32::EPSILON), "{x}: {error}");
        }
    }

    proptest! {
        #[test]
        fn ln_1p_is_within_two_units_in_the_last_place(u in 0.0_f32..1.0) {
            let exact = f64::from(u).ln_1p();
            let error = (f64::from(ln_1p_of_unit_f32::<false>(u)) - exact).abs();
            prop_assert!(error <= 2.0 * f64::from(f32::EPSILON) * exact, "{u}: {error}");
        }
    }

    #[test]
    fn exp_at_the_edges() {
        assert_eq!(exp_f32::<false>(0.0), 1.0);
        assert!(exp_f32::<false>(-1e30) < 1e-37 && exp_f32::<false>(-1e30) >= 0.0);
        assert!(exp_f32::<false>(1e30).is_finite());
        assert!(exp_f32::<false>(f32::NAN).is_nan());
    }
}
