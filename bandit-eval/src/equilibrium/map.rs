//! Classes of maps from contexts to arms, and the best map of each on given decisions.

use std::collections::BTreeMap;

use super::table::GainTable;
use super::tree::{self, Node};
use crate::error::{Allowed, Result};
use crate::model::{Features, Learner, Linear, Model, Ridge};

/// A class of maps.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum MapClass {
    /// One arm for all contexts.
    Global,
    /// One arm for every value of the first feature, which names the context; keeping where a value is new.
    Tabular,
    /// The arm of the largest gain by ridge regression of each arm's gains, keeping where none is positive.
    Linear {
        /// Penalty of the regressions.
        penalty: f64,
    },
    /// A tree that splits at most so often on the way to a leaf, with one arm in each leaf: splits are chosen one by one, each for the
    /// best pair of arms on its two sides.
    Tree {
        /// Splits on the way to a leaf.
        depth: usize,
        /// Least number of decisions in a leaf.
        least: usize,
    },
}

/// A map from contexts to arms.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Map(Kind);

#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
enum Kind {
    Global(usize),
    /// Contexts by the bits of their value, so that each is itself.
    Tabular(BTreeMap<u64, usize>),
    Linear(Vec<Linear>),
    Tree(Node),
}

impl Map {
    /// The map that keeps everything.
    #[must_use]
    pub fn keep() -> Self {
        Map::always(0)
    }

    /// The map that takes one arm whatever the context.
    #[must_use]
    pub fn always(arm: usize) -> Self {
        Map(Kind::Global(arm))
    }

    /// Returns the arm for a context; 0 keeps.
    #[must_use]
    pub fn arm(&self, features: &[f64]) -> usize {
        match &self.0 {
            Kind::Global(arm) => *arm,
            Kind::Tabular(arms) => {
                let context = features.first().copied().unwrap_or(f64::NAN);
                arms.get(&key(context)).copied().unwrap_or(0)
            }
            Kind::Linear(gains) => {
                let mut best = (0, 0.0);
                for (arm, model) in gains.iter().enumerate() {
                    let gain = model.predict(features);
                    if gain > best.1 {
                        best = (arm + 1, gain);
                    }
                }
                best.0
            }
            Kind::Tree(root) => root.arm(features),
        }
    }

    /// Returns whether the map keeps whatever the context.
    #[must_use]
    pub fn keeps_all(&self) -> bool {
        match &self.0 {
            Kind::Global(arm) => *arm == 0,
            Kind::Tabular(arms) => arms.values().all(|arm| *arm == 0),
            Kind::Linear(_) => false,
            Kind::Tree(root) => root.keeps_all(),
        }
    }
}

fn key(context: f64) -> u64 {
    // Both zeros are one context.
    (context + 0.0).to_bits()
}

impl MapClass {
    pub(crate) fn validate(self) -> Result<()> {
        match self {
            MapClass::Linear { penalty } => {
                Allowed::Above(0.0).check("penalty", penalty).map(|_| ())
            }
            MapClass::Tree { depth, least } => {
                #[allow(clippy::cast_precision_loss, reason = "small numbers")]
                let (depth, least) = (depth as f64, least as f64);
                Allowed::Within(1.0, 6.0).check("depth", depth)?;
                Allowed::AtLeast(1.0)
                    .check("least number of decisions in a leaf", least)
                    .map(|_| ())
            }
            _ => Ok(()),
        }
    }

    /// The map of this class that gained most in some decisions.
    pub(crate) fn fit(self, table: &GainTable<'_>, decisions: &[usize]) -> Result<Map> {
        let kind = match self {
            MapClass::Global => Kind::Global(table.best(decisions).0),
            MapClass::Tabular => {
                let mut contexts: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
                for d in decisions {
                    contexts
                        .entry(key(table.features.row(*d)[0]))
                        .or_default()
                        .push(*d);
                }
                let best = contexts
                    .into_iter()
                    .map(|(context, of)| (context, table.best(&of).0));
                Kind::Tabular(best.collect())
            }
            MapClass::Linear { penalty } => {
                let values = table.features.gather(decisions);
                let features = Features::new(table.features.columns(), &values)?;
                let weight: Vec<f64> = decisions.iter().map(|d| table.weight[*d]).collect();
                let ridge = Ridge::new(penalty)?;
                let fit = |arm: usize| {
                    let gains: Vec<f64> = decisions.iter().map(|d| table.gain(*d, arm)).collect();
                    ridge.fit(features, &gains, Some(&weight))
                };
                Kind::Linear((1..=table.arms).map(fit).collect::<Result<_>>()?)
            }
            MapClass::Tree { depth, least } => {
                Kind::Tree(tree::grow(table, decisions, depth, least))
            }
        };
        Ok(Map(kind))
    }
}
