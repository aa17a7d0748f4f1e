//! What is wrong with a log, and where.

/// What is wrong with a log, and where: lines count from 1, as editors do.
#[derive(Debug, thiserror::Error)]
#[error("{}{}{problem}", self.line_words(), self.column_words())]
pub struct ReadError {
    /// The line, where there is one.
    pub line: Option<u64>,
    /// The column, where there is one.
    pub column: Option<String>,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong in a log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The file cannot be read.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// There is no record.
    #[error("there is no record")]
    Empty,
    /// A column is not there.
    #[error("there is no such column; there are {0}")]
    NoColumn(String),
    /// A column is named twice.
    #[error("there are two such columns")]
    Twice,
    /// A cell is empty, or a field is not there or null.
    #[error("is missing")]
    Missing,
    /// A cell is no number.
    #[error("{0:?} is not a number")]
    NotNumber(String),
    /// A record has another number of cells than the header.
    #[error("the record has {found} cells, the header {expected}")]
    Cells {
        /// Cells of the header.
        expected: usize,
        /// Cells of the record.
        found: usize,
    },
    /// A quoted cell does not end, or goes on after its end.
    #[error("a quoted cell does not end where the cell does")]
    Quote,
    /// A line is no JSON object.
    #[error("byte {byte}: {message}")]
    Json {
        /// The byte in the line, from 1.
        byte: usize,
        /// What the parser says.
        message: String,
    },
    /// An action is not among those that the target's columns name.
    #[error("action {0:?} is not among the actions of the target")]
    UnknownAction(String),
    /// There are more actions than memory is set aside for.
    #[error("there are more than {0} actions: is this the column of the action?")]
    TooManyActions(usize),
    /// There are more parts of a log than memory is set aside for.
    #[error("there are more than {0} parts: is this the column of the segment?")]
    TooManySegments(usize),
    /// A number is outside its range, or not finite.
    #[error("{value} is not {}", range(*least, *most))]
    Outside {
        /// The number.
        value: f64,
        /// Least number allowed.
        least: f64,
        /// Largest number allowed.
        most: f64,
    },
    /// A record is longer than memory is set aside for.
    #[error("the record is longer than {0} bytes")]
    TooLong(usize),
    /// The round is not what a round must be.
    #[error("{}", without_round(.0))]
    Round(crate::Error),
}

impl ReadError {
    pub(super) fn file(problem: impl Into<Problem>) -> Self {
        ReadError {
            line: None,
            column: None,
            problem: problem.into(),
        }
    }

    pub(super) fn at(line: u64, problem: Problem) -> Self {
        ReadError {
            line: Some(line),
            column: None,
            problem,
        }
    }

    pub(super) fn cell(line: u64, column: &str, problem: Problem) -> Self {
        ReadError {
            line: Some(line),
            column: Some(column.to_owned()),
            problem,
        }
    }

    fn line_words(&self) -> String {
        self.line
            .map_or_else(String::new, |line| format!("line {line}, "))
    }

    fn column_words(&self) -> String {
        let words = |column: &String| format!("column {column:?}: ");
        self.column.as_ref().map_or_else(String::new, words)
    }
}

/// The words of an error without the number of the round, as the line tells it.
fn without_round(error: &crate::Error) -> String {
    let text = error.to_string();
    match text.split_once(": ") {
        Some((round, rest)) if round.starts_with("round ") => rest.to_owned(),
        _ => text,
    }
}

/// A range in words: ends that say nothing but "finite" or "positive" are not written out.
fn range(least: f64, most: f64) -> String {
    match (least > f64::MIN, most < f64::MAX) {
        (false, false) => "a finite number".to_owned(),
        (true, true) if least.to_bits() == f64::MIN_POSITIVE.to_bits() => {
            format!("in (0, {most}]")
        }
        _ => format!("within [{least}, {most}]"),
    }
}
