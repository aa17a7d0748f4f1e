//! What a change gained in decisions that had no say in choosing it, and how sure that is.

use std::collections::BTreeMap;

use crate::error::{Error, Result, check_len, check_level};
use crate::interval::{Interval, t_quantile};

/// Weeks after which two weeks are taken to have little to do with each other.
const LAG: usize = 5;

/// Gains of decisions, each of a product in a week.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Judged {
    pub(super) product: Vec<u64>,
    /// Empty where decisions of different products are independent.
    pub(super) week: Vec<u64>,
    pub(super) weight: Vec<f64>,
    pub(super) gain: Vec<f64>,
}

/// The weighted mean of gains.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct MapGain {
    /// Weighted mean gain.
    pub gain: f64,
    /// Its standard error; NaN for one product.
    pub standard_error: f64,
    /// Degrees of freedom of the standard error.
    pub freedom: f64,
    /// Products.
    pub products: usize,
}

impl MapGain {
    /// Returns the interval, at a level on both sides.
    ///
    /// # Errors
    /// When the level is not between 0 and 1.
    pub fn interval(&self, level: f64) -> Result<Interval> {
        check_level(level)?;
        let quantile = t_quantile(f64::midpoint(1.0, level), self.freedom);
        let half = quantile * self.standard_error;
        Ok(Interval::around(self.gain, half, level))
    }

    /// Half the width of the interval of one side.
    pub(super) fn half(&self, level: f64) -> f64 {
        t_quantile(level.max(0.5), self.freedom) * self.standard_error
    }
}

impl Judged {
    /// Returns whether there is no decision.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.gain.is_empty()
    }

    /// The mean gain.
    ///
    /// Decisions of one product have errors in common, and so have, where weeks are known, decisions of one week and of the five weeks after it,
    /// whatever the product. The variance is $V_p + V_t - V_{pt}$: that of products as clusters, that of weeks as clusters with Bartlett's weights
    /// $1 - l / 6$ for weeks at a distance $l \le 5$, less what both have counted; no less than either of the first two. Sources: Cameron, Gelbach and
    /// Miller (2011); Driscoll and Kraay (1998); Thompson (2011). Degrees of freedom: products less one, or a sixth of the weeks less one.
    #[must_use]
    pub fn mean(&self) -> MapGain {
        let total: f64 = self.weight.iter().sum();
        let sum: f64 = self.weight.iter().zip(&self.gain).map(|(w, g)| w * g).sum();
        let mean = sum / total;
        let error = |d: usize| self.weight[d] * (self.gain[d] - mean);
        let mut products: BTreeMap<u64, f64> = BTreeMap::new();
        for (d, product) in self.product.iter().enumerate() {
            *products.entry(*product).or_insert(0.0) += error(d);
        }
        let count = count(products.len());
        let correct = |n: f64| n / (n - 1.0);
        let mut squares = correct(count) * products.values().map(|s| s * s).sum::<f64>();
        let mut freedom = count - 1.0;
        if !self.week.is_empty() {
            let mut weeks: BTreeMap<u64, f64> = BTreeMap::new();
            let mut cells: BTreeMap<u64, BTreeMap<u64, f64>> = BTreeMap::new();
            for (d, (product, week)) in self.product.iter().zip(&self.week).enumerate() {
                *weeks.entry(*week).or_insert(0.0) += error(d);
                let own = cells.entry(*product).or_default();
                *own.entry(*week).or_insert(0.0) += error(d);
            }
            let long = self::count(weeks.len());
            let by_week = correct(long) * serial(&weeks);
            let both: f64 = cells.values().map(serial).sum();
            squares = (squares + by_week - both).max(squares).max(by_week);
            freedom = freedom.min((long / self::count(LAG + 1) - 1.0).max(1.0));
        }
        MapGain {
            gain: mean,
            standard_error: squares.sqrt() / total,
            freedom,
            products: products.len(),
        }
    }

    /// Adds other decisions, say of other weeks.
    ///
    /// # Errors
    /// When one knows its weeks and the other does not.
    pub fn append(&mut self, other: &Judged) -> Result<()> {
        if !self.is_empty() && self.week.is_empty() != other.week.is_empty() {
            return Err(Error::Mismatch {
                what: "whether weeks are known",
            });
        }
        self.product.extend_from_slice(&other.product);
        self.week.extend_from_slice(&other.week);
        self.weight.extend_from_slice(&other.weight);
        self.gain.extend_from_slice(&other.gain);
        Ok(())
    }

    /// How much more than another these gained, decision by decision: what both share cancels.
    ///
    /// # Errors
    /// When they are not of the same products and weeks in the same order.
    pub fn minus(&self, other: &Judged) -> Result<Judged> {
        check_len("decisions", self.gain.len(), other.gain.len())?;
        if self.product != other.product || self.week != other.week {
            return Err(Error::Mismatch {
                what: "products or weeks",
            });
        }
        let pairs = self.gain.iter().zip(&other.gain);
        Ok(Judged {
            gain: pairs.map(|(a, b)| a - b).collect(),
            ..self.clone()
        })
    }
}

/// The sum of squares of sums by week, and of the products of those near one another.
fn serial(weeks: &BTreeMap<u64, f64>) -> f64 {
    let mut sum = 0.0;
    for (week, a) in weeks {
        sum += a * a;
        for lag in 1..=LAG {
            if let Some(b) = weeks.get(&(week + lag as u64)) {
                sum += 2.0 * (1.0 - count(lag) / count(LAG + 1)) * a * b;
            }
        }
    }
    sum
}

#[allow(clippy::cast_precision_loss, reason = "a number of products or weeks")]
fn count(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_distr::{Distribution, StandardNormal};
    use rand_pcg::Pcg64;

    use super::*;

    /// Mean 0: a part of each product, a part of each week that fades over weeks, and noise.
    fn draw(shared: f64, rng: &mut Pcg64) -> Judged {
        let mut normal = || <StandardNormal as Distribution<f64>>::sample(&StandardNormal, rng);
        let products: Vec<f64> = (0..40).map(|_| normal()).collect();
        let mut judged = Judged::default();
        let mut common = 0.0;
        for week in 0..60 {
            common = 0.4 * common + normal();
            for (product, own) in (0..).zip(&products) {
                judged.product.push(product);
                judged.week.push(week);
                judged.weight.push(1.0);
                judged.gain.push(own + shared * common + normal());
            }
        }
        judged
    }

    fn coverage(shared: f64, weeks: bool) -> f64 {
        let repeats = 600;
        let hits = (0..repeats).filter(|seed| {
            let mut judged = draw(shared, &mut Pcg64::seed_from_u64(*seed));
            if !weeks {
                judged.week.clear();
            }
            judged.mean().interval(0.95).unwrap().contains(0.0)
        });
        hits.count() as f64 / repeats as f64
    }

    /// Intervals that know the weeks cover; the planted fault, the same without them, does not.
    #[test]
    fn shared_weeks_are_known() {
        let (known, unknown, alone) = (
            coverage(1.5, true),
            coverage(1.5, false),
            coverage(0.0, true),
        );
        println!("shared weeks: {known} known, {unknown} unknown; none shared: {alone}");
        assert!(known > 0.92 && alone > 0.93, "{known} {alone}");
        assert!(unknown < 0.75, "{unknown}");
    }

    proptest! {
        /// By the definition: all pairs of decisions that share a product, or lie in near weeks.
        #[test]
        fn variance_is_the_sum_over_related_pairs(rows in prop::collection::vec((0..5_u64, 0..9_u64, 0.1..2.0_f64, -3.0..3.0_f64), 12..60)) {
            let mut judged = Judged::default();
            for (product, week, weight, gain) in &rows {
                judged.product.push(*product);
                judged.week.push(*week);
                judged.weight.push(*weight);
                judged.gain.push(*gain);
            }
            let found = judged.mean();
            let total: f64 = judged.weight.iter().sum();
            let error = |d: usize| judged.weight[d] * (judged.gain[d] - found.gain);
            let distinct = |of: &[u64]| of.iter().collect::<std::collections::BTreeSet<_>>().len() as f64;
            let (p, t) = (distinct(&judged.product), distinct(&judged.week));
            prop_assume!(p > 1.0 && t > 1.0);
            let (mut by_product, mut by_week, mut both) = (0.0, 0.0, 0.0);
            for a in 0..rows.len() {
                for b in 0..rows.len() {
                    let near = 1.0 - rows[a].1.abs_diff(rows[b].1) as f64 / 6.0;
                    let product = error(a) * error(b);
                    let same = rows[a].0 == rows[b].0;
                    by_product += if same { product } else { 0.0 };
                    by_week += near.max(0.0) * product;
                    both += if same { near.max(0.0) * product } else { 0.0 };
                }
            }
            let (by_product, by_week) = (by_product * p / (p - 1.0), by_week * t / (t - 1.0));
            let variance = (by_product + by_week - both).max(by_product).max(by_week) / (total * total);
            prop_assert!((found.standard_error.powi(2) - variance).abs() < 1e-9 * (1.0 + variance));
        }
    }
}
