//! What can be wrong with logs, settings and models.

use std::fmt;

/// An argument of this crate, as errors name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Argument {
    /// Units ordered.
    Units,
    /// Units of a usual order of the product.
    Usual,
    /// The smallest order.
    Minimum,
    /// The largest order, as a multiple of the usual one.
    Largest,
    /// The margin of a gradient, as a share of the order.
    Margin,
    /// Units of a batch.
    Batch,
    /// Time of the year, as a share of it.
    Season,
    /// Promised time of delivery.
    Promised,
    /// Numbers that are known when an order is placed.
    Covariate,
    /// Earlier orders.
    History,
    /// Units of a receipt.
    Receipt,
    /// Shares of an order by period.
    Share,
    /// What a vendor can supply of an order.
    Limit,
    /// The orders of a log.
    Orders,
    /// Sample paths.
    Samples,
    /// Limits of cells of time.
    TimeCells,
    /// Limits of cells of shares.
    ShareCells,
    /// Receipts of an order that are told apart.
    Pieces,
    /// Mini-batch of training.
    MiniBatch,
    /// Steps of training.
    Steps,
    /// A parameter of a model.
    Parameter,
    /// A parameter of the vendors' world.
    World,
    /// Widths of a network.
    Width,
    /// Products of a replay.
    Products,
    /// Weeks of a replay.
    Weeks,
    /// Half the width of a dither.
    Dither,
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Argument::Units => "units ordered",
            Argument::Usual => "the usual order",
            Argument::Minimum => "the smallest order",
            Argument::Largest => "the largest order, in usual orders",
            Argument::Margin => "the margin, as a share of the order",
            Argument::Batch => "the batch",
            Argument::Season => "the time of the year",
            Argument::Promised => "the promised time",
            Argument::Covariate => "covariates",
            Argument::History => "earlier orders",
            Argument::Receipt => "units received",
            Argument::Share => "shares of an order",
            Argument::Limit => "the vendor's limit",
            Argument::Orders => "orders",
            Argument::Samples => "samples",
            Argument::TimeCells => "cells of time",
            Argument::ShareCells => "cells of shares",
            Argument::Pieces => "pieces of an order",
            Argument::MiniBatch => "the mini-batch",
            Argument::Steps => "training steps",
            Argument::Parameter => "parameters",
            Argument::World => "parameters of the world",
            Argument::Width => "widths of the network",
            Argument::Products => "products",
            Argument::Weeks => "weeks",
            Argument::Dither => "the dither",
        })
    }
}

/// An error of this crate.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ArrivalsError {
    /// A number outside its range.
    #[error("{argument} {index}: {value}, expected {low} to {high}")]
    Range {
        /// What it is.
        argument: Argument,
        /// Its place in its list: the order, the product, the parameter.
        index: usize,
        /// The number.
        value: f64,
        /// The least that it may be.
        low: f64,
        /// The most.
        high: f64,
    },
    /// A list of another length than it must have.
    #[error("{argument}: {found}, expected {expected}")]
    Length {
        /// The list.
        argument: Argument,
        /// How long it must be.
        expected: usize,
        /// How long it is.
        found: usize,
    },
    /// A list without entries.
    #[error("{argument}: none")]
    Empty {
        /// The list.
        argument: Argument,
    },
    /// A list that must rise.
    #[error("{argument}: entry {index} does not rise")]
    Order {
        /// The list.
        argument: Argument,
        /// The entry that is not above the one before.
        index: usize,
    },
    /// A vendor that the log, the world or the model does not know.
    #[error("order {order} is of vendor {vendor}, known are {vendors}")]
    Vendor {
        /// The order's place in its list.
        order: usize,
        /// The vendor's number, from 0.
        vendor: usize,
        /// How many are known.
        vendors: usize,
    },
    /// A receipt before the earliest time that there can be one: before the order.
    #[error("order {order} is received at time {time}, before {earliest}")]
    EarlyReceipt {
        /// The order's place in its list.
        order: usize,
        /// When, since the order.
        time: i64,
        /// The earliest time of the log.
        earliest: i64,
    },
    /// A receipt after the end of the data.
    #[error("order {order} is received at time {time}, seen until {seen}")]
    UnseenReceipt {
        /// The order's place in its list.
        order: usize,
        /// When, since the order.
        time: i64,
        /// The last time since the order that was seen.
        seen: i64,
    },
    /// Text that is no model.
    #[error("not a model of arrivals (line {line})")]
    NotAModel {
        /// The line that cannot be read.
        line: usize,
    },
    /// A model of another version of the form.
    #[error("a model of version {found}")]
    Version {
        /// The version.
        found: String,
    },
    /// A model whose digest does not match its content.
    #[error("the model is damaged: its digest does not match")]
    Corrupt,
    /// An error of the engine.
    #[error(transparent)]
    Engine(#[from] gpu::Error),
    /// An error of the replay.
    #[error(transparent)]
    Replay(#[from] hindsight_exo_idp::Error),
}

/// An error unless the number is finite, or infinite at an infinite end, and in a closed range.
pub(crate) fn within(
    argument: Argument,
    index: usize,
    value: f64,
    range: [f64; 2],
) -> Result<(), ArrivalsError> {
    let [low, high] = range;
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(ArrivalsError::Range {
        argument,
        index,
        value,
        low,
        high,
    })
}

/// An error unless a list is as long as it must be.
pub(crate) fn length(
    argument: Argument,
    expected: usize,
    found: usize,
) -> Result<(), ArrivalsError> {
    if expected == found {
        Ok(())
    } else {
        Err(ArrivalsError::Length {
            argument,
            expected,
            found,
        })
    }
}
