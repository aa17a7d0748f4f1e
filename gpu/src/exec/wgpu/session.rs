//! A session on a graphics processor: what stays there between runs.

use super::adapter::Adapter;
use super::optimiser::DeviceOptimiser;
use super::shape::TILE;
use super::stream::{Lot, lots, put};
use super::upload::Sizes;
use super::work::{Sums, Work};
use crate::error::Error;
use crate::exec::batch::{Batch, check};
use crate::exec::part::Part;
use crate::exec::session::{Gradient, Rollout, Session};
use crate::optim::Rule;
use crate::record::{Keep, Program, plan};

/// A program with its batch, its parameters and its memory on a graphics processor.
#[derive(Debug)]
pub(super) struct GpuSession<'a> {
    batch: Batch<'a, f32>,
    work: Work<'a>,
    /// Whether a run of the last part could be split into smaller lots.
    divisible: bool,
}

impl<'a> GpuSession<'a> {
    pub(super) fn new(
        adapter: &'a Adapter,
        program: &Program,
        batch: Batch<'a, f32>,
        memory: u64,
    ) -> Result<Self, Error> {
        let plan = plan(program, batch.differentiate_inputs, Keep::All);
        super::declarations::customs(&plan, &mut String::new())?;
        let packing = super::packing::Packing::new(&plan);
        let mut optimiser = DeviceOptimiser::new(adapter, &plan, &packing)?;
        optimiser.load(adapter, &vec![0.0; plan.shape.params]);
        let joined = program.joins_lanes();
        let inputs = batch.differentiate_inputs;
        let mut work = Work::new(adapter, (plan, joined, inputs), optimiser, memory)?;
        work.keep(&batch)?;
        Ok(GpuSession {
            batch,
            work,
            divisible: false,
        })
    }

    /// Runs a part, in as many lots as it takes, with the sums and what comes back of each; `done` is told the first lane of each lot. Where the device
    /// has less memory than its limits say, the lots are made smaller and all is done again.
    fn run(
        &mut self,
        part: &Part<'_>,
        reverse: bool,
        step: Option<(&Rule, f64)>,
        mut done: impl FnMut(&Sizes, (usize, usize), Vec<f32>),
    ) -> Result<(), Error> {
        loop {
            match self.run_lots(part, reverse, step, &mut done) {
                Err(Error::DeviceLimit { .. } | Error::OutOfMemory { .. }) if self.divisible => {
                    self.work.shrink();
                }
                other => return other,
            }
        }
    }

    fn run_lots(
        &mut self,
        part: &Part<'_>,
        reverse: bool,
        step: Option<(&Rule, f64)>,
        done: &mut impl FnMut(&Sizes, (usize, usize), Vec<f32>),
    ) -> Result<(), Error> {
        let (some, sizes) = self.batch.part(part)?;
        let (all, periods) = (some.run_lanes(), some.run_periods());
        drop(some);
        self.work.ready(reverse)?;
        let joined = self.work.joined;
        let room = self.work.room(reverse);
        let fits = |lanes, groups| room.fits((lanes, groups, periods));
        let (lots, divisible) = lots(&self.batch, part, &sizes, joined, TILE, fits);
        self.divisible = divisible;
        let last = lots.len() - 1;
        let mut first = 0;
        for (k, lot) in lots.iter().enumerate() {
            let sums = Sums {
                adds: k > 0,
                step: step.filter(|_| k == last),
            };
            let own = lot.part(part);
            let sizes = self.work.prepare(&self.batch, &own, all, reverse)?;
            let wanted = match (reverse, step) {
                (false, _) => self.work.of_forward(&sizes),
                (true, Some(_)) => self.work.of_step(k == last),
                (true, None) => self.work.of_gradient(&sizes, k == last),
            };
            let numbers = self.work.run(&sizes, reverse, sums, &wanted)?;
            done(&sizes, (first, all), numbers);
            first += sizes.lanes;
            if *lot != Lot::Whole {
                self.work.forget();
            }
        }
        Ok(())
    }
}

/// Rows of all lanes, of those of a lot.
fn spread(rows: &[f32], (first, count, all): (usize, usize, usize), out: &mut Vec<f32>) {
    if count == all {
        rows.clone_into(out);
        return;
    }
    out.resize(rows.len() / count.max(1) * all, 0.0);
    put(rows, (first, count), all, out);
}

impl Session<f32> for GpuSession<'_> {
    fn load(&mut self, params: &[f32]) -> Result<(), Error> {
        check("params", self.work.params(), params.len())?;
        self.work.load(params)
    }

    fn forward(&mut self, part: &Part<'_>) -> Result<Rollout<f32>, Error> {
        let mut rollout = Rollout {
            objective: Vec::new(),
            traces: Vec::new(),
            state: Vec::new(),
        };
        self.run(part, false, None, |sizes, (first, all), numbers| {
            let [traces, state, ..] = sizes.outputs();
            let own = (first, sizes.lanes, all);
            rollout.objective.truncate(first);
            let objective = numbers[..traces].iter().map(|&x| f64::from(x));
            rollout.objective.extend(objective);
            spread(&numbers[traces..state], own, &mut rollout.traces);
            spread(&numbers[state..], own, &mut rollout.state);
        })?;
        Ok(rollout)
    }

    fn gradient(&mut self, part: &Part<'_>) -> Result<Gradient<f32>, Error> {
        let mut gradient = Gradient {
            objective: 0.0,
            params: Vec::new(),
            lane: Vec::new(),
            exo: Vec::new(),
        };
        self.run(part, true, None, |sizes, (first, all), numbers| {
            let [_, _, lane, exo, end] = sizes.outputs();
            let (sums, inputs) = numbers.split_at(numbers.len() - (end - lane));
            if let Some((objective, params)) = sums.split_last() {
                gradient.objective = f64::from(*objective);
                gradient.params = params.to_vec();
            }
            let own = (first, sizes.lanes, all);
            spread(&inputs[..exo - lane], own, &mut gradient.lane);
            spread(&inputs[exo - lane..], own, &mut gradient.exo);
        })?;
        Ok(gradient)
    }

    fn step(&mut self, part: &Part<'_>, rule: &Rule, rate: f64) -> Result<f64, Error> {
        let mut objective = 0.0;
        let step = Some((rule, rate));
        self.run(part, true, step, |_, _, numbers| {
            objective = numbers.first().map_or(objective, |&x| f64::from(x));
        })?;
        Ok(objective)
    }

    fn params(&mut self) -> Result<Vec<f32>, Error> {
        self.work.parameters()
    }

    fn average(&mut self) -> Result<Vec<f32>, Error> {
        self.work.average()
    }
}
