//! A general linear-programming solver behind the same trait.

use good_lp::{
    Expression, ProblemVariables, Solution, SolverModel, Variable, constraint, variable,
};

#[cfg(feature = "microlp")]
use super::Solver;
use super::plan::{Plan, Prices};
use super::problem::Fulfilment;
use crate::error::DrainError;

/// The largest relative residual of the reference's answers, which are less exact than those of trees.
const TOLERANCE: f64 = 1e-6;

/// The simplex of `microlp`, told the whole programme through `good_lp`: slower and without ties broken, but written by others.
///
/// Prices come from shortest paths in the residual network, not from the solver; none is marked unique. Its
/// answers pass the same check as others', with residuals up to 1e-6.
///
/// ```
/// use hindsight_drain::fulfilment::{Fulfilment, Microlp, NetworkSimplex, Solver};
/// let problem = Fulfilment::new(vec![6.0, 6.0], vec![4.0, 4.0], vec![1.0, 2.0, 3.0, 2.5])?;
/// let solvers: [&mut dyn Solver; 2] = [&mut NetworkSimplex::new(), &mut Microlp];
/// for solver in solvers {
///     assert!((solver.solve(&problem)?.cost - 13.0).abs() < 1e-6);
/// }
/// # Ok::<(), hindsight_drain::DrainError>(())
/// ```
#[cfg(feature = "microlp")]
#[cfg_attr(docsrs, doc(cfg(feature = "microlp")))]
#[derive(Debug, Clone, Copy, Default)]
pub struct Microlp;

#[cfg(feature = "microlp")]
impl Solver for Microlp {
    fn solve(&mut self, problem: &Fulfilment) -> Result<Plan, DrainError> {
        solve(problem, good_lp::microlp)
    }
}

/// The optimum by any of `good_lp`'s solvers.
pub(crate) fn solve<S: good_lp::Solver>(
    problem: &Fulfilment,
    solver: S,
) -> Result<Plan, DrainError> {
    let regions = problem.regions();
    // In units of the largest demand and cost: the solvers' tolerances are absolute.
    let largest = |list: &[f64]| {
        let finite = list.iter().filter(|v| v.is_finite());
        let most = finite.fold(0.0f64, |m, v| m.max(v.abs()));
        if most > 0.0 { most } else { 1.0 }
    };
    let units = largest(problem.demand());
    let money = largest(problem.cost()).max(largest(problem.lost_penalty()));
    let mut variables = ProblemVariables::new();
    let mut objective = Expression::default();
    let mut sent = vec![Expression::default(); problem.warehouses()];
    let mut received = vec![Expression::default(); regions];
    let mut arcs: Vec<Option<Variable>> = Vec::with_capacity(problem.cost().len());
    for (a, cost) in problem.cost().iter().enumerate() {
        let limit = problem.arc_capacity(a);
        // An interior-point method wants no variables without an interior.
        if cost.is_infinite() || limit == 0.0 {
            arcs.push(None);
            continue;
        }
        let mut definition = variable().min(0.0);
        if limit.is_finite() {
            definition = definition.max(limit / units);
        }
        let x = variables.add(definition);
        objective += cost / money * x;
        sent[a / regions] += x;
        received[a % regions] += x;
        arcs.push(Some(x));
    }
    let losses: Vec<Option<Variable>> = problem
        .lost_penalty()
        .iter()
        .enumerate()
        .map(|(r, penalty)| {
            penalty.is_finite().then(|| {
                let l = variables.add(variable().min(0.0));
                objective += penalty / money * l;
                received[r] += l;
                l
            })
        })
        .collect();
    let mut model = variables.minimise(objective).using(solver);
    for (row, stock) in sent.into_iter().zip(problem.stock()) {
        model.add_constraint(constraint!(row <= stock / units));
    }
    for (row, demand) in received.into_iter().zip(problem.demand()) {
        model.add_constraint(constraint!(row == demand / units));
    }
    let solution = model.solve().map_err(|e| DrainError::Reference {
        message: e.to_string(),
    })?;
    let value = |x: &Option<Variable>| x.map_or(0.0, |x| (solution.value(x) * units).max(0.0));
    let flow: Vec<f64> = arcs.iter().map(value).collect();
    let lost: Vec<f64> = losses.iter().map(value).collect();
    let prices = shortest_paths(problem, &flow, &lost, units * 1e-7);
    Plan::checked(problem, flow, lost, prices, TOLERANCE, 0)
}

/// Prices as lengths of shortest paths from the hub in the residual network (Bellman and Ford): where they settle, they prove the flow optimal.
fn shortest_paths(problem: &Fulfilment, flow: &[f64], lost: &[f64], dust: f64) -> Prices {
    let (warehouses, regions) = (problem.warehouses(), problem.regions());
    let finite = |list: &[f64]| {
        let finite = list.iter().filter(|v| v.is_finite());
        finite.map(|v| v.abs()).sum::<f64>()
    };
    // What no path from the hub reaches may cost more than any path.
    let far = 4.0 * (finite(problem.cost()) + finite(problem.lost_penalty()));
    let mut stock = vec![far; warehouses];
    let mut delivered: Vec<f64> = problem.lost_penalty().iter().map(|p| p.min(far)).collect();
    let unused: Vec<f64> = flow
        .chunks_exact(regions)
        .zip(problem.stock())
        .map(|(row, stock)| stock - row.iter().sum::<f64>())
        .collect();
    for _ in 0..=warehouses + regions {
        let before = (stock.clone(), delivered.clone());
        let mut hub = 0.0f64;
        for w in 0..warehouses {
            if unused[w] > dust {
                stock[w] = stock[w].min(hub);
            }
        }
        for r in 0..regions {
            if lost[r] > dust {
                hub = hub.min(delivered[r] - problem.lost_penalty()[r]);
            }
        }
        for (a, &cost) in problem.cost().iter().enumerate() {
            let (w, r) = (a / regions, a % regions);
            if cost.is_finite() {
                if problem.arc_capacity(a) - flow[a] > dust {
                    delivered[r] = delivered[r].min(stock[w] + cost);
                }
                if flow[a] > dust {
                    stock[w] = stock[w].min(delivered[r] - cost);
                }
            }
        }
        if (&stock, &delivered) == (&before.0, &before.1) {
            break;
        }
    }
    for price in &mut stock {
        *price = price.max(0.0);
    }
    Prices {
        stock_unique: vec![false; warehouses],
        delivered_unique: vec![false; regions],
        stock,
        delivered,
    }
}
