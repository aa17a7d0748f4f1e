//! The same order every week.

use gpu::{DelayLine, Scalar};

use super::interface::{Observation, Policy};
use crate::signals::Signals;

/// Orders the same share of a product's reference demand every week, whatever the stock.
#[derive(Debug, Clone)]
pub struct ConstantOrder {
    theta: [f64; 1],
    signals: Signals,
}

impl ConstantOrder {
    /// Orders `share` times the reference demand of the product, in units; one row of signals.
    #[must_use]
    pub fn new(share: f64, reference: Signals) -> Self {
        ConstantOrder {
            theta: [share],
            signals: reference,
        }
    }
}

impl Policy for ConstantOrder {
    holds_theta_and_signals!(self, "constant order");

    #[inline(always)]
    fn order<S: Scalar>(
        &self,
        theta: &[S],
        seen: &Observation<'_, S>,
        _: &mut [DelayLine<S>],
    ) -> S {
        (theta[0] * seen.signals[0]).relu()
    }
}
