//! The back-test: every method on the same cohorts, paths and limits, paired.

use hindsight_gpu::{Device, Stream};
use rand::RngExt;

pub use crate::announced::Announced;
use crate::buyer::Buyer;
use crate::cases::Cases;
use crate::control::Gate;
use crate::dual::{Ascent, Settled};
use crate::error::{Argument, Error, count};
pub use crate::fit::{Fitted, HeldOut};
use crate::forecaster::Forecaster;
use crate::limits::{Infeasible, Limits};
use crate::maps::Feedback;
use crate::model::Model;
use crate::predictive::Predictive;
use crate::record::Record;
use crate::roll::Roll;
pub use crate::score::{AHEAD, Score};
pub use crate::study::{Setup, Study};

/// Who holds the limits, and how.
#[derive(Debug)]
#[non_exhaustive]
pub enum Method<'a> {
    /// Nobody: what rewards and violations are measured against.
    NoControl,
    /// A constant price of every resource, in shares of the unit price.
    Constant(f64),
    /// The gate alone, without prices.
    Gate(Gate),
    /// A price that follows last week's excess, with its gain.
    Feedback(f64),
    /// Model-predictive control.
    Predictive(Predictive<'a>, Forecaster<'a>),
    /// A trained coordinator.
    Coordinator(&'a Model),
    /// A trained coordinator, and a gate for what is left over.
    CoordinatorAtGate(&'a Model, Gate),
    /// The dual with everything known, with the share of the limits that is kept free.
    Hindsight(Ascent, f64),
}

/// What a method came to.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Trial {
    /// Its name.
    pub name: String,
    /// Weeks of all cohorts.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub roll: Roll,
    /// A score a cohort.
    pub scores: Vec<Score>,
    /// Where dual ascent ended, a cohort each; empty for other methods.
    pub settled: Vec<Settled>,
}

/// A mean of paired differences over cohorts with their paths, and its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Paired {
    /// The mean difference.
    pub mean: f64,
    /// Bounds of the interval.
    pub interval: [f64; 2],
}

impl Paired {
    /// The mean of differences and its percentile bootstrap interval, over draws and never over products: products of a cohort are coupled.
    #[must_use]
    pub fn of(differences: &[f64], seed: u64) -> Self {
        const RESAMPLES: u64 = 2000;
        let n = differences.len().max(1);
        let resampled = |number: u64| {
            let rng = &mut Stream::new(seed, "paired bootstrap").at(number, 0);
            let sum: f64 = differences
                .iter()
                .map(|_| differences[rng.random_range(0..n)])
                .sum();
            sum / count(n)
        };
        let mut means: Vec<f64> = (0..RESAMPLES).map(resampled).collect();
        means.sort_by(f64::total_cmp);
        Paired {
            mean: differences.iter().sum::<f64>() / count(n),
            interval: [means[49], means[1949]],
        }
    }
}

impl Trial {
    /// The mean of a number over the cohorts.
    #[must_use]
    pub fn mean(&self, of: impl Fn(&Score) -> f64) -> f64 {
        self.scores.iter().map(of).sum::<f64>() / count(self.scores.len().max(1))
    }

    /// Reward as a share of that of another trial, all cohorts together.
    #[must_use]
    pub fn reward_of(&self, free: &Trial) -> f64 {
        self.mean(|s| s.reward) / free.mean(|s| s.reward)
    }

    /// Use as a share of the limits by week: the quantiles of a tenth, a half and nine tenths over the cohorts.
    #[must_use]
    pub fn use_of(&self, limits: &[Limits], resource: usize) -> Vec<[f64; 3]> {
        let used = self.roll.usage.iter().map(|used| &used[resource]);
        let paths: Vec<_> = used.zip(limits).collect();
        let weeks = paths.first().map_or(0, |(used, _)| used.len());
        let at = |week: usize| {
            let share = |(used, limits): &(&Vec<f64>, &Limits)| {
                used[week] / limits.of(resource)[week].max(1e-9)
            };
            let mut all: Vec<f64> = paths.iter().map(share).collect();
            all.sort_by(f64::total_cmp);
            [1, 5, 9].map(|tenth| all[(all.len() - 1) * tenth / 10])
        };
        (0..weeks).map(at).collect()
    }

    /// Violation of this method less that of another, paired.
    #[must_use]
    pub fn violation_against(&self, other: &Trial, seed: u64) -> Paired {
        let both = self.scores.iter().zip(&other.scores);
        let gaps: Vec<f64> = both.map(|(a, b)| a.violation - b.violation).collect();
        Paired::of(&gaps, seed)
    }

    /// Reward of this method less that of another, as a share of the reward without control, paired.
    #[must_use]
    pub fn reward_against(&self, other: &Trial, free: &Trial, seed: u64) -> Paired {
        let own = free.mean(|s| s.reward);
        let both = self.scores.iter().zip(&other.scores);
        let gaps: Vec<f64> = both.map(|(a, b)| (a.reward - b.reward) / own).collect();
        Paired::of(&gaps, seed)
    }
}

impl Cases<f32> {
    /// Tries a method on the cases; `record` is what the cases were made from.
    ///
    /// # Errors
    /// Cases without limits where the method needs them, its settings out of range, and those of the engine.
    pub fn tried(
        &self,
        record: &Record<'_>,
        buyer: &Buyer,
        (name, method): &(String, Method<'_>),
        device: &Device,
    ) -> Result<Trial, Error> {
        let mut settled = Vec::new();
        let roll = match method {
            Method::NoControl => self.play(buyer, None, device)?,
            Method::Constant(share) => {
                self.at_constant(buyer, &vec![*share; self.shape.resources()], device)?
            }
            Method::Gate(gate) => self.gated(buyer, *gate, device)?,
            Method::Feedback(gain) => {
                self.directed(buyer, &mut Feedback::new(*gain)?, None, device)?
            }
            Method::Predictive(control, forecaster) => {
                self.predictive(record, buyer, control, forecaster, device)?
            }
            Method::Coordinator(model) => self.coordinate(model, device)?,
            Method::CoordinatorAtGate(model, gate) => {
                let mut map = &model.coordinator;
                self.directed(&model.buyer, &mut map, Some(*gate), device)?
            }
            Method::Hindsight(ascent, margin) => {
                let (roll, own) = self.hindsight(buyer, ascent, *margin, device)?;
                settled = own;
                roll
            }
        };
        let name = name.clone();
        let scores = self.scores(&roll);
        Ok(Trial {
            name,
            roll,
            scores,
            settled,
        })
    }

    /// By cohort, the first week in which a limit cannot be kept whatever is ordered, and by how much; none where all can. Weeks before `first` do not
    /// count: of drawn limits, which follow what is used, the warm-up is not asked for, of given ones every week is.
    ///
    /// # Errors
    /// Cases without limits.
    pub fn infeasible(&self, first: usize) -> Result<Vec<Option<Infeasible>>, Error> {
        if self.limits.is_empty() {
            return Err(Error::Empty(Argument::Limit));
        }
        let mut least = self.unordered();
        for row in least.iter_mut().flatten() {
            let before = first.min(row.len());
            row[..before].fill(0.0);
        }
        let both = self.limits.iter().zip(&least);
        both.map(|(limits, least)| limits.infeasible(least))
            .collect()
    }
}
