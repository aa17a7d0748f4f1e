//! The back-test over held-out families of limits: the frontier of reward against violation of every method, on the same paths, paired.
//!
//! `cargo run --release -p hindsight-capacity --features studies --example capacity_protocol -- [PATHS] [SIZE]`

use std::error::Error;
use std::time::Instant;

use hindsight_capacity::backtest::{Method, Trial};
use hindsight_capacity::control::{Ascent, Forecaster, Gate, Posted, Predictive, StepRule};
use hindsight_capacity::gpu::Device;
use hindsight_capacity::limits::Family;
use hindsight_capacity::{
    Buyer, Cases, Course, Draw, HORIZON, Loss, Model, Record, Roll, Training, World,
};
use hindsight_exo_idp::Paths;

/// What cohorts are drawn from for training: the first products and weeks, under limits of the sampler.
fn training_draw(size: usize, cohorts: usize, seed: u64) -> Draw {
    Draw {
        products: 0..400,
        weeks: 0..150,
        size,
        cohorts,
        families: vec![Family::Haar],
        roomy: 0.25,
        notice: 13,
        seed,
    }
}

/// Coordinators from close adherence to more reward: one a weight of the reward, all with the same trained buyer.
fn models(
    record: &Record<'_>,
    size: usize,
    weights: &[f64],
    device: &Device,
) -> Result<Vec<Model>, Box<dyn Error>> {
    let (course, begun) = (Course::default(), Instant::now());
    let mut model = Model::new(&record.shape(), 48, 3);
    let training = Training {
        steps: 3000,
        batch: 64,
        ..Training::default()
    };
    // Many paths of prices matter more than many products on each.
    let pool = Cases::new(record, &training_draw(2, 1024, 1).cohorts(course)?, course)?;
    model.train_buyer(&pool, &training, device)?;
    println!("buyer: {:.0} s", begun.elapsed().as_secs_f64());
    let lesson = training_draw(size, 2048, 2).cases(record, &model.buyer, course, device)?;
    let training = Training {
        batch: 8,
        steps: 4800,
        ..Training::default()
    };
    let mut models = Vec::new();
    for &reward in weights {
        let mut model = model.clone();
        let loss = Loss {
            reward,
            ..Loss::default()
        };
        model.train_coordinator(&lesson, &loss, &training, device)?;
        models.push(model);
    }
    println!("coordinators too: {:.0} s", begun.elapsed().as_secs_f64());
    Ok(models)
}

/// Four scenarios of 14 weeks and eight evaluations a week. Tuned on limits and weeks of training.
fn planned(margin: f64) -> Predictive<'static> {
    Predictive {
        scenarios: 4,
        ascent: Ascent {
            steps: 8,
            steps_by: StepRule::Averaged { smoothing: 0.3 },
            ..Ascent::default()
        },
        margin,
        lead_times: &[0.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0],
        seed: 3,
    }
}

/// All methods, each with its knob.
fn methods<'a>(
    world: &'a World,
    models: &'a [Model],
    weights: &[f64],
) -> Vec<(String, Method<'a>)> {
    let mut all = vec![("no control".to_owned(), Method::NoControl)];
    for share in [0.01, 0.02, 0.05, 0.1] {
        all.push((format!("constant price {share}"), Method::Constant(share)));
    }
    for gain in [0.02, 0.1] {
        all.push((format!("feedback, gain {gain}"), Method::Feedback(gain)));
    }
    for gate in [Gate::ProRata, Gate::Greedy] {
        all.push((format!("gate, {gate:?}"), Method::Gate(gate)));
    }
    for (model, weight) in models.iter().zip(weights) {
        let name = format!("coordinator, reward weight {weight}");
        all.push((name, Method::Coordinator(model)));
    }
    let (best, gate) = (&models[models.len() / 2], Gate::ProRata);
    let name = format!("coordinator, {}, and gate", weights[models.len() / 2]);
    all.push((name, Method::CoordinatorAtGate(best, gate)));
    let ascent = Ascent {
        steps: 200,
        ..Ascent::default()
    };
    let name = "hindsight dual".to_owned();
    all.push((name, Method::Hindsight(ascent, 0.0)));
    for (law, margin, forecaster) in [
        ("fitted", 0.0, Forecaster::Fitted(150)),
        ("true law", 0.0, Forecaster::True(world)),
        ("fitted", 0.1, Forecaster::Fitted(150)),
    ] {
        let name = format!("MPC, {law}, margin {margin}");
        all.push((name, Method::Predictive(planned(margin), forecaster)));
    }
    all
}

/// A row of the table; the first trial is no control.
fn print(trial: &Trial, free: &Trial, seconds: f64) {
    let percent = |of: &dyn Fn(&hindsight_capacity::backtest::Score) -> f64| 100.0 * trial.mean(of);
    println!(
        "| {} | {:.2} | {:.2} | {:.1} | {:.1}, {:.1}, {:.1} | {:.2}, {:.2} | {seconds:.0} |",
        trial.name,
        100.0 * trial.reward_of(free),
        percent(&|s| s.violation),
        percent(&|s| s.violation_p95),
        percent(&|s| s.violated[0]),
        percent(&|s| s.violated[1]),
        percent(&|s| s.violated[2]),
        trial.mean(|s| s.forecast_error[0]),
        trial.mean(|s| s.forecast_error[3]),
    );
    if !trial.settled.is_empty() {
        let n = f64::from(u32::try_from(trial.settled.len()).unwrap_or(u32::MAX));
        let mean = |of: &dyn Fn(&hindsight_capacity::control::Settled) -> f64| {
            trial.settled.iter().map(of).sum::<f64>() / n
        };
        println!(
            "| (dual ascent: violation {:.4}, slack {:.4} of the price) |",
            mean(&|s| s.violation),
            mean(&|s| s.slack),
        );
    }
}

/// Coordinators against every planned method that earns no more than they do: paired differences and their intervals.
fn compare(trials: &[Trial]) {
    let free = &trials[0];
    let named = |start: &'static str| trials.iter().filter(move |t| t.name.starts_with(start));
    for planned in named("MPC").chain(named("hindsight")).chain(named("gate")) {
        for own in named("coordinator") {
            let violation = own.violation_against(planned, 1);
            let reward = own.reward_against(planned, free, 1);
            let [low, high] = violation.interval.map(|x| 100.0 * x);
            let [worse, better] = reward.interval.map(|x| 100.0 * x);
            println!(
                "{} less {}: violation {:.2} [{low:.2}, {high:.2}], reward {:.2} [{worse:.2}, {better:.2}] points",
                own.name,
                planned.name,
                100.0 * violation.mean,
                100.0 * reward.mean,
            );
        }
    }
}

/// What the dual leaves open: the Lagrangian at its prices against what the same prices earn behind a gate, where no limit is broken.
fn bracket(
    cases: &Cases<f32>,
    buyer: &Buyer,
    trial: &Trial,
    free: &Trial,
    device: &Device,
) -> Result<(), Box<dyn Error>> {
    let all = free.roll.reward.iter().sum::<f64>();
    let above = cases.lagrangian(&trial.roll)?.iter().sum::<f64>() / all;
    let gated = cases.directed(
        buyer,
        &mut Posted(&trial.roll.prices),
        Some(Gate::ProRata),
        device,
    )?;
    println!(
        "{}: Lagrangian {:.2} %, the same prices behind a gate {:.2} % of no control",
        trial.name,
        100.0 * above,
        100.0 * gated.reward.iter().sum::<f64>() / all,
    );
    Ok(())
}

/// Where the hindsight dual ends after more and more evaluations, on the first draws.
fn convergence(cases: &Cases<f32>, buyer: &Buyer, device: &Device) -> Result<(), Box<dyn Error>> {
    let free: f64 = cases.play(buyer, None, device)?.reward.iter().sum();
    println!(
        "| evaluations | reward, % of no control | mean excess, % | Lagrangian, % of no control | slack, % of what was paid |"
    );
    println!("|---|---|---|---|---|");
    for steps in [25, 50, 100, 200, 400] {
        let ascent = Ascent {
            steps,
            ..Ascent::default()
        };
        let (roll, settled) = cases.hindsight(buyer, &ascent, 0.0, device)?;
        let n = f64::from(u32::try_from(settled.len())?);
        let slack: f64 = settled.iter().map(|s| s.slack).sum();
        let excess: f64 = cases.scores(&roll).iter().map(|s| s.violation).sum();
        println!(
            "| {steps} | {:.2} | {:.3} | {:.2} | {:.2} |",
            100.0 * roll.reward.iter().sum::<f64>() / free,
            100.0 * excess / n,
            100.0 * cases.lagrangian(&roll)?.iter().sum::<f64>() / free,
            100.0 * slack / n,
        );
    }
    Ok(())
}

/// N2: four times the room. What a coordinator asks there, in shares of what a unit of volume costs, and what it loses.
fn roomy(cases: &Cases<f32>, models: &[Model], device: &Device) -> Result<(), Box<dyn Error>> {
    let limits: Vec<_> = cases.limits().iter().map(|l| l.scaled(4.0)).collect();
    let cases = cases.clone().with_limits(&limits)?;
    let units = cases.unit_prices();
    for model in models {
        let free = cases.play(&model.buyer, None, device)?;
        let roll = cases.coordinate(model, device)?;
        let (mut sum, mut most, mut n) = (0.0, 0.0_f64, 0.0);
        for (weeks, units) in roll.prices.iter().zip(&units) {
            for week in weeks {
                for (own, unit) in week.chunks_exact(HORIZON + 1).zip(units) {
                    let share = own[0] / unit;
                    (sum, most, n) = (sum + share, most.max(share), n + 1.0);
                }
            }
        }
        let total = |roll: &Roll| roll.reward.iter().sum::<f64>();
        println!(
            "four times the room: price {:.5} of the unit price, at most {most:.5}; reward lost {:.3} %",
            sum / n,
            100.0 * (1.0 - total(&roll) / total(&free)),
        );
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let mut number = |default: usize| args.next().map_or(Ok(default), |a| a.parse());
    let (paths_tried, size) = (number(300)?, number(30)?);
    let (device, products) = (Device::best(), 600);
    let world = World::new(products, 220, 1)?;
    let paths = Paths::new(world.panel(), &world.lead_times()?, 1)?;
    let (resources, index) = (world.resources()?, world.index().to_vec());
    let record = Record::new(&paths, resources, index, vec![2.0; products])?;
    let weights = [2.5, 3.0, 5.0];
    let models = models(&record, size, &weights, &device)?;
    let buyer = &models[0].buyer;
    let test = Draw {
        products: 400..600,
        weeks: 150..220,
        families: Family::HELD_OUT.to_vec(),
        roomy: 0.0,
        ..training_draw(size, paths_tried, 6)
    };
    let cases = test.cases(&record, buyer, Course::default(), &device)?;
    println!(
        "| method | reward, % of no control | mean excess, % of the limit | its P95 | weeks above 0, 5, 10 % | forecast error at 1, 13 weeks | s |"
    );
    println!("|---|---|---|---|---|---|---|");
    let mut trials: Vec<Trial> = Vec::new();
    for method in methods(&world, &models, &weights) {
        let begun = Instant::now();
        trials.push(cases.tried(&record, buyer, &method, &device)?);
        let last = &trials[trials.len() - 1];
        print(last, &trials[0], begun.elapsed().as_secs_f64());
    }
    compare(&trials);
    for trial in trials.iter().filter(|t| t.name.starts_with("hindsight")) {
        bracket(&cases, buyer, trial, &trials[0], &device)?;
    }
    roomy(&cases, &models, &device)?;
    let first = Draw {
        cohorts: paths_tried.min(100),
        ..test
    };
    let first = first.cases(&record, buyer, Course::default(), &device)?;
    convergence(&first, buyer, &device)
}
