//! Many problems on several threads, with the same bits for any number of them.

use std::num::NonZeroUsize;

use super::Solver;
use super::plan::Plan;
use super::problem::Fulfilment;
use super::simplex::NetworkSimplex;
use crate::error::{Cut, DrainError};

/// What a scenario changes of a problem; `None` keeps it.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Scenario {
    /// Units on hand by warehouse.
    pub stock: Option<Vec<f64>>,
    /// Units asked for by region.
    pub demand: Option<Vec<f64>>,
    /// Money per unit, row by row; infinite bans the arc.
    pub cost: Option<Vec<f64>>,
}

impl Scenario {
    /// Other demand, all else the same.
    #[must_use]
    pub fn demand(demand: Vec<f64>) -> Self {
        Self {
            demand: Some(demand),
            ..Self::default()
        }
    }
}

/// The optimum of each problem by itself, in order.
///
/// ```
/// use std::num::NonZeroUsize;
/// use hindsight_drain::fulfilment::{Fulfilment, solve_all};
/// let problems = vec![
///     Fulfilment::new(vec![3.0], vec![2.0], vec![1.5])?,
///     Fulfilment::new(vec![1.0], vec![2.0], vec![1.5])?,
/// ];
/// let plans = solve_all(&problems, NonZeroUsize::new(2).unwrap());
/// assert_eq!(plans[0].as_ref().unwrap().cost, 3.0);
/// assert!(plans[1].is_err()); // one unit short
/// # Ok::<(), hindsight_drain::DrainError>(())
/// ```
#[must_use]
pub fn solve_all(problems: &[Fulfilment], threads: NonZeroUsize) -> Vec<Result<Plan, DrainError>> {
    parallel(problems, threads, NetworkSimplex::new, |solver, problem| {
        solver.solve(problem)
    })
}

/// What a programme comes to.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Answer {
    /// The cheapest plan.
    Optimal(Plan),
    /// There is none, for this reason.
    Infeasible(Cut),
}

/// As [`solve_all`], where a programme without a plan is an answer too.
///
/// # Errors
/// The first failure of another kind.
///
/// ```
/// use std::num::NonZeroUsize;
/// use hindsight_drain::fulfilment::{Answer, Fulfilment, answer_all};
/// let short = Fulfilment::new(vec![1.0], vec![2.0], vec![1.5])?;
/// let answers = answer_all(&[short], NonZeroUsize::MIN)?;
/// assert!(matches!(&answers[0], Answer::Infeasible(cut) if cut.shortfall == 1.0));
/// # Ok::<(), hindsight_drain::DrainError>(())
/// ```
pub fn answer_all(
    problems: &[Fulfilment],
    threads: NonZeroUsize,
) -> Result<Vec<Answer>, DrainError> {
    let plans = solve_all(problems, threads).into_iter();
    let answers = plans.map(|plan| match plan {
        Ok(plan) => Ok(Answer::Optimal(plan)),
        Err(DrainError::Infeasible(cut)) => Ok(Answer::Infeasible(cut)),
        Err(other) => Err(other),
    });
    answers.collect()
}

/// The optimum of `base` as each scenario changes it, in order; all start from the optimal basis of `base`.
///
/// Each answer depends on `base` and its scenario alone. Where `base` itself has no answer, scenarios start from greedy plans.
/// An error of one scenario, wrong input included, does not end the others.
///
/// ```
/// use std::num::NonZeroUsize;
/// use hindsight_drain::fulfilment::{Fulfilment, Scenario, solve_scenarios};
/// let base = Fulfilment::new(vec![5.0, 9.0], vec![4.0, 4.0], vec![1.0, 3.0, 2.0, 7.0])?;
/// let scenarios = [[4.0, 6.0], [1.0, 5.0]].map(|d| Scenario::demand(d.to_vec()));
/// let plans = solve_scenarios(&base, &scenarios, NonZeroUsize::MIN);
/// assert_eq!(plans[1].as_ref().unwrap().cost, 5.0 * 3.0 + 1.0 * 2.0);
/// # Ok::<(), hindsight_drain::DrainError>(())
/// ```
#[must_use]
pub fn solve_scenarios(
    base: &Fulfilment,
    scenarios: &[Scenario],
    threads: NonZeroUsize,
) -> Vec<Result<Plan, DrainError>> {
    map_scenarios(base, scenarios, threads, |plan| plan)
}

/// What `keep` takes of each answer of [`solve_scenarios`], in order; the plans themselves are not kept, so that thousands of large ones need no memory.
///
/// ```
/// use std::num::NonZeroUsize;
/// use hindsight_drain::fulfilment::{Fulfilment, Scenario, map_scenarios};
/// let base = Fulfilment::new(vec![5.0], vec![4.0], vec![2.0])?;
/// let scenarios = [1.0, 3.0].map(|d| Scenario::demand(vec![d]));
/// let costs = map_scenarios(&base, &scenarios, NonZeroUsize::MIN, |plan| plan.map(|p| p.cost));
/// assert_eq!(costs, [Ok(2.0), Ok(6.0)]);
/// # Ok::<(), hindsight_drain::DrainError>(())
/// ```
#[must_use]
pub fn map_scenarios<R: Send>(
    base: &Fulfilment,
    scenarios: &[Scenario],
    threads: NonZeroUsize,
    keep: impl Fn(Result<Plan, DrainError>) -> R + Sync,
) -> Vec<R> {
    let mut solver = NetworkSimplex::new();
    // A basis or none: scenarios may have answers although the base has none.
    let _ = solver.solve(base);
    // Whether the costs are not the base's.
    let start = || (base.clone(), false);
    let solve = |(problem, moved): &mut (Fulfilment, bool), scenario: &Scenario| {
        problem.set_stock(scenario.stock.as_deref().unwrap_or(base.stock()))?;
        problem.set_demand(scenario.demand.as_deref().unwrap_or(base.demand()))?;
        if *moved || scenario.cost.is_some() {
            problem.set_cost(scenario.cost.as_deref().unwrap_or(base.cost()))?;
            *moved = scenario.cost.is_some();
        }
        solver.resolve_from(problem)
    };
    parallel(scenarios, threads, start, |state, scenario| {
        keep(solve(state, scenario))
    })
}

/// One result a task, in order; every thread takes neighbouring tasks and makes itself a state.
fn parallel<T: Sync, S, R: Send>(
    tasks: &[T],
    threads: NonZeroUsize,
    state: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, &T) -> R + Sync,
) -> Vec<R> {
    let share = tasks.len().div_ceil(threads.get()).max(1);
    let run = |tasks: &[T]| {
        let mut state = state();
        tasks
            .iter()
            .map(|task| work(&mut state, task))
            .collect::<Vec<R>>()
    };
    if share >= tasks.len() {
        return run(tasks);
    }
    std::thread::scope(|scope| {
        let handles: Vec<_> = tasks
            .chunks(share)
            .map(|part| scope.spawn(|| run(part)))
            .collect();
        handles
            .into_iter()
            .flat_map(|handle| match handle.join() {
                Ok(results) => results,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    })
}
