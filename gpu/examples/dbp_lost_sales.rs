//! One Direct Backprop training step on a fixed lost-sales problem: 8192 paths, 64 periods, 5 outstanding orders, a network
//! of 4,929 parameters. Prints the losses, which are known, and the times, for the comparison in `bench/`.
//!
//! `cargo run --release -p hindsight-gpu --example dbp_lost_sales -- [THREADS] [STEPS]`

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    reason = "small sizes, and data that are rounded to single precision once"
)]

#[path = "support/lost_sales.rs"]
mod lost_sales;
#[path = "support/times.rs"]
mod times;

use std::error::Error;

use hindsight_gpu::optim::{Adam, AdamConfig};
use hindsight_gpu::{Cpu, Executor};
use times::{Times, WARM};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let threads: usize = args.next().map_or(Ok(1), |a| a.parse())?;
    let steps: usize = args.next().map_or(Ok(9), |a| a.parse())?.max(1);
    let task = lost_sales::Task::new(8192);
    let (program, mut params, batch) = (&task.program, task.params.clone(), task.batch()?);
    let cpu = Cpu::new(threads);
    let (mut forward, mut step) = (Times::default(), Times::default());
    for _ in 0..WARM + steps {
        forward.take(|| cpu.forward(program, &params, &batch))?;
    }
    let mut adam = Adam::new(AdamConfig::default(), params.len());
    let mut losses = Vec::new();
    for _ in 0..WARM + steps {
        let gradient = step.take(|| -> Result<_, hindsight_gpu::Error> {
            let gradient = cpu.gradient(program, &params, &batch)?;
            adam.ascend(&mut params, &gradient.params, 1e-3);
            Ok(gradient)
        })?;
        losses.push(-gradient.objective);
    }
    let (step, forward) = (step.fields("step"), forward.fields("forward"));
    println!("{{\"threads\": {threads}, {step}, {forward}, \"losses\": {losses:?}}}");
    Ok(())
}
