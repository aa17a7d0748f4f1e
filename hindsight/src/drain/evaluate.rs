//! `hindsight drain evaluate`.

use std::path::{Path, PathBuf};

use ::drain::io::log;
use ::drain::model::{DrainModel, Evaluation, Search, Training};
use ::drain::protocol::{Findings, Study};
use report::number::{fixed, percent, significant};
use report::{Page, Table, figures};

use super::{Common, Stores, charts, wrong};
use crate::device::Choice;
use crate::document::Run;
use crate::error::{CliError, Complain as _};

const EXAMPLES: &str = "\
Examples:
  The whole protocol on the bundled stores:
    hindsight drain evaluate --report drain.html

  A saved model on your own log:
    hindsight drain evaluate --model model.txt --input log.jsonl";

/// Arguments of `hindsight drain evaluate`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    device: Choice,
    /// A model that `fit` has saved; needs --input.
    #[arg(long, value_name = "FILE", requires = "input")]
    model: Option<PathBuf>,
    /// Steps of training in the protocol.
    #[arg(long, default_value_t = 600)]
    steps: usize,
    /// Logged states in the protocol.
    #[arg(long, default_value_t = 800)]
    states: usize,
}

/// Samples of each state.
pub(super) const SAMPLES: usize = 64;
pub(super) const CAPTION: &str = "Errors of units by warehouse as shares of all units, of all money of a period, and the mean error of money. The energy score is the fair one, in \
     shares of demand; its gain is over the same samples with every warehouse shuffled by itself.";

/// Runs `hindsight drain evaluate`.
pub(super) fn run(args: &Args) -> Result<(), CliError> {
    let run = args.common.begin("drain evaluate", args.model.as_deref())?;
    match (&args.common.input, &args.model) {
        (Some(input), Some(model)) => saved(&run, args, input, model),
        (Some(_), None) => Err(CliError::Input(
            "--input needs --model: the model that is judged on it".to_owned(),
        )),
        (None, _) => protocol(&run, args),
    }
}

fn saved(run: &Run, args: &Args, input: &Path, model: &Path) -> Result<(), CliError> {
    let seed = args.common.seed.seed;
    let log = super::read(run.inputs(), input, log)?;
    let mut text = String::new();
    std::io::Read::read_to_string(&mut run.inputs().open(model)?, &mut text)
        .map_err(|e| CliError::reading(model, &e))?;
    let about = |e: ::drain::DrainError| crate::error::Place::file(model).error(e);
    let found = DrainModel::from_text(&text).map_err(about)?;
    let device = run.device(args.device, None)?;
    let forecasts = found
        .forecast(log.costs(), log.states(), SAMPLES, seed, &device)
        .map_err(about)?;
    let evaluation = Evaluation::of(&log, &forecasts).map_err(wrong)?;
    let words = format!(
        "{} on {} periods of {}",
        model.display(),
        log.states().len(),
        input.display()
    );
    let table = table(&[("drain model", &evaluation)]);
    let finding = finding(&evaluation);
    let shown = format!(
        "{finding}\n\n{}\n{words}.\n",
        table.render(crate::output::width())
    );
    let page = || {
        let mut page = Page::new("A drain model on a log", words.clone());
        page.note(&finding).section("Errors").table(&table, CAPTION);
        calibration(&mut page, &evaluation);
        page
    };
    run.finish(&evaluation, page, &shown)
}

fn protocol(run: &Run, args: &Args) -> Result<(), CliError> {
    let stores = Stores::open(run.inputs())?;
    let seed = args.common.seed.seed;
    let study = Study {
        states: args.states,
        test_states: args.states.div_ceil(3),
        refits: 1,
        training: Training {
            steps: args.steps,
            seed,
            ..Training::default()
        },
        search: Search {
            steps: args.steps.min(Search::default().steps),
            ..Search::default()
        },
        seed,
        ..Study::default()
    };
    let device = run.device(args.device, None)?;
    let (found, _) = study.run(&stores.world, &device, |_| ()).map_err(wrong)?;
    let errors = table(&[
        ("drain model", &found.in_distribution),
        ("quantile regression", &found.quantile_regression),
        ("drain model, refitted", &found.after),
    ]);
    let distances = charts::by_distance(&[
        ("logged placements", &found.by_distance),
        ("other placements", &found.rounds[0].by_distance),
        (
            "the same, refitted",
            &found.rounds[found.rounds.len() - 1].by_distance,
        ),
    ]);
    let placed = placed(&found);
    let width = crate::output::width();
    let shown = [&errors, &distances, &placed]
        .map(|t| t.render(width))
        .join("\n");
    let finding = worth(&found);
    let text = format!("{finding}\n\n{shown}\n{}.\n", stores.words);
    let before = &found.rounds[0].proportional.placement.levels;
    let after = &found.rounds[found.rounds.len() - 1]
        .optimised
        .placement
        .levels;
    let maps = [
        charts::map(
            "Stock where demand is: the cheapest plan for a week of a quarter more than mean demand.",
            &stores,
            before,
        )?,
        charts::map("Stock placed in the model: the same week.", &stores, after)?,
    ];
    let page = || {
        let mut page = Page::new(
            "Which warehouse ships, and at what cost",
            stores.words.clone(),
        );
        page.note(&finding)
            .section("Errors on states of the same kind")
            .table(&errors, CAPTION);
        calibration(&mut page, &found.in_distribution);
        page.section("Errors in and out of distribution").table(
            &distances,
            "By the distance of stock from the nearest state of the training log.",
        );
        page.section("Placement before and after").table(&placed, "Money a week, lost units included. The gap is how much dearer the optimised placement is than the model says.");
        let mut list = vec![(
            "where demand is".to_owned(),
            &found.rounds[0].proportional.placement,
        )];
        let rounds = found.rounds.iter().enumerate();
        list.extend(rounds.map(|(k, r)| (charts::stage(k), &r.optimised.placement)));
        page.figure(
            &charts::placements(&list),
            "Order-up-to levels; the budget is the same.",
        );
        page.figure(
            &charts::ranking(&found.rounds),
            "Each point is a placement, 26 weeks.",
        );
        page.section("Maps of flows");
        for map in &maps {
            page.figure(map, map.title());
        }
        page
    };
    run.finish(&found, page, &text)
}

/// How far forecasts are off, beside the best rule.
pub(super) fn finding(e: &Evaluation) -> String {
    let rules = e.baseline_wape.iter().copied().chain([e.last_period_wape]);
    format!(
        "Units by warehouse are forecast with an error of {}, by the best rule with {}; intervals of 80 % cover {}.",
        percent(e.wape, 1),
        percent(rules.fold(f64::INFINITY, f64::min), 1),
        percent(e.coverage[1].share, 1)
    )
}

/// What the placement that was optimised in the model is worth by the referee, and how far the model flattered it.
fn worth(found: &Findings) -> String {
    let before = &found.rounds[0].proportional;
    let after = &found.rounds[found.rounds.len() - 1].optimised;
    format!(
        "By the referee, stock placed in the model costs {} a week, stock where demand is {} ({}); the model said {}, and the referee is {} {} it.",
        fixed(after.referee, 1),
        fixed(before.referee, 1),
        percent(after.referee / before.referee - 1.0, 1),
        fixed(after.model, 1),
        percent((after.referee / after.model - 1.0).abs(), 1),
        if after.referee < after.model {
            "below"
        } else {
            "above"
        }
    )
}

/// Errors of forecasts, a row each, and those of the rules.
pub(super) fn table(list: &[(&str, &Evaluation)]) -> Table {
    let names = [
        "forecast",
        "units",
        "money",
        "bias",
        "energy score",
        "joint gain",
        "covered at 80 %",
    ];
    let mut table = Table::numbers(names);
    for (name, e) in list {
        let gain = format!(
            "{} ± {}",
            percent(e.joint_skill.skill, 2),
            percent(1.96 * e.joint_skill.standard_error, 2)
        );
        let row = [
            percent(e.wape, 1),
            percent(e.cost_wape, 1),
            percent(e.cost_bias, 1),
            significant(e.energy, 4),
            gain,
            percent(e.coverage[1].share, 1),
        ];
        table.row(std::iter::once((*name).to_owned()).chain(row));
    }
    table.rule();
    for (_, e) in list.iter().take(1) {
        let rules = [
            "in proportion to stock",
            "nearest first",
            "linear programme",
        ]
        .into_iter()
        .zip(&e.baseline_wape);
        for (name, wape) in rules.chain([("shares of the last period", &e.last_period_wape)]) {
            table.row(
                std::iter::once(name.to_owned())
                    .chain([percent(*wape, 1)])
                    .chain(std::iter::repeat_n(String::new(), 5)),
            );
        }
    }
    table
}

/// Adds the figures of calibration to a page.
pub(super) fn calibration(page: &mut Page, e: &Evaluation) {
    let [pit, reliability] = figures::calibration(&e.pit, &e.reliability);
    page.section("Calibration").figure(&pit, "Units by warehouse among the samples: flat where forecasts are calibrated; atoms are spread at random.");
    page.figure(&reliability, "Shares of outcomes below each quantile.");
}

fn placed(found: &Findings) -> Table {
    let names = [
        "placement",
        "by the model",
        "by the referee",
        "gap",
        "rank correlation of placements",
    ];
    let mut table = Table::numbers(names);
    let first = &found.rounds[0].proportional;
    let gap = |j: &::drain::protocol::Judged| percent(j.referee / j.model - 1.0, 1);
    let row = |name: String, j: &::drain::protocol::Judged, rank: String| {
        [name, fixed(j.model, 1), fixed(j.referee, 1), gap(j), rank]
    };
    table.row(row("where demand is".to_owned(), first, String::new()));
    for (k, round) in found.rounds.iter().enumerate() {
        table.row(row(
            format!("optimised, {}", charts::stage(k)),
            &round.optimised,
            fixed(round.spearman, 3),
        ));
    }
    table
}
