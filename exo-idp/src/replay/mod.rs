//! The replay of a policy on recorded paths.

mod arrays;
mod bundle;
mod deviations;
mod program;
mod rows;
mod run;
mod setup;
mod week;
mod window;

pub use arrays::Arrays;
pub use bundle::Bundle;
pub use deviations::{Arm, Deviations, Gains};
pub use setup::Replay;
pub use window::Window;

pub use crate::opening::Opening;
pub use crate::outcomes::Quantity;
