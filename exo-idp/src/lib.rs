//! Inventory policies replayed over recorded demand.
mod arrivals;
mod conventions;
mod error;
mod outcomes;
mod panel;
mod paths;
mod period;
pub mod policy;
mod replay;

pub use arrivals::{Arrivals, LeadTimes};
pub use conventions::{Conventions, Receipts, Sight, Terminal, Unmet};
pub use error::Error;
pub use outcomes::{Outcomes, Quantity};
pub use panel::{Columns, Covariate, Panel};
pub use paths::Paths;
pub use period::{Event, Exo, Position, State, period};
pub use replay::{Bundle, Replay, Window};
