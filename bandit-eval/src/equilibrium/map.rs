//! Classes of maps from contexts to arms, and the best map of each on given decisions.

use std::collections::BTreeMap;

use super::table::GainTable;
use super::tree::{self, Node};
use crate::error::{Allowed, Result};
use crate::model::{Features, Linear, Model, Regressor, Ridge};

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
    /// The same with as many splits, up to so many, as gain most across folds of the products that choose: none, which is one arm for all, or
    /// keeping everything where no number of splits gains anything.
    PrunedTree {
        /// Splits on the way to a leaf, at the most.
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
            MapClass::Tree { depth, least } | MapClass::PrunedTree { depth, least } => {
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
            MapClass::PrunedTree { depth, least } => {
                Kind::Tree(tree::grow_pruned(table, decisions, depth, least))
            }
        };
        Ok(Map(kind))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// No table of arms gains more than the tabular map, and no single split with two arms more than a tree of one split.
        #[test]
        fn maps_are_the_best_of_their_class(rows in prop::collection::vec((0..5_u8, 0..5_u8, -3.0..3.0_f64, -3.0..3.0_f64, 0.1..2.0_f64), 2..30)) {
            let features: Vec<f64> = rows.iter().flat_map(|r| [f64::from(r.0), f64::from(r.1)]).collect();
            let gains: Vec<f64> = rows.iter().flat_map(|r| [r.2, r.3]).collect();
            let weight: Vec<f64> = rows.iter().map(|r| r.4).collect();
            let product: Vec<u64> = (0..rows.len() as u64).collect();
            let features = Features::new(2, &features).unwrap();
            let table = GainTable::new(2, &gains, features, &product, Some(&weight)).unwrap();
            let all: Vec<usize> = (0..rows.len()).collect();
            let gained = |map: &Map| all.iter().map(|d| table.weight[*d] * table.gain(*d, map.arm(table.features.row(*d)))).sum::<f64>();
            let most = |of: &[usize]| (0..3).map(|arm| table.total(of, arm)).fold(0.0, f64::max);
            let tabular: f64 = (0..5_u8).map(|z| {
                let of: Vec<usize> = all.iter().copied().filter(|d| rows[*d].0 == z).collect();
                most(&of)
            }).sum();
            prop_assert!((gained(&MapClass::Tabular.fit(&table, &all).unwrap()) - tabular).abs() < 1e-9);
            let mut best = most(&all);
            for feature in 0..2 {
                for threshold in 0..5 {
                    let low = |d: &usize| table.features.row(*d)[feature] <= f64::from(threshold);
                    let (below, above): (Vec<usize>, Vec<usize>) = all.iter().copied().partition(low);
                    best = best.max(most(&below) + most(&above));
                }
            }
            let tree = MapClass::Tree { depth: 1, least: 1 }.fit(&table, &all).unwrap();
            prop_assert!((gained(&tree) - best).abs() < 1e-9, "{} {best}", gained(&tree));
            let deeper = MapClass::Tree { depth: 3, least: 1 }.fit(&table, &all).unwrap();
            prop_assert!(gained(&deeper) >= gained(&tree) - 1e-9);
            prop_assert!(gained(&MapClass::Global.fit(&table, &all).unwrap()) <= gained(&tree) + 1e-9);
        }
    }
}
