//! Rows of wanted fields from JSON lines or CSV, one at a time.

use std::io::BufRead;

use super::error::ReadError;
use super::json;
use super::layout::Scalars;
use super::row::{Row, csv_cell};
use super::scanner::Fault;
use super::shape::Shape;

/// The format of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// One JSON object a line.
    Jsonl,
    /// Comma-separated values with a header line.
    Csv,
}

/// Reads the wanted fields of each record of a log, in constant memory.
///
/// A field is a column's name in CSV, and in JSON a path with dots (`doc.gold`). In a CSV cell, `[0.1, 0.9]` is an array.
///
/// ```
/// use hindsight_llm_metrics::io::Rows;
/// let log = b"{\"conf\": 0.9, \"correct\": true}\n{\"conf\": 0.4, \"correct\": false}\n";
/// let mut rows = Rows::new(&log[..], &["conf", "correct"])?;
/// let mut sum = 0.0;
/// while let Some(row) = rows.next_row()? {
///     sum += rows.number(&row, 0)?;
///     # rows.recycle(row);
/// }
/// assert!((sum - 1.3).abs() < 1e-12);
/// # Ok::<(), hindsight_llm_metrics::io::ReadError>(())
/// ```
pub struct Rows<R> {
    source: Source<R>,
    format: Format,
    pub(super) fields: Vec<String>,
    found: Vec<String>,
    spare: Option<Row>,
}

enum Source<R> {
    Json {
        reader: R,
        line: Vec<u8>,
        number: u64,
        paths: json::Paths,
        pending: bool,
        shape: Box<Shape>,
    },
    Csv {
        reader: Box<csv::Reader<R>>,
        record: csv::ByteRecord,
        columns: Vec<Option<usize>>,
    },
}

impl<R> std::fmt::Debug for Rows<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows")
            .field("format", &self.format)
            .field("fields", &self.fields)
            .finish_non_exhaustive()
    }
}

impl<R: BufRead> Rows<R> {
    /// Returns a reader of `fields` from a log that is JSON lines if its first character is `{` or `[`, and else CSV.
    ///
    /// # Errors
    /// [`ReadError::Io`]; [`ReadError::Syntax`] for a broken first line; [`ReadError::Empty`]; [`ReadError::Schema`] for more than 64 fields.
    pub fn new<S: AsRef<str>>(mut reader: R, fields: &[S]) -> Result<Self, ReadError> {
        let fields: Vec<String> = fields.iter().map(|f| f.as_ref().to_owned()).collect();
        if fields.len() > 64 {
            return Err(ReadError::Schema {
                expected: "at most 64 fields".to_owned(),
                found: fields.len().to_string(),
            });
        }
        let mut skipped = 0;
        let first = loop {
            let buffer = reader.fill_buf()?;
            if buffer.is_empty() {
                return Err(ReadError::Empty);
            }
            // A byte-order mark and blank lines may come before the first record.
            let blank = buffer
                .iter()
                .take_while(|b| b.is_ascii_whitespace() || [0xEF, 0xBB, 0xBF].contains(*b))
                .count();
            skipped += buffer[..blank].iter().filter(|b| **b == b'\n').count() as u64;
            let first = buffer.get(blank).copied();
            reader.consume(blank);
            if let Some(first) = first {
                break first;
            }
        };
        if first == b'{' || first == b'[' {
            let mut line = Vec::new();
            reader.read_until(b'\n', &mut line)?;
            let number = skipped + 1;
            let found = json::keys(line.trim_ascii_end()).map_err(|f| syntax(number, f))?;
            let paths = json::Paths::new(&fields);
            let source = Source::Json {
                reader,
                line,
                number,
                paths,
                pending: true,
                shape: Box::default(),
            };
            return Ok(Self {
                source,
                format: Format::Jsonl,
                fields,
                found,
                spare: None,
            });
        }
        let mut reader = csv::ReaderBuilder::new().from_reader(reader);
        let header = reader.byte_headers().map_err(csv_fault)?.clone();
        let found: Vec<String> = header
            .iter()
            .map(|h| String::from_utf8_lossy(h).trim().to_owned())
            .collect();
        let columns = fields
            .iter()
            .map(|f| found.iter().position(|h| h == f))
            .collect();
        let source = Source::Csv {
            reader: Box::new(reader),
            record: csv::ByteRecord::new(),
            columns,
        };
        Ok(Self {
            source,
            format: Format::Csv,
            fields,
            found,
            spare: None,
        })
    }

    /// Returns the format.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// Returns the names of the first record's fields (of the header, in CSV).
    #[must_use]
    pub fn found(&self) -> &[String] {
        &self.found
    }

    /// Replaces the wanted fields; before the first record only.
    pub(super) fn want(&mut self, fields: &[String]) {
        self.fields = fields.to_vec();
        self.spare = None;
        match &mut self.source {
            Source::Json { paths, shape, .. } => {
                *paths = json::Paths::new(fields);
                **shape = Shape::default();
            }
            Source::Csv { columns, .. } => {
                *columns = fields
                    .iter()
                    .map(|f| self.found.iter().position(|h| h == f))
                    .collect();
            }
        }
    }

    /// Returns the next record, or `None` at the end. Blank lines are skipped.
    ///
    /// # Errors
    /// [`ReadError::Io`], [`ReadError::Syntax`].
    pub fn next_row(&mut self) -> Result<Option<Row>, ReadError> {
        let mut row = self
            .spare
            .take()
            .unwrap_or_else(|| Row::new(self.fields.len()));
        match &mut self.source {
            Source::Json {
                reader,
                line,
                number,
                paths,
                pending,
                shape,
            } => loop {
                if std::mem::take(pending) {
                    // The first line has been read already.
                } else {
                    // A line that lies whole in the buffer is read where it is.
                    let buffer = reader.fill_buf()?;
                    let mut scalars = Scalars::default();
                    if let Some(length) = shape.read(buffer, &mut scalars) {
                        reader.consume(length);
                        *number += 1;
                        row.fill(*number, &scalars, shape.numbers());
                        return Ok(Some(row));
                    }
                    if let Some(end) = memchr::memchr(b'\n', buffer) {
                        *number += 1;
                        let read = scan_line(&buffer[..end], *number, paths, shape, &mut row)?;
                        reader.consume(end + 1);
                        if read {
                            return Ok(Some(row));
                        }
                        continue;
                    }
                    line.clear();
                    if reader.read_until(b'\n', line)? == 0 {
                        return Ok(None);
                    }
                    *number += 1;
                }
                if scan_line(line, *number, paths, shape, &mut row)? {
                    return Ok(Some(row));
                }
            },
            Source::Csv {
                reader,
                record,
                columns,
            } => {
                if !reader.read_byte_record(record).map_err(csv_fault)? {
                    return Ok(None);
                }
                row.clear(record.position().map_or(0, csv::Position::line));
                for (i, column) in columns.iter().enumerate() {
                    let text = column.and_then(|c| record.get(c)).unwrap_or_default();
                    let cell = csv_cell(text, &mut row.numbers);
                    row.set(i, cell);
                }
                Ok(Some(row))
            }
        }
    }

    /// Takes the next record if it is a JSON line like the one before, has plain values only, and `accept` makes something of them.
    /// Otherwise nothing has happened, and [`Rows::next_row`] reads the record.
    #[inline]
    pub(super) fn next_plain<T>(
        &mut self,
        accept: impl FnOnce(&Scalars, &[f64]) -> Option<T>,
    ) -> Result<Option<T>, ReadError> {
        let Source::Json {
            reader,
            number,
            pending: false,
            shape,
            ..
        } = &mut self.source
        else {
            return Ok(None);
        };
        let mut scalars = Scalars::default();
        let Some(length) = shape.read(reader.fill_buf()?, &mut scalars) else {
            return Ok(None);
        };
        let accepted = accept(&scalars, shape.numbers());
        if accepted.is_some() {
            reader.consume(length);
            *number += 1;
        }
        Ok(accepted)
    }

    /// Gives a row back, so that its memory serves the next one.
    pub fn recycle(&mut self, row: Row) {
        if row.cells.len() == self.fields.len() {
            self.spare = Some(row);
        }
    }
}

/// Scans a line into `row` and records its layout; returns false for a blank one.
fn scan_line(
    line: &[u8],
    number: u64,
    paths: &json::Paths,
    shape: &mut Shape,
    row: &mut Row,
) -> Result<bool, ReadError> {
    let text = line.trim_ascii_end();
    if text.is_empty() {
        return Ok(false);
    }
    row.clear(number);
    let spans = shape.spans();
    let recorded = spans.is_some();
    json::scan(text, paths, row, spans).map_err(|f| syntax(number, f))?;
    if recorded {
        shape.learn(text);
    }
    Ok(true)
}

fn syntax(line: u64, (at, problem): Fault) -> ReadError {
    ReadError::Syntax {
        line,
        column: at + 1,
        problem,
    }
}

fn csv_fault(error: csv::Error) -> ReadError {
    let line = error.position().map_or(1, csv::Position::line);
    match error.into_kind() {
        csv::ErrorKind::Io(source) => source.into(),
        csv::ErrorKind::UnequalLengths {
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

#[cfg(test)]
mod tests {
    use super::super::row::Cell;
    use super::*;

    fn all(log: &str, fields: &[&str]) -> Result<Vec<(u64, Vec<Cell>)>, ReadError> {
        let mut rows = Rows::new(log.as_bytes(), fields)?;
        let mut out = vec![];
        while let Some(row) = rows.next_row()? {
            out.push((row.line(), row.cells.clone()));
            rows.recycle(row);
        }
        Ok(out)
    }

    #[test]
    fn csv_and_json_lines_give_the_same_cells() {
        let json = "\n{\"a\":1.5,\"b\":[1,2],\"c\":\"x\"}\n\n{\"c\":\"y\",\"a\":2}\n";
        let csv = "a,b,c\n1.5,\"[1, 2]\",x\n2,,y\n";
        let (j, c) = (
            all(json, &["a", "b", "c"]).unwrap(),
            all(csv, &["a", "b", "c"]).unwrap(),
        );
        assert_eq!(j.iter().map(|r| r.0).collect::<Vec<_>>(), [2, 4]);
        assert_eq!(c.iter().map(|r| r.0).collect::<Vec<_>>(), [2, 3]);
        assert_eq!(
            j.iter().map(|r| &r.1).collect::<Vec<_>>(),
            c.iter().map(|r| &r.1).collect::<Vec<_>>()
        );
    }

    #[test]
    fn errors_name_line_and_field() {
        let e = all("{\"a\":1}\n{\"a\":1\n", &["a"]).unwrap_err();
        assert!(matches!(e, ReadError::Syntax { line: 2, .. }), "{e}");
        let e = all("a,b\n1,2\n1\n", &["a"]).unwrap_err();
        assert!(matches!(e, ReadError::Syntax { line: 3, .. }), "{e}");
        assert!(matches!(all("", &["a"]), Err(ReadError::Empty)));
        assert!(matches!(all("  \n \n", &["a"]), Err(ReadError::Empty)));
        let mut rows = Rows::new(&b"{\"a\":\"x\",\"b\":null}"[..], &["a", "b"]).unwrap();
        let row = rows.next_row().unwrap().unwrap();
        assert_eq!(
            rows.number(&row, 0).unwrap_err().to_string(),
            "line 1, field \"a\": \"x\" is not a finite number"
        );
        assert_eq!(
            rows.outcome(&row, 1).unwrap_err().to_string(),
            "line 1: there is no field \"b\""
        );
        assert!(rows.array(&row, 0).is_err());
    }

    #[test]
    fn a_byte_order_mark_is_passed_over() {
        assert_eq!(
            all("\u{feff}a\n1\n", &["a"]).unwrap()[0].1,
            [Cell::Number(1.0)]
        );
        assert_eq!(
            all("\u{feff}{\"a\":1}", &["a"]).unwrap()[0].1,
            [Cell::Number(1.0)]
        );
    }
}
