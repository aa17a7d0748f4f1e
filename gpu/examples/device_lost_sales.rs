//! The training step of the comparison on a graphics processor: losses, which are known, milliseconds a step on the clock and on the
//! device's own, dispatches and bytes moved, for `bench/gpu.sh`.
//!
//! `cargo run --release -p hindsight-gpu --features wgpu --example device_lost_sales -- [STEPS] [PATHS]`

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

use hindsight_gpu::exec::Gpu;
use hindsight_gpu::optim::Rule;
use hindsight_gpu::{Cpu, Executor, Part};

/// Steps before the clock counts.
const WARM: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let steps: usize = args.next().map_or(Ok(20), |a| a.parse())?.max(1);
    let paths: usize = args.next().map_or(Ok(8192), |a| a.parse())?.max(1);
    let gpu = Gpu::new()?;
    let task = lost_sales::Task::new(paths);
    let (all, rule) = (Part::all(), Rule::default());
    let opened = Instant::now();
    let mut session = gpu.open(&task.program, task.batch()?)?;
    session.load(&task.params)?;
    let mut losses = vec![-session.step(&all, &rule, 1e-3)?];
    let opened = opened.elapsed().as_secs_f64();
    let cpu = Cpu::default();
    let mut reference = cpu.open(&task.program, task.batch()?)?;
    reference.load(&task.params)?;
    let mut right = vec![-reference.step(&all, &rule, 1e-3)?];
    let (mut wall, mut device) = (Vec::new(), Vec::new());
    let mut before = gpu.traffic();
    for step in 0..WARM + steps {
        let begun = Instant::now();
        losses.push(-session.step(&all, &rule, 1e-3)?);
        if step < WARM {
            right.push(-reference.step(&all, &rule, 1e-3)?);
            before = gpu.traffic();
            continue;
        }
        wall.push(begun.elapsed().as_secs_f64());
    }
    let after = gpu.traffic();
    for _ in 0..steps {
        session.step(&all, &rule, 1e-3)?;
        device.extend(gpu.last_seconds()?);
    }
    let mut forward = Vec::new();
    for _ in 0..steps {
        session.forward(&all)?;
        forward.extend(gpu.last_seconds()?);
    }
    let median = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times.get(times.len() / 2).copied().unwrap_or(f64::NAN) * 1e3
    };
    let (wall, device, forward) = (median(&mut wall), median(&mut device), median(&mut forward));
    let each = |a: u64, b: u64| (a - b) / steps as u64;
    let flop = 6.0 * 4800.0 * 64.0 * paths as f64;
    let off = losses
        .iter()
        .zip(&right)
        .map(|(a, b)| ((a - b) / b).abs())
        .fold(0.0, f64::max);
    println!(
        "{{\"adapter\": {:?}, \"paths\": {paths}, \"first_step_s\": {opened:.2}, \"step_ms\": {wall:.4}, \"step_device_ms\": {device:.4}, \
         \"forward_device_ms\": {forward:.4}, \"gflops\": {:.0}, \"dispatches\": {}, \"sent\": {}, \"received\": {}, \
         \"losses_off_processor\": {off:.2e}, \"losses\": {:?}}}",
        gpu.name(),
        flop / device * 1e-6,
        each(after.dispatches, before.dispatches),
        each(after.sent, before.sent),
        each(after.received, before.received),
        &losses[..4],
    );
    Ok(())
}
