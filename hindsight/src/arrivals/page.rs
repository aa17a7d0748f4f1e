//! Tables and figures of `hindsight arrivals`.

use ::arrivals::evaluate::{Estimate, Evaluation};
use ::arrivals::io::Counting;
use ::arrivals::{Forecast, NamedCurve};
use report::number::{capital, fixed, percent, plain, significant};
use report::{Axis, Column, Ink, Page, Series, Svg, Table, XyChart};

use super::{Data, Results};

const SCORES: &str = "CRPS: of the share that has arrived, the mean over orders and periods. Slopes: of what happened on what was predicted, for the share that has arrived by the \
     period and for \"nothing comes\"; one where calibrated. First arrival: predicted less observed. PIT: p-values of uniformity for first arrival, last arrival, total, first piece. Joint: \
     p-value of the two-sample test of pieces, times, total, first piece and size. Intervals of 95 %.";

/// A row for each model.
pub(super) fn scores(evaluations: &[Evaluation]) -> Table {
    let slopes = evaluations.first().map_or(0, |e| e.cumulative_slopes.len());
    let shown = [slopes.div_ceil(4), slopes.div_ceil(2), slopes].map(|period| period.max(1));
    let mut names = vec!["model".to_owned(), "CRPS".to_owned()];
    names.extend(shown.map(|period| format!("slope by {period}")));
    names.extend(["slope of nothing", "first arrival", "PIT", "joint"].map(str::to_owned));
    let mut table = Table::new(names.into_iter().map(Column::text));
    let estimate =
        |e: &Estimate, digits| format!("{} ± {}", fixed(e.value, digits), fixed(e.margin, digits));
    // A model that says the same of all orders has no slope.
    let slope = |e: &Estimate| match e.margin < 1.0 {
        true => estimate(e, 2),
        false => "none".to_owned(),
    };
    for e in evaluations {
        let mut row = vec![e.model.clone(), estimate(&e.crps, 4)];
        row.extend(shown.map(|period| slope(&e.cumulative_slopes[period - 1])));
        let pit = e.pit.map(|p| fixed(p, 2)).join(" ");
        row.extend([
            slope(&e.nothing_slope),
            estimate(&e.first_bias, 2),
            pit,
            fixed(e.joint, 3),
        ]);
        table.row(row);
    }
    table
}

/// A row for each drawn order.
pub(super) fn orders(orders: &[Forecast], last: i64) -> Table {
    let half = last / 2;
    let mut names = ["order", "vendor", "units", "nothing"]
        .map(str::to_owned)
        .to_vec();
    names.extend([half, last].map(|period| format!("arrived by {period}")));
    let mut table = Table::new(names.into_iter().map(Column::text));
    for one in orders {
        let by = |period: i64| {
            let at = usize::try_from(period - one.curve.first).unwrap_or(0);
            let [mean, low, high] =
                [&one.curve.mean, &one.curve.low, &one.curve.high].map(|list| percent(list[at], 0));
            format!("{mean} ({low} to {high})")
        };
        let units = significant(one.units, 4);
        table.row([
            one.order.clone(),
            one.vendor.clone(),
            units,
            percent(one.nothing, 1),
            by(half),
            by(last),
        ]);
    }
    table
}

const ORDERS: &str = "The share that has arrived: mean, and the range of four fifths of the draws. Draws are as of when the order was placed; what has come since is not used.";

const TIMELINE: &str =
    "Line and band: the mean and four fifths of the draws. Steps: what has been received.";

/// How good the first model is beside the others, or what was drawn.
pub(super) fn finding(results: &Results, data: Counting, last: i64) -> String {
    let Some(first) = results.evaluations.first() else {
        let ends = results.orders.iter();
        let ends = ends.filter_map(|order| order.curve.mean.last().copied());
        let (low, high) = ends.fold((f64::INFINITY, 0.0), |(low, high), end| {
            (f64::min(low, end), f64::max(high, end))
        });
        return format!(
            "{} orders drawn: by {last} {}, {} to {} of their units are expected to have arrived.",
            results.orders.len(),
            counting(data),
            percent(low, 0),
            percent(high, 0)
        );
    };
    let bias = &first.first_bias;
    let place = results.evaluations.iter();
    let better = place.filter(|e| e.crps.value < first.crps.value).count();
    format!(
        "{} forecasts what has arrived with a mean error (CRPS) of {} ± {}{}; it expects first arrivals {} ± {} {} {} than they came.",
        capital(&first.model),
        fixed(first.crps.value, 4),
        fixed(first.crps.margin, 4),
        match (results.evaluations.len(), better) {
            (1, _) => String::new(),
            (all, 0) => format!(", the best of {all} models"),
            (all, better) => format!(", rank {} of {all} models", better + 1),
        },
        fixed(bias.value.abs(), 2),
        fixed(bias.margin, 2),
        data.unit(),
        if bias.value < 0.0 { "earlier" } else { "later" }
    )
}

/// The page of a fit.
pub(super) fn fitted(words: String, finding: &str, data: &Data, curves: &[NamedCurve]) -> Page {
    let mut page = Page::new("How orders arrive", words);
    if let Some(expected) = expected(data, curves) {
        page.note(&expected);
    }
    page.note(finding);
    receipts(&mut page, data, curves);
    page
}

/// What the generator expects to arrive, beside what did.
fn expected(data: &Data, curves: &[NamedCurve]) -> Option<String> {
    let [received, generator, ..] = curves else {
        return None;
    };
    let half = received.curve.mean.len() / 2;
    let share = |own: &NamedCurve, at: usize| Some(percent(*own.curve.mean.get(at)?, 0));
    let period = i64::try_from(half).ok()? + received.curve.first;
    Some(format!(
        "By {period} {} {} expects {} of an order's units, and {} came; in the end {}, and {} came.",
        counting(data.counting),
        generator.name,
        share(generator, half)?,
        share(received, half)?,
        share(generator, generator.curve.mean.len().checked_sub(1)?)?,
        share(received, received.curve.mean.len().checked_sub(1)?)?,
    ))
}

/// The page of an evaluation or of samples.
pub(super) fn results(
    words: String,
    finding: &str,
    data: &Data,
    table: &Table,
    results: &Results,
) -> Page {
    let mut page = Page::new("How orders arrive", words);
    page.note(finding);
    if results.evaluations.is_empty() {
        page.section("Orders").text(ORDERS).table(
            table,
            &format!("The orders drawn; times are {}.", counting(data.counting)),
        );
    } else {
        page.section("Models")
            .text(SCORES)
            .table(table, "The models, judged alike.");
        receipts(&mut page, data, &results.curves);
        let (bins, slopes) = calibration(data, &results.evaluations);
        let mut figures = vec![(
            &bins,
            "Pairs of an order and a period, by the probability that a piece arrives in it.",
        )];
        figures.extend(slopes.as_ref().map(|svg| (svg, "Slope of what has arrived by a period on what was predicted, with 95 % intervals of the first model.")));
        page.section("Calibration").figures(figures);
    }
    let lines: Vec<(Svg, String)> = results
        .orders
        .iter()
        .take(8)
        .map(|order| {
            let line = timeline(data, order);
            let caption = format!("{}.", line.title());
            (line, caption)
        })
        .collect();
    page.section("Example orders")
        .text(TIMELINE)
        .figures(lines.iter().map(|(line, caption)| (line, caption)));
    page
}

fn receipts(page: &mut Page, data: &Data, curves: &[NamedCurve]) {
    if curves.is_empty() {
        page.note("No order is old enough for its time to be over.");
        return;
    }
    let chart = XyChart::new(
        "Receipts",
        Axis::linear(capital(&counting(data.counting))).whole(),
        Axis::linear("Share of the units ordered")
            .percent()
            .with_zero(),
    );
    let add = |chart: XyChart, (at, own): (usize, &NamedCurve)| {
        let line = Series::step(&own.name, own.curve.points(&own.curve.mean));
        chart.series(if at == 0 {
            line.ink(Ink::Text)
        } else {
            line.dash(at - 1)
        })
    };
    let chart = curves.iter().enumerate().fold(chart, add);
    page.section("Receipts").figure(
        &chart.svg(),
        "The mean share of an order that has arrived, over orders whose time is over.",
    );
}

/// The unit of times, and from what they count.
pub(super) fn counting(counting: Counting) -> String {
    let origin = if counting.from_promise {
        "promised date"
    } else {
        "order"
    };
    format!("{} since the {origin}", counting.unit())
}

/// Reliability, and the slopes, where a model has one.
fn calibration(data: &Data, evaluations: &[Evaluation]) -> (Svg, Option<Svg>) {
    let share = |label: &str| Axis::linear(label).percent().range(0.0, 1.0);
    let mut bins = XyChart::new(
        "Arrivals by period",
        share("Predicted probability"),
        share("How often"),
    )
    .diagonal("calibrated");
    let mut slopes = XyChart::new(
        "Slopes of what has arrived",
        Axis::linear(capital(&counting(data.counting))).whole(),
        Axis::linear("Slope"),
    )
    .mark_y(1.0, "calibrated");
    let mut sloping = false;
    for (at, e) in evaluations.iter().enumerate() {
        let full = e.bins.iter().filter(|bin| bin.count > 0);
        let points = full.map(|bin| (bin.predicted, bin.observed)).collect();
        bins = bins.series(Series::line(&e.model, points).marked());
        let slope =
            |(period, slope): (u32, &Estimate)| (f64::from(period), slope.value, slope.margin);
        let points: Vec<_> = (1..)
            .zip(&e.cumulative_slopes)
            .map(slope)
            // A model that says the same of all orders has no slope.
            .filter(|point| point.2 < 1.0)
            .collect();
        let line = points.iter().map(|p| (p.0, p.1)).collect();
        let line = Series::line(&e.model, line).dash(at);
        let band = points.iter().map(|p| (p.0, p.1 - p.2, p.1 + p.2)).collect();
        slopes = slopes.series(if at == 0 { line.band(band) } else { line });
        sloping |= !points.is_empty();
    }
    (bins.svg(), sloping.then(|| slopes.svg()))
}

fn timeline(data: &Data, order: &Forecast) -> Svg {
    let title = format!(
        "Order {}: {} units from {}",
        order.order,
        plain(order.units, 4),
        order.vendor
    );
    let known = order.received(data.study.periods());
    let band = order
        .curve
        .points(&order.curve.low)
        .into_iter()
        .zip(&order.curve.high);
    let band = band
        .map(|((period, low), &high)| (period, low, high))
        .collect();
    XyChart::new(
        title,
        Axis::linear(capital(&counting(data.counting))).whole(),
        Axis::linear("Share received").percent().with_zero(),
    )
    .series(Series::line("drawn", order.curve.points(&order.curve.mean)).band(band))
    .series(Series::step("received", known).ink(Ink::Text))
    .svg()
}
