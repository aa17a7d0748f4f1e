//! Linear programmes over a probability simplex with implicit rows.
//!
//! $$\max_{x\ge0}\ c\cdot x \quad\text{s.t.}\quad \sum_{j\in J}x_j=1,\quad Gx\le0,$$
//!
//! where columns outside $J$ must have $c_j\le0$. Every programme of this crate has this form. The rows of correlated equilibrium are many, highly
//! degenerate (right-hand sides are all zero) and almost never binding, and an optimal vertex has few positive columns. So only the small matrix of tight
//! rows and basic columns is inverted ([`inverse`]); a row or a column is formed when it is needed. Forced zeros leave before
//! ([`presolve`]), the dual simplex with steepest-edge prices does the work ([`pricing`], [`ratio`], [`simplex`], [`vectors`], [`update`]), and what is returned is
//! proved from the original data ([`certificate`]).
//!
//! Rows are scaled to a largest entry of 1 over the columns that are left and objectives to a spread of 1, so every tolerance is relative.

mod certificate;
mod inverse;
mod presolve;
mod pricing;
mod ratio;
mod simplex;
mod solve;
#[cfg(test)]
mod tests;
mod update;
mod vectors;

pub(super) use solve::maximise;

/// The rows of a programme, never all formed at once.
pub(super) trait Rows {
    /// Number of rows.
    fn count(&self) -> usize;
    /// Calls `visit` with the column and the value of each entry of row `r`; values may be zero.
    fn entries(&self, r: usize, visit: impl FnMut(usize, f64));
    /// Adds `p` times column `j` to `out`, one entry a row.
    fn add_column(&self, j: usize, p: f64, out: &mut [f64]);
    /// Whether column `j` counts in the normalisation.
    fn normalised(&self, _j: usize) -> bool {
        true
    }
}

/// Adds `a x` to `y`.
fn axpy(a: f64, x: &[f64], y: &mut [f64]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += a * x;
    }
}
