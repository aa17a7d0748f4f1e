//! What goods cost, bring and forfeit in a synthetic record.

use rand::{Rng, RngExt};

use super::draw::{chance, log_uniform, normal, one_of};
use super::level::Period;
use super::record::Prices;
use crate::conventions::{Conventions, Receipts, Unmet};
use crate::count::count;

/// What a record's reward is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Account {
    /// The margin of what is sold, less what holding and lost sales cost.
    Margin,
    /// Costs of holding and of lost sales alone.
    CostsAlone,
}

impl Account {
    pub(super) fn draw<R: Rng>(rng: &mut R) -> Self {
        if chance(rng, 0.08) {
            Account::CostsAlone
        } else {
            Account::Margin
        }
    }
}

/// Discount, holding and penalty from mild to heavy, given what goods usually cost a customer.
pub(super) fn conventions<R: Rng>(
    rng: &mut R,
    kind: Account,
    period: Period,
    regular: &[f64],
) -> Conventions {
    let discount = if chance(rng, 0.2) {
        1.0 - log_uniform(rng, 0.001, 0.02)
    } else {
        one_of(rng, &[0.998, 0.995, 0.99, 0.9995])
    };
    let holding_share = match rng.random::<f64>() {
        x if x < 0.1 => 0.0,
        x if x < 0.85 => log_uniform(rng, 0.001, 0.06),
        _ => log_uniform(rng, 0.06, 0.3),
    };
    let price = regular.iter().sum::<f64>() / count(regular.len());
    let penalty = match kind {
        Account::CostsAlone => price * log_uniform(rng, 0.1, 3.0),
        Account::Margin if chance(rng, 0.15) => price * log_uniform(rng, 0.02, 1.0),
        Account::Margin => 0.0,
    };
    // A day costs a seventh of a week.
    let part = if period == Period::Day { 7.0 } else { 1.0 };
    Conventions {
        discount: discount.powf(1.0 / part),
        holding_share: holding_share / part,
        penalty,
        receipts: if chance(rng, 0.8) {
            Receipts::BeforeDemand
        } else {
            Receipts::AfterDemand
        },
        unmet: if chance(rng, 0.9) {
            Unmet::Lost
        } else {
            Unmet::Backordered
        },
        ..Conventions::default()
    }
}

/// Costs as a share of prices, steady or moving with them.
///
/// Where only costs are counted a unit brings back just what it costs.
pub(super) fn costs<R: Rng>(rng: &mut R, kind: Account, prices: &Prices) -> Vec<Vec<f64>> {
    if kind == Account::CostsAlone {
        return prices.price.clone();
    }
    let share = match rng.random::<f64>() {
        x if x < 0.6 => rng.random_range(0.3..0.92),
        x if x < 0.9 => rng.random_range(0.5..0.75),
        _ => rng.random_range(0.05..0.3),
    };
    let follows = chance(rng, 0.4);
    let jitter = prices.promoted && chance(rng, 0.5);
    let mut products = Vec::with_capacity(prices.price.len());
    for (path, &regular) in prices.price.iter().zip(&prices.regular) {
        let own = share * (0.08 * normal(rng)).exp();
        let mut week = |price: f64| {
            let base = if follows {
                price.powf(0.7) * regular.powf(0.3)
            } else {
                regular
            };
            let noise = if jitter {
                (0.05 * normal(rng)).exp()
            } else {
                1.0
            };
            (own * base).min(0.97 * regular) * noise
        };
        products.push(path.iter().map(|&price| week(price)).collect());
    }
    products
}
