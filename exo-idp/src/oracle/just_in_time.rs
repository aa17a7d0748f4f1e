//! A rule that knows the future.

use gpu::{DelayLine, Scalar};

use crate::conventions::Receipts;
use crate::policy::{Observation, Policy, Signals};
use crate::replay::Replay;

/// The just-in-time rule: it knows demand and lead times, and orders every unit of demand so that it arrives as late as it can before
/// it is sold, if its price and the penalty that it spares are more than its cost; of the stock that is there it knows nothing. Not a policy that anyone could follow, and not the
/// best of those either: see [`hindsight_optimum`](crate::oracle::hindsight_optimum).
#[derive(Debug, Clone)]
pub struct JustInTime {
    orders: Signals,
}

/// The arrivals of a lane: for every week, the order weeks whose order arrives (largest share) in it.
fn order_weeks(replay: &Replay<'_>, lane: usize, week: usize) -> impl Iterator<Item = usize> {
    let first = replay.window().scored.start;
    let paths = replay.paths();
    let later = usize::from(replay.conventions().receipts == Receipts::AfterDemand);
    (0..=paths.max_lead_time()).filter_map(move |k| {
        let arrival = week.checked_sub(later)?;
        let order = arrival.checked_sub(k)?;
        let share = paths.arriving(arrival, k)[lane];
        (share > 0.5 && order >= first && arrival >= first).then_some(order)
    })
}

impl JustInTime {
    /// The rule for a replay.
    #[must_use]
    pub fn new(replay: &Replay<'_>) -> Self {
        let (paths, panel) = (replay.paths(), replay.paths().panel());
        let weeks = panel.weeks();
        let mut orders = vec![0.0; weeks * paths.lanes()];
        for lane in 0..paths.lanes() {
            let product = paths.product(lane);
            let mut newest: Option<usize> = None;
            let scored = replay.window().scored.clone();
            for week in scored.clone() {
                let discount = |n: usize| {
                    let weeks = i32::try_from(n).unwrap_or(i32::MAX);
                    replay.conventions().discount.powi(weeks)
                };
                let cost = |k: usize| discount(k - scored.start) * panel.cost(product, k);
                let cheapest = order_weeks(replay, lane, week)
                    .filter(|&k| panel.on_sale(product, k))
                    .min_by(|&a, &b| cost(a).total_cmp(&cost(b)));
                newest = cheapest.or(newest);
                let Some(order) = newest else { continue };
                let worth = panel.price(product, week) + replay.conventions().penalty;
                if discount(week - scored.start) * worth > cost(order) {
                    orders[order * paths.lanes() + lane] += panel.demand(product, week);
                }
            }
        }
        let lanes = paths.lanes();
        let orders = Signals::from_fn(weeks, 1, lanes, |week, _, lane| orders[week * lanes + lane]);
        JustInTime { orders }
    }
}

impl Policy for JustInTime {
    fn name(&self) -> &'static str {
        "just-in-time rule"
    }
    fn signals(&self) -> Option<&Signals> {
        Some(&self.orders)
    }
    #[inline(always)]
    fn order<S: Scalar>(&self, _: &[S], seen: &Observation<'_, S>, _: &mut [DelayLine<S>]) -> S {
        seen.signals[0]
    }
}
