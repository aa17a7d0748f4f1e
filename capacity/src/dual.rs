//! Dual ascent: prices that rise where too much is used and fall where there is room.

use crate::error::{Argument, Error, count};

/// How dual ascent steps, and when it stops.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Ascent {
    /// Most evaluations of what is used, at least 1.
    pub steps: usize,
    /// How far the first step moves a price for a use of twice the limit, in units of the price. Later steps are measured.
    pub rate: f64,
    /// The [`Settled::residual`] at which the prices are good enough.
    pub tolerance: f64,
    /// The largest price, in units of the price: where even that leaves an excess, the limit cannot be kept by prices.
    pub largest: f64,
}

impl Default for Ascent {
    /// 300 evaluations, first step 0.02, residual 0.002, largest price 1.
    fn default() -> Self {
        Ascent {
            steps: 300,
            rate: 1.0,
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
    /// Mean excess over the limits, as a share of them.
    pub violation: f64,
    /// Mean of what was left free under a price, as a share of the limit and weighted with the price: complementary slackness has none.
    pub slack: f64,
}

impl Settled {
    const NONE: Settled = Settled {
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

/// Prices far below this move by steps of their own, those far above by shares of themselves.
const KNEE: f64 = 0.01;

/// One dual problem on its way: projected gradient descent whose step follows the measured curvature (adaptive gradient descent, Malitsky and
/// Mishchenko, arXiv:2308.02261), and the best prices so far.
#[derive(Debug, Clone)]
pub(crate) struct Path {
    pub(crate) prices: Vec<f64>,
    before: Option<(Vec<f64>, Vec<f64>)>,
    step: f64,
    largest: f64,
    growth: f64,
    best: Vec<f64>,
    pub(crate) settled: Settled,
}

impl Path {
    pub(crate) fn new(prices: Vec<f64>, ascent: &Ascent) -> Self {
        Path {
            best: prices.clone(),
            prices,
            before: None,
            step: ascent.rate,
            largest: ascent.largest,
            growth: 1.0,
            settled: Settled::NONE,
        }
    }

    /// The same steps from other prices, as those of the week after.
    pub(crate) fn restart(&mut self, prices: Vec<f64>) {
        *self = Path {
            best: prices.clone(),
            prices,
            before: None,
            growth: 1.0,
            settled: Settled::NONE,
            ..*self
        };
    }

    /// The best prices that were evaluated.
    pub(crate) fn best(&self) -> &[f64] {
        &self.best
    }

    /// Moves the prices, given how far the use at them is above the limits, as shares of the limits.
    pub(crate) fn observe(&mut self, gaps: &[f64]) {
        let n = count(gaps.len().max(1));
        let violation = gaps.iter().map(|gap| gap.max(0.0)).sum::<f64>() / n;
        // No single week throws all others off.
        let gaps: Vec<f64> = gaps.iter().map(|gap| gap.clamp(-1.0, 1.0)).collect();
        let paid: f64 = self.prices.iter().sum();
        let free = self.prices.iter().zip(&gaps);
        let free: f64 = free.map(|(price, gap)| price * (-gap).max(0.0)).sum();
        let now = Settled {
            steps: self.settled.steps + 1,
            violation,
            slack: if paid > 0.0 { free / paid } else { 0.0 },
        };
        if now.residual() < self.settled.residual() {
            self.best.copy_from_slice(&self.prices);
            self.settled = now;
        }
        self.settled.steps = now.steps;
        let logarithms: Vec<f64> = self.prices.iter().map(|p| (p / KNEE).ln_1p()).collect();
        if let Some((before, then)) = &self.before {
            let distance = |a: &[f64], b: &[f64]| {
                let squares = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b));
                squares.sum::<f64>().sqrt()
            };
            let moved = distance(&logarithms, before);
            let turned = distance(&gaps, then);
            if moved > 0.0 {
                let bend = self.step * turned / moved;
                let grown = (2.0 / 3.0 + self.growth).sqrt();
                let curved = 1.0 / (2.0 * bend * bend - 1.0).max(0.0).sqrt();
                self.growth = grown.min(curved);
                self.step *= self.growth;
            }
        }
        let last = logarithms;
        let next = last.iter().zip(&gaps);
        let next =
            next.map(|(z, gap)| (KNEE * (z + self.step * gap).max(0.0).exp_m1()).min(self.largest));
        self.prices = next.collect();
        self.before = Some((last, gaps));
    }
}

/// Prices $\lambda \ge 0$ by projected gradient ascent on the dual, from `prices` on:
/// $$ \lambda \leftarrow \max\Bigl(\lambda + \eta_k \frac{u(\lambda) - K}{K}, 0\Bigr), $$
/// with steps $\eta_k$ that follow the measured curvature ([arXiv:2308.02261](https://arxiv.org/abs/2308.02261)); returned are the prices with the
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
    let mut path = Path::new(prices.to_vec(), ascent);
    while !ascent.over(&path.settled) {
        let used = used(&path.prices)?;
        if let Some(error) = length(Argument::Usage, used.len()) {
            return Err(error);
        }
        path.observe(&gaps(&used, limits));
    }
    Ok((path.best, path.settled))
}

impl Ascent {
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.steps == 0 {
            return Err(Error::Empty(Argument::Baseline));
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

/// How far uses are above limits, as shares of the limits. A limit of zero would make any use infinite.
pub(crate) fn gaps(used: &[f64], limits: &[f64]) -> Vec<f64> {
    let gap = |(used, limit): (&f64, &f64)| (used - limit) / limit.max(1e-9);
    used.iter().zip(limits).map(gap).collect()
}
