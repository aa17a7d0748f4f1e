#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

/// The engine that policies and markets are written against, as this crate was built with it.
pub extern crate hindsight_gpu as gpu;

#[cfg(test)]
mod adjoint;
mod arrivals;
pub mod backtest;
pub mod calendar;
pub mod censor;
pub mod compare;
pub mod conventions;
mod count;
mod error;
pub mod exact;
#[cfg(feature = "io")]
#[cfg_attr(docsrs, doc(cfg(feature = "io")))]
pub mod io;
#[cfg(feature = "proptest")]
#[cfg_attr(docsrs, doc(cfg(feature = "proptest")))]
pub mod laws;
mod lead_times;
pub mod learnability;
pub mod market;
mod opening;
pub mod oracle;
mod outcomes;
pub mod panel;
mod paths;
pub mod period;
pub mod policy;
pub mod replay;
mod schedule;
mod signals;
mod states;
pub mod train;
pub mod world;

pub use arrivals::Arrivals;
pub use conventions::Conventions;
pub use error::Error;
pub use lead_times::LeadTimes;
pub use outcomes::Outcomes;
pub use panel::Panel;
pub use paths::Paths;
pub use replay::{Replay, Window};

/// How to bring what the crate does not have.
pub mod guide {
    #[doc = include_str!("../docs/market.md")]
    pub mod write_your_own_market {}

    #[doc = include_str!("../docs/arrivals.md")]
    pub mod write_your_own_arrivals {}

    #[doc = include_str!("../docs/dynamics.md")]
    pub mod write_your_own_dynamics {}
}
