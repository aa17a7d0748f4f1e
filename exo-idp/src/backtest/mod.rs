//! Back-tests: what each buying policy would have earned on recorded weeks that it had not seen.
//!
//! Policies are fitted, tuned and trained on the earlier weeks of a record and replayed on the weeks held out at its end, all on the same
//! demand, lead times and opening stock. A *reward* is what a policy earns in those weeks: revenue less purchases and holding
//! cost, discounted, with the change of the value of its stock.
//!
//! | policy | what it does |
//! |---|---|
//! | just-in-time rule | knows future demand and lead times, and orders what arrives just when it is sold |
//! | Direct Backprop | the mean of several networks, trained by gradient ascent through the replay |
//! | promotion-aware newsvendor | raises the stock position to the critical quantile of lead-time demand, forecast with the planned covariates and prices; the level is scaled by a factor tuned per group of products |
//! | target position, tuned | raises the position to the critical quantile of lead-time demand of the training weeks, scaled by a tuned factor |
//! | target position, untuned | the same without the factor |
//! | target position, mean lead time | the same for the mean lead time in place of its distribution, untuned |
//! | base stock | raises the position to mean demand over the lead time and the review week, scaled by a tuned factor |
//! | constant order | orders a week's mean demand every week |
//!
//! ```
//! use hindsight_exo_idp::backtest::{BackTest, Dataset};
//! use hindsight_exo_idp::world::{DemandColumn, World, WorldConfig};
//! use hindsight_gpu::Device;
//!
//! let world = World::new(&WorldConfig { products: 12, weeks: 60, ..WorldConfig::default() })?;
//! let data = Dataset::new(world.panel(DemandColumn::Truth)?);
//! let mut backtest = BackTest::default();
//! (backtest.recipe.ensemble_size, backtest.recipe.training.steps) = (1, 20); // a first look; the defaults take minutes
//! let results = backtest.run(&data, &Device::default(), |_| {})?;
//! for policy in &results.policies {
//!     println!("{:32} {:8.2} [{:.2}, {:.2}]", policy.name, policy.mean, policy.interval.lo, policy.interval.hi);
//! }
//! assert!(results.policies.len() >= 8 && !results.best_heuristic.is_empty());
//! # Ok::<(), hindsight_exo_idp::Error>(())
//! ```

mod dataset;
mod heuristics;
mod notices;
mod origins;
mod results;
mod rewards;
mod segments;
mod standings;
mod summarise;

use std::ops::ControlFlow;

use gpu::Device;

use crate::arrivals::Arrivals;
use crate::compare::Bootstrap;
use crate::conventions::Conventions;
use crate::error::{Error, within};
use crate::lead_times::LeadTimes;
use crate::oracle::JustInTime;
use crate::outcomes::Outcomes;
use crate::paths::Paths;
use crate::policy::{BaseStock, ConstantOrder, Plan, PromotionForecast, Signals};
use crate::replay::Replay;
use crate::train::{Fitted, Recipe, Setting};

pub use dataset::{Dataset, Grouping};
pub use notices::Notice;
pub use origins::Split;
pub use results::{
    Origin, Origins, PolicyResult, ProductResult, Results, Sample, Segment, Segmentation, Track,
    TrainingPoint,
};
pub use standings::{ConfidenceLimits, Difference, Pair, PolicyScore, Role, Standings};

use heuristics::Heuristics;
use origins::WARM_UP;
use rewards::{Entry, RewardTable};
use summarise::{EvaluationContext, summarise};

/// The settings of a back-test.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BackTest {
    /// Weeks held out at each origin, at least 1; `None` for a quarter of the weeks, or so few that the earliest of several origins still
    /// is trained on half of them.
    pub held_out: Option<usize>,
    /// How often the whole job is repeated with earlier ends of the record, at least 1.
    pub origins: usize,
    /// Probabilities of lead times of 0, 1, 2, … weeks, which sum to one; at most 53 of them.
    pub lead_time: Vec<f64>,
    /// Probability that a week's lead time is that of the week before, in [0, 1).
    pub lead_time_persistence: f64,
    /// The conventions of the replay.
    pub conventions: Conventions,
    /// Weeks ahead for which planned covariates are known when an order is placed; `None` for the longest lead time.
    pub plan_weeks: Option<usize>,
    /// Whether prices are known for those weeks too.
    pub price_planned: bool,
    /// How the networks are trained. Its `validation` is set to a sixth of the training weeks, its `seed` to the seed below.
    pub recipe: Recipe,
    /// Samples of lead times per product on which policies are scored, at least 1.
    pub samples: usize,
    /// How intervals are drawn; its `seed` is set to the seed below.
    pub bootstrap: Bootstrap,
    /// The seed of everything random.
    pub seed: u64,
}

impl Default for BackTest {
    fn default() -> Self {
        BackTest {
            held_out: None,
            origins: 1,
            lead_time: vec![0.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0],
            lead_time_persistence: 0.5,
            conventions: Conventions {
                discount: 0.998,
                holding_share: 0.005,
                ..Conventions::default()
            },
            plan_weeks: None,
            price_planned: true,
            recipe: Recipe::default(),
            samples: 4,
            bootstrap: Bootstrap::default(),
            seed: 7,
        }
    }
}

/// How far a back-test is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The origin, from 0.
    pub origin: usize,
    /// Origins in all.
    pub origins: usize,
    /// What is being done there.
    pub stage: Stage,
    /// Steps of training done, those that early stopping saved included.
    pub done: usize,
    /// Steps of training in all, at most.
    pub total: usize,
}

/// What a back-test is doing at an origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// Fitting and tuning the heuristics.
    Heuristics,
    /// Training a network of the ensemble, counted from 0.
    Training {
        /// The network.
        network: usize,
        /// Networks in all.
        networks: usize,
    },
    /// Replaying all policies on the held-out weeks.
    Scoring,
}

impl BackTest {
    /// Checks the settings, as far as they can be checked without a record.
    ///
    /// # Errors
    /// That of the first setting outside its range.
    pub fn validate(&self) -> Result<(), Error> {
        self.conventions.validate()?;
        self.recipe.validate()?;
        self.bootstrap.validate()?;
        self.law(self.seed)?;
        for (name, value) in [
            ("the set of origins", self.origins),
            ("the set of samples", self.samples),
        ] {
            if value == 0 {
                return Err(Error::Empty(name));
            }
        }
        if self.lead_time.len() > 53 {
            let name = "longest lead time";
            let weeks = crate::count::count(self.lead_time.len() - 1);
            within(name, weeks, 0.0, 52.0, "at most 52 weeks")?;
        }
        Ok(())
    }

    /// Runs the back-test. `progress` is called at the start of every stage and at every validation of a network.
    ///
    /// # Errors
    /// When the settings are not valid, the record has too few weeks for the origins, or no product can be scored.
    pub fn run(
        &self,
        data: &Dataset,
        device: &Device,
        mut progress: impl FnMut(Progress),
    ) -> Result<Results, Error> {
        self.validate()?;
        let splits = Split::all(data.panel.weeks(), self.held_out, self.origins)?;
        let bootstrap = self.bootstrap();
        let each = 2 * self.recipe.ensemble_size * self.recipe.training.steps;
        let (mut tables, mut origins, mut last) = (Vec::new(), Vec::new(), None);
        for (origin, split) in splits.iter().enumerate() {
            let known = data.at(split)?;
            let mut at = |stage, step| {
                progress(Progress {
                    origin,
                    origins: splits.len(),
                    stage,
                    done: origin * each + step,
                    total: splits.len() * each,
                });
            };
            let evaluated = self.evaluate(&known, split, device, &mut at)?;
            if splits.len() > 1 {
                origins.push(Origin {
                    training: known.data.span(&split.training),
                    held_out: known.data.span(&split.held_out),
                    scores: evaluated.0.standings(&bootstrap)?,
                });
                tables.push(evaluated.0);
            }
            last = Some(evaluated.1);
        }
        let mut results = last.ok_or(Error::Empty("origins"))?;
        if splits.len() > 1 {
            let pooled = RewardTable::pool(&tables).standings(&bootstrap)?;
            results.origins = Some(Origins { origins, pooled });
        }
        Ok(results)
    }

    /// The whole job at one origin: the record ends with the held-out weeks.
    fn evaluate(
        &self,
        known: &dataset::Known,
        split: &Split,
        device: &Device,
        at: &mut impl FnMut(Stage, usize),
    ) -> Result<(RewardTable, Results), Error> {
        let panel = &known.data.panel;
        let (law, fitting) = (self.law(self.seed)?, self.law(self.seed.wrapping_add(1))?);
        let setting = Setting {
            panel,
            lead_times: &law,
            conventions: self.conventions,
            plan: Plan {
                horizon: self.plan_weeks.unwrap_or(law.max_lead_time()),
                price: self.price_planned,
            },
            weeks: split.training.clone(),
            warm_up: WARM_UP,
        };
        at(Stage::Heuristics, 0);
        let heuristics = Heuristics::fit(&setting, &fitting, device)?;
        let fitted = self.train(&setting, &fitting, &heuristics.forecast, split, device, at)?;
        at(
            Stage::Scoring,
            2 * self.recipe.ensemble_size * self.recipe.training.steps,
        );
        let paths = Paths::new(panel, &law, self.samples)?;
        // The memory of the network reaches back further than the weeks that fitting leaves out.
        let held_setting = Setting {
            warm_up: 2 * WARM_UP,
            ..setting.clone()
        };
        let replay = held_setting.replay(&paths, split.held_out.clone())?;
        let entries = entries(&setting, &replay, heuristics, &fitted, device)?;
        let table = RewardTable::new(&replay, &entries);
        let context = EvaluationContext {
            known,
            split,
            fitted: &fitted,
            bootstrap: &self.bootstrap(),
        };
        let mut results = summarise(&context, &entries, &table)?;
        let found = notices::notices(panel, split, law.max_lead_time());
        results.notices.extend(found);
        Ok((table, results))
    }

    fn train(
        &self,
        setting: &Setting<'_>,
        arrivals: &LeadTimes,
        forecast: &PromotionForecast,
        split: &Split,
        device: &Device,
        at: &mut impl FnMut(Stage, usize),
    ) -> Result<Fitted, Error> {
        let recipe = Recipe {
            validation: split.validation,
            seed: self.seed,
            ..self.recipe.clone()
        };
        let (networks, steps) = (recipe.ensemble_size, recipe.training.steps);
        recipe.fit(setting, arrivals, forecast, device, |course| {
            let before = (2 * course.member + usize::from(course.refit)) * steps;
            let network = course.member;
            at(
                Stage::Training { network, networks },
                before + course.progress.step,
            );
            ControlFlow::Continue(())
        })
    }

    /// The law of lead times: of one law, draws of another seed are other draws.
    fn law(&self, seed: u64) -> Result<LeadTimes, Error> {
        LeadTimes::new(self.lead_time.clone(), self.lead_time_persistence, seed)
    }

    fn bootstrap(&self) -> Bootstrap {
        Bootstrap {
            seed: self.seed,
            ..self.bootstrap
        }
    }
}

/// All policies on the held-out weeks, the highest reward first.
fn entries(
    setting: &Setting<'_>,
    replay: &Replay<'_>,
    heuristics: Heuristics,
    fitted: &Fitted,
    device: &Device,
) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::new();
    let mut add = |name: &str, role, outcomes: Outcomes| {
        let name = name.to_owned();
        entries.push(Entry {
            name,
            role,
            outcomes,
        });
    };
    let oracle = replay.run(&JustInTime::new(replay), device)?;
    add("just-in-time rule", Role::Oracle, oracle);
    let trained = replay.run(&fitted.policy, device)?;
    add("Direct Backprop", Role::Trained, trained);
    for (name, levels) in heuristics.levels {
        let outcomes = replay.run(&BaseStock::new(name, 1.0, levels), device)?;
        add(name, Role::Heuristic, outcomes);
    }
    let reference = setting.reference();
    let panel = setting.panel;
    let mean = Signals::from_fn(panel.weeks(), 1, panel.products(), |_, _, product| {
        reference[product]
    });
    let constant = replay.run(&ConstantOrder::new(1.0, mean), device)?;
    add("constant order", Role::Heuristic, constant);
    entries.sort_by(|a, b| b.outcomes.reward().total_cmp(&a.outcomes.reward()));
    Ok(entries)
}

#[cfg(test)]
mod tests;
