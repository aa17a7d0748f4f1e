//! Order books as they are kept: by period and by name, before they are a [`Log`].

use std::collections::HashMap;

use crate::error::{Argument, ArrivalsError, within};
use crate::log::{AGES, Log, Order, Receipt, Request};

/// An order for a product, as a book has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The order's number.
    pub order: String,
    /// The product's name: its orders are each other's history.
    pub product: String,
    /// The vendor's name.
    pub vendor: String,
    /// Units ordered, above zero.
    pub units: f64,
    /// The smallest order, in units; 0 for none.
    pub minimum: f64,
    /// Units of a batch; 0 for none.
    pub batch: f64,
    /// The period from which times count: of the order, or of the promised delivery.
    pub placed: i64,
    /// The period for which delivery is promised.
    pub promised: Option<i64>,
    /// What was received, and in which period.
    pub receipts: Vec<(i64, f64)>,
    /// Whether it is known that nothing more comes: closed by the buyer, or cancelled.
    pub closed: bool,
}

/// Orders until the last period that was seen.
///
/// ```
/// use hindsight_arrivals::{Book, Line};
/// let line = |placed, receipts| Line {
///     order: "1".to_owned(),
///     product: "P".to_owned(),
///     vendor: "V".to_owned(),
///     units: 10.0,
///     minimum: 0.0,
///     batch: 0.0,
///     placed,
///     promised: None,
///     receipts,
///     closed: false,
/// };
/// let lines = vec![line(100, vec![(102, 4.0), (103, 6.0)]), line(104, vec![])];
/// let book = Book::new(lines, vec!["V".to_owned()], 105, 52.0)?;
/// let log = book.log(book.longest())?;
/// // The second order is one period old: open, while the first is older than anything took.
/// assert_eq!(log.orders()[1].seen_until, Some(1));
/// assert_eq!(log.orders()[0].seen_until, None);
/// assert_eq!(log.orders()[1].request.history[3], [10.0, 0.0]);
/// # Ok::<(), hindsight_arrivals::ArrivalsError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Book {
    /// By the period from which times count; lines of one period in the order in which they were given.
    lines: Vec<Line>,
    vendors: Vec<String>,
    end: i64,
    year: f64,
}

impl Book {
    /// A book of orders from the named vendors, everything of which was seen until the period `end`, with so many periods in a year.
    ///
    /// # Errors
    /// No line, a year that is not above zero, a receipt after the end.
    pub fn new(
        mut lines: Vec<Line>,
        vendors: Vec<String>,
        end: i64,
        year: f64,
    ) -> Result<Self, ArrivalsError> {
        if lines.is_empty() {
            let argument = Argument::Orders;
            return Err(ArrivalsError::Empty { argument });
        }
        within(Argument::Season, 0, year, [f64::MIN_POSITIVE, f64::MAX])?;
        for (order, line) in lines.iter().enumerate() {
            if let Some(&(time, _)) = line.receipts.iter().find(|(period, _)| *period > end) {
                let (time, seen) = (time - line.placed, end - line.placed);
                return Err(ArrivalsError::UnseenReceipt { order, time, seen });
            }
        }
        lines.sort_by_key(|line| line.placed);
        Ok(Book {
            lines,
            vendors,
            end,
            year,
        })
    }

    /// The lines, by the period from which their times count.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The vendors' names; a vendor's number is its place here.
    #[must_use]
    pub fn vendors(&self) -> &[String] {
        &self.vendors
    }

    /// The longest time that any receipt took, in periods; 1 where nothing was received later.
    #[must_use]
    pub fn longest(&self) -> i64 {
        self.times().max().unwrap_or(1).max(1)
    }

    /// The earliest time of a receipt: 0, or less where times count from the promised delivery.
    #[must_use]
    pub fn earliest(&self) -> i64 {
        self.times().min().unwrap_or(0).min(0)
    }

    fn times(&self) -> impl Iterator<Item = i64> {
        let times = |line: &Line| -> Vec<i64> {
            let receipts = line.receipts.iter();
            receipts.map(|(period, _)| period - line.placed).collect()
        };
        self.lines.iter().flat_map(times)
    }

    /// The log of all lines in their order. A line is open where it is not closed and fewer than `longest` periods of it were seen. The usual
    /// order is the mean of the product's earlier ones, so that nothing later is known; for the first it is its own size.
    ///
    /// # Errors
    /// A vendor without a number, numbers outside their range.
    pub fn log(&self, longest: i64) -> Result<Log, ArrivalsError> {
        let numbers: HashMap<&str, usize> = self
            .vendors
            .iter()
            .enumerate()
            .map(|(number, name)| (name.as_str(), number))
            .collect();
        let mut past: HashMap<&str, Past<'_>> = HashMap::new();
        let mut log = Log::new(self.vendors.len(), 0, self.earliest());
        for (order, line) in self.lines.iter().enumerate() {
            let vendors = self.vendors.len();
            let vendor = *numbers.get(line.vendor.as_str()).unwrap_or(&vendors);
            if vendor == vendors {
                return Err(ArrivalsError::Vendor {
                    order,
                    vendor,
                    vendors,
                });
            }
            let past = past.entry(&line.product).or_default();
            let age = self.end - line.placed;
            let receipts = line.receipts.iter();
            log.push(Order {
                request: Request {
                    usual: past.usual(line.units),
                    minimum: line.minimum,
                    batch: line.batch,
                    season: float(line.placed).rem_euclid(self.year) / self.year,
                    promised: line.promised.map(|promised| float(promised - line.placed)),
                    history: past.history(line.placed),
                    ..Request::new(vendor, line.units)
                },
                receipts: receipts
                    .map(|&(period, units)| Receipt {
                        time: period - line.placed,
                        units,
                    })
                    .collect(),
                seen_until: (!line.closed && age < longest).then_some(age),
            })?;
            past.add(line);
        }
        Ok(log)
    }

    /// The period before which the earliest `share` of the lines lie.
    #[must_use]
    pub fn period_at(&self, share: f64) -> i64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a place in the list"
        )]
        let at = (share.clamp(0.0, 1.0) * self.lines.len() as f64) as usize;
        self.lines[at.min(self.lines.len() - 1)].placed
    }

    /// The book as it stood before a period: lines of earlier periods, with what was received until then. When a line was closed a book does not say;
    /// it counts as closed here where it was `longest` periods old.
    ///
    /// # Errors
    /// No line before that period.
    pub fn before(&self, period: i64, longest: i64) -> Result<Self, ArrivalsError> {
        let lines = self.lines.iter().filter(|line| line.placed < period);
        let seen = lines.map(|line| Line {
            receipts: line
                .receipts
                .iter()
                .copied()
                .filter(|(received, _)| *received < period)
                .collect(),
            closed: line.closed && period - 1 - line.placed >= longest,
            ..line.clone()
        });
        Book::new(seen.collect(), self.vendors.clone(), period - 1, self.year)
    }

    /// The orders from a period on of which `longest` periods were seen: what models are judged by. Younger ones are left out even where they are
    /// closed, since those would be the ones that arrived early or were given up.
    ///
    /// # Errors
    /// As [`log`](Self::log).
    pub fn complete(&self, from: i64, longest: i64) -> Result<Log, ArrivalsError> {
        let seen = |line: &Line| line.placed >= from && self.end - line.placed >= longest;
        let log = self.log(longest)?;
        Ok(log.filter(|order, _| seen(&self.lines[order])))
    }
}

/// Earlier orders of a product.
#[derive(Debug, Default)]
struct Past<'a> {
    lines: Vec<&'a Line>,
    units: f64,
}

impl<'a> Past<'a> {
    fn usual(&self, otherwise: f64) -> f64 {
        if self.lines.is_empty() {
            otherwise
        } else {
            #[expect(clippy::cast_precision_loss, reason = "orders of a product")]
            let count = self.lines.len() as f64;
            self.units / count
        }
    }

    /// Units of the orders of each age, and what had not come of them before a period.
    fn history(&self, period: i64) -> [[f64; 2]; AGES] {
        let mut history = [[0.0; 2]; AGES];
        for line in self.lines.iter().rev() {
            let Ok(age) = usize::try_from(period - line.placed) else {
                break;
            };
            if age > AGES {
                break;
            }
            if age > 0 {
                let receipts = line.receipts.iter();
                let come: f64 = receipts
                    .filter(|(received, _)| *received < period)
                    .map(|(_, units)| units)
                    .sum();
                history[age - 1][0] += line.units;
                history[age - 1][1] += (line.units - come).max(0.0);
            }
        }
        history
    }

    fn add(&mut self, line: &'a Line) {
        self.lines.push(line);
        self.units += line.units;
    }
}

#[expect(clippy::cast_precision_loss, reason = "periods far below 2^52")]
fn float(period: i64) -> f64 {
    period as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(placed: i64, receipts: &[(i64, f64)]) -> Line {
        Line {
            order: placed.to_string(),
            product: "P".to_owned(),
            vendor: "V".to_owned(),
            units: 10.0,
            minimum: 0.0,
            batch: 0.0,
            placed,
            promised: Some(placed + 2),
            receipts: receipts.to_vec(),
            closed: false,
        }
    }

    fn book(lines: Vec<Line>, end: i64) -> Book {
        Book::new(lines, vec!["V".to_owned()], end, 52.0).unwrap()
    }

    #[test]
    fn what_was_not_yet_known_is_not_in_an_earlier_book() {
        let whole = book(
            vec![
                line(10, &[(11, 4.0), (15, 6.0)]),
                line(12, &[(13, 10.0)]),
                line(14, &[(15, 10.0)]),
            ],
            20,
        );
        let seen = whole.before(14, 5).unwrap();
        let log = seen.log(5).unwrap();
        assert_eq!(log.orders().len(), 2);
        assert_eq!(log.orders()[0].receipts.len(), 1);
        assert_eq!(log.orders()[0].seen_until, Some(3));
        // Of the order of week 10 six units were to come in week 12; the usual order is known from it.
        assert_eq!(log.orders()[1].request.history[1], [10.0, 6.0]);
        let held_out = whole.complete(14, 5).unwrap();
        assert_eq!(held_out.orders().len(), 1);
        assert_eq!(held_out.orders()[0].request.history[3], [10.0, 6.0]);
        assert_eq!(held_out.orders()[0].request.promised, Some(2.0));
    }

    #[test]
    fn an_order_whose_time_is_not_over_judges_nothing_even_if_closed() {
        let closed = Line {
            closed: true,
            ..line(18, &[])
        };
        let whole = book(vec![line(10, &[(15, 10.0)]), closed], 20);
        assert_eq!(whole.log(5).unwrap().orders()[1].seen_until, None);
        assert_eq!(whole.complete(0, 5).unwrap().orders().len(), 1);
    }

    #[test]
    fn books_that_are_none_are_refused() {
        assert!(Book::new(vec![], vec![], 0, 52.0).is_err());
        let late = Book::new(vec![line(10, &[(15, 1.0)])], vec!["V".into()], 14, 52.0);
        assert_eq!(
            late,
            Err(ArrivalsError::UnseenReceipt {
                order: 0,
                time: 5,
                seen: 4
            })
        );
        let unknown = Book::new(vec![line(10, &[])], vec!["W".into()], 14, 52.0).unwrap();
        assert!(matches!(
            unknown.log(5),
            Err(ArrivalsError::Vendor { vendor: 1, .. })
        ));
    }

    proptest! {
        /// Whatever comes later, what is known when an order is placed is the same: no request of an earlier book differs.
        #[test]
        fn requests_know_nothing_of_what_comes_later(
            orders in prop::collection::vec((0..40_i64, 0..3_u8, 1..30_u8, prop::collection::vec((0..9_i64, 0..20_u8), 0..4)), 1..30),
            cut in 1..40_i64,
        ) {
            let one = |(placed, product, units, receipts): (i64, u8, u8, Vec<(i64, u8)>)| Line {
                product: product.to_string(),
                units: f64::from(units),
                receipts: receipts.into_iter().map(|(after, units)| (placed + after, f64::from(units))).collect(),
                ..line(placed, &[])
            };
            let whole = book(orders.into_iter().map(one).collect(), 60);
            let log = whole.log(9).unwrap();
            if let Ok(earlier) = whole.before(cut, 9) {
                let seen = earlier.log(9).unwrap();
                for (own, later) in seen.orders().iter().zip(log.orders()) {
                    prop_assert_eq!(&own.request, &later.request);
                    let until = own.seen_until.unwrap_or(i64::MAX);
                    let come: Vec<_> = later.receipts.iter().copied().filter(|receipt| receipt.time <= until).collect();
                    prop_assert_eq!(&own.receipts, &come);
                }
            } else {
                prop_assert!(whole.lines().iter().all(|line| line.placed >= cut));
            }
        }
    }
}
