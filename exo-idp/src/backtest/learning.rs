//! What is made from the weeks before a window, and which of it is trusted there.

use std::ops::ControlFlow;

use gpu::Device;

use super::dataset::Known;
use super::heuristics::heuristics;
use super::notices::Notice;
use super::origins::CHOICE;
use super::results::{CandidateResult, Learning, TrainingCourse, TrainingPoint};
use super::{BackTest, Stage};
use crate::count::count;
use crate::error::Error;
use crate::lead_times::LeadTimes;
use crate::policy::LevelWeights;
use crate::policy::trailing::{Terms, Trailing};
use crate::train::{Candidates, Choice, Learner, Material, Setting, Trial};

/// Weeks at the beginning of a record that are not learnt from: nothing is known then.
const UNKNOWN: usize = 8;

/// What was made from the weeks before a window.
pub(super) struct Learnt {
    pub(super) candidates: Candidates,
    /// Which of the candidates are heuristics: the last ones, from here on.
    pub(super) heuristics: usize,
    /// Grids of factors that ended too soon.
    pub(super) notices: Vec<Notice>,
    /// What the candidates earn in the window, on other lead times than those scored.
    trial: Trial,
    /// Products and weeks of the window.
    cells: f64,
    window: (String, String),
}

impl BackTest {
    /// Makes every candidate for the weeks that follow those of the setting, and tries it there.
    pub(super) fn learn(
        &self,
        known: &Known,
        setting: &Setting<'_>,
        fitting: &LeadTimes,
        device: &Device,
        at: &mut impl FnMut(Stage, usize),
    ) -> Result<Learnt, Error> {
        let (data, weeks) = (&known.data, setting.panel.weeks());
        at(Stage::Heuristics, 0);
        let hierarchy = data.hierarchy();
        let terms = Terms {
            panel: setting.panel,
            lead_times: setting.lead_times,
            conventions: setting.conventions,
            plan: setting.plan,
            year: data.year,
            hierarchy: &hierarchy,
        };
        let trailing = Trailing::on(&terms, UNKNOWN..weeks, device)?;
        let (rules, notices) = heuristics(setting, &trailing, fitting, device)?;
        let material = Material {
            setting,
            arrivals: fitting,
            trailing: &trailing,
            pretrained: LevelWeights::pretrained(),
            device,
        };
        let learner = Learner {
            seed: self.seed,
            ..self.learner.clone()
        };
        let count_rules = rules.len();
        let candidates = learner.candidates(&material, rules, |now| {
            let (network, networks) = (now.network, now.networks);
            at(Stage::Training { network, networks }, now.done);
            ControlFlow::Continue(())
        })?;
        let window = setting.weeks.end..weeks;
        let paths = setting.paths(fitting, 2, &window)?;
        let replay = setting.replay(&paths, window.clone())?;
        Ok(Learnt {
            trial: candidates.trial(&replay, device)?,
            heuristics: candidates.policies.len() - count_rules,
            notices,
            candidates,
            cells: count(setting.panel.products() * window.len()),
            window: data.span(&window),
        })
    }
}

impl Learnt {
    /// Forgets the policies: what later windows are chosen by.
    pub(super) fn tried(self) -> Tried {
        Tried {
            trial: self.trial,
            cells: self.cells,
            window: self.window,
        }
    }

    /// The choice among the candidates by what candidates made in the same way earned in earlier windows.
    pub(super) fn choose(&self, earlier: &[Tried]) -> Result<(Choice, Learning), Error> {
        let last = &earlier[earlier.len().saturating_sub(CHOICE)..];
        let trials = last.iter().map(|tried| tried.trial.clone()).collect();
        let choice = Choice::among(self.candidates.names(), trials)?;
        let candidate = |(at, name): (usize, &String)| CandidateResult {
            name: name.clone(),
            earned: last.iter().map(|t| t.trial.earned[at] / t.cells).collect(),
            share: choice.share(at),
        };
        let courses = self.candidates.courses.iter().map(|(name, course)| {
            let point = |at: &crate::train::Progress| TrainingPoint {
                step: at.step,
                objective: at.training,
            };
            TrainingCourse {
                candidate: name.clone(),
                points: course.iter().map(point).collect(),
            }
        });
        let learning = Learning {
            chosen: choice.name().to_owned(),
            learnt: choice.chosen < self.heuristics,
            windows: last.iter().map(|tried| tried.window.clone()).collect(),
            candidates: choice
                .candidates
                .iter()
                .enumerate()
                .map(candidate)
                .collect(),
            courses: courses.collect(),
        };
        Ok((choice, learning))
    }
}

/// What every candidate earned in a window.
pub(super) struct Tried {
    trial: Trial,
    cells: f64,
    window: (String, String),
}
