//! `hindsight llm recalibrate`.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use llm_metrics::{
    calibration::{Binning, Summary},
    recalibrate::{
        Calibrator, FitStatus, Method, PlattTargets, Temperature, cross_fit, cross_fit_temperature,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::plots;
use super::records::{FieldArgs, Loaded, load, scores};
use super::{fault, value};
use crate::document::{Outputs, Run, Seed};
use crate::error::{CliError, Place};
use crate::inputs::Inputs;
use report::number::{fixed, percent};
use report::{Column, Page, Table};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
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

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Map {
    Temperature(Temperature),
    Calibrator(Calibrator),
}

#[derive(Debug, Serialize, Deserialize)]
struct Model {
    hindsight: String,
    records: usize,
    map: Map,
}

/// Confidences and outcomes after a map, in the order of the log, and how the fits ended.
type After = (Vec<f64>, Vec<bool>, Vec<FitStatus>);

/// Runs `hindsight llm recalibrate`.
pub(super) fn run(args: &Args) -> Result<(), CliError> {
    let mut run = Run::begin(
        "llm recalibrate",
        &args.outputs,
        Some(args.seed.seed),
        std::iter::once(args.file.as_path()).chain(args.apply.as_deref()),
    )?;
    let save = args.save.as_deref().map(|p| run.also(p)).transpose()?;
    let model = args
        .apply
        .as_deref()
        .map(|path| read_model(run.inputs(), path))
        .transpose()?;
    let data = load(run.inputs(), &args.file, &args.fields.fields())?;
    let lib = |e: llm_metrics::Error| fault(&args.file, &e);
    let before = scores(&data.confidence, &data.correct, args.bins).map_err(lib)?;
    let (after, how) = match &model {
        Some(model) => (apply(args, &model.map, &data)?, "a saved map".to_owned()),
        None => (
            held_out(args, &data)?,
            format!(
                "{} folds, each judged by a map that did not see it",
                args.folds
            ),
        ),
    };
    let (confidence, correct, statuses) = after;
    let later = scores(&confidence, &correct, args.bins).map_err(lib)?;
    if let Some(file) = save {
        let map = fit_all(args, &data)?;
        let model = Model {
            hindsight: "llm recalibrate".to_owned(),
            records: data.correct.len(),
            map,
        };
        let mut bytes =
            serde_json::to_vec_pretty(&model).map_err(|e| CliError::System(e.to_string()))?;
        bytes.push(b'\n');
        run.put(file, bytes);
    }
    let table = comparison(&before, &later);
    let status = statuses
        .iter()
        .find(|s| **s != FitStatus::Converged)
        .copied()
        .unwrap_or(FitStatus::Converged);
    let words = format!(
        "{} records; {how}. Fit: {}.",
        data.correct.len(),
        status_words(status)
    );
    let text = format!("{}\n{words}", table.render(crate::output::width()));
    let mut page = Page::new("Recalibration", words);
    page.section("Before and after");
    let svg = plots::reliability(
        "Reliability before and after",
        &[
            ("before", &before.reliability),
            ("after", &later.reliability),
        ],
        &[],
        0.95,
    );
    page.figure(
        &svg,
        "Accuracy by bin with Clopper-Pearson 95 % intervals, before and after the map.",
    );
    page.table(&table, "Scores on the same records.");
    let results = json!({

        "method": model.is_none().then_some(args.method),
        "seed": args.seed.seed,
        "status": statuses,
        "before": value(&before)?,
        "after": value(&later)?,
    });
    run.finish(&results, || page, &text)
}

fn read_model(inputs: &Inputs, path: &Path) -> Result<Model, CliError> {
    serde_json::from_reader(inputs.open(path)?)
        .map_err(|e| Place::file(path).line(e.line() as u64).error(e))
}

fn method(args: &Args) -> Option<Method> {
    Some(match args.method {
        Kind::Temperature => return None,
        Kind::Platt => Method::Platt(PlattTargets::Smoothed),
        Kind::PlattPlain => Method::Platt(PlattTargets::Plain),
        Kind::Isotonic => Method::Isotonic,
        Kind::Histogram => Method::Histogram(Binning::EqualMass(args.bins)),
        Kind::ScalingBinning => Method::ScalingBinning(args.bins),
        Kind::Beta => Method::Beta,
    })
}

fn logits<'a>(
    args: &Args,
    data: &'a Loaded,
) -> Result<&'a llm_metrics::calibration::Logits, CliError> {
    data.logits.as_ref().ok_or_else(|| {
        Place::file(&args.file).error(
            "temperature needs a log of logits with the same number of classes in every record",
        )
    })
}

fn held_out(args: &Args, data: &Loaded) -> Result<After, CliError> {
    let lib = |e: llm_metrics::Error| fault(&args.file, &e);
    Ok(match method(args) {
        Some(m) => {
            let (q, maps) = cross_fit(
                m,
                &data.confidence,
                &data.correct,
                &data.groups,
                args.folds,
                args.seed.seed,
            )
            .map_err(lib)?;
            (
                q,
                data.correct.clone(),
                maps.iter().map(Calibrator::status).collect(),
            )
        }
        None => {
            let (q, fits) = cross_fit_temperature(
                logits(args, data)?,
                &data.groups,
                args.folds,
                args.seed.seed,
            )
            .map_err(lib)?;
            let top = q.top_label();
            (
                top.confidence,
                top.correct,
                fits.iter().map(Temperature::status).collect(),
            )
        }
    })
}

fn fit_all(args: &Args, data: &Loaded) -> Result<Map, CliError> {
    let lib = |e: llm_metrics::Error| fault(&args.file, &e);
    Ok(match method(args) {
        Some(m) => Map::Calibrator(m.fit(&data.confidence, &data.correct).map_err(lib)?),
        None => Map::Temperature(Temperature::fit(logits(args, data)?).map_err(lib)?),
    })
}

fn apply(args: &Args, map: &Map, data: &Loaded) -> Result<After, CliError> {
    Ok(match map {
        Map::Calibrator(m) => {
            let q = data
                .confidence
                .iter()
                .map(|c| m.apply(*c).clamp(0.0, 1.0))
                .collect();
            (q, data.correct.clone(), vec![m.status()])
        }
        Map::Temperature(t) => {
            let top = t.apply(logits(args, data)?).top_label();
            (top.confidence, top.correct, vec![t.status()])
        }
    })
}

fn comparison(before: &Summary, after: &Summary) -> Table {
    let mut table = Table::new([
        Column::text("score"),
        Column::number("before"),
        Column::number("after"),
    ]);
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
