//! A policy as it is for some of the products.

use std::borrow::Cow;

use gpu::{DelayLine, Scalar};

use super::interface::{Observation, Policy};
use crate::error::Error;
use crate::paths::Paths;
use crate::signals::Signals;

/// A policy with the signals of some of the products: what it orders for them is what it orders among all. For a closer look at a part of a large
/// record, see [`Replay::select`](crate::Replay::select).
#[derive(Debug)]
pub struct Selected<'a, P> {
    policy: &'a P,
    signals: Option<Cow<'a, Signals>>,
}

impl<'a, P: Policy> Selected<'a, P> {
    /// The policy of these products of `paths`, in the given order.
    ///
    /// # Errors
    /// When a product does not exist, or the policy's signals do not fit the paths.
    pub fn new(policy: &'a P, paths: &Paths<'_>, products: &[usize]) -> Result<Self, Error> {
        let lanes = paths.lanes_of(products)?;
        let panel = paths.panel();
        let few = |signals: &Signals| {
            signals.check(panel.weeks(), panel.products(), paths.lanes())?;
            let by_product = signals.columns() == panel.products();
            let columns = if by_product { products } else { &lanes };
            Ok::<_, Error>(Cow::Owned(signals.select(columns)))
        };
        Ok(Selected {
            policy,
            signals: policy.signals().map(few).transpose()?,
        })
    }

    /// The policy of all its products, as it is.
    #[must_use]
    pub fn all(policy: &'a P) -> Self {
        Selected {
            policy,
            signals: policy.signals().map(Cow::Borrowed),
        }
    }
}

impl<P: Policy> Policy for Selected<'_, P> {
    fn name(&self) -> &str {
        self.policy.name()
    }

    fn theta(&self) -> &[f64] {
        self.policy.theta()
    }

    fn signals(&self) -> Option<&Signals> {
        self.signals.as_deref()
    }

    fn delay_lines(&self) -> usize {
        self.policy.delay_lines()
    }

    fn is_network(&self) -> bool {
        self.policy.is_network()
    }

    #[inline(always)]
    fn order<S: Scalar>(
        &self,
        theta: &[S],
        seen: &Observation<'_, S>,
        memory: &mut [DelayLine<S>],
    ) -> S {
        self.policy.order(theta, seen, memory)
    }
}
