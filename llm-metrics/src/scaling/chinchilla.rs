//! The parametric law of loss in parameters and tokens.

use rand::RngExt;

use super::descent::{Problem, descend, starts};
use crate::error::{Error, Result, check_finite, check_len, check_level, check_positive};
use crate::stats::interval::{Interval, quantile_sorted};
use crate::stats::par;
use crate::stats::stream::generator;

/// A fitted law $L(N, D) = E + A N^{-\alpha} + B D^{-\beta}$.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Chinchilla {
    /// Irreducible loss E.
    pub e: f64,
    /// A.
    pub a: f64,
    /// B.
    pub b: f64,
    /// Exponent of the parameters.
    pub alpha: f64,
    /// Exponent of the tokens.
    pub beta: f64,
    /// Sum of the Huber losses of the residuals of log loss.
    pub objective: f64,
    /// Largest absolute component of the gradient in (ln A, ln B, ln E, alpha, beta): near 0 at a true minimum, and printed because fits stopped early have been
    /// published.
    pub gradient: f64,
    /// Starts whose end lies within one part in a million of the best.
    pub agreeing_starts: usize,
}

/// Choices of the fit.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ChinchillaOptions {
    /// Size of a residual of log loss up to which Huber's loss is quadratic.
    pub delta: f64,
    /// Whether the full grid of 4,500 starts is used, or a coarse one of 96.
    pub full_grid: bool,
}

impl Default for ChinchillaOptions {
    fn default() -> Self {
        Self {
            delta: 1e-3,
            full_grid: false,
        }
    }
}

impl Chinchilla {
    /// Returns the predicted loss.
    #[must_use]
    pub fn loss(&self, parameters: f64, tokens: f64) -> f64 {
        self.e + self.a * parameters.powf(-self.alpha) + self.b * tokens.powf(-self.beta)
    }

    /// Returns the residual of a run, $\ln L - \ln \hat L$: about the share by which the loss lies above the fit.
    #[must_use]
    pub fn residual(&self, parameters: f64, tokens: f64, loss: f64) -> f64 {
        (loss / self.loss(parameters, tokens)).ln()
    }

    /// Returns the parameters and tokens that minimise the predicted loss under $6 N D$ = `flops`:
    /// $N = G (C/6)^{\beta/(\alpha+\beta)}$, $G = (\alpha A / \beta B)^{1/(\alpha+\beta)}$.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless `flops` is positive and finite.
    pub fn optimal(&self, flops: f64) -> Result<(f64, f64)> {
        check_positive("flops", flops)?;
        let g = (self.alpha * self.a / (self.beta * self.b)).powf(1.0 / (self.alpha + self.beta));
        let n = g * (flops / 6.0).powf(self.beta / (self.alpha + self.beta));
        Ok((n, flops / 6.0 / n))
    }

    /// Returns the exponent of the optimal number of parameters in compute, $\beta/(\alpha+\beta)$.
    #[must_use]
    pub fn optimal_exponent(&self) -> f64 {
        self.beta / (self.alpha + self.beta)
    }

    fn theta(&self) -> [f64; 5] {
        [self.a.ln(), self.b.ln(), self.e.ln(), self.alpha, self.beta]
    }
}

fn fit_problem(problem: &Problem, starts: &[[f64; 5]]) -> Result<Chinchilla> {
    let ends = par::map(starts.len(), |i| descend(problem, starts[i]));
    let ends: Vec<([f64; 5], f64)> = ends.into_iter().flatten().collect();
    // The first of the best, so that threads cannot change the answer.
    let best = ends
        .iter()
        .copied()
        .reduce(|a, b| if b.1 < a.1 { b } else { a });
    let (t, objective) = best.ok_or(Error::NoConvergence {
        what: "every start of the parametric fit",
    })?;
    let gradient = problem
        .evaluate(&t)
        .1
        .iter()
        .fold(0.0f64, |m, g| m.max(g.abs()));
    Ok(Chinchilla {
        a: t[0].exp(),
        b: t[1].exp(),
        e: t[2].exp(),
        alpha: t[3],
        beta: t[4],
        objective,
        gradient,
        agreeing_starts: ends
            .iter()
            .filter(|e| e.1 <= objective * (1.0 + 1e-6) + 1e-15)
            .count(),
    })
}

/// Returns the fit of $\ln L$ by $\ln(e^{\ln A - \alpha \ln N} + e^{\ln B - \beta \ln D} + e^{\ln E})$ under the sum of Huber losses, by L-BFGS with the
/// analytic gradient from a grid of starts; and, for `replicates` > 0, percentile intervals of (E, A, B, alpha, beta) over refits to resampled runs.
///
/// The sum is minimised, not the mean, with a gradient tolerance of $10^{-12}$: stopping early on the mean is how too narrow intervals came to be published.
/// Refits start from the optimum and its neighbours.
///
/// # Errors
/// [`Error::Length`], [`Error::Empty`], [`Error::NotFinite`]; [`Error::Parameter`] for a value that is not positive, `delta` or the level;
/// [`Error::TooFew`] below six runs; [`Error::NoConvergence`].
pub fn fit_chinchilla(
    parameters: &[f64],
    tokens: &[f64],
    loss: &[f64],
    options: ChinchillaOptions,
    replicates: usize,
    level: f64,
    seed: u64,
) -> Result<(Chinchilla, Option<[Interval; 5]>)> {
    check_len("tokens", parameters.len(), tokens.len())?;
    check_len("loss", parameters.len(), loss.len())?;
    check_level(level)?;
    check_positive("delta", options.delta)?;
    for (what, name, values) in [
        ("parameters", "parameters", parameters),
        ("tokens", "tokens", tokens),
        ("loss", "loss", loss),
    ] {
        check_finite(what, values)?;
        for v in values {
            check_positive(name, *v)?;
        }
    }
    let n = loss.len();
    if n < 6 {
        return Err(Error::TooFew {
            what: "the number of runs",
            needed: 6,
            found: n,
        });
    }
    let logs = |v: &[f64]| v.iter().map(|x| x.ln()).collect::<Vec<f64>>();
    let problem = |weight: Vec<f64>| Problem {
        ln_n: logs(parameters),
        ln_d: logs(tokens),
        ln_loss: logs(loss),
        weight,
        delta: options.delta,
        scale: 1.0 / (options.delta * options.delta),
    };
    let fit = fit_problem(&problem(vec![1.0; n]), &starts(options.full_grid))?;
    if replicates == 0 {
        return Ok((fit, None));
    }
    let centre = fit.theta();
    let refits = par::map(replicates, |r| {
        let mut rng = generator(seed, 0xC41C, r as u64);
        let mut weight = vec![0.0; n];
        for _ in 0..n {
            weight[rng.random_range(0..n)] += 1.0;
        }
        let problem = problem(weight);
        let near = |da: f64, db: f64| {
            [
                centre[0] * da,
                centre[1] * db,
                centre[2],
                centre[3] * da,
                centre[4] * db,
            ]
        };
        let ends = [near(1.0, 1.0), near(0.8, 1.2), near(1.2, 0.8)].map(|s| descend(&problem, s));
        ends.into_iter()
            .flatten()
            .reduce(|a, b| if b.1 < a.1 { b } else { a })
            .map(|e| e.0)
    });
    let refits: Vec<[f64; 5]> = refits.into_iter().flatten().collect();
    if refits.is_empty() {
        return Err(Error::NoConvergence {
            what: "the bootstrap of the parametric fit",
        });
    }
    let tail = (1.0 - level) / 2.0;
    let interval = |f: fn(&[f64; 5]) -> f64| {
        let mut v: Vec<f64> = refits.iter().map(f).collect();
        v.sort_by(f64::total_cmp);
        Interval {
            lower: quantile_sorted(&v, tail),
            upper: quantile_sorted(&v, 1.0 - tail),
            level,
        }
    };
    let all = [
        interval(|t| t[2].exp()),
        interval(|t| t[0].exp()),
        interval(|t| t[1].exp()),
        interval(|t| t[3]),
        interval(|t| t[4]),
    ];
    Ok((fit, Some(all)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::uniform;

    /// Runs on a grid with the replication's constants and a little noise.
    fn runs(noise: f64, seed: u64) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
        let (mut n, mut d, mut l) = (vec![], vec![], vec![]);
        for i in 0..9 {
            for j in 0..8 {
                let (p, t) = (
                    10f64.powf(7.7 + 0.3 * f64::from(i)),
                    10f64.powf(9.0 + 0.35 * f64::from(j)),
                );
                let z: f64 = (0..12)
                    .map(|k| uniform(seed, i as u64 * 100 + j as u64, k))
                    .sum::<f64>()
                    - 6.0;
                n.push(p);
                d.push(t);
                l.push(
                    (1.8172 + 482.01 / p.powf(0.3478) + 2085.43 / t.powf(0.3658))
                        * (noise * z).exp(),
                );
            }
        }
        (n, d, l)
    }

    #[test]
    fn the_constants_that_made_the_data_come_back_and_the_end_is_stationary() {
        let (n, d, l) = runs(0.0, 1);
        let (fit, _) = fit_chinchilla(&n, &d, &l, ChinchillaOptions::default(), 0, 0.9, 1).unwrap();
        assert!(
            (fit.alpha - 0.3478).abs() < 1e-3 && (fit.beta - 0.3658).abs() < 1e-3,
            "{fit:?}"
        );
        assert!((fit.e - 1.8172).abs() < 1e-3, "{fit:?}");
        let (n, d, l) = runs(0.004, 1);
        let (fit, intervals) =
            fit_chinchilla(&n, &d, &l, ChinchillaOptions::default(), 60, 0.9, 1).unwrap();
        assert!(fit.gradient < 1e-6, "{fit:?}");
        assert!(fit.agreeing_starts > 5, "{fit:?}");
        let i = intervals.unwrap();
        assert!(
            i[3].lower < 0.3478 + 0.03 && i[3].upper > 0.3478 - 0.03,
            "{i:?}"
        );
        assert!(i.iter().all(|i| i.lower < i.upper));
    }

    #[test]
    fn the_optimal_split_beats_its_neighbours() {
        let (n, d, l) = runs(0.0, 1);
        let (fit, _) = fit_chinchilla(&n, &d, &l, ChinchillaOptions::default(), 0, 0.9, 1).unwrap();
        let (p, t) = fit.optimal(1e21).unwrap();
        assert!((6.0 * p * t / 1e21 - 1.0).abs() < 1e-12);
        for f in [0.8, 1.25] {
            assert!(fit.loss(p, t) < fit.loss(p * f, t / f));
        }
    }

    #[test]
    fn wrong_input_is_refused() {
        let o = ChinchillaOptions::default();
        assert!(matches!(
            fit_chinchilla(&[1.0; 3], &[1.0; 3], &[1.0; 3], o, 0, 0.9, 1),
            Err(Error::TooFew { .. })
        ));
        assert!(matches!(
            fit_chinchilla(&[0.0; 6], &[1.0; 6], &[1.0; 6], o, 0, 0.9, 1),
            Err(Error::Parameter { .. })
        ));
        assert!(matches!(
            fit_chinchilla(&[1.0; 6], &[1.0; 5], &[1.0; 6], o, 0, 0.9, 1),
            Err(Error::Length { .. })
        ));
    }
}
