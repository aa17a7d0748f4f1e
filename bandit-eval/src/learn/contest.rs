//! All learners on one log: how each got on while it learnt, and by how much what it learnt is better than the policy that made the log.

use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;

use super::{
    EpsilonGreedy, History, Improvement, Learner, LinTs, LinUcb, Replayed, SquareCb, count,
};
use crate::error::{Allowed, Error, Result};
use crate::interval::Interval;
use crate::model::{Features, Folds};
use crate::verdict::Limits;

/// How much each learner explores, in rewards of standard deviation one.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Exploration {
    /// Optimism of [`LinUcb`]. Default 1.
    pub alpha: f64,
    /// Scale of the posterior of [`LinTs`]. Default 0.5.
    pub scale: f64,
    /// Greed of [`SquareCb`]. Default 50.
    pub gamma: f64,
    /// Share of rounds by lot of [`EpsilonGreedy`]. Default 0.1.
    pub epsilon: f64,
    /// Penalty of all regressions. Default 1.
    pub penalty: f64,
}

impl Default for Exploration {
    fn default() -> Self {
        Exploration {
            alpha: 1.0,
            scale: 0.5,
            gamma: 50.0,
            epsilon: 0.1,
            penalty: 1.0,
        }
    }
}

/// Which part of a log is learnt from, and how what was learnt is judged by the rest.
///
/// Learners replay the first part ([`History::replay`]), and one policy is learnt from all of it at once ([`History::policy`]). What each then thinks
/// best is judged on the rounds that follow ([`History::improvement`]), with rewards predicted by models of the first part. Features are brought to mean 0
/// and standard deviation 1 of the first part and joined by a constant, and so are rewards while learning.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Contest {
    /// Share of the rounds, the earliest, that is learnt from. Default one half.
    pub share: f64,
    /// How much is explored.
    pub exploration: Exploration,
    /// Level of the bounds, of all learners together. Default 0.95.
    pub level: f64,
    /// When there is no answer.
    pub limits: Limits,
    /// Seed of everything random. Default 1.
    pub seed: u64,
}

impl Default for Contest {
    fn default() -> Self {
        Contest {
            share: 0.5,
            exploration: Exploration::default(),
            level: 0.95,
            limits: Limits::default(),
            seed: 1,
        }
    }
}

/// How a contest ended.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Standing {
    /// Rounds that were learnt from.
    pub learning: usize,
    /// Mean reward in them, under the policy that made the log.
    pub logged: f64,
    /// Rounds that judged.
    pub judging: usize,
    /// What was learnt, learner by learner.
    pub learnt: Vec<Learnt>,
    /// The one of the largest lower bound above 0, if there is one.
    pub best: Option<usize>,
    /// The level of the bounds, of all learners together.
    pub level: f64,
}

impl Standing {
    /// The finding in a sentence; `actions` are the names of the actions.
    #[must_use]
    pub fn finding(&self, actions: &[String]) -> String {
        let best = self.best.and_then(|best| self.learnt.get(best));
        let Some((best, found)) = best.and_then(|b| Some((b, b.improvement.as_ref()?))) else {
            return "Nothing that was learnt is better than the policy of the log beyond doubt."
                .to_owned();
        };
        let shares = actions.iter().zip(&found.actions);
        let shares: Vec<String> = shares
            .map(|(name, share)| format!("{name} in {:.0} %", 100.0 * share))
            .collect();
        format!(
            "The policy that {} learnt ({} of the rounds) earns at least {:.3} a round more than that of the log, at a level of {} % for all learners together.",
            best.learner,
            shares.join(", "),
            found.lower,
            100.0 * self.level,
        )
    }

    /// What withholds answers, learner by learner.
    pub fn refusals(&self) -> impl Iterator<Item = String> {
        self.learnt.iter().flat_map(|one| {
            let reasons = one.refusals.iter();
            reasons.map(|why| format!("{}: {why}", one.learner))
        })
    }
}

/// What became of one learner.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Learnt {
    /// Its name.
    pub learner: &'static str,
    /// What it earned while it learnt; `None` where it did not act, or the log cannot tell.
    pub replay: Option<Replayed>,
    /// The interval of what it earned, of this learner alone.
    pub interval: Option<Interval>,
    /// By how much its policy is better than that of the log; `None` where the log cannot tell.
    pub improvement: Option<Improvement>,
    /// Why there is no answer, where there is none.
    pub refusals: Vec<String>,
}

impl Contest {
    /// Runs all learners on a log.
    ///
    /// # Errors
    /// When a number is outside its range, a round is at fault, or a part of the log is empty.
    pub fn run(&self, history: &History<'_>) -> Result<Standing> {
        Allowed::Between(0.0, 1.0).check("share of rounds to learn from", self.share)?;
        crate::error::check_level(self.level)?;
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a number of rounds"
        )]
        let at = (self.share * count(history.rounds())).round() as usize;
        let (early, _) = history.split(at)?;
        let scaled = Scaled::new(history, &early)?;
        let columns = history.features.columns() + 1;
        let whole = History {
            features: Features::new(columns, &scaled.features)?,
            ..*history
        };
        let (learning, judging) = whole.split(at)?;
        let models = learning.rewards_by_action(self.exploration.penalty)?;
        let mut predicted = vec![0.0; judging.rounds() * judging.actions];
        for (round, row) in predicted.chunks_exact_mut(judging.actions).enumerate() {
            models.predict(judging.features.row(round), row);
        }
        let judge = Judge {
            contest: self,
            judging,
            predicted: &predicted,
        };
        let unit = History {
            reward: &scaled.reward,
            ..learning
        };
        let learners = self.learners(history.actions, columns)?;
        let looks = learners.len() + 1;
        let mut learnt = Vec::with_capacity(looks);
        for (place, (name, mut learner)) in learners.into_iter().enumerate() {
            let seed = self.seed.wrapping_add((place as u64) << 32);
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
            let replayed = unit.replay(&mut *learner, &self.limits, &mut rng)?;
            let mut one = judge.judge(name, |context| learner.best(context), looks)?;
            match replayed {
                Ok(replayed) => {
                    let replayed = replayed.rescaled(scaled.offset, scaled.factor);
                    one.interval = Some(replayed.interval(self.level)?);
                    one.replay = Some(replayed);
                }
                Err(refusal) => one.refusals.insert(0, refusal.to_string()),
            }
            learnt.push(one);
        }
        let folds = Folds {
            count: 5,
            seed: self.seed,
            groups: None,
        };
        let policy = learning.policy(self.exploration.penalty, folds)?;
        learnt.push(judge.judge("doubly robust argmax", |x| Ok(policy(x)), looks)?);
        let lower = |one: &Learnt| one.improvement.as_ref().map_or(0.0, |i| i.lower);
        let best = (0..learnt.len()).filter(|i| lower(&learnt[*i]) > 0.0);
        let best = best.max_by(|a, b| lower(&learnt[*a]).total_cmp(&lower(&learnt[*b])));
        Ok(Standing {
            learning: learning.rounds(),
            logged: learning.mean(),
            judging: judging.rounds(),
            learnt,
            best,
            level: self.level,
        })
    }

    fn learners(
        &self,
        actions: usize,
        columns: usize,
    ) -> Result<Vec<(&'static str, Box<dyn Learner>)>> {
        let Exploration {
            alpha,
            scale,
            gamma,
            epsilon,
            penalty,
        } = self.exploration;
        Ok(vec![
            (
                "LinUCB",
                Box::new(LinUcb::new(actions, columns, alpha, penalty)?),
            ),
            (
                "LinTS",
                Box::new(LinTs::new(actions, columns, scale, penalty)?),
            ),
            (
                "SquareCB",
                Box::new(SquareCb::new(actions, columns, gamma, penalty)?),
            ),
            (
                "epsilon-greedy",
                Box::new(EpsilonGreedy::new(actions, columns, epsilon, penalty)?),
            ),
        ])
    }
}

/// The rounds that judge.
struct Judge<'a> {
    contest: &'a Contest,
    judging: History<'a>,
    predicted: &'a [f64],
}

impl Judge<'_> {
    fn judge(
        &self,
        learner: &'static str,
        policy: impl FnMut(&[f64]) -> Result<usize>,
        looks: usize,
    ) -> Result<Learnt> {
        let Contest { level, limits, .. } = self.contest;
        let found = self
            .judging
            .improvement(policy, self.predicted, *level, looks, limits)?;
        let refusals = found.as_ref().err().map(ToString::to_string);
        Ok(Learnt {
            learner,
            replay: None,
            interval: None,
            improvement: found.ok(),
            refusals: refusals.into_iter().collect(),
        })
    }
}

/// Features and rewards in units of the early rounds.
struct Scaled {
    /// Rows of all rounds, each with a constant first.
    features: Vec<f64>,
    /// Rewards of the early rounds.
    reward: Vec<f64>,
    offset: f64,
    factor: f64,
}

impl Scaled {
    fn new(all: &History<'_>, early: &History<'_>) -> Result<Self> {
        let columns = all.features.columns();
        let scale = |column: usize| {
            let values = early.features.values().iter().skip(column);
            scale(&values.step_by(columns).copied().collect::<Vec<_>>())
        };
        let scales: Vec<(f64, f64)> = (0..columns).map(scale).collect();
        let mut features = Vec::with_capacity(all.rounds() * (columns + 1));
        for row in all.features.values().chunks_exact(columns) {
            features.push(1.0);
            features.extend(
                row.iter()
                    .zip(&scales)
                    .map(|(x, (mean, sd))| (x - mean) / sd),
            );
        }
        let (offset, factor) = self::scale(early.reward);
        if !(offset.is_finite() && factor.is_finite()) {
            return Err(Error::Value {
                what: "spread of the rewards",
                index: 0,
                value: factor,
                min: 0.0,
                max: f64::MAX,
            });
        }
        let reward = early.reward.iter().map(|r| (r - offset) / factor).collect();
        Ok(Scaled {
            features,
            reward,
            offset,
            factor,
        })
    }
}

/// Mean and standard deviation; 1 in place of a deviation of 0.
fn scale(values: &[f64]) -> (f64, f64) {
    let n = count(values.len());
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
    (mean, if variance > 0.0 { variance.sqrt() } else { 1.0 })
}
