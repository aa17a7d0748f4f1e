//! Records from plain values, if nothing about them needs a second look. The rest is read again, field by field, by the reader, which words
//! the errors.

use super::layout::{Scalar, Scalars};
use super::record::Record;
use super::row::{Cell, parse_class};
use super::schema::{FIRST, GROUP, SECOND};
use crate::calibration::check_logits;
use crate::calibration::check_probabilities;

/// A binary record and the key of its group.
#[inline]
pub(super) fn binary(values: &Scalars, grouped: bool) -> Option<(Record<'static>, Option<u64>)> {
    let Scalar::Number(confidence) = values.get(FIRST) else {
        return None;
    };
    let correct = match values.get(SECOND) {
        Scalar::Bool(b) => b,
        Scalar::Number(0.0) => false,
        Scalar::Number(1.0) => true,
        _ => return None,
    };
    let group = group(values, grouped)?;
    (0.0..=1.0)
        .contains(&confidence)
        .then_some((Record::Binary(confidence, correct), group))
}

/// A record of a distribution with as many classes as `before`, their number, and the key of its group.
#[inline]
pub(super) fn distribution<'a>(
    values: &Scalars,
    numbers: &'a [f64],
    logits: bool,
    before: Option<usize>,
    grouped: bool,
) -> Option<(Record<'a>, usize, Option<u64>)> {
    let Scalar::Numbers(start, end) = values.get(FIRST) else {
        return None;
    };
    let Scalar::Number(label) = values.get(SECOND) else {
        return None;
    };
    let row = numbers.get(start..end)?;
    let label = parse_class(&Cell::Number(label))?;
    if row.len() < 2 || label >= row.len() || before.is_some_and(|n| n != row.len()) {
        return None;
    }
    let record = if logits {
        check_logits(0, row).ok()?;
        Record::Logits(row, label)
    } else {
        check_probabilities(0, row).ok()?;
        Record::Probabilities(row, label)
    };
    Some((record, row.len(), group(values, grouped)?))
}

/// The key of a record's group.
#[inline]
fn group(values: &Scalars, grouped: bool) -> Option<Option<u64>> {
    match values.get(GROUP) {
        Scalar::Number(v) => Some(Some(v.to_bits())),
        Scalar::Missing if !grouped => Some(None),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{CalibrationReader, Fields, ReadError};
    use super::*;
    use proptest::prelude::*;

    type Owned = (Vec<u64>, usize, Option<u64>);

    /// The records after the first, and the error that ends them, if one does.
    fn read(log: &[u8], fields: &Fields) -> (Vec<Owned>, Option<String>) {
        let mut out = vec![];
        let mut all = || -> Result<(), ReadError> {
            let mut reader = CalibrationReader::new(log, fields)?;
            let bits = |v: &[f64]| v.iter().map(|v| v.to_bits()).collect();
            while reader.next_record(|r, g| {
                out.push(match r {
                    Record::Binary(c, y) => (bits(&[*c]), usize::from(*y), g),
                    Record::Probabilities(v, l) | Record::Logits(v, l) => (bits(v), *l, g),
                });
            })? {}
            Ok(())
        };
        let error = all().err().map(|e| e.to_string());
        out.drain(..1.min(out.len()));
        (out, error)
    }

    fn number() -> impl Strategy<Value = String> {
        prop_oneof![
            12 => (0.0f64..1.0).prop_map(|v| format!("{v:.4}")), 2 => (-40.0f64..0.0).prop_map(|v| v.to_string()),
            1 => Just("NaN".to_owned()), 1 => Just("-1e999".to_owned()), 1 => Just("1e999".to_owned()), 1 => Just("\"0.5\"".to_owned()),
            1 => Just("null".to_owned()), 1 => Just("[0.5]".to_owned()),
        ]
    }

    /// Three classes most often, whose probabilities sum to 1 most often.
    fn array() -> impl Strategy<Value = String> {
        prop_oneof![
            8 => (0.0f64..1.0, 0.0f64..1.0).prop_map(|(a, b)| format!("[{:.4}, {:.4}, {:.4}]", a * b, a * (1.0 - b), 1.0 - a)),
            3 => proptest::collection::vec(number(), 3).prop_map(|v| format!("[{}]", v.join(", "))),
            1 => proptest::collection::vec(number(), 0..5).prop_map(|v| format!("[{}]", v.join(","))),
        ]
    }

    fn label() -> impl Strategy<Value = String> {
        prop_oneof![
            12 => (0u32..3).prop_map(|v| v.to_string()), 1 => (0u32..9).prop_map(|v| v.to_string()), 1 => Just("-1".to_owned()),
            1 => Just("0.5".to_owned()), 1 => Just("true".to_owned()), 1 => Just("\"B\"".to_owned()), 1 => Just("null".to_owned()),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1500))]

        /// A first line with a nested array keeps the reader from looking for layouts: the lines after it are scanned. After a plain one
        /// they are read by their layout wherever they keep to it. Records and errors, with their lines, must be the same.
        #[test]
        fn layouts_and_scanner_give_the_same_records_and_errors(
            lines in proptest::collection::vec((array(), label(), 0u32..99), 1..6), logits in any::<bool>(), grouped in any::<bool>(),
            damage in proptest::option::of((any::<prop::sample::Index>(), prop_oneof![any::<u8>(), Just(b'"'), Just(b']'), Just(b','), Just(b'\n'), Just(b' ')])),
            cut in proptest::option::weighted(0.2, any::<prop::sample::Index>()),
        ) {
            let name = if logits { "logits" } else { "probs" };
            let line = |array: &str, label: &str, doc: u32, extra: &str| {
                format!("{{\"id\": [{doc}, \"a\"], \"{name}\": {array}, \"label\": {label}, \"doc\": {doc}{extra}}}\n")
            };
            let mut rest = lines.iter().map(|(a, l, d)| line(a, l, *d, "")).collect::<String>().into_bytes();
            if let Some((at, byte)) = damage {
                let at = at.index(rest.len());
                rest[at] = byte;
            }
            if let Some(at) = cut {
                rest.truncate(at.index(rest.len()));
            }
            let fields = Fields { group: grouped.then(|| "doc".to_owned()), ..Fields::default() };
            let good = "[0.25, 0.25, 0.5]";
            let fast = read(&[line(good, "1", 7, "").as_bytes(), &rest].concat(), &fields);
            let slow = read(&[line(good, "1", 7, ", \"x\": [[1]]").as_bytes(), &rest].concat(), &fields);
            prop_assert_eq!(fast, slow, "{}", String::from_utf8_lossy(&rest));
        }
    }
}
