//! The back-test itself: policies fitted and trained on the earlier weeks, replayed on the later ones.

use std::ops::{ControlFlow, Range};
use std::time::Instant;

use exo_idp::policy::{
    BaseStock, ConstantOrder, JustInTime, LeadTimeDemand, Plan, PromotionForecast, Signals,
    target_position,
};
use exo_idp::train::{Fitted, Recipe, Setting, groups_by_variation, tune_levels};
use exo_idp::{Arrivals, Error, LeadTimes, Outcomes, Paths};
use gpu::Cpu;

use crate::error::CliError;
use crate::progress::Progress;

use super::Args;
use super::options;
use super::results::{Results, Role};
use super::subject::Subject;
use super::tally::{Entry, Held, tally};

/// Weeks that a policy sees before it is scored.
const WARM_UP: usize = 12;
/// Samples of lead times per product on which policies are scored.
const SAMPLES: usize = 4;
/// Groups of products whose levels are scaled together.
const GROUPS: usize = 10;

/// The factors by which levels are tried: 0.2 to 2.5.
fn factors() -> Vec<f64> {
    (0..47).map(|step| 0.2 + 0.05 * f64::from(step)).collect()
}

/// Which weeks are for what.
#[derive(Debug, Clone)]
pub(super) struct Split {
    pub(super) learn: Range<usize>,
    pub(super) validation: usize,
    pub(super) held_out: Range<usize>,
}

impl Split {
    fn new(weeks: usize, held_out: Option<usize>) -> Result<Self, CliError> {
        let held = held_out.unwrap_or(weeks / 4).max(1);
        let learn = weeks.saturating_sub(held);
        let validation = (learn / 6).max(1);
        if learn < WARM_UP + validation + 8 {
            return Err(CliError::argument(
                "--held-out",
                held,
                format!(
                    "leaves {learn} of {weeks} weeks to learn from, and {} are needed",
                    WARM_UP + validation + 8
                ),
            ));
        }
        Ok(Split {
            learn: 0..learn,
            validation,
            held_out: learn..weeks,
        })
    }
}

/// Runs the back-test.
///
/// # Errors
///
/// [`CliError`] if the arguments do not suit the data.
pub(super) fn compute(subject: &Subject, args: &Args) -> Result<Results, CliError> {
    let begun = Instant::now();
    let options = &args.replay;
    let panel = &subject.panel;
    let cpu = options
        .threads
        .map_or_else(Cpu::default, |threads| Cpu::new(threads.get()));
    let lead_times = options.lead_times()?;
    let split = Split::new(panel.weeks(), options.held_out)?;
    let plan = Plan {
        horizon: options.plan_weeks.unwrap_or(lead_times.longest()),
        price: !options.price_unplanned,
    };
    let setting = Setting {
        panel,
        lead_times: &lead_times,
        conventions: options.conventions()?,
        plan,
        weeks: split.learn.clone(),
        warm_up: WARM_UP,
    };
    let refused = |error: Error| CliError::Input(format!("{}: {error}", subject.source));
    let heuristics = heuristics(&setting, options, &cpu).map_err(refused)?;
    let fitted = train(&setting, &heuristics.forecast, args, &split, &cpu).map_err(refused)?;

    let paths = Paths::new(panel, &lead_times, SAMPLES).map_err(refused)?;
    // The memory of the network reaches back further than the weeks that fitting leaves out.
    let held_setting = Setting {
        warm_up: 2 * WARM_UP,
        ..setting.clone()
    };
    let replay = held_setting
        .replay(&paths, split.held_out.clone())
        .map_err(refused)?;
    let mut entries = Vec::new();
    let mut add = |name: &str, role, outcomes: Result<Outcomes, Error>| -> Result<(), CliError> {
        entries.push(Entry {
            name: name.to_owned(),
            role,
            outcomes: outcomes.map_err(refused)?,
        });
        Ok(())
    };
    add(
        "just-in-time oracle",
        Role::Oracle,
        replay.run(&JustInTime::new(&replay), &cpu),
    )?;
    add(
        "Direct Backprop",
        Role::Trained,
        replay.run(&fitted.policy, &cpu),
    )?;
    for (name, levels) in heuristics.levels {
        add(
            name,
            Role::Heuristic,
            replay.run(&BaseStock::new(name, 1.0, levels), &cpu),
        )?;
    }
    let reference = setting.reference();
    let constant = Signals::from_fn(panel.weeks(), 1, panel.products(), |_, _, product| {
        reference[product]
    });
    add(
        "constant order",
        Role::Heuristic,
        replay.run(&ConstantOrder::new(1.0, constant), &cpu),
    )?;
    let held = Held {
        subject,
        split: &split,
        replay: &replay,
        fitted: &fitted,
        options,
    };
    tally(&held, entries, begun).map_err(refused)
}

/// The heuristics' levels by name.
struct Heuristics {
    forecast: PromotionForecast,
    levels: Vec<(&'static str, Signals)>,
}

/// The law of lead times with which policies are fitted: the same law, other draws than those they are scored on.
fn for_fitting(options: &options::Replay) -> Result<LeadTimes, Error> {
    let other = options::Replay {
        seed: options.seed.wrapping_add(1),
        ..options.clone()
    };
    other
        .lead_times()
        .map_err(|_| Error::Empty("the law of lead times"))
}

fn heuristics(
    setting: &Setting<'_>,
    options: &options::Replay,
    cpu: &Cpu,
) -> Result<Heuristics, Error> {
    let progress = Progress::new("heuristics", None);
    let panel = setting.panel;
    let (law, conventions) = (setting.lead_times, &setting.conventions);
    let arrivals = for_fitting(options)?;
    let paths = Paths::new(panel, &arrivals, 2)?;
    let replay = setting.replay(&paths, setting.scored())?;
    let groups = groups_by_variation(&replay, GROUPS.min(panel.products()));
    let tuned = |levels: &Signals| {
        progress.step(1);
        tune_levels(&replay, levels, &groups, &factors(), cpu)
    };
    let untuned = target_position(
        panel,
        setting.weeks.clone(),
        law,
        LeadTimeDemand::Convolved,
        conventions,
    )?;
    let naive = target_position(
        panel,
        setting.weeks.clone(),
        law,
        LeadTimeDemand::MeanLeadTime,
        conventions,
    )?;
    let reference = setting.reference();
    let coverage = law.mean() + 1.0;
    let mean = Signals::from_fn(panel.weeks(), 1, panel.products(), |_, _, product| {
        coverage * reference[product]
    });
    let forecast = PromotionForecast::fit(
        panel,
        setting.weeks.clone(),
        setting.plan,
        law.longest() + 1,
    )?;
    let promoted = forecast.target_position(panel, law, conventions)?;
    let levels = vec![
        ("promotion-aware newsvendor", tuned(&promoted)?),
        ("target position, tuned", tuned(&untuned)?),
        ("base stock", tuned(&mean)?),
        ("target position, untuned", untuned),
        ("target position, mean lead time", naive),
    ];
    progress.finish();
    Ok(Heuristics { forecast, levels })
}

fn train(
    setting: &Setting<'_>,
    forecast: &PromotionForecast,
    args: &Args,
    split: &Split,
    cpu: &Cpu,
) -> Result<Fitted, Error> {
    let options = &args.replay;
    let mut recipe = Recipe {
        validation: split.validation,
        members: options.members.get(),
        seed: options.seed,
        ..Recipe::default()
    };
    if let Some(steps) = options.steps {
        recipe.training.steps = steps.get();
    }
    let arrivals = for_fitting(options)?;
    let all = 2 * recipe.members * recipe.training.steps;
    let progress = Progress::new("training", u64::try_from(all).ok());
    let (members, each) = (recipe.members, recipe.training.steps);
    let fitted = recipe.fit(setting, &arrivals, forecast, cpu, |course| {
        let before = (2 * course.member + usize::from(course.refit)) * each;
        progress.at(u64::try_from(before + course.progress.step).unwrap_or(u64::MAX));
        progress.note(format!("network {} of {members}", course.member + 1));
        ControlFlow::Continue(())
    });
    progress.finish();
    fitted
}
