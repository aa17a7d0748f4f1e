//! Training by maximum likelihood.

use gpu::optim::{Rule, Schedule};
use gpu::{Batch, Device, Executor, Part, Program, Scalar, Shape, Start, Step, Stream, Var};
use rand::RngExt;

use super::arrays::{self, SEEN};
use super::network::{BEFORE, Decoder, Network, Size};
use super::{GenQot, finite};
use crate::error::{Argument, ArrivalsError};
use crate::grid::Grid;
use crate::log::{Log, Order};

/// How a generator is trained.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Training {
    /// Size of the network.
    pub size: Size,
    /// Times that every order is read, at least 1. Default 20.
    pub epochs: usize,
    /// Orders of a step, at least 1. Default 256.
    pub batch: usize,
    /// Largest learning rate. Default 0.004.
    pub rate: f64,
    /// Decay of the average of the parameters that is returned. Default 0.995.
    pub averaging: f64,
    /// Whether orders that are open at the end of the data count as open. Otherwise they count as closed, which is wrong: for
    /// comparison. Default true.
    pub censored: bool,
    /// Seed of first weights and batches. Default 0.
    pub seed: u64,
}

impl Default for Training {
    fn default() -> Self {
        Self {
            size: Size::default(),
            epochs: 20,
            batch: 256,
            rate: 4e-3,
            averaging: 0.995,
            censored: true,
            seed: 0,
        }
    }
}

impl GenQot {
    /// A generator trained on a log.
    ///
    /// # Errors
    /// An empty log, a setting of zero, numbers that the engine refuses, training that diverged.
    pub fn fit(
        log: &Log,
        grid: &Grid,
        training: &Training,
        device: &Device,
    ) -> Result<Self, ArrivalsError> {
        let Size {
            hidden,
            context,
            embedding,
        } = training.size;
        for (argument, found) in [
            (Argument::Orders, log.orders().len()),
            (Argument::MiniBatch, training.batch),
            (Argument::Steps, training.epochs),
            (Argument::Width, hidden.min(context).min(embedding)),
        ] {
            if found == 0 {
                return Err(ArrivalsError::Empty { argument });
            }
        }
        let network = Network::new(training.size, grid, log.vendors(), log.covariates());
        let orders: Vec<&Order> = log.orders().iter().collect();
        let data = Data::<f32>::new(&network, &orders, training.censored);
        let program = likelihood(&network);
        let batch = data.batch(&program)?;
        let mut session = device.open(&program, batch)?;
        let initial = network.initial(training.seed);
        session.load(&initial.iter().map(|&x| single(x)).collect::<Vec<f32>>())?;
        let rule = Rule {
            clip: 1.0,
            averaging: training.averaging,
            ..Rule::default()
        };
        let each = data.batches(training.batch, &mut |_| 0).len();
        let steps = training.epochs * each;
        let schedule = Schedule::cosine(training.rate, (steps / 20).max(1), steps, 0.02)?;
        let stream = Stream::new(training.seed, "mini-batches");
        for epoch in 0..training.epochs {
            let mut rng = stream.at(epoch as u64, 0);
            let batches = data.batches(training.batch, &mut |n| rng.random_range(0..n));
            for (at, (periods, lanes)) in batches.iter().enumerate() {
                let part = Part::lanes(lanes).periods(0..*periods);
                session.step(&part, &rule, schedule.rate(epoch * each + at))?;
            }
        }
        let params: Vec<f64> = session.average()?.into_iter().map(f64::from).collect();
        finite(&params)?;
        Ok(GenQot {
            size: training.size,
            grid: grid.clone(),
            vendors: log.vendors(),
            covariates: log.covariates(),
            params,
        })
    }

    /// The logarithm of the probability of each order's cells, what is not yet known of open orders summed over.
    ///
    /// # Errors
    /// No order, an order that the model does not know how to read.
    pub fn log_likelihood(
        &self,
        orders: &[Order],
        device: &Device,
    ) -> Result<Vec<f64>, ArrivalsError> {
        if orders.is_empty() {
            let argument = Argument::Orders;
            return Err(ArrivalsError::Empty { argument });
        }
        for (index, order) in orders.iter().enumerate() {
            order.request.check(index, self.vendors, self.covariates)?;
        }
        let network = self.network();
        let program = likelihood(&network);
        let mut found = Vec::with_capacity(orders.len());
        for orders in orders.chunks(16_384) {
            let orders: Vec<&Order> = orders.iter().collect();
            let data = Data::<f64>::new(&network, &orders, true);
            let run = device.forward(&program, &self.params, &data.batch(&program)?)?;
            found.extend(run.objective);
        }
        Ok(found)
    }
}

/// So many numbers from 0 on in random order; `pick` gives a number below another.
pub(super) fn shuffled(count: usize, pick: &mut impl FnMut(usize) -> usize) -> Vec<usize> {
    let mut numbers: Vec<usize> = (0..count).collect();
    for i in (1..count).rev() {
        numbers.swap(i, pick(i + 1));
    }
    numbers
}

#[expect(clippy::cast_possible_truncation, reason = "training runs in f32")]
fn single(x: f64) -> f32 {
    x as f32
}

/// Orders as the likelihood reads them.
struct Data<F> {
    lanes: usize,
    periods: usize,
    lane: Vec<F>,
    exo: Vec<F>,
    /// The periods of each order.
    lengths: Vec<usize>,
}

impl<F: gpu::Real> Data<F> {
    fn new(network: &Network, orders: &[&Order], censored: bool) -> Self {
        let grid = &network.grid;
        let (lanes, periods) = (orders.len(), grid.pieces());
        let mut exo = vec![F::from_f64(0.0); periods * SEEN * lanes];
        let mut lengths = Vec::with_capacity(lanes);
        for (lane, order) in orders.iter().enumerate() {
            let own = if censored {
                arrays::periods(grid, order)
            } else {
                let closed = Order {
                    seen_until: None,
                    ..(*order).clone()
                };
                arrays::periods(grid, &closed)
            };
            lengths.push(own.len());
            for (period, values) in own.iter().enumerate() {
                for (row, &value) in values.iter().enumerate() {
                    exo[(period * lanes + lane) * SEEN + row] = F::from_f64(value);
                }
            }
        }
        let requests: Vec<_> = orders.iter().map(|order| &order.request).collect();
        Data {
            lanes,
            periods,
            lane: arrays::by_order(&requests),
            exo,
            lengths,
        }
    }

    fn batch(&self, program: &Program) -> Result<Batch<'_, F>, ArrivalsError> {
        let batch = Batch::new(program, self.lanes, self.periods);
        Ok(batch.lane_by_lane(&self.lane)?.exo_by_lane(&self.exo)?)
    }

    /// Mini-batches in random order, each with the periods of its longest order; `pick` gives a number below another.
    ///
    /// Batches of orders of one length would take fewer periods, but how many pieces an order has is what is learned: each such batch would pull one way.
    fn batches(
        &self,
        size: usize,
        pick: &mut impl FnMut(usize) -> usize,
    ) -> Vec<(usize, Vec<usize>)> {
        let lanes = shuffled(self.lanes, pick);
        let longest = |lanes: &[usize]| lanes.iter().map(|&lane| self.lengths[lane]).max();
        let batch = |lanes: &[usize]| (longest(lanes).unwrap_or(1), lanes.to_vec());
        lanes.chunks(size).map(batch).collect()
    }
}

/// The log-likelihood of an order, a piece a period.
fn likelihood(network: &Network) -> Program {
    let shape = Shape {
        params: network.params(),
        lane: network.rows(),
        exo: SEEN,
        shared: 0,
    };
    Program::record(
        shape,
        |_, inputs| {
            let (context, decoder) = network.begin(inputs.params, inputs.lane);
            Start {
                state: decoder.hidden,
                carry: context,
            }
        },
        |_, inputs| {
            let [counts_time, counts_share, counts_open] =
                [inputs.exo[0], inputs.exo[1], inputs.exo[2]];
            let [time, share, seen] = [inputs.exo[3], inputs.exo[4], inputs.exo[5]];
            let mut before = [Var::constant(0.0); BEFORE];
            before.copy_from_slice(&inputs.exo[6..]);
            let decoder = Decoder {
                hidden: inputs.state.to_vec(),
                before,
            };
            let hidden = network.advance(inputs.params, inputs.carry, &decoder);
            let times = network.times(inputs.params, &hidden, &before);
            let shares = network.shares(inputs.params, &hidden, time, before[5]);
            let later = later(network, &times, seen);
            let objective = counts_time * Scalar::pick(&times, time)
                + counts_share * Scalar::pick(&shares, share)
                + counts_open * later;
            Step {
                state: hidden,
                objective,
                traces: vec![],
            }
        },
    )
}

/// The logarithm of the probability that the next piece comes more than `seen` periods after the one before, or never.
#[expect(clippy::cast_precision_loss, reason = "periods")]
fn later<S: Scalar>(network: &Network, logs: &[S], seen: S) -> S {
    let (times, never) = logs.split_at(network.grid.times());
    let number = S::constant;
    let mut sum = never[0].exp();
    for (cell, &log) in times.iter().enumerate() {
        let [low, high] = network.grid.time_cell(cell);
        let (high, width) = (high as f64, (high - low) as f64);
        let unseen = (number(high - 1.0) - seen) * number(1.0 / width);
        sum = sum + unseen.clip(number(0.0), number(1.0)) * log.exp();
    }
    (sum + number(1e-30)).ln()
}
