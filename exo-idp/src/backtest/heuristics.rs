//! The heuristics, fitted on the training weeks.

use gpu::Device;

use crate::error::Error;
use crate::lead_times::LeadTimes;
use crate::paths::Paths;
use crate::policy::trailing::Trailing;
use crate::policy::{LeadTimeDemand, OrderUpTo, PromotionForecast, Signals, target_position};
use crate::train::{Setting, groups_by_variation, tune_levels};

/// Groups of products whose levels are scaled together.
const GROUPS: usize = 10;

/// The factors by which levels are tried: 0.2 to 2.5.
fn factors() -> Vec<f64> {
    (0..47).map(|step| 0.2 + 0.05 * f64::from(step)).collect()
}

/// Fits the heuristics of a setting and tunes them on `arrivals`: the same law, other draws than those they are scored on. The first two are
/// those that networks are blended with.
///
/// # Errors
/// When the training weeks are too few.
pub(super) fn heuristics(
    setting: &Setting<'_>,
    trailing: &Trailing,
    arrivals: &LeadTimes,
    device: &Device,
) -> Result<Vec<OrderUpTo>, Error> {
    let panel = setting.panel;
    let (law, conventions) = (setting.lead_times, &setting.conventions);
    let paths = Paths::new(panel, arrivals, 2)?;
    let replay = setting.replay(&paths, setting.scored())?;
    let groups = groups_by_variation(&replay, GROUPS.min(panel.products()));
    let tuned = |levels: &Signals| tune_levels(&replay, levels, &groups, &factors(), device);
    let target = |demand| target_position(panel, setting.weeks.clone(), law, demand, conventions);
    let untuned = target(LeadTimeDemand::Convolved)?;
    let naive = target(LeadTimeDemand::MeanLeadTime)?;
    let reference = setting.reference();
    let mean = Signals::from_fn(panel.weeks(), 1, panel.products(), |_, _, product| {
        (law.mean(product) + 1.0) * reference[product]
    });
    let forecast = PromotionForecast::fit(
        panel,
        setting.weeks.clone(),
        setting.plan,
        setting.max_lead_time() + 1,
    )?;
    let promoted = forecast.target_position(panel, law, conventions)?;
    let levels = [
        ("promotion-aware newsvendor", tuned(&promoted)?),
        ("target position, untuned", untuned.clone()),
        ("target position, tuned", tuned(&untuned)?),
        ("base stock", tuned(&mean)?),
        (
            "seasonal base stock",
            tuned(&trailing.seasonal(panel.weeks()))?,
        ),
        (
            "safety stock",
            tuned(&trailing.safety_stock(panel.weeks()))?,
        ),
        ("target position, mean lead time", naive),
    ];
    let policy = |(name, levels)| OrderUpTo::uncapped(name, levels);
    levels.into_iter().map(policy).collect()
}
