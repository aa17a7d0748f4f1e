//! The variogram score.

use gpu::numbers::vectorize;

use super::forecasts::{Forecasts, between, checked, count};
use crate::error::{Argument, DrainError};

const LANES: usize = 8;

/// The variogram score of every forecast: whether components differ from each other as forecast.
///
/// $$\sum_{d,e} \Bigl( |y_d - y_e|^p - \frac 1 M \sum_i |x_{i d} - x_{i e}|^p \Bigr)^2$$
///
/// over ordered pairs: each unordered pair counts twice. The order $p > 0$ is usually one half. Proper but not strictly: it does not see a shift of all
/// components alike.
///
/// Takes $O(M D^2)$ a forecast and the memory of one ensemble; orders 0.5, 1 and 2 are the fast ones.
///
/// # Errors
/// An order that is not positive and finite; numbers so large that a score is not finite.
///
/// ```
/// use hindsight_drain::scores::{Forecasts, variogram_score};
/// let forecasts = Forecasts::joint(&[0.0, 4.0, 0.0, 0.0], &[5.0, 6.0], 2)?;
/// assert_eq!(variogram_score(&forecasts, 1.0)?, [2.0]); // differences of 1, and 2 on average
/// # Ok::<(), hindsight_drain::DrainError>(())
/// ```
pub fn variogram_score(forecasts: &Forecasts<'_>, order: f64) -> Result<Vec<f64>, DrainError> {
    between(Argument::Order, order, 0.0, f64::INFINITY)?;
    let is = |p: f64| order.total_cmp(&p).is_eq();
    checked(if is(0.5) {
        scores(
            forecasts,
            #[inline(always)]
            |gap: f64| gap.sqrt(),
        )
    } else if is(1.0) {
        scores(
            forecasts,
            #[inline(always)]
            |gap| gap,
        )
    } else if is(2.0) {
        scores(
            forecasts,
            #[inline(always)]
            |gap| gap * gap,
        )
    } else {
        scores(forecasts, |gap: f64| gap.powf(order))
    })
}

fn scores(forecasts: &Forecasts<'_>, power: impl Fn(f64) -> f64 + Copy) -> Vec<f64> {
    let (members, components) = (forecasts.members(), forecasts.components());
    // Component by component, what is beyond the last member zero in all of them.
    let mut columns = vec![[0.0; LANES]; members.div_ceil(LANES) * components];
    let one = |(x, y): (&[f64], &[f64])| {
        let blocks = members.div_ceil(LANES);
        for (i, member) in x.chunks_exact(components).enumerate() {
            for (d, value) in member.iter().enumerate() {
                columns[d * blocks + i / LANES][i % LANES] = *value;
            }
        }
        vectorize(
            #[inline(always)]
            || score(&columns, y, count(members), power),
        )
    };
    forecasts.iter().map(one).collect()
}

#[inline(always)]
fn score(
    columns: &[[f64; LANES]],
    outcome: &[f64],
    members: f64,
    power: impl Fn(f64) -> f64,
) -> f64 {
    let blocks = columns.len() / outcome.len();
    let mut total = 0.0;
    for (d, y) in outcome.iter().enumerate() {
        let first = &columns[d * blocks..][..blocks];
        for (e, z) in outcome[..d].iter().enumerate() {
            let second = &columns[e * blocks..][..blocks];
            let mut sums = [0.0; LANES];
            for (a, b) in first.iter().zip(second) {
                for lane in 0..LANES {
                    sums[lane] += power((a[lane] - b[lane]).abs());
                }
            }
            let miss = power((y - z).abs()) - sums.iter().sum::<f64>() / members;
            total += miss * miss;
        }
    }
    2.0 * total
}
