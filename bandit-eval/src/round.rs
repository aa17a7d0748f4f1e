//! A logged round: what was done, with which probability, what it earned, and what the target policy would have done.

use crate::error::{Error, Result, Whose, check_len};

/// How far probabilities may miss a sum of one.
pub(crate) const SUM_TOLERANCE: f64 = 1e-6;

/// A logged round with finitely many actions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Round<'a> {
    /// The logged action, from 0.
    pub action: usize,
    /// Its reward.
    pub reward: f64,
    /// The probability with which the logging policy took it, in (0, 1], after any filter between policy and customer.
    pub propensity: f64,
    /// The target policy's probabilities, one per action.
    pub target: &'a [f64],
    /// Predicted rewards, one per action, by a model that has not seen this round.
    pub predicted: Option<&'a [f64]>,
    /// The logging policy's probabilities of all actions, if they are known: support is then checked action by action.
    pub logging: Option<&'a [f64]>,
}

/// A round in the form that every estimator works on, whatever kind of action it has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weighted {
    /// The importance weight $w$: finite and at least zero.
    pub weight: f64,
    /// The propensity (a density, where actions are quantities).
    pub propensity: f64,
    /// The reward.
    pub reward: f64,
    /// The model's prediction, if there is a model.
    pub model: Option<Prediction>,
}

/// What a reward model says of a round.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction {
    /// Predicted reward of the logged action, $q$.
    pub logged: f64,
    /// Predicted reward of the target policy, $v$.
    pub target: f64,
}

impl Weighted {
    pub(crate) fn check(&self, round: u64) -> Result<()> {
        if !(self.weight >= 0.0 && self.weight.is_finite()) {
            return Err(Error::Weight {
                round,
                value: self.weight,
            });
        }
        if !(self.propensity > 0.0 && self.propensity.is_finite()) {
            return Err(Error::Density {
                round,
                value: self.propensity,
            });
        }
        if !self.reward.is_finite() {
            return Err(Error::Reward {
                round,
                value: self.reward,
            });
        }
        match self.model {
            Some(m) if !(m.logged.is_finite() && m.target.is_finite()) => Err(Error::Prediction {
                round,
                action: 0,
                value: if m.logged.is_finite() {
                    m.target
                } else {
                    m.logged
                },
            }),
            _ => Ok(()),
        }
    }
}

impl Round<'_> {
    /// The weighted form of the round, which is number `round` for messages.
    ///
    /// # Errors
    /// When the action does not exist, the propensity is outside (0, 1], a row of probabilities does not sum to one or has one outside
    /// [0, 1], the logging policy's row contradicts the propensity, a number is not finite, or rows differ in length.
    pub fn weighted(&self, round: u64) -> Result<Weighted> {
        let actions = self.target.len();
        if self.action >= actions {
            return Err(Error::Action {
                round,
                action: self.action,
                actions,
            });
        }
        if !(self.propensity > 0.0 && self.propensity <= 1.0) {
            return Err(Error::Propensity {
                round,
                value: self.propensity,
            });
        }
        check_row(round, Whose::Target, self.target)?;
        if let Some(logging) = self.logging {
            check_len(
                "probabilities of the logging policy",
                actions,
                logging.len(),
            )?;
            check_row(round, Whose::Logging, logging)?;
            let probability = logging[self.action];
            if (probability - self.propensity).abs() > SUM_TOLERANCE {
                return Err(Error::Disagreement {
                    round,
                    propensity: self.propensity,
                    probability,
                });
            }
        }
        let model = match self.predicted {
            None => None,
            Some(predicted) => {
                check_len("predicted rewards", actions, predicted.len())?;
                if let Some(action) = predicted.iter().position(|q| !q.is_finite()) {
                    return Err(Error::Prediction {
                        round,
                        action,
                        value: predicted[action],
                    });
                }
                let target = self.target.iter().zip(predicted).map(|(p, q)| p * q).sum();
                Some(Prediction {
                    logged: predicted[self.action],
                    target,
                })
            }
        };
        if !self.reward.is_finite() {
            return Err(Error::Reward {
                round,
                value: self.reward,
            });
        }
        Ok(Weighted {
            weight: self.target[self.action] / self.propensity,
            propensity: self.propensity,
            reward: self.reward,
            model,
        })
    }
}

fn check_row(round: u64, whose: Whose, row: &[f64]) -> Result<()> {
    if let Some(action) = row
        .iter()
        .position(|p| !(0.0..=1.0 + SUM_TOLERANCE).contains(p))
    {
        return Err(Error::Probability {
            round,
            whose,
            action,
            value: row[action],
        });
    }
    let sum: f64 = row.iter().sum();
    if (sum - 1.0).abs() > SUM_TOLERANCE {
        return Err(Error::Sum { round, whose, sum });
    }
    Ok(())
}

/// A log in columns: rows of `actions` numbers lie one after another. `T` is `f64` or `f32`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Table<'a, T> {
    /// The number of actions.
    pub actions: usize,
    /// Logged actions, from 0.
    pub action: &'a [u32],
    /// Their rewards.
    pub reward: &'a [T],
    /// Their propensities.
    pub propensity: &'a [T],
    /// The target policy's probabilities, `[round][action]`.
    pub target: &'a [T],
    /// Predicted rewards, `[round][action]`.
    pub predicted: Option<&'a [T]>,
}

impl<T> Table<'_, T> {
    /// The rounds from `first` to `last`, the latter excluded.
    pub(crate) fn part(&self, first: usize, last: usize) -> Table<'_, T> {
        let (from, to) = (first * self.actions, last * self.actions);
        Table {
            actions: self.actions,
            action: &self.action[first..last],
            reward: &self.reward[first..last],
            propensity: &self.propensity[first..last],
            target: &self.target[from..to],
            predicted: self.predicted.map(|column| &column[from..to]),
        }
    }

    pub(crate) fn check(&self) -> Result<usize> {
        let rounds = self.action.len();
        if self.actions == 0 {
            return Err(Error::TooFew {
                what: "the number of actions",
                needed: 1,
                found: 0,
            });
        }
        check_len("rewards", rounds, self.reward.len())?;
        check_len("propensities", rounds, self.propensity.len())?;
        check_len(
            "target probabilities",
            rounds * self.actions,
            self.target.len(),
        )?;
        if let Some(predicted) = self.predicted {
            check_len("predicted rewards", rounds * self.actions, predicted.len())?;
        }
        Ok(rounds)
    }
}
