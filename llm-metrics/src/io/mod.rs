//! Readers for logs: JSON lines, CSV and lm-evaluation-harness samples, plain or compressed, in constant memory.

mod json;
mod layout;
mod number;
mod open;
mod plain;
mod record;
mod records;
mod row;
mod rows;
mod scanner;
mod schema;
mod shape;
mod values;

pub use open::{decompressed, open};
pub use record::Record;
pub use records::CalibrationReader;
pub use row::{Cell, Row};
pub use rows::{Format, Rows};
pub use schema::{Fields, Schema};

/// What is wrong with a log, and where. Lines count from 1, as editors do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file cannot be read.
    #[error("{source}")]
    Io {
        /// The system's error.
        #[from]
        source: std::io::Error,
    },
    /// A line is not what the format asks for.
    #[error("line {line}, column {column}: {problem}")]
    Syntax {
        /// Line, from 1.
        line: u64,
        /// Byte within the line, from 1.
        column: usize,
        /// What is wrong.
        problem: String,
    },
    /// A record lacks a field.
    #[error("line {line}: there is no field {field:?}")]
    Missing {
        /// Line, from 1.
        line: u64,
        /// The field.
        field: String,
    },
    /// A field's value cannot be used.
    #[error("line {line}, field {field:?}: {problem}")]
    Value {
        /// Line, from 1.
        line: u64,
        /// The field.
        field: String,
        /// What is wrong, with the value.
        problem: String,
    },
    /// The fields that the log has fit no known schema.
    #[error("the log's fields fit no schema: expected {expected}; the first record has {found}")]
    Schema {
        /// What would do.
        expected: String,
        /// The fields found.
        found: String,
    },
    /// The log has no records.
    #[error("there are no records")]
    Empty,
}

impl ReadError {
    /// Returns the line, from 1, if the error has one.
    #[must_use]
    pub fn line(&self) -> Option<u64> {
        match self {
            ReadError::Syntax { line, .. }
            | ReadError::Missing { line, .. }
            | ReadError::Value { line, .. } => Some(*line),
            _ => None,
        }
    }
}
