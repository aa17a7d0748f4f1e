//! The results of a back-test as plain data: what the report shows and `--json` holds.
//!
//! Rewards and quantities are means per product and week over the scored weeks unless a name says otherwise; money is in the
//! unit of the file's prices.

use serde::Serialize;

use super::scores::{Origins, Pair};

/// A 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Interval {
    /// Lower end.
    pub(crate) lo: f64,
    /// Upper end.
    pub(crate) hi: f64,
}

/// What a policy is in the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    /// Knows the future: no policy can be held to it.
    Oracle,
    /// Trained through the replay.
    Trained,
    /// Fitted by a rule.
    Heuristic,
}

/// The difference of a policy to the best heuristic, on the same paths.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Difference {
    /// Mean difference of reward, money per product and week.
    pub(crate) mean: f64,
    /// Its interval by the paired bootstrap.
    pub(crate) interval: Interval,
}

/// One policy on the held-out weeks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct PolicyResult {
    /// Its name.
    pub(crate) name: String,
    /// What it is in the comparison.
    pub(crate) role: Role,
    /// Reward over all products and scored weeks, money.
    pub(crate) total: f64,
    /// Mean reward, money per product and week.
    pub(crate) mean: f64,
    /// Its interval.
    pub(crate) interval: Interval,
    /// Total reward as a share of the perfect-information bound.
    pub(crate) share_of_bound: f64,
    /// The interval of that share, where it was computed.
    pub(crate) share_interval: Option<Interval>,
    /// The mean over products of each product's own share: every product weighs the same.
    pub(crate) share_by_product: Option<f64>,
    /// Against the best heuristic; none for that heuristic itself.
    pub(crate) against_best: Option<Difference>,
    /// Units sold over units demanded.
    pub(crate) fill_rate: f64,
    /// Mean stock at the end of a week, units.
    pub(crate) stock: f64,
    /// Mean order, units.
    pub(crate) ordered: f64,
    /// Share of weeks with an order.
    pub(crate) order_frequency: f64,
}

/// One product on the held-out weeks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct ProductResult {
    /// Its name.
    pub(crate) name: String,
    /// Total reward by policy, in the order of [`Results::policies`], money.
    pub(crate) rewards: Vec<f64>,
    /// The perfect-information bound, money.
    pub(crate) bound: f64,
    /// Mean demand, units a week.
    pub(crate) demand: f64,
    /// Mean margin as a share of the price.
    pub(crate) margin: f64,
    /// Share of weeks under promotion; none without a planned covariate.
    pub(crate) promoted: Option<f64>,
    /// Its groups, in the order of [`Results::group_names`].
    pub(crate) groups: Vec<String>,
}

/// Some of the products.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Group {
    /// "minute-maid-64", "12 to 30 units a week".
    pub(crate) label: String,
    /// Products in it.
    pub(crate) products: usize,
    /// The share of them on which each policy earns most, in the order of [`Results::policies`].
    pub(crate) wins: Vec<f64>,
    /// The trained policy minus the best heuristic on these products.
    pub(crate) difference: Option<Difference>,
}

/// One way to split the products.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Split {
    /// "all", "demand", "brand".
    pub(crate) name: String,
    /// Its groups.
    pub(crate) groups: Vec<Group>,
    /// Groups left out because there are too many.
    pub(crate) left_out: usize,
}

/// Stock and orders of one policy on one product, week by week.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Track {
    /// The policy's name.
    pub(crate) policy: String,
    /// Units on hand at the end of each week.
    pub(crate) stock: Vec<f64>,
    /// Units ordered in each week.
    pub(crate) orders: Vec<f64>,
}

/// One product shown week by week.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Sample {
    /// Its name.
    pub(crate) product: String,
    /// The weeks as the file writes them.
    pub(crate) weeks: Vec<String>,
    /// Units demanded in each week.
    pub(crate) demand: Vec<f64>,
    /// The policies shown.
    pub(crate) tracks: Vec<Track>,
}

/// One point of the training curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Epoch {
    /// The pass or step.
    pub(crate) step: u32,
    /// Mean reward on the training weeks, if it was measured at this step.
    pub(crate) training: Option<f64>,
    /// Mean reward on the validation weeks, if it was measured at this step.
    pub(crate) validation: Option<f64>,
}

/// How the run was made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Run {
    /// The file, or what was made up in its place.
    pub(crate) source: String,
    /// Rows read.
    pub(crate) rows: usize,
    /// Products.
    pub(crate) products: usize,
    /// Weeks without a row inside the products' spans.
    pub(crate) missing_weeks: usize,
    /// First and last week for fitting and training, as the file writes them.
    pub(crate) training: (String, String),
    /// First and last week of validation (early stopping), if there were any.
    pub(crate) validation: Option<(String, String)>,
    /// First and last scored week.
    pub(crate) held_out: (String, String),
    /// The law of lead times.
    pub(crate) lead_time: String,
    /// The unit of money ("USD").
    pub(crate) money: String,
    /// Further conventions by name: order of events, end of horizon, discount, holding cost, start.
    pub(crate) conventions: Vec<(String, String)>,
    /// What a reader must know: sales taken as demand, a synthetic world, products left out.
    pub(crate) warnings: Vec<String>,
}

/// A back-test.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Results {
    /// How the run was made.
    pub(crate) run: Run,
    /// The policies, the highest reward first.
    pub(crate) policies: Vec<PolicyResult>,
    /// The name of the best heuristic, against which all are compared.
    pub(crate) best_heuristic: String,
    /// The perfect-information bound, money per product and week.
    pub(crate) bound: f64,
    /// Every policy minus every one below it.
    pub(crate) pairs: Vec<Pair>,
    /// The job at several origins, where it was asked for; all else is about the last of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) origins: Option<Origins>,
    /// The training curve.
    pub(crate) training_curve: Vec<Epoch>,
    /// The step whose parameters were kept.
    pub(crate) best_step: Option<u32>,
    /// Names of the columns by which products are grouped.
    pub(crate) group_names: Vec<String>,
    /// Who wins where: see [`splits`](super::winners::splits).
    pub(crate) splits: Vec<Split>,
    /// A few products week by week.
    pub(crate) samples: Vec<Sample>,
    /// Every product.
    pub(crate) products: Vec<ProductResult>,
}

impl Results {
    /// The trained policy, if there is one.
    pub(crate) fn trained(&self) -> Option<&PolicyResult> {
        self.policies
            .iter()
            .find(|policy| policy.role == Role::Trained)
    }

    /// The finding in one or two sentences.
    pub(crate) fn finding(&self) -> String {
        use report::number::percent;
        let Some(trained) = self.trained() else {
            return format!("The best heuristic is {}.", self.best_heuristic);
        };
        let share = percent(trained.share_of_bound, 1);
        let Some(difference) = trained.against_best else {
            return format!(
                "{} earns {share} of the perfect-information bound.",
                trained.name
            );
        };
        let said = self.said(&trained.name, &self.best_heuristic, difference);
        format!("{said}: {share} of the perfect-information bound.")
    }

    /// The finding over all origins, where there are several.
    pub(crate) fn pooled_finding(&self) -> Option<String> {
        let Origins { origins, pooled } = self.origins.as_ref()?;
        let trained = pooled.trained()?;
        let difference = trained.against_best?;
        let said = self.said(&trained.name, &pooled.best_heuristic, difference);
        let ahead = origins
            .iter()
            .filter_map(|origin| origin.scores.trained()?.against_best)
            .filter(|difference| difference.mean > 0.0)
            .count();
        Some(format!(
            "Over all {} held-out windows together {said}; it is ahead of the best heuristic of the window in {ahead} of {}.",
            origins.len(),
            origins.len()
        ))
    }

    /// A difference in words.
    fn said(&self, policy: &str, best: &str, difference: Difference) -> String {
        use report::number::fixed;
        let money = &self.run.money;
        let Interval { lo, hi } = difference.interval;
        let chance = lo <= 0.0 && hi >= 0.0;
        let less = if chance {
            difference.mean < 0.0
        } else {
            hi < 0.0
        };
        let (verdict, sign) = if less { ("less", -1.0) } else { ("more", 1.0) };
        let (lo, hi) = if less { (-hi, -lo) } else { (lo, hi) };
        let decimals = if difference.mean.abs() < 1.0 { 3 } else { 2 };
        let doubt = if chance { ", which may be chance" } else { "" };
        format!(
            "{policy} earns {} {money} a product and week {verdict} than the best heuristic, {best}{doubt} (95 % interval {} to {})",
            fixed(sign * difference.mean, decimals),
            fixed(lo, decimals),
            fixed(hi, decimals),
        )
    }
}
