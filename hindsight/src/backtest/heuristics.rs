//! The heuristics, fitted on the weeks to learn from.

use exo_idp::policy::{LeadTimeDemand, PromotionForecast, Signals, target_position};
use exo_idp::train::{Setting, groups_by_variation, tune_levels};
use exo_idp::{Error, LeadTimes, Paths};
use gpu::Device;

use super::options;
use crate::document::Seed;

/// Groups of products whose levels are scaled together.
const GROUPS: usize = 10;

/// The factors by which levels are tried: 0.2 to 2.5.
fn factors() -> Vec<f64> {
    (0..47).map(|step| 0.2 + 0.05 * f64::from(step)).collect()
}

/// The heuristics' levels by name.
pub(super) struct Heuristics {
    pub(super) forecast: PromotionForecast,
    pub(super) levels: Vec<(&'static str, Signals)>,
}

/// The law of lead times with which policies are fitted: the same law, other draws than those they are scored on.
pub(super) fn for_fitting(options: &options::Replay) -> Result<LeadTimes, Error> {
    let other = options::Replay {
        seed: Seed {
            seed: options.seed.seed.wrapping_add(1),
        },
        ..options.clone()
    };
    other
        .lead_times()
        .map_err(|_| Error::Empty("the law of lead times"))
}

/// Fits and tunes the heuristics of a setting.
///
/// # Errors
///
/// When the weeks to learn from are too few.
pub(super) fn heuristics(
    setting: &Setting<'_>,
    options: &options::Replay,
    device: &Device,
) -> Result<Heuristics, Error> {
    let panel = setting.panel;
    let (law, conventions) = (setting.lead_times, &setting.conventions);
    let arrivals = for_fitting(options)?;
    let paths = Paths::new(panel, &arrivals, 2)?;
    let replay = setting.replay(&paths, setting.scored())?;
    let groups = groups_by_variation(&replay, GROUPS.min(panel.products()));
    let tuned = |levels: &Signals| tune_levels(&replay, levels, &groups, &factors(), device);
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

    let mean = Signals::from_fn(panel.weeks(), 1, panel.products(), |_, _, product| {
        (law.mean(product) + 1.0) * reference[product]
    });
    let forecast = PromotionForecast::fit(
        panel,
        setting.weeks.clone(),
        setting.plan,
        setting.longest() + 1,
    )?;
    let promoted = forecast.target_position(panel, law, conventions)?;
    let levels = vec![
        ("promotion-aware newsvendor", tuned(&promoted)?),
        ("target position, tuned", tuned(&untuned)?),
        ("base stock", tuned(&mean)?),
        ("target position, untuned", untuned),
        ("target position, mean lead time", naive),
    ];
    Ok(Heuristics { forecast, levels })
}
