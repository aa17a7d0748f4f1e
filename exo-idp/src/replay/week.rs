//! One week of a policy in a market, written once for every number type.

use gpu::{DelayLine, RoundGradient, Scalar};

use super::rows::{Layout, Source};
use crate::conventions::Conventions;
use crate::market::{Market, MarketInputs};
use crate::period::{Event, Position, State, period};
use crate::policy::{Observation, Policy};
use crate::schedule::Schedule;
use crate::states::PLAIN;

/// A policy in a market under conventions.
#[derive(Debug)]
pub(super) struct Week<'a, P, M> {
    conventions: &'a Conventions,
    layout: Layout,
    policy: &'a P,
    market: &'a M,
}

/// The parameters of both.
#[derive(Debug, Clone)]
pub(super) struct Parameters<S> {
    policy: Vec<S>,
    market: Vec<S>,
}

impl<S: Scalar> Parameters<S> {
    /// The same with other parameters of the policy.
    pub(super) fn with_policy(&self, policy: Vec<S>) -> Self {
        Parameters {
            policy,
            market: self.market.clone(),
        }
    }
}

/// A lane, or a bundle of lanes, on its way through the weeks.
#[derive(Debug, Clone)]
pub(super) struct Traveller<S> {
    pub(super) state: State<S>,
    /// The market's own state.
    own: Vec<S>,
    memory: Vec<DelayLine<S>>,
    market_memory: Vec<DelayLine<S>>,
}

/// Room for what a week computes on the way.
#[derive(Debug)]
pub(super) struct Scratch<S> {
    seen: Position<S>,
    published: Vec<S>,
    signals: Vec<S>,
    shares: Vec<S>,
    own: Vec<S>,
}

/// What happened in a week, and what the objective books for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Booked<S> {
    pub(super) event: Event<S>,
    pub(super) money: S,
}

impl<'a, P: Policy, M: Market> Week<'a, P, M> {
    pub(super) fn new(source: &'a Source<'a>, policy: &'a P, market: &'a M) -> Self {
        Week {
            conventions: source.replay().conventions(),
            layout: source.layout(),
            policy,
            market,
        }
    }

    pub(super) fn layout(&self) -> Layout {
        self.layout
    }

    /// The number of parameters of both.
    pub(super) fn params(&self) -> usize {
        self.policy.theta().len() + self.market.theta().len()
    }

    /// The parameters as they stand.
    pub(super) fn theta(&self) -> Vec<f64> {
        [self.policy.theta(), &self.market.theta()].concat()
    }

    /// Parameters from one list, the policy's first.
    pub(super) fn parameters<S: Scalar>(&self, all: &[S]) -> Parameters<S> {
        let (policy, market) = all.split_at(self.policy.theta().len());
        Parameters {
            policy: policy.to_vec(),
            market: market.to_vec(),
        }
    }

    /// The traveller with the given rows of state.
    pub(super) fn traveller<S: Scalar>(&self, rows: &[S]) -> Traveller<S> {
        let longest = self.layout.max_lead_time();
        let (orders, rest) = rows[PLAIN..].split_at(longest);
        let (schedule, own) = rest.split_at(rest.len() - self.layout.own());
        let schedule = self
            .layout
            .scheduled()
            .then(|| Schedule::from_units(longest, schedule));
        Traveller {
            state: State {
                on_hand: rows[0],
                book: rows[1],
                orders: orders.to_vec(),
                schedule,
            },
            own: own.to_vec(),
            memory: vec![DelayLine::new(); self.policy.delay_lines()],
            market_memory: vec![DelayLine::new(); self.market.delay_lines()],
        }
    }

    pub(super) fn scratch<S: Scalar>(&self) -> Scratch<S> {
        Scratch {
            seen: Position::empty(self.layout.max_lead_time()),
            published: Vec::new(),
            signals: Vec::new(),
            shares: Vec::new(),
            own: Vec::new(),
        }
    }

    /// Plays a week, and moves the traveller to the next where `live`: else only its memory takes part. `alter` may change the
    /// policy's order.
    ///
    /// Observe, publish, order, deliver, receive, demand, sell, close, charge.
    #[inline(always)]
    pub(super) fn play<S: Scalar>(
        &self,
        parameters: &Parameters<S>,
        rows: &[S],
        weights: [S; 2],
        live: bool,
        traveller: &mut Traveller<S>,
        scratch: &mut Scratch<S>,
        alter: impl FnOnce(S) -> S,
    ) -> Booked<S> {
        let mut split = self.layout.split(rows, weights[0], weights[1]);
        let inputs = MarketInputs {
            theta: &parameters.market,
            rows: split.market,
            state: &traveller.own,
        };
        let seen = &mut scratch.seen;
        traveller.state.observe(self.conventions, &split.exo, seen);
        let published = &mut scratch.published;
        published.clear();
        self.market
            .publish(&inputs, seen, &mut traveller.market_memory, published);
        let signals = if published.is_empty() {
            split.signals
        } else {
            scratch.signals.clear();
            scratch.signals.extend_from_slice(split.signals);
            scratch.signals.extend_from_slice(published);
            &scratch.signals
        };
        let inventory = &*seen;
        let asked = Observation { inventory, signals };
        let asked = self
            .policy
            .order(&parameters.policy, &asked, &mut traveller.memory);
        let asked = if self.conventions.whole_units {
            asked.round(RoundGradient::StraightThrough)
        } else {
            asked
        };
        let requested = alter(asked) * split.exo.active;
        let order = self.market.order(&inputs, requested);
        if self.layout.scheduled() {
            let shares = &mut scratch.shares;
            shares.clear();
            shares.extend_from_slice(split.exo.arriving);
            self.market
                .deliver(&inputs, seen, order, &mut traveller.market_memory, shares);
            split.exo.arriving = shares;
        }
        let exo = &split.exo;
        let mut event = period(self.conventions, exo, &traveller.state, order);
        event.requested = requested;
        let next = &mut scratch.own;
        next.clear();
        next.extend_from_slice(&traveller.own);
        self.market.close(&inputs, &mut event, next);
        let mut money = event.booked(exo);
        if let Some(charge) = self.market.charge(&inputs, &event, published) {
            event.charge = charge;
            money = money - exo.weight * charge;
        }
        if live {
            traveller.state.advance(exo, &event);
            traveller.own.copy_from_slice(next);
        }
        Booked { event, money }
    }
}

impl<S: Scalar> Traveller<S> {
    /// The rows of the state.
    pub(super) fn rows(&self) -> Vec<S> {
        let state = &self.state;
        let schedule = state.schedule.as_ref().map_or(&[][..], Schedule::units);
        [
            &[state.on_hand, state.book],
            &state.orders[..],
            schedule,
            &self.own,
        ]
        .concat()
    }
}
