//! Learning rates over the course of training.

use crate::error::Error;

/// A learning rate that rises linearly and falls along half a cosine.
///
/// $$ \eta_s = \eta \cdot \begin{cases} (s + 1) / w & s < w \\\\
/// f + (1 - f) \tfrac12 (1 + \cos \pi \tfrac{s - w}{n - w}) & w \le s < n \\\\ f & s \ge n \end{cases} $$
///
/// ```
/// use hindsight_gpu::optim::Schedule;
/// let schedule = Schedule::cosine(1e-3, 10, 100, 0.1)?;
/// assert!((schedule.rate(9) - 1e-3).abs() < 1e-12);
/// assert!((schedule.rate(1000) - 1e-4).abs() < 1e-12);
/// # Ok::<(), hindsight_gpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Schedule {
    peak: f64,
    warmup: usize,
    steps: usize,
    floor: f64,
}

impl Schedule {
    /// The same rate at every step.
    ///
    /// # Errors
    /// When the rate is not positive and finite.
    pub fn constant(rate: f64) -> Result<Self, Error> {
        Schedule::cosine(rate, 0, 0, 1.0)
    }

    /// A warm-up of `warmup` steps to `peak`, then a cosine to `floor` times `peak` at step `steps`.
    ///
    /// # Errors
    /// When the peak is not positive and finite, or the floor is outside [0, 1].
    pub fn cosine(peak: f64, warmup: usize, steps: usize, floor: f64) -> Result<Self, Error> {
        if !(peak > 0.0 && peak.is_finite()) {
            return Err(Error::Domain {
                name: "learning rate",
                domain: "a positive number",
                value: peak,
            });
        }
        if !(0.0..=1.0).contains(&floor) {
            return Err(Error::Domain {
                name: "floor",
                domain: "a share in [0, 1]",
                value: floor,
            });
        }
        Ok(Schedule {
            peak,
            warmup,
            steps,
            floor,
        })
    }

    /// The rate of step `step`, counted from 0.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "steps are far below 2^52")]
    pub fn rate(&self, step: usize) -> f64 {
        if step < self.warmup {
            return self.peak * (step + 1) as f64 / self.warmup as f64;
        }
        if step >= self.steps {
            return self.peak * self.floor;
        }
        let progress = (step - self.warmup) as f64 / (self.steps - self.warmup) as f64;
        let cosine = 0.5 * (1.0 + (std::f64::consts::PI * progress).cos());
        self.peak * (self.floor + (1.0 - self.floor) * cosine)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_rate_stays_between_floor_and_peak(
            peak in 1e-5_f64..1.0, warmup in 0_usize..50, more in 1_usize..500, floor in 0.0_f64..1.0, step in 0_usize..1000,
        ) {
            let schedule = Schedule::cosine(peak, warmup, warmup + more, floor).unwrap();
            let rate = schedule.rate(step);
            prop_assert!(rate > 0.0 || floor == 0.0 && step >= warmup);
            prop_assert!(rate <= peak * (1.0 + 1e-12));
            if step >= warmup {
                prop_assert!(schedule.rate(step + 1) <= rate * (1.0 + 1e-12) && rate >= peak * floor * (1.0 - 1e-12));
            }
        }
    }
}
