//! What a market is.

use std::ops::Range;

use gpu::{DelayLine, Scalar};

use crate::period::{Event, Position};
use crate::signals::Signals;

/// What a market reads in a week.
#[derive(Debug, Clone, Copy)]
pub struct MarketInputs<'a, S> {
    /// Its parameters.
    pub theta: &'a [S],
    /// Its signals of this week, row by row.
    pub rows: &'a [S],
    /// Its own state at the beginning of the week.
    pub state: &'a [S],
}

/// What a policy meets beside its own stock: what is published to it, what becomes of its order, how the order is delivered, what
/// else happens to stock, and what is charged.
///
/// In the order of a week: [`publish`](Market::publish) before the policy orders, [`order`](Market::order) and
/// [`deliver`](Market::deliver) after, then receipts, demand and sales ([`period`](crate::period::period())), then [`close`](Market::close)
/// and [`charge`](Market::charge). Every method has a default, that of a market in which nothing happens: `()`. `(A, B)` is both,
/// `A` first. Written once for every number type, like a policy: no branch on values, and `#[inline(always)]` on the methods where
/// it is run on SIMD lanes.
///
/// A sum over lanes ([`Scalar::lane_sum`]) is over the products of one sample of paths: what a coordinator sees. A replay in such a
/// market is always run as a program.
///
/// ```
/// use hindsight_gpu::Scalar;
/// use hindsight_exo_idp::market::{Market, MarketInputs};
/// use hindsight_exo_idp::period::Event;
///
/// /// Two units of every hundred on hand spoil in a week, and their disposal is charged.
/// #[derive(Debug)]
/// struct Spoilage { disposal: f64 }
/// impl Market for Spoilage {
///     fn close<S: Scalar>(&self, _: &MarketInputs<'_, S>, event: &mut Event<S>, _: &mut [S]) {
///         event.write_off(event.on_hand.relu() * S::constant(0.02));
///     }
///     fn charge<S: Scalar>(&self, _: &MarketInputs<'_, S>, event: &Event<S>, _: &[S]) -> Option<S> {
///         Some(event.on_hand.relu() * S::constant(self.disposal * 0.02 / 0.98))
///     }
/// }
/// ```
pub trait Market: std::fmt::Debug + Sync {
    /// Its parameters; in a recorded replay they follow those of the policy.
    fn theta(&self) -> Vec<f64> {
        Vec::new()
    }

    /// Which of its parameters training changes: all, unless they were fitted beforehand and stay.
    fn trained(&self) -> Vec<Range<usize>> {
        std::iter::once(0..self.theta().len()).collect()
    }

    /// The signals that it reads; their rows come one after another in [`MarketInputs::rows`].
    fn signals(&self) -> Vec<&Signals> {
        Vec::new()
    }

    /// The number of rows of its signals.
    fn rows(&self) -> usize {
        self.signals().iter().map(|signals| signals.rows()).sum()
    }

    /// The number of values of its own that it carries from week to week; they begin at zero.
    fn states(&self) -> usize {
        0
    }

    /// The number of values whose past it keeps.
    fn delay_lines(&self) -> usize {
        0
    }

    /// Whether it is large enough to be worth recording as a program, like a network.
    fn is_network(&self) -> bool {
        false
    }

    /// How many numbers it publishes; a policy sees them after its own signals.
    fn published(&self) -> usize {
        0
    }

    /// Appends what a policy sees of it before it orders; `seen` is the inventory of the lane.
    fn publish<S: Scalar>(
        &self,
        _inputs: &MarketInputs<'_, S>,
        _seen: &Position<S>,
        _memory: &mut [DelayLine<S>],
        _out: &mut Vec<S>,
    ) {
    }

    /// What becomes of an order, in units: minimum, batch, a vendor's limit.
    fn order<S: Scalar>(&self, _inputs: &MarketInputs<'_, S>, order: S) -> S {
        order
    }

    /// Whether [`deliver`](Market::deliver) decides when an order arrives. Deliveries are then part of the state.
    fn delivers(&self) -> bool {
        false
    }

    /// Changes the shares of the order that arrive 0, 1, … weeks later, given its size and the past: they come in as those of the
    /// exogenous paths.
    fn deliver<S: Scalar>(
        &self,
        _inputs: &MarketInputs<'_, S>,
        _seen: &Position<S>,
        _order: S,
        _memory: &mut [DelayLine<S>],
        _shares: &mut [S],
    ) {
    }

    /// What else happens to stock by the end of the week (spoilage, see [`Event::write_off`]), and the market's own state in the
    /// next week: `next` comes in as that of this week.
    fn close<S: Scalar>(
        &self,
        _inputs: &MarketInputs<'_, S>,
        _event: &mut Event<S>,
        _next: &mut [S],
    ) {
    }

    /// What is charged for the week, in money; `published` is what [`publish`](Market::publish) gave.
    fn charge<S: Scalar>(
        &self,
        _inputs: &MarketInputs<'_, S>,
        _event: &Event<S>,
        _published: &[S],
    ) -> Option<S> {
        None
    }
}
