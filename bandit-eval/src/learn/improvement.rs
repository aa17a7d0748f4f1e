//! How much more than the logging policy another one earns.

use super::History;
use crate::error::{Error, Result, check_len, check_level};
use crate::estimator::Estimator;
use crate::evaluation::{Estimate, Evaluation};
use crate::interval::Interval;
use crate::round::{Prediction, Round, Weighted};
use crate::verdict::{Limits, NotEvaluable};

/// What a policy earns more than the one that made the log, per round.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Improvement {
    /// Its reward per round, doubly robust.
    pub value: f64,
    /// Mean reward of the log.
    pub logged: f64,
    /// The difference, paired by round: doubly robust less logged reward.
    pub gain: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Interval of the difference.
    pub interval: Interval,
    /// Lower bound of the difference, on one side: with probability `level` the policy earns at least so much more.
    pub lower: f64,
    /// Share of the rounds in which it takes each action.
    pub actions: Vec<f64>,
    /// Effective number of rounds.
    pub effective: f64,
}

impl Improvement {
    /// Returns whether the policy is better beyond doubt.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        self.lower > 0.0
    }
}

impl History<'_> {
    /// Says how much more than the logging policy a policy earns on these rounds, by the doubly robust estimate less the logged reward, round by round.
    /// Neither `policy` nor `predicted`, the predicted rewards `[round][action]`, may have seen these rounds. Bounds hold for `looks` policies that are
    /// read together, by Bonferroni: the best of them may be taken for its bound.
    ///
    /// The bound is that of [`Estimate::interval`], at one side; deploying what has one above 0 is high-confidence policy improvement (Thomas,
    /// Theocharous and Ghavamzadeh, 2015).
    ///
    /// ```
    /// use hindsight_bandit_eval::{learn::History, model::Features, verdict::Limits};
    /// let action: Vec<u32> = (0..2_000).map(|i| i % 2).collect();
    /// let reward: Vec<f64> = (0..2_000).map(|i| f64::from(i % 2 + i / 2 % 2)).collect();
    /// let (context, propensity) = (vec![1.0; 2_000], vec![0.5; 2_000]);
    /// let history = History {
    ///     actions: 2,
    ///     features: Features::new(1, &context)?,
    ///     action: &action,
    ///     reward: &reward,
    ///     propensity: &propensity,
    /// };
    /// let found = history.improvement(|_| Ok(1), &[0.5; 4_000], 0.95, 1, &Limits::default())?.expect("evaluable");
    /// assert!((found.gain - 0.5).abs() < 1e-9 && found.is_certain()); // 1.5 with action 1, 1.0 with either
    /// # Ok::<(), hindsight_bandit_eval::Error>(())
    /// ```
    ///
    /// # Errors
    /// When a round is at fault, there is no look, the policy fails or takes an action that does not exist, or lengths differ.
    pub fn improvement(
        &self,
        mut policy: impl FnMut(&[f64]) -> Result<usize>,
        predicted: &[f64],
        level: f64,
        looks: usize,
        limits: &Limits,
    ) -> Result<std::result::Result<Improvement, NotEvaluable>> {
        check_level(level)?;
        if looks == 0 {
            return Err(Error::TooFew {
                what: "the number of looks",
                needed: 1,
                found: 0,
            });
        }
        self.check()?;
        check_len(
            "predicted rewards",
            self.rounds() * self.actions,
            predicted.len(),
        )?;
        let mut values = Evaluation::new(&[Estimator::Dr])?;
        let mut gains = values.clone();
        let mut taken = vec![0_usize; self.actions];
        let mut target = vec![0.0; self.actions];
        for (i, row) in predicted.chunks_exact(self.actions).enumerate() {
            let action = policy(self.features.row(i))?;
            let reward = self.reward[i];
            *taken.get_mut(action).ok_or(Error::Action {
                round: i as u64,
                action,
                actions: self.actions,
            })? += 1;
            target.fill(0.0);
            target[action] = 1.0;
            let round = Round {
                action: self.action[i] as usize,
                reward,
                propensity: self.propensity[i],
                target: &target,
                predicted: Some(row),
                logging: None,
            };
            values.push(&round)?;
            // What is averaged is $v + w (r - q) - r$: the logged reward is taken from the model's value.
            let weighted = round.weighted(i as u64)?;
            gains.push_weighted(&Weighted {
                model: weighted.model.map(|m| Prediction {
                    target: m.target - reward,
                    ..m
                }),
                ..weighted
            })?;
        }
        let value = match values.estimate(Estimator::Dr, limits)? {
            Ok(value) => value,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let gain = gains.raw(Estimator::Dr)?;
        let rounds = super::count(self.rounds());
        let looks = super::count(looks);
        let lower = |level: f64, looks: f64| bound(&gain, level, looks);
        Ok(Ok(Improvement {
            value: value.value,
            logged: self.mean(),
            gain: gain.value,
            standard_error: gain.standard_error,
            interval: gain.interval(1.0 - (1.0 - level) / looks)?,
            lower: lower(level, looks)?,
            actions: taken.iter().map(|n| super::count(*n) / rounds).collect(),
            effective: value.effective,
        }))
    }
}

/// The lower end at one side: that of an interval which misses at both sides twice as often.
fn bound(gain: &Estimate, level: f64, looks: f64) -> Result<f64> {
    let two_sided = (1.0 - 2.0 * (1.0 - level) / looks).max(f64::MIN_POSITIVE);
    gain.interval(two_sided).map(|i| i.lower)
}
