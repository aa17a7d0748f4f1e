//! Policies trained with quantities over time and without, in worlds whose truth neither was trained in.
//!
//! `cargo run --release -p hindsight-arrivals --features studies --example policies -- cross|bias|minimum [WORLDS] [PRODUCTS] [STEPS]`
//!
//! - `cross` (Q4): each in every simulator, beside a base stock that knows of quantities over time.
//! - `bias` (Q7): trained in a generator whose shares are wrong by a factor, judged in the truth.
//! - `minimum` (Q8): smallest orders of four weeks' demand, in training or only afterwards.

use std::error::Error;

use hindsight_arrivals::exo_idp::compare::{Bootstrap, Interval};
use hindsight_arrivals::exo_idp::market::OrderRule;
use hindsight_arrivals::exo_idp::world::{DemandColumn, World, WorldConfig};
use hindsight_arrivals::exo_idp::{Outcomes, Panel};
use hindsight_arrivals::model::{GenQot, Training};
use hindsight_arrivals::trial::{Catalogue, Simulator, Trial, TrialConfig, usual_orders};
use hindsight_arrivals::world::VendorWorld;
use hindsight_arrivals::{ArrivalsError, Estimator, Grid, LeadTimeOnly};
use hindsight_gpu::Device;

const VENDORS: usize = 8;
const WEEKS: usize = 156;

/// A world of products and vendors, and what was learned of the vendors.
struct Case {
    panel: Panel,
    catalogue: Catalogue,
    law: LeadTimeOnly,
    model: GenQot,
    config: TrialConfig,
}

impl Case {
    /// `sizes` is the standard deviation of the logarithm of order sizes in the log.
    fn new(
        seed: u64,
        products: usize,
        steps: usize,
        sizes: f64,
        device: &Device,
    ) -> Result<Self, Box<dyn Error>> {
        let config = WorldConfig {
            products,
            weeks: WEEKS,
            seed: 50 + seed,
            births: 0.0,
            deaths: 0.0,
            intermittent: 0.0,
            ..WorldConfig::default()
        };
        let panel = World::new(&config)?.panel(DemandColumn::Truth)?;
        let vendors = VendorWorld::new(VENDORS, 200 + seed)?;
        let grid = Grid::weekly(vendors.longest())?;
        let log = vendors.log_of(40_000, 208, 1, &|_, z| (sizes * z).exp())?;
        let config = TrialConfig {
            steps,
            seed,
            ..TrialConfig::default()
        };
        let usual = usual_orders(&panel, 0..WEEKS - config.held_out);
        Ok(Case {
            catalogue: Catalogue::of_world(&vendors, usual, WEEKS)?,
            law: LeadTimeOnly::fit(&log, &grid)?,
            model: GenQot::fit(&log, &grid, &Training::default(), device)?,
            panel,
            config,
        })
    }

    fn trial<'a>(&'a self, catalogue: &'a Catalogue) -> Result<Trial<'a>, Box<dyn Error>> {
        let (law, config) = (self.law.clone(), self.config.clone());
        Ok(Trial::new(&self.panel, catalogue, law, config)?)
    }

    fn truth(&self) -> Result<&VendorWorld, Box<dyn Error>> {
        Ok(self.catalogue.world().ok_or("a catalogue of a world")?)
    }
}

fn words(interval: &Interval) -> String {
    let Interval {
        estimate,
        low,
        high,
    } = interval;
    format!("{estimate:+.2} [{low:+.2}, {high:+.2}]")
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let what = args.next().unwrap_or_else(|| "cross".to_owned());
    let worlds: u64 = args.next().map_or(Ok(4), |a| a.parse())?;
    let products: usize = args.next().map_or(Ok(96), |a| a.parse())?;
    let steps: usize = args.next().map_or(Ok(200), |a| a.parse())?;
    let device = Device::best();
    let row = match what.as_str() {
        "cross" => cross,
        "bias" => bias,
        "minimum" => minimum,
        _ => return Err(format!("{what} is none of cross, bias, minimum").into()),
    };
    for seed in 0..worlds {
        let sizes = if what == "minimum" { 1.0 } else { 0.6 };
        row(
            seed,
            &Case::new(seed, products, steps, sizes, &device)?,
            &device,
        )?;
    }
    Ok(())
}

/// Q4.
fn cross(seed: u64, case: &Case, device: &Device) -> Result<(), Box<dyn Error>> {
    if seed == 0 {
        println!(
            "| world | simulator | base stock, QOT-aware | lead-time trained | QOT trained | QOT - lead time | QOT - base stock |"
        );
        println!("|---|---|---|---|---|---|---|");
    }
    let table = case.trial(&case.catalogue)?.cross(&case.model, device)?;
    for row in table.rows {
        let percent = row
            .rewards
            .map(|reward| 100.0 * reward / row.rewards[0].abs());
        let fill = row.fill_rates;
        println!(
            "| {seed} | {} | {:.0} ({:.3}) | {:.2} ({:.3}) | {:.2} ({:.3}) | {} | {} |",
            row.simulator,
            percent[0],
            fill[0],
            percent[1],
            fill[1],
            percent[2],
            fill[2],
            words(&row.over_lead_time),
            words(&row.over_base_stock)
        );
    }
    Ok(())
}

/// Q7.
fn bias(seed: u64, case: &Case, device: &Device) -> Result<(), Box<dyn Error>> {
    if seed == 0 {
        println!(
            "| world | shares in training times | reward in the truth, % of that at 1 | fill rate | difference |"
        );
        println!("|---|---|---|---|---|");
    }
    let trial = case.trial(&case.catalogue)?;
    let truth = case.truth()?;
    let truth = truth.market(&case.catalogue, case.config.samples, 1_000 + seed)?;
    let judged = |factor: f64| -> Result<_, Box<dyn Error>> {
        let generated = trial.generated(&case.model)?.biased(factor)?;
        let network = trial.train(Simulator::Generated(&generated), device)?;
        Ok(trial.outcomes(&network, Simulator::World(&truth), device)?)
    };
    let right = judged(1.0)?;
    let percent = 100.0 / right.reward().abs();
    for factor in [0.7, 0.85, 0.925, 1.0, 1.075, 1.15, 1.3] {
        let own = judged(factor)?;
        println!(
            "| {seed} | {factor} | {:.2} | {:.3} | {} |",
            own.reward() * percent,
            own.fill_rate(),
            over(&own, &right)?
        );
    }
    Ok(())
}

/// Q8.
fn minimum(seed: u64, case: &Case, device: &Device) -> Result<(), Box<dyn Error>> {
    if seed == 0 {
        println!(
            "| world | policy | reward in the truth, % of the first | fill rate | weeks with an order | difference | in the generator |"
        );
        println!("|---|---|---|---|---|---|---|");
    }
    let rule = |weekly: &f64| OrderRule {
        minimum: 4.0 * weekly,
        batch: weekly.max(1.0),
        ..OrderRule::default()
    };
    // Usual orders, to which the vendors' room is in proportion, are as large as the smallest allowed; stock costs 26 % of its worth a year.
    let weekly = case.catalogue.usual();
    let usual = weekly.iter().map(|weekly| 4.0 * weekly).collect();
    let catalogue = Catalogue::of_world(case.truth()?, usual, WEEKS)?;
    let catalogue = catalogue.with_rules(weekly.iter().map(rule).collect())?;
    let with = |estimator| {
        let mut config = case.config.clone();
        config.conventions.holding_share = 0.005;
        config.estimator = estimator;
        Trial::new(&case.panel, &catalogue, case.law.clone(), config)
    };
    let trial = with(Estimator::Smoothed)?;
    let truth = case.truth()?;
    let truth = truth.market(&catalogue, case.config.samples, 1_000 + seed)?;
    let generated = trial.generated(&case.model)?;
    let (quantities, world) = (Simulator::Generated(&generated), Simulator::World(&truth));
    let blind = trial.without_rules().train(quantities, device)?;
    let first = [world, quantities].map(|own| trial.outcomes(&blind, own, device));
    let [Ok(truly), Ok(at_home)] = &first else {
        return Err("the first policy cannot be replayed".into());
    };
    let report = |name: &str, [own, home]: [Result<Outcomes, ArrivalsError>; 2]| {
        let (own, home) = (own?, home?);
        println!(
            "| {seed} | {name} | {:.2} | {:.3} | {:.3} | {} | {} |",
            100.0 * own.reward() / truly.reward().abs(),
            own.fill_rate(),
            trial.frequency(&own),
            over(&own, truly)?,
            over(&home, at_home)?
        );
        Ok::<_, Box<dyn Error>>(())
    };
    report("trained without, rule applied afterwards", first.clone())?;
    for estimator in [
        Estimator::StraightThrough,
        Estimator::Smoothed,
        Estimator::Mixed,
    ] {
        let aware = with(estimator)?.train(quantities, device)?;
        let found = [world, quantities].map(|own| trial.outcomes(&aware, own, device));
        report(&format!("trained with the rule, {estimator:?}"), found)?;
    }
    let base = trial.tuned(quantities, device)?;
    let found = [world, quantities].map(|own| trial.outcomes(&base, own, device));
    report("base stock, tuned with the rule", found)?;
    let free = trial.without_rules();
    let unruled = free.outcomes(&blind, world, device)?;
    println!(
        "| {seed} | the first without the rule | {:.2} | {:.3} | {:.3} | | |",
        100.0 * unruled.reward() / truly.reward().abs(),
        unruled.fill_rate(),
        free.frequency(&unruled)
    );
    Ok(())
}

/// What one policy earns more than another, in percent of the other's reward.
fn over(own: &Outcomes, other: &Outcomes) -> Result<String, Box<dyn Error>> {
    let percent = 100.0 / other.reward().abs();
    let found = Bootstrap::default().difference(own, other)?;
    Ok(words(&Interval {
        estimate: found.estimate * percent,
        low: found.low * percent,
        high: found.high * percent,
    }))
}
