//! Dual ascent: prices that rise where too much is used and fall where there is room.

use crate::error::{Argument, Error, count};

/// How dual ascent steps.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Ascent {
    /// Steps, at least 1.
    pub steps: usize,
    /// How far the first step moves a price for a use of twice the limit, in units of the price.
    pub rate: f64,
}

/// Prices $\lambda \ge 0$ by projected subgradient ascent on the dual, from `prices` on:
/// $$ \lambda \leftarrow \max\Bigl(\lambda + \frac{\eta}{\sqrt{k + 1}} \frac{u(\lambda) - K}{K}, 0\Bigr), $$
/// for steps $k = 0, 1, \dots$; returned is the mean of the second half of the way, which settles where single prices swing. `used` says
/// what is used at given prices: of an exact buyer it is a negative subgradient of the dual.
///
/// ```
/// use hindsight_capacity::{Ascent, dual_ascent};
/// // Two newsvendors, demand uniform on [0, 100], margins 6 and 2, unit cost 4: order 100 (p - c - price) / p each, room for 60.
/// let used = |price: &[f64]| Ok(vec![[10.0, 6.0].iter().map(|p| (100.0 * (p - 4.0 - price[0]) / p).max(0.0)).sum()]);
/// let ascent = Ascent { steps: 4000, rate: 2.0 };
/// let price = dual_ascent(&[60.0], &[0.0], &ascent, used)?;
/// assert!((price[0] - 1.25).abs() < 1e-3);
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
) -> Result<Vec<f64>, Error> {
    let length = |argument, found: usize| {
        let expected = limits.len();
        (found != expected).then_some(Error::Length {
            argument,
            expected,
            found,
        })
    };
    if ascent.steps == 0 || !(ascent.rate > 0.0 && ascent.rate.is_finite()) {
        return Err(Error::Setting {
            argument: Argument::Baseline,
            value: if ascent.steps == 0 { 0.0 } else { ascent.rate },
        });
    }
    if let Some(error) = length(Argument::Price, prices.len()) {
        return Err(error);
    }
    let mut now = prices.to_vec();
    let mut mean = vec![0.0; now.len()];
    let first = ascent.steps / 2;
    for step in 0..ascent.steps {
        let used = used(&now)?;
        if let Some(error) = length(Argument::Usage, used.len()) {
            return Err(error);
        }
        let size = ascent.rate / count(step + 1).sqrt();
        for ((price, used), limit) in now.iter_mut().zip(used).zip(limits) {
            // A limit of zero would make any use infinite.
            let gap = (used - limit) / limit.max(1e-9);
            *price = (*price + size * gap.clamp(-1.0, 1.0)).max(0.0);
        }
        if step >= first {
            let share = 1.0 / count(ascent.steps - first);
            mean.iter_mut().zip(&now).for_each(|(m, p)| *m += share * p);
        }
    }
    Ok(mean)
}
