//! What is done to orders before they are placed.

use exo_idp::market::{Market, MarketInputs, OrderRule, PostProcess};
use exo_idp::policy::Signals;
use gpu::Scalar;

use super::Catalogue;
use crate::error::ArrivalsError;
use crate::order::{Estimator, OrderGradient};

/// A rule that may be missing.
#[derive(Debug, Clone)]
pub(super) struct Optional<M>(Option<M>);

impl<M: Market> Market for Optional<M> {
    fn signals(&self) -> Vec<&Signals> {
        self.0.as_ref().map_or_else(Vec::new, Market::signals)
    }

    fn order<S: Scalar>(&self, inputs: &MarketInputs<'_, S>, order: S) -> S {
        match &self.0 {
            Some(rule) => rule.order(inputs, order),
            None => order,
        }
    }
}

/// A catalogue's largest orders, then its minimum orders, batches and caps; neither where no product has any.
///
/// The derivative at the largest is the true one, zero above: a gradient that passed would reward units that are not placed.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    pub(super) market: (Optional<PostProcess>, Optional<OrderGradient>),
}

impl Rules {
    /// The dither of the gradient of minimum orders and batches is half a usual order.
    pub(super) fn new(
        catalogue: &Catalogue,
        weeks: usize,
        estimator: Estimator,
    ) -> Result<Self, ArrivalsError> {
        let usual = catalogue.usual();
        let cap = |usual: &f64| OrderRule {
            cap: catalogue.largest() * usual,
            ..OrderRule::default()
        };
        let caps: Vec<OrderRule> = usual.iter().map(cap).collect();
        let bounded = catalogue.largest().is_finite();
        let some =
            |rule: &OrderRule| rule.minimum > 0.0 || rule.batch > 0.0 || rule.cap.is_finite();
        let ruled = catalogue.rules().iter().any(some);
        let dither: Vec<f64> = usual.iter().map(|usual| 0.5 * usual).collect();
        let largest = || PostProcess::new(weeks, &caps);
        let own = || OrderGradient::new(weeks, catalogue.rules(), estimator, &dither);
        Ok(Rules {
            market: (
                Optional(bounded.then(largest).transpose()?),
                Optional(ruled.then(own).transpose()?),
            ),
        })
    }

    /// The same without minimum orders, batches and caps.
    pub(super) fn largest_only(&self) -> Self {
        Rules {
            market: (self.market.0.clone(), Optional(None)),
        }
    }

    /// Units that are placed of an order.
    pub(super) fn apply(&self, product: usize, order: f64) -> f64 {
        let (Optional(largest), Optional(own)) = &self.market;
        let order = largest
            .as_ref()
            .map_or(order, |rule| rule.apply(product, order));
        own.as_ref()
            .map_or(order, |rule| rule.apply(product, order))
    }
}
