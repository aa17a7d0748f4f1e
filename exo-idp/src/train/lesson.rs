//! Training of level networks on windows of a record's own past.

use std::ops::{ControlFlow, Range};

use gpu::Device;

use super::direct_backprop::{Progress, Training, TrainingProgram, gradient_ascent};
use super::windows::{Cut, Source, Windows};
use crate::count::count;
use crate::error::{Error, within};

/// Fewest and most windows that are cut from a record.
const WINDOWS: (usize, usize) = (24, 96);

/// How a record's past is cut into windows to train on.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct TrainingWindows {
    /// Longest window, in weeks; shorter where the record is.
    pub length: usize,
    /// About so many lanes, one a product and window, are cut; of more products a sample goes into each window.
    pub lanes: usize,
    /// How far products are brought to one scale, from 0 (money decides) to 1 (every product counts the same).
    pub balance: f64,
}

impl Default for TrainingWindows {
    fn default() -> Self {
        TrainingWindows {
            length: 12,
            lanes: 16_000,
            balance: 0.8,
        }
    }
}

/// Windows of a record, cut once for all networks that are trained on them.
pub(super) struct Lesson {
    program: TrainingProgram,
    weights: Vec<f64>,
}

impl TrainingWindows {
    /// Checks the ranges of all settings.
    pub(super) fn validate(&self) -> Result<(), Error> {
        let name = "balance";
        within(name, self.balance, 0.0, 1.0, "at least 0 and at most 1")?;
        for (what, size) in [
            ("the window to train on", self.length),
            ("the set of lanes to train on", self.lanes),
        ] {
            if size == 0 {
                return Err(Error::Empty(what));
            }
        }
        Ok(())
    }

    /// Cuts windows of `weeks`.
    pub(super) fn lesson(
        &self,
        source: &Source<'_>,
        weeks: Range<usize>,
        seed: u64,
    ) -> Result<Lesson, Error> {
        let (fewest, most) = WINDOWS;
        let windows = self.lanes.div_ceil(source.panel.products());
        let windows = windows.clamp(fewest, most);
        let cut = Cut {
            length: self.length.min(weeks.len().div_ceil(2)).max(1),
            weeks,
            count: windows,
            products: self.lanes.div_ceil(windows),
            seed,
        };
        let windows = Windows::cut(source, &cut)?;
        Ok(Lesson {
            weights: self.weights(&windows.money, cut.length),
            program: TrainingProgram::from_parts(windows.program, windows.arrays),
        })
    }

    /// The weight of every lane: a week's reward of the order of one on the average, products between money and equality.
    fn weights(&self, money: &[f64], length: usize) -> Vec<f64> {
        let scale: Vec<f64> = money.iter().map(|m| m.powf(-self.balance)).collect();
        let total: f64 = money.iter().zip(&scale).map(|(m, s)| m * s).sum();
        let each = count(money.len()) / total / count(length);
        scale.into_iter().map(|s| s * each).collect()
    }
}

impl Lesson {
    /// Trains networks from their parameters, one after the other, each with mini-batches of its own. Returned are their parameters and the
    /// course of the first. What `watch` ends is returned as it is then, and networks that were not begun as they were.
    pub(super) fn train(
        &self,
        thetas: &[Vec<f64>],
        training: &Training,
        device: &Device,
        mut watch: impl FnMut(usize, &Progress) -> ControlFlow<()>,
    ) -> Result<(Vec<Vec<f64>>, Vec<Progress>), Error> {
        let (mut trained, mut course, mut ended) = (Vec::new(), Vec::new(), false);
        for (member, theta) in thetas.iter().enumerate() {
            if ended {
                trained.push(theta.clone());
                continue;
            }
            let training = Training {
                seed: training.seed.wrapping_add(member as u64),
                ..training.clone()
            };
            let (lesson, weights) = (&self.program, &self.weights);
            let found = gradient_ascent(theta, lesson, None, weights, &training, device, |at| {
                let go = watch(member, at);
                ended = go.is_break();
                go
            })?;
            trained.push(found.theta);
            if member == 0 {
                course = found.curve;
            }
        }
        Ok((trained, course))
    }
}
