//! What perfect information would be worth.

mod just_in_time;

pub use just_in_time::{JustInTime, perfect_information_bound};
