//! Which rows lie where: neighbours together, what layers read in workgroup memory, what outlives the block of code that makes it in a home.

use std::collections::HashMap;
use std::ops::Range;

use super::frame::{Home, Mode, layers, over_rows};
use super::shape::{HEAD, PER_LANE};
use crate::record::{Arg, Op, Plan, Row, Side, Space};

/// Rows that are read where they come from: whole runs of inputs, and of rows of the groups.
pub(super) fn sources(side: &Side, groups: bool, runs: &[Range<usize>]) -> Vec<Home> {
    let mut all = vec![Home::Nowhere; side.period.rows];
    for (k, &row) in side.inputs.iter().enumerate() {
        all[row] = Home::Input(k);
    }
    if !groups {
        for (row, from) in over_rows(&side.period) {
            all[row] = Home::Over(from);
        }
    }
    let follows = |a: Home, b: Home| match (a, b) {
        (Home::Input(a), Home::Input(b)) => a + 1 == b,
        (Home::Over(a), Home::Over(b)) => a.offset(1) == b,
        _ => false,
    };
    for run in runs {
        if !run.clone().skip(1).all(|r| follows(all[r - 1], all[r])) {
            all[run.clone()].fill(Home::Nowhere);
        }
    }
    all
}

/// Rows of the period that layers read and write, in workgroup memory as far as it goes, and the number of them.
pub(super) fn hot(
    side: &Side,
    forward: usize,
    mode: Mode,
    runs: &[Range<usize>],
    budget: usize,
) -> (Vec<Option<usize>>, usize) {
    let mut hot = vec![None; side.period.rows];
    let mut count = 0;
    let widest = layers(side).map(|d| d.width).max().unwrap_or(0);
    let budget = budget.saturating_sub(HEAD * PER_LANE + if mode.reverse { widest } else { 0 });
    let mut take = |row: usize| {
        let run = runs.iter().find(|run| run.contains(&row)).cloned();
        let run = run.unwrap_or(0..0);
        if hot[row].is_some() || count + run.len() > budget {
            return;
        }
        for place in &mut hot[run] {
            *place = Some(count);
            count += 1;
        }
    };
    for op in &side.period.ops[..forward] {
        if let Op::Dense(dense) = op {
            for &(row, _) in &dense.segments {
                if row.space == Space::Period && row.lag == 0 {
                    take(row.index);
                }
            }
            take(dense.out);
        }
    }
    (hot, count)
}

/// The layers whose inputs are hot, side by side, and read by nothing else.
pub(super) fn in_place(plan: &Plan, groups: bool, hot: &[Option<usize>]) -> HashMap<usize, usize> {
    let (side, other) = if groups {
        (&plan.group, &plan.lane)
    } else {
        (&plan.lane, &plan.group)
    };
    let mut readers = vec![0_u32; side.period.rows];
    let mut see = |(arg, rows): (Arg, usize)| {
        if let Arg::Row(row) = arg
            && row.space == Space::Period
        {
            readers[row.index..row.index + rows]
                .iter_mut()
                .for_each(|n| *n = n.saturating_add(1));
        }
    };
    side.period
        .ops
        .iter()
        .flat_map(Op::operands)
        .for_each(&mut see);
    side.next.iter().for_each(|&arg| see((arg, 1)));
    let over = other.period.phases.iter().flat_map(|phase| &phase.bridges);
    over.for_each(|bridge| see((bridge.from, bridge.rows)));
    if !groups {
        see((plan.objective, 1));
    }
    let mut places = HashMap::new();
    for op in &side.period.ops {
        let Op::Dense(dense) = op else { continue };
        let rows = dense
            .segments
            .iter()
            .flat_map(|&(row, rows)| (0..rows).map(move |i| row.offset(i)));
        let alone = |row: Row| {
            let fits = row.space == Space::Period && row.lag == 0 && readers[row.index] == 1;
            if fits { hot[row.index] } else { None }
        };
        let found: Option<Vec<usize>> = rows.map(alone).collect();
        if let Some(found) = found
            && found.windows(2).all(|pair| pair[0] + 1 == pair[1])
            && let Some(&first) = found.first()
        {
            places.insert(dense.id, first);
        }
    }
    places
}

/// Rows of the period that are kept from period to period.
pub(super) fn taped(plan: &Plan, groups: bool, mode: Mode) -> Vec<bool> {
    let side = if groups { &plan.group } else { &plan.lane };
    let mut taped = vec![false; side.period.rows];
    if mode.reverse {
        taped[..side.kept].fill(true);
    }
    side.carried
        .iter()
        .for_each(|range| taped[range.clone()].fill(true));
    if groups {
        for (_, from) in over_rows(&plan.lane.period) {
            if from.space == Space::Period {
                taped[from.index] = true;
            }
        }
    }
    taped
}

/// What decides where rows are kept.
pub(super) struct Sought<'a> {
    pub(super) taped: Vec<bool>,
    pub(super) crossing: Crossing,
    pub(super) hot: &'a [Option<usize>],
}

/// Gives a home to every run of rows that has to outlive the block of code that makes it; counts those on the tape and the others.
pub(super) fn place_rows(
    mut homes: Vec<Home>,
    runs: &[Range<usize>],
    sought: &Sought<'_>,
) -> (Vec<Home>, (usize, usize)) {
    let mut places = (0, 0);
    for run in runs {
        let any = |marks: &[bool]| marks[run.clone()].contains(&true);
        let hot = sought.hot[run.start].is_some();
        if homes[run.start] != Home::Nowhere {
            continue;
        }
        let taped = any(&sought.taped);
        let once = any(&sought.crossing.late) || any(&sought.crossing.forward) && !hot;
        for row in run.clone() {
            if taped {
                homes[row] = Home::Tape(places.0);
                places.0 += 1;
            } else if once {
                homes[row] = Home::Once(places.1);
                places.1 += 1;
            }
        }
    }
    (homes, places)
}

/// Rows of the period that are read outside the block of code that makes them, or by a number that is not known beforehand.
pub(super) struct Crossing {
    /// In the forward pass, where rows in workgroup memory are found too.
    forward: Vec<bool>,
    /// Elsewhere.
    late: Vec<bool>,
}

pub(super) fn crossing(plan: &Plan, groups: bool, blocks: &[usize]) -> Crossing {
    let (side, other) = if groups {
        (&plan.group, &plan.lane)
    } else {
        (&plan.lane, &plan.group)
    };
    let mut made = vec![usize::MAX; side.period.rows];
    let none = || vec![false; side.period.rows];
    let (mut forward, mut late) = (none(), none());
    for (op, &block) in side.period.ops.iter().zip(blocks) {
        let (out, rows) = op.results();
        made[out..out + rows].fill(block);
    }
    let mark = |marks: &mut Vec<bool>, (arg, rows): (Arg, usize), block: Option<usize>| {
        if let Arg::Row(row) = arg
            && row.space == Space::Period
        {
            let span = row.index..row.index + rows;
            span.for_each(|r| marks[r] |= Some(made[r]) != block);
        }
    };
    let own = |row: usize, rows: usize| (Arg::Row(Row::of(Space::Period, row)), rows);
    for (at, op) in side.period.ops.iter().enumerate() {
        let by_number = matches!(
            op,
            Op::Softmax { .. } | Op::LogSoftmax { .. } | Op::Pick { .. }
        );
        let (out, rows) = op.results();
        match blocks.get(at) {
            Some(&block) => {
                for (k, operand) in op.operands().into_iter().enumerate() {
                    let by_number = by_number && k == 0;
                    mark(&mut forward, operand, (!by_number).then_some(block));
                }
                if by_number {
                    mark(&mut forward, own(out, rows), None);
                }
            }
            None => {
                op.operands()
                    .into_iter()
                    .for_each(|o| mark(&mut late, o, None));
                mark(&mut late, own(out, rows), None);
            }
        }
    }
    // What the end of the period reads lies in memory.
    let end = |marks: &mut Vec<bool>, arg: Arg| mark(marks, (arg, 1), None);
    side.next.iter().for_each(|&arg| end(&mut late, arg));
    let bridges = other.period.phases.iter().flat_map(|phase| &phase.bridges);
    bridges.for_each(|bridge| mark(&mut late, (bridge.from, bridge.rows), None));
    if groups {
        let bridges = side.period.phases.iter().flat_map(|phase| &phase.bridges);
        bridges.for_each(|bridge| mark(&mut late, own(bridge.to, bridge.rows), None));
    }
    side.states
        .iter()
        .for_each(|&row| mark(&mut forward, own(row, 1), None));
    if !groups {
        plan.traces.iter().for_each(|&arg| end(&mut forward, arg));
        end(&mut forward, plan.objective);
    }
    Crossing { forward, late }
}
