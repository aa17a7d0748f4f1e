//! The wanted cells of a record.

/// What a wanted column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    Text,
}

/// The wanted columns of a log, and their values in the present record.
#[derive(Debug, Default)]
pub(super) struct Cells {
    pub(super) names: Vec<String>,
    pub(super) kinds: Vec<Kind>,
    /// NaN until a number is read: a number that is NaN is refused where it is used.
    pub(super) numbers: Vec<f64>,
    pub(super) texts: Vec<Vec<u8>>,
    pub(super) found: Vec<bool>,
    pub(super) line: u64,
}

impl Cells {
    /// The place of a column, which is added if it was not wanted before; numbers that are also wanted as text are both.
    pub(super) fn want(&mut self, name: &str, kind: Kind) -> usize {
        let known = self
            .names
            .iter()
            .zip(&self.kinds)
            .position(|(n, k)| n == name && *k == kind);
        known.unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.kinds.push(kind);
            self.numbers.push(f64::NAN);
            self.texts.push(Vec::new());
            self.found.push(false);
            self.names.len() - 1
        })
    }

    pub(super) fn begin(&mut self, line: u64) {
        self.line = line;
        self.found.fill(false);
    }

    /// The places that want a column.
    pub(super) fn places(&self, name: &str) -> Vec<usize> {
        (0..self.names.len())
            .filter(|i| self.names[*i] == name)
            .collect()
    }
}
