//! The inputs and levels of one product and week.

use super::history::History;
use super::outlook::{AHEAD, Common, LEVELS, Outlook, Planned, Product, Uplift};
use crate::conventions::Unmet;
use crate::count::count;

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

/// What [`rows`] returns.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) inputs: Vec<f64>,
    /// In units of the scale.
    pub(super) levels: [f64; LEVELS.len()],
    pub(super) scale: f64,
}

/// Inputs, in the order of [`INPUTS`], levels and scale of a product in a week.
pub(super) fn rows(outlook: &Outlook<'_>, view: &Product<'_>, common: &Common<'_>) -> Rows {
    let (history, product) = (view.history, view.product);
    let weeks = history.known();
    if weeks <= 0.0 && !outlook.terms.panel.present(product, view.week) {
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
    let (plan, lead) = (outlook.planned(view), outlook.lead(product));
    let levels = outlook.levels(view, &plan, scale);
    let mut inputs = Inputs(Vec::with_capacity(INPUTS.len()));
    inputs.demand(history, scale);
    inputs.season(view, common, outlook);
    inputs.plan(&plan, lead.survival.len(), view.uplift);
    inputs.money(view, outlook);
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
