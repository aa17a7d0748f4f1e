//! Fixed-point values whose sums are exact, hence independent of order, shards and threads.
//!
//! A floating-point sum depends on the order of its terms, so two shardings of one log give two answers. Here each record's value
//! is rounded once to a fixed grid and summed as an integer: addition is then associative, and every split gives the same bits.

/// Grid of values in [0, 1] and of logarithms of mantissas: multiples of 2^-52.
pub(crate) const UNIT_SCALE: f64 = 1.0 / 4_503_599_627_370_496.0;

const ONE_BITS: u64 = 0x3FF0_0000_0000_0000;
const SQRT_HALF_BITS: u64 = 0x3FE6_A09E_667F_3BCD;
const MANTISSA: u64 = (1 << 52) - 1;
/// Bias of the exponent in a double.
const BIAS: u64 = 1023;
/// Moves a logarithm in [-0.347, 0.347] into [1, 2], where doubles are 2^-52 apart.
const LOG_SHIFT: f64 = 1.5;
/// 2^54, which lifts every subnormal number to a normal one.
const LIFT: f64 = 18_014_398_509_481_984.0;

/// `round(p * 2^52)` for p in [0, 1].
#[inline(always)]
pub(crate) fn unit(p: f64) -> u64 {
    unit_unshifted(p).wrapping_sub(ONE_BITS)
}

/// The same plus a constant: adding 1 moves p onto the grid of doubles in [1, 2]. [`unit_sum`] takes the constants off a sum.
#[inline(always)]
pub(crate) fn unit_unshifted(p: f64) -> u64 {
    (1.0 + p).to_bits()
}

/// The sum of `n` results of [`unit`] from the wrapped sum of as many results of [`unit_unshifted`], n <= 2048.
#[inline(always)]
pub(crate) fn unit_sum(n: u64, unshifted: u64) -> u64 {
    unshifted.wrapping_sub(n.wrapping_mul(ONE_BITS))
}

/// The exponent of q (plus the bias) and `round((1.5 - ln m) * 2^52)` (plus a constant), where q = 2^e m with m in [sqrt(1/2), sqrt 2),
/// for a normal q in (0, 1]. [`LogSum`] adds both up and takes the constants off.
///
/// With s = (m-1)/(m+1) and z = s^2 <= 0.02944, ln m = 2 s (1 + z/3 + z^2/5 + ...). The polynomial of degree 6 interpolates that series
/// at the Chebyshev nodes of the interval, its constant term held at 1: it is off by at most 2.2e-16 in ln m, one unit of the grid.
#[inline(always)]
pub(crate) fn split_ln(q: f64) -> (u64, u64) {
    let shifted = q.to_bits().wrapping_add(ONE_BITS - SQRT_HALF_BITS);
    let m = f64::from_bits((shifted & MANTISSA) + SQRT_HALF_BITS);
    let s = (m - 1.0) / (m + 1.0);
    let z = s * s;
    let z2 = z * z;
    // Estrin's scheme: short dependency chains.
    let a = 1.0 + z * 0.333_333_333_333_310_4;
    let b = 0.200_000_000_056_061 + z * 0.142_857_120_682_581_75;
    let c = 0.111_114_312_384_247_81 + z * 0.090_700_926_012_466_24;
    let series = a + z2 * (b + z2 * (c + z2 * 0.083_109_735_450_887));
    (shifted >> 52, (LOG_SHIFT - (s + s) * series).to_bits())
}

/// An exact sum of negative logarithms of numbers in (0, 1]: whole powers of two and rounded logarithms of mantissas, added as integers.
///
/// The sum does not depend on the order of its terms. Each term is off by at most 2.2e-16 for the polynomial and half of 2^-52 for the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct LogSum {
    halvings: u64,
    mantissas: i128,
}

impl LogSum {
    /// Adds -ln q for q in (0, 1], subnormal ones included.
    pub(crate) fn add(&mut self, q: f64) {
        if q >= f64::MIN_POSITIVE {
            let (e, m) = split_ln(q);
            self.add_split(1, e, m);
        } else {
            let (e, m) = split_ln(q * LIFT);
            self.add_split(1, e, m);
            self.halvings += 54;
        }
    }

    /// Adds the wrapped sums of `n` results of [`split_ln`], n <= 1024.
    #[inline(always)]
    pub(crate) fn add_split(&mut self, n: u64, exponents: u64, mantissas: u64) {
        self.halvings += n * BIAS - exponents;
        // |ln m| <= 0.35, so that 1024 terms are below 2^61 and the wrapped difference is the true one.
        let zero = n.wrapping_mul(LOG_SHIFT.to_bits());
        self.mantissas += i128::from(mantissas.wrapping_sub(zero).cast_signed());
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.halvings += other.halvings;
        self.mantissas += other.mantissas;
    }

    /// The sum, rounded.
    #[allow(clippy::cast_precision_loss)] // Integers become doubles at the very end.
    pub(crate) fn value(&self) -> f64 {
        self.halvings as f64 * std::f64::consts::LN_2 + self.mantissas as f64 * UNIT_SCALE
    }
}

/// An exact sum of doubles from 0: each is added, whole, to the limb that its exponent names.
///
/// Nothing is rounded before [`ExactSum::value`], so that the sum depends on neither order nor grouping. A limb holds 2^43 terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ExactSum {
    /// Limb i counts multiples of 2^(32 i - 1074).
    limbs: [u128; 64],
}

impl Default for ExactSum {
    fn default() -> Self {
        Self { limbs: [0; 64] }
    }
}

impl ExactSum {
    /// Adds a finite value; one below 0 (a rounding of 0) counts as 0.
    pub(crate) fn add(&mut self, value: f64) {
        let bits = value.max(0.0).to_bits();
        // Subnormal numbers have the exponent of the least normal one, without its leading bit.
        let exponent = bits >> 52;
        let (mantissa, power) = match exponent {
            0 => (bits & MANTISSA, 0),
            e => (bits & MANTISSA | (MANTISSA + 1), e - 1),
        };
        if let Some(limb) = usize::try_from(power / 32)
            .ok()
            .and_then(|i| self.limbs.get_mut(i))
        {
            *limb += u128::from(mantissa) << (power % 32);
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (a, b) in self.limbs.iter_mut().zip(&other.limbs) {
            *a += b;
        }
    }

    /// The sum, from the smallest limb to the largest.
    #[allow(clippy::cast_precision_loss)] // Integers become doubles at the very end.
    pub(crate) fn value(&self) -> f64 {
        (0i32..)
            .zip(&self.limbs)
            .filter(|l| *l.1 > 0)
            .map(|(i, limb)| {
                // Two factors, because 2^-1074 has no reciprocal.
                let power = 32 * i - 1074;
                *limb as f64 * 2f64.powi(power / 2) * 2f64.powi(power - power / 2)
            })
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn neg_ln(q: f64) -> f64 {
        let mut sum = LogSum::default();
        sum.add(q);
        sum.value()
    }

    proptest! {
        #[test]
        fn unit_rounds_to_the_grid(p in 0.0f64..=1.0) {
            prop_assert!((unit(p) as f64 * UNIT_SCALE - p).abs() <= UNIT_SCALE / 2.0);
        }

        #[test]
        fn logarithm_agrees_with_the_library(x in 0.0f64..744.0, near in 0.0f64..1e-6) {
            // One unit of the grid for the polynomial, half of one for rounding, and two roundings of the result itself.
            for q in [(-x).exp(), (-x / 744.0).exp(), 1.0 - near] {
                if q > 0.0 {
                    let tolerance = 1.5 * UNIT_SCALE + 2.0 * f64::EPSILON * -q.ln();
                    prop_assert!((neg_ln(q) + q.ln()).abs() <= tolerance, "{q}: {} {}", neg_ln(q), -q.ln());
                }
            }
        }

        #[test]
        fn sums_in_blocks_and_one_by_one_have_the_same_bits(q in proptest::collection::vec(1e-300f64..=1.0, 1..1024)) {
            let (mut one, mut block, mut e, mut m) = (LogSum::default(), LogSum::default(), 0u64, 0u64);
            for &q in q.iter().rev() {
                one.add(q);
                let (x, y) = split_ln(q);
                (e, m) = (e.wrapping_add(x), m.wrapping_add(y));
            }
            block.add_split(q.len() as u64, e, m);
            prop_assert_eq!(one, block);
        }
    }

    proptest! {
        #[test]
        fn exact_sums_are_the_whole_numbers_they_count(v in proptest::collection::vec(0u64..1 << 53, 1..200), power in -1074i32..900) {
            let scale = 2f64.powi(power / 2) * 2f64.powi(power - power / 2);
            let (mut forward, mut back) = (ExactSum::default(), ExactSum::default());
            v.iter().for_each(|m| forward.add(*m as f64 * scale));
            v.iter().rev().for_each(|m| back.add(*m as f64 * scale));
            prop_assert_eq!(forward, back);
            let truth = v.iter().map(|m| u128::from(*m)).sum::<u128>() as f64 * scale;
            // Each limb is rounded once, and each addition of limbs.
            prop_assert!((forward.value() - truth).abs() <= 4.0 * f64::EPSILON * truth, "{} {truth}", forward.value());
        }

        #[test]
        fn exact_sums_of_parts_merge(v in proptest::collection::vec(any::<f64>().prop_map(f64::abs), 1..50), cut in any::<prop::sample::Index>()) {
            let v: Vec<f64> = v.into_iter().filter(|v| v.is_finite()).collect();
            let mut whole = ExactSum::default();
            v.iter().for_each(|x| whole.add(*x));
            let (mut a, mut b) = (ExactSum::default(), ExactSum::default());
            let at = cut.index(v.len() + 1);
            v[at..].iter().for_each(|x| a.add(*x));
            v[..at].iter().for_each(|x| b.add(*x));
            b.merge(&a);
            prop_assert_eq!(whole, b);
        }
    }

    #[test]
    fn terms_lost_by_floating_addition_are_kept() {
        let mut sum = ExactSum::default();
        sum.add(1e16);
        (0..1000).for_each(|_| sum.add(1.0));
        assert_eq!(sum.value(), 1e16 + 1000.0);
        let mut ends = ExactSum::default();
        for v in [f64::from_bits(1), -0.0, -1e-17] {
            ends.add(v);
        }
        assert_eq!(ends.value(), f64::from_bits(1));
        ends.add(f64::MAX);
        assert_eq!(ends.value(), f64::MAX);
    }

    #[test]
    fn ends_are_exact() {
        assert_eq!((unit(0.0), unit(1.0)), (0, 1 << 52));
        assert_eq!(neg_ln(1.0), 0.0);
        for q in [
            f64::from_bits(1),
            f64::MIN_POSITIVE,
            0.5,
            1.0 - f64::EPSILON / 2.0,
        ] {
            let truth = -q.ln();
            assert!(
                (neg_ln(q) - truth).abs() <= 1.5 * UNIT_SCALE + 2.0 * f64::EPSILON * truth,
                "{q}"
            );
        }
    }
}
