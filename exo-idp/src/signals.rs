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
    rows: usize,
    columns: usize,
    values: Vec<f64>,
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
            rows,
            columns,
            values,
        }
    }

    /// Signals of values in the order `[week][row][column]`.
    pub(crate) fn from_values(rows: usize, columns: usize, values: Vec<f64>) -> Self {
        Signals {
            rows,
            columns,
            values,
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
        self.values.len() / (self.rows * self.columns).max(1)
    }

    /// One row of one week, by column.
    ///
    /// # Panics
    /// Like an index into an array, when there is no such week or row.
    #[must_use]
    pub fn row(&self, week: usize, row: usize) -> &[f64] {
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
        let expected = weeks * self.rows * self.columns;
        if self.values.len() != expected {
            return Err(Error::Length {
                array: "signals".into(),
                expected,
                found: self.values.len(),
            });
        }
        Ok(())
    }
}
