//! The level of demand over time, in logarithms about its mean.

use rand::{Rng, RngExt};

use super::draw::{chance, normal, one_of};
use crate::count::count;

/// What kind of goods a record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Character {
    /// Steady goods.
    Smooth,
    /// A shop's assortment.
    Retail,
    /// Goods that some customers buy in bulk.
    Bulky,
    /// Spare parts.
    Intermittent,
    /// Goods that live on promotions.
    Promoted,
}

impl Character {
    pub(super) fn draw<R: Rng>(rng: &mut R) -> Self {
        match rng.random::<f64>() {
            x if x < 0.15 => Character::Smooth,
            x if x < 0.40 => Character::Retail,
            x if x < 0.60 => Character::Bulky,
            x if x < 0.80 => Character::Intermittent,
            _ => Character::Promoted,
        }
    }
}

/// What a record counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Period {
    Day,
    Week,
    Month,
}

impl Period {
    pub(super) fn draw<R: Rng>(rng: &mut R, character: Character) -> Self {
        let (daily, monthly) = if character == Character::Intermittent {
            (0.05, 0.5)
        } else {
            (0.1, 0.1)
        };
        match rng.random::<f64>() {
            x if x < daily => Period::Day,
            x if x < daily + monthly => Period::Month,
            _ => Period::Week,
        }
    }

    /// Periods after which seasons come back: those of a week or of a year.
    pub(super) fn cycle(self) -> usize {
        match self {
            Period::Day => 7,
            Period::Week => 52,
            Period::Month => 12,
        }
    }
}

/// Levels of every product, `[product][period]`, given each product's group: wandering, mean-reverting, jumping, trending, seasonal (all
/// together or group by group), and with a life cycle, each in some records and not in others.
pub(super) fn levels<R: Rng>(
    rng: &mut R,
    character: Character,
    period: Period,
    groups: &[usize],
    weeks: usize,
) -> Vec<Vec<f64>> {
    let mut levels = vec![vec![0.0; weeks]; groups.len()];
    wander(rng, &mut levels, weeks);
    if chance(rng, 0.4) {
        for level in &mut levels {
            if chance(rng, 0.3) {
                let (from, by) = (rng.random_range(5..weeks), 0.7 * normal(rng));
                level[from..].iter_mut().for_each(|l| *l += by);
            }
        }
    }
    if chance(rng, 0.4) {
        // Trends of single products, and in some records of all together.
        let common = if chance(rng, 0.5) {
            0.01 * normal(rng)
        } else {
            0.0
        };
        for level in &mut levels {
            let slope = common + 0.01 * normal(rng);
            for (week, l) in level.iter_mut().enumerate() {
                *l += slope * (count(week) - count(weeks) / 2.0);
            }
        }
    }
    if chance(rng, 0.4) {
        live_and_die(rng, &mut levels, weeks);
    }
    if chance(
        rng,
        if character == Character::Intermittent {
            0.4
        } else {
            0.7
        },
    ) {
        let own = chance(rng, 0.3);
        if own {
            for group in 0..=groups.iter().copied().max().unwrap_or(0) {
                let members = levels.iter_mut().zip(groups).filter(|&(_, &g)| g == group);
                season(rng, members.map(|(level, _)| level), period);
            }
        } else {
            season(rng, levels.iter_mut(), period);
        }
    }
    levels
}

/// A random walk and an autoregression of every product's own, and noise that all share.
fn wander<R: Rng>(rng: &mut R, levels: &mut [Vec<f64>], weeks: usize) {
    let walk = match rng.random::<f64>() {
        x if x < 0.25 => 0.0,
        x if x < 0.55 => 0.02,
        x if x < 0.85 => 0.05,
        _ => 0.1,
    };
    let persistence: f64 = rng.random_range(0.5..0.95);
    let spread = one_of(rng, &[0.0, 0.1, 0.25, 0.4]) * (1.0 - persistence * persistence).sqrt();
    let shared = one_of(rng, &[0.0, 0.05, 0.15]);
    let common: Vec<f64> = (0..weeks).map(|_| shared * normal(rng)).collect();
    for level in levels {
        let step = walk * (0.4 * normal(rng)).exp();
        let (mut sum, mut reverting) = (0.0, 0.0);
        for (l, common) in level.iter_mut().zip(&common) {
            sum += step * normal(rng);
            reverting = persistence * reverting + spread * normal(rng);
            *l = sum + reverting + common;
        }
    }
}

/// Growth until a peak, then decay, of many or few products.
fn live_and_die<R: Rng>(rng: &mut R, levels: &mut [Vec<f64>], weeks: usize) {
    let share = rng.random_range(0.2..1.0);
    let grows = chance(rng, 0.5);
    for level in levels {
        let peak = rng.random_range(-40.0..1.2 * count(weeks));
        let decay = (0.03_f64.ln() + 0.8 * normal(rng)).exp().min(0.15);
        let growth = (0.02_f64.ln() + 0.8 * normal(rng)).exp().min(0.1);
        if !chance(rng, share) {
            continue;
        }
        let life: Vec<f64> = (0..weeks)
            .map(|week| {
                let after = count(week) - peak;
                let before = if grows {
                    growth * (-after).max(0.0)
                } else {
                    0.0
                };
                -decay * after.max(0.0) - before
            })
            .collect();
        // About the mean of what is not yet dead, so that the level stays a level.
        let mean = life.iter().map(|l| l.clamp(-3.0, 0.0)).sum::<f64>() / count(weeks);
        for (l, life) in level.iter_mut().zip(&life) {
            *l += (life - 0.5 * mean).max(-6.0);
        }
    }
}

/// A wave over the year, or a peak of a few periods; of days a profile of the week.
fn season<'l, R: Rng>(rng: &mut R, levels: impl Iterator<Item = &'l mut Vec<f64>>, period: Period) {
    if period == Period::Day {
        let spread = rng.random_range(0.1..0.6);
        let profile: Vec<f64> = (0..period.cycle()).map(|_| spread * normal(rng)).collect();
        for level in levels {
            let own = (0.3 * normal(rng)).exp();
            for (l, day) in level.iter_mut().zip(profile.iter().cycle()) {
                *l += own * day;
            }
        }
        return;
    }
    let period = count(period.cycle());
    let (phase, wide) = (
        rng.random_range(0.0..period),
        rng.random_range(1.0..4.0) * period / 52.0,
    );
    let spread = rng.random_range(0.1..0.6);
    let wave = chance(rng, 0.5);
    for level in levels {
        let amplitude = (spread * normal(rng)).abs();
        for (week, l) in level.iter_mut().enumerate() {
            let since = count(week) - phase;
            *l += amplitude
                * if wave {
                    (std::f64::consts::TAU * since / period).cos()
                } else {
                    let distance = (since + period / 2.0).rem_euclid(period) - period / 2.0;
                    2.0 * (-0.5 * (distance / wide.max(0.3)).powi(2)).exp()
                };
        }
    }
}
