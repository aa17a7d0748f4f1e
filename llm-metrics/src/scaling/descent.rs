//! The objective of the parametric fit, its gradient, and L-BFGS from many starts.

use std::cell::Cell;

use argmin::core::{CostFunction, Executor, Gradient};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;

/// Runs in logarithms, each with its weight.
#[derive(Clone)]
pub(super) struct Problem {
    pub(super) ln_n: Vec<f64>,
    pub(super) ln_d: Vec<f64>,
    pub(super) ln_loss: Vec<f64>,
    pub(super) weight: Vec<f64>,
    pub(super) delta: f64,
    /// Scale of the objective, so that the line search works with numbers near one.
    pub(super) scale: f64,
    /// A parameter that keeps its value.
    pub(super) held: Option<usize>,
}

impl Problem {
    /// The same problem with one parameter held.
    pub(super) fn holding(&self, k: usize) -> Self {
        Self {
            held: Some(k),
            ..self.clone()
        }
    }

    /// The three terms of a run relative to their sum, and the logarithm of that sum.
    fn terms(&self, t: &[f64; 5], i: usize) -> ([f64; 3], f64) {
        let terms = [t[0] - t[3] * self.ln_n[i], t[1] - t[4] * self.ln_d[i], t[2]];
        let top = terms[0].max(terms[1]).max(terms[2]);
        let exps = terms.map(|v| (v - top).exp());
        let sum = exps[0] + exps[1] + exps[2];
        (exps.map(|e| e / sum), top + sum.ln())
    }

    /// Fitted minus observed log loss of a run.
    pub(super) fn residual(&self, t: &[f64; 5], i: usize) -> f64 {
        self.terms(t, i).1 - self.ln_loss[i]
    }

    /// Derivatives of the fitted log loss of a run.
    pub(super) fn slopes(&self, t: &[f64; 5], i: usize) -> [f64; 5] {
        let shares = self.terms(t, i).0;
        [
            shares[0],
            shares[1],
            shares[2],
            -shares[0] * self.ln_n[i],
            -shares[1] * self.ln_d[i],
        ]
    }

    /// The objective and its gradient in (ln A, ln B, ln E, alpha, beta).
    pub(super) fn evaluate(&self, t: &[f64]) -> (f64, [f64; 5]) {
        let (mut value, mut gradient) = (0.0, [0.0; 5]);
        for i in 0..self.ln_n.len() {
            let terms = [t[0] - t[3] * self.ln_n[i], t[1] - t[4] * self.ln_d[i], t[2]];
            let top = terms[0].max(terms[1]).max(terms[2]);
            let exps = terms.map(|v| (v - top).exp());
            let sum = exps[0] + exps[1] + exps[2];
            let r = top + sum.ln() - self.ln_loss[i];
            let size = r.abs();
            let (loss, slope) = if size <= self.delta {
                (0.5 * r * r, r)
            } else {
                (
                    self.delta * (size - 0.5 * self.delta),
                    self.delta * r.signum(),
                )
            };
            let w = self.weight[i];
            value += w * loss;
            let share = exps.map(|e| w * slope * e / sum);
            gradient[0] += share[0];
            gradient[1] += share[1];
            gradient[2] += share[2];
            gradient[3] -= share[0] * self.ln_n[i];
            gradient[4] -= share[1] * self.ln_d[i];
        }
        if let Some(k) = self.held {
            gradient[k] = 0.0;
        }
        (value, gradient)
    }
}

/// Evaluations that one run of L-BFGS may use: argmin's line search has no limit of its own, and can go on for ever where rounding hides
/// the descent.
const EVALUATIONS: usize = 2_000;

/// What a run of L-BFGS has found so far; kept outside argmin, which drops its state on an error.
struct Record {
    left: Cell<usize>,
    best: Cell<([f64; 5], f64)>,
}

/// A borrowed problem: argmin takes its problem by value.
struct View<'a> {
    problem: &'a Problem,
    record: &'a Record,
}

impl View<'_> {
    fn evaluate(&self, t: &[f64]) -> std::result::Result<(f64, [f64; 5]), argmin::core::Error> {
        let Some(left) = self.record.left.get().checked_sub(1) else {
            return Err(argmin::core::Error::msg("out of evaluations"));
        };
        self.record.left.set(left);
        let (value, gradient) = self.problem.evaluate(t);
        if !value.is_finite() || gradient.iter().any(|g| !g.is_finite()) {
            return Err(argmin::core::Error::msg("not a number"));
        }
        if value < self.record.best.get().1 {
            let mut theta = [0.0; 5];
            theta.copy_from_slice(t);
            self.record.best.set((theta, value));
        }
        Ok((
            value * self.problem.scale,
            gradient.map(|g| g * self.problem.scale),
        ))
    }
}

impl CostFunction for View<'_> {
    type Param = Vec<f64>;
    type Output = f64;
    fn cost(&self, t: &Vec<f64>) -> std::result::Result<f64, argmin::core::Error> {
        Ok(self.evaluate(t)?.0)
    }
}

impl Gradient for View<'_> {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;
    fn gradient(&self, t: &Vec<f64>) -> std::result::Result<Vec<f64>, argmin::core::Error> {
        Ok(self.evaluate(t)?.1.to_vec())
    }
}

/// The end of one descent. L-BFGS is restarted while that helps: Huber's loss has kinks in its gradient's slope, and a failed line search
/// drops the history.
pub(super) fn descend(problem: &Problem, start: [f64; 5]) -> Option<([f64; 5], f64)> {
    let value = problem.evaluate(&start).0;
    if !value.is_finite() {
        return None;
    }
    let record = Record {
        left: Cell::new(0),
        best: Cell::new((start, value)),
    };
    for _ in 0..12 {
        let (from, before) = record.best.get();
        record.left.set(EVALUATIONS);
        let search = MoreThuenteLineSearch::new().with_c(1e-4, 0.9).ok()?;
        let solver = LBFGS::new(search, 10)
            .with_tolerance_grad(1e-12)
            .ok()?
            .with_tolerance_cost(0.0)
            .ok()?;
        let view = View {
            problem,
            record: &record,
        };
        // An error ends the run; the record holds the best point all the same.
        let _ended = Executor::new(view, solver)
            .configure(|s| s.param(from.to_vec()).max_iters(300))
            .run()
            .is_ok();
        if record.best.get().1 >= before * (1.0 - 1e-10) {
            break;
        }
    }
    Some(record.best.get())
}

/// Points (ln A, ln B, ln E, alpha, beta) to start from.
pub(super) fn starts(full: bool) -> Vec<[f64; 5]> {
    let (logs, es, powers): (&[f64], &[f64], &[f64]) = if full {
        (
            &[0.0, 5.0, 10.0, 15.0, 20.0, 25.0],
            &[-1.0, -0.5, 0.0, 0.5, 1.0],
            &[0.0, 0.5, 1.0, 1.5, 2.0],
        )
    } else {
        (&[0.0, 5.0, 10.0, 20.0], &[-0.5, 0.5], &[0.2, 0.5, 1.0])
    };
    let mut all = Vec::new();
    for a in logs {
        for b in logs {
            for e in es {
                for (i, alpha) in powers.iter().enumerate() {
                    if full {
                        all.extend(powers.iter().map(|beta| [*a, *b, *e, *alpha, *beta]));
                    } else {
                        all.push([*a, *b, *e, *alpha, powers[i]]);
                    }
                }
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::uniform;

    #[test]
    fn the_gradient_is_the_derivative() {
        let unit = |k: u64| (0..72).map(|i| uniform(2, k, i)).collect::<Vec<f64>>();
        let p = Problem {
            ln_n: unit(1).iter().map(|u| 17.0 + 6.0 * u).collect(),
            ln_d: unit(2).iter().map(|u| 20.0 + 6.0 * u).collect(),
            ln_loss: unit(3).iter().map(|u| 0.6 + 0.7 * u).collect(),
            weight: unit(4),
            delta: 0.01,
            held: None,
            scale: 1.0,
        };
        let t = [6.0, 7.5, 0.6, 0.34, 0.36];
        let g = p.evaluate(&t).1;
        for k in 0..5 {
            let h = 1e-6;
            let (mut up, mut down) = (t, t);
            up[k] += h;
            down[k] -= h;
            let numeric = (p.evaluate(&up).0 - p.evaluate(&down).0) / (2.0 * h);
            assert!(
                (g[k] - numeric).abs() < 1e-5 * (1.0 + numeric.abs()),
                "{k} {} {numeric}",
                g[k]
            );
        }
    }
}
