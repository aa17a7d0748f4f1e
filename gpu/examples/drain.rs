//! Warehouses as lanes, cases as groups: a network with a pooled layer scores the warehouses of a case, samples of their shares fill capacities
//! exactly, and the energy score compares the samples with what happened. Prints the times of a gradient, and its size.
//!
//! `cargo run --release -p hindsight-gpu --example drain -- [THREADS] [HIDDEN] [STEPS]`

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "small sizes, and data that are rounded to single precision once"
)]

#[path = "support/report.rs"]
mod report;

use std::error::Error;

use hindsight_gpu::nn::{Dense, Layout};
use hindsight_gpu::{
    Batch, Cpu, Executor, Part, Program, Scalar, Session, Shape, Start, Step, Var, nn::Activation,
};
use report::{timed, uniform};

const WAREHOUSES: usize = 20;
const CASES: usize = 1024;
const SAMPLES: usize = 8;
const FEATURES: usize = 5;
const RANK: usize = 3;
/// Newton steps that find the level of a split, before the one that is differentiated.
const NEWTON: usize = 6;

/// One layer a warehouse, one on their mean, one on both, and the head.
struct Network {
    one: Dense,
    pool: Dense,
    two: Dense,
    head: Dense,
}

/// What each warehouse of a group takes of `total`: its capacity, or its share times a level that all have in common.
fn split<S: Scalar>(share: S, capacity: S, total: S) -> S {
    let small = S::constant(1e-12);
    let (p, k, s) = (share.detach(), capacity.detach(), total.detach());
    let free = |level: S| (p * (k - p * level).positive()).lane_sum() + small;
    let newton = |level: S| level + (s - k.min(p * level).lane_sum()) / free(level);
    let level = (0..NEWTON).fold(s, |level, _| newton(level));
    let level = level + (total - capacity.min(share * level).lane_sum()) / free(level);
    capacity.min(share * level)
}

/// The distance between two splits of a group.
fn distance<S: Scalar>(a: S, b: S) -> S {
    let gap = a - b;
    ((gap * gap).lane_sum() + S::constant(1e-24)).sqrt()
}

fn apply<S: Scalar>(theta: &[S], layer: &Dense, x: &[&[S]], f: Activation) -> Vec<S> {
    let mut y = vec![];
    layer.apply(theta, x, f, &mut y);
    y
}

/// The mean distance of the samples from what happened, less half their mean distance from each other.
fn energy_score<S: Scalar>(samples: &[S], outcome: S) -> S {
    let mut apart = S::constant(0.0);
    let mut spread = S::constant(0.0);
    for (j, &a) in samples.iter().enumerate() {
        apart = apart + distance(a, outcome);
        for &b in &samples[j + 1..] {
            spread = spread + distance(a, b);
        }
    }
    let n = samples.len() as f64;
    apart * S::constant(1.0 / n) - spread * S::constant(1.0 / (n * (n - 1.0)))
}

/// Lane inputs: features, capacity, the case's total, what happened. Inputs of a period: normal numbers of each sample.
fn program(n: &Network, params: usize) -> Program {
    let shape = Shape {
        params,
        lane: FEATURES + 3,
        exo: SAMPLES * RANK,
        shared: 0,
    };
    Program::record(
        shape,
        |_, _| Start::default(),
        |_, i| {
            let (x, rest) = i.lane.split_at(FEATURES);
            let (capacity, total, outcome) = (rest[0], rest[1], rest[2]);
            let h = apply(i.params, &n.one, &[x], Activation::Silu);
            let count = Var::constant(1.0).lane_sum();
            let sums: Vec<_> = h.iter().map(|h| h.lane_sum()).collect();
            let mean: Vec<_> = sums.into_iter().map(|sum| sum / count).collect();
            let pooled = apply(i.params, &n.pool, &[&mean], Activation::Silu);
            let h = apply(i.params, &n.two, &[&h, &pooled], Activation::Silu);
            let t = apply(i.params, &n.head, &[&h], Activation::Identity);
            let samples = i.exo.chunks_exact(RANK).map(|z| {
                let e = (0..RANK).fold(t[0], |s, k| s + t[1 + k] * z[k]).exp();
                split(e / e.lane_sum(), capacity, total)
            });
            let samples: Vec<_> = samples.collect();
            let score = energy_score(&samples, outcome);
            Step {
                objective: -score,
                ..Step::new()
            }
        },
    )
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let mut number = |default: usize| args.next().map_or(Ok(default), |a| a.parse());
    let (threads, hidden, steps) = (number(1)?, number(32)?, number(5)?);
    let mut layout = Layout::new();
    let network = Network {
        one: layout.dense(FEATURES, hidden),
        pool: layout.dense(hidden, hidden),
        two: layout.dense(2 * hidden, hidden),
        head: layout.dense(hidden, 1 + RANK),
    };
    let program = program(&network, layout.params());
    let params: Vec<f32> = layout.initial(3).iter().map(|&x| x as f32).collect();
    let lanes = WAREHOUSES * CASES;
    let capacity = uniform(2, lanes, 0.2, 1.0);
    let outcome: Vec<f32> = capacity
        .iter()
        .zip(uniform(3, lanes, 0.0, 1.0))
        .map(|(c, u)| c * u)
        .collect();
    let share = uniform(4, CASES, 0.3, 0.8);
    let cases = capacity.chunks_exact(WAREHOUSES).zip(share);
    let total = cases.flat_map(|(case, share)| [share * case.iter().sum::<f32>(); WAREHOUSES]);
    let total: Vec<f32> = total.collect();
    let lane = [
        uniform(1, FEATURES * lanes, -1.0, 1.0),
        capacity,
        total,
        outcome,
    ]
    .concat();
    let exo = uniform(5, SAMPLES * RANK * lanes, -1.7, 1.7);
    let batch = Batch::new(&program, lanes, 1)
        .lane(&lane)?
        .exo(&exo)?
        .groups(&[WAREHOUSES; CASES])?;
    let cpu = Cpu::new(threads);
    let mut session: Box<dyn Session<f32> + '_> = cpu.open(&program, batch)?;
    session.load(&params)?;
    let (_, forward) = timed("forward", steps, || session.forward(&Part::all()))?;
    let (gradient, fields) = timed("gradient", steps, || session.gradient(&Part::all()))?;
    println!(
        "{{\"threads\": {threads}, \"hidden\": {hidden}, {forward}, {fields}, \"score\": {:.6}, \"size\": \"{:?}\"}}",
        -gradient.objective,
        program.size()
    );
    Ok(())
}
