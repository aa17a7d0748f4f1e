//! The hindsight optimum week by week.

use super::optimum::{Delivery, Known};
use crate::count::count;
use crate::period::{Exo, Schedule, State, period};
use crate::replay::Replay;

/// What the hindsight optimum of a lane earns, in all and week by week.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct HindsightAccount {
    /// [`hindsight_optimum`](super::hindsight_optimum) of the lane, in money.
    pub total: f64,
    /// What of it counts in each scored week: they sum to the total, but for rounding.
    pub weeks: Vec<f64>,
}

/// The [`hindsight_optimum`](super::hindsight_optimum) of a lane as an account: what of it counts in which scored week.
///
/// Best orders are read off the dynamic programme that gives the total, and are placed in the replay's own period; a week is booked as in
/// [`Outcomes::accrued_reward`](crate::Outcomes::accrued_reward), so that the weeks of the optimum stand beside those of a policy. Where
/// no orders attain the total, because costs change and stock keeps its value at the end or orders arrive in pieces, what they fall short
/// is added to the weeks in proportion to the units sold in them. Our own formulation.
///
/// ```
/// use hindsight_exo_idp::oracle::hindsight_account;
/// use hindsight_exo_idp::panel::Columns;
/// use hindsight_exo_idp::{Conventions, LeadTimes, Panel, Paths, Replay, Window};
/// let columns = Columns {
///     demand: vec![5.0, 5.0, 5.0, 0.0, 2.0],
///     price: vec![10.0; 5],
///     cost: vec![4.0; 5],
///     present: vec![true; 5],
///     covariates: vec![],
/// };
/// let panel = Panel::new(vec!["tea".into()], 5, columns)?;
/// let paths = Paths::new(&panel, &LeadTimes::fixed(0), 1)?;
/// let conventions = Conventions { discount: 1.0, ..Conventions::default() };
/// let window = Window { scored: 1..5, warm_up: 1 };
/// let replay = Replay::new(&paths, conventions, window, &[5.0])?;
/// let account = hindsight_account(&replay, 0);
/// // The margin of 6 on what is sold.
/// for (week, sold) in account.weeks.iter().zip([5.0, 5.0, 0.0, 2.0]) {
///     assert!((week - 6.0 * sold).abs() < 1e-6);
/// }
/// # Ok::<(), hindsight_exo_idp::Error>(())
/// ```
///
/// # Panics
/// Like an index into an array, when the lane does not exist.
#[must_use]
pub fn hindsight_account(replay: &Replay<'_>, lane: usize) -> HindsightAccount {
    let known = Known::of(replay, lane);
    let (prices, total) = known.optimum();
    let (mut weeks, sold) = play(replay, lane, &known.deliveries(&prices));
    let short = total - weeks.iter().sum::<f64>();
    let all: f64 = sold.iter().sum();
    let each = 1.0 / count(weeks.len());
    for (week, units) in weeks.iter_mut().zip(sold) {
        *week += short * if all > 0.0 { units / all } else { each };
    }
    HindsightAccount { total, weeks }
}

/// What is booked in every scored week where these deliveries are ordered, and the units sold.
fn play(replay: &Replay<'_>, lane: usize, deliveries: &[Delivery]) -> (Vec<f64>, Vec<f64>) {
    let (paths, conventions) = (replay.paths(), replay.conventions());
    let (panel, product) = (paths.panel(), paths.product(lane));
    let longest = paths.max_lead_time();
    let (due, _) = replay.opening_due(lane);
    let at_the_end_of_its_time = |age: usize, weeks: usize| {
        let last = age + weeks == longest;
        if last { due[weeks] } else { 0.0 }
    };
    let mut state = State {
        on_hand: replay.opening().on_hand()[lane],
        orders: vec![0.0; longest],
        book: replay.opening_charge(lane),
        schedule: Some(Schedule::from_fn(longest, at_the_end_of_its_time)),
    };
    let scored = replay.window().scored.clone();
    let booked = scored.clone().map(|week| {
        let now = week - scored.start;
        let mut shares = vec![0.0; longest + 1];
        for (share, delivery) in shares.iter_mut().zip(&deliveries[now..]) {
            if delivery.placed == now {
                *share = delivery.units;
            }
        }
        let order: f64 = shares.iter().sum();
        if order > 0.0 {
            shares.iter_mut().for_each(|share| *share /= order);
        }
        let (weight, terminal) = replay.weights(week);
        let can = panel.on_sale(product, week);
        let flag = |set: bool| if set { 1.0 } else { 0.0 };
        let exo = Exo {
            demand: panel.demand(product, week),
            price: panel.price(product, week),
            cost: panel.cost(product, week),
            weight,
            terminal,
            active: flag(can),
            unknown: Some(flag(can && !panel.present(product, week))),
            arriving: &shares,
            outstanding: &[],
            yields: None,
        };
        let before = state.book;
        let event = period(conventions, &exo, &state, order);
        state.advance(&exo, &event);
        let kept = if week + 1 == scored.end {
            conventions.salvage() * event.book
        } else {
            event.book
        };
        let earned = weight * (event.reward + conventions.discount * kept - before);
        (earned, event.sold)
    });
    booked.unzip()
}

#[cfg(test)]
mod tests;
