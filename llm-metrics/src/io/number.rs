//! Decimal numbers, read exactly.

/// Powers of ten that are doubles.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];
const WHOLE_POWERS: [u64; 9] = [
    1,
    10,
    100,
    1_000,
    10_000,
    100_000,
    1_000_000,
    10_000_000,
    100_000_000,
];
/// Whole numbers up to here are doubles.
const EXACT: u64 = 1 << 53;
/// So many digits fit 64 bits whatever they are.
const DIGITS: usize = 19;

/// Returns the number that starts `bytes` and its length in bytes; `None` if no number of JSON's grammar starts there.
///
/// The token is the longest run of digits, signs, points and e: `01`, `.5`, `1.` and `1-2` are no numbers, whether they are read or skipped.
#[inline]
pub(super) fn number(bytes: &[u8]) -> Option<(f64, usize)> {
    simple(bytes).or_else(|| general(bytes))
}

#[cold]
fn general(bytes: &[u8]) -> Option<(f64, usize)> {
    let end = grammatical(bytes)?;
    let token = std::str::from_utf8(bytes.get(..end)?).ok()?;
    token.parse().ok().map(|v| (v, end))
}

/// The length of the number that starts `bytes`, by JSON's grammar.
pub(super) fn grammatical(bytes: &[u8]) -> Option<usize> {
    let digits = |from: usize| {
        bytes
            .get(from..)
            .map_or(0, |b| b.iter().take_while(|c| c.is_ascii_digit()).count())
    };
    let mut at = usize::from(bytes.first() == Some(&b'-'));
    let whole = digits(at);
    if whole == 0 || whole > 1 && bytes[at] == b'0' {
        return None;
    }
    at += whole;
    if bytes.get(at) == Some(&b'.') {
        let decimals = digits(at + 1);
        if decimals == 0 {
            return None;
        }
        at += 1 + decimals;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        at += 1 + usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        let power = digits(at);
        if power == 0 {
            return None;
        }
        at += power;
    }
    (at == token_end(bytes)).then_some(at)
}

/// The end of the run of bytes that numbers are made of.
#[inline]
fn token_end(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .take_while(|b| matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
        .count()
}

/// A number whose digits make a whole number up to 2^53 and whose power of ten is at most 22 either way: both are doubles, so that one
/// product or quotient, rounded once, is right. Everything else is left to the standard library.
#[inline(always)]
fn simple(bytes: &[u8]) -> Option<(f64, usize)> {
    let negative = bytes.first() == Some(&b'-');
    let mut at = usize::from(negative);
    let mut whole = 0u64;
    let first = at;
    while let Some(d @ b'0'..=b'9') = bytes.get(at) {
        whole = whole.wrapping_mul(10).wrapping_add(u64::from(d - b'0'));
        at += 1;
    }
    let mut digits = at - first;
    if digits == 0 || digits > DIGITS || (digits > 1 && bytes.get(first) == Some(&b'0')) {
        return None;
    }
    let mut decimals = 0;
    if bytes.get(at) == Some(&b'.') {
        at += 1;
        let (value, count) = fraction(whole, bytes.get(at..)?)?;
        (whole, decimals) = (value, count);
        (at, digits) = (at + count, digits + count);
        if count == 0 || digits > DIGITS {
            return None;
        }
    }
    let mut power = 0i32;
    if let Some(b'e' | b'E') = bytes.get(at) {
        let sign = bytes.get(at + 1).copied();
        at += 1 + usize::from(matches!(sign, Some(b'-' | b'+')));
        let first = at;
        while let Some(d @ b'0'..=b'9') = bytes.get(at) {
            power = power * 10 + i32::from(d - b'0');
            at += 1;
            if at > first + 3 {
                return None;
            }
        }
        if at == first {
            return None;
        }
        if sign == Some(b'-') {
            power = -power;
        }
    }
    if whole > EXACT || matches!(bytes.get(at), Some(b'e' | b'E' | b'+' | b'-' | b'.')) {
        return None;
    }
    power -= i32::try_from(decimals).ok()?;
    let scale = *POWERS.get(usize::try_from(power.unsigned_abs()).ok()?)?;
    #[allow(clippy::cast_precision_loss)] // At most 2^53.
    let value = if power < 0 {
        whole as f64 / scale
    } else {
        whole as f64 * scale
    };
    Some((if negative { -value } else { value }, at))
}

/// `whole` followed by the digits that start `bytes`, and how many these are; `None` if they are more than 24. The value wraps around
/// beyond [`DIGITS`].
#[inline]
fn fraction(mut whole: u64, bytes: &[u8]) -> Option<(u64, usize)> {
    let mut at = 0;
    while let Some(eight) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let (value, count) = eight_digits(u64::from_le_bytes(*eight));
        whole = whole.wrapping_mul(WHOLE_POWERS[count]).wrapping_add(value);
        at += count;
        if count < 8 {
            return Some((whole, at));
        }
        if at > 16 {
            return None;
        }
    }
    while let Some(d @ b'0'..=b'9') = bytes.get(at) {
        whole = whole.wrapping_mul(10).wrapping_add(u64::from(d - b'0'));
        at += 1;
    }
    Some((whole, at))
}

/// The value of the digits that start eight bytes (the first byte lowest), and how many these are: all at once, without a loop.
#[inline(always)]
fn eight_digits(word: u64) -> (u64, usize) {
    // Digits become 0 to 9; every other byte gets its high bit set, and a carry can reach later bytes only.
    let values = word ^ 0x3030_3030_3030_3030;
    let others = (values.wrapping_add(0x7676_7676_7676_7676) | values) & 0x8080_8080_8080_8080;
    let count = others.trailing_zeros() as usize / 8;
    if count == 0 {
        return (0, 0);
    }
    // Zeros in front, then pairs, fours and the whole.
    let values = values << (64 - 8 * count);
    let pairs = values.wrapping_mul(10).wrapping_add(values >> 8);
    let high = (pairs & 0x0000_00FF_0000_00FF).wrapping_mul(0x000F_4240_0000_0064);
    let low = ((pairs >> 16) & 0x0000_00FF_0000_00FF).wrapping_mul(0x0000_2710_0000_0001);
    (high.wrapping_add(low) >> 32, count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, tail: &str) {
        let line = format!("{text}{tail}");
        let (value, length) = number(line.as_bytes()).unwrap_or_else(|| panic!("{line}"));
        assert_eq!(length, text.len(), "{line}");
        assert_eq!(
            value.to_bits(),
            text.parse::<f64>().unwrap().to_bits(),
            "{line}"
        );
    }

    proptest! {
        #[test]
        fn numbers_are_the_standard_librarys_to_the_last_bit(
            whole in -99_999_999i64..99_999_999, decimals in 0usize..20, v in any::<f64>(), u in 0.0f64..1.0, power in -30i32..30,
            tail in "[,} ][ -~]{0,12}|",
        ) {
            let texts = [
                format!("{whole}"), format!("{:.decimals$}", whole as f64 / 977.0), format!("{v:?}"), format!("{v:e}"),
                format!("{:.3e}", whole as f64), format!("{u}"), format!("{u:.decimals$}"), format!("{whole}e{power}"),
                format!("{u:.decimals$}E{power:+}"), format!("{:.1}", whole as f64 * 1e11),
            ];
            for text in texts.iter().filter(|t| !t.contains("inf") && !t.contains("NaN")) {
                check(text, &tail);
            }
        }

        #[test]
        fn any_bytes_are_judged_by_the_grammar_of_json(text in "[0-9+.eE-]{0,28}", tail in "[,} x]?[0-9]{0,9}") {
            let tail = if tail.starts_with(|c: char| c.is_ascii_digit()) { String::new() } else { tail };
            let grammatical = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            let expected = text.parse::<f64>().ok().filter(|_| grammatical);
            let ours = number(format!("{text}{tail}").as_bytes());
            prop_assert_eq!(ours.map(|(v, n)| (v.to_bits(), n)), expected.map(|v| (v.to_bits(), text.len())), "{}", text);
        }
    }

    #[test]
    fn what_json_does_not_write_is_no_number() {
        for text in [
            ".5", "01", "00012.5", "1-2e+", "1.", "-", "-.5", "+1", "1e", "1e+", "0x1", "1..2",
        ] {
            assert!(number(text.as_bytes()).is_none() || text == "0x1", "{text}");
            // Read or skipped, the line is judged alike.
            for field in ["a", "b"] {
                let line = format!("{{\"a\":{text}}}\n");
                let mut rows = super::super::Rows::new(line.as_bytes(), &[field]);
                assert!(
                    rows.as_mut().is_err() || rows.unwrap().next_row().is_err(),
                    "{text} {field}"
                );
            }
        }
    }

    #[test]
    fn ends_of_the_fast_path_are_exact() {
        for text in [
            "9007199254740992",
            "9007199254740993",
            "0.9007199254740993",
            "9007199254740993e22",
            "1e22",
            "1e23",
            "1e-22",
            "1e-23",
            "123456789012345678901234567890",
            "0.000000000000000000000001",
            "0.12345678901234567890123456",
            "-0",
            "-0.0",
            "0e0",
            "1e400",
            "1e-400",
            "5e-324",
            "0.1e1",
            "99999999999999999999",
        ] {
            check(text, ",");
            check(text, "");
        }
    }
}
