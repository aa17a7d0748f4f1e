//! A whole study on one record: train on the earlier weeks, try every method on the later ones.

use hindsight_exo_idp::{LeadTimes, Panel, Paths};
use hindsight_gpu::Device;

use crate::backtest::{Method, Trial};
use crate::cases::{Cases, Cohort, Course};
use crate::control::{Ascent, Forecaster, Gate, Predictive, StepRule};
use crate::draw::Draw;
use crate::error::Error;
use crate::limits::{Family, Limits, Resource};
use crate::model::Model;
use crate::record::{HISTORY, Record};

/// A study: what is trained on, and what is tried.
///
/// The last weeks, as many as a roll-out has and [`HISTORY`] more, are held out; a buyer and a coordinator are trained on those before, under
/// limits of the Haar family.
#[derive(Debug, Clone, Copy)]
pub struct Study<'a> {
    /// The record.
    pub record: &'a Record<'a>,
    /// Weeks of a roll-out.
    pub course: Course,
    /// Steps of training of the buyer.
    pub steps: usize,
    /// Rounds of training of the coordinator at most, at least 1.
    pub rounds: usize,
    /// Products of a cohort.
    pub size: usize,
    /// Weeks ahead that limits are known.
    pub notice: usize,
    /// Probabilities of lead times of 0, 1, … weeks, for planned prices.
    pub lead_times: &'a [f64],
    /// Seed of all draws.
    pub seed: u64,
}

/// A study of a panel: what it is made of, and its sizes.
///
/// No public data have stock, sales and arrivals together: orders take one to three weeks, with equal probabilities and a chance of one half that a
/// week's lead time is that of the week before. The index of demand is that of [`Record::planned_index`] over the weeks of training.
#[derive(Debug, Clone)]
pub struct Setup<'a> {
    /// The panel.
    pub panel: &'a Panel,
    /// Its resources.
    pub resources: Vec<Resource>,
    /// Weeks of a roll-out.
    pub course: Course,
    /// Steps of training of the buyer.
    pub steps: usize,
    /// Rounds of training of the coordinator at most, at least 1.
    pub rounds: usize,
    /// Products of a cohort.
    pub size: usize,
    /// Weeks ahead that limits are known.
    pub notice: usize,
    /// Seed of all draws.
    pub seed: u64,
}

impl Setup<'_> {
    /// Weeks that a record must have: half are trained on.
    #[must_use]
    pub fn needed(course: Course) -> usize {
        2 * (course.weeks + HISTORY)
    }

    /// Runs a study.
    ///
    /// # Errors
    /// A record of fewer weeks than are [`needed`](Setup::needed), and those of [`Record::new`] and of what is run.
    pub fn study<T>(&self, run: impl FnOnce(&Study<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let (needed, found) = (Setup::needed(self.course), self.panel.weeks());
        if found < needed {
            return Err(Error::ShortRecord { needed, found });
        }
        let law = LeadTimes::uniform(1, 3, 0.5, self.seed)?;
        let paths = Paths::new(self.panel, &law, 1)?;
        let learnt = found - (self.course.weeks + HISTORY);
        let index = Record::planned_index(self.panel, 0..learnt);
        let lead = vec![2.0; self.panel.products()];
        let record = Record::new(&paths, self.resources.clone(), index, lead)?;
        run(&Study {
            record: &record,
            course: self.course,
            steps: self.steps,
            rounds: self.rounds,
            size: self.size,
            notice: self.notice,
            lead_times: &[0.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0],
            seed: self.seed,
        })
    }
}

impl Study<'_> {
    /// The first week that training does not see.
    #[must_use]
    pub fn learnt(&self) -> usize {
        let weeks = self.record.panel().weeks();
        weeks.saturating_sub(self.course.weeks + HISTORY)
    }

    pub(crate) fn draw(&self, size: usize, cohorts: usize) -> Draw {
        Draw {
            products: 0..self.record.panel().products(),
            weeks: 0..self.learnt(),
            size,
            cohorts,
            families: vec![Family::Haar],
            roomy: 0.25,
            notice: self.notice,
            seed: self.seed,
        }
    }

    /// Held-out cohorts under drawn limits of families that training did not see.
    ///
    /// # Errors
    /// As [`Draw::cases`].
    pub fn drawn(&self, model: &Model, paths: usize, device: &Device) -> Result<Cases<f32>, Error> {
        let draw = Draw {
            weeks: self.learnt()..self.record.panel().weeks(),
            families: Family::HELD_OUT.to_vec(),
            roomy: 0.0,
            seed: self.seed.wrapping_add(1),
            ..self.draw(self.size, paths)
        };
        draw.cases(self.record, &model.buyer, self.course, device)
    }

    /// All products over the last weeks under limits of their own, one a week of the roll-out.
    ///
    /// # Errors
    /// Limits of other resources or fewer weeks; a record that is too short.
    pub fn limited(&self, limits: Limits) -> Result<Cases<f32>, Error> {
        let panel = self.record.panel();
        let cohort = Cohort {
            products: (0..panel.products()).collect(),
            start: panel.weeks().saturating_sub(self.course.weeks),
        };
        Cases::new(self.record, &[cohort], self.course)?.with_limits(&[limits])
    }

    /// Tries every method on the cases, no control first; `tell` hears which.
    ///
    /// # Errors
    /// Cases without limits, and those of the engine.
    pub fn trials(
        &self,
        model: &Model,
        cases: &Cases<f32>,
        device: &Device,
        tell: &mut dyn FnMut(&str),
    ) -> Result<Vec<Trial>, Error> {
        let ascent = |steps| Ascent {
            steps,
            ..Ascent::default()
        };
        let planned = Predictive {
            scenarios: 4,
            ascent: Ascent {
                steps_by: StepRule::Averaged { smoothing: 0.3 },
                ..ascent(8)
            },
            margin: 0.0,
            lead_times: self.lead_times,
            seed: self.seed,
        };
        let forecaster = Forecaster::Fitted(self.learnt());
        let gate = Gate::ProRata;
        let methods = [
            ("no control", Method::NoControl),
            ("constant price 0.05", Method::Constant(0.05)),
            ("feedback", Method::Feedback(0.02)),
            ("pro-rata gate", Method::Gate(gate)),
            ("greedy gate", Method::Gate(Gate::Greedy)),
            ("neural coordinator", Method::Coordinator(model)),
            (
                "coordinator and gate",
                Method::CoordinatorAtGate(model, gate),
            ),
            (
                "planned prices (MPC)",
                Method::Predictive(planned, forecaster),
            ),
            ("hindsight dual", Method::Hindsight(ascent(100), 0.0)),
        ];
        let mut trials = Vec::with_capacity(methods.len());
        for (name, method) in methods {
            tell(name);
            let method = (name.to_owned(), method);
            trials.push(cases.tried(self.record, &model.buyer, &method, device)?);
        }
        Ok(trials)
    }
}
