//! Drawn cohorts and their limits.

use hindsight_gpu::{Device, Stream};
use rand::RngExt;

use crate::buyer::Buyer;
use crate::cases::{Cases, Cohort, Course};
use crate::error::{Argument, Error, count};
use crate::limits::{Family, Limits};
use crate::record::{HISTORY, Record};

/// How cohorts and their limits are drawn.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Draw {
    /// Products that cohorts are drawn from.
    pub products: std::ops::Range<usize>,
    /// Weeks of the record that roll-outs stay within.
    pub weeks: std::ops::Range<usize>,
    /// Products of a cohort.
    pub size: usize,
    /// Cohorts.
    pub cohorts: usize,
    /// Families of limits, one after another.
    pub families: Vec<Family>,
    /// Share of cohorts, at random, that have 1.2 to 4 times the room: they teach that a price where there is room costs reward.
    pub roomy: f64,
    /// Weeks ahead that limits are known.
    pub notice: usize,
    /// The seed.
    pub seed: u64,
}

impl Draw {
    /// Random cohorts at random weeks, no product twice in one.
    ///
    /// # Errors
    /// No cohort, more products in one than there are, a range of weeks that is too short.
    pub fn cohorts(&self, course: Course) -> Result<Vec<Cohort>, Error> {
        let (there, first) = (self.products.len(), self.weeks.start.max(HISTORY));
        if self.size == 0 || self.cohorts == 0 || self.size > there {
            return Err(Error::Length {
                argument: Argument::Volume,
                expected: there,
                found: self.size,
            });
        }
        if self.weeks.end < first + course.weeks {
            return Err(Error::TooShort {
                needed: first + course.weeks,
                found: self.weeks.end,
            });
        }
        let stream = Stream::new(self.seed, "cohorts");
        let cohort = |number: usize| {
            let rng = &mut stream.at(number as u64, 0);
            let mut all: Vec<usize> = self.products.clone().collect();
            for k in 0..self.size {
                let other = rng.random_range(k..all.len());
                all.swap(k, other);
            }
            all.truncate(self.size);
            Cohort {
                products: all,
                start: rng.random_range(first..=self.weeks.end - course.weeks),
            }
        };
        Ok((0..self.cohorts).map(cohort).collect())
    }

    /// Drawn cohorts under drawn limits, relative to what the buyer would use without prices: its use over five weeks, smoothed, times the factors
    /// of a path of the family whose turn it is. Every resource has a path of its own.
    ///
    /// # Errors
    /// As [`cohorts`](Draw::cohorts); no family.
    pub fn cases(
        &self,
        record: &Record<'_>,
        buyer: &Buyer,
        course: Course,
        device: &Device,
    ) -> Result<Cases<f32>, Error> {
        if self.families.is_empty() {
            return Err(Error::Empty(Argument::Limit));
        }
        if !(0.0..=1.0).contains(&self.roomy) {
            return Err(Error::Setting {
                argument: Argument::Limit,
                value: self.roomy,
            });
        }
        let room = Stream::new(self.seed, "room");
        let cases = Cases::new(record, &self.cohorts(course)?, course)?;
        let free = cases.play(buyer, None, device)?;
        let mut limits = Vec::with_capacity(cases.groups());
        for (group, usage) in free.usage.iter().enumerate() {
            let family = &self.families[group % self.families.len()];
            let mut values = Vec::with_capacity(usage.len());
            for (resource, used) in usage.iter().enumerate() {
                let path = (group * usage.len() + resource) as u64;
                let factors = family.factors(course.weeks, self.seed, path)?;
                let smooth = smoothed(used).into_iter().zip(factors);
                values.push(smooth.map(|(used, factor)| used * factor).collect());
            }
            let limit = Limits::new(values, self.notice)?;
            let rng = &mut room.at(group as u64, 0);
            let (roomy, factor) = (rng.random_bool(self.roomy), rng.random_range(1.2..4.0));
            limits.push(if roomy { limit.scaled(factor) } else { limit });
        }
        cases.with_limits(&limits)
    }
}

/// Means over five weeks.
fn smoothed(used: &[f64]) -> Vec<f64> {
    let mean = |week: usize| {
        let own = &used[week.saturating_sub(2)..(week + 3).min(used.len())];
        own.iter().sum::<f64>() / count(own.len())
    };
    (0..used.len()).map(mean).collect()
}
