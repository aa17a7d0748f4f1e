//! Table, page and JSON of the gap.

use llm_metrics::verification::{GapStudy, GapSweep, ScalingTrend, SweepPoint, Weighting};

use super::{points, prefix};
use crate::document::Run;
use crate::error::CliError;
use crate::llm::Noted;
use report::number::{fixed, interval, percent};
use report::{Axis, Column, Estimate, IntervalChart, Page, Series, Svg, Table, XyChart};

/// Reports the gaps of all generators under all verifiers.
pub(super) fn report(verifiers: &[String], study: &GapStudy, run: &Run) -> Result<(), CliError> {
    let (table, forest) = gaps(study);
    let notes = notes(study);
    let mut words = lead(study);
    let finding = finding(study);
    let mut page = Page::new("Generation-verification gap", words.clone());
    page.note(&finding).section("Gap");
    page.figure(
        &forest,
        "Gain in utility by filtering, with bootstrap intervals over prompts.",
    );
    page.table(
        &table,
        "Gap in percentage points; relative gap, its mean and median.",
    );
    for note in &notes {
        words.push('\n');
        words.push_str(note);
        page.text(note);
    }
    page.section("Threshold");
    // One picture per verifier: scores of different verifiers have different scales.
    for verifier in verifiers {
        let sweeps = study.sweeps.iter().filter(|s| s.verifier == *verifier);
        let own: Vec<&GapSweep> = sweeps.collect();
        let rest = match own.len().saturating_sub(CURVES) {
            0 => String::new(),
            more => format!("; {more} more generators are in the JSON"),
        };
        page.figure(
            &sweep_chart(verifier, &own),
            &format!("Gap at every threshold on the score {verifier}; the band is two standard errors over prompts{rest}."),
        );
    }
    if let Some(trend) = &study.trend {
        let line = trend_words(trend);
        words.push('\n');
        words.push_str(&line);
        page.section("Compute");
        page.text(&line);
        page.figure(
            &trend_chart(&study.compute, trend),
            "Relative gap against compute.",
        );
    }
    let shown = table.render(crate::output::width());
    let text = format!("{finding}\n\n{shown}\n{words}");
    run.finish(&Noted::new(study, &notes), || page, &text)
}

/// One row for each generator and verifier, in a table and in a picture.
fn gaps(study: &GapStudy) -> (Table, Svg) {
    let mut table = Table::new([
        Column::text("generator and verifier"),
        Column::number("utility %"),
        Column::number("filtered %"),
        Column::number("gap"),
        Column::number(format!("{:.0} % interval", 100.0 * study.level)),
        Column::number("relative %"),
        Column::number("median %").optional(),
        Column::number("below -1").optional(),
        Column::number("kept").optional(),
        Column::number("pooled %").optional(),
    ]);
    let mut forest =
        IntervalChart::new("Gap", Axis::linear("Gap, percentage points")).reference(0.0, "no gain");
    for e in &study.gaps {
        let g = &e.estimate;
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
    (table, forest.svg())
}

/// The largest gain of all pairs.
fn finding(study: &GapStudy) -> String {
    let gaps = study.gaps.iter();
    let Some(best) = gaps.max_by(|a, b| a.estimate.gap.total_cmp(&b.estimate.gap)) else {
        return String::new();
    };
    let (g, ends) = (&best.estimate, best.interval);
    let of = match best.generator.as_str() {
        "" => String::new(),
        generator => format!(" of {generator}"),
    };
    format!(
        "Keeping the responses{of} that {} scores highest raises the share that is right from {} % to {} %: a gain of {} points {}.",
        best.verifier,
        points(g.base),
        points(g.filtered),
        points(g.gap),
        interval(100.0 * ends.lower, 100.0 * ends.upper, 2)
    )
}

fn lead(study: &GapStudy) -> String {
    let Some(first) = study.gaps.first() else {
        return String::new();
    };
    let g = &first.estimate;
    format!(
        "{}{} prompts, {} responses; {} prompts of which nothing is kept, {} with nothing to gain. Weights: {}. Gap in percentage points, intervals by bootstrap over prompts, \
         relative gap in per cent: the mean of the prompts' ratios.",
        prefix(&first.generator),
        g.prompts,
        g.responses,
        g.empty_prompts,
        g.perfect_prompts,
        weighting_words(study.weighting)
    )
}

/// The first verifier beside each of the others.
fn notes(study: &GapStudy) -> Vec<String> {
    let differences = study.pairs.iter().map(|p| {
        format!(
            "{}{} minus {}: {} points, standard error {}",
            prefix(&p.generator),
            p.first,
            p.second,
            points(p.difference.difference),
            points(p.difference.standard_error)
        )
    });
    let correlations = study.pairs.iter().map(|p| {
        format!(
            "{}correlation of the scores {} and {}: {}",
            prefix(&p.generator),
            p.first,
            p.second,
            fixed(p.correlation, 3)
        )
    });
    differences.chain(correlations).collect()
}

fn trend_words(trend: &ScalingTrend) -> String {
    let slope = trend.fit.coefficients[1];
    let ends = trend.slope_interval.map_or_else(String::new, |i| {
        format!(" {}", interval(100.0 * i.lower, 100.0 * i.upper, 2))
    });
    let p = trend.monotone.p_value;
    format!(
        "Relative gap per decade of FLOPs: {}{ends} points; Kendall's tau {} (exact p {}).",
        points(slope.estimate),
        fixed(trend.monotone.tau, 2),
        p.map_or_else(|| "n/a".to_owned(), |p| fixed(p, 3))
    )
}

fn trend_chart(data: &[(f64, f64)], trend: &ScalingTrend) -> Svg {
    let dots = data.iter().map(|(f, g)| (*f, 100.0 * g)).collect();
    let fitted = data.iter().map(|(f, _)| (*f, 100.0 * trend.at(*f)));
    XyChart::new(
        "Relative gap and compute",
        Axis::log("Pre-training FLOPs"),
        Axis::linear("Relative gap, per cent"),
    )
    .series(Series::points("generators", dots))
    .series(Series::line("least squares", fitted.collect()).dashed())
    .svg()
}

/// The most curves in one picture.
const CURVES: usize = 6;

fn sweep_chart(verifier: &str, sweeps: &[&GapSweep]) -> Svg {
    let mut chart = XyChart::new(
        format!("Gap and threshold: {verifier}"),
        Axis::linear(format!("Threshold on the score {verifier}")),
        Axis::linear("Gap, percentage points").with_zero(),
    );
    for (at, sweep) in sweeps.iter().take(CURVES).enumerate() {
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
        let line = Series::line(sweep.generator.clone(), line).dash(at);
        chart = chart.series(line.band(band));
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
