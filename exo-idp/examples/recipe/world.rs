//! One world: the heuristics and the network fitted on its first three quarters, judged on the last.

use std::ops::{ControlFlow, Range};

use hindsight_exo_idp::oracle::hindsight_optimum;
use hindsight_exo_idp::policy::{
    BaseStock, LeadTimeDemand, Plan, PromotionForecast, Signals, target_position,
};
use hindsight_exo_idp::train::{Recipe, Setting, groups_by_variation, tune_levels};
use hindsight_exo_idp::world::{DemandColumn, World, WorldConfig};
use hindsight_exo_idp::{Conventions, Error, LeadTimes, Outcomes, Paths};
use hindsight_gpu::Device;

/// Weeks that policies see before they are scored.
const WARM_UP: usize = 12;

/// The size of the worlds and of their windows.
pub(crate) struct Size {
    /// Products.
    pub products: usize,
    /// Weeks that tell when to stop; the held-out weeks follow them.
    pub validation: usize,
}

impl Default for Size {
    fn default() -> Self {
        Size {
            products: WorldConfig::default().products,
            validation: 19,
        }
    }
}

/// What came out: the network minus the best heuristic of the same weeks, in percent of what the heuristic earned.
pub(crate) struct Judged {
    /// On the training weeks.
    pub learnt: f64,
    /// On those of them that told when to stop; the heuristics were tuned on them, and so was the network at last.
    pub validation: f64,
    /// On the held-out weeks.
    pub held_out: f64,
    /// The same, every product on the scale of its own mean revenue.
    pub balanced: f64,
    /// The network's share of the perfect-information bound, in percent.
    pub share: f64,
    /// The best heuristic on the held-out weeks.
    pub best: String,
    /// When the members stopped.
    pub steps: Vec<usize>,
}

/// Runs a recipe in one world.
pub(crate) fn judge(
    seed: u64,
    size: &Size,
    recipe: &Recipe,
    device: &Device,
) -> Result<Judged, Error> {
    let world = World::new(&WorldConfig {
        products: size.products,
        seed,
        ..WorldConfig::default()
    })?;
    let whole = world.panel(DemandColumn::Truth)?;
    let (weeks, learn) = (whole.weeks(), whole.weeks() * 3 / 4);
    let recorded = |p: usize, mut weeks: Range<usize>| weeks.any(|w| whole.present(p, w));
    let kept: Vec<usize> = (0..whole.products())
        .filter(|&p| recorded(p, 0..learn) && recorded(p, learn..weeks))
        .collect();
    let panel = whole.select(&kept)?;
    // One law of lead times, one draw of it to fit on and another to judge on.
    let fitting = LeadTimes::uniform(1, 3, 0.5, seed + 1)?;
    let judging = LeadTimes::uniform(1, 3, 0.5, seed)?;
    let setting = Setting {
        panel: &panel,
        lead_times: &judging,
        conventions: Conventions {
            discount: 0.998,
            holding_share: 0.005,
            ..Conventions::default()
        },
        plan: Plan {
            horizon: 3,
            price: true,
        },
        weeks: 0..learn,
        warm_up: WARM_UP,
        opening: None,
    };
    let forecast = PromotionForecast::fit(&panel, 0..learn, setting.plan, 4)?;
    let heuristics = heuristics(&setting, &forecast, &fitting, device)?;
    let recipe = Recipe {
        seed,
        validation: size.validation,
        ..recipe.clone()
    };
    let fitted = recipe.fit(&setting, &fitting, &forecast, device, |_| {
        ControlFlow::Continue(())
    })?;

    let compare = |law: &LeadTimes, scored: Range<usize>, warm_up: usize| {
        let paths = Paths::new(&panel, law, 4)?;
        let setting = Setting {
            warm_up,
            ..setting.clone()
        };
        let replay = setting.replay(&paths, scored)?;
        let network = replay.run(&fitted.policy, device)?;
        let mut best: Option<Outcomes> = None;
        for (name, levels) in &heuristics {
            let one = replay.run(&BaseStock::new(*name, 1.0, levels.clone()), device)?;
            if best.as_ref().is_none_or(|b| one.reward() > b.reward()) {
                best = Some(one);
            }
        }
        let best = best.ok_or(Error::Empty("the heuristics"))?;
        #[allow(clippy::cast_precision_loss, reason = "a few samples")]
        let bound = (0..paths.lanes())
            .map(|lane| hindsight_optimum(&replay, lane))
            .sum::<f64>()
            / paths.samples() as f64;
        Ok::<_, Error>((network, best, bound))
    };
    let relative = |(network, best, _): &(Outcomes, Outcomes, f64)| {
        100.0 * (network.reward() / best.reward() - 1.0)
    };
    let scored = setting.scored();
    let learnt = compare(&fitting, scored.clone(), WARM_UP)?;
    let validation = compare(&fitting, learn - size.validation..learn, WARM_UP)?;
    let held_out = compare(&judging, learn..weeks, 2 * WARM_UP)?;
    let reference = setting.reference();
    let (network, best, bound) = &held_out;
    let money = |p: usize| (reference[p] * panel.price(p, 0)).max(1e-9);
    let mean = |outcomes: &Outcomes| {
        let each = (0..panel.products()).map(|p| outcomes.objective(p) / money(p));
        each.sum::<f64>()
    };
    Ok(Judged {
        learnt: relative(&learnt),
        validation: relative(&validation),
        held_out: relative(&held_out),
        balanced: 100.0 * (mean(network) / mean(best) - 1.0),
        share: 100.0 * network.reward() / bound,
        best: best.policy().to_owned(),
        steps: fitted.best_steps,
    })
}

/// The order-up-to heuristics, tuned in ten groups of products.
fn heuristics(
    setting: &Setting<'_>,
    forecast: &PromotionForecast,
    fitting: &LeadTimes,
    device: &Device,
) -> Result<Vec<(&'static str, Signals)>, Error> {
    let (panel, law, conventions) = (setting.panel, setting.lead_times, &setting.conventions);
    let paths = Paths::new(panel, fitting, 2)?;
    let replay = setting.replay(&paths, setting.scored())?;
    let groups = groups_by_variation(&replay, 10);
    let factors: Vec<f64> = (0..47).map(|step| 0.2 + 0.05 * f64::from(step)).collect();
    let tuned = |levels: &Signals| tune_levels(&replay, levels, &groups, &factors, device);
    let position =
        |treatment| target_position(panel, setting.weeks.clone(), law, treatment, conventions);
    let (untuned, naive) = (
        position(LeadTimeDemand::Convolved)?,
        position(LeadTimeDemand::MeanLeadTime)?,
    );
    let promoted = forecast.target_position(panel, law, conventions)?;
    let reference = setting.reference();
    let mean = Signals::from_fn(panel.weeks(), 1, panel.products(), |_, _, p| {
        (law.mean(p) + 1.0) * reference[p]
    });
    Ok(vec![
        ("promotion-aware newsvendor", tuned(&promoted)?),
        ("target position, tuned", tuned(&untuned)?),
        ("base stock", tuned(&mean)?),
        ("target position, untuned", untuned),
        ("target position, mean lead time", naive),
    ])
}
