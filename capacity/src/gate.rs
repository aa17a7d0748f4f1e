//! Controllers that decide week by week: prices, or a gate.

use hindsight_exo_idp::policy::Policy;
use hindsight_gpu::exec::Rollout;
use hindsight_gpu::{Device, Executor};

use crate::buyer::Buyer;
use crate::cases::Cases;
use crate::coordinator::contributions;
use crate::error::Error;
use crate::joint::{Joint, TRACES, observe, used};
use crate::limits::Kind;
use crate::maps::{Aggregates, DualMap};
use crate::roll::Roll;
use crate::shape::{ACCEPTED, COST, PRICE};
use crate::train::single;

/// What becomes of arrivals for which there is no room at the gate: they go back to the vendor, who refunds them.
///
/// There is room for what a limit leaves above the stock at the beginning of the week (storage), and for what it says (inbound).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Gate {
    /// All arrivals of a week are cut by the same share.
    ProRata,
    /// Those with the largest margin per volume of storage come first.
    Greedy,
}

/// No prices at all.
#[derive(Debug)]
struct Free;

impl DualMap for Free {
    fn prices(&mut self, seen: &Aggregates<'_>) -> Vec<f64> {
        vec![0.0; seen.shape.published()]
    }
}

/// What the lanes are before a week, and what its last one came to.
pub(crate) struct Before<'a> {
    pub(crate) week: usize,
    /// Rows of the lanes.
    pub(crate) lane: &'a [f32],
    /// The traces of last week; none before the first.
    traces: &'a [f32],
}

impl Cases<f32> {
    /// Plays the buyer without prices, the gate cutting what arrives.
    ///
    /// # Errors
    /// That of the engine.
    pub fn gated(&self, buyer: &Buyer, gate: Gate, device: &Device) -> Result<Roll, Error> {
        self.directed(buyer, &mut Free, Some(gate), device)
    }

    /// Plays the buyer week by week at the prices of a dual map, with a gate if wanted. For a coordinator without a gate the same as
    /// [`coordinate`](Cases::coordinate), which is faster.
    ///
    /// # Errors
    /// That of the engine.
    pub fn directed(
        &self,
        buyer: &Buyer,
        map: &mut dyn DualMap,
        gate: Option<Gate>,
        device: &Device,
    ) -> Result<Roll, Error> {
        self.by_week(buyer, gate, device, |before| {
            let groups = 0..self.groups();
            Ok(groups
                .map(|group| self.seen(before, group, |seen| map.prices(&seen)))
                .collect())
        })
    }

    /// What is seen of a cohort before a week.
    fn seen<T>(
        &self,
        before: &Before<'_>,
        group: usize,
        then: impl FnOnce(Aggregates<'_>) -> T,
    ) -> T {
        let (lanes, firsts, week) = (self.lanes(), self.firsts(), before.week);
        let (rows, resources) = (self.shape.exo(), self.shape.resources());
        let mut sums = vec![0.0; resources * (5 + self.shape.lead) + 2];
        let mut used_before = vec![0.0; resources];
        let mut exo = vec![0.0; rows];
        for lane in firsts[group]..firsts[group + 1] {
            for (row, value) in exo.iter_mut().enumerate() {
                *value = f64::from(self.row(week, row)[lane]);
            }
            let of = |row: usize| f64::from(before.lane[row * lanes + lane]);
            let state: Vec<f64> = (0..=self.shape.lead).map(of).collect();
            let volumes: Vec<f64> = (0..resources).map(|r| self.volume(r, lane)).collect();
            let (_, position) = observe(&self.shape, &exo, &state);
            let own = contributions(&self.shape, &exo, &volumes, &position);
            sums.iter_mut().zip(own).for_each(|(sum, own)| *sum += own);
            if week > 0 {
                let trace = std::array::from_fn(|k| f64::from(before.traces[k * lanes + lane]));
                for (r, &kind) in self.shape.kinds.iter().enumerate() {
                    used_before[r] += volumes[r] * used(kind, &trace);
                }
            }
        }
        let limit = |r: usize| {
            let limits = self.limits.get(group);
            limits.map_or(f64::INFINITY, |l| l.of(r)[week.saturating_sub(1)])
        };
        let limits: Vec<f64> = (0..resources).map(limit).collect();
        then(Aggregates {
            shape: &self.shape,
            sums: &sums,
            shared: &self.shared_of(week, group),
            cohort: group,
            week,
            used: &used_before,
            limits: &limits,
        })
    }

    /// Plays week by week: `prices` gives those of every group, from what is before the week.
    pub(crate) fn by_week(
        &self,
        buyer: &Buyer,
        gate: Option<Gate>,
        device: &Device,
        mut prices: impl FnMut(&Before<'_>) -> Result<Vec<Vec<f64>>, Error>,
    ) -> Result<Roll, Error> {
        let mut cases = self.clone();
        let joint = Joint {
            shape: &self.shape,
            buyer,
            coordinator: None,
            traced: false,
        };
        let program = joint.program();
        let theta: Vec<f32> = buyer.theta().iter().map(|&x| single(x)).collect();
        let mut lane = self.lane.clone();
        let mut traces: Vec<f32> = Vec::new();
        for week in 0..self.course.weeks {
            let last = traces.len().saturating_sub(TRACES * self.lanes());
            let before = Before {
                week,
                lane: &lane,
                traces: &traces[last..],
            };
            for (group, prices) in prices(&before)?.iter().enumerate() {
                cases.post(week, group, prices);
            }
            let mut run =
                device.forward(&program, &theta, &cases.weeks_of(&program, week, 1, &lane)?)?;
            if let Some(gate) = gate {
                let received = &run.traces[self.lanes()..2 * self.lanes()];
                let accepted = self.accepted(week, gate, &lane, received);
                let start = (week * self.shape.exo() + ACCEPTED) * self.lanes();
                cases.exo[start..start + self.lanes()].copy_from_slice(&accepted);
                run =
                    device.forward(&program, &theta, &cases.weeks_of(&program, week, 1, &lane)?)?;
            }
            lane[..run.state.len()].copy_from_slice(&run.state);
            traces.extend_from_slice(&run.traces);
        }
        let run = Rollout {
            objective: Vec::new(),
            traces,
            state: Vec::new(),
        };
        Ok(cases.gather(&run, |week, group| cases.posted(week, group)))
    }

    /// The share of what arrives that every lane may take.
    fn accepted(&self, week: usize, gate: Gate, lane: &[f32], received: &[f32]) -> Vec<f32> {
        let firsts = self.firsts();
        let mut accepted = vec![1.0; self.lanes()];
        for (group, limits) in self.limits.iter().enumerate() {
            let own = firsts[group]..firsts[group + 1];
            let sum = |of: &[f32], r: usize| -> f64 {
                own.clone()
                    .map(|l| self.volume(r, l) * f64::from(of[l]).max(0.0))
                    .sum()
            };
            let room: Vec<f64> = (0..self.shape.resources())
                .map(|r| {
                    let limit = limits.of(r)[week];
                    match self.shape.kinds[r] {
                        Kind::Storage => (limit - sum(&lane[..self.lanes()], r)).max(0.0),
                        Kind::Inbound => limit,
                    }
                })
                .collect();
            match gate {
                Gate::ProRata => {
                    let share = |(r, room): (usize, &f64)| room / sum(received, r).max(1e-9);
                    let least = room.iter().enumerate().map(share).fold(1.0, f64::min);
                    accepted[own].fill(single(least));
                }
                Gate::Greedy => {
                    let margin = |l: usize| {
                        let money = self.row(week, PRICE)[l] - self.row(week, COST)[l];
                        f64::from(money) / self.volume(0, l)
                    };
                    let mut order: Vec<usize> = own.collect();
                    order.sort_by(|&a, &b| margin(b).total_cmp(&margin(a)));
                    let mut room = room;
                    for l in order {
                        let units = f64::from(received[l]).max(0.0);
                        let share =
                            |(r, room): (usize, &f64)| room / (self.volume(r, l) * units).max(1e-9);
                        let least = room.iter().enumerate().map(share).fold(1.0, f64::min);
                        accepted[l] = single(least);
                        for (r, room) in room.iter_mut().enumerate() {
                            *room = (*room - least * units * self.volume(r, l)).max(0.0);
                        }
                    }
                }
            }
        }
        accepted
    }
}
