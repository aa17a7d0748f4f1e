//! What is done to orders before they are placed.

use exo_idp::market::{Market, MarketInputs, OrderRule, PostProcess};
use exo_idp::policy::Signals;
use gpu::Scalar;

use super::Catalogue;
use crate::error::ArrivalsError;
use crate::order::{Estimator, OrderGradient};

/// A catalogue's largest orders, then its minimum orders, batches and caps; neither where no product has any.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    /// The derivative is the true one, zero above: a gradient that passed would reward units that are not placed.
    largest: Option<PostProcess>,
    own: Option<OrderGradient>,
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
        let own = || OrderGradient::new(weeks, catalogue.rules(), estimator, &dither);
        Ok(Rules {
            largest: bounded
                .then(|| PostProcess::new(weeks, &caps))
                .transpose()?,
            own: ruled.then(own).transpose()?,
        })
    }

    /// The same without minimum orders, batches and caps.
    pub(super) fn largest_only(&self) -> Self {
        Rules {
            largest: self.largest.clone(),
            own: None,
        }
    }

    /// Units that are placed of an order.
    pub(super) fn apply(&self, product: usize, order: f64) -> f64 {
        let largest = self.largest.as_ref();
        let order = largest.map_or(order, |rule| rule.apply(product, order));
        let own = self.own.as_ref();
        own.map_or(order, |rule| rule.apply(product, order))
    }
}

impl Market for Rules {
    fn signals(&self) -> Vec<&Signals> {
        let largest = self.largest.as_ref().map_or_else(Vec::new, Market::signals);
        let own = self.own.as_ref().map_or_else(Vec::new, Market::signals);
        [largest, own].concat()
    }

    fn order<S: Scalar>(&self, inputs: &MarketInputs<'_, S>, order: S) -> S {
        let rows = self.largest.as_ref().map_or(0, Market::rows);
        let (first, rest) = inputs.rows.split_at(rows);
        let of = |rows| MarketInputs { rows, ..*inputs };
        let order = match &self.largest {
            Some(rule) => rule.order(&of(first), order),
            None => order,
        };
        match &self.own {
            Some(rule) => rule.order(&of(rest), order),
            None => order,
        }
    }
}
