//! Policies that learn while they act: which action to take in a context, from rewards of the actions taken.
//!
//! | type | how it explores |
//! |---|---|
//! | [`LinUcb`] | optimism: the estimate plus a multiple of its standard error. It does not randomise: its log has no propensities |
//! | [`LinTs`] | draws parameters from their posterior |
//! | [`EpsilonGreedy`] | the best with probability $1 - \varepsilon$, any by lot otherwise |
//! | [`SquareCb`] | probabilities that fall with the gap to the best |
//!
//! All keep one ridge regression per action, [`Disjoint`], updated in $d^2$ operations a round. To learn from a log instead, fit a
//! [`MapClass`](crate::equilibrium::MapClass) to doubly robust scores ([`GainTable::from_log`](crate::equilibrium::GainTable::from_log)): choosing the arm of the largest
//! score is cost-sensitive classification, and [`GainTable::gap`](crate::equilibrium::GainTable::gap) says by how much it is better, with a lower bound.

mod disjoint;
mod linucb;
mod sampling;

pub use disjoint::Disjoint;
pub use linucb::LinUcb;
pub use sampling::{EpsilonGreedy, LinTs, SquareCb};

use crate::error::{Result, check_finite, check_len};

fn check_context(expected: usize, context: &[f64]) -> Result<()> {
    check_len("the context", expected, context.len())?;
    check_finite("context", context)
}

#[cfg(test)]
mod tests;
