//! `hindsight llm recalibrate`.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use llm_metrics::{
    calibration::{Binning, Summary},
    recalibrate::{FitStatus, FittedMap, MapMethod, Method, PlattTargets, Records},
};
use serde::{Deserialize, Serialize};

use super::records::FieldArgs;
use super::{fault, opened, plots};
use crate::document::{Outputs, Run, Seed};
use crate::error::{CliError, Complain as _, Place};
use crate::inputs::Inputs;
use report::number::{count, fixed, percent};
use report::{Page, Table};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    /// One temperature for the logits.
    Temperature,
    /// Logistic in the log-odds, smoothed targets.
    Platt,
    /// Logistic in the log-odds, maximum likelihood.
    PlattPlain,
    /// The best rising map.
    Isotonic,
    /// The accuracy of equal-mass bins.
    Histogram,
    /// Platt's map averaged on equal-mass bins.
    ScalingBinning,
    /// Logistic in both logarithms.
    Beta,
}

/// Arguments of `hindsight llm recalibrate`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Log, as for `calibration`; temperature needs logits.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    fields: FieldArgs,
    /// Method; classes are reduced to their top label for all but temperature.
    #[arg(long, value_enum, default_value = "platt")]
    method: Kind,
    /// Folds of the cross-fit; records of one group (see --group) share a fold.
    #[arg(long, default_value_t = 5)]
    folds: usize,
    /// Bins of the methods that bin, and of the error that is reported.
    #[arg(long, default_value_t = 15)]
    bins: usize,
    #[command(flatten)]
    seed: Seed,
    /// Save the map fitted to all records, as JSON.
    #[arg(long, value_name = "MODEL")]
    save: Option<PathBuf>,
    /// Judge a saved map on this log in place of fitting one.
    #[arg(long, value_name = "MODEL", conflicts_with_all = ["save", "method"])]
    apply: Option<PathBuf>,
    #[command(flatten)]
    outputs: Outputs,
}

/// A saved map.
#[derive(Debug, Serialize, Deserialize)]
struct Model {
    hindsight: String,
    records: usize,
    map: FittedMap,
}

/// What is stored.
#[derive(Debug, Serialize)]
struct Results {
    method: Option<Kind>,
    seed: u64,
    status: Vec<FitStatus>,
    before: Summary,
    after: Summary,
}

/// Runs `hindsight llm recalibrate`.
pub(super) fn run(args: &Args) -> Result<(), CliError> {
    let file = args.file.as_path();
    let inputs = std::iter::once(file).chain(args.apply.as_deref());
    let mut run = Run::begin(
        "llm recalibrate",
        &args.outputs,
        Some(args.seed.seed),
        inputs,
    )?;
    let save = args.save.as_deref().map(|p| run.also(p)).transpose()?;
    let apply = args.apply.as_deref();
    let model = apply.map(|p| read_model(run.inputs(), p)).transpose()?;
    let lib = |e| fault(file, e);
    let data = Records::read(opened(run.inputs(), file)?, &args.fields.fields()).map_err(lib)?;
    let mapped = match &model {
        Some(model) => model.map.apply(&data),
        None => data.held_out(method(args), args.folds, args.seed.seed),
    }
    .map_err(lib)?;
    if let Some(target) = save {
        let model = Model {
            hindsight: "llm recalibrate".to_owned(),
            records: data.correct.len(),
            map: data.fit(method(args)).map_err(lib)?,
        };
        let bytes = serde_json::to_vec_pretty(&model);
        let mut bytes = bytes.map_err(|e| CliError::System(e.to_string()))?;
        bytes.push(b'\n');
        run.put(target, bytes);
    }
    let results = Results {
        method: model.is_none().then_some(args.method),
        seed: args.seed.seed,
        before: data.scores(args.bins).map_err(lib)?,
        after: mapped.scores(args.bins).map_err(lib)?,
        status: mapped.statuses.clone(),
    };
    let how = if model.is_some() {
        "a saved map".to_owned()
    } else {
        format!(
            "{} folds, each judged by a map that did not see it",
            args.folds
        )
    };
    let status = status_words(mapped.status());
    let words = format!(
        "{} records; {how}. Fit: {status}.",
        count(data.correct.len())
    );
    report(&results, &words, &run)
}

fn report(results: &Results, words: &str, run: &Run) -> Result<(), CliError> {
    let (before, after) = (&results.before, &results.after);
    let table = comparison(before, after);
    let error = |summary: &Summary| fixed(summary.reliability.debiased_l1(), 3);
    let finding = format!(
        "On records that it has not seen the map takes the debiased calibration error from {} to {} and the log loss from {} to {}.",
        error(before),
        error(after),
        fixed(before.nll, 4),
        fixed(after.nll, 4),
    );
    let text = format!(
        "{finding}\n\n{}\n{words}",
        table.render(crate::output::width())
    );
    let mut page = Page::new("Recalibration", words.to_owned());
    page.note(&finding).section("Before and after");
    let tables = [
        ("before", &before.reliability),
        ("after", &after.reliability),
    ];
    let svg = plots::reliability("Reliability before and after", &tables, &[], 0.95);
    page.figure(
        &svg,
        "Accuracy by bin with Clopper-Pearson 95 % intervals, before and after the map.",
    );
    page.table(&table, "Scores on the same records.");
    run.finish(results, || page, &text)
}

fn read_model(inputs: &Inputs, path: &Path) -> Result<Model, CliError> {
    serde_json::from_reader(inputs.open(path)?)
        .map_err(|e| Place::file(path).line(e.line() as u64).error(e))
}

fn method(args: &Args) -> MapMethod {
    MapMethod::Answer(match args.method {
        Kind::Temperature => return MapMethod::Temperature,
        Kind::Platt => Method::Platt(PlattTargets::Smoothed),
        Kind::PlattPlain => Method::Platt(PlattTargets::Plain),
        Kind::Isotonic => Method::Isotonic,
        Kind::Histogram => Method::Histogram(Binning::EqualMass(args.bins)),
        Kind::ScalingBinning => Method::ScalingBinning(args.bins),
        Kind::Beta => Method::Beta,
    })
}

fn comparison(before: &Summary, after: &Summary) -> Table {
    let mut table = Table::numbers(["score", "before", "after"]);
    type Score = fn(&Summary) -> f64;
    let rows: [(&str, Score); 6] = [
        ("ECE", |s| s.reliability.l1()),
        ("ECE, debiased", |s| s.reliability.debiased_l1()),
        ("ECE, if calibrated", |s| s.reliability.noise_floor()),
        ("signed error", |s| s.reliability.signed()),
        ("Brier score of the top label", |s| s.brier),
        ("log loss of the top label", |s| s.nll),
    ];
    table.row([
        "accuracy".to_owned(),
        percent(before.accuracy, 2),
        percent(after.accuracy, 2),
    ]);
    for (name, score) in rows {
        table.row([
            name.to_owned(),
            fixed(score(before), 4),
            fixed(score(after), 4),
        ]);
    }
    table
}

fn status_words(status: FitStatus) -> &'static str {
    match status {
        FitStatus::Converged => "converged",
        FitStatus::Separated => "no finite optimum (the outcomes are separated by the scores)",
        FitStatus::AntiCorrelated => "no finite optimum (the scores run against the outcomes)",
        _ => "stopped at the iteration limit",
    }
}
