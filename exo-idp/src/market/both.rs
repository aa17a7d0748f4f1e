//! Nothing, one by reference, and two at once.

use std::ops::Range;

use gpu::{DelayLine, Scalar};

use super::interface::{Market, MarketInputs};
use crate::period::{Event, Position};
use crate::signals::Signals;

impl Market for () {}

impl<M: Market> Market for &M {
    fn theta(&self) -> Vec<f64> {
        (**self).theta()
    }
    fn trained(&self) -> Vec<Range<usize>> {
        (**self).trained()
    }
    fn signals(&self) -> Vec<&Signals> {
        (**self).signals()
    }
    fn rows(&self) -> usize {
        (**self).rows()
    }
    fn states(&self) -> usize {
        (**self).states()
    }
    fn delay_lines(&self) -> usize {
        (**self).delay_lines()
    }
    fn is_network(&self) -> bool {
        (**self).is_network()
    }
    fn published(&self) -> usize {
        (**self).published()
    }
    #[inline(always)]
    fn publish<S: Scalar>(
        &self,
        inputs: &MarketInputs<'_, S>,
        seen: &Position<S>,
        memory: &mut [DelayLine<S>],
        out: &mut Vec<S>,
    ) {
        (**self).publish(inputs, seen, memory, out);
    }
    #[inline(always)]
    fn order<S: Scalar>(&self, inputs: &MarketInputs<'_, S>, order: S) -> S {
        (**self).order(inputs, order)
    }
    fn delivers(&self) -> bool {
        (**self).delivers()
    }
    #[inline(always)]
    fn deliver<S: Scalar>(
        &self,
        inputs: &MarketInputs<'_, S>,
        seen: &Position<S>,
        order: S,
        memory: &mut [DelayLine<S>],
        shares: &mut [S],
    ) {
        (**self).deliver(inputs, seen, order, memory, shares);
    }
    #[inline(always)]
    fn close<S: Scalar>(&self, inputs: &MarketInputs<'_, S>, event: &mut Event<S>, next: &mut [S]) {
        (**self).close(inputs, event, next);
    }
    #[inline(always)]
    fn charge<S: Scalar>(
        &self,
        inputs: &MarketInputs<'_, S>,
        event: &Event<S>,
        published: &[S],
    ) -> Option<S> {
        (**self).charge(inputs, event, published)
    }
}

/// Both markets, the first before the second: an order passes the first and then the second, charges add up.
impl<A: Market, B: Market> Market for (A, B) {
    fn theta(&self) -> Vec<f64> {
        [self.0.theta(), self.1.theta()].concat()
    }
    fn trained(&self) -> Vec<Range<usize>> {
        let first = self.0.theta().len();
        let second = self.1.trained().into_iter();
        let second = second.map(|range| range.start + first..range.end + first);
        self.0.trained().into_iter().chain(second).collect()
    }
    fn signals(&self) -> Vec<&Signals> {
        [self.0.signals(), self.1.signals()].concat()
    }
    fn rows(&self) -> usize {
        self.0.rows() + self.1.rows()
    }
    fn states(&self) -> usize {
        self.0.states() + self.1.states()
    }
    fn delay_lines(&self) -> usize {
        self.0.delay_lines() + self.1.delay_lines()
    }
    fn is_network(&self) -> bool {
        self.0.is_network() || self.1.is_network()
    }
    fn published(&self) -> usize {
        self.0.published() + self.1.published()
    }
    #[inline(always)]
    fn publish<S: Scalar>(
        &self,
        inputs: &MarketInputs<'_, S>,
        seen: &Position<S>,
        memory: &mut [DelayLine<S>],
        out: &mut Vec<S>,
    ) {
        let (a, b) = self.split(inputs);
        let (first, second) = memory.split_at_mut(self.0.delay_lines());
        self.0.publish(&a, seen, first, out);
        self.1.publish(&b, seen, second, out);
    }
    #[inline(always)]
    fn order<S: Scalar>(&self, inputs: &MarketInputs<'_, S>, order: S) -> S {
        let (a, b) = self.split(inputs);
        self.1.order(&b, self.0.order(&a, order))
    }
    fn delivers(&self) -> bool {
        self.0.delivers() || self.1.delivers()
    }
    #[inline(always)]
    fn deliver<S: Scalar>(
        &self,
        inputs: &MarketInputs<'_, S>,
        seen: &Position<S>,
        order: S,
        memory: &mut [DelayLine<S>],
        shares: &mut [S],
    ) {
        let (a, b) = self.split(inputs);
        let (first, second) = memory.split_at_mut(self.0.delay_lines());
        self.0.deliver(&a, seen, order, first, shares);
        self.1.deliver(&b, seen, order, second, shares);
    }
    #[inline(always)]
    fn close<S: Scalar>(&self, inputs: &MarketInputs<'_, S>, event: &mut Event<S>, next: &mut [S]) {
        let (a, b) = self.split(inputs);
        let (first, second) = next.split_at_mut(self.0.states());
        self.0.close(&a, event, first);
        self.1.close(&b, event, second);
    }
    #[inline(always)]
    fn charge<S: Scalar>(
        &self,
        inputs: &MarketInputs<'_, S>,
        event: &Event<S>,
        published: &[S],
    ) -> Option<S> {
        let (a, b) = self.split(inputs);
        let (first, second) = published.split_at(self.0.published());
        match (
            self.0.charge(&a, event, first),
            self.1.charge(&b, event, second),
        ) {
            (Some(a), Some(b)) => Some(a + b),
            (one, other) => one.or(other),
        }
    }
}

/// Splits what both read.
trait Split {
    fn split<'a, S>(
        &self,
        inputs: &MarketInputs<'a, S>,
    ) -> (MarketInputs<'a, S>, MarketInputs<'a, S>);
}

impl<A: Market, B: Market> Split for (A, B) {
    #[inline(always)]
    fn split<'a, S>(
        &self,
        inputs: &MarketInputs<'a, S>,
    ) -> (MarketInputs<'a, S>, MarketInputs<'a, S>) {
        let (theta, theta_b) = inputs.theta.split_at(self.0.theta().len());
        let (rows, rows_b) = inputs.rows.split_at(self.0.rows());
        let (state, state_b) = inputs.state.split_at(self.0.states());
        let first = MarketInputs { theta, rows, state };
        let second = MarketInputs {
            theta: theta_b,
            rows: rows_b,
            state: state_b,
        };
        (first, second)
    }
}
