//! How numbers are written: one manner for the terminal, the report and the charts.
//!
//! ```
//! use hindsight_report::number;
//!
//! assert_eq!(number::fixed(-1234.5, 1), "-1,234.5");
//! assert_eq!(number::count(5000), "5,000");
//! assert_eq!(number::significant(0.012345, 3), "0.0123");
//! assert_eq!(number::plain(0.25, 4), "0.25");
//! assert_eq!(number::short(26_326_242_449.0, 4), "26.33 B");
//! assert_eq!(number::percent(0.1234, 1), "12.3 %");
//! assert_eq!(number::interval(-1.0, 2000.0, 0), "[-1, 2,000]");
//! assert_eq!(number::plus_minus(0.016_449, 0.000_74), "0.01645 ± 0.00074");
//! assert_eq!(number::duration(200.2), "3 min 20 s");
//! assert_eq!(number::typographic("-3"), "\u{2212}3"); // for pages and charts
//! ```

/// The number with `decimals` digits after the point and commas between thousands; `n/a` for NaN.
#[must_use]
pub fn fixed(x: f64, decimals: usize) -> String {
    if x.is_nan() {
        return "n/a".to_owned();
    }
    if x.is_infinite() {
        return if x > 0.0 {
            "inf".to_owned()
        } else {
            "-inf".to_owned()
        };
    }
    let digits = format!("{:.decimals$}", x.abs());
    let (whole, part) = digits
        .split_once('.')
        .map_or((digits.as_str(), None), |(whole, part)| (whole, Some(part)));
    let mut text = String::new();
    // No "-0.0": the sign goes when every digit is zero.
    if x < 0.0 && digits.bytes().any(|b| (b'1'..=b'9').contains(&b)) {
        text.push('-');
    }
    text.push_str(&grouped(whole));
    if let Some(part) = part {
        text.push('.');
        text.push_str(part);
    }
    text
}

/// A whole number with commas between thousands.
#[must_use]
pub fn count(n: usize) -> String {
    grouped(&n.to_string())
}

fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The number with at least `digits` significant digits (all digits of the whole part are kept); very large and very small
/// numbers in powers of ten.
#[must_use]
pub fn significant(x: f64, digits: usize) -> String {
    if x.is_nan() || x.is_infinite() {
        return fixed(x, 0);
    }
    let magnitude = x.abs();
    if magnitude > 0.0 && !(1e-5..1e12).contains(&magnitude) {
        return format!("{:.*e}", digits.saturating_sub(1), x);
    }
    // A power of ten below 12 in size.
    #[allow(clippy::cast_possible_truncation)]
    let power = if magnitude > 0.0 {
        magnitude.log10().floor() as i64
    } else {
        0
    };
    let wanted = i64::try_from(digits)
        .unwrap_or(i64::MAX)
        .saturating_sub(1)
        .saturating_sub(power);
    fixed(x, usize::try_from(wanted.max(0)).unwrap_or(0))
}

/// As [`significant`], without zeros at the end that say nothing: for exact numbers.
#[must_use]
pub fn plain(x: f64, digits: usize) -> String {
    let text = significant(x, digits);
    if text.contains('.') && !text.contains('e') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// A large count in short: `85 M`, `26.33 B`, `3.961 T` with at most the given digits; below a million as [`significant`] has it.
#[must_use]
pub fn short(x: f64, digits: usize) -> String {
    let units = [(1e12, "T"), (1e9, "B"), (1e6, "M")];
    match units.iter().find(|u| x.abs() >= u.0) {
        Some((unit, letter)) if x.abs() < 1e15 => {
            format!("{} {letter}", plain(x / unit, digits))
        }
        _ => significant(x, digits),
    }
}

/// The share `x` in per cent.
#[must_use]
pub fn percent(x: f64, decimals: usize) -> String {
    if x.is_finite() {
        format!("{} %", fixed(100.0 * x, decimals))
    } else {
        fixed(x, 0)
    }
}

/// An interval, `[lo, hi]`.
#[must_use]
pub fn interval(lo: f64, hi: f64, decimals: usize) -> String {
    format!("[{}, {}]", fixed(lo, decimals), fixed(hi, decimals))
}

/// A value with its interval, `value [lo, hi]`.
#[must_use]
pub fn with_interval(value: f64, (lo, hi): (f64, f64), decimals: usize) -> String {
    format!("{} {}", fixed(value, decimals), interval(lo, hi, decimals))
}

/// Items as a sentence names them: `a, b and c`; `none` where there is none.
///
/// ```
/// use hindsight_report::number::list;
/// assert_eq!(list(&["tea".to_owned(), "coffee".to_owned()]), "tea and coffee");
/// ```
#[must_use]
pub fn list(items: &[String]) -> String {
    match items {
        [] => "none".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Words at the beginning of a sentence or an axis: the first letter is a capital.
///
/// ```
/// use hindsight_report::number::{capital, uncapital};
///
/// assert_eq!(capital("weeks since the order"), "Weeks since the order");
/// assert_eq!(uncapital("No such file"), "no such file");
/// ```
#[must_use]
pub fn capital(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
}

/// Words that go on after a colon: the first letter is small.
#[must_use]
pub fn uncapital(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(char::to_lowercase);
    first.into_iter().flatten().chain(letters).collect()
}

/// A mean with half the width of its interval, which has two digits; the mean ends where it does.
#[must_use]
pub fn plus_minus(mean: f64, half: f64) -> String {
    if !(half > 0.0 && half.is_finite()) {
        return format!("{} ± {}", significant(mean, 4), fixed(half, 0));
    }
    let decimals = (0..12_u8).find(|digits| f64::from(*digits) >= 1.0 - half.log10().floor());
    let decimals = usize::from(decimals.unwrap_or(12));
    format!("{} ± {}", fixed(mean, decimals), fixed(half, decimals))
}

/// How many digits after the point a number is worth whose interval has this width: two or three digits of the width, at most nine.
///
/// ```
/// use hindsight_report::number;
/// assert_eq!([0.034, 0.34, 3.4, 34.0, 0.0].map(number::decimals), [3, 2, 1, 0, 4]);
/// ```
#[must_use]
pub fn decimals(width: f64) -> usize {
    if !(width > 0.0 && width.is_finite()) {
        return 4;
    }
    let wanted = 1.0 - width.log10().floor();
    (0..9)
        .find(|digits| f64::from(*digits) >= wanted)
        .unwrap_or(9) as usize
}

/// A duration in seconds as people say it: `0.42 s`, `12.3 s`, `3 min 20 s`.
#[must_use]
pub fn duration(seconds: f64) -> String {
    if seconds < 10.0 {
        format!("{seconds:.2} s")
    } else if seconds < 90.0 {
        format!("{seconds:.1} s")
    } else {
        let whole = seconds.round();
        format!("{:.0} min {:.0} s", (whole / 60.0).floor(), whole % 60.0)
    }
}

/// The text with true minus signs before digits and in powers of ten (`1.4e-10`), and with spaces that do not break before a per cent sign and around a plus-minus: for pages and charts. The
/// terminal keeps the hyphen, which tools can read.
#[must_use]
pub fn typographic(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut second, mut before) = (' ', ' ');
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let power = before == 'e' && second.is_ascii_digit();
        let opens = power || !before.is_alphanumeric() && before != '-' && before != ')';
        let minus = letter == '-'
            && opens
            && letters
                .peek()
                .is_some_and(|next| next.is_ascii_digit() || *next == '.');
        let held = letter == ' '
            && (before == '±' || letters.peek().is_some_and(|next| "%±".contains(*next)));
        out.push(match letter {
            _ if minus => '\u{2212}',
            _ if held => '\u{a0}',
            letter => letter,
        });
        (second, before) = (before, letter);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_signs_and_edges() {
        assert_eq!(fixed(1_234_567.891, 2), "1,234,567.89");
        assert_eq!(fixed(-123.0, 0), "-123");
        assert_eq!(fixed(-0.04, 1), "0.0");
        assert_eq!(fixed(999.96, 1), "1,000.0");
        assert_eq!(fixed(f64::NAN, 3), "n/a");
        assert_eq!(fixed(f64::NEG_INFINITY, 3), "-inf");
    }

    #[test]
    fn significant_digits_follow_the_size() {
        assert_eq!(significant(0.012_345, 3), "0.0123");
        assert_eq!(significant(12.345, 3), "12.3");
        assert_eq!(significant(12_345.6, 3), "12,346");
        assert_eq!(significant(0.0, 3), "0.00");
        assert_eq!(significant(1.5e-9, 3), "1.50e-9");
        assert_eq!(short(85e6, 4), "85 M");
        assert_eq!(short(26_326_242_449.0, 4), "26.33 B");
        assert_eq!(short(3.9614e12, 4), "3.961 T");
        assert_eq!(short(120e9, 4), "120 B");
        assert_eq!(short(999_900.0, 4), "999,900");
        assert_eq!(short(2e20, 3), "2.00e20");
    }

    #[test]
    fn only_signs_become_minus_signs() {
        assert_eq!(
            typographic("-3 to -.5, brand-3, 2026-01-02"),
            "\u{2212}3 to \u{2212}.5, brand-3, 2026-01-02"
        );
        assert_eq!(typographic("1.4e-10, size-3"), "1.4e\u{2212}10, size-3");
        assert_eq!(typographic("[-3, 4]"), "[\u{2212}3, 4]");
        assert_eq!(typographic("1 ± 2, 3 %"), "1\u{a0}±\u{a0}2, 3\u{a0}%");
    }

    #[test]
    fn durations() {
        assert_eq!(duration(0.421), "0.42 s");
        assert_eq!(duration(200.2), "3 min 20 s");
        assert_eq!(percent(0.12345, 1), "12.3 %");
        assert_eq!(plus_minus(0.6162, 0.008), "0.6162 ± 0.0080");
        assert_eq!(plus_minus(-1234.4, 310.0), "-1,234 ± 310");
        assert_eq!(plus_minus(0.5, 0.0), "0.5000 ± 0");
        assert_eq!(interval(-1.0, 2000.0, 0), "[-1, 2,000]");
    }
}
