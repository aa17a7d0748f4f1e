//! From a panel to a trained network: what to train on, when to stop, what to keep.

use std::cell::Cell;
use std::ops::{ControlFlow, Range};

use gpu::Device;

use super::crossed;
use super::direct_backprop::{
    Progress, Training, TrainingProgram, ValidationProgram, gradient_ascent,
};
use super::setting::Setting;
use crate::arrivals::Arrivals;
use crate::count::count;
use crate::error::{Error, within};
use crate::paths::Paths;
use crate::policy::{Neural, NeuralConfig, Policy, PromotionForecast};
use crate::replay::Replay;

/// How a network is made for a setting.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Recipe {
    /// The size of the network.
    pub network: NeuralConfig,
    /// The optimiser.
    pub training: Training,
    /// Networks trained from different seeds, whose outputs are averaged; at least 1.
    pub ensemble_size: usize,
    /// Samples of arrivals per product to train on, at least 1.
    pub samples: usize,
    /// Weeks at the end of the training weeks that tell when to stop, at least 1.
    pub validation: usize,
    /// Whether the network starts from the mean of two levels, the promotion-aware newsvendor's and the target position, and sees the
    /// forecasts of the first.
    pub anchored: bool,
    /// Blocks of weeks, in each of which the levels and forecasts of a fit without that block stand in training; 0 takes those of
    /// the fit on all weeks.
    pub folds: usize,
    /// How far products are brought to one scale, from 0 (money decides) to 1 (every product counts the same).
    pub balance: f64,
    /// Seed of the weights, the mini-batches and the sampled arrivals.
    pub seed: u64,
}

impl Default for Recipe {
    fn default() -> Self {
        Recipe {
            network: NeuralConfig::default(),
            training: Training::default(),
            ensemble_size: 3,
            samples: 2,
            validation: 14,
            anchored: true,
            folds: 5,
            balance: 0.8,
            seed: 0,
        }
    }
}

/// A trained network and the course of its training.
#[derive(Debug, Clone)]
pub struct Fitted {
    /// The policy.
    pub policy: Neural,
    /// The course of every member's training, while it was watched on the validation weeks.
    pub curves: Vec<Vec<Progress>>,
    /// The number of steps that was best for each member.
    pub best_steps: Vec<usize>,
}

/// What [`Recipe::fit`] is doing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrainingEvent {
    /// The member, from 0.
    pub member: usize,
    /// Whether the number of steps is known and all weeks are trained on.
    pub refit: bool,
    /// The last look.
    pub progress: Progress,
}

impl Recipe {
    /// Trains a network for a setting: each member first on the earlier weeks, until the reward of the validation weeks stops
    /// improving, then anew on all weeks for the number of steps that was best. `watch` sees every look and may end
    /// the work early; what has been trained so far is then returned.
    ///
    /// # Errors
    /// When there are too few weeks, no networks, or the settings are not valid.
    pub fn fit(
        &self,
        setting: &Setting<'_>,
        arrivals: &dyn Arrivals,
        forecast: &PromotionForecast,
        device: &Device,
        mut watch: impl FnMut(&TrainingEvent) -> ControlFlow<()>,
    ) -> Result<Fitted, Error> {
        let scored = self.weeks(setting)?;
        let split = scored.end - self.validation;
        let anchor = self
            .anchored
            .then(|| crossed::anchor(setting, forecast, self.folds))
            .transpose()?;
        let paths = Paths::new(setting.panel, arrivals, self.samples)?;
        let early = setting.replay(&paths, scored.start..split)?;
        let late = setting.replay(&paths, split..scored.end)?;
        let whole = setting.replay(&paths, scored.clone())?;
        // The signals, what the replays read and the weights of the lanes are the same for every member.
        let first = Neural::new(
            setting.panel,
            setting.weeks.clone(),
            paths.max_lead_time(),
            setting.plan,
            &setting.conventions,
            &self.network,
            anchor.as_ref(),
            self.seed,
        )?;
        let (earlier, all) = (
            TrainingProgram::new(&early, &first, &())?,
            TrainingProgram::new(&whole, &first, &())?,
        );
        let look = ValidationProgram::new(&late, &first, &())?;
        let early_weights = self.weights(setting, &early);
        let whole_weights = self.weights(setting, &whole);
        let (mut thetas, mut curves, mut best_steps) = (Vec::new(), Vec::new(), Vec::new());
        for member in 0..self.ensemble_size {
            let seed = self.seed.wrapping_add(member as u64);
            let untrained = first.reseeded(seed);
            let training = Training {
                seed,
                ..self.training.clone()
            };
            let stopped = Cell::new(false);
            let mut course = |refit: bool, progress: &Progress| {
                let go = watch(&TrainingEvent {
                    member,
                    refit,
                    progress: *progress,
                });
                stopped.set(go.is_break());
                go
            };
            let found = gradient_ascent(
                untrained.theta(),
                &earlier,
                Some(&look),
                &early_weights,
                &training,
                device,
                |progress| course(false, progress),
            )?;
            curves.push(found.curve);
            best_steps.push(found.best_step);
            if stopped.get() {
                thetas.push(found.theta);
                break;
            }
            // The same course on all weeks, ended at the step that was best: there are no weeks left to validate on.
            let training = Training {
                stop_at: Some(found.best_step),
                ..training
            };
            let refitted = gradient_ascent(
                untrained.theta(),
                &all,
                None,
                &whole_weights,
                &training,
                device,
                |progress| course(true, progress),
            )?;
            thetas.push(refitted.theta);
        }
        let policy = first.ensemble(&thetas)?;
        Ok(Fitted {
            policy,
            curves,
            best_steps,
        })
    }

    /// Checks the ranges of all settings.
    ///
    /// # Errors
    /// That of the first setting outside its range.
    pub fn validate(&self) -> Result<(), Error> {
        self.training.validate()?;
        within(
            "balance",
            self.balance,
            0.0,
            1.0,
            "at least 0 and at most 1",
        )?;
        for (what, size) in [
            ("the ensemble", self.ensemble_size),
            ("the set of samples to train on", self.samples),
            ("the set of validation weeks", self.validation),
        ] {
            if size == 0 {
                return Err(Error::Empty(what));
            }
        }
        Ok(())
    }

    /// The weeks of a setting that can be scored, if they suffice to train and to validate.
    fn weeks(&self, setting: &Setting<'_>) -> Result<Range<usize>, Error> {
        self.validate()?;
        let scored = setting.scored();
        if scored.len() < self.validation + 2 {
            let Range { start, end } = scored;
            let what = "too few weeks to train and to validate";
            return Err(Error::Weeks {
                what,
                start,
                end,
                weeks: setting.panel.weeks(),
            });
        }
        Ok(scored)
    }

    /// The weight of every lane: products are brought together in money, and a week's reward to the order of one.
    fn weights(&self, setting: &Setting<'_>, replay: &Replay<'_>) -> Vec<f64> {
        let reference = setting.reference();
        let money: Vec<f64> = (0..setting.panel.products())
            .map(|p| (reference[p] * setting.panel.price(p, setting.weeks.start)).max(1e-9))
            .collect();
        let scale: Vec<f64> = money.iter().map(|m| m.powf(-self.balance)).collect();
        let total: f64 = money.iter().zip(&scale).map(|(m, s)| m * s).sum();
        let each = count(money.len()) / total / count(replay.window().scored.len());
        (0..replay.paths().lanes())
            .map(|lane| scale[replay.paths().product(lane)] * each)
            .collect()
    }
}
