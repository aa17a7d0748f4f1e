//! Profile-likelihood intervals of the constants of the parametric law, and whether the runs determine them.

use super::descent::{Problem, descend};
use crate::stats::identification::Jacobian;
use crate::stats::interval::t_quantile;
use crate::stats::{Cause, Identification, par};

/// Names of the constants of a fit, in the order of its parameters.
const NAMES: [&str; 5] = ["ln A", "ln B", "ln E", "alpha", "beta"];
/// Below this ratio of singular values the Jacobian is taken as singular: ladders of proportional tokens have 1e-5 or less, spread designs 1e-3 or more.
const SINGULAR: f64 = 1e-4;
/// A logarithm of a constant more uncertain than this (a factor of 20) is not determined.
const UNCERTAIN: f64 = 3.0;
/// Relative scatter of ln D about a line in ln N below which the design has one dimension.
const ALIGNED: f64 = 2e-3;

/// The unit of the objective: half of its expected fall by one parameter, $E\psi^2 / E\psi'$ for Huber's loss.
///
/// A fit of p parameters draws residuals into the quadratic part, so that the share m of residuals there is larger than $E\psi'$ and the residuals are smaller than
/// the errors: Huber's correction of the variance is the square of $1 + (p/n)(1-m)/m$.
#[allow(clippy::cast_precision_loss)] // Counts.
pub(super) fn unit(problem: &Problem, theta: &[f64; 5]) -> f64 {
    let n = problem.ln_loss.len();
    let (mut squares, mut inside) = (0.0, 0usize);
    for i in 0..n {
        let r = problem.residual(theta, i);
        squares += r.clamp(-problem.delta, problem.delta).powi(2);
        inside += usize::from(r.abs() <= problem.delta);
    }
    let share = inside.max(1) as f64 / n as f64;
    let correction = 1.0 + 5.0 / n as f64 * (1.0 - share) / share;
    squares / (n as f64 - 5.0) / share * correction * correction
}

/// Whether the runs determine the constants.
pub(super) fn identification(problem: &Problem, theta: &[f64; 5]) -> Identification {
    let rows: Vec<[f64; 5]> = (0..problem.ln_loss.len())
        .map(|i| problem.slopes(theta, i))
        .collect();
    let j = Jacobian::new(&rows);
    let (of_n, of_d) = (spread(&problem.ln_n), spread(&problem.ln_d));
    let scale = unit(problem, theta);
    let uncertain = (0..3).any(|k| !((scale * j.inverse_diagonal[k]).sqrt() <= UNCERTAIN));
    let cause = if of_n <= 1e-9 {
        Some(Cause::OneModelSize)
    } else if of_d <= 1e-9 {
        Some(Cause::OneTokenCount)
    } else if scatter(&problem.ln_n, &problem.ln_d) <= ALIGNED * of_d {
        Some(Cause::TokensFollowParameters)
    } else if !(j.ratio >= SINGULAR) || uncertain {
        Some(Cause::WeakDesign)
    } else {
        None
    };
    match cause {
        None => Identification::Identified {
            singular_ratio: j.ratio,
        },
        Some(cause) => Identification::NotIdentified {
            cause,
            singular_ratio: j.ratio,
            direction: NAMES.into_iter().zip(j.direction).collect(),
        },
    }
}

/// Root mean square about the mean.
fn spread(values: &[f64]) -> f64 {
    let m = crate::stats::interval::mean(values);
    crate::stats::interval::mean(&values.iter().map(|v| (v - m).powi(2)).collect::<Vec<_>>()).sqrt()
}

/// Root mean square of y about its regression on x.
fn scatter(x: &[f64], y: &[f64]) -> f64 {
    let (mx, my) = (
        crate::stats::interval::mean(x),
        crate::stats::interval::mean(y),
    );
    let (mut xx, mut xy) = (0.0, 0.0);
    for (a, b) in x.iter().zip(y) {
        xx += (a - mx).powi(2);
        xy += (a - mx) * (b - my);
    }
    let slope = if xx > 0.0 { xy / xx } else { 0.0 };
    spread(
        &x.iter()
            .zip(y)
            .map(|(a, b)| b - slope * a)
            .collect::<Vec<_>>(),
    )
}

/// The ends of each parameter at which the best others raise the objective by $t^2/2$ units; infinite where it never rises that far.
#[allow(clippy::cast_precision_loss)] // Counts.
pub(super) fn intervals(
    problem: &Problem,
    theta: &[f64; 5],
    objective: f64,
    level: f64,
) -> Option<[(f64, f64); 5]> {
    let n = problem.ln_loss.len();
    let t = t_quantile(0.5 + level / 2.0, n.saturating_sub(5) as f64)?;
    let scale = unit(problem, theta);
    let allowed = 0.5 * t * t * scale;
    let rows: Vec<[f64; 5]> = (0..n).map(|i| problem.slopes(theta, i)).collect();
    let j = Jacobian::new(&rows);
    let ends = par::map(10, |i| {
        let (k, sign) = (i / 2, if i % 2 == 0 { -1.0 } else { 1.0 });
        let step = t * (scale * j.inverse_diagonal[k]).sqrt();
        end(problem, theta, objective, allowed, k, sign * step)
    });
    Some(std::array::from_fn(|k| (ends[2 * k], ends[2 * k + 1])))
}

/// How far parameter `k` can go in the direction of `step`.
fn end(
    problem: &Problem,
    theta: &[f64; 5],
    objective: f64,
    allowed: f64,
    k: usize,
    step: f64,
) -> f64 {
    if !(allowed > 0.0) || !step.is_finite() || step.abs() <= 0.0 {
        return theta[k];
    }
    let held = problem.holding(k);
    // The root of the excess is nearly linear in the parameter.
    let root = |from: &[f64; 5], value: f64| {
        let mut start = *from;
        start[k] = value;
        descend(&held, start).map(|(t, v)| (t, (v - objective).max(0.0).sqrt()))
    };
    let goal = allowed.sqrt();
    let (mut good, mut good_root, mut warm) = (theta[k], 0.0, *theta);
    let mut stride = step;
    let (mut bad, mut bad_root) = loop {
        let at = good + stride;
        if (at - theta[k]).abs() > 100.0 {
            return f64::INFINITY * step.signum();
        }
        let Some((t, r)) = root(&warm, at) else {
            return f64::INFINITY * step.signum();
        };
        if r > goal {
            break (at, r);
        }
        (good, good_root, warm) = (at, r, t);
        stride *= 1.5;
    };
    for _ in 0..20 {
        let share = ((goal - good_root) / (bad_root - good_root)).clamp(0.05, 0.95);
        let at = good + share * (bad - good);
        let Some((t, r)) = root(&warm, at) else { break };
        if r > goal {
            (bad, bad_root) = (at, r);
        } else {
            (good, good_root, warm) = (at, r, t);
        }
        if (r - goal).abs() <= 1e-4 * goal {
            return at;
        }
    }
    f64::midpoint(good, bad)
}
