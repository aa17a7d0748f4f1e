//! Training of a level network on windows of a record's own past.

use std::ops::{ControlFlow, Range};

use gpu::Device;

use super::direct_backprop::{Training, TrainingProgram, gradient_ascent};
use super::setting::Setting;
use super::windows::{Cut, Source, Windows};
use crate::arrivals::Arrivals;
use crate::count::count;
use crate::error::Error;
use crate::policy::trailing::Trailing;
use crate::policy::{LevelNetwork, LevelWeights};

/// How a level network is trained on a record.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FineTuning {
    /// The optimiser.
    pub training: Training,
    /// Longest window, in weeks; shorter where the record is.
    pub window: usize,
    /// About so many lanes, one a product and window, are cut.
    pub lanes: usize,
    /// How far products are brought to one scale, from 0 (money decides) to 1 (every product counts the same).
    pub balance: f64,
}

impl FineTuning {
    /// From pretrained weights: few steps, and small ones.
    #[must_use]
    pub fn from_pretrained() -> Self {
        FineTuning {
            training: Training {
                steps: 200,
                learning_rate: 3e-4,
                ema_decay: 0.97,
                weight_decay: 0.0,
                validate_every: 50,
                ..Training::default()
            },
            window: 12,
            lanes: 8_000,
            balance: 0.8,
        }
    }

    /// From untrained weights.
    #[must_use]
    pub fn from_scratch() -> Self {
        let FineTuning { training, .. } = FineTuning::from_pretrained();
        FineTuning {
            training: Training {
                steps: 300,
                learning_rate: 2e-3,
                ..training
            },
            ..FineTuning::from_pretrained()
        }
    }

    /// The weights after training on windows of `weeks`, which end before the weeks to decide in begin.
    ///
    /// # Errors
    /// When there are too few weeks, or a setting is out of range.
    pub fn run(
        &self,
        setting: &Setting<'_>,
        weeks: Range<usize>,
        trailing: &Trailing,
        arrivals: &dyn Arrivals,
        weights: &LevelWeights,
        device: &Device,
    ) -> Result<LevelWeights, Error> {
        let network = LevelNetwork::new(trailing, setting.panel.weeks(), weights);
        let products = setting.panel.products();
        let (mut members, lanes) = (Vec::new(), self.lanes.div_ceil(products));
        for (member, theta) in weights.members().iter().enumerate() {
            let seed = self.training.seed.wrapping_add(member as u64);
            let source = Source {
                panel: setting.panel,
                arrivals,
                conventions: setting.conventions,
                trailing,
                network: &network.with_members(std::slice::from_ref(theta))?,
            };
            let cut = Cut {
                weeks: weeks.clone(),
                length: self.window.min(weeks.len().div_ceil(2)),
                count: lanes.clamp(4, 96),
                seed,
            };
            let windows = Windows::cut(&source, &cut)?;
            let balanced = self.weights(&windows.money, cut.length);
            let lesson = TrainingProgram::from_parts(windows.program, windows.arrays);
            let training = Training {
                seed,
                ..self.training.clone()
            };
            let go = |_: &_| ControlFlow::Continue(());
            let trained = gradient_ascent(theta, &lesson, None, &balanced, &training, device, go)?;
            members.push(trained.theta);
        }
        LevelWeights::new(weights.normaliser().clone(), members)
    }

    /// The weight of every lane: a week's reward of the order of one on the average, products between money and equality.
    fn weights(&self, money: &[f64], length: usize) -> Vec<f64> {
        let scale: Vec<f64> = money.iter().map(|m| m.powf(-self.balance)).collect();
        let total: f64 = money.iter().zip(&scale).map(|(m, s)| m * s).sum();
        let each = count(money.len()) / total / count(length);
        scale.into_iter().map(|s| s * each).collect()
    }
}
