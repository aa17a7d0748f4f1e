//! What can be wrong with data, conventions and policies.

/// An error of this crate.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A number is outside its domain.
    #[error("{name} is {value}, expected {domain}")]
    Domain {
        /// The argument.
        name: &'static str,
        /// The domain, in words.
        domain: &'static str,
        /// The value.
        value: f64,
    },
    /// A value of a panel is outside its domain.
    #[error("{column} of product {product} in week {week} is {value}, expected {domain}")]
    Cell {
        /// The column.
        column: String,
        /// The product's number.
        product: usize,
        /// The week's number.
        week: usize,
        /// The domain, in words.
        domain: &'static str,
        /// The value.
        value: f64,
    },
    /// An array has the wrong number of values.
    #[error("{array}: {found} values, expected {expected}")]
    Length {
        /// The array.
        array: String,
        /// How many values it must have.
        expected: usize,
        /// How many it has.
        found: usize,
    },
    /// A range of weeks that cannot be used.
    #[error("{what}: weeks {start}..{end} of {weeks}")]
    Weeks {
        /// What is wrong with it.
        what: &'static str,
        /// First week.
        start: usize,
        /// Week after the last.
        end: usize,
        /// Weeks that there are.
        weeks: usize,
    },
    /// A record too short for the held-out weeks and what must come before them.
    #[error(
        "{origins} origins with {held_out} held-out weeks leave {training} of {weeks} weeks to train on, and {needed} are needed"
    )]
    TooFewWeeks {
        /// Origins.
        origins: usize,
        /// Weeks held out at each.
        held_out: usize,
        /// Weeks of the record.
        weeks: usize,
        /// Weeks to train on at the earliest origin.
        training: usize,
        /// Weeks to train on that are needed.
        needed: usize,
    },
    /// No product has a recorded week both in the held-out weeks and before them.
    #[error("no product is recorded both in the held-out weeks {}..{} and before them", held_out.start, held_out.end)]
    NoProduct {
        /// The held-out weeks.
        held_out: std::ops::Range<usize>,
    },
    /// A product that is not there.
    #[error("product {product} of {products}")]
    Product {
        /// Its number, from 0.
        product: usize,
        /// Products that there are.
        products: usize,
    },
    /// An order that is not a finite number of units, at least zero.
    #[error("{policy} orders {order} units of product {product} in week {week}")]
    Order {
        /// The policy.
        policy: String,
        /// The product's number.
        product: usize,
        /// The week's number.
        week: usize,
        /// The order, in units.
        order: f64,
    },
    /// Lanes that a policy or a market sums over cannot be followed one by one.
    #[error("{0} joins the products, so that none can be changed alone")]
    Joined(String),
    /// Nothing to work on.
    #[error("{0} is empty")]
    Empty(&'static str),
    /// Replays whose discounts or windows differ cannot be joined.
    #[error("the replays to be joined differ in discount or in what their weeks count")]
    Shared,
    /// A file of weights that cannot be used.
    #[error("the file of weights is {reason}")]
    Weights {
        /// What is wrong with it.
        reason: crate::policy::Damage,
    },
    /// An error of the engine.
    #[error(transparent)]
    Engine(#[from] gpu::Error),
}

/// An error unless the value is in a closed range.
pub(crate) fn within(
    name: &'static str,
    value: f64,
    low: f64,
    high: f64,
    domain: &'static str,
) -> Result<(), Error> {
    if (low..=high).contains(&value) {
        Ok(())
    } else {
        Err(Error::Domain {
            name,
            domain,
            value,
        })
    }
}
