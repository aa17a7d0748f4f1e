//! The bias of the three gradients of order post-processing against central differences over many common paths.
//!
//! A base-stock policy of three levels, its orders passed through a minimum and a batch, on 100,000 paths of uniform demand. The truth is the
//! central difference of the mean reward, which is smooth in the level because the position differs from path to path.
//!
//! `cargo run --release -p hindsight-arrivals --features studies --example order_gradients`
#![allow(clippy::cast_precision_loss, reason = "small numbers")]

use std::error::Error;

use hindsight_arrivals::exo_idp::market::OrderRule;
use hindsight_arrivals::exo_idp::panel::Columns;
use hindsight_arrivals::exo_idp::policy::{Observation, Policy, Signals};
use hindsight_arrivals::exo_idp::{Conventions, LeadTimes, Panel, Paths, Replay, Window};
use hindsight_arrivals::{Estimator, OrderGradient};

use hindsight_gpu::{DelayLine, Device, Executor, Scalar, Stream};
use rand::RngExt;

const PATHS: usize = 100_000;
const WEEKS: usize = 12;
const MEAN: f64 = 10.0;

/// Orders up to a level, a parameter for each third of the weeks.
#[derive(Debug)]
struct Levels(Vec<f64>, Signals);

impl Policy for Levels {
    fn name(&self) -> &'static str {
        "levels"
    }
    fn theta(&self) -> &[f64] {
        &self.0
    }
    fn signals(&self) -> Option<&Signals> {
        Some(&self.1)
    }
    fn order<S: Scalar>(
        &self,
        theta: &[S],
        seen: &Observation<'_, S>,
        _: &mut [DelayLine<S>],
    ) -> S {
        let level = theta
            .iter()
            .zip(seen.signals)
            .fold(S::constant(0.0), |sum, (&level, &own)| sum + level * own);
        (level - seen.inventory.position).relu()
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let stream = Stream::new(1, "demand");
    let demand = |path: usize| {
        let mut rng = stream.at(path as u64, 0);
        (0..WEEKS)
            .map(|_| 2.0 * MEAN * rng.random::<f64>())
            .collect::<Vec<f64>>()
    };
    let columns = Columns {
        demand: (0..PATHS).flat_map(demand).collect(),
        price: vec![10.0; PATHS * WEEKS],
        cost: vec![6.0; PATHS * WEEKS],
        present: vec![true; PATHS * WEEKS],
        covariates: vec![],
    };
    let panel = Panel::new((0..PATHS).map(|p| format!("{p}")).collect(), WEEKS, columns)?;
    let paths = Paths::new(&panel, &LeadTimes::fixed(1), 1)?;
    let window = Window {
        scored: 1..WEEKS,
        warm_up: 0,
    };
    let conventions = Conventions {
        holding: 0.3,
        ..Conventions::default()
    };
    let replay = Replay::new(&paths, conventions, window, &vec![MEAN; PATHS])?;
    let phases = Signals::from_fn(WEEKS, 3, PATHS, |week, row, _| {
        f64::from(u8::from(week * 3 / WEEKS == row))
    });
    let device = Device::best();
    println!("| minimum and batch over mean demand | estimator | cosine | relative bias |");
    println!("|---|---|---|---|");
    for ratio in [0.0, 1.0, 4.0] {
        let rule = OrderRule {
            minimum: ratio * MEAN,
            batch: ratio * MEAN,
            ..OrderRule::default()
        };
        let market = |estimator| {
            OrderGradient::new(
                WEEKS,
                &vec![rule; PATHS],
                estimator,
                &vec![MEAN.max(0.5 * ratio * MEAN); PATHS],
            )
        };
        let theta = vec![28.0 + 5.0 * ratio, 30.0 + 5.0 * ratio, 26.0 + 5.0 * ratio];
        let policy = Levels(theta.clone(), phases.clone());
        let mut truth = Vec::new();
        let plain = market(Estimator::StraightThrough)?;
        let program = replay.record(&policy, &plain)?;
        let arrays = replay.arrays::<f64, _, _>(&policy, &plain)?;
        let batch = arrays.batch(&program)?;
        let step = 1.0;
        for k in 0..theta.len() {
            let at = |change: f64| -> Result<f64, Box<dyn Error>> {
                let mut theta = theta.clone();
                theta[k] += change;
                let run = device.forward(&program, &theta, &batch)?;
                Ok(run.objective.iter().sum::<f64>() / PATHS as f64)
            };
            truth.push((at(step)? - at(-step)?) / (2.0 * step));
        }
        for estimator in [
            Estimator::StraightThrough,
            Estimator::Smoothed,
            Estimator::Mixed,
        ] {
            let market = market(estimator)?;
            let program = replay.record(&policy, &market)?;
            let arrays = replay.arrays::<f64, _, _>(&policy, &market)?;
            let found = device
                .gradient(&program, &theta, &arrays.batch(&program)?)?
                .params;
            let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            let norm = |a: &[f64]| dot(a, a).sqrt();
            let gap: Vec<f64> = found.iter().zip(&truth).map(|(a, b)| a - b).collect();
            println!(
                "| {ratio} | {estimator:?} | {:.3} | {:.2} |",
                dot(&found, &truth) / (norm(&found) * norm(&truth)),
                norm(&gap) / norm(&truth)
            );
        }
    }
    Ok(())
}
