//! Table, page and JSON of the fits.

use llm_metrics::{
    batch_size::{BatchFit, PowerLaw},
    stats::Interval,
};
use serde_json::{Value, json};

use super::{Args, Fitted, Model, value};
use crate::document::Run;
use crate::error::CliError;
use report::number::{fixed, interval, short, significant};
use report::{Axis, Column, Ink, Page, Series, Svg, Table, XyChart};

/// Reports the fits and the law through them.
pub(super) fn report(
    args: &Args,
    fits: &[Fitted],
    law: Option<&(Vec<(f64, f64)>, PowerLaw)>,
    run: &Run,
) -> Result<(), CliError> {
    let level = format!("{:.0} %", 100.0 * args.uncertainty.level);
    let mut table = Table::new([
        Column::text("model"),
        Column::number("critical batch"),
        Column::number(format!("{level} interval")),
        Column::number(format!("{level} bootstrap")).optional(),
        Column::number("fewest steps a"),
        Column::number("b").optional(),
        Column::number("noise batch b/a"),
        Column::number("residual").optional(),
        Column::number("points").optional(),
    ]);
    let mut notes = Vec::new();
    for f in fits {
        let ends = |i: Option<Interval>| i.map_or_else(|| "n/a".to_owned(), range);
        table.row([
            name(&f.model),
            critical(f),
            ends(f.interval.filter(|_| bounded(f))),
            ends(f.bootstrap),
            fixed(f.fit.a, 1),
            short(f.fit.b, 5),
            if f.identification.is_identified() {
                fixed(f.fit.noise_batch(), 1)
            } else {
                "-".to_owned()
            },
            fixed(f.fit.residual_sd, 4),
            f.model.batch.len().to_string(),
        ]);
        for c in &f.model.censored {
            notes.push(format!("{}: no run at batch {} reached the target within {} steps; it is left out of the fit.", name(&f.model), c.batch, c.longest));
        }
    }
    for f in fits {
        if let Some(cause) = f.identification.cause() {
            notes.push(format!("{}: not identified: {cause}.", name(&f.model)));
        }
    }
    let floor = BatchFit::least_critical_batch(args.tolerance, args.optimal);
    notes.push(format!(
        "The critical batch costs {} % more steps than linear scaling from {}; by its definition nothing below {} can come out.",
        fixed(100.0 * args.tolerance, 0),
        fixed(args.optimal, 0),
        fixed(floor, 1)
    ));
    if let Some((_, law)) = law {
        let e = law.exponent(0);
        let ends = law
            .exponent_interval(0, args.uncertainty.level)
            .map_or_else(
                |_| String::new(),
                |i| format!(" {}", interval(i.lower, i.upper, 4)),
            );
        notes.push(format!(
            "Power law: critical batch = {} * size^{}{ends}, standard error {}.",
            significant(law.coefficient(), 6),
            e.map_or_else(String::new, |e| fixed(e.estimate, 5)),
            e.map_or_else(String::new, |e| fixed(e.standard_error, 4))
        ));
    }
    let text = format!(
        "{}\n{}",
        table.render(crate::output::width()),
        notes.join("\n")
    );
    let mut page = Page::new(
        "Critical batch size",
        format!("{} models of {}", fits.len(), args.file.display()),
    );
    page.section("Steps and batch size");
    page.figure(
        &curves(args, fits),
        "Steps to the target against batch size: points, the fit a + b/B, and linear scaling from the reference batch (dotted, for the first model).",
    );
    page.table(&table, "Fits.");
    for n in &notes {
        page.text(n);
    }
    if let Some((data, law)) = law {
        page.section("Model size");
        page.figure(
            &law_chart(data, law, args.uncertainty.level),
            "Critical batch against model size; the band is the interval of the fitted mean.",
        );
    }
    let rows = fits
        .iter()
        .map(|f| {
            Ok(json!({ "model": f.model.size, "critical_batch": f.identification.is_identified().then_some(f.critical), "identification": value(&f.identification)?, "interval": value(&f.interval.filter(|_| bounded(f)))?, "bootstrap": value(&f.bootstrap)?,
                       "fit": value(&f.fit)?, "batch": f.model.batch, "steps": f.model.steps, "censored": value(&f.model.censored)? }))
        })
        .collect::<Result<Vec<Value>, CliError>>()?;
    let results = json!({ "tolerance": args.tolerance, "optimal": args.optimal, "level": args.uncertainty.level,
                          "models": rows, "law": value(&law.map(|l| l.1.regression()))?, "notes": notes });
    run.finish(&results, || page, &text)
}

/// The critical batch, where the data bound it.
fn critical(f: &Fitted) -> String {
    if f.identification.is_identified() {
        fixed(f.critical, 1)
    } else {
        "not identified".to_owned()
    }
}

/// Whether the interval says something: exact 1/batch has a lower end of rounding errors alone.
fn bounded(f: &Fitted) -> bool {
    f.identification.is_identified() || f.fit.residual_sd > 1e-9
}

/// An interval whose upper end may be open.
fn range(i: Interval) -> String {
    if i.upper.is_finite() {
        interval(i.lower, i.upper, 0)
    } else {
        format!("above {}", fixed(i.lower, 0))
    }
}

fn name(model: &Model) -> String {
    model.size.map_or_else(
        || "all".to_owned(),
        |s| {
            if s < 1e6 { s.to_string() } else { short(s, 4) }
        },
    )
}

fn curves(args: &Args, fits: &[Fitted]) -> Svg {
    let mut chart = XyChart::new(
        "Steps to target",
        Axis::log("Batch size"),
        Axis::log("Steps"),
    )
    .size(720.0, 420.0);
    for (i, f) in fits.iter().enumerate() {
        let ink = Ink::Series(i);
        let (low, high) = f
            .model
            .batch
            .iter()
            .fold((f64::INFINITY, 0.0f64), |(l, h), b| (l.min(*b), h.max(*b)));
        let line = (0..=60).map(|k| {
            let b = low * (high / low).powf(f64::from(k) / 60.0);
            (b, f.fit.steps_at(b))
        });
        let dots = f
            .model
            .batch
            .iter()
            .copied()
            .zip(f.model.steps.iter().copied())
            .collect();
        chart = chart.series(Series::line("", line.collect()).ink(ink));
        chart = chart.series(Series::points(name(&f.model), dots).ink(ink));
        if i == 0 {
            let linear = [low, high].map(|b| (b, f.fit.linear_scaling(b, args.optimal)));
            chart = chart.series(
                Series::line("linear scaling", linear.to_vec())
                    .ink(Ink::Muted)
                    .dotted(),
            );
        }
        if fits.len() == 1 && f.identification.is_identified() {
            chart = chart.mark_x(f.critical, "critical batch");
        }
    }
    chart.svg()
}

fn law_chart(data: &[(f64, f64)], law: &PowerLaw, level: f64) -> Svg {
    let (low, high) = data.iter().fold((f64::INFINITY, 0.0f64), |(l, h), d| {
        (l.min(d.0), h.max(d.0))
    });
    let at: Vec<f64> = (0..=40)
        .map(|k| low * (high / low).powf(f64::from(k) / 40.0))
        .collect();
    let fitted: Vec<(f64, f64, Interval)> = at
        .iter()
        .filter_map(|n| law.predict(&[*n], level).ok().map(|(v, i)| (*n, v, i)))
        .collect();
    let band = fitted
        .iter()
        .map(|(n, _, i)| (*n, i.lower, i.upper))
        .collect();
    let line = fitted.iter().map(|(n, v, _)| (*n, *v)).collect();
    XyChart::new(
        "Critical batch and model size",
        Axis::log("Model size, in the unit of the log"),
        Axis::log("Critical batch size"),
    )
    .series(Series::line("power law", line).band(band))
    .series(Series::points("models", data.to_vec()))
    .svg()
}
