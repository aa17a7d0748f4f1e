//! Trying arms in live operation: with known propensities, and so that no two windows of one product overlap.

use std::collections::HashMap;

use rand::{Rng, RngExt};

use super::map::Map;
use crate::error::{Allowed, Error, Result};

/// What to do in a decision.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    /// The arm, 0 for keeping.
    pub arm: usize,
    /// The probability with which this arm was taken, given that the decision is logged; `None` where it is not to be logged.
    pub propensity: Option<f64>,
}

/// Decides which decisions are tried with which arm.
///
/// A decision is *drawn* with a small probability; an arm is then taken by lot (every arm alike, keeping among them), and the product is left alone for
/// as many weeks as the window is long: no other draw falls into a window, so a window's reward belongs to one arm alone. Drawn decisions are
/// logged, with the propensity of the arm; all others follow the policy, or the map that has been accepted.
///
/// ```
/// use hindsight_bandit_eval::equilibrium::{Explorer, Map};
/// use rand::SeedableRng;
/// let mut rng = rand_pcg::Pcg64::seed_from_u64(1);
/// let mut explorer = Explorer::new(2, 0.5, 6)?;
/// let weeks: Vec<u64> = (0..60).filter(|week| {
///     explorer.decide(7, *week, &[0.0], &Map::keep(), &mut rng).propensity.is_some()
/// }).collect();
/// assert!(weeks.windows(2).all(|pair| pair[1] - pair[0] >= 6));
/// # Ok::<(), hindsight_bandit_eval::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Explorer {
    arms: usize,
    rate: f64,
    window: u64,
    free: HashMap<u64, u64>,
}

impl Explorer {
    /// Returns an explorer of so many arms beside keeping, that draws a free decision with probability `rate`, with windows of so many weeks, the
    /// week of the decision included.
    ///
    /// # Errors
    /// When there is no arm or no week, or the rate is not in (0, 1].
    pub fn new(arms: usize, rate: f64, window: u64) -> Result<Self> {
        if arms == 0 || window == 0 {
            return Err(Error::TooFew {
                what: "the number of arms, and of weeks,",
                needed: 1,
                found: 0,
            });
        }
        Allowed::Within(f64::MIN_POSITIVE, 1.0).check("rate of exploration", rate)?;
        Ok(Explorer {
            arms,
            rate,
            window,
            free: HashMap::new(),
        })
    }

    /// Returns what to do with a product in a week. Weeks of one product must not go back.
    pub fn decide<R: Rng + ?Sized>(
        &mut self,
        product: u64,
        week: u64,
        features: &[f64],
        accepted: &Map,
        rng: &mut R,
    ) -> Choice {
        let free = self.free.entry(product).or_insert(0);
        if week >= *free && rng.random::<f64>() < self.rate {
            *free = week + self.window;
            let arm = rng.random_range(0..=self.arms);
            #[allow(clippy::cast_precision_loss, reason = "a number of arms")]
            let propensity = 1.0 / (self.arms + 1) as f64;
            return Choice {
                arm,
                propensity: Some(propensity),
            };
        }
        // Within a window the policy acts as it always does: what is measured is one change.
        let arm = if week < *free {
            0
        } else {
            accepted.arm(features)
        };
        Choice {
            arm,
            propensity: None,
        }
    }
}
