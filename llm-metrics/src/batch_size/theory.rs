//! Least squares with Gaussian inputs, where the risk of mini-batch gradient descent is known exactly.

use crate::error::{Allowed, Error, Result, check_finite, check_len, check_positive};

/// Returns the expected excess risk $\sum_i \lambda_i c_i$ before the first and after each of `steps` steps of mini-batch gradient descent on
/// Gaussian least squares, without simulation.
///
/// Inputs have covariance eigenvalues $\lambda_i$, labels noise variance $\sigma^2$, and $c_i = E(w_i - w^\ast_i)^2$ starts at `distance`. Each step with
/// rate $\gamma$ and fresh batch of size B moves
/// $$c_i \leftarrow c_i (1 - \gamma\lambda_i)^2 + \frac{\gamma^2}{B}\Big(\lambda_i^2 c_i + \lambda_i \sum_j \lambda_j c_j + \sigma^2 \lambda_i\Big).$$
/// Some texts call half of this the excess risk. The recursion is our derivation (Isserlis' theorem); the setting is that of the
/// paper's theory, which averages the iterates, while this is the last iterate: see [`lsq_risk_averaged`].
///
/// ```
/// let risk = hindsight_llm_metrics::batch_size::lsq_risk(&[1.0, 0.5], &[1.0, 1.0], 0.1, 8.0, 0.25, 50)?;
/// assert!(risk.len() == 51 && risk[50] < risk[0]);
/// # Ok::<(), hindsight_llm_metrics::Error>(())
/// ```
///
/// # Errors
/// [`Error::Length`], [`Error::NotFinite`]; [`Error::OutOfRange`] for a negative eigenvalue or distance; [`Error::Parameter`] for `rate` or `batch` that is not
/// positive or a negative `noise`.
pub fn lsq_risk(
    eigenvalues: &[f64],
    distance: &[f64],
    rate: f64,
    batch: f64,
    noise: f64,
    steps: usize,
) -> Result<Vec<f64>> {
    check_len("distance", eigenvalues.len(), distance.len())?;
    for (what, values) in [("eigenvalues", eigenvalues), ("distance", distance)] {
        check_finite(what, values)?;
        if let Some(index) = values.iter().position(|v| *v < 0.0) {
            return Err(Error::OutOfRange {
                what,
                index,
                value: values[index],
                min: 0.0,
                max: f64::INFINITY,
            });
        }
    }
    check_positive("rate", rate)?;
    check_positive("batch", batch)?;
    if !(noise >= 0.0 && noise.is_finite()) {
        return Err(Error::Parameter {
            name: "noise",
            value: noise,
            allowed: Allowed::AtLeast(0.0),
        });
    }
    let mut c = distance.to_vec();
    let mut risk = Vec::with_capacity(steps + 1);
    let total = |c: &[f64]| c.iter().zip(eigenvalues).map(|(c, l)| c * l).sum::<f64>();
    let mut now = total(&c);
    risk.push(now);
    let spread = rate * rate / batch;
    for _ in 0..steps {
        for (c, l) in c.iter_mut().zip(eigenvalues) {
            let shrink = 1.0 - rate * l;
            *c = *c * shrink * shrink + spread * (l * l * *c + l * now + noise * l);
        }
        now = total(&c);
        risk.push(now);
    }
    Ok(risk)
}

/// Returns what [`lsq_risk`] does for the average of the iterates 1 to t, which is what the paper's theory is about; the first entry is the risk before the
/// first step.
///
/// Given the iterate s, the mean of iterate t is $(1 - \gamma\lambda_i)^{t-s}$ times its distance, so that with $c_{i,s}$ of [`lsq_risk`] the averaged distance is
/// $\frac{1}{t^2} \sum_{s \le t} c_{i,s} \left(1 + 2 \sum_{k=1}^{t-s} (1 - \gamma\lambda_i)^k\right)$: exact, without simulation. Our derivation.
///
/// ```
/// use hindsight_llm_metrics::batch_size::{lsq_risk, lsq_risk_averaged};
/// let last = lsq_risk(&[1.0], &[1.0], 0.5, 1.0, 1.0, 400)?;
/// let average = lsq_risk_averaged(&[1.0], &[1.0], 0.5, 1.0, 1.0, 400)?;
/// assert!(average[400] < 0.05 * last[400]); // the noise averages out
/// # Ok::<(), hindsight_llm_metrics::Error>(())
/// ```
///
/// # Errors
/// As [`lsq_risk`].
#[allow(clippy::cast_precision_loss)] // A number of steps.
pub fn lsq_risk_averaged(
    eigenvalues: &[f64],
    distance: &[f64],
    rate: f64,
    batch: f64,
    noise: f64,
    steps: usize,
) -> Result<Vec<f64>> {
    // Checks the arguments; the risk of the last iterate feeds the recursion.
    let last = lsq_risk(eigenvalues, distance, rate, batch, noise, steps)?;
    let mut c = distance.to_vec();
    let mut cross = vec![0.0; c.len()];
    let mut squares = vec![0.0; c.len()];
    let mut out = Vec::with_capacity(steps + 1);
    out.push(last[0]);
    let spread = rate * rate / batch;
    for t in 1..=steps {
        let mut risk = 0.0;
        for (i, l) in eigenvalues.iter().enumerate() {
            let shrink = 1.0 - rate * l;
            c[i] = c[i] * shrink * shrink + spread * (l * l * c[i] + l * last[t - 1] + noise * l);
            cross[i] *= shrink;
            squares[i] += c[i] + 2.0 * cross[i];
            cross[i] += c[i];
            risk += l * squares[i];
        }
        out.push(risk / (t as f64 * t as f64));
    }
    Ok(out)
}

/// Returns the first step at which the risk of [`lsq_risk`] is at most `target`, or `None` within `limit` steps. Over a grid of batch sizes
/// this gives exact (batch, steps) pairs for [`crate::batch_size::BatchFit`].
///
/// # Errors
/// As [`lsq_risk`].
pub fn steps_to_risk(
    eigenvalues: &[f64],
    distance: &[f64],
    rate: f64,
    batch: f64,
    noise: f64,
    target: f64,
    limit: usize,
) -> Result<Option<usize>> {
    // In pieces, so that an early crossing does not cost the whole limit.
    let mut length = 64.min(limit);
    loop {
        let risk = lsq_risk(eigenvalues, distance, rate, batch, noise, length)?;
        if let Some(step) = risk.iter().position(|r| *r <= target) {
            return Ok(Some(step));
        }
        if length == limit {
            return Ok(None);
        }
        length = (2 * length).min(limit);
    }
}

/// Returns the exponent e of the predicted law $B^\ast\sim n^e$ in the number of samples n for eigenvalues $\lambda_i = i^{-a}$ and source $\lambda_i w_i^{\ast 2} \sim
/// i^{-b}$: 0 if $b \le a$, else $1 - a/\min(b, 2a + 1)$.
///
/// Averaged iterates, constant step. From balancing bias $(\gamma t)^{-(b-1)/a}$ against variance $(\gamma t)^{1/a}/n$; our re-derivation for $b < 2a + 1$, the
/// saturation beyond it is taken on trust.
///
/// # Errors
/// [`Error::Parameter`] unless both exceed 1 and are finite.
pub fn predicted_batch_exponent(a: f64, b: f64) -> Result<f64> {
    for (name, value) in [("a", a), ("b", b)] {
        if !(value > 1.0 && value.is_finite()) {
            return Err(Error::Parameter {
                name,
                value,
                allowed: Allowed::Above(1.0),
            });
        }
    }
    Ok(if b <= a {
        0.0
    } else {
        1.0 - a / b.min(2.0 * a + 1.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_distr::{Distribution, StandardNormal};
    use rand_pcg::Pcg64;

    /// The average against the full matrix of moments between iterates, step by step.
    #[test]
    fn the_averaged_risk_is_that_of_all_pairs_of_iterates() {
        let (l, d, rate, batch, noise, steps) =
            ([1.0, 0.3, 0.05], [1.0, 2.0, 0.5], 0.2, 4.0, 0.7, 30);
        let averaged = lsq_risk_averaged(&l, &d, rate, batch, noise, steps).unwrap();
        // The distances c of every iterate, by the recursion of the last iterate.
        let mut c = vec![d.to_vec()];
        for s in 0..steps {
            let now: f64 = c[s].iter().zip(&l).map(|(c, l)| c * l).sum();
            let next = (0..3).map(|i| {
                let shrink = 1.0 - rate * l[i];
                c[s][i] * shrink * shrink
                    + rate * rate / batch * (l[i] * l[i] * c[s][i] + l[i] * now + noise * l[i])
            });
            c.push(next.collect());
        }
        for (t, averaged) in averaged.iter().enumerate().skip(1) {
            let mut risk = 0.0;
            for a in 1..=t {
                for b in 1..=t {
                    for i in 0..3 {
                        risk += l[i]
                            * c[a.min(b)][i]
                            * (1.0 - rate * l[i]).powi((a.max(b) - a.min(b)) as i32);
                    }
                }
            }
            risk /= (t * t) as f64;
            assert!(
                (averaged - risk).abs() < 1e-12 * risk,
                "{t}: {averaged} {risk}"
            );
        }
    }

    #[test]
    fn recursion_equals_simulated_descent() {
        let (lambda, start) = ([1.0f64, 0.4, 0.1], [1.0, 2.0, 4.0]);
        let (rate, batch, sigma) = (0.3, 3usize, 0.5);
        let exact = lsq_risk(&lambda, &start, rate, 3.0, sigma * sigma, 12).unwrap();
        let mut rng = Pcg64::seed_from_u64(1);
        let runs = 40_000;
        let mut values = vec![];
        for _ in 0..runs {
            let mut w: Vec<f64> = start.iter().map(|c: &f64| c.sqrt()).collect();
            for _ in 0..12 {
                let mut g = [0.0; 3];
                for _ in 0..batch {
                    let x: Vec<f64> = lambda
                        .iter()
                        .map(|l| {
                            let z: f64 = StandardNormal.sample(&mut rng);
                            z * l.sqrt()
                        })
                        .collect();
                    let e: f64 = StandardNormal.sample(&mut rng);
                    let r = x.iter().zip(&w).map(|(x, w)| x * w).sum::<f64>() - sigma * e;
                    for d in 0..3 {
                        g[d] += r * x[d] / batch as f64;
                    }
                }
                for d in 0..3 {
                    w[d] -= rate * g[d];
                }
            }
            values.push(w.iter().zip(&lambda).map(|(w, l)| w * w * l).sum::<f64>());
        }
        let (m, se) = (
            crate::stats::interval::mean(&values),
            crate::stats::interval::sample_sd(&values) / f64::from(runs).sqrt(),
        );
        assert!((m - exact[12]).abs() < 4.0 * se, "{m} {} {se}", exact[12]);
        // The planted fault: without the term of the fourth moment.
        let mut c = start;
        for _ in 0..12 {
            for (c, l) in c.iter_mut().zip(&lambda) {
                *c = *c * (1.0 - rate * l) * (1.0 - rate * l)
                    + rate * rate / 3.0 * sigma * sigma * l;
            }
        }
        let wrong: f64 = c.iter().zip(&lambda).map(|(c, l)| c * l).sum();
        assert!((m - wrong).abs() > 4.0 * se);
    }

    #[test]
    fn an_infinite_batch_is_gradient_descent_and_bigger_batches_never_hurt() {
        let exact = lsq_risk(&[0.5], &[2.0], 0.2, 1e300, 1.0, 10).unwrap();
        assert!((exact[10] - 0.5 * 2.0 * 0.9f64.powi(20)).abs() < 1e-12);
        let end = |b: f64| {
            *lsq_risk(&[1.0, 0.3], &[1.0, 1.0], 0.1, b, 0.5, 100)
                .unwrap()
                .last()
                .unwrap()
        };
        assert!(end(1.0) > end(2.0) && end(2.0) > end(64.0));
    }

    #[test]
    fn steps_fall_with_the_batch_and_the_exponent_has_its_cases() {
        let lambda: Vec<f64> = (1..=50).map(|i| f64::from(i).powf(-1.5)).collect();
        let c = vec![1.0; 50];
        let steps = |b: f64| steps_to_risk(&lambda, &c, 0.05, b, 1.0, 0.5, 100_000).unwrap();
        assert!(steps(1.0) >= steps(4.0) && steps(4.0) >= steps(64.0));
        assert_eq!(
            steps_to_risk(&lambda, &c, 0.05, 1.0, 1.0, 0.0, 10).unwrap(),
            None
        );
        assert_eq!(predicted_batch_exponent(2.0, 1.5).unwrap(), 0.0);
        assert_eq!(predicted_batch_exponent(2.0, 4.0).unwrap(), 0.5);
        assert_eq!(
            predicted_batch_exponent(2.0, 50.0).unwrap(),
            1.0 - 2.0 / 5.0
        );
        assert!(predicted_batch_exponent(1.0, 2.0).is_err());
        assert!(lsq_risk(&[-1.0], &[1.0], 0.1, 1.0, 0.0, 1).is_err());
    }
}
