//! What is known of one product in a week, and its levels.

use nalgebra::DVector;

use super::history::History;
use super::lead::Lead;
use super::lead_demand::LeadDemand;
use super::response::{self, Response};
use super::season::{self, Indices};
use super::terms::Terms;
use super::trend;
use crate::count::count;
use crate::policy::critical_ratio;

/// Names of the levels, in order: inventory positions to order up to.
///
/// - *lead-time demand*: the empirical quantile, at the critical ratio of mean price and cost, of demand over lead time and review;
/// - *mean demand* and *recent demand* times the mean cover (lead time and review); recent is half the mean of a quarter (of a whole short cycle), half the
///   exponentially smoothed mean;
/// - *planned demand*: recent demand freed of what prices and promotions did to it, times what they will do in the weeks covered;
/// - *seasonal demand*: the mean of the last quarter times the seasonal index of the weeks covered.
pub const LEVELS: [&str; 5] = [
    "lead-time demand",
    "mean demand",
    "recent demand",
    "planned demand",
    "seasonal demand",
];

/// Lags of the plan that are inputs.
pub(super) const AHEAD: usize = 4;

/// What became of a product's promotions so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Uplift {
    pub(super) weeks: f64,
    pub(super) sum: f64,
    /// Smoothed demand, freed of the plan's effect.
    plain: f64,
}

/// What all products of a week share.
#[derive(Debug)]
pub(super) struct Common<'a> {
    pub(super) season: &'a Indices,
    pub(super) trend: [f64; trend::ROWS],
    pub(super) against_last_year: f64,
    /// The typical smallest sale of the panel, in units; none before the first.
    pub(super) unit: Option<f64>,
}

impl<'a> Common<'a> {
    pub(super) fn new(histories: &[History], season: &'a Indices, year: usize) -> Self {
        let mut smallest: Vec<f64> = histories.iter().filter_map(History::smallest).collect();
        smallest.sort_by(f64::total_cmp);
        Common {
            season,
            trend: trend::panel(histories),
            against_last_year: trend::against_last_year(histories, year),
            unit: smallest.get(smallest.len() / 2).copied(),
        }
    }
}

/// A product in a week, before its order is placed.
#[derive(Debug)]
pub(super) struct Product<'a> {
    pub(super) product: usize,
    pub(super) week: usize,
    pub(super) history: &'a History,
    pub(super) sums: &'a LeadDemand,
    pub(super) response: &'a Response,
    pub(super) uplift: &'a Uplift,
    /// Seasonal indices by week ahead.
    pub(super) season: &'a [f64],
}

/// The plan and the laws of lead times, as the order of a week sees them.
#[derive(Debug)]
pub(super) struct Outlook<'a> {
    pub(super) terms: &'a Terms<'a>,
    laws: Vec<Lead>,
    /// Which law is a product's.
    law_of: Vec<usize>,
    planned: Vec<usize>,
}

/// The effect of the plan in the weeks that an order covers.
pub(super) struct Planned {
    pub(super) slopes: DVector<f64>,
    /// Log-price relative to its mean and the effect of the covariates, for weeks 0, 1, … ahead.
    pub(super) ahead: Vec<(f64, f64)>,
    pub(super) before: (f64, f64),
    /// Mean factor on demand over the weeks covered.
    pub(super) factor: f64,
}

impl<'a> Outlook<'a> {
    pub(super) fn new(terms: &'a Terms<'a>) -> Self {
        let mut laws: Vec<Lead> = Vec::new();
        let of = |product: usize| {
            let probabilities = terms.lead_times.probabilities(product);
            let same = |law: &Lead| law.probabilities == probabilities;
            laws.iter().position(same).unwrap_or_else(|| {
                laws.push(Lead::new(probabilities, &terms.conventions));
                laws.len() - 1
            })
        };
        let law_of = (0..terms.panel.products()).map(of).collect();
        let covariates = terms.panel.covariates().iter().enumerate();
        let planned = covariates.filter(|(_, c)| c.planned).map(|(k, _)| k);
        Outlook {
            terms,
            laws,
            law_of,
            planned: planned.collect(),
        }
    }

    pub(super) fn lead(&self, product: usize) -> &Lead {
        &self.laws[self.law_of[product]]
    }

    /// Weeks ahead for which a seasonal index is wanted.
    pub(super) fn ahead(&self) -> usize {
        self.laws
            .iter()
            .map(|law| law.survival.len())
            .max()
            .unwrap_or(1)
    }

    /// Planned covariates.
    pub(super) fn covariates(&self) -> usize {
        self.planned.len()
    }

    /// The price of a week ahead, as far as it is known: beyond the plan, that of its last week.
    pub(super) fn price(&self, product: usize, week: usize, ahead: usize) -> f64 {
        let Terms { panel, plan, .. } = self.terms;
        let known = if plan.price {
            ahead.min(plan.horizon)
        } else {
            0
        };
        panel.price(product, (week + known).min(panel.weeks() - 1))
    }

    /// The regressors of a week ahead; none where the plan does not reach.
    fn regressors(&self, view: &Product<'_>, ahead: usize) -> DVector<f64> {
        let Terms { panel, plan, .. } = self.terms;
        let week = (view.week + ahead.min(plan.horizon)).min(panel.weeks() - 1);
        let mean = view.history.prices().map(|(price, _)| price);
        let price = self.price(view.product, view.week, ahead);
        let relative = mean.map_or(1.0, |mean| price / mean);
        let values = self
            .planned
            .iter()
            .map(|&k| panel.covariate(k, view.product, week));
        view.response.regressors(relative, values)
    }

    pub(super) fn planned(&self, view: &Product<'_>) -> Planned {
        let Product {
            product, response, ..
        } = *view;
        let slopes = response.slopes(product);
        let lead = self.lead(product);
        let reach = lead.survival.len().max(AHEAD);
        let mut factor = 0.0;
        let mut ahead = Vec::with_capacity(reach);
        for h in 0..reach {
            let x = self.regressors(view, h);
            let (price, mut rest) = response.effect(product, &slopes, &x);
            if h > self.terms.plan.horizon {
                // Beyond the plan: an ordinary week.
                rest = 0.0;
            }
            if let Some(p) = lead.survival.get(h) {
                factor += p * response::factor(price + rest);
            }
            ahead.push((x[0], rest));
        }
        let before = view.week.checked_sub(1).map_or((0.0, 0.0), |week| {
            let panel = self.terms.panel;
            let mean = view.history.prices().map(|(price, _)| price);
            let price = panel.price(product, week);
            let values = self
                .planned
                .iter()
                .map(|&k| panel.covariate(k, product, week));
            let x = response.regressors(mean.map_or(1.0, |mean| price / mean), values);
            (x[0], response.effect(product, &slopes, &x).1)
        });
        Planned {
            slopes,
            ahead,
            before,
            factor: factor / lead.cover(),
        }
    }

    /// The mean of a product's seasonal index over the weeks that an order covers.
    pub(super) fn season(&self, product: usize, index: &[f64]) -> f64 {
        let lead = self.lead(product);
        let sum: f64 = lead.survival.iter().zip(index).map(|(p, i)| p * i).sum();
        sum / lead.cover()
    }

    pub(super) fn ratio(&self, product: usize, price: f64, cost: f64) -> f64 {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a mean of lead times is small and not negative"
        )]
        let lead = self.lead(product).mean.round() as usize;
        critical_ratio(price, cost, lead, &self.terms.conventions)
    }

    /// Mean price and cost so far; before the first week those of the present one.
    pub(super) fn prices(&self, view: &Product<'_>) -> (f64, f64) {
        let panel = self.terms.panel;
        let now = || {
            (
                panel.price(view.product, view.week),
                panel.cost(view.product, view.week),
            )
        };
        view.history.prices().unwrap_or_else(now)
    }

    pub(super) fn levels(
        &self,
        view: &Product<'_>,
        plan: &Planned,
        scale: f64,
    ) -> [f64; LEVELS.len()] {
        let history = view.history;
        let cover = self.lead(view.product).cover();
        let mean = if history.mean() > 0.0 {
            history.mean() / scale
        } else {
            1.0
        };
        let (price, cost) = self.prices(view);
        let quantile = view.sums.quantile(self.ratio(view.product, price, cost));
        let quarter = season::base(self.terms.year);
        let recent = 0.5 * (history.recent(quarter) + history.smoothed()) / scale;
        let plain = if view.uplift.weeks > 0.0 {
            view.uplift.plain / scale
        } else {
            mean
        };
        // A quarter of few known weeks is drawn to the year.
        let n = history.coverage(quarter) * count(quarter);
        let level =
            (n * history.recent(quarter) + 3.0 * history.recent(self.terms.year)) / (n + 3.0);
        [
            quantile.map_or(cover * mean, |q| q / scale),
            cover * mean,
            cover * recent,
            cover * plan.factor * plain,
            cover * self.season(view.product, view.season) * level / scale,
        ]
    }

    /// A product's demand over lead time and review in the first `weeks` weeks, none of which is known yet.
    pub(super) fn lead_demand(&self, product: usize, weeks: usize) -> LeadDemand {
        let mut record = History::new();
        (0..weeks).for_each(|week| self.record(product, week, &mut record));
        LeadDemand::new(&record, &self.lead(product).spans)
    }

    fn record(&self, product: usize, week: usize, history: &mut History) {
        let panel = self.terms.panel;
        history.push(
            panel.present(product, week),
            panel.demand(product, week),
            panel.price(product, week),
            panel.cost(product, week),
        );
    }

    /// Takes a week into what is known of a product.
    pub(super) fn push(
        &self,
        product: usize,
        week: usize,
        history: &mut History,
        sums: &mut LeadDemand,
        response: &mut Response,
        uplift: &mut Uplift,
    ) {
        let panel = self.terms.panel;
        self.record(product, week, history);
        sums.push(history, &self.lead(product).spans);
        if !panel.present(product, week) {
            return;
        }
        let (demand, price) = (panel.demand(product, week), panel.price(product, week));
        let mean = history.prices().map_or(price, |(mean, _)| mean);
        let values = self
            .planned
            .iter()
            .map(|&k| panel.covariate(k, product, week));
        let x = response.regressors(price / mean, values);
        let slopes = response.slopes(product);
        let (of_price, rest) = response.effect(product, &slopes, &x);
        let factor = response::factor(of_price + rest);
        response.push(product, &x, demand, history.mean());
        uplift.weeks += 1.0;
        uplift.sum += factor;
        uplift.plain += f64::max(0.1, 1.0 / uplift.weeks) * (demand / factor - uplift.plain);
    }
}
