//! Rank histograms.

use rand::{Rng, RngExt};
use statrs::function::gamma::gamma_ur;

use super::forecasts::{Forecasts, count};
use super::sort::lists;

/// How often the outcome had each rank among the members and itself; flat if they are exchangeable.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Histogram {
    /// One count a rank, the lowest first.
    pub counts: Vec<u64>,
}

impl Histogram {
    /// The same counts in fewer bins, as even as can be: for ensembles that are large beside the number of outcomes.
    ///
    /// `bins` of zero counts as one, more bins than ranks as their number.
    #[must_use]
    pub fn coarser(&self, bins: usize) -> Self {
        let ranks = self.counts.len();
        let bins = bins.clamp(1, ranks.max(1));
        let edge = |b: usize| b * ranks / bins;
        let sum = |b| self.counts[edge(b)..edge(b + 1)].iter().sum();
        Self {
            counts: (0..bins).map(sum).collect(),
        }
    }

    /// The chi-squared statistic against a flat histogram and its p-value, if outcomes are independent. Asks for about five
    /// outcomes a bin; one bin has the p-value 1.
    #[must_use]
    pub fn flatness(&self) -> (f64, f64) {
        #[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
        let number = |n: u64| n as f64;
        let expected = number(self.counts.iter().sum()) / count(self.counts.len());
        if expected <= 0.0 || self.counts.len() < 2 {
            return (0.0, 1.0);
        }
        let gaps = self.counts.iter().map(|&n| (number(n) - expected).powi(2));
        let statistic = gaps.sum::<f64>() / expected;
        let freedom = count(self.counts.len() - 1);
        let p = if statistic > 0.0 {
            gamma_ur(freedom / 2.0, statistic / 2.0)
        } else {
            1.0
        };
        (statistic, p)
    }
}

/// The histogram of the outcome's rank among the members, over all forecasts and components; ties are broken at random.
///
/// Flat if calibrated, a bowl if ensembles are too narrow, a hill if too wide, a slope if biased: low outcomes have low ranks.
///
/// ```
/// use hindsight_drain::scores::{Forecasts, rank_histogram};
/// use rand::SeedableRng;
/// let mut rng = rand_pcg::Pcg64::seed_from_u64(1);
/// let forecasts = Forecasts::new(&[1.0, 2.0, 3.0, 4.0], &[0.0, 9.0])?;
/// assert_eq!(rank_histogram(&forecasts, &mut rng).counts, [1, 0, 1]);
/// # Ok::<(), hindsight_drain::DrainError>(())
/// ```
pub fn rank_histogram<R: Rng + ?Sized>(forecasts: &Forecasts<'_>, rng: &mut R) -> Histogram {
    let mut counts = vec![0; forecasts.members() + 1];
    lists(forecasts, |sorted, outcome| {
        let (below, equal) = sorted.place(outcome);
        counts[rng.random_range(below..=below + equal)] += 1;
    });
    Histogram { counts }
}

/// The histogram of the rank of the outcome's band depth among members and outcome, one rank a forecast: joint calibration. Ties are broken at
/// random.
///
/// The depth of a point is the share of bands between two points of the pool (members and outcome) that hold it, averaged over components. Low ranks are
/// outlying: too many of them mean ensembles that are too narrow or have a bias, too many high ones ensembles that are too wide. Components that
/// move together too little show as well.
///
/// ```
/// use hindsight_drain::scores::{Forecasts, band_depth_histogram};
/// use rand::SeedableRng;
/// let mut rng = rand_pcg::Pcg64::seed_from_u64(1);
/// // The outcome is in the middle of both components.
/// let forecasts = Forecasts::joint(&[1.0, 1.0, 2.0, 2.0, 4.0, 4.0, 5.0, 5.0], &[3.0, 3.0], 2)?;
/// assert_eq!(band_depth_histogram(&forecasts, &mut rng).counts, [0, 0, 0, 0, 1]);
/// # Ok::<(), hindsight_drain::DrainError>(())
/// ```
pub fn band_depth_histogram<R: Rng + ?Sized>(forecasts: &Forecasts<'_>, rng: &mut R) -> Histogram {
    let (members, components) = (forecasts.members(), forecasts.components());
    let pool = members + 1;
    let mut counts = vec![0; pool];
    let mut values = vec![0.0; pool];
    let mut depth = vec![0; pool];
    for (x, y) in forecasts.iter() {
        depth.fill(0);
        for d in 0..components {
            for (value, member) in values.iter_mut().zip(x.chunks_exact(components)) {
                *value = member[d];
            }
            values[members] = y[d];
            add_bands(&values, &mut depth);
        }
        let own = depth[members];
        let below = depth[..members].iter().filter(|d| **d < own).count();
        let equal = depth[..members].iter().filter(|d| **d == own).count();
        counts[rng.random_range(below..=below + equal)] += 1;
    }
    Histogram { counts }
}

/// Adds to each point the number of bands between two points that hold it.
fn add_bands(values: &[f64], depth: &mut [u64]) {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let pairs = |n: usize| (n * n.saturating_sub(1) / 2) as u64;
    for (depth, value) in depth.iter_mut().zip(values) {
        let below = sorted.partition_point(|v| v < value);
        let above = sorted.len() - sorted.partition_point(|v| v <= value);
        *depth += pairs(sorted.len()) - pairs(below) - pairs(above);
    }
}
