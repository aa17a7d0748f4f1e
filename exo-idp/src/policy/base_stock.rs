//! Order up to a level.

use gpu::{DelayLine, Scalar};

use super::interface::{Observation, Policy};
use crate::signals::Signals;

/// Orders what brings the inventory position to a level: `max(scale * level - position, 0)`.
///
/// The level is a signal, in units per product and week, so that this is every policy of the order-up-to family: base stock
/// (a level that never changes), the target inventory position of a newsvendor, one that follows promotions.
#[derive(Debug, Clone)]
pub struct BaseStock {
    name: String,
    theta: [f64; 1],
    signals: Signals,
}

impl BaseStock {
    /// An order-up-to policy with one row of signals, the level in units, scaled by `scale`.
    #[must_use]
    pub fn new(name: impl Into<String>, scale: f64, level: Signals) -> Self {
        BaseStock {
            name: name.into(),
            theta: [scale],
            signals: level,
        }
    }
}

impl Policy for BaseStock {
    holds_theta_and_signals!(self, &self.name);

    #[inline(always)]
    fn order<S: Scalar>(
        &self,
        theta: &[S],
        seen: &Observation<'_, S>,
        _: &mut [DelayLine<S>],
    ) -> S {
        (theta[0] * seen.signals[0] - seen.inventory.position).relu()
    }
}

/// Base stock with a limit on the single order: `min(cap, max(level - position, 0))`. Level and cap are parameters, in units
/// of the reference demand that is its only signal.
#[derive(Debug, Clone)]
pub struct CappedBaseStock {
    theta: [f64; 2],
    signals: Signals,
}

impl CappedBaseStock {
    /// A policy with a level and a cap, both times the reference demand of the product, in units.
    #[must_use]
    pub fn new(level: f64, cap: f64, reference: Signals) -> Self {
        CappedBaseStock {
            theta: [level, cap],
            signals: reference,
        }
    }
}

impl Policy for CappedBaseStock {
    holds_theta_and_signals!(self, "capped base stock");

    #[inline(always)]
    fn order<S: Scalar>(
        &self,
        theta: &[S],
        seen: &Observation<'_, S>,
        _: &mut [DelayLine<S>],
    ) -> S {
        let gap = theta[0] * seen.signals[0] - seen.inventory.position;
        gap.relu().min(theta[1] * seen.signals[0])
    }
}
