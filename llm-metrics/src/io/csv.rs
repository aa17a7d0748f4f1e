//! Tables of cells between commas, semicolons or tabs.

use std::io::BufRead;

use super::error::ReadError;
use super::row::{Cell, Row, csv_cell};

/// The columns of a wanted field in CSV.
enum Columns {
    None,
    One(usize),
    /// The columns that begin with what stands before a star, by the rest of their names.
    Several(Vec<(String, usize)>),
}

impl Columns {
    fn of(field: &str, found: &[String]) -> Self {
        if let Some(c) = found.iter().position(|h| h == field) {
            return Columns::One(c);
        }
        let Some(beginning) = field.strip_suffix('*').filter(|b| !b.is_empty()) else {
            return Columns::None;
        };
        let several = found.iter().enumerate().filter_map(|(c, h)| {
            let rest = h.strip_prefix(beginning)?;
            (!rest.is_empty()).then(|| (rest.to_owned(), c))
        });
        Columns::Several(several.collect())
    }
}

/// A table, read record by record.
pub(super) struct Csv<R> {
    reader: ::csv::Reader<R>,
    record: ::csv::ByteRecord,
    columns: Vec<Columns>,
    /// Lines before the header.
    skipped: u64,
    /// Whether a comma is the decimal point of numbers, as where a semicolon or a tab stands between cells.
    decimal_comma: bool,
}

impl<R: BufRead> Csv<R> {
    /// Reads the header; returns the table and the names of its columns.
    pub(super) fn open(
        mut reader: R,
        fields: &[String],
        skipped: u64,
    ) -> Result<(Self, Vec<String>), ReadError> {
        let head = reader.fill_buf()?;
        let head = &head[..memchr::memchr(b'\n', head).unwrap_or(head.len())];
        let count = |b: u8| memchr::memchr_iter(b, head).count();
        let delimiter = [b'\t', b';', b',']
            .into_iter()
            .max_by_key(|b| count(*b))
            .unwrap_or(b',');
        let mut reader = ::csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .from_reader(reader);
        let header = reader.byte_headers().map_err(|e| csv_fault(e, skipped))?;
        let found: Vec<String> = header
            .iter()
            .map(|h| String::from_utf8_lossy(h).trim().to_owned())
            .collect();
        let mut table = Self {
            reader,
            record: ::csv::ByteRecord::new(),
            columns: Vec::new(),
            skipped,
            decimal_comma: delimiter != b',',
        };
        table.want(fields, &found);
        Ok((table, found))
    }

    /// Replaces the wanted fields.
    pub(super) fn want(&mut self, fields: &[String], found: &[String]) {
        self.columns = fields.iter().map(|f| Columns::of(f, found)).collect();
    }

    /// Reads the next record into `row`; returns false at the end.
    pub(super) fn next(&mut self, row: &mut Row) -> Result<bool, ReadError> {
        let read = self.reader.read_byte_record(&mut self.record);
        if !read.map_err(|e| csv_fault(e, self.skipped))? {
            return Ok(false);
        }
        row.clear(self.skipped + self.record.position().map_or(0, ::csv::Position::line));
        let (record, comma) = (&self.record, self.decimal_comma);
        let read = |c: usize, row: &mut Row| {
            csv_cell(record.get(c).unwrap_or_default(), comma, &mut row.numbers)
        };
        for (i, column) in self.columns.iter().enumerate() {
            let cell = match column {
                Columns::None => continue,
                Columns::One(c) => read(*c, row),
                Columns::Several(several) => {
                    let (numbers, names) = (row.numbers.len(), row.texts.len());
                    for (name, c) in several {
                        let Cell::Number(v) = read(*c, row) else {
                            break;
                        };
                        row.numbers.push(v);
                        row.texts.push(name.clone());
                    }
                    match row.numbers.len() - numbers {
                        0 => Cell::Missing,
                        n if n < several.len() => Cell::Other,
                        _ => Cell::Map {
                            numbers: (numbers, row.numbers.len()),
                            names: (names, row.texts.len()),
                        },
                    }
                }
            };
            row.set(i, cell);
        }
        Ok(true)
    }
}

fn csv_fault(error: ::csv::Error, skipped: u64) -> ReadError {
    let line = skipped + error.position().map_or(1, ::csv::Position::line);
    match error.into_kind() {
        ::csv::ErrorKind::Io(source) => source.into(),
        ::csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => ReadError::Syntax {
            line,
            column: 1,
            problem: format!("the record has {len} cells, the header {expected_len}"),
        },
        other => ReadError::Syntax {
            line,
            column: 1,
            problem: format!("{other:?}"),
        },
    }
}
