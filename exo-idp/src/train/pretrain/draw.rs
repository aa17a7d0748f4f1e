//! Draws from the laws that synthetic records are made of.

use rand::{Rng, RngExt};
use rand_distr::{Beta, Distribution, Exp1, Gamma, Poisson, StandardNormal};

/// A standard normal number.
pub(super) fn normal<R: Rng>(rng: &mut R) -> f64 {
    rng.sample(StandardNormal)
}

/// A number from `low` to `high`, on a logarithmic scale.
pub(super) fn log_uniform<R: Rng>(rng: &mut R, low: f64, high: f64) -> f64 {
    rng.random_range(low.ln()..high.ln()).exp()
}

/// Whether an event of probability `p` happens.
pub(super) fn chance<R: Rng>(rng: &mut R, p: f64) -> bool {
    rng.random::<f64>() < p
}

/// One of a few values, all equally likely.
pub(super) fn one_of<R: Rng, T: Copy>(rng: &mut R, values: &[T]) -> T {
    values[rng.random_range(0..values.len())]
}

/// A gamma number of mean one and the given shape.
fn gamma<R: Rng>(rng: &mut R, shape: f64) -> f64 {
    Gamma::new(shape, 1.0 / shape).map_or(1.0, |law| law.sample(rng))
}

/// A Poisson count; zero where the mean is.
fn poisson<R: Rng>(rng: &mut R, mean: f64) -> f64 {
    Poisson::new(mean).map_or(0.0, |law| law.sample(rng))
}

/// A negative binomial count of the given mean; the smaller the shape, the wider.
pub(super) fn negative_binomial<R: Rng>(rng: &mut R, mean: f64, shape: f64) -> f64 {
    let rate = mean * gamma(rng, shape);
    poisson(rng, rate)
}

/// A probability about 1/3, rarely near zero or one.
pub(super) fn occurrence<R: Rng>(rng: &mut R) -> f64 {
    let share: f64 = Beta::new(1.5, 3.0).map_or(0.3, |law| law.sample(rng));
    share.clamp(0.03, 0.9)
}

/// Probabilities of lead times of 0 to `longest` periods: one length, an even spread, or any.
pub(super) fn lead_times<R: Rng>(rng: &mut R, longest: usize) -> Vec<f64> {
    let low = rng.random_range(0..=longest * 2 / 3);
    let high = (low + rng.random_range(0..4)).min(longest);
    let kind: f64 = rng.random();
    let mut law = vec![0.0; high + 1];
    let n = high - low + 1;
    if kind < 0.35 || n == 1 {
        law.truncate(low + 1);
        law[low] = 1.0;
    } else if kind < 0.7 {
        law[low..].fill(1.0 / crate::count::count(n));
    } else {
        // Exponential numbers over their sum: every law on these lengths is as likely as any other.
        let shares: Vec<f64> = (0..n).map(|_| rng.sample(Exp1)).collect();
        let total: f64 = shares.iter().sum();
        law[low..]
            .iter_mut()
            .zip(shares)
            .for_each(|(p, share)| *p = share / total);
    }
    law
}
