//! Finding the rows that an operation reads while its results are being written.

use super::arena::{Rows, Run};
use super::ring::Slots;
use crate::kernel::TILE;
use crate::kernel::elementwise::Source;
use crate::kernel::real::Real;
use crate::record::{Arg, Row, Space};

/// Where the rows of a tile are: everything but the hole that the current operation writes to.
pub(super) struct Reader<'a, F> {
    /// Rows of the start block; only those before the hole while the start block itself runs.
    pub(super) start: &'a [F],
    /// The period block's slots before and after the hole.
    pub(super) before: &'a [F],
    pub(super) after: &'a [F],
    /// Numbers before `after`.
    pub(super) resume: usize,
    pub(super) slots: Slots,
    pub(super) period: usize,
    pub(super) zeros: &'a [F],
    pub(super) params: &'a [F],
    pub(super) shared: &'a [F],
}

impl<'a, F: Real> Reader<'a, F> {
    /// Everything of a period whose operations have run, or of the start block.
    pub(super) fn new(run: &'a Run<'a, F>, rows: &'a Rows<F>, space: Space, period: usize) -> Self {
        Reader {
            start: &rows.start,
            before: &rows.periods.numbers,
            after: &[],
            resume: rows.periods.numbers.len(),
            slots: rows.periods.slots,
            period,
            zeros: &rows.zeros,
            params: run.params,
            shared: run.shared_in(space, period),
        }
    }

    /// `count` rows from `row` on; zeros before the first period.
    #[inline]
    pub(super) fn rows(&self, row: Row, count: usize) -> &'a [F] {
        let len = count * TILE;
        if row.space == Space::Start {
            return &self.start[row.index * TILE..][..len];
        }
        let Some(period) = self.period.checked_sub(row.lag) else {
            return &self.zeros[..len];
        };
        let at = self.slots.at(period) + row.index * TILE;
        if at + len <= self.before.len() {
            &self.before[at..at + len]
        } else {
            &self.after[at - self.resume..][..len]
        }
    }

    #[inline]
    pub(super) fn arg(&self, arg: Arg, count: usize) -> Source<'a, F> {
        match arg {
            Arg::Row(row) => Source::Rows(self.rows(row, count)),
            Arg::Const(c) => Source::Splat(F::from_f64(c)),
            Arg::Param(i) => Source::Splat(self.params[i]),
            Arg::Shared(i) => Source::Splat(self.shared[i]),
        }
    }
}

/// The number of lane `i` of an operand of one row.
pub(super) fn lane<F: Real>(source: Source<'_, F>, i: usize) -> F {
    match source {
        Source::Rows(rows) => rows[i],
        Source::Splat(x) => x,
    }
}
