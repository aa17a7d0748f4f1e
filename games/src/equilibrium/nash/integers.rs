//! Payoffs as whole numbers, so that ties are ties.
//!
//! A player's payoffs are first put in units of their spread. When every one lies within rounding of a fraction with a small denominator, the
//! fractions are taken: the game was degenerate before units or a decimal point blurred it. Otherwise the numbers are taken exactly as they are stored.

use num_bigint::BigInt;

/// Largest denominator of a fraction that payoffs are taken for.
const DENOMINATOR: i64 = 1_000_000;
/// Largest common denominator of all payoffs of a player.
const COMMON: i64 = 1 << 40;

/// Positive whole numbers in the order of the payoffs: an increasing affine map of `payoffs`.
pub(super) fn whole(payoffs: &[f64]) -> Vec<BigInt> {
    fractions(payoffs).unwrap_or_else(|| stored(payoffs))
}

/// The payoffs as multiples of one common fraction of their spread, plus 1.
fn fractions(payoffs: &[f64]) -> Option<Vec<BigInt>> {
    let (low, high) = payoffs
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &u| {
            (l.min(u), h.max(u))
        });
    let spread = high - low;
    if spread <= 0.0 {
        return Some(vec![BigInt::from(1); payoffs.len()]);
    }
    if !spread.is_finite() {
        return None;
    }
    let rounding = 4.0 * f64::EPSILON * (1.0 + low.abs().max(high.abs()) / spread);
    let found: Vec<(i64, i64)> = payoffs
        .iter()
        .map(|u| simplest((u - low) / spread, rounding))
        .collect::<Option<_>>()?;
    // Beside a penalty small payoffs may fall within rounding of each other without being so.
    let mut order: Vec<usize> = (0..payoffs.len()).collect();
    order.sort_by(|&a, &b| payoffs[a].total_cmp(&payoffs[b]));
    let merged = order.windows(2).any(|pair| {
        let (a, b) = (payoffs[pair[0]], payoffs[pair[1]]);
        found[pair[0]] == found[pair[1]] && b - a > 16.0 * f64::EPSILON * a.abs().max(b.abs())
    });
    if merged {
        return None;
    }
    let mut common = 1i64;
    for &(_, q) in &found {
        common = common.checked_mul(q / gcd(common, q))?;
        if common > COMMON {
            return None;
        }
    }
    Some(
        found
            .into_iter()
            .map(|(p, q)| BigInt::from(p * (common / q)) + 1)
            .collect(),
    )
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The fraction with the smallest denominator within `tolerance` of `value` in $[0,1]$, by continued fractions.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)] // whole numbers up to 1e6
fn simplest(value: f64, tolerance: f64) -> Option<(i64, i64)> {
    let (mut before, mut now) = ((0i64, 1i64), (1i64, 0i64));
    let mut rest = value;
    loop {
        let whole = rest.floor();
        if whole > DENOMINATOR as f64 {
            return None;
        }
        let a = whole as i64;
        let next = (a * now.0 + before.0, a * now.1 + before.1);
        if next.1 > DENOMINATOR {
            return None;
        }
        if (value - next.0 as f64 / next.1 as f64).abs() <= tolerance {
            return Some(next);
        }
        (before, now) = (now, next);
        rest = 1.0 / (rest - whole);
    }
}

/// The numbers exactly as stored, less the least of them, in units of the finest bit, plus 1.
fn stored(payoffs: &[f64]) -> Vec<BigInt> {
    let parts: Vec<(i64, i32)> = payoffs.iter().map(|u| split(*u)).collect();
    let finest = parts
        .iter()
        .filter(|(m, _)| *m != 0)
        .map(|(_, e)| *e)
        .min()
        .unwrap_or(0);
    let all: Vec<BigInt> = parts
        .into_iter()
        .map(|(m, e)| {
            let shift = if m == 0 { 0 } else { e - finest };
            BigInt::from(m) << u32::try_from(shift).unwrap_or(0)
        })
        .collect();
    let low = all.iter().min().cloned().unwrap_or_default();
    all.into_iter().map(|u| u - &low + 1).collect()
}

/// Mantissa and exponent: `m * 2^e`, with `m` odd or zero.
fn split(value: f64) -> (i64, i32) {
    let bits = value.to_bits();
    let exponent = i32::try_from(bits >> 52 & 0x7ff).unwrap_or(0);
    let fraction = i64::try_from(bits & ((1 << 52) - 1)).unwrap_or(0);
    let (mut mantissa, mut exponent) = if exponent == 0 {
        (fraction, -1074)
    } else {
        (fraction | 1 << 52, exponent - 1075)
    };
    if mantissa == 0 {
        return (0, 0);
    }
    let zeros = mantissa.trailing_zeros();
    mantissa >>= zeros;
    exponent += i32::try_from(zeros).unwrap_or(0);
    (if value < 0.0 { -mantissa } else { mantissa }, exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small(payoffs: &[f64]) -> Vec<i64> {
        whole(payoffs)
            .iter()
            .map(|v| i64::try_from(v).unwrap_or(i64::MAX))
            .collect()
    }

    #[test]
    fn units_and_decimal_points_do_not_blur_ties() {
        let third = |u: f64| u / 3.0 - 7.0 / 3.0;
        assert_eq!(small(&[0.0, 1.0, 3.0, 2.0]), [1, 2, 4, 3]);
        assert_eq!(small(&[0.0, 1.0, 3.0, 2.0].map(third)), [1, 2, 4, 3]);
        assert_eq!(small(&[0.1 + 0.2, 0.3, 0.0, 0.9]), [2, 2, 1, 4]);
        assert_eq!(small(&[5.0, 5.0]), [1, 1]);
    }

    #[test]
    fn other_numbers_are_taken_exactly() {
        assert_eq!(small(&[3.0, -1e9, 5.0]), [1_000_000_004, 1, 1_000_000_006]);
        let fine = whole(&[0.0, std::f64::consts::PI, 1e300]);
        assert!(fine[0] < fine[1] && fine[1] < fine[2]);
        assert_eq!(split(-0.75), (-3, -2));
        assert_eq!(split(f64::MIN_POSITIVE / 4.0).1, -1024);
    }
}
