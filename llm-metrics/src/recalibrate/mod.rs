//! Recalibration: maps from a confidence, or from logits, to a better probability.

mod binning;
mod crossfit;
mod isotonic;
mod logistic;
mod platt;
mod temperature;

pub use binning::{HistogramBinning, ScalingBinning};
pub use crossfit::{assign_folds, cross_fit, cross_fit_temperature};
pub use isotonic::Isotonic;
pub use platt::{BetaCalibration, Platt, PlattTargets};
pub use temperature::Temperature;

use crate::error::{Error, Result, check_len, check_unit};
use crate::probabilities::{Binning, Probabilities};

/// How a fit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum FitStatus {
    /// The optimum was found.
    Converged,
    /// The likelihood rises without end: the outcomes are separated by the scores (temperature to 0, slope to infinity). The map returned
    /// is the last finite one.
    Separated,
    /// The scores run against the outcomes, so that the best temperature is infinite; the map returned is the uniform one.
    AntiCorrelated,
    /// The iterations ran out before the gradient vanished.
    IterationLimit,
}

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
    /// use hindsight_llm_metrics::{Method, PlattTargets};
    /// let conf: Vec<f64> = (0..100).map(|i| 0.9 + 0.0005 * f64::from(i)).collect();
    /// let right: Vec<bool> = (0..100).map(|i| i % 10 < 6).collect();
    /// let map = Method::Platt(PlattTargets::Plain).fit(&conf, &right)?;
    /// assert!((map.apply(0.92) - 0.6).abs() < 0.1);
    /// # Ok::<(), hindsight_llm_metrics::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Length`], [`Error::Empty`], [`Error::OutOfRange`]; [`Error::Parameter`] for a number of bins.
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

/// One map per class for multiclass probabilities, fitted one against the rest.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ClassCalibrators {
    maps: Vec<Calibrator>,
}

impl ClassCalibrators {
    /// Returns the maps of `method`, class k fitted to $q_{ik}$ against $1[y_i = k]$.
    ///
    /// # Errors
    /// As [`Method::fit`].
    pub fn fit(probabilities: &Probabilities, method: Method) -> Result<Self> {
        let one = |k: usize| {
            let confidence: Vec<f64> = probabilities.rows().map(|(row, _)| row[k]).collect();
            let correct: Vec<bool> = probabilities.labels().iter().map(|l| *l == k).collect();
            method.fit(&confidence, &correct)
        };
        Ok(Self {
            maps: (0..probabilities.classes())
                .map(one)
                .collect::<Result<_>>()?,
        })
    }

    /// Returns the recalibrated probabilities, each row divided by its sum (a row of zeros becomes uniform).
    ///
    /// # Errors
    /// [`Error::Length`] if the number of classes differs from that of the fit.
    #[allow(clippy::cast_precision_loss)] // Counts of classes.
    pub fn apply(&self, probabilities: &Probabilities) -> Result<Probabilities> {
        check_len("classes", self.maps.len(), probabilities.classes())?;
        let mut values = Vec::with_capacity(probabilities.values().len());
        for (row, _) in probabilities.rows() {
            let mapped: Vec<f64> = row
                .iter()
                .zip(&self.maps)
                .map(|(q, m)| m.apply(*q))
                .collect();
            let sum: f64 = mapped.iter().sum();
            let uniform = 1.0 / self.maps.len() as f64;
            values.extend(mapped.iter().map(|v| {
                if sum > 0.0 {
                    (v / sum).min(1.0)
                } else {
                    uniform
                }
            }));
        }
        Probabilities::new(values, self.maps.len(), probabilities.labels().to_vec())
    }

    /// Returns the maps, class by class.
    #[must_use]
    pub fn maps(&self) -> &[Calibrator] {
        &self.maps
    }
}

fn check_binary(confidence: &[f64], correct: &[bool]) -> Result<()> {
    check_len("correct", confidence.len(), correct.len())?;
    if confidence.is_empty() {
        return Err(Error::Empty { what: "confidence" });
    }
    check_unit("confidence", confidence)
}
