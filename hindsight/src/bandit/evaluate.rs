//! `hindsight bandit evaluate`.

use std::path::PathBuf;

use bandit_eval::Range;
use bandit_eval::io::{Columns, Finding, Findings, Study, Target};
use report::number::significant;
use report::{Axis, Column, Estimate, IntervalChart, Page, Table};

use crate::document::{Outputs, Run};
use crate::error::CliError;

const EXAMPLES: &str = "\
Examples:
  The bundled made-up log, as it is and by parts:
    hindsight bandit evaluate
    hindsight bandit evaluate --segment deal

  Your own log (action, reward, propensity, target_NAME), rewards known to lie in [0, 1]:
    hindsight bandit evaluate log.csv --range 0,1 --report value.html

  A policy that always takes one action, written in a column, with predicted rewards:
    hindsight bandit evaluate log.jsonl --target-action planned --predicted q_";

/// Arguments of `hindsight bandit evaluate`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// Log with a row per round: CSV or JSON lines. Without it a bundled made-up log is used, with its predicted rewards.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// The target policy: the beginning of its columns of probabilities, one per action (target_ for target_NAME).
    #[arg(long, default_value = "target_", value_name = "PREFIX")]
    target: String,
    /// The target policy is a column with the action that it takes.
    #[arg(long, value_name = "COLUMN", conflicts_with = "target")]
    target_action: Option<String>,
    /// The target policy takes each of so many actions alike.
    #[arg(long, value_name = "ACTIONS", conflicts_with_all = ["target", "target_action"])]
    uniform: Option<usize>,
    /// Column of the logged action.
    #[arg(long, default_value = "action", value_name = "COLUMN")]
    action: String,
    /// Column of the reward.
    #[arg(long, default_value = "reward", value_name = "COLUMN")]
    reward: String,
    /// Column of the propensity.
    #[arg(long, default_value = "propensity", value_name = "COLUMN")]
    propensity: String,
    /// Beginning of the columns with predicted rewards, by a model that has not seen these rounds.
    #[arg(long, value_name = "PREFIX")]
    predicted: Option<String>,
    /// Beginning of the columns with the logging policy's probabilities of all actions.
    #[arg(long, value_name = "PREFIX")]
    logging: Option<String>,
    /// Column that says to which part of the log a round belongs.
    #[arg(long, value_name = "COLUMN")]
    segment: Option<String>,
    /// Least and largest reward, and the largest weight if it is known: rounds outside are errors.
    #[arg(long, value_name = "MIN,MAX[,WEIGHT]", allow_hyphen_values = true)]
    range: Option<Range>,
    /// Level of the intervals.
    #[arg(long, default_value_t = 0.95)]
    level: f64,
    #[command(flatten)]
    outputs: Outputs,
}

/// Runs `hindsight bandit evaluate`.
pub(super) fn run(args: &Args) -> Result<(), CliError> {
    let run = Run::begin("bandit evaluate", &args.outputs, None, args.file.as_deref())?;
    let target = match (&args.target_action, args.uniform) {
        (Some(column), _) => Target::Action(column.clone()),
        (None, Some(actions)) => Target::Uniform(actions),
        (None, None) => Target::Probabilities(args.target.clone()),
    };
    let columns = Columns {
        target,
        action: args.action.clone(),
        reward: args.reward.clone(),
        propensity: args.propensity.clone(),
        predicted: match (&args.file, &args.predicted) {
            (None, None) => Some("predicted_".to_owned()),
            (_, named) => named.clone(),
        },
        logging: args.logging.clone(),
        segment: args.segment.clone(),
    };
    let study = Study {
        columns,
        range: args.range,
        level: args.level,
        ..Study::default()
    };
    let (name, reader) = super::opened(run.inputs(), args.file.as_deref())?;
    let found = study.run(reader).map_err(|e| super::fault(&name, e))?;
    let names = ["part", "estimator", "value", "interval", "at any time"];
    // A log that is not cut into parts needs no word for the whole of it.
    let whole = found.segments.is_empty();
    let mut table = Table::new(names.map(Column::text).into_iter().skip(usize::from(whole)));
    let mut refusals = Vec::new();
    let logged = format!("the log, {}", significant(found.logged, 4));
    let mut chart =
        IntervalChart::new("Reward of the other policy", Axis::linear("Reward a round"))
            .reference(found.logged, logged);
    for (part, f) in found.by_part() {
        let [value, look, ever] = match (f.value, f.interval, f.anytime) {
            (Some(worth), Some(ends), Some(ever)) => {
                let [value, look] = super::shown(worth, ends);
                let [_, ever] = super::shown(0.0, ever);
                let name = format!("{part}: {}", f.estimator);
                let name = name.strip_prefix("all: ").unwrap_or(&name);
                let (ends, text) = (Some((ends.lower, ends.upper)), format!("{value} {look}"));
                chart = chart.row(Estimate::new(name, worth, ends, text));
                [value, look, ever]
            }
            _ => ["none", "", ""].map(str::to_owned),
        };
        let cells = [part.to_owned(), f.estimator.clone(), value, look, ever];
        table.row(cells.into_iter().skip(usize::from(whole)));
        refusals.extend(f.refusal.iter().map(|why| format!("{part}: {why}")));
    }
    let (name, weights) = (name.display(), &found.diagnostics);
    let log =
        format!("{name}: {weights}. Rounds are taken as independent: contextual, not sequential.");
    let shown = table.render(crate::output::width());
    let finding = finding(&found, args.segment.as_deref());
    let text = format!("{finding}\n\n{shown}\n{log}\n{}\n", refusals.join(".\n"));
    let mut page = Page::new("What another policy would have earned", &log);
    let caption = "Reward a round of the other policy by each estimator, with intervals.";
    let parts = "Parts are read together, at a level corrected for their number.";
    page.note(&finding)
        .section("Estimates")
        .figure(&chart.svg(), caption)
        .table(&table, if whole { caption } else { parts });
    for why in refusals {
        page.note(&why);
    }
    run.finish(&found, || page, &text)
}

/// What the other policy would have earned, in the whole log and in the parts where that is least and most.
fn finding(found: &Findings, segment: Option<&str>) -> String {
    let told = |f: &Finding| Some(super::shown(f.value?, f.interval?).join(" "));
    let best = found.preferred().and_then(|best| Some((best, told(best)?)));
    let Some((best, earned)) = best else {
        return "This log cannot tell what the other policy would have earned.".to_owned();
    };
    let (by, logged) = (&best.estimator, significant(found.logged, 4));
    let parts = segment.zip(found.extremes(by)).map(|(column, ends)| {
        let worth = |f| told(f).unwrap_or_default();
        let [least, most] = ends.map(|(part, f)| format!("{} where {column} is {part}", worth(f)));
        format!(", from {least} to {most}")
    });
    let parts = parts.unwrap_or_default();
    format!(
        "The other policy would have earned {earned} a round ({by}){parts}; the log earned {logged}."
    )
}
