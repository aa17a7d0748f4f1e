//! Several target policies on one log: paired differences, and correction for many looks.

use crate::error::{Error, Result, check_len};
use crate::estimator::Estimator;
use crate::evaluation::Evaluation;
use crate::interval::{Interval, Shape};
use crate::moments::{BLOCK, Column, Moments};
use crate::round::Round;
use crate::verdict::{Limits, NotEvaluable};

/// Evaluates several target policies on the same log, so that differences are paired: what both policies share cancels.
///
/// ```
/// use hindsight_bandit_eval::{Estimator, Round, comparison::Comparison, verdict::Limits};
/// let mut comparison = Comparison::new(2, &[Estimator::Snips])?;
/// for i in 0..4_000_usize {
///     let action = i % 2;
///     let round = Round {
///         action,
///         reward: (action + i / 2 % 2) as f64,
///         propensity: 0.5,
///         target: &[],
///         predicted: None,
///         logging: None,
///     };
///     comparison.push(&round, &[&[0.2, 0.8], &[0.4, 0.6]])?;
/// }
/// let difference = comparison.difference(0, 1, Estimator::Snips, &Limits::default())?.expect("evaluable");
/// assert!((difference.value - 0.2).abs() < 1e-9);
/// # Ok::<(), hindsight_bandit_eval::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    policies: Vec<Evaluation>,
    joint: Moments,
    columns: Vec<Column>,
}

/// How much more one policy earns than another, per round.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Difference {
    /// First less second.
    pub value: f64,
    /// Standard error of the difference, paired by round.
    pub standard_error: f64,
    /// Skewness of the influence function.
    pub skewness: f64,
    /// Degrees of freedom of the standard error, as in [`Estimate`](crate::Estimate).
    pub freedom: f64,
    /// Rounds.
    pub rounds: u64,
}

impl Difference {
    /// Returns the interval of [`Estimate::interval`](crate::Estimate::interval), at a level corrected by Bonferroni for `looks` differences that are
    /// read together.
    ///
    /// # Errors
    /// When the level is not between 0 and 1, or there is no look.
    pub fn interval(&self, level: f64, looks: usize) -> Result<Interval> {
        let Difference {
            value,
            standard_error,
            skewness,
            freedom,
            rounds,
        } = *self;
        Shape {
            value,
            standard_error,
            skewness,
            freedom,
            rounds,
        }
        .interval(level, looks)
    }
}

impl Comparison {
    /// Returns an accumulator for so many policies, each with these estimators.
    ///
    /// # Errors
    /// When there is no policy, and as [`Evaluation::new`].
    pub fn new(policies: usize, estimators: &[Estimator]) -> Result<Self> {
        if policies == 0 {
            return Err(Error::TooFew {
                what: "the number of policies",
                needed: 1,
                found: 0,
            });
        }
        let one = Evaluation::new(estimators)?;
        let columns = policies * one.terms.len();
        Ok(Comparison {
            joint: Moments::new(columns, &pairs(&one, policies), &[]),
            policies: vec![one; policies],
            columns: vec![Column::ZERO; columns],
        })
    }

    /// Takes a round and what each policy would have done; the round's own `target` is not read.
    ///
    /// # Errors
    /// As [`Evaluation::push`], and when there is not one target per policy. The round is then taken by none.
    pub fn push(&mut self, round: &Round<'_>, targets: &[&[f64]]) -> Result<()> {
        check_len("target policies", self.policies.len(), targets.len())?;
        let taken = self.policies[0].rounds();
        for target in targets {
            Round { target, ..*round }.weighted(taken)?;
        }
        if self.policies[0].needs_model() && round.predicted.is_none() {
            return Err(Error::NoPrediction { round: taken });
        }
        for (policy, target) in self.policies.iter_mut().zip(targets) {
            policy.push(&Round { target, ..*round })?;
        }
        if self.policies[0].waiting() == 0 {
            gather(&self.policies, self.joint.mean(), &mut self.columns);
            self.joint.add_block(&mut self.columns, BLOCK);
        }
        Ok(())
    }

    /// The policies' own evaluations, in the order of the targets.
    #[must_use]
    pub fn policies(&self) -> &[Evaluation] {
        &self.policies
    }

    /// Returns how much more the first policy earns than the second by an estimator, or why the log cannot tell of one of them.
    ///
    /// # Errors
    /// When a policy does not exist, or the estimator is not kept.
    pub fn difference(
        &self,
        first: usize,
        second: usize,
        estimator: Estimator,
        limits: &Limits,
    ) -> Result<std::result::Result<Difference, NotEvaluable>> {
        let found = self.policies.len();
        if first >= found || second >= found {
            return Err(Error::TooFew {
                what: "the number of policies",
                needed: first.max(second) + 1,
                found,
            });
        }
        let mut joint = self.joint.clone();
        let waiting = self.policies[0].waiting();
        let mut columns = self.columns.clone();
        gather(&self.policies, joint.mean(), &mut columns);
        joint.add_block(&mut columns, waiting);
        joint.settle();
        let width = self.policies[0].terms.len();
        let mut gradient = vec![0.0; width * found];
        let mut value = 0.0;
        for (policy, sign) in [(first, 1.0), (second, -1.0)] {
            let evaluation = &self.policies[policy];
            if let Err(refusal) = evaluation.estimate(estimator, limits)? {
                return Ok(Err(refusal));
            }
            let settled = evaluation.settled();
            let (one, slopes) = estimator.linearise(&settled.terms, &settled.moments);
            value += sign * one;
            for (g, slope) in gradient[policy * width..].iter_mut().zip(slopes) {
                *g += sign * slope;
            }
        }
        let n = joint.count();
        let (skewness, kurtosis) = joint.shape(&gradient);
        Ok(Ok(Difference {
            value,
            standard_error: (joint.variance(&gradient) / n).sqrt(),
            skewness,
            freedom: (2.0 * n / (kurtosis - 1.0).max(0.0)).min(n - 1.0),
            rounds: self.policies[0].rounds(),
        }))
    }
}

/// The columns that a difference of two policies is made of, for every two and every estimator.
fn pairs(one: &Evaluation, policies: usize) -> Vec<Vec<usize>> {
    let width = one.terms.len();
    let mut groups = Vec::new();
    for estimator in &one.estimators {
        let wanted = estimator.influences();
        let columns = |policy: usize| {
            let all = one
                .terms
                .iter()
                .enumerate()
                .filter(|(_, t)| wanted.contains(t));
            all.map(move |(i, _)| policy * width + i)
        };
        for a in 0..policies {
            groups.extend((a + 1..policies).map(|b| columns(a).chain(columns(b)).collect()));
        }
    }
    groups
}

/// The terms of a block less their pivots, of all policies side by side.
fn gather(policies: &[Evaluation], pivots: &[f64], columns: &mut [Column]) {
    let width = policies[0].terms.len();
    let places = columns.chunks_exact_mut(width);
    for ((policy, pivots), columns) in policies.iter().zip(pivots.chunks_exact(width)).zip(places) {
        policy.block_terms(pivots, columns);
    }
}
