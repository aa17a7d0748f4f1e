//! The equilibrium gap of every policy of a back-test, and what following the found changes would add.

use std::collections::{BTreeMap, HashMap};

use hindsight_exo_idp::backtest::{BackTest, Dataset, Examiner, Progress, Results, Role, Scored};
use hindsight_exo_idp::gpu::Device;
use hindsight_exo_idp::policy::{Plan, Policy, Selected};
use hindsight_exo_idp::replay::{Arm, Deviations};
use hindsight_exo_idp::{Outcomes, Panel, Replay};

use super::gap::{ContextGain, Gap, Question, lot};
use super::judged::Judged;
use super::map::MapClass;
use super::replay::{ReplayedGains, Tweak};
use crate::error::{Error, Result};
use crate::interval::Interval;

/// Planned covariates of which contexts know the coming weeks, at the most.
const COVARIATES: usize = 4;

/// Coming weeks that contexts know, at the most.
const AHEAD: usize = 4;

/// Finds the gaps of a back-test's policies, in every window that scores them:
///
/// ```no_run
/// use hindsight_bandit_eval::equilibrium::{PolicyGap, WindowGaps};
/// use hindsight_exo_idp::backtest::{BackTest, Dataset};
/// # fn gaps(data: &Dataset) -> Result<(), Box<dyn std::error::Error>> {
/// let mut gaps = WindowGaps::default();
/// let results = gaps.of_backtest(&BackTest::default(), data, &Default::default(), &mut |_| {})?;
/// for PolicyGap { policy, gap, interval, .. } in gaps.finish()? {
///     println!("{policy}: {gap:.2} [{:.2}, {:.2}]", interval.lower, interval.upper);
/// }
/// # Ok(())
/// # }
/// ```
///
/// In each window and for each policy, one half of the products, by lot, choose the map of the class that gained most on them; what it gains on the other half
/// is the window's part of the gap. So the map may use the hindsight of these weeks, but not that of the products that judge. Then the map is followed in all decisions
/// at once, and the judging products say what that adds. Contexts are what is known when an order is placed: planned covariates of this and of
/// coming weeks, price over cost, and demand a week and four weeks ago. Samples of lead times are averaged. Of a large record some products are drawn
/// by lot, the same in every window that has them.
#[derive(Debug, Clone)]
pub struct WindowGaps {
    /// The ways in which orders are changed. Default: times 0, 0.5, 0.8, 0.9, 1.1, 1.25 and 2.
    pub arms: Vec<Arm>,
    /// Weeks that a change is followed; none for three times the longest lead time and its week of review.
    pub reach: Option<usize>,
    /// The class of maps. Default: pruned trees of depth 3 with 200 decisions in a leaf, or a hundredth of all where that is less.
    pub class: MapClass,
    /// How the map is chosen and judged.
    pub question: Question,
    /// Products that are looked at, at the most. Default 4,000.
    pub products: usize,
    numbers: HashMap<String, u64>,
    policies: BTreeMap<String, Account>,
    order: Vec<String>,
    fault: Option<Error>,
}

/// What is kept of a policy.
#[derive(Debug, Clone)]
struct Account {
    role: Role,
    gap: Judged,
    tweak: Judged,
    last: Vec<ContextGain>,
    windows: Vec<f64>,
    products: usize,
}

/// The equilibrium gap of a policy of a back-test.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct PolicyGap {
    /// The policy.
    pub policy: String,
    /// What it is in the back-test.
    pub role: Role,
    /// Money per decision that changing a small share of decisions would have earned, over all windows; below 0 where a choice by chance disappoints.
    pub gap: f64,
    /// Its standard error, over products and weeks.
    pub standard_error: f64,
    /// Its interval.
    pub interval: Interval,
    /// The same without standard errors, window by window.
    pub windows: Vec<f64>,
    /// Products that choose or judge, in the last window.
    pub products: usize,
    /// Share of decisions that the last window's map changes.
    pub changed: f64,
    /// What each arm that the last window's map uses gained, 0 for keeping.
    pub arms: Vec<ContextGain>,
    /// Money per product and week that following the maps in all decisions would have added.
    pub tweak: f64,
    /// Its interval.
    pub tweak_interval: Interval,
    /// How much larger the gap is than that of the trained policy, decision by decision; none for that policy itself.
    pub over_trained: Option<GapDifference>,
}

/// The difference of two gaps.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct GapDifference {
    /// Money per decision.
    pub mean: f64,
    /// Its interval.
    pub interval: Interval,
}

impl Default for WindowGaps {
    fn default() -> Self {
        let arm = |times| Arm { times, plus: 0.0 };
        WindowGaps {
            arms: [0.0, 0.5, 0.8, 0.9, 1.1, 1.25, 2.0].map(arm).to_vec(),
            reach: None,
            class: MapClass::PrunedTree {
                depth: 3,
                least: 200,
            },
            question: Question::default(),
            products: 4000,
            numbers: HashMap::new(),
            policies: BTreeMap::new(),
            order: Vec::new(),
            fault: None,
        }
    }
}

impl WindowGaps {
    /// Runs a back-test and looks at its policies: [`BackTest::run_examined`], compiled here, and not once more in the crate that asks for it.
    ///
    /// # Errors
    /// Those of the back-test; faults of the look itself come with [`WindowGaps::finish`].
    pub fn of_backtest(
        &mut self,
        backtest: &BackTest,
        data: &Dataset,
        device: &Device,
        progress: &mut dyn FnMut(Progress),
    ) -> std::result::Result<Results, hindsight_exo_idp::Error> {
        backtest.run_examined(data, device, progress, self)
    }
}

impl Examiner for WindowGaps {
    fn examine<P: Policy>(&mut self, scored: &Scored<'_>, policy: &P) {
        if self.fault.is_none()
            && let Err(fault) = self.look(scored, policy)
        {
            self.fault = Some(fault);
        }
    }
}

impl WindowGaps {
    /// Returns the usual arms and class, with a question of one's own.
    #[must_use]
    pub fn new(question: Question) -> Self {
        WindowGaps {
            question,
            ..WindowGaps::default()
        }
    }

    fn look<P: Policy>(&mut self, scored: &Scored<'_>, policy: &P) -> Result<()> {
        let (replay, panel) = (scored.replay, scored.replay.paths().panel());
        let numbers: Vec<u64> = panel.names().iter().map(|name| self.number(name)).collect();
        if panel.products() <= self.products {
            let policy = Selected::all(policy);
            return self.look_at(scored, replay, &numbers, &policy, scored.outcomes);
        }
        let drawn = drawn(&numbers, self.products, self.question.seed);
        let few = panel.select(&drawn)?;
        let paths = replay.paths().select(&few, &drawn)?;
        let replay = replay.select(&paths, &drawn)?;
        let policy = Selected::new(policy, scored.replay.paths(), &drawn)?;
        let outcomes = replay.run(&policy, scored.device)?;
        let numbers: Vec<u64> = drawn.iter().map(|product| numbers[*product]).collect();
        self.look_at(scored, &replay, &numbers, &policy, &outcomes)
    }

    /// Looks at a policy in a replay of the products with these numbers, in which these are its outcomes.
    fn look_at<P: Policy>(
        &mut self,
        scored: &Scored<'_>,
        replay: &Replay<'_>,
        numbers: &[u64],
        policy: &P,
        outcomes: &Outcomes,
    ) -> Result<()> {
        let context = Context::new(replay.paths().panel(), scored.plan);
        let reach = self
            .reach
            .unwrap_or(3 * (replay.paths().max_lead_time() + 1));
        let deviations = Deviations {
            arms: self.arms.clone(),
            reach,
            units: None,
        };
        let known =
            |week: usize, product: usize, out: &mut Vec<f64>| context.of(week, product, out);
        let found = ReplayedGains::averaged(
            replay,
            policy,
            &(),
            &deviations,
            scored.device,
            context.columns(),
            known,
        )?;
        let found = found.renumbered(numbers);
        let table = found.table()?;
        let gap = table.gap(self.class_for(table.decisions()), &self.question)?;
        let tweak = if gap.map.keeps_all() {
            zero(&gap.judged)
        } else {
            let tweak = Tweak::new(replay, &gap.map, &self.arms, known, |_, _| true);
            let tweaked = replay.run_in(policy, &tweak, scored.device)?;
            added(replay, &gap.judged, numbers, &tweaked, outcomes)
        };
        self.keep(scored, gap, &tweak, numbers.len())
    }

    /// The number of a product, the same in every window.
    fn number(&mut self, name: &str) -> u64 {
        let next = self.numbers.len() as u64;
        *self.numbers.entry(name.to_owned()).or_insert(next)
    }

    fn class_for(&self, decisions: usize) -> MapClass {
        match self.class {
            MapClass::PrunedTree { depth, least } => MapClass::PrunedTree {
                depth,
                least: least.min(decisions / 100).max(2),
            },
            class => class,
        }
    }

    fn keep(
        &mut self,
        scored: &Scored<'_>,
        gap: Gap,
        tweak: &Judged,
        products: usize,
    ) -> Result<()> {
        if !self.policies.contains_key(scored.name) {
            self.order.push(scored.name.to_owned());
        }
        let account = self
            .policies
            .entry(scored.name.to_owned())
            .or_insert_with(|| Account {
                role: scored.role,
                gap: Judged::default(),
                tweak: Judged::default(),
                last: Vec::new(),
                windows: Vec::new(),
                products,
            });
        account.products = products;
        account.windows.push(gap.gain);
        account.last = gap.arms;
        account.gap.append(&gap.judged)?;
        account.tweak.append(tweak)
    }

    /// The gaps, in the order in which policies were looked at.
    ///
    /// # Errors
    /// What was wrong when a policy was looked at, say too few products to choose and to judge.
    pub fn finish(self) -> Result<Vec<PolicyGap>> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let trained = self.policies.values().find(|a| a.role == Role::Trained);
        let level = self.question.level;
        self.order
            .iter()
            .filter_map(|name| Some((name, self.policies.get(name)?)))
            .map(|(name, account)| {
                let gap = account.gap.mean();
                let over_trained = trained
                    .filter(|_| account.role != Role::Trained)
                    .and_then(|trained| account.gap.minus(&trained.gap).ok())
                    .map(|difference| {
                        let mean = difference.mean();
                        Ok::<_, Error>(GapDifference {
                            mean: mean.gain,
                            interval: mean.interval(level)?,
                        })
                    })
                    .transpose()?;
                let tweak = account.tweak.mean();
                let changed = account.last.iter().filter(|c| c.arm > 0);
                Ok(PolicyGap {
                    policy: name.clone(),
                    role: account.role,
                    gap: gap.gain,
                    standard_error: gap.standard_error,
                    interval: gap.interval(level)?,
                    windows: account.windows.clone(),
                    products: account.products,
                    changed: changed.map(|c| c.share).sum(),
                    arms: account.last.clone(),
                    tweak: tweak.gain,
                    tweak_interval: tweak.interval(level)?,
                    over_trained,
                })
            })
            .collect()
    }
}

/// The places of `most` of the products, drawn by lot, in their order.
fn drawn(numbers: &[u64], most: usize, seed: u64) -> Vec<usize> {
    // Another lot than the one by which products choose or judge.
    let lot = |place: &usize| (lot(numbers[*place], !seed), *place);
    let mut places: Vec<usize> = (0..numbers.len()).collect();
    places.sort_unstable_by_key(lot);
    places.truncate(most);
    places.sort_unstable();
    places
}

/// What is known when an order is placed.
struct Context<'a> {
    panel: &'a Panel,
    plan: Plan,
    covariates: Vec<usize>,
}

impl<'a> Context<'a> {
    fn new(panel: &'a Panel, plan: Plan) -> Self {
        let planned = panel
            .covariates()
            .iter()
            .enumerate()
            .filter(|(_, c)| c.planned);
        Context {
            panel,
            plan,
            covariates: planned.map(|(k, _)| k).take(COVARIATES).collect(),
        }
    }

    fn columns(&self) -> usize {
        self.covariates.len() * (self.plan.horizon.min(AHEAD) + 1) + 3
    }

    fn of(&self, week: usize, product: usize, out: &mut Vec<f64>) {
        let (panel, last) = (self.panel, self.panel.weeks() - 1);
        for k in &self.covariates {
            for ahead in 0..=self.plan.horizon.min(AHEAD) {
                let at = (week + ahead).min(last);
                out.push(panel.covariate(*k, product, at));
            }
        }
        let priced = if self.plan.price {
            week
        } else {
            week.saturating_sub(1)
        };
        let cost = panel.cost(product, priced).max(f64::MIN_POSITIVE);
        out.push(panel.price(product, priced) / cost);
        for back in [1, 4] {
            out.push((1.0 + panel.demand(product, week.saturating_sub(back))).ln());
        }
    }
}

/// What a tweak that keeps everything adds.
fn zero(judged: &Judged) -> Judged {
    Judged {
        gain: vec![0.0; judged.gain.len()],
        ..judged.clone()
    }
}

/// What a tweak added in each decision of the products that judged.
fn added(
    replay: &Replay<'_>,
    judged: &Judged,
    numbered: &[u64],
    tweaked: &Outcomes,
    base: &Outcomes,
) -> Judged {
    let first = replay.window().scored.start;
    let places: HashMap<u64, usize> = numbered.iter().copied().zip(0..).collect();
    let mut rewards: HashMap<u64, Vec<f64>> = HashMap::new();
    let mut gain = Vec::with_capacity(judged.gain.len());
    for (product, week) in judged.product.iter().zip(&judged.week) {
        let by_week = rewards.entry(*product).or_insert_with(|| {
            let place = places.get(product).copied().unwrap_or_default();
            let pairs = tweaked.accrued_reward(place).into_iter();
            pairs
                .zip(base.accrued_reward(place))
                .map(|(a, b)| a - b)
                .collect()
        });
        #[allow(clippy::cast_possible_truncation, reason = "a week of the record")]
        let at = *week as usize - first;
        gain.push(by_week.get(at).copied().unwrap_or_default());
    }
    Judged {
        weight: vec![1.0; gain.len()],
        gain,
        ..judged.clone()
    }
}

#[cfg(test)]
mod tests;
