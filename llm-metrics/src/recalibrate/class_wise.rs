//! One map per class.

use super::method::{Calibrator, Method};
use crate::calibration::Probabilities;
use crate::error::{Result, check_len};

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
    /// [`crate::Error::Length`] if the number of classes differs from that of the fit.
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
