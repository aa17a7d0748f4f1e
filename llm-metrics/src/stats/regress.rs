//! Least squares with its uncertainty, and an exact test of monotonicity for a few points.

use crate::error::{Allowed, Error, Result, check_finite, check_len, check_level};
use crate::stats::interval::{Interval, mean, t_p_value, t_quantile};

/// One coefficient of a regression.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Coefficient {
    /// Estimate.
    pub estimate: f64,
    /// Standard error; NaN without degrees of freedom.
    pub standard_error: f64,
    /// Two-sided p-value of Student's t against 0; NaN without degrees of freedom.
    pub p_value: f64,
}

/// An ordinary least-squares fit with intercept.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Ols {
    /// Intercept first, then one per regressor.
    pub coefficients: Vec<Coefficient>,
    /// Residual degrees of freedom n - p.
    pub dof: usize,
    /// Residual standard deviation; NaN without degrees of freedom.
    pub residual_sd: f64,
    /// Share of the variance explained; NaN if the response is constant.
    pub r_squared: f64,
    /// Residuals, observed minus fitted.
    pub residuals: Vec<f64>,
    /// (X'X)^-1, row-major.
    #[cfg_attr(feature = "serde", serde(skip))]
    inverse: Vec<f64>,
}

#[allow(clippy::cast_precision_loss)] // Counts.
impl Ols {
    /// Returns the fit of `y` on the regressors (one slice per regressor) and an intercept, by orthogonalisation.
    ///
    /// ```
    /// use hindsight_llm_metrics::stats::Ols;
    /// let fit = Ols::fit(&[&[1.0, 2.0, 3.0, 4.0]], &[2.1, 3.9, 6.1, 7.9])?;
    /// assert!((fit.coefficients[1].estimate - 1.96).abs() < 1e-12);
    /// # Ok::<(), hindsight_llm_metrics::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::NotFinite`], [`Error::Length`]; [`Error::TooFew`] with fewer observations than coefficients;
    /// [`Error::Collinear`].
    pub fn fit(regressors: &[&[f64]], y: &[f64]) -> Result<Self> {
        check_finite("y", y)?;
        let (n, p) = (y.len(), regressors.len() + 1);
        for x in regressors {
            check_len("a regressor", n, x.len())?;
            check_finite("a regressor", x)?;
        }
        if n < p {
            return Err(Error::TooFew {
                what: "the number of observations",
                needed: p,
                found: n,
            });
        }
        // Modified Gram-Schmidt: X = Q R.
        let mut q: Vec<Vec<f64>> = vec![vec![1.0; n]];
        q.extend(regressors.iter().map(|x| x.to_vec()));
        let mut r = vec![0.0; p * p];
        for j in 0..p {
            let before = norm(&q[j]);
            for i in 0..j {
                let d: f64 = q[i].iter().zip(&q[j]).map(|(a, b)| a * b).sum();
                r[i * p + j] = d;
                let (head, tail) = q.split_at_mut(j);
                for (t, h) in tail[0].iter_mut().zip(&head[i]) {
                    *t -= d * h;
                }
            }
            let size = norm(&q[j]);
            if !(size > 1e-11 * before) {
                return Err(Error::Collinear { column: j });
            }
            r[j * p + j] = size;
            for v in &mut q[j] {
                *v /= size;
            }
        }
        let mut residuals = y.to_vec();
        let mut rhs = vec![0.0; p];
        for j in 0..p {
            rhs[j] = q[j].iter().zip(&residuals).map(|(a, b)| a * b).sum();
            for (res, v) in residuals.iter_mut().zip(&q[j]) {
                *res -= rhs[j] * v;
            }
        }
        // R^-1 by back substitution, then coefficients and (X'X)^-1 = R^-1 R^-T.
        let mut inv = vec![0.0; p * p];
        for j in 0..p {
            for i in (0..=j).rev() {
                let mut s = if i == j { 1.0 } else { 0.0 };
                for k in i + 1..=j {
                    s -= r[i * p + k] * inv[k * p + j];
                }
                inv[i * p + j] = s / r[i * p + i];
            }
        }
        let entry =
            |i: usize, j: usize| (0..p).map(|k| inv[i * p + k] * inv[j * p + k]).sum::<f64>();
        let inverse: Vec<f64> = (0..p * p).map(|k| entry(k / p, k % p)).collect();
        let dof = n - p;
        let rss: f64 = residuals.iter().map(|e| e * e).sum();
        let centre = mean(y);
        let total: f64 = y.iter().map(|v| (v - centre) * (v - centre)).sum();
        let residual_sd = if dof > 0 {
            (rss / dof as f64).sqrt()
        } else {
            f64::NAN
        };
        let coefficients = (0..p)
            .map(|i| {
                let estimate = (i..p).map(|k| inv[i * p + k] * rhs[k]).sum::<f64>();
                let standard_error = residual_sd * inverse[i * p + i].sqrt();
                let p_value = t_p_value(estimate / standard_error, dof as f64).unwrap_or(f64::NAN);
                Coefficient {
                    estimate,
                    standard_error,
                    p_value,
                }
            })
            .collect();
        let r_squared = if total > 0.0 {
            1.0 - rss / total
        } else {
            f64::NAN
        };
        Ok(Self {
            coefficients,
            dof,
            residual_sd,
            r_squared,
            residuals,
            inverse,
        })
    }

    /// Returns Student's t interval of coefficient `index` (0 is the intercept).
    ///
    /// # Errors
    /// [`Error::Parameter`] for the level or an index without coefficient; [`Error::TooFew`] without degrees of freedom.
    pub fn interval(&self, index: usize, level: f64) -> Result<Interval> {
        check_level(level)?;
        let c = self.coefficients.get(index).ok_or(Error::Parameter {
            name: "index",
            value: index as f64,
            allowed: Allowed::Below(self.coefficients.len() as f64),
        })?;
        let t = self.quantile(level)?;
        Ok(Interval {
            lower: c.estimate - t * c.standard_error,
            upper: c.estimate + t * c.standard_error,
            level,
        })
    }

    /// Returns the fitted mean at the given regressors with its t interval.
    ///
    /// # Errors
    /// [`Error::Length`] for the number of regressors; as [`Ols::interval`].
    pub fn predict(&self, at: &[f64], level: f64) -> Result<(f64, Interval)> {
        check_level(level)?;
        check_len("at", self.coefficients.len() - 1, at.len())?;
        let p = self.coefficients.len();
        let x: Vec<f64> = std::iter::once(1.0).chain(at.iter().copied()).collect();
        let value: f64 = x
            .iter()
            .zip(&self.coefficients)
            .map(|(a, c)| a * c.estimate)
            .sum();
        let spread: f64 = (0..p * p)
            .map(|k| x[k / p] * self.inverse[k] * x[k % p])
            .sum();
        let half = self.quantile(level)? * self.residual_sd * spread.max(0.0).sqrt();
        Ok((
            value,
            Interval {
                lower: value - half,
                upper: value + half,
                level,
            },
        ))
    }

    fn quantile(&self, level: f64) -> Result<f64> {
        let few = Error::TooFew {
            what: "the degrees of freedom",
            needed: 1,
            found: self.dof,
        };
        t_quantile(0.5 + level / 2.0, self.dof as f64).ok_or(few)
    }
}

fn norm(v: &[f64]) -> f64 {
    v.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// Kendall's rank correlation with its exact p-value.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Kendall {
    /// $\tau_b$, in [-1, 1].
    pub tau: f64,
    /// Exact two-sided p-value over all orders; `None` if there are ties.
    pub p_value: Option<f64>,
}

/// Returns Kendall's $\tau_b$ of two variables, and, without ties, its exact p-value from the distribution of the number of
/// inversions of a random permutation.
///
/// ```
/// let k = hindsight_llm_metrics::stats::kendall(&[1.0, 2.0, 3.0, 4.0], &[0.1, 0.2, 0.3, 0.4])?;
/// assert!((k.tau - 1.0).abs() < 1e-12 && (k.p_value.unwrap() - 2.0 / 24.0).abs() < 1e-12);
/// # Ok::<(), hindsight_llm_metrics::Error>(())
/// ```
///
/// # Errors
/// [`Error::Length`], [`Error::NotFinite`]; [`Error::TooFew`] below two points.
#[allow(clippy::cast_precision_loss)] // Counts of pairs.
pub fn kendall(x: &[f64], y: &[f64]) -> Result<Kendall> {
    check_len("y", x.len(), y.len())?;
    check_finite("x", x)?;
    check_finite("y", y)?;
    let n = x.len();
    if n < 2 {
        return Err(Error::TooFew {
            what: "the number of points",
            needed: 2,
            found: n,
        });
    }
    let (mut agree, mut differ, mut tie_x, mut tie_y) = (0usize, 0usize, 0usize, 0usize);
    for i in 0..n {
        for j in 0..i {
            let (dx, dy) = (x[i].total_cmp(&x[j]), y[i].total_cmp(&y[j]));
            tie_x += usize::from(dx.is_eq());
            tie_y += usize::from(dy.is_eq());
            if dx.is_ne() && dy.is_ne() {
                agree += usize::from(dx == dy);
                differ += usize::from(dx != dy);
            }
        }
    }
    let pairs = n * (n - 1) / 2;
    let scale = ((pairs - tie_x) as f64 * (pairs - tie_y) as f64).sqrt();
    let tau = if scale > 0.0 {
        (agree as f64 - differ as f64) / scale
    } else {
        f64::NAN
    };
    let p_value = (tie_x + tie_y == 0).then(|| {
        // Distribution of inversions: multiply the uniform laws on 0..m for m = 1..n.
        let mut law = vec![1.0];
        for m in 2..=n {
            let mut next = vec![0.0; law.len() + m - 1];
            for (i, p) in law.iter().enumerate() {
                for v in &mut next[i..i + m] {
                    *v += p / m as f64;
                }
            }
            law = next;
        }
        let extreme = differ.min(pairs - differ);
        (2.0 * law[..=extreme].iter().sum::<f64>()).min(1.0)
    });
    Ok(Kendall { tau, p_value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::uniform;
    use proptest::prelude::*;

    /// x = 1..5, y = 2, 4, 5, 4, 5: slope 0.6, residual variance 2.4/3, standard error sqrt(0.8/10); t(0.975, 3) = 3.18245.
    #[test]
    fn intervals_and_p_values_are_those_of_the_tables() {
        let fit = Ols::fit(&[&[1.0, 2.0, 3.0, 4.0, 5.0]], &[2.0, 4.0, 5.0, 4.0, 5.0]).unwrap();
        let (slope, se) = (fit.coefficients[1], 0.08f64.sqrt());
        assert!((slope.estimate - 0.6).abs() < 1e-12 && (slope.standard_error - se).abs() < 1e-12);
        let i = fit.interval(1, 0.95).unwrap();
        assert!(
            (i.lower - (0.6 - 3.182_446 * se)).abs() < 1e-6
                && (i.upper - (0.6 + 3.182_446 * se)).abs() < 1e-6
        );
        // t = 2.12132 with 3 degrees of freedom.
        assert!(
            (slope.p_value - 0.124_027).abs() < 1e-6,
            "{}",
            slope.p_value
        );
        let (mean, band) = fit.predict(&[3.0], 0.95).unwrap();
        assert!(
            (mean - 4.0).abs() < 1e-12
                && (band.upper - (4.0 + 3.182_446 * (0.8f64 / 5.0).sqrt())).abs() < 1e-6
        );
    }

    proptest! {
        #[test]
        fn residuals_are_orthogonal_to_every_regressor(seed in 0u64..10_000, n in 4usize..30) {
            let u = |s: u64| (0..n as u64).map(|i| 10.0 * uniform(seed, s, i) - 3.0).collect::<Vec<_>>();
            let (a, b, y) = (u(1), u(2), u(3));
            let fit = Ols::fit(&[&a, &b], &y).unwrap();
            for x in [&vec![1.0; n], &a, &b] {
                prop_assert!(x.iter().zip(&fit.residuals).map(|(x, e)| x * e).sum::<f64>().abs() < 1e-8);
            }
        }

        #[test]
        fn exact_lines_are_found(a in -5.0f64..5.0, b in -5.0f64..5.0) {
            let x: Vec<f64> = (0..6).map(f64::from).collect();
            let y: Vec<f64> = x.iter().map(|x| a + b * x).collect();
            let fit = Ols::fit(&[&x], &y).unwrap();
            prop_assert!((fit.coefficients[0].estimate - a).abs() < 1e-10 && (fit.coefficients[1].estimate - b).abs() < 1e-10);
            prop_assert!((fit.predict(&[10.0], 0.9).unwrap().0 - a - 10.0 * b).abs() < 1e-9);
        }
    }

    #[test]
    fn simple_regression_equals_the_textbook_formulas_and_errors_are_named() {
        let x = [0.2, 337.4, 118.2, 884.6, 10.1];
        let y = [0.1, 338.8, 118.1, 888.0, 9.2];
        let fit = Ols::fit(&[&x], &y).unwrap();
        let (mx, my) = (mean(&x), mean(&y));
        let sxx: f64 = x.iter().map(|v| (v - mx).powi(2)).sum();
        let slope = x
            .iter()
            .zip(&y)
            .map(|(a, b)| (a - mx) * (b - my))
            .sum::<f64>()
            / sxx;
        let rss: f64 = x
            .iter()
            .zip(&y)
            .map(|(a, b)| (b - my - slope * (a - mx)).powi(2))
            .sum();
        assert!((fit.coefficients[1].estimate - slope).abs() < 1e-12);
        assert!((fit.coefficients[1].standard_error - (rss / 3.0 / sxx).sqrt()).abs() < 1e-12);
        assert!(matches!(
            Ols::fit(&[&[1.0, 1.0, 1.0]], &[1.0, 2.0, 3.0]),
            Err(Error::Collinear { .. })
        ));
        assert!(matches!(
            Ols::fit(&[&[1.0]], &[1.0]),
            Err(Error::TooFew { .. })
        ));
        assert!(
            Ols::fit(&[&[1.0, 2.0]], &[1.0, 2.0])
                .unwrap()
                .interval(1, 0.9)
                .is_err()
        );
    }

    #[test]
    fn kendall_p_values_match_enumeration() {
        // All 120 orders of five points.
        let x: Vec<f64> = (0..5).map(f64::from).collect();
        let mut taus = vec![];
        let mut v = x.clone();
        permute(&mut v, 0, &mut |y| taus.push(kendall(&x, y).unwrap()));
        for k in &taus {
            let share = taus
                .iter()
                .filter(|t| t.tau.abs() >= k.tau.abs() - 1e-12)
                .count() as f64
                / 120.0;
            assert!((k.p_value.unwrap() - share).abs() < 1e-12);
        }
        assert!(
            kendall(&[1.0, 1.0, 2.0], &[1.0, 2.0, 3.0])
                .unwrap()
                .p_value
                .is_none()
        );
    }

    fn permute(v: &mut Vec<f64>, k: usize, f: &mut impl FnMut(&[f64])) {
        if k == v.len() {
            return f(v);
        }
        for i in k..v.len() {
            v.swap(k, i);
            permute(v, k + 1, f);
            v.swap(k, i);
        }
    }
}
