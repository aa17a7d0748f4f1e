//! The gradient noise scale from squared gradient norms at two batch sizes.

use crate::error::{Allowed, Error, Result, check_finite};

/// A mergeable accumulator of the two unbiased estimates behind the simple noise scale.
///
/// With $g_s, g_b$ the squared norms of gradients averaged over small and big batches $B_s < B_b$,
/// $|G|^2 = \frac{B_b g_b - B_s g_s}{B_b - B_s}$ and $\mathrm{tr}\thinspace\Sigma = \frac{g_s - g_b}{1/B_s - 1/B_b}$ are unbiased; their ratio is not. So numerator and
/// denominator are averaged over steps, and divided once.
///
/// ```
/// use hindsight_llm_metrics::batch_size::GradientNoise;
/// let mut noise = GradientNoise::new(8.0, 64.0)?;
/// // |G|^2 = 1, trace 80: expected squared norms 1 + 80/8 and 1 + 80/64.
/// noise.push(11.0, 2.25)?;
/// assert!((noise.scale().batch.unwrap() - 80.0).abs() < 1e-9);
/// # Ok::<(), hindsight_llm_metrics::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct GradientNoise {
    small: f64,
    big: f64,
    decay: f64,
    steps: u64,
    weight: f64,
    signal: f64,
    trace: f64,
}

/// The noise scale so far.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct NoiseScale {
    /// $B_{simple} = \mathrm{tr}\thinspace\Sigma / |G|^2$; `None` where either is not positive: then the signal is lost in the noise, or the noise in the signal, and no
    /// number would mean anything.
    pub batch: Option<f64>,
    /// Mean of $|G|^2$, possibly negative.
    pub signal: f64,
    /// Mean of $\mathrm{tr}\thinspace\Sigma$.
    pub trace: f64,
    /// Steps seen.
    pub steps: u64,
}

impl GradientNoise {
    /// Returns an empty accumulator of plain means.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless 0 < `small` < `big`, both finite.
    pub fn new(small: f64, big: f64) -> Result<Self> {
        Self::with_decay(small, big, 1.0)
    }

    /// Returns an empty accumulator of exponential averages with the given decay per step, corrected for their start; 1 gives plain means.
    ///
    /// # Errors
    /// As [`GradientNoise::new`]; [`Error::Parameter`] unless `decay` lies in (0, 1].
    pub fn with_decay(small: f64, big: f64, decay: f64) -> Result<Self> {
        crate::error::check_positive("small", small)?;
        if !(big > small && big.is_finite()) {
            return Err(Error::Parameter {
                name: "big",
                value: big,
                allowed: Allowed::Above(small),
            });
        }
        if !(decay > 0.0 && decay <= 1.0) {
            return Err(Error::Parameter {
                name: "decay",
                value: decay,
                allowed: Allowed::AboveUpTo(0.0, 1.0),
            });
        }
        Ok(Self {
            small,
            big,
            decay,
            steps: 0,
            weight: 0.0,
            signal: 0.0,
            trace: 0.0,
        })
    }

    /// Adds one step's squared gradient norms at the small and the big batch.
    ///
    /// # Errors
    /// [`Error::NotFinite`]; [`Error::Parameter`] for a negative one. The accumulator is then unchanged.
    pub fn push(&mut self, small_norm: f64, big_norm: f64) -> Result<()> {
        check_finite("squared gradient norms", &[small_norm, big_norm])?;
        if let Some(&value) = [small_norm, big_norm].iter().find(|v| **v < 0.0) {
            return Err(Error::Parameter {
                name: "a squared gradient norm",
                value,
                allowed: Allowed::AtLeast(0.0),
            });
        }
        let signal = (self.big * big_norm - self.small * small_norm) / (self.big - self.small);
        let trace = (small_norm - big_norm) / (1.0 / self.small - 1.0 / self.big);
        self.weight = self.decay * self.weight + 1.0;
        self.signal = self.decay * self.signal + signal;
        self.trace = self.decay * self.trace + trace;
        self.steps += 1;
        Ok(())
    }

    /// Returns the scale so far; all NaN before the first step.
    #[must_use]
    pub fn scale(&self) -> NoiseScale {
        let (signal, trace) = (self.signal / self.weight, self.trace / self.weight);
        NoiseScale {
            batch: (signal > 0.0 && trace > 0.0).then(|| trace / signal),
            signal,
            trace,
            steps: self.steps,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::uniform;

    /// Squared norm of the mean of b gradients G + noise in 20 dimensions, noise variance 4 per dimension.
    fn norm(b: usize, seed: u64, step: u64) -> f64 {
        (0..20u64)
            .map(|d| {
                let z: f64 = (0..12)
                    .map(|k| uniform(seed, step * 64 + d, k))
                    .sum::<f64>()
                    - 6.0;
                (0.5 + 2.0 * z / (b as f64).sqrt()).powi(2)
            })
            .sum()
    }

    #[test]
    fn ratio_of_means_finds_the_scale_and_the_mean_of_ratios_does_not() {
        // |G|^2 = 20 / 4 = 5, trace = 80: scale 16.
        let mut noise = GradientNoise::new(4.0, 32.0).unwrap();
        let (mut toy, steps) = (0.0, 20_000u64);
        for i in 0..steps {
            let (s, b) = (norm(4, 1, i), norm(32, 2, i));
            noise.push(s, b).unwrap();
            let mut one = GradientNoise::new(4.0, 32.0).unwrap();
            one.push(s, b).unwrap();
            toy += one.scale().trace / one.scale().signal / steps as f64;
        }
        let scale = noise.scale().batch.unwrap();
        assert!((scale - 16.0).abs() < 0.5, "{scale}");
        assert!((toy - 16.0).abs() > 1.0, "the planted fault: {toy}");
    }

    #[test]
    fn averages_start_corrected_and_lost_signals_are_undefined() {
        let mut ema = GradientNoise::with_decay(8.0, 64.0, 0.9).unwrap();
        for _ in 0..5 {
            ema.push(11.0, 2.25).unwrap();
            assert!((ema.scale().batch.unwrap() - 80.0).abs() < 1e-9);
        }
        let mut lost = GradientNoise::new(1.0, 2.0).unwrap();
        lost.push(10.0, 1.0).unwrap();
        assert!(lost.scale().batch.is_none() && lost.scale().signal < 0.0);
        assert!(lost.push(f64::NAN, 1.0).is_err() && lost.push(-1.0, 1.0).is_err());
        assert!(
            GradientNoise::new(8.0, 8.0).is_err()
                && GradientNoise::with_decay(1.0, 2.0, 0.0).is_err()
        );
    }
}
