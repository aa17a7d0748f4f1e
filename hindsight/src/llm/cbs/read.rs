//! Tables of steps, and loss curves with their crossings of the target.

use std::io::BufRead;

use llm_metrics::batch_size::{Crossing, LossCurve, steps_to_target};
use llm_metrics::io::{ReadError, Row, Rows};

use super::{Args, Model, each_row, fault};
use crate::error::CliError;

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
pub(super) fn read(args: &Args) -> Result<Vec<Model>, CliError> {
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

fn steps_row<R: BufRead>(rows: &Rows<R>, row: &Row, model: &mut Model) -> Result<(), ReadError> {
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

fn curve_row<R: BufRead>(
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
