//! A primal network simplex on spanning trees.

mod amount;
mod basis;
mod cut;
mod network;
mod optimise;
mod pricing;
mod start;
mod tree;

use basis::Basis;
use network::Network;

use super::Solver;
use super::plan::{Plan, Prices, TOLERANCE};
use super::problem::Fulfilment;
use crate::error::DrainError;

/// A tree is repaired where fewer than one arc in so many is out of bounds.
const REPAIRABLE: usize = 16;

/// A basis, and its nodes, parents first.
type Last = (Basis, Vec<usize>);

/// The primal network simplex, which remembers its last basis.
///
/// Flows are real numbers. [`Solver::solve`] starts from a greedy plan and depends on the problem alone; [`resolve`](Self::resolve) starts from the last
/// one: its tree, repaired, where stock, demand, costs, bans or capacities have changed little; a plan that is greedy by its prices otherwise.
///
/// # Ties
///
/// Among the cheapest plans the answer is the one that loses the least demand in all; then it keeps unused stock where the sum
/// $\sum_w (W - w)\thinspace \text{unused}_w + \sum_r (R - r)\thinspace \text{lost}_r$ is least: warehouses of a lower number drain first, regions of a lower number are served
/// first. This names one vector of drains and one of losses, from whichever basis the search starts; the flows between them
/// may still be several. Costs are equal where they differ by less than rounding, about $10^{-14}$ of the largest cost or price.
///
/// # Degenerate data
///
/// Stock and demand carry an infinitesimal part, so that no pivot is in vain and none repeats (strongly feasible trees, after Cunningham, 1976).
///
/// ```
/// use hindsight_drain::fulfilment::{Fulfilment, NetworkSimplex, Solver};
/// let mut problem = Fulfilment::new(vec![6.0, 6.0], vec![4.0, 4.0], vec![1.0, 2.0, 2.0, 2.0])?;
/// let mut solver = NetworkSimplex::new();
/// let plan = solver.solve(&problem)?;
/// assert_eq!(plan.cost, 12.0);
/// assert_eq!(plan.drain, [6.0, 2.0]); // warehouse 0 first, where the cost is the same
/// problem.set_demand(&[4.0, 6.0])?;
/// let plan = solver.resolve(&problem)?;
/// assert_eq!(plan.cost, 16.0);
/// assert_eq!(plan.prices.delivered, [1.0, 2.0]);
/// # Ok::<(), hindsight_drain::DrainError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct NetworkSimplex {
    basis: Option<Last>,
}

impl NetworkSimplex {
    /// A solver that has seen no problem yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The optimum, from the last problem's basis where the shapes agree, else from a greedy plan.
    ///
    /// Cost, drains and lost units are those of [`Solver::solve`] up to rounding.
    ///
    /// # Errors
    /// Those of [`Solver::solve`]; the basis then is forgotten.
    pub fn resolve(&mut self, problem: &Fulfilment) -> Result<Plan, DrainError> {
        let (plan, basis) = match self.basis.take() {
            Some(basis) => from_basis(&basis, problem)?,
            None => from_greedy(problem)?,
        };
        self.basis = Some(basis);
        Ok(plan)
    }

    /// The optimum from the remembered basis, which stays as it is.
    pub(super) fn resolve_from(&self, problem: &Fulfilment) -> Result<Plan, DrainError> {
        let solved = match &self.basis {
            Some(basis) => from_basis(basis, problem),
            None => from_greedy(problem),
        };
        solved.map(|(plan, _)| plan)
    }
}

impl Solver for NetworkSimplex {
    fn solve(&mut self, problem: &Fulfilment) -> Result<Plan, DrainError> {
        self.basis = None;
        let (plan, basis) = from_greedy(problem)?;
        self.basis = Some(basis);
        Ok(plan)
    }
}

fn from_greedy(problem: &Fulfilment) -> Result<(Plan, Last), DrainError> {
    let network = Network::new(problem);
    let basis = start::greedy(&network, &vec![0.0; network.warehouses]);
    finish(&network, basis)
}

/// Few arcs out of bounds: the old tree, repaired. Many: a plan that is greedy by the old prices.
fn from_basis(last: &Last, problem: &Fulfilment) -> Result<(Plan, Last), DrainError> {
    let network = Network::new(problem);
    if !last.0.fits(&network) {
        return from_greedy(problem);
    }
    let (last, order) = last;
    let basis = if last.nearly_fits(network.hub / REPAIRABLE, order, &network) {
        let mut basis = last.clone();
        basis.pivots = 0;
        basis.repair(&network);
        basis
    } else {
        start::greedy(&network, &last.tree.price[..network.warehouses])
    };
    finish(&network, basis)
}

fn finish(network: &Network<'_>, mut basis: Basis) -> Result<(Plan, Last), DrainError> {
    let order = basis.cheapen(network)?;
    if let Some(cut) = basis.cut(network) {
        return Err(DrainError::Infeasible(cut));
    }
    let pivots = basis.pivots;
    let tied = basis.break_ties(&order, network)?;
    let order = if basis.pivots == pivots {
        order
    } else {
        basis.tree.order()
    };
    let plan = answer(&mut basis, &order, &tied, network)?;
    Ok((plan, (basis, order)))
}

/// Flows and prices computed from the tree alone, so that nothing of the pivots' rounding remains.
fn answer(
    basis: &mut Basis,
    order: &[usize],
    tied: &[network::Arc],
    network: &Network<'_>,
) -> Result<Plan, DrainError> {
    basis.tree.refresh(order, network);
    basis.settle(order, network);
    let mut flow = vec![0.0; network.warehouses * network.regions];
    basis.shipped(&mut flow, network);
    let lost = (network.warehouses..network.hub)
        .map(|node| {
            let link = basis.tree.link(node);
            let loses = basis.tree.parent(node) == network.hub && !link.up;
            if loses && !network.is_artificial(basis.tree.arc(node)) {
                link.flow.units.max(0.0)
            } else {
                0.0
            }
        })
        .collect();
    let unique = basis.agreed(tied, &flow, network);
    let (stock, delivered) = basis.tree.price[..network.hub].split_at(network.warehouses);
    let (stock_unique, delivered_unique) = unique[..network.hub].split_at(network.warehouses);
    let prices = Prices {
        stock: stock.iter().map(|p| p.max(0.0)).collect(),
        delivered: delivered.to_vec(),
        stock_unique: stock_unique.to_vec(),
        delivered_unique: delivered_unique.to_vec(),
    };
    Plan::checked(network.problem, flow, lost, prices, TOLERANCE, basis.pivots)
}
