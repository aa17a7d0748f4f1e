//! From operations in the order of the recording to operations in phases, like ones on neighbouring rows joined.

use super::op::{Arg, NORMALISER, Op, Row, Space};
use super::plan::{Bridge, Code, Phase};
use crate::scalar::Activation;

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
        let saved = match &op {
            Op::LogLikelihood { .. } => NORMALISER,
            Op::Dense(dense) if dense.activation != Activation::Identity => dense.outputs,
            _ => 0,
        };
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
        });
    }
    code.wants = vec![[true; 2]; code.ops.len()];
    code.late = code.ops.len();
    code
}

/// Whether `next` continues `arg` after `rows` rows, without reading what those rows compute: they are written to `out` of
/// block `space`.
fn continues(space: Space, arg: Arg, next: Arg, rows: usize, out: usize) -> bool {
    match (arg, next) {
        (Arg::Row(a), Arg::Row(b)) => {
            a.offset(rows) == b && (a.lag > 0 || b.index < out || a.space != space)
        }
        // By bits: zero and minus zero divide differently.
        (Arg::Const(a), Arg::Const(b)) => a.to_bits() == b.to_bits(),
        (a, b) => a == b,
    }
}

/// Joins neighbouring operations of one kind into one over several rows.
fn merge(space: Space, ops: Vec<Op>) -> Vec<Op> {
    let mut merged: Vec<Op> = Vec::with_capacity(ops.len());
    for op in ops {
        let joined = match (merged.last_mut(), &op) {
            (
                Some(Op::Unary { f, x, out, rows }),
                Op::Unary {
                    f: g,
                    x: next,
                    out: place,
                    rows: more,
                },
            ) if f == g && *out + *rows == *place && continues(space, *x, *next, *rows, *out) => {
                *rows += more;
                true
            }
            (
                Some(Op::Binary { f, a, b, out, rows }),
                Op::Binary {
                    f: g,
                    a: next_a,
                    b: next_b,
                    out: place,
                    rows: more,
                },
            ) if f == g
                && *out + *rows == *place
                && continues(space, *a, *next_a, *rows, *out)
                && continues(space, *b, *next_b, *rows, *out) =>
            {
                *rows += more;
                true
            }
            _ => false,
        };
        if !joined {
            merged.push(op);
        }
    }
    merged
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
