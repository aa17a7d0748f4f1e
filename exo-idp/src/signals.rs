//! What policies and markets read of the exogenous record.

use crate::error::Error;

/// A view of the exogenous record: numbers per product and week, each made only of what is known when the order of that week is
/// placed.
///
/// The columns are the products, or the lanes of the paths (products by samples) for an oracle that knows their arrivals.
/// Demand of earlier weeks is known; of covariates, prices and costs those of the week itself, and planned covariates as far
/// ahead as the plan reaches.
///
/// ```
/// use hindsight_exo_idp::policy::Signals;
/// // Two rows for three products over ten weeks.
/// let signals = Signals::from_fn(10, 2, 3, |week, row, product| (100 * week + 10 * row + product) as f64);
/// assert_eq!(signals.row(4, 1), [410.0, 411.0, 412.0]);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Signals {
    weeks: usize,
    rows: usize,
    columns: usize,
    /// `[week][row][column]`; one week where all are the same.
    values: Vec<f64>,
    same: bool,
}

impl Signals {
    /// Signals of `rows` rows; `value(week, row, column)` gives each number.
    pub fn from_fn(
        weeks: usize,
        rows: usize,
        columns: usize,
        value: impl Fn(usize, usize, usize) -> f64,
    ) -> Self {
        let mut values = Vec::with_capacity(weeks * rows * columns);
        for week in 0..weeks {
            for row in 0..rows {
                values.extend((0..columns).map(|column| value(week, row, column)));
            }
        }
        Signals {
            weeks,
            rows,
            columns,
            values,
            same: false,
        }
    }

    /// Signals that are the same in every week; `value(row, column)` gives each number. They take the memory of one week.
    ///
    /// ```
    /// use hindsight_exo_idp::policy::Signals;
    /// let level = Signals::constant(10, 1, 3, |_, product| 5.0 + product as f64);
    /// assert_eq!(level.row(9, 0), [5.0, 6.0, 7.0]);
    /// ```
    pub fn constant(
        weeks: usize,
        rows: usize,
        columns: usize,
        value: impl Fn(usize, usize) -> f64,
    ) -> Self {
        Signals {
            weeks,
            same: true,
            ..Signals::from_fn(1, rows, columns, |_, row, column| value(row, column))
        }
    }

    /// Signals of values in the order `[week][row][column]`.
    pub(crate) fn from_values(rows: usize, columns: usize, values: Vec<f64>) -> Self {
        Signals {
            weeks: values.len() / (rows * columns).max(1),
            rows,
            columns,
            values,
            same: false,
        }
    }

    /// Every number times the factor of its column.
    pub(crate) fn scaled(&self, factor: impl Fn(usize) -> f64) -> Self {
        let columns = 0..self.columns;
        let factors: Vec<f64> = columns.map(factor).collect();
        let rows = self.values.chunks_exact(self.columns.max(1));
        let scaled = rows.flat_map(|row| row.iter().zip(&factors).map(|(value, f)| f * value));
        Signals {
            values: scaled.collect(),
            ..*self
        }
    }

    /// The numbers of some of the columns, in the given order.
    pub(crate) fn select(&self, columns: &[usize]) -> Self {
        let rows = self.values.chunks_exact(self.columns.max(1));
        let values = rows.flat_map(|row| columns.iter().map(|&column| row[column]));
        Signals {
            values: values.collect(),
            columns: columns.len(),
            ..*self
        }
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of weeks.
    #[must_use]
    pub fn weeks(&self) -> usize {
        self.weeks
    }

    /// One row of one week, by column.
    ///
    /// # Panics
    /// Like an index into an array, when there is no such week or row.
    #[must_use]
    pub fn row(&self, week: usize, row: usize) -> &[f64] {
        assert!(week < self.weeks, "week {week} of {}", self.weeks);
        let week = if self.same { 0 } else { week };
        &self.values[(week * self.rows + row) * self.columns..][..self.columns]
    }

    /// The number of columns: products or lanes.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// An error unless there is one value for each of `weeks` weeks and for each product or lane.
    pub(crate) fn check(&self, weeks: usize, products: usize, lanes: usize) -> Result<(), Error> {
        if self.columns != products && self.columns != lanes {
            return Err(Error::Length {
                array: "columns of signals".into(),
                expected: products,
                found: self.columns,
            });
        }
        if self.weeks != weeks {
            return Err(Error::Length {
                array: "weeks of signals".into(),
                expected: weeks,
                found: self.weeks,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::count::count;

    /// What is the same every week reads as if it had been written out, scaled or not.
    #[test]
    fn constant_signals_read_like_any_other() {
        let value = |row: usize, column: usize| 1.0 + count(3 * row + column);
        let short = Signals::constant(5, 2, 3, value);
        let long = Signals::from_fn(5, 2, 3, |_, row, column| value(row, column));
        let factor = |column: usize| 2.0 - count(column);
        for (a, b) in [
            (&short, &long),
            (&short.scaled(factor), &long.scaled(factor)),
        ] {
            assert_eq!((a.weeks(), a.rows(), a.columns()), (5, 2, 3));
            for week in 0..5 {
                for row in 0..2 {
                    assert_eq!(a.row(week, row), b.row(week, row));
                }
            }
        }
        assert!(short.check(5, 3, 3).is_ok() && short.check(6, 3, 3).is_err());
    }
}
