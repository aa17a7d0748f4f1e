//! A table, row by row.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::dialect;
use crate::error::{Place, Problem, SheetError};
use crate::format::Format;
use crate::header;
use crate::lines::UnixLines;
use crate::number::{self, Domain, Marks};
use crate::source::{self, Packing, Unpacked};

/// A table that is being read: its header is known. The [front page](crate) has an example.
pub struct Sheet {
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
    /// Opens a file with a header.
    ///
    /// # Errors
    ///
    /// [`SheetError`] if there is no such file, or it is empty or no text.
    pub fn open(path: impl AsRef<Path>, format: Format) -> Result<Self, SheetError> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|e| Place::file(path).problem(Problem::reading(&e)))?;
        Sheet::from_reader(file, path, format)
    }

    /// The same for bytes that are at hand; `name` is for messages.
    ///
    /// # Errors
    ///
    /// As [`Sheet::open`].
    pub fn from_reader(
        reader: impl Read + 'static,
        name: impl AsRef<Path>,
        format: Format,
    ) -> Result<Self, SheetError> {
        let place = Place::file(&name);
        let (text, packing) = source::unpack(reader, &place)?;
        Sheet::begin(text, packing, place, format)
    }

    /// The same where the file itself shows how it is written: the separator, of a comma, a semicolon, a tab, a vertical bar and that of `otherwise`, that parts
    /// the header into the most fields, and decimal commas where a number in the first 64 KiB has one that cannot stand between thousands (and none has such a
    /// point). What the file does not show is as in `otherwise`.
    ///
    /// # Errors
    ///
    /// As [`Sheet::open`].
    ///
    /// ```
    /// use hindsight_sheet::{Domain, Format, Sheet};
    /// let text = "product;sold\nmilk;12,5\n";
    /// let mut sheet = Sheet::recognised(text.as_bytes(), "sales.csv", Format::default())?;
    /// assert_eq!(sheet.next_row()?.unwrap().number(1, Domain::Amount)?, 12.5);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn recognised(
        reader: impl Read + 'static,
        name: impl AsRef<Path>,
        otherwise: Format,
    ) -> Result<Self, SheetError> {
        let place = Place::file(&name);
        let (text, packing) = source::unpack(reader, &place)?;
        let (text, format) = dialect::found(text, otherwise);
        Sheet::begin(text, packing, place, format)
    }

    fn begin(
        text: Unpacked,
        packing: Packing,
        place: Place,
        format: Format,
    ) -> Result<Self, SheetError> {
        let csv = csv::ReaderBuilder::new()
            .delimiter(format.separator())
            .has_headers(false)
            .from_reader(UnixLines::new(text));
        let mut sheet = Sheet {
            csv,
            names: Vec::new(),
            place,
            packing,
            decimal_comma: format.has_decimal_comma(),
            record: csv::StringRecord::new(),
            ahead: false,
        };
        if !sheet.advance()? || sheet.record.iter().all(|name| name.trim().is_empty()) {
            return Err(sheet.place.problem(Problem::Empty));
        }
        sheet.names = sheet
            .record
            .iter()
            .map(|name| name.trim().to_owned())
            .collect();
        Ok(sheet)
    }

    /// The table as a list of values: one column, which may have a heading (a first word that starts with a letter) or none. The column is
    /// number 0.
    ///
    /// # Errors
    ///
    /// [`Problem::NoList`] where the first line has several fields.
    pub fn into_list(mut self) -> Result<Self, SheetError> {
        if self.names.len() > 1 {
            let fields = self.names.len();
            return Err(self.line().problem(Problem::NoList { fields }));
        }
        self.ahead = !self.names[0].starts_with(char::is_alphabetic);
        Ok(self)
    }

    /// The names in the header.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The file as a place.
    #[must_use]
    pub fn file(&self) -> &Place {
        &self.place
    }

    /// The column of this name; `purpose` says in a message what it was wanted for.
    ///
    /// # Errors
    ///
    /// [`Problem::NoColumn`] with the names that are there, [`Problem::TwoColumns`] where more than one is called so.
    pub fn column(&self, name: &str, purpose: &str) -> Result<usize, SheetError> {
        header::find(&self.names, &self.place.clone().line(1), name, purpose)
    }

    /// What the decimal marks of a column may mean, before its first number.
    #[must_use]
    pub fn marks(&self) -> Marks {
        Marks::new(self.decimal_comma)
    }

    /// The next row; `None` at the end.
    ///
    /// # Errors
    ///
    /// [`SheetError`] for a line that is not UTF-8 or has another number of fields than the header, and for damaged compression.
    pub fn next_row(&mut self) -> Result<Option<Row<'_>>, SheetError> {
        let more = std::mem::take(&mut self.ahead) || self.advance()?;
        Ok(more.then_some(Row { sheet: self }))
    }

    fn advance(&mut self) -> Result<bool, SheetError> {
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
    fn broken(&mut self, error: csv::Error, line: u64) -> SheetError {
        let place = self.place.clone().line(line);
        match error.into_kind() {
            csv::ErrorKind::Utf8 { err, .. } => {
                let name = self.names.get(err.field());
                let place = name.map_or(place.clone(), |name| place.column(name));
                let byte = err.valid_up_to() + 1;
                place.problem(Problem::NotUtf8 { byte })
            }
            csv::ErrorKind::UnequalLengths { .. } if self.is_open_quote() => {
                place.problem(Problem::OpenQuote)
            }
            csv::ErrorKind::UnequalLengths { len: found, .. } => {
                let at = usize::try_from(found).ok();
                let missing = at.and_then(|at| self.names.get(at)).cloned();
                let expected = self.names.len();
                place.problem(Problem::Fields {
                    found,
                    expected,
                    missing,
                })
            }
            csv::ErrorKind::Io(error) => match self.packing.problem(&error) {
                // The reader stands inside the line that does not end.
                Some(problem) => self.place.clone().line(line + 1).problem(problem),
                None => self.place.problem(Problem::reading(&error)),
            },
            other => place.problem(Problem::Csv(format!("{other:?}"))),
        }
    }
}

/// One row of a [`Sheet`].
#[derive(Debug)]
pub struct Row<'a> {
    sheet: &'a Sheet,
}

impl Row<'_> {
    /// The field of a column without blanks around it.
    #[must_use]
    pub fn text(&self, column: usize) -> &str {
        self.sheet.record.get(column).unwrap_or_default().trim()
    }

    /// The number of a column.
    ///
    /// # Errors
    ///
    /// [`SheetError`] with the place of a field that is empty, no number, or outside the domain.
    pub fn number(&self, column: usize, domain: Domain) -> Result<f64, SheetError> {
        number::parse(self.text(column), domain, self.sheet.decimal_comma)
            .map_err(|wrong| self.place(column).problem(wrong.into()))
    }

    /// The line on which the row begins.
    #[must_use]
    pub fn line(&self) -> u64 {
        self.sheet.line_number()
    }

    /// The place of a field, for a message about it.
    #[must_use]
    pub fn place(&self, column: usize) -> Place {
        let name = self.sheet.names.get(column).map_or("", String::as_str);
        self.sheet.line().column(name)
    }
}

impl std::fmt::Debug for Sheet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sheet")
            .field("place", &self.place)
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
