//! From a record to a policy that has earned its place.
//!
//! A level network pretrained on synthetic records is fine-tuned on windows of the record's own past; the same network is trained from
//! scratch; both, the pretrained one as it is, blends of each with the heuristics' levels, and the heuristics themselves are replayed over
//! earlier windows of the record, each made from the weeks before its window alone. What earned most over all of these windows is
//! the policy. So a record that is too short or too odd to learn from keeps its best heuristic.

use std::ops::{ControlFlow, Range};

use gpu::Device;

use super::choice::Choice;
use super::fine_tune::FineTuning;
use super::setting::Setting;
use crate::arrivals::Arrivals;
use crate::error::Error;
use crate::paths::Paths;
use crate::policy::trailing::{Terms, Trailing};
use crate::policy::{LevelNetwork, LevelWeights, OrderUpTo};

/// How a policy is learnt from a record.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Learner {
    /// Training from the pretrained weights.
    pub fine_tuning: FineTuning,
    /// Training from untrained weights.
    pub from_scratch: FineTuning,
    /// Networks of the ensemble that is trained from scratch; those of the pretrained one are given by its weights.
    pub ensemble_size: usize,
    /// Weeks of a window that the choice is made by.
    pub window: usize,
    /// At most so many windows.
    pub windows: usize,
    /// Weeks that must lie before the first of them.
    pub least: usize,
    /// Periods of a year.
    pub year: usize,
    /// Seed of the untrained weights and of the mini-batches.
    pub seed: u64,
}

impl Default for Learner {
    fn default() -> Self {
        Learner {
            fine_tuning: FineTuning::from_pretrained(),
            from_scratch: FineTuning::from_scratch(),
            ensemble_size: 2,
            window: 8,
            windows: 4,
            least: 16,
            year: 52,
            seed: 0,
        }
    }
}

/// A policy learnt from a record, and how it came about.
#[derive(Debug, Clone)]
pub struct Learned {
    /// The policy: the candidate chosen, made from all weeks to learn from.
    pub policy: OrderUpTo,
    /// The pretrained network as it is.
    pub zero_shot: OrderUpTo,
    /// All candidates, made from all weeks to learn from.
    pub candidates: Vec<OrderUpTo>,
    /// What the candidates earned in earlier windows.
    pub choice: Choice,
}

/// What [`Learner::learn`] is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LearningStage {
    /// Windows done, the held-out weeks being the last.
    pub done: usize,
    /// Windows in all.
    pub total: usize,
}

impl Learner {
    /// Learns a policy for the weeks that follow `setting.weeks`, up to the end of the panel.
    ///
    /// `heuristics` returns the policies that people use, fitted on the weeks of the setting that it is given; the first two are the levels
    /// that networks are blended with. `watch` may end the work: the pretrained network as it is is then the policy.
    ///
    /// # Errors
    /// When there are too few weeks, or a heuristic cannot be fitted.
    pub fn learn(
        &self,
        setting: &Setting<'_>,
        arrivals: &dyn Arrivals,
        pretrained: &LevelWeights,
        heuristics: impl Fn(&Setting<'_>) -> Result<Vec<OrderUpTo>, Error>,
        device: &Device,
        mut watch: impl FnMut(LearningStage) -> ControlFlow<()>,
    ) -> Result<Learned, Error> {
        let (panel, learn) = (setting.panel, setting.weeks.clone());
        let terms = Terms {
            panel,
            lead_times: setting.lead_times,
            conventions: setting.conventions,
            plan: setting.plan,
            year: self.year,
            hierarchy: &[],
        };
        let first = learn.start + setting.warm_up.min(learn.len() / 2);
        let trailing = Trailing::new(&terms, first..panel.weeks())?;
        let zero_shot = LevelNetwork::new(&trailing, panel.weeks(), pretrained);
        let zero_shot = zero_shot.levels("pretrained network")?;
        let windows = Choice::windows(&learn, self.window, self.windows, self.least);
        let total = windows.len() + 1;
        let paths = Paths::new(panel, arrivals, 2)?;
        let mut done = 0;
        let mut stopped = false;
        let mut make = |weeks: &Range<usize>| {
            let before = Setting {
                weeks: learn.start..weeks.start,
                ..setting.clone()
            };
            stopped |= watch(LearningStage { done, total }).is_break();
            done += 1;
            let known = Known {
                setting: &before,
                trailing: &trailing,
                arrivals,
                device,
            };
            self.candidates(&known, pretrained, &zero_shot, heuristics(&before)?)
        };
        let choice = Choice::run(setting, &paths, &windows, device, &mut make)?;
        let candidates = make(&(learn.end..panel.weeks()))?;
        let policy = if stopped {
            zero_shot.clone()
        } else {
            candidates[choice.chosen].clone()
        };
        Ok(Learned {
            policy,
            zero_shot,
            candidates,
            choice,
        })
    }

    /// The candidates, made from the weeks of a setting: networks, blends, heuristics.
    fn candidates(
        &self,
        known: &Known<'_>,
        pretrained: &LevelWeights,
        zero_shot: &OrderUpTo,
        heuristics: Vec<OrderUpTo>,
    ) -> Result<Vec<OrderUpTo>, Error> {
        let blank = LevelWeights::untrained(
            pretrained.normaliser().clone(),
            self.ensemble_size.max(1),
            self.seed,
        )?;
        let mut networks = Vec::new();
        for (name, training, weights) in [
            ("fine-tuned network", &self.fine_tuning, pretrained),
            ("network trained from scratch", &self.from_scratch, &blank),
        ] {
            networks.push(known.train(name, training, weights, self.seed)?);
        }
        networks.insert(1, zero_shot.clone());
        let two: Vec<(f64, &OrderUpTo)> = heuristics.iter().take(2).map(|h| (0.5, h)).collect();
        let mut candidates = networks.clone();
        if let [(_, _), (_, _)] = two[..] {
            let levels = OrderUpTo::blend("heuristics' levels", &two)?;
            for network in &networks {
                let name = format!("{} and heuristics", crate::policy::Policy::name(network));
                let half = OrderUpTo::blend(name, &[(0.5, network), (0.5, &levels)])?;
                candidates.push(half);
            }
        }
        candidates.extend(heuristics);
        Ok(candidates)
    }
}

/// What a candidate is made from.
struct Known<'a> {
    setting: &'a Setting<'a>,
    trailing: &'a Trailing,
    arrivals: &'a dyn Arrivals,
    device: &'a Device,
}

impl Known<'_> {
    fn train(
        &self,
        name: &str,
        training: &FineTuning,
        weights: &LevelWeights,
        seed: u64,
    ) -> Result<OrderUpTo, Error> {
        let (setting, trailing) = (self.setting, self.trailing);
        let weeks = trailing.weeks().start..setting.weeks.end;
        let mut training = training.clone();
        training.training.seed = seed;
        let trained = if weeks.len() < 2 {
            weights.clone()
        } else {
            training.run(
                setting,
                weeks,
                trailing,
                self.arrivals,
                weights,
                self.device,
            )?
        };
        LevelNetwork::new(trailing, setting.panel.weeks(), &trained).levels(name)
    }
}
