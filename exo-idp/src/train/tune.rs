//! Tuning the level of order-up-to policies on past weeks.

use gpu::Device;

use crate::count::count;
use crate::error::Error;
use crate::policy::{BaseStock, Signals};
use crate::replay::Replay;

/// Scales the levels of an order-up-to policy, group by group, by the factor that would have earned most in a replay.
///
/// `groups` gives every product its group; the factors tried are `factors`. The record is read once for all of them.
///
/// # Errors
/// When no factor is given, or `groups` has not one entry per product.
pub fn tune_levels(
    replay: &Replay<'_>,
    levels: &Signals,
    groups: &[usize],
    factors: &[f64],
    device: &Device,
) -> Result<Signals, Error> {
    let products = replay.paths().panel().products();
    if groups.len() != products {
        return Err(Error::Length {
            array: "groups".into(),
            expected: products,
            found: groups.len(),
        });
    }
    if factors.is_empty() {
        return Err(Error::Empty("the list of factors"));
    }
    let last = groups.iter().copied().max().unwrap_or(0);
    let mut best = vec![(f64::NEG_INFINITY, 1.0); last + 1];
    let policy = BaseStock::new("trial", 1.0, levels.clone());
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
    let weeks = replay.paths().panel().weeks();
    Ok(Signals::from_fn(
        weeks,
        levels.rows(),
        products,
        |week, row, product| best[groups[product]].1 * levels.row(week, row)[product],
    ))
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
