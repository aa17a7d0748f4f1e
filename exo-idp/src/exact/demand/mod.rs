//! Demand laws on {0, 1, 2, ...} as checked probability vectors.
//!
//! Everything the exact solvers need of a law is tabulated once: probabilities $P(D=d)$, the
//! distribution function, the tail, and the two loss functions
//! $E(D-y)^+ = \sum_{d \ge y} P(D>d)$ and $E(y-D)^+ = \sum_{d<y} P(D\le d)$.
//! A law with infinite support is cut where the mass beyond is below `1e-15` and renormalised;
//! [`DemandLaw::truncated`] says how much was cut.

mod name;

use super::error::{ExactError, non_negative, positive};

/// Mass beyond the last tabulated demand of a law with infinite support.
const TAIL: f64 = 1e-15;
/// Longest table.
const WIDEST: u64 = 1 << 22;
/// Slack of the quantile, for probabilities that are sums of rounded terms.
const QUANTILE_SLACK: f64 = 1e-12;

/// The law of one period's demand, in whole units.
///
/// ```
/// use hindsight_exo_idp::exact::DemandLaw;
/// let demand = DemandLaw::poisson(5.0)?;
/// assert!((demand.mean() - 5.0).abs() < 1e-12);
/// assert_eq!(demand.quantile(0.9)?, 8);
/// // Expected lost sales with eight units on the shelf, in units per period.
/// assert!((demand.expected_excess(8) - 0.122_109).abs() < 1e-6);
/// # Ok::<(), hindsight_exo_idp::exact::ExactError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct DemandLaw {
    pmf: Vec<f64>,
    cdf: Vec<f64>,
    /// `survival[d]` = P(D > d).
    survival: Vec<f64>,
    /// `excess[y]` = E(D-y)+, for y up to the largest demand.
    excess: Vec<f64>,
    /// `leftover[y]` = E(y-D)+, for y up to the largest demand.
    leftover: Vec<f64>,
    mean: f64,
    variance: f64,
    truncated: f64,
}

impl DemandLaw {
    /// The Poisson law of the given mean (units per period).
    ///
    /// # Errors
    /// The mean is not finite and above zero, or needs a table beyond four million entries.
    pub fn poisson(mean: f64) -> Result<Self, ExactError> {
        positive("mean of the Poisson demand", mean)?;
        Self::from_ratios(mean, move |k| mean / (k + 1.0), 0.0)
    }

    /// The geometric law on {0, 1, ...} of the given mean: $P(D=d) = (1-q) q^d$ with $q = m/(1+m)$.
    ///
    /// # Errors
    /// The mean is not finite and above zero, or needs too wide a table.
    pub fn geometric(mean: f64) -> Result<Self, ExactError> {
        positive("mean of the geometric demand", mean)?;
        let q = mean / (1.0 + mean);
        Self::from_ratios(0.0, move |_| q, q)
    }

    /// The negative-binomial law by mean $m$ and dispersion $r$: variance $m + m^2/r$.
    ///
    /// $r=1$ is the geometric law, $r\to\infty$ the Poisson law.
    ///
    /// # Errors
    /// An argument is not finite and above zero, or the law needs too wide a table.
    pub fn negative_binomial(mean: f64, dispersion: f64) -> Result<Self, ExactError> {
        positive("mean of the negative-binomial demand", mean)?;
        positive("dispersion of the negative-binomial demand", dispersion)?;
        let fail = mean / (dispersion + mean);
        let mode = ((dispersion - 1.0) * mean / dispersion).max(0.0);
        Self::from_ratios(mode, move |k| (k + dispersion) / (k + 1.0) * fail, fail)
    }

    /// The negative-binomial law of the number of failures before the `r`-th success of probability `p`:
    /// mean $r(1-p)/p$.
    ///
    /// # Errors
    /// `r` is not finite and above zero, `p` is not strictly between 0 and 1, or the law needs too wide a table.
    pub fn negative_binomial_rp(r: f64, p: f64) -> Result<Self, ExactError> {
        super::error::inside_unit("success probability", p)?;
        Self::negative_binomial(r * (1.0 - p) / p, r)
    }

    /// The law with $P(D=d)$ equal to entry `d`.
    ///
    /// Trailing zeros are dropped, and the vector is renormalised.
    ///
    /// # Errors
    /// An entry is negative or not finite, the sum is further than `1e-9` from one, or the vector is too wide.
    pub fn from_probabilities(probabilities: &[f64]) -> Result<Self, ExactError> {
        for (demand, &value) in probabilities.iter().enumerate() {
            if !(value.is_finite() && value >= 0.0) {
                return Err(ExactError::BadProbability { demand, value });
            }
        }
        let sum: f64 = probabilities.iter().sum();
        if (sum - 1.0).abs() > 1e-9 {
            return Err(ExactError::BadSum { sum });
        }
        Self::tabulate(probabilities.to_vec(), 0.0)
    }

    /// The empirical law of counts: entry `d` says how often demand `d` was seen.
    ///
    /// # Errors
    /// All counts are zero or there is none, or the vector is too wide.
    pub fn from_counts(counts: &[u64]) -> Result<Self, ExactError> {
        #[allow(
            clippy::cast_precision_loss,
            reason = "a relative error of 1e-16 in a frequency"
        )]
        let weights: Vec<f64> = counts.iter().map(|&n| n as f64).collect();
        if weights.iter().sum::<f64>() <= 0.0 {
            return Err(ExactError::Empty);
        }
        Self::tabulate(weights, 0.0)
    }

    /// The empirical law of observed demands.
    ///
    /// # Errors
    /// There is no observation, or the largest is beyond four million units.
    pub fn from_observations(observed: &[u32]) -> Result<Self, ExactError> {
        let largest = *observed.iter().max().ok_or(ExactError::Empty)?;
        if u64::from(largest) >= WIDEST {
            return Err(ExactError::TooWide {
                largest: u64::from(largest),
                limit: WIDEST,
            });
        }
        let mut counts = vec![0_u64; largest as usize + 1];
        for &d in observed {
            counts[d as usize] += 1;
        }
        Self::from_counts(&counts)
    }

    /// The law of the sum of this demand and an independent one.
    ///
    /// # Errors
    /// The sum's table is too wide.
    pub fn plus(&self, other: &Self) -> Result<Self, ExactError> {
        let mut sum = vec![0.0; self.pmf.len() + other.pmf.len() - 1];
        for (i, &a) in self.pmf.iter().enumerate().filter(|(_, a)| **a > 0.0) {
            for (s, &b) in sum[i..].iter_mut().zip(&other.pmf) {
                *s += a * b;
            }
        }
        Self::tabulate(sum, self.truncated + other.truncated)
    }

    /// The law of total demand over `periods` independent periods; zero periods give a demand of zero.
    ///
    /// # Errors
    /// The sum's table is too wide.
    pub fn over(&self, periods: usize) -> Result<Self, ExactError> {
        let mut total = Self::tabulate(vec![1.0], 0.0)?;
        let mut power = self.clone();
        let mut left = periods;
        while left > 0 {
            if left % 2 == 1 {
                total = total.plus(&power)?;
            }
            left /= 2;
            if left > 0 {
                power = power.plus(&power)?;
            }
        }
        Ok(total)
    }

    /// The probability of a demand of exactly `d` units.
    #[must_use]
    pub fn pmf(&self, d: u32) -> f64 {
        self.pmf.get(d as usize).copied().unwrap_or(0.0)
    }

    /// The probability of a demand of at most `d` units.
    #[must_use]
    pub fn cdf(&self, d: u32) -> f64 {
        self.cdf.get(d as usize).copied().unwrap_or(1.0)
    }

    /// The probability of a demand above `d` units, summed from the tail so that small values keep their digits.
    #[must_use]
    pub fn survival(&self, d: u32) -> f64 {
        self.survival.get(d as usize).copied().unwrap_or(0.0)
    }

    /// The smallest demand `d` with $P(D\le d)\ge$ `level`, up to a slack of `1e-12` for rounding.
    ///
    /// # Errors
    /// The level is not in [0, 1].
    pub fn quantile(&self, level: f64) -> Result<u32, ExactError> {
        if !(0.0..=1.0).contains(&level) {
            return Err(ExactError::BadLevel { value: level });
        }
        let at = self.cdf.partition_point(|&c| c < level - QUANTILE_SLACK);
        Ok(index(at.min(self.cdf.len() - 1)))
    }

    /// Expected demand beyond `y` units, $E(D-y)^+$.
    #[must_use]
    pub fn expected_excess(&self, y: u32) -> f64 {
        self.excess.get(y as usize).copied().unwrap_or(0.0)
    }

    /// Expected stock left of `y` units, $E(y-D)^+$.
    #[must_use]
    pub fn expected_leftover(&self, y: u32) -> f64 {
        self.leftover
            .get(y as usize)
            .copied()
            .unwrap_or_else(|| f64::from(y) - self.mean)
    }

    /// Expected sales from `y` units, $E\min(D,y)$.
    #[must_use]
    pub fn expected_sales(&self, y: u32) -> f64 {
        f64::from(y) - self.expected_leftover(y)
    }

    /// Mean, in units per period.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// Variance.
    #[must_use]
    pub fn variance(&self) -> f64 {
        self.variance
    }

    /// The largest demand with positive probability in the table.
    #[must_use]
    pub fn largest(&self) -> u32 {
        index(self.pmf.len() - 1)
    }

    /// The probabilities, from demand 0 on.
    #[must_use]
    pub fn probabilities(&self) -> &[f64] {
        &self.pmf
    }

    /// A bound on the mass that was cut from the tail before renormalising; zero for finite laws.
    #[must_use]
    pub fn truncated(&self) -> f64 {
        self.truncated
    }

    /// Builds from the ratios $P(k+1)/P(k)$, outward from the mode; `limit` is the limit of the ratio.
    fn from_ratios(mode: f64, ratio: impl Fn(f64) -> f64, limit: f64) -> Result<Self, ExactError> {
        let start = non_negative("mode of the demand", mode)?.floor();
        #[allow(clippy::cast_precision_loss, reason = "a bound of four million")]
        let widest = WIDEST as f64;
        if start >= widest {
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "saturates, and only reported"
            )]
            return Err(ExactError::TooWide {
                largest: start as u64,
                limit: WIDEST,
            });
        }
        let mut below = Vec::new();
        let (mut k, mut weight) = (start, 1.0);
        while k > 0.0 && weight > 0.0 {
            k -= 1.0;
            weight /= ratio(k);
            below.push(weight);
        }
        while k > 0.0 {
            k -= 1.0;
            below.push(0.0);
        }
        below.reverse();
        let mut weights = below;
        weights.push(1.0);
        let mut total: f64 = weights.iter().sum();
        let (mut k, mut weight) = (start, 1.0);
        let cut = loop {
            let r = ratio(k);
            // Beyond k the ratios stay below the larger of this one and the limit: a geometric bound.
            let worst = r.max(limit);
            let tail = weight * worst / (1.0 - worst);
            if worst < 1.0 && tail <= TAIL * total {
                break tail / total;
            }
            weight *= r;
            k += 1.0;
            total += weight;
            weights.push(weight);
            if weights.len() as u64 > WIDEST {
                return Err(ExactError::TooWide {
                    largest: weights.len() as u64,
                    limit: WIDEST,
                });
            }
        };
        Self::tabulate(weights, cut)
    }

    /// Normalises weights that are not all zero and fills the tables.
    fn tabulate(mut pmf: Vec<f64>, truncated: f64) -> Result<Self, ExactError> {
        while pmf.len() > 1 && pmf.last().is_some_and(|&w| w <= 0.0) {
            pmf.pop();
        }
        if pmf.len() as u64 > WIDEST {
            return Err(ExactError::TooWide {
                largest: pmf.len() as u64,
                limit: WIDEST,
            });
        }
        let total: f64 = pmf.iter().sum();
        for p in &mut pmf {
            *p /= total;
        }
        let n = pmf.len();
        let mut cdf = Vec::with_capacity(n);
        let mut leftover = Vec::with_capacity(n);
        let (mut sum, mut area) = (0.0, 0.0);
        for &p in &pmf {
            leftover.push(area);
            sum += p;
            area += sum;
            cdf.push(sum);
        }
        let mut survival = vec![0.0; n];
        let mut excess = vec![0.0; n];
        for d in (0..n.saturating_sub(1)).rev() {
            survival[d] = survival[d + 1] + pmf[d + 1];
            excess[d] = excess[d + 1] + survival[d];
        }
        let mean = excess[0];
        let mut variance = 0.0;
        let mut value = 0.0;
        for &p in &pmf {
            variance += p * (value - mean) * (value - mean);
            value += 1.0;
        }
        Ok(Self {
            pmf,
            cdf,
            survival,
            excess,
            leftover,
            mean,
            variance,
            truncated,
        })
    }
}

/// A place in a table as `u32`: demand tables are shorter than four million, and state tables are limited to `u32`.
#[allow(
    clippy::cast_possible_truncation,
    reason = "see above: every caller limits its table"
)]
pub(crate) fn index(i: usize) -> u32 {
    i as u32
}

#[cfg(test)]
mod tests;
