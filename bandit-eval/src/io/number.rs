//! Decimal numbers, read exactly.

const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// The number that starts `bytes` and its length, where it has at most 15 digits and no exponent: mantissa and power of ten are then doubles,
/// and one rounding is right.
#[inline(always)]
pub(super) fn simple(bytes: &[u8]) -> Option<(f64, usize)> {
    let negative = bytes.first() == Some(&b'-');
    let mut at = usize::from(negative);
    let start = at;
    let mut mantissa = 0_u64;
    let mut point = None;
    while let Some(&byte) = bytes.get(at) {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit));
        } else if byte == b'.' && point.is_none() {
            point = Some(at);
        } else {
            break;
        }
        at += 1;
        if at - start > 16 {
            return None;
        }
    }
    let digits = at - start - usize::from(point.is_some());
    if digits == 0 || digits > 15 {
        return None;
    }
    let decimals = point.map_or(0, |point| at - point - 1);
    #[allow(clippy::cast_precision_loss, reason = "at most 15 digits")]
    let value = mantissa as f64 / POWERS[decimals];
    Some((if negative { -value } else { value }, at))
}

/// The number that the whole cell is; infinite ones and NaN are numbers here, and refused where they have no sense.
#[cold]
pub(super) fn general(cell: &[u8]) -> Option<f64> {
    std::str::from_utf8(cell).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn as_the_standard_library_reads(text in "-?[0-9]{0,17}(\\.[0-9]{0,17})?") {
            let whole = simple(text.as_bytes()).filter(|(_, length)| *length == text.len());
            if let Some((value, _)) = whole {
                prop_assert_eq!(value.to_bits(), text.parse::<f64>().unwrap().to_bits());
            }
        }
    }

    #[test]
    fn lengths_and_edges() {
        assert_eq!(simple(b"0.25,7"), Some((0.25, 4)));
        assert_eq!(simple(b"-3"), Some((-3.0, 2)));
        assert_eq!(simple(b"1.2.3"), Some((1.2, 3)));
        for none in [&b""[..], b"-", b".", b"x", b"1234567890123456"] {
            assert_eq!(simple(none), None);
        }
        assert_eq!(general(b" 1e-3 "), Some(1e-3));
        assert_eq!(general(b"one"), None);
    }
}
