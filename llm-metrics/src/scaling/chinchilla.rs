//! The parametric law of loss in parameters and tokens.

use rand::RngExt;

use super::descent::{Problem, descend, starts};
use super::profile;
use crate::error::{Error, Result, check_finite, check_len, check_level, check_positive};
use crate::stats::Identification;
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
    /// Refits to resampled runs, for the intervals of optimal sizes; 0 for none.
    pub replicates: usize,
    /// Level of the intervals, between 0 and 1.
    pub level: f64,
    /// Seed of the resampling.
    pub seed: u64,
}

impl Default for ChinchillaOptions {
    fn default() -> Self {
        Self {
            delta: 1e-3,
            full_grid: false,
            replicates: 200,
            level: 0.95,
            seed: 0,
        }
    }
}

impl ChinchillaOptions {
    /// Returns an error if a setting is outside its range.
    ///
    /// # Errors
    /// [`Error::Parameter`] for `delta` or `level`.
    pub fn validate(&self) -> Result<()> {
        check_level(self.level)?;
        check_positive("delta", self.delta)
    }
}

/// Intervals of the constants; an end is 0 or infinite where the data do not bound the constant on that side.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ChinchillaIntervals {
    /// Of E.
    pub e: Interval,
    /// Of A.
    pub a: Interval,
    /// Of B.
    pub b: Interval,
    /// Of alpha.
    pub alpha: Interval,
    /// Of beta.
    pub beta: Interval,
}

/// A law with what the runs say about it.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ChinchillaFit {
    /// The law with the least objective.
    pub law: Chinchilla,
    /// Whether the runs determine its constants. If not, single constants mean nothing and have no interval.
    pub identification: Identification,
    /// Profile-likelihood intervals of the constants.
    pub intervals: Option<ChinchillaIntervals>,
    /// Laws fitted to resampled runs: A, B, alpha, beta.
    #[cfg_attr(feature = "serde", serde(skip))]
    refits: Vec<Chinchilla>,
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(super) level: f64,
}

impl ChinchillaFit {
    /// Returns percentile intervals over the refits of the optimal parameters and tokens at a compute budget; `None` without refits or where
    /// the runs do not determine the law.
    ///
    /// # Errors
    /// As [`Chinchilla::optimal`].
    pub fn optimal_intervals(&self, flops: f64) -> Result<Option<(Interval, Interval)>> {
        check_positive("flops", flops)?;
        if self.refits.is_empty() || !self.identification.is_identified() {
            return Ok(None);
        }
        let sizes: Vec<(f64, f64)> = self
            .refits
            .iter()
            .map(|l| l.optimal(flops))
            .collect::<Result<_>>()?;
        let of = |f: fn(&(f64, f64)) -> f64| self.percentiles(sizes.iter().map(f).collect());
        Ok(Some((of(|s| s.0), of(|s| s.1))))
    }

    /// Returns the percentile interval over the refits of the exponent of the optimal parameters in compute, under the same conditions.
    #[must_use]
    pub fn optimal_exponent_interval(&self) -> Option<Interval> {
        let usable = !self.refits.is_empty() && self.identification.is_identified();
        usable.then(|| {
            self.percentiles(
                self.refits
                    .iter()
                    .map(Chinchilla::optimal_exponent)
                    .collect(),
            )
        })
    }

    fn percentiles(&self, mut values: Vec<f64>) -> Interval {
        values.sort_by(f64::total_cmp);
        let tail = (1.0 - self.level) / 2.0;
        Interval {
            lower: quantile_sorted(&values, tail),
            upper: quantile_sorted(&values, 1.0 - tail),
            level: self.level,
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
/// analytic gradient from a grid of starts, with intervals of its constants.
///
/// The sum is minimised, not the mean, with a gradient tolerance of $10^{-12}$: stopping early on the mean is how too narrow intervals came to be published.
/// An interval holds the values at which the best other constants leave the objective within $t^2_{n-5}/2$ of its minimum, in units of
/// $E\psi^2/E\psi'$ of the residuals (profile likelihood, our formulation for Huber's loss). Where the Jacobian is singular, because tokens follow parameters in
/// all runs or for another reason, [`ChinchillaFit::identification`] says which direction is free, and there are no intervals.
///
/// ```
/// use hindsight_llm_metrics::scaling::{ChinchillaOptions, fit_chinchilla};
/// // A ladder: twenty tokens a parameter in every run.
/// let n: Vec<f64> = (0..8).map(|k| 1e8 * f64::from(1 << k)).collect();
/// let d: Vec<f64> = n.iter().map(|n| 20.0 * n).collect();
/// let loss: Vec<f64> = n.iter().zip(&d).map(|(n, d)| 1.7 + 400.0 * n.powf(-0.34) + 400.0 * d.powf(-0.28)).collect();
/// let fit = fit_chinchilla(&n, &d, &loss, ChinchillaOptions::default())?;
/// assert!(!fit.identification.is_identified() && fit.intervals.is_none());
/// # Ok::<(), hindsight_llm_metrics::Error>(())
/// ```
///
/// # Errors
/// [`Error::Length`], [`Error::Empty`], [`Error::NotFinite`]; [`Error::Parameter`] for a value that is not positive, or a setting;
/// [`Error::TooFew`] below six runs; [`Error::NoConvergence`].
pub fn fit_chinchilla(
    parameters: &[f64],
    tokens: &[f64],
    loss: &[f64],
    options: ChinchillaOptions,
) -> Result<ChinchillaFit> {
    options.validate()?;
    check_len("tokens", parameters.len(), tokens.len())?;
    check_len("loss", parameters.len(), loss.len())?;
    for (name, values) in [
        ("parameters", parameters),
        ("tokens", tokens),
        ("loss", loss),
    ] {
        check_finite(name, values)?;
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
    let problem = Problem {
        ln_n: logs(parameters),
        ln_d: logs(tokens),
        ln_loss: logs(loss),
        weight: vec![1.0; n],
        delta: options.delta,
        scale: 1.0 / (options.delta * options.delta),
        held: None,
    };
    let law = fit_problem(&problem, &starts(options.full_grid))?;
    let theta = law.theta();
    let identification = profile::identification(&problem, &theta);
    let identified = identification.is_identified();
    let ends = identified
        .then(|| profile::intervals(&problem, &theta, law.objective, options.level))
        .flatten();
    let intervals = ends.map(|ends| {
        let interval = |k: usize, f: fn(f64) -> f64| Interval {
            lower: f(ends[k].0),
            upper: f(ends[k].1),
            level: options.level,
        };
        ChinchillaIntervals {
            a: interval(0, f64::exp),
            b: interval(1, f64::exp),
            e: interval(2, f64::exp),
            alpha: interval(3, |v| v),
            beta: interval(4, |v| v),
        }
    });
    let refits = if identified {
        refits(&problem, &theta, options.replicates, options.seed)
    } else {
        Vec::new()
    };
    Ok(ChinchillaFit {
        law,
        identification,
        intervals,
        refits,
        level: options.level,
    })
}

/// Laws of resampled runs, each from the optimum and its neighbours.
fn refits(problem: &Problem, centre: &[f64; 5], replicates: usize, seed: u64) -> Vec<Chinchilla> {
    let n = problem.ln_loss.len();
    let one = |r: usize| {
        let mut rng = generator(seed, 0xC41C, r as u64);
        let mut weight = vec![0.0; n];
        for _ in 0..n {
            weight[rng.random_range(0..n)] += 1.0;
        }
        let resampled = Problem {
            weight,
            ..problem.clone()
        };
        let near = |da: f64, db: f64| {
            [
                centre[0] * da,
                centre[1] * db,
                centre[2],
                centre[3] * da,
                centre[4] * db,
            ]
        };
        fit_problem(
            &resampled,
            &[near(1.0, 1.0), near(0.8, 1.2), near(1.2, 0.8)],
        )
        .ok()
    };
    par::map(replicates, one).into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Cause;
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

    fn settings(replicates: usize) -> ChinchillaOptions {
        ChinchillaOptions {
            replicates,
            level: 0.9,
            seed: 1,
            ..ChinchillaOptions::default()
        }
    }

    #[test]
    fn the_constants_that_made_the_data_come_back_and_the_end_is_stationary() {
        let (n, d, l) = runs(0.0, 1);
        let fit = fit_chinchilla(&n, &d, &l, settings(0)).unwrap().law;
        assert!(
            (fit.alpha - 0.3478).abs() < 1e-3 && (fit.beta - 0.3658).abs() < 1e-3,
            "{fit:?}"
        );
        assert!((fit.e - 1.8172).abs() < 1e-3, "{fit:?}");
        let (n, d, l) = runs(0.004, 1);
        let fit = fit_chinchilla(&n, &d, &l, settings(60)).unwrap();
        assert!(fit.identification.is_identified(), "{fit:?}");
        assert!(fit.law.gradient < 1e-6, "{fit:?}");
        assert!(fit.law.agreeing_starts > 5, "{fit:?}");
        let i = fit.intervals.unwrap();
        for (interval, value) in [
            (i.e, fit.law.e),
            (i.a, fit.law.a),
            (i.b, fit.law.b),
            (i.alpha, fit.law.alpha),
            (i.beta, fit.law.beta),
        ] {
            assert!(interval.lower < value && value < interval.upper, "{i:?}");
        }
        let (sizes, tokens) = fit.optimal_intervals(1e21).unwrap().unwrap();
        let best = fit.law.optimal(1e21).unwrap();
        assert!(sizes.contains(best.0) && tokens.contains(best.1));
        assert!(
            fit.optimal_exponent_interval()
                .unwrap()
                .contains(fit.law.optimal_exponent())
        );
    }

    #[test]
    fn the_optimal_split_beats_its_neighbours() {
        let (n, d, l) = runs(0.0, 1);
        let fit = fit_chinchilla(&n, &d, &l, settings(0)).unwrap().law;
        let (p, t) = fit.optimal(1e21).unwrap();
        assert!((6.0 * p * t / 1e21 - 1.0).abs() < 1e-12);
        for f in [0.8, 1.25] {
            assert!(fit.loss(p, t) < fit.loss(p * f, t / f));
        }
    }

    /// Losses of E 1.7, A 400, B 400, alpha 0.34, beta 0.28 with normal noise of the logarithm.
    fn losses(design: &[(f64, f64)], noise: f64, seed: u64) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
        let (n, d): (Vec<f64>, Vec<f64>) = design.iter().copied().unzip();
        let l = (0u64..)
            .zip(design)
            .map(|(i, (p, t))| {
                let z = crate::stats::interval::normal_quantile(uniform(seed, 5, i));
                (1.7 + 400.0 * p.powf(-0.34) + 400.0 * t.powf(-0.28)) * (noise * z).exp()
            })
            .collect();
        (n, d, l)
    }

    #[test]
    fn designs_that_do_not_determine_the_law_say_which_direction_is_free() {
        let sizes: Vec<f64> = (0..9).map(|k| 1e8 * 2f64.powi(k)).collect();
        let ladder: Vec<(f64, f64)> = sizes.iter().map(|n| (*n, 20.0 * n)).collect();
        let rounded: Vec<(f64, f64)> = sizes
            .iter()
            .map(|n| (*n, (20.0 * n / 1e8).round() * 1e8))
            .collect();
        let power: Vec<(f64, f64)> = sizes.iter().map(|n| (*n, 300.0 * n.powf(0.87))).collect();
        let one_size: Vec<(f64, f64)> = sizes.iter().map(|n| (1e9, 20.0 * n)).collect();
        let one_count: Vec<(f64, f64)> = sizes.iter().map(|n| (*n, 2e10)).collect();
        for (design, cause) in [
            (&ladder, Cause::TokensFollowParameters),
            (&rounded, Cause::TokensFollowParameters),
            (&power, Cause::TokensFollowParameters),
            (&one_size, Cause::OneModelSize),
            (&one_count, Cause::OneTokenCount),
        ] {
            for noise in [0.0, 0.002] {
                for seed in 0..4 {
                    let (n, d, l) = losses(design, noise, seed);
                    let fit = fit_chinchilla(&n, &d, &l, settings(0)).unwrap();
                    assert_eq!(fit.identification.cause(), Some(cause), "{fit:?}");
                    assert!(
                        fit.intervals.is_none() && fit.optimal_intervals(1e21).unwrap().is_none()
                    );
                    let Identification::NotIdentified { direction, .. } = &fit.identification
                    else {
                        panic!()
                    };
                    let length: f64 = direction.iter().map(|d| d.1 * d.1).sum();
                    assert!((length - 1.0).abs() < 1e-9, "{direction:?}");
                }
            }
        }
    }

    /// Five spread designs, 95 % intervals of all five constants. The full study is `examples/scaling_coverage.rs`.
    #[test]
    fn profile_intervals_cover_at_five_designs() {
        let grid = |ns: &[f64], ds: &[f64]| -> Vec<(f64, f64)> {
            ns.iter()
                .flat_map(|n| ds.iter().map(move |d| (*n, *d)))
                .collect()
        };
        let ratios = |ns: &[f64], rs: &[f64]| -> Vec<(f64, f64)> {
            ns.iter()
                .flat_map(|n| rs.iter().map(move |r| (*n, r * n)))
                .collect()
        };
        let ns: Vec<f64> = (0..6).map(|k| 1e8 * 3f64.powi(k)).collect();
        let iso: Vec<(f64, f64)> = [1e18, 1e19, 1e20, 1e21]
            .iter()
            .flat_map(|c: &f64| {
                (-3..=3).map(move |k| {
                    let n = (c / 120.0).sqrt() * (0.5 * f64::from(k)).exp();
                    (n, c / 6.0 / n)
                })
            })
            .collect();
        let scattered: Vec<(f64, f64)> = (0..60)
            .map(|i| {
                (
                    4e7 * 400f64.powf(uniform(77, 1, i)),
                    1e9 * 1000f64.powf(uniform(77, 2, i)),
                )
            })
            .collect();
        let designs = [
            grid(&[1e8, 3e8, 1e9, 3e9], &[2e9, 1e10, 4e10, 1e11]),
            grid(
                &[5e7, 2e8, 8e8, 3.2e9, 1.28e10],
                &[1e9, 6e9, 3.6e10, 2e11, 1.2e12],
            ),
            ratios(&ns, &[5.0, 10.0, 20.0, 40.0, 80.0]),
            iso,
            scattered,
        ];
        let truth = [1.7, 400.0, 400.0, 0.34, 0.28];
        let mut total = 0;
        for (index, design) in designs.iter().enumerate() {
            let mut hits = 0;
            for seed in 0..8 {
                let (n, d, l) = losses(design, 0.002, 1000 + seed);
                let options = ChinchillaOptions {
                    replicates: 0,
                    ..ChinchillaOptions::default()
                };
                let fit = fit_chinchilla(&n, &d, &l, options).unwrap();
                assert!(
                    fit.identification.is_identified(),
                    "design {index}: {fit:?}"
                );
                let i = fit.intervals.unwrap();
                hits += [i.e, i.a, i.b, i.alpha, i.beta]
                    .iter()
                    .zip(truth)
                    .filter(|(i, t)| i.contains(*t))
                    .count();
            }
            // The five constants of one set go together: the standard deviation of 40 is that of 8 to 16 independent ones.
            assert!(hits >= 27, "design {index}: {hits} of 40");
            total += hits;
        }
        // 190 on average; 70 % intervals, the planted fault, would give 140.
        assert!(total >= 172, "{total} of 200");
    }

    #[test]
    fn wrong_input_is_refused() {
        let o = ChinchillaOptions::default();
        assert!(matches!(
            fit_chinchilla(&[1.0; 3], &[1.0; 3], &[1.0; 3], o),
            Err(Error::TooFew { .. })
        ));
        assert!(matches!(
            fit_chinchilla(&[0.0; 6], &[1.0; 6], &[1.0; 6], o),
            Err(Error::Parameter { .. })
        ));
        assert!(matches!(
            fit_chinchilla(&[1.0; 6], &[1.0; 5], &[1.0; 6], o),
            Err(Error::Length { .. })
        ));
        let wrong = ChinchillaOptions { level: 1.0, ..o };
        assert!(matches!(
            wrong.validate(),
            Err(Error::Parameter { name: "level", .. })
        ));
    }
}
