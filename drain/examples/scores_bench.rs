//! The scores' work of fixed size, timed: a name, CPU seconds and the mean score a line. `bench/score_peers.py` runs it beside its peers.
//!
//! Run with `cargo run --release -p hindsight-drain --example scores_bench`.

#![allow(clippy::cast_precision_loss)]

use cpu_time::ProcessTime;
use hindsight_drain::DrainError;
use hindsight_drain::scores::{Estimator, Forecasts, crps, energy_score, variogram_score};

/// Uniform numbers in [0, 1): the outputs of `SplitMix64` from a seed.
fn uniform(seed: u64, count: usize) -> Vec<f64> {
    (1..=count as u64)
        .map(|i| {
            let mut z = i.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(seed);
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            ((z ^ (z >> 31)) >> 11) as f64 / 9_007_199_254_740_992.0
        })
        .collect()
}

/// The best of `repeats` runs.
fn clock(
    name: &str,
    repeats: u32,
    work: impl Fn() -> Result<Vec<f64>, DrainError>,
) -> Result<(), DrainError> {
    let (mut best, mut mean) = (f64::INFINITY, 0.0);
    for _ in 0..repeats {
        let start = ProcessTime::now();
        let scores = work()?;
        mean = scores.iter().sum::<f64>() / scores.len() as f64;
        best = best.min(start.elapsed().as_secs_f64());
    }
    println!("{name}\t{best:.6}\t{mean:.12}");
    Ok(())
}

fn main() -> Result<(), DrainError> {
    let argument = std::env::args().nth(1);
    let repeats = argument.and_then(|a| a.parse().ok()).unwrap_or(5);
    let (n, members) = (1_000_000, 100);
    let (x, y) = (uniform(7, n * members), uniform(8, n));
    let single = Forecasts::new(&x, &y)?;
    clock("CRPS", repeats, || crps(&single, Estimator::Plain))?;
    clock("fair CRPS", repeats, || crps(&single, Estimator::Fair))?;
    drop((x, y));
    let (n, components) = (1000, 20);
    let (x, y) = (
        uniform(9, n * members * components),
        uniform(11, n * components),
    );
    let joint = Forecasts::joint(&x, &y, components)?;
    clock("energy", repeats, || energy_score(&joint, Estimator::Plain))?;
    clock("variogram", repeats, || variogram_score(&joint, 0.5))
}
