//! Training policies: Direct Backprop for networks, search for heuristics.

mod direct_backprop;
mod tune;

pub use direct_backprop::{Progress, Trained, Training, direct_backprop};
pub use tune::{groups_by_variation, tune_levels};
