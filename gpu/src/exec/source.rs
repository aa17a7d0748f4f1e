//! Finding the rows that an operation reads while its results are being written.

use super::ring::Map;
use crate::kernel::elementwise::Source;
use crate::kernel::real::Real;
use crate::record::{Arg, Dense, MAX_SEGMENTS, Row};

/// Where the rows of a tile are: everything but the hole that the current operation writes to.
pub(super) struct Reader<'a, F> {
    /// The numbers before and after the hole.
    pub(super) before: &'a [F],
    pub(super) after: &'a [F],
    /// Numbers before `after`.
    pub(super) resume: usize,
    pub(super) map: &'a Map,
    pub(super) period: usize,
    pub(super) zeros: &'a [F],
    pub(super) params: &'a [F],
}

impl<'a, F: Real> Reader<'a, F> {
    /// Everything, where nothing is being written.
    pub(super) fn whole(
        rows: &'a [F],
        zeros: &'a [F],
        map: &'a Map,
        period: usize,
        params: &'a [F],
    ) -> Self {
        Reader {
            before: rows,
            after: &[],
            resume: rows.len(),
            map,
            period,
            zeros,
            params,
        }
    }

    /// `count` rows from `row` on; zeros before the first period.
    #[inline(always)]
    pub(super) fn rows(&self, row: Row, count: usize) -> &'a [F] {
        let len = count * self.map.width;
        let Some(at) = self.map.at(row, self.period) else {
            return &self.zeros[..len];
        };
        if at + len <= self.before.len() {
            &self.before[at..at + len]
        } else {
            &self.after[at - self.resume..][..len]
        }
    }

    /// Two operands, of which one row goes with all rows of the other where `repeated`.
    #[inline(always)]
    pub(super) fn both(
        &self,
        (a, b): (Arg, Arg),
        count: usize,
        repeated: [bool; 2],
    ) -> (Source<'a, F>, Source<'a, F>) {
        let one = |arg: Arg, repeated: bool| match arg {
            Arg::Row(row) if repeated => Source::Repeated(self.rows(row, 1)),
            _ => self.arg(arg, count),
        };
        (one(a, repeated[0]), one(b, repeated[1]))
    }

    /// An operand; what all lanes share has become rows before anything runs.
    #[inline(always)]
    pub(super) fn arg(&self, arg: Arg, count: usize) -> Source<'a, F> {
        match arg {
            Arg::Row(row) => Source::Rows(self.rows(row, count)),
            Arg::Const(c) => Source::Splat(F::from_f64(c)),
            Arg::Param(i) => Source::Splat(self.params[i]),
            Arg::Shared(_) => Source::Splat(F::default()),
        }
    }
}

/// The number of lane `i` of an operand of one row.
pub(super) fn lane<F: Real>(source: Source<'_, F>, i: usize) -> F {
    match source {
        Source::Rows(rows) | Source::Repeated(rows) => rows[i],
        Source::Splat(x) => x,
    }
}

/// The rows of a dense layer's inputs.
pub(super) fn segments<'a, F: Real>(
    dense: &Dense,
    reader: &Reader<'a, F>,
) -> [&'a [F]; MAX_SEGMENTS] {
    let mut segments: [&[F]; MAX_SEGMENTS] = [&[]; MAX_SEGMENTS];
    for (segment, &(row, rows)) in segments.iter_mut().zip(&dense.segments) {
        *segment = reader.rows(row, rows);
    }
    segments
}
