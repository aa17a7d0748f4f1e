//! The whole protocol: log what an order-by-order referee does under three ways to place stock, fit the model, optimise a placement inside it, let the referee judge,
//! refit on what it says, and judge again. Prints the figures of the README.
//!
//! `cargo run --release -p hindsight-drain --example drain_protocol -- [STATES] [STEPS]`

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "units of a week, drawn and rounded"
)]

use cpu_time::ProcessTime;
use hindsight_drain::DrainError;
use hindsight_drain::gpu::{Device, Stream};
use hindsight_drain::model::*;
use hindsight_drain::orders::{Place, Referee, Rules};
use rand::RngExt;
use rand_distr::{Gamma, LogNormal, Poisson};

const WAREHOUSES: usize = 8;
const ZONES: usize = 16;
const LOST: f64 = 25.0;

struct World {
    referee: Referee,
    costs: UnitCosts,
    mean: Vec<f64>,
    /// The warehouse nearest to each zone.
    local: Vec<f64>,
}

impl World {
    fn new() -> Result<Self, DrainError> {
        let mut rng = Stream::new(4, "map").at(0, 0);
        let mut place = || Place {
            east: rng.random_range(0.0..2400.0),
            north: rng.random_range(0.0..1400.0),
        };
        let warehouses: Vec<Place> = (0..WAREHOUSES).map(|_| place()).collect();
        let zones: Vec<Place> = (0..ZONES).map(|_| place()).collect();
        let rules = Rules {
            split_penalty: 1.0,
            look_ahead_days: 1.0,
            ..Rules::default()
        };
        let referee = Referee::on_map(&warehouses, &zones, 40, rules)?;
        let costs = referee.unit_costs()?;
        let mean: Vec<f64> = (0..ZONES)
            .map(|_| rng.sample(Gamma::new(3.0, 8.0).expect("valid")))
            .collect();
        let mut local = [0.0; WAREHOUSES];
        for (z, units) in mean.iter().enumerate() {
            local[referee.network().local_warehouse(z)] += units;
        }
        let spread = mean.iter().sum::<f64>() / WAREHOUSES as f64;
        let local = local.iter().map(|units| units + 0.1 * spread).collect();
        Ok(Self {
            referee,
            costs,
            mean,
            local,
        })
    }

    /// Demand of a week: a shock that all zones share, one of their own, and chance.
    fn demand(&self, seed: u64, week: u32) -> Vec<f64> {
        let mut rng = Stream::new(seed, "demand").at(0, week);
        let shock: f64 = rng.sample(LogNormal::new(-0.02, 0.2).expect("valid"));
        let zone = |mean: &f64| {
            let own: f64 = rng.sample(LogNormal::new(-0.045, 0.3).expect("valid"));
            rng.sample(Poisson::new(mean * shock * own).expect("positive"))
        };
        self.mean.iter().map(zone).collect()
    }

    fn settle(&self, stock: &[f64], demand: &[f64], seed: u64) -> Result<Drain, DrainError> {
        let whole = |list: &[f64]| list.iter().map(|v| *v as u32).collect::<Vec<_>>();
        self.referee.settle(&whole(stock), &whole(demand), seed)
    }

    /// The referee's weeks under a placement: states and what was seen, stock carried forward.
    fn roll_out(&self, placement: &Placement, weeks: u32, seed: u64) -> Result<Log, DrainError> {
        let mut log = Log::new(self.costs.clone());
        let levels: Vec<f64> = placement.levels.iter().map(|v| v.round()).collect();
        let mut left = vec![0.0; WAREHOUSES];
        for week in 0..weeks {
            let stock: Vec<f64> = levels
                .iter()
                .zip(&left)
                .map(|(l, s)| f64::max(*l, *s))
                .collect();
            let demand = self.demand(seed, week);
            let drain = self.settle(&stock, &demand, seed + u64::from(week))?;
            left = stock.iter().zip(&drain.units).map(|(s, y)| s - y).collect();
            log.push(State { stock, demand }, drain)?;
        }
        Ok(log)
    }

    fn budget(&self, cover: f64) -> f64 {
        cover * self.mean.iter().sum::<f64>()
    }

    /// A1 to A3: where demand is, evenly, and either with a random hand.
    fn policy(&self, kind: u64, seed: u64) -> Placement {
        let mut rng = Stream::new(seed, "policy").at(kind, 0);
        let cover = rng.random_range(0.7..1.7);
        let mut weights = match kind % 3 {
            0 => self.local.clone(),
            1 => vec![1.0; WAREHOUSES],
            _ => self.local.iter().map(|v| v.sqrt()).collect(),
        };
        let spread = [0.2, 0.4, 0.6][(kind % 3) as usize];
        for weight in &mut weights {
            *weight *= rng.sample::<f64, _>(LogNormal::new(0.0, spread).expect("valid"));
        }
        Placement::shares(self.budget(cover), &weights)
    }

    fn log(&self, states: usize, seed: u64) -> Result<Log, DrainError> {
        let mut log = Log::new(self.costs.clone());
        for k in 0..states.div_ceil(5) as u64 {
            log.extend(&self.roll_out(&self.policy(k, seed + k), 5, seed + 1000 * k)?)?;
        }
        Ok(log)
    }

    fn cost(&self, log: &Log) -> f64 {
        let pairs = log.states().iter().zip(log.drains());
        let weeks = pairs.map(|(s, d)| Placement::period_cost(d, s.demand.iter().sum(), LOST));
        weeks.sum::<f64>() / log.states().len() as f64
    }
}

fn evaluate(
    name: &str,
    model: &DrainModel,
    log: &Log,
    device: &Device,
) -> Result<Evaluation, DrainError> {
    let forecasts = model.forecast(log.costs(), log.states(), 64, 9, device)?;
    let e = Evaluation::of(log, &forecasts)?;
    println!(
        "{name}: WAPE {:.4} (proportional {:.4}, greedy {:.4}, LP {:.4}); cost WAPE {:.4} bias {:+.4}; energy {:.5}; joint skill {:.4} ± {:.4}, variogram {:.4} ± {:.4}; coverage {:.3} {:.3} {:.3}; correlation gap {:.3}, of surprises {:.3}",
        e.wape,
        e.baseline_wape[0],
        e.baseline_wape[1],
        e.baseline_wape[2],
        e.cost_wape,
        e.cost_bias,
        e.energy,
        e.joint_skill.skill,
        1.96 * e.joint_skill.standard_error,
        e.joint_variogram_skill.skill,
        1.96 * e.joint_variogram_skill.standard_error,
        e.coverage[0].share,
        e.coverage[1].share,
        e.coverage[2].share,
        e.correlation_gap,
        e.surprise_correlation_gap,
    );
    Ok(e)
}

/// Errors by how far a state's stock lies from the nearest one that the model was trained on, in shares of demand.
fn by_distance(
    model: &DrainModel,
    train: &Log,
    log: &Log,
    device: &Device,
) -> Result<(), DrainError> {
    let shares = |s: &State| -> Vec<f64> {
        let size: f64 = s.demand.iter().sum();
        s.stock.iter().map(|v| v / size).collect()
    };
    let known: Vec<Vec<f64>> = train.states().iter().map(shares).collect();
    let distance = |s: &State| {
        let own = shares(s);
        let gap = |other: &Vec<f64>| {
            own.iter()
                .zip(other)
                .map(|(a, b)| (a - b).abs())
                .sum::<f64>()
        };
        known.iter().map(gap).fold(f64::INFINITY, f64::min)
    };
    let far: Vec<f64> = log.states().iter().map(distance).collect();
    let forecasts = model.forecast(log.costs(), log.states(), 32, 9, device)?;
    for (low, high) in [
        (0.0, 0.25),
        (0.25, 0.5),
        (0.5, 0.75),
        (0.75, 1.0),
        (1.0, 9.0),
    ] {
        let chosen: Vec<usize> = (0..far.len())
            .filter(|&k| far[k] >= low && far[k] < high)
            .collect();
        if chosen.is_empty() {
            continue;
        }
        let means: Vec<Drain> = chosen.iter().map(|&k| forecasts[k].mean()).collect();
        let truth: Vec<Drain> = chosen.iter().map(|&k| log.drains()[k].clone()).collect();
        let (said, paid): (f64, f64) = (
            means.iter().map(Drain::total_cost).sum(),
            truth.iter().map(Drain::total_cost).sum(),
        );
        println!(
            "  distance {low:.2} to {high:.2}: {:4} states, WAPE {:.4}, cost bias {:+.4}",
            chosen.len(),
            wape(&means, &truth)?,
            said / paid - 1.0
        );
    }
    Ok(())
}

fn ranks(list: &[f64]) -> Vec<f64> {
    let below = |v: &f64| list.iter().filter(|u| *u < v).count() as f64;
    list.iter().map(below).collect()
}

fn spearman(a: &[f64], b: &[f64]) -> f64 {
    let (a, b) = (ranks(a), ranks(b));
    let centre = (a.len() as f64 - 1.0) / 2.0;
    let product = |x: &[f64], y: &[f64]| {
        x.iter()
            .zip(y)
            .map(|(x, y)| (x - centre) * (y - centre))
            .sum::<f64>()
    };
    product(&a, &b) / (product(&a, &a) * product(&b, &b)).sqrt()
}

const WEEKS: u32 = 26;

/// Placements by the model's costs and by the referee's, on the same demand.
struct Judged {
    model: Vec<f64>,
    referee: Vec<f64>,
    /// Shares of absolute errors of the week's mean drain, week by week.
    wape: Vec<f64>,
}

fn judge(
    world: &World,
    model: &DrainModel,
    placements: &[Placement],
    device: &Device,
) -> Result<Judged, DrainError> {
    const SEED: u64 = 900_000;
    let demand: Vec<Vec<f64>> = (0..WEEKS).map(|week| world.demand(SEED, week)).collect();
    let horizon = Horizon {
        costs: &world.costs,
        demand: &demand,
        lost_penalty: LOST,
        paths: 32,
        seed: 3,
    };
    let mut judged = Judged {
        model: vec![],
        referee: vec![],
        wape: vec![],
    };
    let mut errors = vec![(0.0, 0.0); WEEKS as usize];
    for placement in placements {
        let log = world.roll_out(placement, WEEKS, SEED)?;
        let paths = model.roll_out(placement, &horizon, device)?;
        let mut cost = 0.0;
        for week in 0..WEEKS as usize {
            let size: f64 = demand[week].iter().sum();
            let samples: Vec<Drain> = paths.iter().map(|path| path[week].clone()).collect();
            cost += samples
                .iter()
                .map(|d| Placement::period_cost(d, size, LOST))
                .sum::<f64>()
                / samples.len() as f64;
            let mean = Forecast { samples }.mean();
            let gaps = mean
                .units
                .iter()
                .zip(&log.drains()[week].units)
                .map(|(a, b)| (a - b).abs());
            errors[week].0 += gaps.sum::<f64>();
            errors[week].1 += log.drains()[week].total_units();
        }
        judged.model.push(cost / f64::from(WEEKS));
        judged.referee.push(world.cost(&log));
    }
    judged.wape = errors.iter().map(|(error, all)| error / all).collect();
    Ok(judged)
}

/// Placements of one budget, far apart: from where demand is to its opposite.
fn placements(world: &World, budget: f64, count: u64) -> Vec<Placement> {
    let one = |k: u64| {
        let mut rng = Stream::new(77, "placements").at(k, 0);
        let power = -0.5 + 1.5 * k as f64 / (count - 1) as f64;
        let weight = |v: &f64| {
            v.powf(power) * rng.sample::<f64, _>(LogNormal::new(0.0, 0.5).expect("valid"))
        };
        Placement::shares(budget, &world.local.iter().map(weight).collect::<Vec<_>>())
    };
    (0..count).map(one).collect()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let mut number = |default: usize| args.next().map_or(Ok(default), |a| a.parse());
    let (states, steps) = (number(3000)?, number(1500)?);
    let device = Device::cpu(1);
    let world = World::new()?;
    let clock = ProcessTime::now();
    let mut train = world.log(states, 1)?;
    println!(
        "referee: {:.3} ms a state",
        1e3 * clock.elapsed().as_secs_f64() / states as f64
    );
    let test = world.log(600, 500_000)?;
    let clock = ProcessTime::now();
    let training = Training {
        steps,
        ..Training::default()
    };
    let mut model = DrainModel::fit(&train, &training, &device)?;
    println!(
        "fit: {:.1} CPU s, {} parameters",
        clock.elapsed().as_secs_f64(),
        model.params()
    );
    evaluate("in distribution", &model, &test, &device)?;
    by_distance(&model, &train, &test, &device)?;

    let budget = world.budget(1.25);
    let planning: Vec<Vec<f64>> = (0..WEEKS).map(|week| world.demand(31, week)).collect();
    let horizon = Horizon {
        costs: &world.costs,
        demand: &planning,
        lost_penalty: LOST,
        paths: 8,
        seed: 5,
    };
    let even = Placement::shares(budget, &world.local);
    let many = placements(&world, budget, 24);
    for round in 0..3 {
        let found = model.place(
            &even,
            &horizon,
            &Search {
                steps: 200,
                rate: 0.05,
            },
            &device,
        )?;
        let judged = judge(&world, &model, &[even.clone(), found.clone()], &device)?;
        println!(
            "round {round}: proportional costs {:.1} by the model, {:.1} by the referee; optimised {:.1} and {:.1}; optimism gap {:+.4}",
            judged.model[0],
            judged.referee[0],
            judged.model[1],
            judged.referee[1],
            judged.referee[1] / judged.model[1] - 1.0
        );
        let ranked = judge(&world, &model, &many, &device)?;
        let half = WEEKS as usize / 2;
        let part = |list: &[f64]| list.iter().sum::<f64>() / list.len() as f64;
        println!(
            "  Spearman over {} placements {:.3}; roll-outs of {WEEKS} weeks: WAPE {:.4} in week 1, {:.4} in the first half, {:.4} in the second",
            many.len(),
            spearman(&ranked.model, &ranked.referee),
            ranked.wape[0],
            part(&ranked.wape[..half]),
            part(&ranked.wape[half..])
        );
        let mut visited = Log::new(world.costs.clone());
        for (k, placement) in many.iter().enumerate().filter(|(k, _)| k % 2 == 0) {
            visited.extend(&world.roll_out(
                placement,
                WEEKS,
                700_000 + 100 * round + k as u64,
            )?)?;
        }
        let tempted = world.roll_out(&found, 4 * WEEKS, 800_000 + 1000 * round)?;
        evaluate(
            "  states of the optimised placement",
            &model,
            &tempted,
            &device,
        )?;
        evaluate("  states of the others", &model, &visited, &device)?;
        by_distance(&model, &train, &visited, &device)?;
        train.extend(&tempted)?;
        train.extend(&visited)?;
        model = model.refit(
            &train,
            &Training {
                rate: 2e-3,
                ..training
            },
            &device,
        )?;
    }
    evaluate("in distribution, after refits", &model, &test, &device)?;
    Ok(())
}
