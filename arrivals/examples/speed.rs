//! CPU seconds of a training epoch over 250,000 orders and of sampling a million, on one thread.
//!
//! `cargo run --release -p hindsight-arrivals --example speed`

use std::error::Error;

use cpu_time::ProcessTime;
use hindsight_arrivals::model::{GenQot, Training};
use hindsight_arrivals::world::VendorWorld;
use hindsight_arrivals::{ArrivalModel, Grid, Samples};
use hindsight_gpu::Device;

fn main() -> Result<(), Box<dyn Error>> {
    let world = VendorWorld::new(8, 100)?;
    let log = world.log(250_000, 208, 1)?;
    let grid = Grid::weekly(world.longest())?;
    let device = Device::cpu(1);
    let training = |epochs| Training {
        epochs,
        ..Training::default()
    };
    let fit = |epochs| -> Result<(GenQot, f64), Box<dyn Error>> {
        let start = ProcessTime::now();
        let model = GenQot::fit(&log, &grid, &training(epochs), &device)?;
        Ok((model, start.elapsed().as_secs_f64()))
    };
    let (_, one) = fit(1)?;
    let (model, three) = fit(3)?;
    println!(
        "an epoch: {:.2} s, ready to begin: {:.2} s",
        (three - one) / 2.0,
        1.5 * one - 0.5 * three
    );
    let orders = log.orders().iter().map(|order| order.request.clone());
    let requests: Vec<_> = orders.collect();
    let generator = model.on(&device);
    let start = ProcessTime::now();
    let mut pieces = 0;
    for sample in 0..4 {
        let paths = generator.sample(&requests, Samples { seed: 1, sample })?;
        pieces += paths.iter().map(|path| path.pieces.len()).sum::<usize>();
    }
    println!(
        "a million orders, {pieces} pieces: {:.2} s",
        start.elapsed().as_secs_f64()
    );
    Ok(())
}
