//! What a policy did and earned, by product and week.

use std::ops::Range;

use gpu::Scalar;

use crate::count::count;
use crate::period::Event;
use crate::states::States;

/// The quantities that a replay keeps for every lane and week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Quantity {
    /// Units that the policy ordered.
    Order,
    /// Units of the order that are delivered, now or later, after whatever a market made of it: what is paid.
    Supplied,
    /// Units received.
    Received,
    /// Units sold.
    Sold,
    /// Units of demand lost or waiting.
    Unmet,
    /// Units on hand at the end of the week.
    OnHand,
    /// What the units on hand and coming cost, in money, at average cost.
    Book,
    /// Reward in money, undiscounted.
    Reward,
    /// What a market charged, in money, undiscounted; not part of the reward.
    Charge,
}

impl Quantity {
    pub(crate) const COUNT: usize = 9;

    #[inline(always)]
    pub(crate) fn of<S: Scalar>(event: &Event<S>) -> [S; Self::COUNT] {
        [
            event.requested,
            event.supplied,
            event.received,
            event.sold,
            event.unmet,
            event.on_hand,
            event.book,
            event.reward,
            event.charge,
        ]
    }
}

/// What is said of a replay's outcomes beside the numbers themselves.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub(crate) struct Frame {
    pub(crate) products: usize,
    pub(crate) samples: usize,
    /// Weeks replayed.
    pub(crate) seen: Range<usize>,
    pub(crate) scored: Range<usize>,
    pub(crate) discount: f64,
    pub(crate) salvage: f64,
    /// Book value of the opening stock of every lane.
    pub(crate) opening: Vec<f64>,
    /// Where unmet demand waits.
    pub(crate) waiting: Option<Waiting>,
}

/// How unmet demand waits.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub(crate) struct Waiting {
    /// Units at the opening, by lane.
    pub(crate) opening: Vec<f64>,
    /// Whether orders are received after demand.
    pub(crate) after_demand: bool,
}

impl Frame {
    pub(crate) fn lanes(&self) -> usize {
        self.products * self.samples
    }
}

/// What a policy did and earned on every path and in every week of a replay.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Outcomes {
    policy: String,
    frame: Frame,
    /// What every lane earned.
    objective: Vec<f64>,
    /// `[week][quantity][lane]`
    traces: Vec<f64>,
    closing: States,
}

impl Outcomes {
    /// Outcomes of `booked` money by lane, opening stock not yet charged, and `traces`, `[week][quantity][lane]`.
    pub(crate) fn new(
        policy: &str,
        frame: Frame,
        mut booked: Vec<f64>,
        traces: Vec<f64>,
        closing: States,
    ) -> Self {
        for (booked, opening) in booked.iter_mut().zip(&frame.opening) {
            *booked -= opening;
        }
        Outcomes {
            policy: policy.to_owned(),
            frame,
            objective: booked,
            traces,
            closing,
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
        self.frame.products
    }

    /// The number of samples of arrivals of every product.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.frame.samples
    }

    /// The weeks that were seen, warm-up included.
    #[must_use]
    pub fn seen(&self) -> Range<usize> {
        self.frame.seen.clone()
    }

    /// The weeks whose reward counts.
    #[must_use]
    pub fn scored(&self) -> Range<usize> {
        self.frame.scored.clone()
    }

    /// The inventory of every lane after the last week: where another replay may [start](crate::Replay::fork).
    #[must_use]
    pub fn closing(&self) -> &States {
        &self.closing
    }

    /// A quantity of every lane in a week.
    pub(crate) fn row(&self, quantity: Quantity, week: usize) -> &[f64] {
        let lanes = self.frame.lanes();
        let row = (week - self.frame.seen.start) * Quantity::COUNT + quantity as usize;
        &self.traces[row * lanes..][..lanes]
    }

    /// The mean of a number over the samples of a product.
    fn over_samples(&self, product: usize, of: impl Fn(usize) -> f64) -> f64 {
        let lanes = (0..self.frame.samples).map(|s| s * self.frame.products + product);
        lanes.map(of).sum::<f64>() / count(self.frame.samples)
    }

    /// A quantity of a product in a week, the mean over the samples of arrivals.
    ///
    /// # Panics
    /// Like an index into an array, when product or week were not replayed.
    #[must_use]
    pub fn mean(&self, quantity: Quantity, product: usize, week: usize) -> f64 {
        let row = self.row(quantity, week);
        self.over_samples(product, |lane| row[lane])
    }

    /// A quantity of one product and sample in a week.
    ///
    /// # Panics
    /// Like an index into an array, when product, sample or week were not replayed.
    #[must_use]
    pub fn sample(&self, quantity: Quantity, product: usize, sample: usize, week: usize) -> f64 {
        self.row(quantity, week)[sample * self.frame.products + product]
    }

    /// The sum of a quantity over products and scored weeks, the mean over the samples.
    #[must_use]
    pub fn total(&self, quantity: Quantity) -> f64 {
        let week = |week: usize| self.row(quantity, week).iter().sum::<f64>();
        self.scored().map(week).sum::<f64>() / count(self.frame.samples)
    }

    /// What a product earned: discounted reward of the scored weeks, less what a market charged, and the change in the value of its
    /// stock, the mean over the samples.
    #[must_use]
    pub fn objective(&self, product: usize) -> f64 {
        self.over_samples(product, |lane| self.objective[lane])
    }

    /// What every lane earned: [`objective`](Outcomes::objective) of one sample, lane `sample * products + product`.
    #[must_use]
    pub fn objectives(&self) -> &[f64] {
        &self.objective
    }

    /// What all products earned.
    #[must_use]
    pub fn reward(&self) -> f64 {
        self.objective.iter().sum::<f64>() / count(self.frame.samples)
    }

    /// Units sold in the week in which they were wanted, as a share of units wanted, over the scored weeks. A unit that waits counts
    /// once, in the week in which it was wanted. Not a number where nothing was wanted.
    #[must_use]
    pub fn fill_rate(&self) -> f64 {
        let Some(waiting) = &self.frame.waiting else {
            let (sold, unmet) = (self.total(Quantity::Sold), self.total(Quantity::Unmet));
            return sold / (sold + unmet);
        };
        let (mut on_time, mut wanted) = (0.0, 0.0);
        for (lane, &opening) in waiting.opening.iter().enumerate() {
            let mut before = opening;
            for week in self.scored() {
                let at = |quantity| self.row(quantity, week)[lane];
                let unmet = at(Quantity::Unmet);
                let late = if waiting.after_demand {
                    unmet.min(at(Quantity::Received))
                } else {
                    0.0
                };
                // Demand that waits is served first.
                let sold = at(Quantity::Sold) - late;
                on_time += sold - sold.min(before);
                wanted += sold + unmet - before;
                before = unmet - late;
            }
        }
        on_time / wanted
    }

    /// What a product earned in each scored week, the mean over the samples: the discounted reward and the change in the book
    /// value $V$ of its stock and outstanding orders. Summed over the weeks it is [`objective`](Outcomes::objective).
    ///
    /// $$ e_t = \gamma^t (R_t + \gamma V_t - V_{t-1}) $$
    ///
    /// So the margin of a unit counts in the week in which it is sold; otherwise a week's money would depend on whether an order was
    /// paid in it, and weeks could not be compared or drawn again.
    #[must_use]
    pub fn accrued_reward(&self, product: usize) -> Vec<f64> {
        let frame = &self.frame;
        let mut mean = vec![0.0; frame.scored.len()];
        for sample in 0..frame.samples {
            let lane = sample * frame.products + product;
            let mut power = 1.0;
            let mut before = frame.opening[lane];
            for (mean, week) in mean.iter_mut().zip(self.scored()) {
                let after = self.row(Quantity::Book, week)[lane];
                let last = week + 1 == frame.scored.end;
                let kept = if last { frame.salvage * after } else { after };
                let reward =
                    self.row(Quantity::Reward, week)[lane] - self.row(Quantity::Charge, week)[lane];
                *mean += power * (reward + frame.discount * kept - before) / count(frame.samples);
                power *= frame.discount;
                before = after;
            }
        }
        mean
    }
}
