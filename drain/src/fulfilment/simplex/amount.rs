//! Units with an infinitesimal part.

use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

/// A number of units plus `nudge` times a positive number smaller than any other; compared by units first.
///
/// Every warehouse is taken to hold $R + 1$ such nudges more, every region to ask for one more. The nudges of a subtree then never cancel:
/// with a warehouse in it they exceed those of all regions, and without one the subtree is a single region. So no arc of any
/// tree lies exactly at a bound, each pivot betters the cost, and the method cannot cycle on degenerate data. These are the strongly
/// feasible trees of Cunningham (1976), for nodes that send and nodes that receive.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub(super) struct Amount {
    pub(super) units: f64,
    pub(super) nudge: i64,
}

impl Amount {
    pub(super) const ZERO: Self = Self::of(0.0);

    pub(super) const fn of(units: f64) -> Self {
        Self { units, nudge: 0 }
    }

    pub(super) const fn nudged(units: f64, nudge: i64) -> Self {
        Self { units, nudge }
    }

    /// Units within `dust` of zero become zero.
    #[inline]
    pub(super) fn without(self, dust: f64) -> Self {
        if self.units.abs() <= dust {
            Self { units: 0.0, ..self }
        } else {
            self
        }
    }

    pub(super) fn min(self, other: Self) -> Self {
        if other < self { other } else { self }
    }
}

impl Add for Amount {
    type Output = Self;
    #[inline]
    fn add(self, other: Self) -> Self {
        Self {
            units: self.units + other.units,
            nudge: self.nudge + other.nudge,
        }
    }
}

impl Sub for Amount {
    type Output = Self;
    #[inline]
    fn sub(self, other: Self) -> Self {
        Self {
            units: self.units - other.units,
            nudge: self.nudge - other.nudge,
        }
    }
}

impl Neg for Amount {
    type Output = Self;
    #[inline]
    fn neg(self) -> Self {
        Self::ZERO - self
    }
}

impl AddAssign for Amount {
    #[inline]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Amount {
    #[inline]
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}
