//! Cells between commas, semicolons or tabs. Lines without a quote, which logs of numbers are made of, are read in one walk.

use std::io::BufRead;

use super::cells::{Cells, Kind};
use super::error::{Problem, ReadError};
use super::number::{general, simple};

/// Longest record, in bytes.
pub(super) const LIMIT: usize = 1 << 24;

/// A table, read record by record.
#[derive(Debug)]
pub(super) struct Csv<R> {
    reader: R,
    delimiter: u8,
    /// For each column of the file, the places that want it.
    wanted: Vec<Vec<usize>>,
    /// A record that does not lie whole in the reader's buffer, or that has quotes.
    record: Vec<u8>,
    line: u64,
}

impl<R: BufRead> Csv<R> {
    /// Reads the header; returns the table and the names of its columns.
    pub(super) fn open(reader: R) -> Result<(Self, Vec<String>), ReadError> {
        let mut csv = Csv {
            reader,
            delimiter: b',',
            wanted: Vec::new(),
            record: Vec::new(),
            line: 0,
        };
        loop {
            if csv.copy_record()? == 0 {
                return Err(ReadError::file(Problem::Empty));
            }
            let head = csv
                .record
                .strip_prefix(b"\xEF\xBB\xBF")
                .unwrap_or(&csv.record)
                .to_vec();
            if head.trim_ascii().is_empty() {
                continue;
            }
            let count = |b: u8| memchr::memchr_iter(b, &head).count();
            csv.delimiter = [b'\t', b';', b',']
                .into_iter()
                .max_by_key(|b| count(*b))
                .unwrap_or(b',');
            let mut names = Vec::new();
            split(head.trim_ascii_end(), csv.delimiter, csv.line, |_, cell| {
                names.push(String::from_utf8_lossy(cell).trim().to_owned());
                Ok(())
            })?;
            return Ok((csv, names));
        }
    }

    /// Says which columns are wanted.
    pub(super) fn want(&mut self, header: &[String], cells: &Cells) {
        self.wanted = header.iter().map(|name| cells.places(name)).collect();
    }

    /// Reads the next record; returns false at the end. Blank lines are skipped.
    pub(super) fn next(&mut self, cells: &mut Cells) -> Result<bool, ReadError> {
        loop {
            let buffer = self.reader.fill_buf().map_err(ReadError::file)?;
            if let Some(end) = memchr::memchr(b'\n', buffer)
                && memchr::memchr(b'"', &buffer[..end]).is_none()
            {
                self.line += 1;
                cells.begin(self.line);
                let line = buffer[..end].strip_suffix(b"\r").unwrap_or(&buffer[..end]);
                let any = !line.is_empty();
                if any {
                    plain(line, self.delimiter, &self.wanted, cells)?;
                }
                self.reader.consume(end + 1);
                if any {
                    return Ok(true);
                }
                continue;
            }
            let first = self.line + 1;
            if self.copy_record()? == 0 {
                return Ok(false);
            }
            let line = self.record.trim_ascii_end();
            if line.is_empty() {
                continue;
            }
            cells.begin(first);
            let wanted = &self.wanted;
            let mut found = 0;
            split(line, self.delimiter, first, |column, cell| {
                found = column + 1;
                wanted
                    .get(column)
                    .map_or(Ok(()), |places| store(places, cell, cells))
            })?;
            check(found, wanted.len(), first)?;
            return Ok(true);
        }
    }

    /// Copies the next record, quoted line ends included; returns its length.
    fn copy_record(&mut self) -> Result<usize, ReadError> {
        self.record.clear();
        loop {
            let limit = LIMIT as u64 + 1;
            let before = self.record.len();
            let mut part = std::io::Read::take(&mut self.reader, limit);
            part.read_until(b'\n', &mut self.record)
                .map_err(ReadError::file)?;
            self.line += u64::from(self.record.len() > before);
            if self.record.len() > LIMIT {
                return Err(ReadError::at(self.line, Problem::TooLong(LIMIT)));
            }
            let quotes = memchr::memchr_iter(b'"', &self.record).count();
            if quotes.is_multiple_of(2) {
                return Ok(self.record.len());
            }
            if self.record.len() == before {
                return Err(ReadError::at(self.line, Problem::Quote));
            }
        }
    }
}

fn check(found: usize, expected: usize, line: u64) -> Result<(), ReadError> {
    if found == expected {
        Ok(())
    } else {
        Err(ReadError::at(line, Problem::Cells { expected, found }))
    }
}

/// A line without quotes.
fn plain(
    line: &[u8],
    delimiter: u8,
    wanted: &[Vec<usize>],
    cells: &mut Cells,
) -> Result<(), ReadError> {
    let mut at = 0;
    let mut found = 0;
    loop {
        let rest = &line[at.min(line.len())..];
        let places = wanted.get(found).map_or(&[][..], Vec::as_slice);
        found += 1;
        // A number that ends with its cell: read where it lies.
        let quick = match places {
            [place] if cells.kinds[*place] == Kind::Number => simple(rest)
                .filter(|(_, length)| rest.get(*length).is_none_or(|b| *b == delimiter))
                .map(|(value, length)| {
                    cells.numbers[*place] = value;
                    cells.found[*place] = true;
                    length
                }),
            _ => None,
        };
        let length = match quick {
            Some(length) => length,
            None => {
                let length = memchr::memchr(delimiter, rest).unwrap_or(rest.len());
                store(places, &rest[..length], cells)?;
                length
            }
        };
        if length == rest.len() {
            return check(found, wanted.len(), cells.line);
        }
        at += length + 1;
    }
}

/// Gives every cell of a record, with quotes taken off.
fn split(
    record: &[u8],
    delimiter: u8,
    line: u64,
    mut take: impl FnMut(usize, &[u8]) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let mut rest = record;
    let mut column = 0;
    loop {
        let end = if rest.first() == Some(&b'"') {
            let mut cell = Vec::new();
            let mut at = 1;
            loop {
                let quote = memchr::memchr(b'"', &rest[at..]);
                let quote = at + quote.ok_or_else(|| ReadError::at(line, Problem::Quote))?;
                cell.extend_from_slice(&rest[at..quote]);
                at = quote + 1;
                if rest.get(at) != Some(&b'"') {
                    break;
                }
                cell.push(b'"');
                at += 1;
            }
            if rest.get(at).is_some_and(|b| *b != delimiter) {
                return Err(ReadError::at(line, Problem::Quote));
            }
            take(column, &cell)?;
            at
        } else {
            let end = memchr::memchr(delimiter, rest).unwrap_or(rest.len());
            take(column, &rest[..end])?;
            end
        };
        column += 1;
        if end == rest.len() {
            return Ok(());
        }
        rest = &rest[end + 1..];
    }
}

/// Stores a cell in the places that want it.
fn store(places: &[usize], cell: &[u8], cells: &mut Cells) -> Result<(), ReadError> {
    let text = cell.trim_ascii();
    for &place in places {
        if text.is_empty() {
            continue;
        }
        cells.found[place] = true;
        match cells.kinds[place] {
            Kind::Text => {
                cells.texts[place].clear();
                cells.texts[place].extend_from_slice(text);
            }
            Kind::Number => {
                let value = general(text).ok_or_else(|| {
                    let text = String::from_utf8_lossy(text).chars().take(40).collect();
                    ReadError::cell(cells.line, &cells.names[place], Problem::NotNumber(text))
                })?;
                cells.numbers[place] = value;
            }
        }
    }
    Ok(())
}
