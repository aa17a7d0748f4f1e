//! From operations in the order of the recording to operations in phases, like ones on neighbouring rows joined.

use super::op::{Arg, Op, Row, Space};
use super::plan::{Bridge, Code, Phase};

/// The operations of one side of a block, each with the first phase in which its operands are there.
#[derive(Debug)]
pub(super) struct Draft {
    space: Space,
    ops: Vec<(usize, Op)>,
    bridges: Vec<(usize, Bridge)>,
    /// The phase from which on each row is there.
    levels: Vec<usize>,
    saved: usize,
}

impl Draft {
    pub(super) fn new(space: Space, rows: usize) -> Self {
        Draft {
            space,
            ops: Vec::new(),
            bridges: Vec::new(),
            levels: vec![0; rows],
            saved: 0,
        }
    }

    /// The phase from which on a row of this block is there.
    pub(super) fn level(&self, row: usize) -> usize {
        self.levels[row]
    }

    /// The phase in which an operand is computed, if it is in this block and this period.
    pub(super) fn level_of(&self, arg: Arg) -> Option<usize> {
        match arg {
            Arg::Row(row) if row.space == self.space && row.lag == 0 => {
                Some(self.levels[row.index])
            }
            _ => None,
        }
    }

    /// Takes an operation on; layers get the place of what they save for reverse mode.
    pub(super) fn push(&mut self, mut op: Op) {
        let saved = op.saved();
        if let Some(layer) = op.layer_mut() {
            layer.saved = self.saved;
            self.saved += saved;
        }
        let operands = op.args().into_iter();
        let level = operands.filter_map(|arg| self.level_of(arg)).max();
        let level = level.unwrap_or(0);
        let (out, rows) = op.results();
        self.levels[out..out + rows].fill(level);
        self.ops.push((level, op));
    }

    /// Takes on a row that comes over from the other side at the beginning of a phase.
    pub(super) fn bridge(&mut self, level: usize, bridge: Bridge) {
        self.levels[bridge.to] = level;
        self.bridges.push((level, bridge));
    }

    /// Puts off to the phase that first reads it what is made number by number, and what comes over: the fewer phases know of a row, the
    /// sooner it can be made anew where it is read, and the fewer lanes' rows must be there at a time.
    pub(super) fn put_off(&mut self, other: &Draft) {
        let mut first = vec![usize::MAX; self.levels.len()];
        let here = |arg: Arg| match arg {
            Arg::Row(row) if row.space == self.space && row.lag == 0 => Some(row.index),
            _ => None,
        };
        for &(level, bridge) in &other.bridges {
            if let Some(row) = here(bridge.from) {
                // It leaves at the end of the phase before.
                first[row] = first[row].min(level.saturating_sub(1));
            }
        }
        let known = |until: usize| (until != usize::MAX).then_some(until);
        for (level, op) in self.ops.iter_mut().rev() {
            let (out, rows) = op.results();
            let until = first[out..out + rows].iter().copied().min().and_then(known);
            if matches!(op, Op::Unary { .. } | Op::Binary { .. } | Op::Select { .. }) {
                *level = until.unwrap_or(*level);
            }
            for row in op.args().into_iter().filter_map(here) {
                first[row] = first[row].min(*level);
            }
        }
        for (level, bridge) in &mut self.bridges {
            *level = known(first[bridge.to]).unwrap_or(*level);
        }
    }

    pub(super) fn phases(&self) -> usize {
        let ops = self.ops.iter().map(|(level, _)| *level);
        let bridges = self.bridges.iter().map(|(level, _)| *level);
        ops.chain(bridges).max().map_or(1, |last| last + 1)
    }
}

/// Puts the operations in phases, of which there are as many as on the other side.
pub(super) fn code(space: Space, mut draft: Draft, phases: usize) -> Code {
    draft.ops.sort_by_key(|&(level, _)| level);
    let mut ops = draft.ops.into_iter().peekable();
    let mut code = Code {
        rows: draft.levels.len(),
        saved: draft.saved,
        ..Code::default()
    };
    for phase in 0..phases {
        let mut own = Vec::new();
        while let Some((_, op)) = ops.next_if(|&(level, _)| level == phase) {
            own.push(op);
        }
        let first = code.ops.len();
        code.ops.extend(merge(space, own));
        let over = draft.bridges.iter().filter(|&&(level, _)| level == phase);
        code.phases.push(Phase {
            bridges: merge_bridges(over.map(|&(_, bridge)| bridge)),
            ops: first..code.ops.len(),
            added_to: Vec::new(),
        });
    }
    code.wants = vec![[true; 2]; code.ops.len()];
    code.fresh = vec![[false; 2]; code.ops.len()];
    code.again = vec![false; code.ops.len()];
    code.late = code.ops.len();
    code
}

/// Rows of a block that an operation writes.
#[derive(Debug, Clone, Copy)]
struct Written {
    space: Space,
    out: usize,
    rows: usize,
}

impl Written {
    /// Whether an operand of one more row, `next`, continues `arg`, of which so many rows are read: with the row behind them, or with the
    /// same number for all. No row may be read that is written.
    fn continues(self, arg: Arg, read: usize, next: Arg) -> bool {
        match (arg, next) {
            (Arg::Row(a), Arg::Row(b)) => a.offset(read) == b && self.is_apart(a, read + 1),
            (a, b) => a.is(b),
        }
    }

    /// Whether some rows are not among those that are written, and one more.
    fn is_apart(self, row: Row, rows: usize) -> bool {
        let elsewhere = row.space != self.space || row.lag > 0;
        elsewhere || row.index + rows <= self.out || row.index > self.out + self.rows
    }
}

/// Joins neighbouring operations of one kind into one over several rows.
fn merge(space: Space, ops: Vec<Op>) -> Vec<Op> {
    let mut merged: Vec<Op> = Vec::with_capacity(ops.len());
    for op in ops {
        if !merged.last_mut().is_some_and(|last| join(space, last, &op)) {
            merged.push(op);
        }
    }
    merged
}

/// Takes an operation of one row into the one before it, if it does the same to the next rows.
fn join(space: Space, before: &mut Op, op: &Op) -> bool {
    match (before, op) {
        (
            Op::Unary { f, x, out, rows },
            Op::Unary {
                f: g,
                x: next,
                out: place,
                rows: 1,
            },
        ) if f == g && *out + *rows == *place => {
            let written = Written {
                space,
                out: *out,
                rows: *rows,
            };
            let joined = written.continues(*x, *rows, *next);
            *rows += usize::from(joined);
            joined
        }
        (
            Op::Binary {
                f,
                a,
                b,
                repeated,
                out,
                rows,
            },
            Op::Binary {
                f: g,
                a: next_a,
                b: next_b,
                out: place,
                rows: 1,
                ..
            },
        ) if f == g && *out + *rows == *place => {
            let written = Written {
                space,
                out: *out,
                rows: *rows,
            };
            let repeats = |arg: &Arg, next: &Arg, already: bool| match arg {
                Arg::Row(row) => {
                    (already || *rows == 1) && arg == next && written.is_apart(*row, 1)
                }
                _ => false,
            };
            let same = [
                repeats(a, next_a, repeated[0]),
                repeats(b, next_b, repeated[1]),
            ];
            let follows = [
                !repeated[0] && written.continues(*a, *rows, *next_a),
                !repeated[1] && written.continues(*b, *rows, *next_b),
            ];
            let joined = match (same, follows) {
                // One operand stays, and is none of the rows of the other: the order of sums to its adjoint is kept.
                ([true, false], [_, true]) if !touches(*b, *rows + 1, *a) => true,
                ([false, true], [true, _]) if !touches(*a, *rows + 1, *b) => true,
                ([false, false], [true, true]) => true,
                _ => false,
            };
            if joined {
                *repeated = same;
                *rows += 1;
            }
            joined
        }
        _ => false,
    }
}

/// Whether an operand of some rows includes the row of another.
fn touches(arg: Arg, rows: usize, other: Arg) -> bool {
    matches!((arg, other), (Arg::Row(a), Arg::Row(b))
        if a.space == b.space && (a.index..a.index + rows).contains(&b.index))
}

/// Joins neighbouring rows that come over from neighbouring rows.
fn merge_bridges(bridges: impl Iterator<Item = Bridge>) -> Vec<Bridge> {
    let mut merged: Vec<Bridge> = Vec::new();
    for bridge in bridges {
        match merged.last_mut() {
            Some(last)
                if last.f == bridge.f
                    && last.to + last.rows == bridge.to
                    && follows(last.from, last.rows, bridge.from) =>
            {
                last.rows += bridge.rows;
            }
            _ => merged.push(bridge),
        }
    }
    merged
}

fn follows(from: Arg, rows: usize, next: Arg) -> bool {
    matches!((from, next), (Arg::Row(a), Arg::Row(b)) if Row { lag: b.lag, ..a.offset(rows) } == b && a.lag == b.lag)
}
