//! Order rarely: up to S when the position falls to s.

use gpu::{DelayLine, Scalar};

use super::{Policy, Seen, Signals};

/// The (s, S) policy: when the position is at or below `s`, orders up to `S`; else nothing. Both are parameters, in units of
/// the reference demand that is its only signal.
///
/// Its order jumps at `s`, so the derivative with respect to `s` is zero almost everywhere: tune it by search.
#[derive(Debug, Clone)]
pub struct ReorderPoint {
    theta: [f64; 2],
    reference: Signals,
}

impl ReorderPoint {
    /// A policy with a re-order point and a level, both times the reference demand of the product, in units.
    #[must_use]
    pub fn new(reorder: f64, level: f64, reference: Signals) -> Self {
        ReorderPoint {
            theta: [reorder, level],
            reference,
        }
    }
}

impl Policy for ReorderPoint {
    fn name(&self) -> &'static str {
        "(s, S)"
    }
    fn theta(&self) -> &[f64] {
        &self.theta
    }
    fn signals(&self) -> Option<&Signals> {
        Some(&self.reference)
    }
    #[inline(always)]
    fn order<S: Scalar>(&self, theta: &[S], seen: &Seen<'_, S>, _: &mut [DelayLine<S>]) -> S {
        let position = seen.inventory.position;
        let above = (position - theta[0] * seen.signals[0]).positive();
        let gap = (theta[1] * seen.signals[0] - position).relu();
        S::select(above, S::constant(0.0), gap)
    }
}
