//! A frozen generator inside a differentiated period: how an order arrives is sampled, token by token, by a recurrent network that sees the
//! order; the buyer is trained, the generator is not. Prints the times of a gradient with and without the generator.
//!
//! `cargo run --release -p hindsight-gpu --example frozen -- [THREADS] [STEPS]`

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::single_range_in_vec_init,
    reason = "small sizes, data that are rounded to single precision once, and one range of parameters"
)]

#[path = "support/report.rs"]
mod report;

use std::error::Error;

use hindsight_gpu::nn::{Dense, Gru, Layout};
use hindsight_gpu::{
    Batch, Cpu, Executor, Part, Program, Scalar, Session, Shape, Start, Step, Var, nn::Activation,
};
use report::{timed, uniform};

const LANES: usize = 2048;
const PERIODS: usize = 52;
/// Periods that a piece can take, and so tokens of an order.
const LEAD: usize = 8;
/// Classes of a token: which share of what is left arrives.
const CLASSES: usize = 6;
const CONTEXT: usize = 4;
const HIDDEN: usize = 64;

struct Networks {
    buyer: [Dense; 3],
    /// Parameters of the buyer.
    trained: usize,
    unit: Gru,
    head: Dense,
    layout: Layout,
}

fn networks() -> Networks {
    let mut layout = Layout::new();
    let inputs = 1 + LEAD + CONTEXT;
    let buyer = [(inputs, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, 1)].map(|(n, m)| layout.dense(n, m));
    let trained = layout.params();
    let unit = layout.gru(2 + CONTEXT, HIDDEN);
    let head = layout.dense(HIDDEN, CLASSES);
    Networks {
        buyer,
        trained,
        unit,
        head,
        layout,
    }
}

/// The shares of an order that arrive in each period, sampled with uniform numbers.
fn sampled<'r>(
    n: &Networks,
    theta: &[Var<'r>],
    size: Var<'r>,
    context: &[Var<'r>],
    random: &[Var<'r>],
) -> Vec<Var<'r>> {
    let mut hidden = vec![Var::constant(0.0); n.unit.hidden()];
    let (mut left, mut last) = (Var::constant(1.0), Var::constant(0.0));
    let token = |&random: &Var<'r>| {
        let x = [&[size, last], context].concat();
        hidden = n.unit.apply(theta, &x, &hidden);
        let (mut logits, mut shares) = (vec![], vec![]);
        n.head
            .apply(theta, &[&hidden], Activation::Identity, &mut logits);
        Scalar::softmax(&logits, &mut shares);
        let (mut sum, mut class) = (Var::constant(0.0), Var::constant(0.0));
        for &share in &shares[..CLASSES - 1] {
            sum = sum + share;
            class = class + (random - sum).positive();
        }
        last = class * Scalar::constant(1.0 / (CLASSES - 1) as f64);
        let share = (left * last).detach();
        left = left - share;
        share
    };
    random.iter().map(token).collect()
}

/// Inputs of a period: demand, context, and as many uniform numbers as there are tokens, or shares where nothing is `generated`.
fn program(n: &Networks, generated: bool) -> Program {
    let shape = Shape {
        params: n.layout.params(),
        lane: 2,
        exo: 1 + CONTEXT + LEAD,
        shared: 0,
    };
    Program::record(
        shape,
        |_, _| Start {
            state: vec![Scalar::constant(1.0); 1 + LEAD],
            carry: vec![],
        },
        |_, i| {
            let (demand, context, random) = (i.exo[0], &i.exo[1..=CONTEXT], &i.exo[1 + CONTEXT..]);
            let (mut a, mut b, mut q) = (vec![], vec![], vec![]);
            n.buyer[0].apply(
                i.params,
                &[&[i.state, context].concat()],
                Activation::Silu,
                &mut a,
            );
            n.buyer[1].apply(i.params, &[&a], Activation::Silu, &mut b);
            n.buyer[2].apply(i.params, &[&b], Activation::Softplus, &mut q);
            let order = q[0];
            let shares = if generated {
                let size = (order + Scalar::constant(1.0)).ln().detach();
                sampled(n, i.params, size, context, random)
            } else {
                let even = Scalar::constant(1.0 / LEAD as f64);
                random.iter().map(|&r| r * even).collect()
            };
            // What arrives now, next period, and so on.
            let due = i.state[1..]
                .iter()
                .zip(shares)
                .map(|(&due, share)| due + order * share);
            let due: Vec<Var<'_>> = due.collect();
            let stock = i.state[0] + due[0];
            let sold = stock.min(demand);
            Step {
                state: [&[stock - sold], &due[1..], &[Scalar::constant(0.0)]].concat(),
                objective: i.lane[0] * sold - i.lane[1] * order,
                traces: vec![],
            }
        },
    )
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let mut number = |default: usize| args.next().map_or(Ok(default), |a| a.parse());
    let (threads, steps) = (number(1)?, number(5)?);
    let n = networks();
    let params: Vec<f32> = n.layout.initial(2).iter().map(|&x| x as f32).collect();
    let lane = [uniform(1, LANES, 8.0, 12.0), uniform(2, LANES, 3.0, 5.0)].concat();
    let exo = uniform(3, PERIODS * LANES * (1 + CONTEXT + LEAD), 0.0, 1.0);
    let cpu = Cpu::new(threads);
    let mut fields = Vec::new();
    for (name, generated) in [("buyer", false), ("generated", true)] {
        let trained = 0..n.trained;
        let program = program(&n, generated).train(std::slice::from_ref(&trained))?;
        let batch = Batch::new(&program, LANES, PERIODS)
            .lane(&lane)?
            .exo(&exo)?;
        let mut session: Box<dyn Session<f32> + '_> = cpu.open(&program, batch)?;
        session.load(&params)?;
        let forward = format!("{name}_forward");
        fields.push(timed(&forward, steps, || session.forward(&Part::all()))?.1);
        fields.push(timed(name, steps, || session.gradient(&Part::all()))?.1);
        fields.push(format!(
            "\"{name}_tape_rows\": {}",
            program.size().lane_tape_rows
        ));
    }
    println!("{{\"threads\": {threads}, {}}}", fields.join(", "));
    Ok(())
}
