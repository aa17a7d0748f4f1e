//! Horizons that do not fit into memory.
//!
//! Reverse mode needs rows of every period. Where there is no room for all of them, the horizon is cut into segments: a first
//! run keeps what each segment begins with, and the reverse run, segment by segment from the last, runs each once more
//! before it goes back through it. One more forward run is what the memory costs; the results are the same bits.

use std::ops::Range;

/// Bytes in which differentiated runs keep their periods.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tape {
    all: Option<usize>,
}

/// Room for one block, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Room {
    /// Where a horizon takes no more than this, all of it is kept.
    pub(super) whole: usize,
    /// What a segment takes at most where the horizon is cut.
    pub(super) segment: usize,
}

impl Tape {
    /// Where nothing else was said: all threads together where tiles go one by one, and one thread where a group takes several.
    const ALONE: usize = 1 << 30;
    const JOINED: usize = 64 << 20;
    /// One thread where the horizon of a group of several tiles is cut. A long segment would pay twice, for the run that is repeated and
    /// for a tape that leaves the caches: with 1 to 16 MiB a step takes the same time within a few per cent, with 64 MiB a third more.
    const JOINED_SEGMENT: usize = 8 << 20;

    /// At most about so many bytes, all threads together.
    pub(super) fn of(bytes: usize) -> Self {
        Tape { all: Some(bytes) }
    }

    /// Numbers of type `F` for one of `at_once` blocks, of several tiles each or of one.
    pub(super) fn room<F>(self, at_once: usize, several_tiles: bool) -> Room {
        let (whole, segment) = match self.all {
            None if several_tiles => (Tape::JOINED, Tape::JOINED_SEGMENT),
            all => {
                let each = all.unwrap_or(Tape::ALONE) / at_once.max(1);
                (each, each)
            }
        };
        Room {
            whole: whole / size_of::<F>(),
            segment: segment / size_of::<F>(),
        }
    }
}

/// How a horizon is cut.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Segments {
    periods: usize,
    /// Periods of a segment; the last may be shorter.
    pub(super) len: usize,
    /// How many periods an operation looks back on.
    reach: usize,
}

/// Numbers that a block keeps for a period of a segment, and for one that a segment begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Needs {
    pub(super) period: usize,
    pub(super) checkpoint: usize,
}

impl Segments {
    /// One segment where there is room for it; otherwise the longest for which there is, or those with which a block keeps least.
    pub(super) fn new(periods: usize, reach: usize, needs: Needs, room: Room) -> Self {
        let cut = |len: usize| Segments {
            periods,
            len,
            reach,
        };
        let whole = cut(periods);
        if whole.numbers(needs) <= room.whole {
            return whole;
        }
        let shorter = || (1..periods).rev().map(cut);
        let fitting = shorter().find(|s| s.numbers(needs) <= room.segment);
        fitting.unwrap_or_else(|| shorter().min_by_key(|s| s.numbers(needs)).unwrap_or(whole))
    }

    /// Whether the horizon is not cut.
    pub(super) fn is_whole(self) -> bool {
        self.len == self.periods
    }

    fn numbers(self, needs: Needs) -> usize {
        let checkpoints = self.checkpoints() * self.looked_back_on();
        self.slots() * needs.period + checkpoints * needs.checkpoint
    }

    /// The segments, in order.
    pub(super) fn ranges(self) -> impl DoubleEndedIterator<Item = Range<usize>> {
        let end = move |first: usize| (first + self.len).min(self.periods);
        (0..self.count()).map(move |s| s * self.len..end(s * self.len))
    }

    fn count(self) -> usize {
        self.periods.div_ceil(self.len.max(1))
    }

    /// The slots that hold a segment and what its periods look back on.
    pub(super) fn slots(self) -> usize {
        if self.is_whole() {
            self.periods.max(self.reach + 1)
        } else {
            self.len + self.looked_back_on()
        }
    }

    /// Segments that begin with something that must be kept: neither the first, nor the last, which is there when the first run ends.
    pub(super) fn checkpoints(self) -> usize {
        self.count().saturating_sub(2)
    }

    /// Periods before a segment whose rows its own read: those that its first period looks back on, and the one before it,
    /// where its states come from.
    pub(super) fn looked_back_on(self) -> usize {
        self.reach + 1
    }

    /// The periods kept for a segment: the checkpoint, and the periods.
    pub(super) fn kept(self, segment: &Range<usize>) -> Option<(usize, Range<usize>)> {
        let index = (segment.start / self.len.max(1)).checked_sub(1)?;
        let first = segment.start.saturating_sub(self.looked_back_on());
        (index < self.checkpoints()).then_some((index, first..segment.start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn segments_follow_one_another_and_fit(
            periods in 1_usize..200, reach in 0_usize..4, period in 1_usize..50, checkpoint in 0_usize..20, numbers in 0_usize..5_000,
            parts in 1_usize..9,
        ) {
            let needs = Needs { period, checkpoint };
            let room = Room { whole: numbers, segment: numbers / parts };
            let segments = Segments::new(periods, reach, needs, room);
            let ranges: Vec<Range<usize>> = segments.ranges().collect();
            prop_assert!(ranges[0].start == 0 && ranges[ranges.len() - 1].end == periods);
            prop_assert!(ranges.windows(2).all(|pair| pair[0].end == pair[1].start));
            prop_assert!(ranges.iter().all(|r| !r.is_empty() && r.len() <= segments.len));
            // One where there is room for it, otherwise the longest that fit, or where none fit those that take least.
            let whole = Segments { len: periods, ..segments };
            let shorter = (1..periods).map(|len| Segments { len, ..segments });
            let fitting = shorter.clone().filter(|s| s.numbers(needs) <= room.segment);
            if whole.numbers(needs) <= room.whole || periods == 1 {
                prop_assert_eq!(segments.len, periods);
            } else if let Some(longest) = fitting.map(|s| s.len).max() {
                prop_assert_eq!(segments.len, longest);
            } else {
                let least = shorter.map(|s| s.numbers(needs)).min();
                prop_assert_eq!(Some(segments.numbers(needs)), least);
            }
            let ample = Room { whole: usize::MAX, segment: 0 };
            prop_assert_eq!(Segments::new(periods, reach, needs, ample).len, periods);
        }
    }
}
