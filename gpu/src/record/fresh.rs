//! Which adjoints of a period an operation may write instead of adding to, because nothing has been added to them before it in reverse.

use super::op::{Arg, Op, Row, Space};
use super::plan::{Code, Plan};

/// Rows of a period whose adjoints something has been added to, or written.
struct Touched(Vec<bool>);

impl Touched {
    /// Marks rows; returns whether they are of this period and all of them new.
    fn touch(&mut self, arg: Arg, rows: usize) -> bool {
        let Arg::Row(row) = arg else { return false };
        if row.space != Space::Period {
            return false;
        }
        let marks = &mut self.0[row.index..row.index + rows];
        let new = !marks.contains(&true);
        marks.fill(true);
        new && row.lag == 0
    }
}

/// Marks what is fresh in the code of one side; returns the rows that must be cleared: those that are added to or read, and not written
/// first.
pub(super) fn freshen(plan: &mut Plan, groups: bool) -> Vec<bool> {
    let mut touched = from_outside(plan, groups);
    let side = if groups {
        &mut plan.group
    } else {
        &mut plan.lane
    };
    let code = &mut side.period;
    let mut added = vec![true; code.rows];
    let mut read = vec![false; code.rows];
    for bridge in code.phases.iter().flat_map(|phase| &phase.bridges) {
        read[bridge.to..bridge.to + bridge.rows].fill(bridge.live);
    }
    let Code {
        ops, wants, fresh, ..
    } = code;
    for ((op, &wants), fresh) in ops.iter_mut().zip(&*wants).zip(fresh).rev() {
        if wants != [false; 2] {
            let (out, rows) = op.results();
            read[out..out + rows].fill(true);
        }
        let mut write = |arg: Arg, rows: usize| {
            let new = touched.touch(arg, rows);
            if let (true, Arg::Row(row)) = (new, arg) {
                added[row.index..row.index + rows].fill(false);
            }
            new
        };
        if let Some(dense) = op.layer_mut() {
            let segments = dense.segments.iter().zip(&dense.wanted);
            for ((&(row, rows), &wanted), fresh) in segments.zip(&mut dense.fresh) {
                *fresh = wanted && write(Arg::Row(row), rows);
            }
        } else if matches!(op, Op::Unary { .. } | Op::Binary { .. }) {
            // In the order in which they are pulled.
            let operands = op.operands().into_iter().zip(wants);
            for (((arg, rows), wanted), fresh) in operands.zip(fresh) {
                *fresh = wanted && write(arg, rows);
            }
        } else if wants != [false; 2] {
            let operands = op.operands().into_iter();
            operands.for_each(|(arg, rows)| _ = touched.touch(arg, rows));
        }
    }
    for &row in side.states.iter().chain(&side.inputs) {
        read[row] = true;
    }
    let marks = added.iter().zip(read).zip(&touched.0);
    marks
        .map(|((&added, read), &touched)| added && (read || touched))
        .collect()
}

/// What comes from outside the side's own operations, or from later periods, is there before them.
fn from_outside(plan: &Plan, groups: bool) -> Touched {
    let (own, other) = if groups {
        (&plan.group, &plan.lane)
    } else {
        (&plan.lane, &plan.group)
    };
    let mut touched = Touched(vec![false; own.period.rows]);
    let mut touch = |arg, rows| _ = touched.touch(arg, rows);
    if !groups {
        touch(plan.objective, 1);
    }
    own.next.iter().for_each(|&arg| touch(arg, 1));
    let over = other.period.phases.iter().flat_map(|phase| &phase.bridges);
    over.for_each(|bridge| touch(bridge.from, bridge.rows));
    for (arg, rows) in own.period.ops.iter().flat_map(Op::operands) {
        if matches!(arg, Arg::Row(Row { lag: 1.., .. })) {
            touch(arg, rows);
        }
    }
    touched
}
