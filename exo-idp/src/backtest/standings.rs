//! What all policies earned over some weeks: scores, and every policy against every other.

/// The ends of an interval at the level of the back-test's [`Bootstrap`](crate::compare::Bootstrap), 95 % by default.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ConfidenceLimits {
    /// Lower end.
    pub lo: f64,
    /// Upper end.
    pub hi: f64,
}

/// What a policy is in the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Role {
    /// Knows the future: no policy can be held to it.
    Oracle,
    /// Trained through the replay, or what earned its place in its stead.
    Trained,
    /// Trained on synthetic records alone.
    Pretrained,
    /// Fitted by a rule.
    Heuristic,
    /// What was really ordered.
    Recorded,
}

/// The difference of a policy to the best heuristic, on the same paths.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Difference {
    /// Mean difference of reward, money per product and week.
    pub mean: f64,
    /// Its interval by the paired bootstrap.
    pub interval: ConfidenceLimits,
}

/// One policy over some weeks.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct PolicyScore {
    /// Its name.
    pub name: String,
    /// What it is in the comparison.
    pub role: Role,
    /// Mean reward, money per product and week.
    pub mean: f64,
    /// Its interval.
    pub interval: ConfidenceLimits,
    /// Total reward as a share of the hindsight optimum; not a number where nothing could have been earned.
    pub share_of_bound: f64,
    /// The interval of that share, paired by product and week; none where the optimum is not well above zero.
    pub share_interval: Option<ConfidenceLimits>,
    /// Against the best heuristic of these weeks; none for that heuristic itself.
    pub against_best: Option<Difference>,
}

/// One policy against another.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Pair {
    /// The one that earned more.
    pub policy: String,
    /// The one that earned less.
    pub minus: String,
    /// By how much, on the same paths.
    pub difference: Difference,
}

/// All policies over some weeks.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Standings {
    /// Products.
    pub products: usize,
    /// Weeks scored.
    pub weeks: usize,
    /// The hindsight optimum, money per product and week.
    pub bound: f64,
    /// The heuristic that earned most in these weeks.
    pub best_heuristic: String,
    /// The policies, the highest reward first.
    pub policies: Vec<PolicyScore>,
    /// Every policy minus every one below it.
    pub pairs: Vec<Pair>,
}

impl Standings {
    /// A policy by its name.
    #[must_use]
    pub fn of(&self, name: &str) -> Option<&PolicyScore> {
        self.policies.iter().find(|policy| policy.name == name)
    }

    /// The trained policy, if there is one.
    #[must_use]
    pub fn trained(&self) -> Option<&PolicyScore> {
        self.policies
            .iter()
            .find(|policy| policy.role == Role::Trained)
    }

    /// The heuristics, the highest reward first.
    pub fn heuristics(&self) -> impl Iterator<Item = &PolicyScore> {
        self.policies
            .iter()
            .filter(|policy| policy.role == Role::Heuristic)
    }

    /// The first policy minus the second; none where one is not there or both are the same.
    #[must_use]
    pub fn difference(&self, policy: &str, minus: &str) -> Option<Difference> {
        self.pairs.iter().find_map(|pair| {
            let Difference { mean, interval } = pair.difference;
            if pair.policy == policy && pair.minus == minus {
                Some(pair.difference)
            } else if pair.policy == minus && pair.minus == policy {
                Some(Difference {
                    mean: -mean,
                    interval: ConfidenceLimits {
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
