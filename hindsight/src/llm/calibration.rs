//! `hindsight llm calibration`.

use std::path::{Path, PathBuf};

use llm_metrics::io::{CalibrationReader, Fields, Record, Schema, open};
use llm_metrics::{
    Accumulator, ConfidenceHistogram, EdgeRule, Edges, Interval, Logits, Norm, Reliability,
    Selective, Summary, calibration_interval, cluster_ece_bootstrap, log_sum_exp,
};
use serde_json::json;

use super::plots;
use super::{Outputs, Uncertainty, fault, read_fault, value};
use crate::error::CliError;
use crate::number::{fixed, interval, percent};
use crate::page::Page;
use crate::progress::Progress;
use crate::table::{Column, Table, Width};

/// Records of one batch.
const BATCH: usize = 4096;

/// Names of a log's fields.
#[derive(Debug, clap::Args)]
pub(super) struct FieldArgs {
    /// Field of the confidence, if not conf or confidence (in JSON a path: meta.conf).
    #[arg(long, value_name = "FIELD")]
    conf: Option<String>,
    /// Field of the outcome, if not correct.
    #[arg(long, value_name = "FIELD")]
    correct: Option<String>,
    /// Field of the class probabilities, if not probs or probabilities.
    #[arg(long, value_name = "FIELD")]
    probs: Option<String>,
    /// Field of the class logits or log-probabilities, if not logits or logprobs.
    #[arg(long, value_name = "FIELD")]
    logits: Option<String>,
    /// Field of the label (a class number from 0, or a letter), if not label; in lm-evaluation-harness samples doc.gold, doc.label, doc.answer or target.
    #[arg(long, value_name = "FIELD")]
    label: Option<String>,
    /// Field that names what belongs together: a document, a prompt.
    #[arg(long, value_name = "FIELD")]
    group: Option<String>,
    /// The filter to take from lm-evaluation-harness samples.
    #[arg(long, value_name = "NAME")]
    filter: Option<String>,
}

impl FieldArgs {
    pub(super) fn fields(&self) -> Fields {
        Fields {
            confidence: self.conf.clone(),
            correct: self.correct.clone(),
            probabilities: self.probs.clone(),
            logits: self.logits.clone(),
            label: self.label.clone(),
            group: self.group.clone(),
            filter: self.filter.clone(),
        }
    }
}

/// Arguments of `hindsight llm calibration`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
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
pub(super) fn run(args: &Args) -> Result<(), CliError> {
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
    report(args, &state, schema.unwrap_or(Schema::Binary), &targets)
}

fn report(
    args: &Args,
    state: &State,
    schema: Schema,
    targets: &super::Targets,
) -> Result<(), CliError> {
    let file = &args.files[0];
    let lib = |e: llm_metrics::Error| fault(file, &e);
    let summary = state.accumulator.summary().map_err(lib)?;
    let table = if args.equal_mass {
        state.histogram.equal_mass(args.bins).map_err(lib)?
    } else {
        summary.reliability.clone()
    };
    let smooth = state.histogram.smooth_ece().map_err(lib)?;
    let selective = Selective::from_histogram(&state.histogram).map_err(lib)?;
    let l1 = calibration_interval(
        &table,
        Norm::L1,
        args.uncertainty.level,
        1000,
        args.uncertainty.seed,
    )
    .map_err(lib)?;
    let l2 = calibration_interval(
        &table,
        Norm::L2,
        args.uncertainty.level,
        1000,
        args.uncertainty.seed,
    )
    .map_err(lib)?;
    let grouped = match &state.kept {
        Some((c, y, g)) => Some(
            cluster_ece_bootstrap(
                c,
                y,
                g,
                state.accumulator.edges(),
                args.replicates.max(2),
                args.uncertainty.seed,
            )
            .map_err(lib)?,
        ),
        None => None,
    };
    let spread = grouped.as_ref().map(|r| standard_deviation(r));
    let multi = !state.classes.per_class.is_empty();
    let n = plots::count(summary.n);
    let (brier_multi, nll_multi) = (state.classes.brier / n, state.classes.nll / n);
    let class_tables: Vec<Reliability> = state
        .classes
        .per_class
        .iter()
        .filter_map(|a| a.reliability().ok())
        .collect();
    let class_wise = class_tables.iter().map(Reliability::l1).sum::<f64>()
        / plots::count(class_tables.len() as u64);

    let mut scores = Table::new([
        Column::text("score"),
        Column::number("value"),
        Column::text("").optional(),
    ]);
    let mut row = |name: &str, value: String, words: &str| {
        scores.row([name.to_owned(), value, words.to_owned()]);
    };
    let shown = |i: Interval| {
        format!(
            "{:.0} % interval {}",
            100.0 * args.uncertainty.level,
            interval(i.lower, i.upper, 4)
        )
    };
    row("records", fixed(n, 0), schema_words(schema));
    row("accuracy", percent(summary.accuracy, 2), "");
    row(
        "mean confidence",
        percent(summary.mean_confidence, 2),
        over_or_under(&table),
    );
    row(
        "ECE",
        fixed(table.l1(), 4),
        &format!("{}, given the confidences", shown(l1)),
    );
    row("ECE, debiased", fixed(table.debiased_l1(), 4), "");
    row(
        "ECE, if calibrated",
        fixed(table.noise_floor(), 4),
        "what sampling noise alone would show on average",
    );
    row("RMS error", fixed(table.l2(), 4), &shown(l2));
    row(
        "RMS error, debiased",
        fixed(table.debiased_l2(), 4),
        &format!("debiased square {}", fixed(table.debiased_l2_squared(), 6)),
    );
    row("largest bin error", fixed(table.max(), 4), "");
    row(
        "signed error",
        fixed(table.signed(), 4),
        "accuracy minus confidence",
    );
    row(
        "smooth ECE",
        fixed(smooth.value, 4),
        &plots::smooth_words(&smooth),
    );
    if let Some(sd) = spread {
        row(
            "ECE, spread over groups",
            fixed(sd, 4),
            "standard deviation of the ECE when groups are resampled",
        );
    }
    if multi {
        row("class-wise ECE", fixed(class_wise, 4), "mean over classes");
        row("Brier score", fixed(brier_multi, 4), "sum over classes");
        row("log loss", fixed(nll_multi, 4), "nats");
        row(
            "tied top classes",
            fixed(plots::count(state.classes.ties), 0),
            "the first counts",
        );
    } else {
        row("Brier score", fixed(summary.brier, 4), "");
        row(
            "log loss",
            fixed(summary.nll, 4),
            if summary.impossible > 0 {
                "a record had probability 0"
            } else {
                "nats"
            },
        );
    }
    row(
        "AURC",
        fixed(selective.aurc(), 4),
        "area under risk and coverage",
    );
    row(
        "AURC above the best order",
        fixed(selective.excess_aurc(), 4),
        "",
    );
    let top = selective.accuracy_at_coverage(0.1).map_err(lib)?;
    row(
        "accuracy, top 10 %",
        percent(top, 2),
        "most confident tenth",
    );

    let mut bins = Table::new([
        Column::text("bin"),
        Column::number("records"),
        Column::number("confidence"),
        Column::number("accuracy"),
        Column::number(format!("{:.0} % interval", 100.0 * args.uncertainty.level)).optional(),
        Column::number("difference"),
    ]);
    for b in table.bins() {
        let number = |v: Option<f64>| v.map_or_else(|| "-".to_owned(), |v| fixed(v, 4));
        let ends = b
            .clopper_pearson(args.uncertainty.level)
            .map_or_else(|_| "-".to_owned(), |i| interval(i.lower, i.upper, 3));
        let (open, close) = if table.rule() == EdgeRule::LowerClosed {
            ('[', ')')
        } else {
            ('(', ']')
        };
        let name = format!("{open}{:.4}, {:.4}{close}", b.lower(), b.upper());
        bins.row([
            name,
            fixed(plots::count(b.count()), 0),
            number(b.confidence()),
            number(b.accuracy()),
            ends,
            number(b.gap()),
        ]);
    }
    let width = Width::of_stdout();
    let text = format!("{}\n{}", scores.render(width), bins.render(width));

    let mut page = Page::new(
        "Calibration",
        format!("{} records of {}", fixed(n, 0), names(&args.files)),
    );
    page.section("Reliability");
    let curve = state
        .histogram
        .smooth_curve(smooth.bandwidth)
        .map_err(lib)?;
    let bands = format!(
        "Accuracy by bin with Clopper-Pearson {:.0} % intervals; the line is the kernel estimate.",
        100.0 * args.uncertainty.level
    );
    page.figures([
        (
            &plots::reliability(
                "Reliability",
                &[("bins", &table)],
                &curve,
                args.uncertainty.level,
            ),
            bands.as_str(),
        ),
        (&plots::counts(&table), "Records by bin."),
    ]);
    page.table(&scores, "Scores.");
    page.section("Risk and coverage");
    page.figure(
        &plots::risk_coverage(&selective, 1.0 - summary.accuracy),
        "Share of wrong answers among the most confident records; records within 1/16384 of confidence count as ties.",
    );
    page.section("Bins");
    page.table(&bins, "The reliability table.");
    page.section("How it was computed");
    page.text(&method(args, &table));

    let results = json!({
        "files": args.files.iter().map(|f| f.display().to_string()).collect::<Vec<_>>(),
        "level": args.uncertainty.level,
        "seed": args.uncertainty.seed,
        "records": summary.n,
        "accuracy": summary.accuracy,
        "mean_confidence": summary.mean_confidence,
        "ece": { "l1": table.l1(), "l1_interval": value(&l1)?, "l1_debiased": table.debiased_l1(), "noise_floor": table.noise_floor(),
                 "l2": table.l2(), "l2_interval": value(&l2)?, "l2_squared_debiased": table.debiased_l2_squared(),
                 "max": table.max(), "signed": table.signed(), "average": table.average(), "group_sd": spread },
        "smooth_ece": value(&smooth)?,
        "binary": { "brier": summary.brier, "nll": finite(summary.nll), "impossible": summary.impossible },
        "multiclass": multi.then(|| json!({ "brier": brier_multi, "nll": finite(nll_multi), "class_wise_ece": class_wise,
                                            "ties": state.classes.ties })),
        "selective": { "aurc": selective.aurc(), "excess_aurc": selective.excess_aurc(), "accuracy_top_tenth": top },
        "reliability": value(&table)?,
    });
    targets.finish("llm calibration", &text, results, &page)
}

/// Infinity has no JSON number: it is written as a word.
fn finite(v: f64) -> serde_json::Value {
    if v.is_finite() {
        json!(v)
    } else {
        json!(v.to_string())
    }
}

fn standard_deviation(values: &[f64]) -> f64 {
    let n = plots::count(values.len() as u64);
    let mean = values.iter().sum::<f64>() / n;
    (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt()
}

fn schema_words(schema: Schema) -> &'static str {
    match schema {
        Schema::Probabilities => "top label of class probabilities",
        Schema::Logits => "top label of the softmax of logits",
        Schema::LmEval => "lm-evaluation-harness: softmax over the choices' log-likelihoods",
        _ => "confidence and outcome",
    }
}

fn over_or_under(table: &Reliability) -> &'static str {
    if table.signed() < 0.0 {
        "overconfident on the whole"
    } else {
        "underconfident on the whole"
    }
}

fn names(files: &[PathBuf]) -> String {
    files
        .iter()
        .map(|f| f.display().to_string())
        .collect::<Vec<_>>()
        .join(", ")
}

fn method(args: &Args, table: &Reliability) -> String {
    let kind = if args.equal_mass {
        "equal mass, edges on multiples of 1/16384"
    } else {
        "equal width"
    };
    let rule = if table.rule() == EdgeRule::LowerClosed {
        "[l, u), 1 in the last"
    } else {
        "(l, u], 0 in the first"
    };
    format!(
        "{} bins of {kind}, {rule}; {} of them empty. The interval of the ECE inverts a test of each possible value given the confidences \
         and so covers near zero too, where percentiles of a bootstrap do not; it takes records as independent. Seed {}.",
        table.bins().len(),
        table.empty_bins(),
        args.uncertainty.seed
    )
}

/// Records of a file in memory, for commands that need more than one pass.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    pub(super) confidence: Vec<f64>,
    pub(super) correct: Vec<bool>,
    pub(super) groups: Vec<u64>,
    /// Logits, where the log has them.
    pub(super) logits: Option<Logits>,
}

/// Reads a whole log.
pub(super) fn load(file: &Path, fields: &Fields) -> Result<Loaded, CliError> {
    let reader = open(file).map_err(|e| CliError::reading(file, &e))?;
    let mut reader = CalibrationReader::new(reader, fields).map_err(|e| read_fault(file, e))?;
    let mut out = Loaded::default();
    let (mut logits, mut labels, mut equal) = (Vec::new(), Vec::new(), None);
    loop {
        let more = reader.next_record(|record, group| {
            out.groups.push(group.unwrap_or(out.groups.len() as u64));
            let mut top = |q: &[f64], label: usize| {
                let arg = q
                    .iter()
                    .enumerate()
                    .fold(0, |a, (k, p)| if *p > q[a] { k } else { a });
                out.confidence.push(q[arg].min(1.0));
                out.correct.push(arg == label);
            };
            match record {
                Record::Binary(c, y) => {
                    out.confidence.push(*c);
                    out.correct.push(*y);
                }
                Record::Probabilities(q, label) => top(q, *label),
                Record::Logits(z, label) => {
                    let total = log_sum_exp(z);
                    top(
                        &z.iter().map(|v| (v - total).exp()).collect::<Vec<_>>(),
                        *label,
                    );
                    equal =
                        Some(equal.map_or(z.len(), |n: usize| if n == z.len() { n } else { 0 }));
                    logits.extend_from_slice(z);
                    labels.push(*label);
                }
            }
        });
        if !more.map_err(|e| read_fault(file, e))? {
            break;
        }
    }
    if let Some(classes) = equal.filter(|n| *n > 0) {
        out.logits = Some(Logits::new(logits, classes, labels).map_err(|e| fault(file, &e))?);
    }
    Ok(out)
}

/// All scores of records in memory.
pub(super) fn scores(
    confidence: &[f64],
    correct: &[bool],
    bins: usize,
) -> llm_metrics::Result<Summary> {
    let mut acc = Accumulator::new(Edges::equal_width(bins, EdgeRule::UpperClosed)?);
    acc.extend(confidence, correct)?;
    acc.summary()
}
