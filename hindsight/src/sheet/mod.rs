//! Tables in: every CSV file of every subcommand is read here.
//!
//! A file may be plain, gzip or zstd (recognised by its first bytes, not by its name), `-` is the standard input, a byte order mark and line
//! ends of any system are skipped, and [`Format`] says which character separates fields and which marks decimals. Every complaint names
//! file, line and column as editors count them.
//!
//! # How a subcommand uses it
//!
//! ```text
//! #[command(flatten)] format: Format,                                  // --delimiter, --decimal-comma
//!
//! let mut sheet = Sheet::open(run.inputs(), &args.file, &args.format)?;
//! let (batch, loss) = (sheet.column("batch", "--batch")?, sheet.column("loss", "--loss")?);
//! while let Some(row) = sheet.next_row()? {
//!     points.push((row.number(batch, Domain::Positive)?, row.number(loss, Domain::Any)?));
//!     if points.len() > LIMIT { return Err(row.place(batch).error("is one row too many")); }
//! }
//! ```
//!
//! [`Week`] and [`Calendar`] read weeks: running numbers, or the dates of one weekday.

mod columns;
mod format;
mod lines;
mod source;
mod week;

use std::io::Read;
use std::path::Path;

use crate::error::{CliError, Place};
use crate::inputs::Inputs;

pub(crate) use columns::{Domain, Marks, shorten};
pub(crate) use format::Format;
pub(crate) use week::{Calendar, Week, Weekday};

use lines::UnixLines;
use source::{Packing, Unpacked};

/// A table that is being read: its header is known.
pub(crate) struct Sheet {
    csv: csv::Reader<UnixLines<Unpacked>>,
    names: Vec<String>,
    place: Place,
    packing: Packing,
    decimal_comma: bool,
    record: csv::StringRecord,
    /// The first record, where it turned out to be no header.
    ahead: bool,
}

impl Sheet {
    /// Opens a file with a header, or the standard input for `-`.
    ///
    /// # Errors
    ///
    /// [`CliError::Input`] if there is no such file, or it is empty or no text; [`CliError::System`] if the disk fails.
    pub(crate) fn open(inputs: &Inputs, path: &Path, format: &Format) -> Result<Self, CliError> {
        let reader = inputs.open(path)?;
        let name = reader.name().to_path_buf();
        Sheet::from_reader(reader, &name, format)
    }

    /// The same for bytes that are at hand; `name` is for messages.
    ///
    /// # Errors
    ///
    /// As [`Sheet::open`].
    pub(crate) fn from_reader(
        reader: impl Read + 'static,
        name: &Path,
        format: &Format,
    ) -> Result<Self, CliError> {
        let separator = format.separator()?;
        let place = Place::file(name);
        let (unpacked, packing) = source::unpack(reader, name)?;
        let csv = csv::ReaderBuilder::new()
            .delimiter(separator)
            .has_headers(false)
            .from_reader(UnixLines::new(unpacked));
        let mut sheet = Sheet {
            csv,
            names: Vec::new(),
            place,
            packing,
            decimal_comma: format.decimal_comma,
            record: csv::StringRecord::new(),
            ahead: false,
        };
        if !sheet.advance()? || sheet.record.iter().all(|name| name.trim().is_empty()) {
            return Err(sheet.place.error("is empty"));
        }
        sheet.names = sheet
            .record
            .iter()
            .map(|name| name.trim().to_owned())
            .collect();
        Ok(sheet)
    }

    /// A list of values: one column, which may have a heading (a first word that starts with a letter) or none. The column is number 0.
    ///
    /// # Errors
    ///
    /// As [`Sheet::open`], and where the first line has several fields.
    pub(crate) fn list(inputs: &Inputs, path: &Path, format: &Format) -> Result<Self, CliError> {
        let mut sheet = Sheet::open(inputs, path, format)?;
        if sheet.names.len() > 1 {
            let count = sheet.names.len();
            return Err(sheet.line().error(format!(
                "has {count} fields where one value a line is expected"
            )));
        }
        sheet.ahead = !sheet.names[0].starts_with(char::is_alphabetic);
        Ok(sheet)
    }

    /// The names in the header.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// The file as a place.
    pub(crate) fn file(&self) -> &Place {
        &self.place
    }

    /// The column of this name, which `argument` asked for.
    ///
    /// # Errors
    ///
    /// [`CliError::Input`] with the names that are there, where no column or more than one is called so.
    pub(crate) fn column(&self, name: &str, argument: &str) -> Result<usize, CliError> {
        columns::find(&self.names, &self.place.clone().line(1), name, argument)
    }

    /// The next row; `None` at the end.
    ///
    /// # Errors
    ///
    /// [`CliError::Input`] for a line that is not UTF-8 or has another number of fields than the header, and for damaged compression.
    pub(crate) fn next_row(&mut self) -> Result<Option<Row<'_>>, CliError> {
        let more = std::mem::take(&mut self.ahead) || self.advance()?;
        Ok(more.then_some(Row { sheet: self }))
    }

    fn advance(&mut self) -> Result<bool, CliError> {
        let outcome = self.csv.read_record(&mut self.record);
        match outcome {
            Ok(more) => Ok(more),
            Err(error) => {
                // Where a quote is never closed no line end follows, and the reader's own position is the better one.
                let own = error.position().map_or(0, csv::Position::line);
                let line = own.max(self.line_number());
                Err(self.broken(error, line))
            }
        }
    }

    /// The line on which the current record begins. The reader's own positions do not know blank lines.
    fn line_number(&self) -> u64 {
        let inside = self.record.as_slice().bytes().filter(|byte| *byte == b'\n');
        let before = 1 + u64::try_from(inside.count()).unwrap_or(0);
        self.csv.position().line().saturating_sub(before).max(1)
    }

    /// Whether the record ran to the end of the file inside a field of many lines: its quotation mark is never closed.
    fn is_open_quote(&mut self) -> bool {
        let last = self.record.iter().next_back().unwrap_or_default();
        last.contains('\n')
            && !self
                .csv
                .read_record(&mut csv::StringRecord::new())
                .unwrap_or(true)
    }

    fn line(&self) -> Place {
        self.place.clone().line(self.line_number())
    }

    /// An error of the CSV layer with its place; `line` is the one that could not be read.
    fn broken(&mut self, error: csv::Error, line: u64) -> CliError {
        let place = self.place.clone().line(line);
        match error.into_kind() {
            csv::ErrorKind::Utf8 { err, .. } => {
                let name = self.names.get(err.field());
                let place = name.map_or(place.clone(), |name| place.column(name));
                place.error(format!(
                    "is not UTF-8 text (byte {} of the field); save the file as UTF-8",
                    err.valid_up_to() + 1
                ))
            }
            csv::ErrorKind::UnequalLengths { .. } if self.is_open_quote() => {
                place.error("a quotation mark that opens here is never closed")
            }
            csv::ErrorKind::UnequalLengths { len, .. } => {
                let missing = usize::try_from(len)
                    .ok()
                    .and_then(|len| self.names.get(len));
                let hint = missing
                    .map_or_else(String::new, |name| format!(" (column {name:?} is missing)"));
                let count = self.names.len();
                place.error(format!(
                    "has {len} fields where the header has {count}{hint}"
                ))
            }
            csv::ErrorKind::Io(error) => match self.packing.problem(&error) {
                // The reader stands inside the line that does not end.
                Some(problem) => self.place.clone().line(line + 1).error(problem),
                None => CliError::reading(self.place.path(), &error),
            },
            other => place.error(format!("cannot be read as CSV: {other:?}")),
        }
    }
}

/// One row of a [`Sheet`].
pub(crate) struct Row<'a> {
    sheet: &'a Sheet,
}

impl Row<'_> {
    /// The field of a column without blanks around it.
    pub(crate) fn text(&self, column: usize) -> &str {
        self.sheet.record.get(column).unwrap_or_default().trim()
    }

    /// The number of a column.
    ///
    /// # Errors
    ///
    /// [`CliError::Input`] with the place of a field that is empty, no number, or outside the domain.
    pub(crate) fn number(&self, column: usize, domain: Domain) -> Result<f64, CliError> {
        columns::parse(self.text(column), domain, self.sheet.decimal_comma)
            .map_err(|problem| self.place(column).error(problem))
    }

    /// The line on which the row begins.
    pub(crate) fn line(&self) -> u64 {
        self.sheet.line_number()
    }

    /// The place of a field.
    pub(crate) fn place(&self, column: usize) -> Place {
        let name = self.sheet.names.get(column).map_or("", String::as_str);
        self.sheet.line().column(name)
    }
}

#[cfg(test)]
mod tests;
