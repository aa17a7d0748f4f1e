//! Training.

use gpu::optim::{Rule, Schedule};
use gpu::{
    Batch, Device, Executor, Part, Program, Scalar, Session, Shape, Start, Step, Stream, Var,
};
use rand::RngExt;

use super::arrays::{self, Noise, SEEN};
use super::network::{Network, Size};
use super::sums::total;
use super::{DrainModel, Evaluation, Log, UnitCosts};
use crate::error::{Argument, DrainError};

/// How a model is trained.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Training {
    /// Size of the network.
    pub size: Size,
    /// Samples of each state whose scores are compared, at least two. Default 8.
    pub samples: usize,
    /// Steps of the optimiser. Default 1,500.
    pub steps: usize,
    /// States of a step; all where there are fewer. Default 128.
    pub batch: usize,
    /// Largest learning rate. Default 0.004.
    pub rate: f64,
    /// Weight of the CRPS of all units and all money, beside the energy score. Default 0.5.
    pub totals: f64,
    /// Weight of the negative logarithmic likelihood of the fulfilment rate and of the cost per unit. Default 0.01.
    pub likelihood: f64,
    /// Seed of first weights, noise and batches. Default 0.
    pub seed: u64,
}

impl Default for Training {
    fn default() -> Self {
        Self {
            size: Size::default(),
            samples: 8,
            steps: 1500,
            batch: 128,
            rate: 4e-3,
            totals: 0.5,
            likelihood: 0.01,
            seed: 0,
        }
    }
}

/// Draws of noise that training goes round in.
const ROUNDS: usize = 16;

impl DrainModel {
    /// A model trained on a log, from scratch.
    ///
    /// # Errors
    /// An empty log, a setting that makes no sense, numbers that the engine refuses.
    pub fn fit(log: &Log, training: &Training, device: &Device) -> Result<Self, DrainError> {
        let network = Network::new(training.size, log.costs().options());
        let initial = network.initial(training.seed);
        Self::train(network, initial, log, training, device)
    }

    /// A model trained on the first part of a log, and how it fares on the rest, with so many samples of each state.
    ///
    /// # Errors
    /// As [`Log::split`], [`fit`](Self::fit) and [`Evaluation::of`].
    pub fn fit_and_judge(
        log: &Log,
        share: f64,
        samples: usize,
        training: &Training,
        device: &Device,
    ) -> Result<(Self, Evaluation), DrainError> {
        let (train, test) = log.split(share)?;
        let model = Self::fit(&train, training, device)?;
        let (costs, states) = (test.costs(), test.states());
        let forecasts = model.forecast(costs, states, samples, training.seed, device)?;
        Ok((model, Evaluation::of(&test, &forecasts)?))
    }

    /// The model trained further on a log of a network with as many ship options; `training.size` is not read.
    ///
    /// # Errors
    /// As [`fit`](Self::fit), another number of ship options.
    pub fn refit(
        &self,
        log: &Log,
        training: &Training,
        device: &Device,
    ) -> Result<Self, DrainError> {
        self.check_options(log.costs())?;
        let network = Network::new(self.size, self.options);
        Self::train(network, self.params.clone(), log, training, device)
    }

    fn train(
        network: Network,
        initial: Vec<f64>,
        log: &Log,
        training: &Training,
        device: &Device,
    ) -> Result<Self, DrainError> {
        let (cases, costs) = (log.states().len(), log.costs());
        if cases == 0 {
            let argument = Argument::Log;
            return Err(DrainError::Empty { argument });
        }
        if training.samples < 2 {
            return Err(DrainError::TooFew {
                argument: Argument::Samples,
                needed: 2,
                found: training.samples,
            });
        }
        let program = objective(&network, costs, training);
        let lane = [
            arrays::states(costs, log.states()),
            arrays::seen(costs, log.states(), log.drains()),
        ];
        let shape = (cases, costs.warehouses());
        let lanes = cases * costs.warehouses();
        // States are picked at random: what a lane reads lies together.
        let own_rows = program.shape().lane;
        let lane = arrays::single_by_lane(&lane.concat(), own_rows, lanes);
        let noise = Noise::draw(
            training.seed,
            shape,
            ROUNDS,
            training.samples,
            network.latents(),
        );
        let own = arrays::single_by_lane(&noise.own, program.shape().exo, lanes);
        let shared = arrays::single(&noise.shared);
        let groups = vec![costs.warehouses(); cases];
        let batch = Batch::new(&program, lanes, ROUNDS)
            .lane_by_lane(&lane)?
            .exo_by_lane(&own)?
            .groups(&groups)?
            .shared_by_group(&shared)?;
        let mut session: Box<dyn Session<f32> + '_> = device.open(&program, batch)?;
        session.load(&arrays::single(&initial))?;
        let rule = Rule {
            clip: 1.0,
            averaging: 0.995,
            ..Rule::default()
        };
        let warmup = (training.steps / 20).max(1);
        let schedule = Schedule::cosine(training.rate, warmup, training.steps, 0.02)?;
        let picks = Stream::new(training.seed, "batches");
        for step in 0..training.steps {
            let mut rng = picks.at(step as u64, 0);
            let chosen: Vec<usize> = if cases <= training.batch {
                (0..cases).collect()
            } else {
                (0..training.batch)
                    .map(|_| rng.random_range(0..cases))
                    .collect()
            };
            let round = step % ROUNDS;
            let part = Part::groups(&chosen).periods(round..round + 1);
            session.step(&part, &rule, schedule.rate(step))?;
        }
        let params: Vec<f64> = session.average()?.into_iter().map(f64::from).collect();
        super::network_numbers(&params)?;
        Ok(Self {
            size: network.size(),
            options: costs.options(),
            params,
        })
    }
}

/// The negative loss of a state, in each of its lanes.
pub(super) fn objective(network: &Network, costs: &UnitCosts, training: &Training) -> Program {
    let (zones, latents) = (costs.zones(), network.latents());
    let shape = Shape {
        params: network.params(),
        lane: arrays::rows(costs) + SEEN,
        exo: 2 * training.samples,
        shared: latents * training.samples,
    };
    let settings = *training;
    Program::record(
        shape,
        |_, _| Start::default(),
        |_, i| {
            let (state, seen) = i.lane.split_at(i.lane.len() - SEEN);
            let outlook = network.outlook(i.params, &arrays::lane(state, zones));
            let samples = outlook.draws(i.shared, i.exo);
            let truth = [seen[0], seen[1]];
            let energy = fair(&samples, truth, |a, b| {
                let (u, k) = (a[0] - b[0], a[1] - b[1]);
                ((u * u + k * k).lane_sum() + Var::constant(1e-12)).sqrt()
            });
            let totals: Vec<[Var<'_>; 2]> =
                samples.iter().map(|s| s.map(Scalar::lane_sum)).collect();
            let crps = |part: usize| {
                fair(&totals, truth.map(Scalar::lane_sum), |a, b| {
                    (a[part] - b[part]).abs()
                })
            };
            let crps = crps(0) + crps(1);
            let [mean, deviation] = outlook.fulfilment;
            let rate = unlikely(seen[2] - mean, deviation * deviation);
            let tiny = Var::constant(1e-6);
            let unit = (truth[1].max(tiny) / truth[0].max(tiny)).ln();
            let unit = unlikely(unit - outlook.unit[0], outlook.unit_variance());
            let likelihood = rate + (truth[0] * unit).lane_sum();
            let loss = energy
                + Var::constant(settings.totals) * crps
                + Var::constant(settings.likelihood) * likelihood;
            Step {
                objective: -loss,
                ..Step::new()
            }
        },
    )
}

/// The negative logarithmic likelihood of a normal deviation, but for its constant.
fn unlikely<S: Scalar>(gap: S, variance: S) -> S {
    S::constant(0.5) * (gap * gap / variance + variance.ln())
}

/// The fair score of samples under a distance.
fn fair<S: Scalar>(samples: &[[S; 2]], truth: [S; 2], distance: impl Fn([S; 2], [S; 2]) -> S) -> S {
    let apart = total(samples.iter().map(|&a| distance(a, truth)).collect());
    let others = samples.iter().enumerate();
    let pairs = others.flat_map(|(j, &a)| samples[j + 1..].iter().map(move |&b| (a, b)));
    let spread = total(pairs.map(|(a, b)| distance(a, b)).collect());
    #[expect(clippy::cast_precision_loss, reason = "a handful of samples")]
    let n = samples.len() as f64;
    apart * S::constant(1.0 / n) - spread * S::constant(1.0 / (n * (n - 1.0)))
}
