//! Rows of wanted fields from JSON lines or CSV, one at a time.

use std::io::{BufRead, Chain, Cursor, Read};

use super::csv::Csv;
use super::error::ReadError;
use super::frames::{Frame, Frames, RECORD_LIMIT, holds_records};
use super::harness::filter_wanted;
use super::json;
use super::layout::Scalars;
use super::row::{Cell, Row};
use super::scanner::Fault;
use super::shape::Shape;
use super::tool::Tool;

/// The format of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// One JSON object a line.
    Jsonl,
    /// A JSON document: an array of objects, objects over several lines, or an object that holds them under a known name.
    Json,
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
    tool: Option<Tool>,
    /// A field beyond the wanted ones and the texts in it that records may have: only the first once it has been met.
    kept: Option<(usize, &'static [&'static str])>,
    /// Of a tool that scores a prompt several times: the field of the filter, the one chosen, and the one seen first.
    filter: Option<(usize, Option<String>, Option<String>)>,
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
    Document {
        frames: Frames<Chain<Cursor<Vec<u8>>, R>>,
        frame: Frame,
        paths: json::Paths,
        pending: bool,
    },
    Csv(Box<Csv<R>>),
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
    /// Returns a reader of `fields` from a log that is JSON if its first character is `{` or `[`, and else cells between commas, semicolons or tabs, whichever
    /// the header has most of.
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
            return Self::json(reader, fields, first, skipped + 1)?.recognised();
        }
        let (csv, found) = Csv::open(reader, &fields, skipped)?;
        Ok(Self {
            source: Source::Csv(Box::new(csv)),
            format: Format::Csv,
            fields,
            found,
            spare: None,
            tool: None,
            kept: None,
            filter: None,
        })
    }

    /// Recognises the tool that wrote the log; the first line of OpenAI's evals is no record.
    fn recognised(mut self) -> Result<Self, ReadError> {
        self.tool = Tool::of(&self.found);
        if let Source::Json {
            reader,
            line,
            number,
            ..
        } = &mut self.source
            && self.found.iter().any(|f| f == "spec")
            && self.tool == Some(Tool::OpenAiEvals)
        {
            line.clear();
            *number += 1;
            if read_line(reader, line, *number)? == 0 {
                return Err(ReadError::Empty);
            }
            self.found = json::keys(line.trim_ascii_end()).map_err(|f| syntax(*number, f))?;
        }
        if self.tool.is_some() {
            let fields = self.fields.clone();
            self.want(&fields);
        }
        Ok(self)
    }

    /// Takes the records of one filter alone, if a tool wrote them that scores a prompt several times: lm-evaluation-harness by its filters, promptfoo by its prompts
    /// (`promptIdx`), HELM by its perturbations (`none` for the instance as it is). Without a choice a mixture is an error. Before the first record only.
    pub fn one_filter(&mut self, chosen: Option<String>) {
        if let Some(filter) = self.tool.and_then(Tool::filter) {
            let mut fields = self.fields.clone();
            fields.push(filter.to_owned());
            self.want(&fields);
            self.filter = Some((fields.len() - 1, chosen, None));
        }
    }

    /// Returns the tool whose records these are, if they are of a known one.
    #[must_use]
    pub fn tool(&self) -> Option<Tool> {
        self.tool
    }

    fn json(mut reader: R, fields: Vec<String>, first: u8, number: u64) -> Result<Self, ReadError> {
        let mut line = Vec::new();
        let mut lines = false;
        if first == b'{' {
            read_line(&mut reader, &mut line, number)?;
            let text = line.trim_ascii_end();
            // An object that ends with its line; one that does not may go on over the next lines.
            lines = match json::keys(text) {
                Ok(_) => !(holds_records(text) && reader.fill_buf()?.trim_ascii().is_empty()),
                Err((at, _)) => at < text.len(),
            };
        }
        let paths = json::Paths::new(&fields);
        if lines {
            let found = json::keys(line.trim_ascii_end()).map_err(|f| syntax(number, f))?;
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
                tool: None,
                kept: None,
                filter: None,
            });
        }
        let mut frames = Frames::new(Cursor::new(line).chain(reader), number);
        let mut frame = Frame::default();
        if !frames.next(&mut frame)? {
            return Err(ReadError::Empty);
        }
        let found = json::keys(&frame.bytes).map_err(|f| within(&frame, f))?;
        Ok(Self {
            source: Source::Document {
                frames,
                frame,
                paths,
                pending: true,
            },
            format: Format::Json,
            fields,
            found,
            spare: None,
            tool: None,
            kept: None,
            filter: None,
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

    /// Replaces the wanted fields, once [`Rows::found`] has shown what there is; before the first record only.
    ///
    /// # Errors
    /// [`ReadError::Schema`] for more than 60 fields.
    pub fn select<S: AsRef<str>>(&mut self, fields: &[S]) -> Result<(), ReadError> {
        if fields.len() > 60 {
            return Err(ReadError::Schema {
                expected: "at most 60 fields".to_owned(),
                found: fields.len().to_string(),
            });
        }
        let fields: Vec<String> = fields.iter().map(|f| f.as_ref().to_owned()).collect();
        self.want(&fields);
        Ok(())
    }

    /// Replaces the wanted fields; before the first record only.
    pub(super) fn want(&mut self, fields: &[String]) {
        self.fields = fields.to_vec();
        self.kept = self.tool.and_then(Tool::kept).map(|(field, values)| {
            self.fields.push(field.to_owned());
            (self.fields.len() - 1, values)
        });
        let fields = &self.fields;
        self.spare = None;
        match &mut self.source {
            Source::Json { paths, shape, .. } => {
                *paths = json::Paths::new(fields);
                **shape = Shape::default();
            }
            Source::Document { paths, .. } => *paths = json::Paths::new(fields),
            Source::Csv(csv) => csv.want(fields, &self.found),
        }
    }

    /// Of JSON, reads only those wanted fields that are `kept` from the next record on; the others are missing.
    pub(super) fn keep(&mut self, kept: impl Fn(usize) -> bool) {
        match &mut self.source {
            Source::Json { paths, shape, .. } => {
                paths.keep(kept);
                **shape = Shape::default();
            }
            Source::Document { paths, .. } => paths.keep(kept),
            Source::Csv(_) => {}
        }
    }

    /// Returns the next record, or `None` at the end. Blank lines are skipped.
    ///
    /// # Errors
    /// [`ReadError::Io`], [`ReadError::Syntax`].
    pub fn next_row(&mut self) -> Result<Option<Row>, ReadError> {
        loop {
            let Some(row) = self.any_row()? else {
                return Ok(None);
            };
            if self.is_kept(&row) && self.passes_filter(&row)? {
                return Ok(Some(row));
            }
            self.recycle(row);
        }
    }

    /// Gives every record that is left to `take`.
    ///
    /// # Errors
    /// As [`Rows::next_row`], and those of `take`; [`ReadError::Empty`] if there is no record.
    pub fn each(
        &mut self,
        mut take: impl FnMut(&Self, &Row) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        let mut any = false;
        while let Some(row) = self.next_row()? {
            any = true;
            take(self, &row)?;
            self.recycle(row);
        }
        if any { Ok(()) } else { Err(ReadError::Empty) }
    }

    /// Whether a row is a record; rows of the kind of the first record are.
    fn is_kept(&mut self, row: &Row) -> bool {
        let Some((field, values)) = self.kept else {
            return true;
        };
        let Cell::Text(text) = row.cell(field) else {
            return false;
        };
        let at = values.iter().position(|v| v == text);
        if let Some(at) = at {
            self.kept = Some((field, &values[at..=at]));
        }
        at.is_some()
    }

    fn passes_filter(&mut self, row: &Row) -> Result<bool, ReadError> {
        let Some((field, chosen, mut seen)) = self.filter.take() else {
            return Ok(true);
        };
        let passes = filter_wanted(self, row, field, chosen.as_deref(), &mut seen)?;
        self.filter = Some((field, chosen, seen));
        Ok(passes)
    }

    fn any_row(&mut self) -> Result<Option<Row>, ReadError> {
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
                    if read_line(reader, line, *number + 1)? == 0 {
                        return Ok(None);
                    }
                    *number += 1;
                }
                if scan_line(line, *number, paths, shape, &mut row)? {
                    return Ok(Some(row));
                }
            },
            Source::Document {
                frames,
                frame,
                paths,
                pending,
            } => {
                if !std::mem::take(pending) && !frames.next(frame)? {
                    return Ok(None);
                }
                row.clear(frame.line);
                json::scan(&frame.bytes, paths, &mut row, None).map_err(|f| within(frame, f))?;
                Ok(Some(row))
            }
            Source::Csv(csv) => Ok(csv.next(&mut row)?.then_some(row)),
        }
    }

    /// Takes the next record if it is a JSON line like the one before, has plain values only, and `accept` makes something of them.
    /// Otherwise nothing has happened, and [`Rows::next_row`] reads the record.
    #[inline(always)]
    pub(super) fn next_plain<T>(
        &mut self,
        accept: impl FnOnce(&Scalars, &[f64]) -> Option<T>,
    ) -> Result<Option<T>, ReadError> {
        if self.kept.is_some() || self.filter.is_some() {
            return Ok(None);
        }
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

/// The field to read: the one that was given, else the log's first of the usual names, else the first of these.
pub(crate) fn usual(given: Option<&str>, usual: &[&str], found: &[String]) -> String {
    let has = usual.iter().find(|n| found.iter().any(|f| f == *n));
    given
        .or(has.copied())
        .unwrap_or_else(|| usual.first().copied().unwrap_or_default())
        .to_owned()
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

/// A fault within an object of a document.
fn within(frame: &Frame, (at, problem): Fault) -> ReadError {
    let (line, column) = frame.place(at);
    ReadError::Syntax {
        line,
        column,
        problem,
    }
}

/// Reads a line up to the limit on memory; returns its length.
fn read_line<R: BufRead>(
    reader: &mut R,
    line: &mut Vec<u8>,
    number: u64,
) -> Result<usize, ReadError> {
    let limit = RECORD_LIMIT as u64 + 1;
    let length = reader.by_ref().take(limit).read_until(b'\n', line)?;
    if length > RECORD_LIMIT {
        return Err(ReadError::TooLong {
            line: number,
            limit: RECORD_LIMIT,
        });
    }
    Ok(length)
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
