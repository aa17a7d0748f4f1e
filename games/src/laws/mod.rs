//! Laws for property tests of your own learners and solvers: feature `proptest`.
//!
//! | strategy | draws |
//! |---|---|
//! | [`games`] | payoff tensors, some of them with ties and dominated actions |
//! | [`markets`] | parameters of a [`Marketplace`](crate::marketplace::Marketplace) |
//! | [`adversaries`] | who sets the rewards against a learner |
//!
//! | law | says |
//! |---|---|
//! | [`keeps_the_protocol`] | plays are distributions, asking twice changes nothing, wrong rewards change nothing |
//! | [`regret_within_bound`] | regret of a kind stays below a bound at every round |
//! | [`is_equilibrium`] | no player gains more than a tolerance by deviating from a joint distribution |
//!
//! Test your own learner in fifteen lines:
//!
//! ```
//! use hindsight_games::laws::{self, Regret};
//! use hindsight_games::repeated::Hedge;
//! use proptest::test_runner::TestRunner;
//!
//! // In a test: `proptest! { #[test] fn holds(adversary in laws::adversaries(), seed in 0_u64..99) { ... } }`.
//! TestRunner::default().run(&(laws::adversaries(), 0_u64..99), |(adversary, seed)| {
//!     let mut learner = Hedge::anytime(4)?;
//!     laws::keeps_the_protocol(&mut learner, adversary, seed)?;
//!     let mut learner = Hedge::anytime(4)?;
//!     let bound = |rounds: usize| Hedge::anytime(4).map_or(f64::NAN, |fresh| fresh.bound(rounds));
//!     laws::regret_within_bound(&mut learner, Regret::External, bound, adversary, 300, seed)
//! })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod adversary;
mod equilibria;
mod learning;

pub use adversary::{Adversary, adversaries};
pub use equilibria::{games, is_equilibrium, markets};
pub use learning::{Regret, keeps_the_protocol, regret_within_bound};
