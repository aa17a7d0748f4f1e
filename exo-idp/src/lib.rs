#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

/// The engine that policies and markets are written against, as this crate was built with it.
pub extern crate hindsight_gpu as gpu;

#[cfg(test)]
mod adjoint;
mod arrivals;
pub mod backtest;
pub mod censor;
mod compare;
mod conventions;
mod count;
mod error;
pub mod exact;
mod lead_times;
pub mod learnability;
mod market;
mod oracle;
mod outcomes;
mod panel;
mod paths;
mod period;
pub mod policy;
pub mod pretrain;
mod replay;
mod schedule;
mod signals;
mod states;
pub mod trailing;
pub mod train;
pub mod world;

pub use arrivals::{Arrivals, LeadTimeLaw};
pub use compare::{Bootstrap, Interval, Replicates};
pub use conventions::{Conventions, Receipts, Sight, Terminal, Unmet};
pub use error::Error;
pub use lead_times::LeadTimes;
pub use market::{Market, MarketInputs, OrderRule, PostProcess, Price, Resource, Rounding};
pub use oracle::{JustInTime, perfect_information_bound};
pub use outcomes::{Outcomes, Quantity};
pub use panel::{Columns, Covariate, Panel};
pub use paths::Paths;
pub use period::{Event, Exo, Position, State, Yields, period};
pub use replay::{Arm, Arrays, Bundle, Deviations, Gains, Replay, Window};
pub use schedule::Schedule;
pub use states::States;

/// How to bring what the crate does not have.
pub mod guide {
    #[doc = include_str!("../docs/market.md")]
    pub mod write_your_own_market {}

    #[doc = include_str!("../docs/arrivals.md")]
    pub mod write_your_own_arrivals {}

    #[doc = include_str!("../docs/dynamics.md")]
    pub mod write_your_own_dynamics {}
}
