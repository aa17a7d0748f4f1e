//! pass@k and pass^k without bias.

use super::responses::Responses;
use crate::error::{Allowed, Error, Result};
use crate::stats::interval::{mean, sample_sd};

/// Returns the unbiased estimate of pass@k, the chance that at least one of k samples is correct, from n samples of which c are:
/// $1 - \binom{n-c}{k} / \binom{n}{k}$, which is 1 if $n - c < k$.
///
/// The plug-in $1 - (1 - c/n)^k$ is biased downward. The product is taken over the smaller of c and k factors in logarithms.
///
/// ```
/// let p = hindsight_llm_metrics::verification::pass_at_k(10, 3, 5)?;
/// assert!((p - (1.0 - 21.0 / 252.0)).abs() < 1e-12);
/// # Ok::<(), hindsight_llm_metrics::Error>(())
/// ```
///
/// # Errors
/// [`Error::KExceedsN`] for k > n (nothing is extrapolated); [`Error::Parameter`] for k = 0 or c > n.
#[allow(clippy::cast_precision_loss)] // Counts.
pub fn pass_at_k(n: usize, c: usize, k: usize) -> Result<f64> {
    check(n, c, k)?;
    if n - c < k {
        return Ok(1.0);
    }
    // C(n-c, k) / C(n, k) = prod over i in n-c+1..=n of (1 - k/i) = prod over i in n-k+1..=n of (1 - c/i).
    let (terms, other) = if c < k { (c, k) } else { (k, c) };
    let log: f64 = (n - terms + 1..=n)
        .map(|i| (-(other as f64) / i as f64).ln_1p())
        .sum();
    Ok(-log.exp_m1())
}

/// Returns the unbiased estimate of pass^k, the chance that all of k samples are correct: $\binom{c}{k} / \binom{n}{k}$.
///
/// ```
/// let p = hindsight_llm_metrics::verification::pass_hat_k(10, 8, 2)?;
/// assert!((p - 28.0 / 45.0).abs() < 1e-12);
/// # Ok::<(), hindsight_llm_metrics::Error>(())
/// ```
///
/// # Errors
/// As [`pass_at_k`].
#[allow(clippy::cast_precision_loss)] // Counts.
pub fn pass_hat_k(n: usize, c: usize, k: usize) -> Result<f64> {
    check(n, c, k)?;
    if c < k {
        return Ok(0.0);
    }
    // C(c, k) / C(n, k), as the product of fewer factors: (c - i)/(n - i) over i < k, or (n - k - i)/(n - i) over i < n - c.
    let (terms, top) = if k <= n - c { (k, c) } else { (n - c, n - k) };
    Ok((0..terms)
        .map(|i| (top - i) as f64 / (n - i) as f64)
        .product())
}

#[allow(clippy::cast_precision_loss)] // For the message alone.
fn check(n: usize, c: usize, k: usize) -> Result<()> {
    if k == 0 {
        return Err(Error::Parameter {
            name: "k",
            value: 0.0,
            allowed: Allowed::AtLeast(1.0),
        });
    }
    if c > n {
        return Err(Error::Parameter {
            name: "c",
            value: c as f64,
            allowed: Allowed::AtMost(n as f64),
        });
    }
    if k > n {
        Err(Error::KExceedsN { index: 0, k, n })
    } else {
        Ok(())
    }
}

/// pass@k and pass^k over problems.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct PassSummary {
    /// k.
    pub k: usize,
    /// Mean pass@k.
    pub pass_at_k: f64,
    /// Its standard error over problems; NaN for one problem.
    pub pass_at_k_se: f64,
    /// Mean pass^k.
    pub pass_hat_k: f64,
    /// Its standard error over problems; NaN for one problem.
    pub pass_hat_k_se: f64,
}

/// Returns pass@k and pass^k over the prompts of `responses`, whose utilities must be 0 or 1, with standard errors over prompts.
///
/// # Errors
/// [`Error::OutOfRange`] for a utility other than 0 and 1; [`Error::KExceedsN`] naming the first prompt with too few responses.
#[allow(clippy::cast_precision_loss, clippy::float_cmp)] // Counts; utilities are 0 or 1 exactly.
pub fn pass_summary(responses: &Responses, k: usize) -> Result<PassSummary> {
    let (mut at, mut hat) = (Vec::new(), Vec::new());
    for index in 0..responses.prompts() {
        let u = responses.utilities(index);
        if let Some(i) = u.iter().position(|v| *v != 0.0 && *v != 1.0) {
            return Err(Error::OutOfRange {
                what: "utility for pass@k",
                index: i,
                value: u[i],
                min: 0.0,
                max: 1.0,
            });
        }
        let c = u.iter().filter(|v| **v == 1.0).count();
        let named = |e| match e {
            Error::KExceedsN { k, n, .. } => Error::KExceedsN { index, k, n },
            other => other,
        };
        at.push(pass_at_k(u.len(), c, k).map_err(named)?);
        hat.push(pass_hat_k(u.len(), c, k).map_err(named)?);
    }
    let root = (at.len() as f64).sqrt();
    Ok(PassSummary {
        k,
        pass_at_k: mean(&at),
        pass_at_k_se: sample_sd(&at) / root,
        pass_hat_k: mean(&hat),
        pass_hat_k_se: sample_sd(&hat) / root,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn binomial(n: u128, k: u128) -> u128 {
        if k > n {
            0
        } else {
            (0..k).fold(1, |b, i| b * (n - i) / (i + 1))
        }
    }

    proptest! {
        #[test]
        fn both_equal_ratios_of_binomials(n in 1usize..60, c in 0usize..60, k in 1usize..60) {
            prop_assume!(c <= n && k <= n);
            let all = binomial(n as u128, k as u128) as f64;
            let at = 1.0 - binomial((n - c) as u128, k as u128) as f64 / all;
            let hat = binomial(c as u128, k as u128) as f64 / all;
            prop_assert!((pass_at_k(n, c, k).unwrap() - at).abs() < 1e-12);
            prop_assert!((pass_hat_k(n, c, k).unwrap() - hat).abs() < 1e-12);
        }

        #[test]
        fn estimates_are_unbiased(k in 1usize..8, tenths in 1u32..10) {
            // E over c ~ Binomial(8, p) of pass@k is 1 - (1 - p)^k exactly.
            let (n, p) = (8usize, f64::from(tenths) / 10.0);
            let (mut at, mut hat, mut plug) = (0.0, 0.0, 0.0);
            for c in 0..=n {
                let w = binomial(8, c as u128) as f64 * p.powi(c as i32) * (1.0 - p).powi((n - c) as i32);
                at += w * pass_at_k(n, c, k).unwrap();
                hat += w * pass_hat_k(n, c, k).unwrap();
                plug += w * (1.0 - (1.0 - c as f64 / n as f64).powi(k as i32));
            }
            prop_assert!((at - (1.0 - (1.0 - p).powi(k as i32))).abs() < 1e-12);
            prop_assert!((hat - p.powi(k as i32)).abs() < 1e-12);
            prop_assert!(k == 1 || plug < at - 1e-6, "the planted fault: the plug-in");
        }

        #[test]
        fn more_samples_never_hurt_pass_at_k_nor_help_pass_hat_k(n in 2usize..100, c in 0usize..100, k in 1usize..99) {
            prop_assume!(c <= n && k < n);
            prop_assert!(pass_at_k(n, c, k).unwrap() <= pass_at_k(n, c, k + 1).unwrap() + 1e-12);
            prop_assert!(pass_hat_k(n, c, k).unwrap() + 1e-12 >= pass_hat_k(n, c, k + 1).unwrap());
            prop_assert!(pass_hat_k(n, c, k).unwrap() <= pass_at_k(n, c, k).unwrap() + 1e-12);
        }
    }

    #[test]
    fn large_counts_do_not_underflow_and_small_ones_keep_digits() {
        assert!((pass_at_k(10_000_000, 1, 10).unwrap() - 1e-6).abs() < 1e-18);
        assert!(pass_at_k(1_000_000, 500_000, 400_000).unwrap() == 1.0);
    }

    #[test]
    fn k_above_n_names_the_problem() {
        assert_eq!(
            pass_at_k(4, 2, 5).unwrap_err(),
            Error::KExceedsN {
                index: 0,
                k: 5,
                n: 4
            }
        );
        let r = Responses::new(&[vec![1.0; 4], vec![0.0; 3]]).unwrap();
        assert_eq!(
            pass_summary(&r, 4).unwrap_err(),
            Error::KExceedsN {
                index: 1,
                k: 4,
                n: 3
            }
        );
        assert!(pass_summary(&Responses::new(&[vec![0.5]]).unwrap(), 1).is_err());
        assert!(pass_at_k(4, 2, 0).is_err() && pass_at_k(4, 5, 1).is_err());
    }
}
