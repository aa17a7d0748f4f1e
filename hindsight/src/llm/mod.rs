//! `hindsight llm`: language models judged from their logs.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use llm_metrics::io::{ReadError, Rows, open};
use serde_json::Value;

use crate::error::{CliError, Place};
use crate::output::{self, Target};
use report::Page;

mod calibration;
mod cbs;
mod gap;
mod noise;
mod passk;
mod plots;
mod protocol;
mod recalibrate;
mod records;
mod scaling;
#[cfg(test)]
mod tests;

/// Arguments of `hindsight llm`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Calibration of stated confidences: binned, debiased and smooth error with an interval, Brier score, log loss, risk and coverage.
    Calibration(calibration::Args),
    /// Fits a map from confidences (or logits) to better ones and judges it on records it has not seen.
    Recalibrate(recalibrate::Args),
    /// In-context learning: calibration against the number of shots, over seeds, and after maps fitted on three kinds of prompts.
    Protocol(protocol::Args),
    /// The generation-verification gap: what filtering responses by a verifier's score gains.
    Gap(gap::Args),
    /// pass@k and pass^k without bias.
    Passk(passk::Args),
    /// The critical batch size from steps to a target loss.
    Cbs(cbs::Args),
    /// Loss as a function of parameters and tokens (Chinchilla), or iso-FLOP profiles.
    Scaling(scaling::Args),
    /// The gradient noise scale from squared gradient norms at two batch sizes.
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
    /// Seed of everything drawn.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// Where results go besides the terminal.
#[derive(Debug, clap::Args)]
struct Outputs {
    /// Write all results as JSON to this file (- for the standard output, in place of the table).
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write a report page with the plots to this file.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Replace files that hindsight did not write.
    #[arg(long)]
    force: bool,
}

/// Outputs whose places have been checked, before any work is done.
struct Targets {
    json: Option<Target>,
    html: Option<Target>,
}

impl Outputs {
    fn check(&self) -> Result<Targets, CliError> {
        let target = |path: &Option<PathBuf>| {
            path.as_deref()
                .map(|p| Target::new(p, self.force))
                .transpose()
        };
        Ok(Targets {
            json: target(&self.json)?,
            html: target(&self.html)?,
        })
    }
}

impl Targets {
    /// Writes the files, then the text to the terminal unless the standard output is taken.
    fn finish(
        &self,
        command: &str,
        text: &str,
        results: Value,
        page: &Page,
    ) -> Result<(), CliError> {
        // A struct, because its fields keep their order: the word that tells our files must come first.
        let document = Document {
            hindsight: command,
            version: env!("CARGO_PKG_VERSION"),
            results,
        };
        let mut files: Vec<(&Target, Vec<u8>)> = Vec::new();
        if let Some(target) = &self.json {
            let mut bytes = serde_json::to_vec_pretty(&document)
                .map_err(|e| CliError::System(e.to_string()))?;
            bytes.push(b'\n');
            files.push((target, bytes));
        }
        if let Some(target) = &self.html {
            files.push((
                target,
                page.clone()
                    .generator(output::GENERATOR)
                    .to_html()
                    .into_bytes(),
            ));
        }
        let taken = files.iter().any(|f| f.0.is_standard());
        output::write_all(files)?;
        if taken { Ok(()) } else { output::print(text) }
    }
}

/// The JSON document of a command.
#[derive(serde::Serialize)]
struct Document<'a> {
    hindsight: &'a str,
    version: &'a str,
    #[serde(flatten)]
    results: Value,
}

/// A value as JSON; a number that is not finite becomes null.
fn value(results: &impl serde::Serialize) -> Result<Value, CliError> {
    serde_json::to_value(results).map_err(|e| CliError::System(e.to_string()))
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
            .error("is missing"),
        ReadError::Value {
            line,
            field,
            problem,
        } => Place::file(file).line(line).column(&field).error(problem),
        other => Place::file(file).error(other),
    }
}

/// A fault found by the mathematics in what a file says.
fn fault(file: &Path, error: &llm_metrics::Error) -> CliError {
    Place::file(file).error(error)
}

/// The fields of all records of a file, each given to `take`.
fn each_row(
    file: &Path,
    fields: &[String],
    mut take: impl FnMut(
        &Rows<Box<dyn std::io::BufRead>>,
        &llm_metrics::io::Row,
    ) -> Result<(), ReadError>,
) -> Result<(), CliError> {
    let reader = open(file).map_err(|e| CliError::reading(file, &e))?;
    let read = || -> Result<(), ReadError> {
        let mut rows = Rows::new(reader, fields)?;
        let mut any = false;
        while let Some(row) = rows.next_row()? {
            any = true;
            take(&rows, &row)?;
            rows.recycle(row);
        }
        if any { Ok(()) } else { Err(ReadError::Empty) }
    };
    read().map_err(|e| read_fault(file, e))
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
