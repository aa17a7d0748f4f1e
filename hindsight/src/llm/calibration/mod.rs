//! `hindsight llm calibration`.

use std::path::PathBuf;

use llm_metrics::calibration::{
    Accumulator, ConfidenceHistogram, DistributionAccumulator, EdgeRule, Edges,
};
use llm_metrics::io::{CalibrationReader, Record, Schema, open};

use super::records::FieldArgs;
use super::{Outputs, Targets, Uncertainty, fault, plots, read_fault, value};
use crate::error::CliError;
use crate::progress::Progress;

mod report;

/// Records of one batch.
const BATCH: usize = 4096;

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
    accumulator: Accumulator,
    histogram: ConfidenceHistogram,
    distributions: DistributionAccumulator,
    confidence: Vec<f64>,
    correct: Vec<bool>,
    /// All records, where groups are to be resampled.
    kept: Option<(Vec<f64>, Vec<bool>, Vec<u64>)>,
    fault: Option<llm_metrics::Error>,
}

impl State {
    fn top(&mut self, confidence: f64, correct: bool, group: Option<u64>) {
        self.confidence.push(confidence);
        self.correct.push(correct);
        if let Some((c, y, g)) = &mut self.kept {
            c.push(confidence);
            y.push(correct);
            g.push(group.unwrap_or(g.len() as u64));
        }
        if self.confidence.len() == BATCH {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let done = self
            .accumulator
            .extend(&self.confidence, &self.correct)
            .and_then(|()| self.histogram.extend(&self.confidence, &self.correct));
        self.fault = self.fault.take().or(done.err());
        self.confidence.clear();
        self.correct.clear();
    }

    fn record(&mut self, record: &Record<'_>, group: Option<u64>) {
        let top = match record {
            Record::Binary(confidence, correct) => Ok((*confidence, *correct)),
            Record::Probabilities(q, label) => self.distributions.push_probabilities(q, *label),
            Record::Logits(z, label) => self.distributions.push_logits(z, *label),
        };
        match top {
            Ok((confidence, correct)) => self.top(confidence, correct, group),
            Err(e) => self.fault = self.fault.take().or(Some(e)),
        }
    }
}

/// Runs `hindsight llm calibration`.
pub(in crate::llm) fn run(args: &Args) -> Result<(), CliError> {
    let targets = args.outputs.check()?;
    let rule = if args.lower_closed {
        EdgeRule::LowerClosed
    } else {
        EdgeRule::UpperClosed
    };
    let edges = Edges::equal_width(args.bins, rule)
        .map_err(|e| CliError::argument("--bins", args.bins, e))?;
    let mut state = State {
        distributions: DistributionAccumulator::new(edges.clone()),
        accumulator: Accumulator::new(edges),
        histogram: ConfidenceHistogram::new(),
        confidence: Vec::with_capacity(BATCH),
        correct: Vec::with_capacity(BATCH),
        kept: args.fields.group.as_ref().map(|_| Default::default()),
        fault: None,
    };
    let mut schema = None;
    for file in &args.files {
        let progress = Progress::new(format!("reading {}", file.display()), None);
        let reader = open(file).map_err(|e| CliError::reading(file, &e))?;
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
        state.flush();
        if let Some(e) = state.fault.take() {
            return Err(fault(file, &e));
        }
    }
    report::report(args, &state, schema.unwrap_or(Schema::Binary), &targets)
}
