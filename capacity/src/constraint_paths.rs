//! Paths of limits: one history is not enough to try a controller on.

use hindsight_gpu::Stream;
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};

use crate::error::{Argument, Error, amount, count};
use crate::excess::Scale;

/// A law of paths, relative to what would be used without limits.
///
/// The Haar law is that of training; the others are held out. With levels $l$ and places $k$ of the Haar basis over $2^m$ weeks,
/// $$ K_t = \bar u_t \Bigl( s + \sum_{l,k} z_{lk} 2^{-\beta l} \psi_{lk}(t) \Bigr), $$
/// $s$ uniform on $[0.7, 1.1]$, $\beta$ on $[0.3, 1]$, and $z_{lk}$ zero but for three in ten, which are normal with standard deviation
/// $0.25$: drops and recoveries at all time scales. A factor is kept within $[0.4, 1.5]$. The families are our own formulation.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Family {
    /// Sparse Haar wavelets.
    Haar,
    /// A straight line from one level to another.
    Ramp,
    /// A single drop of eight weeks.
    Notch,
    /// A sine of a random period and phase.
    Sinusoid,
    /// An autoregression of order one.
    Autoregressive,
    /// Pieces of at least eight weeks of a recorded path of factors, in random order.
    Resampled(Vec<f64>),
}

impl Family {
    /// The families that no controller was trained on, but for the resampled history, which needs one.
    pub const HELD_OUT: [Family; 4] = [
        Family::Ramp,
        Family::Notch,
        Family::Sinusoid,
        Family::Autoregressive,
    ];

    /// Factors of `weeks` weeks, of the path of number `path`.
    ///
    /// # Errors
    /// A recorded path that is empty, negative or not finite.
    ///
    /// ```
    /// use hindsight_capacity::limits::Family;
    /// let path = Family::Haar.factors(52, 7, 0)?;
    /// assert!(path.iter().all(|&factor| (0.4..=1.5).contains(&factor)));
    /// assert_eq!(path, Family::Haar.factors(52, 7, 0)?);
    /// # Ok::<(), hindsight_capacity::Error>(())
    /// ```
    pub fn factors(&self, weeks: usize, seed: u64, path: u64) -> Result<Vec<f64>, Error> {
        let rng = &mut Stream::new(seed, self.name()).at(path, 0);
        let mut factors = match self {
            Family::Haar => haar(weeks, rng),
            Family::Ramp => {
                let (from, to) = (rng.random_range(0.6..1.2), rng.random_range(0.6..1.2));
                let share = |week: usize| count(week) / count(weeks.max(2) - 1);
                (0..weeks).map(|t| from + (to - from) * share(t)).collect()
            }
            Family::Notch => {
                let (level, depth) = (rng.random_range(0.95..1.1), rng.random_range(0.25..0.5));
                let last = weeks.saturating_sub(NOTCH).max(1);
                let first = rng.random_range(last / 4..last.max(last / 4 + 1));
                let within = |t: usize| (first..first + NOTCH).contains(&t);
                let factor = |t| if within(t) { level - depth } else { level };
                (0..weeks).map(factor).collect()
            }
            Family::Sinusoid => {
                let (mean, swing) = (rng.random_range(0.8..1.0), rng.random_range(0.1..0.3));
                let (period, phase): (f64, f64) =
                    (rng.random_range(12.0..40.0), rng.random_range(0.0..1.0));
                let wave = |t: usize| (std::f64::consts::TAU * (count(t) / period + phase)).sin();
                (0..weeks).map(|t| mean + swing * wave(t)).collect()
            }
            Family::Autoregressive => {
                let mean = rng.random_range(0.8..1.0);
                let mut gap = 0.15 * normal(rng);
                let next = |_| {
                    gap = 0.9 * gap + 0.15 * (1.0_f64 - 0.81).sqrt() * normal(rng);
                    mean + gap
                };
                (0..weeks).map(next).collect()
            }
            Family::Resampled(record) => resampled(record, weeks, rng)?,
        };
        for factor in &mut factors {
            *factor = factor.clamp(0.4, 1.5);
        }
        Ok(factors)
    }

    /// Its name in tables.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Family::Haar => "Haar",
            Family::Ramp => "ramp",
            Family::Notch => "notch",
            Family::Sinusoid => "sinusoid",
            Family::Autoregressive => "AR(1)",
            Family::Resampled(_) => "resampled",
        }
    }
}

/// Weeks of a notch.
const NOTCH: usize = 8;

fn normal(rng: &mut impl Rng) -> f64 {
    StandardNormal.sample(rng)
}

/// A sum of sparse Haar wavelets about a level.
fn haar(weeks: usize, rng: &mut impl Rng) -> Vec<f64> {
    let (level, decay) = (rng.random_range(0.7..1.1), rng.random_range(0.3..1.0));
    wavelets(weeks, decay, 0.25, rng)
        .into_iter()
        .map(|x| level + x)
        .collect()
}

/// The sum of the wavelets alone.
pub(crate) fn wavelets(weeks: usize, decay: f64, deviation: f64, rng: &mut impl Rng) -> Vec<f64> {
    let padded = weeks.next_power_of_two();
    let mut sum = vec![0.0; padded];
    let mut width = padded;
    let mut scale = 1.0;
    while width > 1 {
        for piece in sum.chunks_exact_mut(width) {
            if rng.random_bool(0.3) {
                let height = deviation * normal(rng) * scale;
                let (left, right) = piece.split_at_mut(width / 2);
                left.iter_mut().for_each(|x| *x += height);
                right.iter_mut().for_each(|x| *x -= height);
            }
        }
        width /= 2;
        scale *= 2.0_f64.powf(-decay);
    }
    sum.truncate(weeks);
    sum
}

fn resampled(record: &[f64], weeks: usize, rng: &mut impl Rng) -> Result<Vec<f64>, Error> {
    if record.is_empty() {
        return Err(Error::Empty(Argument::Limit));
    }
    for (week, &value) in record.iter().enumerate() {
        amount(Argument::Limit, "the recorded path", week, value)?;
    }
    let mut path = Vec::with_capacity(weeks);
    while path.len() < weeks {
        let length = rng.random_range(8..=16);
        let first = rng.random_range(0..record.len());
        path.extend((first..first + length).map(|t| record[t % record.len()]));
    }
    path.truncate(weeks);
    Ok(path)
}

/// What a path asks of a cohort.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Summary {
    /// Share of weeks in which the use without limits is above the limit.
    pub binding: f64,
    /// Mean of the excess over the limit in those weeks, as a share of the limit (at least a tenth of the mean limit); zero where there are none.
    pub depth: f64,
    /// Weeks before the first of them that its limit becomes known; none where there is none.
    pub warning: Option<usize>,
}

impl Summary {
    /// The summary of a path of limits, known `notice` weeks ahead, beside the use without limits.
    ///
    /// # Errors
    /// Paths of unequal length, or empty.
    pub fn of(limit: &[f64], used: &[f64], notice: usize) -> Result<Self, Error> {
        if limit.is_empty() {
            return Err(Error::Empty(Argument::Limit));
        }
        if limit.len() != used.len() {
            return Err(Error::Length {
                argument: Argument::Usage,
                expected: limit.len(),
                found: used.len(),
            });
        }
        let over = |week: &usize| used[*week] > limit[*week];
        let weeks: Vec<usize> = (0..limit.len()).filter(over).collect();
        let scale = Scale::of(limit);
        let excess = |&t: &usize| scale.gap(used[t], limit[t]);
        Ok(Summary {
            binding: count(weeks.len()) / count(limit.len()),
            depth: weeks.iter().map(excess).sum::<f64>() / count(weeks.len().max(1)),
            warning: weeks.first().map(|&t| t.min(notice)),
        })
    }
}
