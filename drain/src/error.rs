//! What can be wrong with a problem, with the argument's name and the value that was found.

use std::fmt;

/// An argument of this crate, as errors name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Argument {
    /// Units on hand by warehouse.
    Stock,
    /// Units asked for by region.
    Demand,
    /// Money per unit by warehouse and region.
    Cost,
    /// The most units that an arc carries, by warehouse and region.
    Capacity,
    /// Money per unit of demand that is not served, by region.
    LostPenalty,
    /// A warehouse's number.
    Warehouse,
    /// A region's number.
    Region,
    /// A zone's number.
    Zone,
    /// A product's number.
    Product,
    /// The ways to ship.
    ShipOption,
    /// The distance bands of zones from warehouses.
    Band,
    /// Days on the way by distance band.
    TransitDays,
    /// The weights up to which prices hold.
    WeightLimits,
    /// Money per parcel by distance band and weight.
    Price,
    /// The weight of a unit of each product.
    Weight,
    /// The share of the day after which orders wait.
    CutOff,
    /// When orders are placed.
    OrderTime,
    /// Expected units a day by zone and product.
    Forecast,
    /// Money per parcel of an order beyond the first.
    SplitPenalty,
    /// Days for which stock is held back.
    LookAhead,
    /// Members of ensembles.
    Members,
    /// What happened.
    Outcome,
    /// A nominal level.
    Level,
    /// The lower end of an interval.
    Lower,
    /// The upper end of an interval.
    Upper,
    /// A predicted quantile.
    Quantile,
    /// The power of differences.
    Order,
    /// The mean of a law.
    Mean,
    /// The standard deviation of a law.
    StandardDeviation,
    /// A probability or density.
    Density,
    /// Scores, one a forecast.
    Score,
    /// Scores of what is compared with.
    Baseline,
    /// Lags of autocovariances.
    Lags,
    /// Units that left warehouses.
    Drain,
    /// States, each with what was seen in it.
    Log,
    /// States to forecast.
    State,
    /// Joint samples of a state.
    Samples,
    /// Parameters of a model.
    Parameter,
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stock => "stock",
            Self::Demand => "demand",
            Self::Cost => "cost",
            Self::Capacity => "capacity",
            Self::LostPenalty => "lost-demand penalty",
            Self::Warehouse => "warehouse",
            Self::Region => "region",
            Self::Zone => "zone",
            Self::Product => "product",
            Self::ShipOption => "ship option",
            Self::Band => "distance band",
            Self::TransitDays => "transit days",
            Self::WeightLimits => "weight limit",
            Self::Price => "price",
            Self::Weight => "weight",
            Self::CutOff => "cut-off time",
            Self::OrderTime => "order time",
            Self::Forecast => "forecast",
            Self::SplitPenalty => "split penalty",
            Self::LookAhead => "look-ahead",
            Self::Members => "members",
            Self::Outcome => "outcome",
            Self::Level => "level",
            Self::Lower => "lower end",
            Self::Upper => "upper end",
            Self::Quantile => "quantile",
            Self::Order => "order",
            Self::Mean => "mean",
            Self::StandardDeviation => "standard deviation",
            Self::Density => "density",
            Self::Score => "score",
            Self::Baseline => "baseline",
            Self::Lags => "lags",
            Self::Drain => "drain",
            Self::Log => "log",
            Self::State => "state",
            Self::Samples => "samples",
            Self::Parameter => "parameter",
        })
    }
}

/// The reason why a problem was refused or has no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DrainError {
    /// A list has the wrong length.
    #[error("{argument} has length {found}, expected {expected}")]
    Length {
        /// Name of the argument.
        argument: Argument,
        /// Length that fits the other arguments.
        expected: usize,
        /// Length found.
        found: usize,
    },
    /// The argument holds nothing.
    #[error("{argument} is empty")]
    Empty {
        /// Name of the argument.
        argument: Argument,
    },
    /// An entry is NaN, or infinite where only numbers make sense.
    #[error("{argument}[{index}] must be finite, got {value}")]
    NotFinite {
        /// Name of the argument.
        argument: Argument,
        /// Index of the entry; of matrices, row by row.
        index: usize,
        /// The value found.
        value: f64,
    },
    /// An entry is negative.
    #[error("{argument}[{index}] must not be negative, got {value}")]
    Negative {
        /// Name of the argument.
        argument: Argument,
        /// Index of the entry; of matrices, row by row.
        index: usize,
        /// The value found.
        value: f64,
    },
    /// An entry is no share of a whole.
    #[error("{argument}[{index}] must lie in [0, 1], got {value}")]
    NotAShare {
        /// Name of the argument.
        argument: Argument,
        /// Index of the entry.
        index: usize,
        /// The value found.
        value: f64,
    },
    /// A number lies outside an open interval.
    #[error("{argument} must lie between {low} and {high}, got {value}")]
    NotBetween {
        /// Name of the argument.
        argument: Argument,
        /// What it must exceed.
        low: f64,
        /// What it must stay below.
        high: f64,
        /// The value found.
        value: f64,
    },
    /// There are too few entries for what is asked.
    #[error("{argument} has {found} entries, {needed} are needed")]
    TooFew {
        /// Name of the argument.
        argument: Argument,
        /// How many are needed.
        needed: usize,
        /// How many there are.
        found: usize,
    },
    /// The members of an ensemble lie on a line, a plane, or a like surface, so that they have no density.
    #[error("the covariance of the members of forecast {index} is singular")]
    Singular {
        /// The forecast's place in the list.
        index: usize,
    },
    /// What one divides by is zero.
    #[error("{argument} adds up to zero, so nothing can be relative to it")]
    NoScale {
        /// Name of the argument.
        argument: Argument,
    },
    /// A list falls where it must not.
    #[error("{argument}[{index}] is less than the entry before it")]
    NotAscending {
        /// Name of the argument.
        argument: Argument,
        /// Index of the entry.
        index: usize,
    },
    /// A number is beyond the last one.
    #[error("{argument} {index} does not exist, there are {count}")]
    OutOfBounds {
        /// Name of the argument.
        argument: Argument,
        /// The number found.
        index: usize,
        /// How many there are.
        count: usize,
    },
    /// Demand that must not be lost exceeds all that can reach it; the cut proves it.
    #[error("demand that must be served exceeds what can reach it by {} units ({} regions)", .0.shortfall, .0.regions.len())]
    Infeasible(Cut),
    /// The solver stopped before the optimum.
    #[error("no optimum after {pivots} pivots")]
    NotConverged {
        /// Pivots made.
        pivots: usize,
    },
    /// The answer of a solver does not pass the check of optimality.
    #[error("the answer fails its check: residual {residual:e} above {tolerance:e}, both relative")]
    Unproven {
        /// The largest relative residual.
        residual: f64,
        /// The largest one allowed.
        tolerance: f64,
    },
    /// A drain that its state does not allow: more than the stock or the demand, cost without units, or beyond the tariff.
    #[error("the drain of entry {index} is impossible in its state")]
    Impossible {
        /// Place in the log.
        index: usize,
    },
    /// Text that is no saved model.
    #[error("line {line} is not what a saved model has there")]
    NotAModel {
        /// The first line that is not.
        line: usize,
    },
    /// A model saved by another version of this crate.
    #[error("the model has the form of version {found}, this is version 1")]
    Version {
        /// The version found.
        found: String,
    },
    /// A saved model whose digest is not that of its numbers.
    #[error("the model is not as it was saved: its digest differs")]
    Corrupt,
    /// The engine refused a program or its data.
    #[error(transparent)]
    Engine(#[from] gpu::Error),
    /// The reference solver gave up.
    #[error("the reference solver failed: {message}")]
    Reference {
        /// What it said.
        message: String,
    },
}

/// Proof that a problem has no answer: the demand of `regions` exceeds the stock of `warehouses` and the capacities of all arcs that lead
/// from other warehouses to these regions, by `shortfall` units.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Cut {
    /// Regions whose demand must not be lost, ascending.
    pub regions: Vec<usize>,
    /// Warehouses that ship all their stock to these regions, ascending.
    pub warehouses: Vec<usize>,
    /// Units by which the demand exceeds stock and capacities.
    pub shortfall: f64,
}
