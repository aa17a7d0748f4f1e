//! Tables of steps, and loss curves with their crossings of the target.

use std::io::BufRead;

use llm_metrics::Error;
use llm_metrics::batch_size::{Crossing, LossCurve, steps_to_target};
use llm_metrics::io::{Cell, ReadError, Row, Rows};

use super::{Args, Model, fault, opened, read_fault};
use crate::error::{CliError, Place};
use crate::inputs::Inputs;

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

/// The curve of one run, with the lines that its points stand on.
#[derive(Debug)]
struct Curve {
    run: String,
    batch: f64,
    steps: Vec<f64>,
    losses: Vec<f64>,
    lines: Vec<u64>,
}

/// All curves of one model, with its target.
#[derive(Debug)]
struct Curves {
    size: Option<f64>,
    target: f64,
    list: Vec<Curve>,
}

// The wanted fields.
const BATCH: usize = 0;
const STEPS: usize = 1;
const RUN: usize = 2;
const STEP: usize = 3;
const LOSS: usize = 4;
const TARGET: usize = 5;
const MODEL: usize = 6;
/// Columns of an export with one column a run.
const WIDE: usize = 7;

/// The usual names of a field, of which the log's first that it has counts.
const USUAL: [&[&str]; 5] = [
    &["batch", "batch_size", "global_batch_size"],
    &["steps", "steps_to_target"],
    &["run", "Name", "run_id", "run_name", "name"],
    &[
        "step",
        "_step",
        "Step",
        "global_step",
        "trainer/global_step",
    ],
    &[
        "loss",
        "val_loss",
        "eval/loss",
        "val/loss",
        "validation_loss",
        "valid_loss",
    ],
];

/// The fields to read, given those that the log has.
fn fields(args: &Args, found: &[String]) -> Vec<String> {
    let given = [
        &args.batch_field,
        &args.steps_field,
        &args.run_field,
        &args.step_field,
        &args.loss_field,
    ];
    let mut fields: Vec<String> = given
        .iter()
        .zip(USUAL)
        .map(|(given, usual)| {
            let has = usual.iter().find(|n| found.iter().any(|f| f == *n));
            (*given)
                .clone()
                .unwrap_or_else(|| (*has.unwrap_or(&usual[0])).to_owned())
        })
        .collect();
    fields.push("target".to_owned());
    fields.push(args.model.clone());
    // "NAME - METRIC", with the extremes of smoothing beside it.
    let wide = found
        .iter()
        .filter(|f| f.contains(" - ") && !f.ends_with("__MIN") && !f.ends_with("__MAX"));
    fields.extend(wide.take(50).cloned());
    fields
}

/// Reads a table of steps, or curves and their crossings, whichever the fields tell.
pub(super) fn read(inputs: &Inputs, args: &Args) -> Result<Vec<Model>, CliError> {
    let mut models = Vec::new();
    let mut curves: Vec<Curves> = Vec::new();
    let rows = Rows::new::<&str>(opened(inputs, &args.file)?, &[]);
    read_rows(rows, args, &mut models, &mut curves).map_err(|e| read_fault(&args.file, e))?;
    models.extend(crossings(args, curves)?);
    models.sort_by(|a, b| a.size.unwrap_or(0.0).total_cmp(&b.size.unwrap_or(0.0)));
    Ok(models)
}

fn read_rows<R: BufRead>(
    rows: Result<Rows<R>, ReadError>,
    args: &Args,
    models: &mut Vec<Model>,
    curves: &mut Vec<Curves>,
) -> Result<(), ReadError> {
    let mut rows = rows?;
    let fields = fields(args, rows.found());
    rows.select(&fields)?;
    let has = |field: usize| rows.found().contains(&fields[field]);
    let (sized, table, long, wide) = (has(MODEL), has(STEPS), has(LOSS), fields.len() > WIDE);
    let mut any = false;
    while let Some(row) = rows.next_row()? {
        any = true;
        let size = sized.then(|| rows.quantity(&row, MODEL)).transpose()?;
        if table {
            steps_row(&rows, &row, model_of(models, size))?;
        } else if long || wide {
            let target = match args.target {
                Some(t) => t,
                None => rows.number(&row, TARGET)?,
            };
            if long {
                let batch = rows.quantity(&row, BATCH)?;
                let run = rows.text(&row, RUN)?;
                point(&rows, &row, curves, (size, target), &run, batch, LOSS)?;
            } else {
                for (field, name) in fields.iter().enumerate().skip(WIDE) {
                    let batch = batch_of(name).ok_or_else(|| {
                        let problem = "its name holds no batch size: rename the run (bs-256), or export with a column of batch sizes";
                        rows.fault(&row, field, problem.to_owned())
                    })?;
                    point(&rows, &row, curves, (size, target), name, batch, field)?;
                }
            }
        } else {
            return Err(ReadError::Schema {
                expected: "the fields batch and steps, or batch, run, step and loss, or a step and a column for each run".to_owned(),
                found: rows.found().join(", "),
            });
        }
        rows.recycle(row);
    }
    if any { Ok(()) } else { Err(ReadError::Empty) }
}

/// The batch size that a run's name holds: the number after "batch", "batch size" or "bs".
fn batch_of(name: &str) -> Option<f64> {
    let lower = name.to_ascii_lowercase();
    [
        "batch_size",
        "batch-size",
        "batchsize",
        "batch",
        "bs",
        "gbs",
    ]
    .iter()
    .find_map(|word| {
        let at = lower.find(word)? + word.len();
        let rest = lower[at..].trim_start_matches(['-', '_', '=', ':', ' ']);
        let end = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let batch: f64 = rest[..end].parse().ok()?;
        let unit = rest[end..].starts_with('k');
        Some(if unit { 1000.0 * batch } else { batch })
    })
}

fn steps_row<R: BufRead>(rows: &Rows<R>, row: &Row, model: &mut Model) -> Result<(), ReadError> {
    let (batch, steps) = (rows.quantity(row, BATCH)?, rows.quantity(row, STEPS)?);
    for (field, v) in [(BATCH, batch), (STEPS, steps)] {
        if v <= 0.0 {
            return Err(rows.fault(row, field, format!("{v} is not positive")));
        }
    }
    model.batch.push(batch);
    model.steps.push(steps);
    Ok(())
}

/// Adds a point to the curve of a run; a blank loss, as between two evaluations, is none.
fn point<R: BufRead>(
    rows: &Rows<R>,
    row: &Row,
    curves: &mut Vec<Curves>,
    (size, target): (Option<f64>, f64),
    run: &str,
    batch: f64,
    field: usize,
) -> Result<(), ReadError> {
    if *row.cell(field) == Cell::Missing {
        return Ok(());
    }
    let at = curves
        .iter()
        .position(|c| c.size == size)
        .unwrap_or(curves.len());
    if at == curves.len() {
        curves.push(Curves {
            size,
            target,
            list: Vec::new(),
        });
    }
    let list = &mut curves[at].list;
    let at = list
        .iter()
        .position(|c| c.run == run && c.batch.total_cmp(&batch).is_eq())
        .unwrap_or(list.len());
    if at == list.len() {
        list.push(Curve {
            run: run.to_owned(),
            batch,
            steps: Vec::new(),
            losses: Vec::new(),
            lines: Vec::new(),
        });
    }
    list[at].steps.push(rows.number(row, STEP)?);
    list[at].losses.push(rows.number(row, field)?);
    list[at].lines.push(row.line());
    Ok(())
}

/// Where each model's curves reach its target.
fn crossings(args: &Args, all: Vec<Curves>) -> Result<Vec<Model>, CliError> {
    let crossing = match args.interpolate.as_deref() {
        Some("linear") => Crossing::Linear,
        Some(_) => Crossing::LogLinear,
        None => Crossing::FirstLogged,
    };
    let mut models = Vec::new();
    for Curves { size, target, list } in all {
        let lowest = list
            .iter()
            .flat_map(|c| c.losses.iter().map(|l| (*l, c.run.clone())))
            .min_by(|a, b| a.0.total_cmp(&b.0));
        let curves: Vec<LossCurve> = list
            .into_iter()
            .map(|c| checked(args, c))
            .collect::<Result<_, _>>()?;
        let mut model = Model {
            size,
            ..Model::default()
        };
        let points = steps_to_target(&curves, target, crossing, args.sustained)
            .map_err(|e| fault(&args.file, &e))?;
        for point in points {
            match point.steps {
                // A target above the loss before training is reached in no steps.
                Some(steps) if steps > 0.0 => {
                    model.batch.push(point.batch);
                    model.steps.push(steps);
                }
                Some(_) => {
                    return Err(Place::file(&args.file).error(format!(
                        "a run at batch {} is below the target {target} at step 0, before any training",
                        point.batch
                    )));
                }
                None => model.censored.push(point),
            }
        }
        if let (true, Some((loss, run))) = (model.batch.is_empty(), lowest) {
            return Err(Place::file(&args.file).error(format!(
                "no run reaches the target {target}: the lowest loss is {loss}, in run {run:?}"
            )));
        }
        models.push(model);
    }
    Ok(models)
}

/// The curve of a run; a step out of order is reported with the run and the line.
fn checked(args: &Args, curve: Curve) -> Result<LossCurve, CliError> {
    let Curve {
        run,
        batch,
        steps,
        losses,
        lines,
    } = curve;
    LossCurve::new(batch, steps, losses).map_err(|e| match e {
        Error::OutOfRange {
            index, value, min, ..
        } => Place::file(&args.file)
            .line(lines.get(index).copied().unwrap_or(0))
            .error(if index == 0 {
                format!("run {run:?}: step {value} is negative")
            } else {
                format!("run {run:?}: step {value} does not come after step {min}")
            }),
        other => fault(&args.file, &other),
    })
}
