//! The iterates of dual ascent: where use is to be evaluated next, and the prices that the ascent stands for.

use crate::dual::{Ascent, Settled, StepRule};
use crate::error::count;

/// Prices far below this move by steps of their own, those far above by shares of themselves.
const KNEE: f64 = 0.01;

/// One dual problem on its way: projected gradient descent on $\ln(1 + \lambda / \text{knee})$.
#[derive(Debug, Clone)]
pub(crate) struct Iterates {
    /// Where use is evaluated next.
    pub(crate) prices: Vec<f64>,
    pub(crate) settled: Settled,
    best: Vec<f64>,
    /// Weeks of a resource: smoothing does not pass from one to another.
    weeks: usize,
    ascent: Ascent,
    rule: State,
}

#[derive(Debug, Clone)]
enum State {
    Measured {
        before: Option<(Vec<f64>, Vec<f64>)>,
        step: f64,
        growth: f64,
    },
    Averaged {
        smoothing: f64,
        /// The iterate, and the sum of those that count.
        now: Vec<f64>,
        sum: Vec<f64>,
    },
}

impl Iterates {
    /// From `prices` on, `weeks` of every resource.
    pub(crate) fn new(prices: Vec<f64>, weeks: usize, ascent: &Ascent) -> Self {
        let rule = match ascent.steps_by {
            StepRule::Measured => State::Measured {
                before: None,
                step: ascent.rate,
                growth: 1.0,
            },
            StepRule::Averaged { smoothing } => State::averaged(smoothing, &prices),
        };
        Iterates {
            best: prices.clone(),
            prices,
            settled: Settled::NONE,
            weeks,
            ascent: *ascent,
            rule,
        }
    }

    /// The same from other prices, as those of the week after; a measured step is kept.
    pub(crate) fn restart(&mut self, prices: Vec<f64>) {
        match &mut self.rule {
            State::Measured { before, growth, .. } => {
                *before = None;
                *growth = 1.0;
            }
            State::Averaged { smoothing, .. } => self.rule = State::averaged(*smoothing, &prices),
        }
        self.best.clone_from(&prices);
        self.prices = prices;
        self.settled = Settled::NONE;
    }

    /// The prices that the ascent has come to.
    pub(crate) fn best(&self) -> &[f64] {
        &self.best
    }

    /// Moves the prices, given how far the use at them is above the limits, as shares of the limits.
    pub(crate) fn observe(&mut self, gaps: &[f64]) {
        let now = self.settles(gaps);
        // Of the averaged rule the last evaluation is that of the mean: single iterates count only where they solve the problem.
        let counts = match self.rule {
            State::Measured { .. } => now.residual() < self.settled.residual(),
            State::Averaged { .. } => {
                now.steps >= self.ascent.steps || now.residual() <= self.ascent.tolerance
            }
        };
        if counts {
            self.best.copy_from_slice(&self.prices);
            self.settled = now;
        }
        self.settled.steps = now.steps;
        // No single week throws all others off.
        let gaps: Vec<f64> = gaps.iter().map(|gap| gap.clamp(-1.0, 1.0)).collect();
        let Ascent {
            steps,
            rate,
            largest,
            ..
        } = self.ascent;
        let taken = now.steps;
        self.prices = match &mut self.rule {
            State::Measured {
                before,
                step,
                growth,
            } => {
                let last = logarithms(&self.prices);
                if let Some(before) = before {
                    measure(step, growth, before, (&last, &gaps));
                }
                let next = moved(&last, &gaps, *step, largest);
                *before = Some((last, gaps));
                next
            }
            State::Averaged {
                smoothing,
                now,
                sum,
            } => {
                let rows = gaps.chunks_exact(self.weeks);
                let smooth: Vec<f64> = rows.flat_map(|row| smoothed(row, *smoothing)).collect();
                let step = rate / count(taken).sqrt();
                *now = moved(&logarithms(now), &smooth, step, largest);
                let first = steps / 2;
                if taken < first.max(1) {
                    now.clone()
                } else {
                    let later = sum.iter_mut().zip(&*now);
                    later.for_each(|(sum, price)| *sum += price);
                    if taken + 1 < steps {
                        now.clone()
                    } else {
                        let n = count(taken + 1 - first.max(1));
                        sum.iter().map(|sum| sum / n).collect()
                    }
                }
            }
        };
    }

    /// What is said of the prices that were evaluated.
    fn settles(&self, gaps: &[f64]) -> Settled {
        let n = count(gaps.len().max(1));
        let paid: f64 = self.prices.iter().sum();
        let free = self.prices.iter().zip(gaps);
        let free: f64 = free.map(|(p, gap)| p * (-gap).clamp(0.0, 1.0)).sum();
        Settled {
            steps: self.settled.steps + 1,
            violation: gaps.iter().map(|gap| gap.max(0.0)).sum::<f64>() / n,
            slack: if paid > 0.0 { free / paid } else { 0.0 },
        }
    }
}

impl State {
    fn averaged(smoothing: f64, prices: &[f64]) -> Self {
        State::Averaged {
            smoothing,
            now: prices.to_vec(),
            sum: vec![0.0; prices.len()],
        }
    }
}

fn logarithms(prices: &[f64]) -> Vec<f64> {
    prices.iter().map(|p| (p / KNEE).ln_1p()).collect()
}

fn moved(from: &[f64], gaps: &[f64], step: f64, largest: f64) -> Vec<f64> {
    let next = from.iter().zip(gaps);
    next.map(|(z, gap)| (KNEE * (z + step * gap).max(0.0).exp_m1()).min(largest))
        .collect()
}

/// Adapts a step to the curvature between two points (Malitsky and Mishchenko, arXiv:2308.02261).
fn measure(
    step: &mut f64,
    growth: &mut f64,
    before: &(Vec<f64>, Vec<f64>),
    now: (&Vec<f64>, &Vec<f64>),
) {
    let distance = |a: &[f64], b: &[f64]| {
        let squares = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b));
        squares.sum::<f64>().sqrt()
    };
    let (moved, turned) = (distance(&before.0, now.0), distance(&before.1, now.1));
    if moved > 0.0 {
        let bend = *step * turned / moved;
        let grown = (2.0 / 3.0 + *growth).sqrt();
        let curved = 1.0 / (2.0 * bend * bend - 1.0).max(0.0).sqrt();
        *growth = grown.min(curved);
        *step *= *growth;
    }
}

/// A row times the matrix of $\rho^{|i - j|}$, over $(1 + \rho) / (1 - \rho)$: two passes, one from either end. The matrix is positive definite, so that
/// the moves remain those of an ascent.
fn smoothed(row: &[f64], correlation: f64) -> Vec<f64> {
    let pass = |values: &mut dyn Iterator<Item = f64>| -> Vec<f64> {
        let mut carried = 0.0;
        values
            .map(|value| {
                carried = correlation * carried + value;
                carried
            })
            .collect()
    };
    let ahead = pass(&mut row.iter().copied());
    let back = pass(&mut row.iter().rev().copied());
    let scale = (1.0 - correlation) / (1.0 + correlation);
    let both = ahead.iter().zip(back.iter().rev()).zip(row);
    both.map(|((a, b), own)| scale * (a + b - own)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::smoothed;

    proptest! {
        /// Smoothing is a product with a positive definite matrix: that of the two passes.
        #[test]
        fn smoothed_moves_climb(row in prop::collection::vec(-1.0..1.0_f64, 1..20), rho in 0.0..0.95_f64) {
            let moves = smoothed(&row, rho);
            let climb: f64 = moves.iter().zip(&row).map(|(a, b)| a * b).sum();
            prop_assert!(climb >= -1e-12);
            let scale = (1.0 - rho) / (1.0 + rho);
            for (i, own) in moves.iter().enumerate() {
                let near = |(j, x): (usize, &f64)| rho.powi(i32::try_from(i.abs_diff(j)).unwrap()) * x;
                let all: f64 = row.iter().enumerate().map(near).sum();
                prop_assert!((own - scale * all).abs() < 1e-12);
            }
        }
    }
}
