//! What the exact solvers refuse, and why.

/// An error of the exact solvers.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ExactError {
    /// A number that must be finite and above zero is not.
    #[error("{name} must be finite and above zero, got {value}")]
    NotPositive {
        /// The argument.
        name: &'static str,
        /// Its value.
        value: f64,
    },
    /// A number that must be finite and not negative is not.
    #[error("{name} must be finite and not negative, got {value}")]
    Negative {
        /// The argument.
        name: &'static str,
        /// Its value.
        value: f64,
    },
    /// A number that must lie strictly between zero and one does not.
    #[error("{name} must lie strictly between 0 and 1, got {value}")]
    OutsideUnit {
        /// The argument.
        name: &'static str,
        /// Its value.
        value: f64,
    },
    /// The level of a quantile is not a probability.
    #[error("the level of a quantile must lie in [0, 1], got {value}")]
    BadLevel {
        /// The level given.
        value: f64,
    },
    /// A continuous law lacks a finite mean or quantile.
    #[error("the {name} is not finite: {value}")]
    NotFinite {
        /// The figure.
        name: &'static str,
        /// Its value.
        value: f64,
    },
    /// A state has the wrong number of entries.
    #[error("a state of this problem has {expected} entries, got {got}")]
    StateLength {
        /// Entries given.
        got: usize,
        /// Entries needed.
        expected: usize,
    },
    /// A probability is negative or not finite.
    #[error("probability of demand {demand} must be finite and not negative, got {value}")]
    BadProbability {
        /// The demand it belongs to.
        demand: usize,
        /// The value given.
        value: f64,
    },
    /// Probabilities do not add to one.
    #[error("probabilities must add to 1 within 1e-9, they add to {sum}")]
    BadSum {
        /// The sum.
        sum: f64,
    },
    /// A text names no demand law.
    #[error("{text:?} is none of poisson:MEAN, geometric:MEAN and negbin:MEAN,DISPERSION")]
    UnknownLaw {
        /// The text.
        text: String,
    },
    /// A parameter of a named law is not a number.
    #[error("{word:?} is not a number")]
    NotANumber {
        /// The word found.
        word: String,
    },
    /// There is no observation to build a law from.
    #[error("a demand law needs at least one observation")]
    Empty,
    /// The law would need a longer table than the solvers accept.
    #[error("demand up to {largest} is beyond the largest supported table of {limit}")]
    TooWide {
        /// The largest demand.
        largest: u64,
        /// The limit.
        limit: u64,
    },
    /// The law puts all its mass on zero.
    #[error("demand is zero with certainty: there is nothing to decide")]
    NoDemand,
    /// The lead time is longer than supported.
    #[error("lead time must be at most {limit} periods, got {value}")]
    LeadTime {
        /// The lead time given.
        value: usize,
        /// The longest supported.
        limit: usize,
    },
    /// More states than the limit.
    #[error(
        "more than {limit} states are needed; raise the limit, or check that the policy does not order without end"
    )]
    TooManyStates {
        /// The limit in force.
        limit: usize,
    },
    /// A policy ordered more in one period than the evaluator accepts.
    #[error("the policy orders {order} units in one period, more than {limit}")]
    OrderTooLarge {
        /// The order.
        order: u32,
        /// The limit.
        limit: u32,
    },
    /// The iteration ended before its bounds met.
    #[error("the cost is known only to lie between {lower} and {upper} after {sweeps} sweeps")]
    NotConverged {
        /// Sweeps done.
        sweeps: usize,
        /// Lower bound on the long-run cost per period.
        lower: f64,
        /// Upper bound on the long-run cost per period.
        upper: f64,
    },
    /// A constant order at or above mean demand lets stock grow without end.
    #[error("a constant order of {order} is not below mean demand {mean}: stock grows without end")]
    Unstable {
        /// The order.
        order: u32,
        /// Mean demand per period.
        mean: f64,
    },
}

pub(crate) fn positive(name: &'static str, value: f64) -> Result<f64, ExactError> {
    if value.is_finite() && value > 0.0 {
        Ok(value)
    } else {
        Err(ExactError::NotPositive { name, value })
    }
}

pub(crate) fn non_negative(name: &'static str, value: f64) -> Result<f64, ExactError> {
    if value.is_finite() && value >= 0.0 {
        Ok(value)
    } else {
        Err(ExactError::Negative { name, value })
    }
}

pub(crate) fn inside_unit(name: &'static str, value: f64) -> Result<f64, ExactError> {
    if value > 0.0 && value < 1.0 {
        Ok(value)
    } else {
        Err(ExactError::OutsideUnit { name, value })
    }
}
