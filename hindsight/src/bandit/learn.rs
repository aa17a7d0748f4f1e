//! `hindsight bandit learn`.

use std::path::PathBuf;

use bandit_eval::io::{ArmColumns, ArmLog};
use bandit_eval::learn::{Contest, Exploration, Standing};
use report::number::{count, significant};
use report::{Axis, Column, Page, Series, Svg, Table, XyChart};

use crate::document::{Outputs, Run, Seed};
use crate::error::{CliError, Complain as _, Place};

const EXAMPLES: &str = "\
Examples:
  The bundled made-up log (a shop that orders little, the usual or much):
    hindsight bandit learn

  Your own log, with a page:
    hindsight bandit learn log.csv --report learnt.html

  Other columns, and three quarters of the rounds to learn from:
    hindsight bandit learn log.csv --action price --reward margin --propensity p --context x_ --share 0.75

  Results for another program:
    hindsight bandit learn log.csv --json - | jq '.learnt[] | {learner, lower: .improvement.lower}'";

/// Arguments of `hindsight bandit learn`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// Log with a row per round (CSV or JSON lines), the earliest first: action, reward, propensity, context_NAME. Without it a bundled made-up log is used
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Column of the logged action
    #[arg(long, default_value = "action", value_name = "COLUMN")]
    action: String,
    /// Column of the reward
    #[arg(long, default_value = "reward", value_name = "COLUMN")]
    reward: String,
    /// Column of the propensity
    #[arg(long, default_value = "propensity", value_name = "COLUMN")]
    propensity: String,
    /// Beginning of the columns with the context
    #[arg(long, default_value = "context_", value_name = "PREFIX")]
    context: String,
    /// Share of the rounds, the earliest, that is learnt from; the others judge
    #[arg(long, default_value_t = 0.5)]
    share: f64,
    /// Level of the bounds, of all learners together
    #[arg(long, default_value_t = 0.95)]
    level: f64,
    /// Optimism of LinUCB, in standard errors
    #[arg(long, default_value_t = Exploration::default().alpha)]
    alpha: f64,
    /// Scale of LinTS's posterior, in standard deviations of the reward
    #[arg(long, default_value_t = Exploration::default().scale)]
    scale: f64,
    /// Greed of SquareCB
    #[arg(long, default_value_t = Exploration::default().gamma)]
    gamma: f64,
    /// Share of rounds by lot of epsilon-greedy
    #[arg(long, default_value_t = Exploration::default().epsilon)]
    epsilon: f64,
    #[command(flatten)]
    seed: Seed,
    #[command(flatten)]
    outputs: Outputs,
}

/// Runs `hindsight bandit learn`.
pub(super) fn run(args: &Args) -> Result<(), CliError> {
    let seed = args.seed.seed;
    let run = Run::begin(
        "bandit learn",
        &args.outputs,
        Some(seed),
        args.file.as_deref(),
    )?;
    let columns = ArmColumns {
        arm: args.action.clone(),
        propensity: args.propensity.clone(),
        reward: args.reward.clone(),
        context: args.context.clone(),
        ..ArmColumns::rounds()
    };
    let (name, reader) = super::opened(run.inputs(), args.file.as_deref())?;
    let log = ArmLog::read(reader, &columns).map_err(|e| super::fault(&name, e))?;
    let contest = Contest {
        share: args.share,
        level: args.level,
        seed,
        exploration: Exploration {
            alpha: args.alpha,
            scale: args.scale,
            gamma: args.gamma,
            epsilon: args.epsilon,
            ..Exploration::default()
        },
        ..Contest::default()
    };
    let rounds = log.rounds();
    let standing = rounds.history().and_then(|history| contest.run(&history));
    let standing = standing.map_err(|e| Place::file(&name).error(e))?;
    let table = table(&standing);
    let lead = format!(
        "{}: the first {} rounds, which earned {} each, are learnt from, the {} after them judge",
        name.display(),
        count(standing.learning),
        significant(standing.logged, 4),
        count(standing.judging),
    );
    let finding = std::iter::once(standing.finding(&log.arms));
    let notes: Vec<String> = finding.chain(standing.refusals()).collect();
    let text = format!(
        "{}\n{lead}.\n{}\n",
        table.render(crate::output::width()),
        notes.join("\n")
    );
    let mut page = Page::new("What could have been learnt from the log", lead);
    notes.iter().for_each(|note| _ = page.note(note));
    page.section("While learning").table(&table, "While learning: the mean reward of each learner where it acts as was logged, which is what it would have earned. Gain: what its final policy earns more a round than the policy of the log, doubly robust, on the rounds that it has not seen.")
        .section("How learning went")
        .figure(&curves(&standing), "Mean reward in each tenth of the rounds that a learner went through, against the mean of the log.");
    run.finish(&standing, || page, &text)
}

fn table(standing: &Standing) -> Table {
    let mut table = Table::new([
        Column::text("learner"),
        Column::number("rounds").optional(),
        Column::number("while learning"),
        Column::number("interval").optional(),
        Column::number("gain"),
        Column::number("interval"),
        Column::number("at least"),
    ]);
    for one in &standing.learnt {
        let mut row = vec![one.learner.to_owned()];
        if let (Some(replay), Some(ends)) = (&one.replay, one.interval) {
            let [value, ends] = super::shown(replay.reward, ends);
            row.extend([replay.accepted.to_string(), value, ends]);
        } else {
            row.extend([const { String::new() }; 3]);
        }
        if let Some(found) = &one.improvement {
            let [value, ends] = super::shown(found.gain, found.interval);
            let [lower, _] = super::shown(found.lower, found.interval);
            row.extend([value, ends, lower]);
        }
        table.row(row);
    }
    table
}

/// How the learners got on.
fn curves(standing: &Standing) -> Svg {
    let [x, y] = ["Rounds gone through", "Mean reward"].map(Axis::linear);
    let mut chart = XyChart::new("Reward while learning", x, y);
    let mut last = 0.0_f64;
    for (at, one) in standing.learnt.iter().enumerate() {
        if let Some(replay) = &one.replay {
            let stages = replay.stages.iter();
            let points = stages.map(|stage| (f64::from(stage.accepted), stage.reward));
            let points: Vec<_> = points.collect();
            last = points.last().map_or(last, |p| last.max(p.0));
            chart = chart.series(Series::line(one.learner, points).dash(at));
        }
    }
    let logged = vec![(0.0, standing.logged), (last, standing.logged)];
    chart
        .series(Series::line("the log", logged).ink(report::Ink::Muted))
        .svg()
}
