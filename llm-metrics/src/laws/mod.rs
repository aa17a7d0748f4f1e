//! Laws for property tests of your own scores, maps and intervals: feature `proptest`.
//!
//! | strategy | draws |
//! |---|---|
//! | [`logs`] | confidences with outcomes, many of them tied, at 0 or at 1 |
//! | [`Log::calibrated`], [`Log::distorted`] | logs of a known truth, by seed |
//!
//! | law | says |
//! |---|---|
//! | [`is_calibrated_interval`] | an interval holds the truth as often as its level says |
//! | [`is_proper`] | nobody scores better, on average, than by saying what they believe |
//! | [`order_does_not_matter`] | a metric of a log is that of its records, whatever their order |
//!
//! Test your own interval in fifteen lines:
//!
//! ```
//! use hindsight_llm_metrics::laws::{self, Log};
//! use hindsight_llm_metrics::stats::wilson;
//!
//! // In a test: `proptest! { #[test] fn holds(log in laws::logs(200)) { ... } }`.
//! laws::is_calibrated_interval(0.95, 0.8, 1_000, |seed| {
//!     let log = Log::distorted(300, seed, |_| 0.8);
//!     let right = log.correct.iter().filter(|y| **y).count();
//!     wilson(right as u64, 300, 0.95)
//! })?;
//! laws::is_proper(|confidence, correct| (confidence - f64::from(u8::from(correct))).powi(2))?;
//! # Ok::<(), proptest::test_runner::TestCaseError>(())
//! ```

mod intervals;
mod log;
mod scores;

#[cfg(test)]
pub(crate) use log::uniform;

pub use intervals::is_calibrated_interval;
pub use log::{Log, logs};
pub use scores::{is_proper, order_does_not_matter};
