//! Levenberg-Marquardt for the three constants of the curve of steps against batch size.

use super::options::{BatchFitOptions, FitLoss};

pub(super) fn distinct(values: &[f64]) -> usize {
    let mut v = values.to_vec();
    v.sort_by(f64::total_cmp);
    v.dedup_by(|a, b| a.total_cmp(b).is_eq());
    v.len()
}

/// ln(a + b B^-alpha) and its derivatives in (ln a, ln b, alpha).
pub(super) fn model(batch: f64, theta: &[f64; 3]) -> (f64, [f64; 3]) {
    let linear = theta[1] - theta[2] * batch.ln();
    let top = theta[0].max(linear);
    let value = top + ((theta[0] - top).exp() + (linear - top).exp()).ln();
    let share = (linear - value).exp();
    (
        value,
        [(theta[0] - value).exp(), share, -share * batch.ln()],
    )
}

/// The loss of a residual and the weight (derivative over residual) for the Gauss-Newton step.
pub(super) fn penalty(loss: FitLoss, r: f64) -> (f64, f64) {
    match loss {
        FitLoss::Huber(d) if r.abs() > d => (d * (r.abs() - 0.5 * d), d / r.abs()),
        _ => (0.5 * r * r, 1.0),
    }
}

/// Levenberg-Marquardt on the reweighted residuals; returns parameters, loss and the size of the gradient.
pub(super) fn minimise(
    batch: &[f64],
    y: &[f64],
    options: BatchFitOptions,
    start: [f64; 3],
) -> ([f64; 3], f64, f64) {
    let parameters = if options.free_exponent { 3 } else { 2 };
    let total = |theta: &[f64; 3]| {
        batch
            .iter()
            .zip(y)
            .map(|(b, y)| penalty(options.loss, model(*b, theta).0 - y).0)
            .sum::<f64>()
    };
    let mut theta = start;
    let mut loss = total(&theta);
    let mut damping = 1e-3;
    let mut size = f64::INFINITY;
    for _ in 0..1000 {
        let (mut gradient, mut hessian) = ([0.0; 3], [[0.0; 3]; 3]);
        for (b, y) in batch.iter().zip(y) {
            let (value, j) = model(*b, &theta);
            let weight = penalty(options.loss, value - y).1;
            for i in 0..parameters {
                gradient[i] += weight * (value - y) * j[i];
                for k in 0..parameters {
                    hessian[i][k] += weight * j[i] * j[k];
                }
            }
        }
        size = gradient.iter().fold(0.0f64, |m, g| m.max(g.abs()));
        if size < 1e-13 || damping > 1e15 {
            break;
        }
        let mut damped = hessian;
        for (i, row) in damped.iter_mut().enumerate() {
            row[i] += damping * (row[i] + 1e-9);
        }
        let inv = inverse(damped, parameters);
        let mut next = theta;
        for i in 0..parameters {
            next[i] -= (0..parameters)
                .map(|k| inv[i][k] * gradient[k])
                .sum::<f64>();
        }
        let trial = total(&next);
        if trial < loss {
            // Below rounding of the sum nothing more can be gained.
            if loss - trial <= 1e-16 * loss && size < 1e-9 {
                return (next, trial, size);
            }
            (theta, loss) = (next, trial);
            damping = (damping / 5.0).max(1e-12);
        } else {
            damping *= 4.0;
        }
    }
    (theta, loss, size)
}

/// The inverse of the leading `n` by `n` block of a symmetric matrix (n = 2 or 3), zero elsewhere; infinite entries if singular.
pub(super) fn inverse(m: [[f64; 3]; 3], n: usize) -> [[f64; 3]; 3] {
    let mut out = [[0.0; 3]; 3];
    if n == 2 {
        let det = m[0][0] * m[1][1] - m[0][1] * m[1][0];
        out[0][0] = m[1][1] / det;
        out[1][1] = m[0][0] / det;
        out[0][1] = -m[0][1] / det;
        out[1][0] = out[0][1];
        return out;
    }
    let minor = |i: usize, j: usize| {
        let (r, c) = ([(i + 1) % 3, (i + 2) % 3], [(j + 1) % 3, (j + 2) % 3]);
        m[r[0]][c[0]] * m[r[1]][c[1]] - m[r[0]][c[1]] * m[r[1]][c[0]]
    };
    let det: f64 = (0..3).map(|j| m[0][j] * minor(0, j)).sum();
    for (i, row) in out.iter_mut().enumerate() {
        for (j, v) in row.iter_mut().enumerate() {
            *v = minor(j, i) / det;
        }
    }
    out
}
