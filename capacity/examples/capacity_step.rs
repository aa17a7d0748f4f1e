//! A joint training step of buyer and coordinator: objectives of five steps and CPU seconds, for the comparison in `bench/`. Writes what another program
//! needs to repeat them: parameters, then the numbers of lanes, of lanes and weeks, of cohorts and weeks, in single precision.
//!
//! `cargo run --release -p hindsight-capacity --example capacity_step -- PRODUCTS COHORTS STEPS [FILE]`

#![expect(
    clippy::cast_possible_truncation,
    reason = "the engine's inputs are in single precision"
)]

use std::error::Error;
use std::io::Write;

use cpu_time::ProcessTime;
use hindsight_capacity::gpu::Device;
use hindsight_capacity::limits::Family;
use hindsight_capacity::{Buyer, Cases, Course, Draw, Loss, Model, Record, Training, World};
use hindsight_exo_idp::Paths;
use hindsight_exo_idp::policy::Policy as _;

const WEEKS: usize = 64;
/// Steps whose objectives are compared.
const COMPARED: usize = 5;

/// The largest memory that the process has held, in MiB; zero where the system does not say.
fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}

fn write(
    path: &str,
    cases: &Cases<f32>,
    buyer: &Buyer,
    coordinator: &[f64],
) -> std::io::Result<()> {
    let theta: Vec<f32> = buyer
        .theta()
        .iter()
        .chain(coordinator)
        .map(|&x| x as f32)
        .collect();
    let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
    for part in [&theta[..]].into_iter().chain(cases.rows()) {
        for number in part {
            file.write_all(&number.to_le_bytes())?;
        }
    }
    file.flush()
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let mut number = |default: usize| args.next().map_or(Ok(default), |a| a.parse());
    let (products, cohorts, steps) = (number(2000)?, number(1)?.max(1), number(5)?.max(1));
    let file = std::env::args().nth(4);
    let world = World::new(products, WEEKS + 9, 1)?;
    let paths = Paths::new(world.panel(), &world.lead_times()?, 1)?;
    let (resources, index) = (world.resources()?, world.index().to_vec());
    let record = Record::new(&paths, resources, index, vec![2.0; products])?;
    let course = Course {
        weeks: WEEKS,
        ..Course::default()
    };
    let device = Device::cpu(1);
    let model = Model::new(&record.shape(), 64, 3);
    let draw = Draw {
        products: 0..products,
        weeks: 0..WEEKS + 9,
        size: products / cohorts,
        cohorts,
        families: vec![Family::Haar],
        roomy: 0.0,
        notice: 13,
        seed: 1,
    };
    let cases = draw.cases(&record, &model.buyer, course, &device)?;
    if let Some(path) = file {
        write(&path, &cases, &model.buyer, model.coordinator.theta())?;
    }
    let before = peak();
    let run = |steps: usize| -> Result<(Vec<f64>, f64), Box<dyn Error>> {
        let training = Training {
            steps,
            batch: cohorts,
            ..Training::default()
        };
        let begun = ProcessTime::now();
        let objectives = model
            .clone()
            .fine_tune(&cases, &Loss::default(), &training, &device)?;
        Ok((objectives, begun.elapsed().as_secs_f64()))
    };
    let (objectives, _) = run(COMPARED)?;
    // The difference of a long course and a short one: what opening a session costs is in neither.
    let least = |steps: usize| -> Result<f64, Box<dyn Error>> {
        let runs = (0..3).map(|_| Ok(run(steps)?.1));
        let runs: Result<Vec<f64>, Box<dyn Error>> = runs.collect();
        Ok(runs?.into_iter().fold(f64::INFINITY, f64::min))
    };
    let step = (least(1 + steps)? - least(1)?) / f64::from(u32::try_from(steps)?);
    println!(
        "{{\"products\": {products}, \"cohorts\": {cohorts}, \"step_cpu_min\": {step:.4}, \"inputs_mib\": {before:.0}, \"peak_mib\": {:.0}, \"losses\": {objectives:?}}}",
        peak()
    );
    Ok(())
}
