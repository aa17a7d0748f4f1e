//! Which operations go together in a block of code that needs no barrier within.

use super::shape::NARROW;
use crate::record::{Arg, Code, Op, Row, Space};

/// How the threads share an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// One thread a lane.
    Narrow,
    /// All threads, so many rows, each four lanes of one.
    Wide(usize),
    /// A layer, by all threads.
    Layer,
}

/// How an operation is shared out.
pub(super) fn kind(op: &Op) -> Kind {
    match op {
        Op::Unary { rows, .. } | Op::Binary { rows, .. } if *rows > NARROW => Kind::Wide(*rows),
        Op::Dense(_) | Op::LogLikelihood { .. } => Kind::Layer,
        _ => Kind::Narrow,
    }
}

/// Rows that the operations of a block read or write together: equal or apart, so that each thread meets only its own.
#[derive(Debug, Default)]
pub(super) struct Spans {
    made: Vec<(Row, usize)>,
    /// Rows of which one goes with all of the others.
    repeated: Vec<Row>,
}

impl Spans {
    /// Takes an operation's rows, or says that they need a barrier first.
    pub(super) fn take(&mut self, op: &Op, space: Space) -> bool {
        let (out, rows) = op.results();
        let out = Row::of(space, out);
        let spans: Vec<(Row, usize)> = op
            .operands()
            .into_iter()
            .filter_map(|(arg, rows)| match arg {
                Arg::Row(row) => Some((row, rows)),
                _ => None,
            })
            .collect();
        let fits = |&(row, rows): &(Row, usize)| {
            self.made.iter().all(|&made| {
                (row, rows) == made || row.space != made.0.space || apart((row, rows), made)
            })
        };
        let clear = self
            .repeated
            .iter()
            .all(|&row| apart((row, 1), (out, rows)));
        if !(spans.iter().all(fits) && fits(&(out, rows)) && clear) {
            return false;
        }
        self.repeated.extend(
            spans
                .iter()
                .filter(|&&(_, n)| n == 1 && rows > 1)
                .map(|s| s.0),
        );
        self.made.extend(spans);
        self.made.push((out, rows));
        true
    }
}

fn apart((a, rows): (Row, usize), (b, others): (Row, usize)) -> bool {
    a.index + rows <= b.index || b.index + others <= a.index
}

/// The block of each of the first `count` operations of a period: none goes on from one phase to the next.
pub(super) fn blocks(code: &Code, count: usize) -> Vec<usize> {
    let mut blocks: Vec<usize> = Vec::with_capacity(count);
    for phase in &code.phases {
        let ops = phase.ops.start.min(count)..phase.ops.end.min(count);
        let first = blocks.last().map_or(0, |last| last + 1);
        let own = kinds(&code.ops[ops], Space::Period);
        blocks.extend(own.into_iter().map(|(block, _)| first + block));
    }
    blocks
}

/// The block and the kind of each of some operations that follow one another.
pub(super) fn kinds(ops: &[Op], space: Space) -> Vec<(usize, Kind)> {
    let mut found: Vec<(usize, Kind)> = Vec::with_capacity(ops.len());
    let mut spans = Spans::default();
    for op in ops {
        let kind = kind(op);
        let goes_on = match (found.last(), kind) {
            (Some(&(_, Kind::Narrow)), Kind::Narrow) => true,
            (Some(&(_, before)), Kind::Wide(_)) if before == kind => spans.take(op, space),
            _ => false,
        };
        let block = match found.last() {
            Some(&(block, _)) => block + usize::from(!goes_on),
            None => 0,
        };
        if !goes_on {
            spans = Spans::default();
            spans.take(op, space);
        }
        found.push((block, kind));
    }
    found
}
