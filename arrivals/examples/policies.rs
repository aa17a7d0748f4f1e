//! Policies trained with quantities over time and without, in worlds whose truth neither was trained in.
//!
//! `cargo run --release -p hindsight-arrivals --features studies --example policies -- cross|known|margins|seeds|bias|minimum [WORLDS] [PRODUCTS] [STEPS] [FIRST] [MARGIN]`
//!
//! - `cross` (Q4): each in every simulator, beside a base stock that knows of quantities over time.
//! - `known`: the same where no policy may place larger orders than the 99th percentile of the log's sizes, in usual orders: of larger ones the generator has seen little.
//! - `margins`: the same bound, and networks of three seeds trained with constant shares, those of `MARGIN`, one of four times the steps and one trained in the truth: what they earn, hold and order.
//! - `seeds`: the base stock, networks of four seeds and the one network that averages their outputs, in the truth and in the generator: what they earn, hold and order.
//! - `bias` (Q7): trained in a generator whose shares are wrong by a factor, judged in the truth.
//! - `minimum` (Q8): smallest orders of four weeks' demand, in training or only afterwards.
//!
//! Worlds are numbered from `FIRST`. Networks are trained with the gradient of `MARGIN`, by default that of a trial; 1 is that of constant shares.

use std::error::Error;

use hindsight_arrivals::exo_idp::compare::{Bootstrap, Interval};
use hindsight_arrivals::exo_idp::market::OrderRule;
use hindsight_arrivals::exo_idp::policy::{Neural, Policy};
use hindsight_arrivals::exo_idp::replay::Quantity;
use hindsight_arrivals::exo_idp::world::{DemandColumn, World, WorldConfig};
use hindsight_arrivals::exo_idp::{Outcomes, Panel};
use hindsight_arrivals::model::{GenQot, Training};
use hindsight_arrivals::trial::{Catalogue, Simulator, Trial, TrialConfig, usual_orders};
use hindsight_arrivals::world::VendorWorld;
use hindsight_arrivals::{ArrivalsError, Estimator, Grid, LeadTimeOnly};
use hindsight_gpu::Device;

const VENDORS: usize = 8;
const WEEKS: usize = 156;
/// The share of the log's sizes that orders may not exceed, where they are bounded.
const KNOWN: f64 = 0.99;

/// A world of products and vendors, and what was learned of the vendors.
struct Case {
    panel: Panel,
    catalogue: Catalogue,
    law: LeadTimeOnly,
    model: GenQot,
    config: TrialConfig,
}

impl Case {
    /// `sizes` is the standard deviation of the logarithm of order sizes in the log; `known` bounds orders by those sizes.
    fn new(
        config: TrialConfig,
        products: usize,
        sizes: f64,
        known: bool,
        device: &Device,
    ) -> Result<Self, Box<dyn Error>> {
        let seed = config.seed;
        let demand = WorldConfig {
            products,
            weeks: WEEKS,
            seed: 50 + seed,
            births: 0.0,
            deaths: 0.0,
            intermittent: 0.0,
            ..WorldConfig::default()
        };
        let panel = World::new(&demand)?.panel(DemandColumn::Truth)?;
        let vendors = VendorWorld::new(VENDORS, 200 + seed)?;
        let grid = Grid::weekly(vendors.longest())?;
        let log = vendors.log_of(40_000, 208, 1, &|_, z| (sizes * z).exp())?;
        let usual = usual_orders(&panel, 0..WEEKS - config.held_out);
        let catalogue = Catalogue::of_world(&vendors, usual, WEEKS)?;
        let catalogue = if known {
            catalogue.with_largest(log.largest(KNOWN)?)?
        } else {
            catalogue
        };
        Ok(Case {
            catalogue,
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

/// Prints the rows of a world.
type Row = fn(u64, &Case, &Device) -> Result<(), Box<dyn Error>>;

const CROSS: &str = "| world | simulator | base stock, QOT-aware | lead-time trained | QOT trained | QOT - lead time | QOT - base stock |";
const SEEDS: &str = "| world | policy | simulator | fill rate | stock | orders: 90 % below | 99 % below | largest | over the base stock |";
const BIAS: &str = "| world | shares in training times | reward in the truth, % of that at 1 | fill rate | difference |";
const MINIMUM: &str = "| world | policy | reward in the truth, % of the first | fill rate | weeks with an order | difference | in the generator |";

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let what = args.next().unwrap_or_else(|| "cross".to_owned());
    let worlds: u64 = args.next().map_or(Ok(4), |a| a.parse())?;
    let products: usize = args.next().map_or(Ok(96), |a| a.parse())?;
    let steps: usize = args.next().map_or(Ok(200), |a| a.parse())?;
    let first: u64 = args.next().map_or(Ok(0), |a| a.parse())?;
    let margin = args.next().map(|a| a.parse()).transpose()?;
    let margin = margin.unwrap_or(TrialConfig::default().margin);
    let device = Device::best();
    let (row, head): (Row, &str) = match what.as_str() {
        "cross" | "known" => (cross, CROSS),
        "margins" => (margins, SEEDS),
        "seeds" => (seeds, SEEDS),
        "bias" => (bias, BIAS),
        "minimum" => (minimum, MINIMUM),
        _ => {
            return Err(
                format!("{what} is none of cross, known, margins, seeds, bias, minimum").into(),
            );
        }
    };
    println!("{head}\n|{}", "---|".repeat(head.matches('|').count() - 1));
    for seed in first..first + worlds {
        let sizes = if what == "minimum" { 1.0 } else { 0.6 };
        let known = ["known", "margins"].contains(&what.as_str());
        let config = TrialConfig {
            steps,
            margin,
            seed,
            ..TrialConfig::default()
        };
        let case = Case::new(config, products, sizes, known, &device)?;
        row(seed, &case, &device)?;
    }
    Ok(())
}

/// Q4.
fn cross(seed: u64, case: &Case, device: &Device) -> Result<(), Box<dyn Error>> {
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

/// Networks beside the base stock that is tuned in the generator, in the truth and in the generator.
struct Judged<'a> {
    world: u64,
    case: &'a Case,
    device: &'a Device,
    trial: Trial<'a>,
    judges: [(&'a str, Simulator<'a>); 2],
    bases: [Outcomes; 2],
}

impl<'a> Judged<'a> {
    fn new(
        world: u64,
        case: &'a Case,
        [truth, home]: [Simulator<'a>; 2],
        device: &'a Device,
    ) -> Result<Self, Box<dyn Error>> {
        let trial = case.trial(&case.catalogue)?;
        let base = trial.tuned(home, device)?;
        let bases = [
            trial.outcomes(&base, truth, device)?,
            trial.outcomes(&base, home, device)?,
        ];
        let judges = [("truth", truth), ("generator", home)];
        let judged = Judged {
            world,
            case,
            device,
            trial,
            judges,
            bases,
        };
        judged.rows("base stock", &judged.bases)?;
        Ok(judged)
    }

    fn rows(&self, name: &str, found: &[Outcomes; 2]) -> Result<(), Box<dyn Error>> {
        for ((judge, _), (own, base)) in self.judges.iter().zip(found.iter().zip(&self.bases)) {
            let held = held(own, self.case.catalogue.usual());
            let (world, fill, over) = (self.world, own.fill_rate(), over(own, base)?);
            println!("| {world} | {name} | {judge} | {fill:.3} | {held} | {over} |");
        }
        Ok(())
    }

    fn report(&self, name: &str, network: &Neural) -> Result<(), Box<dyn Error>> {
        let found = self
            .judges
            .map(|(_, judge)| self.trial.outcomes(network, judge, self.device));
        let [truth, home] = found;
        self.rows(name, &[truth?, home?])
    }

    /// A network trained in a simulator with other settings.
    fn train(
        &self,
        config: TrialConfig,
        simulator: Simulator<'_>,
    ) -> Result<Neural, Box<dyn Error>> {
        let Case {
            panel,
            catalogue,
            law,
            ..
        } = self.case;
        let own = Trial::new(panel, catalogue, law.clone(), config)?;
        Ok(own.train(simulator, self.device)?)
    }
}

/// What the gradient of a larger order is worth, and what more steps and the truth in place of the generator would be.
fn margins(seed: u64, case: &Case, device: &Device) -> Result<(), Box<dyn Error>> {
    let trial = case.trial(&case.catalogue)?;
    let generated = trial.generated(&case.model)?;
    let market = |seed| {
        case.truth()?
            .market(&case.catalogue, case.config.samples, seed)
            .map_err(Box::<dyn Error>::from)
    };
    let (truth, other) = (market(1_000 + seed)?, market(5_000 + seed)?);
    let home = Simulator::Generated(&generated);
    let judged = Judged::new(seed, case, [Simulator::World(&truth), home], device)?;
    let trained = |margin: f64, steps: usize, more: u64| {
        let config = TrialConfig {
            margin,
            steps,
            seed: seed + more,
            ..case.config.clone()
        };
        let name = format!("margin {margin}, {steps} steps, seed {}", config.seed);
        judged.report(&name, &judged.train(config, home)?)
    };
    let TrialConfig { margin, steps, .. } = case.config;
    for margin in [1.0, margin] {
        for more in [0, 100, 200] {
            trained(margin, steps, more)?;
        }
    }
    trained(1.0, 4 * steps, 0)?;
    let network = judged.train(case.config.clone(), Simulator::World(&other))?;
    judged.report("trained in the truth", &network)
}

/// How much of what a network earns is its seed's.
fn seeds(seed: u64, case: &Case, device: &Device) -> Result<(), Box<dyn Error>> {
    let generated = case.trial(&case.catalogue)?.generated(&case.model)?;
    let truth = case.truth()?;
    let truth = truth.market(&case.catalogue, case.config.samples, 1_000 + seed)?;
    let home = Simulator::Generated(&generated);
    let judged = Judged::new(seed, case, [Simulator::World(&truth), home], device)?;
    let mut members = Vec::new();
    let mut first = None;
    for member in 0..4 {
        let seed = seed + 100 * member;
        let config = TrialConfig {
            seed,
            ..case.config.clone()
        };
        let network = judged.train(config, home)?;
        judged.report(&format!("seed {seed}"), &network)?;
        members.push(network.theta().to_vec());
        first.get_or_insert(network);
    }
    let network = first.ok_or("no network")?.ensemble(&members)?;
    judged.report("mean of the four", &network)
}

/// Mean stock, and what nine tenths, 99 in 100 and all of a policy's orders do not exceed, in usual orders.
fn held(outcomes: &Outcomes, usual: &[f64]) -> String {
    let cells: Vec<_> = (0..outcomes.products())
        .flat_map(|p| (0..outcomes.samples()).map(move |s| (p, s)))
        .flat_map(|(p, s)| outcomes.scored().map(move |week| (p, s, week)))
        .collect();
    let of = |quantity| -> Vec<f64> {
        let value = |&(p, s, week): &_| outcomes.sample(quantity, p, s, week) / usual[p];
        cells.iter().map(value).collect()
    };
    let (stock, mut orders) = (of(Quantity::OnHand), of(Quantity::Order));
    orders.sort_by(f64::total_cmp);
    let last = orders.len() - 1;
    let [most, nearly_all] = [last * 9 / 10, last * 99 / 100].map(|place| orders[place]);
    #[expect(clippy::cast_precision_loss, reason = "weeks")]
    let stock = stock.iter().sum::<f64>() / cells.len() as f64;
    format!(
        "{stock:.1} | {most:.1} | {nearly_all:.1} | {:.0}",
        orders[last]
    )
}

/// Q7.
fn bias(seed: u64, case: &Case, device: &Device) -> Result<(), Box<dyn Error>> {
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
