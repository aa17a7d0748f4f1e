//! One JSON object a line. A list of numbers under `name` is read as the columns `name0`, `name1` and so on.

use std::fmt;
use std::io::BufRead;

use serde_json::Value;

use super::cells::{Cells, Kind};
use super::csv::LIMIT;
use super::error::{Problem, ReadError};

/// Lines of JSON, read one by one.
#[derive(Debug)]
pub(super) struct Json<R> {
    reader: R,
    record: Vec<u8>,
    line: u64,
    /// The first record waits.
    pending: bool,
}

impl<R: BufRead> Json<R> {
    /// Reads the first record; returns the log and the names of that record's fields.
    pub(super) fn open(reader: R) -> Result<(Self, Vec<String>), ReadError> {
        let mut json = Json {
            reader,
            record: Vec::new(),
            line: 0,
            pending: true,
        };
        if !json.copy_line()? {
            return Err(ReadError::file(Problem::Empty));
        }
        let mut names = Vec::new();
        json.fields(|name, _| {
            names.push(name.to_owned());
            Ok(())
        })?;
        Ok((json, names))
    }

    /// Reads the next record; returns false at the end.
    pub(super) fn next(&mut self, cells: &mut Cells) -> Result<bool, ReadError> {
        if !std::mem::take(&mut self.pending) && !self.copy_line()? {
            return Ok(false);
        }
        cells.begin(self.line);
        self.fields(|name, value| {
            for place in 0..cells.names.len() {
                if cells.names[place] == name {
                    store(place, value, cells)?;
                }
            }
            Ok(())
        })?;
        Ok(true)
    }

    /// Gives the name and value of every field, those of lists one by one.
    fn fields(
        &self,
        mut take: impl FnMut(&str, &Value) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        let text = self
            .record
            .strip_prefix(b"\xEF\xBB\xBF")
            .unwrap_or(&self.record);
        let object: serde_json::Map<String, Value> = serde_json::from_slice(text).map_err(|e| {
            let (byte, message) = (e.column(), words(&e));
            ReadError::at(self.line, Problem::Json { byte, message })
        })?;
        for (name, value) in &object {
            match value {
                Value::Array(list) => {
                    for (i, value) in list.iter().enumerate() {
                        take(&format!("{name}{i}"), value)?;
                    }
                }
                value => take(name, value)?,
            }
        }
        Ok(())
    }

    /// Copies the next line that is not blank.
    fn copy_line(&mut self) -> Result<bool, ReadError> {
        loop {
            self.record.clear();
            let mut part = std::io::Read::take(&mut self.reader, LIMIT as u64 + 1);
            if part
                .read_until(b'\n', &mut self.record)
                .map_err(ReadError::file)?
                == 0
            {
                return Ok(false);
            }
            self.line += 1;
            if self.record.len() > LIMIT {
                return Err(ReadError::at(self.line, Problem::TooLong(LIMIT)));
            }
            if !self.record.trim_ascii().is_empty() {
                return Ok(true);
            }
        }
    }
}

fn store(place: usize, value: &Value, cells: &mut Cells) -> Result<(), ReadError> {
    let text: &dyn fmt::Display = match value {
        Value::Null => return Ok(()),
        Value::Number(number) => number,
        Value::String(text) => text,
        Value::Bool(true) => &1,
        Value::Bool(false) => &0,
        other => other,
    };
    cells.found[place] = true;
    match cells.kinds[place] {
        Kind::Text => cells.texts[place] = text.to_string().into_bytes(),
        Kind::Number => {
            let number = match value {
                Value::Number(number) => number.as_f64(),
                _ => text.to_string().trim().parse().ok(),
            };
            cells.numbers[place] = number.ok_or_else(|| {
                let text = text.to_string().chars().take(40).collect();
                ReadError::cell(cells.line, &cells.names[place], Problem::NotNumber(text))
            })?;
        }
    }
    Ok(())
}

/// The parser's words without the place, which is the line of the record and not of the file.
fn words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line").next().unwrap_or_default().to_owned()
}
