//! A coordinator trained at 1,000 products used at 10,000, and what a joint training step costs as products grow.
//!
//! `cargo run --release -p hindsight-capacity --features studies --example capacity_scale -- [STEPS]`: with no steps the costs alone.

#![expect(clippy::cast_precision_loss, reason = "small counts")]

use std::error::Error;

use cpu_time::ProcessTime;
use hindsight_capacity::gpu::Device;
use hindsight_capacity::limits::{Family, Limits};
use hindsight_capacity::{Cases, Cohort, Course, Draw, Loss, Model, Record, Training, World};
use hindsight_exo_idp::Paths;

fn with_record<T>(
    products: usize,
    weeks: usize,
    run: impl FnOnce(&Record<'_>) -> Result<T, Box<dyn Error>>,
) -> Result<T, Box<dyn Error>> {
    let world = World::new(products, weeks, 1)?;
    let paths = Paths::new(world.panel(), &world.lead_times()?, 1)?;
    let (resources, index) = (world.resources()?, world.index().to_vec());
    run(&Record::new(&paths, resources, index, vec![2.0; products])?)
}

fn transfer(steps: usize, device: &Device) -> Result<Model, Box<dyn Error>> {
    with_record(10_000, 130, |record| {
        let course = Course {
            weeks: 40,
            ..Course::default()
        };
        let draw = |size, cohorts, seed| Draw {
            products: 0..10_000,
            weeks: 0..85,
            size,
            cohorts,
            families: vec![Family::Haar],
            roomy: 0.25,
            notice: 13,
            seed,
        };
        let mut model = Model::new(&record.shape(), 32, 3);
        let training = Training {
            steps: 1500,
            ..Training::default()
        };
        let pool = Cases::new(record, &draw(8, 256, 1).cohorts(course)?, course)?;
        model.train_buyer(&pool, &training, device)?;
        let lesson = draw(1000, 24, 2).cases(record, &model.buyer, course, device)?;
        let training = Training {
            steps,
            batch: 4,
            ..training
        };
        let loss = Loss {
            reward: 2.0,
            ..Loss::default()
        };
        model.train_coordinator(&lesson, &loss, &training, device)?;
        // The same paths of limits, a product's share of them alike.
        let small = Draw {
            weeks: 85..130,
            families: Family::HELD_OUT.to_vec(),
            roomy: 0.0,
            ..draw(1000, 8, 5)
        };
        let small = small.cases(record, &model.buyer, course, device)?;
        let free = small.play(&model.buyer, None, device)?;
        let everyone: Vec<Cohort> = small
            .cohorts()
            .iter()
            .map(|c| Cohort {
                products: (0..10_000).collect(),
                start: c.start,
            })
            .collect();
        let large = Cases::new(record, &everyone, course)?;
        let free_large = large.play(&model.buyer, None, device)?;
        let limits: Vec<Limits> = (small
            .limits()
            .iter()
            .zip(&free.usage)
            .zip(&free_large.usage))
        .map(|((limits, used), used_large)| {
            let total = |used: &[Vec<f64>]| used[0].iter().sum::<f64>();
            limits.scaled(total(used_large) / total(used))
        })
        .collect();
        let large = large.with_limits(&limits)?;
        for (name, cases, free) in [("1,000", &small, &free), ("10,000", &large, &free_large)] {
            let roll = cases.coordinate(&model, device)?;
            let scores = cases.scores(&roll);
            let violation = scores.iter().map(|s| s.violation).sum::<f64>() / scores.len() as f64;
            let reward = roll.reward.iter().sum::<f64>() / free.reward.iter().sum::<f64>();
            println!(
                "{name} products: reward {:.2} % of no control, violation {:.2} %",
                100.0 * reward,
                100.0 * violation
            );
        }
        Ok(model)
    })
}

/// The largest memory that the process has held, in MiB; zero where the system does not say.
fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}

/// CPU seconds of a joint step, and the most memory that was held up to this size: inputs, then with the step.
fn costs() -> Result<(), Box<dyn Error>> {
    println!(
        "| products | weeks | CPU seconds a joint step | µs a product and week | MiB before the step | MiB with it |"
    );
    println!("|---|---|---|---|---|---|");
    let device = Device::cpu(1);
    for (products, weeks) in [
        (1000, 32),
        (1000, 64),
        (2000, 64),
        (10_000, 64),
        (30_000, 64),
        (100_000, 64),
    ] {
        with_record(products, weeks + 9, |record| {
            let course = Course {
                weeks,
                ..Course::default()
            };
            let mut model = Model::new(&record.shape(), 64, 3);
            let cohort = Cohort {
                products: (0..products).collect(),
                start: 8,
            };
            let cases = Cases::new(record, &[cohort], course)?;
            let limit = Limits::new(vec![vec![50.0 * products as f64; weeks]; 2], 13)?;
            let cases = cases.with_limits(&[limit])?;
            let before = peak();
            // The difference of two courses: what opening a session costs is in neither.
            let mut spent = [0.0; 2];
            for (spent, steps) in spent.iter_mut().zip([1, 4]) {
                let training = Training {
                    steps,
                    batch: 1,
                    ..Training::default()
                };
                let begun = ProcessTime::now();
                model.fine_tune(&cases, &Loss::default(), &training, &device)?;
                *spent = begun.elapsed().as_secs_f64();
            }
            let step = (spent[1] - spent[0]) / 3.0;
            println!(
                "| {products} | {weeks} | {step:.3} | {:.2} | {before:.0} | {:.0} |",
                1e6 * step / (products * weeks) as f64,
                peak()
            );
            Ok(())
        })?;
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let steps = std::env::args().nth(1).map_or(Ok(300), |a| a.parse())?;
    if steps > 0 {
        transfer(steps, &Device::best())?;
    }
    costs()
}
