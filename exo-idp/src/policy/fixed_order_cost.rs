//! Order rarely: up to S when the position falls to s.

use gpu::{DelayLine, Scalar};

use super::interface::{Observation, Policy};
use crate::signals::Signals;

/// The (s, S) policy: when the position is at or below `s`, orders up to `S`; else nothing. Both are parameters, in units of
/// the reference demand that is its only signal.
///
/// Its order jumps at `s`, so the derivative with respect to `s` is zero almost everywhere: tune it by search.
#[derive(Debug, Clone)]
pub struct ReorderPoint {
    theta: [f64; 2],
    signals: Signals,
}

impl ReorderPoint {
    /// A policy with a re-order point and a level, both times the reference demand of the product, in units.
    #[must_use]
    pub fn new(reorder: f64, level: f64, reference: Signals) -> Self {
        ReorderPoint {
            theta: [reorder, level],
            signals: reference,
        }
    }
}

impl Policy for ReorderPoint {
    holds_theta_and_signals!(self, "(s, S)");

    #[inline(always)]
    fn order<S: Scalar>(
        &self,
        theta: &[S],
        seen: &Observation<'_, S>,
        _: &mut [DelayLine<S>],
    ) -> S {
        let position = seen.inventory.position;
        let above = (position - theta[0] * seen.signals[0]).positive();
        let gap = (theta[1] * seen.signals[0] - position).relu();
        S::select(above, S::constant(0.0), gap)
    }
}
