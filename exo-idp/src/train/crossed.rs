//! The anchor of a network, cross-fitted: in the training weeks as unsure of demand as in those that are not.
//!
//! A forecast is closer to the weeks that it was fitted on than to any others. A network that has come to trust it there would trust it
//! too much afterwards. So the training weeks are cut into blocks, and in each block are taken the levels and forecasts of a fit
//! that left the block out, with the weeks that are forecast from it; after the training weeks, those of the fit on all.

use std::ops::Range;

use super::setting::Setting;
use crate::error::Error;
use crate::panel::Panel;
use crate::policy::{Anchor, LeadTimeDemand, PromotionForecast, Signals, target_position};

/// The fit for one block of weeks.
struct Fold {
    block: Range<usize>,
    forecast: PromotionForecast,
    target: Signals,
    /// Products of which at least half of the weeks were left to fit on; for others the fit on all weeks is taken.
    fitted: Vec<bool>,
}

impl Fold {
    fn new(
        setting: &Setting<'_>,
        forecast: &PromotionForecast,
        block: Range<usize>,
    ) -> Result<Self, Error> {
        let weeks = setting.weeks.clone();
        let ahead = setting.max_lead_time().max(setting.plan.horizon) + 1;
        let without = block.start..(block.end + ahead).min(weeks.end);
        let panel = setting.panel.without(without);
        let present = |product: usize, of: &Panel| {
            let weeks = weeks.clone();
            weeks.filter(|&w| of.present(product, w)).count()
        };
        let fitted =
            (0..panel.products()).map(|p| 2 * present(p, &panel) >= present(p, setting.panel));
        Ok(Fold {
            fitted: fitted.collect(),
            target: target(setting, &panel)?,
            forecast: forecast.refitted(&panel, setting.panel, weeks.clone())?,
            block,
        })
    }
}

fn target(setting: &Setting<'_>, panel: &Panel) -> Result<Signals, Error> {
    let (law, conventions) = (setting.lead_times, &setting.conventions);
    let weeks = setting.weeks.clone();
    target_position(panel, weeks, law, LeadTimeDemand::Convolved, conventions)
}

/// The levels of the promotion-aware newsvendor and of the target position, and the forecasts of the first; `folds` blocks, none for
/// the fit on all weeks throughout.
pub(super) fn anchor(
    setting: &Setting<'_>,
    forecast: &PromotionForecast,
    folds: usize,
) -> Result<Anchor, Error> {
    let Setting {
        panel,
        lead_times,
        conventions,
        ..
    } = setting;
    let learn = setting.weeks.clone();
    let edge = |fold: usize| learn.start + learn.len() * fold / folds.max(1);
    let folds = (0..folds)
        .map(|fold| Fold::new(setting, forecast, edge(fold)..edge(fold + 1)))
        .collect::<Result<Vec<Fold>, Error>>()?;
    let crossed = |week: usize, product: usize| {
        folds
            .iter()
            .find(|fold| fold.block.contains(&week) && fold.fitted[product])
    };
    let whole = target(setting, panel)?;
    let own =
        |week: usize, product: usize| crossed(week, product).map_or(forecast, |f| &f.forecast);
    let (weeks, products) = (panel.weeks(), panel.products());
    let promoted = Signals::from_fn(weeks, 1, products, |week, _, product| {
        own(week, product).level(panel, *lead_times, conventions, week, product)
    });
    let target = Signals::from_fn(weeks, 1, products, |week, _, product| {
        crossed(week, product)
            .map_or(&whole, |f| &f.target)
            .row(week, 0)[product]
    });
    let reference = setting.reference();
    let forecasts = Signals::from_fn(weeks, forecast.rows(), products, |week, row, product| {
        own(week, product).signal(panel, week, row, product, reference[product])
    });
    Anchor::new(vec![promoted, target], Some(forecasts))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::panel::Columns;
    use crate::policy::Plan;
    use crate::{Conventions, LeadTimes};

    const WEEKS: usize = 40;
    const LEARN: usize = 30;

    fn record(demand: Vec<f64>) -> Panel {
        let cells = demand.len();
        let columns = Columns {
            demand,
            price: (0..cells)
                .map(|i| if i % 7 < 2 { 4.0 } else { 5.0 })
                .collect(),
            cost: vec![3.0; cells],
            present: vec![true; cells],
            covariates: vec![],
        };
        let names = (0..cells / WEEKS).map(|p| p.to_string()).collect();
        Panel::new(names, WEEKS, columns).unwrap()
    }

    /// Both levels of every product in a week.
    fn levels(panel: &Panel, folds: usize, week: usize) -> Vec<f64> {
        let law = LeadTimes::uniform(1, 2, 0.0, 1).unwrap();
        let plan = Plan {
            horizon: 2,
            price: true,
        };
        let setting = Setting {
            panel,
            lead_times: &law,
            conventions: Conventions::default(),
            plan,
            weeks: 0..LEARN,
            warm_up: 4,
            opening: None,
        };
        let forecast = PromotionForecast::fit(panel, 0..LEARN, plan, 3).unwrap();
        let anchor = anchor(&setting, &forecast, folds).unwrap();
        let products = 0..panel.products();
        products
            .flat_map(|p| [anchor.level(0, week, p), anchor.level(1, week, p)])
            .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// The levels of a training week do not move by a bit, whatever the demand of this week and of the rest of its block and of
        /// the weeks that are forecast from it; fitted on all weeks, they do.
        #[test]
        fn levels_do_not_know_their_own_block(
            demand in prop::collection::vec(1.0_f64..30.0, 3 * WEEKS), week in 0..LEARN, folds in 3_usize..6, times in 2.0_f64..5.0,
        ) {
            let fold = (0..folds).rfind(|fold| LEARN * fold / folds <= week).unwrap();
            let end = (LEARN * (fold + 1) / folds + 3).min(LEARN);
            let mut other = demand.clone();
            for product in other.chunks_exact_mut(WEEKS) {
                product[week..end].iter_mut().for_each(|d| *d *= times);
            }
            let (panel, other) = (record(demand), record(other));
            prop_assert_eq!(levels(&panel, folds, week), levels(&other, folds, week));
            prop_assert_ne!(levels(&panel, 0, week), levels(&other, 0, week));
        }

        /// After the training weeks the fit on all of them is taken.
        #[test]
        fn held_out_levels_are_those_of_the_whole_fit(
            demand in prop::collection::vec(0.0_f64..30.0, 2 * WEEKS), week in LEARN..WEEKS, folds in 1_usize..6,
        ) {
            let panel = record(demand);
            prop_assert_eq!(levels(&panel, folds, week), levels(&panel, 0, week));
        }
    }
}
