//! What can be wrong with an argument, with the argument's name and the value that was found.

mod argument;

pub use argument::{Argument, Method};

/// The reason why a model, a game or a distribution was refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GamesError {
    /// The argument is NaN or infinite.
    #[error("{argument} must be finite, got {value}")]
    NotFinite {
        /// Name of the argument.
        argument: Argument,
        /// The value found.
        value: f64,
    },
    /// The argument lies outside its interval.
    #[error("{argument} must lie in {interval}, got {value}")]
    OutOfRange {
        /// Name of the argument.
        argument: Argument,
        /// The interval, as text, for instance `[0, 1)`.
        interval: &'static str,
        /// The value found.
        value: f64,
    },
    /// A payoff is NaN or infinite.
    #[error("payoff of player {player} at profile {profile:?} must be finite, got {value}")]
    PayoffNotFinite {
        /// The player, counted from 0.
        player: usize,
        /// The pure profile, one action a player.
        profile: Vec<usize>,
        /// The value found.
        value: f64,
    },
    /// A row of a matrix is longer or shorter than the first.
    #[error("row {row} of {argument} has {found} entries, expected {expected}")]
    Ragged {
        /// Name of the argument.
        argument: Argument,
        /// The row, counted from 0.
        row: usize,
        /// Length of the first row.
        expected: usize,
        /// Length found.
        found: usize,
    },
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
    /// An entry of a probability vector is negative or not finite.
    #[error("{argument}[{index}] must be a probability, got {value}")]
    NotAProbability {
        /// Name of the argument.
        argument: Argument,
        /// Index of the entry.
        index: usize,
        /// The value found.
        value: f64,
    },
    /// Probabilities do not sum to one.
    #[error("{argument} must sum to one, got {sum}")]
    NotADistribution {
        /// Name of the argument.
        argument: Argument,
        /// The sum found.
        sum: f64,
    },
    /// An action does not exist.
    #[error("{argument} is {value}, but there are {actions} actions")]
    NoSuchAction {
        /// Name of the argument.
        argument: Argument,
        /// The action found.
        value: usize,
        /// Number of actions.
        actions: usize,
    },
    /// The method takes games of two players only.
    #[error("the game has {players} players, this method takes two")]
    NotTwoPlayers {
        /// Number of players found.
        players: usize,
    },
    /// The payoffs of a profile do not sum to zero.
    #[error("at {profile:?} payoffs sum to {sum}, not to zero")]
    NotZeroSum {
        /// The pure profile, one action a player.
        profile: Vec<usize>,
        /// The sum found.
        sum: f64,
    },
    /// A record holds both realised actions and mixed plays.
    #[error("play mixes actions and distributions: their regrets are different things")]
    PureAndMixed,
    /// The problem is too large for the method.
    #[error("{argument} is {size}, the limit is {limit}")]
    TooLarge {
        /// Name of the argument.
        argument: Argument,
        /// The size found.
        size: usize,
        /// The largest size taken.
        limit: usize,
    },
    /// With imperfect substitutes the stock that deters the seller exceeds the demand at that price: outside the model.
    #[error(
        "at substitutability {gamma} the deterring stock {threshold} exceeds demand {demand} at price {price}: no reply is defined there"
    )]
    ThresholdAboveDemand {
        /// Degree of substitution, in `(0, 1]`.
        gamma: f64,
        /// The operator's price.
        price: f64,
        /// The stock that would deter.
        threshold: f64,
        /// Demand at the operator's price.
        demand: f64,
    },
    /// An iterative method stopped before its tolerance.
    #[error("{method} stopped with residual {residual} after {iterations} iterations")]
    NotConverged {
        /// The method.
        method: Method,
        /// What is left.
        residual: f64,
        /// Iterations done.
        iterations: usize,
    },
}

impl GamesError {
    /// The argument at fault, where it is one.
    #[must_use]
    pub fn argument(&self) -> Option<Argument> {
        match self {
            Self::NotFinite { argument, .. }
            | Self::OutOfRange { argument, .. }
            | Self::Ragged { argument, .. }
            | Self::Length { argument, .. }
            | Self::Empty { argument }
            | Self::NotAProbability { argument, .. }
            | Self::NotADistribution { argument, .. }
            | Self::NoSuchAction { argument, .. }
            | Self::TooLarge { argument, .. } => Some(*argument),
            Self::PayoffNotFinite { .. } | Self::NotTwoPlayers { .. } | Self::NotZeroSum { .. } => {
                Some(Argument::Payoffs)
            }
            Self::PureAndMixed => Some(Argument::Play),
            Self::ThresholdAboveDemand { .. } => Some(Argument::Substitutability),
            Self::NotConverged { .. } => None,
        }
    }
}

/// `value` when it is finite.
pub(crate) fn finite(argument: Argument, value: f64) -> Result<f64, GamesError> {
    if value.is_finite() {
        Ok(value)
    } else {
        Err(GamesError::NotFinite { argument, value })
    }
}

/// `value` when it is finite and at least zero.
pub(crate) fn non_negative(argument: Argument, value: f64) -> Result<f64, GamesError> {
    if finite(argument, value)? >= 0.0 {
        Ok(value)
    } else {
        Err(GamesError::OutOfRange {
            argument,
            interval: "[0, inf)",
            value,
        })
    }
}

/// `value` when it is finite and greater than zero.
pub(crate) fn positive(argument: Argument, value: f64) -> Result<f64, GamesError> {
    if finite(argument, value)? > 0.0 {
        Ok(value)
    } else {
        Err(GamesError::OutOfRange {
            argument,
            interval: "(0, inf)",
            value,
        })
    }
}

/// `value` when it is a share of revenue that leaves something: `[0, 1)`.
pub(crate) fn share(argument: Argument, value: f64) -> Result<f64, GamesError> {
    if (0.0..1.0).contains(&finite(argument, value)?) {
        Ok(value)
    } else {
        Err(GamesError::OutOfRange {
            argument,
            interval: "[0, 1)",
            value,
        })
    }
}

/// Checks that `values` are probabilities that sum to one within `1e-9`.
pub(crate) fn distribution(argument: Argument, values: &[f64]) -> Result<(), GamesError> {
    if values.is_empty() {
        return Err(GamesError::Empty { argument });
    }
    for (index, &value) in values.iter().enumerate() {
        if !(value.is_finite() && value >= 0.0) {
            return Err(GamesError::NotAProbability {
                argument,
                index,
                value,
            });
        }
    }
    let sum: f64 = values.iter().sum();
    if (sum - 1.0).abs() > 1e-9 {
        return Err(GamesError::NotADistribution { argument, sum });
    }
    Ok(())
}

/// Checks a length.
pub(crate) fn length(argument: Argument, expected: usize, found: usize) -> Result<(), GamesError> {
    if expected == found {
        Ok(())
    } else {
        Err(GamesError::Length {
            argument,
            expected,
            found,
        })
    }
}

/// A count as a real number; counts here stay far below $2^{53}$.
#[allow(clippy::cast_precision_loss)] // exact below 2^53
pub(crate) fn real(count: usize) -> f64 {
    count as f64
}
