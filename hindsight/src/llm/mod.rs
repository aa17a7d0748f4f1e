//! `hindsight llm`: language models judged from their logs.

use std::io::{BufRead, BufReader};
use std::path::Path;

use clap::Subcommand;
use llm_metrics::batch_size::PowerLaw;
use llm_metrics::io::{ReadError, decompressed};
use report::number::{fixed, interval};

use crate::document::Seed;
use crate::error::{CliError, Complain as _, Place};
use crate::inputs::Inputs;

mod calibration;
mod cbs;
mod examples;
mod gap;
mod noise;
mod passk;
mod plots;
mod protocol;
mod recalibrate;
mod records;
mod scaling;

/// Arguments of `hindsight llm`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Calibration of stated confidences: binned, debiased and smooth error with an interval, Brier score, log loss, risk and coverage.
    #[command(after_long_help = examples::CALIBRATION)]
    Calibration(calibration::Args),
    /// Fits a map from confidences (or logits) to better ones and judges it on records it has not seen.
    #[command(after_long_help = examples::RECALIBRATE)]
    Recalibrate(recalibrate::Args),
    /// In-context learning: calibration against the number of shots, over seeds, and after maps fitted on three kinds of prompts.
    Protocol(protocol::Args),
    /// The generation-verification gap: what filtering responses by a verifier's score gains.
    Gap(gap::Args),
    /// pass@k and pass^k without bias.
    #[command(after_long_help = examples::PASSK)]
    Passk(passk::Args),
    /// The critical batch size from steps to a target loss.
    #[command(after_long_help = examples::CBS)]
    Cbs(cbs::Args),
    /// Loss as a function of parameters and tokens (Chinchilla), or iso-FLOP profiles.
    #[command(after_long_help = examples::SCALING)]
    Scaling(scaling::Args),
    /// The gradient noise scale from squared gradient norms at two batch sizes.
    #[command(after_long_help = examples::NOISE_SCALE)]
    NoiseScale(noise::Args),
}

/// Runs `hindsight llm`.
pub(crate) fn run(args: &Args) -> Result<(), CliError> {
    match &args.command {
        Command::Calibration(a) => calibration::run(a),
        Command::Recalibrate(a) => recalibrate::run(a),
        Command::Protocol(a) => protocol::run(a),
        Command::Gap(a) => gap::run(a),
        Command::Passk(a) => passk::run(a),
        Command::Cbs(a) => cbs::run(a),
        Command::Scaling(a) => scaling::run(a),
        Command::NoiseScale(a) => noise::run(a),
    }
}

/// How sure the intervals are, and what the draws behind them start from.
#[derive(Debug, Clone, Copy, clap::Args)]
struct Uncertainty {
    /// Level of the intervals.
    #[arg(long, default_value_t = 0.95, value_parser = level)]
    level: f64,
    #[command(flatten)]
    seed: Seed,
}

/// Results with the notes that stand beside them.
#[derive(Debug, serde::Serialize)]
struct Noted<'a, T> {
    #[serde(flatten)]
    results: &'a T,
    notes: &'a [String],
}

impl<'a, T> Noted<'a, T> {
    fn new(results: &'a T, notes: &'a [String]) -> Self {
        Self { results, notes }
    }
}

/// The exponent of a power law with its interval.
fn exponent_words(law: &PowerLaw, digits: usize, level: f64) -> String {
    let value = law.exponent(0).map_or(f64::NAN, |e| e.estimate);
    let ends = law.exponent_interval(0, level).ok();
    let ends = ends.map_or_else(String::new, |i| {
        format!(" {}", interval(i.lower, i.upper, digits))
    });
    format!("{}{ends}", fixed(value, digits))
}

/// A fault of a log, with the file and the line as editors read them.
fn read_fault(file: &Path, error: ReadError) -> CliError {
    match error {
        // No number of the system's: the file is damaged or cut short, the machine is well.
        ReadError::Io {
            code: None,
            message,
            ..
        } => Place::file(file).error(message),
        ReadError::Io {
            code: Some(code), ..
        } => CliError::reading(file, &std::io::Error::from_raw_os_error(code)),
        ReadError::Syntax {
            line,
            column,
            problem,
        } => Place::file(file)
            .line(line)
            .error(format!("at byte {column}: {problem}")),
        ReadError::Missing { line, field } => Place::file(file)
            .line(line)
            .column(&field)
            .error("is missing (--help says which option names another)"),
        ReadError::Value {
            line,
            field,
            problem,
        } => Place::file(file).line(line).column(&field).error(problem),
        ReadError::TooLong { line, limit } => Place::file(file)
            .line(line)
            .error(format!("the record is longer than {limit} bytes")),
        other => Place::file(file).error(other),
    }
}

/// A fault of what a file says: of its records, with their place, or one that the mathematics found.
fn fault(file: &Path, error: llm_metrics::Error) -> CliError {
    match error {
        llm_metrics::Error::Log(error) => read_fault(file, error),
        other => Place::file(file).error(other),
    }
}

/// A reader of a log, decompressed, its digest kept with the run.
fn opened(inputs: &Inputs, file: &Path) -> Result<Box<dyn BufRead>, CliError> {
    decompressed(BufReader::with_capacity(1 << 18, inputs.open(file)?))
        .map_err(|e| read_fault(file, e.into()))
}

/// A confidence level between 0 and 1, for clap.
fn level(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(v) if v > 0.0 && v < 1.0 => Ok(v),
        _ => Err("must lie strictly between 0 and 1".to_owned()),
    }
}

/// A positive finite number, for clap.
fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(v) if v > 0.0 && v.is_finite() => Ok(v),
        _ => Err("must be positive".to_owned()),
    }
}
