//! Controllers that decide week by week: prices, or a gate.

use hindsight_exo_idp::policy::Policy;
use hindsight_gpu::exec::Rollout;
use hindsight_gpu::{Device, Executor};

use crate::buyer::Buyer;
use crate::cases::Cases;
use crate::error::Error;
use crate::joint::Joint;
use crate::limits::Kind;
use crate::roll::Roll;
use crate::shape::{ACCEPTED, COST, HORIZON, PRICE};
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

impl Cases<f32> {
    /// Plays the buyer without prices, the gate cutting what arrives.
    ///
    /// # Errors
    /// That of the engine.
    pub fn gated(&self, buyer: &Buyer, gate: Gate, device: &Device) -> Result<Roll, Error> {
        let none = vec![vec![0.0; self.shape.published()]; self.groups()];
        self.by_week(buyer, Some(gate), device, |_, _| Ok(none.clone()))
    }

    /// Plays week by week: `prices` gives those of every group, from the week and the rows of the lanes.
    pub(crate) fn by_week(
        &self,
        buyer: &Buyer,
        gate: Option<Gate>,
        device: &Device,
        mut prices: impl FnMut(usize, &[f32]) -> Result<Vec<Vec<f64>>, Error>,
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
        let mut traces = Vec::new();
        for week in 0..self.course.weeks {
            for (group, prices) in prices(week, &lane)?.iter().enumerate() {
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

/// Prices published in a week from those of every resource in the weeks to come, the last repeated.
pub(crate) fn published(path: &[Vec<f64>], week: usize) -> Vec<f64> {
    let at = |row: &Vec<f64>, h: usize| row[(week + h).min(row.len() - 1)];
    path.iter()
        .flat_map(|row| (0..=HORIZON).map(move |h| at(row, h)))
        .collect()
}
