//! Compute-optimal sizes from IsoFLOP profiles: the minimum of a parabola at each budget, and a power law through the minima.

use crate::batch_size::PowerLaw;
use crate::error::{Error, Result, check_finite, check_len, check_positive};
use crate::stats::regress::Ols;

/// The minimum of one IsoFLOP profile.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct IsoFlopMinimum {
    /// Compute budget.
    pub flops: f64,
    /// Parameters at the minimum.
    pub parameters: f64,
    /// Loss at the minimum.
    pub loss: f64,
    /// Whether the minimum lies within the sizes that were run; if not it is an extrapolation.
    pub inside: bool,
    /// Runs in the profile.
    pub runs: usize,
}

/// Minima and their power law.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct IsoFlop {
    /// One minimum per budget, by rising budget.
    pub minima: Vec<IsoFlopMinimum>,
    /// Budgets whose parabola opens downward: no minimum, left out of the law.
    pub without_minimum: Vec<f64>,
    /// Parameters at the minimum as a power of compute; `None` with fewer than two minima.
    pub law: Option<PowerLaw>,
}

/// Returns the IsoFLOP analysis of runs with the given `flops`, `parameters` and final `loss`: per budget (equal `flops`) a parabola of loss in $\ln N$, its minimum,
/// and the power law $N_{opt} = k\thinspace C^{e}$.
///
/// ```
/// use hindsight_llm_metrics::scaling::fit_isoflop;
/// let (mut c, mut n, mut l) = (vec![], vec![], vec![]);
/// for budget in [1e19f64, 1e20, 1e21] {
///     for step in -2..=2 {
///         let x = f64::from(step);
///         c.push(budget);
///         n.push(0.1 * budget.sqrt() * x.exp());
///         l.push(2.0 + 0.01 * x * x);
///     }
/// }
/// let fit = fit_isoflop(&c, &n, &l)?;
/// assert!((fit.law.unwrap().exponent(0).unwrap().estimate - 0.5).abs() < 1e-9);
/// # Ok::<(), hindsight_llm_metrics::Error>(())
/// ```
///
/// # Errors
/// [`Error::Length`], [`Error::Empty`], [`Error::NotFinite`]; [`Error::Parameter`] for compute or sizes that are not positive; [`Error::TooFew`] or
/// [`Error::Collinear`] for a budget with fewer than three distinct sizes.
pub fn fit_isoflop(flops: &[f64], parameters: &[f64], loss: &[f64]) -> Result<IsoFlop> {
    check_len("parameters", flops.len(), parameters.len())?;
    check_len("loss", flops.len(), loss.len())?;
    check_finite("loss", loss)?;
    for (c, n) in flops.iter().zip(parameters) {
        check_positive("flops", *c)?;
        check_positive("parameters", *n)?;
    }
    let mut order: Vec<usize> = (0..flops.len()).collect();
    order.sort_by(|a, b| flops[*a].total_cmp(&flops[*b]));
    let (mut minima, mut without_minimum) = (Vec::new(), Vec::new());
    for group in order.chunk_by(|a, b| flops[*a].total_cmp(&flops[*b]).is_eq()) {
        let x: Vec<f64> = group.iter().map(|&i| parameters[i].ln()).collect();
        let y: Vec<f64> = group.iter().map(|&i| loss[i]).collect();
        if group.len() < 3 {
            return Err(Error::TooFew {
                what: "the number of runs of a compute budget",
                needed: 3,
                found: group.len(),
            });
        }
        // Centred, so that the square is not nearly a multiple of the line.
        let centre = crate::stats::interval::mean(&x);
        let line: Vec<f64> = x.iter().map(|v| v - centre).collect();
        let square: Vec<f64> = line.iter().map(|v| v * v).collect();
        let fit = Ols::fit(&[&line, &square], &y)?;
        let (b, c) = (fit.coefficients[1].estimate, fit.coefficients[2].estimate);
        let budget = flops[group[0]];
        if c <= 0.0 {
            without_minimum.push(budget);
            continue;
        }
        let at = -b / (2.0 * c);
        let (low, high) = line
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| {
                (l.min(*v), h.max(*v))
            });
        minima.push(IsoFlopMinimum {
            flops: budget,
            parameters: (at + centre).exp(),
            loss: fit.coefficients[0].estimate + at * (b + c * at),
            inside: low <= at && at <= high,
            runs: group.len(),
        });
    }
    let c: Vec<f64> = minima.iter().map(|m| m.flops).collect();
    let n: Vec<f64> = minima.iter().map(|m| m.parameters).collect();
    let law = if minima.len() < 2 {
        None
    } else {
        Some(PowerLaw::fit(&[&c], &n)?)
    };
    Ok(IsoFlop {
        minima,
        without_minimum,
        law,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minima_agree_with_the_parametric_law() {
        // Profiles of a true law over a narrow range of sizes: the parabola's exponent is that of the law, beta / (alpha + beta).
        let (e, a, b, alpha, beta) = (1.8, 480.0f64, 2000.0, 0.35, 0.37);
        let (mut c, mut n, mut l) = (vec![], vec![], vec![]);
        for k in 0..5 {
            let budget = 10f64.powf(19.0 + 0.5 * f64::from(k));
            let best = (alpha * a / (beta * b)).powf(1.0 / (alpha + beta))
                * (budget / 6.0).powf(beta / (alpha + beta));
            for s in -3..=3 {
                let size = best * (0.1 * f64::from(s)).exp();
                c.push(budget);
                n.push(size);
                l.push(e + a * size.powf(-alpha) + b * (budget / 6.0 / size).powf(-beta));
            }
        }
        let fit = fit_isoflop(&c, &n, &l).unwrap();
        assert!(fit.minima.iter().all(|m| m.inside));
        assert!(
            (fit.law.unwrap().exponent(0).unwrap().estimate - beta / (alpha + beta)).abs() < 1e-3
        );
    }

    #[test]
    fn profiles_without_minimum_or_runs_are_told() {
        let fit = fit_isoflop(&[1.0; 3], &[1.0, 2.0, 4.0], &[1.0, 2.0, 1.0]).unwrap();
        assert_eq!((fit.without_minimum.len(), fit.minima.len()), (1, 0));
        assert!(fit.law.is_none());
        assert!(matches!(
            fit_isoflop(&[1.0; 2], &[1.0, 2.0], &[1.0, 2.0]),
            Err(Error::TooFew { .. })
        ));
        assert!(matches!(
            fit_isoflop(&[1.0; 3], &[1.0, 1.0, 2.0], &[1.0, 2.0, 1.0]),
            Err(Error::Collinear { .. })
        ));
        let far = fit_isoflop(&[1.0; 3], &[1.0, 2.0, 4.0], &[3.0, 2.0, 1.5]).unwrap();
        assert!(!far.minima[0].inside);
    }
}
