//! A marketplace operator against an independent seller on its platform (arXiv 2503.06582).
//!
//! The operator $M$ leads with a price and a stock; the seller $I$ answers. The structure of the reply, the threshold $q^\dagger$ and the reduction of the operator's
//! problem to a few stocks are the paper's; the formulas of the leader's problem, proportional rationing and welfare are derived from the payoffs and checked against
//! brute force in this crate's tests.

mod leader;
mod maps;
mod model;
mod reply;
mod statics;
mod welfare;

pub use leader::MarketEquilibrium;
pub use maps::{FeeCurve, Gains, PhaseCell, PhaseDiagram, ReplyCell, ReplyMap};
pub use model::{MarketParameters, Marketplace, Posting, Rationing, Trade};
pub use reply::{Regime, Reply};
pub use statics::{Sensitivities, Sensitivity};
pub use welfare::{Welfare, WelfareSearch};
