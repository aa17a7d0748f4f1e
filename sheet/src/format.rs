//! How a file writes fields and numbers.

use crate::error::Problem;

/// How a CSV file separates fields and writes decimals. The default: commas between fields, decimal points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    separator: u8,
    decimal_comma: bool,
}

impl Default for Format {
    fn default() -> Self {
        Format {
            separator: b',',
            decimal_comma: false,
        }
    }
}

impl Format {
    /// A format: `separator` is one character or the word `tab`; without it a comma, or a semicolon where `decimal_comma` says that numbers
    /// are written `12,50`.
    ///
    /// # Errors
    ///
    /// [`Problem::Separator`] if it is no single ASCII character, or one that stands in numbers; [`Problem::CommaTwice`] for a comma beside
    /// decimal commas.
    ///
    /// ```
    /// use hindsight_sheet::{Format, Problem};
    /// assert_eq!(Format::new(Some("tab"), false)?.separator(), b'\t');
    /// assert_eq!(Format::new(None, true)?.separator(), b';');
    /// assert_eq!(Format::new(Some(","), true), Err(Problem::CommaTwice));
    /// # Ok::<(), Problem>(())
    /// ```
    pub fn new(separator: Option<&str>, decimal_comma: bool) -> Result<Self, Problem> {
        let separator = match separator {
            None if decimal_comma => b';',
            None => b',',
            Some("tab" | "\t" | "\\t") => b'\t',
            Some(",") if decimal_comma => return Err(Problem::CommaTwice),
            Some(other) => match other.as_bytes() {
                [byte] if separates(*byte) => *byte,
                _ => return Err(Problem::Separator(other.to_owned())),
            },
        };
        Ok(Format::known(separator, decimal_comma))
    }

    /// A format that was found in a file.
    pub(crate) fn known(separator: u8, decimal_comma: bool) -> Self {
        Format {
            separator,
            decimal_comma,
        }
    }

    /// The byte between fields.
    #[must_use]
    pub fn separator(self) -> u8 {
        self.separator
    }

    /// Whether numbers have a decimal comma.
    #[must_use]
    pub fn has_decimal_comma(self) -> bool {
        self.decimal_comma
    }
}

fn separates(byte: u8) -> bool {
    byte.is_ascii()
        && !byte.is_ascii_alphanumeric()
        && !matches!(byte, b'"' | b'\n' | b'\r' | b'.' | b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators() {
        for wrong in ["::", "\"", ".", "é", "", "-", "7", "\n"] {
            assert_eq!(
                Format::new(Some(wrong), false),
                Err(Problem::Separator(wrong.to_owned()))
            );
        }
        assert_eq!(Format::new(None, false), Ok(Format::default()));
        assert_eq!(
            Format::new(Some("|"), true).map(Format::separator),
            Ok(b'|')
        );
    }
}
