//! Optimisers for the parameters of a program.

mod adam;
mod clip;
mod schedule;

pub use adam::{Adam, AdamConfig};
pub use clip::clip_norm;
pub use schedule::Schedule;
