//! Which of two policies earned more, and how sure one can be.

use gpu::Stream;
use rand::RngExt;

use crate::error::{Error, within};
use crate::outcomes::{Outcomes, count};

/// How the bootstrap draws.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Bootstrap {
    /// Replicates.
    pub replicates: usize,
    /// Weeks of a block: long enough that what happens in one block says little about the next.
    pub block: usize,
    /// Probability that the interval misses the truth.
    pub alpha: f64,
    /// Seed of the draws.
    pub seed: u64,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Bootstrap {
            replicates: 2000,
            block: 4,
            alpha: 0.05,
            seed: 0,
        }
    }
}

/// An estimate with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Interval {
    /// The estimate.
    pub estimate: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Bootstrap {
    fn validate(&self) -> Result<(), Error> {
        within(
            "alpha",
            self.alpha,
            1e-6,
            1.0 - 1e-6,
            "a probability inside (0, 1)",
        )?;
        match (self.replicates, self.block) {
            (0, _) => Err(Error::Empty("the set of replicates")),
            (_, 0) => Err(Error::Empty("the block of weeks")),
            _ => Ok(()),
        }
    }

    /// The interval of a sum over products and weeks, `values[product][week]`, whose products and blocks of weeks are
    /// drawn again: products share weeks (a holiday, a strike), so drawing products alone would be too sure.
    ///
    /// # Errors
    /// When there is nothing to draw from, or the settings are not valid.
    pub fn interval(&self, values: &[Vec<f64>]) -> Result<Interval, Error> {
        self.validate()?;
        let weeks = values.first().map_or(0, Vec::len);
        if weeks == 0 {
            return Err(Error::Empty("the table of products and weeks"));
        }
        let stream = Stream::new(self.seed, "bootstrap");
        let blocks = weeks.div_ceil(self.block);
        let mut sums: Vec<f64> = (0..self.replicates)
            .map(|replicate| {
                let mut rng = stream.at(replicate as u64, 0);
                // Circular blocks, the last one cut to the number of weeks.
                let mut drawn = Vec::with_capacity(blocks * self.block);
                for _ in 0..blocks {
                    let start = rng.random_range(0..weeks);
                    drawn.extend((0..self.block).map(|i| (start + i) % weeks));
                }
                drawn.truncate(weeks);
                let mut times = vec![0.0; weeks];
                for week in drawn {
                    times[week] += 1.0;
                }
                let one = |product: &Vec<f64>| {
                    product.iter().zip(&times).map(|(v, n)| v * n).sum::<f64>()
                };
                let by_product: Vec<f64> = values.iter().map(one).collect();
                (0..values.len())
                    .map(|_| by_product[rng.random_range(0..values.len())])
                    .sum()
            })
            .collect();
        sums.sort_by(f64::total_cmp);
        let estimate = values.iter().flatten().sum();
        Ok(Interval {
            estimate,
            low: rank(&sums, self.alpha / 2.0),
            high: rank(&sums, 1.0 - self.alpha / 2.0),
        })
    }

    /// The interval of what a policy booked.
    ///
    /// # Errors
    /// As [`interval`](Self::interval).
    pub fn reward(&self, outcomes: &Outcomes) -> Result<Interval, Error> {
        self.interval(&table(outcomes))
    }

    /// The interval of what the first policy booked more than the second on the same paths.
    ///
    /// # Errors
    /// When the two were not replayed on the same products and weeks, and as [`interval`](Self::interval).
    pub fn difference(&self, first: &Outcomes, second: &Outcomes) -> Result<Interval, Error> {
        let (a, b) = (table(first), table(second));
        if a.len() != b.len() || first.scored() != second.scored() {
            return Err(Error::Length {
                array: "outcomes".into(),
                expected: a.len(),
                found: b.len(),
            });
        }
        let difference: Vec<Vec<f64>> = a
            .iter()
            .zip(&b)
            .map(|(a, b)| a.iter().zip(b).map(|(a, b)| a - b).collect())
            .collect();
        self.interval(&difference)
    }
}

fn table(outcomes: &Outcomes) -> Vec<Vec<f64>> {
    (0..outcomes.products())
        .map(|p| outcomes.earned(p))
        .collect()
}

/// The quantile of sorted values, interpolated.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rank inside the list"
)]
fn rank(sorted: &[f64], q: f64) -> f64 {
    let at = q * (count(sorted.len()) - 1.0);
    let (low, high) = (at.floor() as usize, at.ceil() as usize);
    sorted[low] + (at - at.floor()) * (sorted[high] - sorted[low])
}
