//! What a log covers: how its weights lie, and which actions it has seen.

use crate::moments::{BLOCK, Column};
use crate::products::{Lanes, dot, sum};

/// Eighths of a power of two, from $2^{-32}$ to $2^{32}$: the bins of weights.
const BINS: usize = 64 * 8;
const FIRST: u64 = (1023 - 32) << 3;

/// Weights and propensities of the rounds seen.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Weights {
    pub(crate) largest: f64,
    pub(crate) zero: u64,
    /// Rounds in which the target takes the logged action for sure, and with a probability between 0 and 1.
    pub(crate) matched: u64,
    pub(crate) partial: u64,
    pub(crate) least_propensity: f64,
    pub(crate) largest_propensity: f64,
    /// Of all rounds, those of weight 0 in the first.
    bins: [u64; BINS + 1],
}

impl Default for Weights {
    fn default() -> Self {
        Weights {
            largest: 0.0,
            zero: 0,
            matched: 0,
            partial: 0,
            least_propensity: f64::INFINITY,
            largest_propensity: 0.0,
            bins: [0; BINS + 1],
        }
    }
}

/// Rounds that are looked at side by side.
const LANES: usize = 8;

/// How close to one a probability is certain.
pub(crate) const CERTAIN: f64 = 1.0 - 1e-9;

impl Weights {
    #[inline(always)]
    pub(crate) fn add(&mut self, weights: &[f64], propensities: &[f64]) {
        // Numbers of at least zero are ordered as their bits are, and the largest of whole numbers is found many at a time.
        let (mut largest, mut least, mut most) = (0, u64::MAX, 0);
        let (mut positive, mut certain) = (0_u64, 0_u64);
        for (w, p) in weights.iter().zip(propensities) {
            largest = largest.max(w.abs().to_bits());
            least = least.min(p.to_bits());
            most = most.max(p.to_bits());
            positive += u64::from(*w > 0.0);
            certain += u64::from(w * p >= CERTAIN);
        }
        if weights.is_empty() {
            return;
        }
        self.count(weights);
        self.largest = self.largest.max(f64::from_bits(largest));
        self.least_propensity = self.least_propensity.min(f64::from_bits(least));
        self.largest_propensity = self.largest_propensity.max(f64::from_bits(most));
        self.zero += weights.len() as u64 - positive;
        self.matched += certain;
        self.partial += positive - certain;
    }

    /// Counts weights by bins.
    #[inline(always)]
    fn count(&mut self, weights: &[f64]) {
        let mut places = [0; BLOCK];
        for weights in weights.chunks(BLOCK) {
            let places = &mut places[..weights.len()];
            for (place, w) in places.iter_mut().zip(weights) {
                // Zero lies below the first bin.
                *place = (w.to_bits() >> 49).clamp(FIRST, FIRST + BINS as u64) - FIRST;
            }
            for place in places {
                #[allow(
                    clippy::cast_possible_truncation,
                    reason = "at most the number of bins"
                )]
                let bin = (*place as usize).min(BINS);
                self.bins[bin] += 1;
            }
        }
    }

    pub(crate) fn merge(&mut self, other: &Weights) {
        self.largest = self.largest.max(other.largest);
        self.zero += other.zero;
        self.matched += other.matched;
        self.partial += other.partial;
        self.least_propensity = self.least_propensity.min(other.least_propensity);
        self.largest_propensity = self.largest_propensity.max(other.largest_propensity);
        for (a, b) in self.bins.iter_mut().zip(&other.bins) {
            *a += b;
        }
    }

    /// An upper bound of the quantile, within an eighth of a power of two.
    pub(crate) fn quantile(&self, q: f64) -> f64 {
        let total: u64 = self.bins.iter().sum();
        #[allow(clippy::cast_precision_loss, reason = "a rank")]
        let rank = q * total as f64;
        #[allow(clippy::cast_precision_loss, reason = "a rank")]
        if self.zero as f64 >= rank {
            return 0.0;
        }
        let mut seen = 0;
        for (bin, count) in self.bins.iter().enumerate() {
            seen += count;
            #[allow(clippy::cast_precision_loss, reason = "a rank")]
            if seen as f64 >= rank {
                return self.edge(bin + 1);
            }
        }
        self.largest
    }

    fn edge(&self, bin: usize) -> f64 {
        f64::from_bits((FIRST + bin as u64) << 49).min(self.largest)
    }
}

/// How often each action was logged, and how much the target wants of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Support {
    pub(crate) logged: Vec<u64>,
    /// Sums of $1/p$ and $1/p^2$ over the rounds that logged the action.
    pub(crate) inverse: Vec<f64>,
    pub(crate) inverse_square: Vec<f64>,
    /// Sums of the target's probabilities.
    pub(crate) mass: Vec<f64>,
    /// Target mass where the logging policy's row has zero, summed over the rounds that have such a row, and their number.
    pub(crate) impossible: f64,
    pub(crate) rows: u64,
}

impl Support {
    pub(crate) fn widen(&mut self, actions: usize) {
        if self.logged.len() < actions {
            self.logged.resize(actions, 0);
            self.inverse.resize(actions, 0.0);
            self.inverse_square.resize(actions, 0.0);
            self.mass.resize(actions, 0.0);
        }
    }

    #[inline(always)]
    pub(crate) fn log(&mut self, action: usize, inverse: f64) {
        self.logged[action] += 1;
        self.inverse[action] += inverse;
        self.inverse_square[action] += inverse * inverse;
    }

    /// The same of a block with `K` actions, whose inverse propensities are given.
    #[inline(always)]
    pub(crate) fn log_block<const K: usize>(&mut self, actions: &[u32], inverses: &Column) {
        let inverses = &inverses[..actions.len()];
        for (k, this) in (0..K).zip(0_u32..) {
            let (mut own, mut logged) = (Column::ZERO, 0_u64);
            for ((own, inverse), action) in own.iter_mut().zip(inverses).zip(actions) {
                let here = *action == this;
                *own = if here { *inverse } else { 0.0 };
                logged += u64::from(here);
            }
            let (mut total, mut squares) = (Lanes::default(), Lanes::default());
            sum(&own, &mut total);
            dot(&own, &own, &mut squares);
            self.logged[k] += logged;
            self.inverse[k] += total.iter().sum::<f64>();
            self.inverse_square[k] += squares.iter().sum::<f64>();
        }
    }

    /// The target's rows of a block.
    #[inline(always)]
    pub(crate) fn rows_block<T: Copy + Into<f64>, const K: usize>(&mut self, rows: &[[T; K]]) {
        let (lanes, left) = rows.as_chunks::<LANES>();
        let mut mass = [[0.0; K]; LANES];
        for rows in lanes {
            let places = mass.as_flattened_mut().iter_mut();
            for (mass, p) in places.zip(rows.as_flattened()) {
                *mass += (*p).into();
            }
        }
        for (k, total) in self.mass.iter_mut().enumerate().take(K) {
            *total += mass.iter().map(|lane| lane[k]).sum::<f64>();
            *total += left.iter().map(|row| row[k].into()).sum::<f64>();
        }
    }

    pub(crate) fn row(&mut self, target: &[f64], logging: Option<&[f64]>) {
        for (mass, p) in self.mass.iter_mut().zip(target) {
            *mass += p;
        }
        if let Some(logging) = logging {
            self.rows += 1;
            let lost = target.iter().zip(logging).filter(|(_, b)| **b == 0.0);
            self.impossible += lost.map(|(p, _)| p).sum::<f64>();
        }
    }

    pub(crate) fn merge(&mut self, other: &Support) {
        self.widen(other.logged.len());
        for (a, b) in self.logged.iter_mut().zip(&other.logged) {
            *a += b;
        }
        for (ours, theirs) in [
            (&mut self.inverse, &other.inverse),
            (&mut self.inverse_square, &other.inverse_square),
            (&mut self.mass, &other.mass),
        ] {
            for (a, b) in ours.iter_mut().zip(theirs) {
                *a += b;
            }
        }
        self.impossible += other.impossible;
        self.rows += other.rows;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn quantiles_lie_just_above_the_true_ones(weights in prop::collection::vec(0.0..50.0f64, 1..300), q in 0.01..0.99f64) {
            let mut seen = Weights::default();
            seen.add(&weights, &vec![0.01; weights.len()]);
            let mut sorted = weights.clone();
            sorted.sort_by(f64::total_cmp);
            let rank = (q * weights.len() as f64).ceil() as usize;
            let exact = sorted[rank.max(1) - 1];
            let found = seen.quantile(q);
            prop_assert!(found >= exact && found <= exact * 1.13 + 1e-9, "{found} for {exact}");
        }
    }
}
