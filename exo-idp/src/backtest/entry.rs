//! What is kept of a policy's outcomes: all that the results say, without the weeks of every lane.

use std::ops::Range;

use super::results::Track;
use super::standings::Role;
use crate::count::count;
use crate::outcomes::{Outcomes, Quantity};
use crate::panel::Panel;

/// Products shown week by week.
const SHOWN: usize = 4;

/// Money by product and week.
pub(super) type Rewards = Vec<Vec<f64>>;

/// One policy on the held-out weeks.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) role: Role,
    /// What it earned in all.
    pub(super) reward: f64,
    /// By product and week.
    pub(super) earned: Rewards,
    /// By product.
    pub(super) objectives: Vec<f64>,
    pub(super) fill_rate: f64,
    /// Units on hand at the ends of all weeks, and units ordered.
    pub(super) stock: f64,
    pub(super) ordered: f64,
    /// Share of weeks with an order, over all products and samples.
    pub(super) order_frequency: f64,
    /// Of the products shown.
    pub(super) tracks: Vec<Track>,
}

impl Entry {
    /// What is kept of a policy's outcomes; `shown` are the products whose weeks are.
    pub(super) fn new(name: &str, role: Role, outcomes: &Outcomes, shown: &[usize]) -> Self {
        let products = || 0..outcomes.products();
        let track = |&product: &usize| {
            let weekly = |quantity| {
                let weeks = outcomes.scored();
                weeks
                    .map(|week| outcomes.sample(quantity, product, 0, week))
                    .collect()
            };
            Track {
                policy: name.to_owned(),
                stock: weekly(Quantity::OnHand),
                orders: weekly(Quantity::Order),
            }
        };
        Entry {
            name: name.to_owned(),
            role,
            reward: outcomes.reward(),
            earned: products().map(|p| outcomes.accrued_reward(p)).collect(),
            objectives: products().map(|p| outcomes.objective(p)).collect(),
            fill_rate: outcomes.fill_rate(),
            stock: outcomes.total(Quantity::OnHand),
            ordered: outcomes.total(Quantity::Order),
            order_frequency: order_frequency(outcomes),
            tracks: shown.iter().map(track).collect(),
        }
    }
}

/// Products at evenly spaced ranks of demand in some weeks, from fast to slow.
pub(super) fn shown(panel: &Panel, weeks: &Range<usize>) -> Vec<usize> {
    let demand: Vec<f64> = (0..panel.products())
        .map(|product| weeks.clone().map(|w| panel.demand(product, w)).sum())
        .collect();
    let mut order: Vec<usize> = (0..panel.products()).collect();
    order.sort_by(|&a, &b| demand[b].total_cmp(&demand[a]).then(a.cmp(&b)));
    let shown = SHOWN.min(order.len());
    let ranks = (0..shown).map(|k| (2 * k + 1) * order.len() / (2 * shown));
    ranks.map(|rank| order[rank]).collect()
}

fn order_frequency(outcomes: &Outcomes) -> f64 {
    let (mut ordered, mut all) = (0, 0);
    for week in outcomes.scored() {
        let orders = outcomes.row(Quantity::Order, week);
        all += orders.len();
        ordered += orders.iter().filter(|&&units| units > 0.0).count();
    }
    count(ordered) / count(all.max(1))
}
