//! Dual ascent: prices that rise where too much is used and fall where there is room.

use crate::error::{Argument, Error};
use crate::excess::Scale;
use crate::iterates::Iterates;

/// How dual ascent steps, and when it stops.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Ascent {
    /// Most evaluations of what is used, at least 1.
    pub steps: usize,
    /// How far the first step moves the logarithm of a price for a use of twice the limit.
    pub rate: f64,
    /// How the steps after the first are found, and what is returned.
    pub steps_by: StepRule,
    /// The [`Settled::residual`] at which the prices are good enough.
    pub tolerance: f64,
    /// The largest price, in units of the price: where even that leaves an excess, the limit cannot be kept by prices.
    pub largest: f64,
}

/// The steps of dual ascent, and which prices are returned.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum StepRule {
    /// Steps that follow the measured curvature (adaptive gradient descent, Malitsky and Mishchenko); the best prices that were evaluated. For use
    /// that is smooth in the prices.
    Measured,
    /// Steps that fall with the root of their number, in directions that are smoothed over the weeks; the mean of the later half of all prices. For
    /// use in lumps, where single iterates jump about the solution.
    Averaged {
        /// Correlation of the moves of neighbouring weeks' prices, in [0, 1).
        smoothing: f64,
    },
}

impl Default for Ascent {
    /// 300 evaluations, first step 1, measured steps, residual 0.002, largest price 1.
    fn default() -> Self {
        Ascent {
            steps: 300,
            rate: 1.0,
            steps_by: StepRule::Measured,
            tolerance: 2e-3,
            largest: 1.0,
        }
    }
}

/// Where dual ascent ended.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Settled {
    /// Evaluations of what is used.
    pub steps: usize,
    /// Mean excess over the limits, as a share of them; one of less than a tenth of the mean counts as that tenth.
    pub violation: f64,
    /// Mean of what was left free under a price, as a share of the limit and weighted with the price: complementary slackness has none.
    pub slack: f64,
}

impl Settled {
    pub(crate) const NONE: Settled = Settled {
        steps: 0,
        violation: f64::INFINITY,
        slack: f64::INFINITY,
    };

    /// Violation and slack together: zero at a solution of the dual.
    #[must_use]
    pub fn residual(&self) -> f64 {
        self.violation + self.slack
    }
}

/// Prices $\lambda \ge 0$ by projected gradient ascent on the dual, from `prices` on:
/// $$ \lambda \leftarrow \max\Bigl(\lambda + \eta_k \frac{u(\lambda) - K}{K}, 0\Bigr), $$
/// with steps $\eta_k$ that follow the measured curvature ([arXiv:2308.02261](https://arxiv.org/abs/2308.02261)); in the denominator a limit of
/// less than a tenth of the mean counts as that tenth. Returned are the prices with the
/// least [residual](Settled::residual), and where that is. `used` says what is used at given prices: of an exact buyer it is a negative
/// subgradient of the dual.
///
/// ```
/// use hindsight_capacity::control::{Ascent, dual_ascent};
/// // Two newsvendors, demand uniform on [0, 100], margins 6 and 2, unit cost 4: order 100 (p - c - price) / p each, room for 60.
/// let used = |price: &[f64]| Ok(vec![[10.0, 6.0].iter().map(|p| (100.0 * (p - 4.0 - price[0]) / p).max(0.0)).sum()]);
/// let (price, settled) = dual_ascent(&[60.0], &[0.0], &Ascent { tolerance: 1e-6, largest: 10.0, ..Ascent::default() }, used)?;
/// assert!((price[0] - 1.25).abs() < 1e-4 && settled.residual() < 1e-6);
/// # Ok::<(), hindsight_capacity::Error>(())
/// ```
///
/// # Errors
/// No step, a rate that is not above zero, other numbers of prices or uses than limits, and those of `used`.
pub fn dual_ascent(
    limits: &[f64],
    prices: &[f64],
    ascent: &Ascent,
    mut used: impl FnMut(&[f64]) -> Result<Vec<f64>, Error>,
) -> Result<(Vec<f64>, Settled), Error> {
    let length = |argument, found: usize| {
        let expected = limits.len();
        (found != expected).then_some(Error::Length {
            argument,
            expected,
            found,
        })
    };
    ascent.check()?;
    if let Some(error) = length(Argument::Price, prices.len()) {
        return Err(error);
    }
    let mut path = Iterates::new(prices.to_vec(), limits.len(), ascent);
    while !ascent.over(&path.settled) {
        let used = used(&path.prices)?;
        if let Some(error) = length(Argument::Usage, used.len()) {
            return Err(error);
        }
        path.observe(&gaps(&used, limits, limits.len()));
    }
    Ok((path.best().to_vec(), path.settled))
}

impl Ascent {
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.steps == 0 {
            return Err(Error::Empty(Argument::Baseline));
        }
        if let StepRule::Averaged { smoothing } = self.steps_by
            && !(0.0..1.0).contains(&smoothing)
        {
            return Err(Error::Setting {
                argument: Argument::Baseline,
                value: smoothing,
            });
        }
        if self.rate > 0.0 && self.rate.is_finite() && self.tolerance >= 0.0 {
            return Ok(());
        }
        Err(Error::Setting {
            argument: Argument::Baseline,
            value: self.rate.min(self.tolerance),
        })
    }

    pub(crate) fn over(&self, settled: &Settled) -> bool {
        settled.steps >= self.steps || settled.residual() <= self.tolerance
    }
}

/// How far uses are above limits, as shares of the limits; `weeks` of every resource.
pub(crate) fn gaps(used: &[f64], limits: &[f64], weeks: usize) -> Vec<f64> {
    let rows = |all| <[f64]>::chunks_exact(all, weeks.max(1));
    rows(used)
        .zip(rows(limits))
        .flat_map(|(used, limits)| {
            let scale = Scale::of(limits);
            let both = used.iter().zip(limits);
            both.map(move |(&used, &limit)| scale.gap(used, limit))
        })
        .collect()
}
