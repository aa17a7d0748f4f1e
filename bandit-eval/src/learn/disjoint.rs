//! One ridge regression per action, updated round by round.

use super::check_context;
use crate::error::{Allowed, Error, Result};
use crate::vectorize::vectorize_short;

/// Ridge regressions of the reward on the context, one per action, with the inverse of $\lambda I + \sum x x^\top$ kept by the formula of Sherman and
/// Morrison.
#[derive(Debug, Clone, PartialEq)]
pub struct Disjoint {
    features: usize,
    /// Length of a row, padded so that vectors are whole.
    width: usize,
    /// `[action][row][column]`, symmetric.
    inverse: Vec<f64>,
    /// `[action][feature]`
    sums: Vec<f64>,
    theta: Vec<f64>,
    products: Vec<f64>,
    padded: Vec<f64>,
    penalty: f64,
}

/// What a regression says of an action in a context.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Guess {
    pub(super) mean: f64,
    /// $x^\top A^{-1} x$.
    pub(super) leverage: f64,
}

impl Disjoint {
    /// Returns regressions of so many actions on so many features, with a penalty.
    ///
    /// # Errors
    /// When there is no action or no feature, or the penalty is not positive and finite.
    pub fn new(actions: usize, features: usize, penalty: f64) -> Result<Self> {
        if actions == 0 || features == 0 {
            return Err(Error::TooFew {
                what: "the number of actions, and of features,",
                needed: 1,
                found: 0,
            });
        }
        Allowed::Above(0.0).check("penalty", penalty)?;
        let width = features.next_multiple_of(4);
        let mut inverse = vec![0.0; actions * features * width];
        for row in inverse.chunks_exact_mut(features * width) {
            (0..features).for_each(|i| row[i * width + i] = 1.0 / penalty);
        }
        Ok(Disjoint {
            features,
            width,
            inverse,
            sums: vec![0.0; actions * width],
            theta: vec![0.0; actions * width],
            products: vec![0.0; width],
            padded: vec![0.0; width],
            penalty,
        })
    }

    /// The number of actions.
    #[must_use]
    pub fn actions(&self) -> usize {
        self.theta.len() / self.width
    }

    /// The number of features.
    #[must_use]
    pub fn features(&self) -> usize {
        self.features
    }

    /// The penalty.
    #[must_use]
    pub fn penalty(&self) -> f64 {
        self.penalty
    }

    /// The coefficients of an action.
    ///
    /// # Errors
    /// When there is no such action.
    pub fn coefficients(&self, action: usize) -> Result<&[f64]> {
        self.check(action)?;
        Ok(&self.theta[action * self.width..][..self.features])
    }

    fn check(&self, action: usize) -> Result<()> {
        let actions = self.actions();
        if action < actions {
            Ok(())
        } else {
            Err(Error::Action {
                round: 0,
                action,
                actions,
            })
        }
    }

    /// What the regressions say, action by action, given to `take`.
    pub(super) fn guesses(
        &mut self,
        context: &[f64],
        mut take: impl FnMut(usize, Guess),
    ) -> Result<()> {
        check_context(self.features, context)?;
        self.padded[..self.features].copy_from_slice(context);
        let Disjoint {
            features,
            width,
            inverse,
            theta,
            products,
            padded,
            ..
        } = self;
        let (features, width) = (*features, *width);
        vectorize_short(
            #[inline(always)]
            || {
                let matrices = inverse.chunks_exact(features * width);
                let parts = matrices.zip(theta.chunks_exact(width));
                for (action, (matrix, theta)) in parts.enumerate() {
                    multiply(matrix, padded, products);
                    let guess = Guess {
                        mean: dot(theta, padded),
                        leverage: dot(products, padded),
                    };
                    take(action, guess);
                }
            },
        );
        Ok(())
    }

    /// The predicted rewards of all actions in a context.
    ///
    /// # Errors
    /// When the context has another length, or a number that is not finite.
    pub fn means(&mut self, context: &[f64]) -> Result<Vec<f64>> {
        check_context(self.features, context)?;
        self.padded[..self.features].copy_from_slice(context);
        let thetas = self.theta.chunks_exact(self.width);
        Ok(thetas.map(|theta| dot(theta, &self.padded)).collect())
    }

    /// The action of the largest index, the first where several are.
    pub(super) fn best_by(
        &mut self,
        context: &[f64],
        mut index: impl FnMut(Guess) -> f64,
    ) -> Result<usize> {
        let mut best = (0, f64::NEG_INFINITY);
        self.guesses(context, |action, guess| {
            let value = index(guess);
            if value > best.1 {
                best = (action, value);
            }
        })?;
        Ok(best.0)
    }

    /// Learns what an action earned in a context.
    ///
    /// # Errors
    /// When there is no such action, the context has another length, or a number is not finite.
    pub fn learn(&mut self, context: &[f64], action: usize, reward: f64) -> Result<()> {
        self.check(action)?;
        if !reward.is_finite() {
            return Err(Error::Reward {
                round: 0,
                value: reward,
            });
        }
        check_context(self.features, context)?;
        self.padded[..self.features].copy_from_slice(context);
        vectorize_short(
            #[inline(always)]
            || self.update(action, reward),
        );
        Ok(())
    }

    /// The formula of Sherman and Morrison for the padded context.
    #[inline(always)]
    fn update(&mut self, action: usize, reward: f64) {
        let (features, width) = (self.features, self.width);
        let matrix = &mut self.inverse[action * features * width..][..features * width];
        let products = &mut self.products;
        multiply(matrix, &self.padded, products);
        let factor = 1.0 / (1.0 + dot(products, &self.padded));
        for (row, v) in matrix.chunks_exact_mut(width).zip(products.iter()) {
            let v = v * factor;
            for (a, u) in row.iter_mut().zip(products.iter()) {
                *a -= v * u;
            }
        }
        let sums = &mut self.sums[action * width..][..width];
        for (sum, x) in sums.iter_mut().zip(&self.padded) {
            *sum += reward * x;
        }
        let theta = &mut self.theta[action * width..][..features];
        for (theta, row) in theta.iter_mut().zip(matrix.chunks_exact(width)) {
            *theta = dot(row, sums);
        }
    }
}

/// Writes the product of a symmetric matrix, row by row, and a vector.
#[inline(always)]
fn multiply(matrix: &[f64], vector: &[f64], out: &mut [f64]) {
    out.fill(0.0);
    for (x, row) in vector.iter().zip(matrix.chunks_exact(out.len())) {
        for (out, a) in out.iter_mut().zip(row) {
            *out += x * a;
        }
    }
}

/// Four sums side by side; both have a whole number of fours.
#[inline(always)]
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 4];
    for (a, b) in a.chunks_exact(4).zip(b.chunks_exact(4)) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])
}
