//! How numbers are written: one manner for the terminal, the report and the charts.
//!
//! ```
//! use hindsight_report::number;
//!
//! assert_eq!(number::fixed(-1234.5, 1), "-1,234.5");
//! assert_eq!(number::significant(0.012345, 3), "0.0123");
//! assert_eq!(number::short(26_326_242_449.0, 4), "26.33 B");
//! assert_eq!(number::percent(0.1234, 1), "12.3 %");
//! assert_eq!(number::interval(-1.0, 2000.0, 0), "[-1, 2,000]");
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
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if let Some(part) = part {
        text.push('.');
        text.push_str(part);
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

/// A large count in short: `85 M`, `26.33 B`, `3.961 T` with at most the given digits; below a million as [`significant`] has it.
#[must_use]
pub fn short(x: f64, digits: usize) -> String {
    let units = [(1e12, "T"), (1e9, "B"), (1e6, "M")];
    match units.iter().find(|u| x.abs() >= u.0) {
        Some((unit, letter)) if x.abs() < 1e15 => {
            let text = significant(x / unit, digits);
            let text = if text.contains('.') {
                text.trim_end_matches('0').trim_end_matches('.')
            } else {
                &text
            };
            format!("{text} {letter}")
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

/// The text with true minus signs before digits, for pages and charts; the terminal keeps the hyphen, which tools can read.
#[must_use]
pub fn typographic(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let opens = !before.is_alphanumeric() && before != '-' && before != ')';
        let minus = letter == '-'
            && opens
            && letters
                .peek()
                .is_some_and(|next| next.is_ascii_digit() || *next == '.');
        out.push(if minus { '\u{2212}' } else { letter });
        before = letter;
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
        assert_eq!(typographic("[-3, 4]"), "[\u{2212}3, 4]");
    }

    #[test]
    fn durations() {
        assert_eq!(duration(0.421), "0.42 s");
        assert_eq!(duration(200.2), "3 min 20 s");
        assert_eq!(percent(0.12345, 1), "12.3 %");
        assert_eq!(interval(-1.0, 2000.0, 0), "[-1, 2,000]");
    }
}
