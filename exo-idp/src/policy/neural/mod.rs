//! The neural policy that Direct Backprop trains.

mod features;

use std::ops::Range;
use std::sync::Arc;

use gpu::nn::{CausalConv, Dense, Layout};
use gpu::{Activation, DelayLine, Scalar};

use super::{Plan, Policy, Seen, Signals};
use crate::conventions::Conventions;
use crate::error::Error;
use crate::outcomes::count;
use crate::panel::Panel;
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
/// plan ahead and on the inventory; a softplus $s > 0$. Units are divided by the product's mean demand on the way in.
///
/// - Without an anchor the order itself comes out, $a = m s$ with the mean demand $m$: there is no forecast in between, as in
///   the paper.
/// - With an anchor, a level $\ell$ in units for every product and week, the order brings the position to $\ell s$: $a = \max(\ell
///   s - x, 0)$. An untrained network then is the order-up-to policy of that level, and training improves on it. Short
///   records are better served by this; it is our own formulation.
///
/// The outputs $s$ of several members, trained apart, may be averaged ([`Neural::ensemble`]).
#[derive(Debug, Clone)]
pub struct Neural {
    /// Shared by the networks of other seeds: they are large and do not depend on the weights.
    signals: Arc<Signals>,
    layout: Layout,
    channels: usize,
    anchored: bool,
    convolutions: Vec<CausalConv>,
    dense: [Dense; 3],
    members: usize,
    theta: Vec<f64>,
}

/// `softplus` of this is 1: an untrained network orders about the mean demand, or up to its anchor.
const UNIT_BIAS: f64 = 0.541_324_854_612_918;
/// Inventories are of the order of a few weeks of demand; this brings them to the order of one.
const INVENTORY_SCALE: f64 = 0.25;
/// Rows of signals before the channels: mean demand, its inverse, the anchor.
const UNITS: usize = 3;

impl Neural {
    /// An untrained policy whose normalisers come from the given weeks alone.
    ///
    /// # Errors
    /// When the weeks are empty or outside the panel, or the anchor has not one row for every week and product.
    pub fn new(
        panel: &Panel,
        weeks: Range<usize>,
        longest: usize,
        plan: Plan,
        conventions: &Conventions,
        config: &NeuralConfig,
        anchor: Option<&Signals>,
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
            anchor.check(panel.weeks(), panel.products(), panel.products())?;
        }
        let features = Features::new(panel, weeks, plan, conventions);
        let more = anchor.map_or(1, Signals::rows);
        let (channels, ahead) = (features.channels(), features.ahead() + more);
        let level = |week: usize, product: usize| match anchor {
            Some(anchor) => anchor.row(week, 0)[product],
            None => features.scale[product],
        };
        let rows = UNITS + channels + ahead;
        let signals = Signals::from_fn(
            panel.weeks(),
            rows,
            panel.products(),
            |week, row, product| {
                let scale = features.scale[product];
                match row {
                    0 => scale,
                    1 => 1.0 / scale,
                    2 => level(week, product),
                    _ if row < UNITS + channels => features.channel(product, week, row - UNITS),
                    _ if row + 1 == rows => (level(week, product) / scale).max(0.01).ln(),
                    _ if row + more >= rows => {
                        anchor.map_or(0.0, |a| a.row(week, row + more + 1 - rows)[product])
                    }
                    _ => features.plan_ahead(product, week, row - UNITS - channels),
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
            layout.dense(width + channels + ahead + inventory, config.hidden),
            layout.dense(config.hidden, config.hidden),
            layout.dense(config.hidden, 1),
        ];
        let network = Neural {
            signals: Arc::new(signals),
            layout,
            channels,
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
        self.dense[2].bias_mut(&mut theta).fill(UNIT_BIAS);
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
    fn member_lines(&self) -> usize {
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
    ) -> S {
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
        out[0]
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
    fn lines(&self) -> usize {
        self.members * self.member_lines()
    }
    fn is_network(&self) -> bool {
        true
    }
    fn order<S: Scalar>(&self, theta: &[S], seen: &Seen<'_, S>, memory: &mut [DelayLine<S>]) -> S {
        let (units, rest) = seen.signals.split_at(UNITS);
        let inventory = seen.inventory;
        let stock = [
            &[inventory.on_hand, inventory.position],
            &inventory.pipeline[..],
        ]
        .concat();
        let inverse = units[1] * S::constant(INVENTORY_SCALE);
        let stock: Vec<S> = stock.iter().map(|&u| u * inverse).collect();
        let lines = self.member_lines();
        let each = self.theta.len() / self.members;
        let outputs: Vec<S> = theta
            .chunks_exact(each)
            .enumerate()
            .map(|(m, theta)| {
                let memory = &mut memory[m * lines..(m + 1) * lines];
                self.member(theta, rest, &stock, memory)
            })
            .collect();
        let sum = outputs[1..].iter().fold(outputs[0], |sum, &s| sum + s);
        let mean = sum * S::constant(1.0 / count(self.members));
        if self.anchored {
            (mean * units[2] - inventory.position).relu()
        } else {
            mean * units[0]
        }
    }
}
