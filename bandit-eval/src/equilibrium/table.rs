//! What every arm gained in every decision.

use crate::error::{Allowed, Error, Result, check_finite, check_len};
use crate::model::{Features, Folds, LoggedFeatures, Regressor, cross_fit};

/// What every arm gained over keeping, in every decision: `[decision][arm]` without the column of arm 0, which is nought.
///
/// Decisions of one product are not independent: their errors are taken together, and those of one week where weeks are stated.
#[derive(Debug, Clone, PartialEq)]
pub struct GainTable<'a> {
    pub(crate) arms: usize,
    pub(crate) gains: Vec<f64>,
    pub(crate) features: Features<'a>,
    pub(crate) product: &'a [u64],
    pub(crate) week: Option<&'a [u64]>,
    pub(crate) weight: Vec<f64>,
}

/// A decision of a live log: the arm that was taken, with which probability, and what was earned in the window behind it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LoggedArm {
    /// The arm, 0 for keeping.
    pub arm: usize,
    /// Its propensity, in (0, 1].
    pub propensity: f64,
    /// Discounted reward of the window.
    pub reward: f64,
}

impl<'a> GainTable<'a> {
    /// Returns a table of measured gains, with features of the context and the product of each decision; `weight` is the weight of a decision, say
    /// $\gamma^t$, or one each.
    ///
    /// # Errors
    /// When there is no arm or no decision, lengths differ, a gain is not finite, or a weight is not positive.
    pub fn new(
        arms: usize,
        gains: &[f64],
        features: Features<'a>,
        product: &'a [u64],
        weight: Option<&[f64]>,
    ) -> Result<Self> {
        if arms == 0 || features.rows() == 0 {
            return Err(Error::TooFew {
                what: "the number of arms and of decisions",
                needed: 1,
                found: 0,
            });
        }
        check_len("gains", features.rows() * arms, gains.len())?;
        check_finite("gains", gains)?;
        check_len("products", features.rows(), product.len())?;
        if let Some(weight) = weight {
            check_len("weights", features.rows(), weight.len())?;
            for w in weight {
                Allowed::Above(0.0).check("weight of a decision", *w)?;
            }
        }
        let weight = weight.map_or_else(|| vec![1.0; features.rows()], <[f64]>::to_vec);
        Ok(GainTable {
            arms,
            gains: gains.to_vec(),
            features,
            product,
            week: None,
            weight,
        })
    }

    /// States the week of each decision: decisions of one week have errors in common too, whatever their products.
    ///
    /// # Errors
    /// When there is not one week per decision.
    pub fn with_weeks(mut self, week: &'a [u64]) -> Result<Self> {
        check_len("weeks", self.decisions(), week.len())?;
        self.week = Some(week);
        Ok(self)
    }

    /// Returns a table of estimated gains from a live log, where one arm was taken: the doubly robust score
    /// $\hat q(z, k) + \frac{1[k = a]}{p} (G - \hat q(z, k))$ of each arm less that of keeping, with rewards predicted by `regressor` across `folds`.
    /// Every entry is as noisy as one observation over its propensity; their means are without bias.
    ///
    /// # Errors
    /// When an arm does not exist, a propensity is outside (0, 1], a reward is not finite, an arm was never taken, or as [`cross_fit`].
    pub fn from_log<R: Regressor>(
        arms: usize,
        log: &[LoggedArm],
        features: Features<'a>,
        product: &'a [u64],
        regressor: &R,
        folds: Folds<'_>,
    ) -> Result<Self> {
        check_len("logged arms", features.rows(), log.len())?;
        let mut taken = vec![0_usize; arms + 1];
        for (round, one) in log.iter().enumerate() {
            let round = round as u64;
            if one.arm > arms {
                return Err(Error::Action {
                    round,
                    action: one.arm,
                    actions: arms + 1,
                });
            }
            if !(one.propensity > 0.0 && one.propensity <= 1.0) {
                return Err(Error::Propensity {
                    round,
                    value: one.propensity,
                });
            }
            if !one.reward.is_finite() {
                return Err(Error::Reward {
                    round,
                    value: one.reward,
                });
            }
            taken[one.arm] += 1;
        }
        if taken.contains(&0) {
            return Err(Error::TooFew {
                what: "the number of decisions of every arm",
                needed: 1,
                found: 0,
            });
        }
        #[allow(clippy::cast_possible_truncation, reason = "a number of arms")]
        let action: Vec<u32> = log.iter().map(|l| l.arm as u32).collect();
        let reward: Vec<f64> = log.iter().map(|l| l.reward).collect();
        let logged = LoggedFeatures {
            actions: arms + 1,
            features,
            action: &action,
            reward: &reward,
            weight: None,
        };
        let predicted = cross_fit(
            &logged,
            regressor,
            Folds {
                groups: Some(product),
                ..folds
            },
        )?;
        let mut gains = Vec::with_capacity(log.len() * arms);
        for (one, row) in log.iter().zip(predicted.chunks_exact(arms + 1)) {
            let score = |arm: usize| {
                let residual = if arm == one.arm {
                    (one.reward - row[arm]) / one.propensity
                } else {
                    0.0
                };
                row[arm] + residual
            };
            gains.extend((1..=arms).map(|arm| score(arm) - score(0)));
        }
        GainTable::new(arms, &gains, features, product, None)
    }

    /// The number of decisions.
    #[must_use]
    pub fn decisions(&self) -> usize {
        self.weight.len()
    }

    /// The number of arms beside keeping.
    #[must_use]
    pub fn arms(&self) -> usize {
        self.arms
    }

    /// What an arm gained in a decision; nought for arm 0.
    pub(crate) fn gain(&self, decision: usize, arm: usize) -> f64 {
        if arm == 0 {
            0.0
        } else {
            self.gains[decision * self.arms + arm - 1]
        }
    }

    /// The weighted sum of what an arm gained in some decisions.
    pub(crate) fn total(&self, decisions: &[usize], arm: usize) -> f64 {
        decisions
            .iter()
            .map(|d| self.weight[*d] * self.gain(*d, arm))
            .sum()
    }

    /// The arm that gained most in some decisions, and how much.
    pub(crate) fn best(&self, decisions: &[usize]) -> (usize, f64) {
        let mut best = (0, 0.0);
        for arm in 1..=self.arms {
            let total = self.total(decisions, arm);
            if total > best.1 {
                best = (arm, total);
            }
        }
        best
    }
}
