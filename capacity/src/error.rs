//! What can be wrong.

/// A number that an error names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Argument {
    /// A limit of a resource, in volume.
    Limit,
    /// The volume of a unit of a product.
    Volume,
    /// A price of a resource.
    Price,
    /// What demand is expected to be, relative to its level.
    Index,
    /// The length of a horizon, in weeks.
    Horizon,
    /// What a resource's use would be without prices.
    Usage,
    /// A setting of training.
    Training,
    /// A setting of a baseline.
    Baseline,
}

impl std::fmt::Display for Argument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Argument::Limit => "limit",
            Argument::Volume => "volume",
            Argument::Price => "price of a resource",
            Argument::Index => "index of demand",
            Argument::Horizon => "horizon",
            Argument::Usage => "usage",
            Argument::Training => "setting of training",
            Argument::Baseline => "setting of a baseline",
        })
    }
}

/// An error of this crate.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A number that is not in its domain.
    #[error("{argument} of {of} number {index} is {value}")]
    Value {
        /// The argument.
        argument: Argument,
        /// What it belongs to: a resource, a product.
        of: String,
        /// The week or product, from 0.
        index: usize,
        /// The value.
        value: f64,
    },
    /// A setting that makes no sense.
    #[error("{argument} is {value}")]
    Setting {
        /// The argument.
        argument: Argument,
        /// The value.
        value: f64,
    },
    /// Limits that end before the weeks that they are asked for.
    #[error("limits of {found} weeks, and {needed} are needed")]
    TooShort {
        /// Weeks needed.
        needed: usize,
        /// Weeks given.
        found: usize,
    },
    /// Limits of more weeks than those that they are asked for: which of them are meant is not said.
    #[error("limits of {found} weeks, and {needed} are needed, a row for each week that is judged")]
    TooLong {
        /// Weeks needed.
        needed: usize,
        /// Weeks given.
        found: usize,
    },
    /// A record that is too short to train on one part of it and to try limits on the other.
    #[error(
        "the record has {found} weeks, and {needed} are needed: half to train on, half to try limits on"
    )]
    ShortRecord {
        /// Weeks needed.
        needed: usize,
        /// Weeks of the record.
        found: usize,
    },
    /// An array of the wrong length.
    #[error("{argument}: {found} values, expected {expected}")]
    Length {
        /// The argument.
        argument: Argument,
        /// Values expected.
        expected: usize,
        /// Values given.
        found: usize,
    },
    /// A product that is not there.
    #[error("product {product} of {products}")]
    Product {
        /// The product, from 0.
        product: usize,
        /// Products that there are.
        products: usize,
    },
    /// Nothing to work on.
    #[error("no {0}")]
    Empty(Argument),
    /// A resource that is named twice.
    #[error("resource {0:?} is named twice")]
    Twice(String),
    /// Weeks that the record does not have.
    #[error("weeks {start}..{end} of {weeks}")]
    Weeks {
        /// First week.
        start: usize,
        /// Week after the last.
        end: usize,
        /// Weeks that there are.
        weeks: usize,
    },
    /// Orders that do not arrive in full.
    #[error("orders do not arrive in full")]
    PartialDeliveries,
    /// A result that is not finite.
    #[error("training diverged at step {step}")]
    Diverged {
        /// The step.
        step: usize,
    },
    /// A problem that is too large to be solved exactly, or has no solution.
    #[error("the linear programme of {variables} variables was not solved")]
    Programme {
        /// Its variables.
        variables: usize,
    },
    /// A table that cannot be read, with file, line and column.
    #[cfg(feature = "io")]
    #[error(transparent)]
    Sheet(#[from] sheet::SheetError),
    /// What is wrong with a file's content, and where.
    #[cfg(feature = "io")]
    #[error("{place}: {error}")]
    InFile {
        /// File, line and column.
        place: sheet::Place,
        /// What is wrong.
        error: Box<Error>,
    },
    /// A week that is no week (a whole number or a date) or does not follow the one before.
    #[error("week {week:?} is no whole number or date that follows the week before")]
    Order {
        /// The week, as written.
        week: String,
    },
    /// A product that nothing is known of.
    #[error("there is no product {product:?}")]
    Unknown {
        /// Its name.
        product: String,
    },
    /// A product that is named twice.
    #[error("product {product:?} is named twice")]
    Repeated {
        /// Its name.
        product: String,
    },
    /// A product whose volume is not given.
    #[error("the volume of product {product:?} is not given")]
    NoVolume {
        /// Its name.
        product: String,
    },
    /// Text that is no saved model.
    #[error("line {line} is not of a saved coordinator")]
    NotAModel {
        /// The line, from 1.
        line: usize,
    },
    /// A saved model whose digest does not fit.
    #[error("the saved coordinator was changed after it was written")]
    Corrupt,
    /// An error of the replay.
    #[error(transparent)]
    Replay(#[from] hindsight_exo_idp::Error),
    /// An error of the engine.
    #[error(transparent)]
    Engine(#[from] hindsight_gpu::Error),
}

/// An error unless a number is finite and at least zero.
pub(crate) fn amount(argument: Argument, of: &str, index: usize, value: f64) -> Result<(), Error> {
    if value.is_finite() && value >= 0.0 {
        return Ok(());
    }
    Err(Error::Value {
        argument,
        of: of.to_owned(),
        index,
        value,
    })
}

/// A count as a number.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub(crate) fn count(n: usize) -> f64 {
    n as f64
}
