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
    /// Reward in money, undiscounted.
    Reward,
    /// What the objective books: the weighted reward, and the value of stock where a scored range begins and ends.
    Booked,
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
            event.reward,
            event.booked,
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
        let weeks = replay.window().replayed();
        Outcomes {
            policy: policy.to_owned(),
            products: replay.paths().panel().products(),
            samples: replay.paths().samples(),
            first: weeks.start,
            weeks: weeks.len(),
            scored: replay.window().scored.clone(),
            objective: objective.to_vec(),
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

    /// The weeks that were replayed, burn-in included.
    #[must_use]
    pub fn replayed(&self) -> std::ops::Range<usize> {
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

    /// What was booked for a product in week `week` of the scored range, value of stock included, the mean over the samples:
    /// summed over the weeks, [`objective`](Self::objective). The opening charge counts in the first week.
    #[must_use]
    pub fn booked(&self, product: usize, week: usize) -> f64 {
        let opening = if week == self.scored.start && week > self.first {
            self.mean(Quantity::Booked, product, week - 1)
        } else {
            0.0
        };
        self.mean(Quantity::Booked, product, week) + opening
    }
}

#[allow(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
pub(crate) fn count(n: usize) -> f64 {
    n as f64
}
