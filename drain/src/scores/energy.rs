//! The energy score.

use gpu::numbers::vectorize;

use super::forecasts::{Estimator, Forecasts, checked, count};
use crate::error::DrainError;

/// Members that are compared at a time.
const LANES: usize = 8;
/// Members that they are compared with at a time.
const WITH: usize = 4;

/// The energy score of every forecast: the continuous ranked probability score of vectors.
///
/// $$\frac 1 M \sum_i \lVert x_i - y \rVert - \frac{1}{2 M N} \sum_{i,j} \lVert x_i - x_j \rVert$$
///
/// with Euclidean distances and $N = M$ for [`Estimator::Plain`], $N = M - 1$ for [`Estimator::Fair`]. Of one component it is [`crps`](super::crps()). Components
/// must be of one unit, or brought to one scale: distances add them up.
///
/// Takes $O(M^2 D)$ a forecast and the memory of one ensemble.
///
/// # Errors
/// Fewer than two members for fair scores; numbers so large that a score is not finite.
///
/// ```
/// use hindsight_drain::scores::{Estimator, Forecasts, energy_score};
/// let forecasts = Forecasts::joint(&[0.0, 0.0, 6.0, 8.0], &[0.0, 0.0], 2)?;
/// assert_eq!(energy_score(&forecasts, Estimator::Plain)?, [5.0 - 2.5]);
/// assert_eq!(energy_score(&forecasts, Estimator::Fair)?, [5.0 - 5.0]);
/// # Ok::<(), hindsight_drain::DrainError>(())
/// ```
pub fn energy_score(
    forecasts: &Forecasts<'_>,
    estimator: Estimator,
) -> Result<Vec<f64>, DrainError> {
    let members = forecasts.members();
    let (size, pairs) = (count(members), estimator.pairs(members)?);
    let mut ensemble = Ensemble::new(members, forecasts.components());
    let scores = forecasts.iter().map(|(x, y)| {
        let scale = ensemble.take(x, y);
        let apart = ensemble.distances_from_zero();
        let spread = vectorize(
            #[inline(always)]
            || ensemble.distances(),
        );
        scale * (apart / size - spread / pairs)
    });
    checked(scores.collect())
}

/// Members less the outcome, brought to a scale where squares neither overflow nor vanish.
struct Ensemble {
    /// Member by member.
    rows: Vec<f64>,
    /// Component by component of eight members at a time; what is beyond the last member is zero.
    blocks: Vec<[f64; LANES]>,
    members: usize,
    components: usize,
}

impl Ensemble {
    fn new(members: usize, components: usize) -> Self {
        Self {
            rows: vec![0.0; members * components],
            blocks: vec![[0.0; LANES]; members.div_ceil(LANES) * components],
            members,
            components,
        }
    }

    /// Returns the scale: a power of two, so that nothing is rounded.
    fn take(&mut self, members: &[f64], outcome: &[f64]) -> f64 {
        let most = |list: &[f64]| list.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
        let scale = power_of_two_below(most(members).max(most(outcome)));
        let components = self.components;
        for (i, member) in members.chunks_exact(components).enumerate() {
            let row = &mut self.rows[i * components..][..components];
            let block = &mut self.blocks[i / LANES * components..][..components];
            for (d, (x, y)) in member.iter().zip(outcome).enumerate() {
                row[d] = x / scale - y / scale;
                block[d][i % LANES] = row[d];
            }
        }
        scale
    }

    fn distances_from_zero(&self) -> f64 {
        let rows = self.rows.chunks_exact(self.components);
        rows.map(|row| row.iter().map(|v| v * v).sum::<f64>().sqrt())
            .sum()
    }

    /// The sum of distances over unordered pairs of members.
    #[inline(always)]
    fn distances(&self) -> f64 {
        let (mut before, mut within) = ([0.0; LANES], [0.0; LANES]);
        for (b, block) in self.blocks.chunks_exact(self.components).enumerate() {
            let (start, end) = (b * LANES, self.members.min((b + 1) * LANES));
            let (earlier, own) = (
                &self.rows[..start * self.components],
                &self.rows[start * self.components..end * self.components],
            );
            let valid = end - start;
            Self::add(block, earlier, valid, &mut before);
            // Pairs within the block are met twice.
            Self::add(block, own, valid, &mut within);
        }
        before.iter().sum::<f64>() + 0.5 * within.iter().sum::<f64>()
    }

    /// Adds the distances of the block's first `valid` members from all of `rows`.
    #[inline(always)]
    fn add(block: &[[f64; LANES]], rows: &[f64], valid: usize, total: &mut [f64; LANES]) {
        let components = block.len();
        let mut counted = [0.0; LANES];
        counted[..valid].fill(1.0);
        let whole = rows.chunks_exact(WITH * components);
        let rest = whole.remainder();
        for rows in whole {
            let mut squares = [[0.0; LANES]; WITH];
            for (d, lanes) in block.iter().enumerate() {
                for (with, squares) in squares.iter_mut().enumerate() {
                    let x = rows[with * components + d];
                    for lane in 0..LANES {
                        let gap = lanes[lane] - x;
                        squares[lane] += gap * gap;
                    }
                }
            }
            for squares in squares {
                for lane in 0..LANES {
                    total[lane] += counted[lane] * squares[lane].sqrt();
                }
            }
        }
        for row in rest.chunks_exact(components) {
            let mut squares = [0.0; LANES];
            for (lanes, x) in block.iter().zip(row) {
                for lane in 0..LANES {
                    let gap = lanes[lane] - x;
                    squares[lane] += gap * gap;
                }
            }
            for lane in 0..LANES {
                total[lane] += counted[lane] * squares[lane].sqrt();
            }
        }
    }
}

/// The largest power of two that does not exceed a positive number; one for zero and what is too small to have its own.
fn power_of_two_below(value: f64) -> f64 {
    let power = f64::from_bits(value.to_bits() & 0x7FF0_0000_0000_0000);
    if power > 0.0 { power } else { 1.0 }
}
