//! A network from what the weeks before tell to a level and a cap.

mod damage;
mod layers;
mod levels;
mod weights;

use std::ops::Range;

use gpu::{DelayLine, Scalar};

use super::{Observation, Policy, Signals};
use crate::policy::trailing::{INPUTS, LEVELS, Trailing};
pub use damage::Damage;
use layers::Ensemble;
pub use weights::{LevelWeights, Normaliser};

/// Rows that a network reads of a week: normalised inputs, then levels and scale in units.
const ROWS: usize = INPUTS.len() + LEVELS.len() + 1;

/// A network that orders up to a level, trained by Direct Backprop.
///
/// Level and cap come from [`Trailing`]: inputs $x$ free of units, levels $\ell_1, \dots, \ell_n$ and a scale $m$ in units, all known when the
/// order is placed. With the outputs $s > 0$ of a softplus,
/// $$ a = \min\Bigl( m s_{n+1}, \max\bigl( \textstyle\sum_k \ell_k s_k(x) - y, 0 \bigr) \Bigr), $$
/// $y$ being the inventory position. The network sees no inventory, so that level and cap can be worked out once for all weeks
/// ([`LevelWeights::levels`]), and it is free of units, so that what was learnt on one record serves on another. An untrained network
/// orders up to the mean of its levels. Our own formulation.
#[derive(Debug, Clone)]
pub struct LevelNetwork {
    signals: Signals,
    ensemble: Ensemble,
    theta: Vec<f64>,
}

impl LevelNetwork {
    /// The network of some weights on what a record's weeks tell; `weeks` is the number of weeks of the panel.
    ///
    /// In weeks that `trailing` has no numbers for it orders nothing. Takes memory for about seventy numbers a product and week.
    #[must_use]
    pub fn new(trailing: &Trailing, weeks: usize, weights: &LevelWeights) -> Self {
        let products: Vec<usize> = (0..trailing.products()).collect();
        LevelNetwork::on_piece(trailing, 0..weeks, &products, weights)
    }

    /// The network on some of the products in some of the weeks.
    pub(crate) fn on_piece(
        trailing: &Trailing,
        weeks: Range<usize>,
        products: &[usize],
        weights: &LevelWeights,
    ) -> Self {
        let there = trailing.weeks();
        let value = |week: usize, row: usize, product: usize| {
            let (week, product) = (weeks.start + week, products[product]);
            if there.contains(&week) {
                weights.row(trailing, row, week, product)
            } else {
                0.0
            }
        };
        LevelNetwork {
            signals: Signals::from_fn(weeks.len(), ROWS, products.len(), value),
            ensemble: Ensemble::new(weights.members().len()),
            theta: weights.members().concat(),
        }
    }
}

impl Policy for LevelNetwork {
    fn name(&self) -> &'static str {
        "Direct Backprop"
    }
    fn theta(&self) -> &[f64] {
        &self.theta
    }
    fn signals(&self) -> Option<&Signals> {
        Some(&self.signals)
    }
    fn is_network(&self) -> bool {
        true
    }
    fn order<S: Scalar>(
        &self,
        theta: &[S],
        seen: &Observation<'_, S>,
        _: &mut [DelayLine<S>],
    ) -> S {
        let (level, cap) = self.ensemble.decide(theta, seen.signals);
        (level - seen.inventory.position).relu().min(cap)
    }
}

#[cfg(test)]
mod tests;
