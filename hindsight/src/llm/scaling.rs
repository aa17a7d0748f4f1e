//! `hindsight llm scaling`.

use std::path::PathBuf;

use llm_metrics::io::{ReadError, Rows};
use llm_metrics::scaling::{
    ChinchillaFit, ChinchillaOptions, IsoFlop, fit_chinchilla, fit_isoflop,
};
use llm_metrics::stats::{Identification, Interval};
use llm_metrics::verification::training_flops;
use serde_json::json;

use super::{Uncertainty, fault, opened, positive, read_fault, value};
use crate::document::{Outputs, Run};
use crate::error::CliError;
use crate::inputs::Inputs;
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
    let run = Run::begin(
        "llm scaling",
        &args.outputs,
        Some(args.uncertainty.seed.seed),
        [args.file.as_path()],
    )?;
    let columns = read(run.inputs(), args)?;
    let [x, y, loss] = &columns;
    let lib = |e: llm_metrics::Error| fault(&args.file, &e);
    if args.isoflop {
        let fit = fit_isoflop(x, y, loss).map_err(lib)?;
        return report_isoflop(args, &fit, &columns, &run);
    }
    let options = ChinchillaOptions {
        delta: args.delta,
        full_grid: args.full_grid,
        replicates: args.replicates,
        level: args.uncertainty.level,
        seed: args.uncertainty.seed.seed,
    };
    let fit = fit_chinchilla(x, y, loss, options).map_err(lib)?;
    report_chinchilla(args, &fit, &columns, &run)
}

/// The usual names of parameters, tokens, compute and loss, of which the log's first that it has counts.
const USUAL: [&[&str]; 4] = [
    &["params", "parameters", "n_params", "model_size", "N"],
    &["tokens", "training_tokens", "n_tokens", "D"],
    &["flops", "FLOPs", "compute", "training_flops", "C"],
    &["loss", "final_loss", "val_loss", "eval/loss", "L"],
];

/// Parameters, tokens and loss; with --isoflop compute, parameters and loss. Tokens that are not there follow from compute, 6 N D.
fn read(inputs: &Inputs, args: &Args) -> Result<[Vec<f64>; 3], CliError> {
    let mut columns: [Vec<f64>; 3] = Default::default();
    let mut rows = Rows::new::<&str>(opened(inputs, &args.file)?, &[])
        .map_err(|e| read_fault(&args.file, e))?;
    let given = [
        &args.params_field,
        &args.tokens_field,
        &args.flops_field,
        &args.loss_field,
    ];
    let fields: Vec<String> = given
        .iter()
        .zip(USUAL)
        .map(|(given, usual)| {
            let has = usual.iter().find(|n| rows.found().iter().any(|f| f == *n));
            (*given)
                .clone()
                .unwrap_or_else(|| (*has.unwrap_or(&usual[0])).to_owned())
        })
        .collect();
    let has = |field: usize| rows.found().contains(&fields[field]);
    let by_compute = !args.isoflop && !has(1) && has(2);
    let mut each = || -> Result<(), ReadError> {
        rows.select(&fields)?;
        while let Some(row) = rows.next_row()? {
            let positive = |field: usize| {
                let v = rows.quantity(&row, field)?;
                if v > 0.0 {
                    Ok(v)
                } else {
                    Err(rows.fault(&row, field, format!("{v} is not positive")))
                }
            };
            let (n, l) = (positive(0)?, positive(3)?);
            let (first, second) = if args.isoflop {
                (positive(2)?, n)
            } else if by_compute {
                (n, positive(2)? / (6.0 * n))
            } else {
                (n, positive(1)?)
            };
            for (column, v) in columns.iter_mut().zip([first, second, l]) {
                column.push(v);
            }
            rows.recycle(row);
        }
        Ok(())
    };
    each().map_err(|e| read_fault(&args.file, e))?;
    Ok(columns)
}

fn report_chinchilla(
    args: &Args,
    whole: &ChinchillaFit,
    columns: &[Vec<f64>; 3],
    run: &Run,
) -> Result<(), CliError> {
    let fit = &whole.law;
    let intervals = whole.intervals.map(|i| [i.e, i.a, i.b, i.alpha, i.beta]);
    let mut table = Table::new([
        Column::text("constant"),
        Column::number("value"),
        Column::number(format!("{:.0} % interval", 100.0 * args.uncertainty.level)),
    ]);
    for (i, (name, v)) in [
        ("E", fit.e),
        ("A", fit.a),
        ("B", fit.b),
        ("alpha", fit.alpha),
        ("beta", fit.beta),
    ]
    .into_iter()
    .enumerate()
    {
        let ends = intervals.as_ref().map_or_else(
            || "-".to_owned(),
            |all| {
                format!(
                    "[{}, {}]",
                    significant(all[i].lower, 4),
                    significant(all[i].upper, 4)
                )
            },
        );
        table.row([name.to_owned(), significant(v, 5), ends]);
    }
    let level = format!("{:.0} % interval", 100.0 * args.uncertainty.level);
    let mut optimal = Table::new([
        Column::number("FLOPs"),
        Column::number("parameters"),
        Column::number(level.clone()).optional(),
        Column::number("tokens"),
        Column::number(level).optional(),
        Column::number("loss"),
    ]);
    let mut sizes = Vec::new();
    // Optimal sizes of a law that is not identified mean nothing.
    let budgets: &[f64] = if whole.identification.is_identified() {
        &args.budget
    } else {
        &[]
    };
    for budget in budgets {
        let lib = |e: llm_metrics::Error| fault(&args.file, &e);
        let (n, d) = fit.optimal(*budget).map_err(lib)?;
        let intervals = whole.optimal_intervals(*budget).map_err(lib)?;
        let ends = |i: Option<Interval>| {
            i.map_or_else(
                || "-".to_owned(),
                |i| format!("[{}, {}]", short(i.lower, 4), short(i.upper, 4)),
            )
        };
        optimal.row([
            significant(*budget, 3),
            short(n, 4),
            ends(intervals.map(|i| i.0)),
            short(d, 4),
            ends(intervals.map(|i| i.1)),
            fixed(fit.loss(n, d), 4),
        ]);
        sizes.push(json!({ "flops": budget, "parameters": n, "tokens": d, "loss": fit.loss(n, d),
                           "parameters_interval": value(&intervals.map(|i| i.0))?, "tokens_interval": value(&intervals.map(|i| i.1))? }));
    }
    let mut words = format!(
        "{} runs; loss = E + A / params^alpha + B / tokens^beta. Optimal parameters grow as FLOPs^{}{}. Largest gradient component {}, \
         {} starts agree.",
        columns[2].len(),
        fixed(fit.optimal_exponent(), 4),
        whole
            .optimal_exponent_interval()
            .map_or_else(String::new, |i| format!(
                " {}",
                interval(i.lower, i.upper, 4)
            )),
        significant(fit.gradient, 2),
        fit.agreeing_starts
    );
    if let Identification::NotIdentified {
        cause, direction, ..
    } = &whole.identification
    {
        let free: Vec<String> = direction
            .iter()
            .map(|(name, part)| format!("{} {name}", significant(*part, 2)))
            .collect();
        words.push_str(&format!(
            " Not identified: {cause}. The constants can move together along ({}) and the fit hardly changes, so that single constants and optimal sizes mean nothing; \
             the predicted loss at runs like these may.",
            free.join(", ")
        ));
    }
    let width = crate::output::width();
    let text = if budgets.is_empty() {
        format!("{}\n{words}", table.render(width))
    } else {
        format!(
            "{}\n{}\n{words}",
            table.render(width),
            optimal.render(width)
        )
    };
    let mut page = Page::new("Scaling of the loss", words);
    page.section("Fit");
    page.table(&table, "Constants.");
    let fitted = |i: usize| fit.loss(columns[0][i], columns[1][i]);
    let residuals = (0..columns[2].len())
        .map(|i| {
            (
                training_flops(columns[0][i], columns[1][i]),
                100.0 * fit.residual(columns[0][i], columns[1][i], columns[2][i]),
            )
        })
        .collect();
    let pairs = (0..columns[2].len())
        .map(|i| (fitted(i), columns[2][i]))
        .collect();
    let observed = XyChart::new(
        "Observed and fitted loss",
        Axis::linear("Fitted loss"),
        Axis::linear("Observed loss"),
    )
    .size(460.0, 400.0)
    .diagonal("equal")
    .series(Series::points("runs", pairs));
    let residual = XyChart::new(
        "Residuals",
        Axis::log("FLOPs"),
        Axis::linear("Residual of log loss, per cent"),
    )
    .size(460.0, 400.0)
    .mark_y(0.0, "")
    .series(Series::points("runs", residuals));
    page.figures([
        (&observed.svg(), "Observed against fitted loss."),
        (&residual.svg(), "Residuals against compute."),
    ]);
    if !budgets.is_empty() {
        page.section("Optimal sizes");
        page.table(
            &optimal,
            "Parameters and tokens that minimise the fitted loss at 6 * params * tokens = FLOPs.",
        );
    }
    let results = json!({ "fit": value(fit)?, "identification": value(&whole.identification)?, "intervals_e_a_b_alpha_beta": value(&intervals)?, "optimal_exponent": fit.optimal_exponent(),
                          "optimal_exponent_interval": value(&whole.optimal_exponent_interval())?, "optimal": sizes, "level": args.uncertainty.level });
    run.finish(&results, || page, &text)
}

fn report_isoflop(
    args: &Args,
    fit: &IsoFlop,
    columns: &[Vec<f64>; 3],
    run: &Run,
) -> Result<(), CliError> {
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
    let mut words = match &fit.law {
        Some(law) => {
            let e = law.exponent(0).map_or(f64::NAN, |e| e.estimate);
            let ends = law
                .exponent_interval(0, args.uncertainty.level)
                .map_or_else(
                    |_| String::new(),
                    |i| format!(" {}", interval(i.lower, i.upper, 4)),
                );
            format!(
                "Optimal parameters = {} * FLOPs^{}{ends}.",
                significant(law.coefficient(), 4),
                fixed(e, 4)
            )
        }
        None => "Too few minima for a power law.".to_owned(),
    };
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
        &profiles(fit, columns),
        "Loss against size at each compute budget.",
    );
    page.table(&table, "Minima of the parabolas in log size.");
    let results = json!({ "isoflop": value(fit)?, "level": args.uncertainty.level });
    run.finish(&results, || page, &text)
}

fn profiles(fit: &IsoFlop, columns: &[Vec<f64>; 3]) -> Svg {
    let mut chart = XyChart::new(
        "IsoFLOP profiles",
        Axis::log("Parameters"),
        Axis::linear("Loss"),
    )
    .size(720.0, 400.0);
    for m in fit.minima.iter().take(8) {
        let mut points: Vec<(f64, f64)> = (0..columns[0].len())
            .filter(|&i| columns[0][i].total_cmp(&m.flops).is_eq())
            .map(|i| (columns[1][i], columns[2][i]))
            .collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        chart = chart.series(Series::line(
            format!("{} FLOPs", significant(m.flops, 3)),
            points,
        ));
    }
    let minima = fit.minima.iter().map(|m| (m.parameters, m.loss)).collect();
    chart.series(Series::points("minima", minima)).svg()
}
