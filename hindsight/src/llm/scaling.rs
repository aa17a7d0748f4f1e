//! `hindsight llm scaling`.

use std::path::PathBuf;

use llm_metrics::{
    scaling::{Chinchilla, ChinchillaOptions, IsoFlop, fit_chinchilla, fit_isoflop},
    stats::Interval,
    verification::training_flops,
};
use serde_json::json;

use super::{Outputs, Uncertainty, each_row, fault, positive, value};
use crate::error::CliError;
use report::number::{fixed, interval, short, significant};
use report::{Axis, Column, Page, Series, Svg, Table, XyChart};

/// Arguments of `hindsight llm scaling`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Table with one line per training run: params, tokens and loss; with --isoflop flops, params and loss.
    #[arg(value_name = "FILE")]
    file: PathBuf,
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
    let targets = args.outputs.check()?;
    let names = if args.isoflop {
        ["flops", "params", "loss"]
    } else {
        ["params", "tokens", "loss"]
    };
    let mut columns: [Vec<f64>; 3] = Default::default();
    each_row(&args.file, &names.map(str::to_owned), |rows, row| {
        for (i, column) in columns.iter_mut().enumerate() {
            let v = rows.number(row, i)?;
            if v <= 0.0 {
                return Err(rows.fault(row, i, format!("{v} is not positive")));
            }
            column.push(v);
        }
        Ok(())
    })?;
    let [x, y, loss] = &columns;
    let lib = |e: llm_metrics::Error| fault(&args.file, &e);
    if args.isoflop {
        let fit = fit_isoflop(x, y, loss).map_err(lib)?;
        return report_isoflop(args, &fit, &columns, &targets);
    }
    let options = ChinchillaOptions {
        delta: args.delta,
        full_grid: args.full_grid,
    };
    let (fit, intervals) = fit_chinchilla(
        x,
        y,
        loss,
        options,
        args.replicates,
        args.uncertainty.level,
        args.uncertainty.seed,
    )
    .map_err(lib)?;
    report_chinchilla(args, &fit, intervals.as_ref(), &columns, &targets)
}

fn report_chinchilla(
    args: &Args,
    fit: &Chinchilla,
    intervals: Option<&[Interval; 5]>,
    columns: &[Vec<f64>; 3],
    targets: &super::Targets,
) -> Result<(), CliError> {
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
        let ends = intervals.map_or_else(
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
    let mut optimal = Table::new([
        Column::number("FLOPs"),
        Column::number("parameters"),
        Column::number("tokens"),
        Column::number("loss"),
    ]);
    for budget in &args.budget {
        let (n, d) = fit.optimal(*budget).map_err(|e| fault(&args.file, &e))?;
        optimal.row([
            significant(*budget, 3),
            short(n, 4),
            short(d, 4),
            fixed(fit.loss(n, d), 4),
        ]);
    }
    let words = format!(
        "{} runs; loss = E + A / params^alpha + B / tokens^beta. Optimal parameters grow as FLOPs^{}. Largest gradient component {}, \
         {} starts agree.",
        columns[2].len(),
        fixed(fit.optimal_exponent(), 4),
        significant(fit.gradient, 2),
        fit.agreeing_starts
    );
    let width = crate::output::width();
    let text = format!(
        "{}\n{}\n{words}",
        table.render(width),
        optimal.render(width)
    );
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
    page.section("Optimal sizes");
    page.table(
        &optimal,
        "Parameters and tokens that minimise the fitted loss at 6 * params * tokens = FLOPs.",
    );
    let results = json!({ "file": args.file.display().to_string(), "fit": value(fit)?, "optimal_exponent": fit.optimal_exponent(),
                          "intervals_e_a_b_alpha_beta": value(&intervals)?, "level": args.uncertainty.level, "seed": args.uncertainty.seed });
    targets.finish("llm scaling", &text, results, &page)
}

fn report_isoflop(
    args: &Args,
    fit: &IsoFlop,
    columns: &[Vec<f64>; 3],
    targets: &super::Targets,
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
    let results = json!({ "file": args.file.display().to_string(), "isoflop": value(fit)?, "level": args.uncertainty.level });
    targets.finish("llm scaling", &text, results, &page)
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
