//! The newsvendor's target inventory position.

use std::ops::Range;

use super::known_weeks::KnownWeeks;
use crate::arrivals::LeadTimeLaw;
use crate::conventions::{Conventions, Receipts};
use crate::count::count;
use crate::error::Error;
use crate::panel::Panel;
use crate::signals::Signals;

/// The critical ratio of an order of lead time `lead` weeks: the share of weeks in which it should cover demand.
///
/// A unit short loses $\gamma^v p - c$ (and the penalty); a unit left over costs $(1 - \gamma) c + h$, since it serves a later
/// week instead of a new unit:
/// $$ q = \frac{\gamma^v p - c + b}{\gamma^v p - c + b + (1 - \gamma) c + h} $$
/// For $v = 0$ and $b = h = 0$ this is the exact ratio $(p - c) / (p - \gamma c)$ of the stationary problem; for $v > 0$ it is the
/// lost-sales approximation. Not below zero: a unit that cannot earn its cost is not ordered.
///
/// ```
/// use hindsight_exo_idp::{Conventions, policy::critical_ratio};
/// let conventions = Conventions { discount: 0.9, ..Conventions::default() };
/// assert!((critical_ratio(10.0, 7.0, 0, &conventions) - 0.8108).abs() < 1e-4);
/// ```
#[must_use]
pub fn critical_ratio(price: f64, cost: f64, lead: usize, conventions: &Conventions) -> f64 {
    let gamma = conventions.discount;
    let power = gamma.powi(i32::try_from(lead).unwrap_or(i32::MAX));
    let short = power * price - cost + conventions.penalty;
    let holding = conventions.holding_share * cost + conventions.holding;
    let over = (1.0 - gamma) * cost + holding;
    if short <= 0.0 {
        0.0
    } else {
        short / (short + over)
    }
}

/// How a target position treats the randomness of the lead time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum LeadTimeDemand {
    /// Demand over the mean lead time, rounded: the naive version.
    MeanLeadTime,
    /// Demand over the whole law of the lead time.
    Convolved,
}

/// The number of weeks of demand that a position must cover until the order after next arrives: the lead time and the week of
/// review; one more where receipts come after demand.
pub(crate) fn coverage(lead: usize, conventions: &Conventions) -> usize {
    lead + 1 + usize::from(conventions.receipts == Receipts::AfterDemand)
}

/// The target inventory position of each product: the empirical quantile, at the critical ratio, of demand over lead time and
/// review in the given weeks. One row of signals, in units, the same in every week.
///
/// Demand over several weeks is summed over all runs of weeks in the record that are known. Where fewer than half of the runs are, the
/// unknown weeks of the others are filled in from the known weeks of the product, with the correlation to the nearest of them: gaps
/// cost precision, not sense. Where a unit cannot earn its cost the target is zero. Our own formulation.
///
/// # Errors
/// When the weeks are fewer than the longest coverage.
pub fn target_position(
    panel: &Panel,
    weeks: Range<usize>,
    lead_times: &dyn LeadTimeLaw,
    treatment: LeadTimeDemand,
    conventions: &Conventions,
) -> Result<Signals, Error> {
    conventions.validate()?;
    let products = 0..panel.products();
    let laws: Vec<Vec<(usize, f64)>> = products
        .map(|product| law(lead_times, product, treatment))
        .collect();
    let longest = laws
        .iter()
        .flatten()
        .map(|&(v, _)| coverage(v, conventions))
        .max()
        .unwrap_or(1);
    if weeks.len() < longest || weeks.end > panel.weeks() {
        let Range { start, end } = weeks;
        let what = "too few weeks to see the demand over a lead time";
        return Err(Error::Weeks {
            what,
            start,
            end,
            weeks: panel.weeks(),
        });
    }
    let levels: Vec<f64> = (0..panel.products())
        .map(|product| {
            let record = KnownWeeks::new(panel, product, weeks.clone());
            let mut sums: Vec<(f64, f64)> = Vec::new();
            for &(lead, probability) in &laws[product] {
                let totals = record.totals(coverage(lead, conventions));
                let weight = probability / count(totals.len().max(1));
                sums.extend(totals.into_iter().map(|sum| (sum, weight)));
            }
            let (price, cost) = mean_prices(panel, product, weeks.clone());
            let lead = mean_lead(lead_times, product);
            match critical_ratio(price, cost, lead, conventions) {
                ratio if ratio > 0.0 => quantile(&mut sums, ratio),
                _ => 0.0,
            }
        })
        .collect();
    let (weeks, products) = (panel.weeks(), panel.products());
    Ok(Signals::constant(weeks, 1, products, |_, product| {
        levels[product]
    }))
}

/// The lead times that a target position reckons with, and their probabilities.
fn law(
    lead_times: &dyn LeadTimeLaw,
    product: usize,
    treatment: LeadTimeDemand,
) -> Vec<(usize, f64)> {
    match treatment {
        LeadTimeDemand::MeanLeadTime => vec![(mean_lead(lead_times, product), 1.0)],
        LeadTimeDemand::Convolved => {
            let law = lead_times.probabilities(product).iter().copied();
            law.enumerate().filter(|&(_, p)| p > 0.0).collect()
        }
    }
}

/// The mean lead time, rounded to whole weeks.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a mean of lead times is small and not negative"
)]
fn mean_lead(lead_times: &dyn LeadTimeLaw, product: usize) -> usize {
    lead_times.mean(product).round() as usize
}

/// Mean price and cost over the weeks in which the product is present (over all weeks if it never is).
pub(crate) fn mean_prices(panel: &Panel, product: usize, weeks: Range<usize>) -> (f64, f64) {
    let present: Vec<usize> = weeks
        .clone()
        .filter(|&w| panel.present(product, w))
        .collect();
    let used = if present.is_empty() {
        weeks.collect()
    } else {
        present
    };
    let n = count(used.len());
    let price = used.iter().map(|&w| panel.price(product, w)).sum::<f64>() / n;
    let cost = used.iter().map(|&w| panel.cost(product, w)).sum::<f64>() / n;
    (price, cost)
}

/// The smallest value at which the weights of the values so far reach `q` of the total; 0 without values.
fn quantile(values: &mut [(f64, f64)], q: f64) -> f64 {
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = values.iter().map(|v| v.1).sum();
    let mut below = 0.0;
    for &(value, weight) in values.iter() {
        below += weight;
        if below >= q * total - 1e-12 {
            return value;
        }
    }
    values.last().map_or(0.0, |v| v.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn critical_ratio_rises_with_price_and_falls_with_cost(
            price in 1.0_f64..20.0, share in 0.05_f64..0.95, more in 0.01_f64..5.0, lead in 0_usize..6, gamma in 0.9_f64..0.999,
        ) {
            let conventions = Conventions { discount: gamma, holding_share: 0.01, ..Conventions::default() };
            let q = critical_ratio(price, share * price, lead, &conventions);
            prop_assert!((0.0..1.0).contains(&q));
            prop_assert!(critical_ratio(price + more, share * price, lead, &conventions) >= q);
            prop_assert!(critical_ratio(price, share * price + more, lead, &conventions) <= q);
        }

        #[test]
        fn quantile_is_the_inverse_of_the_empirical_law(mut xs in prop::collection::vec(0.0_f64..10.0, 1..40), q in 0.0_f64..1.0) {
            let n = count(xs.len());
            let mut weighted: Vec<(f64, f64)> = xs.iter().map(|&x| (x, 1.0)).collect();
            let value = quantile(&mut weighted, q);
            xs.sort_by(f64::total_cmp);
            let at_most = count(xs.iter().filter(|&&x| x <= value).count());
            let below = count(xs.iter().filter(|&&x| x < value).count());
            prop_assert!(at_most >= q * n - 1e-9 && below <= q * n + 1e-9);
        }
    }
}
