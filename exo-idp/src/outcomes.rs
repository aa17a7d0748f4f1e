//! What a policy did and earned, by product and week.

use gpu::{Real, Scalar};

use crate::period::Event;
use crate::replay::Replay;

/// The quantities that a replay keeps for every lane and week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Quantity {
    /// Units ordered.
    Order,
    /// Units received.
    Received,
    /// Units sold.
    Sold,
    /// Units of demand lost or waiting.
    Unmet,
    /// Units on hand at the end of the week.
    OnHand,
    /// Units on hand and outstanding at the end of the week.
    Position,
    /// Reward in money, undiscounted.
    Reward,
}

impl Quantity {
    pub(crate) const COUNT: usize = 7;

    #[inline(always)]
    pub(crate) fn of<S: Scalar>(event: &Event<S>) -> [S; Self::COUNT] {
        [
            event.order,
            event.received,
            event.sold,
            event.unmet,
            event.on_hand,
            event.position,
            event.reward,
        ]
    }
}

/// What a policy did and earned on every path and in every week of a replay.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Outcomes {
    policy: String,
    products: usize,
    samples: usize,
    /// First week replayed.
    first: usize,
    weeks: usize,
    scored: std::ops::Range<usize>,
    discount: f64,
    salvage: f64,
    values: Vec<UnitValue>,
    objective: Vec<f64>,
    /// `[week][quantity][lane]`
    traces: Vec<f64>,
}

impl Outcomes {
    pub(crate) fn from_traces<F: Real>(
        policy: &str,
        replay: &Replay<'_>,
        objective: &[f64],
        traces: &[F],
    ) -> Self {
        let weeks = replay.window().seen();
        let scored = &replay.window().scored;
        let value = |product| UnitValue {
            opening: replay.opening_units(product),
            closing: replay.closing_value(product),
            cost: scored
                .clone()
                .map(|week| replay.paths().panel().cost(product, week))
                .collect(),
        };
        let values = (0..replay.paths().panel().products()).map(value).collect();
        Outcomes {
            policy: policy.to_owned(),
            products: replay.paths().panel().products(),
            samples: replay.paths().samples(),
            first: weeks.start,
            weeks: weeks.len(),
            scored: replay.window().scored.clone(),
            discount: replay.conventions().discount,
            salvage: replay.conventions().salvage(),
            values,
            objective: objective
                .iter()
                .enumerate()
                .map(|(lane, o)| o - replay.opening_charge(lane))
                .collect(),
            traces: traces.iter().map(|x| x.to_f64()).collect(),
        }
    }

    /// The policy's name.
    #[must_use]
    pub fn policy(&self) -> &str {
        &self.policy
    }

    /// The number of products.
    #[must_use]
    pub fn products(&self) -> usize {
        self.products
    }

    /// The weeks that were seen, warm-up included.
    #[must_use]
    pub fn seen(&self) -> std::ops::Range<usize> {
        self.first..self.first + self.weeks
    }

    /// The weeks whose reward counts.
    #[must_use]
    pub fn scored(&self) -> std::ops::Range<usize> {
        self.scored.clone()
    }

    /// A quantity of a product in a week, the mean over the samples of arrivals.
    ///
    /// # Panics
    /// Like an index into an array, when product or week were not replayed.
    #[must_use]
    pub fn mean(&self, quantity: Quantity, product: usize, week: usize) -> f64 {
        let lanes = self.products * self.samples;
        let row = ((week - self.first) * Quantity::COUNT + quantity as usize) * lanes;
        let values = (0..self.samples).map(|s| self.traces[row + s * self.products + product]);
        values.sum::<f64>() / count(self.samples)
    }

    /// A quantity of one product and sample in a week.
    ///
    /// # Panics
    /// Like an index into an array, when product, sample or week were not replayed.
    #[must_use]
    pub fn sample(&self, quantity: Quantity, product: usize, sample: usize, week: usize) -> f64 {
        let lanes = self.products * self.samples;
        self.traces[((week - self.first) * Quantity::COUNT + quantity as usize) * lanes
            + sample * self.products
            + product]
    }

    /// The sum of a quantity over products and scored weeks, the mean over the samples.
    #[must_use]
    pub fn total(&self, quantity: Quantity) -> f64 {
        let lanes = self.products * self.samples;
        let week = |week: usize| {
            let row = ((week - self.first) * Quantity::COUNT + quantity as usize) * lanes;
            self.traces[row..row + lanes].iter().sum::<f64>()
        };
        self.scored.clone().map(week).sum::<f64>() / count(self.samples)
    }

    /// What a product earned: discounted reward of the scored weeks and the change in the value of its stock, the mean over the
    /// samples.
    #[must_use]
    pub fn objective(&self, product: usize) -> f64 {
        (0..self.samples)
            .map(|s| self.objective[s * self.products + product])
            .sum::<f64>()
            / count(self.samples)
    }

    /// What all products earned.
    #[must_use]
    pub fn reward(&self) -> f64 {
        self.objective.iter().sum::<f64>() / count(self.samples)
    }

    /// Units sold as a share of units wanted, over the scored weeks.
    #[must_use]
    pub fn fill_rate(&self) -> f64 {
        let (sold, unmet) = (self.total(Quantity::Sold), self.total(Quantity::Unmet));
        sold / (sold + unmet)
    }

    /// What a product earned in each scored week, the mean over the samples: the discounted reward and the change in the book
    /// value of its stock and outstanding orders, at average cost. Summed over the weeks it is
    /// [`objective`](Outcomes::objective).
    ///
    /// $$ e_t = \gamma^t R_t + \gamma^{t+1} V_t - \gamma^t V_{t-1}, \qquad V_t = (V_{t-1} + c_t a_t) \frac{x_t}{x_t + s_t} $$
    /// with the position $x$ and sales $s$. The book opens at the closing value, and what it
    /// differs from that value in the end falls on the last week. So the margin of a unit counts in the week in which it is sold; otherwise a week's money
    /// would depend on whether an order was paid in it, and weeks could not be compared or drawn again.
    #[must_use]
    pub fn earned(&self, product: usize) -> Vec<f64> {
        let samples = 0..self.samples;
        let mut mean = vec![0.0; self.scored.len()];
        for sample in samples {
            for (mean, earned) in mean.iter_mut().zip(self.earned_on(product, sample)) {
                *mean += earned / count(self.samples);
            }
        }
        mean
    }

    fn earned_on(&self, product: usize, sample: usize) -> Vec<f64> {
        let at = |quantity, week| self.sample(quantity, product, sample, week);
        let value = &self.values[product];
        let start = self.scored.start;
        let mut book = value.closing * value.opening;
        let mut power = 1.0;
        self.scored
            .clone()
            .map(|week| {
                let (position, sold) = (at(Quantity::Position, week), at(Quantity::Sold, week));
                let paid = value.cost[week - start] * at(Quantity::Order, week);
                let kept = if position + sold > 0.0 {
                    (position / (position + sold)).clamp(0.0, 1.0)
                } else {
                    0.0
                };
                let after = if week + 1 == self.scored.end {
                    self.salvage * value.closing * position
                } else {
                    (book + paid) * kept
                };
                let earned = power * (at(Quantity::Reward, week) + self.discount * after - book);
                power *= self.discount;
                book = after;
                earned
            })
            .collect()
    }
}

/// Opening units of a product, what a unit counts for when scoring ends, and what it costs in between.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
struct UnitValue {
    opening: f64,
    closing: f64,
    /// Purchase cost in the scored weeks.
    cost: Vec<f64>,
}

#[allow(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
pub(crate) fn count(n: usize) -> f64 {
    n as f64
}
