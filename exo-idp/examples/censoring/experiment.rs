//! The experiment: policies made from one record of demand and judged on the true demand, once and round after round.

use std::error::Error;
use std::ops::{ControlFlow, Range};

use hindsight_exo_idp::censor::{SalesRecord, conversion_rate, corrected_demand};
use hindsight_exo_idp::panel::Columns;
use hindsight_exo_idp::policy::LeadTimeLaw;
use hindsight_exo_idp::policy::{
    BaseStock, LeadTimeDemand, Plan, Policy, PromotionForecast, target_position,
};
use hindsight_exo_idp::train::{Recipe, Setting, groups_by_variation, tune_levels};
use hindsight_exo_idp::world::{DemandColumn, World, WorldConfig};
use hindsight_exo_idp::{
    Conventions, LeadTimes, Outcomes, Panel, Paths, Replay, Window, replay::Quantity,
};
use hindsight_gpu::{Device, Stream};
use rand_distr::{Beta, Binomial, Distribution};

/// Weeks that a policy sees before the first week that is scored.
const WARM_UP: usize = 16;
/// Weeks that are known ahead.
const PLANNED: usize = 4;
/// Groups of products whose levels are tuned together.
const GROUPS: usize = 3;

/// Anything that can go wrong on the way.
pub(crate) type Failure = Box<dyn Error>;

/// A world, and what every policy in it is fitted with and judged by.
#[derive(Debug)]
pub(crate) struct Experiment {
    world: World,
    /// The true demand: for judging, and for knowing what is sold.
    truth: Panel,
    law: LeadTimes,
    conventions: Conventions,
    learnt: Range<usize>,
    recipe: Recipe,
    device: Device,
}

impl Experiment {
    /// A world whose products live throughout, so that nothing but the demand column differs. The first `learnt` weeks may be
    /// learnt from, the others are held out. The law of lead times is the mean of the world's vendors'.
    pub(crate) fn new(
        config: &WorldConfig,
        learnt: usize,
        recipe: Recipe,
    ) -> Result<Self, Failure> {
        let world = World::new(&WorldConfig {
            births: 0.0,
            deaths: 0.0,
            ..config.clone()
        })?;
        let mut law = vec![0.0; config.longest_lead + 1];
        for product in 0..config.products {
            for (sum, p) in law.iter_mut().zip(world.lead_time_law(product)) {
                *sum += p;
            }
        }
        let total: f64 = law.iter().sum();
        law.iter_mut().for_each(|p| *p /= total);
        Ok(Experiment {
            truth: world.panel(DemandColumn::Truth)?,
            world,
            law: LeadTimes::new(law, config.lead_persistence, config.seed)?,
            conventions: Conventions {
                holding_share: 0.005,
                ..Conventions::default()
            },
            learnt: 0..learnt,
            recipe,
            device: Device::cpu(2),
        })
    }

    /// The panel of a demand column of the world's own record.
    pub(crate) fn panel(&self, column: DemandColumn) -> Result<Panel, Failure> {
        Ok(self.world.panel(column)?)
    }

    fn setting<'a>(&'a self, panel: &'a Panel) -> Setting<'a> {
        Setting {
            panel,
            lead_times: &self.law,
            conventions: self.conventions,
            plan: Plan {
                horizon: PLANNED,
                price: true,
            },
            weeks: self.learnt.clone(),
            warm_up: WARM_UP,
            opening: None,
        }
    }

    /// The target inventory position with its levels tuned in a replay, all as the record tells it: a user without the truth
    /// replays his policies on the demand that he believes in.
    pub(crate) fn target(&self, record: &Panel) -> Result<BaseStock, Failure> {
        let setting = self.setting(record);
        let levels = target_position(
            record,
            self.learnt.clone(),
            &self.law,
            LeadTimeDemand::Convolved,
            &self.conventions,
        )?;
        let paths = Paths::new(record, &self.law, 1)?;
        let replay = setting.replay(&paths, setting.scored())?;
        let groups = groups_by_variation(&replay, GROUPS);
        let factors: Vec<f64> = (0..14).map(|k| 0.5 + 0.1 * f64::from(k)).collect();
        let tuned = tune_levels(&replay, &levels, &groups, &factors, &self.device)?;
        Ok(BaseStock::new("target position, tuned", 1.0, tuned))
    }

    /// A network trained by Direct Backprop, all as the record tells it: its reward in training, its normalisers and its features, in
    /// the weeks held out too.
    pub(crate) fn network(&self, record: &Panel) -> Result<impl Policy + use<>, Failure> {
        let setting = self.setting(record);
        let horizon = self.law.probabilities(0).len();
        let forecast = PromotionForecast::fit(record, self.learnt.clone(), setting.plan, horizon)?;
        let fitted = self
            .recipe
            .fit(&setting, &self.law, &forecast, &self.device, |_| {
                ControlFlow::Continue(())
            })?;
        Ok(fitted.policy)
    }

    /// What a policy earns in the weeks held out, on the true demand. Lead times and opening stock are the same for all policies.
    pub(crate) fn judge<P: Policy>(&self, policy: &P) -> Result<Outcomes, Failure> {
        let paths = Paths::new(&self.truth, &self.law, 1)?;
        let held_out = self.learnt.end..self.truth.weeks();
        let replay = self.setting(&self.truth).replay(&paths, held_out)?;
        Ok(replay.run(policy, &self.device)?)
    }

    /// What a record would show if a policy had been in charge in all weeks.
    pub(crate) fn produce<P: Policy>(&self, policy: &P, seed: u64) -> Result<Record, Failure> {
        let paths = Paths::new(&self.truth, &self.law, 1)?;
        let window = Window {
            scored: 0..self.truth.weeks(),
            warm_up: 0,
        };
        let reference = self.setting(&self.truth).reference();
        let replay = Replay::new(&paths, self.conventions, window, &reference)?;
        let outcomes = replay.run(policy, &self.device)?;
        Record::produced(&self.world, &outcomes, seed)
    }

    /// Four rounds: in each a policy is fitted to the learnt weeks of the record, judged on the weeks held out, and put in charge of all
    /// weeks; what it sells is the next round's record.
    pub(crate) fn spiral<P: Policy>(
        &self,
        corrected: bool,
        fit: impl Fn(&Panel) -> Result<P, Failure>,
    ) -> Result<Vec<Round>, Failure> {
        let mut record = Record::logged(&self.world);
        let mut rounds = Vec::new();
        for round in 0..4 {
            let panel = record.panel(&self.truth, corrected)?;
            let policy = fit(&panel)?;
            rounds.push(Round {
                believed: demand_of(&panel, &self.learnt) / demand_of(&self.truth, &self.learnt),
                outcomes: self.judge(&policy)?,
            });
            record = self.produce(&policy, round)?;
        }
        Ok(rounds)
    }
}

/// A round of the spiral.
#[derive(Debug)]
pub(crate) struct Round {
    /// Demand of the learnt weeks as the round's record tells it, as a share of the true demand.
    pub(crate) believed: f64,
    /// What the policy fitted to the record earns on the true demand, in the weeks held out.
    pub(crate) outcomes: Outcomes,
}

fn demand_of(panel: &Panel, weeks: &Range<usize>) -> f64 {
    (0..panel.products())
        .flat_map(|product| weeks.clone().map(move |week| panel.demand(product, week)))
        .sum()
}

/// What a seller knows of his products: sales, and the page views while in stock and while out of stock, by product and week.
#[derive(Debug)]
pub(crate) struct Record {
    sales: Vec<Vec<f64>>,
    views_in_stock: Vec<Vec<f64>>,
    views_out_of_stock: Vec<Vec<f64>>,
}

impl Record {
    /// The world's own record, made by its logged policy.
    pub(crate) fn logged(world: &World) -> Self {
        let all = |path: fn(&World, usize) -> &[f64]| {
            (0..world.products().len())
                .map(|product| path(world, product).to_vec())
                .collect()
        };
        Record {
            sales: all(World::sales),
            views_in_stock: all(World::views_in_stock),
            views_out_of_stock: all(World::views_out_of_stock),
        }
    }

    /// The record that a replay leaves. Views do not react to stock, and come at even times within the week: the shelf is empty
    /// from the last unit's sale on, as in the world's own record.
    fn produced(world: &World, outcomes: &Outcomes, seed: u64) -> Result<Self, Failure> {
        let stream = Stream::new(seed, "views of a round");
        let products = world.products().len();
        let mut record = Record {
            sales: vec![Vec::new(); products],
            views_in_stock: vec![Vec::new(); products],
            views_out_of_stock: vec![Vec::new(); products],
        };
        for product in 0..products {
            for week in outcomes.seen() {
                let mut rng = stream.at(product as u64, u32::try_from(week)?);
                let [sold, unmet, left] = [Quantity::Sold, Quantity::Unmet, Quantity::OnHand]
                    .map(|quantity| outcomes.mean(quantity, product, week));
                let share = if left > 0.0 {
                    1.0
                } else if sold > 0.0 {
                    Beta::new(sold, unmet + 1.0)?.sample(&mut rng)
                } else {
                    0.0
                };
                let views =
                    world.views_in_stock(product)[week] + world.views_out_of_stock(product)[week];
                // Views that would not have turned into demand, with stock or without.
                let idle = whole(views - world.demand(product)[week]);
                let seen = real(Binomial::new(idle, share)?.sample(&mut rng));
                record.sales[product].push(sold);
                record.views_in_stock[product].push(sold + seen);
                record.views_out_of_stock[product].push(unmet + real(idle) - seen);
            }
        }
        Ok(record)
    }

    /// The true panel with the demand that the record tells: its sales, or its sales and the views out of stock times a conversion
    /// rate that is estimated from the record.
    pub(crate) fn panel(&self, truth: &Panel, corrected: bool) -> Result<Panel, Failure> {
        let sum = |paths: &[Vec<f64>]| paths.iter().flatten().sum::<f64>();
        let pooled = sum(&self.sales) / sum(&self.views_in_stock).max(1.0);
        let mut demand = Vec::new();
        for (product, sales) in self.sales.iter().enumerate() {
            if !corrected {
                demand.extend_from_slice(sales);
                continue;
            }
            let rate = conversion_rate(sales, &self.views_in_stock[product]).unwrap_or(pooled);
            demand.extend(
                corrected_demand(&SalesRecord {
                    sales,
                    views_out_of_stock: Some(&self.views_out_of_stock[product]),
                    conversion: Some(&vec![rate; sales.len()]),
                    ..SalesRecord::default()
                })?
                .units,
            );
        }
        let all = |value: fn(&Panel, usize, usize) -> f64| {
            (0..truth.products())
                .flat_map(|product| (0..truth.weeks()).map(move |week| value(truth, product, week)))
                .collect()
        };
        let columns = Columns {
            demand,
            price: all(Panel::price),
            cost: all(Panel::cost),
            present: vec![true; truth.products() * truth.weeks()],
            covariates: truth.covariates().to_vec(),
        };
        Ok(Panel::new(truth.names().to_vec(), truth.weeks(), columns)?)
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count of views, at least zero"
)]
fn whole(x: f64) -> u64 {
    x.max(0.0).round() as u64
}

#[allow(clippy::cast_precision_loss, reason = "counts far below 2^53")]
fn real(n: u64) -> f64 {
    n as f64
}
