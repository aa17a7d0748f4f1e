//! Weighted sums of outer products: the normal equations.

use nalgebra::{Cholesky, DMatrix, DVector};

use super::Features;
use crate::error::{Error, Result};
use crate::vectorize::vectorize;

/// Rows that are taken together.
const ROWS: usize = 4;

/// $X^\top W X$ and $X^\top W y$, with a column of ones in front where asked.
pub(super) fn normal_equations(
    features: Features<'_>,
    y: &[f64],
    weights: Option<&[f64]>,
    intercept: bool,
) -> (DMatrix<f64>, DVector<f64>) {
    let first = usize::from(intercept);
    let size = first + features.columns();
    // One column more, for y, and rows padded so that vectors are whole.
    let width = (size + 1).next_multiple_of(8);
    let mut sums = vec![0.0; size * width];
    let mut rows = vec![0.0; ROWS * width];
    vectorize(
        #[inline(always)]
        || {
            let mut waiting = 0;
            let all = features.values().chunks_exact(features.columns());
            for (i, (x, y)) in all.zip(y).enumerate() {
                let weight = weights.map_or(1.0, |w| w[i].sqrt());
                let row = &mut rows[waiting * width..][..width];
                if intercept {
                    row[0] = weight;
                }
                for (out, x) in row[first..].iter_mut().zip(x) {
                    *out = weight * x;
                }
                row[size] = weight * y;
                waiting += 1;
                if waiting == ROWS {
                    add(&mut sums, &rows, size, width);
                    waiting = 0;
                }
            }
            rows[waiting * width..].fill(0.0);
            add(&mut sums, &rows, size, width);
        },
    );
    let gram = DMatrix::from_fn(size, size, |i, j| sums[i.min(j) * width + i.max(j)]);
    (gram, DVector::from_fn(size, |i, _| sums[i * width + size]))
}

/// Adds the outer products of four rows, from the diagonal on.
#[inline(always)]
fn add(sums: &mut [f64], rows: &[f64], size: usize, width: usize) {
    let (a, rest) = rows.split_at(width);
    let (b, rest) = rest.split_at(width);
    let (c, d) = rest.split_at(width);
    for (i, out) in sums.chunks_exact_mut(width).enumerate().take(size) {
        let from = i & !7;
        let others = b[from..].iter().zip(&c[from..]).zip(&d[from..]);
        for ((out, a_j), ((b_j, c_j), d_j)) in out[from..].iter_mut().zip(&a[from..]).zip(others) {
            *out += a[i] * a_j + b[i] * b_j + c[i] * c_j + d[i] * d_j;
        }
    }
}

/// Solves with a penalty on all coefficients but the intercept.
pub(super) fn solve(
    mut gram: DMatrix<f64>,
    right: &DVector<f64>,
    penalty: f64,
    intercept: bool,
) -> Result<DVector<f64>> {
    for i in usize::from(intercept)..gram.nrows() {
        gram[(i, i)] += penalty;
    }
    let largest = gram.diagonal().max();
    let factor = Cholesky::new(gram).ok_or(Error::Singular)?;
    // Pivots that are rounding errors of the largest are no pivots.
    let least = factor.l_dirty().diagonal().min().powi(2);
    if !(least > 1e-13 * largest) {
        return Err(Error::Singular);
    }
    Ok(factor.solve(right))
}
