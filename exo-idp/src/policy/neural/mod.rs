//! The neural policy that Direct Backprop trains.

mod anchor;
mod features;

use std::ops::Range;
use std::sync::Arc;

use gpu::nn::{CausalConv, Dense, Layout};
use gpu::{DelayLine, Scalar, nn::Activation};

use super::interface::{Observation, Policy};
use super::plan::Plan;
use crate::conventions::Conventions;
use crate::count::count;
use crate::error::Error;
use crate::panel::Panel;
use crate::signals::Signals;
pub use anchor::Anchor;
use features::Features;

/// The size of a [`Neural`] policy. The paper's sizes were not found; these are our choice.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct NeuralConfig {
    /// Channels of every convolution.
    pub channels: usize,
    /// Dilations of the convolutions, in weeks; two taps each.
    pub dilations: Vec<usize>,
    /// Width of the two dense layers.
    pub hidden: usize,
}

impl Default for NeuralConfig {
    /// Four layers of 16 channels that see 16 weeks, dense layers of 32.
    fn default() -> Self {
        NeuralConfig {
            channels: 16,
            dilations: vec![1, 2, 4, 8],
            hidden: 32,
        }
    }
}

/// A network from the record and the inventory to an order, trained by Direct Backprop.
///
/// Dilated causal convolutions over demand, prices, costs and planned covariates; dense layers on what they return, on the
/// plan ahead and on the inventory; outputs $s > 0$ by a softplus. Units are divided by the product's mean demand on the way in.
///
/// - Without an anchor the order itself comes out, $a = m s$ with the mean demand $m$: there is no forecast in between, as in
///   the paper.
/// - With an [`Anchor`] of levels $\ell_1, \dots, \ell_n$ in units for every product and week there is one output per level, and the
///   order brings the position to their combination: $a = \max(\sum_k \ell_k s_k - x, 0)$. An untrained network then is the
///   order-up-to policy of the mean level, and training improves on it. Short records are better served by this; it is our own
///   formulation.
///
/// The outputs $s$ of several members, trained apart, may be averaged ([`Neural::ensemble`]).
#[derive(Debug, Clone)]
pub struct Neural {
    /// Shared by the networks of other seeds: they are large and do not depend on the weights.
    signals: Arc<Signals>,
    layout: Layout,
    channels: usize,
    levels: usize,
    anchored: bool,
    convolutions: Vec<CausalConv>,
    dense: [Dense; 3],
    members: usize,
    theta: Vec<f64>,
}

/// Inventories are of the order of a few weeks of demand; this brings them to the order of one.
const INVENTORY_SCALE: f64 = 0.25;
/// Rows of signals before the levels: the inverse of the mean demand.
const UNITS: usize = 1;

impl Neural {
    /// An untrained policy whose normalisers come from the given weeks alone.
    ///
    /// # Errors
    /// When the weeks are empty or outside the panel, or the anchor has not a value for every week and product.
    pub fn new(
        panel: &Panel,
        weeks: Range<usize>,
        longest: usize,
        plan: Plan,
        conventions: &Conventions,
        config: &NeuralConfig,
        anchor: Option<&Anchor>,
        seed: u64,
    ) -> Result<Self, Error> {
        if weeks.is_empty() || weeks.end > panel.weeks() {
            let Range { start, end } = weeks;
            let what = "no weeks to take the normalisers from";
            return Err(Error::Weeks {
                what,
                start,
                end,
                weeks: panel.weeks(),
            });
        }
        if let Some(anchor) = anchor {
            anchor.check(panel.weeks(), panel.products())?;
        }
        let features = Features::new(panel, weeks, plan, conventions);
        // Without an anchor the mean demand is the only level.
        let levels = anchor.map_or(1, Anchor::levels);
        let level = |week: usize, product: usize, k: usize| match anchor {
            Some(anchor) => anchor.level(k, week, product),
            None => features.scale[product],
        };
        let channels = features.channels();
        let (units, own) = (UNITS + levels, UNITS + levels + channels + features.ahead());
        let rows = own + levels + anchor.map_or(0, Anchor::inputs);
        let signals = Signals::from_fn(
            panel.weeks(),
            rows,
            panel.products(),
            |week, row, product| {
                let scale = features.scale[product];
                match row {
                    0 => 1.0 / scale,
                    _ if row < units => level(week, product, row - UNITS),
                    _ if row < units + channels => features.channel(product, week, row - units),
                    _ if row < own => features.plan_ahead(product, week, row - units - channels),
                    _ if row < own + levels => {
                        let relative = level(week, product, row - own) / scale;
                        relative.max(0.01).ln()
                    }
                    _ => anchor.map_or(0.0, |a| a.input(row - own - levels, week, product)),
                }
            },
        );
        let mut layout = Layout::new();
        let mut width = channels;
        let mut convolutions = Vec::new();
        for &dilation in &config.dilations {
            convolutions.push(layout.causal_conv(width, config.channels, 2, dilation));
            width = config.channels;
        }
        let inventory = 2 + longest;
        let dense = [
            layout.dense(width + (rows - units) + inventory, config.hidden),
            layout.dense(config.hidden, config.hidden),
            layout.dense(config.hidden, levels),
        ];
        let network = Neural {
            signals: Arc::new(signals),
            layout,
            channels,
            levels,
            anchored: anchor.is_some(),
            convolutions,
            dense,
            members: 1,
            theta: Vec::new(),
        };
        Ok(network.reseeded(seed))
    }

    /// An untrained network of the same shape and signals, one member, with weights drawn from another seed. The signals are
    /// shared, not made again.
    #[must_use]
    pub fn reseeded(&self, seed: u64) -> Self {
        let mut theta = self.layout.initial(seed);
        for w in self.dense[2].weights_mut(&mut theta) {
            *w *= 0.1;
        }
        // An untrained network orders about the mean demand, or up to the mean of its levels: softplus of this is their share.
        let share = 1.0 / count(self.levels);
        self.dense[2].bias_mut(&mut theta).fill(share.exp_m1().ln());
        Neural {
            members: 1,
            theta,
            ..self.clone()
        }
    }

    /// The same policy with other parameters.
    ///
    /// # Errors
    /// When their number differs.
    pub fn with_theta(mut self, theta: Vec<f64>) -> Result<Self, Error> {
        if theta.len() != self.theta.len() {
            let (expected, found) = (self.theta.len(), theta.len());
            return Err(Error::Length {
                array: "theta".into(),
                expected,
                found,
            });
        }
        self.theta = theta;
        Ok(self)
    }

    /// The policy whose output is the mean of those of several networks of this shape, one list of parameters each.
    ///
    /// # Errors
    /// When there is none, or one has another number of parameters than this network.
    pub fn ensemble(mut self, members: &[Vec<f64>]) -> Result<Self, Error> {
        let expected = self.theta.len() / self.members;
        if members.is_empty() {
            return Err(Error::Empty("the ensemble"));
        }
        if let Some(other) = members.iter().find(|theta| theta.len() != expected) {
            return Err(Error::Length {
                array: "theta".into(),
                expected,
                found: other.len(),
            });
        }
        self.members = members.len();
        self.theta = members.concat();
        Ok(self)
    }

    /// The lines that one member needs.
    fn member_delay_lines(&self) -> usize {
        let widths = self.convolutions.iter().map(CausalConv::outputs);
        std::iter::once(self.channels)
            .chain(widths)
            .take(self.convolutions.len())
            .sum()
    }

    /// The output of one member.
    fn member<S: Scalar>(
        &self,
        theta: &[S],
        seen: &[S],
        stock: &[S],
        memory: &mut [DelayLine<S>],
    ) -> Vec<S> {
        let mut x = seen[..self.channels].to_vec();
        let mut memory = memory;
        for conv in &self.convolutions {
            let (lines, rest) = std::mem::take(&mut memory).split_at_mut(x.len());
            memory = rest;
            let mut y = Vec::with_capacity(conv.outputs());
            conv.apply(theta, &x, Activation::Silu, lines, &mut y);
            x = y;
        }
        let mut h = Vec::new();
        self.dense[0].apply(theta, &[&x, seen, stock], Activation::Silu, &mut h);
        let mut h2 = Vec::new();
        self.dense[1].apply(theta, &[&h], Activation::Silu, &mut h2);
        let mut out = Vec::new();
        self.dense[2].apply(theta, &[&h2], Activation::Softplus, &mut out);
        out
    }
}

impl Policy for Neural {
    fn name(&self) -> &'static str {
        "Direct Backprop"
    }
    fn theta(&self) -> &[f64] {
        &self.theta
    }
    fn signals(&self) -> Option<&Signals> {
        Some(&self.signals)
    }
    fn delay_lines(&self) -> usize {
        self.members * self.member_delay_lines()
    }
    fn is_network(&self) -> bool {
        true
    }
    fn order<S: Scalar>(
        &self,
        theta: &[S],
        seen: &Observation<'_, S>,
        memory: &mut [DelayLine<S>],
    ) -> S {
        let (units, rest) = seen.signals.split_at(UNITS + self.levels);
        let inventory = seen.inventory;
        let stock = [
            &[inventory.on_hand, inventory.position],
            &inventory.pipeline[..],
        ]
        .concat();
        let inverse = units[0] * S::constant(INVENTORY_SCALE);
        let stock: Vec<S> = stock.iter().map(|&u| u * inverse).collect();
        let lines = self.member_delay_lines();
        let each = self.theta.len() / self.members;
        let mut sums: Vec<S> = Vec::new();
        for (m, theta) in theta.chunks_exact(each).enumerate() {
            let memory = &mut memory[m * lines..(m + 1) * lines];
            let outputs = self.member(theta, rest, &stock, memory);
            sums = if m == 0 {
                outputs
            } else {
                sums.iter().zip(outputs).map(|(&a, b)| a + b).collect()
            };
        }
        let share = S::constant(1.0 / count(self.members));
        let level = sums
            .iter()
            .zip(&units[UNITS..])
            .map(|(&s, &level)| s * share * level)
            .reduce(|a, b| a + b)
            .unwrap_or(S::constant(0.0));
        if self.anchored {
            (level - inventory.position).relu()
        } else {
            level
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::panel::Columns;

    fn network(levels: &[f64], seed: u64) -> Neural {
        let columns = Columns {
            demand: (0..20).map(|week| f64::from(3 + week % 4)).collect(),
            price: vec![5.0; 20],
            cost: vec![3.0; 20],
            present: vec![true; 20],
            covariates: vec![],
        };
        let panel = Panel::new(vec!["tea".into()], 20, columns).unwrap();
        let config = NeuralConfig {
            channels: 2,
            dilations: vec![1],
            hidden: 4,
        };
        let plan = Plan {
            horizon: 1,
            price: true,
        };
        let level = |&units: &f64| Signals::from_fn(20, 1, 1, move |_, _, _| units);
        let anchor = Anchor::new(levels.iter().map(level).collect(), None).unwrap();
        let conventions = Conventions::default();
        Neural::new(
            &panel,
            0..20,
            1,
            plan,
            &conventions,
            &config,
            Some(&anchor),
            seed,
        )
        .unwrap()
    }

    fn order(network: &Neural, week: usize) -> f64 {
        let signals = network.signals().unwrap();
        let row: Vec<f64> = (0..signals.rows())
            .map(|k| signals.row(week, k)[0])
            .collect();
        let inventory = crate::period::Position::empty(1);
        let seen = Observation {
            inventory: &inventory,
            signals: &row,
        };
        let mut memory = vec![DelayLine::new(); network.delay_lines()];
        network.order(network.theta(), &seen, &mut memory)
    }

    proptest! {
        /// With an empty stock, and before the last layer has any weights, a network orders the mean of its levels, whichever of them
        /// are zero.
        #[test]
        fn a_network_starts_from_the_mean_of_its_levels(
            levels in prop::collection::vec(prop_oneof![Just(0.0), 5.0_f64..50.0], 1..4), seed in 0_u64..100, week in 0_usize..20,
        ) {
            let mean = levels.iter().sum::<f64>() / count(levels.len());
            let mut network = network(&levels, seed);
            let last = network.dense[2];
            last.weights_mut(&mut network.theta).fill(0.0);
            let found = order(&network, week);
            prop_assert!((found - mean).abs() <= 1e-9 * (1.0 + mean), "{found} for {mean}");
        }
    }
}
