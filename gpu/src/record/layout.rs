//! Where the rows of a period lie: those that reverse mode reads first, which are kept for every period, then the others, which are
//! overwritten as soon as no period looks back on them.

use std::ops::Range;

use super::op::{Arg, Op, Row, Space};
use super::plan::{Plan, Side};

/// Arranges the rows of both sides, and finds what must be cleared and carried over between periods.
pub(super) fn arrange(plan: &mut Plan) {
    let read = [read_in_reverse(plan, false), read_in_reverse(plan, true)];
    let (of_lanes, kept_of_lanes) = order(&plan.lane, &plan.group, &read[0]);
    let (of_groups, kept_of_groups) = order(&plan.group, &plan.lane, &read[1]);
    (plan.lane.kept, plan.group.kept) = (kept_of_lanes, kept_of_groups);
    renumber(&mut plan.lane, &of_lanes);
    renumber(&mut plan.group, &of_groups);
    for (side, own, other) in [
        (&mut plan.lane, &of_lanes, &of_groups),
        (&mut plan.group, &of_groups, &of_lanes),
    ] {
        for bridge in side.start.phases.iter_mut().flat_map(|p| &mut p.bridges) {
            bridge.from = moved(other, bridge.from);
        }
        for bridge in side.period.phases.iter_mut().flat_map(|p| &mut p.bridges) {
            (bridge.from, bridge.to) = (moved(other, bridge.from), own[bridge.to]);
        }
    }
    plan.objective = moved(&of_lanes, plan.objective);
    plan.traces
        .iter_mut()
        .for_each(|arg| *arg = moved(&of_lanes, *arg));
    for groups in [false, true] {
        let carried = ranges(&carried(plan, groups));
        let added_to = ranges(&freshen(plan, groups));
        let side = if groups {
            &mut plan.group
        } else {
            &mut plan.lane
        };
        (side.carried, side.added_to) = (carried, added_to);
    }
}

fn moved(map: &[usize], arg: Arg) -> Arg {
    match arg {
        Arg::Row(row) if row.space == Space::Period => Arg::Row(Row {
            index: map[row.index],
            ..row
        }),
        other => other,
    }
}

/// The rows of the period whose values the way back reads and does not compute.
fn read_in_reverse(plan: &Plan, groups: bool) -> Vec<bool> {
    let side = if groups { &plan.group } else { &plan.lane };
    let mut read = vec![false; side.period.rows];
    let mut see = |arg: Arg, rows: usize| {
        if let Arg::Row(row) = arg
            && row.space == Space::Period
        {
            read[row.index..row.index + rows].fill(true);
        }
    };
    for (op, &wants) in side.period.ops.iter().zip(&side.period.wants) {
        if wants == [false; 2] {
            continue;
        }
        let (operands, results) = op.read_in_reverse(wants);
        let spans = op.operands().into_iter().zip(operands);
        spans
            .filter(|(_, read)| *read)
            .for_each(|((arg, rows), _)| see(arg, rows));
        if results {
            let (out, rows) = op.results();
            see(Arg::Row(Row::of(Space::Period, out)), rows);
        }
    }
    // What is computed on the way back reads what was there before it, and is not kept itself.
    let late = &side.period.ops[side.period.late..];
    for (arg, rows) in late.iter().flat_map(Op::operands) {
        see(arg, rows);
    }
    for (out, rows) in late.iter().map(Op::results) {
        read[out..out + rows].fill(false);
    }
    read
}

/// New places of the period's rows, and how many of them are kept. Rows that an operation reads or writes as neighbours stay so.
fn order(side: &Side, other: &Side, read: &[bool]) -> (Vec<usize>, usize) {
    let rows = side.period.rows;
    let mut joined = vec![false; rows];
    let mut join = |arg: Arg, count: usize| {
        if let Arg::Row(row) = arg
            && row.space == Space::Period
            && count > 1
        {
            joined[row.index..row.index + count - 1].fill(true);
        }
    };
    for op in &side.period.ops {
        op.operands()
            .into_iter()
            .for_each(|(arg, rows)| join(arg, rows));
        let (out, rows) = op.results();
        join(Arg::Row(Row::of(Space::Period, out)), rows);
    }
    for bridge in side.period.phases.iter().flat_map(|phase| &phase.bridges) {
        join(Arg::Row(Row::of(Space::Period, bridge.to)), bridge.rows);
    }
    for bridge in other.period.phases.iter().flat_map(|phase| &phase.bridges) {
        join(bridge.from, bridge.rows);
    }
    let mut runs: Vec<Range<usize>> = Vec::new();
    for row in 0..rows {
        match runs.last_mut() {
            Some(run) if joined[row - 1] => run.end = row + 1,
            _ => runs.push(row..row + 1),
        }
    }
    let is_kept = |run: &Range<usize>| read[run.clone()].contains(&true);
    let (kept, passing): (Vec<_>, Vec<_>) = runs.into_iter().partition(is_kept);
    let count = kept.iter().map(ExactSizeIterator::len).sum();
    let mut map = vec![0; rows];
    for (place, row) in kept.into_iter().chain(passing).flatten().enumerate() {
        map[row] = place;
    }
    (map, count)
}

fn renumber(side: &mut Side, map: &[usize]) {
    for op in &mut side.period.ops {
        op.renumber(|out| map[out], |arg| moved(map, arg));
    }
    side.inputs.iter_mut().for_each(|row| *row = map[*row]);
    side.states.iter_mut().for_each(|row| *row = map[*row]);
    side.next.iter_mut().for_each(|arg| *arg = moved(map, *arg));
}

/// The rows of the period that later periods read.
fn carried(plan: &Plan, groups: bool) -> Vec<bool> {
    let (side, other) = if groups {
        (&plan.group, &plan.lane)
    } else {
        (&plan.lane, &plan.group)
    };
    let mut carried = vec![false; side.period.rows];
    let mut see = |arg: Arg, rows: usize, always: bool| {
        if let Arg::Row(row) = arg
            && row.space == Space::Period
            && (always || row.lag > 0)
        {
            carried[row.index..row.index + rows].fill(true);
        }
    };
    let ops = side.period.ops.iter().flat_map(Op::operands);
    ops.for_each(|(arg, rows)| see(arg, rows, false));
    let over = other.period.phases.iter().flat_map(|phase| &phase.bridges);
    over.for_each(|bridge| see(bridge.from, bridge.rows, false));
    side.next.iter().for_each(|&arg| see(arg, 1, true));
    if !groups {
        let outputs = plan.traces.iter().chain([&plan.objective]);
        outputs.for_each(|&arg| see(arg, 1, false));
    }
    carried
}

/// Finds the adjoints of the period that a dense layer may write instead of adding to, because nothing has been added to
/// them before in reverse; returns the rows that must be cleared: those that are added to or read, and not written first.
fn freshen(plan: &mut Plan, groups: bool) -> Vec<bool> {
    let mut touched = vec![
        false;
        if groups {
            plan.group.period.rows
        } else {
            plan.lane.period.rows
        }
    ];
    let mut touch = |arg: Arg, rows: usize| -> usize {
        match arg {
            Arg::Row(row) if row.space == Space::Period => {
                let marks = &mut touched[row.index..row.index + rows];
                let before = marks.iter().filter(|&&mark| mark).count();
                marks.fill(true);
                before
            }
            _ => 0,
        }
    };
    // What comes from outside the side's own operations, or from later periods, is there before them.
    let (own, other) = if groups {
        (&plan.group, &plan.lane)
    } else {
        touch(plan.objective, 1);
        (&plan.lane, &plan.group)
    };
    own.next.iter().for_each(|&arg| _ = touch(arg, 1));
    let over = other.period.phases.iter().flat_map(|phase| &phase.bridges);
    over.for_each(|bridge| _ = touch(bridge.from, bridge.rows));
    for (arg, rows) in own.period.ops.iter().flat_map(Op::operands) {
        if matches!(arg, Arg::Row(row) if row.lag > 0) {
            touch(arg, rows);
        }
    }
    let code = if groups {
        &mut plan.group.period
    } else {
        &mut plan.lane.period
    };
    let mut added = vec![true; code.rows];
    let mut read = vec![false; code.rows];
    for bridge in code.phases.iter().flat_map(|phase| &phase.bridges) {
        read[bridge.to..bridge.to + bridge.rows].fill(bridge.live);
    }
    for (op, wants) in code.ops.iter_mut().zip(&code.wants).rev() {
        if *wants != [false; 2] {
            let (out, rows) = op.results();
            read[out..out + rows].fill(true);
        }
        if let Some(dense) = op.layer_mut() {
            for (s, &(row, rows)) in dense.segments.iter().enumerate() {
                if !dense.wanted[s] {
                    continue;
                }
                let before = touch(Arg::Row(row), rows);
                dense.fresh[s] = row.space == Space::Period && row.lag == 0 && before == 0;
                if dense.fresh[s] {
                    added[row.index..row.index + rows].fill(false);
                }
            }
        } else if *wants != [false; 2] {
            op.operands()
                .into_iter()
                .for_each(|(arg, rows)| _ = touch(arg, rows));
        }
    }
    let side = if groups { &plan.group } else { &plan.lane };
    for &row in side.states.iter().chain(&side.inputs) {
        read[row] = true;
    }
    let there = read.iter().zip(&touched);
    let there = there.map(|(&read, &touched)| read || touched);
    added
        .iter()
        .zip(there)
        .map(|(&a, there)| a && there)
        .collect()
}

/// Maximal ranges of marked places.
fn ranges(marks: &[bool]) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for (i, _) in marks.iter().enumerate().filter(|&(_, &mark)| mark) {
        match ranges.last_mut() {
            Some(range) if range.end == i => range.end += 1,
            _ => ranges.push(i..i + 1),
        }
    }
    ranges
}
