//! The gap: the gain of the best map, measured on products that did not choose it.

use std::collections::BTreeMap;

use super::judged::{Judged, MapGain};
use super::map::{Map, MapClass};
use super::table::GainTable;
use crate::error::{Allowed, Error, Result, check_level};
use crate::interval::Interval;

/// What is asked of a table.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Question {
    /// Share of the products that choose the map; the others judge it. Default one half.
    pub choosing: f64,
    /// Seed of the lot by which products choose or judge. Default 1.
    pub seed: u64,
    /// Level of the interval; a gain is material when its lower end, at this level on one side, is above `material`. Default 0.95.
    pub level: f64,
    /// The gain per decision that is worth a change. Default 0.
    pub material: f64,
}

impl Default for Question {
    fn default() -> Self {
        Question {
            choosing: 0.5,
            seed: 1,
            level: 0.95,
            material: 0.0,
        }
    }
}

/// The gap of a policy in a class of maps.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Gap {
    /// Gain per decision of the chosen map, on the products that judge. Not more than the gap in expectation; below 0 where a choice by
    /// chance disappoints.
    pub gain: f64,
    /// Its standard error, over products, and weeks where they are known.
    pub standard_error: f64,
    /// Interval of the gain, at the level asked for on both sides.
    pub interval: Interval,
    /// Lower bound of the gain, at the level asked for on one side.
    pub lower: f64,
    /// Upper bound of the map's gain, at the level asked for on one side: where no improvement was found, how much this one may still be worth.
    pub upper: f64,
    /// What is worth a change.
    pub material: f64,
    /// Products that judge.
    pub products: usize,
    /// The chosen map.
    pub map: Map,
    /// Weighted share of decisions that it changes.
    pub changed: f64,
    /// What each arm that it uses gains, on the products that judge.
    pub arms: Vec<ContextGain>,
    /// What the map gained in each decision that judges, to be pooled or compared.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub judged: Judged,
}

/// Where a map uses an arm.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ContextGain {
    /// The arm.
    pub arm: usize,
    /// Weighted share of decisions.
    pub share: f64,
    /// Mean gain in them.
    pub gain: f64,
}

impl Gap {
    /// The gap: the gain, and 0 where it is negative, as keeping is in every class.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.gain.max(0.0)
    }

    /// Returns whether a change is worth while beyond doubt: the lower bound is above what is material.
    #[must_use]
    pub fn is_material(&self) -> bool {
        self.lower > self.material
    }
}

impl GainTable<'_> {
    /// Returns the gap in a class of maps.
    ///
    /// Some products, by lot, choose the map that gained most on them; the others judge it, so that no decision judges a map that it helped
    /// to choose. (Folds that take turns would use all decisions twice, but their choices depend on one another: under arms that gain exactly
    /// nothing a test at 5 % then raises an alarm in about 10 %.) The standard error is that of a weighted mean over products as clusters, and over weeks where
    /// they are known: see [`Judged::mean`].
    ///
    /// # Errors
    /// When fewer than two products choose or judge, and where a number of the question or class is outside its range.
    pub fn gap(&self, class: MapClass, question: &Question) -> Result<Gap> {
        check_level(question.level)?;
        Allowed::AtLeast(f64::MIN).check("material gain", question.material)?;
        Allowed::Between(0.0, 1.0).check("share of products that choose", question.choosing)?;
        class.validate()?;
        let (choosing, judging) = self.split(question)?;
        let map = class.fit(self, &choosing)?;
        let judged = self.judged(&judging, &map);
        let found = judged.mean();
        let one = found.half(question.level);
        let arms = self.contexts(&judging, &map);
        Ok(Gap {
            gain: found.gain,
            standard_error: found.standard_error,
            interval: found.interval(question.level)?,
            lower: found.gain - one,
            upper: found.gain + one,
            material: question.material,
            products: found.products,
            changed: arms.iter().filter(|c| c.arm > 0).map(|c| c.share).sum(),
            arms,
            map,
            judged,
        })
    }

    /// Returns what a given map gains per decision, on all products: none of them may have helped to choose it.
    #[must_use]
    pub fn gain_of(&self, map: &Map) -> MapGain {
        let all: Vec<usize> = (0..self.decisions()).collect();
        self.judged(&all, map).mean()
    }

    /// The decisions of the products that choose, and of those that judge.
    fn split(&self, question: &Question) -> Result<(Vec<usize>, Vec<usize>)> {
        let mut lots: Vec<(u64, u64)> = self
            .product
            .iter()
            .map(|p| (lot(*p, question.seed), *p))
            .collect();
        lots.sort_unstable();
        lots.dedup();
        #[allow(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a number of products"
        )]
        let choosing = (lots.len() as f64 * question.choosing).round() as usize;
        let found = choosing.min(lots.len() - choosing);
        if found < 2 {
            return Err(Error::TooFew {
                what: "the number of products that choose, and of those that judge,",
                needed: 2,
                found,
            });
        }
        // Everything up to the last lot that chooses.
        let last = lots[choosing - 1];
        Ok((0..self.decisions())
            .partition(|d| (lot(self.product[*d], question.seed), self.product[*d]) <= last))
    }

    /// What a map gains in some decisions.
    fn judged(&self, decisions: &[usize], map: &Map) -> Judged {
        let of = |column: &[u64]| decisions.iter().map(|d| column[*d]).collect();
        Judged {
            product: of(self.product),
            week: self.week.map_or_else(Vec::new, of),
            weight: decisions.iter().map(|d| self.weight[*d]).collect(),
            gain: decisions
                .iter()
                .map(|d| self.gain(*d, map.arm(self.features.row(*d))))
                .collect(),
        }
    }

    /// Where a map uses which arm, and what it gains there.
    fn contexts(&self, decisions: &[usize], map: &Map) -> Vec<ContextGain> {
        let total: f64 = decisions.iter().map(|d| self.weight[*d]).sum();
        let mut sums: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
        for d in decisions {
            let arm = map.arm(self.features.row(*d));
            let sum = sums.entry(arm).or_insert((0.0, 0.0));
            sum.0 += self.weight[*d];
            sum.1 += self.weight[*d] * self.gain(*d, arm);
        }
        let context = |(arm, (weight, gain)): (usize, (f64, f64))| ContextGain {
            arm,
            share: weight / total,
            gain: gain / weight,
        };
        sums.into_iter().map(context).collect()
    }
}

/// A product's place in the order by lot.
pub(super) fn lot(product: u64, seed: u64) -> u64 {
    let mut z = product
        .wrapping_add(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15))
        .wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
