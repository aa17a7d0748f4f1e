//! The crate's work of fixed size, timed: a name, CPU seconds and a check value a line. `bench/drain_peers.py` runs it beside its peers.
//!
//! Run with `cargo run --release -p hindsight-drain --example drain_bench`.

#![allow(clippy::cast_precision_loss)]

use std::num::NonZeroUsize;

use cpu_time::ProcessTime;
use hindsight_drain::DrainError;
use hindsight_drain::fulfilment::{Fulfilment, Plan, Scenario, map_scenarios, solve_all};

const WAREHOUSES: usize = 20;
const REGIONS: usize = 50;
const PROGRAMMES: u64 = 1000;

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

/// Whole numbers: costs 1 to 100, demand 1 to 50, stock 0 to 149, penalty 150; `real` adds a fraction to each.
fn programme(i: u64, real: f64) -> Result<Fulfilment, DrainError> {
    let scaled = |seed: u64, count: usize, low: f64, width: f64| {
        let u = uniform(seed + i, count);
        u.iter()
            .map(|u| low + (width * u).floor() + real * (width * u).fract())
            .collect()
    };
    Fulfilment::new(
        scaled(3_000_000, WAREHOUSES, 0.0, 150.0),
        scaled(2_000_000, REGIONS, 1.0, 50.0),
        scaled(1_000_000, WAREHOUSES * REGIONS, 1.0, 100.0),
    )?
    .with_lost_penalty(vec![150.0; REGIONS])
}

/// The best of `repeats` runs.
fn clock(
    name: &str,
    repeats: u32,
    mut work: impl FnMut() -> Result<f64, DrainError>,
) -> Result<(), DrainError> {
    let (mut best, mut check) = (f64::INFINITY, 0.0);
    for _ in 0..repeats {
        let start = ProcessTime::now();
        check = work()?;
        best = best.min(start.elapsed().as_secs_f64());
    }
    println!("{name}\t{best:.6}\t{check:.6}");
    Ok(())
}

fn main() -> Result<(), DrainError> {
    let repeats = std::env::args()
        .nth(1)
        .and_then(|a| a.parse().ok())
        .unwrap_or(5);
    let total = |plans: Vec<Result<hindsight_drain::fulfilment::Plan, DrainError>>| {
        let (mut cost, mut pivots) = (0.0, 0);
        for plan in plans {
            let plan = plan?;
            cost += plan.cost;
            pivots += plan.pivots;
        }
        eprintln!("{pivots} pivots");
        Ok(cost)
    };
    for (name, real) in [
        ("1000 programmes", 0.0),
        ("1000 programmes, real data", 1.0),
    ] {
        let problems = (0..PROGRAMMES)
            .map(|i| programme(i, real))
            .collect::<Result<Vec<_>, _>>()?;
        clock(name, repeats, || {
            total(solve_all(&problems, NonZeroUsize::MIN))
        })?;
        let scenarios: Vec<Scenario> = problems
            .iter()
            .map(|p| Scenario::demand(p.demand().to_vec()))
            .collect();
        clock(&name.replace("programmes", "demands"), repeats, || {
            let cost = |plan: Result<Plan, DrainError>| plan.map(|plan| plan.cost);
            map_scenarios(&problems[0], &scenarios, NonZeroUsize::MIN, cost)
                .into_iter()
                .sum::<Result<f64, _>>()
        })?;
    }
    Ok(())
}
