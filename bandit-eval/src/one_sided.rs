//! Inventory levels as actions under lost sales: what a level above demand shows of all levels below it.

use crate::error::{Allowed, Error, Result, check_finite, check_len};
use crate::evaluation::kish;

/// Rewards of a week of a newsvendor by its level.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Newsvendor {
    /// Margin of a unit sold.
    pub margin: f64,
    /// Cost of a unit left over.
    pub overage: f64,
}

/// A week in which a level was stocked and so many units were sold; demand beyond the level was lost and not seen.
#[derive(Debug, Clone, PartialEq)]
pub struct StockedWeek<'a> {
    /// The levels, in ascending order.
    pub levels: &'a [f64],
    /// Which level was stocked, from 0.
    pub stocked: usize,
    /// Units sold.
    pub sold: f64,
    /// The logging policy's probabilities of all levels.
    pub logging: &'a [f64],
    /// The target policy's.
    pub target: &'a [f64],
}

/// Estimates the reward of a target policy over inventory levels from sales that stock has cut off.
///
/// Whatever level was stocked, every lower level would have sold the smaller of itself and the demand, and that is known: at a level $y$ sales $s$ show
/// $\min(D, y')$ for all $y' \le y$. So a week tells of a level $k$ whenever it stocked $k$ or more, which has the probability
/// $\bar p_k = \sum_{j \ge k} p_j$, not $p_k$ alone:
/// $$ \hat V = \frac1n \sum_t \sum_k \pi_k \frac{1[y_t \ge k]}{\bar p_k}\thinspace r_k(\min(s_t, k)). $$
///
/// Unbiased like inverse propensity scores wherever the logging policy stocks that much at times, and of smaller variance. What lower levels would have
/// earned is the field's one-sided feedback; the estimator is our own formulation.
///
/// ```
/// use hindsight_bandit_eval::one_sided::{Newsvendor, OneSided, StockedWeek};
/// let mut estimate = OneSided::new(Newsvendor { margin: 3.0, overage: 1.0 })?;
/// for week in 0..1_000_usize {
///     let demand = (week / 3 % 5) as f64;
///     let stocked = week % 3;
///     let levels = [1.0, 2.0, 3.0];
///     let sold = demand.min(levels[stocked]);
///     estimate.push(&StockedWeek { levels: &levels, stocked, sold, logging: &[1.0 / 3.0; 3], target: &[0.0, 1.0, 0.0] })?;
/// }
/// // Two units: sold 0, 1, 2, 2, 2 of demands 0 to 4.
/// assert!((estimate.value() - (3.0 * 1.4 - 0.6)).abs() < 0.15);
/// # Ok::<(), hindsight_bandit_eval::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct OneSided {
    costs: Newsvendor,
    count: f64,
    mean: f64,
    squares: f64,
    weight: f64,
    weight_squares: f64,
}

impl OneSided {
    /// Returns an accumulator without a week.
    ///
    /// # Errors
    /// When a cost is negative or not finite.
    pub fn new(costs: Newsvendor) -> Result<Self> {
        Allowed::AtLeast(0.0).check("margin", costs.margin)?;
        Allowed::AtLeast(0.0).check("overage", costs.overage)?;
        Ok(OneSided {
            costs,
            count: 0.0,
            mean: 0.0,
            squares: 0.0,
            weight: 0.0,
            weight_squares: 0.0,
        })
    }

    /// Takes a week.
    ///
    /// # Errors
    /// When rows differ in length or do not sum to one, levels do not ascend, sales are negative or above the level, the level that was stocked had no
    /// probability, or the target wants a level that the logging policy never reaches: its reward cannot be known from this log.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of weeks"
    )]
    pub fn push(&mut self, week: &StockedWeek<'_>) -> Result<()> {
        let round = self.count as u64;
        check_len(
            "probabilities of the logging policy",
            week.levels.len(),
            week.logging.len(),
        )?;
        check_finite("levels", week.levels)?;
        crate::Round {
            action: week.stocked,
            reward: week.sold,
            propensity: week.logging.get(week.stocked).copied().unwrap_or(f64::NAN),
            target: week.target,
            predicted: None,
            logging: Some(week.logging),
        }
        .weighted(round)?;
        check_len("target probabilities", week.levels.len(), week.target.len())?;
        let level = week.levels[week.stocked];
        if let Some(index) = (1..week.levels.len()).find(|i| week.levels[*i] <= week.levels[i - 1])
        {
            let (value, min) = (week.levels[index], week.levels[index - 1]);
            return Err(Error::Value {
                what: "levels",
                index,
                value,
                min,
                max: f64::INFINITY,
            });
        }
        if !(0.0..=level).contains(&week.sold) {
            return Err(Error::Value {
                what: "sales",
                index: week.stocked,
                value: week.sold,
                min: 0.0,
                max: level,
            });
        }
        let (mut value, mut weight, mut reach) = (0.0, 0.0, 0.0);
        for k in (0..week.levels.len()).rev() {
            reach += week.logging[k];
            if week.target[k] > 0.0 && !(reach > 0.0) {
                return Err(Error::Probability {
                    round,
                    whose: crate::error::Whose::Logging,
                    action: k,
                    value: reach,
                });
            }
            if week.stocked >= k && week.target[k] > 0.0 {
                let sold = week.sold.min(week.levels[k]);
                let reward =
                    self.costs.margin * sold - self.costs.overage * (week.levels[k] - sold);
                value += week.target[k] / reach * reward;
                weight += week.target[k] / reach;
            }
        }
        self.count += 1.0;
        let shift = value - self.mean;
        self.mean += shift / self.count;
        self.squares += shift * (value - self.mean);
        self.weight += weight;
        self.weight_squares += weight * weight;
        Ok(())
    }

    /// Reward per week; 0 without a week.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.mean
    }

    /// Its standard error; NaN for fewer than two weeks.
    #[must_use]
    pub fn standard_error(&self) -> f64 {
        (self.squares / (self.count - 1.0).max(0.0) / self.count).sqrt()
    }

    /// Effective number of weeks.
    #[must_use]
    pub fn effective(&self) -> f64 {
        let mean = self.weight / self.count;
        kish(
            self.count,
            mean,
            self.weight_squares - self.count * mean * mean,
        )
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_distr::{Distribution, Poisson};
    use rand_pcg::Pcg64;

    use super::*;
    use crate::verdict::Limits;
    use crate::{Estimator, Evaluation, Round};

    /// On the truth, with errors as stated, and with a third of the error of inverse propensity scores or less.
    #[test]
    fn one_sided_feedback_beats_inverse_propensities() {
        let levels = [3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0];
        let logging = [0.05, 0.05, 0.1, 0.1, 0.1, 0.2, 0.2, 0.2];
        let target = [0.0, 0.0, 0.5, 0.5, 0.0, 0.0, 0.0, 0.0];
        let costs = Newsvendor {
            margin: 3.0,
            overage: 1.0,
        };
        let law = Poisson::new(5.0).unwrap();
        let reward = |level: f64, demand: f64| {
            let sold = demand.min(level);
            costs.margin * sold - costs.overage * (level - sold)
        };
        let mut rng = Pcg64::seed_from_u64(1);
        let demands: Vec<f64> = (0..1_000_000).map(|_| law.sample(&mut rng)).collect();
        let truth = demands
            .iter()
            .map(|d| 0.5 * (reward(5.0, *d) + reward(6.0, *d)))
            .sum::<f64>()
            / 1e6;
        let (repeats, mut errors, mut covered) = (500, [0.0; 3], 0);
        for seed in 0..repeats {
            let mut rng = Pcg64::seed_from_u64(100 + seed);
            let mut one_sided = OneSided::new(costs).unwrap();
            let mut ips = Evaluation::new(&[Estimator::Ips, Estimator::Snips]).unwrap();
            for _ in 0..1_000 {
                let mut u: f64 = rng.random();
                let stocked = logging
                    .iter()
                    .position(|p| {
                        u -= p;
                        u < 0.0
                    })
                    .unwrap_or(7);
                let demand: f64 = law.sample(&mut rng);
                let sold = demand.min(levels[stocked]);
                one_sided
                    .push(&StockedWeek {
                        levels: &levels,
                        stocked,
                        sold,
                        logging: &logging,
                        target: &target,
                    })
                    .unwrap();
                ips.push(&Round {
                    action: stocked,
                    reward: reward(levels[stocked], demand),
                    propensity: logging[stocked],
                    target: &target,
                    predicted: None,
                    logging: Some(&logging),
                })
                .unwrap();
            }
            let value = |e| ips.estimate(e, &Limits::default()).unwrap().unwrap().value;
            for (error, found) in errors.iter_mut().zip([
                one_sided.value(),
                value(Estimator::Ips),
                value(Estimator::Snips),
            ]) {
                *error += (found - truth).powi(2) / repeats as f64;
            }
            covered +=
                u32::from((one_sided.value() - truth).abs() < 1.96 * one_sided.standard_error());
        }
        let errors = errors.map(f64::sqrt);
        println!(
            "root mean squared errors: one-sided, IPS, SNIPS {errors:.4?}; covered {covered} of {repeats}"
        );
        assert!(
            errors[0] < errors[1] / 3.0 && errors[0] < errors[2],
            "{errors:?}"
        );
        assert!((465..=488).contains(&covered), "{covered}");
    }

    #[test]
    fn what_a_log_cannot_show_is_refused() {
        let mut estimate = OneSided::new(Newsvendor {
            margin: 1.0,
            overage: 1.0,
        })
        .unwrap();
        let week = StockedWeek {
            levels: &[1.0, 2.0],
            stocked: 0,
            sold: 1.0,
            logging: &[1.0, 0.0],
            target: &[1.0, 0.0],
        };
        estimate.push(&week).unwrap();
        // The target wants two units, the log never stocks them.
        assert!(matches!(
            estimate.push(&StockedWeek {
                target: &[0.0, 1.0],
                ..week.clone()
            }),
            Err(Error::Probability { action: 1, .. })
        ));
        assert!(
            estimate
                .push(&StockedWeek {
                    sold: 1.5,
                    ..week.clone()
                })
                .is_err()
        );
        assert!(
            estimate
                .push(&StockedWeek {
                    levels: &[2.0, 1.0],
                    ..week.clone()
                })
                .is_err()
        );
        assert!(
            estimate
                .push(&StockedWeek {
                    stocked: 3,
                    ..week.clone()
                })
                .is_err()
        );
        assert!(
            estimate
                .push(&StockedWeek {
                    target: &[0.5, 0.4],
                    ..week
                })
                .is_err()
        );
        assert!(
            OneSided::new(Newsvendor {
                margin: -1.0,
                overage: 1.0
            })
            .is_err()
        );
    }
}
