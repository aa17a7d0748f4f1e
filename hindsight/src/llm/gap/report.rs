//! Table, page and JSON of the gap.

use llm_metrics::verification::{ScalingTrend, SweepPoint, Weighting, scaling_trend};
use serde_json::{Value, json};

use super::log::Part;
use super::{Args, Estimated, Sweep, fault, points, value};
use crate::document::Run;
use crate::error::CliError;
use report::number::{fixed, interval, percent};
use report::{Axis, Column, Estimate, IntervalChart, Page, Series, Svg, Table, XyChart};

/// FLOPs and relative gap of each generator, and the trend through them.
pub(super) type Trend = (Vec<(f64, f64)>, ScalingTrend);

/// The trend of the relative gap in compute, if FLOPs are given.
pub(super) fn trend(
    args: &Args,
    parts: &[Part],
    estimates: &[Estimated],
) -> Result<Option<Trend>, CliError> {
    if args.flops.is_none() {
        return Ok(None);
    }
    let verifier = &args.score[0];
    let of = |p: &Part| {
        estimates
            .iter()
            .find(|e| e.generator == p.name && e.verifier == *verifier)
    };
    let data: Vec<(f64, f64)> = parts
        .iter()
        .filter_map(|p| Some((p.flops?, of(p)?.gap.relative)))
        .collect();
    let (flops, gaps): (Vec<f64>, Vec<f64>) = data.iter().copied().unzip();
    let fit =
        scaling_trend(&flops, &gaps, args.uncertainty.level).map_err(|e| fault(&args.file, &e))?;
    Ok(Some((data, fit)))
}

pub(super) fn report(
    args: &Args,
    estimates: &[Estimated],
    sweeps: &[Sweep],
    notes: &[String],
    trend: Option<&Trend>,
    weighting: Weighting,
    run: &Run,
) -> Result<(), CliError> {
    let mut table = Table::new([
        Column::text("generator and verifier"),
        Column::number("utility %"),
        Column::number("filtered %"),
        Column::number("gap"),
        Column::number(format!("{:.0} % interval", 100.0 * args.uncertainty.level)),
        Column::number("relative %"),
        Column::number("median %").optional(),
        Column::number("below -1").optional(),
        Column::number("kept").optional(),
        Column::number("pooled %").optional(),
    ]);
    let mut forest =
        IntervalChart::new("Gap", Axis::linear("Gap, percentage points")).reference(0.0, "no gain");
    for e in estimates {
        let g = &e.gap;
        let name = if e.generator.is_empty() {
            e.verifier.clone()
        } else {
            format!("{} by {}", e.generator, e.verifier)
        };
        let ends = (100.0 * e.interval.lower, 100.0 * e.interval.upper);
        table.row([
            name.clone(),
            points(g.base),
            points(g.filtered),
            points(g.gap),
            interval(ends.0, ends.1, 2),
            points(g.relative),
            points(g.relative_median),
            percent(g.relative_below_minus_one, 1),
            percent(g.kept, 1),
            points(g.pooled),
        ]);
        let text = format!("{} {}", points(g.gap), interval(ends.0, ends.1, 2));
        forest = forest.row(Estimate::new(name, 100.0 * g.gap, Some(ends), text));
    }
    let (g, g_first) = (&estimates[0].gap, &estimates[0].generator);
    let mut words = format!(
        "{}{} prompts, {} responses; {} prompts of which nothing is kept, {} with nothing to gain. Weights: {}. Gap in percentage points, intervals by bootstrap over prompts, \
         relative gap in per cent: the mean of the prompts' ratios.",
        if g_first.is_empty() {
            String::new()
        } else {
            format!("{g_first}: ")
        },
        g.prompts,
        g.responses,
        g.empty_prompts,
        g.perfect_prompts,
        weighting_words(weighting)
    );
    let mut page = Page::new("Generation-verification gap", words.clone());
    page.section("Gap");
    page.figure(
        &forest.svg(),
        "Gain in utility by filtering, with bootstrap intervals over prompts.",
    );
    page.table(
        &table,
        "Gap in percentage points; relative gap, its mean and median.",
    );
    for note in notes {
        words.push('\n');
        words.push_str(note);
        page.text(note);
    }
    page.section("Threshold");
    // One picture per verifier: scores of different verifiers have different scales.
    for verifier in &args.score {
        let own: Vec<&Sweep> = sweeps.iter().filter(|s| s.verifier == *verifier).collect();
        let rest = match own.len().saturating_sub(CURVES) {
            0 => String::new(),
            more => format!("; {more} more generators are in the JSON"),
        };
        page.figure(
            &sweep_chart(verifier, &own),
            &format!("Gap at every threshold on the score {verifier}; the band is two standard errors over prompts{rest}."),
        );
    }
    if let Some((data, fit)) = trend {
        let slope = fit.fit.coefficients[1];
        let ends = fit.slope_interval.map_or_else(String::new, |i| {
            format!(" {}", interval(100.0 * i.lower, 100.0 * i.upper, 2))
        });
        let p = fit
            .monotone
            .p_value
            .map_or_else(|| "n/a".to_owned(), |p| fixed(p, 3));
        let line = format!(
            "Relative gap per decade of FLOPs: {}{ends} points; Kendall's tau {} (exact p {p}).",
            points(slope.estimate),
            fixed(fit.monotone.tau, 2)
        );
        words.push('\n');
        words.push_str(&line);
        page.section("Compute");
        page.text(&line);
        let dots = data.iter().map(|(f, g)| (*f, 100.0 * g)).collect();
        let fitted = data.iter().map(|(f, _)| (*f, 100.0 * fit.at(*f))).collect();
        let chart = XyChart::new(
            "Relative gap and compute",
            Axis::log("Pre-training FLOPs"),
            Axis::linear("Relative gap, per cent"),
        )
        .series(Series::points("generators", dots))
        .series(Series::line("least squares", fitted).dashed());
        page.figure(&chart.svg(), "Relative gap against compute.");
    }
    let text = format!("{}\n{words}", table.render(crate::output::width()));
    let rows = estimates
        .iter()
        .map(|e| {
            Ok(json!({ "generator": e.generator, "verifier": e.verifier, "estimate": value(&e.gap)?, "interval": value(&e.interval)?,
                       "relative_interval": value(&e.relative)? }))
        })
        .collect::<Result<Vec<Value>, CliError>>()?;
    let sweeps = sweeps
        .iter()
        .map(|s| Ok(json!({ "generator": s.generator, "verifier": s.verifier, "points": value(&s.points)? })))
        .collect::<Result<Vec<Value>, CliError>>()?;
    let results = json!({ "weighting": value(&weighting)?, "level": args.uncertainty.level,
                          "gaps": rows, "sweeps": sweeps, "notes": notes, "trend": value(&trend.map(|t| &t.1))? });
    run.finish(&results, || page, &text)
}

/// The most curves in one picture.
const CURVES: usize = 6;

fn sweep_chart(verifier: &str, sweeps: &[&Sweep]) -> Svg {
    let mut chart = XyChart::new(
        format!("Gap and threshold: {verifier}"),
        Axis::linear(format!("Threshold on the score {verifier}")),
        Axis::linear("Gap, percentage points").with_zero(),
    );
    for sweep in sweeps.iter().take(CURVES) {
        let step = sweep.points.len().div_ceil(400).max(1);
        let thin: Vec<&SweepPoint> = sweep.points.iter().step_by(step).rev().collect();
        let line = thin.iter().map(|p| (p.threshold, 100.0 * p.gap)).collect();
        let band = thin
            .iter()
            .map(|p| {
                (
                    p.threshold,
                    100.0 * (p.gap - 2.0 * p.gap_se),
                    100.0 * (p.gap + 2.0 * p.gap_se),
                )
            })
            .collect();
        chart = chart.series(Series::line(sweep.generator.clone(), line).band(band));
    }
    chart.svg()
}

/// What a weighting does.
pub(super) fn weighting_words(w: Weighting) -> String {
    match w {
        Weighting::Threshold(t) => format!("score at least {t}"),
        Weighting::Quantile { q, .. } => format!("score at or above its prompt's {q} quantile"),
        Weighting::Exponential { beta } => format!("exp(score / {beta})"),
        _ => "as given".to_owned(),
    }
}
