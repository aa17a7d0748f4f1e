//! Smooth optimisation oracles: exponential weights over sets of actions too large to list.

use rand::{Rng, RngExt};

use crate::error::{Argument, GamesError};

/// A set of actions seen through exponential weights: the smooth optimisation oracle.
///
/// Rewards are linear in a vector of `dimension` numbers, so a weighted history is one such vector. Every method must take time polynomial in the
/// dimension, not in the number of actions.
pub trait SmoothOracle {
    /// Length of a reward vector.
    fn dimension(&self) -> usize;
    /// Number of actions $N$.
    fn actions(&self) -> u64;
    /// Reward of one action under a reward vector.
    fn reward(&self, rewards: &[f64], action: u64) -> f64;
    /// $\ln\sum_j\exp(\langle v,j\rangle)$ over all actions.
    fn log_partition(&self, v: &[f64]) -> f64;
    /// An action drawn with probability proportional to $\exp(\langle v,j\rangle)$.
    fn sample<R: Rng + ?Sized>(&self, v: &[f64], rng: &mut R) -> u64;
    /// The largest reward of any action under `v`.
    fn best(&self, v: &[f64]) -> f64;
    /// The smallest reward of any action under `v`.
    fn worst(&self, v: &[f64]) -> f64;
}

/// Actions that are tuples, one option for each factor, with rewards that add over the factors: $N=\prod_fk_f$ actions, and every oracle
/// call takes time $\sum_fk_f$.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductActions {
    factors: Vec<usize>,
    actions: u64,
}

impl ProductActions {
    /// Factors with the given numbers of options.
    ///
    /// # Errors
    /// [`GamesError::Empty`] without factors or with an empty one, [`GamesError::TooLarge`] beyond $2^{63}$ actions.
    pub fn new(factors: &[usize]) -> Result<Self, GamesError> {
        if factors.is_empty() || factors.contains(&0) {
            return Err(GamesError::Empty {
                argument: Argument::Factors,
            });
        }
        let mut actions = 1u64;
        for &k in factors {
            actions = u64::try_from(k)
                .ok()
                .and_then(|k| actions.checked_mul(k))
                .filter(|n| *n < 1 << 63)
                .ok_or(GamesError::TooLarge {
                    argument: Argument::FactorCount,
                    size: factors.len(),
                    limit: 62,
                })?;
        }
        Ok(Self {
            factors: factors.to_vec(),
            actions,
        })
    }

    /// Number of options of each factor.
    #[must_use]
    pub fn factors(&self) -> &[usize] {
        &self.factors
    }

    /// The option of each factor in an action.
    #[must_use]
    pub fn options(&self, mut action: u64) -> Vec<usize> {
        self.factors
            .iter()
            .map(|&k| {
                let k = k as u64;
                let option = action % k;
                action /= k;
                usize::try_from(option).unwrap_or(0)
            })
            .collect()
    }

    fn parts<'a>(&'a self, v: &'a [f64]) -> impl Iterator<Item = &'a [f64]> + 'a {
        let mut at = 0;
        self.factors.iter().map(move |&k| {
            at += k;
            &v[at - k..at]
        })
    }
}

impl SmoothOracle for ProductActions {
    fn dimension(&self) -> usize {
        self.factors.iter().sum()
    }
    fn actions(&self) -> u64 {
        self.actions
    }
    fn reward(&self, rewards: &[f64], mut action: u64) -> f64 {
        let mut sum = 0.0;
        for part in self.parts(rewards) {
            let k = part.len() as u64;
            sum += part[usize::try_from(action % k).unwrap_or(0)];
            action /= k;
        }
        sum
    }
    fn log_partition(&self, v: &[f64]) -> f64 {
        self.parts(v)
            .map(|part| {
                let top = part.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                top + part.iter().map(|x| (x - top).exp()).sum::<f64>().ln()
            })
            .sum()
    }
    fn sample<R: Rng + ?Sized>(&self, v: &[f64], rng: &mut R) -> u64 {
        let (mut action, mut unit) = (0u64, 1u64);
        for part in self.parts(v) {
            let top = part.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = part.iter().map(|x| (x - top).exp()).sum();
            let mut u = rng.random::<f64>() * sum;
            let mut option = part.len() - 1;
            for (i, x) in part.iter().enumerate() {
                u -= (x - top).exp();
                if u < 0.0 {
                    option = i;
                    break;
                }
            }
            action += unit * option as u64;
            unit = unit.wrapping_mul(part.len() as u64);
        }
        action
    }
    fn best(&self, v: &[f64]) -> f64 {
        self.parts(v)
            .map(|p| p.iter().copied().fold(f64::NEG_INFINITY, f64::max))
            .sum()
    }
    fn worst(&self, v: &[f64]) -> f64 {
        self.parts(v)
            .map(|p| p.iter().copied().fold(f64::INFINITY, f64::min))
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::super::learner::opponents::rng;
    use super::*;

    #[test]
    fn the_product_oracle_equals_listing_all_actions() {
        let oracle = ProductActions::new(&[3, 1, 2, 4]).unwrap();
        let mut generator = rng(8);
        let v: Vec<f64> = (0..oracle.dimension())
            .map(|_| generator.random_range(-2.0..2.0))
            .collect();
        let all: Vec<f64> = (0..oracle.actions())
            .map(|j| oracle.reward(&v, j))
            .collect();
        let z: f64 = all.iter().map(|r| r.exp()).sum();
        assert!((oracle.log_partition(&v) - z.ln()).abs() < 1e-12);
        assert!(
            (oracle.best(&v) - all.iter().copied().fold(f64::NEG_INFINITY, f64::max)).abs() < 1e-12
        );
        assert!(
            (oracle.worst(&v) - all.iter().copied().fold(f64::INFINITY, f64::min)).abs() < 1e-12
        );
        // Samples: 23 degrees of freedom, 49.7 has probability 0.001; another vector must be caught.
        let draws = 20_000;
        let chi2 = |scale: f64, generator: &mut rand_pcg::Pcg64| {
            let scaled: Vec<f64> = v.iter().map(|x| scale * x).collect();
            let mut counts = vec![0.0; all.len()];
            for _ in 0..draws {
                counts[usize::try_from(oracle.sample(&scaled, generator)).unwrap()] += 1.0;
            }
            counts
                .iter()
                .zip(&all)
                .map(|(c, r)| {
                    let expected = f64::from(draws) * r.exp() / z;
                    (c - expected).powi(2) / expected
                })
                .sum::<f64>()
        };
        assert!(chi2(1.0, &mut generator) < 49.7);
        assert!(chi2(0.95, &mut generator) > 49.7);
    }
}
