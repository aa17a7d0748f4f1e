//! What can be wrong with a log or with a setting.

/// A condition that an argument violates, with the value that violates it. Rounds count from 0, in the order in which they were given.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A propensity is not the probability of something that happened.
    #[error("round {round}: the propensity is {value}, outside (0, 1]")]
    Propensity {
        /// The round.
        round: u64,
        /// The propensity.
        value: f64,
    },
    /// A density, of an action that is a quantity, is not a positive finite number.
    #[error("round {round}: the density is {value}, not a positive finite number")]
    Density {
        /// The round.
        round: u64,
        /// The density.
        value: f64,
    },
    /// A probability of a policy is outside [0, 1].
    #[error("round {round}: {whose} gives action {action} the probability {value}")]
    Probability {
        /// The round.
        round: u64,
        /// Whose policy it is.
        whose: Whose,
        /// The action.
        action: usize,
        /// The probability.
        value: f64,
    },
    /// A policy's probabilities do not sum to one.
    #[error("round {round}: the probabilities of {whose} sum to {sum}, not to 1")]
    Sum {
        /// The round.
        round: u64,
        /// Whose policy it is.
        whose: Whose,
        /// Their sum.
        sum: f64,
    },
    /// The probability that the logging policy gave the logged action differs from the propensity.
    #[error(
        "round {round}: the propensity is {propensity}, but the logging policy gives the logged action {probability}"
    )]
    Disagreement {
        /// The round.
        round: u64,
        /// The propensity.
        propensity: f64,
        /// The probability in the logging policy's row.
        probability: f64,
    },
    /// An action does not exist.
    #[error("round {round}: action {action} is not among the {actions} actions")]
    Action {
        /// The round.
        round: u64,
        /// The action.
        action: usize,
        /// The number of actions.
        actions: usize,
    },
    /// A reward is NaN or infinite.
    #[error("round {round}: the reward is {value}, not a finite number")]
    Reward {
        /// The round.
        round: u64,
        /// The reward.
        value: f64,
    },
    /// A reward lies outside the range that was stated.
    #[error("round {round}: the reward {value} lies outside the stated range [{min}, {max}]")]
    RewardRange {
        /// The round.
        round: u64,
        /// The reward.
        value: f64,
        /// Least reward stated.
        min: f64,
        /// Largest reward stated.
        max: f64,
    },
    /// A weight exceeds the bound that was stated.
    #[error("round {round}: the importance weight {value} exceeds the stated bound {bound}")]
    WeightBound {
        /// The round.
        round: u64,
        /// The weight.
        value: f64,
        /// The bound.
        bound: f64,
    },
    /// An importance weight is negative, NaN or infinite.
    #[error("round {round}: the importance weight is {value}")]
    Weight {
        /// The round.
        round: u64,
        /// The weight.
        value: f64,
    },
    /// A predicted reward is NaN or infinite.
    #[error("round {round}: the predicted reward of action {action} is {value}")]
    Prediction {
        /// The round.
        round: u64,
        /// The action.
        action: usize,
        /// The prediction.
        value: f64,
    },
    /// An estimator needs a reward model, and the round has no predictions.
    #[error("round {round}: an estimator needs predicted rewards, and there are none")]
    NoPrediction {
        /// The round.
        round: u64,
    },
    /// An observation, a feature or a gain is NaN or infinite, or outside its range.
    #[error("{what}[{index}] is {value}, not within [{min}, {max}]")]
    Value {
        /// The argument.
        what: &'static str,
        /// Its position.
        index: usize,
        /// The value.
        value: f64,
        /// Least value allowed.
        min: f64,
        /// Largest value allowed.
        max: f64,
    },
    /// Two inputs that belong together differ in length.
    #[error("{what} has length {found}, expected {expected}")]
    Length {
        /// The argument.
        what: &'static str,
        /// The length that the other arguments imply.
        expected: usize,
        /// The length found.
        found: usize,
    },
    /// A setting has a value outside its range.
    #[error("{name} is {value}, but it must be {allowed}")]
    Parameter {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: f64,
        /// The range.
        allowed: Allowed,
    },
    /// There are fewer of something than the computation needs.
    #[error("{what} must be at least {needed}, got {found}")]
    TooFew {
        /// What is counted.
        what: &'static str,
        /// The least number that will do.
        needed: usize,
        /// The number found.
        found: usize,
    },
    /// Two accumulators with different settings cannot be merged.
    #[error("the two accumulators differ in {what}")]
    Mismatch {
        /// The setting in which they differ.
        what: &'static str,
    },
    /// Something was asked of an estimator that the accumulator does not keep.
    #[error("{0} is not among the estimators of this evaluation")]
    NotKept(crate::Estimator),
    /// A matrix that must be positive definite is not, in floating point.
    #[error("the normal equations of the reward model are singular: use a positive penalty")]
    Singular,
    /// An iteration ended without an answer.
    #[error("{what} did not converge in {steps} steps")]
    NotConverged {
        /// The iteration.
        what: &'static str,
        /// Its steps.
        steps: usize,
    },
    /// The replay could not be made.
    #[cfg(feature = "exo-idp")]
    #[error(transparent)]
    Replay(#[from] hindsight_exo_idp::Error),
}

/// A policy in an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Whose {
    /// The policy that is evaluated.
    #[error("the target policy")]
    Target,
    /// The policy that made the log.
    #[error("the logging policy")]
    Logging,
}

/// The range of a setting.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Allowed {
    /// Finite and above this.
    Above(f64),
    /// Finite and at least this.
    AtLeast(f64),
    /// Both ends excluded.
    Between(f64, f64),
    /// Both ends included.
    Within(f64, f64),
}

impl std::fmt::Display for Allowed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Allowed::Above(v) => write!(f, "finite and above {v}"),
            Allowed::AtLeast(v) => write!(f, "finite and at least {v}"),
            Allowed::Between(a, b) => write!(f, "strictly between {a} and {b}"),
            Allowed::Within(a, b) => write!(f, "in [{a}, {b}]"),
        }
    }
}

impl Allowed {
    /// The value, if it is allowed.
    pub(crate) fn check(self, name: &'static str, value: f64) -> Result<f64> {
        let within = match self {
            Allowed::Above(v) => value > v && value.is_finite(),
            Allowed::AtLeast(v) => value >= v && value.is_finite(),
            Allowed::Between(a, b) => value > a && value < b,
            Allowed::Within(a, b) => (a..=b).contains(&value),
        };
        if within {
            Ok(value)
        } else {
            Err(Error::Parameter {
                name,
                value,
                allowed: self,
            })
        }
    }
}

/// A result with this crate's error.
pub type Result<T> = std::result::Result<T, Error>;

pub(crate) fn check_len(what: &'static str, expected: usize, found: usize) -> Result<()> {
    if expected == found {
        Ok(())
    } else {
        Err(Error::Length {
            what,
            expected,
            found,
        })
    }
}

pub(crate) fn check_level(level: f64) -> Result<f64> {
    Allowed::Between(0.0, 1.0).check("level", level)
}

pub(crate) fn check_finite(what: &'static str, values: &[f64]) -> Result<()> {
    match values.iter().position(|v| !v.is_finite()) {
        Some(index) => Err(Error::Value {
            what,
            index,
            value: values[index],
            min: f64::MIN,
            max: f64::MAX,
        }),
        None => Ok(()),
    }
}
