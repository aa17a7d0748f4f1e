//! Predictions of every round by models that have not seen it.

use super::{Features, Model, Regressor};
use crate::error::{Error, Result, check_len};

/// Which rounds are predicted together: as many parts as there are folds, by lot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Folds<'a> {
    /// The number of folds, at least two.
    pub count: usize,
    /// Seed of the lot.
    pub seed: u64,
    /// What belongs together and must lie in one fold (a customer, a product), one number per round; none where rounds are independent.
    pub groups: Option<&'a [u64]>,
}

/// The logged part of rounds that a reward model is fitted to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LoggedFeatures<'a> {
    /// The number of actions.
    pub actions: usize,
    /// Features of each round.
    pub features: Features<'a>,
    /// Logged actions.
    pub action: &'a [u32],
    /// Their rewards.
    pub reward: &'a [f64],
    /// Weights of the fit, say [`mrdr_weight`]; none for one each.
    pub weight: Option<&'a [f64]>,
}

/// Returns predicted rewards `[round][action]`, each by a model of that action fitted to the other folds; an action that they never took is
/// predicted by one model of all actions together.
///
/// ```
/// use hindsight_bandit_eval::model::{Features, Folds, LoggedFeatures, Ridge, cross_fit};
/// let x: Vec<f64> = (0..200).map(|i| f64::from(i % 20)).collect();
/// let action: Vec<u32> = (0..200).map(|i| i % 3 % 2).collect();
/// let reward: Vec<f64> = x.iter().zip(&action).map(|(x, a)| x * f64::from(1 + a)).collect();
/// let log = LoggedFeatures {
///     actions: 2,
///     features: Features::new(1, &x)?,
///     action: &action,
///     reward: &reward,
///     weight: None,
/// };
/// let folds = Folds { count: 5, seed: 1, groups: None };
/// let predicted = cross_fit(&log, &Ridge::new(1e-6)?, folds)?;
/// assert!((predicted[2 * 7 + 1] - 14.0).abs() < 1e-3); // round 7, action 1: 2 * 7
/// # Ok::<(), hindsight_bandit_eval::Error>(())
/// ```
///
/// # Errors
/// When there are fewer than two folds or rounds, a fold takes all rounds, lengths differ, an action does not exist, and those of the regressor.
pub fn cross_fit<R: Regressor>(
    log: &LoggedFeatures<'_>,
    regressor: &R,
    folds: Folds<'_>,
) -> Result<Vec<f64>> {
    let rounds = log.features.rows();
    check_len("actions", rounds, log.action.len())?;
    check_len("rewards", rounds, log.reward.len())?;
    if let Some(round) = log.action.iter().position(|a| *a as usize >= log.actions) {
        return Err(Error::Action {
            round: round as u64,
            action: log.action[round] as usize,
            actions: log.actions,
        });
    }
    if let Some(groups) = folds.groups {
        check_len("groups", rounds, groups.len())?;
    }
    if folds.count < 2 {
        return Err(Error::TooFew {
            what: "the number of folds",
            needed: 2,
            found: folds.count,
        });
    }
    let fold_of = |round: usize| {
        let key = folds.groups.map_or(round as u64, |g| g[round]);
        #[allow(clippy::cast_possible_truncation, reason = "below the number of folds")]
        let fold = (mixed(key, folds.seed) % folds.count as u64) as usize;
        fold
    };
    let mut predicted = vec![0.0; rounds * log.actions];
    for fold in 0..folds.count {
        let (held, seen): (Vec<usize>, Vec<usize>) = (0..rounds).partition(|r| fold_of(*r) == fold);
        if held.is_empty() {
            continue;
        }
        let models = ByAction::fit(log, regressor, &seen)?;
        for round in &held {
            let row = &mut predicted[round * log.actions..][..log.actions];
            models.predict(log.features.row(*round), row);
        }
    }
    Ok(predicted)
}

/// A model of each action, and one of all together for those that were never taken.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ByAction<M> {
    pooled: M,
    own: Vec<Option<M>>,
}

impl<M: Model> ByAction<M> {
    /// Fits some rounds of a log.
    pub(crate) fn fit<R: Regressor<Model = M>>(
        log: &LoggedFeatures<'_>,
        regressor: &R,
        rounds: &[usize],
    ) -> Result<Self> {
        let own = |action: usize| {
            let took = |r: &usize| log.action[*r] as usize == action;
            let of: Vec<usize> = rounds.iter().copied().filter(took).collect();
            let none = of.is_empty();
            (!none).then(|| fit(log, regressor, &of)).transpose()
        };
        Ok(ByAction {
            pooled: fit(log, regressor, rounds)?,
            own: (0..log.actions).map(own).collect::<Result<_>>()?,
        })
    }

    /// Writes the predicted reward of every action.
    pub(crate) fn predict(&self, features: &[f64], out: &mut [f64]) {
        for (out, own) in out.iter_mut().zip(&self.own) {
            *out = own.as_ref().unwrap_or(&self.pooled).predict(features);
        }
    }
}

fn fit<R: Regressor>(log: &LoggedFeatures<'_>, regressor: &R, rows: &[usize]) -> Result<R::Model> {
    if rows.is_empty() {
        return Err(Error::TooFew {
            what: "the number of rounds outside a fold",
            needed: 1,
            found: 0,
        });
    }
    let values = log.features.gather(rows);
    let features = Features::new(log.features.columns(), &values)?;
    let of = |column: &[f64]| rows.iter().map(|r| column[*r]).collect::<Vec<f64>>();
    regressor.fit(features, &of(log.reward), log.weight.map(of).as_deref())
}

/// Returns the weight $w^2 (1 - p)$ of a round in a reward model made for `Dr`: least squares with it minimise the variance of the estimate for
/// a deterministic target; for one that randomises it is our own approximation, which leaves the covariance of actions out. Source: Farajtabar,
/// Chow and Ghavamzadeh (2018), "MRDR".
#[must_use]
pub fn mrdr_weight(weight: f64, propensity: f64) -> f64 {
    weight * weight * (1.0 - propensity)
}

/// A number that depends on all bits of both.
fn mixed(key: u64, seed: u64) -> u64 {
    let mut z = key
        .wrapping_add(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15))
        .wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
