#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(test)]
mod adjoint;
mod arrivals;
pub mod censor;
mod compare;
mod conventions;
mod error;
pub mod exact;
pub mod learnability;
mod outcomes;
mod panel;
mod paths;
mod period;
pub mod policy;
mod pretrain;
mod replay;
pub mod trailing;
pub mod train;
pub mod world;

pub use arrivals::{Arrivals, LeadTimes};
pub use compare::{Bootstrap, Interval, Replicates};
pub use conventions::{Conventions, Receipts, Sight, Terminal, Unmet};
pub use error::Error;
pub use outcomes::{Outcomes, Quantity};
pub use panel::{Columns, Covariate, Panel};
pub use paths::Paths;
pub use period::{Event, Exo, Position, State, period};
pub use replay::{Bundle, Replay, Window};
