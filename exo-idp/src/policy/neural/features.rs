//! What the network sees of the record.

use std::ops::Range;

use super::super::newsvendor::{critical_ratio, mean_prices};
use super::super::plan::Plan;
use crate::conventions::Conventions;
use crate::count::count;
use crate::panel::Panel;

/// The network's view of the record. Every number of week `t` is known when the order of week `t` is placed.
pub(super) struct Features<'p> {
    panel: &'p Panel,
    plan: Plan,
    pub(super) scale: Vec<f64>,
    price: Vec<f64>,
    traits: Vec<[f64; 4]>,
    /// Mean and inverse standard deviation of every covariate.
    covariates: Vec<(f64, f64)>,
    planned: Vec<usize>,
    late: Vec<usize>,
}

impl<'p> Features<'p> {
    pub(super) fn new(
        panel: &'p Panel,
        weeks: Range<usize>,
        plan: Plan,
        conventions: &Conventions,
    ) -> Self {
        let mut scale = Vec::new();
        let mut price = Vec::new();
        let mut traits = Vec::new();
        for product in 0..panel.products() {
            let used: Vec<f64> = weeks
                .clone()
                .filter(|&w| panel.present(product, w))
                .map(|w| panel.demand(product, w))
                .collect();
            let n = count(used.len().max(1));
            let mean = used.iter().sum::<f64>() / n;
            let variance = used.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / n;
            // A product without demand in these weeks is on the scale of one unit.
            let unit = if mean > 0.0 { mean } else { 1.0 };
            let (p, c) = mean_prices(panel, product, weeks.clone());
            scale.push(unit);
            price.push(p);
            let ratio = critical_ratio(p, c, 0, conventions);
            traits.push([variance.sqrt() / unit, 0.25 * unit.ln(), c / p, ratio]);
        }
        // Relative to the products' geometric mean, so that the unit of demand does not matter.
        let typical = traits.iter().map(|t: &[f64; 4]| t[1]).sum::<f64>() / count(traits.len());
        traits.iter_mut().for_each(|t| t[1] -= typical);
        let cells = || (0..panel.products()).flat_map(|p| weeks.clone().map(move |w| (p, w)));
        let covariates = (0..panel.covariates().len())
            .map(|k| {
                let values: Vec<f64> = cells().map(|(p, w)| panel.covariate(k, p, w)).collect();
                let mean = values.iter().sum::<f64>() / count(values.len());
                let variance =
                    values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count(values.len());
                (
                    mean,
                    if variance > 1e-12 {
                        1.0 / variance.sqrt()
                    } else {
                        0.0
                    },
                )
            })
            .collect();
        let split = |planned| {
            (0..panel.covariates().len())
                .filter(|&k| panel.covariates()[k].planned == planned)
                .collect()
        };
        Features {
            panel,
            plan,
            scale,
            price,
            traits,
            covariates,
            planned: split(true),
            late: split(false),
        }
    }

    /// Channels of the convolutions.
    pub(super) fn channels(&self) -> usize {
        4 + self.planned.len() + self.late.len()
    }

    pub(super) fn channel(&self, product: usize, week: usize, k: usize) -> f64 {
        let panel = self.panel;
        let before = week.checked_sub(1);
        match k {
            0 => before.map_or(0.0, |w| {
                (panel.demand(product, w) / self.scale[product]).ln_1p()
            }),
            1 => before.map_or(0.0, |w| f64::from(u8::from(panel.present(product, w)))),
            2 => self.relative_price(product, week),
            3 => {
                (panel.cost(product, week) / self.price[product])
                    .ln()
                    .clamp(-3.0, 3.0)
                    + 0.4
            }
            _ if k < 4 + self.planned.len() => self.covariate(self.planned[k - 4], product, week),
            _ => before.map_or(0.0, |w| {
                self.covariate(self.late[k - 4 - self.planned.len()], product, w)
            }),
        }
    }

    fn relative_price(&self, product: usize, week: usize) -> f64 {
        4.0 * (self.panel.price(product, week) / self.price[product])
            .ln()
            .clamp(-1.5, 1.5)
    }

    fn covariate(&self, k: usize, product: usize, week: usize) -> f64 {
        let (mean, inverse) = self.covariates[k];
        ((self.panel.covariate(k, product, week) - mean) * inverse).clamp(-5.0, 5.0)
    }

    fn per_week(&self) -> usize {
        self.planned.len() + usize::from(self.plan.price)
    }

    /// Rows of the plan ahead, and of the traits that never change.
    pub(super) fn ahead(&self) -> usize {
        self.plan.horizon * self.per_week() + 4 + 2
    }

    pub(super) fn plan_ahead(&self, product: usize, week: usize, row: usize) -> f64 {
        let per_week = self.per_week();
        let planned = self.plan.horizon * per_week;
        if row >= planned {
            return match row - planned {
                k @ 0..4 => self.traits[product][k],
                4 => self.trailing(product, week, 4),
                _ => self.trailing(product, week, 13),
            };
        }
        let (ahead, k) = (1 + row / per_week, row % per_week);
        let then = week + ahead;
        // Beyond the record nothing is planned: the mean covariate, the present price.
        if then >= self.panel.weeks() {
            return if k < self.planned.len() {
                0.0
            } else {
                self.relative_price(product, week)
            };
        }
        match self.planned.get(k) {
            Some(&covariate) => self.covariate(covariate, product, then),
            None => self.relative_price(product, then),
        }
    }

    /// The mean logarithm of relative demand over the last weeks, this one excluded.
    fn trailing(&self, product: usize, week: usize, weeks: usize) -> f64 {
        let used: Vec<f64> = (week.saturating_sub(weeks)..week)
            .filter(|&w| self.panel.present(product, w))
            .map(|w| (self.panel.demand(product, w) / self.scale[product]).ln_1p())
            .collect();
        if used.is_empty() {
            0.5
        } else {
            used.iter().sum::<f64>() / count(used.len())
        }
    }
}
