//! Fixed-point values whose sums are exact, hence independent of order, shards and threads.
//!
//! A floating-point sum depends on the order of its terms, so two shardings of one log give two answers. Here each record's value
//! is rounded once to a fixed grid and summed as an integer: addition is then associative, and every split gives the same bits.

/// Grid of values in [0, 1]: multiples of 2^-52.
pub(crate) const UNIT_SCALE: f64 = 1.0 / 4_503_599_627_370_496.0;
/// Grid of negative logarithms: multiples of 2^-42.
pub(crate) const LOG_SCALE: f64 = 1.0 / 4_398_046_511_104.0;

const ONE_BITS: u64 = 0x3FF0_0000_0000_0000;
/// 2^10, whose unit in the last place is 2^-42; larger than any -ln of a positive double (745).
const LOG_MAGIC: f64 = 1024.0;
const SQRT_HALF_BITS: u64 = 0x3FE6_A09E_667F_3BCD;
const MANTISSA: u64 = (1 << 52) - 1;

/// `round(p * 2^52)` for p in [0, 1]: adding 1 moves p onto the grid of doubles in [1, 2].
#[inline(always)]
pub(crate) fn unit(p: f64) -> u64 {
    (1.0 + p).to_bits().wrapping_sub(ONE_BITS)
}

/// `-ln q` for a normal q in (0, 1].
///
/// With q = 2^e m, m in [sqrt(1/2), sqrt 2) and s = (m-1)/(m+1), ln m = 2 (s + s^3/3 + ... + s^19/19) + r. As |s| <= 0.1716, the
/// tail obeys |r| <= 2 |s|^21 / (21 (1 - s^2)) < 9e-18: below half a unit in the last place of every result above 1e-1, and far
/// below the grid of 2^-42.
#[inline(always)]
pub(crate) fn neg_ln_normal(q: f64) -> f64 {
    let shifted = q.to_bits().wrapping_add(ONE_BITS - SQRT_HALF_BITS);
    // The exponent as a double without a conversion instruction: 2^52 + k has k in its low bits.
    let e = f64::from_bits((shifted >> 52) | 0x4330_0000_0000_0000)
        - (4_503_599_627_370_496.0 + 1023.0);
    let m = f64::from_bits((shifted & MANTISSA) + SQRT_HALF_BITS);
    let f = m - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let z2 = z * z;
    let z4 = z2 * z2;
    // Estrin's scheme: short dependency chains.
    let a = (1.0 + z * (1.0 / 3.0)) + z2 * (1.0 / 5.0 + z * (1.0 / 7.0));
    let b = (1.0 / 9.0 + z * (1.0 / 11.0)) + z2 * (1.0 / 13.0 + z * (1.0 / 15.0));
    let c = 1.0 / 17.0 + z * (1.0 / 19.0);
    let series = a + z4 * (b + z4 * c);
    -(e * std::f64::consts::LN_2 + 2.0 * s * series)
}

/// `round(-ln q * 2^42)` for a normal q in (0, 1].
#[inline(always)]
pub(crate) fn neg_ln_fixed_normal(q: f64) -> u64 {
    (neg_ln_normal(q) + LOG_MAGIC)
        .to_bits()
        .wrapping_sub(LOG_MAGIC.to_bits())
}

/// `round(-ln q * 2^42)` for any q in (0, 1], subnormal ones included.
pub(crate) fn neg_ln_fixed(q: f64) -> u64 {
    if q >= f64::MIN_POSITIVE {
        neg_ln_fixed_normal(q)
    } else {
        let lifted = neg_ln_normal(q * 18_014_398_509_481_984.0) + 54.0 * std::f64::consts::LN_2;
        (lifted + LOG_MAGIC)
            .to_bits()
            .wrapping_sub(LOG_MAGIC.to_bits())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn unit_rounds_to_the_grid(p in 0.0f64..=1.0) {
            prop_assert!((unit(p) as f64 * UNIT_SCALE - p).abs() <= UNIT_SCALE / 2.0);
        }

        #[test]
        fn logarithm_agrees_with_the_library(x in 0.0f64..744.0) {
            let q = (-x).exp();
            if q > 0.0 {
                let ours = neg_ln_fixed(q) as f64 * LOG_SCALE;
                prop_assert!((ours + q.ln()).abs() <= LOG_SCALE, "{q}: {ours} {}", -q.ln());
            }
        }

        #[test]
        fn logarithm_near_one(d in 0.0f64..1e-6) {
            let q = 1.0 - d;
            prop_assert!((neg_ln_normal(q) + q.ln()).abs() <= 4.0 * f64::EPSILON * (-q.ln()));
        }
    }

    #[test]
    fn ends_are_exact() {
        assert_eq!((unit(0.0), unit(1.0)), (0, 1 << 52));
        assert_eq!(neg_ln_fixed(1.0), 0);
        let smallest = f64::from_bits(1);
        assert!(
            (neg_ln_fixed(smallest) as f64 * LOG_SCALE + smallest.ln()).abs() < 2.0 * LOG_SCALE
        );
    }
}
