//! `hindsight llm cbs`.

use std::path::PathBuf;

use llm_metrics::{
    batch_size::{BatchFit, BatchFitOptions, BatchSteps, FitLoss, PowerLaw, Resampling},
    stats::Interval,
};

use super::{Outputs, Targets, Uncertainty, each_row, fault, positive, value};
use crate::error::CliError;

mod read;
mod report;

/// Arguments of `hindsight llm cbs`.
#[derive(Debug, clap::Args)]
pub(in crate::llm) struct Args {
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
pub(in crate::llm) fn run(args: &Args) -> Result<(), CliError> {
    let targets = args.outputs.check()?;
    let models = read::read(args)?;
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
    report::report(args, &fits, law.as_ref(), &targets)
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
