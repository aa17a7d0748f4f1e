//! One line: an object whose fields are numbers and lists of numbers.

use std::fmt;
use std::io::BufRead;

use serde_json::{Map, Value};

use crate::error::DrainError;

/// What is wrong with a file, and where.
#[derive(Debug)]
#[non_exhaustive]
pub struct ReadError {
    /// The line, from one on; none where it is the file.
    pub line: Option<u64>,
    /// The field, where it is one.
    pub field: Option<String>,
    /// What is wrong.
    pub problem: Problem,
}

/// What can be wrong with a line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The file cannot be read.
    #[error(transparent)]
    Io(std::io::Error),
    /// Not JSON.
    #[error("is not JSON: {}", placed(.0))]
    Json(serde_json::Error),
    /// JSON, but not an object.
    #[error("is not an object")]
    NotAnObject,
    /// A field that must be there.
    #[error("is missing")]
    Missing,
    /// A field that means nothing here.
    #[error("is not known; there may be {}", .known.join(", "))]
    Unknown {
        /// Those that do.
        known: &'static [&'static str],
    },
    /// Something else than a number.
    #[error("entry {index} is not a number")]
    NotANumber {
        /// Its place in the list.
        index: usize,
    },
    /// Something else than a list.
    #[error("is not a list")]
    NotAList,
    /// Parts of a list that are not of one length.
    #[error("part {part} has length {found}, expected {expected}")]
    Ragged {
        /// The part, from zero on.
        part: usize,
        /// The length of the first.
        expected: usize,
        /// Its own.
        found: usize,
    },
    /// Another length than the lines before.
    #[error("has length {found}, expected {expected}")]
    Length {
        /// Of the first line.
        expected: usize,
        /// Of this one.
        found: usize,
    },
    /// Numbers that the problem does not allow.
    #[error(transparent)]
    Value(DrainError),
    /// No line.
    #[error("there is nothing to read")]
    Empty,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, &self.field) {
            (None, _) => {}
            (Some(line), None) => write!(f, "line {line}: ")?,
            (Some(line), Some(field)) => write!(f, "line {line}, field {field}: ")?,
        }
        self.problem.fmt(f)
    }
}

impl std::error::Error for ReadError {}

impl ReadError {
    pub(super) fn empty() -> Self {
        Self {
            line: None,
            field: None,
            problem: Problem::Empty,
        }
    }
}

/// A line's number and fields.
#[derive(Debug)]
pub(super) struct Line {
    number: u64,
    fields: Map<String, Value>,
}

/// The lines that are not empty.
pub(super) fn lines(reader: impl BufRead) -> impl Iterator<Item = Result<Line, ReadError>> {
    let numbered = (1..).zip(reader.lines());
    numbered.filter_map(|(number, text)| match text {
        Ok(text) if text.trim().is_empty() => None,
        Ok(text) => Some(Line::parse(number, &text)),
        Err(error) => Some(Err(ReadError {
            line: Some(number),
            field: None,
            problem: Problem::Io(error),
        })),
    })
}

impl Line {
    fn parse(number: u64, text: &str) -> Result<Self, ReadError> {
        let fault = |field, problem| ReadError {
            line: Some(number),
            field,
            problem,
        };
        match serde_json::from_str(text) {
            Ok(Value::Object(fields)) => Ok(Self { number, fields }),
            Ok(_) => Err(fault(None, Problem::NotAnObject)),
            Err(error) => {
                let read = text.get(..error.column()).unwrap_or(text);
                Err(fault(last_name(read), Problem::Json(error)))
            }
        }
    }

    pub(super) fn field(&self, name: &str, problem: Problem) -> ReadError {
        ReadError {
            line: Some(self.number),
            field: Some(name.to_owned()),
            problem,
        }
    }

    pub(super) fn value(&self, error: DrainError) -> ReadError {
        ReadError {
            line: Some(self.number),
            field: None,
            problem: Problem::Value(error),
        }
    }

    /// Refuses fields of other names.
    pub(super) fn only(&self, known: &'static [&'static str]) -> Result<(), ReadError> {
        let unknown = self.fields.keys().find(|n| !known.contains(&n.as_str()));
        match unknown {
            Some(name) => Err(self.field(name, Problem::Unknown { known })),
            None => Ok(()),
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    /// Whether a field is a list of lists.
    pub(super) fn nests(&self, name: &str) -> bool {
        self.fields.get(name).is_some_and(|v| v[0].is_array())
    }

    pub(super) fn numbers(&self, name: &str) -> Result<Vec<f64>, ReadError> {
        self.rows(name, 1, None)
    }

    /// A list, or one number that stands for as many.
    pub(super) fn number_or_list(&self, name: &str, count: usize) -> Result<Vec<f64>, ReadError> {
        match self.fields.get(name).and_then(Value::as_f64) {
            Some(number) => Ok(vec![number; count]),
            None => self.numbers(name),
        }
    }

    /// Lists in lists so many deep, all of one shape, one after the other; `null` is `nothing`, where that is allowed.
    pub(super) fn rows(
        &self,
        name: &str,
        depth: usize,
        nothing: Option<f64>,
    ) -> Result<Vec<f64>, ReadError> {
        let value = self.fields.get(name);
        let value = value.ok_or_else(|| self.field(name, Problem::Missing))?;
        let mut level = vec![value];
        for _ in 0..depth {
            let mut next = Vec::new();
            let mut expected = None;
            for (part, value) in level.into_iter().enumerate() {
                let list = value.as_array();
                let list = list.ok_or_else(|| self.field(name, Problem::NotAList))?;
                let (expected, found) = (*expected.get_or_insert(list.len()), list.len());
                if found != expected {
                    let problem = Problem::Ragged {
                        part,
                        expected,
                        found,
                    };
                    return Err(self.field(name, problem));
                }
                next.extend(list);
            }
            level = next;
        }
        let number = |(index, value): (usize, &Value)| {
            match value {
                Value::Null => nothing,
                other => other.as_f64(),
            }
            .ok_or_else(|| self.field(name, Problem::NotANumber { index }))
        };
        level.into_iter().enumerate().map(number).collect()
    }

    /// The lengths of lists in lists of one shape, as [`rows`](Self::rows) has found them.
    pub(super) fn shape<const DEPTH: usize>(&self, name: &str) -> [usize; DEPTH] {
        let mut value = self.fields.get(name);
        std::array::from_fn(|_| {
            let list = value.and_then(Value::as_array);
            value = list.and_then(|list| list.first());
            list.map_or(0, Vec::len)
        })
    }
}

/// The message with the column: the number of the line is another where each is read by itself.
fn placed(error: &serde_json::Error) -> String {
    error
        .to_string()
        .replace(" at line 1 column ", " at column ")
}

/// The last name of a field in the beginning of a line.
fn last_name(text: &str) -> Option<String> {
    let (before, _) = text.rsplit_once(':')?;
    let name = before.trim_end().strip_suffix('"')?;
    Some(name.rsplit_once('"')?.1.to_owned())
}
