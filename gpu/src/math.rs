//! Elementary functions in a form that the compiler can vectorise.

/// $ab + c$, in one instruction where the code is compiled for a processor that has it.
#[inline(always)]
pub(crate) fn madd<const FMA: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// $1.5 \cdot 2^{23} + 127$: adding and subtracting it rounds to the nearest integer $n$, and leaves $n + 127$, the exponent of $2^n$, in
/// the low bits.
pub(crate) const MAGIC: f32 = 12_583_039.0;
/// $\ln 2$ in two parts, the first of few bits, so that its products with small integers are exact.
pub(crate) const LN2_HIGH: f32 = 0.693_359_4;
pub(crate) const LN2_LOW: f32 = -2.121_944_4e-4;
/// Where the exponential is held: at the lower end its power of two is zero.
pub(crate) const HIGHEST: f32 = 88.0;
pub(crate) const LOWEST: f32 = -88.0;
/// The same for a quarter of the exponential: the exponent of $2^{n - 2}$, and where its power of two is least.
pub(crate) const QUARTER_MAGIC: f32 = MAGIC - 2.0;
pub(crate) const QUARTER_LOWEST: f32 = -86.0;
/// What is left of it when the bits of $q$ are taken from it is $1 / q$ to one part in twenty: the exponent changes its sign, and the
/// curve within it is a line.
pub(crate) const RECIPROCAL: i32 = 0x7EF3_1000;
/// $(e^r - 1 - r) / r^2$ as a polynomial, fitted on $|r| \le \ln 2 / 2$: the exponential of it is right to $4 \cdot 10^{-9}$.
pub(crate) const QUOTIENT: [f32; 5] = [
    0.499_999_94,
    0.166_665_21,
    0.041_668_39,
    0.008_368_745_4,
    0.001_381_453_9,
];

/// $e^x = (1 + m) s$ with $1 + m$ in about $[0.7, 1.42]$ and $s$ a power of two; see [`exp_f32`]. Near zero $s$ is one and
/// $m$ is $e^x - 1$ without cancellation.
#[inline(always)]
fn exp_parts<const FMA: bool>(x: f32) -> (f32, f32) {
    scaled_exp_parts::<FMA>(x, MAGIC, LOWEST)
}

/// The same with another number to round with, from which the power of two follows, and another lower end.
#[inline(always)]
fn scaled_exp_parts<const FMA: bool>(x: f32, magic: f32, lowest: f32) -> (f32, f32) {
    let x = if x > HIGHEST { HIGHEST } else { x };
    let x = if x < lowest { lowest } else { x };
    let shifted = madd::<FMA>(x, std::f32::consts::LOG2_E, magic);
    let n = shifted - magic;
    let r = madd::<FMA>(n, -LN2_LOW, madd::<FMA>(n, -LN2_HIGH, x));
    let [c0, c1, c2, c3, c4] = QUOTIENT;
    // In pairs: the chain of dependent operations is shorter than with one after another.
    let square = r * r;
    let low = madd::<FMA>(c1, r, c0);
    let high = madd::<FMA>(c4, square, madd::<FMA>(c3, r, c2));
    let m = madd::<FMA>(madd::<FMA>(high, square, low), square, r);
    let scale = f32::from_bits(shifted.to_bits() << 23);
    (m, scale)
}

/// $e^x$ in `f32`, within two units in the last place on $[-87, 88]$; below it falls to zero, above it is held at the value
/// of 88. NaN stays NaN.
///
/// Range reduction $x = n \ln 2 + r$, $|r| \le \ln 2 / 2$, with $\ln 2$ in two parts, then a polynomial of degree 6 in $r$.
#[inline(always)]
pub(crate) fn exp_f32<const FMA: bool>(x: f32) -> f32 {
    let (m, scale) = exp_parts::<FMA>(x);
    (m + 1.0) * scale
}

/// $a / q$ for $q$ in $[2^{-2}, 2^{125}]$, within three halves of a unit in the last place; NaN stays NaN.
///
/// With fused operations, a first guess of $1 / q$ and two steps of Newton's kind, of second and of third order, which leave
/// $1.7 \cdot 10^{-8}$: a few operations for which the processor need not wait, where a division takes longer than all else in the functions
/// that need it.
#[inline(always)]
fn quotient_f32<const FMA: bool>(a: f32, q: f32) -> f32 {
    if !FMA {
        return a / q;
    }
    let y = f32::from_bits(RECIPROCAL.cast_unsigned().wrapping_sub(q.to_bits()));
    let y = madd::<FMA>(madd::<FMA>(-q, y, 1.0), y, y);
    let h = madd::<FMA>(-q, y, 1.0);
    let ay = a * y;
    madd::<FMA>(madd::<FMA>(h, h, h), ay, ay)
}

/// $1 / (1 + e^{-x})$ in `f32`, within two units in the last place on $[-87, \infty)$; NaN stays NaN.
///
/// A quarter over a quarter, so that nothing that is divided by is larger than what [`quotient_f32`] takes.
#[inline(always)]
pub(crate) fn sigmoid_f32<const FMA: bool>(x: f32) -> f32 {
    let (m, scale) = scaled_exp_parts::<FMA>(-x, QUARTER_MAGIC, QUARTER_LOWEST);
    quotient_f32::<FMA>(0.25, madd::<FMA>(m + 1.0, scale, 0.25))
}

/// The hyperbolic tangent in `f32`, within three units in the last place: $-d / (d + 2)$ with $d = e^{-2|x|} - 1$.
#[inline(always)]
pub(crate) fn tanh_f32<const FMA: bool>(x: f32) -> f32 {
    let (m, scale) = exp_parts::<FMA>(-2.0 * x.abs());
    let d = madd::<FMA>(m, scale, scale - 1.0);
    quotient_f32::<FMA>(-d, d + 2.0).copysign(x)
}

/// The bits of $\sqrt{1/2}$: from there on numbers are divided by powers of two.
const SQRT_HALF: u32 = 0x3F35_04F3;
/// $2^{23}$, which makes a normal number of one below them.
const TO_NORMAL: f32 = 8_388_608.0;

/// $\ln x$ in `f32`, within two units in the last place; minus infinity at zero, NaN below.
///
/// $x = 2^n (1 + f)$ with $1 + f$ in $[\sqrt{1/2}, \sqrt 2)$, and $\ln(1 + f) = f - (f^2/2 - s (f^2/2 + R))$ with $s = f / (2 + f)$ and
/// $R = 2 \operatorname{artanh}(s) / s - 2$, a series in $s^2 \le 0.03$ that is cut after $s^{10}$: what is small is taken from $f$, which is
/// exact.
#[inline(always)]
pub(crate) fn ln_f32<const FMA: bool>(x: f32) -> f32 {
    let is_small = x < f32::MIN_POSITIVE;
    let scaled = if is_small { x * TO_NORMAL } else { x };
    let shift = if is_small { -23.0 } else { 0.0 };
    let bits = scaled.to_bits().wrapping_sub(SQRT_HALF);
    let mantissa = (bits & 0x007F_FFFF) + SQRT_HALF;
    #[expect(clippy::cast_precision_loss, reason = "an exponent is a small number")]
    let n = (bits.cast_signed() >> 23) as f32 + shift;
    let f = f32::from_bits(mantissa) - 1.0;
    let s = quotient_f32::<FMA>(f, 2.0 + f);
    let z = s * s;
    let r = 2.0 / 11.0;
    let r = madd::<FMA>(r, z, 2.0 / 9.0);
    let r = madd::<FMA>(r, z, 2.0 / 7.0);
    let r = madd::<FMA>(r, z, 0.4);
    let r = madd::<FMA>(r, z, 2.0 / 3.0) * z;
    let half = 0.5 * f * f;
    let less = half - madd::<FMA>(s, half + r, n * LN2_LOW);
    let ln = madd::<FMA>(n, LN2_HIGH, f - less);
    let ln = if x > 0.0 { ln } else { f32::NAN };
    let ln = if x == 0.0 { f32::NEG_INFINITY } else { ln };
    if x == f32::INFINITY { x } else { ln }
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

/// $\ln(1 + e^x)$ in `f32`, without overflow.
#[inline(always)]
pub(crate) fn softplus_f32<const FMA: bool>(x: f32) -> f32 {
    let positive = if x > 0.0 { x } else { 0.0 };
    positive + ln_1p_of_unit_f32::<FMA>(exp_f32::<FMA>(-x.abs()))
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "exact cases")]
mod tests {
    use super::{exp_f32, ln_1p_of_unit_f32, ln_f32, quotient_f32, sigmoid_f32, tanh_f32};
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
        fn sigmoid_is_within_two_units_in_the_last_place(x in -87.0_f32..87.0) {
            let exact = 1.0 / (1.0 + f64::from(-x).exp());
            for found in [sigmoid_f32::<false>(x), sigmoid_f32::<true>(x)] {
                let error = (f64::from(found) - exact).abs() / exact;
                prop_assert!(error < 2.0 * f64::from(f32::EPSILON), "{x}: {error}");
            }
        }
    }

    proptest! {
        #[test]
        fn tanh_is_within_three_units_in_the_last_place(x in prop_oneof![-20.0_f32..20.0, -1e-3_f32..1e-3]) {
            let exact = f64::from(x).tanh();
            for found in [tanh_f32::<false>(x), tanh_f32::<true>(x)] {
                let error = (f64::from(found) - exact).abs();
                prop_assert!(error <= 3.0 * f64::from(f32::EPSILON) * exact.abs(), "{x}: {error}");
            }
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

    proptest! {
        /// All magnitudes, and where the logarithm is small.
        #[test]
        fn ln_is_within_two_units_in_the_last_place(x in prop_oneof![(1_u32..0x7F80_0000).prop_map(f32::from_bits), 0.5_f32..2.0, 0.999_f32..1.001]) {
            let exact = f64::from(x).ln();
            for found in [ln_f32::<false>(x), ln_f32::<true>(x)] {
                let error = (f64::from(found) - exact).abs();
                prop_assert!(error <= 2.0 * f64::from(f32::EPSILON) * exact.abs(), "{x}: {error}");
            }
        }
    }

    #[test]
    fn ln_at_the_edges() {
        assert!(
            ln_f32::<true>(0.0) == f32::NEG_INFINITY && ln_f32::<true>(-0.0) == f32::NEG_INFINITY
        );
        assert!(ln_f32::<true>(1.0) == 0.0 && ln_f32::<true>(f32::INFINITY) == f32::INFINITY);
        assert!(
            [-1.0, -f32::MIN_POSITIVE, f32::NEG_INFINITY, f32::NAN]
                .iter()
                .all(|&x| ln_f32::<true>(x).is_nan())
        );
    }

    proptest! {
        #[test]
        fn quotient_is_within_two_units_in_the_last_place(a in 0.01_f32..1.0, q in prop_oneof![0.25_f32..4.0, 1.0_f32..4e37]) {
            let exact = f64::from(a) / f64::from(q);
            let error = (f64::from(quotient_f32::<true>(a, q)) - exact).abs();
            // What is below the normal numbers is spaced evenly.
            let limit = 1.5 * f64::from(f32::EPSILON) * exact.max(f64::from(f32::MIN_POSITIVE));
            prop_assert!(error <= limit, "{a} / {q}: {error}");
        }
    }

    #[test]
    fn sigmoid_at_the_edges() {
        for x in [-1e30, -88.0, f32::NEG_INFINITY] {
            let y = sigmoid_f32::<true>(x);
            assert!(y == sigmoid_f32::<true>(-88.0) && y > 0.0 && y < 1e-38);
        }
        for x in [0.0, 20.0, 86.0, 1e30, f32::INFINITY] {
            assert_eq!(sigmoid_f32::<true>(x), if x > 0.0 { 1.0 } else { 0.5 });
        }
        assert!(sigmoid_f32::<true>(f32::NAN).is_nan() && tanh_f32::<true>(f32::NAN).is_nan());
        assert_eq!(tanh_f32::<true>(f32::INFINITY), 1.0);
    }

    #[test]
    fn exp_at_the_edges() {
        assert_eq!(exp_f32::<false>(0.0), 1.0);
        assert_eq!(exp_f32::<false>(-1e30), 0.0);
        assert_eq!(exp_f32::<true>(f32::NEG_INFINITY), 0.0);
        assert!(exp_f32::<false>(1e30).is_finite());
        assert!(exp_f32::<false>(f32::NAN).is_nan());
    }
}
