//! What the cells of a row mean, with the error that names line, field and value where they do not mean it.

use std::io::BufRead;

use super::error::ReadError;
use super::row::{Cell, Row, decimal, parse_class};
use super::rows::Rows;
use super::tool::Tool;

impl<R: BufRead> Rows<R> {
    pub(crate) fn field_name(&self, field: usize) -> String {
        self.fields.get(field).cloned().unwrap_or_default()
    }

    /// Returns the error about a field of a row.
    #[must_use]
    pub fn fault(&self, row: &Row, field: usize, problem: String) -> ReadError {
        ReadError::Value {
            line: row.line,
            field: self.field_name(field),
            problem,
        }
    }

    fn unfit(&self, row: &Row, field: usize, wanted: &str) -> ReadError {
        match &row.single(field) {
            Cell::Missing => ReadError::Missing {
                line: row.line,
                field: self.field_name(field),
            },
            Cell::Text(t) => self.fault(row, field, format!("{t:?} is not {wanted}")),
            Cell::Number(v) => self.fault(row, field, format!("{v} is not {wanted}")),
            Cell::Bool(v) => self.fault(row, field, format!("{v} is not {wanted}")),
            Cell::Numbers(..) => self.fault(row, field, format!("an array is not {wanted}")),
            Cell::Texts(..) => self.fault(row, field, format!("several texts are not {wanted}")),
            Cell::Map { .. } => self.fault(row, field, format!("an object is not {wanted}")),
            Cell::Other => self.fault(row, field, format!("the value is not {wanted}")),
        }
    }

    /// Returns a finite number: a number, or text that reads as one, with or without a percent sign.
    ///
    /// # Errors
    /// [`ReadError::Missing`], [`ReadError::Value`].
    pub fn number(&self, row: &Row, field: usize) -> Result<f64, ReadError> {
        let value = match row.single(field) {
            Cell::Number(v) => Some(v),
            Cell::Text(t) => decimal(t.trim(), false),
            _ => None,
        };
        value
            .filter(|v: &f64| v.is_finite())
            .ok_or_else(|| self.unfit(row, field, "a finite number"))
    }

    /// Returns a quantity: a number, or text of one with K, M, B (or G) or T for thousands, millions, billions and trillions (`70M`, `1.4T`).
    ///
    /// # Errors
    /// [`ReadError::Missing`], [`ReadError::Value`].
    pub fn quantity(&self, row: &Row, field: usize) -> Result<f64, ReadError> {
        if let Cell::Text(text) = row.cell(field) {
            let text = text.trim();
            let scale = text
                .chars()
                .last()
                .and_then(|unit| match unit.to_ascii_uppercase() {
                    'K' => Some(1e3),
                    'M' => Some(1e6),
                    'B' | 'G' => Some(1e9),
                    'T' => Some(1e12),
                    _ => None,
                });
            let number = text
                .get(..text.len().saturating_sub(1))
                .and_then(|t| decimal(t.trim(), false));
            if let (Some(scale), Some(number)) = (scale, number) {
                return Ok(number * scale);
            }
        }
        self.number(row, field)
    }

    /// Returns a quantity above 0.
    ///
    /// # Errors
    /// As [`Rows::quantity`]; [`ReadError::Value`] for what is not positive.
    pub fn positive(&self, row: &Row, field: usize) -> Result<f64, ReadError> {
        let v = self.quantity(row, field)?;
        if v > 0.0 {
            Ok(v)
        } else {
            Err(self.fault(row, field, format!("{v} is not positive")))
        }
    }

    /// Returns an outcome: true or false, 1 or 0, yes or no, correct or incorrect, pass or fail, these in German or French, or the C and I of inspect_ai.
    ///
    /// # Errors
    /// [`ReadError::Missing`], [`ReadError::Value`].
    #[allow(clippy::float_cmp)] // 0 and 1 exactly.
    pub fn outcome(&self, row: &Row, field: usize) -> Result<bool, ReadError> {
        let value = match row.single(field) {
            Cell::Bool(b) => Some(b),
            Cell::Number(v) if v == 0.0 || v == 1.0 => Some(v == 1.0),
            Cell::Text(t) => match t.trim() {
                "1" | "1.0" => Some(true),
                "0" | "0.0" => Some(false),
                // inspect_ai writes C and I.
                "C" => Some(true),
                "I" => Some(false),
                word => match word.to_ascii_lowercase().as_str() {
                    "true" | "yes" | "y" | "correct" | "right" | "pass" | "passed" => Some(true),
                    "false" | "no" | "n" | "incorrect" | "wrong" | "fail" | "failed" => Some(false),
                    "ja" | "wahr" | "richtig" | "oui" | "vrai" => Some(true),
                    "nein" | "falsch" | "non" | "faux" => Some(false),
                    _ => None,
                },
            },
            _ => None,
        };
        value.ok_or_else(|| self.unfit(row, field, "true or false (1 or 0, yes or no)"))
    }

    /// Returns a utility in [0, 1]: an outcome, a number, or the P (partly right, one half) of inspect_ai.
    ///
    /// # Errors
    /// [`ReadError::Missing`], [`ReadError::Value`].
    pub fn utility(&self, row: &Row, field: usize) -> Result<f64, ReadError> {
        let partly = self.tool() == Some(Tool::InspectAi)
            && matches!(row.single(field), Cell::Text(t) if t.trim() == "P");
        let utility = match self.outcome(row, field) {
            Ok(right) => f64::from(u8::from(right)),
            Err(_) if partly => 0.5,
            Err(_) => self.number(row, field)?,
        };
        if (0.0..=1.0).contains(&utility) {
            Ok(utility)
        } else {
            let problem = format!("the utility {utility} is outside [0, 1]");
            Err(self.fault(row, field, problem))
        }
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
            // What a path with a star found, as one text.
            Cell::Texts(from, to) => Ok(row.texts[*from..*to].join("\u{1f}")),
            Cell::Numbers(from, to) if self.field_name(field).contains('*') => {
                let texts = row.numbers[*from..*to].iter().map(f64::to_string);
                Ok(texts.collect::<Vec<_>>().join("\u{1f}"))
            }
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
