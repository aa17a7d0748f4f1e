//! The layouts of the last JSON lines, tried on the next one before it is scanned.
//!
//! A program writes its log with one print statement, so that lines differ in their values alone. Between the values lie the same bytes:
//! brackets, keys, colons, commas. A line that repeats them, with values of the plain kinds between, is valid and has the same fields.
//! An array of plain values is one value, of any length. Whatever differs is left to the scanner, which also words all errors.

use super::layout::{FIELDS, Layout, Scalars};
use super::spans::{Slot, Spans};

/// More values than this are not worth a try.
const SLOTS: usize = 32;

/// How many lines without a shape are read before the next attempt to find one.
const RETRY_AFTER: u32 = 256;

/// So many layouts are remembered: an optional field or two.
const LAYOUTS: usize = 4;

/// The layouts met last.
#[derive(Debug, Default)]
pub(super) struct Shape {
    layouts: [Layout; LAYOUTS],
    /// The one that fitted last, and is tried first.
    last: usize,
    /// The one to be forgotten next.
    oldest: usize,
    wait: u32,
    spans: Spans,
    /// The numbers of the arrays of the line read last.
    numbers: Vec<f64>,
}

impl Shape {
    /// Where the scanner should note the values of the next line, if that is worth while.
    pub(super) fn spans(&mut self) -> Option<&mut Spans> {
        if self.wait > 0 {
            self.wait -= 1;
            return None;
        }
        self.spans.slots.clear();
        self.spans.irregular = false;
        Some(&mut self.spans)
    }

    /// Takes the layout of a valid line from its spans.
    pub(super) fn learn(&mut self, line: &[u8]) {
        let slots = &self.spans.slots;
        let fit = |s: &Slot| s.field.is_none_or(|f| f < FIELDS);
        if self.spans.irregular || slots.is_empty() || slots.len() > SLOTS || !slots.iter().all(fit)
        {
            self.wait = RETRY_AFTER;
            return;
        }
        let layout = Layout::new(line, slots);
        // A line of a known layout that was left to the scanner for one of its values adds nothing.
        if !self.layouts.contains(&layout) {
            self.last = self.oldest;
            self.layouts[self.last] = layout;
            self.oldest = (self.oldest + 1) % LAYOUTS;
        }
    }

    /// Reads the line that starts `bytes` into empty `scalars` if it has a known layout and ends in them, and returns its length with the
    /// line feed.
    #[inline]
    pub(super) fn read(&mut self, bytes: &[u8], scalars: &mut Scalars) -> Option<usize> {
        self.numbers.clear();
        match self.layouts[self.last].read(bytes, scalars, &mut self.numbers) {
            None => self.read_others(bytes, scalars),
            length => length,
        }
    }

    /// The numbers of the arrays of the line read last.
    pub(super) fn numbers(&self) -> &[f64] {
        &self.numbers
    }

    #[cold]
    fn read_others(&mut self, bytes: &[u8], scalars: &mut Scalars) -> Option<usize> {
        for (i, layout) in self.layouts.iter().enumerate() {
            if i != self.last {
                *scalars = Scalars::default();
                self.numbers.clear();
                if let Some(length) = layout.read(bytes, scalars, &mut self.numbers) {
                    self.last = i;
                    return Some(length);
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::json::{Paths, scan};
    use super::super::layout::Scalar;
    use super::super::row::{Cell, Row};
    use super::*;
    use proptest::prelude::*;

    const WANTED: [&str; 5] = ["conf", "correct", "meta.group", "none", "probs"];

    /// A cell, with the bits of its numbers.
    type Plain = Option<(Scalar, Vec<u64>)>;

    fn bits(numbers: Option<&[f64]>) -> Vec<u64> {
        numbers
            .unwrap_or_default()
            .iter()
            .map(|v| v.to_bits())
            .collect()
    }

    fn scanned_value(row: &Row, field: usize) -> Plain {
        let scalar = match row.cell(field) {
            Cell::Missing => Scalar::Missing,
            Cell::Number(v) => Scalar::Number(*v),
            Cell::Bool(b) => Scalar::Bool(*b),
            Cell::Numbers(..) => Scalar::Numbers(0, 0),
            _ => return None,
        };
        Some((scalar, bits(row.numbers(field))))
    }

    fn shaped_value(shape: &Shape, scalars: &Scalars, field: usize) -> Plain {
        Some(match scalars.get(field) {
            Scalar::Numbers(start, end) => {
                (Scalar::Numbers(0, 0), bits(shape.numbers().get(start..end)))
            }
            other => (other, vec![]),
        })
    }

    /// Values that lines of one program could have, and some that they could not.
    fn value() -> impl Strategy<Value = String> {
        prop_oneof![
            4 => (0.0f64..1.0).prop_map(|v| v.to_string()),
            2 => (-1e6f64..1e6).prop_map(|v| format!("{v:e}")),
            2 => Just("true".to_owned()), 1 => Just("false".to_owned()), 1 => Just("null".to_owned()),
            1 => "\"[a-z\\\\\"n]{0,9}\"", 1 => Just("NaN".to_owned()), 1 => Just("[1,2]".to_owned()), 1 => "[0-9.eE+-]{1,6}",
            1 => Just("{\"a\":1}".to_owned()), 1 => Just(String::new()),
        ]
    }

    /// Arrays as programs write them, and others.
    fn array_text() -> impl Strategy<Value = String> {
        let list = |inner: BoxedStrategy<String>| {
            (
                proptest::collection::vec(inner, 0..6),
                prop_oneof![6 => Just(", "), 3 => Just(","), 1 => Just(" ,"), 1 => Just(",  "), 1 => Just(",\t"), 1 => Just(" "), 1 => Just(",,")],
                prop_oneof![8 => Just(""), 1 => Just(","), 1 => Just(" ")],
            )
                .prop_map(|(v, comma, end)| format!("[{}{end}]", v.join(comma)))
        };
        let number = prop_oneof![
            (0.0f64..1.0).prop_map(|v| v.to_string()),
            (-40.0f64..0.0).prop_map(|v| format!("{v:.6}")),
            Just("-1e400".to_owned())
        ];
        prop_oneof![6 => list(number.boxed()), 2 => list(value().boxed()), 1 => list(Just("[0.5, \"-1\"]".to_owned()).boxed())]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        /// On lines of one layout, then damaged at random, the shape either gives what the scanner gives, or leaves the line to it.
        #[test]
        fn shape_and_scanner_agree(
            values in proptest::collection::vec(value(), 8), arrays in proptest::collection::vec(array_text(), 4), space in "[ ]?", order in any::<bool>(),
            damage in proptest::option::of((0usize..200, any::<u8>())), cut in 0usize..200, end in prop_oneof![Just("\n"), Just("\r\n"), Just("")],
        ) {
            let line = |v: &[String], w: &[String]| {
                let (a, b) = (format!("\"conf\":{space}{}", v[0]), format!("\"correct\":{space}{}", v[1]));
                let (a, b) = if order { (b, a) } else { (a, b) };
                format!("{{{a},{space}\"text\":{},{b}{space},\"probs\":{space}{},\"tokens\":{},\"meta\":{{\"group\":{}}}}}", v[2], w[0], w[1], v[3])
            };
            let paths = Paths::new(&WANTED);
            let mut shape = Shape::default();
            let (first, mut row) = (line(&values[..4], &arrays[..2]), Row::new(5));
            let spans = shape.spans();
            let learned = scan(first.as_bytes(), &paths, &mut row, spans).is_ok();
            if learned {
                shape.learn(first.as_bytes());
            }
            let mut second = (line(&values[4..], &arrays[2..]) + end).into_bytes();
            if let Some((at, byte)) = damage && at < second.len() {
                second[at] = byte;
            }
            second.truncate(second.len().saturating_sub(cut.saturating_sub(120)));
            for bytes in [&second[..], &[&second[..], b"{\"conf\":1}\n"].concat()] {
                let mut scalars = Scalars::default();
                let Some(length) = shape.read(bytes, &mut scalars) else { continue };
                prop_assert!(learned && bytes[length - 1] == b'\n');
                let text = bytes[..length].trim_ascii_end();
                prop_assert!(!text.contains(&b'\n'));
                let mut row = Row::new(5);
                let scanned = scan(text, &paths, &mut row, None);
                prop_assert!(scanned.is_ok(), "{:?} {:?}", scanned, String::from_utf8_lossy(text));
                for field in 0..5 {
                    let (scanned, shaped) = (scanned_value(&row, field), shaped_value(&shape, &scalars, field));
                    prop_assert_eq!(scanned, shaped, "{}", String::from_utf8_lossy(text));
                }
            }
        }
    }

    #[test]
    fn lines_of_one_layout_are_read_and_others_left() {
        let paths = Paths::new(&WANTED);
        let mut shape = Shape::default();
        let line = b"{\"conf\": 0.25, \"text\": \"a\", \"correct\": true}";
        let mut row = Row::new(4);
        scan(line, &paths, &mut row, shape.spans()).unwrap();
        shape.learn(line);
        let next = b"{\"conf\": -1e3, \"text\": \"b \\\" \\\\\", \"correct\": false}\nrest";
        let mut scalars = Scalars::default();
        let length = shape.read(next, &mut scalars).unwrap();
        assert_eq!(length, next.len() - 4);
        assert_eq!(scalars.get(0), Scalar::Number(-1000.0));
        assert_eq!(scalars.get(1), Scalar::Bool(false));
        for other in [
            &b"{\"conf\": 1, \"text\": \"b\", \"correct\": 1}"[..],
            b"{\"conf\": 1, \"text\": \"b\", \"correct\": 1} x\n",
            b"{\"conf\": 1,  \"text\": \"b\", \"correct\": 1}\n",
            b"{\"conf\": 1, \"text\": \"b\n\", \"correct\": 1}\n",
            b"{\"conf\": 1, \"text\": \"b\\\n\", \"correct\": 1}\n",
            b"{\"conf\": tru, \"text\": \"b\", \"correct\": 1}\n",
            b"",
        ] {
            assert!(shape.read(other, &mut scalars).is_none());
        }
    }

    #[test]
    fn arrays_of_any_length_are_read_and_nested_or_broken_ones_left() {
        let paths = Paths::new(&WANTED);
        let mut shape = Shape::default();
        let line = b"{\"probs\": [0.5, 0.5], \"tokens\": [1, 2], \"conf\": 1}";
        scan(line, &paths, &mut Row::new(5), shape.spans()).unwrap();
        shape.learn(line);
        let next = b"{\"probs\": [0.25,-2, 1e-3], \"tokens\": [\"a, ]\", null, 7], \"conf\": 1}\n";
        let mut scalars = Scalars::default();
        assert_eq!(shape.read(next, &mut scalars), Some(next.len()));
        assert_eq!(scalars.get(4), Scalar::Numbers(0, 3));
        assert_eq!(shape.numbers(), [0.25, -2.0, 1e-3]);
        for (probs, tokens) in [
            ("[]", "[1]"),
            ("[0.5,]", "[1]"),
            ("[0.5 0.5]", "[1]"),
            ("[[0.5]]", "[1]"),
            ("[\"0.5\"]", "[1]"),
            ("[null]", "[1]"),
            ("[0.5", "[1]"),
            ("[0.5, 1]", "[1,]"),
            ("[0.5, 1]", "[[1]]"),
            ("[0.5, 1]", "[\"a]"),
            ("[0.5, 1]", "[1"),
        ] {
            let text = format!("{{\"probs\": {probs}, \"tokens\": {tokens}, \"conf\": 1}}\n");
            assert!(
                shape
                    .read(text.as_bytes(), &mut Scalars::default())
                    .is_none(),
                "{text}"
            );
        }
    }

    #[test]
    fn the_last_few_layouts_are_remembered() {
        let paths = Paths::new(&WANTED);
        let mut shape = Shape::default();
        let line = |i: usize| format!("{{{}\"conf\":0.5}}\n", "\"x\":1,".repeat(i));
        for i in 0..=LAYOUTS {
            let text = line(i);
            let text = text.trim_end().as_bytes();
            scan(text, &paths, &mut Row::new(4), shape.spans()).unwrap();
            shape.learn(text);
        }
        assert!(
            shape
                .read(line(0).as_bytes(), &mut Scalars::default())
                .is_none(),
            "the oldest is forgotten"
        );
        for i in 1..=LAYOUTS {
            let mut scalars = Scalars::default();
            let length = shape.read(line(i).as_bytes(), &mut scalars).unwrap();
            assert_eq!(
                (scalars.get(0), length),
                (Scalar::Number(0.5), line(i).len())
            );
        }
    }
}
