//! Rounds of self-improvement.

use llm_metrics::verification::{
    GapOptions, Responses, Round, RoundSummary, Weighting, judge_rounds,
};
use serde_json::json;

use super::super::plots;
use super::log::Part;
use super::report::weighting_words;
use super::{Args, fault, points, value};
use crate::document::Run;
use crate::error::CliError;
use report::{Axis, Column, Page, Series, Table, XyChart};

/// Judges the rounds and reports them.
pub(super) fn run(
    args: &Args,
    parts: &[Part],
    weighting: Weighting,
    options: GapOptions,
    run: &Run,
) -> Result<(), CliError> {
    let lib = |e: llm_metrics::Error| fault(&args.file, &e);
    let mut logs = Vec::new();
    for part in parts {
        let (responses, order) = Responses::from_log(&part.prompt, &part.utility).map_err(lib)?;
        let scores = Responses::arrange(&order, &part.scores[0]).map_err(lib)?;
        logs.push(Round { responses, scores });
    }
    let rows: Vec<RoundSummary> = judge_rounds(&logs, weighting, options).map_err(lib)?;
    let mut table = Table::new([
        Column::text("round"),
        Column::number("utility %"),
        Column::number("gap, points"),
        Column::number("standard error"),
        Column::number("relative %"),
        Column::number("next round's gain"),
        Column::number("gain minus gap").optional(),
    ]);
    let or_dash = |v: Option<f64>| v.map_or_else(|| "-".to_owned(), points);
    for (row, part) in rows.iter().zip(parts) {
        table.row([
            part.name.clone(),
            points(row.utility),
            points(row.gap),
            points(row.gap_se),
            points(row.relative),
            or_dash(row.improvement),
            or_dash(row.update_excess),
        ]);
    }
    let mut chart = XyChart::new(
        "pass@k by round",
        Axis::log("k").ticks(plots::ticks(
            rows.iter().flat_map(|r| r.pass.iter().map(|p| p.k)),
        )),
        Axis::linear("pass@k").percent(),
    );
    for (row, part) in rows.iter().zip(parts) {
        #[allow(clippy::cast_precision_loss)] // Small k.
        let line = row.pass.iter().map(|p| (p.k as f64, p.pass_at_k)).collect();
        chart = chart.series(Series::line(format!("round {}", part.name), line));
    }
    let mut page = Page::new(
        "Rounds of self-improvement",
        format!(
            "{} rounds, weights: {}",
            rows.len(),
            weighting_words(weighting)
        ),
    );
    page.section("Rounds");
    page.table(&table, "Utility and gap by round.");
    if rows.iter().all(|r| !r.pass.is_empty()) {
        page.figure(&chart.svg(), "A curve that rises for small k and falls for large k over the rounds shows a loss of diversity.");
    }
    let results = json!({ "weighting": value(&weighting)?, "rounds": value(&rows)? });
    run.finish(&results, || page, &table.render(crate::output::width()))
}
