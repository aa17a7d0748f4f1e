//! One period of inventory control, written once for every number type.

use gpu::Scalar;

use crate::conventions::{Conventions, Receipts, Sight, Unmet};

/// What happens to a product in one week whatever the policy does.
#[derive(Debug, Clone, Copy)]
pub struct Exo<'a, S> {
    /// Units wanted.
    pub demand: S,
    /// Selling price, money per unit.
    pub price: S,
    /// Purchase cost, money per unit.
    pub cost: S,
    /// What a unit of stock counts for where scoring begins or ends, money per unit.
    pub value: S,
    /// Weight of the week's reward: the discount, or zero in a week that is not scored.
    pub weight: S,
    /// Weight of the value of stock at the end of the week: the discount and salvage share in the last week, else zero.
    pub terminal: S,
    /// 1 where an order can be placed, else 0.
    pub active: S,
    /// Share of the order of `k` weeks ago that arrives this week, `k` = 0, 1, …, longest lead time.
    pub arriving: &'a [S],
    /// Share of the order of `k + 1` weeks ago that has not arrived before this week, `k` = 0, 1, …
    pub outstanding: &'a [S],
}

/// The state that a policy's orders change.
#[derive(Debug, Clone, PartialEq)]
pub struct State<S> {
    /// Units on hand at the end of the last week; negative where demand waits (back-orders).
    pub on_hand: S,
    /// The orders of 1, 2, … weeks ago, as many as the longest lead time.
    pub orders: Vec<S>,
}

/// What happened in a week.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event<S> {
    /// Units ordered.
    pub order: S,
    /// Units received.
    pub received: S,
    /// Units sold.
    pub sold: S,
    /// Units of demand lost, or waiting at the end of the week.
    pub unmet: S,
    /// Units on hand at the end of the week.
    pub on_hand: S,
    /// Units on hand and outstanding at the end of the week.
    pub position: S,
    /// Reward of the week in money, undiscounted, without the value at the end of the horizon.
    pub reward: S,
    /// What the objective books: the reward times its weight, and the value at the end of the horizon.
    pub booked: S,
}

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
        let received = conventions.sight == Sight::AfterReceipts
            && conventions.receipts == Receipts::BeforeDemand;
        seen.on_hand = self.on_hand;
        if received {
            seen.on_hand = seen.on_hand + dot(&exo.arriving[1..], &self.orders);
        }
        seen.position = seen.on_hand;
        for (k, units) in seen.pipeline.iter_mut().enumerate() {
            let due = if received {
                exo.outstanding[k] - exo.arriving[k + 1]
            } else {
                exo.outstanding[k]
            };
            *units = due * self.orders[k];
            seen.position = seen.position + *units;
        }
    }

    /// The state as one list: on hand, then the orders.
    pub(crate) fn flat(&self) -> Vec<S> {
        [&[self.on_hand], &self.orders[..]].concat()
    }

    /// Moves to the state after a week.
    #[inline(always)]
    pub fn advance(&mut self, event: &Event<S>) {
        self.on_hand = event.on_hand;
        for k in (1..self.orders.len()).rev() {
            self.orders[k] = self.orders[k - 1];
        }
        if let Some(newest) = self.orders.first_mut() {
            *newest = event.order;
        }
    }
}

/// One week: order, receive, demand, sell, book.
///
/// With $I$ on hand, receipts $\sum_k \rho_k a_{t-k}$, demand $D$, price $p$, cost $c$ and (lost sales, receipts before demand)
/// $I^- = I + \text{receipts}$:
/// $$ s = \min(D, I^-), \quad I' = I^- - s, \quad R = p s - c a - h I' - b (D - s). $$
///
/// The four quantities of the paper's reward are $p s - c a$; $h$ and $b$ are ours and zero by default.
///
/// ```
/// use hindsight_exo_idp::{Conventions, Exo, State, period};
/// let exo = Exo {
///     demand: 4.0, price: 10.0, cost: 6.0, value: 6.0, weight: 1.0, terminal: 0.0, active: 1.0,
///     arriving: &[0.0, 1.0], outstanding: &[1.0],
/// };
/// let state = State { on_hand: 1.0, orders: vec![2.0] };
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
    let outstanding = dot(exo.outstanding, &state.orders);
    let (first, rest) = match exo.arriving.split_first() {
        Some((&first, rest)) => (first, rest),
        None => (zero, exo.arriving),
    };
    let received = order * first + dot(rest, &state.orders);
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
    let on_hand = match conventions.receipts {
        Receipts::BeforeDemand => left,
        Receipts::AfterDemand => left + received,
    };
    let mut reward = exo.price * sold - exo.cost * order;
    if conventions.holding > 0.0 || conventions.holding_share > 0.0 {
        let rate =
            exo.cost * S::constant(conventions.holding_share) + S::constant(conventions.holding);
        reward = reward - rate * left.relu();
    }
    if conventions.penalty > 0.0 {
        reward = reward - S::constant(conventions.penalty) * unmet;
    }
    let position = on_hand + outstanding + order - received;
    let booked = exo.weight * reward + exo.terminal * exo.value * position;
    Event {
        order,
        received,
        sold,
        unmet,
        on_hand,
        position,
        reward,
        booked,
    }
}
