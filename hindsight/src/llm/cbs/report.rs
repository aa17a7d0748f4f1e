//! Table, page and JSON of the critical batch sizes.

use std::path::Path;

use llm_metrics::{
    batch_size::{BatchFit, BatchStudy, ModelSteps, PowerLaw},
    stats::Interval,
};

use crate::document::Run;
use crate::error::CliError;
use crate::llm::{Noted, exponent_words};
use report::number::{fixed, interval, short, significant};
use report::{Axis, Column, Ink, Page, Series, Svg, Table, XyChart};

/// Reports the fits and the law through them.
pub(super) fn report(file: &Path, study: &BatchStudy, run: &Run) -> Result<(), CliError> {
    let (table, notes) = (fits(study), notes(study));
    let finding = finding(study);
    let text = format!(
        "{finding}\n\n{}\n{}",
        table.render(crate::output::width()),
        notes.join("\n")
    );
    let mut page = Page::new(
        "Critical batch size",
        format!("{}, models: {}", file.display(), study.models.len()),
    );
    page.note(&finding).section("Steps and batch size");
    page.figure(
        &curves(study),
        "Steps to the target against batch size: points, the fit a + b/B, and linear scaling of the first model from its reference batch (dotted).",
    );
    page.table(&table, "Fits.");
    for n in &notes {
        page.text(n);
    }
    if let Some(law) = &study.law {
        page.section("Model size");
        page.figure(
            &law_chart(study, law),
            "Critical batch against model size; the band is the interval of the fitted mean.",
        );
    }
    run.finish(&Noted::new(study, &notes), || page, &text)
}

fn finding(study: &BatchStudy) -> String {
    if let Some(law) = &study.law {
        let exponent = exponent_words(law, 3, study.level);
        return format!("The critical batch size grows as the model size to the power {exponent}.");
    }
    let Some(only) = study.models.first() else {
        return String::new();
    };
    match only.critical_batch {
        Some(batch) => {
            let ends = only
                .interval
                .map_or_else(String::new, |i| format!(" {}", range(i)));
            format!(
                "The critical batch size is {}{ends}: up to it, larger batches save steps almost in proportion.",
                fixed(batch, 0)
            )
        }
        None => "These runs do not bound the critical batch size.".to_owned(),
    }
}

fn fits(study: &BatchStudy) -> Table {
    let level = format!("{:.0} %", 100.0 * study.level);
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
    let ends = |i: Option<Interval>| i.map_or_else(|| "n/a".to_owned(), range);
    for m in &study.models {
        let critical = m.critical_batch;
        table.row([
            name(&m.model),
            critical.map_or_else(|| "not identified".to_owned(), |b| fixed(b, 1)),
            ends(m.interval),
            ends(m.bootstrap),
            fixed(m.fit.a, 1),
            short(m.fit.b, 5),
            critical.map_or_else(|| "-".to_owned(), |_| fixed(m.fit.noise_batch(), 1)),
            fixed(m.fit.residual_sd, 4),
            m.model.batch.len().to_string(),
        ]);
    }
    table
}

fn notes(study: &BatchStudy) -> Vec<String> {
    let mut notes = Vec::new();
    for m in &study.models {
        for c in &m.model.censored {
            notes.push(format!(
                "{}: no run at batch {} reached the target within {} steps; it is left out of the fit.",
                name(&m.model),
                c.batch,
                c.longest
            ));
        }
    }
    for m in &study.models {
        if let Some(cause) = m.identification.cause() {
            notes.push(format!("{}: not identified: {cause}.", name(&m.model)));
        }
    }
    notes.push(format!(
        "The critical batch costs {} % more steps than linear scaling from {}; by its definition nothing below {} can come out.",
        fixed(100.0 * study.tolerance, 0),
        fixed(study.optimal, 0),
        fixed(BatchFit::least_critical_batch(study.tolerance, study.optimal), 1)
    ));
    if let Some(law) = &study.law {
        let error = law.exponent(0).map_or(f64::NAN, |e| e.standard_error);
        notes.push(format!(
            "Power law: critical batch = {} * size^{}, standard error {}.",
            significant(law.coefficient(), 6),
            exponent_words(law, 5, study.level),
            fixed(error, 4)
        ));
    }
    notes
}

/// An interval whose upper end may be open.
fn range(i: Interval) -> String {
    if i.upper.is_finite() {
        interval(i.lower, i.upper, 0)
    } else {
        format!("above {}", fixed(i.lower, 0))
    }
}

fn name(model: &ModelSteps) -> String {
    match model.size {
        None => "all".to_owned(),
        Some(s) if s < 1e6 => s.to_string(),
        Some(s) => short(s, 4),
    }
}

fn curves(study: &BatchStudy) -> Svg {
    let mut chart = XyChart::new(
        "Steps to target",
        Axis::log("Batch size"),
        Axis::log("Steps"),
    )
    .size(720.0, 420.0);
    for (i, f) in study.models.iter().enumerate() {
        let ink = Ink::Series(i);
        let (low, high) = range_of(f.model.batch.iter().copied());
        let line = between(low, high, 60).map(|b| (b, f.fit.steps_at(b)));
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
            let linear = [low, high].map(|b| (b, f.fit.linear_scaling(b, study.optimal)));
            chart = chart.series(
                Series::line("linear scaling", linear.to_vec())
                    .ink(Ink::Muted)
                    .dotted(),
            );
        }
        if let (1, Some(critical)) = (study.models.len(), f.critical_batch) {
            chart = chart.mark_x(critical, "critical batch");
        }
    }
    chart.svg()
}

fn law_chart(study: &BatchStudy, law: &PowerLaw) -> Svg {
    let (low, high) = range_of(study.sizes().map(|s| s.0));
    let fitted: Vec<(f64, f64, Interval)> = between(low, high, 40)
        .filter_map(|n| law.predict(&[n], study.level).ok().map(|(v, i)| (n, v, i)))
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
    .series(Series::points("models", study.sizes().collect()))
    .svg()
}

/// The least and the largest of positive numbers.
fn range_of(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, 0.0), |(l, h), v| (l.min(v), h.max(v)))
}

/// Points from `low` to `high`, evenly spread in the logarithm.
fn between(low: f64, high: f64, steps: u32) -> impl Iterator<Item = f64> {
    (0..=steps).map(move |k| low * (high / low).powf(f64::from(k) / f64::from(steps)))
}
