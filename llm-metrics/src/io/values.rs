//! What the cells of a row mean, with the error that names line, field and value where they do not mean it.

use std::io::BufRead;

use super::error::ReadError;
use super::row::{Cell, Row, parse_class};
use super::rows::Rows;

impl<R: BufRead> Rows<R> {
    fn name(&self, field: usize) -> String {
        self.fields.get(field).cloned().unwrap_or_default()
    }

    /// Returns the error about a field of a row.
    #[must_use]
    pub fn fault(&self, row: &Row, field: usize, problem: String) -> ReadError {
        ReadError::Value {
            line: row.line,
            field: self.name(field),
            problem,
        }
    }

    fn unfit(&self, row: &Row, field: usize, wanted: &str) -> ReadError {
        match row.cell(field) {
            Cell::Missing => ReadError::Missing {
                line: row.line,
                field: self.name(field),
            },
            Cell::Text(t) => self.fault(row, field, format!("{t:?} is not {wanted}")),
            Cell::Number(v) => self.fault(row, field, format!("{v} is not {wanted}")),
            Cell::Bool(v) => self.fault(row, field, format!("{v} is not {wanted}")),
            Cell::Numbers(..) => self.fault(row, field, format!("an array is not {wanted}")),
            Cell::Other => self.fault(row, field, format!("the value is not {wanted}")),
        }
    }

    /// Returns a finite number: a number, or text that reads as one.
    ///
    /// # Errors
    /// [`ReadError::Missing`], [`ReadError::Value`].
    pub fn number(&self, row: &Row, field: usize) -> Result<f64, ReadError> {
        let value = match row.cell(field) {
            Cell::Number(v) => Some(*v),
            Cell::Text(t) => t.trim().parse().ok(),
            _ => None,
        };
        value
            .filter(|v: &f64| v.is_finite())
            .ok_or_else(|| self.unfit(row, field, "a finite number"))
    }

    /// Returns an outcome: true or false, 1 or 0, or those words.
    ///
    /// # Errors
    /// [`ReadError::Missing`], [`ReadError::Value`].
    #[allow(clippy::float_cmp)] // 0 and 1 exactly.
    pub fn outcome(&self, row: &Row, field: usize) -> Result<bool, ReadError> {
        let value = match row.cell(field) {
            Cell::Bool(b) => Some(*b),
            Cell::Number(v) if *v == 0.0 || *v == 1.0 => Some(*v == 1.0),
            Cell::Text(t) => match t.trim() {
                "true" | "True" | "TRUE" | "1" | "1.0" => Some(true),
                "false" | "False" | "FALSE" | "0" | "0.0" => Some(false),
                _ => None,
            },
            _ => None,
        };
        value.ok_or_else(|| self.unfit(row, field, "true or false (1 or 0)"))
    }

    /// Returns the text of a field; a number is written out.
    ///
    /// # Errors
    /// [`ReadError::Missing`], [`ReadError::Value`].
    pub fn text(&self, row: &Row, field: usize) -> Result<String, ReadError> {
        match row.cell(field) {
            Cell::Text(t) => Ok(t.clone()),
            Cell::Number(v) => Ok(v.to_string()),
            Cell::Bool(b) => Ok(b.to_string()),
            _ => Err(self.unfit(row, field, "a text or a number")),
        }
    }

    /// Returns a class: a whole number from 0, or a letter (A is 0), in parentheses or not.
    ///
    /// # Errors
    /// [`ReadError::Missing`], [`ReadError::Value`].
    pub fn class(&self, row: &Row, field: usize) -> Result<usize, ReadError> {
        parse_class(row.cell(field))
            .ok_or_else(|| self.unfit(row, field, "the number or the letter of a class"))
    }

    /// Returns the numbers of an array.
    ///
    /// # Errors
    /// [`ReadError::Missing`], [`ReadError::Value`].
    pub fn array<'r>(&self, row: &'r Row, field: usize) -> Result<&'r [f64], ReadError> {
        row.numbers(field)
            .ok_or_else(|| self.unfit(row, field, "an array of numbers"))
    }
}
