//! `hindsight llm cbs`.

use std::path::PathBuf;

use llm_metrics::io::{ReadError, Row, Rows};
use llm_metrics::{
    BatchFit, BatchFitOptions, BatchSteps, Crossing, FitLoss, Interval, LossCurve, PowerLaw,
    Resampling, steps_to_target,
};
use serde_json::{Value, json};

use super::{Outputs, Uncertainty, each_row, fault, positive, value};
use crate::chart::{Axis, Ink, Series, Svg, XyChart};
use crate::error::CliError;
use crate::number::{fixed, interval, short, significant};
use crate::page::Page;
use crate::table::{Column, Table, Width};

/// Arguments of `hindsight llm cbs`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Table of batch and steps; or of batch, run, step and loss (then --target). A column of model sizes (--model) gives one fit each and a power law.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Target loss, for curves; a column of targets is read from the field `target` if there is one.
    #[arg(long)]
    target: Option<f64>,
    /// Evaluations for which the loss must stay below the target.
    #[arg(long, default_value_t = 1)]
    sustained: usize,
    /// Interpolate the crossing in the step (linear) or its logarithm (log); by default the first logged step below the target.
    #[arg(long, value_parser = ["linear", "log"])]
    interpolate: Option<String>,
    /// Field of the model size.
    #[arg(long, default_value = "params", value_name = "FIELD")]
    model: String,
    /// The batch size from which linear scaling is measured.
    #[arg(long, default_value_t = 256.0, value_parser = positive)]
    optimal: f64,
    /// How many more steps than linear scaling are allowed (0.2: 20 %).
    #[arg(long, default_value_t = 0.2, value_parser = positive)]
    tolerance: f64,
    /// Fit the exponent of the batch size too.
    #[arg(long)]
    free_exponent: bool,
    /// Huber loss up to this size of a log residual, in place of least squares.
    #[arg(long, value_parser = positive)]
    huber: Option<f64>,
    /// Replicates of the residual bootstrap.
    #[arg(long, default_value_t = 1000)]
    replicates: usize,
    #[command(flatten)]
    uncertainty: Uncertainty,
    #[command(flatten)]
    outputs: Outputs,
}

#[derive(Default)]
struct Model {
    size: Option<f64>,
    batch: Vec<f64>,
    steps: Vec<f64>,
    censored: Vec<BatchSteps>,
}

struct Fitted {
    model: Model,
    fit: BatchFit,
    critical: f64,
    delta: Option<Interval>,
    bootstrap: Option<Interval>,
}

/// Runs `hindsight llm cbs`.
pub(super) fn run(args: &Args) -> Result<(), CliError> {
    let targets = args.outputs.check()?;
    let models = read(args)?;
    let options = BatchFitOptions {
        loss: args.huber.map_or(FitLoss::Squared, FitLoss::Huber),
        free_exponent: args.free_exponent,
    };
    let lib = |e: llm_metrics::Error| fault(&args.file, &e);
    let mut fits = Vec::new();
    for model in models {
        let fit = BatchFit::fit(&model.batch, &model.steps, options).map_err(lib)?;
        let critical = fit
            .critical_batch(args.tolerance, args.optimal)
            .map_err(lib)?;
        let delta = fit
            .delta_interval(args.tolerance, args.optimal, args.uncertainty.level)
            .ok();
        let bootstrap = fit
            .bootstrap_interval(
                args.tolerance,
                args.optimal,
                args.uncertainty.level,
                Resampling::Residuals,
                args.replicates.max(1),
                args.uncertainty.seed,
            )
            .ok();
        fits.push(Fitted {
            model,
            fit,
            critical,
            delta,
            bootstrap,
        });
    }
    let law = law(&fits);
    report(args, &fits, law.as_ref(), &targets)
}

fn law(fits: &[Fitted]) -> Option<(Vec<(f64, f64)>, PowerLaw)> {
    let data: Vec<(f64, f64)> = fits
        .iter()
        .filter_map(|f| Some((f.model.size?, f.critical)))
        .collect();
    let (n, b): (Vec<f64>, Vec<f64>) = data.iter().copied().unzip();
    (data.len() >= 3)
        .then(|| PowerLaw::fit(&[&n], &b).ok())
        .flatten()
        .map(|law| (data, law))
}

fn model_of(models: &mut Vec<Model>, size: Option<f64>) -> &mut Model {
    let at = models
        .iter()
        .position(|m| m.size == size)
        .unwrap_or(models.len());
    if at == models.len() {
        models.push(Model {
            size,
            ..Model::default()
        });
    }
    &mut models[at]
}

/// Curves of one model: name of the run, batch, steps, losses.
type Run = (String, f64, Vec<f64>, Vec<f64>);

/// All curves of one model, with its target.
type Curves = (Option<f64>, f64, Vec<Run>);

// The wanted fields.
const BATCH: usize = 0;
const STEPS: usize = 1;
const RUN: usize = 2;
const STEP: usize = 3;
const LOSS: usize = 4;
const TARGET: usize = 5;
const MODEL: usize = 6;

/// Reads a table of steps, or curves and their crossings, whichever the fields tell.
fn read(args: &Args) -> Result<Vec<Model>, CliError> {
    let mut models = Vec::new();
    let mut curves: Vec<Curves> = Vec::new();
    let fields = [
        "batch",
        "steps",
        "run",
        "step",
        "loss",
        "target",
        &args.model,
    ]
    .map(str::to_owned);
    each_row(&args.file, &fields, |rows, row| {
        let has = |field: usize| rows.found().contains(&fields[field]);
        let size = if has(MODEL) {
            Some(rows.number(row, MODEL)?)
        } else {
            None
        };
        if has(STEPS) {
            steps_row(rows, row, model_of(&mut models, size))
        } else if has(LOSS) {
            let target = match args.target {
                Some(t) => t,
                None => rows.number(row, TARGET)?,
            };
            curve_row(rows, row, &mut curves, size, target)
        } else {
            Err(ReadError::Schema {
                expected: "the fields batch and steps, or batch, run, step and loss".to_owned(),
                found: rows.found().join(", "),
            })
        }
    })?;
    models.extend(crossings(args, curves)?);
    models.sort_by(|a, b| a.size.unwrap_or(0.0).total_cmp(&b.size.unwrap_or(0.0)));
    Ok(models)
}

fn steps_row<R: std::io::BufRead>(
    rows: &Rows<R>,
    row: &Row,
    model: &mut Model,
) -> Result<(), ReadError> {
    let (batch, steps) = (rows.number(row, BATCH)?, rows.number(row, STEPS)?);
    for (field, v) in [(BATCH, batch), (STEPS, steps)] {
        if v <= 0.0 {
            return Err(rows.fault(row, field, format!("{v} is not positive")));
        }
    }
    model.batch.push(batch);
    model.steps.push(steps);
    Ok(())
}

fn curve_row<R: std::io::BufRead>(
    rows: &Rows<R>,
    row: &Row,
    curves: &mut Vec<Curves>,
    size: Option<f64>,
    target: f64,
) -> Result<(), ReadError> {
    let batch = rows.number(row, BATCH)?;
    let name = rows.text(row, RUN)?;
    let at = curves
        .iter()
        .position(|r| r.0 == size)
        .unwrap_or(curves.len());
    if at == curves.len() {
        curves.push((size, target, Vec::new()));
    }
    let list = &mut curves[at].2;
    let at = list
        .iter()
        .position(|r| r.0 == name && r.1.total_cmp(&batch).is_eq())
        .unwrap_or(list.len());
    if at == list.len() {
        list.push((name, batch, Vec::new(), Vec::new()));
    }
    list[at].2.push(rows.number(row, STEP)?);
    list[at].3.push(rows.number(row, LOSS)?);
    Ok(())
}

/// Where each model's curves reach its target.
fn crossings(args: &Args, all: Vec<Curves>) -> Result<Vec<Model>, CliError> {
    let lib = |e: llm_metrics::Error| fault(&args.file, &e);
    let crossing = match args.interpolate.as_deref() {
        Some("linear") => Crossing::Linear,
        Some(_) => Crossing::LogLinear,
        None => Crossing::FirstLogged,
    };
    let mut models = Vec::new();
    for (size, target, list) in all {
        let curves: Vec<LossCurve> = list
            .into_iter()
            .map(|(_, b, s, l)| LossCurve::new(b, s, l))
            .collect::<Result<_, _>>()
            .map_err(lib)?;
        let mut model = Model {
            size,
            ..Model::default()
        };
        for point in steps_to_target(&curves, target, crossing, args.sustained).map_err(lib)? {
            match point.steps {
                Some(steps) => {
                    model.batch.push(point.batch);
                    model.steps.push(steps);
                }
                None => model.censored.push(point),
            }
        }
        models.push(model);
    }
    Ok(models)
}

fn report(
    args: &Args,
    fits: &[Fitted],
    law: Option<&(Vec<(f64, f64)>, PowerLaw)>,
    targets: &super::Targets,
) -> Result<(), CliError> {
    let level = format!("{:.0} %", 100.0 * args.uncertainty.level);
    let mut table = Table::new([
        Column::text("model"),
        Column::number("critical batch"),
        Column::number(format!("{level} interval")),
        Column::number(format!("{level} bootstrap")).optional(),
        Column::number("fewest steps a"),
        Column::number("b").optional(),
        Column::number("noise batch b/a"),
        Column::number("residual").optional(),
        Column::number("points").optional(),
    ]);
    let mut notes = Vec::new();
    for f in fits {
        let ends = |i: Option<Interval>| {
            i.map_or_else(|| "n/a".to_owned(), |i| interval(i.lower, i.upper, 0))
        };
        table.row([
            name(&f.model),
            fixed(f.critical, 1),
            ends(f.delta),
            ends(f.bootstrap),
            fixed(f.fit.a, 1),
            short(f.fit.b, 5),
            fixed(f.fit.noise_batch(), 1),
            fixed(f.fit.residual_sd, 4),
            f.model.batch.len().to_string(),
        ]);
        for c in &f.model.censored {
            notes.push(format!("{}: no run at batch {} reached the target within {} steps; it is left out of the fit.", name(&f.model), c.batch, c.longest));
        }
    }
    let floor = (1.0 + args.tolerance) * args.optimal;
    notes.push(format!(
        "The critical batch costs {} % more steps than linear scaling from {}; by its definition nothing below {} can come out.",
        fixed(100.0 * args.tolerance, 0),
        fixed(args.optimal, 0),
        fixed(floor, 1)
    ));
    if let Some((_, law)) = law {
        let e = law.exponent(0);
        let ends = law
            .exponent_interval(0, args.uncertainty.level)
            .map_or_else(
                |_| String::new(),
                |i| format!(" {}", interval(i.lower, i.upper, 4)),
            );
        notes.push(format!(
            "Power law: critical batch = {} * size^{}{ends}, standard error {}.",
            significant(law.coefficient(), 6),
            e.map_or_else(String::new, |e| fixed(e.estimate, 5)),
            e.map_or_else(String::new, |e| fixed(e.standard_error, 4))
        ));
    }
    let text = format!("{}\n{}", table.render(Width::of_stdout()), notes.join("\n"));
    let mut page = Page::new(
        "Critical batch size",
        format!("{} models of {}", fits.len(), args.file.display()),
    );
    page.section("Steps and batch size");
    page.figure(
        &curves(args, fits),
        "Steps to the target against batch size: points, the fit a + b/B, and linear scaling from the reference batch (dotted, for the first model).",
    );
    page.table(&table, "Fits.");
    for n in &notes {
        page.text(n);
    }
    if let Some((data, law)) = law {
        page.section("Model size");
        page.figure(
            &law_chart(data, law, args.uncertainty.level),
            "Critical batch against model size; the band is the interval of the fitted mean.",
        );
    }
    let rows = fits
        .iter()
        .map(|f| {
            Ok(json!({ "model": f.model.size, "critical_batch": f.critical, "interval": value(&f.delta)?, "bootstrap": value(&f.bootstrap)?,
                       "fit": value(&f.fit)?, "batch": f.model.batch, "steps": f.model.steps, "censored": value(&f.model.censored)? }))
        })
        .collect::<Result<Vec<Value>, CliError>>()?;
    let results = json!({ "file": args.file.display().to_string(), "tolerance": args.tolerance, "optimal": args.optimal, "level": args.uncertainty.level,
                          "seed": args.uncertainty.seed, "models": rows, "law": value(&law.map(|l| l.1.regression()))?, "notes": notes });
    targets.finish("llm cbs", &text, results, &page)
}

fn name(model: &Model) -> String {
    model.size.map_or_else(
        || "all".to_owned(),
        |s| {
            if s < 1e6 { s.to_string() } else { short(s, 4) }
        },
    )
}

fn curves(args: &Args, fits: &[Fitted]) -> Svg {
    let mut chart = XyChart::new(
        "Steps to target",
        Axis::log("Batch size"),
        Axis::log("Steps"),
    )
    .size(720.0, 420.0);
    for (i, f) in fits.iter().enumerate() {
        let ink = Ink::Series(i);
        let (low, high) = f
            .model
            .batch
            .iter()
            .fold((f64::INFINITY, 0.0f64), |(l, h), b| (l.min(*b), h.max(*b)));
        let line = (0..=60).map(|k| {
            let b = low * (high / low).powf(f64::from(k) / 60.0);
            (b, f.fit.steps_at(b))
        });
        let dots = f
            .model
            .batch
            .iter()
            .copied()
            .zip(f.model.steps.iter().copied())
            .collect();
        chart = chart.series(Series::line("", line.collect()).ink(ink));
        chart = chart.series(Series::points(name(&f.model), dots).ink(ink));
        if i == 0 {
            let linear = [low, high].map(|b| (b, f.fit.steps_at(args.optimal) * args.optimal / b));
            chart = chart.series(
                Series::line("linear scaling", linear.to_vec())
                    .ink(Ink::Muted)
                    .dotted(),
            );
        }
        if fits.len() == 1 {
            chart = chart.mark_x(f.critical, "critical batch");
        }
    }
    chart.svg()
}

fn law_chart(data: &[(f64, f64)], law: &PowerLaw, level: f64) -> Svg {
    let (low, high) = data.iter().fold((f64::INFINITY, 0.0f64), |(l, h), d| {
        (l.min(d.0), h.max(d.0))
    });
    let at: Vec<f64> = (0..=40)
        .map(|k| low * (high / low).powf(f64::from(k) / 40.0))
        .collect();
    let fitted: Vec<(f64, f64, Interval)> = at
        .iter()
        .filter_map(|n| law.predict(&[*n], level).ok().map(|(v, i)| (*n, v, i)))
        .collect();
    let band = fitted
        .iter()
        .map(|(n, _, i)| (*n, i.lower, i.upper))
        .collect();
    let line = fitted.iter().map(|(n, v, _)| (*n, *v)).collect();
    XyChart::new(
        "Critical batch and model size",
        Axis::log("Model size, in the unit of the log"),
        Axis::log("Critical batch size"),
    )
    .series(Series::line("power law", line).band(band))
    .series(Series::points("models", data.to_vec()))
    .svg()
}
