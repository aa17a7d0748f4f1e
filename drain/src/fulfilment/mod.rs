//! The fulfilment linear programme: who serves whom at the least cost, if everything is known and units can be divided.
//!
//! [`Fulfilment`] is the problem, [`Plan`] the answer with its prices and the [`Certificate`] that proves it, [`NetworkSimplex`] the fast solver.
//! [`solve_all`] and [`solve_scenarios`] answer many problems on several threads. All of it is our own formulation.

mod batch;
mod plan;
mod problem;
#[cfg(any(test, feature = "microlp"))]
mod reference;
mod simplex;
#[cfg(test)]
mod tests;

pub use batch::{Answer, Scenario, answer_all, map_scenarios, solve_all, solve_scenarios};
pub use plan::{Certificate, Plan, Prices, TOLERANCE};
pub use problem::Fulfilment;
#[cfg(feature = "microlp")]
pub use reference::Microlp;
pub use simplex::NetworkSimplex;

use crate::error::DrainError;

/// A way to solve the fulfilment programme.
pub trait Solver {
    /// A cheapest plan, checked.
    ///
    /// # Errors
    /// [`DrainError::Infeasible`] with a cut where demand that must not be lost cannot be served, [`DrainError::Unproven`] where the answer does not pass
    /// its check, [`DrainError::NotConverged`] where there is none.
    fn solve(&mut self, problem: &Fulfilment) -> Result<Plan, DrainError>;
}
