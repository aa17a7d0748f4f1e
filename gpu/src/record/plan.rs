//! A program made ready to run: on two sides, in phases, with what reverse mode needs marked.

use std::ops::Range;

use super::op::{Arg, Dense, Op, Reduce};
use super::program::Shape;

/// What an executor runs. In each block phase $p$ of the groups comes before phase $p$ of the lanes.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) shape: Shape,
    pub(crate) trained: Vec<bool>,
    /// Dense layers of both sides.
    pub(crate) dense: usize,
    /// For each state of the recording, whether it is one of the groups, and its place among theirs or the lanes'.
    pub(crate) states: Vec<(bool, usize)>,
    pub(crate) objective: Arg,
    /// Whether the objective comes of an operation that waits for the way back.
    pub(crate) objective_is_late: bool,
    pub(crate) traces: Vec<Arg>,
    /// What is one number a lane.
    pub(crate) lane: Side,
    /// What is one number a group.
    pub(crate) group: Side,
    /// The largest lag that is read.
    pub(crate) reach: usize,
}

/// One side: the lanes or the groups. Of the period, rows before [`kept`](Side::kept) are those that reverse mode reads, and those from
/// [`own`](Side::own) on are made and read within one phase only.
#[derive(Debug, Clone, Default)]
pub(crate) struct Side {
    pub(crate) start: Code,
    pub(crate) period: Code,
    /// Rows of the period's inputs.
    pub(crate) inputs: Vec<usize>,
    /// Rows of the states, where each begins (in the start), and where its next value is (in the period).
    pub(crate) states: Vec<usize>,
    pub(crate) initial: Vec<Arg>,
    pub(crate) next: Vec<Arg>,
    pub(crate) kept: usize,
    pub(crate) own: usize,
    /// Of the period, rows of saved derivatives that are kept.
    pub(crate) saved: usize,
    /// Rows of earlier periods that are read.
    pub(crate) carried: Vec<Range<usize>>,
    /// Rows of the period whose adjoints are added to, and so must be cleared before each period; those from `own` on are in the phases.
    pub(crate) added_to: Vec<Range<usize>>,
    pub(crate) scratch: Scratch,
}

/// Rows that the operations of a side use while they run.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Scratch {
    /// Inputs of the widest layer.
    pub(crate) inputs: usize,
    /// Operands of a custom operation, or rows of any one operation.
    pub(crate) operands: usize,
    /// Classes of a likelihood whose logits have no rows.
    pub(crate) classes: usize,
}

impl Scratch {
    pub(super) fn of(side: &Side) -> Self {
        let most = |count: &dyn Fn(&Op) -> usize| {
            let ops = side.start.ops.iter().chain(&side.period.ops);
            ops.map(count).max().unwrap_or(0)
        };
        Scratch {
            inputs: most(&|op| op.layer().map_or(0, |layer| layer.width)),
            operands: most(&|op| match op {
                Op::Custom { inputs, .. } => inputs.len(),
                _ => 0,
            })
            .max(side.start.rows)
            .max(side.period.rows),
            classes: most(&|op| match op {
                Op::LogLikelihood { logits, .. } => logits.outputs,
                _ => 0,
            }),
        }
    }
}

/// The operations of a side's block, in phases.
#[derive(Debug, Clone, Default)]
pub(crate) struct Code {
    pub(crate) ops: Vec<Op>,
    /// For each operation, whether the adjoints of its first and second operand are wanted; both alike where there are not two.
    pub(crate) wants: Vec<[bool; 2]>,
    /// For each operation, whether in reverse it is the first to write the adjoints of its first and second operand, so that it need not add
    /// to what is there; a layer has this of each of its segments itself.
    pub(crate) fresh: Vec<[bool; 2]>,
    /// For each operation, whether a differentiated run computes it once more on the way back, so that nothing of it is kept.
    pub(crate) again: Vec<bool>,
    pub(crate) phases: Vec<Phase>,
    /// The first of the operations, at the end of the last phase, that a differentiated run computes on the way back alone.
    pub(crate) late: usize,
    /// Rows, inputs included.
    pub(crate) rows: usize,
    /// Rows of saved derivatives of activations.
    pub(crate) saved: usize,
}

/// What can run without word from the other side.
#[derive(Debug, Clone, Default)]
pub(crate) struct Phase {
    /// What comes over from the other side first.
    pub(crate) bridges: Vec<Bridge>,
    pub(crate) ops: Range<usize>,
    /// Rows from `own` on whose adjoints are added to, and so must be cleared before the phase is gone back through.
    pub(crate) added_to: Vec<Range<usize>>,
}

/// Rows that come over: from the lanes to the groups joined by `f`, from the groups to the lanes as they are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bridge {
    pub(crate) f: Reduce,
    pub(crate) from: Arg,
    pub(crate) to: usize,
    pub(crate) rows: usize,
    /// Whether the adjoint of what comes over is wanted.
    pub(crate) live: bool,
    /// Whether a differentiated run hands it over once more on the way back, so that it is not kept here.
    pub(crate) again: bool,
}

impl Bridge {
    pub(super) fn new(f: Reduce, from: Arg, to: usize) -> Self {
        Bridge {
            f,
            from,
            to,
            rows: 1,
            live: true,
            again: false,
        }
    }

    /// Row `i` of what comes over, there and here.
    #[cfg(feature = "wgpu")]
    pub(crate) fn row(&self, i: usize) -> (Arg, usize) {
        let from = match self.from {
            Arg::Row(row) => Arg::Row(row.offset(i)),
            other => other,
        };
        (from, self.to + i)
    }
}

impl Phase {
    /// First row and number of rows of all that it makes or that comes over.
    pub(super) fn results(&self, ops: &[Op]) -> impl Iterator<Item = (usize, usize)> {
        let over = self.bridges.iter().map(|bridge| (bridge.to, bridge.rows));
        over.chain(ops[self.ops.clone()].iter().map(Op::results))
    }
}

impl Plan {
    /// Whether anything is one number for a group.
    pub(crate) fn has_groups(&self) -> bool {
        self.group.start.rows + self.group.period.rows > 0
    }

    pub(crate) fn sides(&self) -> [&Side; 2] {
        [&self.lane, &self.group]
    }

    /// Every dense layer, those in likelihoods too, and whether it is one of the groups.
    pub(crate) fn dense_ops(&self) -> impl Iterator<Item = (bool, &Dense)> {
        let sides = [(false, &self.lane), (true, &self.group)];
        let ops = sides.into_iter().flat_map(|(groups, side)| {
            let ops = side.start.ops.iter().chain(&side.period.ops);
            ops.map(move |op| (groups, op))
        });
        ops.filter_map(|(groups, op)| op.layer().map(|layer| (groups, layer)))
    }
}

impl Side {
    pub(crate) fn codes(&self) -> [&Code; 2] {
        [&self.start, &self.period]
    }
}
