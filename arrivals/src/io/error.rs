//! What can be wrong with a receipt log, and where.

use super::sheet::{Place, Row, SheetError, shorten};
use crate::error::ArrivalsError;
use crate::gather::Clash;

/// An error of a receipt log or a saved model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The table cannot be read, or a number is none.
    #[error(transparent)]
    Sheet(#[from] SheetError),
    /// A field is wrong.
    #[error("{place}: {problem}")]
    Row {
        /// Where.
        place: Place,
        /// What is wrong.
        problem: Box<RowProblem>,
    },
    /// The end of the data is no date of the log's notation.
    #[error("the end of the data: {problem}")]
    End {
        /// How it was given.
        text: String,
        /// What is wrong.
        problem: Box<RowProblem>,
    },
    /// Neither an order nor a receipt has a date.
    #[error("{file}: holds no order and no receipt")]
    NoOrder {
        /// The log.
        file: Place,
    },
    /// The log as a whole makes no sense.
    #[error("{file}: {error}")]
    Log {
        /// The log.
        file: Place,
        /// What is wrong.
        error: Box<ArrivalsError>,
    },
    /// The text is no saved model.
    #[error("is no saved model ({0})")]
    NotSaved(#[from] serde_json::Error),
    /// A saved model names another number of vendors than its network has.
    #[error("names {named} vendors, its model has {model}")]
    Vendors {
        /// Names.
        named: usize,
        /// Vendors of the model.
        model: usize,
    },
    /// The network of a saved model cannot be read.
    #[error(transparent)]
    Model(#[from] ArrivalsError),
}

/// What is wrong with a field of a receipt log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RowProblem {
    /// Nothing stands there.
    #[error("is empty")]
    Empty,
    /// It is no date.
    #[error("{} is no date (2024-01-31), ISO week (2024-W05) or number", shorten(.text))]
    NoDate {
        /// The field.
        text: String,
    },
    /// It is a date of another notation.
    #[error("{} is not written as the dates before it are", shorten(.text))]
    Notation {
        /// The field.
        text: String,
    },
    /// It is a week, where days are counted.
    #[error("{} is a week; days need dates", shorten(.text))]
    WeekForDays {
        /// The field.
        text: String,
    },
    /// A receipt before its order.
    #[error("{} is before the order, {}", shorten(.date), shorten(.order))]
    BeforeOrder {
        /// The receipt's date.
        date: String,
        /// The order's.
        order: String,
    },
    /// A date after the end of the data.
    #[error("{} is after the end of the data, {end}", shorten(.text))]
    AfterEnd {
        /// The field.
        text: String,
        /// The end.
        end: String,
    },
    /// Units received below zero.
    #[error("{} is negative: a return needs a status that says so", shorten(.text))]
    Negative {
        /// The field.
        text: String,
    },
    /// Units were received, but no date is given.
    #[error("is empty, but units were received")]
    NoDateOfReceipt,
    /// A receipt has a date, but no units.
    #[error("is empty, but the receipt has a date")]
    NoUnitsReceived,
    /// A status that is none.
    #[error("{} is none of open, closed, cancelled, return", shorten(.text))]
    Status {
        /// The field.
        text: String,
    },
    /// A vendor that the model was not fitted to.
    #[error("the model knows no vendor {}", shorten(.vendor))]
    UnknownVendor {
        /// The vendor.
        vendor: String,
    },
    /// The row contradicts an earlier one of its order.
    #[error("{} {clash}", shorten(.text))]
    Clash {
        /// The field.
        text: String,
        /// How.
        clash: Clash,
    },
}

impl ReadError {
    /// An error about a field.
    pub(super) fn row(row: &Row<'_>, column: usize, problem: RowProblem) -> Self {
        let (place, problem) = (row.place(column), Box::new(problem));
        ReadError::Row { place, problem }
    }

    /// An error about the end of the data.
    pub(super) fn end(text: &str, problem: impl Fn(String) -> RowProblem) -> Self {
        ReadError::End {
            text: text.to_owned(),
            problem: Box::new(problem(text.to_owned())),
        }
    }
}
