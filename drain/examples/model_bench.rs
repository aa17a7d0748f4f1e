//! A training step, and one sample of every state by the model and by the referee: a name, CPU seconds and what they are for a line.
//!
//! `cargo run --release -p hindsight-drain --example model_bench -- [REPEATS] [step]`; with `step` the training step alone.

use cpu_time::ProcessTime;
use hindsight_drain::DrainError;
use hindsight_drain::gpu::{Device, Stream};
use hindsight_drain::model::{DrainModel, Horizon, Log, Training};
use hindsight_drain::orders::{Place, Referee, Rules};
use hindsight_drain::protocol::World;
use rand::RngExt;

const STATES: usize = 2000;
/// Steps of a short training, and how many more a long one has: their difference is what steps take, without what comes before the first.
const STEPS: (usize, usize) = (50, 500);

fn best<T>(repeats: usize, mut work: impl FnMut() -> T) -> f64 {
    let once = |_| {
        let clock = ProcessTime::now();
        std::hint::black_box(work());
        clock.elapsed().as_secs_f64()
    };
    (0..repeats).map(once).fold(f64::INFINITY, f64::min)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let repeats = std::env::args().nth(1).map_or(Ok(3), |a| a.parse())?;
    let step_alone = std::env::args().nth(2).is_some_and(|a| a == "step");
    let world = world()?;
    let log = world.log(STATES, 1)?;
    let device = Device::cpu(1);
    if !step_alone {
        let model = fit(&log, STEPS.0, &device)?;
        forecasts(repeats, &world, &log, &model, &device);
        roll_outs(repeats, &world, &model, &device);
    }
    let (short, more) = STEPS;
    let steps = |steps| best(repeats, || fit(&log, steps, &device));
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let step = (steps(short + more) - steps(short)) / more as f64;
    println!("training step of 128 states, 8 samples\t{step:.5}");
    Ok(())
}

/// Eight warehouses and sixteen zones on a map.
fn world() -> Result<World, DrainError> {
    let mut rng = Stream::new(4, "map").at(0, 0);
    let mut places = |count: usize| -> Vec<Place> {
        let place = |_| Place {
            east: rng.random_range(0.0..2400.0),
            north: rng.random_range(0.0..1400.0),
        };
        (0..count).map(place).collect()
    };
    let (warehouses, zones) = (places(8), places(16));
    let rules = Rules {
        look_ahead_days: 1.0,
        ..Rules::default()
    };
    let referee = Referee::on_map(&warehouses, &zones, 50, rules)?;
    let demand = zones.iter().map(|_| rng.random_range(8.0..45.0));
    World::new(referee, demand.collect())
}

fn fit(log: &Log, steps: usize, device: &Device) -> Result<DrainModel, DrainError> {
    let training = Training {
        steps,
        ..Training::default()
    };
    DrainModel::fit(log, &training, device)
}

fn forecasts(repeats: usize, world: &World, log: &Log, model: &DrainModel, device: &Device) {
    let orders = best(repeats, || {
        let weeks = log.states().iter().enumerate();
        weeks
            .map(|(k, state)| world.settle(state, k as u64))
            .collect::<Result<Vec<_>, _>>()
    });
    for samples in [8, 64] {
        let seconds = best(repeats, || {
            model.forecast(log.costs(), log.states(), samples, 1, device)
        });
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let each = seconds / samples as f64;
        println!(
            "model, {samples} samples of {STATES} states\t{seconds:.4}\treferee, one: {orders:.4}, {:.1} times the model's",
            orders / each
        );
    }
}

fn roll_outs(repeats: usize, world: &World, model: &DrainModel, device: &Device) {
    let placement = world.logging_placement(0, 1);
    let weeks = 100;
    let demand: Vec<Vec<f64>> = (0..weeks).map(|week| world.demand(1, week)).collect();
    let horizon = Horizon {
        costs: world.costs(),
        demand: &demand,
        lost_penalty: 25.0,
        paths: 64,
        seed: 1,
    };
    let ours = best(repeats, || model.roll_out(&placement, &horizon, device));
    let theirs = best(repeats, || world.roll_out(&placement, weeks, 1)) * 64.0;
    println!(
        "roll-outs, 64 paths of {weeks} weeks\t{ours:.4}\treferee: {theirs:.4}, {:.1} times the model's",
        theirs / ours
    );
}
