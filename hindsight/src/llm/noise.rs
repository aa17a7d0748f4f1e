//! `hindsight llm noise-scale`.

use std::path::PathBuf;

use llm_metrics::batch_size::{GradientNoise, NoiseScale};
use llm_metrics::io::Rows;

use super::{opened, positive, read_fault};
use crate::document::{Outputs, Run};
use crate::error::CliError;
use report::number::significant;
use report::{Axis, Page, Series, Table, XyChart};

/// Arguments of `hindsight llm noise-scale`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Log with one line per step: squared gradient norms at a small and a big batch.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Field of the squared norm at the small batch.
    #[arg(long, default_value = "small", value_name = "FIELD")]
    small: String,
    /// Field of the squared norm at the big batch.
    #[arg(long, default_value = "big", value_name = "FIELD")]
    big: String,
    /// The small batch size.
    #[arg(long, value_parser = positive)]
    small_batch: f64,
    /// The big batch size.
    #[arg(long, value_parser = positive)]
    big_batch: f64,
    /// Decay per step of the exponential averages; 1 for plain means.
    #[arg(long, default_value_t = 0.99)]
    decay: f64,
    #[command(flatten)]
    outputs: Outputs,
}

/// What is stored.
#[derive(Debug, serde::Serialize)]
struct Scales {
    all: NoiseScale,
    recent: NoiseScale,
    decay: f64,
}

/// Runs `hindsight llm noise-scale`.
pub(super) fn run(args: &Args) -> Result<(), CliError> {
    let run = Run::begin(
        "llm noise-scale",
        &args.outputs,
        None,
        [args.file.as_path()],
    )?;
    let argument = |e: llm_metrics::Error| {
        CliError::Input(format!("--small-batch, --big-batch, --decay: {e}"))
    };
    let mut recent = GradientNoise::with_decay(args.small_batch, args.big_batch, args.decay)
        .map_err(argument)?;
    let mut whole = GradientNoise::new(args.small_batch, args.big_batch).map_err(argument)?;
    let mut curve = Vec::new();
    let reader = opened(run.inputs(), &args.file)?;
    Rows::new(reader, &[&args.small, &args.big])
        .and_then(|mut rows| {
            rows.each(|rows, row| {
                let (s, b) = (rows.number(row, 0)?, rows.number(row, 1)?);
                for noise in [&mut recent, &mut whole] {
                    noise
                        .push(s, b)
                        .map_err(|e| rows.fault(row, usize::from(s >= 0.0), e.to_string()))?;
                }
                curve.push(recent.scale().batch.unwrap_or(f64::NAN));
                Ok(())
            })
        })
        .map_err(|e| read_fault(&args.file, e))?;
    let mut table = Table::numbers(["average", "noise scale", "|G|²", "trace"]);
    for (name, scale) in [
        ("all steps", whole.scale()),
        ("recent steps", recent.scale()),
    ] {
        let batch = scale
            .batch
            .map_or_else(|| "undefined".to_owned(), |b| significant(b, 4));
        table.row([
            name.to_owned(),
            batch,
            significant(scale.signal, 4),
            significant(scale.trace, 4),
        ]);
    }
    let lead = format!(
        "{} steps at batch sizes {} and {}",
        whole.scale().steps,
        args.small_batch,
        args.big_batch
    );
    let (scale, late) = (whole.scale(), recent.scale());
    let batch = |b: Option<f64>| b.map_or_else(|| "undefined".to_owned(), |b| significant(b, 3));
    let finding = format!(
        "The gradient noise scale is {} over the run and {} in its last steps.",
        batch(scale.batch),
        batch(late.batch)
    );
    let shown = table.render(crate::output::width());
    let mut text = format!("{finding}\n\n{shown}\n{lead}.");
    if scale.signal <= 0.0 {
        text.push_str(" The estimate of |G|² is not positive: the signal is lost in the noise.");
    } else if scale.trace <= 0.0 {
        text.push_str(" The estimate of the trace is not positive, which no trace is: the noise is lost in the signal (are the norms of the two batch sizes interchanged?).");
    }
    let mut page = Page::new("Gradient noise scale", lead);
    page.note(&finding).section("Over the run");
    let step = curve.len().div_ceil(1000).max(1);
    #[allow(clippy::cast_precision_loss)] // Steps.
    let points: Vec<(f64, f64)> = curve
        .iter()
        .enumerate()
        .step_by(step)
        .map(|(i, v)| ((i + 1) as f64, *v))
        .collect();
    let chart = XyChart::new(
        "Noise scale",
        Axis::linear("Logged step"),
        Axis::log("Noise scale, in units of the batch size"),
    )
    .series(Series::line("exponential average", points));
    page.figure(&chart.svg(), "Ratio of the averaged trace to the averaged squared gradient; gaps where the latter is not positive.");
    page.table(
        &table,
        "Averages of numerator and denominator, divided once.",
    );
    let results = Scales {
        all: whole.scale(),
        recent: recent.scale(),
        decay: args.decay,
    };
    run.finish(&results, || page, &text)
}
