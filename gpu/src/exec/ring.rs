//! Where the rows of several periods are, in slots that are used in turn.

use crate::record::{Row, Space};

/// Where the slots are: a period's is the remainder of its number by the number of slots. Remembers the slot of the period
/// that was gone to, since a division for every operand would cost as much as the arithmetic on a row.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Slots {
    /// Numbers before the first slot.
    base: usize,
    count: usize,
    /// Numbers of a slot.
    len: usize,
    period: usize,
    slot: usize,
}

impl Slots {
    /// `count` slots of `len` numbers, after `base` others.
    pub(super) fn new(base: usize, count: usize, len: usize) -> Self {
        Slots {
            base,
            count,
            len,
            period: 0,
            slot: 0,
        }
    }

    /// The first number behind the slots.
    pub(super) fn end(&self) -> usize {
        self.base + self.count * self.len
    }

    /// The number of slots.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Makes a period the one that is worked on.
    pub(super) fn go_to(&mut self, period: usize) {
        self.period = period;
        self.slot = period % self.count.max(1);
    }

    /// The first number of the slot of a period.
    #[inline(always)]
    pub(super) fn at(&self, period: usize) -> usize {
        let slot = match self.period.checked_sub(period) {
            Some(back) if back <= self.slot => self.slot - back,
            Some(back) if back < self.count => self.slot + self.count - back,
            _ => period % self.count.max(1),
        };
        self.base + slot * self.len
    }
}

/// Where the rows of a side are: those of the start, then those that are kept for the horizon, then those that pass.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Map {
    /// Numbers of a row.
    pub(super) width: usize,
    /// Rows of a period that are kept.
    kept_rows: usize,
    kept: Slots,
    passing: Slots,
}

impl Map {
    /// A place for `start` rows, and `kept` and `passing` rows of as many periods as are said.
    pub(super) fn new(
        width: usize,
        start: usize,
        (kept_rows, kept): (usize, usize),
        (passing_rows, passing): (usize, usize),
    ) -> Self {
        let kept = Slots::new(start * width, kept, kept_rows * width);
        Map {
            width,
            kept_rows,
            kept,
            passing: Slots::new(kept.end(), passing, passing_rows * width),
        }
    }

    /// The numbers that all of it takes.
    pub(super) fn len(&self) -> usize {
        self.passing.end()
    }

    /// Makes a period the one that is worked on.
    pub(super) fn go_to(&mut self, period: usize) {
        self.kept.go_to(period);
        self.passing.go_to(period);
    }

    /// The first number of a row of a period.
    #[inline(always)]
    pub(super) fn of_period(&self, period: usize, index: usize) -> usize {
        if index < self.kept_rows {
            self.kept.at(period) + index * self.width
        } else {
            self.passing.at(period) + (index - self.kept_rows) * self.width
        }
    }

    /// The first number of a row as it is read in a period; none before the first period.
    #[inline(always)]
    pub(super) fn at(&self, row: Row, period: usize) -> Option<usize> {
        if row.space == Space::Start {
            return Some(row.index * self.width);
        }
        let period = period.checked_sub(row.lag)?;
        Some(self.of_period(period, row.index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_slot_is_the_remainder_wherever_one_stands(
            base in 0_usize..9, count in 1_usize..9, here in 0_usize..60, period in 0_usize..60,
        ) {
            let mut slots = Slots::new(base, count, 3);
            slots.go_to(here);
            prop_assert_eq!(slots.at(period), base + period % count * 3);
        }

        /// Within the periods that the slots hold, no two rows share a number, and all lie inside.
        #[test]
        fn rows_have_places_of_their_own(width in 1_usize..5, start in 0_usize..3, kept in 0_usize..4, passing in 0_usize..4, periods in 1_usize..6) {
            let map = Map::new(width, start, (kept, periods), (passing, 2));
            let mut seen = vec![false; map.len()];
            let mut take = |at: usize| (at..at + width).all(|i| !std::mem::replace(&mut seen[i], true));
            for index in 0..start {
                prop_assert!(map.at(Row::of(Space::Start, index), 0).is_some_and(&mut take));
            }
            for period in 0..periods {
                prop_assert!((0..kept).all(|index| take(map.of_period(period, index))));
            }
            for period in periods.saturating_sub(2)..periods {
                prop_assert!((kept..kept + passing).all(|index| take(map.of_period(period, index))));
            }
        }
    }
}
