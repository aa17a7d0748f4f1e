//! Platt scaling and beta calibration: logistic maps of a confidence.

use super::logistic;
use super::status::{FitStatus, check_binary};
use crate::error::Result;

/// Confidences nearer to 0 or 1 than this are moved to it before logarithms are taken.
const CLIP: f64 = 1e-12;

fn clip(p: f64) -> f64 {
    p.clamp(CLIP, 1.0 - CLIP)
}

fn log_odds(p: f64) -> f64 {
    let p = clip(p);
    p.ln() - (-p).ln_1p()
}

/// What Platt scaling fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum PlattTargets {
    /// $(N_+ + 1)/(N_+ + 2)$ and $1/(N_- + 2)$ in the place of 1 and 0: Platt's proposal and scikit-learn's. Always has an optimum.
    #[default]
    Smoothed,
    /// 1 and 0: maximum likelihood, as in the authors' code for arXiv:2312.04021.
    Plain,
}

/// Platt scaling on log-odds: $p \mapsto \sigma(a\thinspace\mathrm{logit}(p) + b)$. Confidences are clipped to $[10^{-12}, 1 - 10^{-12}]$.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Platt {
    slope: f64,
    intercept: f64,
    status: FitStatus,
}

impl Platt {
    /// Returns the map fitted to `confidence` and `correct`. Constant confidences leave the slope at 0.
    ///
    /// # Errors
    /// [`crate::Error::Length`], [`crate::Error::Empty`], [`crate::Error::OutOfRange`].
    #[allow(clippy::cast_precision_loss)] // Counts.
    pub fn fit(confidence: &[f64], correct: &[bool], targets: PlattTargets) -> Result<Self> {
        check_binary(confidence, correct)?;
        let positive = correct.iter().filter(|y| **y).count() as f64;
        let negative = correct.len() as f64 - positive;
        let (low, high) = match targets {
            PlattTargets::Smoothed => (1.0 / (negative + 2.0), (positive + 1.0) / (positive + 2.0)),
            PlattTargets::Plain => (0.0, 1.0),
        };
        let target: Vec<f64> = correct
            .iter()
            .map(|y| if *y { high } else { low })
            .collect();
        let constant = confidence.iter().all(|c| (c - confidence[0]).abs() < 1e-15);
        let (slope, intercept, status) = if constant {
            let ones = vec![[1.0]; target.len()];
            let (w, status) = logistic::fit(&ones, &target);
            (0.0, w[0], status)
        } else {
            let features: Vec<[f64; 2]> = confidence.iter().map(|c| [log_odds(*c), 1.0]).collect();
            let (w, status) = logistic::fit(&features, &target);
            (w[0], w[1], status)
        };
        Ok(Self {
            slope,
            intercept,
            status,
        })
    }

    /// Returns the recalibrated probability.
    #[must_use]
    pub fn apply(&self, confidence: f64) -> f64 {
        logistic::sigmoid(self.slope * log_odds(confidence) + self.intercept)
    }
    /// Returns the slope a; 1 leaves the log-odds as they are, below 1 softens them.
    #[must_use]
    pub fn slope(&self) -> f64 {
        self.slope
    }
    /// Returns the intercept b.
    #[must_use]
    pub fn intercept(&self) -> f64 {
        self.intercept
    }
    /// Returns how the fit ended.
    #[must_use]
    pub fn status(&self) -> FitStatus {
        self.status
    }
}

/// Beta calibration (Kull, Silva Filho and Flach, 2017): $p \mapsto \sigma(a \ln p - b \ln(1 - p) + c)$ with $a, b \ge 0$, so that the map
/// rises.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BetaCalibration {
    a: f64,
    b: f64,
    c: f64,
    status: FitStatus,
}

impl BetaCalibration {
    /// Returns the maximum-likelihood map; a coefficient that would be negative is fixed at 0 and the rest refitted.
    ///
    /// # Errors
    /// [`crate::Error::Length`], [`crate::Error::Empty`], [`crate::Error::OutOfRange`].
    pub fn fit(confidence: &[f64], correct: &[bool]) -> Result<Self> {
        check_binary(confidence, correct)?;
        let target: Vec<f64> = correct.iter().map(|y| f64::from(u8::from(*y))).collect();
        let logs: Vec<[f64; 2]> = confidence
            .iter()
            .map(|p| [clip(*p).ln(), -(-clip(*p)).ln_1p()])
            .collect();
        let all: Vec<[f64; 3]> = logs.iter().map(|l| [l[0], l[1], 1.0]).collect();
        let (w, status) = logistic::fit(&all, &target);
        if w[0] >= 0.0 && w[1] >= 0.0 {
            return Ok(Self {
                a: w[0],
                b: w[1],
                c: w[2],
                status,
            });
        }
        let keep = usize::from(w[0] < 0.0);
        let one: Vec<[f64; 2]> = logs.iter().map(|l| [l[keep], 1.0]).collect();
        let (w, status) = logistic::fit(&one, &target);
        if w[0] >= 0.0 {
            let (a, b) = if keep == 0 { (w[0], 0.0) } else { (0.0, w[0]) };
            return Ok(Self {
                a,
                b,
                c: w[1],
                status,
            });
        }
        let (w, status) = logistic::fit(&vec![[1.0]; target.len()], &target);
        Ok(Self {
            a: 0.0,
            b: 0.0,
            c: w[0],
            status,
        })
    }

    /// Returns the recalibrated probability.
    #[must_use]
    pub fn apply(&self, confidence: f64) -> f64 {
        let p = clip(confidence);
        logistic::sigmoid(self.a * p.ln() - self.b * (-p).ln_1p() + self.c)
    }
    /// Returns (a, b, c).
    #[must_use]
    pub fn coefficients(&self) -> (f64, f64, f64) {
        (self.a, self.b, self.c)
    }
    /// Returns how the fit ended.
    #[must_use]
    pub fn status(&self) -> FitStatus {
        self.status
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::distorted;

    fn sum_of_scores(
        conf: &[f64],
        y: &[bool],
        map: impl Fn(f64) -> f64,
        feature: impl Fn(f64) -> f64,
    ) -> f64 {
        conf.iter()
            .zip(y)
            .map(|(c, y)| (map(*c) - f64::from(u8::from(*y))) * feature(*c))
            .sum::<f64>()
            / conf.len() as f64
    }

    #[test]
    fn the_score_equations_hold_at_the_fit() {
        let (conf, y) = distorted(3000, 4, |p| p.powf(1.7) * 0.9);
        let m = Platt::fit(&conf, &y, PlattTargets::Plain).unwrap();
        assert_eq!(m.status(), FitStatus::Converged);
        for f in [(|_| 1.0) as fn(f64) -> f64, log_odds] {
            assert!(sum_of_scores(&conf, &y, |c| m.apply(c), f).abs() < 1e-9);
        }
        let b = BetaCalibration::fit(&conf, &y).unwrap();
        for f in [(|_| 1.0) as fn(f64) -> f64, f64::ln, |p: f64| {
            (1.0 - p).ln()
        }] {
            assert!(sum_of_scores(&conf, &y, |c| b.apply(c), f).abs() < 1e-9);
        }
    }

    #[test]
    fn known_coefficients_come_back() {
        // Truth inside the family; 40,000 records give the slope to about 0.015.
        let (conf, y) = distorted(40_000, 9, |p| logistic::sigmoid(0.5 * log_odds(p) - 0.3));
        let m = Platt::fit(&conf, &y, PlattTargets::Smoothed).unwrap();
        assert!(
            (m.slope() - 0.5).abs() < 0.05 && (m.intercept() + 0.3).abs() < 0.06,
            "{m:?}"
        );
        let (a, b, c) = BetaCalibration::fit(&conf, &y).unwrap().coefficients();
        assert!((a - 0.5).abs() < 0.1 && (b - 0.5).abs() < 0.1 && (c + 0.3).abs() < 0.15);
    }

    #[test]
    fn separated_data_are_reported_and_smoothed_targets_bound_the_slope() {
        let conf: Vec<f64> = (0..100).map(|i| (f64::from(i) + 0.5) / 100.0).collect();
        let y: Vec<bool> = conf.iter().map(|c| *c > 0.5).collect();
        assert_eq!(
            Platt::fit(&conf, &y, PlattTargets::Plain).unwrap().status(),
            FitStatus::Separated
        );
        let smooth = Platt::fit(&conf, &y, PlattTargets::Smoothed).unwrap();
        assert_eq!(smooth.status(), FitStatus::Converged);
        // At the optimum the errors against the smoothed targets, weighted by the log-odds, add up to nothing.
        let (low, high) = (1.0 / 52.0, 51.0 / 52.0);
        let score: f64 = (conf.iter().zip(&y))
            .map(|(&c, &y)| (smooth.apply(c) - if y { high } else { low }) * log_odds(c))
            .sum();
        assert!(
            smooth.slope() > 1.0 && score.abs() < 1e-6,
            "{smooth:?} {score}"
        );
        assert_eq!(
            Platt::fit(&conf, &[true; 100], PlattTargets::Plain)
                .unwrap()
                .status(),
            FitStatus::Separated
        );
    }

    #[test]
    fn constant_confidence_gives_the_base_rate() {
        let m = Platt::fit(
            &[0.9; 10],
            &[
                true, true, true, true, true, true, false, false, false, false,
            ],
            PlattTargets::Plain,
        );
        assert!((m.unwrap().apply(0.9) - 0.6).abs() < 1e-9);
        // Certainty is clipped, not infinite.
        let m = Platt::fit(
            &[0.0, 1.0, 1.0, 0.5],
            &[false, true, false, true],
            PlattTargets::Smoothed,
        )
        .unwrap();
        assert!(m.apply(1.0).is_finite() && m.apply(0.0).is_finite());
    }

    #[test]
    fn beta_never_falls_even_on_reversed_data() {
        let (conf, y) = distorted(2000, 3, |p| 1.0 - p);
        let m = BetaCalibration::fit(&conf, &y).unwrap();
        let (a, b, _) = m.coefficients();
        assert!(a >= 0.0 && b >= 0.0);
        assert!(m.apply(0.9) >= m.apply(0.1));
    }
}
