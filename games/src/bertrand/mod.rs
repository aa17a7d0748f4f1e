//! Shared-revenue Bertrand competition between a retailer and a seller on its platform (arXiv 2502.07952).
//!
//! Simultaneous prices; the lowest serves everyone; the loser, when it is the retailer, still earns the fee. Before refinement there are intervals of equilibria, and
//! one region keeps an interval after both refinements: it is returned as an interval.

mod demand;
mod equilibria;
mod fee;
mod maps;
mod model;

pub use demand::{Demand, LinearDemand, PowerDemand};
pub use equilibria::{EquilibriumSet, Interval, Outcome, RivalPrice};
pub use fee::{BestFee, LumpSum, NoOption, OutsideOption, Selection};
pub use maps::OutcomeKind;
pub use model::{Firm, KeyPrices, Sale, SharedRevenue, TieRule};
