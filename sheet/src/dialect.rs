//! How a file is written, found in its beginning.

use std::io::{BufRead, Cursor, Error, Read, Result};

use crate::format::Format;
use crate::number::{Domain, Marks, parse};
use crate::source::Unpacked;

/// So much of a file is looked at.
const SAMPLE: u64 = 1 << 16;

const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Finds how a file is written, and gives its text back whole. What the file does not show is as in `otherwise`.
pub(crate) fn found(mut text: Unpacked, otherwise: Format) -> (Unpacked, Format) {
    let mut head = Vec::new();
    let failure = text.by_ref().take(SAMPLE).read_to_end(&mut head).err();
    let format = of(&head, otherwise);
    let rest: Unpacked = match failure {
        None => text,
        Some(error) => Box::new(Failing(Some(error))),
    };
    (Box::new(Cursor::new(head).chain(rest)), format)
}

/// The format of a file that begins so: the separator that parts the first line into the most fields, and the decimal mark of its numbers.
fn of(head: &[u8], otherwise: Format) -> Format {
    let candidates = [otherwise.separator()].into_iter().chain(SEPARATORS);
    let (mut separator, mut most) = (otherwise.separator(), 0);
    for candidate in candidates {
        let fields = rows(head, candidate).next().map_or(0, |row| row.len());
        if fields > most {
            (separator, most) = (candidate, fields);
        }
    }
    let decimal_comma = match [b',', b'.'].map(|mark| is_decimal(head, separator, mark)) {
        [true, false] => true,
        [false, true] => false,
        // Numbers with commas stand between commas only where they are quoted.
        _ => otherwise.has_decimal_comma() && separator != b',',
    };
    Format::known(separator, decimal_comma)
}

/// Whether a number below the header shows this mark where no mark of thousands would stand.
fn is_decimal(head: &[u8], separator: u8, mark: u8) -> bool {
    let comma = mark == b',';
    let mut marks = Marks::new(comma);
    for row in rows(head, separator).skip(1) {
        for field in &row {
            let text = str::from_utf8(field).unwrap_or_default().trim();
            if parse(text, Domain::Any, comma).is_ok() {
                marks.see(text);
            }
        }
    }
    marks.are_decimal()
}

/// The rows of the sample; the last may be cut.
fn rows(head: &[u8], separator: u8) -> impl Iterator<Item = csv::ByteRecord> {
    csv::ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .flexible(true)
        .from_reader(head)
        .into_byte_records()
        .map_while(std::result::Result::ok)
}

/// What follows bytes behind which reading failed: the failure, once.
struct Failing(Option<Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

impl BufRead for Failing {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        self.0.take().map_or(Ok(&[]), Err)
    }

    fn consume(&mut self, _: usize) {}
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn comma() -> Format {
        Format::default()
    }

    fn german() -> Format {
        Format::known(b';', true)
    }

    #[test]
    fn separators_and_marks_are_found() {
        for (text, separator, decimal_comma) in [
            ("a,b\n1,2.5\n", b',', false),
            ("a;b\n1;2,5\n", b';', true),
            ("a;b\n1;2.5\n", b';', false),
            ("a\tb\n1\t0,125\n", b'\t', true),
            ("a|b\n1|2\n", b'|', false),
            ("\"a;b;c\",b\n1,2\n", b',', false),
            ("a,b\n1,\"2,5\"\n", b',', true),
            ("a;b\n03.01.2022;2,5\n", b';', true),
            ("a;b\n1.250;2,5\n", b';', true),
            ("a;b\n1;2500,125\n", b';', true),
            ("a;b\n1,5;2.5\n", b';', false),
            ("a;b\n1,250;2\n", b';', false),
            ("a\n12\n", b',', false),
        ] {
            let expected = Format::known(separator, decimal_comma);
            assert_eq!(of(text.as_bytes(), comma()), expected, "{text:?}");
        }
    }

    #[test]
    fn what_a_file_does_not_show_is_as_elsewhere() {
        assert_eq!(of(b"a;b\n1,250;2\n", german()), german());
        assert_eq!(of(b"a;b\n1;2\n", german()), german());
        assert_eq!(of(b"a,b\n1,2\n", german()), comma());
        let colons = Format::known(b':', false);
        assert_eq!(of(b"a:b\n1:2\n", colons), colons);
        assert_eq!(of(b"a\n1\n", colons), colons);
    }

    #[test]
    fn a_failure_in_the_sample_comes_where_it_happened() {
        let broken =
            Cursor::new(b"a;b\n1;2,5\n".to_vec()).chain(Failing(Some(Error::other("disk"))));
        let (mut text, format) = found(Box::new(broken), comma());
        assert_eq!(format, german());
        let mut read = Vec::new();
        let failure = text.read_to_end(&mut read).unwrap_err();
        assert_eq!(
            (&read[..], failure.to_string().as_str()),
            (&b"a;b\n1;2,5\n"[..], "disk")
        );
    }

    proptest! {
        #[test]
        fn nothing_of_the_text_is_lost(bytes in prop::collection::vec(any::<u8>(), 0..200), times in 1usize..2000) {
            let bytes = bytes.repeat(times);
            let (mut text, _) = found(Box::new(Cursor::new(bytes.clone())), comma());
            let mut read = Vec::new();
            text.read_to_end(&mut read).unwrap();
            prop_assert!(read == bytes);
        }

        #[test]
        fn what_is_written_in_a_format_is_found(
            numbers in prop::collection::vec((0u32..5000, 1u32..100), 1..20),
            separator in prop::sample::select(&SEPARATORS[1..]),
            decimal_comma: bool,
        ) {
            let mark = if decimal_comma { ',' } else { '.' };
            let separator_char = char::from(separator);
            let mut text = format!("name{separator_char}value\n");
            for (whole, part) in numbers {
                text += &format!("x{separator_char}{whole}{mark}{part:02}\n");
            }
            let format = Format::known(separator, decimal_comma);
            prop_assert_eq!(of(text.as_bytes(), comma()), format);
        }
    }
}
