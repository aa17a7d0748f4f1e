//! The inputs and levels of one product and week.

use nalgebra::DVector;

use super::history::History;
use super::lead_demand::LeadDemand;
use super::response::{self, Response};
use super::season::{self, Indices};
use super::terms::Terms;
use super::trend;
use crate::conventions::{Conventions, Unmet};
use crate::count::count;
use crate::policy::{coverage, critical_ratio};

/// Names of the inputs, in order. All are without unit and of the order of one.
pub const INPUTS: [&str; 64] = [
    "recent 4",
    "recent 8",
    "recent 13",
    "recent 26",
    "recent 52",
    "smoothed",
    "last 1",
    "last 2",
    "last 3",
    "last 4",
    "known 13",
    "deviation",
    "deviation 13",
    "selling",
    "idle 13",
    "since sale",
    "variation of sales",
    "largest",
    "autocorrelation",
    "weeks known",
    "weeks selling",
    "season known",
    "season of panel",
    "season",
    "season at receipt",
    "panel against last year",
    "price slope",
    "price 0",
    "plan 0",
    "price 1",
    "plan 1",
    "price 2",
    "plan 2",
    "price 3",
    "plan 3",
    "price before",
    "plan before",
    "uplift",
    "cost",
    "cost share",
    "critical ratio",
    "logit of ratio",
    "logit of mean ratio",
    "holding",
    "discount",
    "penalty",
    "orders wait",
    "mean lead",
    "longest lead",
    "deviation of lead",
    "cover",
    "level of quantile",
    "level of recent",
    "level of plan",
    "level of season",
    "panel 4",
    "panel 4 live",
    "panel 8",
    "panel 8 live",
    "panel 16",
    "panel 16 live",
    "smallest sale",
    "dispersion",
    "quantile to mean",
];

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
const AHEAD: usize = 4;

/// What became of a product's promotions so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Uplift {
    weeks: f64,
    sum: f64,
    /// Smoothed demand, freed of the plan's effect.
    plain: f64,
}

/// What all products of a week share.
#[derive(Debug)]
pub(super) struct Common<'a> {
    season: &'a Indices,
    trend: [f64; trend::ROWS],
    against_last_year: f64,
    /// The typical smallest sale of the panel, in units; none before the first.
    unit: Option<f64>,
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

/// What [`Outlook::rows`] returns.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) inputs: Vec<f64>,
    /// In units of the scale.
    pub(super) levels: [f64; LEVELS.len()],
    pub(super) scale: f64,
}

/// The law of a product's lead times, as an order sees it.
#[derive(Debug, PartialEq)]
struct Lead {
    probabilities: Vec<f64>,
    /// Lengths of lead time and review with their probabilities.
    spans: Vec<(usize, f64)>,
    /// Probability that a span is longer than h weeks, by h.
    survival: Vec<f64>,
    mean: f64,
    deviation: f64,
}

impl Lead {
    fn new(probabilities: &[f64], conventions: &Conventions) -> Self {
        let law = probabilities.iter().copied().enumerate();
        let law = law.filter(|&(_, p)| p > 0.0);
        let spans: Vec<(usize, f64)> = law
            .clone()
            .map(|(lead, p)| (coverage(lead, conventions), p))
            .collect();
        let longest = spans.iter().map(|&(span, _)| span).max().unwrap_or(1);
        let beyond = |h: usize| spans.iter().filter(move |&&(span, _)| span > h);
        let survival = (0..longest)
            .map(|h| beyond(h).map(|&(_, p)| p).sum())
            .collect();
        let moment = |power: i32| {
            law.clone()
                .map(|(l, p)| p * count(l).powi(power))
                .sum::<f64>()
        };
        let mean = moment(1);
        Lead {
            probabilities: probabilities.to_vec(),
            survival,
            mean,
            deviation: (moment(2) - mean * mean).max(0.0).sqrt(),
            spans,
        }
    }

    /// Mean length of lead time and review.
    fn cover(&self) -> f64 {
        self.survival.iter().sum()
    }
}

/// The plan and the laws of lead times, as the order of a week sees them.
#[derive(Debug)]
pub(super) struct Outlook<'a> {
    terms: &'a Terms<'a>,
    laws: Vec<Lead>,
    /// Which law is a product's.
    law_of: Vec<usize>,
    planned: Vec<usize>,
}

/// The effect of the plan in the weeks that an order covers.
struct Planned {
    slopes: DVector<f64>,
    /// Log-price relative to its mean and the effect of the covariates, for weeks 0, 1, … ahead.
    ahead: Vec<(f64, f64)>,
    before: (f64, f64),
    /// Mean factor on demand over the weeks covered.
    factor: f64,
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

    fn lead(&self, product: usize) -> &Lead {
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
    fn price(&self, product: usize, week: usize, ahead: usize) -> f64 {
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

    fn planned(&self, view: &Product<'_>) -> Planned {
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
    fn season(&self, product: usize, index: &[f64]) -> f64 {
        let lead = self.lead(product);
        let sum: f64 = lead.survival.iter().zip(index).map(|(p, i)| p * i).sum();
        sum / lead.cover()
    }

    /// Inputs, levels and scale.
    pub(super) fn rows(&self, view: &Product<'_>, common: &Common<'_>) -> Rows {
        let Product {
            history,
            product,
            week,
            ..
        } = *view;
        let (weeks, present) = (history.known(), self.terms.panel.present(product, week));
        if weeks <= 0.0 && !present {
            // Not on the market yet, and nothing is known of it.
            return Rows {
                inputs: vec![0.0; INPUTS.len()],
                levels: [0.0; LEVELS.len()],
                scale: 1.0,
            };
        }
        // Without any demand yet, half a sale so far.
        let unit = common.unit.unwrap_or(1.0);
        let nothing = 0.5 * unit / weeks.max(1.0);
        let scale = if history.mean() > 0.0 {
            history.mean()
        } else {
            nothing
        };
        let (plan, lead) = (self.planned(view), self.lead(product));
        let levels = self.levels(view, &plan, scale);
        let mut inputs = Inputs(Vec::with_capacity(INPUTS.len()));
        inputs.demand(history, scale);
        inputs.season(view, common, self);
        inputs.plan(&plan, lead.survival.len(), view.uplift);
        inputs.money(view, self);
        inputs.levels(&levels, lead.cover());
        for (name, value) in INPUTS[55..61].iter().zip(common.trend) {
            inputs.put(name, value);
        }
        inputs.put(
            "smallest sale",
            (history.smallest().unwrap_or(unit) / scale + 0.05).ln() * 0.5,
        );
        inputs.put(
            "dispersion",
            (history.dispersion() / scale + 0.05).ln() * 0.5,
        );
        inputs.put(
            "quantile to mean",
            (levels[0] / levels[1].max(1e-9)).min(10.0).sqrt(),
        );
        debug_assert_eq!(inputs.0.len(), INPUTS.len());
        Rows {
            inputs: inputs.0,
            levels,
            scale,
        }
    }

    fn ratio(&self, product: usize, price: f64, cost: f64) -> f64 {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a mean of lead times is small and not negative"
        )]
        let lead = self.lead(product).mean.round() as usize;
        critical_ratio(price, cost, lead, &self.terms.conventions)
    }

    /// Mean price and cost so far; before the first week those of the present one.
    fn prices(&self, view: &Product<'_>) -> (f64, f64) {
        let panel = self.terms.panel;
        let now = || {
            (
                panel.price(view.product, view.week),
                panel.cost(view.product, view.week),
            )
        };
        view.history.prices().unwrap_or_else(now)
    }

    fn levels(&self, view: &Product<'_>, plan: &Planned, scale: f64) -> [f64; LEVELS.len()] {
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

/// Inputs in the order of [`INPUTS`].
struct Inputs(Vec<f64>);

impl Inputs {
    fn put(&mut self, name: &str, value: f64) {
        debug_assert_eq!(INPUTS.get(self.0.len()), Some(&name));
        self.0.push(value);
    }

    fn demand(&mut self, history: &History, scale: f64) {
        let relative = |units: f64| units / scale;
        for (name, weeks) in INPUTS[..5].iter().zip([4, 8, 13, 26, 52]) {
            self.put(name, (0.05 + relative(history.recent(weeks))).ln());
        }
        self.put("smoothed", (0.05 + relative(history.smoothed())).ln());
        for (name, back) in INPUTS[6..10].iter().zip(1..) {
            let week = history.weeks().checked_sub(back);
            let demand = week.and_then(|week| history.demand(week));
            self.put(name, demand.map_or(0.7, |d| relative(d).ln_1p()));
        }
        let all = history.weeks();
        self.put("known 13", history.coverage(13));
        self.put("deviation", (0.1 + relative(history.deviation(all))).ln());
        self.put("deviation 13", (0.1 + relative(history.deviation(13))).ln());
        self.put("selling", history.sales() / history.known().max(1.0));
        self.put("idle 13", history.idle(13));
        self.put("since sale", history.since_sale().ln_1p() * 0.5);
        self.put(
            "variation of sales",
            history.variation_of_sales().map_or(0.0, |v| (0.1 + v).ln()),
        );
        self.put("largest", relative(history.largest()).ln_1p() * 0.5);
        self.put("autocorrelation", history.autocorrelation());
        self.put("weeks known", history.known().max(1.0).ln() * 0.5 - 1.5);
        self.put("weeks selling", history.sales().ln_1p() * 0.5 - 1.0);
    }

    fn season(&mut self, view: &Product<'_>, common: &Common<'_>, outlook: &Outlook<'_>) {
        self.put("season known", f64::from(u8::from(common.season.known)));
        self.put(
            "season of panel",
            outlook.season(view.product, &common.season.panel).ln(),
        );
        self.put("season", outlook.season(view.product, view.season).ln());
        self.put(
            "season at receipt",
            view.season.last().map_or(0.0, |i| i.ln()),
        );
        self.put("panel against last year", common.against_last_year);
    }

    fn plan(&mut self, plan: &Planned, covered: usize, uplift: &Uplift) {
        self.put("price slope", plan.slopes[0].clamp(-8.0, 2.0) * 0.25);
        for (h, pair) in INPUTS[27..27 + 2 * AHEAD].chunks_exact(2).enumerate() {
            let (price, rest) = if h < covered {
                plan.ahead[h]
            } else {
                (0.0, 0.0)
            };
            self.put(pair[0], price * 3.0);
            self.put(pair[1], rest);
        }
        self.put("price before", plan.before.0 * 3.0);
        self.put("plan before", plan.before.1);
        let usual = if uplift.weeks > 0.0 {
            uplift.sum / uplift.weeks
        } else {
            1.0
        };
        self.put("uplift", (plan.factor / usual).ln());
    }

    fn money(&mut self, view: &Product<'_>, outlook: &Outlook<'_>) {
        let conventions = &outlook.terms.conventions;
        let cost = outlook.terms.panel.cost(view.product, view.week);
        let (mean_price, mean_cost) = outlook.prices(view);
        let lead = outlook.lead(view.product);
        let expected: f64 = lead
            .probabilities
            .iter()
            .enumerate()
            .map(|(weeks, p)| p * outlook.price(view.product, view.week, weeks))
            .sum();
        let logit = |q: f64| ((q + 1e-3) / (1.0 - q + 1e-3)).ln() * 0.3;
        let ratio = outlook.ratio(view.product, expected, cost);
        let interest = 1.0 - conventions.discount;
        let holding = interest + conventions.holding_share + conventions.holding / cost;
        self.put("cost", (cost / mean_cost).ln().clamp(-1.0, 1.0) * 3.0);
        self.put("cost share", (cost / expected).min(3.0));
        self.put("critical ratio", ratio);
        self.put("logit of ratio", logit(ratio));
        self.put(
            "logit of mean ratio",
            logit(outlook.ratio(view.product, mean_price, mean_cost)),
        );
        self.put("holding", (holding + 1e-5).ln() * 0.3 + 1.3);
        self.put("discount", (interest + 1e-5).ln() * 0.3 + 1.5);
        self.put("penalty", (conventions.penalty / mean_price).ln_1p());
        let waits = conventions.unmet == Unmet::Backordered;
        self.put("orders wait", f64::from(u8::from(waits)));
        self.put("mean lead", lead.mean * 0.4);
        self.put(
            "longest lead",
            count(lead.probabilities.len().max(1) - 1) * 0.3,
        );
        self.put("deviation of lead", lead.deviation);
        self.put("cover", lead.cover().ln());
    }

    fn levels(&mut self, levels: &[f64; LEVELS.len()], cover: f64) {
        for (name, k) in INPUTS[51..55].iter().zip([0, 2, 3, 4]) {
            self.put(name, (0.1 + levels[k]).ln() - cover.ln());
        }
    }
}
