//! Scores of normal laws, of means and covariances, of densities.

use nalgebra::{Cholesky, DMatrix, DVector};
use statrs::function::erf::erf;

use super::forecasts::{Forecasts, between, checked, count, finite};
use crate::error::{Argument, DrainError};

/// Mean and standard deviation as a law's, and the outcome in units of the deviation.
fn standardised(mean: f64, deviation: f64, outcome: f64) -> Result<f64, DrainError> {
    finite(Argument::Mean, &[mean])?;
    finite(Argument::Outcome, &[outcome])?;
    between(Argument::StandardDeviation, deviation, 0.0, f64::INFINITY)?;
    Ok((outcome - mean) / deviation)
}

/// The continuous ranked probability score of a normal law, in the unit of the data:
/// $\sigma (z (2 \Phi(z) - 1) + 2 \varphi(z) - \pi^{-1/2})$ with $z = (y - \mu) / \sigma$.
///
/// # Errors
/// A number that is not finite, a standard deviation that is not positive.
///
/// ```
/// use hindsight_drain::scores::crps_normal;
/// let best = crps_normal(3.0, 1.0, 3.0)?; // (sqrt 2 - 1) / sqrt pi
/// assert!((best - 0.233_694_977_254_985_5).abs() < 1e-12);
/// # Ok::<(), hindsight_drain::DrainError>(())
/// ```
pub fn crps_normal(mean: f64, standard_deviation: f64, outcome: f64) -> Result<f64, DrainError> {
    use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, SQRT_2};
    let z = standardised(mean, standard_deviation, outcome)?;
    let density = (-0.5 * z * z).exp() * 0.5 * FRAC_2_SQRT_PI / SQRT_2;
    Ok(standard_deviation * (z * erf(z * FRAC_1_SQRT_2) + 2.0 * density - 0.5 * FRAC_2_SQRT_PI))
}

/// The logarithmic score of a normal law: $\ln \sigma + \tfrac 1 2 \ln 2 \pi + z^2 / 2$ with $z = (y - \mu) / \sigma$.
///
/// # Errors
/// A number that is not finite, a standard deviation that is not positive.
pub fn log_score_normal(
    mean: f64,
    standard_deviation: f64,
    outcome: f64,
) -> Result<f64, DrainError> {
    let z = standardised(mean, standard_deviation, outcome)?;
    Ok(standard_deviation.ln() + 0.5 * (2.0 * std::f64::consts::PI).ln() + 0.5 * z * z)
}

/// The logarithmic score of a law that gives the outcome this probability, or density: $-\ln p$; infinite where $p = 0$.
///
/// # Errors
/// A density that is negative or not finite.
///
/// ```
/// use hindsight_drain::scores::log_score;
/// assert_eq!(log_score(0.25)?, 4.0_f64.ln());
/// # Ok::<(), hindsight_drain::DrainError>(())
/// ```
pub fn log_score(density: f64) -> Result<f64, DrainError> {
    let (argument, index, value) = (Argument::Density, 0, density);
    finite(argument, &[value])?;
    if value < 0.0 {
        return Err(DrainError::Negative {
            argument,
            index,
            value,
        });
    }
    Ok(-value.ln())
}

/// The Dawid-Sebastiani score of every forecast, which looks at mean $\mu$ and covariance $\Sigma$ of the members alone:
/// $\ln \det \Sigma + (y - \mu)^\top \Sigma^{-1} (y - \mu)$, with $M - 1$ as the divisor of the covariance.
///
/// Twice the logarithmic score of the normal law of that mean and covariance, but for the constant $D \ln 2 \pi$. Takes $O(M D^2 + D^3)$ a forecast.
///
/// # Errors
/// No more members than components; members whose covariance is singular to rounding.
///
/// ```
/// use hindsight_drain::scores::{Forecasts, dawid_sebastiani};
/// let score = dawid_sebastiani(&Forecasts::new(&[1.0, 2.0, 3.0], &[4.0])?)?;
/// assert_eq!(score, [4.0]); // ln 1 + (4 - 2)^2 / 1
/// # Ok::<(), hindsight_drain::DrainError>(())
/// ```
pub fn dawid_sebastiani(forecasts: &Forecasts<'_>) -> Result<Vec<f64>, DrainError> {
    let (members, components) = (forecasts.members(), forecasts.components());
    if members <= components {
        return Err(DrainError::TooFew {
            argument: Argument::Members,
            needed: components + 1,
            found: members,
        });
    }
    let one = |(index, (x, y)): (usize, (&[f64], &[f64]))| {
        let x = DMatrix::from_column_slice(components, members, x);
        let mean = x.column_mean();
        // Each component in units of its own spread: the Cholesky factor then says how near to singular they are.
        let spread = DVector::from_fn(components, |d, _| {
            let gaps = x.row(d).add_scalar(-mean[d]);
            (gaps.norm_squared() / count(members - 1)).sqrt()
        });
        let singular = || DrainError::Singular { index };
        if spread
            .iter()
            .zip(mean.iter())
            .any(|(s, m)| *s <= 1e-14 * m.abs())
        {
            return Err(singular());
        }
        let z = DMatrix::from_fn(components, members, |d, i| {
            (x[(d, i)] - mean[d]) / spread[d]
        });
        let correlation = &z * z.transpose() / count(members - 1);
        let root = Cholesky::new(correlation).ok_or_else(singular)?;
        let diagonal = root.l_dirty().diagonal();
        if diagonal.min() < 1e-7 {
            return Err(singular());
        }
        let gap = DVector::from_fn(components, |d, _| (y[d] - mean[d]) / spread[d]);
        let logs = diagonal.iter().chain(spread.iter()).map(|v| v.ln());
        Ok(2.0 * logs.sum::<f64>() + gap.dot(&root.solve(&gap)))
    };
    checked(
        forecasts
            .iter()
            .enumerate()
            .map(one)
            .collect::<Result<_, _>>()?,
    )
}
