//! The choice of a map and the map that it gives.

use super::binning::{HistogramBinning, ScalingBinning};
use super::isotonic::Isotonic;
use super::platt::{BetaCalibration, Platt, PlattTargets};
use super::status::FitStatus;
use crate::calibration::Binning;
use crate::error::Result;

/// A method for recalibrating the confidences of binary records.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Method {
    /// [`Platt`] on log-odds.
    Platt(PlattTargets),
    /// [`Isotonic`].
    Isotonic,
    /// [`HistogramBinning`].
    Histogram(Binning),
    /// [`ScalingBinning`] with this many bins.
    ScalingBinning(usize),
    /// [`BetaCalibration`].
    Beta,
}

impl Method {
    /// Returns the map fitted to `confidence` and `correct`.
    ///
    /// ```
    /// use hindsight_llm_metrics::recalibrate::{Method, PlattTargets};
    /// let conf: Vec<f64> = (0..100).map(|i| 0.9 + 0.0005 * f64::from(i)).collect();
    /// let right: Vec<bool> = (0..100).map(|i| i % 10 < 6).collect();
    /// let map = Method::Platt(PlattTargets::Plain).fit(&conf, &right)?;
    /// assert!((map.apply(0.92) - 0.6).abs() < 0.1);
    /// # Ok::<(), hindsight_llm_metrics::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::Error::Length`], [`crate::Error::Empty`], [`crate::Error::OutOfRange`]; [`crate::Error::Parameter`] for a number of bins.
    pub fn fit(self, confidence: &[f64], correct: &[bool]) -> Result<Calibrator> {
        Ok(match self {
            Method::Platt(targets) => Calibrator::Platt(Platt::fit(confidence, correct, targets)?),
            Method::Isotonic => Calibrator::Isotonic(Isotonic::fit(confidence, correct)?),
            Method::Histogram(binning) => {
                Calibrator::Histogram(HistogramBinning::fit(confidence, correct, binning)?)
            }
            Method::ScalingBinning(bins) => {
                Calibrator::ScalingBinning(ScalingBinning::fit(confidence, correct, bins)?)
            }
            Method::Beta => Calibrator::Beta(BetaCalibration::fit(confidence, correct)?),
        })
    }
}

/// A fitted map from confidence to probability. With the feature `serde` it goes to JSON and back.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Calibrator {
    /// Logistic in the log-odds.
    Platt(Platt),
    /// Monotone, piecewise linear.
    Isotonic(Isotonic),
    /// Constant on bins.
    Histogram(HistogramBinning),
    /// Platt's map, averaged on bins.
    ScalingBinning(ScalingBinning),
    /// Logistic in the two logarithms.
    Beta(BetaCalibration),
}

impl Calibrator {
    /// Returns the recalibrated probability of `confidence`, which is clamped to [0, 1]; NaN gives NaN or the first value.
    #[must_use]
    pub fn apply(&self, confidence: f64) -> f64 {
        match self {
            Calibrator::Platt(m) => m.apply(confidence),
            Calibrator::Isotonic(m) => m.apply(confidence),
            Calibrator::Histogram(m) => m.apply(confidence),
            Calibrator::ScalingBinning(m) => m.apply(confidence),
            Calibrator::Beta(m) => m.apply(confidence),
        }
    }

    /// Returns how the fit ended; closed-form maps always converge.
    #[must_use]
    pub fn status(&self) -> FitStatus {
        match self {
            Calibrator::Platt(m) => m.status(),
            Calibrator::ScalingBinning(m) => m.status(),
            Calibrator::Beta(m) => m.status(),
            Calibrator::Isotonic(_) | Calibrator::Histogram(_) => FitStatus::Converged,
        }
    }
}
