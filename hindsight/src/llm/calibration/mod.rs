//! `hindsight llm calibration`.

use std::path::PathBuf;

use llm_metrics::io::{CalibrationReader, Record, Schema, open};
use llm_metrics::{Accumulator, ConfidenceHistogram, EdgeRule, Edges, log_sum_exp};

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

/// Scores of full distributions, in the order of the log.
#[derive(Default)]
struct Classes {
    brier: f64,
    nll: f64,
    ties: u64,
    per_class: Vec<Accumulator>,
}

struct State {
    accumulator: Accumulator,
    histogram: ConfidenceHistogram,
    classes: Classes,
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

    fn distribution(&mut self, q: &[f64], nll: f64, label: usize, group: Option<u64>) {
        let (mut arg, mut ties, mut brier) = (0, 1u64, 0.0);
        for (k, p) in q.iter().enumerate() {
            if *p > q[arg] {
                (arg, ties) = (k, 1);
            } else if k > arg && *p >= q[arg] {
                ties += 1;
            }
            brier += (p - f64::from(u8::from(k == label))).powi(2);
        }
        if self.classes.per_class.len() != q.len() {
            self.classes.per_class =
                vec![Accumulator::new(self.accumulator.edges().clone()); q.len()];
        }
        for (k, (p, acc)) in q.iter().zip(&mut self.classes.per_class).enumerate() {
            self.fault = self.fault.take().or(acc.push(p.min(1.0), k == label).err());
        }
        self.classes.brier += brier;
        self.classes.nll += nll;
        self.classes.ties += u64::from(ties > 1);
        self.top(q[arg].min(1.0), arg == label, group);
    }

    fn record(&mut self, record: &Record<'_>, group: Option<u64>) {
        match record {
            Record::Binary(confidence, correct) => self.top(*confidence, *correct, group),
            Record::Probabilities(q, label) => self.distribution(q, -q[*label].ln(), *label, group),
            Record::Logits(z, label) => {
                let total = log_sum_exp(z);
                let q: Vec<f64> = z.iter().map(|v| (v - total).exp()).collect();
                self.distribution(&q, total - z[*label], *label, group);
            }
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
        accumulator: Accumulator::new(edges),
        histogram: ConfidenceHistogram::new(),
        classes: Classes::default(),
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
