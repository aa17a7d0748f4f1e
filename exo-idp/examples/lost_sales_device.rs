//! A whole training of a lost-sales problem on a graphics processor and on the processor: the exact costs of both policies, which must agree to one in
//! a thousand.
//!
//! `cargo run --release -p hindsight-exo-idp --features wgpu --example lost_sales_device -- [STEPS] [SEED]`

use std::error::Error;
use std::ops::ControlFlow;
use std::time::Instant;

use hindsight_exo_idp::exact::{ChainOptions, DemandLaw, LostSales, SolveOptions};
use hindsight_exo_idp::train::{LostSalesTraining, train_lost_sales};
use hindsight_gpu::Device;

/// How far the costs may lie apart.
const TOLERANCE: f64 = 1e-3;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let mut training = LostSalesTraining::default();
    if let Some(steps) = args.next() {
        training.steps = steps.parse()?;
        training.rounded_steps = training.steps;
    }
    if let Some(seed) = args.next() {
        training.seed = seed.parse()?;
    }
    let problem = LostSales::new(DemandLaw::poisson(5.0)?, 4, 1.0, 4.0)?;
    let optimum = problem.solve(&SolveOptions::default())?.cost();
    println!("optimum {optimum:.4}");
    let mut costs = Vec::new();
    for device in [Device::cpu(1), Device::gpu()?] {
        let begun = Instant::now();
        let policy = train_lost_sales(&problem, &training, &device, |_, _| {
            ControlFlow::Continue(())
        })?;
        let cost = problem
            .evaluate(|state| policy.order(state), &ChainOptions::default())?
            .cost;
        println!(
            "{cost:.4} on {}, {:.0} s",
            device.name(),
            begun.elapsed().as_secs_f64()
        );
        costs.push(cost);
    }
    let off = (costs[1] / costs[0] - 1.0).abs();
    println!("apart by {:.3} %", off * 100.0);
    if off < TOLERANCE {
        Ok(())
    } else {
        Err("the costs lie further apart than one in a thousand".into())
    }
}
