//! `hindsight llm cbs`.

use std::path::PathBuf;

use llm_metrics::batch_size::{
    BatchFitOptions, BatchLog, BatchStudy, BatchStudySettings, Crossing, FitLoss,
};

use super::{Uncertainty, fault, opened, positive};
use crate::document::{Outputs, Run};
use crate::error::CliError;

mod report;

/// Arguments of `hindsight llm cbs`.
#[derive(Debug, clap::Args)]
pub(in crate::llm) struct Args {
    /// Table of batch and steps; or of batch, run, step and loss (then --target); or an export of Weights & Biases with a column for each run, whose name holds
    /// the batch size (`bs-256 - eval/loss`). A column of model sizes (--model) gives one fit each and a power law.
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
    /// Field of the batch size, if not batch or batch_size.
    #[arg(long, value_name = "FIELD")]
    batch_field: Option<String>,
    /// Field of the steps to the target, if not steps.
    #[arg(long, value_name = "FIELD")]
    steps_field: Option<String>,
    /// Field of the run's name, if not run, Name or run_id.
    #[arg(long, value_name = "FIELD")]
    run_field: Option<String>,
    /// Field of the step, if not step, _step, Step or global_step.
    #[arg(long, value_name = "FIELD")]
    step_field: Option<String>,
    /// Field of the loss, if not loss, val_loss or eval/loss.
    #[arg(long, value_name = "FIELD")]
    loss_field: Option<String>,
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

/// Runs `hindsight llm cbs`.
pub(in crate::llm) fn run(args: &Args) -> Result<(), CliError> {
    let seed = args.uncertainty.seed.seed;
    let file = args.file.as_path();
    let run = Run::begin("llm cbs", &args.outputs, Some(seed), [file])?;
    let log = BatchLog {
        batch: args.batch_field.clone(),
        steps: args.steps_field.clone(),
        run: args.run_field.clone(),
        step: args.step_field.clone(),
        loss: args.loss_field.clone(),
        model: args.model.clone(),
        target: args.target,
        crossing: match args.interpolate.as_deref() {
            Some("linear") => Crossing::Linear,
            Some(_) => Crossing::LogLinear,
            None => Crossing::FirstLogged,
        },
        sustained: args.sustained,
    };
    let settings = BatchStudySettings {
        options: BatchFitOptions {
            loss: args.huber.map_or(FitLoss::Squared, FitLoss::Huber),
            free_exponent: args.free_exponent,
        },
        tolerance: args.tolerance,
        optimal: args.optimal,
        level: args.uncertainty.level,
        replicates: args.replicates,
        seed,
    };
    let study = log
        .read(opened(run.inputs(), file)?)
        .and_then(|models| BatchStudy::new(models, &settings))
        .map_err(|e| fault(file, e))?;
    report::report(file, &study, &run)
}
