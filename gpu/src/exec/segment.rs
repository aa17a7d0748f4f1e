//! Horizons that do not fit into memory.
//!
//! Reverse mode needs the rows of every period. Where there is no room for all of them, the horizon is cut into segments: a first
//! run keeps what each segment begins with, and the reverse run, segment by segment from the last, runs each once more
//! before it goes back through it. One more forward run is what the memory costs; the results are the same bits.

use std::ops::Range;

use super::arena::{Rows, Tile};
use super::ring::Slots;
use crate::kernel::TILE;
use crate::kernel::aligned::Aligned;
use crate::kernel::real::Real;
use crate::record::Program;

/// How a horizon is cut.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Segments {
    periods: usize,
    /// Periods of a segment; the last may be shorter.
    pub(super) len: usize,
    /// How many periods an operation looks back on.
    reach: usize,
}

impl Segments {
    /// The longest segments with which a tile takes at most `bytes`, or those with which it takes least; `size` is that of a number.
    pub(super) fn new(program: &Program, periods: usize, size: usize, bytes: usize) -> Self {
        let cut = |len: usize| Segments {
            periods,
            len,
            reach: program.reach,
        };
        let needed = |s: &Segments| s.bytes(program, size);
        let whole = cut(periods);
        if needed(&whole) <= bytes {
            return whole;
        }
        let shorter = || (1..periods).rev().map(cut);
        let fitting = shorter().find(|s| needed(s) <= bytes);
        fitting.unwrap_or_else(|| shorter().min_by_key(needed).unwrap_or(whole))
    }

    /// What a tile takes for its periods and their checkpoints.
    fn bytes(self, program: &Program, size: usize) -> usize {
        let periods = self.slots() + self.checkpoints() * self.looked_back_on();
        let rows = periods * program.period.rows + self.len * program.period.saved;
        rows.saturating_mul(TILE * size)
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
        if self.len == self.periods {
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
    fn looked_back_on(self) -> usize {
        self.reach + 1
    }

    /// The periods kept for a segment: the checkpoint, and the periods.
    fn kept(self, segment: &Range<usize>) -> Option<(usize, Range<usize>)> {
        let index = (segment.start / self.len.max(1)).checked_sub(1)?;
        let first = segment.start.saturating_sub(self.looked_back_on());
        (index < self.checkpoints()).then_some((index, first..segment.start))
    }
}

/// The rows that segments begin with.
#[derive(Debug)]
pub(super) struct Checkpoints<F> {
    segments: Segments,
    /// Numbers of a period.
    period: usize,
    numbers: Aligned<F>,
}

impl<F: Real> Checkpoints<F> {
    pub(super) fn new(segments: Segments, period: usize) -> Self {
        let rows = segments.checkpoints() * segments.looked_back_on();
        Checkpoints {
            segments,
            period,
            numbers: Aligned::zeros(rows * period),
        }
    }

    /// Where the rows of the periods kept for a segment are, here and in the slots.
    fn places(
        &self,
        segment: &Range<usize>,
        slots: Slots,
    ) -> impl Iterator<Item = (usize, usize)> + use<F> {
        let each = self.segments.looked_back_on() * self.period;
        let period = self.period.max(1);
        let kept = self.segments.kept(segment).map(|(index, periods)| {
            let here = (index * each..).step_by(period);
            here.zip(periods.map(move |t| slots.at(t)))
        });
        kept.into_iter().flatten()
    }
}

impl<F: Real> Tile<'_, F> {
    /// Keeps what a segment begins with, which has just been computed.
    pub(super) fn keep_checkpoint(&mut self, segment: &Range<usize>) {
        let Rows { periods, .. } = &self.rows;
        for (here, there) in self.checkpoints.places(segment, periods.slots) {
            let len = self.checkpoints.period;
            self.checkpoints.numbers[here..here + len]
                .copy_from_slice(&periods.numbers[there..there + len]);
        }
    }

    /// Brings back what a segment begins with.
    pub(super) fn restore_checkpoint(&mut self, segment: &Range<usize>) {
        self.rows.periods.go_to(segment.start);
        let Rows { periods, .. } = &mut self.rows;
        for (here, there) in self.checkpoints.places(segment, periods.slots) {
            let len = self.checkpoints.period;
            periods.numbers[there..there + len]
                .copy_from_slice(&self.checkpoints.numbers[here..here + len]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scalar::Scalar;
    use crate::{Shape, Start, Step};
    use proptest::prelude::*;

    fn program(lag: usize) -> Program {
        Program::record(
            Shape::default(),
            |_, _| Start {
                state: vec![Scalar::constant(1.0)],
                carry: vec![],
            },
            |_, inputs| {
                let mut line = crate::DelayLine::new();
                let back = if lag == 0 {
                    inputs.state[0]
                } else {
                    inputs.state[0].delay(lag, &mut line)
                };
                Step {
                    state: vec![back.tanh()],
                    objective: back,
                    traces: vec![],
                }
            },
        )
    }

    proptest! {
        #[test]
        fn segments_follow_one_another_and_fit(periods in 1_usize..200, lag in 0_usize..4, bytes in 0_usize..200_000) {
            let program = program(lag);
            let segments = Segments::new(&program, periods, 4, bytes);
            let ranges: Vec<Range<usize>> = segments.ranges().collect();
            prop_assert!(ranges[0].start == 0 && ranges[ranges.len() - 1].end == periods);
            prop_assert!(ranges.windows(2).all(|pair| pair[0].end == pair[1].start));
            prop_assert!(ranges.iter().all(|r| !r.is_empty() && r.len() <= segments.len));
            // The longest that fit, or where none fit those that take least; enough room makes one.
            let all = (1..=periods).map(|len| Segments { len, ..segments });
            let fitting = all.clone().filter(|s| s.bytes(&program, 4) <= bytes);
            match fitting.map(|s| s.len).max() {
                Some(longest) => prop_assert_eq!(segments.len, longest),
                None => {
                    let least = all.filter(|s| s.len < periods || periods == 1).map(|s| s.bytes(&program, 4)).min();
                    prop_assert_eq!(Some(segments.bytes(&program, 4)), least);
                }
            }
            prop_assert_eq!(Segments::new(&program, periods, 4, usize::MAX).len, periods);
        }
    }
}
