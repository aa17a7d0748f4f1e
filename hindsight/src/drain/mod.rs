//! `hindsight drain`: which warehouse ships each unit, and at what cost.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use ::drain::io::{Problem, ReadError, totals};
use ::drain::protocol::{Layout, World};
use clap::Subcommand;

use crate::document::{Outputs, Run, Seed};
use crate::error::{CliError, Complain as _, Place};
use crate::inputs::{InputReader, Inputs};

mod charts;
mod evaluate;
mod fit;
mod score;
mod solve;

/// Subcommands of `hindsight drain`.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The cheapest fulfilment of each programme, with prices, or the cut that proves that there is none.
    Solve(solve::Args),
    /// Trains the drain model on a log and says how it fares on the log's last fifth.
    Fit(fit::Args),
    /// How a saved model fares on a log; without one, the whole protocol on the bundled stores: fit, optimise placement in the model, let the referee judge, refit.
    Evaluate(evaluate::Args),
    /// Scores of ensembles, and whether they are calibrated.
    Score(score::Args),
}

/// Runs `hindsight drain`.
pub(crate) fn run(command: &Command) -> Result<(), CliError> {
    match command {
        Command::Solve(a) => solve::run(a),
        Command::Fit(a) => fit::run(a),
        Command::Evaluate(a) => evaluate::run(a),
        Command::Score(a) => score::run(a),
    }
}

/// What all subcommands of `hindsight drain` take.
#[derive(Debug, clap::Args)]
struct Common {
    /// JSON lines, one object a line; without it, the bundled stores as zones of a stated network
    #[arg(long, value_name = "FILE.jsonl")]
    input: Option<PathBuf>,
    #[command(flatten)]
    seed: Seed,
    #[command(flatten)]
    outputs: Outputs,
}

impl Common {
    fn begin(&self, name: &'static str, more: Option<&Path>) -> Result<Run, CliError> {
        let inputs = self.input.as_deref().into_iter().chain(more);
        Run::begin(name, &self.outputs, Some(self.seed.seed), inputs)
    }
}

/// Opens an input, decompressed, and reads it.
fn read<T>(
    inputs: &Inputs,
    file: &Path,
    reader: impl Fn(Box<dyn BufRead>) -> Result<T, ReadError>,
) -> Result<T, CliError> {
    unpacked(inputs.open(file)?, file, reader)
}

/// Reads an opened input, decompressed.
fn unpacked<T>(
    input: InputReader,
    file: &Path,
    reader: impl Fn(Box<dyn BufRead>) -> Result<T, ReadError>,
) -> Result<T, CliError> {
    let bytes = BufReader::with_capacity(1 << 18, input);
    let bytes = sheet::unpacked(bytes).map_err(|e| CliError::reading(file, &e))?;
    reader(bytes).map_err(|error| {
        let place = error.line.into_iter().fold(Place::file(file), Place::line);
        match (error.problem, error.field) {
            (Problem::Io(error), _) => CliError::reading(file, &error),
            (other, Some(field)) => place.error(format!("{field}: {other}")),
            (other, None) => place.error(other),
        }
    })
}

/// A fault of numbers that were read without one.
fn wrong(error: ::drain::DrainError) -> CliError {
    CliError::Input(error.to_string())
}

/// Stores that are zones.
const ZONES: u32 = 16;
/// Units that all of them ask for in a week, on average.
const WEEKLY: f64 = 420.0;

/// The embedded network: its map, its world, and what it is.
struct Stores {
    layout: Layout,
    world: World,
    words: String,
}

impl Stores {
    /// The sixteen bundled stores that sell most.
    fn open(inputs: &Inputs) -> Result<Self, CliError> {
        let file = inputs.bundled(crate::bundled::NAME, crate::bundled::FILE);
        let name = Path::new(crate::bundled::NAME);
        let mut sizes = unpacked(file, name, |file| totals(file, "store", "demand"))?;
        sizes.sort_by(|a, b| b.total_cmp(a));
        sizes.truncate(ZONES as usize);
        let all: f64 = sizes.iter().sum();
        let layout = Layout::spiral(ZONES);
        let mean = sizes.iter().map(|size| WEEKLY * size / all).collect();
        let world = layout.world(mean).map_err(wrong)?;
        let words = format!(
            "The {ZONES} largest stores of Dominick's orange juice (bundled) as zones, in proportion to what they sell, {WEEKLY} units a week in all. The data give no addresses: zones lie on a spiral of \
             1,100 km from the largest outwards, six warehouses in the middle and on a circle of 700 km; three ship options priced by distance and weight"
        );
        Ok(Self {
            layout,
            world,
            words,
        })
    }
}
