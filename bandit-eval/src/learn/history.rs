//! Logged rounds with their contexts.

use super::largest;
use crate::error::{Error, Result, check_len};
use crate::model::{ByAction, Features, Folds, Linear, LoggedFeatures, Model, Ridge, cross_fit};

/// Logged rounds with their contexts, in the order in which they happened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct History<'a> {
    /// The number of actions.
    pub actions: usize,
    /// Features of each round's context.
    pub features: Features<'a>,
    /// Logged actions, from 0.
    pub action: &'a [u32],
    /// Their rewards.
    pub reward: &'a [f64],
    /// The probabilities with which they were taken, in (0, 1].
    pub propensity: &'a [f64],
}

impl<'a> History<'a> {
    /// The number of rounds.
    #[must_use]
    pub fn rounds(&self) -> usize {
        self.features.rows()
    }

    /// Mean reward, under the policy that made the log; NaN without a round.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.reward.iter().sum::<f64>() / super::count(self.reward.len())
    }

    /// The rounds before `at`, and those from there on.
    ///
    /// # Errors
    /// When one of the two is empty, or as [`Features::new`].
    pub fn split(&self, at: usize) -> Result<(Self, Self)> {
        let found = at.min(self.rounds().saturating_sub(at));
        if found == 0 {
            return Err(Error::TooFew {
                what: "the number of rounds to learn from, and to judge by,",
                needed: 1,
                found,
            });
        }
        self.check()?;
        let columns = self.features.columns();
        let (before, after) = self.features.values().split_at(at * columns);
        let part = |values: &'a [f64], from: usize, to: usize| {
            Ok::<_, Error>(History {
                actions: self.actions,
                features: Features::new(columns, values)?,
                action: &self.action[from..to],
                reward: &self.reward[from..to],
                propensity: &self.propensity[from..to],
            })
        };
        Ok((part(before, 0, at)?, part(after, at, self.rounds())?))
    }

    /// Finds what is wrong.
    pub(super) fn check(&self) -> Result<()> {
        let rounds = self.rounds();
        check_len("actions", rounds, self.action.len())?;
        check_len("rewards", rounds, self.reward.len())?;
        check_len("propensities", rounds, self.propensity.len())?;
        for (i, ((&action, &reward), &propensity)) in self
            .action
            .iter()
            .zip(self.reward)
            .zip(self.propensity)
            .enumerate()
        {
            let (round, action, actions) = (i as u64, action as usize, self.actions);
            if action >= actions {
                return Err(Error::Action {
                    round,
                    action,
                    actions,
                });
            }
            if !reward.is_finite() {
                return Err(Error::Reward {
                    round,
                    value: reward,
                });
            }
            if !(propensity > 0.0 && propensity <= 1.0) {
                return Err(Error::Propensity {
                    round,
                    value: propensity,
                });
            }
        }
        Ok(())
    }

    /// The part that reward models are fitted to.
    pub(super) fn logged(&self) -> LoggedFeatures<'a> {
        LoggedFeatures {
            actions: self.actions,
            features: self.features,
            action: self.action,
            reward: self.reward,
            weight: None,
        }
    }

    /// A ridge regression of the rewards of each action.
    pub(super) fn rewards_by_action(&self, penalty: f64) -> Result<ByAction<Linear>> {
        let all: Vec<usize> = (0..self.rounds()).collect();
        ByAction::fit(&self.logged(), &Ridge::new(penalty)?, &all)
    }

    /// Learns a policy from all rounds at once: in each context the action of the largest doubly robust score
    /// $\hat q(x, k) + \frac{1[k = a]}{p} (r - \hat q(x, k))$, with $\hat q$ fitted across `folds` and scores brought to contexts by ridge regression.
    ///
    /// Choosing by scores is cost-sensitive classification. Source: Dudík, Langford and Li (2011).
    ///
    /// # Errors
    /// When a round is at fault, and as [`cross_fit`].
    pub fn policy(
        &self,
        penalty: f64,
        folds: Folds<'_>,
    ) -> Result<impl Fn(&[f64]) -> usize + use<>> {
        self.check()?;
        let ridge = Ridge::new(penalty)?;
        let mut scores = cross_fit(&self.logged(), &ridge, folds)?;
        for (round, row) in scores.chunks_exact_mut(self.actions).enumerate() {
            let score = &mut row[self.action[round] as usize];
            *score += (self.reward[round] - *score) / self.propensity[round];
        }
        let model = |action: usize| {
            let column = scores.iter().skip(action).step_by(self.actions);
            let column: Vec<f64> = column.copied().collect();
            crate::model::Regressor::fit(&ridge, self.features, &column, None)
        };
        let models: Vec<Linear> = (0..self.actions).map(model).collect::<Result<_>>()?;
        Ok(move |context: &[f64]| {
            let values: Vec<f64> = models.iter().map(|m| m.predict(context)).collect();
            largest(&values)
        })
    }
}
