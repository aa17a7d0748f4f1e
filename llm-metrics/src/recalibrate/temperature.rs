//! Temperature scaling of logits.

use super::status::FitStatus;
use crate::calibration::Probabilities;
use crate::calibration::{Logits, log_sum_exp};
use crate::error::{Error, Result};

/// One temperature T > 0: the softmax of $z / T$.
///
/// The negative log-likelihood is convex in $\beta = 1/T$, with derivative $\frac1n \sum_i (\sum_k q_{ik} z_{ik} - z_{i y_i})$; its
/// root is bracketed by doubling and found by Newton steps that never leave the bracket. Nothing is bounded in advance: if there is
/// no finite optimum, the status says so.
///
/// ```
/// use hindsight_llm_metrics::{calibration::Logits, recalibrate::{FitStatus, Temperature}};
/// // Odds of 9:1 stated, 3:1 found: the temperature is ln 9 / ln 3 = 2.
/// let z = Logits::new([9f64.ln(), 0.0].repeat(4), 2, vec![0, 0, 0, 1])?;
/// let t = Temperature::fit(&z)?;
/// assert!((t.temperature() - 2.0).abs() < 1e-9 && t.status() == FitStatus::Converged);
/// # Ok::<(), hindsight_llm_metrics::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Temperature {
    beta: f64,
    status: FitStatus,
}

impl Temperature {
    /// Returns the temperature of maximum likelihood.
    ///
    /// If every label has the largest logit of its row the temperature tends to 0 ([`FitStatus::Separated`]; $2^{-40}$ is returned); if the
    /// labels' logits are on average no larger than the others' it tends to infinity ([`FitStatus::AntiCorrelated`]; $2^{40}$).
    ///
    /// # Errors
    /// [`Error::NotFinite`] if a label's own logit is $-\infty$: no temperature can explain that record.
    pub fn fit(logits: &Logits) -> Result<Self> {
        if let Some(index) = logits
            .rows()
            .position(|(row, label)| row[label].is_infinite())
        {
            return Err(Error::NotFinite {
                what: "the label's logit in record",
                index,
                value: f64::NEG_INFINITY,
            });
        }
        let slope = |beta: f64| derivatives(logits, beta);
        let (mut low, mut high) = (1.0, 1.0);
        while slope(high).0 < 0.0 {
            low = high;
            high *= 2.0;
            if high > 1e12 {
                return Ok(Self {
                    beta: (2.0f64).powi(40),
                    status: FitStatus::Separated,
                });
            }
        }
        while slope(low).0 > 0.0 {
            high = low;
            low /= 2.0;
            if low < 1e-12 {
                return Ok(Self {
                    beta: (2.0f64).powi(-40),
                    status: FitStatus::AntiCorrelated,
                });
            }
        }
        // All labels on top with a margin: the slope underflows to exactly zero on the way up.
        if logits.rows().all(|(row, label)| {
            row.iter()
                .enumerate()
                .all(|(k, z)| k == label || *z < row[label])
        }) {
            return Ok(Self {
                beta: (2.0f64).powi(40),
                status: FitStatus::Separated,
            });
        }
        let mut beta = f64::midpoint(low, high);
        for _ in 0..200 {
            let (g, h) = slope(beta);
            if g < 0.0 {
                low = beta;
            } else {
                high = beta;
            }
            let newton = beta - g / h;
            let next = if newton > low && newton < high {
                newton
            } else {
                f64::midpoint(low, high)
            };
            let done = (next - beta).abs() <= 4.0 * f64::EPSILON * beta;
            beta = next;
            if done {
                return Ok(Self {
                    beta,
                    status: FitStatus::Converged,
                });
            }
        }
        let status = if high - low < 1e-9 * high {
            FitStatus::Converged
        } else {
            FitStatus::IterationLimit
        };
        Ok(Self { beta, status })
    }

    /// Returns T.
    #[must_use]
    pub fn temperature(&self) -> f64 {
        1.0 / self.beta
    }
    /// Returns how the fit ended.
    #[must_use]
    pub fn status(&self) -> FitStatus {
        self.status
    }
    /// Returns the softmax of the logits divided by T.
    #[must_use]
    pub fn apply(&self, logits: &Logits) -> Probabilities {
        logits.softmax_at(self.beta)
    }
}

/// First and second derivative of the mean negative log-likelihood in beta.
#[allow(clippy::cast_precision_loss)] // A count.
fn derivatives(logits: &Logits, beta: f64) -> (f64, f64) {
    let (mut g, mut h) = (0.0, 0.0);
    let mut scaled = vec![0.0; logits.classes()];
    for (row, label) in logits.rows() {
        let top = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        for (s, z) in scaled.iter_mut().zip(row) {
            *s = beta * (z - top);
        }
        let total = log_sum_exp(&scaled);
        let (mut m1, mut m2) = (0.0, 0.0);
        for (s, z) in scaled.iter().zip(row) {
            if z.is_finite() {
                let q = (s - total).exp();
                let d = z - row[label];
                m1 += q * d;
                m2 += q * d * d;
            }
        }
        g += m1;
        h += m2 - m1 * m1;
    }
    let n = logits.len() as f64;
    (g / n, (h / n).max(f64::MIN_POSITIVE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::uniform;
    use proptest::prelude::*;

    fn sample(n: usize, temperature: f64, seed: u64) -> Logits {
        let z: Vec<f64> = (0..n as u64 * 4)
            .map(|i| 6.0 * uniform(seed, 1, i) - 3.0)
            .collect();
        let p = Logits::new(z.clone(), 4, vec![0; n])
            .unwrap()
            .softmax_at(1.0 / temperature);
        let labels = p
            .values()
            .chunks_exact(4)
            .enumerate()
            .map(|(i, row)| {
                let u = uniform(seed, 2, i as u64);
                let mut total = 0.0;
                row.iter()
                    .position(|q| {
                        total += q;
                        u < total
                    })
                    .unwrap_or(3)
            })
            .collect();
        Logits::new(z, 4, labels).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn no_temperature_nearby_is_better(seed in 0u64..1000, t in 0.3f64..4.0) {
            let z = sample(300, t, seed);
            let fit = Temperature::fit(&z).unwrap();
            if fit.status() == FitStatus::Converged {
                let best = fit.apply(&z).nll();
                for f in [0.9, 0.999, 1.001, 1.1] {
                    prop_assert!(best <= z.softmax_at(f / fit.temperature()).nll() + 1e-12);
                }
            }
        }

        #[test]
        fn scaling_the_logits_scales_the_temperature(seed in 0u64..1000, c in 0.01f64..100.0) {
            let z = sample(200, 1.5, seed);
            let scaled = Logits::new(z.values().iter().map(|v| v * c).collect(), 4, z.labels().to_vec()).unwrap();
            let (a, b) = (Temperature::fit(&z).unwrap(), Temperature::fit(&scaled).unwrap());
            prop_assume!(a.status() == FitStatus::Converged);
            prop_assert!((b.temperature() / a.temperature() / c - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn the_true_temperature_comes_back() {
        let t = Temperature::fit(&sample(20_000, 2.0, 5)).unwrap();
        assert!((t.temperature() - 2.0).abs() < 0.08, "{t:?}");
    }

    #[test]
    fn no_finite_optimum_is_a_status() {
        let right = Logits::new(vec![2.0, 1.0, 0.0, 3.0], 2, vec![0, 1]).unwrap();
        assert_eq!(
            Temperature::fit(&right).unwrap().status(),
            FitStatus::Separated
        );
        let wrong = Logits::new(vec![2.0, 1.0, 0.0, 3.0], 2, vec![1, 0]).unwrap();
        assert_eq!(
            Temperature::fit(&wrong).unwrap().status(),
            FitStatus::AntiCorrelated
        );
        let lost = Logits::new(vec![f64::NEG_INFINITY, 1.0], 2, vec![0]).unwrap();
        assert!(matches!(
            Temperature::fit(&lost),
            Err(Error::NotFinite { index: 0, .. })
        ));
    }
}
