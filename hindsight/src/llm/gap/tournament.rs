//! A verifier that compares two responses at a time.

use std::path::Path;

use llm_metrics::verification::{Contestants, GapEstimate, GapStudySettings, VerifierGap};
use llm_metrics::{Error, stats::Interval};

use super::super::plots;
use super::{Args, fault, opened, points};
use crate::document::Run;
use crate::error::{CliError, Complain as _, Place};
use report::number::{interval, percent};
use report::{Axis, Column, Page, Series, Table, XyChart};

/// What is stored.
#[derive(Debug, serde::Serialize)]
struct Tournament<'a> {
    tournament: String,
    recorded: bool,
    level: f64,
    rounds: Vec<Standing<'a>>,
}

/// The gap after one round.
#[derive(Debug, serde::Serialize)]
struct Standing<'a> {
    round: u32,
    estimate: &'a GapEstimate,
    interval: Interval,
    relative_interval: Option<Interval>,
}

/// Judges the survivors of every round and reports them.
pub(super) fn run(
    args: &Args,
    file: &Path,
    settings: &GapStudySettings,
    run: &Run,
) -> Result<(), CliError> {
    let fields = [&args.prompt, &args.utility, &args.response].map(String::as_str);
    let log = opened(run.inputs(), &args.file)?;
    let all =
        Contestants::read(log, fields, args.filter.as_deref()).map_err(|e| fault(&args.file, e))?;
    let word = |e| match e {
        Error::NoComparison { .. } => Place::file(file).error(format!(
            "{e} (a tournament played elsewhere needs the field round)"
        )),
        other => fault(file, other),
    };
    let games = all.comparisons(opened(run.inputs(), file)?).map_err(word)?;
    let rounds = games.rounds(settings.seed).map_err(word)?;
    let judged = rounds
        .iter()
        .map(|w| VerifierGap::new(("", "tournament"), &all.responses, w, settings));
    let estimates = judged.collect::<Result<Vec<_>, _>>();
    let estimates = estimates.map_err(|e| fault(&args.file, e))?;
    report(args, file, &estimates, games.recorded, run)
}

fn report(
    args: &Args,
    file: &Path,
    estimates: &[VerifierGap],
    recorded: bool,
    run: &Run,
) -> Result<(), CliError> {
    let level = 100.0 * args.uncertainty.level;
    let mut table = Table::new([
        Column::number("rounds"),
        Column::number("kept"),
        Column::number("utility %"),
        Column::number("filtered %"),
        Column::number("gap, points"),
        Column::number(format!("{level:.0} % interval")),
        Column::number("relative %"),
        Column::number("pooled %").optional(),
    ]);
    let (mut line, mut band) = (vec![(0.0, 0.0)], vec![(0.0, 0.0, 0.0)]);
    for (round, e) in (1u32..).zip(estimates) {
        let (g, ends) = (
            &e.estimate,
            (100.0 * e.interval.lower, 100.0 * e.interval.upper),
        );
        table.row([
            round.to_string(),
            percent(g.kept, 1),
            points(g.base),
            points(g.filtered),
            points(g.gap),
            interval(ends.0, ends.1, 2),
            points(g.relative),
            points(g.pooled),
        ]);
        line.push((f64::from(round), 100.0 * g.gap));
        band.push((f64::from(round), ends.0, ends.1));
    }
    let first = estimates.first().map(|e| &e.estimate);
    let words = format!(
        "{} prompts, {} responses; {}. Intervals by bootstrap over prompts, relative gap in per cent: the mean of the prompts' ratios.",
        first.map_or(0, |g| g.prompts),
        first.map_or(0, |g| g.responses),
        if recorded {
            "survivors of the recorded games; a response without a game goes through".to_owned()
        } else {
            format!(
                "pairs drawn with seed {}; with an odd number one goes through without a game",
                args.uncertainty.seed.seed
            )
        }
    );
    let ticks = plots::ticks(0..=estimates.len());
    let chart = XyChart::new(
        "Gap and rounds",
        Axis::linear("Rounds of the tournament").ticks(ticks),
        Axis::linear("Gap, percentage points").with_zero(),
    )
    .series(Series::line("gap", line).band(band));
    let mut page = Page::new("Generation-verification gap of a tournament", words.clone());
    page.section("Gap");
    page.figure(
        &chart.svg(),
        &format!("Gain in utility by keeping the survivors, with {level:.0} % bootstrap intervals over prompts."),
    );
    page.table(&table, "Gap after each round.");
    let rounds = (1u32..).zip(estimates).map(|(round, e)| Standing {
        round,
        estimate: &e.estimate,
        interval: e.interval,
        relative_interval: e.relative_interval,
    });
    let results = Tournament {
        tournament: file.display().to_string(),
        recorded,
        level: args.uncertainty.level,
        rounds: rounds.collect(),
    };
    let text = format!("{}\n{words}", table.render(crate::output::width()));
    run.finish(&results, || page, &text)
}
