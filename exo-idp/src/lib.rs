//! Inventory policies replayed over recorded demand, and trained by differentiating through the replay (Direct Backprop).

pub mod censor;
pub mod exact;
pub mod learnability;
pub mod world;

mod error;
pub use error::Error;
