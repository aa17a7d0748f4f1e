//! Where a roll-out's numbers lie: rows of a lane, of a lane and week, of a group and week.

use crate::limits::Kind;

/// Weeks ahead that prices are published for, beside the present one.
pub const HORIZON: usize = 13;

/// The sizes that fix the rows of a roll-out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// What the resources are used by.
    pub(crate) kinds: Vec<Kind>,
    /// The longest lead time, in weeks.
    pub(crate) lead: usize,
}

/// Rows of a lane and week before the arrivals: demand, price, cost, share accepted at the gate, fast and slow level and deviation of demand,
/// indices over the lead time and the four weeks after.
pub(crate) const DEMAND: usize = 0;
pub(crate) const PRICE: usize = 1;
pub(crate) const COST: usize = 2;
pub(crate) const ACCEPTED: usize = 3;
pub(crate) const FAST: usize = 4;
pub(crate) const SLOW: usize = 5;
pub(crate) const DEVIATION: usize = 6;
pub(crate) const SOON: usize = 7;
pub(crate) const LATER: usize = 8;
pub(crate) const ARRIVING: usize = 9;

/// Rows of a group and week before the outlook: weight of the reward, and of stock at the end.
pub(crate) const WEIGHT: usize = 0;
pub(crate) const TERMINAL: usize = 1;
pub(crate) const OUTLOOK: usize = 2;

/// Numbers that describe a trait of a cohort: mean, standard deviation, three quantiles.
pub(crate) const MOMENTS: usize = 5;

impl Shape {
    /// The shape of roll-outs with resources of these kinds, and lead times of at most `lead` weeks.
    #[must_use]
    pub fn new(kinds: &[Kind], lead: usize) -> Self {
        Shape {
            kinds: kinds.to_vec(),
            lead,
        }
    }
    pub(crate) fn resources(&self) -> usize {
        self.kinds.len()
    }
    /// Prices published in a week.
    pub(crate) fn published(&self) -> usize {
        self.resources() * (HORIZON + 1)
    }
    /// On hand, orders, mean lead time, volumes.
    pub(crate) fn lane(&self) -> usize {
        1 + self.lead + 1 + self.resources()
    }
    pub(crate) fn exo(&self) -> usize {
        self.worth() + 1
    }
    pub(crate) fn outstanding(&self) -> usize {
        ARRIVING + self.lead + 1
    }
    /// What a unit counts as that is left over or goes back to its vendor.
    pub(crate) fn worth(&self) -> usize {
        ARRIVING + 2 * self.lead + 1
    }
    /// Traits: volume of each resource, margin, demand rate, lead time.
    pub(crate) fn traits(&self) -> usize {
        MOMENTS * (self.resources() + 3)
    }
    pub(crate) fn traits_at(&self) -> usize {
        OUTLOOK + self.published()
    }
    pub(crate) fn prices_at(&self) -> usize {
        self.traits_at() + self.traits()
    }
    pub(crate) fn shared(&self) -> usize {
        self.prices_at() + self.published()
    }
}
