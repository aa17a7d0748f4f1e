//! What the data say about the critical batch size where they say it: profile likelihood, and whether there is a critical batch at all.

use super::fit::BatchFit;
use super::options::FitLoss;
use super::solve::{model, penalty};
use crate::error::{Error, Result, check_level, check_positive};
use crate::stats::identification::Jacobian;
use crate::stats::interval::t_quantile;
use crate::stats::{Cause, Identification, Interval};

/// The fewest steps a have a share of the steps at the largest batch below this: nothing but 1/B was seen.
const NEGLIGIBLE: f64 = 1e-4;

#[allow(clippy::cast_precision_loss)] // Counts.
impl BatchFit {
    /// Returns whether the data determine the curve, at 95 %: if steps go on falling like 1/B up to the largest batch within the noise, a can be 0
    /// and the critical batch size infinite.
    ///
    /// ```
    /// use hindsight_llm_metrics::batch_size::{BatchFit, BatchFitOptions};
    /// let batch = [64.0, 128.0, 256.0, 512.0];
    /// let fit = BatchFit::fit(&batch, &[1000.0, 500.0, 250.0, 125.0], BatchFitOptions::default())?;
    /// assert!(!fit.identification().is_identified()); // steps proportional to 1/B
    /// # Ok::<(), hindsight_llm_metrics::Error>(())
    /// ```
    #[must_use]
    pub fn identification(&self) -> Identification {
        let theta = [self.a.ln(), self.b.ln(), self.alpha];
        let rows: Vec<[f64; 3]> = self.data.0.iter().map(|b| model(*b, &theta).1).collect();
        let (ratio, direction) = if self.options.free_exponent {
            let j = Jacobian::new(&rows);
            (j.ratio, j.direction.to_vec())
        } else {
            let rows: Vec<[f64; 2]> = rows.iter().map(|r| [r[0], r[1]]).collect();
            let j = Jacobian::new(&rows);
            (j.ratio, j.direction.to_vec())
        };
        let largest = self.data.0.iter().copied().fold(0.0, f64::max);
        let share = self.a / self.steps_at(largest);
        // Written so that NaN counts as negligible.
        let inverse = !(share >= NEGLIGIBLE) || self.unbounded(0.95);
        let cause = if inverse {
            Cause::StepsInverseToBatch
        } else if !(ratio > 1e-7) {
            Cause::WeakDesign
        } else {
            return Identification::Identified {
                singular_ratio: ratio,
            };
        };
        Identification::NotIdentified {
            cause,
            singular_ratio: ratio,
            direction: ["ln a", "ln b", "alpha"]
                .into_iter()
                .zip(direction)
                .collect(),
        }
    }

    /// Returns the profile-likelihood interval of the critical batch size: the values of b/a at which the best a leaves the loss within
    /// $t^2_{n-p}$ of its minimum, in units of the residual variance (Huber's loss: in units of $E\psi^2/E\psi'$). The upper end is infinite if a = 0 is among
    /// them.
    ///
    /// # Errors
    /// [`Error::Parameter`] for an argument or the level; [`Error::TooFew`] without degrees of freedom; [`Error::NoConvergence`] with a free exponent, for which
    /// there are [`BatchFit::delta_interval`] and [`BatchFit::bootstrap_interval`].
    pub fn profile_interval(&self, tolerance: f64, optimal: f64, level: f64) -> Result<Interval> {
        check_level(level)?;
        check_positive("tolerance", tolerance)?;
        check_positive("optimal", optimal)?;
        if self.options.free_exponent {
            return Err(Error::NoConvergence {
                what: "the profile of a curve with a free exponent",
            });
        }
        let allowed = self.allowance(level)?;
        let (floor, ceiling) = self.far();
        let best = (self.b / self.a).ln().clamp(floor, ceiling);
        let least = self.profile(best);
        let within = |ln_ratio: f64| self.profile(ln_ratio) <= least + allowed;
        let end = |limit: f64| {
            if within(limit) {
                return None;
            }
            let (mut good, mut bad) = (best, limit);
            for _ in 0..100 {
                let mid = f64::midpoint(good, bad);
                if within(mid) { good = mid } else { bad = mid }
            }
            Some(good.exp())
        };
        let batch = |ratio: f64| Self::least_critical_batch(tolerance, optimal) + tolerance * ratio;
        Ok(Interval {
            lower: batch(end(floor).unwrap_or(0.0)),
            upper: batch(end(ceiling).unwrap_or(f64::INFINITY)),
            level,
        })
    }

    /// Whether a = 0 is within the profile interval.
    fn unbounded(&self, level: f64) -> bool {
        if self.options.free_exponent {
            return false;
        }
        let (floor, far) = self.far();
        let best = (self.b / self.a).ln().clamp(floor, far);
        match self.allowance(level) {
            Ok(allowed) => self.profile(far) <= self.profile(best) + allowed,
            Err(_) => false,
        }
    }

    /// Values of ln(b/a) beyond which the curve is constant, or 1/B, over all batch sizes to the last digit.
    fn far(&self) -> (f64, f64) {
        let logs = self.data.0.iter().map(|b| b.ln());
        (
            logs.clone().fold(f64::INFINITY, f64::min) - 40.0,
            logs.fold(f64::NEG_INFINITY, f64::max) + 40.0,
        )
    }

    /// How far the loss may lie above its minimum.
    fn allowance(&self, level: f64) -> Result<f64> {
        let n = self.residuals.len();
        let few = Error::TooFew {
            what: "the number of points",
            needed: 3,
            found: n,
        };
        let t = t_quantile(0.5 + level / 2.0, n.saturating_sub(2) as f64).ok_or(few)?;
        let unit = match self.options.loss {
            FitLoss::Squared => self.residual_sd * self.residual_sd,
            FitLoss::Huber(delta) => {
                let psi: f64 = self
                    .residuals
                    .iter()
                    .map(|r| r.clamp(-delta, delta).powi(2))
                    .sum();
                let inside = self
                    .residuals
                    .iter()
                    .filter(|r| r.abs() <= delta)
                    .count()
                    .max(1);
                psi / (n as f64 - 2.0) / (inside as f64 / n as f64)
            }
        };
        Ok(0.5 * t * t * unit)
    }

    /// The least loss at a given ln(b/a), over a.
    fn profile(&self, ln_ratio: f64) -> f64 {
        let offsets: Vec<f64> = self
            .data
            .0
            .iter()
            .zip(&self.data.1)
            .map(|(b, y)| {
                // ln(1 + ratio / B), without overflow.
                let x = ln_ratio - b.ln();
                y.ln() - (x.max(0.0) + (-x.abs()).exp().ln_1p())
            })
            .collect();
        let (mut low, mut high) = offsets
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| {
                (l.min(*v), h.max(*v))
            });
        let loss = |centre: f64| {
            offsets
                .iter()
                .map(|o| penalty(self.options.loss, centre - o).0)
                .sum::<f64>()
        };
        if self.options.loss == FitLoss::Squared {
            return loss(crate::stats::interval::mean(&offsets));
        }
        // The slope of a convex function.
        for _ in 0..100 {
            let mid = f64::midpoint(low, high);
            let slope: f64 = offsets
                .iter()
                .map(|o| (mid - o) * penalty(self.options.loss, mid - o).1)
                .sum();
            if slope < 0.0 { low = mid } else { high = mid }
        }
        loss(f64::midpoint(low, high))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        BatchFitOptions,
        published::{batches, published},
    };
    use super::*;
    use crate::stats::interval::normal_quantile;
    use crate::testing::uniform;

    fn fit(noise: f64, b_over_a: f64, seed: u64, loss: FitLoss) -> BatchFit {
        let batch = batches();
        let steps: Vec<f64> = batch
            .iter()
            .zip(0..)
            .map(|(b, i)| {
                1000.0 * (1.0 + b_over_a / b) * (noise * normal_quantile(uniform(seed, 1, i))).exp()
            })
            .collect();
        BatchFit::fit(
            &batch,
            &steps,
            BatchFitOptions {
                loss,
                free_exponent: false,
            },
        )
        .unwrap()
    }

    #[test]
    fn profile_intervals_cover_at_their_level() {
        let truth = 1.2 * 256.0 + 0.2 * 2000.0;
        let hits = (0..400)
            .filter(|s| {
                fit(0.05, 2000.0, *s, FitLoss::Squared)
                    .profile_interval(0.2, 256.0, 0.95)
                    .unwrap()
                    .contains(truth)
            })
            .count();
        // 380 on average, standard deviation 4.4.
        assert!((364..=396).contains(&hits), "{hits}");
    }

    #[test]
    fn noise_that_hides_the_bend_leaves_the_upper_end_open() {
        let f = fit(0.3, 1e6, 3, FitLoss::Squared);
        assert!(
            f.profile_interval(0.2, 256.0, 0.95)
                .unwrap()
                .upper
                .is_infinite()
        );
        assert_eq!(f.identification().cause(), Some(Cause::StepsInverseToBatch));
    }

    /// Steps that fall faster than 1/B: the best a is 0, and the interval open above.
    #[test]
    fn steps_that_fall_faster_than_the_batch_grows_leave_the_upper_end_open() {
        let batch: Vec<f64> = (0..6).map(|k| 16.0 * f64::from(1 << k)).collect();
        for power in [1.02, 1.3] {
            let steps: Vec<f64> = (0u64..)
                .zip(&batch)
                .map(|(i, b)| {
                    1e6 * b.powf(-power) * (0.01 * normal_quantile(uniform(8, 1, i))).exp()
                })
                .collect();
            let f = BatchFit::fit(&batch, &steps, BatchFitOptions::default()).unwrap();
            assert_eq!(f.identification().cause(), Some(Cause::StepsInverseToBatch));
            let i = f.profile_interval(0.2, 256.0, 0.95).unwrap();
            assert!(i.lower < 1e4 && i.upper.is_infinite(), "{i:?}");
        }
    }

    #[test]
    fn steps_inverse_to_the_batch_have_no_critical_batch_whatever_the_scale() {
        for scale in [1.0, 1e3, 1e9] {
            let batch: Vec<f64> = (0..6).map(|k| 16.0 * f64::from(1 << k)).collect();
            let steps: Vec<f64> = batch.iter().map(|b| scale * 64_000.0 / b).collect();
            let f = BatchFit::fit(&batch, &steps, BatchFitOptions::default()).unwrap();
            assert_eq!(f.identification().cause(), Some(Cause::StepsInverseToBatch));
        }
    }

    #[test]
    fn the_published_curves_are_identified() {
        for (steps, ..) in published() {
            for loss in [FitLoss::Squared, FitLoss::Huber(0.05)] {
                let f = BatchFit::fit(
                    &batches(),
                    &steps,
                    BatchFitOptions {
                        loss,
                        free_exponent: false,
                    },
                )
                .unwrap();
                assert!(f.identification().is_identified());
                let i = f.profile_interval(0.2, 256.0, 0.95).unwrap();
                let best = f.critical_batch(0.2, 256.0).unwrap();
                assert!(
                    i.lower < best && best < i.upper && i.upper < 3.0 * best,
                    "{i:?}"
                );
            }
        }
    }
}
