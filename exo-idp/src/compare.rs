//! Which of two policies earned more, and how sure one can be.

use gpu::Stream;
use nalgebra::DMatrix;
use rand::{Rng, RngExt};

use crate::count::count;
use crate::error::{Error, within};
use crate::outcomes::Outcomes;

/// Replicates that are worked out together.
const TOGETHER: usize = 64;
/// Weeks, or stretches of weeks, that replicates draw from: of longer tables, neighbouring weeks are summed first.
const LONGEST: usize = 2080;

/// The least part of its estimate that the sum below a ratio may be in any replicate.
const LEAST_BELOW: f64 = 0.1;

/// How the bootstrap draws.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Bootstrap {
    /// Replicates, at least 1.
    pub replicates: usize,
    /// Weeks of a block, at least 1: long enough that what happens in one block says little about the next. In tables of more than 2,080
    /// weeks it counts stretches of as many weeks as bring them below that, which are drawn as one.
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
        self.paired(other)?;
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

    /// The interval of the ratio to another sum, between the quantiles `alpha / 2` and `1 - alpha / 2` of the ratios replicate by
    /// replicate: paired where both tables have the same shape and bootstrap.
    ///
    /// `None` where the other sum is not well above zero, that is where it or a replicate of it is at most a tenth of what it is itself: a
    /// ratio to what may be nothing has no interval by quantiles.
    ///
    /// ```
    /// use hindsight_exo_idp::compare::Bootstrap;
    /// let (earned, most) = (vec![vec![3.0, 1.0]; 5], vec![vec![6.0, 2.0]; 5]);
    /// let bootstrap = Bootstrap::default();
    /// let (earned, most) = (bootstrap.replicates(&earned)?, bootstrap.replicates(&most)?);
    /// // Half of it in every product and week, and so in every replicate.
    /// let share = earned.over(&most, 0.05)?.unwrap();
    /// assert_eq!((share.low, share.estimate, share.high), (0.5, 0.5, 0.5));
    /// # Ok::<(), hindsight_exo_idp::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the numbers of replicates differ.
    pub fn over(&self, other: &Self, alpha: f64) -> Result<Option<Interval>, Error> {
        self.paired(other)?;
        let least = LEAST_BELOW * other.estimate;
        let above = |&sum: &f64| sum > least;
        if other.estimate.is_nan() || other.estimate <= 0.0 || !other.sums.iter().all(above) {
            return Ok(None);
        }
        let ratios = Replicates {
            estimate: self.estimate / other.estimate,
            sums: self
                .sums
                .iter()
                .zip(&other.sums)
                .map(|(a, b)| a / b)
                .collect(),
        };
        Ok(Some(ratios.interval(alpha)))
    }

    fn paired(&self, other: &Self) -> Result<(), Error> {
        if self.sums.len() == other.sums.len() {
            return Ok(());
        }
        Err(Error::Length {
            array: "replicates".into(),
            expected: self.sums.len(),
            found: other.sums.len(),
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
        let mut found = self.replicates_of(&[values])?;
        found.pop().ok_or(Error::Empty("the list of tables"))
    }

    /// [`replicates`](Bootstrap::replicates) of several tables of one shape, drawn once for all of them.
    ///
    /// # Errors
    /// As [`replicates`](Bootstrap::replicates), and when the shapes differ.
    pub fn replicates_of(&self, tables: &[&[Vec<f64>]]) -> Result<Vec<Replicates>, Error> {
        self.validate()?;
        let products = tables.first().map_or(0, |table| table.len());
        let weeks = tables
            .first()
            .and_then(|table| table.first())
            .map_or(0, Vec::len);
        if weeks == 0 {
            return Err(Error::Empty("the table of products and weeks"));
        }
        for table in tables {
            if table.len() != products {
                return Err(Error::Length {
                    array: "products of a table".into(),
                    expected: products,
                    found: table.len(),
                });
            }
            if let Some(row) = table.iter().find(|row| row.len() != weeks) {
                return Err(Error::Length {
                    array: "weeks of a product".into(),
                    expected: weeks,
                    found: row.len(),
                });
            }
        }
        // A replicate is a bilinear form: how often every product is drawn, times the table, times how often every week is.
        let stretch = weeks.div_ceil(LONGEST);
        let weeks = weeks.div_ceil(stretch);
        let of = |p: usize| {
            tables
                .iter()
                .flat_map(move |table| table[p].chunks(stretch))
        };
        let values = DMatrix::from_iterator(
            tables.len() * weeks,
            products,
            (0..products)
                .flat_map(of)
                .map(|part| part.iter().sum::<f64>()),
        );
        let estimate = |table: &&[Vec<f64>]| Replicates {
            estimate: table.iter().flatten().sum(),
            sums: Vec::with_capacity(self.replicates),
        };
        let mut found: Vec<Replicates> = tables.iter().map(estimate).collect();
        let stream = Stream::new(self.seed, "bootstrap");
        for first in (0..self.replicates).step_by(TOGETHER) {
            let together = TOGETHER.min(self.replicates - first);
            let mut drawn = DMatrix::zeros(products, together);
            let mut times = DMatrix::zeros(weeks, together);
            for k in 0..together {
                let mut rng = stream.at((first + k) as u64, 0);
                self.draw(
                    &mut rng,
                    times.column_mut(k).as_mut_slice(),
                    drawn.column_mut(k).as_mut_slice(),
                );
            }
            let by_week = &values * drawn;
            for (k, times) in times.column_iter().enumerate() {
                for (at, replicates) in found.iter_mut().enumerate() {
                    let own = by_week.view((at * weeks, k), (weeks, 1));
                    replicates.sums.push(own.dot(&times));
                }
            }
        }
        Ok(found)
    }

    /// Counts how often a replicate draws every week and every product. Weeks come in circular blocks, the last one cut to the number of weeks.
    fn draw(&self, rng: &mut impl Rng, weeks: &mut [f64], products: &mut [f64]) {
        let mut left = weeks.len();
        while left > 0 {
            let start = rng.random_range(0..weeks.len());
            for i in 0..self.block.min(left) {
                weeks[(start + i) % weeks.len()] += 1.0;
            }
            left -= self.block.min(left);
        }
        for _ in 0..products.len() {
            products[rng.random_range(0..products.len())] += 1.0;
        }
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
