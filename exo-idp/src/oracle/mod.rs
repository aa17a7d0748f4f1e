//! What perfect information would be worth.

mod account;
mod just_in_time;
mod optimum;
mod piecewise;

pub use account::{HindsightAccount, hindsight_account};
pub use just_in_time::JustInTime;
pub use optimum::hindsight_optimum;
