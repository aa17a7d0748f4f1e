//! Direct Backprop: gradient ascent through the replay.

use std::ops::ControlFlow;

use gpu::optim::{AdamConfig, Rule, Schedule};
use gpu::{Device, Executor, Part, Program, Stream};
use rand::RngExt;

use crate::count::count;
use crate::error::{Error, within};
use crate::market::Market;
use crate::policy::Policy;
use crate::replay::{Arrays, Replay};

/// How a policy is trained.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Training {
    /// Most steps of the optimiser, at least 1.
    pub steps: usize,
    /// Lanes of a step, at least 1.
    pub batch: usize,
    /// Largest learning rate, above 0; it warms up over a twentieth of the steps and falls along a cosine to a fiftieth.
    pub learning_rate: f64,
    /// Largest norm of a gradient, above 0.
    pub clip: f64,
    /// Decoupled weight decay, at least 0.
    pub weight_decay: f64,
    /// Decay, in [0, 1), of the exponential moving average of the parameters that is validated and returned (Polyak averaging); 0 takes
    /// the parameters themselves.
    pub ema_decay: f64,
    /// Steps between validations, at least 1.
    pub validate_every: usize,
    /// Validations without improvement after which training stops, at least 1.
    pub patience: usize,
    /// Ends training at this step; the learning rate still follows the course of all `steps`.
    pub stop_at: Option<usize>,
    /// Seed of the mini-batches.
    pub seed: u64,
}

impl Default for Training {
    fn default() -> Self {
        Training {
            steps: 400,
            batch: 256,
            learning_rate: 1e-3,
            clip: 1.0,
            weight_decay: 0.5,
            ema_decay: 0.98,
            validate_every: 50,
            patience: 4,
            stop_at: None,
            seed: 0,
        }
    }
}

impl Training {
    /// Checks the ranges of all settings.
    ///
    /// # Errors
    /// That of the first setting outside its range.
    pub fn validate(&self) -> Result<(), Error> {
        let above = |name, value| within(name, value, f64::MIN_POSITIVE, f64::MAX, "above zero");
        above("learning rate", self.learning_rate)?;
        above("largest norm of a gradient", self.clip)?;
        let name = "weight decay";
        within(name, self.weight_decay, 0.0, f64::MAX, "at least zero")?;
        let name = "decay of the moving average";
        within(
            name,
            self.ema_decay,
            0.0,
            1.0 - 1e-9,
            "at least 0 and below 1",
        )?;
        for (what, size) in [
            ("the interval between validations", self.validate_every),
            ("the mini-batch", self.batch),
            ("the course of training", self.steps),
            ("the patience of training", self.patience),
        ] {
            if size == 0 {
                return Err(Error::Empty(what));
            }
        }
        Ok(())
    }
}

impl Training {
    /// The learning rate of every step.
    fn schedule(&self) -> Result<Schedule, Error> {
        let (rate, steps) = (self.learning_rate, self.steps);
        Ok(Schedule::cosine(rate, steps / 20, steps, 0.02)?)
    }

    /// How a step moves the parameters.
    fn rule(&self) -> Rule {
        Rule {
            clip: self.clip,
            adam: AdamConfig {
                weight_decay: self.weight_decay,
                ..AdamConfig::default()
            },
            averaging: self.ema_decay,
        }
    }
}

/// One look at the course of training.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Progress {
    /// Steps taken.
    pub step: usize,
    /// Mean objective of the mini-batches since the last look, weighted as in training.
    pub training: f64,
    /// Reward of the validation replay, in money; none where training is not validated.
    pub validation: Option<f64>,
}

/// What training returns.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Trained {
    /// The parameters, the market's after the policy's, with the best validation reward; the last ones where training is not validated.
    pub theta: Vec<f64>,
    /// The step at which they were seen.
    pub best_step: usize,
    /// The course of training.
    pub curve: Vec<Progress>,
}

/// Trains a policy by gradient ascent through the replay of its own decisions (Direct Backprop).
///
/// $$ \theta \leftarrow \theta + \text{Adam}\bigl( \nabla_\theta \tfrac1{|B|} \textstyle\sum_{i \in B} w_i f(\pi_\theta; s_i) \bigr) $$
///
/// Each step replays a random mini-batch of lanes over the whole training window and differentiates the objective in reverse through
/// all weeks; there is no critic, no sampling of actions and no score function. The parameters that do best in the validation
/// replay are returned; without one, training runs to its end and returns what it has there. `weights` (one per lane of the training replay) balance products whose money differs by orders
/// of magnitude. The parameters of a market follow those of the policy and are trained with them, as
/// far as it says ([`Market::trained`]). Where lanes are summed over, a
/// mini-batch is made of whole samples. `watch` sees the course and may end it.
///
/// # Errors
/// When the batch, the steps or the patience are zero, the learning rate is not positive, the weights are not as many as the lanes, or
/// a reward on the way is not finite.
pub fn direct_backprop<P: Policy, M: Market>(
    policy: &P,
    market: &M,
    train: &Replay<'_>,
    validation: Option<&Replay<'_>>,
    weights: &[f64],
    training: &Training,
    device: &Device,
    watch: impl FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Trained, Error> {
    let lesson = TrainingProgram::new(train, policy, market)?;
    let look = validation
        .map(|replay| ValidationProgram::new(replay, policy, market))
        .transpose()?;
    gradient_ascent(
        &[policy.theta(), &market.theta()].concat(),
        &lesson,
        look.as_ref(),
        weights,
        training,
        device,
        watch,
    )
}

/// The ascent itself, from the parameters `theta`; see [`direct_backprop`].
pub(super) fn gradient_ascent(
    theta: &[f64],
    lesson: &TrainingProgram,
    validation: Option<&ValidationProgram>,
    weights: &[f64],
    training: &Training,
    device: &Device,
    mut watch: impl FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Trained, Error> {
    let TrainingProgram { program, inputs } = lesson;
    let lanes = inputs.lanes();
    if weights.len() != lanes {
        return Err(Error::Length {
            array: "weights".into(),
            expected: lanes,
            found: weights.len(),
        });
    }
    training.validate()?;
    let schedule = training.schedule()?;
    // Where lanes are summed over, the products of a sample stay together.
    let unit = if program.joins_lanes() {
        lanes / inputs.groups()
    } else {
        1
    };
    let (units, batch) = (lanes / unit, training.batch.min(lanes).div_ceil(unit));
    let scale = 1.0 / count(batch * unit);
    let weights: Vec<f32> = weights.iter().map(|&w| single(w * scale)).collect();
    let base = inputs.batch(program)?.weights(&weights)?;

    let rule = training.rule();
    let mut session = device.open(program, base)?;
    session.load(&theta.iter().map(|&x| single(x)).collect::<Vec<f32>>())?;
    let mut order = Shuffle::new(training.seed, units);
    let mut best: Option<(Option<f64>, usize, Vec<f32>)> = None;
    let (mut curve, mut since_look, mut stale) = (Vec::new(), (0.0, 0_usize), 0);
    let end = training.stop_at.unwrap_or(training.steps);
    let end = end.min(training.steps);
    for step in 0..end {
        let selection = order.take(batch);
        let part = if program.joins_lanes() {
            Part::groups(&selection)
        } else {
            Part::lanes(&selection)
        };
        let objective = session.step(&part, &rule, schedule.rate(step))?;
        since_look = (since_look.0 + objective, since_look.1 + 1);
        let last = step + 1 == end;
        if !(last || (step + 1) % training.validate_every.max(1) == 0) {
            continue;
        }
        let average = session.average()?;
        let progress = Progress {
            step: step + 1,
            training: since_look.0 / count(since_look.1),
            validation: validation
                .map(|program| program.reward(&average, device))
                .transpose()?,
        };
        since_look = (0.0, 0);
        curve.push(progress);
        within(
            "reward in training or validation",
            progress.validation.unwrap_or(progress.training),
            f64::MIN,
            f64::MAX,
            "a finite number: training has diverged",
        )?;
        let worse = match (progress.validation, &best) {
            (Some(reward), Some((Some(most), ..))) => reward <= *most,
            _ => false,
        };
        if worse {
            stale += 1;
        } else {
            best = Some((progress.validation, step + 1, average));
            stale = 0;
        }
        if watch(&progress).is_break() || stale >= training.patience {
            break;
        }
    }
    let (best_step, theta) = match best {
        Some((_, step, theta)) => (step, theta),
        None => (0, session.params()?),
    };
    Ok(Trained {
        theta: theta.into_iter().map(f64::from).collect(),
        best_step,
        curve,
    })
}

/// A training replay as mini-batches read it: the same for all networks of one shape and one set of signals.
pub(super) struct TrainingProgram {
    program: Program,
    inputs: Arrays<f32>,
}

impl TrainingProgram {
    /// Mini-batches of other arrays than those of one replay.
    pub(super) fn from_parts(program: Program, inputs: Arrays<f32>) -> Self {
        TrainingProgram { program, inputs }
    }

    pub(super) fn new<P: Policy, M: Market>(
        replay: &Replay<'_>,
        policy: &P,
        market: &M,
    ) -> Result<Self, Error> {
        let own = policy.theta().len();
        let mut trained: Vec<_> = std::iter::once(0..own).collect();
        let ranges = market.trained().into_iter();
        trained.extend(ranges.map(|range| range.start + own..range.end + own));
        Ok(TrainingProgram {
            program: replay.record(policy, market)?.train(&trained)?,
            inputs: replay.arrays(policy, market)?.by_lane(),
        })
    }
}

/// The validation replay, recorded once and run at every look.
pub(super) struct ValidationProgram {
    program: Program,
    inputs: Arrays<f32>,
    samples: usize,
}

impl ValidationProgram {
    pub(super) fn new<P: Policy, M: Market>(
        replay: &Replay<'_>,
        policy: &P,
        market: &M,
    ) -> Result<Self, Error> {
        Ok(ValidationProgram {
            program: replay.record(policy, market)?,
            inputs: replay.arrays(policy, market)?,
            samples: replay.paths().samples(),
        })
    }

    /// What parameters earn, in money, the mean over the samples.
    fn reward(&self, theta: &[f32], device: &Device) -> Result<f64, Error> {
        let batch = self.inputs.batch(&self.program)?;
        let rollout = device.forward(&self.program, theta, &batch)?;
        Ok(rollout.objective.iter().sum::<f64>() / count(self.samples))
    }
}

#[allow(clippy::cast_possible_truncation, reason = "training runs in f32")]
fn single(x: f64) -> f32 {
    x as f32
}

/// All lanes in random order, again and again.
struct Shuffle {
    stream: Stream,
    round: u32,
    lanes: usize,
    left: Vec<usize>,
}

impl Shuffle {
    fn new(seed: u64, lanes: usize) -> Self {
        Shuffle {
            stream: Stream::new(seed, "mini-batches"),
            round: 0,
            lanes,
            left: Vec::new(),
        }
    }

    fn take(&mut self, n: usize) -> Vec<usize> {
        if self.left.len() < n {
            let mut rng = self.stream.at(0, self.round);
            self.round += 1;
            self.left = (0..self.lanes).collect();
            for i in (1..self.lanes).rev() {
                self.left.swap(i, rng.random_range(0..=i));
            }
        }
        self.left.split_off(self.left.len() - n)
    }
}
