//! The continuous ranked probability score.

use gpu::numbers::vectorize;

use super::forecasts::{Estimator, Forecasts, checked, count};
use super::sort::blocks;
use crate::error::DrainError;

/// The continuous ranked probability score of every forecast and component, in the unit of the data: of $D$ components, $n \times D$ scores.
///
/// $$\frac 1 M \sum_i |x_i - y| - \frac{1}{2 M N} \sum_{i,j} |x_i - x_j|$$
///
/// with $N = M$ for [`Estimator::Plain`], which is $\int (F(t) - \mathbb 1(y \le t))^2 dt$ with the distribution function $F$ of the members, and $N = M - 1$
/// for [`Estimator::Fair`]. Zero where all members equal the outcome; of one member, the absolute error. Fair scores can be negative.
///
/// Takes $O(M \log^2 M)$ a forecast up to 512 members, $O(M \log M)$ above, no memory beyond eight ensembles.
///
/// # Errors
/// Fewer than two members for fair scores; numbers so large that a score is not finite.
///
/// ```
/// use hindsight_drain::scores::{Estimator, Forecasts, crps};
/// let forecasts = Forecasts::new(&[0.0, 4.0], &[1.0])?;
/// assert_eq!(crps(&forecasts, Estimator::Plain)?, [1.0]); // (1 + 3) / 2 - 4 / 4
/// assert_eq!(crps(&forecasts, Estimator::Fair)?, [0.0]); // (1 + 3) / 2 - 4 / 2
/// assert!(crps(&Forecasts::new(&[0.0], &[1.0])?, Estimator::Fair).is_err());
/// # Ok::<(), hindsight_drain::DrainError>(())
/// ```
pub fn crps(forecasts: &Forecasts<'_>, estimator: Estimator) -> Result<Vec<f64>, DrainError> {
    let members = forecasts.members();
    let (size, pairs) = (count(members), estimator.pairs(members)?);
    let mut scores = Vec::with_capacity(forecasts.outcomes().len());
    blocks(forecasts, 1.0, |rows, places| {
        let (apart, spread) = vectorize(
            #[inline(always)]
            || sums(rows),
        );
        let lanes = apart.iter().zip(spread).take(places.len());
        scores.extend(lanes.map(|(apart, spread)| apart / size - spread / pairs));
    });
    checked(scores)
}

/// The sum of absolute values, and half the sum of absolute differences over ordered pairs, of sorted lists side by side.
#[inline(always)]
fn sums<const LANES: usize>(rows: &[[f64; LANES]]) -> ([f64; LANES], [f64; LANES]) {
    let (mut apart, mut spread) = ([0.0; LANES], [0.0; LANES]);
    let mut weight = 1.0 - count(rows.len());
    for row in rows {
        for lane in 0..LANES {
            apart[lane] += row[lane].abs();
            spread[lane] += weight * row[lane];
        }
        weight += 2.0;
    }
    (apart, spread)
}
