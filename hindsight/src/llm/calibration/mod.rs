//! `hindsight llm calibration`.

use std::path::PathBuf;

use llm_metrics::calibration::{Binning, EdgeRule, ScoreAccumulator, ScoreSettings};
use llm_metrics::io::{CalibrationReader, Record, Schema};

use super::records::FieldArgs;
use super::{Uncertainty, fault, opened, plots, read_fault};
use crate::document::{Outputs, Run};
use crate::error::CliError;
use crate::progress::Progress;

mod report;

/// Arguments of `hindsight llm calibration`.
#[derive(Debug, clap::Args)]
pub(in crate::llm) struct Args {
    /// Logs: JSON lines or CSV with conf and correct, probs and label, or logits and label; or lm-evaluation-harness samples. Plain, gzip or zstd; - reads the
    /// standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    fields: FieldArgs,
    /// Number of bins.
    #[arg(long, default_value_t = 15)]
    bins: usize,
    /// Bins of equal mass (edges on a grid of 1/16384) in place of equal width.
    #[arg(long)]
    equal_mass: bool,
    /// Bins [l, u) in place of (l, u].
    #[arg(long)]
    lower_closed: bool,
    /// Replicates of the bootstrap over groups (only with --group).
    #[arg(long, default_value_t = 1000)]
    replicates: usize,
    #[command(flatten)]
    uncertainty: Uncertainty,
    #[command(flatten)]
    outputs: Outputs,
}

/// What one pass over the records adds up.
struct State {
    log: ScoreAccumulator,
    /// All records, where groups are to be resampled.
    kept: Option<(Vec<f64>, Vec<bool>, Vec<u64>)>,
    fault: Option<llm_metrics::Error>,
    /// Records whose logits look like probabilities.
    suspects: u64,
}

impl State {
    fn record(&mut self, record: &Record<'_>, group: Option<u64>) {
        let top = match record {
            Record::Binary(confidence, correct) => self
                .log
                .push(*confidence, *correct)
                .map(|()| (*confidence, *correct)),
            Record::Probabilities(q, label) => self.log.push_probabilities(q, *label),
            Record::Logits(z, label) => self.log.push_logits(z, *label),
        };
        match (top, &mut self.kept) {
            (Ok((confidence, correct)), Some((c, y, g))) => {
                c.push(confidence);
                y.push(correct);
                g.push(group.unwrap_or(g.len() as u64));
            }
            (Ok(_), None) => {}
            (Err(e), _) => self.fault = self.fault.take().or(Some(e)),
        }
    }
}

/// Runs `hindsight llm calibration`.
pub(in crate::llm) fn run(args: &Args) -> Result<(), CliError> {
    let run = Run::begin(
        "llm calibration",
        &args.outputs,
        Some(args.uncertainty.seed.seed),
        args.files.iter().map(PathBuf::as_path),
    )?;
    let rule = if args.lower_closed {
        EdgeRule::LowerClosed
    } else {
        EdgeRule::UpperClosed
    };
    let settings = ScoreSettings {
        binning: if args.equal_mass {
            Binning::EqualMass(args.bins)
        } else {
            Binning::EqualWidth(args.bins)
        },
        rule,
        level: args.uncertainty.level,
        seed: args.uncertainty.seed.seed,
        ..ScoreSettings::default()
    };
    let mut state = State {
        log: ScoreAccumulator::new(settings)
            .map_err(|e| CliError::argument("--bins", args.bins, e))?,
        kept: args.fields.group.as_ref().map(|_| Default::default()),
        fault: None,
        suspects: 0,
    };
    let mut schema = None;
    for file in &args.files {
        let progress = Progress::new(format!("reading {}", file.display()), None);
        let reader = opened(run.inputs(), file)?;
        let mut reader = CalibrationReader::new(reader, &args.fields.fields())
            .map_err(|e| read_fault(file, e))?;
        if schema.is_some_and(|s| s != reader.schema()) {
            return Err(CliError::Input(format!(
                "{}: its records are of another kind than those of the files before",
                file.display()
            )));
        }
        schema = Some(reader.schema());
        while reader
            .next_record(|r, g| state.record(r, g))
            .map_err(|e| read_fault(file, e))?
        {
            if reader.records() % 65_536 == 0 {
                progress.at(reader.records());
            }
        }
        progress.finish();
        state.suspects += reader.probabilities_as_logits();
        if let Some(e) = state.fault.take() {
            return Err(fault(file, e));
        }
    }
    report::report(args, &mut state, schema.unwrap_or(Schema::Binary), &run)
}
