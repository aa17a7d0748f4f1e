//! A network from what the weeks before tell to a level and a cap.

mod damage;
mod layers;
mod weights;

use std::ops::Range;
use std::sync::Arc;

use gpu::{Batch, DelayLine, Device, Executor, Program, Real, Scalar, Shape, Start, Step};

use super::{Observation, OrderUpTo, Policy, Signals};
use crate::count::count;
use crate::error::Error;
use crate::policy::trailing::{INPUTS, LEVELS, Trailing};
pub use damage::Damage;
use layers::{Layers, OUTPUTS};
pub use weights::{LevelWeights, Normaliser};

/// Weeks whose levels are worked out together.
const WEEKS_AT_ONCE: usize = 16;

/// A network that orders up to a level, trained by Direct Backprop.
///
/// Level and cap come from [`Trailing`]: inputs $x$ free of units, levels $\ell_1, \dots, \ell_n$ and a scale $m$ in units, all known when the
/// order is placed. With the outputs $s > 0$ of a softplus,
/// $$ a = \min\Bigl( m s_{n+1}, \max\bigl( \textstyle\sum_k \ell_k s_k(x) - y, 0 \bigr) \Bigr), $$
/// $y$ being the inventory position. The network sees no inventory, so that level and cap can be worked out once for all weeks
/// ([`levels`](LevelNetwork::levels)), and it is free of units, so that what was learnt on one record serves on another. An untrained network
/// orders up to the mean of its levels. Our own formulation.
#[derive(Debug, Clone)]
pub struct LevelNetwork {
    /// Normalised inputs, then levels and scale in units. Shared by networks of other weights.
    signals: Arc<Signals>,
    layers: Layers,
    members: usize,
    theta: Vec<f64>,
}

impl LevelNetwork {
    /// The network of some weights on what a record's weeks tell; `weeks` is the number of weeks of the panel.
    ///
    /// In weeks that `trailing` has no numbers for it orders nothing.
    #[must_use]
    pub fn new(trailing: &Trailing, weeks: usize, weights: &LevelWeights) -> Self {
        let (rows, inputs) = (INPUTS.len() + LEVELS.len() + 1, INPUTS.len());
        let there = trailing.weeks();
        let signals = Signals::from_fn(weeks, rows, trailing.products(), |week, row, product| {
            if !there.contains(&week) {
                0.0
            } else if row < inputs {
                weights
                    .normaliser()
                    .apply(row, trailing.input(row, week, product))
            } else if row < inputs + LEVELS.len() {
                trailing.level(row - inputs, week, product)
            } else {
                trailing.scale(week, product)
            }
        });
        LevelNetwork {
            signals: Arc::new(signals),
            layers: Layers::new().0,
            members: weights.members().len(),
            theta: weights.members().concat(),
        }
    }

    /// The same network on the same record with the parameters of some members.
    ///
    /// # Errors
    /// When there is none, or one has another number of parameters.
    pub fn with_members(&self, members: &[Vec<f64>]) -> Result<Self, Error> {
        weights::check(members)?;
        Ok(LevelNetwork {
            members: members.len(),
            theta: members.concat(),
            ..self.clone()
        })
    }

    /// Level and cap from the signals of a product and week: the means of the members'.
    fn decide<S: Scalar>(&self, theta: &[S], signals: &[S]) -> (S, S) {
        let (inputs, units) = signals.split_at(INPUTS.len());
        let mut sums: Vec<S> = vec![S::constant(0.0); OUTPUTS];
        for theta in theta.chunks_exact(self.layers.params) {
            let outputs = self.layers.outputs(theta, inputs);
            sums = sums.into_iter().zip(outputs).map(|(a, b)| a + b).collect();
        }
        let share = S::constant(1.0 / count(self.members));
        let level = sums[..LEVELS.len()]
            .iter()
            .zip(units)
            .fold(S::constant(0.0), |level, (&s, &units)| {
                level + s * share * units
            });
        (level, sums[LEVELS.len()] * share * units[LEVELS.len()])
    }

    /// Level and cap of every product in some weeks, worked out once; in other weeks the policy orders nothing.
    ///
    /// # Errors
    /// When the weeks end after the panel.
    pub fn levels(
        &self,
        name: impl Into<String>,
        weeks: Range<usize>,
        device: &Device,
    ) -> Result<OrderUpTo, Error> {
        let (all, columns) = (self.signals.weeks(), self.signals.columns());
        if weeks.end > all {
            let Range { start, end } = weeks;
            return Err(Error::Weeks {
                what: "the weeks are outside the panel",
                start,
                end,
                weeks: all,
            });
        }
        let program = self.program();
        let theta: Vec<f32> = self.theta.iter().map(|&x| f32::from_f64(x)).collect();
        let mut both = vec![0.0; all * 2 * columns];
        // A few weeks at a time: their inputs fit beside those of the record.
        for some in weeks.clone().step_by(WEEKS_AT_ONCE) {
            let some = some..(some + WEEKS_AT_ONCE).min(weeks.end);
            let rows = some.clone().flat_map(|week| self.signals.week(week));
            let exo: Vec<f32> = rows.map(|&x| f32::from_f64(x)).collect();
            let batch = Batch::new(&program, columns, some.len()).exo(&exo)?;
            let found = device.forward(&program, &theta, &batch)?;
            let into = &mut both[some.start * 2 * columns..some.end * 2 * columns];
            for (out, value) in into.iter_mut().zip(found.traces) {
                *out = f64::from(value);
            }
        }
        let of = |k: usize| {
            Signals::from_fn(all, 1, columns, |week, _, column| {
                both[(week * 2 + k) * columns + column]
            })
        };
        OrderUpTo::new(name, of(0), of(1))
    }

    /// Level and cap of a week, as a program.
    fn program(&self) -> Program {
        let shape = Shape {
            params: self.theta.len(),
            exo: self.signals.rows(),
            ..Shape::default()
        };
        Program::record(
            shape,
            |_, _| Start::default(),
            |_, inputs| {
                let (level, cap) = self.decide(inputs.params, inputs.exo);
                Step {
                    traces: vec![level, cap],
                    ..Step::new()
                }
            },
        )
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
        let (level, cap) = self.decide(theta, seen.signals);
        (level - seen.inventory.position).relu().min(cap)
    }
}

#[cfg(test)]
mod tests;
