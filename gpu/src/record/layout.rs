//! Where the rows of a period lie: those that reverse mode reads first, which are kept for every period, then those that are overwritten as
//! soon as no period looks back on them, and last those that no other phase knows of, for which a thread's tiles share one place.

use std::ops::Range;

use super::fresh::freshen;
use super::op::{Arg, Op, Row, Space};
use super::plan::{Code, Plan, Side};

/// Arranges the rows of both sides, and finds what must be cleared and carried over between periods.
pub(super) fn arrange(plan: &mut Plan) {
    let read = [read_in_reverse(plan, false), read_in_reverse(plan, true)];
    let alone = within_a_phase(plan);
    let none = vec![false; plan.group.period.rows];
    let of_lanes = order(&plan.lane, &plan.group, &read[0], &alone);
    let of_groups = order(&plan.group, &plan.lane, &read[1], &none);
    for (side, places) in [(&mut plan.lane, &of_lanes), (&mut plan.group, &of_groups)] {
        (side.kept, side.own) = (places.kept, places.own);
        place_saved(side);
    }
    let (of_lanes, of_groups) = (of_lanes.map, of_groups.map);
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
        let mut added_to = freshen(plan, groups);
        let side = if groups {
            &mut plan.group
        } else {
            &mut plan.lane
        };
        let shared = added_to.split_off(side.own);
        (side.carried, side.added_to) = (carried, ranges(&added_to));
        share_out(side, &shared);
    }
}

/// Hands the rows from `own` on that are marked to the phases that they belong to.
fn share_out(side: &mut Side, marks: &[bool]) {
    let Code { ops, phases, .. } = &mut side.period;
    for phase in phases {
        let mut here = vec![false; marks.len()];
        for (out, rows) in phase.results(ops) {
            if let Some(first) = out.checked_sub(side.own) {
                here[first..first + rows].copy_from_slice(&marks[first..first + rows]);
            }
        }
        let shifted = |range: Range<usize>| range.start + side.own..range.end + side.own;
        phase.added_to = ranges(&here).into_iter().map(shifted).collect();
    }
}

/// Puts the derivatives that are kept before those that are saved on the way back.
fn place_saved(side: &mut Side) {
    let Code {
        ops, again, late, ..
    } = &mut side.period;
    let mut rows = [0; 2];
    for pass in [false, true] {
        for (at, op) in ops.iter_mut().enumerate() {
            if pass == (again[at] || at >= *late) {
                let count = op.saved();
                if let Some(layer) = op.layer_mut() {
                    layer.saved = rows[0] + rows[1];
                    rows[usize::from(pass)] += count;
                }
            }
        }
    }
    side.saved = rows[0];
}

/// The rows of the lanes' period that only operations of the phase read that makes them or brings them over.
fn within_a_phase(plan: &Plan) -> Vec<bool> {
    let code = &plan.lane.period;
    let mut own = vec![None; code.rows];
    let mut alone = vec![false; code.rows];
    for (p, phase) in code.phases.iter().enumerate() {
        for (out, rows) in phase.results(&code.ops) {
            own[out..out + rows].fill(Some(p));
            alone[out..out + rows].fill(true);
        }
    }
    let mut see = |(arg, rows): (Arg, usize), phase: Option<usize>| {
        if let Arg::Row(row) = arg
            && row.space == Space::Period
        {
            let rows = row.index..row.index + rows;
            rows.for_each(|r| alone[r] &= row.lag == 0 && phase.is_some() && own[r] == phase);
        }
    };
    for (p, phase) in code.phases.iter().enumerate() {
        let spans = code.ops[phase.ops.clone()].iter().flat_map(Op::operands);
        spans.for_each(|span| see(span, Some(p)));
    }
    let over = plan.group.period.phases.iter().flat_map(|p| &p.bridges);
    over.for_each(|bridge| see((bridge.from, bridge.rows), None));
    let outside = plan.lane.next.iter().chain(&plan.traces);
    let outside = outside.chain([&plan.objective]);
    outside.for_each(|&arg| see((arg, 1), None));
    alone
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
    if groups {
        let over = plan
            .lane
            .period
            .phases
            .iter()
            .flat_map(|phase| &phase.bridges);
        over.filter(|bridge| bridge.again)
            .for_each(|bridge| see(bridge.from, bridge.rows));
    }
    // What is computed on the way back reads what was there before it, and is not kept itself.
    let Code {
        ops, again, late, ..
    } = &side.period;
    let ops = ops.iter().zip(again).enumerate();
    let there = ops.filter(|&(at, (_, &again))| again || at >= *late);
    let there: Vec<&Op> = there.map(|(_, (op, _))| op).collect();
    for (arg, rows) in there.iter().flat_map(|op| op.operands()) {
        see(arg, rows);
    }
    for (out, rows) in there.iter().map(|op| op.results()) {
        read[out..out + rows].fill(false);
    }
    for bridge in side.period.phases.iter().flat_map(|phase| &phase.bridges) {
        if bridge.again {
            read[bridge.to..bridge.to + bridge.rows].fill(false);
        }
    }
    read
}

/// New places of the period's rows, how many of them are kept, and how many are not shared.
struct Order {
    map: Vec<usize>,
    kept: usize,
    own: usize,
}

/// The period's rows in runs: rows that an operation reads or writes as neighbours, or that come or go over as neighbours, are in one.
pub(crate) fn runs(side: &Side, other: &Side) -> Vec<Range<usize>> {
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
    runs
}

/// New places of the period's rows. Runs stay together.
fn order(side: &Side, other: &Side, read: &[bool], alone: &[bool]) -> Order {
    let rows = side.period.rows;
    let runs = runs(side, other);
    let is_kept = |run: &Range<usize>| read[run.clone()].contains(&true);
    let is_alone = |run: &Range<usize>| !alone[run.clone()].contains(&false);
    let (kept, others): (Vec<_>, Vec<_>) = runs.into_iter().partition(is_kept);
    let (shared, passing): (Vec<_>, Vec<_>) = others.into_iter().partition(is_alone);
    let count = |runs: &[Range<usize>]| runs.iter().map(ExactSizeIterator::len).sum();
    let kept_rows: usize = count(&kept);
    let own = kept_rows + count(&passing);
    let mut map = vec![0; rows];
    let runs = kept.into_iter().chain(passing).chain(shared);
    for (place, row) in runs.flatten().enumerate() {
        map[row] = place;
    }
    Order {
        map,
        kept: kept_rows,
        own,
    }
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
