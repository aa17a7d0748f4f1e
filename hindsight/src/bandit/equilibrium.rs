//! `hindsight bandit equilibrium`.

use std::path::PathBuf;

use bandit_eval::equilibrium::{Gap, MapClass, Question};
use bandit_eval::io::{ArmColumns, ArmLog};
use bandit_eval::model::{Folds, Ridge};
use report::number::{percent, significant};
use report::{Column, Page, Table};

use crate::document::{Outputs, Run, Seed};
use crate::error::{CliError, Place};

/// Arguments of `hindsight bandit equilibrium`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Log with a row per tried decision (CSV or JSON lines): product, arm (keep for none), propensity, reward of the window behind it, context_NAME.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Gain per decision that is worth a change.
    #[arg(long, default_value_t = 0.0)]
    material: f64,
    /// Level of the bounds.
    #[arg(long, default_value_t = 0.95)]
    level: f64,
    #[command(flatten)]
    seed: Seed,
    #[command(flatten)]
    outputs: Outputs,
}

/// What is stored.
#[derive(Debug, serde::Serialize)]
struct Gaps {
    arms: Vec<String>,
    contexts: Vec<String>,
    gaps: Vec<(&'static str, Gap)>,
}

/// Runs `hindsight bandit equilibrium`.
pub(super) fn run(args: &Args) -> Result<(), CliError> {
    let seed = args.seed.seed;
    let run = Run::begin(
        "bandit equilibrium",
        &args.outputs,
        Some(seed),
        [args.file.as_path()],
    )?;
    let log = ArmLog::read(
        super::opened(run.inputs(), &args.file)?,
        &ArmColumns::default(),
    )
    .map_err(|e| super::fault(&args.file, e))?;
    let question = Question {
        seed,
        level: args.level,
        material: args.material,
        ..Question::default()
    };
    let classes = [
        ("one arm for all", MapClass::Global),
        ("by the first context", MapClass::Tabular),
        ("linear", MapClass::Linear { penalty: 1.0 }),
        (
            "tree",
            MapClass::Tree {
                depth: 2,
                least: 50,
            },
        ),
    ];
    let gaps = Ridge::new(1.0).and_then(|learner| {
        let table = log.table(
            &learner,
            Folds {
                count: 5,
                seed,
                groups: None,
            },
        )?;
        classes
            .into_iter()
            .map(|(name, class)| Ok((name, table.gap(class, &question)?)))
            .collect::<Result<Vec<_>, _>>()
    });
    let gaps = gaps.map_err(|e| Place::file(&args.file).error(e))?;
    let names = [
        "maps",
        "gain per decision",
        "at least",
        "at most",
        "changed",
        "material",
    ];
    let mut table = Table::new(names.map(Column::text));
    for (name, gap) in &gaps {
        let [gain, lower, upper] = [gap.gain, gap.lower, gap.upper].map(|x| significant(x, 4));
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
        log.decisions(),
        log.arms.len()
    );
    let text = format!("{}\n{lead}.", table.render(crate::output::width()));
    let mut page = Page::new("Could the policy be bettered in hindsight?", lead);
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
