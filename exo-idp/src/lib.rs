//! Inventory policies replayed over recorded demand, and trained by differentiating through the replay (Direct Backprop).

pub mod exact;
pub mod learnability;

mod error;
pub use error::Error;
