//! The heuristics, fitted on the training weeks.

use gpu::Device;

use super::notices::Notice;
use crate::error::Error;
use crate::lead_times::LeadTimes;
use crate::policy::trailing::Trailing;
use crate::policy::{LeadTimeDemand, OrderUpTo, PromotionForecast, Signals, target_position};
use crate::train::{Setting, groups_by_variation, tune_factors};

/// Groups of products whose levels are scaled together.
const GROUPS: usize = 10;

/// The factors by which levels are tried: 0.2 to 2.5.
fn factors() -> Vec<f64> {
    (0..47).map(|step| 0.2 + 0.05 * f64::from(step)).collect()
}

/// Fits the heuristics of a setting and tunes them on `arrivals`: the same law, other draws than those they are scored on. With them,
/// what is to be said of grids of factors that ended too soon.
///
/// # Errors
/// When the training weeks are too few.
pub(super) fn heuristics(
    setting: &Setting<'_>,
    trailing: &Trailing,
    arrivals: &LeadTimes,
    device: &Device,
) -> Result<(Vec<OrderUpTo>, Vec<Notice>), Error> {
    let panel = setting.panel;
    let (law, conventions) = (setting.lead_times, &setting.conventions);
    let paths = setting.paths(arrivals, 2, &setting.scored())?;
    let replay = setting.replay(&paths, setting.scored())?;
    let groups = groups_by_variation(&replay, GROUPS.min(panel.products()));
    let mut notices = Vec::new();
    let mut tuned = |policy: &str, levels: &Signals| -> Result<Signals, Error> {
        let tuned = tune_factors(&replay, levels, &groups, &factors(), device)?;
        notices.extend(tuned.stopped_at.map(|factor| Notice::FactorLimit {
            policy: policy.to_owned(),
            factor,
        }));
        Ok(tuned.scale(levels, &groups))
    };
    let target = |demand| target_position(panel, setting.weeks.clone(), law, demand, conventions);
    let untuned = target(LeadTimeDemand::Convolved)?;
    let naive = target(LeadTimeDemand::MeanLeadTime)?;
    let reference = setting.reference();
    let mean = Signals::constant(panel.weeks(), 1, panel.products(), |_, product| {
        (law.mean(product) + 1.0) * reference[product]
    });
    let forecast = PromotionForecast::fit(
        panel,
        setting.weeks.clone(),
        setting.plan,
        setting.max_lead_time() + 1,
    )?;
    let promoted = forecast.target_position(panel, law, conventions)?;
    let (seasonal, safety) = (
        trailing.seasonal(panel.weeks()),
        trailing.safety_stock(panel.weeks()),
    );
    let mut levels = Vec::new();
    for (name, levels_of, scaled) in [
        ("promotion-aware newsvendor", &promoted, true),
        ("target position, untuned", &untuned, false),
        ("target position, tuned", &untuned, true),
        ("base stock", &mean, true),
        ("seasonal base stock", &seasonal, true),
        ("safety stock", &safety, true),
        ("target position, mean lead time", &naive, false),
    ] {
        let own = if scaled {
            tuned(name, levels_of)?
        } else {
            levels_of.clone()
        };
        levels.push(OrderUpTo::uncapped(name, own)?);
    }
    Ok((levels, notices))
}
