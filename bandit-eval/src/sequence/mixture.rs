//! The normal mixture of Robbins.

use super::Ends;
use crate::error::{Allowed, Result, check_level};
use crate::interval::Interval;

/// A confidence sequence for the mean of bounded observations, which uses nothing but their range $R$: they are sub-Gaussian with scale
/// $\sigma = R / 2$. Half its width after $n$ rounds is
/// $$ \sigma \sqrt{\frac{2 (n \rho^2 + 1)}{n^2 \rho^2} \ln \frac{\sqrt{n \rho^2 + 1}}{\alpha}}. $$
///
/// $\rho$ is chosen so that it is narrowest about `tuned_for` rounds. Source: Robbins (1970); Howard, Ramdas, McAuliffe and Sekhon (2021).
///
/// ```
/// use hindsight_bandit_eval::sequence::GaussianMixture;
/// let mut sequence = GaussianMixture::new(0.0, 1.0, 0.95, 1_000.0)?;
/// for i in 0..1_000 {
///     sequence.push(f64::from(i % 2))?;
/// }
/// assert!(sequence.interval().contains(0.5) && sequence.interval().width() < 0.1);
/// # Ok::<(), hindsight_bandit_eval::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct GaussianMixture {
    ends: Ends,
    level: f64,
    tuned_for: f64,
    count: usize,
    sum: f64,
}

impl GaussianMixture {
    /// Returns a sequence without an observation.
    ///
    /// # Errors
    /// When the ends are not finite and in order, the level is not between 0 and 1, or `tuned_for` is not positive.
    pub fn new(min: f64, max: f64, level: f64, tuned_for: f64) -> Result<Self> {
        check_level(level)?;
        Allowed::Above(0.0).check("rounds that a sequence is tuned for", tuned_for)?;
        Ok(GaussianMixture {
            ends: Ends::new(min, max)?,
            level,
            tuned_for,
            count: 0,
            sum: 0.0,
        })
    }

    /// Takes an observation.
    ///
    /// # Errors
    /// When it lies outside the stated ends.
    pub fn push(&mut self, x: f64) -> Result<()> {
        self.sum += self.ends.unit(x, self.count)?;
        self.count += 1;
        Ok(())
    }

    /// Returns the interval, within the stated ends.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "a number of rounds")]
    pub fn interval(&self) -> Interval {
        let n = self.count as f64;
        let half = mixture_half(n, 0.5, self.level, self.tuned_for).unwrap_or(f64::INFINITY);
        let mean = if self.count == 0 { 0.5 } else { self.sum / n };
        let within = Interval {
            lower: (mean - half).max(0.0),
            upper: (mean + half).min(1.0),
            level: self.level,
        };
        self.ends.back(within)
    }
}

/// Half the width after `n` observations of scale `sigma`; infinite without an observation.
pub(crate) fn mixture_half(n: f64, sigma: f64, level: f64, tuned_for: f64) -> Result<f64> {
    let alpha = 1.0 - check_level(level)?;
    Allowed::Above(0.0).check("rounds that a sequence is tuned for", tuned_for)?;
    if n < 1.0 {
        return Ok(f64::INFINITY);
    }
    let spent = -2.0 * alpha.ln();
    let rho = (spent + (1.0 + spent).ln()) / tuned_for;
    let grown = n * rho + 1.0;
    Ok(sigma * (2.0 * grown / (n * n * rho) * (grown.sqrt() / alpha).ln()).sqrt())
}
