//! Where policies are replayed.

use std::ops::Range;

use exo_idp::market::{Market, MarketInputs};
use exo_idp::period::Position;
use exo_idp::policy::Signals;
use gpu::{DelayLine, Scalar};

use crate::model::GeneratedArrivals;
use crate::world::WorldMarket;

/// What delivers the orders of a replay.
#[derive(Debug, Clone, Copy)]
pub enum Simulator<'a> {
    /// Every order in full and at once, after a lead time of its vendor.
    LeadTime,
    /// A trained generator.
    Generated(&'a GeneratedArrivals<'a>),
    /// A world's own law: the truth.
    World(&'a WorldMarket),
}

impl Market for Simulator<'_> {
    fn theta(&self) -> Vec<f64> {
        match self {
            Simulator::Generated(market) => market.theta(),
            _ => Vec::new(),
        }
    }

    fn trained(&self) -> Vec<Range<usize>> {
        Vec::new()
    }

    fn signals(&self) -> Vec<&Signals> {
        match self {
            Simulator::LeadTime => Vec::new(),
            Simulator::Generated(market) => market.signals(),
            Simulator::World(market) => market.signals(),
        }
    }

    fn delay_lines(&self) -> usize {
        match self {
            Simulator::Generated(market) => market.delay_lines(),
            _ => 0,
        }
    }

    fn is_network(&self) -> bool {
        matches!(self, Simulator::Generated(_))
    }

    fn delivers(&self) -> bool {
        !matches!(self, Simulator::LeadTime)
    }

    fn deliver<S: Scalar>(
        &self,
        inputs: &MarketInputs<'_, S>,
        seen: &Position<S>,
        order: S,
        memory: &mut [DelayLine<S>],
        shares: &mut [S],
    ) {
        match self {
            Simulator::LeadTime => {}
            Simulator::Generated(market) => market.deliver(inputs, seen, order, memory, shares),
            Simulator::World(market) => market.deliver(inputs, seen, order, memory, shares),
        }
    }
}
