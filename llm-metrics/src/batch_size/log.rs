//! Logs of training runs: tables of steps, and loss curves with their crossings of a target.

use std::io::BufRead;

use super::curves::{Crossing, LossCurve, steps_to_target};
use super::study::ModelSteps;
use crate::error::{Error, Result};
use crate::io::{Cell, ReadError, Row, Rows};

/// How a log of training runs is read.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchLog {
    /// Field of the batch size; by default the first there is of `batch`, `batch_size`, `global_batch_size`.
    pub batch: Option<String>,
    /// Field of the steps to the target, of a table (`steps`, `steps_to_target`).
    pub steps: Option<String>,
    /// Field of the run's name, of curves (`run`, `Name`, `run_id`, `run_name`, `name`).
    pub run: Option<String>,
    /// Field of the step, of curves (`step`, `_step`, `Step`, `global_step`, `trainer/global_step`).
    pub step: Option<String>,
    /// Field of the loss, of curves (`loss`, `val_loss`, `eval/loss`, `val/loss`, `validation_loss`, `valid_loss`).
    pub loss: Option<String>,
    /// Field of the model size: runs of one size make one model. Without it in the log there is one model.
    pub model: String,
    /// The target loss of curves; without it each record names its own in the field `target`.
    pub target: Option<f64>,
    /// When a curve has reached the target.
    pub crossing: Crossing,
    /// Evaluations for which it must stay below.
    pub sustained: usize,
}

impl Default for BatchLog {
    fn default() -> Self {
        Self {
            batch: None,
            steps: None,
            run: None,
            step: None,
            loss: None,
            model: "params".to_owned(),
            target: None,
            crossing: Crossing::FirstLogged,
            sustained: 1,
        }
    }
}

impl BatchLog {
    /// Reads a log, whichever its fields tell that it is: a table of batch sizes and steps; curves, one record an evaluation; or an export of Weights & Biases with
    /// a step and a column for each run, whose name holds the batch size (`bs-256 - eval/loss`). A blank loss, as between two evaluations, is skipped.
    ///
    /// Returns the models by rising size.
    ///
    /// ```
    /// use hindsight_llm_metrics::batch_size::BatchLog;
    /// let curves = b"batch,run,step,loss\n64,a,0,9.0\n64,a,100,3.5\n64,a,200,2.9\n128,b,100,2.8\n";
    /// let models = BatchLog { target: Some(3.0), ..BatchLog::default() }.read(&curves[..])?;
    /// assert_eq!((&models[0].batch[..], &models[0].steps[..]), (&[64.0, 128.0][..], &[200.0, 100.0][..]));
    /// # Ok::<(), hindsight_llm_metrics::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Log`] with the line for what a record says, a step that does not come after the one before among it; [`Error::NotReached`] if no run of a
    /// model reaches the target; [`Error::BelowAtStart`]; as [`steps_to_target`].
    pub fn read<R: BufRead>(&self, reader: R) -> Result<Vec<ModelSteps>> {
        let mut models = Vec::new();
        let mut curves = Vec::new();
        let rows = Rows::new::<&str>(reader, &[])?;
        self.records(rows, &mut models, &mut curves)?;
        for of_model in curves {
            models.push(self.crossings(of_model)?);
        }
        models.sort_by(|a, b| a.size.unwrap_or(0.0).total_cmp(&b.size.unwrap_or(0.0)));
        Ok(models)
    }

    /// The fields to read, given those that the log has.
    fn fields(&self, found: &[String]) -> Vec<String> {
        let given = [&self.batch, &self.steps, &self.run, &self.step, &self.loss];
        let mut fields: Vec<String> = given
            .into_iter()
            .zip(USUAL)
            .map(|(given, usual)| crate::io::usual(given.as_deref(), usual, found))
            .collect();
        fields.push("target".to_owned());
        fields.push(self.model.clone());
        // "NAME - METRIC", with the extremes of smoothing beside it.
        let extreme = |f: &str| f.ends_with("__MIN") || f.ends_with("__MAX");
        let wide = found.iter().filter(|f| f.contains(" - ") && !extreme(f));
        fields.extend(wide.take(50).cloned());
        fields
    }

    fn records<R: BufRead>(
        &self,
        mut rows: Rows<R>,
        models: &mut Vec<ModelSteps>,
        curves: &mut Vec<Curves>,
    ) -> std::result::Result<(), ReadError> {
        let fields = self.fields(rows.found());
        rows.select(&fields)?;
        let has = |field: usize| rows.found().contains(&fields[field]);
        let (sized, table, long, wide) = (has(MODEL), has(STEPS), has(LOSS), fields.len() > WIDE);
        if !(table || long || wide) {
            let expected = "the fields batch and steps, or batch, run, step and loss, or a step and a column for each run";
            return Err(ReadError::Schema {
                expected: expected.to_owned(),
                found: rows.found().join(", "),
            });
        }
        rows.each(|rows, row| {
            let size = sized.then(|| rows.quantity(row, MODEL)).transpose()?;
            if table {
                return steps_row(rows, row, of_size(models, size));
            }
            let target = self.target.map_or_else(|| rows.number(row, TARGET), Ok)?;
            let model = curves_of(curves, size, target);
            if long {
                let (batch, run) = (rows.quantity(row, BATCH)?, rows.text(row, RUN)?);
                return model.point(rows, row, &run, batch, LOSS);
            }
            for (field, name) in fields.iter().enumerate().skip(WIDE) {
                let batch = batch_of(name).ok_or_else(|| {
                    let problem = "its name holds no batch size: rename the run (bs-256), or export with a column of batch sizes";
                    rows.fault(row, field, problem.to_owned())
                })?;
                model.point(rows, row, name, batch, field)?;
            }
            Ok(())
        })
    }

    /// Where a model's curves reach its target.
    fn crossings(&self, all: Curves) -> Result<ModelSteps> {
        let Curves { size, target, list } = all;
        let lowest = list
            .iter()
            .flat_map(|c| c.losses.iter().map(|l| (*l, c.run.clone())))
            .min_by(|a, b| a.0.total_cmp(&b.0));
        let curves = list.into_iter().map(Curve::checked);
        let curves = curves.collect::<Result<Vec<LossCurve>>>()?;
        let mut model = ModelSteps {
            size,
            ..ModelSteps::default()
        };
        for point in steps_to_target(&curves, target, self.crossing, self.sustained)? {
            let batch = point.batch;
            match point.steps {
                Some(steps) if steps > 0.0 => {
                    model.batch.push(batch);
                    model.steps.push(steps);
                }
                // A target above the loss before training is reached in no steps.
                Some(_) => return Err(Error::BelowAtStart { batch, target }),
                None => model.censored.push(point),
            }
        }
        match lowest {
            Some((lowest, run)) if model.batch.is_empty() => Err(Error::NotReached {
                target,
                lowest,
                run,
            }),
            _ => Ok(model),
        }
    }
}

fn of_size(models: &mut Vec<ModelSteps>, size: Option<f64>) -> &mut ModelSteps {
    let at = models.iter().position(|m| m.size == size);
    let at = at.unwrap_or_else(|| {
        models.push(ModelSteps {
            size,
            ..ModelSteps::default()
        });
        models.len() - 1
    });
    &mut models[at]
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

fn steps_row<R: BufRead>(
    rows: &Rows<R>,
    row: &Row,
    model: &mut ModelSteps,
) -> std::result::Result<(), ReadError> {
    model.batch.push(rows.positive(row, BATCH)?);
    model.steps.push(rows.positive(row, STEPS)?);
    Ok(())
}

/// The curve of one run, with the lines that its points stand on.
#[derive(Debug)]
struct Curve {
    run: String,
    batch: f64,
    steps: Vec<f64>,
    losses: Vec<f64>,
    lines: Vec<u64>,
    /// The field of the step.
    field: String,
}

impl Curve {
    /// The curve; a step out of order is reported with the run and the line.
    fn checked(self) -> Result<LossCurve> {
        LossCurve::new(self.batch, self.steps, self.losses).map_err(|e| match e {
            Error::OutOfRange {
                index, value, min, ..
            } => {
                let run = &self.run;
                Error::Log(ReadError::Value {
                    line: self.lines.get(index).copied().unwrap_or(0),
                    field: self.field,
                    problem: if index == 0 {
                        format!("run {run:?}: step {value} is negative")
                    } else {
                        format!("run {run:?}: step {value} does not come after step {min}")
                    },
                })
            }
            other => other,
        })
    }
}

/// All curves of one model, with its target.
#[derive(Debug)]
struct Curves {
    size: Option<f64>,
    target: f64,
    list: Vec<Curve>,
}

fn curves_of(curves: &mut Vec<Curves>, size: Option<f64>, target: f64) -> &mut Curves {
    let at = curves.iter().position(|c| c.size == size);
    let at = at.unwrap_or_else(|| {
        curves.push(Curves {
            size,
            target,
            list: Vec::new(),
        });
        curves.len() - 1
    });
    &mut curves[at]
}

impl Curves {
    /// Adds a point to the curve of a run; a blank loss, as between two evaluations, is none.
    fn point<R: BufRead>(
        &mut self,
        rows: &Rows<R>,
        row: &Row,
        run: &str,
        batch: f64,
        field: usize,
    ) -> std::result::Result<(), ReadError> {
        if *row.cell(field) == Cell::Missing {
            return Ok(());
        }
        let same = |c: &Curve| c.run == run && c.batch.total_cmp(&batch).is_eq();
        let at = self.list.iter().position(same).unwrap_or_else(|| {
            self.list.push(Curve {
                run: run.to_owned(),
                batch,
                steps: Vec::new(),
                losses: Vec::new(),
                lines: Vec::new(),
                field: rows.field_name(STEP),
            });
            self.list.len() - 1
        });
        let curve = &mut self.list[at];
        curve.steps.push(rows.number(row, STEP)?);
        curve.losses.push(rows.number(row, field)?);
        curve.lines.push(row.line());
        Ok(())
    }
}
