//! The betting confidence sequence.

use super::{Ends, Predictable};
use crate::error::{Allowed, Result, check_level};
use crate::interval::Interval;

/// A confidence sequence for the mean of bounded observations: the means $m$ against which a gambler could not have become rich.
///
/// Against every $m$ of a grid two fortunes are bet, $\prod (1 + \lambda_t (X_t - m))$ that the mean is larger and $\prod (1 - \lambda_t (X_t - m))$ that it is smaller;
/// $m$ is given up for good when half of either reaches $1/\alpha$. Bets are those of [`EmpiricalBernstein`](super::EmpiricalBernstein), at most
/// $1 / (2 m)$ and $1 / (2 (1 - m))$. Source: Waudby-Smith and Ramdas (2024), theorem 3 (the hedged capital process).
///
/// The ends are rounded outwards to the grid. Work per round grows with the part of the grid that is still alive.
///
/// ```
/// use hindsight_bandit_eval::sequence::Betting;
/// let mut sequence = Betting::new(0.0, 1.0, 0.95, 1_000)?;
/// for i in 0..1_000 {
///     sequence.push(if i % 2 == 0 { 0.4 } else { 0.6 })?;
/// }
/// assert!(sequence.interval().contains(0.5) && sequence.interval().width() < 0.05);
/// # Ok::<(), hindsight_bandit_eval::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Betting {
    ends: Ends,
    level: f64,
    log: f64,
    ruin: f64,
    seen: Predictable,
    count: usize,
    /// Grid points alive: from, to (exclusive).
    alive: (usize, usize),
    /// The fortunes, for the mean being larger and smaller.
    above: Vec<f64>,
    below: Vec<f64>,
}

impl Betting {
    /// Returns a sequence without an observation, with a grid of so many steps.
    ///
    /// # Errors
    /// When the ends are not finite and in order, the level is not between 0 and 1, or the grid has fewer than ten steps.
    pub fn new(min: f64, max: f64, level: f64, steps: usize) -> Result<Self> {
        check_level(level)?;
        #[allow(clippy::cast_precision_loss, reason = "a size")]
        Allowed::AtLeast(10.0).check("steps of the grid", steps as f64)?;
        let alpha = 1.0 - level;
        Ok(Betting {
            ends: Ends::new(min, max)?,
            level,
            log: (2.0 / alpha).ln(),
            ruin: 2.0 / alpha,
            seen: Predictable::new(),
            count: 0,
            alive: (0, steps + 1),
            above: vec![1.0; steps + 1],
            below: vec![1.0; steps + 1],
        })
    }

    /// Takes an observation.
    ///
    /// # Errors
    /// When it lies outside the stated ends.
    #[allow(clippy::cast_precision_loss, reason = "a grid point")]
    pub fn push(&mut self, x: f64) -> Result<()> {
        let x = self.ends.unit(x, self.count)?;
        self.count += 1;
        let bet = self.seen.bet(self.log);
        let steps = (self.above.len() - 1) as f64;
        let (from, to) = self.alive;
        for i in from..to {
            let m = i as f64 / steps;
            self.above[i] *= 1.0 + bet.min(0.5 / m) * (x - m);
            self.below[i] *= 1.0 - bet.min(0.5 / (1.0 - m)) * (x - m);
        }
        self.seen.push(x);
        let ruin = self.ruin;
        let dead = |i: usize| self.above[i] >= ruin || self.below[i] >= ruin;
        let (mut from, mut to) = (from, to);
        while from < to && dead(from) {
            from += 1;
        }
        while to > from && dead(to - 1) {
            to -= 1;
        }
        self.alive = (from, to);
        Ok(())
    }

    /// Returns the means that were never given up, rounded outwards by a step of the grid.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "a grid point")]
    pub fn interval(&self) -> Interval {
        let (from, to) = self.alive;
        let steps = self.above.len() - 1;
        let lower = from.saturating_sub(1) as f64 / steps as f64;
        let upper = to.min(steps) as f64 / steps as f64;
        self.ends.back(Interval {
            lower,
            upper,
            level: self.level,
        })
    }
}
