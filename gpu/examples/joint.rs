//! A buyer and a coordinator trained together: N products share a limit, the coordinator sees means over them and publishes a path of prices,
//! the buyer orders at those prices. Prints the losses of five steps and the times, for the comparison in `bench/`.
//!
//! `cargo run --release -p hindsight-gpu --example joint -- [THREADS] [COHORTS] [STEPS]`

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "small sizes, and data that are rounded to single precision once"
)]

#[path = "support/report.rs"]
mod report;

use std::error::Error;

use hindsight_gpu::nn::{Dense, Layout};
use hindsight_gpu::optim::Rule;
use hindsight_gpu::{
    Batch, Cpu, Executor, Part, Program, Scalar, Session, Shape, Start, Step, Var, nn::Activation,
};
use report::{timed, uniform};

const LANES: usize = 2000;
const PERIODS: usize = 64;
const LEAD: usize = 4;
const HORIZON: usize = 8;
const HIDDEN: usize = 64;

/// Three layers.
type Network = [Dense; 3];

fn network(layout: &mut Layout, inputs: usize, outputs: usize) -> Network {
    [(inputs, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, outputs)].map(|(n, m)| layout.dense(n, m))
}

fn apply<S: Scalar>(layers: &Network, theta: &[S], x: &[S]) -> Vec<S> {
    let (mut a, mut b, mut y) = (vec![], vec![], vec![]);
    layers[0].apply(theta, &[x], Activation::Silu, &mut a);
    layers[1].apply(theta, &[&a], Activation::Silu, &mut b);
    layers[2].apply(theta, &[&b], Activation::Softplus, &mut y);
    y
}

/// The mean over the cohort, which has `lanes` lanes.
fn mean<S: Scalar>(x: S, lanes: S) -> S {
    x.lane_sum() / lanes
}

/// Lane inputs: price, cost, volume. Inputs of a period: demand and forecast; the limits of the cohort, now and ahead.
fn program(buyer: &Network, coordinator: &Network, params: usize) -> Program {
    let shape = Shape {
        params,
        lane: 3,
        exo: 2,
        shared: HORIZON,
    };
    let constant = Scalar::constant;
    Program::record(
        shape,
        |_, _| Start {
            state: vec![constant(1.0); 1 + LEAD],
            carry: vec![Var::constant(1.0).lane_sum()],
        },
        |_, i| {
            let (price, cost, volume) = (i.lane[0], i.lane[1], i.lane[2]);
            let (demand, forecast, limits) = (i.exo[0], i.exo[1], i.shared);
            let seen = i.state.iter().chain([&forecast]);
            let mut seen: Vec<Var<'_>> = seen.map(|&x| mean(volume * x, i.carry[0])).collect();
            seen.extend_from_slice(limits);
            let prices = apply(coordinator, i.params, &seen);
            let mut seen = i.state.to_vec();
            seen.extend([forecast, price, cost]);
            seen.extend(prices.iter().map(|&p| p * volume));
            let order = apply(buyer, i.params, &seen)[0];
            let stock = i.state[0] + i.state[1];
            let sold = stock.min(demand);
            let left = stock - sold;
            let reward = price * sold - cost * order;
            let used = mean(volume * left, i.carry[0]);
            let over = (used - limits[0]).relu() / limits[0];
            let slack = (limits[0] - used).relu() * prices[0];
            Step {
                state: [&[left], &i.state[2..], &[order]].concat(),
                objective: reward * constant(0.01) - over * over - slack * constant(0.1),
                traces: vec![],
            }
        },
    )
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let mut number = |default: usize| args.next().map_or(Ok(default), |a| a.parse());
    let (threads, cohorts, steps) = (number(1)?, number(1)?.max(1), number(5)?);
    let mut layout = Layout::new();
    let buyer = network(&mut layout, 1 + LEAD + 3 + HORIZON, 1);
    let coordinator = network(&mut layout, 2 + LEAD + HORIZON, HORIZON);
    let program = program(&buyer, &coordinator, layout.params());
    let mut params = vec![0.0; layout.params()];
    for (layer, stream) in buyer.iter().chain(&coordinator).zip(11..) {
        let scale = 1.0 / (layer.inputs() as f64).sqrt();
        let weights = layer.weights_mut(&mut params);
        weights.copy_from_slice(&uniform(stream, weights.len(), -scale, scale));
    }
    let lane = [(1, 8.0, 12.0), (2, 3.0, 5.0), (3, 0.5, 1.5)];
    let lane = lane
        .map(|(stream, low, high)| uniform(stream, LANES, low, high))
        .concat();
    let exo = uniform(4, PERIODS * 2 * LANES, 0.0, 3.0);
    let limits = uniform(5, PERIODS * HORIZON * cohorts, 0.6, 1.4);
    let sizes: Vec<usize> = (0..cohorts)
        .map(|g| (g + 1) * LANES / cohorts - g * LANES / cohorts)
        .collect();
    let batch = Batch::new(&program, LANES, PERIODS)
        .lane(&lane)?
        .exo(&exo)?
        .groups(&sizes)?
        .shared_by_group(&limits)?;
    let cpu = Cpu::new(threads);
    let mut session: Box<dyn Session<f32> + '_> = cpu.open(&program, batch)?;
    session.load(&params)?;
    let (_, forward) = timed("forward", steps, || session.forward(&Part::all()))?;
    let mut losses = Vec::new();
    let (_, step) = timed("step", steps.max(3), || {
        losses.push(-session.step(&Part::all(), &Rule::default(), 1e-3)?);
        Ok(())
    })?;
    losses.truncate(5);
    println!(
        "{{\"threads\": {threads}, \"cohorts\": {cohorts}, {forward}, {step}, \"losses\": {losses:?}}}"
    );
    Ok(())
}
