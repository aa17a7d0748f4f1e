//! The network: from a state to the joint law of drain and cost.

use gpu::Scalar;
use gpu::nn::{Activation, Dense, Layout};

use super::spill::{Spill, spill};
use super::split::water_filling;
use super::sums::{mixed, product, total};

/// What a warehouse says of itself to the network.
const FEATURES: usize = 12;
const TINY: f64 = 1e-6;
/// The fulfilment rate is this times a number in (0, 1), and at most one: it may be exactly one.
pub(super) const FULL: f64 = 1.02;

/// The size of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Size {
    /// Width of the hidden layers. Default 32.
    pub hidden: usize,
    /// Latent numbers that all warehouses of a state share, beside the one of the fulfilment rate. Default 3.
    pub rank: usize,
    /// Rounds in which demand spills over from warehouses without stock. Default 4.
    pub rounds: usize,
}

impl Default for Size {
    fn default() -> Self {
        Self {
            hidden: 32,
            rank: 3,
            rounds: 4,
        }
    }
}

/// What the model reads of a warehouse and its state, in any number type.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lane<'a, S> {
    /// Units on hand.
    pub stock: S,
    /// Units asked for by all zones together; the same in all lanes of a group.
    pub size: S,
    /// Shares of the zones in it, which sum to one; the same in all lanes of a group.
    pub demand: &'a [S],
    /// Prices from this warehouse, `[option][zone]`, in units of [`UnitCosts::mean`](super::UnitCosts::mean).
    pub price: &'a [S],
    /// The least that its units can cost on average, in the same unit.
    pub low: S,
    /// The most.
    pub high: S,
}

/// The law of drain and cost of one warehouse, jointly with its group: all that depends on no random number.
#[derive(Debug, Clone)]
pub(super) struct Outlook<S> {
    /// Units asked for.
    pub size: S,
    /// Stock as a share of them.
    pub capacity: S,
    /// The most that the group can ship as a share of them.
    pub most: S,
    /// The logit of the fulfilment rate and its deviation.
    pub fulfilment: [S; 2],
    /// The logarithm of the weight in the split and its own deviation.
    pub split: [S; 2],
    /// The logarithm of the money per unit and its own deviation.
    pub unit: [S; 2],
    /// The logarithms of the least and the largest money per unit.
    pub range: [S; 2],
    /// What the shared latent numbers do to the split and to the cost.
    pub loads: Vec<S>,
}

impl<S: Scalar> Outlook<S> {
    pub(super) fn to_rows(&self) -> Vec<S> {
        let pairs = [self.fulfilment, self.split, self.unit, self.range];
        let mut rows = vec![self.size, self.capacity, self.most];
        rows.extend(pairs.iter().flatten());
        rows.extend(&self.loads);
        rows
    }

    pub(super) fn from_rows(rows: &[S]) -> Self {
        let pair = |i: usize| [rows[3 + 2 * i], rows[4 + 2 * i]];
        Self {
            size: rows[0],
            capacity: rows[1],
            most: rows[2],
            fulfilment: pair(0),
            split: pair(1),
            unit: pair(2),
            range: pair(3),
            loads: rows[11..].to_vec(),
        }
    }

    /// The logarithm of the money per unit has this variance.
    pub(super) fn unit_variance(&self) -> S {
        let (_, cost) = self.loads.split_at(self.loads.len() / 2);
        self.unit[1] * self.unit[1] + product(cost, cost)
    }

    /// Units and money, as shares of what is asked for and of that at the mean price, for the normal numbers of some samples: `latent` are
    /// those of the whole group, `[number][sample]`, `own` those of the lane, `[split, cost][sample]`.
    pub(super) fn draws(&self, latent: &[S], own: &[S]) -> Vec<[S; 2]> {
        let (split_loads, cost_loads) = self.loads.split_at(self.loads.len() / 2);
        let (split, cost) = (mixed(split_loads, latent), mixed(cost_loads, latent));
        let (own_split, own_cost) = own.split_at(own.len() / 2);
        let log = |[mean, deviation]: [S; 2], mixed: Vec<S>, own: &[S]| -> Vec<S> {
            let terms = mixed.into_iter().zip(own);
            terms.map(|(m, &own)| mean + m + deviation * own).collect()
        };
        let log_weights = log(self.split, split, own_split);
        let log_units = log(self.unit, cost, own_cost);
        let sample = |((log_weight, log_unit), &z): ((S, S), &S)| {
            let rate = (self.fulfilment[0] + self.fulfilment[1] * z).sigmoid();
            let rate = (rate * S::constant(FULL)).min(S::constant(1.0));
            let weight = (log_weight - log_weight.lane_max()).exp();
            let units = water_filling(weight, self.capacity, self.most * rate);
            let unit = log_unit.clip(self.range[0], self.range[1]).exp();
            [units, units * unit]
        };
        let logs = log_weights.into_iter().zip(log_units);
        logs.zip(latent).map(sample).collect()
    }
}

/// The places of the network's parameters.
#[derive(Debug, Clone)]
pub(super) struct Network {
    size: Size,
    options: usize,
    /// The steepness of choice, then how much each option's price counts in it.
    scalars: usize,
    one: Dense,
    pool: Dense,
    two: Dense,
    head: Dense,
    rate: Dense,
    params: usize,
    initial: Layout,
}

impl Network {
    pub(super) fn new(size: Size, options: usize) -> Self {
        let mut layout = Layout::new();
        let (hidden, latents) = (size.hidden, size.rank + 1);
        Self {
            size,
            options,
            scalars: layout.scalars(1 + options),
            one: layout.dense(FEATURES, hidden),
            pool: layout.dense(hidden, hidden),
            two: layout.dense(2 * hidden, hidden),
            head: layout.dense(hidden, 4 + options + 2 * latents),
            rate: layout.dense(hidden, 2),
            params: layout.params(),
            initial: layout,
        }
    }

    pub(super) fn size(&self) -> Size {
        self.size
    }

    pub(super) fn params(&self) -> usize {
        self.params
    }

    /// Latent numbers of a group.
    pub(super) fn latents(&self) -> usize {
        self.size.rank + 1
    }

    /// First parameters: the network says nothing yet, and the first guess stands.
    pub(super) fn initial(&self, seed: u64) -> Vec<f64> {
        let mut theta = self.initial.initial(seed);
        for layer in [&self.head, &self.rate] {
            for weight in layer.weights_mut(&mut theta) {
                *weight *= 0.1;
            }
        }
        theta
    }

    /// The law in a state.
    pub(super) fn outlook<S: Scalar>(&self, theta: &[S], lane: &Lane<'_, S>) -> Outlook<S> {
        let number = S::constant;
        let capacity = lane.stock / lane.size.max(number(TINY));
        let guess = self.guess(theta, lane, capacity);
        let together = capacity.lane_sum();
        let x = features(lane, capacity, together, &guess);
        let apply = |layer: &Dense, x: &[&[S]], f: Activation| {
            let mut y = Vec::new();
            layer.apply(theta, x, f, &mut y);
            y
        };
        let h = apply(&self.one, &[&x], Activation::Silu);
        let count = number(1.0).lane_sum();
        let mean: Vec<S> = h.iter().map(|h| h.lane_sum() / count).collect();
        let pooled = apply(&self.pool, &[&mean], Activation::Silu);
        let h = apply(&self.two, &[&h, &pooled], Activation::Silu);
        let t = apply(&self.head, &[&h], Activation::Identity);
        let rate = apply(&self.rate, &[&pooled], Activation::Identity);
        let deviation = |raw: S, least: f64| {
            let log = (raw + number(-2.0)).clip(number(least), number(1.0));
            log.exp()
        };
        let prior = guess.drain + number(0.01) * capacity / (together + number(TINY));
        let unit = self.unit_price(&t[4..4 + self.options], lane, &guess);
        let scale = number(0.3);
        let loads = t[4 + self.options..].iter().map(|&load| scale * load);
        Outlook {
            size: lane.size,
            capacity,
            most: together.min(number(1.0)),
            fulfilment: [rate[0] + number(5.0), deviation(rate[1], -4.0)],
            split: [(prior + number(1e-9)).ln() + t[0], deviation(t[1], -6.0)],
            unit: [(unit + number(1e-9)).ln() + t[2], deviation(t[3], -6.0)],
            range: [lane.low, lane.high].map(|v| (v + number(1e-9)).ln()),
            loads: loads.collect(),
        }
    }

    fn guess<S: Scalar>(&self, theta: &[S], lane: &Lane<'_, S>, capacity: S) -> Spill<S> {
        let scalars = &theta[self.scalars..][..=self.options];
        let steepness = (scalars[0] + S::constant(2.0)).exp();
        let mut counts = Vec::new();
        S::softmax(&scalars[1..], &mut counts);
        let cost = mixed(&counts, lane.price);
        spill(capacity, lane.demand, &cost, steepness, self.size.rounds)
    }

    /// Money per unit: a mixture over ship options of their prices to the zones that are served.
    fn unit_price<S: Scalar>(&self, logits: &[S], lane: &Lane<'_, S>, guess: &Spill<S>) -> S {
        let served: Vec<S> = guess
            .flow
            .iter()
            .zip(lane.demand)
            .map(|(&flow, &demand)| flow + S::constant(1e-3) * demand)
            .collect();
        let mut shares = Vec::new();
        S::softmax(logits, &mut shares);
        let price = mixed(&shares, lane.price);
        product(&served, &price) / (total(served) + S::constant(TINY))
    }
}

/// Numbers without unit, most of them between -3 and 3.
fn features<S: Scalar>(lane: &Lane<'_, S>, capacity: S, together: S, guess: &Spill<S>) -> Vec<S> {
    let number = S::constant;
    let (small, tiny) = (number(1e-2), number(TINY));
    let log = |x: S| (x + small).ln();
    let mean_price = product(lane.demand, lane.price);
    let paid = product(&guess.flow, lane.price);
    vec![
        log(capacity),
        capacity / (together + tiny),
        log(together),
        log(guess.drain),
        guess.drain / (capacity + small),
        log(guess.pull),
        log(capacity) - log(guess.pull),
        guess.local / (guess.drain + small),
        mean_price,
        paid / (guess.drain + small),
        log(guess.unmet),
        (log(lane.size) - number(5.0)) * number(0.5),
    ]
}
