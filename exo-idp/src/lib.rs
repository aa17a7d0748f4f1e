#![doc = include_str!("../README.md")]
//! # Where to begin
//!
//! `cargo add hindsight-exo-idp`, then:
//!
//! | I want to | begin with |
//! |---|---|
//! | replay a policy over my record | [`Panel`], [`Paths`], [`Replay`] |
//! | compare all policies, with intervals | [`backtest::BackTest`] |
//! | write a policy of my own | [`policy::Policy`] |
//! | limits, prices or deliveries between policy and week | [`market::Market`], [`guide::write_your_own_market`], [`guide::write_your_own_arrivals`] |
//! | train by differentiating through the replay | [`train`] |
//! | know the exact optimum | [`exact`] where lost sales have a lead time, [`oracle`] in hindsight |
//! | know what an order more or less would have earned | [`Replay::deviations`] |
//! | a world whose truth is known | [`world::World`] |
//!
//! # Features
//!
//! - `proptest`: small random worlds, and laws for policies and markets of your own.
//! - `serde`: results and configurations are serialised.
//!
//! # What to take instead
//!
//! Several echelons, routes, queues: a discrete-event simulator such as [nexosim](https://docs.rs/nexosim). Demand that your orders move: nothing here holds, since the record can then not be replayed.
//!
//! # To cite
//!
//! D. Madeka, K. Torkkola, C. Eisenach, A. Luo, D. P. Foster, S. M. Kakade: *Deep Inventory Management*, arXiv:2210.03137.
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
