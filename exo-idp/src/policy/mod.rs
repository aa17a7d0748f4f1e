//! Policies: from what is seen to an order.

/// Name, parameters and signals of a rule that keeps them in the fields `theta` and `signals`: the part of [`Policy`] that all rules
/// of a few numbers share.
macro_rules! holds_theta_and_signals {
    ($self:ident, $name:expr) => {
        fn name(&$self) -> &str {
            $name
        }
        fn theta(&$self) -> &[f64] {
            &$self.theta
        }
        fn signals(&$self) -> Option<&Signals> {
            Some(&$self.signals)
        }
    };
}

mod base_stock;
mod constant;
mod fixed_order_cost;
mod just_in_time;
mod neural;
mod newsvendor;
mod promotion;

use gpu::{DelayLine, Scalar};

use crate::error::Error;
use crate::period::Position;
pub(crate) use newsvendor::coverage;

pub use base_stock::{BaseStock, CappedBaseStock};
pub use constant::ConstantOrder;
pub use fixed_order_cost::ReorderPoint;
pub use just_in_time::{JustInTime, perfect_information_bound};
pub use neural::{Anchor, Neural, NeuralConfig};
pub use newsvendor::{LeadTimeDemand, critical_ratio, target_position};
pub use promotion::{Plan, PromotionForecast};

/// What a policy sees when it orders: its inventory, and signals from the exogenous record.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a, S> {
    /// The inventory.
    pub inventory: &'a Position<S>,
    /// The policy's own signals of this week.
    pub signals: &'a [S],
}

/// A policy's view of the exogenous record: numbers per product and week, each made only of what is known when the order of
/// that week is placed.
///
/// The columns are the products, or the lanes of the paths (products by samples) for an oracle that knows their arrivals.
/// Demand of earlier weeks is known; of covariates, prices and costs those of the week itself, and planned covariates as far
/// ahead as the plan reaches.
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

/// A policy: an order from what is seen, written once for every number type.
///
/// ```
/// use gpu::{DelayLine, Scalar};
/// use hindsight_exo_idp::policy::{Policy, Seen};
///
/// /// Orders what brings the position to twice last week's demand, which is its only signal.
/// #[derive(Debug)]
/// struct TwiceLastWeek {
///     signals: hindsight_exo_idp::policy::Signals,
/// }
/// impl Policy for TwiceLastWeek {
///     fn name(&self) -> &str { "twice last week" }
///     fn signals(&self) -> Option<&hindsight_exo_idp::policy::Signals> { Some(&self.signals) }
///     fn order<S: Scalar>(&self, _: &[S], seen: &Seen<'_, S>, _: &mut [DelayLine<S>]) -> S {
///         (seen.signals[0] * S::constant(2.0) - seen.inventory.position).relu()
///     }
/// }
/// ```
pub trait Policy: std::fmt::Debug + Sync {
    /// Its name in tables.
    fn name(&self) -> &str;

    /// Its parameters.
    fn theta(&self) -> &[f64] {
        &[]
    }

    /// The signals that it reads.
    fn signals(&self) -> Option<&Signals> {
        None
    }

    /// The number of values whose past it keeps.
    fn lines(&self) -> usize {
        0
    }

    /// Whether it is large enough to be worth recording as a program; otherwise it is run on SIMD lanes as it is.
    fn is_network(&self) -> bool {
        false
    }

    /// The order, in units.
    fn order<S: Scalar>(&self, theta: &[S], seen: &Seen<'_, S>, memory: &mut [DelayLine<S>]) -> S;
}
