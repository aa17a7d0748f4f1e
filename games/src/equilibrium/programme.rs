//! What a linear programme of this crate is made of, and what its solution holds.

use crate::error::real;

/// The rows of a programme, never all formed at once.
pub(crate) trait Rows {
    /// Number of rows.
    fn count(&self) -> usize;
    /// Adds $Gx$ to `out` for the sparse `x`.
    fn activity(&self, x: &[(usize, f64)], out: &mut [f64]);
    /// Writes row `r` into the zeroed dense `out`.
    fn row(&self, r: usize, out: &mut [f64]);
    /// Whether column `j` counts in the normalisation.
    fn normalised(&self, _j: usize) -> bool {
        true
    }
}

/// An optimal vertex, its multipliers and what was left of the optimality conditions.
#[derive(Debug, Clone)]
pub(crate) struct Optimum {
    pub(crate) x: Vec<f64>,
    pub(crate) value: f64,
    /// Rows with a positive multiplier.
    pub(crate) duals: Vec<(usize, f64)>,
    /// Least upper bound on the optimum that the multipliers prove, minus the value.
    pub(crate) gap: f64,
    /// Largest violated row.
    pub(crate) infeasibility: f64,
    pub(crate) pivots: usize,
}

/// A number in $[0,1)$ that depends on `j` alone.
pub(super) fn jitter(j: usize) -> f64 {
    let mut z = (j as u64)
        .wrapping_add(1)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    real(((z ^ (z >> 31)) >> 40) as usize) / 16_777_216.0
}

/// Adds `a x` to `y`.
pub(super) fn axpy(a: f64, x: &[f64], y: &mut [f64]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += a * x;
    }
}
