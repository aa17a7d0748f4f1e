//! Where the rows of several periods and tiles are, in slots that are used in turn.

use crate::record::{Row, Side, Space};

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

    /// Numbers of all slots together.
    pub(super) fn len(&self) -> usize {
        self.count * self.len
    }

    /// Lies behind as many others from now on.
    pub(super) fn move_to(&mut self, base: usize) {
        self.base = base;
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

/// Rows of a kind that one tile has: how many, and of how many periods.
pub(super) type Rows = (usize, usize);

/// Where the rows of a side are that several tiles of one thread have. Each tile has its own of the start, its own that are kept for the
/// horizon, and its own that pass; behind those of all tiles are the rows that no tile needs once it has been left, which all share.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Map {
    /// Numbers of a row.
    pub(super) width: usize,
    /// The tile that is worked on, and the numbers of one tile's own.
    base: usize,
    own: usize,
    start: usize,
    /// Rows of a period that are kept, and with them those that pass.
    kept_rows: usize,
    own_rows: usize,
    kept: Slots,
    passing: Slots,
    shared: usize,
    len: usize,
}

impl Map {
    /// A place for `start` rows, kept and passing rows of as many periods as are said, all of them for each of some tiles, and for `shared`
    /// rows.
    pub(super) fn new(
        width: usize,
        tiles: usize,
        start: usize,
        (kept_rows, kept): Rows,
        (passing_rows, passing): Rows,
        shared: usize,
    ) -> Self {
        let kept = Slots::new(0, kept, kept_rows * width);
        let passing = Slots::new(0, passing, passing_rows * width);
        let own = start * width + kept.len() + passing.len();
        let mut map = Map {
            width,
            base: 0,
            own,
            start: start * width,
            kept_rows,
            own_rows: kept_rows + passing_rows,
            kept,
            passing,
            shared: tiles * own,
            len: tiles * own + shared * width,
        };
        map.turn_to(0);
        map
    }

    /// The numbers that all of it takes.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Makes a tile the one that is worked on.
    pub(super) fn turn_to(&mut self, tile: usize) {
        self.base = tile * self.own;
        let kept = self.base + self.start;
        self.kept.move_to(kept);
        self.passing.move_to(kept + self.kept.len());
    }

    /// Makes a period the one that is worked on.
    pub(super) fn go_to(&mut self, period: usize) {
        self.kept.go_to(period);
        self.passing.go_to(period);
    }

    /// Where the parts are in a period.
    pub(super) fn parts(&self, period: usize) -> Parts {
        let of_period = [self.kept.at(period), self.passing.at(period)];
        Parts {
            width: self.width,
            first: [self.base, of_period[0], of_period[1], self.shared],
        }
    }

    /// The first number of a row of the start.
    #[inline(always)]
    pub(super) fn of_start(&self, index: usize) -> usize {
        self.base + index * self.width
    }

    /// The first number of a row of a period.
    #[inline(always)]
    pub(super) fn of_period(&self, period: usize, index: usize) -> usize {
        let spot = Spot::new(Space::Period, index, self.kept_rows, self.own_rows);
        let first = match spot.part {
            Part::Start => self.base,
            Part::Kept => self.kept.at(period),
            Part::Passing => self.passing.at(period),
            Part::Shared => self.shared,
        };
        first + spot.row * self.width
    }

    /// The first number of a row of either space.
    #[inline(always)]
    pub(super) fn of(&self, space: Space, period: usize, index: usize) -> usize {
        match space {
            Space::Start => self.of_start(index),
            Space::Period => self.of_period(period, index),
        }
    }

    /// The first number of a row as it is read in a period; none before the first period.
    #[inline(always)]
    pub(super) fn at(&self, row: Row, period: usize) -> Option<usize> {
        if row.space == Space::Start {
            return Some(self.of_start(row.index));
        }
        let period = period.checked_sub(row.lag)?;
        Some(self.of_period(period, row.index))
    }
}

/// In which part of a tile's memory a row lies, and the how manieth it is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Spot {
    part: Part,
    row: usize,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Part {
    #[default]
    Start,
    Kept,
    Passing,
    Shared,
}

impl Spot {
    /// Where the values of a row are.
    pub(super) fn of_value(side: &Side, space: Space, index: usize) -> Self {
        Spot::new(space, index, side.kept, side.own)
    }

    /// Where the adjoints of a row are.
    pub(super) fn of_adjoint(side: &Side, space: Space, index: usize) -> Self {
        Spot::new(space, index, side.own, side.own)
    }

    #[inline(always)]
    fn new(space: Space, index: usize, kept_rows: usize, own_rows: usize) -> Self {
        let (part, row) = match space {
            Space::Start => (Part::Start, index),
            Space::Period if index < kept_rows => (Part::Kept, index),
            Space::Period if index < own_rows => (Part::Passing, index - kept_rows),
            Space::Period => (Part::Shared, index - own_rows),
        };
        Spot { part, row }
    }
}

/// Where the parts of a tile's memory begin in a period.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts {
    width: usize,
    first: [usize; 4],
}

impl Parts {
    /// Numbers of a row.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// The first number of a row.
    #[inline(always)]
    pub(super) fn at(&self, spot: Spot) -> usize {
        self.first[spot.part as usize] + spot.row * self.width
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

        /// Within the periods that the slots hold, no two rows share a number but those that all tiles share, and all lie inside.
        #[test]
        fn rows_have_places_of_their_own(
            width in 1_usize..5, tiles in 1_usize..4, start in 0_usize..3, kept in 0_usize..4, passing in 0_usize..4, shared in 0_usize..4,
            periods in 1_usize..6,
        ) {
            let mut map = Map::new(width, tiles, start, (kept, periods), (passing, 2), shared);
            let mut seen = vec![None; map.len()];
            let mut take = |at: usize, owner: usize| {
                (at..at + width).all(|i| seen[i].replace(owner).is_none_or(|before| before == owner && owner == tiles))
            };
            for tile in 0..tiles {
                map.turn_to(tile);
                for index in 0..start {
                    prop_assert!(map.at(Row::of(Space::Start, index), 0).is_some_and(|at| take(at, tile)));
                }
                for period in 0..periods {
                    prop_assert!((0..kept).all(|index| take(map.of_period(period, index), tile)));
                }
                for period in periods.saturating_sub(2)..periods {
                    prop_assert!((kept..kept + passing).all(|index| take(map.of_period(period, index), tile)));
                }
                let first = kept + passing;
                prop_assert!((first..first + shared).all(|index| take(map.of_period(0, index), tiles)));
            }
        }
    }
}
