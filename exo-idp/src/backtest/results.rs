//! The results of a back-test as plain data.
//!
//! Rewards and quantities are means per product and week over the scored weeks unless a name says otherwise; money is in the
//! unit of the record's prices.

use super::notices::Notice;
use super::standings::{ConfidenceLimits, Difference, Pair, Role, Standings};
use crate::compare::Interval;

/// One policy on the held-out weeks.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct PolicyResult {
    /// Its name.
    pub name: String,
    /// What it is in the comparison.
    pub role: Role,
    /// Reward over all products and scored weeks, money.
    pub total: f64,
    /// Mean reward, money per product and week.
    pub mean: f64,
    /// Its interval.
    pub interval: ConfidenceLimits,
    /// Total reward as a share of the hindsight optimum; not a number where nothing could have been earned.
    pub share_of_bound: f64,
    /// The interval of that share, paired by product and week; none where the optimum is not well above zero
    /// ([`Replicates::over`](crate::compare::Replicates::over)).
    pub share_interval: Option<ConfidenceLimits>,
    /// The mean over products of each product's own share: every product weighs the same.
    pub share_by_product: Option<f64>,
    /// Against the best heuristic; none for that heuristic itself.
    pub against_best: Option<Difference>,
    /// Units sold over units demanded.
    pub fill_rate: f64,
    /// Mean stock at the end of a week, units.
    pub stock: f64,
    /// Mean order, units.
    pub ordered: f64,
    /// Share of weeks with an order.
    pub order_frequency: f64,
}

/// One product on the held-out weeks.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ProductResult {
    /// Its name.
    pub name: String,
    /// Total reward by policy, in the order of [`Results::policies`], money.
    pub rewards: Vec<f64>,
    /// The hindsight optimum, money.
    pub bound: f64,
    /// Mean demand, units a week.
    pub demand: f64,
    /// Mean margin as a share of the price.
    pub margin: f64,
    /// Share of weeks under promotion; none without a planned covariate.
    pub promoted: Option<f64>,
    /// Its groups, in the order of [`Results::group_names`].
    pub groups: Vec<String>,
}

/// Some of the products, and the best policy on them.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Segment {
    /// "minute-maid-64", "12 to 30 units a week".
    pub label: String,
    /// Products in it.
    pub products: usize,
    /// The share of them on which each policy earns most, in the order of [`Results::policies`].
    pub wins: Vec<f64>,
    /// The trained policy minus the best heuristic on these products.
    pub difference: Option<Difference>,
}

/// One way to part the products into segments.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Segmentation {
    /// "all", "demand", "brand".
    pub name: String,
    /// Its segments.
    pub groups: Vec<Segment>,
    /// Segments left out because there are too many.
    pub left_out: usize,
}

/// Stock and orders of one policy on one product, week by week.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Track {
    /// The policy's name.
    pub policy: String,
    /// Units on hand at the end of each week.
    pub stock: Vec<f64>,
    /// Units ordered in each week.
    pub orders: Vec<f64>,
}

/// One product shown week by week.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Sample {
    /// Its name.
    pub product: String,
    /// The weeks as the file writes them.
    pub weeks: Vec<String>,
    /// Units demanded in each week.
    pub demand: Vec<f64>,
    /// The policies shown.
    pub tracks: Vec<Track>,
}

/// One point of the training curve.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct TrainingPoint {
    /// The pass or step.
    pub step: usize,
    /// Mean objective of the mini-batches since the point before: what a lane earns in a week, products brought together in money.
    pub objective: f64,
}

/// The course of training of one network.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct TrainingCourse {
    /// The candidate that it is a part of.
    pub candidate: String,
    /// Its points.
    pub points: Vec<TrainingPoint>,
}

/// A policy that could have acted, and what it would have earned in earlier windows.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct CandidateResult {
    /// Its name.
    pub name: String,
    /// Mean reward in each window, money per product and week.
    pub earned: Vec<f64>,
    /// The mean over the windows of its reward as a share of the best candidate's.
    pub share: f64,
}

/// How the trained policy came about.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Learning {
    /// The candidate that acts in the held-out weeks.
    pub chosen: String,
    /// Whether a network is part of it.
    pub learnt: bool,
    /// First and last week of the earlier windows that it was chosen by.
    pub windows: Vec<(String, String)>,
    /// All candidates.
    pub candidates: Vec<CandidateResult>,
    /// The course of training before the held-out weeks: of the first fine-tuned network and of the first trained from scratch.
    pub courses: Vec<TrainingCourse>,
}

/// The whole job at one origin: trained before it, scored after it.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Origin {
    /// First and last training week.
    pub training: (String, String),
    /// First and last scored week.
    pub held_out: (String, String),
    /// The candidate that acted as the trained policy.
    pub chosen: String,
    /// What the policies earned.
    pub scores: Standings,
}

/// The job at several origins, and all their held-out weeks together.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Origins {
    /// The earliest first; the last one is that of the other results.
    pub origins: Vec<Origin>,
    /// All windows together.
    pub pooled: Standings,
}

/// A back-test: what every policy earned and did on the held-out weeks.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Results {
    /// First and last week for fitting and training, as the record names them.
    pub training: (String, String),
    /// First and last scored week.
    pub held_out: (String, String),
    /// What a reader must know of the record.
    pub notices: Vec<Notice>,
    /// The policies, the highest reward first.
    pub policies: Vec<PolicyResult>,
    /// The name of the best heuristic, against which all are compared.
    pub best_heuristic: String,
    /// The hindsight optimum, money per product and week.
    pub bound: f64,
    /// Every policy minus every one below it.
    pub pairs: Vec<Pair>,
    /// The job at several origins, where it was asked for; all else is about the last of them.
    pub origins: Option<Origins>,
    /// How the trained policy came about.
    pub learning: Learning,
    /// Names of the traits by which products are grouped.
    pub group_names: Vec<String>,
    /// The best policy by segment: products parted by demand, margin, promotion and the groups of the record.
    pub splits: Vec<Segmentation>,
    /// A few products week by week.
    pub samples: Vec<Sample>,
    /// Every product.
    pub products: Vec<ProductResult>,
}

impl Results {
    /// The trained policy, if there is one.
    #[must_use]
    pub fn trained(&self) -> Option<&PolicyResult> {
        self.policies
            .iter()
            .find(|policy| policy.role == Role::Trained)
    }
}

impl ConfidenceLimits {
    /// The limits of a mean, from those of its sum over `cells`.
    pub(super) fn per_cell(interval: Interval, cells: f64) -> Self {
        ConfidenceLimits {
            lo: interval.low / cells,
            hi: interval.high / cells,
        }
    }
}

impl Difference {
    /// A mean difference, from its sum over `cells`.
    pub(super) fn per_cell(interval: Interval, cells: f64) -> Self {
        Difference {
            mean: interval.estimate / cells,
            interval: ConfidenceLimits::per_cell(interval, cells),
        }
    }
}
