//! How a file writes fields and numbers.

use crate::error::CliError;

/// How a CSV file separates fields and writes decimals.
#[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args)]
pub(crate) struct Format {
    /// Field separator: one character, or `tab` [default: a comma; a semicolon with --decimal-comma]
    #[arg(long, value_name = "CHAR", help_heading = "Input")]
    pub(crate) delimiter: Option<String>,
    /// Numbers have a decimal comma: 12,50
    #[arg(long, help_heading = "Input")]
    pub(crate) decimal_comma: bool,
}

impl Format {
    /// The separator as a byte.
    ///
    /// # Errors
    ///
    /// [`CliError::Input`] if it is no single ASCII character, or one that stands in numbers.
    pub(crate) fn separator(&self) -> Result<u8, CliError> {
        let Some(delimiter) = &self.delimiter else {
            return Ok(if self.decimal_comma { b';' } else { b',' });
        };
        let bad = |problem: &str| {
            Err(CliError::argument(
                "--delimiter",
                format!("{delimiter:?}"),
                problem,
            ))
        };
        match delimiter.as_str() {
            "tab" | "\t" | "\\t" => Ok(b'\t'),
            "," if self.decimal_comma => bad("is the decimal mark too (--decimal-comma)"),
            other => match other.as_bytes() {
                [byte]
                    if byte.is_ascii()
                        && !byte.is_ascii_alphanumeric()
                        && !matches!(byte, b'"' | b'\n' | b'\r' | b'.' | b'-') =>
                {
                    Ok(*byte)
                }
                _ => bad("must be one character such as ; or the word tab"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators() {
        let separator = |delimiter: Option<&str>, decimal_comma| {
            let delimiter = delimiter.map(str::to_owned);
            Format {
                delimiter,
                decimal_comma,
            }
            .separator()
        };
        assert_eq!(separator(None, false), Ok(b','));
        assert_eq!(separator(None, true), Ok(b';'));
        assert_eq!(separator(Some("tab"), true), Ok(b'\t'));
        for (wrong, comma) in [
            ("::", false),
            ("\"", false),
            (".", false),
            (",", true),
            ("é", false),
            ("", false),
        ] {
            let error = separator(Some(wrong), comma).unwrap_err();
            assert!(error.to_string().starts_with("--delimiter "), "{error}");
        }
    }
}
