//! What all policies earned over some weeks: standings, and every policy against every other; at one origin and at several.

use serde::Serialize;

use super::results::{Difference, Interval, Role};

/// One policy over some weeks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Standing {
    /// Its name.
    pub(crate) name: String,
    /// What it is in the comparison.
    pub(crate) role: Role,
    /// Mean reward, money per product and week.
    pub(crate) mean: f64,
    /// Its interval.
    pub(crate) interval: Interval,
    /// Total reward as a share of the perfect-information bound.
    pub(crate) share_of_bound: f64,
    /// Against the best heuristic of these weeks; none for that heuristic itself.
    pub(crate) against_best: Option<Difference>,
}

/// One policy against another.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Pair {
    /// The one that earned more.
    pub(crate) policy: String,
    /// The one that earned less.
    pub(crate) minus: String,
    /// By how much, on the same paths.
    pub(crate) difference: Difference,
}

/// All policies over some weeks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Scores {
    /// Products.
    pub(crate) products: usize,
    /// Weeks scored.
    pub(crate) weeks: usize,
    /// The perfect-information bound, money per product and week.
    pub(crate) bound: f64,
    /// The heuristic that earned most in these weeks.
    pub(crate) best_heuristic: String,
    /// The policies, the highest reward first.
    pub(crate) policies: Vec<Standing>,
    /// Every policy minus every one below it.
    pub(crate) pairs: Vec<Pair>,
}

impl Scores {
    /// A policy by its name.
    pub(crate) fn of(&self, name: &str) -> Option<&Standing> {
        self.policies.iter().find(|policy| policy.name == name)
    }

    /// The trained policy, if there is one.
    pub(crate) fn trained(&self) -> Option<&Standing> {
        self.policies
            .iter()
            .find(|policy| policy.role == Role::Trained)
    }

    /// The heuristics, the highest reward first.
    pub(crate) fn heuristics(&self) -> impl Iterator<Item = &Standing> {
        self.policies
            .iter()
            .filter(|policy| policy.role == Role::Heuristic)
    }

    /// The first policy minus the second; none where one is not there or both are the same.
    pub(crate) fn difference(&self, policy: &str, minus: &str) -> Option<Difference> {
        self.pairs.iter().find_map(|pair| {
            let Difference { mean, interval } = pair.difference;
            if pair.policy == policy && pair.minus == minus {
                Some(pair.difference)
            } else if pair.policy == minus && pair.minus == policy {
                Some(Difference {
                    mean: -mean,
                    interval: Interval {
                        lo: -interval.hi,
                        hi: -interval.lo,
                    },
                })
            } else {
                None
            }
        })
    }
}

/// The whole job at one origin: learnt before it, scored after it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Origin {
    /// First and last week to learn from.
    pub(crate) training: (String, String),
    /// First and last scored week.
    pub(crate) held_out: (String, String),
    /// What the policies earned.
    pub(crate) scores: Scores,
}

/// The job at several origins, and all their held-out weeks together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Origins {
    /// The earliest first; the last one is that of the other results.
    pub(crate) origins: Vec<Origin>,
    /// All windows together.
    pub(crate) pooled: Scores,
}
