//! One training step of an autoregressive decoder: 4,096 orders, each a sequence of up to 8 tokens of 281 classes, read by a gated
//! recurrent unit of width 64 and trained by maximum likelihood. Prints the losses and the times, for the comparison in `bench/`.
//!
//! Classes are plain numbers in the arrays: no one-hot rows. The head, its `log_softmax` and the `pick` of the class that was seen are
//! one operation, so that no row of the tape belongs to a class.
//!
//! `cargo run --release -p hindsight-gpu --example decoder -- [THREADS] [STEPS]`

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "small sizes, and data that are rounded to single precision once"
)]

#[path = "support/times.rs"]
mod times;
#[path = "support/unit.rs"]
mod unit;

use std::error::Error;

use hindsight_gpu::nn::{Dense, Embedding, Gru, Layout};
use hindsight_gpu::optim::Rule;
use hindsight_gpu::{
    Batch, Device, Executor, Part, Program, Scalar, Shape, Start, Step, nn::Activation,
};
use times::{Times, WARM};
use unit::unit;

const ORDERS: usize = 4096;
const TOKENS: usize = 8;
const CLASSES: usize = 281;
const CONTEXT: usize = 16;
const EMBEDDING: usize = 16;
const HIDDEN: usize = 64;

/// The layers of the decoder.
#[derive(Debug)]
struct Decoder {
    embedding: Embedding,
    first: Dense,
    gru: Gru,
    head: Dense,
    params: usize,
}

impl Decoder {
    fn new() -> Self {
        let mut layout = Layout::new();
        Decoder {
            embedding: layout.embedding(CLASSES, EMBEDDING),
            first: layout.dense(CONTEXT, HIDDEN),
            gru: layout.gru(EMBEDDING + CONTEXT, HIDDEN),
            head: layout.dense(HIDDEN, CLASSES),
            params: layout.params(),
        }
    }

    /// The state after a token, and the logarithms of the shares of the next one's classes.
    fn next<S: Scalar>(
        &self,
        theta: &[S],
        context: &[S],
        token: S,
        state: &[S],
    ) -> (Vec<S>, Vec<S>) {
        let mut inputs = Vec::new();
        self.embedding.apply(theta, token, &mut inputs);
        inputs.extend_from_slice(context);
        let state = self.gru.apply(theta, &inputs, state);
        let (mut logits, mut log_shares) = (Vec::new(), Vec::new());
        let identity = Activation::Identity;
        self.head.apply(theta, &[&state], identity, &mut logits);
        S::log_softmax(&logits, &mut log_shares);
        (state, log_shares)
    }

    /// The log-likelihood of the orders' tokens. An order's own inputs are its context; a token's are whether it counts, the token before
    /// it and itself.
    fn likelihood(&self) -> Program {
        let shape = Shape {
            params: self.params,
            lane: CONTEXT,
            exo: 3,
            shared: 0,
        };
        Program::record(
            shape,
            |_, inputs| {
                let mut state = Vec::new();
                let context = &[inputs.lane];
                self.first
                    .apply(inputs.params, context, Activation::Tanh, &mut state);
                Start {
                    state,
                    carry: vec![],
                }
            },
            |_, inputs| {
                let [counts, before, token] = [inputs.exo[0], inputs.exo[1], inputs.exo[2]];
                let (state, log_shares) =
                    self.next(inputs.params, inputs.lane, before, inputs.state);
                Step {
                    state,
                    objective: counts * Scalar::pick(&log_shares, token),
                    traces: vec![],
                }
            },
        )
    }
}

/// `count` numbers of a stream between `low` and `high`.
fn between(stream: u64, count: usize, low: f64, high: f64) -> Vec<f32> {
    let number = |i| (low + (high - low) * unit(stream, i)) as f32;
    (0..count).map(number).collect()
}

/// Weights, uniform; biases zero. Every matrix has a stream of its own, outputs by inputs.
fn parameters(decoder: &Decoder) -> Vec<f32> {
    let mut params = vec![0.0; decoder.params];
    let table = between(31, CLASSES * EMBEDDING, -1.0, 1.0);
    decoder
        .embedding
        .table_mut(&mut params)
        .copy_from_slice(&table);
    let [gates, input, hidden] = decoder.gru.layers();
    let layers = [decoder.first, gates, input, hidden, decoder.head];
    for (layer, stream) in layers.into_iter().zip(32..) {
        let limit = 1.0 / (layer.inputs() as f64).sqrt();
        let weights = layer.weights_mut(&mut params);
        weights.copy_from_slice(&between(stream, weights.len(), -limit, limit));
    }
    params
}

/// The tokens: whether each counts, the one before it, itself; `[token][input][order]`.
fn tokens() -> Vec<f32> {
    let class =
        |t: usize, n: usize| (CLASSES as f64 * unit(23, t * ORDERS + n).powi(2)).floor() as f32;
    let mut rows = Vec::with_capacity(TOKENS * 3 * ORDERS);
    for t in 0..TOKENS {
        let length = |n| 1.0 + (TOKENS as f64 * unit(22, n)).floor();
        rows.extend((0..ORDERS).map(|n| f32::from(u8::from((t as f64) < length(n)))));
        rows.extend((0..ORDERS).map(|n| match t {
            0 => (CLASSES - 1) as f32,
            _ => class(t - 1, n),
        }));
        rows.extend((0..ORDERS).map(|n| class(t, n)));
    }
    rows
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let threads: usize = args.next().map_or(Ok(1), |a| a.parse())?;
    let steps: usize = args.next().map_or(Ok(9), |a| a.parse())?.max(1);
    let decoder = Decoder::new();
    let (program, device) = (decoder.likelihood(), Device::cpu(threads));
    let (context, tokens) = (between(21, CONTEXT * ORDERS, -1.0, 1.0), tokens());
    let batch = Batch::new(&program, ORDERS, TOKENS)
        .lane(&context)?
        .exo(&tokens)?;
    let mut session = device.open(&program, batch)?;
    session.load(&parameters(&decoder))?;
    let (all, rule) = (Part::all(), Rule::default());
    let (mut forward, mut step) = (Times::default(), Times::default());
    for _ in 0..WARM + steps {
        forward.take(|| session.forward(&all))?;
    }
    let mut losses = Vec::new();
    for _ in 0..WARM + steps {
        losses.push(-step.take(|| session.step(&all, &rule, 1e-3))?);
    }
    let (step, forward) = (step.fields("step"), forward.fields("forward"));
    println!("{{\"threads\": {threads}, {step}, {forward}, \"losses\": {losses:?}}}");
    Ok(())
}
