//! All estimates of one target policy in one pass over its log.

use crate::error::{Allowed, Error, Result};
use crate::estimator::{Estimator, Term};
use crate::interval::{Interval, Shape, empirical_bernstein};
use crate::moments::{BLOCK, Column, Moments};
use crate::round::{Round, Weighted};
use crate::sequence::mixture_half;
use crate::support::{Support, Weights};
use crate::vectorize::vectorize;

/// Ends of a reward, known before the log was seen, and the largest importance weight that the logging policy allows.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Range {
    /// Least reward.
    pub min: f64,
    /// Largest reward.
    pub max: f64,
    /// Largest weight, if one is known: one over the least propensity that the logging policy ever uses will do.
    pub weight: Option<f64>,
}

impl std::str::FromStr for Range {
    type Err = Error;

    /// Reads `MIN,MAX` or `MIN,MAX,WEIGHT`.
    fn from_str(text: &str) -> Result<Self> {
        let numbers: Vec<f64> = text
            .split(',')
            .map(|n| n.trim().parse().unwrap_or(f64::NAN))
            .collect();
        let range = match numbers[..] {
            [min, max] => Range {
                min,
                max,
                weight: None,
            },
            [min, max, weight] => Range {
                min,
                max,
                weight: Some(weight),
            },
            _ => {
                return Err(Error::Length {
                    what: "range",
                    expected: 3,
                    found: numbers.len(),
                });
            }
        };
        range.validate().map(|()| range)
    }
}

impl Range {
    fn validate(self) -> Result<()> {
        Allowed::AtLeast(f64::MIN).check("least reward", self.min)?;
        Allowed::AtLeast(self.min).check("largest reward", self.max)?;
        self.weight
            .map_or(Ok(0.0), |w| Allowed::Above(0.0).check("largest weight", w))
            .map(|_| ())
    }

    /// Ends of a reward times a weight of at most `most`.
    pub(crate) fn product(self, most: f64) -> (f64, f64) {
        (most * self.min.min(0.0), most * self.max.max(0.0))
    }

    fn check(self, round: u64, weighted: &Weighted) -> Result<()> {
        if !(self.min..=self.max).contains(&weighted.reward) {
            let Range { min, max, .. } = self;
            return Err(Error::RewardRange {
                round,
                value: weighted.reward,
                min,
                max,
            });
        }
        match self.weight {
            Some(bound) if weighted.weight > bound * (1.0 + 1e-9) => Err(Error::WeightBound {
                round,
                value: weighted.weight,
                bound,
            }),
            _ => Ok(()),
        }
    }
}

/// An estimate with its standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Estimate {
    /// The estimator.
    pub estimator: Estimator,
    /// Reward per round.
    pub value: f64,
    /// Standard error, by the influence function; NaN for fewer than two rounds. For `Snips`, `Sndr` and `ControlVariate` squares of rounds
    /// with much leverage $h$ ($w / \sum w$ in a weighted mean) count more, $1 + h$ times in the first two.
    pub standard_error: f64,
    /// Skewness of the influence function.
    pub skewness: f64,
    /// Degrees of freedom of the standard error: $2 n / (\kappa - 1)$ with the kurtosis $\kappa$ of the influence function, at most $n - 1$.
    pub freedom: f64,
    /// Rounds.
    pub rounds: u64,
    /// Effective number of rounds, $(\sum w)^2 / \sum w^2$, of the weights that the estimator uses; all rounds where it uses none.
    pub effective: f64,
    /// The mean weight that the estimator leaves of a mean weight of one.
    pub kept: f64,
}

impl Estimate {
    /// Returns an interval for one look: Student's t quantile $z$, with the degrees of freedom that the kurtosis leaves the standard error, brought to
    /// the skewness $\gamma$ of what is averaged by Hall's transformation. Its ends lie at $\hat V - s\thinspace g^{-1}(\pm z)$ with the standard error $s$ and
    /// $$ g^{-1}(z) = \frac{3}{c} \left( (1 + c z - c^2 / 6)^{1/3} - 1 \right), \qquad c = \gamma / \sqrt n. $$
    ///
    /// A plain interval is too short on the side of the rare large values. Source: Hall (1992), "On the removal of skewness by transformation".
    ///
    /// # Errors
    /// When the level is not between 0 and 1.
    pub fn interval(&self, level: f64) -> Result<Interval> {
        let Estimate {
            value,
            standard_error,
            skewness,
            freedom,
            rounds,
            ..
        } = *self;
        Shape {
            value,
            standard_error,
            skewness,
            freedom,
            rounds,
        }
        .interval(level, 1)
    }

    /// Returns an interval that holds at all looks together, however often one looks and whenever one stops (asymptotically, as the
    /// normal interval holds at one look): the mixture bound of [`GaussianMixture`](crate::sequence::GaussianMixture) with the estimated
    /// standard error, narrowest at `tuned_for` rounds.
    ///
    /// Source: Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2024), theorem 2.2.
    ///
    /// # Errors
    /// When the level is not between 0 and 1, or `tuned_for` is not positive.
    pub fn anytime(&self, level: f64, tuned_for: f64) -> Result<Interval> {
        #[allow(clippy::cast_precision_loss, reason = "a number of rounds")]
        let n = self.rounds as f64;
        let deviation = self.standard_error * n.sqrt();
        let half = mixture_half(n, deviation, level, tuned_for)?;
        Ok(Interval::around(self.value, half, level))
    }
}

/// Estimates a target policy's reward per round from another policy's log: one pass, memory that does not depend on the log.
///
/// Every estimator is a smooth function of the means of a few terms, so their means and covariances are all that is kept; standard
/// errors follow by the derivatives. Rounds are taken as independent: where this round's order changes the next round's stock, the
/// unit of evaluation must be an episode, not a round.
///
/// ```
/// use hindsight_bandit_eval::{Estimator, Evaluation, Round, verdict::Limits};
///
/// let mut evaluation = Evaluation::new(&[Estimator::Snips, Estimator::Dr])?;
/// for i in 0..2_000_usize {
///     let action = i % 2; // logged by the toss of a fair coin
///     evaluation.push(&Round {
///         action,
///         reward: if action == 1 { 1.0 } else { (i % 4 / 2) as f64 },
///         propensity: 0.5,
///         target: &[0.2, 0.8],
///         predicted: Some(&[0.4, 0.9]),
///         logging: None,
///     })?;
/// }
/// let estimate = evaluation.estimate(Estimator::Dr, &Limits::default())?.expect("evaluable");
/// assert!((estimate.value - 0.9).abs() < 1e-9); // 0.2 * 0.5 + 0.8 * 1.0
/// # Ok::<(), hindsight_bandit_eval::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    pub(crate) estimators: Vec<Estimator>,
    pub(crate) terms: Vec<Term>,
    pub(crate) moments: Moments,
    pub(crate) weights: Weights,
    pub(crate) support: Support,
    range: Option<Range>,
    needs_model: bool,
    pub(crate) taken: u64,
    pub(crate) buffer: Buffer,
    columns: Vec<Column>,
}

/// Rounds that wait for their block.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Buffer {
    pub(crate) rounds: usize,
    pub(crate) weight: Column,
    pub(crate) propensity: Column,
    pub(crate) reward: Column,
    pub(crate) logged: Column,
    pub(crate) target: Column,
}

impl Buffer {
    fn new() -> Self {
        Buffer {
            rounds: 0,
            weight: Column::ZERO,
            propensity: Column::ZERO,
            reward: Column::ZERO,
            logged: Column::ZERO,
            target: Column::ZERO,
        }
    }

    fn push(&mut self, round: &Weighted) {
        let at = self.rounds;
        self.weight[at] = round.weight;
        self.propensity[at] = round.propensity;
        self.reward[at] = round.reward;
        (self.logged[at], self.target[at]) =
            round.model.map_or((0.0, 0.0), |m| (m.logged, m.target));
        self.rounds += 1;
    }

    /// Writes the values of a term, less a pivot; what stands beyond the rounds that wait is of no use.
    #[inline(always)]
    fn fill(&self, term: Term, pivot: f64, out: &mut Column) {
        let all = 0..BLOCK;
        match term {
            Term::Modelled => all.for_each(|i| out[i] = self.target[i] - pivot),
            Term::WeightedResidual => {
                all.for_each(|i| {
                    out[i] = self.weight[i] * (self.reward[i] - self.logged[i]) - pivot;
                });
            }
            Term::Match | Term::MatchedReward => all.for_each(|i| {
                let sure = self.weight[i] * self.propensity[i] >= crate::support::CERTAIN;
                let value = if term == Term::Match {
                    1.0
                } else {
                    self.reward[i]
                };
                out[i] = if sure { value } else { 0.0 } - pivot;
            }),
            Term::Weight(e) => self.weighted(e, out, |_, w| w - pivot),
            Term::Reward(e) => self.weighted(e, out, |i, w| w * self.reward[i] - pivot),
            Term::DoublyRobust(e) => self.weighted(e, out, |i, w| {
                self.target[i] + w * (self.reward[i] - self.logged[i]) - pivot
            }),
        }
    }

    /// Writes what `of` makes of each round and of the weight that an estimator gives it. One loop per law, so that none branches.
    #[inline(always)]
    fn weighted(&self, estimator: Estimator, out: &mut Column, of: impl Fn(usize, f64) -> f64) {
        let all = 0..BLOCK;
        match estimator {
            Estimator::SwitchDr(t) => {
                all.for_each(|i| {
                    let w = self.weight[i];
                    out[i] = of(i, if w <= t { w } else { 0.0 });
                });
            }
            e if e.shrinks() => all.for_each(|i| out[i] = of(i, e.shrink(self.weight[i]))),
            _ => all.for_each(|i| out[i] = of(i, self.weight[i])),
        }
    }
}

impl Evaluation {
    /// Returns an accumulator for these estimators, without a round.
    ///
    /// # Errors
    /// When there is no estimator, or a parameter of one is outside its range.
    pub fn new(estimators: &[Estimator]) -> Result<Self> {
        if estimators.is_empty() {
            return Err(Error::TooFew {
                what: "the number of estimators",
                needed: 1,
                found: 0,
            });
        }
        // The weight itself is always kept: the diagnostics are about it.
        let mut terms = vec![Term::Weight(Estimator::Ips)];
        for estimator in estimators {
            estimator.validate()?;
            for term in estimator.parts() {
                if !terms.contains(&term) {
                    terms.push(term);
                }
            }
        }
        let place = |term: &Term| terms.iter().position(|t| t == term);
        let group = |e: &Estimator| e.influences().iter().filter_map(place).collect();
        let groups: Vec<Vec<usize>> = estimators.iter().map(group).collect();
        // The spread of all weights, and what tuning compares.
        let mut bare: Vec<Vec<usize>> = estimators
            .iter()
            .filter_map(|e| Some(vec![place(&e.weights())?]))
            .collect();
        bare.push(vec![0]);
        bare.push(
            [Term::Modelled, Term::DoublyRobust(Estimator::Ips)]
                .iter()
                .filter_map(place)
                .collect(),
        );
        let shrunk = estimators
            .iter()
            .filter(|e| e.shrinks())
            .flat_map(|e| e.influences());
        bare.push(shrunk.filter_map(|term| place(&term)).collect());
        Ok(Evaluation {
            estimators: estimators.to_vec(),
            moments: Moments::new(terms.len(), &groups, &bare),
            columns: vec![Column::ZERO; terms.len()],
            needs_model: terms.iter().any(|t| t.needs_model()),
            terms,
            weights: Weights::default(),
            support: Support::default(),
            range: None,
            taken: 0,
            buffer: Buffer::new(),
        })
    }

    /// States the range of rewards and weights: rounds outside it are errors from now on, and [`Evaluation::bernstein`] has intervals.
    ///
    /// # Errors
    /// When an end is not finite or they are in the wrong order, or the bound of the weight is not positive.
    pub fn with_range(mut self, range: Range) -> Result<Self> {
        range.validate()?;
        self.range = Some(range);
        Ok(self)
    }

    /// The stated range.
    #[must_use]
    pub fn range(&self) -> Option<Range> {
        self.range
    }

    /// The estimators that are kept.
    #[must_use]
    pub fn estimators(&self) -> &[Estimator] {
        &self.estimators
    }

    /// Rounds taken.
    #[must_use]
    pub fn rounds(&self) -> u64 {
        self.taken
    }

    /// Takes a round with finitely many actions.
    ///
    /// # Errors
    /// As [`Round::weighted`], and when the round has no predicted rewards though an estimator needs them, or lies outside the
    /// stated range. The round is then not taken.
    pub fn push(&mut self, round: &Round<'_>) -> Result<()> {
        let weighted = round.weighted(self.taken)?;
        self.admit(&weighted)?;
        self.support.widen(round.target.len());
        self.support.log(round.action, 1.0 / round.propensity);
        self.support.row(round.target, round.logging);
        self.take(&weighted);
        Ok(())
    }

    /// Takes a round whose weight is known: of continuous actions ([`Kernel`](crate::Kernel)), of groups of actions
    /// ([`marginal`](crate::marginal)), or of any other kind. Support is then judged by the mean weight alone.
    ///
    /// # Errors
    /// When a number is not finite, the weight is negative, the propensity is not positive, and as [`Evaluation::push`].
    pub fn push_weighted(&mut self, round: &Weighted) -> Result<()> {
        round.check(self.taken)?;
        self.admit(round)?;
        self.take(round);
        Ok(())
    }

    fn admit(&self, round: &Weighted) -> Result<()> {
        if self.needs_model && round.model.is_none() {
            return Err(Error::NoPrediction { round: self.taken });
        }
        self.range
            .map_or(Ok(()), |range| range.check(self.taken, round))
    }

    /// Whether an estimator here needs predicted rewards.
    pub(crate) fn needs_model(&self) -> bool {
        self.needs_model
    }

    fn take(&mut self, round: &Weighted) {
        self.buffer.push(round);
        self.taken += 1;
        if self.buffer.rounds == BLOCK {
            self.flush();
        }
    }

    /// Takes the waiting rounds into the sums.
    pub(crate) fn flush(&mut self) {
        let rounds = self.buffer.rounds;
        if rounds == 0 {
            return;
        }
        vectorize(
            #[inline(always)]
            || {
                let (weight, propensity) = (&self.buffer.weight, &self.buffer.propensity);
                self.weights.add(&weight[..rounds], &propensity[..rounds]);
                let terms = self.terms.iter().zip(self.moments.mean());
                for ((term, pivot), column) in terms.zip(&mut self.columns) {
                    self.buffer.fill(*term, *pivot, column);
                }
                self.moments.add_block(&mut self.columns, rounds);
            },
        );
        self.buffer.rounds = 0;
    }

    /// The values of all terms of the rounds that wait, less a pivot each, by column; of the whole block when it has just been taken.
    pub(crate) fn block_terms(&self, pivots: &[f64], out: &mut [Column]) {
        for ((term, pivot), column) in self.terms.iter().zip(pivots).zip(out) {
            self.buffer.fill(*term, *pivot, column);
        }
    }

    /// Rounds that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.buffer.rounds
    }

    /// This accumulator with no round waiting.
    pub(crate) fn settled(&self) -> std::borrow::Cow<'_, Self> {
        if self.buffer.rounds == 0 && self.moments.is_settled() {
            return std::borrow::Cow::Borrowed(self);
        }
        let mut settled = self.clone();
        settled.flush();
        settled.moments.settle();
        std::borrow::Cow::Owned(settled)
    }

    /// Adds the rounds of another accumulator, of another part of the log.
    ///
    /// # Errors
    /// When the two differ in estimators or stated range.
    pub fn merge(&mut self, other: &Evaluation) -> Result<()> {
        if self.estimators != other.estimators {
            return Err(Error::Mismatch { what: "estimators" });
        }
        if self.range != other.range {
            return Err(Error::Mismatch { what: "range" });
        }
        self.flush();
        self.moments.settle();
        let other = other.settled();
        self.moments.merge(&other.moments);
        self.weights.merge(&other.weights);
        self.support.merge(&other.support);
        self.taken += other.taken;
        Ok(())
    }

    /// The number and its standard error whatever the diagnostics say.
    pub(crate) fn raw(&self, estimator: Estimator) -> Result<Estimate> {
        if !self.estimators.contains(&estimator) {
            return Err(Error::NotKept(estimator));
        }
        let all = self.settled();
        let (value, gradient) = estimator.linearise(&all.terms, &all.moments);
        let n = all.moments.count();
        let (skewness, kurtosis) = all.moments.shape(&gradient);
        let (mean, spread) = all.used_weights(estimator);
        let fitted = estimator.leverage(&all.terms, &all.moments, &gradient) / (n - 1.0);
        let variance = (all.moments.variance(&gradient) + fitted).max(0.0);
        Ok(Estimate {
            estimator,
            value,
            standard_error: (variance / n).sqrt(),
            skewness,
            freedom: (2.0 * n / (kurtosis - 1.0).max(0.0)).min(n - 1.0),
            rounds: all.taken,
            effective: if estimator.is_model_alone() {
                n
            } else {
                kish(n, mean, spread)
            },
            kept: if estimator.is_model_alone() {
                0.0
            } else {
                mean / all.moments.mean()[0]
            },
        })
    }

    /// Mean of the weights that an estimator uses, and the sum of their squared deviations.
    fn used_weights(&self, estimator: Estimator) -> (f64, f64) {
        let term = estimator.weights();
        let at = self
            .terms
            .iter()
            .position(|t| *t == term)
            .unwrap_or_default();
        (self.moments.mean()[at], self.moments.comoment(at, at))
    }

    /// Returns the empirical Bernstein interval of `Ips` (with a stated bound of the weight) or `Clipped` (whose bound is its own); `None`
    /// without a stated range, or for another estimator. It holds for every sample size. For `Clipped` it is an interval of the clipped value.
    ///
    /// # Errors
    /// When the level is not between 0 and 1, or the estimator is not kept.
    pub fn bernstein(&self, estimator: Estimator, level: f64) -> Result<Option<Interval>> {
        let estimate = self.raw(estimator)?;
        let most = match (estimator, self.range) {
            (Estimator::Ips, Some(range)) => range.weight,
            (Estimator::Clipped(most), Some(range)) => {
                Some(range.weight.map_or(most, |w| w.min(most)))
            }
            _ => None,
        };
        let (Some(most), Some(range)) = (most, self.range) else {
            return Ok(None);
        };
        let (low, high) = range.product(most);
        let n = self.settled().moments.count();
        if n < 2.0 {
            return Ok(Some(Interval {
                lower: low,
                upper: high,
                level,
            }));
        }
        let variance = estimate.standard_error.powi(2) * n;
        let half = empirical_bernstein(variance, high - low, n, level)?;
        Ok(Some(Interval::around(estimate.value, half, level)))
    }
}

/// The effective number of rounds, from mean and squared deviations of the weights.
pub(crate) fn kish(n: f64, mean: f64, squares: f64) -> f64 {
    let total = n * mean;
    let square = squares + n * mean * mean;
    if square > 0.0 {
        total * total / square
    } else {
        0.0
    }
}
