//! A buyer that answers to prices of capacity.

use hindsight_exo_idp::period::Position;
use hindsight_exo_idp::policy::{Observation, Policy};
use hindsight_gpu::{DelayLine, Scalar};

use crate::network::Network;
use crate::shape::{COST, DEVIATION, FAST, HORIZON, LATER, PRICE, SLOW, SOON, Shape};

/// Numbers that the buyer knows of its product beside the prices: fast and slow level of demand, its deviation, indices over the lead time
/// and the four weeks after, price, cost, mean lead time.
const OWN: usize = 8;

/// A policy that orders up to a level, which gives way to the prices of capacity that are published.
///
/// With fast and slow level of demand $f$ and $m$, sums $s_1$ and $s_2$ of the index of demand over the lead time and the four weeks after, and
/// outputs $g > 0$ of a network,
/// $$ a = \max( f s_1 g_1 + m s_1 g_2 + m s_2 g_3 - y, 0 ), $$
/// $y$ being the inventory position. The network reads numbers free of units: ratios of levels, indices, margin, lead time, and the prices of
/// all resources this week and in the 13 ahead, in money a unit over the unit's cost. One network serves all products. Our own formulation.
///
/// As a [`Policy`] its signals are fast, slow, deviation, both indices, price, cost, mean lead time, then what a market publishes.
#[derive(Debug, Clone, PartialEq)]
pub struct Buyer {
    network: Network,
    resources: usize,
    theta: Vec<f64>,
}

impl Buyer {
    /// An untrained buyer, for the resources of a shape, with `hidden` numbers in either hidden layer.
    #[must_use]
    pub fn new(shape: &Shape, hidden: usize, seed: u64) -> Self {
        let (network, theta) = Network::new(6 + shape.published(), hidden, &[0.6, 0.6, 0.3], seed);
        Buyer {
            network,
            resources: shape.resources(),
            theta,
        }
    }

    /// The same with other parameters.
    ///
    /// # Errors
    /// Another number of parameters, or one that is not finite.
    pub fn with_theta(mut self, theta: Vec<f64>) -> Result<Self, crate::Error> {
        crate::model::finite(self.theta.len(), &theta)?;
        self.theta = theta;
        Ok(self)
    }
}

/// What the buyer reads of a row of the roll-out.
pub(crate) fn signals<S: Scalar>(exo: &[S], lead: S) -> Vec<S> {
    [FAST, SLOW, DEVIATION, SOON, LATER, PRICE, COST]
        .map(|row| exo[row])
        .into_iter()
        .chain([lead])
        .collect()
}

impl Policy for Buyer {
    fn name(&self) -> &'static str {
        "price-responsive buyer"
    }
    fn theta(&self) -> &[f64] {
        &self.theta
    }
    fn is_network(&self) -> bool {
        true
    }
    fn order<S: Scalar>(
        &self,
        theta: &[S],
        seen: &Observation<'_, S>,
        _: &mut [DelayLine<S>],
    ) -> S {
        let constant = S::constant;
        let [fast, slow, deviation, soon, later, price, cost, lead] =
            std::array::from_fn(|k| seen.signals[k]);
        let tiny = constant(1e-6);
        let level = slow + tiny;
        let mut inputs = vec![
            ((fast + constant(0.1) * level) / level).ln(),
            deviation / level,
            (price / cost).ln(),
            soon / (lead + constant(1.0)),
            later * constant(0.25),
            lead * constant(0.25),
        ];
        let published = &seen.signals[OWN..OWN + self.resources * (HORIZON + 1)];
        // Of a price of the order of the margin it hardly matters how large it is.
        let quarter = cost * constant(0.25);
        let scaled = |&p: &S| p * constant(5.0) / (p + quarter);
        inputs.extend(published.iter().map(scaled));
        let g = self.network.outputs(theta, &inputs);
        let level = fast * soon * g[0] + slow * soon * g[1] + slow * later * g[2];
        let Position { position, .. } = seen.inventory;
        (level - *position).relu()
    }
}
