//! What a learner would have earned in place of the policy that made a log.

use rand::{Rng, RngExt};

use super::{History, Learner, count};
use crate::error::Result;
use crate::estimator::Estimator;
use crate::interval::{Interval, t_quantile, two_sided};
use crate::verdict::{Limits, NotEvaluable, Reason};

/// How many parts of a replay are told of one by one.
const STAGES: usize = 10;

/// What a learner earned in a replay.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Replayed {
    /// Logged rounds.
    pub rounds: usize,
    /// Rounds in which the learner did what was logged, and learnt from it.
    pub accepted: usize,
    /// Mean reward of the accepted rounds: what the learner earned per round while it learnt.
    pub reward: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// The same by tenths of the accepted rounds: how it got on.
    pub stages: Vec<Stage>,
}

/// A part of a replay.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Stage {
    /// Accepted rounds up to its end.
    pub accepted: u32,
    /// Mean reward in it.
    pub reward: f64,
}

impl Replayed {
    /// Returns the interval of the mean reward: Student's t, as rewards less their expectations are uncorrelated though what was learnt depends on them.
    ///
    /// # Errors
    /// When the level is not between 0 and 1.
    pub fn interval(&self, level: f64) -> Result<Interval> {
        crate::error::check_level(level)?;
        let quantile = t_quantile(f64::midpoint(1.0, level), count(self.accepted) - 1.0);
        let half = quantile * self.standard_error;
        Ok(Interval::around(self.reward, half, level))
    }

    /// The same in rewards of which one is `factor` of these, and whose zero is `offset`.
    pub(super) fn rescaled(mut self, offset: f64, factor: f64) -> Self {
        self.reward = offset + factor * self.reward;
        self.standard_error *= factor;
        for stage in &mut self.stages {
            stage.reward = offset + factor * stage.reward;
        }
        self
    }
}

impl History<'_> {
    /// Lets a learner go through the log as if it had acted there: in each round it chooses, and where it chooses what was logged the round is accepted,
    /// it is paid and learns. A logged action of propensity $p$ is accepted with probability $p_{\min} / p$ only, so that every choice stands the same
    /// chance $p_{\min}$ of being accepted, and the accepted rounds are what the learner would have met on line. About $n p_{\min}$ rounds are left.
    ///
    /// Source: Li, Chu, Langford and Wang (2011), for a uniform logging policy; the thinning is rejection sampling.
    ///
    /// The answer is withheld where too few rounds are accepted, or so many more or less than $n p_{\min}$ that the learner must have wanted what the logging
    /// policy never does, or the propensities are not those of the log.
    ///
    /// # Errors
    /// When a round is at fault, or as [`Learner::choose`].
    pub fn replay(
        &self,
        learner: &mut dyn Learner,
        limits: &Limits,
        rng: &mut dyn Rng,
    ) -> Result<std::result::Result<Replayed, NotEvaluable>> {
        self.check()?;
        let least = self.propensity.iter().copied().fold(1.0, f64::min);
        let mut rewards = Vec::new();
        for round in 0..self.rounds() {
            let context = self.features.row(round);
            let action = self.action[round] as usize;
            let choice = learner.choose(context, rng)?;
            if choice.action == action && rng.random::<f64>() * self.propensity[round] < least {
                learner.learn(context, action, self.reward[round])?;
                rewards.push(self.reward[round]);
            }
        }
        let (n, accepted) = (count(self.rounds()), count(rewards.len()));
        let expected = n * least;
        let mut reasons = Vec::new();
        if accepted < limits.effective.max(2.0) {
            reasons.push(Reason::Effective {
                found: accepted,
                needed: limits.effective.max(2.0),
            });
        }
        let (mean, spread) = (accepted / expected, (expected * (1.0 - least)).sqrt());
        let z = if spread > 0.0 {
            (accepted - expected) / spread
        } else {
            0.0
        };
        if (mean - 1.0).abs() > limits.uncovered && two_sided(z) < limits.significance {
            reasons.push(Reason::MeanWeight { mean, z });
        }
        if !reasons.is_empty() {
            return Ok(Err(NotEvaluable {
                estimator: Estimator::Replay,
                reasons,
                mixture: None,
                shrunk: None,
            }));
        }
        Ok(Ok(summarise(self.rounds(), &rewards)))
    }
}

fn summarise(rounds: usize, rewards: &[f64]) -> Replayed {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / count(values.len());
    let reward = mean(rewards);
    let squares: f64 = rewards.iter().map(|r| (r - reward).powi(2)).sum();
    let n = count(rewards.len());
    let ends = (0..=STAGES).map(|k| k * rewards.len() / STAGES);
    let ends: Vec<usize> = ends.collect();
    let stages = ends.windows(2).filter(|pair| pair[0] < pair[1]);
    Replayed {
        rounds,
        accepted: rewards.len(),
        reward,
        standard_error: (squares / (n - 1.0) / n).sqrt(),
        stages: stages
            .map(|pair| Stage {
                accepted: u32::try_from(pair[1]).unwrap_or(u32::MAX),
                reward: mean(&rewards[pair[0]..pair[1]]),
            })
            .collect(),
    }
}
