//! Laws for property tests of your own policies and markets: feature `proptest`.
//!
//! A strategy draws a small world ([`cases`]: a panel with gaps, unknown weeks and a promotion, lead times, conventions of every kind, an opening
//! stock); a law takes it and *your* thing, and fails with what it saw. This crate's own policies are held to the same functions.
//!
//! | law | says |
//! |---|---|
//! | [`sees_no_future`] | nothing that happens after an order moves it, by one bit |
//! | [`number_types_agree`] | plain numbers, SIMD lanes and the recorded program give the same weeks |
//! | [`accounts_add_up`] | units are conserved, and the weeks' rewards add up to the objective |
//! | [`never_beats_the_hindsight_optimum`] | no path earns more than orders placed in full knowledge of it |
//!
//! Test your own policy in fifteen lines:
//!
//! ```
//! use hindsight_exo_idp::laws::{self, Known};
//! use hindsight_exo_idp::policy::{Observation, Policy};
//! use hindsight_gpu::{DelayLine, Scalar};
//! use proptest::test_runner::TestRunner;
//!
//! /// Orders up to a position of twenty units.
//! #[derive(Debug)]
//! struct Refill;
//! impl Policy for Refill {
//!     fn name(&self) -> &str {
//!         "refill"
//!     }
//!     fn order<S: Scalar>(&self, _: &[S], seen: &Observation<'_, S>, _: &mut [DelayLine<S>]) -> S {
//!         (S::constant(20.0) - seen.inventory.position).relu()
//!     }
//! }
//!
//! // In a test: `proptest! { #[test] fn holds(case in laws::cases(2, 26), seed in 0_u64..99) { ... } }`.
//! TestRunner::default().run(&(laws::cases(2, 26), 0_u64..99), |(case, seed)| {
//!     laws::sees_no_future(&case, seed, Known::default(), |_| Ok(Refill))?;
//!     let paths = case.paths(2)?;
//!     let replay = case.replay(&paths, 4)?;
//!     laws::number_types_agree(&replay, &Refill)?;
//!     laws::accounts_add_up(&replay, &Refill)?;
//!     laws::never_beats_the_hindsight_optimum(&replay, &Refill, &())
//! })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod accounts;
mod future;
mod numbers;
mod worlds;

pub use accounts::{accounts_add_up, never_beats_the_hindsight_optimum};
pub use future::{Known, Later, replays_see_no_future, sees_no_future};
pub use numbers::number_types_agree;
pub use worlds::{Case, cases, conventions, panels};
