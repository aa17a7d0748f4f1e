//! The empirical Bernstein confidence sequence.

use super::{Ends, Predictable};
use crate::error::{Result, check_level};
use crate::interval::Interval;

/// A confidence sequence for the mean of bounded observations that adapts to their variance: with $X$ brought to [0, 1],
/// $$ \frac{\sum \lambda_t X_t}{\sum \lambda_t} \pm \frac{\ln(2/\alpha) + \sum 4 (X_t - \hat\mu_{t-1})^2 \psi(\lambda_t)}{\sum \lambda_t}, \qquad
/// \psi(\lambda) = \frac{-\ln(1 - \lambda) - \lambda}{4}. $$
///
/// The bets $\lambda_t$ are those of Waudby-Smith and Ramdas (2024), theorem 2 and equation 15, at most 1/2; what was seen up to a round
/// decides the bet of the next.
///
/// ```
/// use hindsight_bandit_eval::sequence::EmpiricalBernstein;
/// let mut sequence = EmpiricalBernstein::new(0.0, 1.0, 0.95)?;
/// for i in 0..1_000 {
///     sequence.push(if i % 2 == 0 { 0.4 } else { 0.6 })?;
/// }
/// assert!(sequence.interval().contains(0.5) && sequence.interval().width() < 0.06);
/// # Ok::<(), hindsight_bandit_eval::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct EmpiricalBernstein {
    ends: Ends,
    level: f64,
    log: f64,
    seen: Predictable,
    count: usize,
    bets: f64,
    centre: f64,
    spent: f64,
    best: (f64, f64),
}

const LARGEST_BET: f64 = 0.5;

impl EmpiricalBernstein {
    /// Returns a sequence without an observation.
    ///
    /// # Errors
    /// When the ends are not finite and in order, or the level is not between 0 and 1.
    pub fn new(min: f64, max: f64, level: f64) -> Result<Self> {
        check_level(level)?;
        Ok(EmpiricalBernstein {
            ends: Ends::new(min, max)?,
            level,
            log: (2.0 / (1.0 - level)).ln(),
            seen: Predictable::new(),
            count: 0,
            bets: 0.0,
            centre: 0.0,
            spent: 0.0,
            best: (0.0, 1.0),
        })
    }

    /// Takes an observation.
    ///
    /// # Errors
    /// When it lies outside the stated ends.
    pub fn push(&mut self, x: f64) -> Result<()> {
        let x = self.ends.unit(x, self.count)?;
        self.count += 1;
        let bet = self.seen.bet(self.log).min(LARGEST_BET);
        self.bets += bet;
        self.centre += bet * x;
        self.spent += (x - self.seen.mean()).powi(2) * (-(-bet).ln_1p() - bet);
        self.seen.push(x);
        let half = (self.log + self.spent) / self.bets;
        let centre = self.centre / self.bets;
        // All looks hold together, so their intersection does.
        self.best = (
            self.best.0.max(centre - half),
            self.best.1.min(centre + half),
        );
        Ok(())
    }

    /// Returns the intersection of the intervals of all looks so far; its ends may cross, with a probability of at most 1 less the level.
    #[must_use]
    pub fn interval(&self) -> Interval {
        let (lower, upper) = self.best;
        self.ends.back(Interval {
            lower,
            upper,
            level: self.level,
        })
    }
}
