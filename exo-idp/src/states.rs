//! Inventories of all lanes at the beginning of a week.

use crate::error::{Error, within};
use crate::schedule::Schedule;

/// The inventory of every lane at the beginning of a week: where a replay opens, or closes.
///
/// ```
/// use hindsight_exo_idp::period::States;
/// // Two lanes with a lead time of at most two weeks: 5 and 3 units on hand, orders of one and of two weeks ago, book values.
/// let states = States::new(vec![5.0, 3.0], vec![vec![2.0, 0.0], vec![1.0, 4.0]], vec![40.0, 35.0])?;
/// assert_eq!(states.orders(1), [1.0, 4.0]);
/// assert!(States::new(vec![5.0], vec![vec![-1.0]], vec![0.0]).is_err());
/// # Ok::<(), hindsight_exo_idp::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct States {
    lanes: usize,
    longest: usize,
    /// Whether the schedule of deliveries is part of it.
    scheduled: bool,
    /// `[row][lane]`: on hand, book value, orders by age, schedule, states of the market.
    rows: Vec<f64>,
}

/// Rows before the orders.
pub(crate) const PLAIN: usize = 2;

impl States {
    /// The states of lanes with so many units on hand, orders of 1, 2, … weeks ago (`[age][lane]`) and book values in money.
    ///
    /// On hand may be negative: demand that waits. Orders are at least zero.
    ///
    /// # Errors
    /// When the arrays differ in length, a number is not finite, or an order or a book value is negative.
    pub fn new(on_hand: Vec<f64>, orders: Vec<Vec<f64>>, book: Vec<f64>) -> Result<Self, Error> {
        let (lanes, longest) = (on_hand.len(), orders.len());
        for &units in &on_hand {
            within(
                "units on hand",
                units,
                f64::MIN,
                f64::MAX,
                "a finite number",
            )?;
        }
        for &money in &book {
            within(
                "book value",
                money,
                0.0,
                f64::MAX,
                "a finite number, at least zero",
            )?;
        }
        for &units in orders.iter().flatten() {
            within(
                "an outstanding order",
                units,
                0.0,
                f64::MAX,
                "a finite number, at least zero",
            )?;
        }
        for (array, found) in std::iter::once(("book values", book.len()))
            .chain(orders.iter().map(|o| ("outstanding orders", o.len())))
        {
            if found != lanes {
                return Err(Error::Length {
                    array: array.into(),
                    expected: lanes,
                    found,
                });
            }
        }
        let mut rows = on_hand;
        rows.extend(book);
        rows.extend(orders.into_iter().flatten());
        Ok(States {
            lanes,
            longest,
            scheduled: false,
            rows,
        })
    }

    /// The states of lanes with so many units on hand, deliveries that are due this week, the next, and so on (`[week][lane]`), and book
    /// values in money, where orders take as many weeks as there are deliveries.
    ///
    /// Each delivery arrives when it is due, whatever the law of lead times would have made of an order. A policy sees it as outstanding, as
    /// if the order had been placed the longest time before it is due.
    ///
    /// ```
    /// use hindsight_exo_idp::period::States;
    /// // Five units on hand; two come this week, none in the next, seven in the one after.
    /// let states = States::with_deliveries(vec![5.0], &[vec![2.0], vec![0.0], vec![7.0]], vec![84.0])?;
    /// assert_eq!((states.orders(0)[0], states.orders(2)[0]), (7.0, 2.0));
    /// # Ok::<(), hindsight_exo_idp::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`States::new`].
    pub fn with_deliveries(
        on_hand: Vec<f64>,
        due: &[Vec<f64>],
        book: Vec<f64>,
    ) -> Result<Self, Error> {
        let longest = due.len();
        let by_age = due.iter().rev().cloned().collect();
        let mut states = States::new(on_hand, by_age, book)?;
        for age in 1..=longest {
            // An order of that age is due in just one week, the last that it can be.
            let weeks = longest - age;
            let before = states.rows.len() + weeks * states.lanes;
            states.rows.resize(before, 0.0);
            states.rows.extend_from_slice(&due[weeks]);
        }
        states.scheduled = true;
        Ok(states)
    }

    /// States from rows as a replay keeps them.
    pub(crate) fn from_rows(lanes: usize, longest: usize, scheduled: bool, rows: Vec<f64>) -> Self {
        States {
            lanes,
            longest,
            scheduled,
            rows,
        }
    }

    /// The states of some of the lanes, in the given order.
    pub(crate) fn select(&self, lanes: &[usize]) -> Self {
        let rows = self.rows.chunks_exact(self.lanes.max(1));
        let rows = rows.flat_map(|row| lanes.iter().map(|&lane| row[lane]));
        States {
            rows: rows.collect(),
            lanes: lanes.len(),
            ..*self
        }
    }

    /// The number of lanes.
    #[must_use]
    pub fn lanes(&self) -> usize {
        self.lanes
    }

    /// The longest time of an order, in weeks: how many orders are kept.
    #[must_use]
    pub fn max_lead_time(&self) -> usize {
        self.longest
    }

    pub(crate) fn rows(&self) -> &[f64] {
        &self.rows
    }

    pub(crate) fn row(&self, row: usize) -> &[f64] {
        &self.rows[row * self.lanes..][..self.lanes]
    }

    pub(crate) fn scheduled(&self) -> bool {
        self.scheduled
    }

    /// Rows of orders and schedule, after those of stock and book value.
    pub(crate) fn inventory_rows(longest: usize, scheduled: bool) -> usize {
        PLAIN
            + longest
            + if scheduled {
                Schedule::<f64>::len(longest)
            } else {
                0
            }
    }

    /// Units on hand, by lane; negative where demand waits.
    #[must_use]
    pub fn on_hand(&self) -> &[f64] {
        self.row(0)
    }

    /// Book value of what is on hand and coming, in money, by lane.
    #[must_use]
    pub fn book(&self) -> &[f64] {
        self.row(1)
    }

    /// The order of `age + 1` weeks ago, in units, by lane; where a market delivers, what of it has not been received.
    ///
    /// # Panics
    /// Like an index into an array, when orders do not take that long.
    #[must_use]
    pub fn orders(&self, age: usize) -> &[f64] {
        assert!(age < self.longest, "order {age} of {}", self.longest);
        self.row(PLAIN + age)
    }
}
