//! Ensembles and what happened.

use std::io::BufRead;

use super::line::{Problem, ReadError, lines};
use crate::error::DrainError;
use crate::scores::Forecasts;

/// Ensembles with their outcomes, in memory.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Ensembles {
    members: Vec<f64>,
    outcomes: Vec<f64>,
    components: usize,
}

impl Ensembles {
    /// Ensembles of vectors, member by member, as [`Forecasts::joint`] takes them.
    #[must_use]
    pub fn new(members: Vec<f64>, outcomes: Vec<f64>, components: usize) -> Self {
        Self {
            members,
            outcomes,
            components,
        }
    }

    /// What is scored.
    ///
    /// # Errors
    /// As [`Forecasts::joint`].
    pub fn forecasts(&self) -> Result<Forecasts<'_>, DrainError> {
        Forecasts::joint(&self.members, &self.outcomes, self.components)
    }
}

/// Reads ensembles, all with as many members and components.
///
/// # Errors
/// What is wrong with them, with the line.
pub fn ensembles(reader: impl BufRead) -> Result<Ensembles, ReadError> {
    let mut all = Ensembles::default();
    let mut size = None;
    for line in lines(reader) {
        let line = line?;
        line.only(&["members", "outcome"])?;
        let outcome = line.number_or_list("outcome", 1)?;
        let nested = line.nests("members");
        let members = line.rows("members", if nested { 2 } else { 1 }, None)?;
        let components = if nested {
            line.shape::<2>("members")[1]
        } else {
            1
        };
        let found = (components, members.len());
        let expected = *size.get_or_insert((outcome.len(), found.1));
        let differ =
            |field, expected, found| Err(line.field(field, Problem::Length { expected, found }));
        if outcome.len() != expected.0 {
            return differ("outcome", expected.0, outcome.len());
        }
        if components != expected.0 {
            return differ("members", expected.0, components);
        }
        if members.len() != expected.1 {
            return differ(
                "members",
                expected.1 / components,
                members.len() / components,
            );
        }
        all.components = components;
        all.members.extend(members);
        all.outcomes.extend(outcome);
    }
    match all.outcomes.is_empty() {
        true => Err(ReadError::empty()),
        false => Ok(all),
    }
}
