//! The policies of the table, each evaluated exactly.

use std::collections::BTreeMap;

use exo_idp::exact::{
    ChainOptions, ExactError, LostSales, Myopic, Optimum, SolveOptions, base_stock,
    capped_base_stock,
};
use exo_idp::train::LostSalesPolicy;
use serde::Serialize;

use crate::progress::Progress;

/// One policy of the table; figures are missing where its chain of states does not fit in memory.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Row {
    pub(super) policy: &'static str,
    pub(super) parameters: BTreeMap<&'static str, u32>,
    /// Money a period.
    pub(super) cost: Option<f64>,
    /// Cost above the optimum, as a share of it.
    pub(super) gap: Option<f64>,
    /// Share of demand served.
    pub(super) fill_rate: Option<f64>,
    /// Units left at the end of a period.
    pub(super) left_over: Option<f64>,
}

/// The optimum and the rows, the optimum's first.
#[derive(Debug)]
pub(super) struct Exact {
    pub(super) optimum: Optimum,
    pub(super) rows: Vec<Row>,
}

impl Exact {
    /// Solves the problem and evaluates every policy at its best parameters.
    pub(super) fn solve(
        problem: &LostSales,
        trained: Option<&LostSalesPolicy>,
        progress: &Progress,
    ) -> Result<Self, ExactError> {
        let options = ChainOptions::default();
        progress.note("optimal policy");
        let optimum = problem.solve(&SolveOptions::default())?;
        let best = optimum.cost();
        // The optimal policy never leaves the states of its programme.
        let mut rows = vec![row(problem, best, "optimal", &[], |state| {
            optimum.order(state).unwrap_or(0)
        })?];
        if let Some(policy) = trained {
            rows.push(row(problem, best, "Direct Backprop", &[], |state| {
                policy.order(state)
            })?);
        }
        progress.step(1);
        progress.note("base stock");
        let plain = fits(problem.best_base_stock(&options))?;
        progress.step(1);
        progress.note("capped base stock");
        let capped = match plain {
            Some(plain) => fits(problem.best_capped_base_stock_near(plain, &options))?,
            None => None,
        };
        rows.push(match capped {
            Some(((level, cap), _)) => row(
                problem,
                best,
                "capped base stock",
                &[("level", level), ("cap", cap)],
                capped_base_stock(level, cap),
            )?,
            None => Row::missing("capped base stock"),
        });
        rows.push(match plain {
            Some((level, _)) => row(
                problem,
                best,
                "base stock",
                &[("level", level)],
                base_stock(level),
            )?,
            None => Row::missing("base stock"),
        });
        progress.step(1);
        progress.note("myopic");
        let myopic = Myopic::new(problem);
        rows.push(row(problem, best, "myopic", &[], |state| {
            myopic.order(state)
        })?);
        progress.step(1);
        progress.note("constant order");
        rows.push(match fits(problem.best_constant_order())? {
            Some((order, cost)) => {
                // What is not ordered is lost, and what the penalty does not explain is held.
                let lost = problem.demand().mean() - f64::from(order);
                Row {
                    policy: "constant order",
                    parameters: BTreeMap::from([("order", order)]),
                    cost: Some(cost),
                    gap: gap(problem, cost, best),
                    fill_rate: Some(1.0 - lost / problem.demand().mean()),
                    left_over: Some((cost - problem.penalty() * lost) / problem.holding()),
                }
            }
            None => Row::missing("constant order"),
        });
        progress.step(1);
        Ok(Self { optimum, rows })
    }
}

impl Row {
    /// The parameters in words.
    pub(super) fn words(&self) -> String {
        let words: Vec<String> = self
            .parameters
            .iter()
            .rev()
            .map(|(name, value)| format!("{name} {value}"))
            .collect();
        words.join(", ")
    }

    fn missing(policy: &'static str) -> Self {
        Self {
            policy,
            parameters: BTreeMap::new(),
            cost: None,
            gap: None,
            fill_rate: None,
            left_over: None,
        }
    }
}

/// The row of any policy over whole states (on hand, then the pipeline, oldest first), `best` being the optimal cost.
pub(super) fn row(
    problem: &LostSales,
    best: f64,
    policy: &'static str,
    parameters: &[(&'static str, u32)],
    order: impl Fn(&[u32]) -> u32,
) -> Result<Row, ExactError> {
    let options = ChainOptions::default();
    let Some(chain) = fits(problem.chain(order, &options))? else {
        return Ok(Row {
            parameters: parameters.iter().copied().collect(),
            ..Row::missing(policy)
        });
    };
    let cost = chain.evaluate(&options)?.cost;
    let averages = chain.stationary(&options)?;
    Ok(Row {
        policy,
        parameters: parameters.iter().copied().collect(),
        cost: Some(cost),
        gap: gap(problem, cost, best),
        fill_rate: Some(averages.fill_rate),
        left_over: Some(averages.left),
    })
}

/// The cost above the optimum as a share of it; none where the optimum costs nothing but rounding.
fn gap(problem: &LostSales, cost: f64, best: f64) -> Option<f64> {
    (best > 1e-6 * problem.holding().min(problem.penalty())).then_some(cost / best - 1.0)
}

/// Too many states is a row without figures; any other error is one.
fn fits<T>(result: Result<T, ExactError>) -> Result<Option<T>, ExactError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(ExactError::TooManyStates { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

#[allow(clippy::cast_precision_loss, reason = "a count of states")]
pub(super) fn real(count: usize) -> f64 {
    count as f64
}
