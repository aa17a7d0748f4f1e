//! Plots that several of the commands share.

use llm_metrics::calibration::{Reliability, Selective, SmoothEce};

use report::{Axis, Ink, Series, Svg, XyChart};

/// The reliability diagram: accuracy against mean confidence by bin with Clopper-Pearson intervals, the smoothed curve if there is one.
pub(super) fn reliability(
    title: &str,
    tables: &[(&str, &Reliability)],
    curve: &[[f64; 3]],
    level: f64,
) -> Svg {
    let mut chart = XyChart::new(
        title,
        Axis::linear("Mean confidence").percent().range(0.0, 1.0),
        Axis::linear("Accuracy").percent().range(0.0, 1.0),
    )
    .size(460.0, 420.0)
    .diagonal("calibrated");
    if !curve.is_empty() {
        // Where hardly a record lies the curve says nothing, and beyond the outermost bins with records there is nothing to say.
        let filled = |t: f64| {
            let within = |(_, table): &(&str, &Reliability)| {
                let mut bins = table.bins().iter().filter(|b| b.count() > 0);
                let first = bins.next();
                let last = bins.next_back().or(first);
                first.is_some_and(|b| t >= b.lower()) && last.is_some_and(|b| t <= b.upper())
            };
            tables.iter().any(within)
        };
        let points = curve
            .iter()
            .map(|c| {
                let shown = c[2] > 0.01 && filled(c[0]);
                (c[0], if shown { c[1] } else { f64::NAN })
            })
            .collect();
        chart = chart.series(Series::line("smoothed", points).ink(Ink::Muted));
    }
    for (name, table) in tables {
        let filled = || {
            table
                .bins()
                .iter()
                .filter_map(|b| Some((b, b.confidence()?, b.accuracy()?)))
        };
        let points = filled().map(|(_, c, a)| (c, a)).collect();
        let band = filled()
            .filter_map(|(b, c, _)| b.clopper_pearson(level).ok().map(|i| (c, i.lower, i.upper)))
            .collect();
        chart = chart.series(Series::points(*name, points).band(band));
    }
    chart.svg()
}

/// How many records each bin holds.
pub(super) fn counts(table: &Reliability) -> Svg {
    let points = table
        .bins()
        .iter()
        .map(|b| (f64::midpoint(b.lower(), b.upper()), count(b.count())))
        .collect();
    XyChart::new(
        "Records by bin",
        Axis::linear("Confidence").percent().range(0.0, 1.0),
        Axis::linear("Records").with_zero(),
    )
    .size(460.0, 420.0)
    .series(Series::bars("records", points))
    .svg()
}

/// The risk-coverage curve, thinned to what a picture can show.
pub(super) fn risk_coverage(selective: &Selective, overall: f64) -> Svg {
    let all: Vec<(f64, f64)> = selective.points().map(|p| (p.coverage, p.risk)).collect();
    let step = all.len().div_ceil(600).max(1);
    let mut points: Vec<(f64, f64)> = all.iter().copied().step_by(step).collect();
    points.extend(all.last().copied());
    XyChart::new(
        "Risk and coverage",
        Axis::linear("Coverage: share of records answered, most confident first")
            .percent()
            .range(0.0, 1.0),
        Axis::linear("Risk: share of wrong answers among them")
            .percent()
            .with_zero(),
    )
    .series(Series::line("risk", points))
    .mark_y(overall, "all records")
    .svg()
}

/// A sentence about the smooth error.
pub(super) fn smooth_words(smooth: &SmoothEce) -> String {
    format!(
        "kernel of bandwidth {:.4}, where bandwidth and error meet",
        smooth.bandwidth
    )
}

/// Ticks at whole numbers, each once.
pub(super) fn ticks(at: impl Iterator<Item = usize>) -> Vec<(f64, String)> {
    let whole: std::collections::BTreeSet<usize> = at.collect();
    whole
        .iter()
        .map(|k| (count(*k as u64), k.to_string()))
        .collect()
}

/// A count as a number on an axis.
#[allow(clippy::cast_precision_loss)] // Counts below 2^53.
pub(super) fn count(n: u64) -> f64 {
    n as f64
}
