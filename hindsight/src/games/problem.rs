//! What is wrong with a case, and with which field.

use games::{Argument, GamesError};

use crate::error::{CliError, Complain as _, Place};

/// What is wrong with a case, and with which field.
#[derive(Debug)]
pub(super) struct Problem {
    field: Option<String>,
    text: String,
}

/// What is said of a field that has to be given and is not.
const MISSING: &str = "is missing";

impl Problem {
    pub(super) fn field(field: &str, text: impl Into<String>) -> Self {
        Self {
            field: Some(field.to_owned()),
            text: text.into(),
        }
    }

    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self {
            field: None,
            text: text.into(),
        }
    }

    pub(super) fn of_field(&self) -> Option<&str> {
        self.field.as_deref()
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The same problem, in a round counted from 0.
    pub(super) fn in_round(mut self, round: usize) -> Self {
        self.text = format!("round {round}: {}", self.text);
        self
    }

    pub(super) fn at(self, place: &Place) -> CliError {
        match self.field {
            Some(field) => place.clone().column(&field).error(self.text),
            None => place.error(self.text),
        }
    }

    /// A field that has to be given and is not.
    pub(super) fn missing(field: &str) -> Self {
        Self::field(field, MISSING)
    }

    pub(super) fn of_flags(self) -> CliError {
        let hint = match self.text == MISSING {
            true => " (--help has examples)",
            false => "",
        };
        match self.field {
            Some(field) => CliError::Input(format!(
                "--{}: {}{hint}",
                field.replace('_', "-"),
                self.text
            )),
            None => CliError::Input(self.text),
        }
    }
}

/// A file that cannot be read: its name is in the words.
impl From<CliError> for Problem {
    fn from(error: CliError) -> Self {
        Self {
            field: None,
            text: error.to_string(),
        }
    }
}

/// Errors of the library name their argument; the field of the same meaning is at fault.
impl From<GamesError> for Problem {
    fn from(error: GamesError) -> Self {
        Self {
            field: error.argument().and_then(field_of).map(str::to_owned),
            text: error.to_string(),
        }
    }
}

/// The field that gives an argument of the library.
fn field_of(argument: Argument) -> Option<&'static str> {
    Some(match argument {
        Argument::ChokePrice => "choke_price",
        Argument::OperatorCost => "operator_cost",
        Argument::SellerCost => "seller_cost",
        Argument::RetailerCost => "retailer_cost",
        Argument::Fee => "fee",
        Argument::Experience => "experience",
        Argument::Price => "price",
        Argument::Stock => "stock",
        Argument::Substitutability => "substitutability",
        Argument::OutsideOption => "outside_option",
        Argument::Exponent => "exponent",
        Argument::Cells => "cells",
        Argument::Temperature => "temperature",
        Argument::Deviation => "deviation",
        Argument::Advantage => "advantage",
        Argument::Debates => "rounds",
        Argument::Payoffs | Argument::Profiles | Argument::ActionsOfBoth => "payoffs",
        Argument::Joint => "joint",
        Argument::MixedProfile | Argument::MixedStrategy => "mixed",
        Argument::Objective => "objective",
        Argument::Rewards | Argument::Reward => "rewards",
        Argument::Play | Argument::Action => "play",
        _ => return None,
    })
}
