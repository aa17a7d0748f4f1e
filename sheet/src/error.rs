//! What can be wrong with a table, and where.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::number::NumberProblem;

/// Where in a file something is wrong. Shown as `FILE:LINE: column "NAME"`, as far as it is known, so that editors can jump to it.
///
/// ```
/// use hindsight_sheet::Place;
/// let place = Place::file("sales.csv").line(17).column("price");
/// assert_eq!(place.to_string(), "sales.csv:17: column \"price\"");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    file: PathBuf,
    line: Option<u64>,
    column: Option<String>,
}

impl Place {
    /// The file as a whole.
    pub fn file(file: impl AsRef<Path>) -> Self {
        Place {
            file: file.as_ref().to_path_buf(),
            line: None,
            column: None,
        }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.file
    }

    /// The line, counted from 1 as editors do (the header is line 1).
    #[must_use]
    pub fn line(mut self, line: u64) -> Self {
        self.line = Some(line);
        self
    }

    /// The name of the column or field.
    #[must_use]
    pub fn column(mut self, column: &str) -> Self {
        self.column = Some(column.to_owned());
        self
    }

    pub(crate) fn problem(&self, problem: Problem) -> SheetError {
        SheetError {
            place: self.clone(),
            problem: Box::new(problem),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(column) = &self.column {
            write!(f, ": column {column:?}")?;
        }
        Ok(())
    }
}

/// An error of a table: what is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct SheetError {
    /// Where it is wrong.
    pub place: Place,
    /// What is wrong.
    #[source]
    pub problem: Box<Problem>,
}

/// What is wrong with a table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// There is no byte, or no name in the header.
    #[error("is empty")]
    Empty,
    /// The file is text of 16-bit units.
    #[error("is in UTF-16; save it as UTF-8")]
    Utf16,
    /// The file is of a kind that is not read.
    #[error("is {kind}; save it as CSV (plain, gzip or zstd)")]
    Foreign {
        /// What it is: "a zip archive or a spreadsheet".
        kind: &'static str,
    },
    /// Packed data that are packed again.
    #[error("is {outer} packed twice: the {outer} data hold {inner} data again")]
    PackedTwice {
        /// The packing outside.
        outer: &'static str,
        /// The packing inside.
        inner: &'static str,
    },
    /// Packed data that end too early.
    #[error("the {packing} data end too early: the file is cut off")]
    CutOff {
        /// `gzip` or `zstd`.
        packing: &'static str,
    },
    /// Packed data that cannot be unpacked.
    #[error("the {packing} data are damaged or cut off")]
    Damaged {
        /// `gzip` or `zstd`.
        packing: &'static str,
    },
    /// Other bytes stand behind packed data.
    #[error("there are other bytes behind the {packing} data")]
    Behind {
        /// `gzip` or `zstd`.
        packing: &'static str,
    },
    /// The system could not read.
    #[error("{message}")]
    Unreadable {
        /// The kind of failure.
        kind: io::ErrorKind,
        /// The system's words.
        message: String,
    },
    /// A field is no text.
    #[error("is not UTF-8 text (byte {byte} of the field); save the file as UTF-8")]
    NotUtf8 {
        /// The first byte that is wrong, from 1.
        byte: usize,
    },
    /// A row has another number of fields than the header.
    #[error("has {found} fields where the header has {expected}{}", missing_column(missing.as_deref()))]
    Fields {
        /// Fields of the row.
        found: u64,
        /// Fields of the header.
        expected: usize,
        /// The first column without a field.
        missing: Option<String>,
    },
    /// A quotation mark opens a field and is never closed.
    #[error("a quotation mark that opens here is never closed")]
    OpenQuote,
    /// The CSV layer stops for another reason.
    #[error("cannot be read as CSV: {0}")]
    Csv(String),
    /// No column has the name.
    #[error("no column {wanted:?} for {purpose} (the header has {}){}", listed(header), looks(*separator))]
    NoColumn {
        /// The name that was asked for.
        wanted: String,
        /// What asked for it.
        purpose: String,
        /// The names that are there.
        header: Vec<String>,
        /// The separator that the file seems to have, where the header is a single name.
        separator: Option<char>,
    },
    /// Two columns have the name.
    #[error("two columns are called {0:?}")]
    TwoColumns(String),
    /// A list has several fields on its first line.
    #[error("has {fields} fields where one value a line is expected")]
    NoList {
        /// Fields of the line.
        fields: usize,
    },
    /// A field is not the number that it should be.
    #[error(transparent)]
    Number(#[from] NumberProblem),
    /// A separator that cannot be one.
    #[error(
        "{0:?} cannot separate fields: it must be one ASCII character that stands in no number, such as ;, or the word tab"
    )]
    Separator(String),
    /// The comma as separator and as decimal mark.
    #[error("the comma cannot be the separator and the decimal mark")]
    CommaTwice,
}

impl Problem {
    /// A failure of the system.
    pub(crate) fn reading(error: &io::Error) -> Self {
        Problem::Unreadable {
            kind: error.kind(),
            message: error.to_string(),
        }
    }
}

/// The text in quotes, cut to forty letters: how messages quote a field.
#[must_use]
pub fn shorten(text: &str) -> String {
    if text.chars().count() <= 40 {
        return format!("{text:?}");
    }
    format!("{:?}", text.chars().take(37).collect::<String>() + "...")
}

fn missing_column(name: Option<&str>) -> String {
    name.map_or_else(String::new, |name| format!(" (column {name:?} is missing)"))
}

fn listed(header: &[String]) -> String {
    let shown: Vec<String> = header.iter().take(30).map(|name| shorten(name)).collect();
    let more = if header.len() > 30 { ", ..." } else { "" };
    shown.join(", ") + more
}

fn looks(separator: Option<char>) -> String {
    let name = match separator {
        None => return String::new(),
        Some(';') => "a semicolon",
        Some('\t') => "a tab",
        Some(',') => "a comma",
        Some(other) => return format!("; the separator looks like {other:?}"),
    };
    format!("; the separator looks like {name}")
}
