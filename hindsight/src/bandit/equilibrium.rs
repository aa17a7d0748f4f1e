//! `hindsight bandit equilibrium`.

use std::path::{Path, PathBuf};

use bandit_eval::equilibrium::{Gap, Question, WindowGaps};
use bandit_eval::io::{ArmColumns, ArmLog};
use report::number::{count, decimals, fixed, percent, significant};
use report::{Column, Page, Table};

use crate::backtest::Job;
use crate::backtest::page::gaps;
use crate::document::{Outputs, Run};
use crate::error::{CliError, Complain as _, Place};

const EXAMPLES: &str = "\
Examples:
  The policies of a back-test of the bundled orange-juice data, or of your own file:
    hindsight bandit equilibrium
    hindsight bandit equilibrium --data sales.csv --planned promotion --origins 2

  A log of live exploration (product, arm, propensity, reward, context_NAME), with weeks:
    hindsight bandit equilibrium arms.csv --week-column week --material 0.1";

/// Arguments of `hindsight bandit equilibrium`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// Log with a row per tried decision (CSV or JSON lines): product, arm (keep for none), propensity, reward of the window behind it, context_NAME. Without it the policies of a
    /// back-test are asked, whose options follow.
    #[arg(value_name = "FILE", conflicts_with_all = ["data", "synthetic"])]
    file: Option<PathBuf>,
    /// Column of the log's week, a whole number: decisions of one week have luck in common.
    #[arg(long, value_name = "COLUMN", requires = "file")]
    week_column: Option<String>,
    /// Gain per decision that is worth a change.
    #[arg(long, default_value_t = 0.0)]
    material: f64,
    /// Level of the bounds.
    #[arg(long, default_value_t = 0.95)]
    level: f64,
    #[command(flatten)]
    job: Job,
    #[command(flatten)]
    outputs: Outputs,
}

const TITLE: &str = "Could the policies be bettered in hindsight?";

/// What is stored.
#[derive(Debug, serde::Serialize)]
struct Gaps {
    arms: Vec<String>,
    contexts: Vec<String>,
    gaps: Vec<(&'static str, Gap)>,
}

/// Runs `hindsight bandit equilibrium`.
pub(super) fn run(args: &Args) -> Result<(), CliError> {
    let seed = args.job.replay.seed.seed;
    let question = Question {
        seed,
        level: args.level,
        material: args.material,
        ..Question::default()
    };
    match &args.file {
        Some(file) => of_log(args, file, &question),
        None => of_backtest(args, question),
    }
}

/// The gaps of a back-test's policies.
fn of_backtest(args: &Args, question: Question) -> Result<(), CliError> {
    let asked = WindowGaps::new(question);
    let (run, document) = args.job.run("bandit equilibrium", &args.outputs, asked)?;
    let table = gaps::table(&document).render(crate::output::width());
    let words = gaps::words(&document);
    let mut page = Page::new(TITLE, document.scope());
    let finding = gaps::finding(&document);
    page.note(&finding);
    gaps::section(&mut page, &document);
    let text = format!("{finding}\n\n{table}\n{}.\n{words}\n", document.scope());
    run.finish(&document.gaps(), || page, &text)
}

/// The map with the highest lower bound, in a sentence.
fn log_finding(gaps: &[(&'static str, Gap)], question: &Question) -> Option<String> {
    let (name, gap) = gaps.iter().max_by(|a, b| a.1.lower.total_cmp(&b.1.lower))?;
    let digits = decimals(gap.interval.width());
    let judged = match gap.is_material() {
        true => "more than what is worth a change",
        false => "so that a gain worth a change is not shown",
    };
    Some(format!(
        "Of {} kinds of maps, each by itself, {name} gains most for sure: {} a decision, at least {} at a level of {}, {judged} ({}).",
        gaps.len(),
        fixed(gap.gain, digits),
        fixed(gap.lower, digits),
        percent(question.level, 0),
        significant(question.material, 3),
    ))
}

/// The gaps of the policy of a log.
fn of_log(args: &Args, file: &Path, question: &Question) -> Result<(), CliError> {
    let run = Run::begin(
        "bandit equilibrium",
        &args.outputs,
        Some(question.seed),
        [file],
    )?;
    let (name, reader) = super::opened(run.inputs(), Some(file))?;
    let columns = ArmColumns {
        week: args.week_column.clone(),
        ..ArmColumns::default()
    };
    let log = ArmLog::read(reader, &columns).map_err(|e| super::fault(&name, e))?;
    let gaps = log.gaps(question).map_err(|e| Place::file(file).error(e))?;
    let numbers = ["gain per decision", "at least", "at most", "changed"];
    let head = [Column::text("maps")].into_iter();
    let head = head.chain(numbers.map(Column::number));
    let mut table = Table::new(head.chain([Column::text("material")]));
    for (name, gap) in &gaps {
        let digits = decimals(gap.interval.width());
        let [gain, lower, upper] = [gap.gain, gap.lower, gap.upper].map(|x| fixed(x, digits));
        let material = if gap.is_material() {
            "yes"
        } else {
            "not shown"
        };
        table.row([
            (*name).to_owned(),
            gain,
            lower,
            upper,
            percent(gap.changed, 1),
            material.to_owned(),
        ]);
    }
    let lead = format!(
        "{} decisions, {} arms; half of the products choose a map, the others judge it",
        count(log.decisions()),
        log.arms.len()
    );
    let text = format!("{}\n{lead}.", table.render(crate::output::width()));
    let mut page = Page::new(TITLE, lead);
    if let Some(finding) = log_finding(&gaps, question) {
        page.note(&finding);
    }
    page.section("Gaps").table(&table, "Gain per decision of changing a small share of decisions, as each class of maps says; bounds on one side.");
    run.finish(
        &Gaps {
            arms: log.arms.clone(),
            contexts: log.contexts.clone(),
            gaps,
        },
        || page,
        &text,
    )
}
