//! The wanted fields of one record.

use super::layout::{Scalar, Scalars};

/// The value of one field in one record.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub enum Cell {
    /// Not there, null, or an empty CSV cell.
    #[default]
    Missing,
    /// A number; in CSV any cell that reads as one.
    Number(f64),
    /// true or false.
    Bool(bool),
    /// Text.
    Text(String),
    /// An array of numbers: a range of [`Row::numbers`].
    Numbers(usize, usize),
    /// Texts found by a path with `*`: a range of [`Row::texts`].
    Texts(usize, usize),
    /// An object of numbers: a range of the row's numbers and one of its texts, for the names.
    Map {
        /// Range of the numbers.
        numbers: (usize, usize),
        /// Range of the names.
        names: (usize, usize),
    },
    /// Something else: an object, an array of words.
    Other,
}

/// The wanted fields of one record.
#[derive(Debug, Clone, Default)]
pub struct Row {
    pub(super) cells: Vec<Cell>,
    pub(super) numbers: Vec<f64>,
    pub(super) texts: Vec<String>,
    /// What paths with `*` have found so far, by wanted field.
    gathered: Vec<(usize, Vec<Cell>)>,
    pub(super) line: u64,
}

impl Row {
    pub(super) fn new(fields: usize) -> Self {
        Self {
            cells: vec![Cell::Missing; fields],
            numbers: Vec::new(),
            texts: Vec::new(),
            gathered: Vec::new(),
            line: 0,
        }
    }
    pub(super) fn clear(&mut self, line: u64) {
        self.cells.fill(Cell::Missing);
        self.numbers.clear();
        self.texts.clear();
        self.gathered.clear();
        self.line = line;
    }
    /// Adds one of the values that a path with `*` leads to.
    pub(super) fn gather(&mut self, field: usize, cell: Cell) {
        match self.gathered.iter_mut().find(|g| g.0 == field) {
            Some((_, cells)) => cells.push(cell),
            None => self.gathered.push((field, vec![cell])),
        }
    }
    /// Makes one cell of the values of each path with `*`: numbers, texts, or the value itself if there is one alone.
    pub(super) fn settle(&mut self) {
        for (field, cells) in std::mem::take(&mut self.gathered) {
            let (numbers, texts) = (self.numbers.len(), self.texts.len());
            let mut mixed = false;
            let single = cells.len() == 1;
            let mut last = Cell::Other;
            for cell in cells {
                last = cell;
                match &last {
                    Cell::Number(v) => self.numbers.push(*v),
                    Cell::Text(t) => self.texts.push(t.clone()),
                    _ => mixed = true,
                }
            }
            let (more_numbers, more_texts) =
                (self.numbers.len() > numbers, self.texts.len() > texts);
            let cell = match (mixed || more_numbers && more_texts, more_numbers) {
                (true, _) if single => last,
                (true, _) => Cell::Other,
                (false, true) => Cell::Numbers(numbers, self.numbers.len()),
                (false, false) => Cell::Texts(texts, self.texts.len()),
            };
            self.set(field, cell);
        }
    }
    pub(super) fn set(&mut self, field: usize, cell: Cell) {
        if let Some(c) = self.cells.get_mut(field) {
            *c = cell;
        }
    }
    /// Takes the values of line number `line`, and the numbers of its arrays.
    pub(super) fn fill(&mut self, line: u64, scalars: &Scalars, numbers: &[f64]) {
        self.line = line;
        self.numbers.clear();
        self.texts.clear();
        self.numbers.extend_from_slice(numbers);
        for (field, cell) in self.cells.iter_mut().enumerate() {
            *cell = match scalars.get(field) {
                Scalar::Missing => Cell::Missing,
                Scalar::Number(v) => Cell::Number(v),
                Scalar::Bool(b) => Cell::Bool(b),
                Scalar::Numbers(start, end) => Cell::Numbers(start, end),
            };
        }
    }
    /// Returns the line of the record, from 1 (the first line of a CSV record of several lines).
    #[must_use]
    pub fn line(&self) -> u64 {
        self.line
    }
    /// Returns the cell of the wanted field number `field`.
    #[must_use]
    pub fn cell(&self, field: usize) -> &Cell {
        self.cells.get(field).unwrap_or(&Cell::Missing)
    }
    /// The cell of a field, or the only value of a list of one.
    pub(super) fn single(&self, field: usize) -> Cell {
        match self.cell(field) {
            Cell::Numbers(from, to) if to - from == 1 => Cell::Number(self.numbers[*from]),
            Cell::Texts(from, to) if to - from == 1 => Cell::Text(self.texts[*from].clone()),
            other => other.clone(),
        }
    }
    /// Returns the numbers of an array field.
    #[must_use]
    pub fn numbers(&self, field: usize) -> Option<&[f64]> {
        match self.cell(field) {
            Cell::Numbers(from, to)
            | Cell::Map {
                numbers: (from, to),
                ..
            } => self.numbers.get(*from..*to),
            _ => None,
        }
    }
}

impl Row {
    /// Returns the texts of a field that a path with `*` found, or the names of an object of numbers.
    #[must_use]
    pub fn texts(&self, field: usize) -> Option<&[String]> {
        match self.cell(field) {
            Cell::Texts(from, to)
            | Cell::Map {
                names: (from, to), ..
            } => self.texts.get(*from..*to),
            _ => None,
        }
    }
}

/// A class given by its number from 0, or by a letter from A.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::float_cmp
)] // Whole numbers in range only.
pub(super) fn parse_class(cell: &Cell) -> Option<usize> {
    match cell {
        Cell::Number(v) if *v >= 0.0 && *v <= 1e9 && v.fract() == 0.0 => Some(*v as usize),
        Cell::Bool(b) => Some(usize::from(*b)),
        Cell::Text(t) => {
            let t = t
                .trim()
                .trim_start_matches('(')
                .trim_end_matches([')', '.']);
            match t.as_bytes() {
                [c @ b'A'..=b'Z'] => Some(usize::from(c - b'A')),
                [c @ b'a'..=b'z'] => Some(usize::from(c - b'a')),
                _ => t.parse().ok(),
            }
        }
        _ => None,
    }
}

/// The cell that a CSV text is.
pub(super) fn csv_cell(text: &[u8], decimal_comma: bool, numbers: &mut Vec<f64>) -> Cell {
    let Ok(text) = std::str::from_utf8(text) else {
        return Cell::Other;
    };
    let text = text.trim();
    if text.is_empty() {
        return Cell::Missing;
    }
    if let Some(inner) = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')) {
        let start = numbers.len();
        for part in inner.split(',') {
            match part.trim().parse() {
                Ok(v) => numbers.push(v),
                Err(_) => return Cell::Other,
            }
        }
        return Cell::Numbers(start, numbers.len());
    }
    match decimal(text, decimal_comma) {
        Some(v) => Cell::Number(v),
        None => Cell::Text(text.to_owned()),
    }
}

/// A finite number; with a percent sign a hundredth of it, and, where that is the custom, with a decimal comma.
pub(super) fn decimal(text: &str, decimal_comma: bool) -> Option<f64> {
    let (text, scale) = match text.strip_suffix('%') {
        Some(percent) => (percent.trim_end(), 100.0),
        None => (text, 1.0),
    };
    let mut parsed = text.parse::<f64>().ok();
    if parsed.is_none() && decimal_comma && text.matches(',').count() == 1 && !text.contains('.') {
        parsed = text.replace(',', ".").parse().ok();
    }
    parsed.filter(|v| v.is_finite()).map(|v| v / scale)
}
