//! Direct Backprop on the lost-sales problem with a lead time, where the optimum is known.

use std::ops::ControlFlow;

use gpu::nn::{Dense, Layout};
use gpu::optim::{Optimizer, Rule, Schedule};
use gpu::{
    Batch, Device, Executor, Program, RoundGradient, Scalar, Shape, Start, Step, Stream,
    nn::Activation,
};
use rand::RngExt;

use crate::count::count;
use crate::error::Error;
use crate::exact::LostSales;

/// How a policy is trained on a lost-sales problem.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LostSalesTraining {
    /// Steps with orders of any size.
    pub steps: usize,
    /// Steps that follow with whole orders, whose rounding passes the gradient straight through.
    pub rounded_steps: usize,
    /// Sample paths of a step, drawn anew for each.
    pub paths: usize,
    /// Periods of a path; the first third fills the pipeline and does not count.
    pub periods: usize,
    /// Width of the two hidden layers.
    pub hidden: usize,
    /// Largest learning rate.
    pub learning_rate: f64,
    /// Seed of weights and demands.
    pub seed: u64,
}

impl Default for LostSalesTraining {
    fn default() -> Self {
        LostSalesTraining {
            steps: 800,
            rounded_steps: 800,
            paths: 256,
            periods: 48,
            hidden: 32,
            learning_rate: 5e-3,
            seed: 0,
        }
    }
}

/// A trained policy for a lost-sales problem: a network from the state to an order.
#[derive(Debug, Clone)]
pub struct LostSalesPolicy {
    dense: [Dense; 3],
    theta: Vec<f64>,
    scale: f64,
}

/// `softplus` of this is 1: an untrained network orders about the mean demand.
const UNIT_BIAS: f64 = 0.541_324_854_612_918;
/// Half the width of the noise on demand while orders are whole: it settles which side of a tie the gradient takes, half
/// the time each.
const JITTER: f64 = 0.02;
/// Decay of the running average of the parameters that is returned.
const AVERAGING: f64 = 0.995;

impl LostSalesPolicy {
    fn untrained(problem: &LostSales, hidden: usize, seed: u64) -> Self {
        let mut layout = Layout::new();
        let dense = [
            layout.dense(problem.state_len(), hidden),
            layout.dense(hidden, hidden),
            layout.dense(hidden, 1),
        ];
        let mut theta = layout.initial(seed);
        for w in dense[2].weights_mut(&mut theta) {
            *w *= 0.1;
        }
        dense[2].bias_mut(&mut theta).fill(UNIT_BIAS);
        LostSalesPolicy {
            dense,
            theta,
            scale: problem.demand().mean().max(1e-6),
        }
    }

    /// The order, not rounded, in a state: on hand, then the pipeline, oldest first.
    fn order_of<S: Scalar>(&self, theta: &[S], state: &[S]) -> S {
        let inverse = S::constant(1.0 / self.scale);
        let x: Vec<S> = state.iter().map(|&units| units * inverse).collect();
        let mut h = Vec::new();
        self.dense[0].apply(theta, &[&x], Activation::Silu, &mut h);
        let mut h2 = Vec::new();
        self.dense[1].apply(theta, &[&h], Activation::Silu, &mut h2);
        let mut z = Vec::new();
        self.dense[2].apply(theta, &[&h2], Activation::Softplus, &mut z);
        z[0] * S::constant(self.scale)
    }

    /// The order of any size in a state of any size.
    #[must_use]
    pub fn real_order(&self, state: &[f64]) -> f64 {
        self.order_of(&self.theta, state)
    }

    /// The whole order in a whole state: on hand, then the pipeline, oldest first.
    #[must_use]
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a softplus is not negative, and a cast beyond u32 is held at its largest value"
    )]
    pub fn order(&self, state: &[u32]) -> u32 {
        let state: Vec<f64> = state.iter().map(|&units| f64::from(units)).collect();
        self.real_order(&state).round_ties_even() as u32
    }
}

/// One period: the order is placed, what is on hand meets demand, the pipeline moves up.
fn step<S: Scalar>(problem: &LostSales, state: &[S], order: S, demand: S, weight: S) -> Step<S> {
    let (on_hand, later) = match problem.lead_time() {
        0 => (state[0] + order, vec![]),
        _ => (state[0], [&state[1..], &[order]].concat()),
    };
    let left = (on_hand - demand).relu();
    let lost = (demand - on_hand).relu();
    let cost = left * S::constant(problem.holding()) + lost * S::constant(problem.penalty());
    let next = match later.split_first() {
        Some((&due, rest)) => [&[left + due], rest].concat(),
        None => vec![left],
    };
    Step {
        state: next,
        objective: -cost * weight,
        traces: vec![],
    }
}

fn program(problem: &LostSales, policy: &LostSalesPolicy, rounded: bool) -> Program {
    let shape = Shape {
        params: policy.theta.len(),
        lane: problem.state_len(),
        exo: 1,
        shared: 1,
    };
    Program::record(
        shape,
        |_, inputs| Start {
            state: inputs.lane.to_vec(),
            carry: vec![],
        },
        |_, inputs| {
            let order = policy.order_of(inputs.params, inputs.state);
            let order = if rounded {
                order.round(RoundGradient::StraightThrough)
            } else {
                order
            };
            step(
                problem,
                inputs.state,
                order,
                inputs.exo[0],
                inputs.shared[0],
            )
        },
    )
}

/// Trains a policy for a lost-sales problem by gradient descent through simulated paths (Direct Backprop): first with orders of
/// any size, then with whole orders, as they are judged. The parameters that cost least with whole orders on paths set aside are
/// returned.
///
/// `watch` sees the step and the mean cost per period of its paths, and may end the training. Evaluate the result exactly with
/// [`LostSales::evaluate`].
///
/// ```
/// use hindsight_gpu::Device;
/// use hindsight_exo_idp::exact::{ChainOptions, DemandLaw, LostSales, SolveOptions};
/// use hindsight_exo_idp::train::{LostSalesTraining, train_lost_sales};
/// use std::ops::ControlFlow;
///
/// let problem = LostSales::new(DemandLaw::poisson(5.0)?, 1, 1.0, 4.0)?;
/// let training = LostSalesTraining { steps: 300, rounded_steps: 100, paths: 64, ..LostSalesTraining::default() };
/// let policy = train_lost_sales(&problem, &training, &Device::default(), |_, _| ControlFlow::Continue(()))?;
/// let cost = problem.evaluate(|state| policy.order(state), &ChainOptions::default())?.cost;
/// let optimum = problem.solve(&SolveOptions::default())?.cost();
/// assert!(cost >= optimum - 1e-6 && cost < 1.1 * optimum);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When there are no paths, too few periods, or the learning rate is not positive.
pub fn train_lost_sales(
    problem: &LostSales,
    training: &LostSalesTraining,
    device: &Device,
    mut watch: impl FnMut(usize, f64) -> ControlFlow<()>,
) -> Result<LostSalesPolicy, Error> {
    let LostSalesTraining {
        steps,
        rounded_steps,
        paths,
        periods,
        hidden,
        learning_rate,
        seed,
    } = *training;
    if paths == 0 || hidden == 0 {
        return Err(Error::Empty(if paths == 0 {
            "the set of paths"
        } else {
            "the hidden layer"
        }));
    }
    if periods < 3 * (problem.lead_time() + 1) {
        let what = "a path needs three times the lead time";
        return Err(Error::Weeks {
            what,
            start: 0,
            end: periods,
            weeks: periods,
        });
    }
    let mut policy = LostSalesPolicy::untrained(problem, hidden, seed);
    let mut optimizer = Optimizer::new(policy.theta.iter().map(|&x| single(x)).collect());
    let rule = Rule {
        clip: 10.0,
        averaging: AVERAGING,
        ..Rule::default()
    };
    let schedule = Schedule::cosine(learning_rate, steps / 20, steps + rounded_steps, 0.002)?;
    let programs = [
        program(problem, &policy, false),
        program(problem, &policy, true),
    ];
    let burn_in = periods / 3;
    let weight = single(1.0 / count(periods - burn_in));
    let shared: Vec<f32> = (0..periods)
        .map(|t| if t < burn_in { 0.0 } else { weight })
        .collect();
    let draws = Draws::new(problem, seed);
    let judge = Evaluation::new(problem, seed);
    let mut best: Option<(f64, Vec<f32>)> = None;
    for at in 0..steps + rounded_steps {
        let rounded = at >= steps;
        let jitter = if rounded { JITTER } else { 0.0 };
        let (demand, opening) = draws.paths(at, paths, periods, problem.state_len(), jitter);
        let program = &programs[usize::from(rounded)];
        let batch = Batch::new(program, paths, periods)
            .exo(&demand)?
            .lane(&opening)?
            .shared(&shared)?;
        let mut gradient = device.gradient(program, optimizer.params(), &batch)?;
        optimizer.ascend(&rule, &mut gradient.params, schedule.rate(at));
        let stop = watch(at + 1, -gradient.objective).is_break();
        let last = stop || at + 1 == steps + rounded_steps;
        if last || (rounded && (at + 1) % LOOK_EVERY == 0) {
            let cost = judge.cost(&programs[1], optimizer.average(), device)?;
            if best.as_ref().is_none_or(|(least, _)| cost < *least) {
                best = Some((cost, optimizer.average().to_vec()));
            }
        }
        if stop {
            break;
        }
    }
    let theta = best.map_or_else(|| optimizer.average().to_vec(), |(_, theta)| theta);
    policy.theta = theta.into_iter().map(f64::from).collect();
    Ok(policy)
}

/// Fixed paths on which whole orders are judged while they are trained.
struct Evaluation {
    demand: Vec<f32>,
    opening: Vec<f32>,
    shared: Vec<f32>,
}

/// Steps between looks.
const LOOK_EVERY: usize = 50;
/// Paths and periods of a look.
const JUDGED: (usize, usize) = (1024, 160);

impl Evaluation {
    fn new(problem: &LostSales, seed: u64) -> Self {
        let (paths, periods) = JUDGED;
        let draws = Draws {
            stream: Stream::new(seed, "lost-sales judgement"),
            ..Draws::new(problem, seed)
        };
        let (demand, opening) = draws.paths(0, paths, periods, problem.state_len(), 0.0);
        let burn_in = periods / 4;
        let shared = (0..periods)
            .map(|t| if t < burn_in { 0.0 } else { 1.0 })
            .collect();
        Evaluation {
            demand,
            opening,
            shared,
        }
    }

    /// The sum of costs with whole orders.
    fn cost(&self, program: &Program, theta: &[f32], device: &Device) -> Result<f64, Error> {
        let (paths, periods) = JUDGED;
        let batch = Batch::new(program, paths, periods)
            .exo(&self.demand)?
            .lane(&self.opening)?
            .shared(&self.shared)?;
        Ok(-device
            .forward(program, theta, &batch)?
            .objective
            .iter()
            .sum::<f64>())
    }
}

#[allow(clippy::cast_possible_truncation, reason = "training runs in f32")]
fn single(x: f64) -> f32 {
    x as f32
}

/// Demands and opening states.
struct Draws {
    stream: Stream,
    cumulative: Vec<f64>,
    mean: f64,
}

impl Draws {
    fn new(problem: &LostSales, seed: u64) -> Self {
        let mut sum = 0.0;
        let cumulative = problem.demand().probabilities().iter().map(|p| {
            sum += p;
            sum
        });
        Draws {
            cumulative: cumulative.collect(),
            mean: problem.demand().mean(),
            stream: Stream::new(seed, "lost-sales demand"),
        }
    }

    /// Demands, `[period][path]`, and opening states, `[component][path]`, of one step.
    fn paths(
        &self,
        step: usize,
        paths: usize,
        periods: usize,
        state: usize,
        jitter: f64,
    ) -> (Vec<f32>, Vec<f32>) {
        let mut rng = self.stream.at(step as u64, 0);
        let demand = (0..paths * periods).map(|_| {
            let u: f64 = rng.random();
            let d = self
                .cumulative
                .partition_point(|&c| c <= u)
                .min(self.cumulative.len() - 1);
            single(count(d) + jitter * (2.0 * rng.random::<f64>() - 1.0))
        });
        let demand = demand.collect();
        let opening =
            (0..paths * state).map(|_| single((2.0 * self.mean * rng.random::<f64>()).round()));
        (demand, opening.collect())
    }
}
