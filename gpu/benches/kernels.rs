//! What a change must not slow down: a layer forward and back, an activation, and a training step of an eighth of the
//! comparison's size. `cargo bench -p hindsight-gpu`

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    reason = "small sizes, and data that are rounded to single precision once"
)]

#[path = "../examples/support/lost_sales.rs"]
mod lost_sales;

use divan::Bencher;
use divan::counter::ItemsCount;
use hindsight_gpu::nn::Layout;
use hindsight_gpu::{Batch, Cpu, Executor, Program, Scalar, Shape, Start, Step, nn::Activation};

const LANES: usize = 512;
const WIDTH: usize = 64;

fn main() {
    divan::main();
}

/// Four layers of 64 by 64, one after another.
fn layers(activation: Activation) -> (Program, Vec<f32>) {
    let mut layout = Layout::new();
    let layers = [(); 4].map(|()| layout.dense(WIDTH, WIDTH));
    let shape = Shape {
        params: layout.params(),
        lane: WIDTH,
        ..Shape::default()
    };
    let program = Program::record(
        shape,
        |_, _| Start::default(),
        |_, inputs| {
            let apply = |x: Vec<_>, layer: &hindsight_gpu::nn::Dense| {
                let mut out = Vec::new();
                layer.apply(inputs.params, &[&x], activation, &mut out);
                out
            };
            let out = layers.iter().fold(inputs.lane.to_vec(), apply);
            Step {
                objective: out.into_iter().fold(Scalar::constant(0.0), |s, x| s + x),
                ..Step::new()
            }
        },
    );
    let params = layout.initial(1).iter().map(|&w| w as f32).collect();
    (program, params)
}

/// Multiplications and additions of the products of one forward run.
const FLOP: usize = 4 * 2 * WIDTH * WIDTH * LANES;

#[divan::bench(args = [Activation::Identity, Activation::Silu])]
fn dense_forward(bencher: Bencher<'_, '_>, activation: Activation) {
    let (program, params) = layers(activation);
    let batch = Batch::new(&program, LANES, 1);
    bencher
        .counter(ItemsCount::new(FLOP))
        .bench(|| Cpu::new(1).forward(&program, &params, &batch));
}

#[divan::bench(args = [Activation::Identity, Activation::Silu])]
fn dense_forward_and_back(bencher: Bencher<'_, '_>, activation: Activation) {
    let (program, params) = layers(activation);
    let batch = Batch::new(&program, LANES, 1);
    bencher
        .counter(ItemsCount::new(3 * FLOP))
        .bench(|| Cpu::new(1).gradient(&program, &params, &batch));
}

#[divan::bench(args = [1, 2], sample_count = 10)]
fn training_step(bencher: Bencher<'_, '_>, threads: usize) {
    let task = lost_sales::Task::new(1024);
    let Ok(batch) = task.batch() else { return };
    bencher
        .counter(ItemsCount::new(1024 * lost_sales::PERIODS))
        .bench(|| Cpu::new(threads).gradient(&task.program, &task.params, &batch));
}
