//! Where to keep stock: roll-outs of a placement in the model, and its optimum by gradient.

use gpu::optim::{Rule, Schedule};
use gpu::{
    Batch, Device, Executor, Inputs, Part, Program, Scalar, Session, Shape, Start, Step, Var,
};

use super::arrays::{Noise, single};
use super::network::Lane;
use super::{Drain, DrainModel, UnitCosts, amounts};
use crate::error::{Argument, DrainError};

/// Order-up-to levels: at the beginning of every period each warehouse receives what it lacks to its level.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Placement {
    /// Units by warehouse.
    pub levels: Vec<f64>,
}

impl Placement {
    /// Levels that share out a budget of units.
    #[must_use]
    pub fn shares(budget: f64, weights: &[f64]) -> Self {
        let all: f64 = weights.iter().sum();
        Self {
            levels: weights.iter().map(|w| budget * w / all).collect(),
        }
    }

    /// What a period costs: shipping, and a penalty for every unit that is not shipped.
    #[must_use]
    pub fn period_cost(drain: &Drain, demand: f64, lost_penalty: f64) -> f64 {
        drain.total_cost() + lost_penalty * (demand - drain.total_units()).max(0.0)
    }
}

/// What a placement meets.
#[derive(Debug, Clone, PartialEq)]
pub struct Horizon<'a> {
    /// The network.
    pub costs: &'a UnitCosts,
    /// Units asked for, period by period, by zone.
    pub demand: &'a [Vec<f64>],
    /// Money for every unit that is not shipped.
    pub lost_penalty: f64,
    /// Sample paths of the model's noise.
    pub paths: usize,
    /// Seed of the noise.
    pub seed: u64,
}

/// How placements are optimised: [`DrainModel::place`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Search {
    /// Steps up the gradient. Default 150.
    pub steps: usize,
    /// Learning rate of the logarithms of shares. Default 0.03.
    pub rate: f64,
}

impl Default for Search {
    fn default() -> Self {
        Self {
            steps: 150,
            rate: 0.03,
        }
    }
}

impl DrainModel {
    /// What the model says of a placement, with its own drain carried forward from period to period: `[path][period]`. Runs in single precision.
    ///
    /// # Errors
    /// Levels or demand that do not fit the network, no path, no period.
    pub fn roll_out(
        &self,
        placement: &Placement,
        horizon: &Horizon<'_>,
        device: &Device,
    ) -> Result<Vec<Vec<Drain>>, DrainError> {
        amounts(
            Argument::Stock,
            horizon.costs.warehouses(),
            &placement.levels,
        )?;
        let course = Course::new(self, horizon, &placement.levels)?;
        let program = course.program();
        let batch = course.batch(&program)?;
        let theta = course.theta(&placement.levels);
        let traces = device.forward(&program, &theta, &batch)?.traces;
        let (w, lanes) = (horizon.costs.warehouses(), course.lanes());
        let rows = |period: usize, path: usize| {
            let part = |trace: usize| {
                let row = &traces[(2 * period + trace) * lanes + path * w..][..w];
                row.iter().map(|v| f64::from(*v)).collect()
            };
            Drain {
                units: part(0),
                cost: part(1),
            }
        };
        let path = |path| {
            (0..horizon.demand.len())
                .map(|period| rows(period, path))
                .collect()
        };
        Ok((0..horizon.paths).map(path).collect())
    }

    /// The placement of the same budget that costs least in the model, found by gradient ascent through all periods from `start`.
    ///
    /// What is best in the model need not be good outside: let a referee judge it, and refit on what it says.
    ///
    /// # Errors
    /// As [`roll_out`](Self::roll_out); a level of zero to start from.
    pub fn place(
        &self,
        start: &Placement,
        horizon: &Horizon<'_>,
        search: &Search,
        device: &Device,
    ) -> Result<Placement, DrainError> {
        amounts(Argument::Stock, horizon.costs.warehouses(), &start.levels)?;
        let course = Course::new(self, horizon, &start.levels)?;
        let params = self.params.len();
        let own = params..params + start.levels.len();
        let program = course.program().train(std::slice::from_ref(&own))?;
        let batch = course.batch(&program)?;
        let mut session: Box<dyn Session<f32> + '_> = device.open(&program, batch)?;
        session.load(&course.theta(&start.levels))?;
        let schedule = Schedule::cosine(search.rate, 1, search.steps, 0.05)?;
        for step in 0..search.steps {
            session.step(&Part::all(), &Rule::default(), schedule.rate(step))?;
        }
        let logs = session.params()?;
        let weights: Vec<f64> = logs[params..].iter().map(|v| f64::from(*v).exp()).collect();
        amounts(Argument::Stock, start.levels.len(), &weights)?;
        Ok(Placement::shares(course.budget, &weights))
    }
}

/// A roll-out as a program: lanes are warehouses, groups are sample paths.
struct Course<'a> {
    model: &'a DrainModel,
    horizon: &'a Horizon<'a>,
    budget: f64,
    lane: Vec<f32>,
    exo: Vec<f32>,
    shared: Vec<f32>,
    groups: Vec<usize>,
}

impl<'a> Course<'a> {
    fn new(
        model: &'a DrainModel,
        horizon: &'a Horizon<'a>,
        levels: &[f64],
    ) -> Result<Self, DrainError> {
        let costs = horizon.costs;
        model.check_options(costs)?;
        for (argument, found) in [
            (Argument::Samples, horizon.paths),
            (Argument::Demand, horizon.demand.len()),
        ] {
            if found == 0 {
                return Err(DrainError::Empty { argument });
            }
        }
        let budget: f64 = levels.iter().sum();
        if budget <= 0.0 {
            let argument = Argument::Stock;
            return Err(DrainError::NoScale { argument });
        }
        let (w, zones, periods) = (costs.warehouses(), costs.zones(), horizon.demand.len());
        let latents = model.network().latents();
        let noise = Noise::draw(horizon.seed, (horizon.paths, w), periods, 1, latents);
        let lanes = horizon.paths * w;
        let (mut exo, mut shared) = (Vec::new(), Vec::new());
        let (own, common) = (2 * lanes, latents * horizon.paths);
        for (t, demand) in horizon.demand.iter().enumerate() {
            amounts(Argument::Demand, zones, demand)?;
            exo.extend_from_slice(&noise.own[t * own..][..own]);
            shared.extend_from_slice(&noise.shared[t * common..][..common]);
            // The demand is that of all paths.
            let size: f64 = demand.iter().sum();
            shared.extend(std::iter::repeat_n(size, horizon.paths));
            for units in demand {
                let share = if size > 0.0 { units / size } else { 0.0 };
                shared.extend(std::iter::repeat_n(share, horizon.paths));
            }
        }
        Ok(Self {
            model,
            horizon,
            budget,
            lane: single(&lanes_of(costs, horizon.paths)),
            exo: single(&exo),
            shared: single(&shared),
            groups: vec![w; horizon.paths],
        })
    }

    fn lanes(&self) -> usize {
        self.groups.len() * self.horizon.costs.warehouses()
    }

    /// The model's parameters, then the logarithm of each warehouse's share.
    fn theta(&self, levels: &[f64]) -> Vec<f32> {
        let logs = levels
            .iter()
            .map(|level| (level / self.budget).max(1e-12).ln());
        single(
            &self
                .model
                .params
                .iter()
                .copied()
                .chain(logs)
                .collect::<Vec<_>>(),
        )
    }

    fn batch<'b>(&'b self, program: &'b Program) -> Result<Batch<'b, f32>, DrainError> {
        Ok(Batch::new(program, self.lanes(), self.horizon.demand.len())
            .lane(&self.lane)?
            .exo(&self.exo)?
            .groups(&self.groups)?
            .shared_by_group(&self.shared)?)
    }

    fn program(&self) -> Program {
        let network = self.model.network();
        let costs = self.horizon.costs;
        let (w, zones, latents) = (costs.warehouses(), costs.zones(), network.latents());
        let shape = Shape {
            params: network.params() + w,
            lane: 3 + zones * costs.options(),
            exo: 2,
            shared: latents + 1 + zones,
        };
        let (budget, money) = (self.budget, costs.mean());
        let penalty = self.horizon.lost_penalty;
        Program::record(
            shape,
            |_, i| {
                let logs = &i.params[network.params()..];
                let log = Scalar::pick(logs, i.lane[0]);
                let weight = (log - log.lane_max()).exp();
                let level = weight / weight.lane_sum() * Var::constant(budget);
                Start {
                    state: vec![level],
                    carry: vec![level, Var::constant(1.0).lane_sum()],
                }
            },
            |_, i| {
                let theta = &i.params[..network.params()];
                let (latent, demand) = i.shared.split_at(latents);
                let (stock, lane) = receive(&i, demand);
                let outlook = network.outlook(theta, &lane);
                let [units, cost] = outlook.draws(latent, i.exo)[0];
                let units = (units * demand[0]).min(stock);
                let cost = cost * demand[0] * Var::constant(money);
                let lost = demand[0] - units.lane_sum();
                Step {
                    state: vec![stock - units],
                    objective: -(cost + Var::constant(penalty) * lost / i.carry[1]),
                    traces: vec![units, cost],
                }
            },
        )
    }
}

/// Stock after receipts, and what the network reads.
fn receive<'a, 'r>(
    i: &'a Inputs<'a, Var<'r>>,
    demand: &'a [Var<'r>],
) -> (Var<'r>, Lane<'a, Var<'r>>) {
    let stock = i.carry[0].max(i.state[0]);
    let lane = Lane {
        stock,
        size: demand[0],
        demand: &demand[1..],
        price: &i.lane[3..],
        low: i.lane[1],
        high: i.lane[2],
    };
    (stock, lane)
}

/// Number, range and prices of every warehouse of every path, `[row][lane]`.
fn lanes_of(costs: &UnitCosts, paths: usize) -> Vec<f64> {
    let mean = costs.mean();
    let mut array = Vec::new();
    let mut row = |value: &dyn Fn(usize) -> f64| {
        let values: Vec<f64> = (0..costs.warehouses()).map(value).collect();
        array.extend(values.repeat(paths));
    };
    #[expect(clippy::cast_precision_loss, reason = "numbers of warehouses")]
    row(&|w| w as f64);
    row(&|w| costs.range(w).0 / mean);
    row(&|w| costs.range(w).1 / mean);
    for o in 0..costs.options() {
        for z in 0..costs.zones() {
            row(&|w| costs.price(o, w, z) / mean);
        }
    }
    array
}
