//! Isotonic regression by pooling adjacent violators.

use super::status::check_binary;
use crate::calibration::sorted_keys;
use crate::error::{Error, Result, check_finite, check_len, check_unit};

/// The rising map closest to the outcomes in squared error.
///
/// Equal confidences are pooled first; between the blocks of the solution the map is linear, outside the data it is constant. This is
/// scikit-learn's rule.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Isotonic {
    /// Points (confidence, value), both rising.
    knots: Vec<(f64, f64)>,
}

struct Block {
    right: u64,
    count: u64,
    low: u64,
    high: u64,
}

impl Isotonic {
    /// Returns the fitted map; $O(n \log n)$.
    ///
    /// # Errors
    /// [`crate::Error::Length`], [`crate::Error::Empty`], [`crate::Error::OutOfRange`].
    #[allow(clippy::cast_precision_loss)] // Counts.
    pub fn fit(confidence: &[f64], correct: &[bool]) -> Result<Self> {
        check_binary(confidence, correct)?;
        let keys = sorted_keys(confidence, correct);
        let mut blocks: Vec<Block> = Vec::new();
        let mut i = 0;
        while i < keys.len() {
            let value = keys[i] >> 1;
            let mut block = Block {
                right: 0,
                count: 0,
                low: value,
                high: value,
            };
            while i < keys.len() && keys[i] >> 1 == value {
                block.right += keys[i] & 1;
                block.count += 1;
                i += 1;
            }
            // Means are compared as integers: a.right / a.count >= b.right / b.count without rounding.
            while let Some(last) = blocks.last() {
                if u128::from(last.right) * u128::from(block.count)
                    < u128::from(block.right) * u128::from(last.count)
                {
                    break;
                }
                block.right += last.right;
                block.count += last.count;
                block.low = last.low;
                blocks.pop();
            }
            blocks.push(block);
        }
        let mut knots = Vec::with_capacity(2 * blocks.len());
        for b in &blocks {
            let mean = b.right as f64 / b.count as f64;
            knots.push((f64::from_bits(b.low), mean));
            if b.high > b.low {
                knots.push((f64::from_bits(b.high), mean));
            }
        }
        Ok(Self { knots })
    }

    /// Returns the rising map closest to real `target`s in squared error weighted by `weight`; records of weight 0 do not count. $O(n \log n)$.
    ///
    /// ```
    /// use hindsight_llm_metrics::recalibrate::Isotonic;
    /// // The second and third violate the order: their weighted mean (3 * 0.6 + 0.2) / 4 = 0.5 stands for both.
    /// let map = Isotonic::fit_weighted(&[0.1, 0.2, 0.3], &[0.0, 0.6, 0.2], &[1.0, 3.0, 1.0])?;
    /// assert!((map.apply(0.25) - 0.5).abs() < 1e-12);
    /// # Ok::<(), hindsight_llm_metrics::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::Error::Length`], [`crate::Error::Empty`]; [`crate::Error::OutOfRange`] for a confidence outside [0, 1] or a negative weight;
    /// [`crate::Error::NotFinite`]; [`crate::Error::TooFew`] if all weights are 0.
    pub fn fit_weighted(confidence: &[f64], target: &[f64], weight: &[f64]) -> Result<Self> {
        check_len("target", confidence.len(), target.len())?;
        check_len("weight", confidence.len(), weight.len())?;
        check_unit("confidence", confidence)?;
        check_finite("target", target)?;
        check_finite("weight", weight)?;
        if let Some(index) = weight.iter().position(|w| *w < 0.0) {
            return Err(Error::OutOfRange {
                what: "weight",
                index,
                value: weight[index],
                min: 0.0,
                max: f64::INFINITY,
            });
        }
        let mut order: Vec<usize> = (0..confidence.len()).filter(|i| weight[*i] > 0.0).collect();
        if order.is_empty() {
            return Err(Error::TooFew {
                what: "the number of records with a weight",
                needed: 1,
                found: 0,
            });
        }
        // Ties in every order give the same sums, up to rounding; the order of the targets makes them the same bits.
        order.sort_by(|a, b| {
            let by = confidence[*a].total_cmp(&confidence[*b]);
            by.then(target[*a].total_cmp(&target[*b]))
                .then(weight[*a].total_cmp(&weight[*b]))
        });
        // Weight, weighted sum, lowest and highest confidence of each block.
        let mut blocks: Vec<(f64, f64, f64, f64)> = Vec::new();
        for tie in order.chunk_by(|a, b| confidence[*a].total_cmp(&confidence[*b]).is_eq()) {
            let c = confidence[tie[0]];
            let mut block = (0.0, 0.0, c, c);
            for i in tie {
                block.0 += weight[*i];
                block.1 += weight[*i] * target[*i];
            }
            while let Some(last) = blocks.last() {
                if last.1 / last.0 < block.1 / block.0 {
                    break;
                }
                block = (block.0 + last.0, block.1 + last.1, last.2, block.3);
                blocks.pop();
            }
            blocks.push(block);
        }
        let mut knots = Vec::with_capacity(2 * blocks.len());
        for (w, s, low, high) in blocks {
            knots.push((low, s / w));
            if high > low {
                knots.push((high, s / w));
            }
        }
        Ok(Self { knots })
    }

    /// Returns the recalibrated probability.
    #[must_use]
    pub fn apply(&self, confidence: f64) -> f64 {
        let at = self.knots.partition_point(|k| k.0 < confidence);
        match (
            at.checked_sub(1).and_then(|i| self.knots.get(i)),
            self.knots.get(at),
        ) {
            (Some(a), Some(b)) => a.1 + (b.1 - a.1) * ((confidence - a.0) / (b.0 - a.0)),
            (Some(a), None) => a.1,
            (None, Some(b)) => b.1,
            (None, None) => confidence,
        }
    }

    /// Returns the points between which the map is linear.
    #[must_use]
    pub fn knots(&self) -> &[(f64, f64)] {
        &self.knots
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The max-min formula: g(i) = max over a <= i of min over b >= i of the mean of y on [a, b], over distinct confidences.
    fn max_min(x: &[u32], y: &[bool]) -> Vec<f64> {
        let mut distinct: Vec<u32> = x.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        let pooled: Vec<(f64, f64)> = distinct
            .iter()
            .map(|d| {
                let own: Vec<bool> = x
                    .iter()
                    .zip(y)
                    .filter(|(x, _)| *x == d)
                    .map(|(_, y)| *y)
                    .collect();
                (own.iter().filter(|y| **y).count() as f64, own.len() as f64)
            })
            .collect();
        let m = pooled.len();
        (0..m)
            .map(|i| {
                (0..=i)
                    .map(|a| {
                        (i..m)
                            .map(|b| {
                                let (r, n) = pooled[a..=b]
                                    .iter()
                                    .fold((0.0, 0.0), |s, p| (s.0 + p.0, s.1 + p.1));
                                r / n
                            })
                            .fold(f64::INFINITY, f64::min)
                    })
                    .fold(f64::NEG_INFINITY, f64::max)
            })
            .collect()
    }

    proptest! {
        /// Weights that are whole numbers are repetitions, and outcomes are the targets 0 and 1.
        #[test]
        fn weights_are_repetitions(data in proptest::collection::vec((0u8..12, any::<bool>(), 0usize..4), 1..60)) {
            prop_assume!(data.iter().any(|d| d.2 > 0));
            let x: Vec<f64> = data.iter().map(|d| f64::from(d.0) / 12.0).collect();
            let t: Vec<f64> = data.iter().map(|d| f64::from(u8::from(d.1))).collect();
            let w: Vec<f64> = data.iter().map(|d| d.2 as f64).collect();
            let (mut rx, mut ry) = (vec![], vec![]);
            for (d, x) in data.iter().zip(&x) {
                rx.extend(vec![*x; d.2]);
                ry.extend(vec![d.1; d.2]);
            }
            let (a, b) = (Isotonic::fit_weighted(&x, &t, &w).unwrap(), Isotonic::fit(&rx, &ry).unwrap());
            for i in 0..=40 {
                let p = f64::from(i) / 40.0;
                prop_assert!((a.apply(p) - b.apply(p)).abs() < 1e-12);
            }
        }

        #[test]
        fn fit_equals_the_max_min_formula(data in proptest::collection::vec((0u32..=20, any::<bool>()), 1..60)) {
            let (x, y): (Vec<u32>, Vec<bool>) = data.into_iter().unzip();
            let conf: Vec<f64> = x.iter().map(|v| f64::from(*v) / 20.0).collect();
            let map = Isotonic::fit(&conf, &y).unwrap();
            let mut distinct = x.clone();
            distinct.sort_unstable();
            distinct.dedup();
            for (v, g) in distinct.iter().zip(max_min(&x, &y)) {
                prop_assert!((map.apply(f64::from(*v) / 20.0) - g).abs() < 1e-12);
            }
        }

        #[test]
        fn map_rises_and_stays_in_range(
            data in proptest::collection::vec((0.0f64..=1.0, any::<bool>()), 1..80), a in 0.0f64..=1.0, b in 0.0f64..=1.0,
        ) {
            let (conf, y): (Vec<f64>, Vec<bool>) = data.into_iter().unzip();
            let map = Isotonic::fit(&conf, &y).unwrap();
            prop_assert!(map.apply(a.min(b)) <= map.apply(a.max(b)) + 1e-12);
            prop_assert!((0.0..=1.0).contains(&map.apply(a)));
            // The mean is preserved.
            let mean = conf.iter().map(|c| map.apply(*c)).sum::<f64>();
            prop_assert!((mean - y.iter().filter(|y| **y).count() as f64).abs() < 1e-9);
        }
    }
}
