//! CPU seconds of a training epoch over 250,000 orders and of sampling a million, on one thread; memory by the number of orders.
//!
//! `cargo run --release -p hindsight-arrivals --example speed -- time [BATCH] [FOLDER]` prints a line of JSON; with a folder it leaves there the trained model and its orders,
//! as `bench/arrivals.py` reads them. `speed memory ORDERS` prints the peak memory of a log, of training on it, and of sampling it.
#![allow(clippy::cast_precision_loss, reason = "numbers of orders")]

use std::error::Error;
use std::path::Path;

use cpu_time::ProcessTime;
use hindsight_arrivals::model::{GenQot, Training};
use hindsight_arrivals::world::VendorWorld;
use hindsight_arrivals::{ArrivalModel, Grid, Log, Order, Samples};
use hindsight_gpu::Device;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, otherwise: usize| args.get(at).map_or(Ok(otherwise), |a| a.parse());
    match args.first().map(String::as_str) {
        None | Some("time") => time(number(1, 256)?, args.get(2).map(Path::new)),
        Some("memory") => memory(number(1, 250_000)?),
        Some(other) => Err(format!("{other} is neither time nor memory").into()),
    }
}

fn time(batch: usize, folder: Option<&Path>) -> Result<(), Box<dyn Error>> {
    let world = VendorWorld::new(8, 100)?;
    let log = world.log(250_000, 208, 1)?;
    let grid = Grid::weekly(world.longest())?;
    let device = Device::cpu(1);
    let fit = |epochs| -> Result<(GenQot, f64), Box<dyn Error>> {
        let training = Training {
            epochs,
            batch,
            ..Training::default()
        };
        let start = ProcessTime::now();
        let model = GenQot::fit(&log, &grid, &training, &device)?;
        Ok((model, start.elapsed().as_secs_f64()))
    };
    let (_, one) = fit(1)?;
    let (model, three) = fit(3)?;
    let orders = log.orders().iter().map(|order| order.request.clone());
    let requests: Vec<_> = orders.collect();
    let generator = model.on(&device);
    let start = ProcessTime::now();
    let mut pieces = 0;
    for sample in 0..4 {
        let paths = generator.sample(&requests, Samples { seed: 1, sample })?;
        pieces += paths.iter().map(|path| path.pieces.len()).sum::<usize>();
    }
    let sampled = start.elapsed().as_secs_f64();
    let likelihood = model.log_likelihood(log.orders(), &device)?;
    println!(
        r#"{{"batch": {batch}, "epoch_cpu": {}, "first_cpu": {}, "sample_cpu": {sampled}, "pieces": {}, "nats": {}}}"#,
        (three - one) / 2.0,
        1.5 * one - 0.5 * three,
        pieces as f64 / (4 * requests.len()) as f64,
        -likelihood.iter().sum::<f64>() / requests.len() as f64,
    );
    if let Some(folder) = folder {
        std::fs::write(folder.join("model.txt"), model.to_text())?;
        std::fs::write(folder.join("orders.f64"), bytes(&log))?;
    }
    Ok(())
}

/// 35 numbers an order: what was known, until when it was seen (-1: closed), the number of receipts, their times, their shares.
fn bytes(log: &Log) -> Vec<u8> {
    let numbers = |order: &Order| {
        let request = &order.request;
        let mut row = vec![
            request.vendor as f64,
            request.units,
            request.usual,
            request.minimum,
            request.batch,
            request.season,
            request.promised.unwrap_or(0.0),
            f64::from(u8::from(request.promised.is_some())),
        ];
        row.extend(&request.covariates);
        row.extend(request.history.as_flattened());
        row.push(order.seen_until.map_or(-1.0, |seen| seen as f64));
        row.push(order.receipts.len() as f64);
        let mut pieces = [0.0; 8];
        for (at, receipt) in order.receipts.iter().enumerate() {
            pieces[at] = receipt.time as f64;
            pieces[4 + at] = receipt.units / request.units;
        }
        row.extend(pieces);
        row
    };
    let all = log.orders().iter().flat_map(numbers);
    all.flat_map(f64::to_le_bytes).collect()
}

fn memory(orders: usize) -> Result<(), Box<dyn Error>> {
    let world = VendorWorld::new(8, 100)?;
    let log = world.log(orders, 208, 1)?;
    let (grid, device) = (Grid::weekly(world.longest())?, Device::cpu(1));
    let held = peak()?;
    let training = Training {
        epochs: 1,
        ..Training::default()
    };
    let model = GenQot::fit(&log, &grid, &training, &device)?;
    let fitted = peak()?;
    let generator = model.on(&device);
    let requests: Vec<_> = log.orders().iter().map(|o| o.request.clone()).collect();
    drop(log);
    let mut pieces = 0;
    for block in requests.chunks(65_536) {
        let paths = generator.sample(block, Samples { seed: 1, sample: 0 })?;
        pieces += paths.iter().map(|path| path.pieces.len()).sum::<usize>();
    }
    println!(
        r#"{{"orders": {orders}, "log_mib": {held}, "fitted_mib": {fitted}, "sampled_mib": {}, "pieces": {pieces}}}"#,
        peak()?
    );
    Ok(())
}

/// The largest resident memory so far, in MiB.
fn peak() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    let words = line.and_then(|line| line.split_whitespace().nth(1));
    let kib: u64 = words.ok_or("no peak in /proc/self/status")?.parse()?;
    Ok(kib / 1024)
}
