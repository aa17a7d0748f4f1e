//! Roll-outs, and what they come to by cohort.

use hindsight_exo_idp::policy::Policy;
use hindsight_gpu::exec::Rollout;
use hindsight_gpu::{Device, Executor, Real};

use crate::buyer::Buyer;
use crate::cases::Cases;
use crate::error::Error;
use crate::joint::{Joint, Loss, TRACES, used};
use crate::model::Model;
use crate::shape::{ARRIVING, COST, DEMAND, SLOW, TERMINAL, WEIGHT};
use crate::train::single;

/// What a roll-out came to, by cohort.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Roll {
    /// Use `[cohort][resource][week]`, in volume.
    pub usage: Vec<Vec<Vec<f64>>>,
    /// Reward of the scored weeks and value of what is left, discounted, in money, by cohort.
    pub reward: Vec<f64>,
    /// Orders, in money at cost, `[cohort][week]`.
    pub orders: Vec<Vec<f64>>,
    /// Prices `[cohort][week][resource * (HORIZON + 1) + week ahead]`, in money per volume.
    pub prices: Vec<Vec<Vec<f64>>>,
}

impl Cases<f32> {
    /// Plays the buyer at prices `prices[cohort][week][..]`; at none at all without.
    ///
    /// # Errors
    /// That of the engine.
    pub fn play(
        &self,
        buyer: &Buyer,
        prices: Option<&[Vec<Vec<f64>>]>,
        device: &Device,
    ) -> Result<Roll, Error> {
        let mut cases = self.clone();
        let none = vec![0.0; self.shape.published()];
        for group in 0..self.groups() {
            for week in 0..self.course.weeks {
                let own = prices.map_or(&none[..], |prices| &prices[group][week]);
                cases.post(week, group, own);
            }
        }
        let joint = Joint {
            shape: &self.shape,
            buyer,
            coordinator: None,
            traced: false,
        };
        let program = joint.program();
        let theta: Vec<f32> = buyer.theta().iter().map(|&x| single(x)).collect();
        let run = device.forward(&program, &theta, &cases.batch(&program)?)?;
        Ok(cases.gather(&run, |week, group| cases.posted(week, group)))
    }

    /// Plays a model: its coordinator's prices, its buyer's orders.
    ///
    /// # Errors
    /// That of the engine.
    pub fn coordinate(&self, model: &Model, device: &Device) -> Result<Roll, Error> {
        let joint = Joint {
            shape: &self.shape,
            buyer: &model.buyer,
            coordinator: Some((&model.coordinator, Loss::default())),
            traced: true,
        };
        let program = joint.program();
        let theta: Vec<f32> = joint.theta().into_iter().map(single).collect();
        let run = device.forward(&program, &theta, &self.batch(&program)?)?;
        let firsts = self.firsts();
        let (lanes, rows) = (self.lanes(), TRACES + self.shape.published());
        Ok(self.gather(&run, |week, group| {
            let at = |k: usize| (week * rows + TRACES + k) * lanes + firsts[group];
            (0..self.shape.published())
                .map(|k| f64::from(run.traces[at(k)]))
                .collect()
        }))
    }

    /// Sums a run's traces over the lanes of every group.
    pub(crate) fn gather(
        &self,
        run: &Rollout<f32>,
        prices: impl Fn(usize, usize) -> Vec<f64>,
    ) -> Roll {
        let (lanes, weeks, resources) = (self.lanes(), self.course.weeks, self.shape.resources());
        let rows = run.traces.len() / (weeks * lanes);
        let firsts = self.firsts();
        let groups = 0..self.groups();
        let mut roll = Roll {
            usage: vec![vec![vec![0.0; weeks]; resources]; groups.len()],
            reward: vec![0.0; groups.len()],
            orders: vec![vec![0.0; weeks]; groups.len()],
            prices: Vec::new(),
        };
        for week in 0..weeks {
            let trace = &run.traces[week * rows * lanes..(week + 1) * rows * lanes];
            for group in groups.clone() {
                let shared = self.shared_of(week, group);
                let (weight, terminal) = (shared[WEIGHT], shared[TERMINAL]);
                for lane in firsts[group]..firsts[group + 1] {
                    let own: [f64; TRACES] =
                        std::array::from_fn(|k| f64::from(trace[k * lanes + lane]));
                    for (r, &kind) in self.shape.kinds.iter().enumerate() {
                        roll.usage[group][r][week] += self.volume(r, lane) * used(kind, &own);
                    }
                    let cost = f64::from(self.row(week, COST)[lane]);
                    roll.orders[group][week] += cost * own[2];
                    roll.reward[group] += weight * own[3] + terminal * own[4];
                }
            }
        }
        let of = |group| (0..weeks).map(|week| prices(week, group)).collect();
        roll.prices = groups.map(of).collect();
        roll
    }

    /// What is used although nothing is ordered, `[cohort][resource][week]`: opening stock that demand has not taken, and what was ordered
    /// before. No controller can use less, but by refusing what arrives.
    #[must_use]
    #[expect(
        clippy::needless_range_loop,
        reason = "the week numbers rows of the cases too"
    )]
    pub fn unordered(&self) -> Vec<Vec<Vec<f64>>> {
        let (lanes, weeks) = (self.lanes(), self.course.weeks);
        let firsts = self.firsts();
        let mut all = vec![vec![vec![0.0; weeks]; self.shape.resources()]; self.groups()];
        for (group, all) in all.iter_mut().enumerate() {
            for lane in firsts[group]..firsts[group + 1] {
                let opening = |row: usize| f64::from(self.lane[row * lanes + lane]);
                let mut on_hand = opening(0);
                for week in 0..weeks {
                    let at = |row: usize| f64::from(self.row(week, row)[lane]);
                    let due =
                        (week + 1..=self.shape.lead).map(|k| at(ARRIVING + k) * opening(k - week));
                    let received: f64 = due.sum();
                    on_hand = (on_hand + received - at(DEMAND)).max(0.0);
                    let trace = [on_hand, received, 0.0, 0.0, 0.0];
                    for (r, &kind) in self.shape.kinds.iter().enumerate() {
                        all[r][week] += self.volume(r, lane) * used(kind, &trace);
                    }
                }
            }
        }
        all
    }

    /// The prices posted to a group in a week.
    pub(crate) fn posted(&self, week: usize, group: usize) -> Vec<f64> {
        self.shared_of(week, group)[self.shape.prices_at()..].to_vec()
    }
}

impl<F: Real> Cases<F> {
    /// The first lane of every group, and the number of lanes.
    pub(crate) fn firsts(&self) -> Vec<usize> {
        let mut firsts = vec![0];
        for size in &self.groups {
            firsts.push(firsts[firsts.len() - 1] + size);
        }
        firsts
    }

    /// What a cohort's products open with, in units: on hand, and in the orders of 1, 2, … weeks ago.
    #[must_use]
    pub fn opening(&self, group: usize) -> (Vec<f64>, Vec<Vec<f64>>) {
        let firsts = self.firsts();
        let lanes = self.lanes();
        let row = |row: usize| -> Vec<f64> {
            let own = firsts[group]..firsts[group + 1];
            own.map(|l| self.lane[row * lanes + l].to_f64()).collect()
        };
        (row(0), (1..=self.shape.lead).map(row).collect())
    }

    pub(crate) fn volume(&self, resource: usize, lane: usize) -> f64 {
        self.lane[(self.shape.lead + 2 + resource) * self.lanes() + lane].to_f64()
    }

    /// What a unit of volume of every resource costs, by cohort, in the first week: `[cohort][resource]`.
    #[must_use]
    pub fn unit_prices(&self) -> Vec<Vec<f64>> {
        let firsts = self.firsts();
        let (cost, slow) = (self.row(0, COST), self.row(0, SLOW));
        let of = |group: usize, resource: usize| {
            let lanes = firsts[group]..firsts[group + 1];
            let level = |lane: usize| slow[lane].to_f64();
            let money: f64 = lanes.clone().map(|l| cost[l].to_f64() * level(l)).sum();
            let volume: f64 = lanes.map(|l| self.volume(resource, l) * level(l)).sum();
            money / volume.max(1e-9)
        };
        (0..self.groups())
            .map(|g| (0..self.shape.resources()).map(|r| of(g, r)).collect())
            .collect()
    }
}
