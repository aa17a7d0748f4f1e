//! The binomial distribution: quantiles of many probabilities at once, and the chance of a share near a value.

use super::interval::normal_quantile;
use statrs::function::beta::checked_beta_reg;

/// Below this variance quantiles are exact, above it normal with the Cornish-Fisher term of skewness.
const EXACT: f64 = 25.0;

/// Quantiles at (i + 1/2)/m for i in 0..m.
#[derive(Debug)]
pub(crate) struct Quantiles {
    uniforms: Vec<f64>,
    normals: Vec<f64>,
}

impl Quantiles {
    #[allow(clippy::cast_precision_loss)] // A number of draws.
    pub(crate) fn new(m: usize) -> Self {
        let uniforms: Vec<f64> = (0..m).map(|i| (i as f64 + 0.5) / m as f64).collect();
        let normals = uniforms.iter().map(|u| normal_quantile(*u)).collect();
        Self { uniforms, normals }
    }

    /// Fills `out` with the quantiles of Binomial(n, p), rising.
    pub(crate) fn fill(&self, n: f64, p: f64, out: &mut [f64]) {
        if p > 0.5 {
            self.fill(n, 1.0 - p, out);
            out.reverse();
            out.iter_mut().for_each(|k| *k = n - *k);
            return;
        }
        let variance = n * p * (1.0 - p);
        if variance > EXACT {
            let (mean, sd, skew) = (n * p, variance.sqrt(), (1.0 - 2.0 * p) / 6.0);
            for (k, z) in out.iter_mut().zip(&self.normals) {
                *k = (mean + sd * z + skew * (z * z - 1.0)).round().clamp(0.0, n);
            }
            return;
        }
        let ratio = p / (1.0 - p);
        let mut term = (n * (-p).ln_1p()).exp();
        let (mut k, mut total) = (0.0, term);
        for (q, u) in out.iter_mut().zip(&self.uniforms) {
            while total < *u && k < n && term > 0.0 {
                k += 1.0;
                term *= ratio * (n - k + 1.0) / k;
                total += term;
            }
            *q = k;
        }
    }
}

/// Returns P(|K/n - c| <= t) for K binomial with n trials of probability p.
pub(crate) fn within(n: f64, p: f64, c: f64, t: f64) -> f64 {
    if t < 0.0 {
        return 0.0;
    }
    let (low, high) = ((n * (c - t)).ceil(), (n * (c + t)).floor());
    (at_most(n, p, high) - at_most(n, p, low - 1.0)).clamp(0.0, 1.0)
}

/// P(K <= k).
fn at_most(n: f64, p: f64, k: f64) -> f64 {
    if k < 0.0 {
        0.0
    } else if k >= n || p <= 0.0 {
        1.0
    } else if p >= 1.0 {
        0.0
    } else {
        checked_beta_reg(n - k, k + 1.0, 1.0 - p).unwrap_or(f64::NAN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_have_the_mean_and_the_variance_of_the_law() {
        let q = Quantiles::new(20_000);
        let mut out = vec![0.0; 20_000];
        for (n, p) in [(5.0, 0.3), (40.0, 0.9), (300.0, 0.02), (5000.0, 0.4)] {
            q.fill(n, p, &mut out);
            let m = out.iter().sum::<f64>() / 20_000.0;
            let v = out.iter().map(|k| k * k).sum::<f64>() / 20_000.0 - m * m;
            let variance = n * p * (1.0 - p);
            assert!(
                (m - n * p).abs() < 0.01 * variance.sqrt() + 1e-3,
                "{n} {p} {m}"
            );
            assert!((v / variance - 1.0).abs() < 0.02, "{n} {p} {v}");
            assert!(out.is_sorted());
        }
        q.fill(7.0, 0.0, &mut out);
        assert!(out.iter().all(|k| *k == 0.0));
        q.fill(7.0, 1.0, &mut out);
        assert!(out.iter().all(|k| *k == 7.0));
    }

    #[test]
    fn probabilities_of_shares_are_sums_of_binomial_terms() {
        let term = |n: u32, p: f64, k: u32| {
            let c: f64 = (0..k)
                .map(|i| f64::from(n - i) / f64::from(k - i))
                .product();
            c * p.powi(k as i32) * (1.0 - p).powi((n - k) as i32)
        };
        for (n, p, c, t) in [
            (10, 0.3, 0.5, 0.2),
            (7, 0.9, 0.99, 0.011),
            (40, 0.5, 0.5, 0.0),
            (3, 0.2, 0.0, 1.0),
        ] {
            let sum: f64 = (0..=n)
                .filter(|k| (f64::from(*k) / f64::from(n) - c).abs() <= t + 1e-12)
                .map(|k| term(n, p, k))
                .sum();
            let got = within(f64::from(n), p, c, t + 1e-12);
            assert!((got - sum).abs() < 1e-12, "{n} {p} {c} {t}: {got} {sum}");
        }
    }
}
