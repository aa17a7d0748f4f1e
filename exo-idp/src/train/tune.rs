//! Tuning the level of order-up-to policies on past weeks.

use gpu::Device;

use crate::count::count;
use crate::error::Error;
use crate::policy::{BaseStock, Signals};
use crate::replay::Replay;

/// Factors by which the levels of an order-up-to policy would have earned most in a replay.
#[derive(Debug, Clone, PartialEq)]
pub struct TunedFactors {
    /// The factor of every group.
    pub factors: Vec<f64>,
    /// The largest factor tried, where some group would still have earned more with it than with all others: the grid was not widened
    /// beyond it.
    pub stopped_at: Option<f64>,
}

impl TunedFactors {
    /// The levels, scaled by the factor of each product's group.
    ///
    /// # Panics
    /// When `groups` are not those that the factors were tuned for.
    #[must_use]
    pub fn scale(&self, levels: &Signals, groups: &[usize]) -> Signals {
        levels.scaled(|product| self.factors[groups[product]])
    }
}

/// How often a grid is widened upwards, each time with steps of twice the size.
const WIDENED: usize = 5;

/// Scales the levels of an order-up-to policy, group by group, by the factor that would have earned most in a replay:
/// [`tune_factors`] applied.
///
/// # Errors
/// As [`tune_factors`].
pub fn tune_levels(
    replay: &Replay<'_>,
    levels: &Signals,
    groups: &[usize],
    factors: &[f64],
    device: &Device,
) -> Result<Signals, Error> {
    let tuned = tune_factors(replay, levels, groups, factors, device)?;
    Ok(tuned.scale(levels, groups))
}

/// The factors that would have earned most in a replay, group by group, were they to scale the levels of an order-up-to policy.
///
/// `groups` gives every product its group; the factors tried are `factors`, in rising order, and more where the best of a group lies at
/// their end: down to zero, and upwards in steps that double, until it lies inside or the grid has been widened five times. The record
/// is read once for each of these grids.
///
/// # Errors
/// When no factor is given, or `groups` has not one entry per product.
pub fn tune_factors(
    replay: &Replay<'_>,
    levels: &Signals,
    groups: &[usize],
    factors: &[f64],
    device: &Device,
) -> Result<TunedFactors, Error> {
    let products = replay.paths().panel().products();
    if groups.len() != products {
        return Err(Error::Length {
            array: "groups".into(),
            expected: products,
            found: groups.len(),
        });
    }
    let (Some(&least), Some(&most)) = (factors.first(), factors.last()) else {
        return Err(Error::Empty("the list of factors"));
    };
    let last = groups.iter().copied().max().unwrap_or(0);
    let mut best = vec![(f64::NEG_INFINITY, 1.0); last + 1];
    let policy = BaseStock::new("trial", 1.0, levels.clone());
    let mut search = |factors: &[f64]| -> Result<Vec<f64>, Error> {
        let thetas: Vec<Vec<f64>> = factors.iter().map(|&factor| vec![factor]).collect();
        let tried = replay.objectives(&policy, &(), &thetas, device)?;
        for (&factor, by_lane) in factors.iter().zip(&tried) {
            let mut earned = vec![0.0; last + 1];
            for (lane, money) in by_lane.iter().enumerate() {
                earned[groups[lane % products]] += money;
            }
            for (best, earned) in best.iter_mut().zip(earned) {
                if earned > best.0 {
                    *best = (earned, factor);
                }
            }
        }
        Ok(best.iter().map(|best| best.1).collect())
    };
    let mut found = search(factors)?;
    let steps = factors.len().saturating_sub(1).max(1);
    let step = if most > least {
        (most - least) / count(steps)
    } else {
        most
    };
    if found.iter().any(|&factor| factor <= least) && least > 0.0 {
        let below = (0..).map(|k| step * count(k));
        let below: Vec<f64> = below.take_while(|&f| f < least - 0.5 * step).collect();
        found = search(&below)?;
    }
    let (mut top, mut wider) = (most, step);
    for _ in 0..WIDENED {
        if !found.iter().any(|&factor| factor >= top) {
            break;
        }
        wider *= 2.0;
        let above: Vec<f64> = (1..=steps).map(|k| top + wider * count(k)).collect();
        top = above.last().copied().unwrap_or(top);
        found = search(&above)?;
    }
    Ok(TunedFactors {
        stopped_at: found.iter().any(|&factor| factor >= top).then_some(top),
        factors: found,
    })
}

/// Groups products by the coefficient of variation of their demand, in `groups` groups of equal size.
#[must_use]
pub fn groups_by_variation(replay: &Replay<'_>, groups: usize) -> Vec<usize> {
    let panel = replay.paths().panel();
    let weeks = replay.window().seen();
    let variation: Vec<f64> = (0..panel.products())
        .map(|product| {
            let used: Vec<f64> = weeks
                .clone()
                .filter(|&w| panel.present(product, w))
                .map(|w| panel.demand(product, w))
                .collect();
            let mean = used.iter().sum::<f64>() / count(used.len().max(1));
            let variance =
                used.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / count(used.len().max(1));
            if mean > 0.0 {
                variance.sqrt() / mean
            } else {
                0.0
            }
        })
        .collect();
    let mut order: Vec<usize> = (0..panel.products()).collect();
    order.sort_by(|&a, &b| variation[a].total_cmp(&variation[b]).then(a.cmp(&b)));
    let mut group = vec![0; panel.products()];
    for (rank, &product) in order.iter().enumerate() {
        group[product] = rank * groups.max(1) / panel.products();
    }
    group
}
