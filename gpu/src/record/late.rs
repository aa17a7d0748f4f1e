//! What only the objective reads waits for the way back: a differentiated run computes it in the period that it is about to reverse, so
//! that nothing of it is kept.

use super::op::{Arg, Op, Row, Space};
use super::plan::Plan;

/// Puts those operations of the lanes' period that neither a later period nor a group reads the results of behind the others.
pub(super) fn postpone(plan: &mut Plan) {
    let mut needed = vec![false; plan.lane.period.rows];
    let mut need = |operand| mark(operand, &mut needed);
    let over = plan.group.period.phases.iter().flat_map(|p| &p.bridges);
    over.for_each(|bridge| need((bridge.from, bridge.rows)));
    plan.lane.next.iter().for_each(|&arg| need((arg, 1)));
    let ops = plan.lane.period.ops.iter().flat_map(Op::operands);
    let outputs = plan.traces.iter().chain([&plan.objective]);
    let read = ops.chain(outputs.map(|&arg| (arg, 1)));
    let past = |(arg, _): &(Arg, usize)| matches!(arg, Arg::Row(Row { lag: 1.., .. }));
    read.filter(past).for_each(&mut need);
    let code = &mut plan.lane.period;
    let mut waits = vec![false; code.ops.len()];
    for (op, waits) in code.ops.iter().zip(&mut waits).rev() {
        let (out, rows) = op.results();
        *waits = !needed[out..out + rows].contains(&true);
        if !*waits {
            let operands = op.operands().into_iter();
            operands.for_each(|operand| mark(operand, &mut needed));
        }
    }
    let mut late = Vec::new();
    let mut ops = std::mem::take(&mut code.ops).into_iter().zip(waits);
    for phase in &mut code.phases {
        let first = code.ops.len();
        for (op, waits) in ops.by_ref().take(phase.ops.len()) {
            if waits { &mut late } else { &mut code.ops }.push(op);
        }
        phase.ops = first..code.ops.len();
    }
    code.late = code.ops.len();
    code.ops.append(&mut late);
    if let Some(last) = code.phases.last_mut() {
        last.ops.end = code.ops.len();
    }
    let objective = match plan.objective {
        Arg::Row(row) if row.space == Space::Period && row.lag == 0 => Some(row.index),
        _ => None,
    };
    let results = code.ops[code.late..].iter().map(Op::results);
    let within = |(out, rows): (usize, usize), row| (out..out + rows).contains(&row);
    plan.objective_is_late =
        objective.is_some_and(|row| results.into_iter().any(|r| within(r, row)));
}

/// Marks the rows of an operand, if they are of a period.
fn mark((arg, rows): (Arg, usize), marks: &mut [bool]) {
    if let Arg::Row(row) = arg
        && row.space == Space::Period
    {
        marks[row.index..row.index + rows].fill(true);
    }
}
