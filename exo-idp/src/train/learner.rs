//! From a record to a policy that has earned its place.
//!
//! A level network pretrained on synthetic records is fine-tuned on windows of the record's own past; the same network is trained from
//! scratch; both, the pretrained one as it is, blends of each with the heuristics' mean level, and the heuristics themselves are replayed over
//! earlier windows of the record, each made from the weeks before its window alone. The fine-tuned network is the policy unless another
//! candidate clearly earned more over all of these windows. So a record that is too odd to learn from keeps its best heuristic.

use std::ops::{ControlFlow, Range};

use gpu::Device;

use super::choice::{Choice, Trial};
use super::direct_backprop::{Progress, Training};
use super::lesson::TrainingWindows;
use super::setting::Setting;
use super::windows::Source;
use crate::arrivals::Arrivals;
use crate::count::count;
use crate::error::Error;
use crate::paths::Paths;
use crate::policy::trailing::Trailing;
use crate::policy::{LevelWeights, OrderUpTo, Policy};
use crate::replay::Replay;

/// Share of the heuristics in a blend.
const HEURISTICS: f64 = 0.4;

/// How a policy is learnt from a record.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Learner {
    /// The windows that networks are trained on.
    pub training_windows: TrainingWindows,
    /// Training from the pretrained weights: few steps, and small ones.
    pub fine_tuning: Training,
    /// Training from untrained weights.
    pub from_scratch: Training,
    /// Networks of the ensemble that is trained from scratch; those of the pretrained one are given by its weights.
    pub ensemble_size: usize,
    /// Seed of the untrained weights, the windows and the mini-batches.
    pub seed: u64,
}

impl Default for Learner {
    fn default() -> Self {
        let training = Training {
            ema_decay: 0.97,
            weight_decay: 0.0,
            validate_every: 50,
            ..Training::default()
        };
        Learner {
            training_windows: TrainingWindows::default(),
            fine_tuning: Training {
                steps: 200,
                learning_rate: 3e-4,
                ..training.clone()
            },
            from_scratch: Training {
                steps: 300,
                learning_rate: 2e-3,
                ..training
            },
            ensemble_size: 2,
            seed: 0,
        }
    }
}

/// What a policy is learnt from.
#[derive(Debug, Clone, Copy)]
pub struct Material<'a> {
    /// The record and the weeks of it that may be learnt from; the policies decide in the weeks that follow, up to the end of the panel.
    pub setting: &'a Setting<'a>,
    /// Arrivals to train and to choose on: other draws than those that are scored.
    pub arrivals: &'a dyn Arrivals,
    /// What the weeks of the record tell, from one of its first weeks to the end of the panel; those before the first are not learnt from.
    pub trailing: &'a Trailing,
    /// Weights from synthetic records.
    pub pretrained: &'a LevelWeights,
    /// What networks are trained and run on.
    pub device: &'a Device,
}

/// Policies made from the same weeks.
#[derive(Debug, Clone)]
pub struct Candidates {
    /// The pretrained network as it is.
    pub zero_shot: OrderUpTo,
    /// All candidates: networks, blends, heuristics. Their names and order are the same for every window of a record.
    pub policies: Vec<OrderUpTo>,
    /// The course of training of the first network of each ensemble, by the candidate's name.
    pub courses: Vec<(String, Vec<Progress>)>,
}

/// A policy learnt from a record, and how it came about.
#[derive(Debug, Clone)]
pub struct Learned {
    /// All candidates, made from all weeks to learn from.
    pub candidates: Candidates,
    /// What the candidates earned in earlier windows, and which was taken.
    pub choice: Choice,
}

/// How far [`Learner::candidates`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LearningStage {
    /// The network that is being trained, from 0.
    pub network: usize,
    /// Networks in all.
    pub networks: usize,
    /// Steps of the optimiser taken, over all networks.
    pub done: usize,
    /// Steps in all.
    pub total: usize,
}

impl Learned {
    /// The policy: the candidate chosen.
    #[must_use]
    pub fn policy(&self) -> &OrderUpTo {
        &self.candidates.policies[self.choice.chosen]
    }
}

impl Candidates {
    /// Their names.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.policies.iter().map(|p| p.name().to_owned()).collect()
    }

    /// What they earn in a replay.
    ///
    /// # Errors
    /// As [`Replay::run`].
    pub fn trial(&self, replay: &Replay<'_>, device: &Device) -> Result<Trial, Error> {
        let samples = count(replay.paths().samples());
        let earned = |policy: &OrderUpTo| {
            let by_lane = replay.objectives(policy, &(), &[vec![]], device)?;
            Ok(by_lane.iter().flatten().sum::<f64>() / samples)
        };
        Ok(Trial {
            weeks: replay.window().scored.clone(),
            earned: self
                .policies
                .iter()
                .map(earned)
                .collect::<Result<_, Error>>()?,
        })
    }
}

impl Learner {
    /// Checks the ranges of all settings.
    ///
    /// # Errors
    /// That of the first setting outside its range.
    pub fn validate(&self) -> Result<(), Error> {
        self.fine_tuning.validate()?;
        self.from_scratch.validate()?;
        self.training_windows.validate()?;
        if self.ensemble_size == 0 {
            return Err(Error::Empty("the ensemble"));
        }
        Ok(())
    }

    /// Steps of the optimiser that [`candidates`](Learner::candidates) takes.
    #[must_use]
    pub fn steps(&self, pretrained: &LevelWeights) -> usize {
        self.fine_tuning.steps * pretrained.members().len()
            + self.from_scratch.steps * self.ensemble_size
    }

    /// Learns a policy for the weeks that follow those of the setting, and chooses it by `windows`, which end before them.
    ///
    /// `heuristics` returns the policies that people use, fitted on the weeks of the setting that it is given; networks are also blended with the
    /// mean of their levels. `watch` may end the training of a network early.
    ///
    /// # Errors
    /// When there are too few weeks, or a heuristic cannot be fitted.
    pub fn learn(
        &self,
        material: &Material<'_>,
        windows: &[Range<usize>],
        heuristics: impl Fn(&Setting<'_>) -> Result<Vec<OrderUpTo>, Error>,
        mut watch: impl FnMut(LearningStage) -> ControlFlow<()>,
    ) -> Result<Learned, Error> {
        let Material {
            setting, device, ..
        } = *material;
        self.check(material)?;
        let paths = Paths::new(setting.panel, material.arrivals, 2)?;
        let mut trials = Vec::with_capacity(windows.len());
        for window in windows {
            let before = Setting {
                weeks: setting.weeks.start..window.start,
                ..setting.clone()
            };
            let own = Material {
                setting: &before,
                ..*material
            };
            let candidates = self.made(&own, heuristics(&before)?, &mut watch)?;
            let replay = setting.replay(&paths, window.clone())?;
            trials.push(candidates.trial(&replay, device)?);
        }
        let candidates = self.made(material, heuristics(setting)?, &mut watch)?;
        let choice = Choice::among(candidates.names(), trials)?;
        Ok(Learned { candidates, choice })
    }

    /// The policies that can be made from the weeks of a setting, for those that follow.
    ///
    /// # Errors
    /// When there are too few weeks, or the heuristics do not fit the panel.
    pub fn candidates(
        &self,
        material: &Material<'_>,
        heuristics: Vec<OrderUpTo>,
        watch: impl FnMut(LearningStage) -> ControlFlow<()>,
    ) -> Result<Candidates, Error> {
        self.check(material)?;
        self.made(material, heuristics, watch)
    }

    /// Checks the settings, and that what is learnt from is of one record.
    fn check(&self, material: &Material<'_>) -> Result<(), Error> {
        self.validate()?;
        let panel = material.setting.panel;
        let (there, needed) = (material.trailing.weeks(), panel.weeks());
        if there.end != needed || material.trailing.products() != panel.products() {
            let Range { start, end } = there;
            return Err(Error::Weeks {
                what: "what the record tells is of other weeks or products",
                start,
                end,
                weeks: needed,
            });
        }
        Ok(())
    }

    fn made(
        &self,
        material: &Material<'_>,
        heuristics: Vec<OrderUpTo>,
        mut watch: impl FnMut(LearningStage) -> ControlFlow<()>,
    ) -> Result<Candidates, Error> {
        let Setting { panel, weeks, .. } = material.setting;
        let decided = weeks.end..panel.weeks();
        let levels = |name: &str, weights: &LevelWeights| {
            let (trailing, all) = (material.trailing, panel.weeks());
            weights.levels(name, trailing, decided.clone(), all, material.device)
        };
        let pretrained = material.pretrained;
        let zero_shot = levels("pretrained network", pretrained)?;
        let blank = LevelWeights::untrained(
            pretrained.normaliser().clone(),
            self.ensemble_size,
            self.seed,
        )?;
        let source = Source {
            panel,
            arrivals: material.arrivals,
            conventions: material.setting.conventions,
            trailing: material.trailing,
            weights: &blank.with_members(blank.members()[..1].to_vec())?,
        };
        let past = material.trailing.weeks().start..weeks.end;
        let lesson = self.training_windows.lesson(&source, past, self.seed)?;
        let networks = pretrained.members().len() + self.ensemble_size;
        let (mut before, mut courses, mut trained) = ((0, 0), Vec::new(), Vec::new());
        for (name, training, weights) in [
            ("fine-tuned network", &self.fine_tuning, pretrained),
            ("network from scratch", &self.from_scratch, &blank),
        ] {
            let training = Training {
                seed: self.seed,
                ..training.clone()
            };
            let members = weights.members();
            let (thetas, course) =
                lesson.train(members, &training, material.device, |member, at| {
                    watch(LearningStage {
                        network: before.0 + member,
                        networks,
                        done: before.1 + member * training.steps + at.step,
                        total: self.steps(pretrained),
                    })
                })?;
            before.0 += members.len();
            before.1 += members.len() * training.steps;
            courses.push((name.to_owned(), course));
            trained.push(levels(name, &weights.with_members(thetas)?)?);
        }
        trained.insert(1, zero_shot.clone());
        Ok(Candidates {
            zero_shot,
            policies: blended(trained, heuristics)?,
            courses,
        })
    }
}

/// Networks, blends of each with the heuristics' mean level, and the heuristics.
fn blended(networks: Vec<OrderUpTo>, heuristics: Vec<OrderUpTo>) -> Result<Vec<OrderUpTo>, Error> {
    let mut blends = Vec::with_capacity(networks.len());
    if !heuristics.is_empty() {
        let each = 1.0 / count(heuristics.len());
        let all: Vec<_> = heuristics.iter().map(|rule| (each, rule)).collect();
        let levels = OrderUpTo::blend("heuristics' levels", &all)?;
        for network in &networks {
            let name = format!("{} and heuristics", network.name());
            let parts = [(1.0 - HEURISTICS, network), (HEURISTICS, &levels)];
            blends.push(OrderUpTo::blend(name, &parts)?);
        }
    }
    let mut policies = networks;
    policies.extend(blends);
    policies.extend(heuristics);
    Ok(policies)
}

#[cfg(test)]
mod tests;
