//! Order lines from rows: several receipts of an order stand in several rows.

use std::collections::HashMap;

use crate::book::Line;

/// Order lines gathered from rows, a receipt or none in each.
///
/// ```
/// use hindsight_arrivals::{Clash, Gathering, Line};
/// let line = Line {
///     order: "A".to_owned(),
///     product: "P".to_owned(),
///     vendor: "V".to_owned(),
///     units: 10.0,
///     minimum: 0.0,
///     batch: 0.0,
///     placed: 100,
///     promised: None,
///     receipts: vec![(101, 4.0)],
///     closed: false,
/// };
/// let rest = Line { receipts: vec![(103, 6.0)], ..line.clone() };
/// let mut lines = Gathering::default();
/// lines.add(2, line)?;
/// lines.add(3, rest.clone())?;
/// assert_eq!(lines.add(4, rest), Err(Clash::Repeated { row: 3 }));
/// assert_eq!(lines.finish()[0].receipts, [(101, 4.0), (103, 6.0)]);
/// # Ok::<(), Clash>(())
/// ```
#[derive(Debug, Default)]
pub struct Gathering {
    lines: Vec<Line>,
    /// By order and product: the line, and the row and the receipt of each row of it.
    rows: HashMap<(String, String), (usize, Vec<Seen>)>,
}

/// A row and its receipt.
type Seen = (u64, Option<(i64, f64)>);

/// What a row contradicts in an earlier one of the same order and product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Clash {
    /// Another vendor.
    #[error("differs from row {row} of the same order")]
    Vendor {
        /// The earlier row.
        row: u64,
    },
    /// Another number of units ordered.
    #[error("differs from row {row} of the same order")]
    Units {
        /// The earlier row.
        row: u64,
    },
    /// Another date of the order.
    #[error("differs from row {row} of the same order")]
    Placed {
        /// The earlier row.
        row: u64,
    },
    /// The same receipt once more, or a row without a receipt beside another row.
    #[error("stands in row {row} already, with the same receipt or none")]
    Repeated {
        /// The earlier row.
        row: u64,
    },
}

impl Gathering {
    /// Adds a row, whose number is for messages: a line with one receipt, or none. The first row of an order line says what was promised; a line is
    /// closed where any of its rows is.
    ///
    /// # Errors
    /// A row that contradicts an earlier one.
    pub fn add(&mut self, row: u64, line: Line) -> Result<(), Clash> {
        let receipt = line.receipts.first().copied();
        let key = (line.order.clone(), line.product.clone());
        let next = self.lines.len();
        let (number, seen) = self.rows.entry(key).or_insert((next, Vec::new()));
        if *number == next {
            self.lines.push(line);
        } else {
            let own = &mut self.lines[*number];
            let row = seen[0].0;
            if own.vendor != line.vendor {
                return Err(Clash::Vendor { row });
            }
            if (own.units - line.units).abs() > 1e-9 * own.units {
                return Err(Clash::Units { row });
            }
            if own.placed != line.placed {
                return Err(Clash::Placed { row });
            }
            let none = receipt.is_none();
            let twin = |(_, other): &&Seen| none || other.is_none() || *other == receipt;
            if let Some(&(row, _)) = seen.iter().find(twin) {
                return Err(Clash::Repeated { row });
            }
            own.closed |= line.closed;
            own.receipts.extend(receipt);
        }
        seen.push((row, receipt));
        Ok(())
    }

    /// The lines, in the order of their first rows.
    #[must_use]
    pub fn finish(self) -> Vec<Line> {
        self.lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_contradict_one_another_are_refused() {
        let line = Line {
            order: "A".to_owned(),
            product: "P".to_owned(),
            vendor: "V".to_owned(),
            units: 10.0,
            minimum: 0.0,
            batch: 0.0,
            placed: 100,
            promised: None,
            receipts: vec![(101, 4.0)],
            closed: false,
        };
        let mut lines = Gathering::default();
        lines.add(2, line.clone()).unwrap();
        let later = vec![(102, 4.0)];
        let vendor = Line {
            vendor: "W".to_owned(),
            receipts: later.clone(),
            ..line.clone()
        };
        assert_eq!(lines.add(3, vendor), Err(Clash::Vendor { row: 2 }));
        let units = Line {
            units: 11.0,
            receipts: later.clone(),
            ..line.clone()
        };
        assert_eq!(lines.add(3, units), Err(Clash::Units { row: 2 }));
        let placed = Line {
            placed: 99,
            receipts: later.clone(),
            ..line.clone()
        };
        assert_eq!(lines.add(3, placed), Err(Clash::Placed { row: 2 }));
        assert_eq!(lines.add(3, line.clone()), Err(Clash::Repeated { row: 2 }));
        let open = Line {
            receipts: vec![],
            ..line.clone()
        };
        assert_eq!(lines.add(3, open), Err(Clash::Repeated { row: 2 }));
        // Another product of the same order is another line.
        let other = Line {
            product: "Q".to_owned(),
            ..line.clone()
        };
        lines.add(3, other).unwrap();
        let rest = Line {
            receipts: later,
            closed: true,
            ..line
        };
        lines.add(4, rest).unwrap();
        let lines = lines.finish();
        assert_eq!((lines.len(), lines[0].receipts.len()), (2, 2));
        assert!(lines[0].closed && !lines[1].closed);
    }
}
