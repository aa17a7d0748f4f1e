//! `hindsight llm cbs`.

use std::path::PathBuf;

use llm_metrics::{
    batch_size::{BatchFit, BatchFitOptions, BatchSteps, FitLoss, PowerLaw, Resampling},
    stats::{Identification, Interval},
};

use super::{Uncertainty, fault, opened, positive, read_fault, value};
use crate::document::{Outputs, Run};
use crate::error::CliError;

mod read;
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
    /// Whether the data bound the critical batch at all.
    identification: Identification,
    /// Profile likelihood; with a free exponent the delta method.
    interval: Option<Interval>,
    bootstrap: Option<Interval>,
}

/// Runs `hindsight llm cbs`.
pub(in crate::llm) fn run(args: &Args) -> Result<(), CliError> {
    let run = Run::begin(
        "llm cbs",
        &args.outputs,
        Some(args.uncertainty.seed.seed),
        [args.file.as_path()],
    )?;
    let models = read::read(run.inputs(), args)?;
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
        let identification = fit.identification();
        let level = args.uncertainty.level;
        let interval = if args.free_exponent {
            fit.delta_interval(args.tolerance, args.optimal, level)
        } else {
            fit.profile_interval(args.tolerance, args.optimal, level)
        }
        .ok();
        let bootstrap = identification.is_identified().then(|| {
            fit.bootstrap_interval(
                args.tolerance,
                args.optimal,
                level,
                Resampling::Residuals,
                args.replicates.max(1),
                args.uncertainty.seed.seed,
            )
            .ok()
        });
        fits.push(Fitted {
            model,
            fit,
            critical,
            identification,
            interval,
            bootstrap: bootstrap.flatten(),
        });
    }
    let law = law(&fits);
    report::report(args, &fits, law.as_ref(), &run)
}

fn law(fits: &[Fitted]) -> Option<(Vec<(f64, f64)>, PowerLaw)> {
    let data: Vec<(f64, f64)> = fits
        .iter()
        .filter(|f| f.identification.is_identified())
        .filter_map(|f| Some((f.model.size?, f.critical)))
        .collect();
    let (n, b): (Vec<f64>, Vec<f64>) = data.iter().copied().unzip();
    (data.len() >= 3)
        .then(|| PowerLaw::fit(&[&n], &b).ok())
        .flatten()
        .map(|law| (data, law))
}
