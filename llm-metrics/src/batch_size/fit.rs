//! The curve of steps against batch size, and the critical batch size read off it.

use super::options::{BatchFitOptions, FitLoss};
use super::solve::{distinct, inverse, minimise, model};
use crate::error::{Error, Result, check_finite, check_len, check_positive};

/// Steps to target as a function of batch size: $Y(B) = a + b B^{-\alpha}$, with a the fewest steps however large the batch and, at
/// $\alpha = 1$, b the fewest samples however small it is.
///
/// Fitted in logarithms, $\min \sum \rho(\ln(a + b B^{-\alpha}) - \ln Y)$ over $\ln a, \ln b$ (and $\alpha$): steps span orders of
/// magnitude, and on the raw scale the smallest batch alone would decide.
///
/// ```
/// use hindsight_llm_metrics::batch_size::{BatchFit, BatchFitOptions};
/// let batch = [64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0];
/// let steps: Vec<f64> = batch.iter().map(|b| 1000.0 + 1e6 / b).collect();
/// let fit = BatchFit::fit(&batch, &steps, BatchFitOptions::default())?;
/// // 20 % more steps than linear scaling from 256: 1.2 * 256 + 0.2 * 1e6 / 1000.
/// assert!((fit.critical_batch(0.2, 256.0)? - 507.2).abs() < 1e-6);
/// # Ok::<(), hindsight_llm_metrics::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct BatchFit {
    /// Fewest steps a.
    pub a: f64,
    /// b.
    pub b: f64,
    /// Exponent $\alpha$ of the batch size.
    pub alpha: f64,
    /// Value of the loss, a sum over points.
    pub loss: f64,
    /// Largest absolute component of the gradient at the end, in (ln a, ln b, alpha): the stationarity of the fit.
    pub gradient: f64,
    /// Residuals ln Y minus the fitted logarithm.
    pub residuals: Vec<f64>,
    /// Residual standard deviation of log steps; NaN without degrees of freedom.
    pub residual_sd: f64,
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(super) covariance: [[f64; 3]; 3],
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(super) options: BatchFitOptions,
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(super) data: (Vec<f64>, Vec<f64>),
}

#[allow(clippy::cast_precision_loss)] // Counts.
impl BatchFit {
    /// Returns the fit to steps at batch sizes.
    ///
    /// # Errors
    /// [`Error::Length`], [`Error::Empty`], [`Error::NotFinite`]; [`Error::Parameter`] for a batch size or a number of steps that is not
    /// positive; [`Error::TooFew`] with fewer distinct batch sizes than parameters; [`Error::NoConvergence`].
    pub fn fit(batch: &[f64], steps: &[f64], options: BatchFitOptions) -> Result<Self> {
        check_len("steps", batch.len(), steps.len())?;
        check_finite("batch", batch)?;
        check_finite("steps", steps)?;
        for (&b, &s) in batch.iter().zip(steps) {
            check_positive("batch", b)?;
            check_positive("steps", s)?;
        }
        if let FitLoss::Huber(delta) = options.loss {
            check_positive("delta", delta)?;
        }
        let parameters = if options.free_exponent { 3 } else { 2 };
        let distinct = distinct(batch);
        if distinct < parameters {
            return Err(Error::TooFew {
                what: "the number of distinct batch sizes",
                needed: parameters,
                found: distinct,
            });
        }
        let y: Vec<f64> = steps.iter().map(|s| s.ln()).collect();
        let fewest = steps.iter().copied().fold(f64::INFINITY, f64::min);
        let samples = batch
            .iter()
            .zip(steps)
            .map(|(b, s)| b * s)
            .fold(f64::INFINITY, f64::min);
        // Starts: the two asymptotes in several mixtures; the best end wins.
        let mut best: Option<([f64; 3], f64, f64)> = None;
        for share in [0.02, 0.3, 0.8] {
            for factor in [0.3, 0.9] {
                let start = [(share * fewest).ln(), (factor * samples).ln(), 1.0];
                let end = minimise(batch, &y, options, start);
                if end.1.is_finite() && best.is_none_or(|b| end.1 < b.1) {
                    best = Some(end);
                }
            }
        }
        let (theta, loss, gradient) = best.ok_or(Error::NoConvergence {
            what: "the fit of steps against batch size",
        })?;
        let residuals: Vec<f64> = batch
            .iter()
            .zip(&y)
            .map(|(b, y)| y - model(*b, &theta).0)
            .collect();
        let dof = y.len() as f64 - parameters as f64;
        let rss: f64 = residuals.iter().map(|r| r * r).sum();
        let residual_sd = if dof > 0.0 {
            (rss / dof).sqrt()
        } else {
            f64::NAN
        };
        let mut information = [[0.0; 3]; 3];
        for b in batch {
            let j = model(*b, &theta).1;
            for i in 0..3 {
                for k in 0..3 {
                    information[i][k] += j[i] * j[k];
                }
            }
        }
        let mut covariance = inverse(information, parameters);
        for row in &mut covariance {
            for v in row {
                *v *= residual_sd * residual_sd;
            }
        }
        Ok(Self {
            a: theta[0].exp(),
            b: theta[1].exp(),
            alpha: theta[2],
            loss,
            gradient,
            residuals,
            residual_sd,
            covariance,
            options,
            data: (batch.to_vec(), steps.to_vec()),
        })
    }

    /// Returns the fitted steps at a batch size.
    #[must_use]
    pub fn steps_at(&self, batch: f64) -> f64 {
        self.a + self.b * batch.powf(-self.alpha)
    }

    /// Returns the steps at `batch` if linear scaling from `optimal` held, $\frac{B_{opt}}{B} Y(B_{opt})$: what the critical batch is measured against.
    #[must_use]
    pub fn linear_scaling(&self, batch: f64, optimal: f64) -> f64 {
        self.steps_at(optimal) * optimal / batch
    }

    /// Returns $(1 + \text{tolerance}) B_{opt}$, below which no critical batch size can lie, whatever the data: there even a curve that does not fall any
    /// more is within the tolerance.
    #[must_use]
    pub fn least_critical_batch(tolerance: f64, optimal: f64) -> f64 {
        (1.0 + tolerance) * optimal
    }

    /// Returns b / a, the batch size at which both asymptotes cost the same (the noise scale of the hyperbola
    /// $(S/S_{min} - 1)(E/E_{min} - 1) = 1$ at $\alpha = 1$).
    #[must_use]
    pub fn noise_batch(&self) -> f64 {
        self.b / self.a
    }

    /// Returns the critical batch size: where $Y(B) = (1 + \text{tolerance}) \frac{B_{opt}}{B} Y(B_{opt})$, the batch at which linear scaling
    /// from `optimal` costs `tolerance` more steps (Definition 1 of the paper, which takes 0.2 and 256).
    ///
    /// At $\alpha = 1$ it is $(1 + \text{tolerance}) B_{opt} + \text{tolerance}\thinspace b/a$, so nothing below $(1 + \text{tolerance}) B_{opt}$ can come out.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless both arguments are positive and finite; [`Error::NoConvergence`] if with a free exponent the curve never falls that far
    /// behind linear scaling.
    pub fn critical_batch(&self, tolerance: f64, optimal: f64) -> Result<f64> {
        check_positive("tolerance", tolerance)?;
        check_positive("optimal", optimal)?;
        if !self.options.free_exponent {
            return Ok(Self::least_critical_batch(tolerance, optimal) + tolerance * self.b / self.a);
        }
        // B Y(B) = a B + b B^(1 - alpha); above B_opt the first term wins in the end.
        let goal = (1.0 + tolerance) * optimal * self.steps_at(optimal);
        let excess =
            |ln_b: f64| self.a * ln_b.exp() + self.b * ((1.0 - self.alpha) * ln_b).exp() - goal;
        let (mut low, mut high) = (optimal.ln(), optimal.ln() + 1.0);
        while excess(high) < 0.0 {
            high += 1.0;
            if high > 300.0 {
                return Err(Error::NoConvergence {
                    what: "the critical batch size",
                });
            }
        }
        for _ in 0..200 {
            let mid = f64::midpoint(low, high);
            if excess(mid) < 0.0 {
                low = mid
            } else {
                high = mid
            }
        }
        Ok(high.exp())
    }
}

#[cfg(test)]
mod tests {
    use super::super::published::{batches, published};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_five_published_fits_come_back() {
        for (steps, a, b, critical) in published() {
            let fit = BatchFit::fit(&batches(), &steps, BatchFitOptions::default()).unwrap();
            assert!((fit.a / a - 1.0).abs() < 1e-4, "{} {a}", fit.a);
            assert!((fit.b / b - 1.0).abs() < 1e-4, "{} {b}", fit.b);
            let ours = fit.critical_batch(0.2, 256.0).unwrap();
            assert!((ours / critical - 1.0).abs() < 1e-4, "{ours} {critical}");
            assert!(fit.gradient < 1e-9);
            let i = fit.delta_interval(0.2, 256.0, 0.95).unwrap();
            assert!(i.lower < ours && ours < i.upper);
        }
    }

    proptest! {
        #[test]
        fn exact_curves_are_found_and_the_definition_holds(a in 10.0f64..1e4, ratio in 5.0f64..1e4, tolerance in 0.05f64..1.0) {
            let b = a * ratio;
            let y: Vec<f64> = batches().iter().map(|x| a + b / x).collect();
            let fit = BatchFit::fit(&batches(), &y, BatchFitOptions::default()).unwrap();
            prop_assert!((fit.a / a - 1.0).abs() < 1e-5 && (fit.b / b - 1.0).abs() < 1e-5, "{fit:?}");
            let c = fit.critical_batch(tolerance, 100.0).unwrap();
            let linear = (1.0 + tolerance) * 100.0 / c * fit.steps_at(100.0);
            prop_assert!((fit.steps_at(c) / linear - 1.0).abs() < 1e-9);
            prop_assert!((fit.steps_at(c) / fit.linear_scaling(c, 100.0) - 1.0 - tolerance).abs() < 1e-9);
            prop_assert!(c >= BatchFit::least_critical_batch(tolerance, 100.0));
            // The hyperbola (S / a - 1)(E / b - 1) = 1 with E = B S.
            let s = fit.steps_at(777.0);
            prop_assert!(((s / fit.a - 1.0) * (777.0 * s / fit.b - 1.0) - 1.0).abs() < 1e-6);
        }

        #[test]
        fn a_free_exponent_at_one_agrees_with_the_closed_form(a in 100.0f64..1e4, ratio in 50.0f64..5e3) {
            let y: Vec<f64> = batches().iter().map(|x| a + a * ratio / x).collect();
            let free = BatchFit::fit(&batches(), &y, BatchFitOptions { free_exponent: true, ..Default::default() }).unwrap();
            prop_assert!((free.alpha - 1.0).abs() < 1e-4, "{}", free.alpha);
            let c = free.critical_batch(0.2, 256.0).unwrap();
            prop_assert!((c / (307.2 + 0.2 * ratio) - 1.0).abs() < 1e-3, "{c}");
        }
    }

    #[test]
    fn huber_resists_a_ruined_run() {
        let mut y: Vec<f64> = batches().iter().map(|x| 1000.0 + 1e6 / x).collect();
        y[6] *= 3.0;
        let square = BatchFit::fit(&batches(), &y, BatchFitOptions::default()).unwrap();
        let huber = BatchFit::fit(
            &batches(),
            &y,
            BatchFitOptions {
                loss: FitLoss::Huber(0.01),
                free_exponent: false,
            },
        )
        .unwrap();
        assert!((huber.a / 1000.0 - 1.0).abs() < 0.05);
        assert!(
            (square.a / 1000.0 - 1.0).abs() > 0.15,
            "the planted fault must move least squares"
        );
    }

    #[test]
    fn too_few_and_wrong_points_are_refused() {
        let o = BatchFitOptions::default();
        assert!(matches!(
            BatchFit::fit(&[64.0, 64.0], &[1.0, 2.0], o),
            Err(Error::TooFew { found: 1, .. })
        ));
        assert!(matches!(
            BatchFit::fit(&[64.0, 0.0], &[1.0, 2.0], o),
            Err(Error::Parameter { name: "batch", .. })
        ));
        assert!(matches!(
            BatchFit::fit(&[64.0, 128.0], &[1.0, -2.0], o),
            Err(Error::Parameter { name: "steps", .. })
        ));
    }
}
