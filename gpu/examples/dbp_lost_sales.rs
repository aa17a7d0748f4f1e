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

use std::error::Error;
use std::time::Instant;

use cpu_time::ProcessTime;
use hindsight_gpu::optim::{Adam, AdamConfig};
use hindsight_gpu::{Cpu, Executor};

/// Steps before the clock counts.
const WARM: usize = 2;

/// Wall and CPU seconds of each repetition.
#[derive(Debug, Default)]
struct Times {
    wall: Vec<f64>,
    cpu: Vec<f64>,
}

impl Times {
    fn take<R>(&mut self, work: impl FnOnce() -> R) -> R {
        let (begun, used) = (Instant::now(), ProcessTime::now());
        let result = work();
        self.wall.push(begun.elapsed().as_secs_f64());
        self.cpu.push(used.elapsed().as_secs_f64());
        result
    }

    /// Median and least, as JSON fields.
    fn fields(&self, name: &str) -> String {
        let one = |kind: &str, times: &[f64]| {
            let mut times = times[WARM..].to_vec();
            times.sort_by(f64::total_cmp);
            let (least, median) = (times[0], times[times.len() / 2]);
            format!("\"{name}_{kind}_median\": {median:.4}, \"{name}_{kind}_min\": {least:.4}")
        };
        format!("{}, {}", one("wall", &self.wall), one("cpu", &self.cpu))
    }
}

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
