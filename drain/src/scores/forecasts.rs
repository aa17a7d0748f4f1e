//! Ensembles and what happened.

use crate::error::{Argument, DrainError};

/// What an ensemble stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Estimator {
    /// The ensemble is the forecast: a law of its members with equal weights.
    Plain,
    /// The ensemble is a sample of the law that is scored: its expectation is the law's score. Needs two members.
    Fair,
}

impl Estimator {
    /// What the sum over ordered pairs of members is divided by.
    pub(super) fn pairs(self, members: usize) -> Result<f64, DrainError> {
        let others = match self {
            Estimator::Plain => members,
            Estimator::Fair if members < 2 => {
                return Err(DrainError::TooFew {
                    argument: Argument::Members,
                    needed: 2,
                    found: members,
                });
            }
            Estimator::Fair => members - 1,
        };
        Ok(count(members) * count(others))
    }
}

/// A number of things, as a number to count with.
#[expect(
    clippy::cast_precision_loss,
    reason = "numbers of things in memory are below 2^53"
)]
pub(super) fn count(things: usize) -> f64 {
    things as f64
}

/// Ensembles of numbers or vectors, each with its outcome; all numbers are finite.
///
/// Members lie forecast by forecast, member by member, component by component: $n \times M \times D$ numbers for $n \times D$ outcomes.
///
/// ```
/// use hindsight_drain::scores::Forecasts;
/// use hindsight_drain::{Argument, DrainError};
/// let joint = Forecasts::joint(&[1.0, 10.0, 2.0, 20.0, 3.0, 30.0], &[2.0, 25.0], 2)?;
/// assert_eq!((joint.len(), joint.members(), joint.components()), (1, 3, 2));
/// let wrong = Forecasts::new(&[1.0, f64::NAN], &[2.0]);
/// assert!(matches!(wrong, Err(DrainError::NotFinite { argument: Argument::Members, index: 1, .. })));
/// # Ok::<(), DrainError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Forecasts<'a> {
    members: &'a [f64],
    outcomes: &'a [f64],
    ensemble: usize,
    components: usize,
}

impl<'a> Forecasts<'a> {
    /// Forecasts of numbers: one outcome a forecast, all ensembles of the same size.
    ///
    /// # Errors
    /// No outcome, no member, a number of members that is no multiple of that of outcomes, a number that is not finite.
    pub fn new(members: &'a [f64], outcomes: &'a [f64]) -> Result<Self, DrainError> {
        Self::joint(members, outcomes, 1)
    }

    /// Forecasts of vectors of so many components.
    ///
    /// # Errors
    /// As [`new`](Self::new); no component, or a number of outcomes that is no multiple of it.
    pub fn joint(
        members: &'a [f64],
        outcomes: &'a [f64],
        components: usize,
    ) -> Result<Self, DrainError> {
        let lists = [(Argument::Outcome, outcomes), (Argument::Members, members)];
        for (argument, list) in lists {
            if list.is_empty() || components == 0 {
                return Err(DrainError::Empty { argument });
            }
            finite(argument, list)?;
        }
        let multiple = |argument, of: usize, found: usize| match found % of {
            0 => Ok(()),
            _ => Err(DrainError::Length {
                argument,
                expected: found.div_ceil(of) * of,
                found,
            }),
        };
        multiple(Argument::Outcome, components, outcomes.len())?;
        multiple(Argument::Members, outcomes.len(), members.len())?;
        Ok(Self {
            members,
            outcomes,
            ensemble: members.len() / outcomes.len(),
            components,
        })
    }

    /// The number of forecasts.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "there is at least one")]
    pub fn len(&self) -> usize {
        self.outcomes.len() / self.components
    }

    /// The number of members of each ensemble.
    #[must_use]
    pub fn members(&self) -> usize {
        self.ensemble
    }

    /// The number of components of each member.
    #[must_use]
    pub fn components(&self) -> usize {
        self.components
    }

    /// Members and outcome of each forecast.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'a [f64], &'a [f64])> {
        let outcomes = self.outcomes.chunks_exact(self.components);
        self.members
            .chunks_exact(self.ensemble * self.components)
            .zip(outcomes)
    }

    /// All members, as they lie.
    pub(super) fn all(&self) -> &'a [f64] {
        self.members
    }

    /// All outcomes, as they lie.
    pub(super) fn outcomes(&self) -> &'a [f64] {
        self.outcomes
    }
}

pub(super) fn finite(argument: Argument, list: &[f64]) -> Result<(), DrainError> {
    // Without an early exit, so that several are looked at at a time.
    if list.iter().fold(true, |all, v| all & v.is_finite()) {
        return Ok(());
    }
    let found = list.iter().enumerate().find(|(_, v)| !v.is_finite());
    match found {
        None => Ok(()),
        Some((index, &value)) => Err(DrainError::NotFinite {
            argument,
            index,
            value,
        }),
    }
}

/// The scores, unless one is beyond all numbers.
pub(super) fn checked(scores: Vec<f64>) -> Result<Vec<f64>, DrainError> {
    finite(Argument::Score, &scores)?;
    Ok(scores)
}

/// A number strictly between two others.
pub(super) fn between(
    argument: Argument,
    value: f64,
    low: f64,
    high: f64,
) -> Result<(), DrainError> {
    if value > low && value < high {
        Ok(())
    } else {
        Err(DrainError::NotBetween {
            argument,
            low,
            high,
            value,
        })
    }
}
