//! `hindsight lost-sales`: the exact optimum of the lost-sales problem, and how far the known policies are from it.

mod demand;
mod rows;

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use exo_idp::exact::{ExactError, LostSales};
use exo_idp::train::{LostSalesPolicy, LostSalesTraining, train_lost_sales};
use serde::Serialize;

use crate::device::Choice;
use crate::document::{Outputs, Run, Seed};
use crate::error::CliError;
use crate::output;
use crate::progress::Progress;
use report::{Axis, BarChart, Column, Page, Table, Width, number};
use rows::Row;

const EXAMPLES: &str = "\
Examples:
  Poisson demand of 5 a period, a lead time of 2, a lost unit at 4:
    hindsight lost-sales --demand poisson:5 --lead-time 2 --penalty 4

  Demand as you have seen it, one whole number a line, known policies only:
    hindsight lost-sales --demand demand.txt --lead-time 3 --penalty 9 --steps 0

  The page with the costs of all policies:
    hindsight lost-sales --demand geometric:5 --lead-time 4 --penalty 19 --report lost-sales.html";

/// Arguments of `hindsight lost-sales`.
///
/// Each period: an order is placed after seeing the stock on hand and all outstanding orders; it is usable LEAD-TIME periods
/// later; demand comes; what is left costs the holding cost a unit, what is lost the penalty. Units are whole, purchase cost is zero, and
/// all figures are long-run averages a period, exact but for the stated tolerance.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// Demand of a period: poisson:MEAN, geometric:MEAN (from 0), negbin:MEAN,R (variance MEAN + MEAN^2/R), or a file with one
    /// observed demand, a whole number, on each line.
    #[arg(long, value_name = "LAW|FILE")]
    demand: String,
    /// Periods from order to use, 0 to 8; 0 serves the same period. Above 4 only small problems fit in memory.
    #[arg(long, value_name = "PERIODS")]
    lead_time: usize,
    /// Cost of a unit of demand that is lost.
    #[arg(long, value_name = "MONEY", allow_negative_numbers = true)]
    penalty: f64,
    /// Cost of a unit left over at the end of a period.
    #[arg(
        long,
        value_name = "MONEY",
        default_value_t = 1.0,
        allow_negative_numbers = true
    )]
    holding: f64,
    /// Steps of training of the neural policy, half of them with whole orders; 0 leaves it out.
    #[arg(long, value_name = "N", default_value_t = 1600)]
    steps: usize,
    #[command(flatten)]
    seed: Seed,
    #[command(flatten)]
    device: Choice,
    /// Threads to train on [default: all cores].
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    #[command(flatten)]
    outputs: Outputs,
}

/// Runs `hindsight lost-sales`.
pub(crate) fn run(args: &Args) -> Result<(), CliError> {
    let input = demand::file(&args.demand)?;
    let run = Run::begin("lost-sales", &args.outputs, Some(args.seed.seed), input)?;
    let results = watched(|progress| Results::new(args, &run, progress))?;
    run.finish(
        &results,
        || results.page(),
        &results.render(output::width()),
    )
}

/// The stages of the work, for the progress bar.
const STAGES: u64 = 6;

/// Runs `work` while a second thread keeps the progress bar moving: the solvers do not stop to say how far they are. A panic in `work`
/// ends that thread too, and goes on to the caller.
fn watched<T>(work: impl FnOnce(&Progress) -> T) -> T {
    /// Ends the second thread when it is dropped, by a panic too.
    struct Done<'a>(&'a AtomicBool);
    impl Drop for Done<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let progress = Progress::new("lost sales", Some(STAGES));
    let done = AtomicBool::new(false);
    let result = std::thread::scope(|scope| {
        let _done = Done(&done);
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                std::thread::park_timeout(Duration::from_millis(100));
                progress.step(0);
            }
        });
        work(&progress)
    });
    progress.finish();
    result
}

/// Everything the command says.
#[derive(Debug, Serialize)]
struct Results {
    problem: Problem,
    optimum: OptimumFigures,
    policies: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Problem {
    demand: String,
    mean: f64,
    standard_deviation: f64,
    lead_time: usize,
    holding: f64,
    penalty: f64,
}

#[derive(Debug, Serialize)]
struct OptimumFigures {
    cost: f64,
    lower_bound: f64,
    upper_bound: f64,
    states: usize,
    largest_order: u32,
    largest_position: u32,
}

/// The neural policy of a problem, if it is wanted; a problem whose demand is always zero has nothing to learn.
fn train(
    args: &Args,
    run: &Run,
    problem: &LostSales,
    progress: &Progress,
) -> Result<Option<LostSalesPolicy>, CliError> {
    if args.steps == 0 || problem.demand().mean() <= 0.0 {
        progress.step(1);
        return Ok(None);
    }
    let training = LostSalesTraining {
        steps: args.steps - args.steps / 2,
        rounded_steps: args.steps / 2,
        seed: args.seed.seed,
        ..LostSalesTraining::default()
    };
    let device = run.device(args.device, args.threads)?;
    let policy = train_lost_sales(problem, &training, &device, |step, cost| {
        if step % 20 == 0 {
            progress.note(format!(
                "training, step {step} of {}: {cost:.3}",
                args.steps
            ));
        }
        ControlFlow::Continue(())
    })
    .map_err(|error| CliError::Input(error.to_string()))?;
    progress.step(1);
    Ok(Some(policy))
}

impl Results {
    fn new(args: &Args, run: &Run, progress: &Progress) -> Result<Self, CliError> {
        let law = demand::parse(&args.demand, run.inputs())?;
        let problem = LostSales::new(law, args.lead_time, args.holding, args.penalty)
            .map_err(|error| explain(args, &error))?;
        let trained = train(args, run, &problem, progress)?;
        let comparison =
            rows::compare(&problem, progress).map_err(|error| explain(args, &error))?;
        let policies = rows::rows(&problem, &comparison, trained.as_ref())
            .map_err(|error| explain(args, &error))?;
        let (lower_bound, upper_bound) = comparison.optimum.bounds();
        Ok(Self {
            problem: Problem {
                demand: args.demand.clone(),
                mean: problem.demand().mean(),
                standard_deviation: problem.demand().variance().sqrt(),
                lead_time: args.lead_time,
                holding: args.holding,
                penalty: args.penalty,
            },
            optimum: OptimumFigures {
                cost: comparison.optimum.cost(),
                lower_bound,
                upper_bound,
                states: comparison.optimum.state_count(),
                largest_order: problem.order_bound(),
                largest_position: problem
                    .position_bound()
                    .map_err(|error| explain(args, &error))?,
            },
            policies,
        })
    }

    fn table(&self) -> Table {
        let mut table = Table::new([
            Column::text("policy"),
            Column::text("parameters"),
            Column::number("cost"),
            Column::number("gap"),
            Column::number("fill rate").optional(),
            Column::number("left over").optional(),
        ]);
        for row in &self.policies {
            table.row([
                row.policy.to_owned(),
                row.words(),
                row.cost
                    .map_or_else(|| "too large".to_owned(), |cost| number::fixed(cost, 4)),
                row.gap
                    .map_or_else(String::new, |gap| number::percent(gap, 2)),
                row.fill_rate
                    .map_or_else(String::new, |rate| number::percent(rate, 2)),
                row.left_over
                    .map_or_else(String::new, |left| number::fixed(left, 3)),
            ]);
        }
        table
    }

    /// The page: the gaps as bars, and the table.
    fn page(&self) -> Page {
        let gaps: Vec<(String, f64)> = self
            .policies
            .iter()
            .filter_map(|row| Some((row.policy.to_owned(), row.gap?)))
            .collect();
        let chart = BarChart::new(
            "Cost above the optimum",
            Axis::linear("Cost above the optimum").percent(),
            gaps.iter().map(|(policy, _)| policy.as_str()),
        )
        .series("gap", gaps.iter().map(|(_, gap)| *gap).collect());
        let mut page = Page::new("A lost-sales problem", self.problem_words());
        page.note(&self.finding()).section("The policies")
            .figure(
                &chart.svg(),
                "Long-run average cost of each policy above the optimum's, as a share of it; each policy at its best parameters.",
            )
            .table(&self.table(), &self.optimum_words());
        page
    }

    /// How near the policies come to the optimum.
    fn finding(&self) -> String {
        let gap = |row: &Row| row.gap.map(|gap| number::percent(gap, 2));
        let rules = self.policies.iter().filter(|row| row.policy != "optimal");
        let (trained, rules): (Vec<&Row>, Vec<&Row>) =
            rules.partition(|row| row.policy == "Direct Backprop");
        let known = rules.into_iter().filter(|row| row.gap.is_some());
        let best = known.min_by(|a, b| a.gap.unwrap_or(0.0).total_cmp(&b.gap.unwrap_or(0.0)));
        let mut words = format!(
            "The best that can be done costs {} a period",
            number::fixed(self.optimum.cost, 4)
        );
        if let Some((row, gap)) = best.and_then(|row| Some((row, gap(row)?))) {
            words.push_str(&format!(
                "; the best known rule, {}, costs {gap} more",
                row.policy
            ));
        }
        if let Some(gap) = trained.first().and_then(|row| gap(row)) {
            words.push_str(&format!("; the trained network {gap} more"));
        }
        words + "."
    }

    fn problem_words(&self) -> String {
        let Problem {
            demand,
            mean,
            standard_deviation,
            lead_time,
            holding,
            penalty,
        } = &self.problem;
        format!(
            "Lost sales, lead time {lead_time}, demand {demand} (mean {}, standard deviation {}), holding {holding}, penalty {penalty}.",
            number::significant(*mean, 4),
            number::significant(*standard_deviation, 4),
        )
    }

    fn optimum_words(&self) -> String {
        let OptimumFigures {
            lower_bound,
            upper_bound,
            states,
            ..
        } = &self.optimum;
        format!(
            "Cost and left-over units are long-run averages a period; gap is to the optimum, which lies in [{lower_bound:.7}, {upper_bound:.7}]\n\
             (dynamic programme over {} states).",
            number::fixed(f64::from(u32::try_from(*states).unwrap_or(u32::MAX)), 0),
        )
    }

    fn render(&self, width: Width) -> String {
        let (problem, optimum) = (self.problem_words(), self.optimum_words());
        let (finding, table) = (self.finding(), self.table().render(width));
        format!("{finding}\n\n{problem}\n\n{table}\n{optimum}\n")
    }
}

/// The library's error in the words of the command's arguments.
fn explain(args: &Args, error: &ExactError) -> CliError {
    match error {
        ExactError::NotPositive {
            name: "penalty", ..
        } => CliError::argument("--penalty", args.penalty, error),
        ExactError::NotPositive {
            name: "holding cost",
            ..
        } => CliError::argument("--holding", args.holding, error),
        ExactError::LeadTime { .. } => CliError::argument("--lead-time", args.lead_time, error),
        ExactError::NoDemand | ExactError::TooWide { .. } => {
            CliError::argument("--demand", &args.demand, error)
        }
        ExactError::TooManyStates { limit } => CliError::Input(format!(
            "--demand {} --lead-time {}: the exact programme needs more than {limit} states; shorten the lead time or count demand in \
             larger units",
            args.demand, args.lead_time
        )),
        other => CliError::System(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_in_the_work_reaches_the_caller() {
        let outcome = std::panic::catch_unwind(|| watched(|_| panic!("the solver's own")));
        let words = outcome.unwrap_err();
        assert_eq!(words.downcast_ref::<&str>(), Some(&"the solver's own"));
    }
}
