//! `hindsight llm scaling`.

use std::path::PathBuf;

use llm_metrics::scaling::{
    Chinchilla, ChinchillaOptions, IsoFlop, ScalingLog, ScalingStudy, TrainingRuns, fit_chinchilla,
    fit_isoflop,
};
use llm_metrics::stats::{Identification, Interval};

use super::{Uncertainty, exponent_words, fault, opened, positive};
use crate::document::{Outputs, Run};
use crate::error::CliError;
use report::number::{fixed, interval, short, significant};
use report::{Axis, Column, Page, Series, Svg, Table, XyChart};

/// Arguments of `hindsight llm scaling`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Table with one line per training run: params, tokens and loss; with --isoflop flops, params and loss.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Field of the parameters, if not params, parameters, n_params, model_size or N (`70M` is read).
    #[arg(long, value_name = "FIELD")]
    params_field: Option<String>,
    /// Field of the tokens, if not tokens, training_tokens, n_tokens or D. Without it tokens follow from compute.
    #[arg(long, value_name = "FIELD")]
    tokens_field: Option<String>,
    /// Field of the compute, if not flops, compute, training_flops or C.
    #[arg(long, value_name = "FIELD")]
    flops_field: Option<String>,
    /// Field of the loss, if not loss, final_loss, val_loss, eval/loss or L.
    #[arg(long, value_name = "FIELD")]
    loss_field: Option<String>,
    /// Analyse iso-FLOP profiles in place of the parametric fit.
    #[arg(long)]
    isoflop: bool,
    /// Size of a log residual up to which Huber's loss is quadratic.
    #[arg(long, default_value_t = 1e-3, value_parser = positive)]
    delta: f64,
    /// Use all 4,500 starts in place of 96.
    #[arg(long)]
    full_grid: bool,
    /// Replicates of the bootstrap over runs (0 for none).
    #[arg(long, default_value_t = 200)]
    replicates: usize,
    /// Compute budgets at which to print the optimal size.
    #[arg(long, value_delimiter = ',', default_values_t = [1e20, 1e22, 1e24], value_parser = positive, value_name = "FLOPS")]
    budget: Vec<f64>,
    #[command(flatten)]
    uncertainty: Uncertainty,
    #[command(flatten)]
    outputs: Outputs,
}

/// Runs `hindsight llm scaling`.
pub(super) fn run(args: &Args) -> Result<(), CliError> {
    let seed = args.uncertainty.seed.seed;
    let file = args.file.as_path();
    let run = Run::begin("llm scaling", &args.outputs, Some(seed), [file])?;
    let lib = |e| fault(file, e);
    let log = ScalingLog {
        parameters: args.params_field.clone(),
        tokens: args.tokens_field.clone(),
        flops: args.flops_field.clone(),
        loss: args.loss_field.clone(),
    };
    let runs = log.read(opened(run.inputs(), file)?).map_err(lib)?;
    if args.isoflop {
        let fit = fit_isoflop(&runs.flops, &runs.parameters, &runs.loss).map_err(lib)?;
        return report_isoflop(args, &fit, &runs, &run);
    }
    let options = ChinchillaOptions {
        delta: args.delta,
        full_grid: args.full_grid,
        replicates: args.replicates,
        level: args.uncertainty.level,
        seed,
    };
    let study = fit_chinchilla(&runs.parameters, &runs.tokens, &runs.loss, options)
        .and_then(|fit| ScalingStudy::new(&fit, &args.budget))
        .map_err(lib)?;
    report_chinchilla(&study, &runs, &run)
}

fn report_chinchilla(study: &ScalingStudy, runs: &TrainingRuns, run: &Run) -> Result<(), CliError> {
    let (constants, optimal) = (constants(study), optimal(study));
    let words = words(study, runs.loss.len());
    let width = crate::output::width();
    let ends = study.optimal_exponent_interval;
    let finding = format!(
        "The best model size grows as compute to the power {}{}; no compute takes the loss below {}.",
        fixed(study.optimal_exponent, 3),
        ends.map_or_else(String::new, |i| format!(
            " {}",
            interval(i.lower, i.upper, 3)
        )),
        fixed(study.fit.e, 3)
    );
    let mut text = format!("{finding}\n\n{}\n", constants.render(width));
    let mut page = Page::new("Scaling of the loss", words.clone());
    page.note(&finding).section("Fit");
    page.table(&constants, "Constants.");
    let [observed, residuals] = fit_charts(&study.fit, runs);
    page.figures([
        (&observed, "Observed against fitted loss."),
        (&residuals, "Residuals against compute."),
    ]);
    if !study.optimal.is_empty() {
        text.push_str(&format!("{}\n", optimal.render(width)));
        page.section("Optimal sizes");
        page.table(
            &optimal,
            "Parameters and tokens that minimise the fitted loss at 6 * params * tokens = FLOPs.",
        );
    }
    run.finish(study, || page, &(text + &words))
}

fn constants(study: &ScalingStudy) -> Table {
    let level = format!("{:.0} % interval", 100.0 * study.level);
    let mut table = Table::new([
        Column::text("constant"),
        Column::number("value"),
        Column::number(level),
    ]);
    let (fit, of) = (&study.fit, study.intervals.as_ref());
    for (name, value, ends) in [
        ("E", fit.e, of.map(|i| i.e)),
        ("A", fit.a, of.map(|i| i.a)),
        ("B", fit.b, of.map(|i| i.b)),
        ("alpha", fit.alpha, of.map(|i| i.alpha)),
        ("beta", fit.beta, of.map(|i| i.beta)),
    ] {
        let ends = between(ends, |v| significant(v, 4));
        table.row([name.to_owned(), significant(value, 4), ends]);
    }
    table
}

fn optimal(study: &ScalingStudy) -> Table {
    let level = format!("{:.0} % interval", 100.0 * study.level);
    let mut table = Table::new([
        Column::number("FLOPs"),
        Column::number("parameters"),
        Column::number(level.clone()).optional(),
        Column::number("tokens"),
        Column::number(level).optional(),
        Column::number("loss"),
    ]);
    for size in &study.optimal {
        table.row([
            significant(size.flops, 3),
            short(size.parameters, 4),
            between(size.parameters_interval, |v| short(v, 4)),
            short(size.tokens, 4),
            between(size.tokens_interval, |v| short(v, 4)),
            fixed(size.loss, 4),
        ]);
    }
    table
}

/// The ends of an interval, if there is one.
fn between(i: Option<Interval>, word: impl Fn(f64) -> String) -> String {
    i.map_or_else(
        || "-".to_owned(),
        |i| format!("[{}, {}]", word(i.lower), word(i.upper)),
    )
}

fn words(study: &ScalingStudy, runs: usize) -> String {
    let mut words = format!(
        "{runs} runs; loss = E + A / params^alpha + B / tokens^beta. {} starts agree, largest gradient component {}.",
        study.fit.agreeing_starts,
        significant(study.fit.gradient, 2),
    );
    if let Identification::NotIdentified {
        cause, direction, ..
    } = &study.identification
    {
        let part = |(name, part): &(_, f64)| format!("{} {name}", significant(*part, 2));
        let free: Vec<String> = direction.iter().map(part).collect();
        words.push_str(&format!(
            " Not identified: {cause}. The constants can move together along ({}) and the fit hardly changes, so that single constants and optimal sizes mean nothing; \
             the predicted loss at runs like these may.",
            free.join(", ")
        ));
    }
    words
}

/// Observed against fitted losses, and the residuals against compute.
fn fit_charts(fit: &Chinchilla, runs: &TrainingRuns) -> [Svg; 2] {
    let sizes = runs.parameters.iter().zip(&runs.tokens);
    let each: Vec<_> = sizes.zip(&runs.loss).zip(&runs.flops).collect();
    let pairs = each
        .iter()
        .map(|(((n, d), l), _)| (fit.loss(**n, **d), **l));
    let residuals = each
        .iter()
        .map(|(((n, d), l), flops)| (**flops, 100.0 * fit.residual(**n, **d, **l)));
    let observed = XyChart::new(
        "Observed and fitted loss",
        Axis::linear("Fitted loss"),
        Axis::linear("Observed loss"),
    )
    .size(460.0, 400.0)
    .diagonal("equal")
    .series(Series::points("runs", pairs.collect()));
    let residual = XyChart::new(
        "Residuals",
        Axis::log("FLOPs"),
        Axis::linear("Residual of log loss, per cent"),
    )
    .size(460.0, 400.0)
    .mark_y(0.0, "")
    .series(Series::points("runs", residuals.collect()));
    [observed.svg(), residual.svg()]
}

/// What `--isoflop` stores.
#[derive(Debug, serde::Serialize)]
struct Profiles<'a> {
    isoflop: &'a IsoFlop,
    level: f64,
}

fn report_isoflop(
    args: &Args,
    fit: &IsoFlop,
    runs: &TrainingRuns,
    run: &Run,
) -> Result<(), CliError> {
    let level = args.uncertainty.level;
    let mut table = Table::new([
        Column::number("FLOPs"),
        Column::number("optimal parameters"),
        Column::number("loss"),
        Column::number("runs"),
        Column::text("minimum").optional(),
    ]);
    for m in &fit.minima {
        let place = if m.inside {
            "within the sizes run"
        } else {
            "extrapolated"
        };
        table.row([
            significant(m.flops, 3),
            short(m.parameters, 4),
            fixed(m.loss, 4),
            m.runs.to_string(),
            place.to_owned(),
        ]);
    }
    let mut words = fit.law.as_ref().map_or_else(
        || "Too few minima for a power law.".to_owned(),
        |law| {
            format!(
                "The best model size grows as compute to the power {}.",
                exponent_words(law, 3, level)
            )
        },
    );
    for budget in &fit.without_minimum {
        words.push_str(&format!(
            " The profile at {} FLOPs has no minimum.",
            significant(*budget, 3)
        ));
    }
    let text = format!("{}\n{words}", table.render(crate::output::width()));
    let mut page = Page::new("IsoFLOP profiles", words);
    page.section("Profiles");
    page.figure(
        &profiles(fit, runs),
        "Loss against size at each compute budget.",
    );
    page.table(&table, "Minima of the parabolas in log size.");
    let results = Profiles {
        isoflop: fit,
        level,
    };
    run.finish(&results, || page, &text)
}

fn profiles(fit: &IsoFlop, runs: &TrainingRuns) -> Svg {
    let mut chart = XyChart::new(
        "IsoFLOP profiles",
        Axis::log("Parameters"),
        Axis::linear("Loss"),
    )
    .size(720.0, 400.0);
    for m in fit.minima.iter().take(8) {
        let mut points: Vec<(f64, f64)> = (0..runs.flops.len())
            .filter(|&i| runs.flops[i].total_cmp(&m.flops).is_eq())
            .map(|i| (runs.parameters[i], runs.loss[i]))
            .collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let name = format!("{} FLOPs", significant(m.flops, 3));
        chart = chart.series(Series::line(name, points).marked());
    }
    let minima = fit.minima.iter().map(|m| (m.parameters, m.loss)).collect();
    chart.series(Series::points("minima", minima)).svg()
}
