//! Power laws of the critical batch size in model size, data size, or both.

use crate::error::{Allowed, Error, Result, check_len};
use crate::stats::interval::Interval;
use crate::stats::regress::Ols;

/// A power law $y = c \prod_j x_j^{e_j}$, fitted by least squares in logarithms.
///
/// ```
/// use hindsight_llm_metrics::batch_size::PowerLaw;
/// let n = [85.0, 151.0, 302.0, 604.0, 1200.0];
/// let law = PowerLaw::fit(&[&n], &[745.32, 955.16, 1393.73, 1888.52, 2533.41])?;
/// // The paper's law of the critical batch size: 93.1968 N^0.46828, N in millions.
/// assert!((law.coefficient() - 93.1968).abs() < 0.01 && (law.exponent(0).unwrap().estimate - 0.46828).abs() < 1e-4);
/// # Ok::<(), hindsight_llm_metrics::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct PowerLaw {
    fit: Ols,
}

impl PowerLaw {
    /// Returns the law of `y` in the given variables.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a value that is not positive and finite; as [`Ols::fit`].
    pub fn fit(variables: &[&[f64]], y: &[f64]) -> Result<Self> {
        for x in variables {
            check_len("a variable", y.len(), x.len())?;
        }
        let log = |v: &[f64]| -> Result<Vec<f64>> {
            v.iter()
                .map(|x| {
                    crate::error::check_positive("a value of a power law", *x)?;
                    Ok(x.ln())
                })
                .collect()
        };
        let logs: Vec<Vec<f64>> = variables.iter().map(|v| log(v)).collect::<Result<_>>()?;
        let views: Vec<&[f64]> = logs.iter().map(Vec::as_slice).collect();
        Ok(Self {
            fit: Ols::fit(&views, &log(y)?)?,
        })
    }

    /// Returns c.
    #[must_use]
    pub fn coefficient(&self) -> f64 {
        self.fit.coefficients[0].estimate.exp()
    }
    /// Returns the exponent of variable `index` with its standard error; `None` without such a variable.
    #[must_use]
    pub fn exponent(&self, index: usize) -> Option<crate::stats::regress::Coefficient> {
        self.fit.coefficients.get(index + 1).copied()
    }
    /// Returns Student's t interval of the exponent of variable `index`.
    ///
    /// # Errors
    /// As [`Ols::interval`].
    pub fn exponent_interval(&self, index: usize, level: f64) -> Result<Interval> {
        self.fit.interval(index + 1, level)
    }
    /// Returns the law's value at `at` with the interval of its logarithmic mean.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a value that is not positive; as [`Ols::predict`].
    pub fn predict(&self, at: &[f64], level: f64) -> Result<(f64, Interval)> {
        let logs: Vec<f64> = at.iter().map(|x| x.ln()).collect();
        if let Some(i) = logs.iter().position(|l| !l.is_finite()) {
            return Err(Error::Parameter {
                name: "a value of a power law",
                value: at[i],
                allowed: Allowed::Above(0.0),
            });
        }
        let (value, i) = self.fit.predict(&logs, level)?;
        Ok((
            value.exp(),
            Interval {
                lower: i.lower.exp(),
                upper: i.upper.exp(),
                level,
            },
        ))
    }
    /// Returns the regression of the logarithms.
    #[must_use]
    pub fn regression(&self) -> &Ols {
        &self.fit
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch_size::published::{batches, published};
    use crate::batch_size::{BatchFit, BatchFitOptions};

    const MILLIONS: [f64; 5] = [85.0, 151.0, 302.0, 604.0, 1200.0];

    #[test]
    fn from_the_sweeps_to_the_published_law() {
        let critical: Vec<f64> = published()
            .map(|(steps, ..)| {
                BatchFit::fit(&batches(), &steps, BatchFitOptions::default())
                    .unwrap()
                    .critical_batch(0.2, 256.0)
                    .unwrap()
            })
            .collect();
        let law = PowerLaw::fit(&[&MILLIONS], &critical).unwrap();
        let e = law.exponent(0).unwrap();
        assert!(
            (law.coefficient() - 93.1968).abs() < 0.05,
            "{}",
            law.coefficient()
        );
        assert!((e.estimate - 0.46828).abs() < 1e-4, "{e:?}");
        assert!((e.standard_error - 0.0118).abs() < 2e-4, "{e:?}");
        // Forecasts that the notebook prints.
        assert!((law.predict(&[1200.0], 0.95).unwrap().0 - 2578.0).abs() < 1.5);
        assert!((law.predict(&[6000.0], 0.95).unwrap().0 - 5478.0).abs() < 3.0);
        assert!(law.exponent_interval(0, 0.95).unwrap().contains(0.46828));
    }

    #[test]
    fn joint_laws_separate_model_and_data_and_collinear_ones_are_refused() {
        let n = [1.0, 2.0, 4.0, 1.0, 2.0, 4.0];
        let d = [10.0, 10.0, 10.0, 40.0, 40.0, 40.0];
        let y: Vec<f64> = n
            .iter()
            .zip(&d)
            .map(|(n, d): (&f64, &f64)| 5.0 * n.powf(0.1) * d.powf(0.45))
            .collect();
        let law = PowerLaw::fit(&[&n, &d], &y).unwrap();
        assert!((law.exponent(0).unwrap().estimate - 0.1).abs() < 1e-12);
        assert!((law.exponent(1).unwrap().estimate - 0.45).abs() < 1e-12);
        // The Chinchilla line ties data to model: joint exponents do not exist there.
        let tied: Vec<f64> = n.iter().map(|n| 20.0 * n).collect();
        assert!(matches!(
            PowerLaw::fit(&[&n, &tied], &y),
            Err(Error::Collinear { .. })
        ));
        assert!(PowerLaw::fit(&[&[0.0, 1.0]], &[1.0, 1.0]).is_err());
    }
}
