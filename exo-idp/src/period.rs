//! One period of inventory control, written once for every number type.

use gpu::Scalar;

use crate::conventions::{Conventions, ObservationTiming, Receipts, Unmet};

pub use crate::schedule::Schedule;
pub use crate::states::States;

/// What happens to a product in one week whatever the policy does.
#[derive(Debug, Clone, Copy)]
pub struct Exo<'a, S> {
    /// Units wanted.
    pub demand: S,
    /// Selling price, money per unit.
    pub price: S,
    /// Purchase cost, money per unit.
    pub cost: S,
    /// Weight of the week's reward: the discount, or zero in a week that is not scored.
    pub weight: S,
    /// Weight of the value of stock at the end of the week: the discount and salvage share in the last week, else zero.
    pub terminal: S,
    /// 1 where an order can be placed, else 0.
    pub active: S,
    /// 1 where an order can be placed but demand is not known, else 0: such a week is charged neither for holding nor for what waits.
    /// `None` where there is no such week.
    pub unknown: Option<S>,
    /// Share of the order of `k` weeks ago that arrives this week, `k` = 0, 1, …, longest lead time. Where the state has a
    /// [`Schedule`]: share of this week's order that arrives `k` weeks later.
    pub arriving: &'a [S],
    /// Share of the order of `k + 1` weeks ago that has not been received before this week, `k` = 0, 1, … Not read where the state
    /// has a [`Schedule`].
    pub outstanding: &'a [S],
    /// What becomes of orders that do not arrive in full, or arrive in excess; `None` where all arrive in full.
    pub yields: Option<Yields<'a, S>>,
}

/// What becomes of orders whose shares do not sum to one.
#[derive(Debug, Clone, Copy)]
pub struct Yields<'a, S> {
    /// Share of this week's order that arrives in all.
    pub supplied: S,
    /// Share of the order of `k + 1` weeks ago that arrives in this week or later.
    pub coming: &'a [S],
}

/// The state that a policy's orders change.
#[derive(Debug, Clone, PartialEq)]
pub struct State<S> {
    /// Units on hand at the end of the last week; negative where demand waits (back-orders).
    pub on_hand: S,
    /// The orders of 1, 2, … weeks ago, as many as the longest lead time; beside a schedule, what of them has not been received.
    pub orders: Vec<S>,
    /// What the units on hand and outstanding cost, in money, at average cost.
    pub book: S,
    /// Deliveries that are due, where they depend on what was ordered; else arrivals are shares of the orders.
    pub schedule: Option<Schedule<S>>,
}

/// What happened in a week.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event<S> {
    /// Units that the policy asked for.
    pub requested: S,
    /// Units ordered: what a [`Market`](crate::market::Market) made of them.
    pub order: S,
    /// Units of the order that are delivered, now or later: what is paid.
    pub supplied: S,
    /// Units received.
    pub received: S,
    /// Units sold.
    pub sold: S,
    /// Units of demand lost, or waiting at the end of the week.
    pub unmet: S,
    /// Units on hand at the end of the week.
    pub on_hand: S,
    /// Units on hand and coming at the end of the week.
    pub position: S,
    /// What they cost, in money, at average cost.
    pub book: S,
    /// Reward of the week in money, undiscounted, without the value at the end of the horizon.
    pub reward: S,
    /// What a market charges, in money, beside the reward.
    pub charge: S,
}

impl<S: Scalar> Event<S> {
    /// Takes units from stock at the end of the week, with their share of the book value: they spoiled, or were sent away.
    #[inline(always)]
    pub fn write_off(&mut self, units: S) {
        let before = self.position.relu();
        self.on_hand = self.on_hand - units;
        self.position = self.position - units;
        let share = self.position.relu() / (before + S::constant(TINY));
        self.book = self.book * share.min(S::constant(1.0));
    }

    /// What the objective books: the reward times its weight, and the value at the end of the horizon. A market's charge is not in
    /// it.
    #[must_use]
    #[inline(always)]
    pub fn booked(&self, exo: &Exo<'_, S>) -> S {
        exo.weight * self.reward + exo.terminal * self.book
    }
}

/// Keeps 0 / 0 away, in units.
const TINY: f64 = 1e-9;

/// What of the inventory a policy sees when it orders.
#[derive(Debug, Clone, PartialEq)]
pub struct Position<S> {
    /// Units on hand.
    pub on_hand: S,
    /// Units ordered 1, 2, … weeks ago and not yet received. When they will arrive is not seen.
    pub pipeline: Vec<S>,
    /// On hand and outstanding together.
    pub position: S,
}

#[inline(always)]
fn dot<S: Scalar>(shares: &[S], orders: &[S]) -> S {
    shares
        .iter()
        .zip(orders)
        .fold(S::constant(0.0), |sum, (&share, &order)| {
            sum + share * order
        })
}

impl<S: Scalar> Position<S> {
    /// An empty position over `lead` past orders, to be filled by [`State::observe`].
    #[must_use]
    pub fn empty(lead: usize) -> Self {
        let zero = S::constant(0.0);
        Position {
            on_hand: zero,
            pipeline: vec![zero; lead],
            position: zero,
        }
    }
}

impl<S: Scalar> State<S> {
    /// Writes what a policy sees of this state, before it orders.
    #[inline(always)]
    pub fn observe(&self, conventions: &Conventions, exo: &Exo<'_, S>, seen: &mut Position<S>) {
        let received = conventions.observation_timing == ObservationTiming::AfterReceipts
            && conventions.receipts == Receipts::BeforeDemand;
        seen.on_hand = self.on_hand;
        if received {
            seen.on_hand = seen.on_hand
                + match &self.schedule {
                    Some(schedule) => schedule.due_now(),
                    None => dot(&exo.arriving[1..], &self.orders),
                };
        }
        seen.position = seen.on_hand;
        for (k, units) in seen.pipeline.iter_mut().enumerate() {
            *units = match &self.schedule {
                Some(schedule) if received => (self.orders[k] - schedule.due(k + 1)).relu(),
                Some(_) => self.orders[k],
                None if received => {
                    let open = exo.outstanding[k] - exo.arriving[k + 1];
                    // More than was ordered may arrive.
                    let open = if exo.yields.is_some() {
                        open.relu()
                    } else {
                        open
                    };
                    open * self.orders[k]
                }
                None => exo.outstanding[k] * self.orders[k],
            };
            seen.position = seen.position + *units;
        }
    }

    /// Moves to the state after a week.
    #[inline(always)]
    pub fn advance(&mut self, exo: &Exo<'_, S>, event: &Event<S>) {
        self.on_hand = event.on_hand;
        self.book = event.book;
        if let Some(schedule) = &mut self.schedule {
            for (k, open) in self.orders.iter_mut().enumerate() {
                *open = (*open - schedule.due(k + 1)).relu();
            }
            schedule.advance(event.order, exo.arriving);
        }
        for k in (1..self.orders.len()).rev() {
            self.orders[k] = self.orders[k - 1];
        }
        if let Some(newest) = self.orders.first_mut() {
            *newest = match (&self.schedule, exo.arriving.first()) {
                (Some(_), Some(&now)) => (event.order - event.order * now).relu(),
                _ => event.order,
            };
        }
    }
}

/// One week: order, receive, demand, sell, book.
///
/// With $I$ on hand, receipts $\sum_k \rho_k a_{t-k}$, demand $D$, price $p$, cost $c$ and (lost sales, receipts before demand)
/// $I^- = I + \text{receipts}$:
/// $$ s = \min(D, I^-), \quad I' = I^- - s, \quad R = p s - c a - h I' - b (D - s). $$
///
/// The book value of units on hand and outstanding, $V' = (V + c a)\thinspace x / (x + s)$ with the position $x$ at the end of the week,
/// is what they are worth where the horizon ends (times the share of [`Conventions::salvage`]). Units that are never delivered are
/// not paid, and units delivered in excess are: $a$ in reward and book value is what the vendor supplies of the order.
///
/// The four quantities of the paper's reward are $p s - c a$; $h$ and $b$ are ours and zero by default.
///
/// ```
/// use hindsight_exo_idp::period::{Exo, State, period};
/// use hindsight_exo_idp::Conventions;
/// let exo = Exo {
///     demand: 4.0, price: 10.0, cost: 6.0, weight: 1.0, terminal: 0.0, active: 1.0, unknown: None,
///     arriving: &[0.0, 1.0], outstanding: &[1.0], yields: None,
/// };
/// let state = State { on_hand: 1.0, orders: vec![2.0], book: 18.0, schedule: None };
/// let event = period(&Conventions::default(), &exo, &state, 5.0_f64);
/// assert_eq!((event.received, event.sold, event.unmet, event.reward), (2.0, 3.0, 1.0, 30.0 - 30.0));
/// ```
#[inline(always)]
pub fn period<S: Scalar>(
    conventions: &Conventions,
    exo: &Exo<'_, S>,
    state: &State<S>,
    order: S,
) -> Event<S> {
    let zero = S::constant(0.0);
    let order = order * exo.active;
    let Flow {
        coming,
        received,
        supplied,
    } = Flow::of(exo, state, order);
    let available = match conventions.receipts {
        Receipts::BeforeDemand => state.on_hand + received,
        Receipts::AfterDemand => state.on_hand,
    };
    let (sold, unmet, left) = match conventions.unmet {
        Unmet::Lost => {
            let sold = exo.demand.min(available);
            (sold, exo.demand - sold, available - sold)
        }
        Unmet::Backordered => {
            // What waits is sold first; the stock itself may go below zero.
            let waiting = (-state.on_hand).relu();
            let sold = (exo.demand + waiting).min((available + waiting).relu());
            let left = available - exo.demand;
            (sold, (-left).relu(), left)
        }
    };
    let (sold, on_hand) = match (conventions.receipts, conventions.unmet) {
        (Receipts::BeforeDemand, _) => (sold, left),
        (Receipts::AfterDemand, Unmet::Lost) => (sold, left + received),
        // Demand that waits is served by what comes at the end of the week.
        (Receipts::AfterDemand, Unmet::Backordered) => {
            (sold + unmet.min(received), left + received)
        }
    };
    let mut reward = exo.price * sold - exo.cost * supplied;
    if conventions.holding > 0.0 || conventions.holding_share > 0.0 {
        let rate =
            exo.cost * S::constant(conventions.holding_share) + S::constant(conventions.holding);
        reward = reward - charged(exo, rate * left.relu());
    }
    if conventions.penalty > 0.0 {
        reward = reward - charged(exo, S::constant(conventions.penalty) * unmet);
    }
    let position = on_hand + coming + supplied - received;
    // Sold units leave at average cost.
    let kept = position.relu();
    let share = kept / (kept + sold + S::constant(TINY));
    let book = (state.book + exo.cost * supplied) * share;
    Event {
        requested: order,
        order,
        supplied,
        received,
        sold,
        unmet,
        on_hand,
        position,
        book,
        reward,
        charge: zero,
    }
}

/// What is charged of a cost in a week: nothing where demand is not known.
#[inline(always)]
fn charged<S: Scalar>(exo: &Exo<'_, S>, cost: S) -> S {
    match exo.unknown {
        Some(unknown) => cost - unknown * cost,
        None => cost,
    }
}

/// The units that orders bring.
struct Flow<S> {
    /// Of earlier orders, in this week or later.
    coming: S,
    /// In this week.
    received: S,
    /// Of this week's order, in all.
    supplied: S,
}

impl<S: Scalar> Flow<S> {
    #[inline(always)]
    fn of(exo: &Exo<'_, S>, state: &State<S>, order: S) -> Self {
        let (first, rest) = match exo.arriving.split_first() {
            Some((&first, rest)) => (first, rest),
            None => (S::constant(0.0), exo.arriving),
        };
        if let Some(schedule) = &state.schedule {
            let total = rest.iter().fold(first, |sum, &share| sum + share);
            return Flow {
                coming: schedule.coming(),
                received: order * first + schedule.due_now(),
                supplied: order * total,
            };
        }
        let (coming, supplied) = match &exo.yields {
            Some(yields) => (yields.coming, order * yields.supplied),
            None => (exo.outstanding, order),
        };
        Flow {
            coming: dot(coming, &state.orders),
            received: order * first + dot(rest, &state.orders),
            supplied,
        }
    }
}
