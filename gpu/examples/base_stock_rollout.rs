//! A base-stock policy on 8192 paths of 64 periods, five outstanding orders, lost sales: the period is written once, and run
//! in `f64` (the reference), on SIMD lanes, and on SIMD lanes with the derivative with respect to the level.
//!
//! `cargo run --release -p hindsight-gpu --example base_stock_rollout -- [REPEATS]`

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "small sizes, and data that are rounded to single precision once"
)]

#[path = "support/unit.rs"]
mod unit;

use std::error::Error;

use cpu_time::ProcessTime;
use hindsight_gpu::Scalar;
use hindsight_gpu::numbers::{Dual, Lanes, Tangent, vectorize};
use unit::unit;

const PATHS: usize = 8192;
const PERIODS: usize = 64;
const LEAD: usize = 5;
const LEVEL: f64 = 35.0;
/// What a lost sale costs; a unit held over a period costs 1.
const PENALTY: f64 = 9.0;
/// Paths side by side: two registers of eight.
const WIDE: usize = 16;

#[derive(Debug, Clone, Copy)]
struct State<S> {
    stock: S,
    /// Outstanding orders, the oldest first.
    pipeline: [S; LEAD],
}

/// One period under a base-stock policy; returns its cost.
#[inline(always)]
fn period<S: Scalar>(level: S, demand: S, state: &mut State<S>) -> S {
    let position = state.pipeline.iter().fold(state.stock, |sum, &q| sum + q);
    let order = (level - position).max(S::constant(0.0));
    let available = state.stock + state.pipeline[0];
    let sold = available.min(demand);
    state.stock = available - sold;
    state.pipeline.rotate_left(1);
    state.pipeline[LEAD - 1] = order;
    state.stock + S::constant(PENALTY) * (demand - sold)
}

/// The cost of one path, or of a bundle of paths, that starts with a full stock.
#[inline(always)]
fn roll_out<S: Scalar>(level: S, demand: impl Fn(usize) -> S) -> S {
    let mut state = State {
        stock: level,
        pipeline: [S::constant(0.0); LEAD],
    };
    (0..PERIODS).fold(S::constant(0.0), |cost, t| {
        cost + period(level, demand(t), &mut state)
    })
}

/// All paths on lanes, `demand[period][path]`.
fn on_lanes(level: f64, demand: &[f32], cost: &mut [f32]) {
    vectorize(|| {
        for (block, cost) in cost.chunks_exact_mut(WIDE).enumerate() {
            let rows = |t: usize| Lanes::<WIDE>::load(&demand[t * PATHS + block * WIDE..]);
            cost.copy_from_slice(&roll_out(Lanes::constant(level), rows).to_array());
        }
    });
}

/// All paths on lanes with the derivative of the cost with respect to the level.
fn with_slope(level: f64, demand: &[f32], cost: &mut [f32], slope: &mut [f32]) {
    vectorize(|| {
        let level = Tangent::new(Lanes::constant(level), Lanes::constant(1.0));
        let blocks = cost
            .chunks_exact_mut(WIDE)
            .zip(slope.chunks_exact_mut(WIDE));
        for (block, (cost, slope)) in blocks.enumerate() {
            let rows = |t: usize| {
                let row = Lanes::<WIDE>::load(&demand[t * PATHS + block * WIDE..]);
                Tangent::new(row, Lanes::constant(0.0))
            };
            let both = roll_out(level, rows);
            cost.copy_from_slice(&both.value.to_array());
            slope.copy_from_slice(&both.slope.to_array());
        }
    });
}

/// The least CPU seconds of a few runs.
fn least_seconds(repeats: usize, mut work: impl FnMut()) -> f64 {
    work();
    let one = |_| {
        let begun = ProcessTime::now();
        work();
        begun.elapsed().as_secs_f64()
    };
    (0..repeats).map(one).fold(f64::INFINITY, f64::min)
}

fn main() -> Result<(), Box<dyn Error>> {
    let repeats: usize = std::env::args().nth(1).map_or(Ok(200), |a| a.parse())?;
    let demand: Vec<f32> = (0..PERIODS * PATHS)
        .map(|i| (15.0 * unit(1, i).powi(2)) as f32)
        .collect();
    let mut cost = vec![0.0_f32; PATHS];
    let mut again = vec![0.0_f32; PATHS];
    let mut slope = vec![0.0_f32; PATHS];
    let forward = least_seconds(repeats, || on_lanes(LEVEL, &demand, &mut cost));
    let derivative = least_seconds(repeats, || {
        with_slope(LEVEL, &demand, &mut again, &mut slope)
    });
    // The reference: one path after another in double precision, with the derivative by another package's duals.
    let (mut worst, mut worst_slope) = (0.0_f64, 0.0_f64);
    let (mut mean, mut mean_slope) = (0.0, 0.0);
    for n in 0..PATHS {
        let demand = |t: usize| f64::from(demand[t * PATHS + n]);
        let exact = roll_out(LEVEL, demand);
        let dual = roll_out(Dual::variable(LEVEL), |t| Dual::constant(demand(t))).derivative();
        for found in [cost[n], again[n]] {
            worst = worst.max((f64::from(found) - exact).abs() / exact);
        }
        worst_slope = worst_slope.max((f64::from(slope[n]) - dual).abs());
        mean += exact / PATHS as f64;
        mean_slope += dual / PATHS as f64;
    }
    // Sums of 64 costs in single precision; the derivative is a sum of small whole numbers, exact but at a tie.
    if worst > 1e-5 || worst_slope > 1e-3 {
        return Err(format!("lanes differ from the reference: {worst:e}, {worst_slope:e}").into());
    }
    let rate = |seconds: f64| (PATHS * PERIODS) as f64 / seconds / 1e6;
    println!(
        "{{\"forward_million_per_cpu_s\": {:.0}, \"derivative_million_per_cpu_s\": {:.0}, \"mean_cost\": {mean}, \
         \"mean_slope\": {mean_slope}, \"worst_relative_error\": {worst:e}, \"worst_slope_error\": {worst_slope:e}}}",
        rate(forward),
        rate(derivative),
    );
    Ok(())
}
