//! Controllers to compare a coordinator with, and the two maps between prices and use that all of them are made of.
//!
//! A [`PrimalMap`] says what is used at given prices, a [`DualMap`] at which prices a cohort uses what there is (the pair after 2605.13900). Dual
//! ascent turns the first into prices ([`dual_ascent`], [`Cases::dual_prices`](crate::Cases::dual_prices)); a coordinator, or [`Feedback`], is the
//! second at once; model-predictive control ([`Predictive`]) does the first every week on scenarios of the weeks ahead.

pub use crate::dual::{Ascent, Settled, StepRule, dual_ascent};
pub use crate::forecaster::Forecaster;
pub use crate::gate::Gate;
pub use crate::maps::{
    Aggregates, ByWeek, Clairvoyant, DualMap, Feedback, Posted, PrimalMap, Replayed,
};
pub use crate::predictive::Predictive;

use crate::shape::HORIZON;

/// Prices published in a week from those of every resource in the weeks to come, the last repeated.
pub(crate) fn published(path: &[Vec<f64>], week: usize) -> Vec<f64> {
    let at = |row: &Vec<f64>, h: usize| row[(week + h).min(row.len() - 1)];
    path.iter()
        .flat_map(|row| (0..=HORIZON).map(move |h| at(row, h)))
        .collect()
}
