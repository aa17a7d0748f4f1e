//! How well limits were held, and at what price.

use crate::cases::Cases;
use crate::error::count;
use crate::excess::Scale;
use crate::roll::Roll;
use crate::shape::HORIZON;

/// What a roll-out came to in one cohort, over its scored weeks and all its resources.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Score {
    /// Discounted reward, in money.
    pub reward: f64,
    /// Mean over weeks and resources of the excess over the limit, as a share of the limit; a limit of less than a tenth of the resource's mean counts as
    /// that tenth, and where there is no room in any week all use is excess.
    pub violation: f64,
    /// Its 95 % quantile.
    pub violation_p95: f64,
    /// Shares of weeks and resources with an excess above 0, 5 and 10 %.
    pub violated: [f64; 3],
    /// Mean of the price times what was left free, in money a week: a price where there was room.
    pub over_tightness: f64,
    /// Mean absolute difference of the price forecast 1, 4, 8 and 13 weeks ahead and the price that was then set, over the mean price that was
    /// set; zero where none was.
    pub forecast_error: [f64; 4],
    /// The same with its sign: above zero where more is announced than is then set.
    pub forecast_bias: [f64; 4],
}

/// Weeks ahead at which price forecasts are judged.
pub const AHEAD: [usize; 4] = [1, 4, 8, 13];

impl Cases<f32> {
    /// The scores of a roll-out, one a cohort; cases without limits violate none.
    #[must_use]
    pub fn scores(&self, roll: &Roll) -> Vec<Score> {
        (0..self.groups())
            .map(|group| self.score(roll, group))
            .collect()
    }

    fn score(&self, roll: &Roll, group: usize) -> Score {
        let scored = self.course.warm_up..self.course.weeks;
        let (mut over, mut tight) = (Vec::new(), 0.0);
        let (mut errors, mut biases, mut set) = ([0.0; 4], [0.0; 4], 0.0);
        let resources = self.shape.resources();
        let price = |week: usize, resource: usize, ahead: usize| {
            let own = &roll.prices[group][week];
            own.get(resource * (HORIZON + 1) + ahead)
                .copied()
                .unwrap_or(0.0)
        };
        for resource in 0..resources {
            let limits = self.limits.get(group).map(|limits| limits.of(resource));
            let limits = limits.map(|all| (all, Scale::of(&all[scored.clone()])));
            for week in scored.clone() {
                set += price(week, resource, 0);
                for ((error, bias), ahead) in errors.iter_mut().zip(&mut biases).zip(AHEAD) {
                    if week >= ahead + scored.start {
                        let forecast = price(week - ahead, resource, ahead);
                        let missed = forecast - price(week, resource, 0);
                        *error += missed.abs();
                        *bias += missed;
                    }
                }
                let Some((limits, scale)) = limits else {
                    continue;
                };
                let (used, limit) = (roll.usage[group][resource][week], limits[week]);
                over.push(scale.gap(used, limit).max(0.0));
                tight += price(week, resource, 0) * (limit - used).max(0.0);
            }
        }
        over.sort_by(f64::total_cmp);
        let n = count(over.len().max(1));
        let above = |share: f64| count(over.iter().filter(|&&x| x > share).count()) / n;
        let mean = set / count(scored.len());
        let relative = |(ahead, sum): (usize, f64)| {
            let weeks = count(scored.len().saturating_sub(ahead).max(1));
            if set > 0.0 { sum / weeks / mean } else { 0.0 }
        };
        let over_mean = |sums: [f64; 4]| std::array::from_fn(|k| relative((AHEAD[k], sums[k])));
        Score {
            reward: roll.reward[group],
            violation: over.iter().sum::<f64>() / n,
            violation_p95: over.get((over.len() * 95) / 100).copied().unwrap_or(0.0),
            violated: [above(1e-6), above(0.05), above(0.1)],
            over_tightness: tight / count(scored.len()),
            forecast_error: over_mean(errors),
            forecast_bias: over_mean(biases),
        }
    }
}
