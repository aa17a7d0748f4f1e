//! The numbers that a random program is run on.

use rand::RngExt;

use super::case::Case;
use crate::{Batch, Error, Program, Real, Stream};

/// The largest difference of two arrays, relative to the largest number in them or to one.
pub fn distance(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len(), "arrays of different lengths");
    let both = a.iter().zip(b);
    let largest = a.iter().chain(b).fold(1.0, |m: f64, x| m.max(x.abs()));
    // A number that is not finite on either side is at an infinite distance, unless the two are the same.
    let gap = |(x, y): (&f64, &f64)| match (x - y).abs() {
        _ if x.to_bits() == y.to_bits() => 0.0,
        gap if gap.is_finite() => gap,
        _ => f64::INFINITY,
    };
    both.map(gap).fold(0.0, f64::max) / largest
}

/// The number half way between the multiples of $2^{-12}$ that hold `x`. It is exact in every number type, and so is a multiple of it as an index: which
/// class it names is never a matter of rounding, nor of a small step to either side.
fn between(x: f64) -> f64 {
    const CELLS: f64 = 4096.0;
    ((x * CELLS).floor() + 0.5) / CELLS
}

/// The numbers of an array in another type.
pub fn cast<F: Real>(values: &[f64]) -> Vec<F> {
    values.iter().map(|&x| F::from_f64(x)).collect()
}

/// The numbers of a case, in the number type of the run.
#[derive(Debug, Clone)]
pub struct Arrays<F> {
    /// The parameters.
    pub params: Vec<F>,
    #[doc(hidden)]
    pub lane: Vec<F>,
    #[doc(hidden)]
    pub exo: Vec<F>,
    #[doc(hidden)]
    pub shared: Vec<F>,
    /// The weights of the lanes in the objective, some of them negative.
    pub weights: Vec<F>,
}

impl<F: Real> Arrays<F> {
    /// The numbers of a case: the same for a seed, and exact in every number type.
    #[must_use]
    pub fn of(case: &Case) -> Self {
        let shape = case.shape();
        let draw = |purpose: &str, n: usize, size: f64| -> Vec<F> {
            let mut rng = Stream::new(case.seed, purpose).at(0, 0);
            let one = |_| F::from_f64(between(size * (2.0 * rng.random::<f64>() - 1.0)));
            (0..n).map(one).collect()
        };
        Arrays {
            params: draw("params", shape.params, 0.7),
            lane: draw("lane", shape.lane * case.lanes, 2.0),
            exo: draw("exo", shape.exo * case.lanes * case.periods, 2.0),
            shared: draw("shared", shape.shared * case.periods, 1.0),
            weights: draw("weights", case.lanes, 1.0),
        }
    }

    /// The inputs as a batch of the case's program; without the weights.
    ///
    /// # Errors
    /// When the program, the lanes or the periods are not those of the case.
    pub fn batch(
        &self,
        program: &Program,
        lanes: usize,
        periods: usize,
    ) -> Result<Batch<'_, F>, Error> {
        Batch::new(program, lanes, periods)
            .lane(&self.lane)?
            .exo(&self.exo)?
            .shared(&self.shared)
    }
}

#[cfg(test)]
mod tests {
    use super::between;
    use proptest::prelude::*;

    proptest! {
        /// Half of the number times as many classes as there are is an index; single precision computes it exactly, and it is no tie.
        #[test]
        #[allow(clippy::cast_possible_truncation, reason = "exact: that is the law")]
        fn an_index_is_never_a_matter_of_rounding(x in -2.0..2.0_f64, last in 0..100_u16) {
            let exact = between(x).abs() * 0.5 * f64::from(last);
            let single = (between(x) as f32).abs() * 0.5 * f32::from(last);
            prop_assert_eq!(f64::from(single).to_bits(), exact.to_bits());
            let away = (exact - exact.floor() - 0.5).abs();
            prop_assert!(last == 0 || away >= 1.0 / 16384.0, "{}", exact);
        }
    }
}
