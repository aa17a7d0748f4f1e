//! From logged windows to an accepted map, and back where it disappoints.

use super::map::{Map, MapClass};
use super::table::GainTable;
use crate::error::{Allowed, Result, check_level};
use crate::sequence::mixture_half;

/// What a review came to.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum Step {
    /// Nothing is certain yet; what the candidate is worth at most.
    Undecided {
        /// Upper bound of the candidate's gain per decision; infinite before there is one.
        upper: f64,
    },
    /// A map is accepted from now on.
    Accepted {
        /// The map.
        map: Map,
        /// Lower bound of its gain per decision.
        lower: f64,
    },
    /// The accepted map is worth less than what was given up for it, and is taken back.
    RolledBack {
        /// Upper bound of its gain per decision.
        upper: f64,
    },
}

/// Reviews batches of decisions, one after another, and says which map to follow.
///
/// Every batch first judges the present candidate (the accepted map, or the one proposed by earlier batches), then helps to choose the next: no decision
/// judges a map that it helped to choose. Each candidate is judged by a confidence sequence, so one may review as often as one likes; the
/// $j$-th candidate gets $6 / (\pi j)^2$ of the error probability, so that all candidates together accept in error with at most that probability. An
/// accepted map goes on being judged by the batches that follow, which must still try all arms, and is rolled back when its gain is certain
/// to be below 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Improver {
    class: MapClass,
    level: f64,
    material: f64,
    /// Decisions at which the sequences are narrowest.
    tuned_for: f64,
    candidate: Map,
    number: u32,
    accepted: bool,
    record: Record,
}

/// Sums over products of a candidate's gains.
#[derive(Debug, Clone, Default, PartialEq)]
struct Record {
    count: f64,
    mean: f64,
    squares: f64,
}

/// Products below which nothing is decided: the sequence is asymptotic.
const LEAST: f64 = 30.0;

impl Record {
    fn push(&mut self, x: f64) {
        self.count += 1.0;
        let shift = x - self.mean;
        self.mean += shift / self.count;
        self.squares += shift * (x - self.mean);
    }

    fn bounds(&self, level: f64, tuned_for: f64) -> Result<(f64, f64)> {
        if self.count < LEAST {
            return Ok((f64::NEG_INFINITY, f64::INFINITY));
        }
        let deviation = (self.squares / (self.count - 1.0)).sqrt();
        let half = mixture_half(self.count, deviation, level, tuned_for)?;
        Ok((self.mean - half, self.mean + half))
    }
}

impl Improver {
    /// Returns an improver that has seen nothing and keeps everything. It accepts a gain of more than `material` per decision, at a joint `level`, and is quickest
    /// where that takes about `tuned_for` clusters (products, or decisions that are independent).
    ///
    /// # Errors
    /// When a number is outside its range.
    pub fn new(class: MapClass, level: f64, material: f64, tuned_for: f64) -> Result<Self> {
        class.validate()?;
        check_level(level)?;
        Allowed::AtLeast(f64::MIN).check("material gain", material)?;
        Allowed::Above(0.0).check("rounds that a sequence is tuned for", tuned_for)?;
        Ok(Improver {
            class,
            level,
            material,
            tuned_for,
            candidate: Map::keep(),
            number: 0,
            accepted: false,
            record: Record::default(),
        })
    }

    /// The map to follow.
    #[must_use]
    pub fn accepted(&self) -> Map {
        if self.accepted {
            self.candidate.clone()
        } else {
            Map::keep()
        }
    }

    /// Takes a batch of new decisions, and says what follows from it. `known` is everything so far, the batch included: from it the next candidate is
    /// chosen. Clusters (the products of the batch) should be independent, each in one batch at most.
    ///
    /// # Errors
    /// When a map cannot be fitted.
    pub fn review(&mut self, batch: &GainTable<'_>, known: &GainTable<'_>) -> Result<Step> {
        if self.number > 0 {
            self.judge(batch);
        }
        let level = 1.0
            - (1.0 - self.level) * 6.0
                / (std::f64::consts::PI * f64::from(self.number.max(1))).powi(2);
        let (lower, upper) = self.record.bounds(level, self.tuned_for)?;
        if self.accepted {
            if upper >= 0.0 {
                return Ok(Step::Undecided { upper });
            }
            self.accepted = false;
            self.propose(known)?;
            return Ok(Step::RolledBack { upper });
        }
        if lower > self.material {
            self.accepted = true;
            // What comes after is judged anew, so that a gain that fades is seen.
            self.record = Record::default();
            return Ok(Step::Accepted {
                map: self.candidate.clone(),
                lower,
            });
        }
        self.propose(known)?;
        Ok(Step::Undecided { upper })
    }

    /// What the candidate gained in a batch, product by product.
    fn judge(&mut self, batch: &GainTable<'_>) {
        let mut sums: std::collections::BTreeMap<u64, (f64, f64)> =
            std::collections::BTreeMap::new();
        for d in 0..batch.decisions() {
            let arm = self.candidate.arm(batch.features.row(d));
            let sum = sums.entry(batch.product[d]).or_insert((0.0, 0.0));
            sum.0 += batch.weight[d] * batch.gain(d, arm);
            sum.1 += batch.weight[d];
        }
        for (gain, weight) in sums.into_values() {
            self.record.push(gain / weight);
        }
    }

    /// The best map so far; where it is another than before, its record begins.
    fn propose(&mut self, known: &GainTable<'_>) -> Result<()> {
        let all: Vec<usize> = (0..known.decisions()).collect();
        let best = self.class.fit(known, &all)?;
        if best != self.candidate || self.number == 0 {
            self.candidate = best;
            self.number += 1;
            self.record = Record::default();
        }
        Ok(())
    }
}
