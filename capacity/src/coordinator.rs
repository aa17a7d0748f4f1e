//! A network that publishes prices of capacity.

use hindsight_exo_idp::period::Position;
use hindsight_gpu::Scalar;

use crate::network::Network;
use crate::shape::{COST, FAST, HORIZON, LATER, OUTLOOK, PRICE, SLOW, SOON, Shape};

/// Largest hidden scale of a price, as a share of what a unit of volume costs: an output of one is this price.
const SCALE: f64 = 0.05;
/// What an untrained coordinator asks, in shares of that.
const FIRST: f64 = 0.1;

/// Sums over a cohort: all that a coordinator sees of its products.
///
/// By resource: fast and slow level of demand, the slow one over the lead time and the four weeks after, what is on hand and what was ordered
/// 1, 2, … weeks ago, all in volume; then cost and margin of a week's demand, in money.
pub(crate) fn contributions<S: Scalar>(
    shape: &Shape,
    exo: &[S],
    volumes: &[S],
    seen: &Position<S>,
) -> Vec<S> {
    let slow = exo[SLOW];
    let mut all = Vec::new();
    for &volume in volumes {
        let level = volume * slow;
        all.extend([
            volume * exo[FAST],
            level,
            level * exo[SOON],
            level * exo[LATER],
            volume * seen.on_hand,
        ]);
        all.extend(seen.pipeline.iter().map(|&units| volume * units));
    }
    all.extend([exo[COST] * slow, (exo[PRICE] - exo[COST]) * slow]);
    debug_assert_eq!(all.len(), shape.resources() * (5 + shape.lead) + 2);
    all
}

/// The volume of a resource that a week's demand takes: the slow level of the cohort.
pub(crate) fn level<S: Scalar>(shape: &Shape, sums: &[S], resource: usize) -> S {
    sums[resource * (5 + shape.lead) + 1]
}

/// Money per volume of a resource that a week's demand costs: the unit of its prices.
pub(crate) fn unit_price<S: Scalar>(shape: &Shape, sums: &[S], resource: usize) -> S {
    let money = sums[shape.resources() * (5 + shape.lead)];
    money / (level(shape, sums, resource) + S::constant(1e-9))
}

/// A network from what a cohort's sums, its limits and its composition say to prices of every resource, this week and in the
/// [`HORIZON`] weeks ahead.
///
/// It sees aggregates only: never a product, never a week that has not come. All inputs are ratios, and the price is in shares of what a unit
/// of volume costs, so that it serves cohorts of other sizes and other goods than it was trained on. Among the inputs are moments and
/// quantiles of volume, margin, demand rate and lead time over the cohort (the composition, after 2605.13900). The layers are our own.
#[derive(Debug, Clone, PartialEq)]
pub struct Coordinator {
    network: Network,
    shape: Shape,
    hidden: usize,
    forecasts: bool,
    theta: Vec<f64>,
}

impl Coordinator {
    /// An untrained coordinator with `hidden` numbers in either hidden layer.
    #[must_use]
    pub fn new(shape: &Shape, hidden: usize, seed: u64) -> Self {
        Self::publishing(shape, hidden, seed, shape.published(), true)
    }

    /// One that says nothing of the weeks ahead: the price of this week is announced to stay. It shows what forecasts are worth.
    #[must_use]
    pub fn without_forecasts(shape: &Shape, hidden: usize, seed: u64) -> Self {
        Self::publishing(shape, hidden, seed, shape.resources(), false)
    }

    fn publishing(
        shape: &Shape,
        hidden: usize,
        seed: u64,
        outputs: usize,
        forecasts: bool,
    ) -> Self {
        let each = 4 + shape.lead + HORIZON + 1;
        let inputs = shape.resources() * each + 1 + shape.traits();
        let first = vec![FIRST; outputs];
        let (network, theta) = Network::new(inputs, hidden, &first, seed);
        Coordinator {
            network,
            shape: shape.clone(),
            hidden,
            forecasts,
            theta,
        }
    }

    /// Its parameters.
    #[must_use]
    pub fn theta(&self) -> &[f64] {
        &self.theta
    }

    /// The sizes that it was made for.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The numbers in either hidden layer.
    #[must_use]
    pub fn hidden(&self) -> usize {
        self.hidden
    }

    /// Whether it forecasts the prices of the weeks ahead.
    #[must_use]
    pub fn forecasts(&self) -> bool {
        self.forecasts
    }

    /// The same with other parameters.
    ///
    /// # Errors
    /// Another number of parameters, or one that is not finite.
    pub fn with_theta(mut self, theta: Vec<f64>) -> Result<Self, crate::Error> {
        crate::model::finite(self.network.params(), &theta)?;
        self.theta = theta;
        Ok(self)
    }

    /// Prices `[resource][week ahead]`, in money per volume, from a cohort's sums and what is shared by the group.
    pub(crate) fn prices<S: Scalar>(&self, theta: &[S], sums: &[S], shared: &[S]) -> Vec<S> {
        let (shape, constant) = (&self.shape, S::constant);
        let each = 5 + shape.lead;
        let mut inputs = Vec::new();
        for resource in 0..shape.resources() {
            let own = &sums[resource * each..(resource + 1) * each];
            let rate = level(shape, sums, resource) + constant(1e-9);
            inputs.push(((own[0] + constant(0.1) * rate) / rate).ln());
            inputs.extend(own[2..].iter().map(|&x| x / rate * constant(0.5)));
            let outlook = &shared[OUTLOOK + resource * (HORIZON + 1)..][..HORIZON + 1];
            // Where there is room, how much of it does not matter.
            inputs.extend(
                outlook
                    .iter()
                    .map(|&k| k / (k + rate * constant(3.0)) * constant(2.0)),
            );
        }
        let money = shape.resources() * each;
        inputs.push(sums[money + 1] / (sums[money] + constant(1e-9)));
        inputs.extend_from_slice(&shared[shape.traits_at()..shape.prices_at()]);
        let outputs = self.network.outputs(theta, &inputs);
        let unit = |k: usize| unit_price(shape, sums, k / (HORIZON + 1)) * constant(SCALE);
        let output = |k: usize| {
            let at = if self.forecasts { k } else { k / (HORIZON + 1) };
            outputs[at] * unit(k)
        };
        (0..shape.published()).map(output).collect()
    }
}
