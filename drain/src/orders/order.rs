//! What customers ask for.

use super::network::OutboundNetwork;
use crate::error::{Argument, DrainError};

/// Units of one product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Line {
    /// The product.
    pub product: usize,
    /// How many.
    pub units: u32,
}

/// An order of one customer.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Order {
    /// The day on which it is placed.
    pub day: u32,
    /// The time of day, in [0, 1].
    pub time: f64,
    /// The zone to ship to.
    pub zone: usize,
    /// It arrives at most so many days after `day`.
    pub promise_days: u32,
    /// What is asked for; a product may stand in several lines.
    pub lines: Vec<Line>,
}

impl Order {
    /// All units asked for.
    #[must_use]
    pub fn units(&self) -> u64 {
        self.lines.iter().map(|line| u64::from(line.units)).sum()
    }
}

/// Orders lie within the network and come in the order in which they are placed.
pub(super) fn check(orders: &[Order], network: &OutboundNetwork) -> Result<(), DrainError> {
    for (index, order) in orders.iter().enumerate() {
        if !(0.0..=1.0).contains(&order.time) {
            return Err(DrainError::NotAShare {
                argument: Argument::OrderTime,
                index,
                value: order.time,
            });
        }
        let before = index.checked_sub(1).map(|i| &orders[i]);
        if before.is_some_and(|b| (b.day, b.time) > (order.day, order.time)) {
            return Err(DrainError::NotAscending {
                argument: Argument::OrderTime,
                index,
            });
        }
        let zone = (Argument::Zone, order.zone, network.zones());
        let products = order
            .lines
            .iter()
            .map(|line| (Argument::Product, line.product, network.products()));
        for (argument, index, count) in products.chain([zone]) {
            if index >= count {
                return Err(DrainError::OutOfBounds {
                    argument,
                    index,
                    count,
                });
            }
        }
    }
    Ok(())
}
