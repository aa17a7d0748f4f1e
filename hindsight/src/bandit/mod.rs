//! `hindsight bandit`: what another policy would have earned, and whether a policy could be bettered in hindsight.

use std::io::{BufRead, BufReader};
use std::path::Path;

use bandit_eval::io::{Problem, ReadError};
use clap::Subcommand;

use crate::error::{CliError, Place};
use crate::inputs::Inputs;

mod equilibrium;
mod evaluate;

/// Subcommands of `hindsight bandit`.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// What another policy would have earned, from a log with propensities: with intervals, or why the log cannot tell.
    Evaluate(Box<evaluate::Args>),
    /// Whether changing a small share of a policy's actions would have earned more, from a log of live exploration.
    Equilibrium(equilibrium::Args),
}

/// Runs `hindsight bandit`.
pub(crate) fn run(command: &Command) -> Result<(), CliError> {
    match command {
        Command::Evaluate(a) => evaluate::run(a),
        Command::Equilibrium(a) => equilibrium::run(a),
    }
}

/// A reader of a log, decompressed, its digest kept with the run.
fn opened(inputs: &Inputs, file: &Path) -> Result<Box<dyn BufRead>, CliError> {
    llm_metrics::io::decompressed(BufReader::with_capacity(1 << 18, inputs.open(file)?))
        .map_err(|e| CliError::reading(file, &e))
}

/// A fault of a log, with its place.
fn fault(file: &Path, error: ReadError) -> CliError {
    let place = error.line.into_iter().fold(Place::file(file), Place::line);
    let place = error.column.iter().fold(place, |p, name| p.column(name));
    match error.problem {
        Problem::Io(error) => CliError::reading(file, &error),
        other => place.error(other),
    }
}
