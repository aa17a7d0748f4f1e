//! Optimisers for the parameters of a program.

mod adam;
mod clip;
mod rule;
mod schedule;

pub use adam::{Adam, AdamConfig};
pub use clip::clip_norm;
pub use rule::{Optimizer, Rule};
pub use schedule::Schedule;
