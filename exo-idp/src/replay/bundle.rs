//! Lanes side by side in one number.

use gpu::Scalar;
use gpu::numbers::{Lanes, vectorize};

/// A number type that holds one or several lanes and exchanges them with `f64` arrays.
pub trait Bundle: Scalar + Send + Sync {
    /// The lanes that it holds.
    const WIDTH: usize;
    /// The first lanes of a slice; the last one is repeated where there are fewer.
    fn load(values: &[f64]) -> Self;
    /// Writes the lanes.
    fn store(self, out: &mut [f64]);
    /// Adds the lanes.
    fn add_to(self, out: &mut [f64]);
    /// Does work on such numbers: with several lanes, compiled for the widest instructions of the machine.
    fn work<R>(work: impl FnOnce() -> R) -> R;
}

impl Bundle for f64 {
    const WIDTH: usize = 1;
    fn load(values: &[f64]) -> Self {
        values[0]
    }
    fn store(self, out: &mut [f64]) {
        out[0] = self;
    }
    fn add_to(self, out: &mut [f64]) {
        out[0] += self;
    }
    fn work<R>(work: impl FnOnce() -> R) -> R {
        work()
    }
}

impl<const N: usize> Bundle for Lanes<N> {
    const WIDTH: usize = N;
    #[inline(always)]
    #[allow(
        clippy::cast_possible_truncation,
        reason = "rounded once to the lanes' type"
    )]
    fn load(values: &[f64]) -> Self {
        let last = values.len() - 1;
        Lanes::from(std::array::from_fn(|i| values[i.min(last)] as f32))
    }
    #[inline(always)]
    fn store(self, out: &mut [f64]) {
        for (o, x) in out.iter_mut().zip(self.to_array()) {
            *o = f64::from(x);
        }
    }
    #[inline(always)]
    fn add_to(self, out: &mut [f64]) {
        for (o, x) in out.iter_mut().zip(self.to_array()) {
            *o += f64::from(x);
        }
    }
    #[inline(always)]
    fn work<R>(work: impl FnOnce() -> R) -> R {
        vectorize(work)
    }
}
