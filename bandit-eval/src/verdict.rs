//! Whether a log can answer: diagnostics, the limits past which there is no number, and what could be evaluated instead.

use std::fmt;

use crate::error::Result;
use crate::estimator::{Estimator, Term};
use crate::evaluation::{Estimate, Evaluation, kish};
use crate::interval::two_sided;
use crate::support::CERTAIN;

/// What a log says about the weights of a target policy.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Diagnostics {
    /// Rounds.
    pub rounds: u64,
    /// Effective number of rounds, $(\sum w)^2 / \sum w^2$.
    pub effective: f64,
    /// Mean weight: 1 in expectation where propensities are right and the log covers the target; below 1 by the target's mass that
    /// the logging policy never reaches.
    pub mean_weight: f64,
    /// Its distance from 1 in standard errors, at most a million; 0 where all weights are 1.
    pub mean_weight_z: f64,
    /// Largest weight.
    pub largest_weight: f64,
    /// Its share of the sum of all weights.
    pub largest_share: f64,
    /// Share of rounds of weight 0.
    pub zero_weights: f64,
    /// Median, 90, 99 and 99.9 % points of the weight, each up to an eighth of a power of two too high.
    pub weight_quantiles: [f64; 4],
    /// Least and largest propensity.
    pub propensities: [f64; 2],
    /// Share of the target's probability on actions that were never logged; 0 where actions are not counted.
    pub never_logged: f64,
    /// Share of the target's probability on actions to which the logging policy's own row gives none; `None` without such rows.
    pub impossible: Option<f64>,
    /// What is known of each action; empty where actions are not counted.
    pub actions: Vec<ActionSupport>,
    /// Mean weighted residual of the reward model, $\langle w (r - q) \rangle$, and its distance from 0 in standard errors: what the
    /// direct method is off by; `None` unless both `Dm` and `Dr` are kept.
    pub residual: Option<[f64; 2]>,
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} rounds, {} effective; mean weight {:.3} ({:+.1} standard errors from 1), largest {:.3}",
            thousands(&self.rounds.to_string()),
            thousands(&format!("{:.0}", self.effective)),
            self.mean_weight,
            self.mean_weight_z,
            self.largest_weight,
        )
    }
}

/// The digits of a count with commas between thousands.
fn thousands(digits: &str) -> String {
    let (first, groups) = digits.split_at(digits.len() % 3);
    let groups = groups.as_bytes().chunks(3).map(String::from_utf8_lossy);
    let parts = [first.into()].into_iter().chain(groups);
    let parts: Vec<_> = parts.filter(|part| !part.is_empty()).collect();
    parts.join(",")
}

/// What a log knows of one action.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ActionSupport {
    /// Rounds that logged it.
    pub logged: u64,
    /// The target's mean probability of it.
    pub target: f64,
    /// Mean of $1/p$ over all rounds, counting those that logged it: 1 in expectation, less only by contexts in which the logging
    /// policy never takes it. More than 1 says that the propensities are not those of this log.
    pub inverse_propensity: f64,
    /// Its distance from 1 in standard errors.
    pub z: f64,
}

/// Limits past which an estimate is withheld.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Limits {
    /// Least effective number of rounds. Default 50: the standard error then rests on at least so many.
    pub effective: f64,
    /// Largest share of one round in the sum of weights. Default 0.2.
    pub largest_share: f64,
    /// Largest share of the target's probability that the log may leave uncovered. Default 0.02.
    pub uncovered: f64,
    /// The mean weight, or the mean inverse propensity of an action, is taken to differ from 1 if so far off would happen with a probability
    /// below this (and by more than `uncovered`). Default one in a million.
    pub significance: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            effective: 50.0,
            largest_share: 0.2,
            uncovered: 0.02,
            significance: 1e-6,
        }
    }
}

/// Why a log cannot answer.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum Reason {
    /// Too few effective rounds.
    Effective {
        /// Effective number of rounds.
        found: f64,
        /// Least number.
        needed: f64,
    },
    /// One round has too large a share of all weight.
    OneRound {
        /// Its share.
        share: f64,
        /// Largest share.
        allowed: f64,
    },
    /// The mean weight is not 1: propensities are not those of this log, or it does not cover the target.
    MeanWeight {
        /// The mean weight.
        mean: f64,
        /// Its distance from 1 in standard errors.
        z: f64,
    },
    /// The target wants actions that the log does not have.
    Unsupported {
        /// Share of its probability.
        mass: f64,
        /// Largest share.
        allowed: f64,
    },
    /// An action is logged more often than its propensities allow.
    Propensity {
        /// The action.
        action: usize,
        /// Mean inverse propensity.
        mean: f64,
        /// Its distance from 1 in standard errors.
        z: f64,
    },
    /// All propensities are 1: the logging policy left nothing to chance, and says nothing about what it did not do.
    Deterministic {
        /// Share of the target's probability on other actions.
        elsewhere: f64,
    },
    /// Replay needs a target that does not randomise and propensities that are all the same.
    NotReplayable,
    /// There is no reward to be had: no round, or only rounds of weight 0.
    NoOverlap,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Effective { found, needed } => {
                write!(
                    f,
                    "{found:.1} effective rounds, at least {needed} are needed"
                )
            }
            Reason::OneRound { share, allowed } => {
                write!(
                    f,
                    "one round has {:.0} % of all weight, at most {:.0} % is allowed",
                    100.0 * share,
                    100.0 * allowed
                )
            }
            Reason::MeanWeight { mean, z } => {
                write!(
                    f,
                    "the mean weight is {mean:.4}, {z:+.1} standard errors from 1: "
                )?;
                f.write_str(if *mean > 1.0 {
                    "the propensities are not those of this log"
                } else {
                    "the log does not cover the target, or its propensities are too large"
                })
            }
            Reason::Unsupported { mass, allowed } => {
                write!(
                    f,
                    "{:.1} % of the target's probability is on actions that the log does not have, at most {:.1} % is allowed",
                    100.0 * mass,
                    100.0 * allowed
                )
            }
            Reason::Propensity { action, mean, z } => {
                write!(
                    f,
                    "action {action} is logged {mean:.3} times as often as its propensities say ({z:+.1} standard errors)"
                )
            }
            Reason::Deterministic { elsewhere } => {
                write!(
                    f,
                    "all propensities are 1, and {:.1} % of the target's probability is on actions that were not taken",
                    100.0 * elsewhere
                )
            }
            Reason::NotReplayable => {
                f.write_str("replay needs a deterministic target and equal propensities")
            }
            Reason::NoOverlap => f.write_str("no round has weight"),
        }
    }
}

/// An estimate that is withheld: why, and what the log could answer instead.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct NotEvaluable {
    /// The estimator.
    pub estimator: Estimator,
    /// The limits that are passed.
    pub reasons: Vec<Reason>,
    /// The largest share of the target in a mixture with the logging policy that this log could evaluate, by its effective number of
    /// rounds; `None` where no mixture helps, because propensities or support are at fault.
    pub mixture: Option<f64>,
    /// A clip that would leave enough effective rounds, if the evaluation keeps one such: of a clipped, hence another, value.
    pub shrunk: Option<Estimator>,
}

impl fmt::Display for NotEvaluable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not evaluable by {}: ", self.estimator)?;
        for (i, reason) in self.reasons.iter().enumerate() {
            write!(f, "{}{reason}", if i == 0 { "" } else { "; " })?;
        }
        if let Some(share) = self.mixture {
            write!(
                f,
                "; a policy that follows the target in {:.1} % of rounds and the logging policy otherwise could be evaluated",
                100.0 * share
            )?;
        }
        if let Some(estimator) = self.shrunk {
            write!(
                f,
                "; {estimator} could, with a bias towards what it leaves out"
            )?;
        }
        Ok(())
    }
}

impl std::error::Error for NotEvaluable {}

impl Evaluation {
    /// Returns what the log says about the target's weights; numbers are NaN without a round.
    #[must_use]
    pub fn diagnostics(&self) -> Diagnostics {
        let all = self.settled();
        let n = all.moments.count();
        let mean = all.moments.mean()[0];
        let squares = all.moments.comoment(0, 0);
        let (weights, support) = (&all.weights, &all.support);
        let mass: f64 = support.mass.iter().sum();
        let unlogged = support
            .mass
            .iter()
            .zip(&support.logged)
            .filter(|(_, n)| **n == 0);
        Diagnostics {
            rounds: all.taken,
            effective: kish(n, mean, squares),
            mean_weight: if n > 0.0 { mean } else { f64::NAN },
            mean_weight_z: distance(mean - 1.0, squares / (n - 1.0) / n),
            largest_weight: weights.largest,
            // A round's weight is never more than all weights: rounding apart.
            largest_share: weights.largest / (n * mean).max(weights.largest),
            zero_weights: count(weights.zero) / n,
            weight_quantiles: [0.5, 0.9, 0.99, 0.999].map(|q| weights.quantile(q)),
            propensities: [weights.least_propensity, weights.largest_propensity],
            never_logged: if mass > 0.0 {
                unlogged.map(|(m, _)| m).sum::<f64>() / mass
            } else {
                0.0
            },
            impossible: (support.rows > 0).then(|| support.impossible / count(support.rows)),
            actions: (0..support.logged.len()).map(|k| all.action(k)).collect(),
            residual: all.residual(),
        }
    }

    fn action(&self, k: usize) -> ActionSupport {
        let n = count(self.taken);
        let mean = self.support.inverse[k] / n;
        let variance = (self.support.inverse_square[k] / n - mean * mean) * n / (n - 1.0);
        ActionSupport {
            logged: self.support.logged[k],
            target: self.support.mass[k] / n,
            inverse_propensity: mean,
            z: distance(mean - 1.0, variance / n),
        }
    }

    fn residual(&self) -> Option<[f64; 2]> {
        let at = |term| self.terms.iter().position(|t| *t == term);
        let (robust, modelled) = (at(Term::DoublyRobust(Estimator::Ips))?, at(Term::Modelled)?);
        let mut difference = vec![0.0; self.terms.len()];
        (difference[robust], difference[modelled]) = (1.0, -1.0);
        let mean = self.moments.mean()[robust] - self.moments.mean()[modelled];
        Some([
            mean,
            distance(
                mean,
                self.moments.variance(&difference) / self.moments.count(),
            ),
        ])
    }

    /// Returns an estimate, or why the log does not allow it.
    ///
    /// Limits on the weights' spread hold for the weights that the estimator uses: one that shrinks them may answer where another does not,
    /// at the price of a bias ([`Estimate::kept`]). `Dm` uses no weights, so no limit is about it: it is as good as its model.
    ///
    /// # Errors
    /// When the estimator is not kept, or a limit is not a number.
    pub fn estimate(
        &self,
        estimator: Estimator,
        limits: &Limits,
    ) -> Result<std::result::Result<Estimate, NotEvaluable>> {
        self.judge(estimator, limits, &self.diagnostics())
    }

    /// The same with diagnostics that are at hand.
    ///
    /// # Errors
    /// As [`Evaluation::estimate`].
    pub fn judge(
        &self,
        estimator: Estimator,
        limits: &Limits,
        diagnostics: &Diagnostics,
    ) -> Result<std::result::Result<Estimate, NotEvaluable>> {
        let estimate = self.raw(estimator)?;
        let mut reasons = faults(&self.settled(), estimator, limits, diagnostics);
        let mended = reasons.is_empty() && !estimator.is_model_alone();
        if !estimator.is_model_alone() && reasons.first() != Some(&Reason::NoOverlap) {
            reasons.extend(spread(&estimate, limits, diagnostics));
        }
        if reasons.is_empty() {
            return Ok(Ok(estimate));
        }
        Ok(Err(NotEvaluable {
            estimator,
            mixture: if mended {
                mixture(diagnostics, limits)
            } else {
                None
            },
            shrunk: if mended {
                self.shrunk(limits, diagnostics)
            } else {
                None
            },
            reasons,
        }))
    }

    /// A kept estimator that shrinks weights enough.
    fn shrunk(&self, limits: &Limits, diagnostics: &Diagnostics) -> Option<Estimator> {
        let all = self.estimators.iter().copied().filter(|e| e.shrinks());
        all.filter_map(|e| self.raw(e).ok())
            .find(|e| spread(e, limits, diagnostics).is_empty())
            .map(|e| e.estimator)
    }
}

/// What is wrong with propensities and support.
fn faults(all: &Evaluation, estimator: Estimator, limits: &Limits, d: &Diagnostics) -> Vec<Reason> {
    if d.rounds == 0 {
        return vec![Reason::NoOverlap];
    }
    if estimator.is_model_alone() {
        return Vec::new();
    }
    if d.largest_weight == 0.0 {
        return vec![Reason::NoOverlap];
    }
    let mut reasons = Vec::new();
    let replayable = all.weights.partial == 0
        && d.propensities[1] - d.propensities[0] <= 1e-9 * d.propensities[1];
    if estimator == Estimator::Replay && !replayable {
        reasons.push(Reason::NotReplayable);
    }
    let off = |mean: f64, z: f64| {
        (mean - 1.0).abs() > limits.uncovered && two_sided(z) < limits.significance
    };
    if d.propensities[0] >= CERTAIN {
        let elsewhere = 1.0 - d.mean_weight;
        if elsewhere.abs() > limits.uncovered {
            reasons.push(Reason::Deterministic { elsewhere });
        }
    } else if off(d.mean_weight, d.mean_weight_z) {
        reasons.push(Reason::MeanWeight {
            mean: d.mean_weight,
            z: d.mean_weight_z,
        });
    }
    let mass = d.never_logged.max(d.impossible.unwrap_or(0.0));
    if mass > limits.uncovered {
        reasons.push(Reason::Unsupported {
            mass,
            allowed: limits.uncovered,
        });
    }
    // As many looks as there are actions.
    let looks = d.actions.len().max(1);
    #[allow(clippy::cast_precision_loss, reason = "a number of actions")]
    let significance = limits.significance / looks as f64;
    let worst = d
        .actions
        .iter()
        .enumerate()
        .max_by(|a, b| a.1.z.total_cmp(&b.1.z));
    if let Some((action, seen)) = worst
        && d.propensities[0] < CERTAIN
        && seen.inverse_propensity > 1.0 + limits.uncovered
        && two_sided(seen.z) < significance
    {
        reasons.push(Reason::Propensity {
            action,
            mean: seen.inverse_propensity,
            z: seen.z,
        });
    }
    reasons
}

/// What is wrong with the spread of the weights that an estimator uses.
fn spread(estimate: &Estimate, limits: &Limits, d: &Diagnostics) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if !(estimate.effective >= limits.effective) {
        reasons.push(Reason::Effective {
            found: estimate.effective,
            needed: limits.effective,
        });
    }
    let share = if estimate.estimator.shrinks() || estimate.estimator == Estimator::Replay {
        0.0
    } else {
        d.largest_share
    };
    if share > limits.largest_share {
        reasons.push(Reason::OneRound {
            share,
            allowed: limits.largest_share,
        });
    }
    reasons
}

/// The share $\lambda$ at which $1 + \lambda (w - 1)$ leaves the wanted effective number of rounds, taking the weights' mean as 1.
fn mixture(d: &Diagnostics, limits: &Limits) -> Option<f64> {
    let n = count(d.rounds);
    let squares = d.mean_weight.powi(2) * (n / d.effective - 1.0);
    let share = ((n / limits.effective - 1.0) / squares).sqrt().min(1.0);
    let share = share.min(limits.largest_share * n / d.largest_weight);
    (share > 1e-3 && share.is_finite()).then_some(share)
}

/// A deviation in standard errors; 0 for no deviation at all, and at most a million where hardly anything varies.
fn distance(deviation: f64, variance: f64) -> f64 {
    if deviation.abs() < 1e-12 {
        return 0.0;
    }
    (deviation / variance.max(0.0).sqrt()).clamp(-1e6, 1e6)
}

#[allow(clippy::cast_precision_loss, reason = "a number of rounds")]
fn count(n: u64) -> f64 {
    n as f64
}
