//! Back-tests: what each buying policy would have earned on recorded weeks that it had not seen.
//!
//! Policies are fitted, tuned and trained on the earlier weeks of a record and replayed on the weeks held out at its end, all on the same
//! demand, lead times and opening stock. A *reward* is what a policy earns in those weeks: revenue less purchases and holding
//! cost, discounted, with the change of the value of its stock.
//!
//! | policy | what it does |
//! |---|---|
//! | just-in-time rule | knows future demand and lead times, and orders what arrives just when it is sold |
//! | Direct Backprop | networks fine-tuned on the record, or what clearly earned more in the windows before, each time made from the weeks before the window: networks trained from scratch, the pretrained ones, blends with heuristics, or a heuristic |
//! | pretrained network | a network trained on synthetic records alone, as it is (zero-shot) |
//! | promotion-aware newsvendor | raises the stock position to the critical quantile of lead-time demand, forecast with the planned covariates and prices; the level is scaled by a factor tuned per group of products |
//! | target position, tuned | raises the position to the critical quantile of lead-time demand of the training weeks, scaled by a tuned factor |
//! | target position, untuned | the same without the factor |
//! | target position, mean lead time | the same for the mean lead time in place of its distribution, untuned |
//! | base stock | raises the position to mean demand over the lead time and the review week, scaled by a tuned factor |
//! | seasonal base stock | the same for recent demand with the seasonal index of the weeks covered |
//! | safety stock | exponentially smoothed demand and the textbooks' safety stock, scaled by a tuned factor |
//! | constant order | orders a week's mean demand every week |
//! | own orders | what was really ordered, where the record says it |
//!
//! ```
//! use hindsight_exo_idp::backtest::{BackTest, Dataset};
//! use hindsight_exo_idp::world::{DemandColumn, World, WorldConfig};
//! use hindsight_gpu::Device;
//!
//! let world = World::new(&WorldConfig { products: 12, weeks: 60, ..WorldConfig::default() })?;
//! let data = Dataset::new(world.panel(DemandColumn::Truth)?);
//! let mut backtest = BackTest::default();
//! (backtest.learner.fine_tuning.steps, backtest.learner.from_scratch.steps) = (20, 20); // a first look
//! let results = backtest.run(&data, &Device::default(), |_| {})?;
//! for policy in &results.policies {
//!     println!("{:32} {:8.2} [{:.2}, {:.2}]", policy.name, policy.mean, policy.interval.lo, policy.interval.hi);
//! }
//! assert!(results.policies.len() >= 11 && !results.best_heuristic.is_empty());
//! # Ok::<(), hindsight_exo_idp::Error>(())
//! ```

mod dataset;
mod entry;
mod examiner;
mod heuristics;
mod learning;
mod notices;
mod origins;
mod results;
mod rewards;
mod segments;
mod standings;
mod summarise;

use gpu::Device;

use crate::arrivals::Arrivals;
use crate::compare::Bootstrap;
use crate::conventions::Conventions;
use crate::error::{Error, within};
use crate::lead_times::LeadTimes;
use crate::oracle::JustInTime;
use crate::panel::Panel;
use crate::policy::{
    ConstantOrder, LevelWeights, OrderUpTo, Plan, Policy, RecordedOrders, Signals,
};
use crate::train::{Learner, Setting};

pub use dataset::{Dataset, Grouping};
pub use examiner::{Examiner, Scored};
pub use notices::Notice;
pub use origins::Split;
pub use results::{
    CandidateResult, Learning, Origin, Origins, PolicyResult, ProductResult, Results, Sample,
    Segment, Segmentation, Track, TrainingCourse, TrainingPoint,
};
pub use standings::{ConfidenceLimits, Difference, Pair, PolicyScore, Role, Standings};

use examiner::Scoring;
use learning::{Learnt, Tried};
use origins::WARM_UP;
use rewards::RewardTable;
use summarise::{EvaluationContext, summarise};

/// Products times weeks of a record from which on the job is done once where nobody says how often.
const LARGE: usize = 1_000_000;

/// Products of a window that only serves the choice, at the most: what candidates earn on the average is known well enough by these.
const MOST: usize = 4000;

/// The settings of a back-test.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BackTest {
    /// Weeks held out at each origin, at least 1; `None` for a quarter of the weeks, or so few that the earliest of several origins still
    /// is trained on half of them.
    pub held_out: Option<usize>,
    /// How often the whole job is done, with earlier ends of the record, at least 1; `None` for four times, or as often as the record
    /// allows; once where it has a million products times weeks or more.
    pub origins: Option<usize>,
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
    /// How a policy is learnt. Its `seed` is set to the seed below.
    pub learner: Learner,
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
            origins: None,
            lead_time: vec![0.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0],
            lead_time_persistence: 0.5,
            conventions: Conventions {
                discount: 0.998,
                holding_share: 0.005,
                ..Conventions::default()
            },
            plan_weeks: None,
            price_planned: true,
            learner: Learner::default(),
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
    /// The window that is being learnt for, from 0: first those that only serve the choice, then those of the origins.
    pub window: usize,
    /// Windows in all.
    pub windows: usize,
    /// What is being done there.
    pub stage: Stage,
    /// Steps of training done.
    pub done: usize,
    /// Steps of training in all, at most.
    pub total: usize,
}

/// What a back-test is doing for a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// Reading the record, fitting and tuning the heuristics.
    Heuristics,
    /// Training a network, counted from 0.
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
        self.learner.validate()?;
        self.bootstrap.validate()?;
        self.law(self.seed)?;
        for (name, value) in [
            ("the set of origins", self.origins.unwrap_or(1)),
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

    /// Runs the back-test. `progress` is called at the start of every stage and every so many steps of training.
    ///
    /// # Errors
    /// When the settings are not valid, the record has too few weeks for the origins, or no product can be scored.
    pub fn run(
        &self,
        data: &Dataset,
        device: &Device,
        progress: impl FnMut(Progress),
    ) -> Result<Results, Error> {
        self.run_examined(data, device, progress, &mut ())
    }

    /// The same, with an `examiner` that looks at every policy in every window that scores it.
    ///
    /// # Errors
    /// As [`BackTest::run`].
    pub fn run_examined(
        &self,
        data: &Dataset,
        device: &Device,
        mut progress: impl FnMut(Progress),
        examiner: &mut impl Examiner,
    ) -> Result<Results, Error> {
        self.validate()?;
        let splits = self.splits(&data.panel)?;
        let earlier = splits.first().map(Split::earlier).unwrap_or_default();
        let bootstrap = self.bootstrap();
        let each = self.learner.steps(LevelWeights::pretrained());
        let (windows, unjudged) = (earlier.len() + splits.len(), earlier.len());
        let (mut tables, mut origins, mut last) = (Vec::new(), Vec::new(), None);
        let mut tried: Vec<Tried> = Vec::with_capacity(windows);
        for (window, split) in earlier.iter().chain(&splits).enumerate() {
            let mut known = match data.at(split) {
                // Where no product is recorded there is nothing to choose by.
                Err(Error::NoProduct { .. }) if window < unjudged => continue,
                known => known?,
            };
            let split = &split.counted_anew();
            if window < unjudged && known.data.panel.products() > MOST {
                known.data = known.data.sample(MOST, self.seed)?;
            }
            let mut at = |stage, step| {
                progress(Progress {
                    window,
                    windows,
                    stage,
                    done: window * each + step,
                    total: windows * each,
                });
            };
            let law = self.law(self.seed)?;
            let setting = self.setting(&known, split, &law);
            let fitting = self.law(self.seed.wrapping_add(1))?;
            let learnt = match self.learn(&known, &setting, &fitting, device, &mut at) {
                // A window that only serves the choice, with too few weeks before it for the lead time, is done without.
                Err(Error::Weeks { .. }) if window < unjudged => continue,
                learnt => learnt?,
            };
            if window >= unjudged {
                at(Stage::Scoring, each);
                let paths = setting.paths(&law, self.samples, &split.held_out)?;
                let replay = setting.replay(&paths, split.held_out.clone())?;
                let shown = entry::shown(setting.panel, &split.held_out);
                let scoring = Scoring {
                    replay: &replay,
                    device,
                    plan: setting.plan,
                    window: window - unjudged,
                    shown: &shown,
                    examiner,
                    entries: Vec::new(),
                };
                let (table, results) =
                    self.score(&known, split, &setting, &learnt, &tried, scoring)?;
                if splits.len() > 1 {
                    origins.push(Origin {
                        training: known.data.span(&split.training),
                        held_out: known.data.span(&split.held_out),
                        chosen: results.learning.chosen.clone(),
                        scores: table.standings(&bootstrap)?,
                    });
                    tables.push(table);
                }
                last = Some(results);
            }
            tried.push(learnt.tried());
        }
        let mut results = last.ok_or(Error::Empty("origins"))?;
        if self.origins.is_none() && large(&data.panel) {
            let cells = data.panel.products() * data.panel.weeks();
            results.notices.push(Notice::OneOrigin { cells });
        }
        if let Some(split) = splits.last().filter(|split| split.training.start > 0) {
            results.notices.push(Notice::LongRecord {
                learnt_from: split.training.len(),
                weeks: data.panel.weeks(),
            });
        }
        if splits.len() > 1 {
            let pooled = RewardTable::pool(&tables).standings(&bootstrap)?;
            results.origins = Some(Origins { origins, pooled });
        }
        Ok(results)
    }

    /// The windows that are scored: where nobody says how many and the record has a million cells or more, one.
    ///
    /// # Errors
    /// As [`Split::all`].
    pub fn splits(&self, panel: &Panel) -> Result<Vec<Split>, Error> {
        let origins = self.origins.or(large(panel).then_some(1));
        Split::all(panel.weeks(), self.held_out, origins)
    }

    /// What is fixed for every policy that is made for a window: the record ends with it.
    fn setting<'a>(
        &self,
        known: &'a dataset::Known,
        split: &Split,
        law: &'a LeadTimes,
    ) -> Setting<'a> {
        Setting {
            panel: &known.data.panel,
            lead_times: law,
            conventions: self.conventions,
            plan: Plan {
                horizon: self.plan_weeks.unwrap_or(law.max_lead_time()),
                price: self.price_planned,
            },
            weeks: split.training.clone(),
            warm_up: WARM_UP,
            opening: known.data.opening.as_ref(),
        }
    }

    /// What was made for a window, replayed on its weeks; `tried` is what candidates earned in the windows before.
    fn score<E: Examiner>(
        &self,
        known: &dataset::Known,
        split: &Split,
        setting: &Setting<'_>,
        learnt: &Learnt,
        tried: &[Tried],
        mut scoring: Scoring<'_, E>,
    ) -> Result<(RewardTable, Results), Error> {
        let (choice, learning) = learnt.choose(tried)?;
        let trained = &learnt.candidates.policies[choice.chosen];
        add_all(&mut scoring, setting, learnt, trained)?;
        if let Some(orders) = &known.data.orders {
            let orders = RecordedOrders::new(setting.panel, orders)?;
            scoring.add(orders.name(), Role::Recorded, &orders)?;
        }
        let Scoring {
            replay,
            device,
            shown,
            mut entries,
            ..
        } = scoring;
        entries.sort_by(|a, b| b.reward.total_cmp(&a.reward));
        let table = RewardTable::new(replay, &entries, device);
        let context = EvaluationContext {
            known,
            split,
            learning: &learning,
            bootstrap: &self.bootstrap(),
            shown,
        };
        let mut results = summarise(&context, &entries, &table)?;
        results.notices.extend(learnt.notices.iter().cloned());
        let found = notices::notices(setting.panel, split, setting.max_lead_time());
        results.notices.extend(found);
        Ok((table, results))
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

/// Whether a record has a million products times weeks or more.
fn large(panel: &Panel) -> bool {
    panel.products().saturating_mul(panel.weeks()) >= LARGE
}

/// Runs the policies made from the training weeks on the held-out ones.
fn add_all<E: Examiner>(
    scoring: &mut Scoring<'_, E>,
    setting: &Setting<'_>,
    learnt: &Learnt,
    trained: &OrderUpTo,
) -> Result<(), Error> {
    let oracle = JustInTime::new(scoring.replay);
    scoring.add("just-in-time rule", Role::Oracle, &oracle)?;
    scoring.add("Direct Backprop", Role::Trained, trained)?;
    let zero_shot = &learnt.candidates.zero_shot;
    scoring.add(zero_shot.name(), Role::Pretrained, zero_shot)?;
    for policy in &learnt.candidates.policies[learnt.heuristics..] {
        scoring.add(policy.name(), Role::Heuristic, policy)?;
    }
    let reference = setting.reference();
    let panel = setting.panel;
    let mean = Signals::constant(panel.weeks(), 1, panel.products(), |_, product| {
        reference[product]
    });
    let constant = ConstantOrder::new(1.0, mean);
    scoring.add("constant order", Role::Heuristic, &constant)
}

#[cfg(test)]
mod tests;
