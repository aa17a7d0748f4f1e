//! `hindsight bandit`: what another policy would have earned, and whether a policy could be bettered in hindsight.

use std::io::{BufRead, BufReader, Cursor};
use std::path::{Path, PathBuf};

use bandit_eval::Interval;
use bandit_eval::io::{Problem, ReadError};
use bandit_eval::synthetic::SyntheticLog;
use clap::Subcommand;
use report::number::{decimals, fixed, interval};

use crate::error::{CliError, Complain as _, Place};
use crate::inputs::Inputs;

mod equilibrium;
mod evaluate;
mod learn;

/// Subcommands of `hindsight bandit`.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// What another policy would have earned, from a log with propensities: with intervals, or why the log cannot tell.
    Evaluate(Box<evaluate::Args>),
    /// Whether changing a small share of a policy's actions would have earned more: of a back-test's policies, or from a log of live exploration.
    Equilibrium(Box<equilibrium::Args>),
    /// What learners would have earned in place of the policy of a log, and by how much what they learnt is better, with a lower bound.
    Learn(Box<learn::Args>),
}

/// Runs `hindsight bandit`.
pub(crate) fn run(command: &Command) -> Result<(), CliError> {
    match command {
        Command::Evaluate(a) => evaluate::run(a),
        Command::Equilibrium(a) => equilibrium::run(a),
        Command::Learn(a) => learn::run(a),
    }
}

/// A log's name and a reader of it, decompressed, its digest kept with the run; without a file the bundled made-up log.
fn opened(inputs: &Inputs, file: Option<&Path>) -> Result<(PathBuf, Box<dyn BufRead>), CliError> {
    let Some(file) = file else {
        let text = SyntheticLog::default().to_csv();
        return Ok((
            "The bundled made-up log".into(),
            Box::new(Cursor::new(text)),
        ));
    };
    let reader = BufReader::with_capacity(1 << 18, inputs.open(file)?);
    let reader = sheet::unpacked(reader).map_err(|e| CliError::reading(file, &e))?;
    Ok((file.to_path_buf(), reader))
}

/// A value and its interval, both with as many digits as the width of the interval is worth.
fn shown(value: f64, ends: Interval) -> [String; 2] {
    let digits = decimals(ends.width());
    [
        fixed(value, digits),
        interval(ends.lower, ends.upper, digits),
    ]
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
