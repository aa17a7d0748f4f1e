//! Q5: the generator beside the truth, the baselines and planted faults, on worlds whose likelihood is known.
//!
//! `cargo run --release -p hindsight-arrivals --features studies --example truth -- [ORDERS] [EPOCHS] [WORLDS] [HELD_OUT] [SAMPLES] [DRAWS]`
//!
//! With two DRAWS or more the truth and the generator are judged on so many further draws of held-out orders, for what one draw leaves uncertain.

#![allow(clippy::cast_precision_loss, reason = "numbers of orders")]

use std::error::Error;

use hindsight_arrivals::evaluate::Evaluation;
use hindsight_arrivals::model::{GenQot, Training};
use hindsight_arrivals::world::VendorWorld;
use hindsight_arrivals::{
    ArrivalModel, ArrivalsError, DirichletMultinomial, Empirical, Grid, LeadTimeOnly, Log, Path,
    QuantileForecaster, Request, Samples,
};
use hindsight_gpu::Device;

/// A planted fault: what it makes of a path drawn at a place.
#[derive(Debug)]
struct Fault<'a> {
    name: &'static str,
    inner: &'a dyn ArrivalModel,
    spoil: fn(usize, &mut Path),
}

impl ArrivalModel for Fault<'_> {
    fn name(&self) -> &str {
        self.name
    }
    fn sample(&self, requests: &[Request], samples: Samples) -> Result<Vec<Path>, ArrivalsError> {
        let mut paths = self.inner.sample(requests, samples)?;
        for (at, path) in paths.iter_mut().enumerate() {
            (self.spoil)(at + samples.sample as usize, path);
        }
        Ok(paths)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let orders: usize = args.next().map_or(Ok(40_000), |a| a.parse())?;
    let epochs: usize = args.next().map_or(Ok(20), |a| a.parse())?;
    let worlds: u64 = args.next().map_or(Ok(1), |a| a.parse())?;
    let held_out: usize = args.next().map_or(Ok(4_000), |a| a.parse())?;
    let samples: u32 = args.next().map_or(Ok(200), |a| a.parse())?;
    let draws: u64 = args.next().map_or(Ok(0), |a| a.parse())?;
    let device = Device::best();
    let training = Training {
        epochs,
        ..Training::default()
    };
    for seed in 0..worlds {
        let world = VendorWorld::new(8, 100 + seed)?;
        let grid = Grid::weekly(world.longest())?;
        let log = world.log(orders, 208, 1)?;
        let drawn = |draw: u64| -> Result<Log, ArrivalsError> {
            let log = world.log(held_out, 208, 2 + draw)?;
            Ok(log.filter(|_, order| order.seen_until.is_none()))
        };
        let held_out = drawn(0)?;
        let start = std::time::Instant::now();
        let model = GenQot::fit(&log, &grid, &training, &device)?;
        let seconds = start.elapsed().as_secs_f64();
        let blind = Training {
            censored: false,
            ..training
        };
        // Half a year of the log's newest orders: many are open.
        let recent = log.filter(|at, order| order.seen_until.is_some() || at % 12 == 0);
        let never = GenQot::fit(&recent, &grid, &blind, &device)?;
        let [truth, own] = nats(&world, &grid, &model, &held_out, &device)?;
        println!(
            "world {seed}: truth {truth:.4} nats, Gen-QOT {own:.4} ({:+.2} %), {} orders to train on, {seconds:.0} s",
            100.0 * (own / truth - 1.0),
            log.orders().len(),
        );
        let (generator, never) = (model.on(&device), never.on(&device));
        let baselines: [&dyn ArrivalModel; 4] = [
            &Empirical::fit(&log, &grid)?,
            &DirichletMultinomial::fit(&log, &grid)?,
            &QuantileForecaster::fit(&log, &grid)?,
            &LeadTimeOnly::fit(&log, &grid)?,
        ];
        let faults = faults(&generator, &never);
        let mut models: Vec<&dyn ArrivalModel> = vec![&world, &generator];
        models.extend(baselines);
        models.extend(faults.iter().map(|fault| -> &dyn ArrivalModel { fault }));
        table(&models, &held_out, samples)?;
        let further = (1..=draws).map(drawn).collect::<Result<Vec<_>, _>>()?;
        for model in [&world as &dyn ArrivalModel, &generator] {
            over_draws(model, &further, samples)?;
        }
    }
    Ok(())
}

/// The slope of "nothing comes" over several draws of orders, and how often uniformity is refused in them.
fn over_draws(model: &dyn ArrivalModel, draws: &[Log], samples: u32) -> Result<(), Box<dyn Error>> {
    if draws.len() < 2 {
        return Ok(());
    }
    let (mut slopes, mut refused) = (Vec::new(), [0; 4]);
    for log in draws {
        let e = Evaluation::new(model, log.orders(), 9, samples, 5)?;
        slopes.push(e.nothing_slope.value);
        for (refused, p) in refused.iter_mut().zip(e.pit) {
            *refused += usize::from(p < 0.01);
        }
    }
    let count = slopes.len() as f64;
    let mean = slopes.iter().sum::<f64>() / count;
    let squares: f64 = slopes.iter().map(|s| (s - mean).powi(2)).sum();
    let margin = 1.96 * (squares / (count - 1.0) / count).sqrt();
    println!(
        "{}: slope of nothing over {} draws {mean:.3} ± {margin:.3}; PIT below 0.01 (first, last, total, first piece): {refused:?}",
        model.name(),
        slopes.len(),
    );
    Ok(())
}

/// Nats an order by the truth, and by the generator.
fn nats(
    world: &VendorWorld,
    grid: &Grid,
    model: &GenQot,
    held_out: &Log,
    device: &Device,
) -> Result<[f64; 2], Box<dyn Error>> {
    let mut truth = 0.0;
    for order in held_out.orders() {
        truth -= world.log_likelihood(&order.request, &Path::of(order))?;
        truth -= grid.log_volume(order);
    }
    let own: f64 = model
        .log_likelihood(held_out.orders(), device)?
        .iter()
        .sum();
    let count = held_out.orders().len() as f64;
    Ok([truth / count, -own / count])
}

/// Four faults: three of a right generator, and one trained to take "not yet" for "never".
fn faults<'a>(generator: &'a dyn ArrivalModel, never: &'a dyn ArrivalModel) -> [Fault<'a>; 4] {
    [
        Fault {
            name: "fault: an eighth a week late",
            inner: generator,
            spoil: |at, path| {
                if at % 8 == 0 {
                    path.pieces.iter_mut().for_each(|piece| piece.time += 1);
                }
            },
        },
        Fault {
            name: "fault: pieces of one size",
            inner: generator,
            spoil: |_, path| {
                let each = path.total() / path.pieces.len().max(1) as f64;
                path.pieces.iter_mut().for_each(|piece| piece.share = each);
            },
        },
        Fault {
            name: "fault: a twentieth short",
            inner: generator,
            spoil: |_, path| path.pieces.iter_mut().for_each(|piece| piece.share *= 0.95),
        },
        Fault {
            name: "fault: not yet is never",
            inner: never,
            spoil: |_, _| {},
        },
    ]
}

fn table(models: &[&dyn ArrivalModel], held_out: &Log, samples: u32) -> Result<(), Box<dyn Error>> {
    println!(
        "| model | CRPS | slopes by week 1 to 9 | nothing | first, bias | PIT p: first, last, total, first piece | joint p |"
    );
    println!("|---|---|---|---|---|---|---|");
    for model in models {
        let e = Evaluation::new(*model, held_out.orders(), 9, samples, 5)?;
        let slopes = e.cumulative_slopes.iter();
        let slopes: Vec<String> = slopes.map(|s| format!("{:.2}", s.value)).collect();
        let pit = e.pit.map(|p| format!("{p:.3}")).join(" ");
        println!(
            "| {} | {:.4} ± {:.4} | {} | {:.2} ± {:.2} | {:+.3} ± {:.3} | {pit} | {:.3} |",
            e.model,
            e.crps.value,
            e.crps.margin,
            slopes.join(" "),
            e.nothing_slope.value,
            e.nothing_slope.margin,
            e.first_bias.value,
            e.first_bias.margin,
            e.joint,
        );
    }
    Ok(())
}
