//! Rounds of self-improvement.

use llm_metrics::verification::{
    GapPart, GapStudySettings, Round, RoundSummary, Weighting, judge_rounds,
};

use super::super::plots;
use super::report::weighting_words;
use super::{Args, fault, points};
use crate::document::Run;
use crate::error::CliError;
use report::{Axis, Column, Page, Series, Table, XyChart};

/// What is stored.
#[derive(Debug, serde::Serialize)]
struct Rounds {
    weighting: Weighting,
    rounds: Vec<RoundSummary>,
}

/// Judges the rounds and reports them.
pub(super) fn run(
    args: &Args,
    parts: Vec<GapPart>,
    settings: &GapStudySettings,
    run: &Run,
) -> Result<(), CliError> {
    let weighting = settings.weighting;
    let mut names = Vec::new();
    let mut logs = Vec::new();
    for part in parts {
        names.push(part.name);
        logs.push(Round {
            responses: part.responses,
            scores: part.scores.into_iter().next().unwrap_or_default(),
        });
    }
    let rows =
        judge_rounds(&logs, weighting, settings.options).map_err(|e| fault(&args.file, e))?;
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
    for (row, name) in rows.iter().zip(&names) {
        table.row([
            name.clone(),
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
    for (row, name) in rows.iter().zip(&names) {
        #[allow(clippy::cast_precision_loss)] // Small k.
        let line = row.pass.iter().map(|p| (p.k as f64, p.pass_at_k)).collect();
        chart = chart.series(Series::line(format!("round {name}"), line).marked());
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
    let results = Rounds {
        weighting,
        rounds: rows,
    };
    run.finish(&results, || page, &table.render(crate::output::width()))
}
