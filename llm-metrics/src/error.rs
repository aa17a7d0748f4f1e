//! What can be wrong with the arguments.

/// A condition that an argument violates, with the value that violates it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An input has no elements.
    #[error("{what} is empty")]
    Empty {
        /// The argument.
        what: &'static str,
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
    /// A value is NaN or lies outside its range.
    #[error("{what}[{index}] is {value}, outside [{min}, {max}]")]
    OutOfRange {
        /// The argument.
        what: &'static str,
        /// Position of the value, from 0.
        index: usize,
        /// The value.
        value: f64,
        /// Smallest value allowed.
        min: f64,
        /// Largest value allowed.
        max: f64,
    },
    /// A value is NaN or infinite.
    #[error("{what}[{index}] is {value}, not a finite number")]
    NotFinite {
        /// The argument.
        what: &'static str,
        /// Position of the value, from 0.
        index: usize,
        /// The value.
        value: f64,
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
    /// A label names a class that does not exist.
    #[error("label {label} of record {index} is outside the {classes} classes")]
    Label {
        /// Record, from 0.
        index: usize,
        /// The label.
        label: usize,
        /// Number of classes.
        classes: usize,
    },
    /// A row of probabilities does not sum to one.
    #[error("the probabilities of record {index} sum to {sum}, not to 1; are they logits?")]
    NotNormalised {
        /// Record, from 0.
        index: usize,
        /// The sum.
        sum: f64,
    },
    /// Bin edges do not increase from 0 to 1.
    #[error("edges[{index}] is {value}: the edges must increase strictly from 0 to 1")]
    Edges {
        /// Position of the edge, from 0.
        index: usize,
        /// The edge.
        value: f64,
    },
    /// Two accumulators with different settings cannot be merged.
    #[error("the two accumulators differ in {what}")]
    Mismatch {
        /// The setting in which they differ.
        what: &'static str,
    },
    /// pass@k was asked for more samples than there are.
    #[error("k = {k} exceeds the {n} samples of problem {index}")]
    KExceedsN {
        /// Problem, from 0.
        index: usize,
        /// Samples asked for.
        k: usize,
        /// Samples present.
        n: usize,
    },
    /// There are fewer observations than the estimate needs.
    #[error("{what} needs at least {needed}, got {found}")]
    TooFew {
        /// What is counted.
        what: &'static str,
        /// The least number that will do.
        needed: usize,
        /// The number found.
        found: usize,
    },
    /// There are more of something than memory is set aside for.
    #[error("{what} may be at most {most}, got {found}")]
    TooMany {
        /// What is counted.
        what: &'static str,
        /// The largest number allowed.
        most: usize,
        /// The number found.
        found: usize,
    },
    /// A filter keeps no response of a prompt, and the caller asked for an error.
    #[error("the filter keeps no response of prompt {prompt}")]
    EmptyFilter {
        /// Prompt, from 0.
        prompt: usize,
    },
    /// The record of a tournament holds a game that cannot have been played.
    #[error("game {index}: {problem}")]
    Game {
        /// The game, from 0.
        index: usize,
        /// Why not.
        problem: GameProblem,
    },
    /// Two responses meet in a tournament and were not compared.
    #[error("responses number {} and {} of prompt {prompt:?} meet in round {round}, but nothing compares them", pair[0], pair[1])]
    NoComparison {
        /// The prompt.
        prompt: String,
        /// The two responses, from 1.
        pair: [usize; 2],
        /// The round, from 1.
        round: usize,
    },
    /// A column of a regression is constant or a combination of the columns before it.
    #[error("regressor {column} is constant or a combination of the others")]
    Collinear {
        /// The column, from 0 (the intercept).
        column: usize,
    },
    /// A numerical search ended without an answer.
    #[error("{what} did not converge")]
    NoConvergence {
        /// The search.
        what: &'static str,
    },
    /// A map of logits was asked for of records that have none, or not the same number in each.
    #[error("a temperature needs logits, of the same number of classes in every record")]
    NoLogits,
    /// A prompt of an in-context protocol has no test.
    #[error("shots {shots}, seed {seed}: there are no items of regime test")]
    NoTest {
        /// Its number of demonstrations.
        shots: usize,
        /// Its seed.
        seed: String,
    },
    /// An item serves the fit and the test of one prompt.
    #[error(
        "line {line} of log {log}: the item is also in the test of shots {shots}, seed {seed} (line {test})"
    )]
    SharedItem {
        /// The log of the item that serves the fit, from 0 in the order of reading.
        log: usize,
        /// Its line.
        line: u64,
        /// The prompt's number of demonstrations.
        shots: usize,
        /// Its seed.
        seed: String,
        /// The line of the item in the test.
        test: u64,
    },
    /// No run of a model reaches the target loss.
    #[error("no run reaches the target {target}: the lowest loss is {lowest}, in run {run:?}")]
    NotReached {
        /// The target.
        target: f64,
        /// The lowest loss of all runs.
        lowest: f64,
        /// The run that has it.
        run: String,
    },
    /// A run is below the target loss before any training.
    #[error("a run at batch {batch} is below the target {target} at step 0, before any training")]
    BelowAtStart {
        /// The run's batch size.
        batch: f64,
        /// The target.
        target: f64,
    },
    /// A log cannot be read.
    #[cfg(feature = "io")]
    #[error(transparent)]
    Log(#[from] crate::io::ReadError),
}

/// The range of a setting.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Allowed {
    /// Anything but NaN.
    Number,
    /// Finite and at least this.
    AtLeast(f64),
    /// Finite and above this.
    Above(f64),
    /// At most this.
    AtMost(f64),
    /// Below this.
    Below(f64),
    /// Both ends included.
    Within(f64, f64),
    /// Both ends excluded.
    Between(f64, f64),
    /// The upper end included.
    AboveUpTo(f64, f64),
}

impl std::fmt::Display for Allowed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Allowed::Number => f.write_str("a number"),
            Allowed::AtLeast(v) => write!(f, "finite and at least {v}"),
            Allowed::Above(0.0) => f.write_str("positive and finite"),
            Allowed::Above(v) => write!(f, "finite and above {v}"),
            Allowed::AtMost(v) => write!(f, "at most {v}"),
            Allowed::Below(v) => write!(f, "below {v}"),
            Allowed::Within(a, b) => write!(f, "in [{a}, {b}]"),
            Allowed::Between(a, b) => write!(f, "strictly between {a} and {b}"),
            Allowed::AboveUpTo(a, b) => write!(f, "in ({a}, {b}]"),
        }
    }
}

/// Why a game of a recorded tournament cannot have been played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GameProblem {
    /// Its round is 0 or beyond every round that the responses could need.
    #[error("its round is out of range")]
    Round,
    /// It names a prompt or a response that does not exist.
    #[error("there is no such prompt or response")]
    Unknown,
    /// Winner and loser are the same response.
    #[error("a response plays against itself")]
    Itself,
    /// A player lost in an earlier round.
    #[error("one of the two was beaten before this round")]
    Beaten,
    /// A player has another game in the same round.
    #[error("one of the two plays twice in this round")]
    Twice,
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

pub(crate) fn check_unit(what: &'static str, values: &[f64]) -> Result<()> {
    if values.is_empty() {
        return Err(Error::Empty { what });
    }
    // The fast pass has no early exit, so that it vectorises; the slow one finds the culprit.
    let bad = values
        .iter()
        .fold(false, |bad, v| bad | !(*v >= 0.0 && *v <= 1.0));
    match bad
        .then(|| values.iter().position(|v| !(*v >= 0.0 && *v <= 1.0)))
        .flatten()
    {
        Some(index) => Err(Error::OutOfRange {
            what,
            index,
            value: values[index],
            min: 0.0,
            max: 1.0,
        }),
        None => Ok(()),
    }
}

pub(crate) fn check_finite(what: &'static str, values: &[f64]) -> Result<()> {
    if values.is_empty() {
        return Err(Error::Empty { what });
    }
    match values.iter().position(|v| !v.is_finite()) {
        Some(index) => Err(Error::NotFinite {
            what,
            index,
            value: values[index],
        }),
        None => Ok(()),
    }
}

pub(crate) fn check_positive(name: &'static str, value: f64) -> Result<()> {
    if value > 0.0 && value.is_finite() {
        Ok(())
    } else {
        Err(Error::Parameter {
            name,
            value,
            allowed: Allowed::Above(0.0),
        })
    }
}

pub(crate) fn check_level(value: f64) -> Result<()> {
    if value > 0.0 && value < 1.0 {
        Ok(())
    } else {
        Err(Error::Parameter {
            name: "level",
            value,
            allowed: Allowed::Between(0.0, 1.0),
        })
    }
}
