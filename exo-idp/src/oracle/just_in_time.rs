//! The oracle that knows the future, and the bound that it cannot pass.

use gpu::{DelayLine, Scalar};

use crate::conventions::Receipts;
use crate::policy::{Policy, Seen, Signals};
use crate::replay::Replay;

/// The just-in-time oracle: it knows demand and lead times, and orders every unit so that it arrives as late as it can before
/// it is sold, if it earns its cost. Not a policy that anyone could follow.
#[derive(Debug, Clone)]
pub struct JustInTime {
    orders: Signals,
}

/// The arrivals of a lane: for every week, the order weeks whose order arrives (largest share) in it.
fn order_weeks(replay: &Replay<'_>, lane: usize, week: usize) -> impl Iterator<Item = usize> {
    let first = replay.window().scored.start;
    let paths = replay.paths();
    let later = usize::from(replay.conventions().receipts == Receipts::AfterDemand);
    (0..=paths.longest()).filter_map(move |k| {
        let arrival = week.checked_sub(later)?;
        let order = arrival.checked_sub(k)?;
        let share = paths.arriving(arrival, k)[lane];
        (share > 0.5 && order >= first && arrival >= first).then_some(order)
    })
}

impl JustInTime {
    /// The oracle of a replay.
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
                    .filter(|&k| panel.present(product, k))
                    .min_by(|&a, &b| cost(a).total_cmp(&cost(b)));
                newest = cheapest.or(newest);
                let Some(order) = newest else { continue };
                if discount(week - scored.start) * panel.price(product, week) > cost(order) {
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
        "just-in-time oracle"
    }
    fn signals(&self) -> Option<&Signals> {
        Some(&self.orders)
    }
    #[inline(always)]
    fn order<S: Scalar>(&self, _: &[S], seen: &Seen<'_, S>, _: &mut [DelayLine<S>]) -> S {
        seen.signals[0]
    }
}

/// The most that any policy can book on a lane, with perfect information:
/// $$ f^* = \sum_t D_t \max\Bigl(0, \gamma^t p_t - \min_{k : k + v_k \le t} \bigl(\gamma^k c_k + \textstyle\sum_{u} \gamma^u h_u\bigr)\Bigr), $$
/// the inner sum over the weeks that a unit waits; the opening stock is sold at the best price of all. The form with holding
/// costs is ours.
///
/// It assumes lost sales: with back-orders demand may be served later, and the bound does not hold.
#[must_use]
pub fn perfect_information_bound(replay: &Replay<'_>, lane: usize) -> f64 {
    let (panel, conventions) = (replay.paths().panel(), replay.conventions());
    let product = replay.paths().product(lane);
    let scored = replay.window().scored.clone();
    let discount = |week: usize| {
        conventions
            .discount
            .powi(i32::try_from(week - scored.start).unwrap_or(i32::MAX))
    };
    // The discounted cost of a unit that is there, purchase and holding.
    let mut cheapest = f64::INFINITY;
    let (mut total, mut dearest) = (0.0, 0.0_f64);
    for week in scored.clone() {
        for order in order_weeks(replay, lane, week).filter(|&k| k >= scored.start) {
            cheapest = cheapest.min(discount(order) * panel.cost(product, order));
        }
        let price = discount(week) * panel.price(product, week);
        let penalty = discount(week) * conventions.penalty;
        let demand = panel.demand(product, week);
        total += demand * ((price + penalty - cheapest).max(0.0) - penalty);
        if demand > 0.0 {
            dearest = dearest.max(price + penalty);
        }
        let rate = conventions.holding_share * panel.cost(product, week) + conventions.holding;
        cheapest += discount(week) * rate;
    }
    let units = replay.opening_units(lane);
    total += (units * dearest).max(conventions.salvage() * replay.opening_charge(lane));
    total - replay.opening_charge(lane)
}
