//! Confidence sequences: intervals that hold at all looks together, so that one may look after every round and stop at any.
//!
//! | type | needs | holds |
//! |---|---|---|
//! | [`GaussianMixture`] | ends of the observations (or a sub-Gaussian scale) | for every number of rounds |
//! | [`EmpiricalBernstein`] | ends | for every number of rounds, and adapts to the variance |
//! | [`Betting`] | ends | the same, usually the narrowest; work per round grows with its grid |
//! | [`Estimate::anytime`](crate::Estimate::anytime) | a standard error | asymptotically; for every estimator |

mod bernstein;
mod betting;
mod mixture;

pub use bernstein::EmpiricalBernstein;
pub use betting::Betting;
pub use mixture::GaussianMixture;

pub(crate) use mixture::mixture_half;

use crate::error::{Allowed, Error, Result};

/// Ends of bounded observations, which are brought to [0, 1].
#[derive(Debug, Clone, Copy, PartialEq)]
struct Ends {
    min: f64,
    max: f64,
}

impl Ends {
    fn new(min: f64, max: f64) -> Result<Self> {
        Allowed::AtLeast(f64::MIN).check("least observation", min)?;
        Allowed::Above(min).check("largest observation", max)?;
        Allowed::Above(0.0).check("range of the observations", max - min)?;
        Ok(Ends { min, max })
    }

    fn unit(self, x: f64, index: usize) -> Result<f64> {
        if (self.min..=self.max).contains(&x) {
            return Ok((x - self.min) / (self.max - self.min));
        }
        let Ends { min, max } = self;
        Err(Error::Value {
            what: "observations",
            index,
            value: x,
            min,
            max,
        })
    }

    fn back(self, interval: crate::Interval) -> crate::Interval {
        interval.scaled(self.min, self.max - self.min)
    }
}

/// Mean and variance as they were before the present observation, with half an observation of mean 1/2 and variance 1/4 in front: what the
/// bets of Waudby-Smith and Ramdas rest on.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Predictable {
    count: f64,
    sum: f64,
    squares: f64,
}

impl Predictable {
    fn new() -> Self {
        Predictable {
            count: 0.0,
            sum: 0.0,
            squares: 0.0,
        }
    }

    fn mean(&self) -> f64 {
        (0.5 + self.sum) / (self.count + 1.0)
    }

    fn variance(&self) -> f64 {
        (0.25 + self.squares) / (self.count + 1.0)
    }

    /// The bet for the next observation: $\sqrt{2 \ln(2/\alpha) / (\hat\sigma^2 t \ln(t + 1))}$.
    fn bet(&self, log: f64) -> f64 {
        let t = self.count + 1.0;
        (2.0 * log / (self.variance() * t * (t + 1.0).ln())).sqrt()
    }

    fn push(&mut self, x: f64) {
        self.count += 1.0;
        self.sum += x;
        self.squares += (x - self.mean()).powi(2);
    }
}

#[cfg(test)]
mod tests;
