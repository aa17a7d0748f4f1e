//! Which of two policies earned more, and how sure one can be.

use gpu::Stream;
use rand::RngExt;

use crate::count::count;
use crate::error::{Error, within};
use crate::outcomes::Outcomes;

/// How the bootstrap draws.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Bootstrap {
    /// Replicates, at least 1.
    pub replicates: usize,
    /// Weeks of a block, at least 1: long enough that what happens in one block says little about the next.
    pub block: usize,
    /// Probability that the interval misses the truth, in (0, 1).
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

/// A sum and what it was in every replicate of a [`Bootstrap`].
///
/// ```
/// use hindsight_exo_idp::compare::Bootstrap;
/// let (a, b) = (vec![vec![3.0, 4.0]; 5], vec![vec![1.0, 2.0]; 5]);
/// let bootstrap = Bootstrap::default();
/// let (a, b) = (bootstrap.replicates(&a)?, bootstrap.replicates(&b)?);
/// // The first is larger by 2 in every product and week, and so in every replicate.
/// let difference = a.minus(&b)?.interval(0.05);
/// assert_eq!((difference.low, difference.estimate, difference.high), (20.0, 20.0, 20.0));
/// # Ok::<(), hindsight_exo_idp::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Replicates {
    estimate: f64,
    sums: Vec<f64>,
}

impl Replicates {
    /// The sum of the table itself.
    #[must_use]
    pub fn estimate(&self) -> f64 {
        self.estimate
    }

    /// The difference to another sum, replicate by replicate: paired where both tables have the same shape and bootstrap.
    ///
    /// # Errors
    /// When the numbers of replicates differ.
    pub fn minus(&self, other: &Self) -> Result<Self, Error> {
        if self.sums.len() != other.sums.len() {
            return Err(Error::Length {
                array: "replicates".into(),
                expected: self.sums.len(),
                found: other.sums.len(),
            });
        }
        Ok(Replicates {
            estimate: self.estimate - other.estimate,
            sums: self
                .sums
                .iter()
                .zip(&other.sums)
                .map(|(a, b)| a - b)
                .collect(),
        })
    }

    /// The interval between the quantiles `alpha / 2` and `1 - alpha / 2` of the replicates.
    #[must_use]
    pub fn interval(&self, alpha: f64) -> Interval {
        let mut sums = self.sums.clone();
        sums.sort_by(f64::total_cmp);
        Interval {
            estimate: self.estimate,
            low: quantile(&sums, alpha / 2.0),
            high: quantile(&sums, 1.0 - alpha / 2.0),
        }
    }
}

impl Bootstrap {
    /// Checks the ranges of all settings.
    ///
    /// # Errors
    /// That of the first setting outside its range.
    pub fn validate(&self) -> Result<(), Error> {
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
    /// When there is nothing to draw from, products differ in the number of weeks, or the settings are not valid.
    pub fn interval(&self, values: &[Vec<f64>]) -> Result<Interval, Error> {
        Ok(self.replicates(values)?.interval(self.alpha))
    }

    /// The sum of `values[product][week]` in every replicate. Tables of one shape are drawn in the same way, so that the replicates
    /// of a difference are the differences of the replicates: see [`Replicates::minus`].
    ///
    /// # Errors
    /// When there is nothing to draw from, products differ in the number of weeks, or the settings are not valid.
    pub fn replicates(&self, values: &[Vec<f64>]) -> Result<Replicates, Error> {
        self.validate()?;
        let weeks = values.first().map_or(0, Vec::len);
        if weeks == 0 {
            return Err(Error::Empty("the table of products and weeks"));
        }
        if let Some(row) = values.iter().find(|row| row.len() != weeks) {
            return Err(Error::Length {
                array: "weeks of a product".into(),
                expected: weeks,
                found: row.len(),
            });
        }
        let stream = Stream::new(self.seed, "bootstrap");
        let blocks = weeks.div_ceil(self.block);
        let sums = (0..self.replicates)
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
        Ok(Replicates {
            estimate: values.iter().flatten().sum(),
            sums,
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
        .map(|p| outcomes.accrued_reward(p))
        .collect()
}

/// The quantile of sorted values, interpolated; `q` beyond 0 and 1 is cut.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rank inside the list"
)]
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let at = q.clamp(0.0, 1.0) * (count(sorted.len()) - 1.0);
    let (low, high) = (at.floor() as usize, at.ceil() as usize);
    sorted[low] + (at - at.floor()) * (sorted[high] - sorted[low])
}
