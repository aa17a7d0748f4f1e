//! Random numbers, sizes as numbers, and the streams' periods.

use rand::{Rng, RngExt};
use rand_distr::{Beta, Binomial, Distribution, Gamma, Poisson, StandardNormal};

/// A standard normal number.
pub(super) fn normal<R: Rng>(rng: &mut R) -> f64 {
    rng.sample(StandardNormal)
}

/// A gamma number of mean 1 and the given shape.
pub(super) fn gamma<R: Rng>(shape: f64, rng: &mut R) -> f64 {
    Gamma::new(shape, 1.0 / shape).map_or(1.0, |law| law.sample(rng))
}

pub(super) fn poisson<R: Rng>(mean: f64, rng: &mut R) -> f64 {
    // The law refuses a mean of zero, for which the count is zero.
    Poisson::new(mean).map_or(0.0, |law| law.sample(rng))
}

/// Share of the week after which the last of `available` units is sold, when `demand >= available` units come at even times.
pub(super) fn sold_out_at<R: Rng>(available: u32, demand: u32, rng: &mut R) -> f64 {
    if available == 0 {
        return 0.0;
    }
    Beta::new(f64::from(available), f64::from(demand - available) + 1.0)
        .map_or(1.0, |law| law.sample(rng))
}

pub(super) fn binomial<R: Rng>(n: u64, p: f64, rng: &mut R) -> u64 {
    Binomial::new(n, p.clamp(0.0, 1.0)).map_or(0, |law| law.sample(rng))
}

/// The stream's period of a week; period 0 holds parameters.
pub(super) fn period(week: usize) -> u32 {
    u32::try_from(week + 1).unwrap_or(u32::MAX)
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "small positive numbers"
)]
pub(super) fn floor(x: f64) -> usize {
    x.max(0.0) as usize
}

#[allow(clippy::cast_precision_loss, reason = "counts far below 2^53")]
pub(super) fn real(n: usize) -> f64 {
    n as f64
}
