//! Q4: policies trained with quantity over time and with lead times alone, judged in a truth that neither was trained in.
//!
//! `cargo run --release -p hindsight-arrivals --example cross -- [WORLDS] [PRODUCTS] [STEPS]`
#![allow(clippy::cast_precision_loss, reason = "small numbers")]

use std::error::Error;
use std::ops::ControlFlow;

use hindsight_arrivals::exo_idp::compare::Bootstrap;
use hindsight_arrivals::exo_idp::market::Market;
use hindsight_arrivals::exo_idp::policy::{
    Anchor, BaseStock, LeadTimeDemand, LeadTimeLaw, Neural, NeuralConfig, Plan, Policy, Signals,
    target_position,
};
use hindsight_arrivals::exo_idp::train::{Training as Course, direct_backprop};
use hindsight_arrivals::exo_idp::world::{DemandColumn, World, WorldConfig};
use hindsight_arrivals::exo_idp::{Arrivals, Conventions, Outcomes, Panel, Paths, Replay, Window};
use hindsight_arrivals::model::{GenQot, GeneratedArrivals, OrderContext, Training};
use hindsight_arrivals::world::VendorWorld;
use hindsight_arrivals::{Grid, LeadTimeOnly, Request};
use hindsight_gpu::{Device, Stream};
use rand::RngExt;

const VENDORS: usize = 8;
const SAMPLES: usize = 4;
const WEEKS: usize = 156;
const TRAIN: usize = 104;

/// What is known of orders before they are placed.
struct Known<'a> {
    world: &'a VendorWorld,
    usual: Vec<f64>,
    congestion: Vec<Vec<u8>>,
    weeks: usize,
}

impl OrderContext for Known<'_> {
    fn products(&self) -> usize {
        self.usual.len()
    }
    fn weeks(&self) -> usize {
        self.weeks
    }
    fn request(&self, product: usize, week: usize) -> Request {
        let vendor = product % VENDORS;
        let usual = self.usual[product];
        self.world
            .request(vendor, usual, usual, week, self.congestion[vendor][week])
    }
}

/// Lead times alone, by vendor.
#[derive(Debug)]
struct ByVendor(LeadTimeOnly, Stream);

impl LeadTimeLaw for ByVendor {
    fn probabilities(&self, product: usize) -> &[f64] {
        self.0.probabilities(product % VENDORS)
    }
}

impl Arrivals for ByVendor {
    fn max_lead_time(&self) -> usize {
        self.0.probabilities(0).len() - 1
    }
    fn shares(&self, product: usize, sample: usize, week: i64, shares: &mut [f64]) {
        let key = ((sample as u64) << 32) | product as u64;
        let mut u: f64 = self
            .1
            .at(key, u32::try_from(week + 1000).unwrap_or(0))
            .random();
        let law = self.probabilities(product);
        let last = law.iter().rposition(|&p| p > 0.0).unwrap_or(0);
        let lead = law[..last].iter().position(|&p| {
            u -= p;
            u < 0.0
        });
        shares.fill(0.0);
        shares[lead.unwrap_or(last)] = 1.0;
    }
}

struct Case<'a> {
    panel: &'a Panel,
    paths: &'a Paths<'a>,
    usual: &'a [f64],
    conventions: Conventions,
    device: &'a Device,
}

impl Case<'_> {
    fn run<P: Policy, M: Market>(
        &self,
        policy: &P,
        market: &M,
        scored: std::ops::Range<usize>,
    ) -> Result<Outcomes, Box<dyn Error>> {
        let window = Window {
            scored,
            warm_up: 20,
        };
        let replay = Replay::new(self.paths, self.conventions, window, self.usual)?;
        Ok(replay.run_in(policy, market, self.device)?)
    }

    fn train<M: Market>(
        &self,
        network: &Neural,
        market: &M,
        steps: usize,
    ) -> Result<Neural, Box<dyn Error>> {
        let window = Window {
            scored: 20..TRAIN,
            warm_up: 20,
        };
        let replay = Replay::new(self.paths, self.conventions, window, self.usual)?;
        let course = Course {
            steps,
            batch: 128,
            learning_rate: 3e-3,
            weight_decay: 0.01,
            ..Course::default()
        };
        let money = |lane: usize| {
            let p = self.paths.product(lane);
            1.0 / (self.usual[p] * self.panel.price(p, 0)).max(1e-3)
        };
        let weights: Vec<f64> = (0..self.paths.lanes()).map(money).collect();
        let trained = direct_backprop(
            network,
            market,
            &replay,
            None,
            &weights,
            &course,
            self.device,
            |_| ControlFlow::Continue(()),
        )?;
        Ok(network
            .clone()
            .with_theta(trained.theta[..network.theta().len()].to_vec())?)
    }

    /// Demand over the convolved arrival law; yield inflation and safety tuned together, by training weeks in a market.
    fn tuned<M: Market>(&self, level: &Signals, market: &M) -> Result<BaseStock, Box<dyn Error>> {
        let mut best: Option<(f64, BaseStock)> = None;
        for k in 0..14 {
            let policy = BaseStock::new("base stock", 0.7 + 0.1 * f64::from(k), level.clone());
            let reward = self.run(&policy, market, 20..TRAIN)?.reward();
            if best.as_ref().is_none_or(|(most, _)| reward > *most) {
                best = Some((reward, policy));
            }
        }
        let (_, policy) = best.ok_or("no scale was tried")?;
        Ok(policy)
    }

    /// A row of the table: all policies in the held-out weeks of a market.
    fn judge<M: Market>(
        &self,
        name: &str,
        policies: &Policies,
        market: &M,
    ) -> Result<(), Box<dyn Error>> {
        let base = self.run(&policies.base, market, TRAIN..WEEKS)?;
        let lead = self.run(&policies.lead, market, TRAIN..WEEKS)?;
        let pieces = self.run(&policies.pieces, market, TRAIN..WEEKS)?;
        let scale = 100.0 / base.reward().abs();
        let over = |other: &Outcomes| {
            Bootstrap::default().difference(&pieces, other).map(|i| {
                let [estimate, low, high] = [i.estimate, i.low, i.high].map(|x| x * scale);
                format!("{estimate:+.2} [{low:+.2}, {high:+.2}]")
            })
        };
        println!(
            "| {name} | 100 (fill {:.3}) | {:.2} ({:.3}) | {:.2} ({:.3}) | {} | {} |",
            base.fill_rate(),
            lead.reward() * scale,
            lead.fill_rate(),
            pieces.reward() * scale,
            pieces.fill_rate(),
            over(&lead)?,
            over(&base)?
        );
        Ok(())
    }
}

/// The base stock, and the network trained with lead times alone and with pieces.
struct Policies {
    base: BaseStock,
    lead: Neural,
    pieces: Neural,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let worlds: u64 = args.next().map_or(Ok(4), |a| a.parse())?;
    let products: usize = args.next().map_or(Ok(96), |a| a.parse())?;
    let steps: usize = args.next().map_or(Ok(200), |a| a.parse())?;
    let device = Device::best();
    println!(
        "| world | simulator | base stock, QOT-aware | lead-time trained | QOT trained | QOT - lead time | QOT - base stock |"
    );
    println!("|---|---|---|---|---|---|---|");
    for seed in 0..worlds {
        cross(seed, products, steps, &device)?;
    }
    Ok(())
}

/// The three rows of a world.
fn cross(seed: u64, products: usize, steps: usize, device: &Device) -> Result<(), Box<dyn Error>> {
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
    let log = vendors.log(40_000, 208, 1)?;
    let model = GenQot::fit(&log, &grid, &Training::default(), device)?;
    let law = ByVendor(
        LeadTimeOnly::fit(&log, &grid)?,
        Stream::new(seed, "lead times alone"),
    );
    let mean = |p: usize| (0..TRAIN).map(|w| panel.demand(p, w)).sum::<f64>() / TRAIN as f64;
    let usual: Vec<f64> = (0..products).map(|p| mean(p).max(0.1)).collect();
    let known = Known {
        world: &vendors,
        usual: usual.clone(),
        congestion: (0..VENDORS).map(|v| vendors.congestion(v, WEEKS)).collect(),
        weeks: WEEKS,
    };
    let paths = Paths::new(&panel, &law, SAMPLES)?;
    let case = Case {
        panel: &panel,
        paths: &paths,
        usual: &usual,
        conventions: Conventions::default(),
        device,
    };
    let generated = GeneratedArrivals::new(&model, &known, SAMPLES, 10 + seed)?;
    let truth = vendors.market(&known, SAMPLES, 1_000 + seed)?;
    let (by, demand) = (&case.conventions, LeadTimeDemand::Convolved);
    let level = target_position(&panel, 0..TRAIN, &law, demand, by)?;
    let network = untrained(&case, &known, &level, grid.times() - 1)?;
    let policies = Policies {
        base: case.tuned(&level, &generated)?,
        lead: case.train(&network, &(), steps)?,
        pieces: case.train(&network, &generated, steps)?,
    };
    case.judge(&format!("{seed} | truth"), &policies, &truth)?;
    case.judge(&format!("{seed} | QOT"), &policies, &generated)?;
    case.judge(&format!("{seed} | lead time"), &policies, &())
}

/// The network before its training: anchored on the level, it sees congestion and the peak.
fn untrained(
    case: &Case<'_>,
    known: &Known<'_>,
    level: &Signals,
    longest: usize,
) -> Result<Neural, Box<dyn Error>> {
    let congested = Signals::from_fn(WEEKS, 2, known.products(), |week, row, product| match row {
        0 => f64::from(known.congestion[product % VENDORS][week]),
        _ => f64::from(u8::from(known.world.is_peak(week))),
    });
    let anchor = Anchor::new(vec![level.clone()], Some(congested))?;
    let plan = Plan {
        horizon: 4,
        price: true,
    };
    Ok(Neural::new(
        case.panel,
        0..TRAIN,
        longest,
        plan,
        &case.conventions,
        &NeuralConfig::default(),
        Some(&anchor),
        3,
    )?)
}
