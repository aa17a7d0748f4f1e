//! Markets: what stands between a policy and its week.

mod both;
mod interface;
mod post_process;
mod price;

pub use interface::{Market, MarketInputs};
pub use post_process::{OrderRule, PostProcess, Rounding};
pub use price::{Price, Resource};
