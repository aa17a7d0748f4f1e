//! The back-test itself: policies fitted and trained on the earlier weeks, replayed on the later ones, at one origin or several.

use std::ops::ControlFlow;

use exo_idp::policy::{BaseStock, ConstantOrder, Plan, PromotionForecast, Signals};
use exo_idp::train::{Fitted, Recipe, Setting};
use exo_idp::{
    Arrivals, Bootstrap, Conventions, Error, JustInTime, LeadTimes, Outcomes, Paths, Replay,
};
use gpu::Device;

use crate::error::CliError;
use crate::progress::Progress;

use super::Args;
use super::heuristics::{Heuristics, for_fitting, heuristics};
use super::ledger::Ledger;
use super::options;
use super::results::{Results, Role};
use super::scores::{Origin, Origins};
use super::split::{Split, WARM_UP};
use super::subject::Subject;
use super::tally::{Entry, Held, tally};

/// Samples of lead times per product on which policies are scored.
const SAMPLES: usize = 4;

/// Runs the back-test.
///
/// # Errors
///
/// [`CliError`] if the arguments do not suit the data.
pub(super) fn compute(subject: &Subject, args: &Args) -> Result<Results, CliError> {
    let options = &args.replay;
    let splits = Split::all(
        subject.panel.weeks(),
        options.held_out,
        options.origins.get(),
    )?;
    let job = Job {
        options,
        lead_times: options.lead_times()?,
        conventions: options.conventions()?,
        bootstrap: Bootstrap {
            seed: options.seed.seed,
            ..Bootstrap::default()
        },
        device: options
            .threads
            .map_or_else(Device::best, |threads| Device::cpu(threads.get())),
    };
    let meter = Meter::new(splits.len(), &job.recipe(1));
    let refused = |error: Error| CliError::Input(format!("{}: {error}", subject.source));
    let (mut ledgers, mut origins, mut last) = (Vec::new(), Vec::new(), None);
    for (at, split) in splits.iter().enumerate() {
        let known = subject.at(split)?;
        let latest = at + 1 == splits.len();
        let (ledger, results) = job
            .origin(&known, split, latest, |step, words| {
                meter.at(at, step, words);
            })
            .map_err(refused)?;
        last = results;
        if splits.len() > 1 {
            origins.push(Origin {
                training: known.span(&split.learn),
                held_out: known.span(&split.held_out),
                scores: ledger.scores(&job.bootstrap).map_err(refused)?,
            });
            ledgers.push(ledger);
        }
    }
    meter.finish();
    let mut results = last.ok_or_else(|| refused(Error::Empty("the list of origins")))?;
    if splits.len() > 1 {
        let pooled = Ledger::pool(&ledgers)
            .scores(&job.bootstrap)
            .map_err(refused)?;
        results.origins = Some(Origins { origins, pooled });
    }
    Ok(results)
}

/// What is the same at every origin.
struct Job<'a> {
    options: &'a options::Replay,
    lead_times: LeadTimes,
    conventions: Conventions,
    bootstrap: Bootstrap,
    device: Device,
}

impl Job<'_> {
    /// The whole job at one origin: `subject` ends with the held-out weeks. The results are made for the latest origin alone.
    /// `watch` sees the steps of training done so far.
    fn origin(
        &self,
        subject: &Subject,
        split: &Split,
        latest: bool,
        watch: impl Fn(usize, String),
    ) -> Result<(Ledger, Option<Results>), Error> {
        let panel = &subject.panel;
        let setting = Setting {
            panel,
            lead_times: &self.lead_times,
            conventions: self.conventions,
            plan: Plan {
                horizon: self.options.plan_weeks.unwrap_or(self.lead_times.longest()),
                price: !self.options.price_unplanned,
            },
            weeks: split.learn.clone(),
            warm_up: WARM_UP,
        };
        watch(0, "heuristics".to_owned());
        let heuristics = heuristics(&setting, self.options, &self.device)?;
        let fitted = self.train(&setting, &heuristics.forecast, split, watch)?;

        let paths = Paths::new(panel, &self.lead_times, SAMPLES)?;
        // The memory of the network reaches back further than the weeks that fitting leaves out.
        let held_setting = Setting {
            warm_up: 2 * WARM_UP,
            ..setting.clone()
        };
        let replay = held_setting.replay(&paths, split.held_out.clone())?;
        let entries = self.entries(&setting, &replay, heuristics, &fitted)?;
        let ledger = Ledger::new(&replay, &entries);
        let held = Held {
            subject,
            split,
            replay: &replay,
            fitted: &fitted,
            options: self.options,
            bootstrap: &self.bootstrap,
        };
        let results = if latest {
            Some(tally(&held, &entries, &ledger)?)
        } else {
            None
        };
        Ok((ledger, results))
    }

    /// All policies on the held-out weeks, the highest reward first.
    fn entries(
        &self,
        setting: &Setting<'_>,
        replay: &Replay<'_>,
        heuristics: Heuristics,
        fitted: &Fitted,
    ) -> Result<Vec<Entry>, Error> {
        let device = &self.device;
        let mut entries = Vec::new();
        let mut add = |name: &str, role, outcomes: Outcomes| {
            entries.push(Entry {
                name: name.to_owned(),
                role,
                outcomes,
            });
        };
        let oracle = replay.run(&JustInTime::new(replay), device)?;
        add("just-in-time oracle", Role::Oracle, oracle);
        let trained = replay.run(&fitted.policy, device)?;
        add("Direct Backprop", Role::Trained, trained);
        for (name, levels) in heuristics.levels {
            let outcomes = replay.run(&BaseStock::new(name, 1.0, levels), device)?;
            add(name, Role::Heuristic, outcomes);
        }
        let reference = setting.reference();
        let panel = setting.panel;
        let mean = Signals::from_fn(panel.weeks(), 1, panel.products(), |_, _, product| {
            reference[product]
        });
        let constant = replay.run(&ConstantOrder::new(1.0, mean), device)?;
        add("constant order", Role::Heuristic, constant);
        entries.sort_by(|a, b| b.outcomes.reward().total_cmp(&a.outcomes.reward()));
        Ok(entries)
    }

    /// How networks are trained when `validation` weeks tell when to stop.
    fn recipe(&self, validation: usize) -> Recipe {
        let mut recipe = Recipe {
            validation,
            members: self.options.members.get(),
            seed: self.options.seed.seed,
            ..Recipe::default()
        };
        if let Some(steps) = self.options.steps {
            recipe.training.steps = steps.get();
        }
        recipe
    }

    fn train(
        &self,
        setting: &Setting<'_>,
        forecast: &PromotionForecast,
        split: &Split,
        watch: impl Fn(usize, String),
    ) -> Result<Fitted, Error> {
        let recipe = self.recipe(split.validation);
        let arrivals = for_fitting(self.options)?;
        let (members, each) = (recipe.members, recipe.training.steps);
        recipe.fit(setting, &arrivals, forecast, &self.device, |course| {
            let before = (2 * course.member + usize::from(course.refit)) * each;
            watch(
                before + course.progress.step,
                format!("network {} of {members}", course.member + 1),
            );
            ControlFlow::Continue(())
        })
    }
}

/// The progress over all origins, in steps of training.
struct Meter {
    progress: Progress,
    origins: usize,
    each: usize,
}

impl Meter {
    fn new(origins: usize, recipe: &Recipe) -> Self {
        let each = 2 * recipe.members * recipe.training.steps;
        Meter {
            progress: Progress::new("training", u64::try_from(origins * each).ok()),
            origins,
            each,
        }
    }

    fn at(&self, origin: usize, step: usize, words: String) {
        let done = origin * self.each + step;
        self.progress.at(u64::try_from(done).unwrap_or(u64::MAX));
        self.progress.note(if self.origins > 1 {
            format!("origin {} of {}, {words}", origin + 1, self.origins)
        } else {
            words
        });
    }

    fn finish(&self) {
        self.progress.finish();
    }
}
