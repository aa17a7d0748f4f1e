//! What is wrong with a log, and where.

/// What is wrong with a log, and where. Lines count from 1, as editors do.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file cannot be read.
    #[error("{message}")]
    Io {
        /// What kind of error it is.
        kind: std::io::ErrorKind,
        /// The system's number, if the system reported it; none for data that are damaged or cut short.
        code: Option<i32>,
        /// The system's words.
        message: String,
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
    /// A record is longer than the limit on memory.
    #[error("line {line}: the record is longer than {limit} bytes")]
    TooLong {
        /// Line of its start, from 1.
        line: u64,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The log has no records.
    #[error("there are no records")]
    Empty,
}

impl From<std::io::Error> for ReadError {
    fn from(error: std::io::Error) -> Self {
        ReadError::Io {
            kind: error.kind(),
            code: error.raw_os_error(),
            message: error.to_string(),
        }
    }
}

impl ReadError {
    /// Returns the line, from 1, if the error has one.
    #[must_use]
    pub fn line(&self) -> Option<u64> {
        match self {
            ReadError::Syntax { line, .. }
            | ReadError::Missing { line, .. }
            | ReadError::Value { line, .. }
            | ReadError::TooLong { line, .. } => Some(*line),
            _ => None,
        }
    }
}
