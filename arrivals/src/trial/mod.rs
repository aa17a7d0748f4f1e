//! Policies trained with quantities over time, and policies trained without, in each other's simulators and in the truth.
//!
//! A [`Trial`] fixes what is sold, who supplies it ([`Catalogue`]), which weeks are held out and how networks are trained. [`Trial::policies`] gives the three that the
//! paper's critics ask for: a network trained where lead times are all that is known, one trained in a generator, and a base stock that knows of quantities over time.
//! [`Trial::cross`] judges them in every [`Simulator`], with paired intervals over products and blocks of weeks.
//!
//! ```
//! use hindsight_arrivals::exo_idp::world::{DemandColumn, World, WorldConfig};
//! use hindsight_arrivals::model::{GenQot, Training};
//! use hindsight_arrivals::trial::{Catalogue, Trial, TrialConfig, usual_orders};
//! use hindsight_arrivals::world::VendorWorld;
//! use hindsight_arrivals::{Grid, LeadTimeOnly};
//! use hindsight_gpu::Device;
//!
//! let panel = World::new(&WorldConfig { products: 6, weeks: 60, ..WorldConfig::default() })?;
//! let panel = panel.panel(DemandColumn::Truth)?;
//! let (vendors, device) = (VendorWorld::new(2, 7)?, Device::cpu(1));
//! let (log, grid) = (vendors.log(300, 104, 1)?, Grid::weekly(vendors.longest())?);
//! let training = Training { epochs: 2, ..Training::default() };
//! let model = GenQot::fit(&log, &grid, &training, &device)?;
//!
//! let config = TrialConfig { held_out: 15, samples: 1, steps: 2, ..TrialConfig::default() };
//! let catalogue = Catalogue::of_world(&vendors, usual_orders(&panel, 0..45), 60)?;
//! let trial = Trial::new(&panel, &catalogue, LeadTimeOnly::fit(&log, &grid)?, config)?;
//! let table = trial.cross(&model, &device)?;
//! assert_eq!(table.rows.len(), 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod catalogue;
mod cross;
mod lead_times;
mod rules;
mod simulator;

use std::ops::{ControlFlow, Range};

use exo_idp::policy::{
    Anchor, BaseStock, LeadTimeDemand, Neural, NeuralConfig, Plan, Policy, Signals, target_position,
};
use exo_idp::replay::Quantity;
use exo_idp::train::{Training, direct_backprop};
use exo_idp::{Conventions, Outcomes, Panel, Paths, Replay, Window};
use gpu::Device;

pub use catalogue::Catalogue;
pub use cross::{CrossRow, CrossTable, Policies};
use lead_times::VendorLeadTimes;
use rules::Rules;
pub use simulator::Simulator;

use crate::baselines::LeadTimeOnly;
use crate::error::{Argument, ArrivalsError, length};
use crate::log::{Log, Order, Receipt};
use crate::model::{GenQot, GeneratedArrivals, OrderContext};
use crate::order::Estimator;
use crate::sampler::{ArrivalModel, Piece, Samples};

/// How a trial is made.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct TrialConfig {
    /// Weeks at the end that are judged. Default 52.
    pub held_out: usize,
    /// Weeks before the first scored one that a replay runs unscored, at most a third of the weeks to train on. Default 20.
    pub warm_up: usize,
    /// Sample paths of a product, at least 1. Default 4.
    pub samples: usize,
    /// Steps of training of a network, at least 1. Default 200.
    pub steps: usize,
    /// The replay's conventions.
    pub conventions: Conventions,
    /// The share of an order, above 0 and at most 1, by which it is made smaller in training to see how much of it arrives at the margin: see
    /// [`GeneratedArrivals::with_margin`]. Default 0.5.
    pub margin: f64,
    /// The derivative of minimum orders and batches in training. Default [`Estimator::Mixed`], the one that `examples/policies` finds to pay.
    pub estimator: Estimator,
    /// Seed of draws, first weights and mini-batches. Default 0.
    pub seed: u64,
}

impl Default for TrialConfig {
    fn default() -> Self {
        TrialConfig {
            held_out: 52,
            warm_up: 20,
            samples: 4,
            steps: 200,
            conventions: Conventions::default(),
            margin: 0.5,
            estimator: Estimator::Mixed,
            seed: 0,
        }
    }
}

/// What policies are trained and judged on.
#[derive(Debug)]
pub struct Trial<'a> {
    panel: &'a Panel,
    catalogue: &'a Catalogue,
    law: VendorLeadTimes,
    config: TrialConfig,
    rules: Rules,
    /// Mean demand of every product in the training weeks: the scale of opening stock and of money.
    weekly: Vec<f64>,
}

/// Mean demand of every product in some weeks, at least a tenth of a unit: its usual order.
#[must_use]
pub fn usual_orders(panel: &Panel, weeks: Range<usize>) -> Vec<f64> {
    let mean = |product: usize| {
        let present = weeks.clone().filter(|&week| panel.present(product, week));
        let demand: Vec<f64> = present.map(|week| panel.demand(product, week)).collect();
        #[expect(clippy::cast_precision_loss, reason = "weeks")]
        let count = demand.len().max(1) as f64;
        (demand.iter().sum::<f64>() / count).max(0.1)
    };
    (0..panel.products()).map(mean).collect()
}

/// The law of lead times that a generator implies for the products of a catalogue: when the units of usual orders arrive, by vendor. It is what would be known of them
/// without their pieces.
///
/// # Errors
/// A request that the model does not know how to read; vendors of whom nothing ever arrives.
pub fn implied_lead_times(
    model: &GenQot,
    catalogue: &Catalogue,
    device: &Device,
    seed: u64,
) -> Result<LeadTimeOnly, ArrivalsError> {
    let (products, weeks) = (catalogue.products(), catalogue.weeks());
    // Enough orders of every vendor, and not more for more products.
    let each = (20_000 / products).clamp(1, weeks);
    let cells = (0..products * each).map(|k| (k % products, k / products * weeks / each));
    let requests: Vec<_> = cells.map(|(p, week)| catalogue.request(p, week)).collect();
    let paths = model
        .on(device)
        .sample(&requests, Samples { seed, sample: 0 })?;
    let mut log = Log::new(model.vendors(), model.covariates(), model.grid().first());
    for (request, path) in requests.into_iter().zip(paths) {
        let receipt = |piece: &Piece| Receipt {
            time: piece.time,
            units: piece.share * request.units,
        };
        log.push(Order {
            receipts: path.pieces.iter().map(receipt).collect(),
            request,
            seen_until: None,
        })?;
    }
    LeadTimeOnly::fit(&log, model.grid())
}

impl<'a> Trial<'a> {
    /// The trial of a panel whose products are bought as a catalogue says; `law` is what is known of lead times.
    ///
    /// # Errors
    /// A catalogue of other products or weeks, a vendor without a lead time, no sample, no week to train on.
    pub fn new(
        panel: &'a Panel,
        catalogue: &'a Catalogue,
        law: LeadTimeOnly,
        config: TrialConfig,
    ) -> Result<Self, ArrivalsError> {
        length(Argument::Products, panel.products(), catalogue.products())?;
        length(Argument::Weeks, panel.weeks(), catalogue.weeks())?;
        for (argument, found) in [
            (Argument::Samples, config.samples),
            (Argument::Steps, config.steps),
            (Argument::Weeks, config.held_out),
            (
                Argument::Weeks,
                panel.weeks().saturating_sub(config.held_out),
            ),
        ] {
            if found == 0 {
                return Err(ArrivalsError::Empty { argument });
            }
        }
        Ok(Trial {
            law: VendorLeadTimes::new(law, catalogue.vendors().to_vec(), config.seed)?,
            rules: Rules::new(catalogue, panel.weeks(), config.estimator)?,
            weekly: usual_orders(panel, 0..panel.weeks() - config.held_out),
            panel,
            catalogue,
            config,
        })
    }

    /// The same without minimum orders, batches and caps: for policies that are trained without them. The catalogue's largest order stays.
    #[must_use]
    pub fn without_rules(&self) -> Self {
        Trial {
            rules: self.rules.largest_only(),
            law: self.law.clone(),
            config: self.config.clone(),
            weekly: self.weekly.clone(),
            ..*self
        }
    }

    /// The market of a generator on this trial's paths.
    ///
    /// # Errors
    /// Longer times than a vendor's lead times, a vendor or a covariate that the model does not know.
    pub fn generated<'m>(&self, model: &'m GenQot) -> Result<GeneratedArrivals<'m>, ArrivalsError> {
        let (samples, seed) = (self.config.samples, self.config.seed);
        if model.grid().first() < 0 {
            let (order, time, earliest) = (0, model.grid().first(), 0);
            return Err(ArrivalsError::EarlyReceipt {
                order,
                time,
                earliest,
            });
        }
        GeneratedArrivals::new(model, self.catalogue, samples, seed.wrapping_add(10))
    }

    fn trained_weeks(&self) -> Range<usize> {
        0..self.panel.weeks() - self.config.held_out
    }

    fn held_out(&self) -> Range<usize> {
        self.trained_weeks().end..self.panel.weeks()
    }

    fn warm_up(&self) -> usize {
        self.config.warm_up.min(self.trained_weeks().end / 3)
    }

    fn paths(&self) -> Result<Paths<'_>, ArrivalsError> {
        Ok(Paths::new(self.panel, &self.law, self.config.samples)?)
    }

    fn replay<'p>(
        &self,
        paths: &'p Paths<'p>,
        scored: Range<usize>,
    ) -> Result<Replay<'p>, ArrivalsError> {
        let (conventions, warm_up) = (self.config.conventions, self.warm_up());
        let window = Window { scored, warm_up };
        Ok(Replay::new(
            paths,
            conventions,
            window,
            self.catalogue.usual(),
        )?)
    }

    /// What a policy does in the held-out weeks of a simulator.
    ///
    /// # Errors
    /// What the replay refuses.
    pub fn outcomes<P: Policy>(
        &self,
        policy: &P,
        simulator: Simulator<'_>,
        device: &Device,
    ) -> Result<Outcomes, ArrivalsError> {
        let paths = self.paths()?;
        let replay = self.replay(&paths, self.held_out())?;
        Ok(replay.run_in(policy, &(&self.rules.market, simulator), device)?)
    }

    /// How often a policy placed an order in those weeks, as a share of weeks.
    #[must_use]
    pub fn frequency(&self, outcomes: &Outcomes) -> f64 {
        let cells = (0..outcomes.products())
            .flat_map(|p| (0..outcomes.samples()).map(move |s| (p, s)))
            .flat_map(|(p, s)| outcomes.scored().map(move |week| (p, s, week)));
        let (mut placed, mut all) = (0_u32, 0_u32);
        for (product, sample, week) in cells {
            let order = outcomes.sample(Quantity::Order, product, sample, week);
            let order = self.rules.apply(product, order);
            placed += u32::from(order > 1e-6);
            all += 1;
        }
        f64::from(placed) / f64::from(all.max(1))
    }

    /// The level of demand over the arrival law, convolved.
    fn level(&self) -> Result<Signals, ArrivalsError> {
        let (by, demand) = (&self.config.conventions, LeadTimeDemand::Convolved);
        let weeks = self.trained_weeks();
        Ok(target_position(self.panel, weeks, &self.law, demand, by)?)
    }

    /// A base stock that knows of quantities over time: demand over the convolved arrival law, inflated for what does not come. The factor of every vendor is the one that
    /// earns most in the training weeks of the simulator.
    ///
    /// # Errors
    /// What the replay refuses.
    pub fn tuned(
        &self,
        simulator: Simulator<'_>,
        device: &Device,
    ) -> Result<BaseStock, ArrivalsError> {
        let (level, paths) = (self.level()?, self.paths()?);
        let replay = self.replay(&paths, self.warm_up()..self.trained_weeks().end)?;
        let vendors = self.catalogue.vendors();
        let market = (&self.rules.market, simulator);
        let last = vendors.iter().copied().max().unwrap_or(0);
        let mut best = vec![(f64::NEG_INFINITY, 1.0); last + 1];
        // Wider while a vendor's best is the largest tried.
        let (mut from, mut step) = (0.5, 0.1);
        for _ in 0..4 {
            let factors: Vec<f64> = (0..16).map(|k| from + step * f64::from(k)).collect();
            for &factor in &factors {
                let policy = BaseStock::new("base stock", factor, level.clone());
                let outcomes = replay.run_in(&policy, &market, device)?;
                let mut earned = vec![0.0; best.len()];
                for (product, &vendor) in vendors.iter().enumerate() {
                    earned[vendor] += outcomes.objective(product);
                }
                for (best, earned) in best.iter_mut().zip(earned) {
                    if earned > best.0 {
                        *best = (earned, factor);
                    }
                }
            }
            let last = factors.last().copied().unwrap_or(from);
            if best.iter().all(|best| best.1 < last) {
                break;
            }
            (from, step) = (last + 2.0 * step, 2.0 * step);
        }
        let (weeks, products) = (level.weeks(), level.columns());
        let scaled = Signals::from_fn(weeks, 1, products, |week, row, product| {
            best[vendors[product]].1 * level.row(week, row)[product]
        });
        Ok(BaseStock::new("base stock", 1.0, scaled))
    }

    /// A network trained by Direct Backprop in the training weeks of a simulator; in a generator with the gradient of [`TrialConfig::margin`]. It is anchored on the level of the lead times, and sees what is known of an order before it is placed.
    ///
    /// # Errors
    /// What the replay refuses, training that diverges.
    pub fn train(
        &self,
        simulator: Simulator<'_>,
        device: &Device,
    ) -> Result<Neural, ArrivalsError> {
        let paths = self.paths()?;
        let replay = self.replay(&paths, self.warm_up()..self.trained_weeks().end)?;
        let network = self.untrained(paths.max_lead_time())?;
        let training = Training {
            steps: self.config.steps,
            batch: 128,
            learning_rate: 3e-3,
            weight_decay: 0.01,
            seed: self.config.seed,
            ..Training::default()
        };
        let money = |lane: usize| {
            let product = paths.product(lane);
            1.0 / (self.weekly[product] * self.panel.price(product, 0)).max(1e-3)
        };
        let weights: Vec<f64> = (0..paths.lanes()).map(money).collect();
        let watch = |_: &_| ControlFlow::Continue(());
        let marginal = match simulator {
            Simulator::Generated(market) => Some(market.clone().with_margin(self.config.margin)?),
            Simulator::LeadTime | Simulator::World(_) => None,
        };
        let simulator = marginal.as_ref().map_or(simulator, Simulator::Generated);
        let market = (&self.rules.market, simulator);
        let trained = direct_backprop(
            &network, &market, &replay, None, &weights, &training, device, watch,
        )?;
        let own = network.theta().len();
        Ok(network.with_theta(trained.theta[..own].to_vec())?)
    }

    fn untrained(&self, longest: usize) -> Result<Neural, ArrivalsError> {
        let (weeks, products) = (self.panel.weeks(), self.panel.products());
        let seen: Vec<Vec<f64>> = (0..weeks * products)
            .map(|cell| {
                let known = self.catalogue.request(cell % products, cell / products);
                let promised = known.promised.unwrap_or(0.0);
                [vec![promised], known.covariates].concat()
            })
            .collect();
        let rows = seen.first().map_or(0, Vec::len);
        let at = |week: usize, row: usize, product: usize| seen[week * products + product][row];
        let known = Signals::from_fn(weeks, rows, products, at);
        let anchor = Anchor::new(vec![self.level()?], Some(known))?;
        let plan = Plan {
            horizon: 4,
            price: true,
        };
        Ok(Neural::new(
            self.panel,
            self.trained_weeks(),
            longest,
            plan,
            &self.config.conventions,
            &NeuralConfig::default(),
            Some(&anchor),
            self.config.seed.wrapping_add(3),
        )?)
    }
}
