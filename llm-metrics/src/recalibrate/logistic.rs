//! Logistic regression on a few features by damped Newton steps.

use super::status::FitStatus;

/// Coefficients of D features that minimise the cross-entropy against `target` (in [0, 1]), and how the search ended.
pub(super) fn fit<const D: usize>(features: &[[f64; D]], target: &[f64]) -> ([f64; D], FitStatus) {
    let mut w = [0.0; D];
    let n = features.len().max(1);
    #[allow(clippy::cast_precision_loss)] // A count.
    let count = n as f64;
    let mut loss = objective(features, target, &w);
    for _ in 0..200 {
        let (gradient, hessian) = derivatives(features, target, &w);
        let size = gradient.iter().fold(0.0f64, |a, g| a.max(g.abs())) / count;
        if size < 1e-12 {
            return (w, status_of(features, target, &w));
        }
        // Marquardt: enough damping to make the system definite, none once the steps are good.
        let mut damping = 0.0;
        let mut improved = false;
        for _ in 0..60 {
            if let Some(step) = solve(&hessian, &gradient, damping) {
                let mut next = w;
                for d in 0..D {
                    next[d] -= step[d];
                }
                let trial = objective(features, target, &next);
                // At the optimum rounding hides the decrease; accept a step that does no harm.
                if trial <= loss + 1e-14 * loss.abs() {
                    improved = trial < loss;
                    (w, loss) = (next, trial);
                    break;
                }
            }
            damping = if damping <= 0.0 {
                1e-10
            } else {
                damping * 10.0
            };
        }
        if !improved {
            let end = if size < 1e-7 {
                status_of(features, target, &w)
            } else {
                FitStatus::IterationLimit
            };
            return (w, end);
        }
        if loss / count < 1e-9 {
            return (w, FitStatus::Separated);
        }
    }
    (w, FitStatus::IterationLimit)
}

/// A vanishing gradient with nearly certain predictions everywhere is separation, not an optimum.
fn status_of<const D: usize>(features: &[[f64; D]], target: &[f64], w: &[f64; D]) -> FitStatus {
    let certain = features.iter().zip(target).all(|(x, t)| {
        let p = sigmoid(dot(x, w));
        (p - t).abs() < 1e-6 && (*t <= 0.0 || *t >= 1.0)
    });
    if certain {
        FitStatus::Separated
    } else {
        FitStatus::Converged
    }
}

pub(super) fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        let e = x.exp();
        e / (1.0 + e)
    }
}

/// ln(1 + e^x) without overflow.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

fn dot<const D: usize>(a: &[f64; D], b: &[f64; D]) -> f64 {
    (0..D).map(|d| a[d] * b[d]).sum()
}

fn objective<const D: usize>(features: &[[f64; D]], target: &[f64], w: &[f64; D]) -> f64 {
    features
        .iter()
        .zip(target)
        .map(|(x, t)| {
            let s = dot(x, w);
            softplus(s) - t * s
        })
        .sum()
}

fn derivatives<const D: usize>(
    features: &[[f64; D]],
    target: &[f64],
    w: &[f64; D],
) -> ([f64; D], [[f64; D]; D]) {
    let (mut g, mut h) = ([0.0; D], [[0.0; D]; D]);
    for (x, t) in features.iter().zip(target) {
        let p = sigmoid(dot(x, w));
        let v = p * (1.0 - p);
        for i in 0..D {
            g[i] += (p - t) * x[i];
            for j in 0..=i {
                h[i][j] += v * x[i] * x[j];
            }
        }
    }
    (g, h)
}

/// Solves (H + damping * diag) s = g by Cholesky; `None` if not positive definite.
fn solve<const D: usize>(h: &[[f64; D]; D], g: &[f64; D], damping: f64) -> Option<[f64; D]> {
    let mut l = *h;
    let top = (0..D).map(|d| h[d][d]).fold(0.0, f64::max);
    for i in 0..D {
        l[i][i] += damping * top.max(1e-300);
        for j in 0..=i {
            let mut s = l[i][j];
            s -= (0..j).map(|k| l[i][k] * l[j][k]).sum::<f64>();
            if i == j {
                if !(s > 1e-14 * top) {
                    return None;
                }
                l[i][i] = s.sqrt();
            } else {
                l[i][j] = s / l[j][j];
            }
        }
    }
    let mut x = *g;
    for i in 0..D {
        for k in 0..i {
            x[i] -= l[i][k] * x[k];
        }
        x[i] /= l[i][i];
    }
    for i in (0..D).rev() {
        for k in i + 1..D {
            x[i] -= l[k][i] * x[k];
        }
        x[i] /= l[i][i];
    }
    Some(x)
}
