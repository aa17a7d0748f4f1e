//! What is one number for a whole group, and what is one number a lane.
//!
//! Sums over lanes, shared inputs and whatever is computed of them and of parameters alone are the same in all lanes of a group: they
//! are computed on the *side* of the groups, where a row has one number a group. What lanes read of it is handed over, and sums are handed
//! back, between phases.

use super::compile::{Draft, code};
use super::op::{Arg, Op, Reduce, Row, Space};
use super::plan::{Bridge, Plan, Side};
use super::program::Program;

/// Rows of the start block and of the period block.
type Marks<T> = [Vec<T>; 2];

/// The two sides of a program; what must be differentiated is not known yet.
pub(super) fn split(program: &Program) -> Plan {
    let uniform = uniform(program);
    let needed = needed_by_lanes(program, &uniform);
    let places = Places::new(program, &uniform, &needed);
    let [mut lane, mut group] = [(); 2].map(|()| Vec::with_capacity(2));
    for space in [Space::Start, Space::Period] {
        let [own, groups] = draft(program, space, &uniform, &needed, &places);
        let phases = own.phases().max(groups.phases());
        lane.push(code(space, own, phases));
        group.push(code(space, groups, phases));
    }
    let of_group = |k: &usize| uniform[1][program.shape.exo + *k];
    let states = 0..program.states();
    let side = |codes: Vec<_>, of_groups: bool, inputs: Vec<usize>| {
        let own: Vec<usize> = states
            .clone()
            .filter(|k| of_group(k) == of_groups)
            .collect();
        let row = |&k: &usize| places.row(of_groups, Space::Period, program.shape.exo + k);
        let arg = |arg: &Arg| places.arg(of_groups, *arg);
        let [start, period] = <[_; 2]>::try_from(codes).unwrap_or_default();
        Side {
            start,
            period,
            inputs,
            states: own.iter().map(row).collect(),
            initial: own.iter().map(|&k| arg(&program.initial[k])).collect(),
            next: own.iter().map(|&k| arg(&program.next[k])).collect(),
            ..Side::default()
        }
    };
    let exo = (0..program.shape.exo).map(|k| places.row(false, Space::Period, k));
    let mut counts = [0; 2];
    let place = |k: usize| {
        let side = usize::from(of_group(&k));
        counts[side] += 1;
        (of_group(&k), counts[side] - 1)
    };
    Plan {
        shape: program.shape,
        trained: program.trained.clone(),
        dense: program.dense,
        states: states.clone().map(place).collect(),
        objective_is_late: false,
        objective: places.arg(false, program.objective),
        traces: program
            .traces
            .iter()
            .map(|&arg| places.arg(false, arg))
            .collect(),
        lane: side(lane, false, exo.collect()),
        group: side(group, true, (0..program.shape.shared).collect()),
        reach: 0,
    }
}

/// Which rows are the same in all lanes of a group: the largest set that agrees with itself, since a state depends on itself, and what is
/// looked back on may be computed after what looks back.
fn uniform(program: &Program) -> Marks<bool> {
    let rows = [program.start.rows, program.period.rows];
    let mut same = rows.map(|rows| vec![true; rows]);
    let first = program.shape.exo;
    same[0][..program.shape.lane].fill(false);
    same[1][..first].fill(false);
    loop {
        let mut changed = false;
        for (space, block) in [&program.start, &program.period].into_iter().enumerate() {
            for op in &block.ops {
                let of_operands = || op.operands().into_iter().all(|span| all_of(&same, span));
                let on = matches!(op, Op::Reduce { .. }) || op.takes_any_length() && of_operands();
                let (out, rows) = op.results();
                let marks = &mut same[space][out..out + rows];
                changed |= !on && marks.contains(&true);
                marks.fill(on);
            }
        }
        for k in 0..program.states() {
            let both = [program.initial[k], program.next[k]];
            let on = both.into_iter().all(|arg| all_of(&same, (arg, 1)));
            changed |= !on && same[1][first + k];
            same[1][first + k] &= on;
        }
        if !changed {
            return same;
        }
    }
}

/// The operations that write anything.
fn written(ops: &[Op]) -> impl Iterator<Item = &Op> {
    ops.iter().filter(|op| op.results().1 > 0)
}

fn all_of(same: &Marks<bool>, (arg, rows): (Arg, usize)) -> bool {
    match arg {
        Arg::Row(Row { space, index, .. }) => {
            same[space as usize][index..index + rows].iter().all(|&s| s)
        }
        _ => true,
    }
}

/// What lanes read: rows, and inputs that they share.
struct Needed {
    rows: Marks<bool>,
    shared: Vec<bool>,
}

fn needed_by_lanes(program: &Program, uniform: &Marks<bool>) -> Needed {
    let mut needed = Needed {
        rows: [
            vec![false; program.start.rows],
            vec![false; program.period.rows],
        ],
        shared: vec![false; program.shape.shared],
    };
    let mut need = |arg: Arg, rows: usize| match arg {
        Arg::Row(Row { space, index, .. }) => {
            needed.rows[space as usize][index..index + rows].fill(true);
        }
        Arg::Shared(i) => needed.shared[i] = true,
        _ => {}
    };
    for (space, block) in [&program.start, &program.period].into_iter().enumerate() {
        for op in written(&block.ops) {
            if matches!(op, Op::Reduce { .. }) || !uniform[space][op.results().0] {
                op.operands()
                    .into_iter()
                    .for_each(|(arg, rows)| need(arg, rows));
            }
        }
    }
    for k in 0..program.states() {
        if !uniform[1][program.shape.exo + k] {
            need(program.initial[k], 1);
            need(program.next[k], 1);
        }
    }
    need(program.objective, 1);
    program.traces.iter().for_each(|&arg| need(arg, 1));
    needed
}

/// Where rows are on each side: in the order of the recording, so that neighbours that are read together stay neighbours.
struct Places {
    lane: Marks<Option<usize>>,
    group: Marks<Option<usize>>,
    /// Rows of the lanes for the inputs that they share, before all others.
    shared: Vec<usize>,
}

impl Places {
    fn new(program: &Program, uniform: &Marks<bool>, needed: &Needed) -> Self {
        let count = |marks: &[bool]| -> Vec<usize> {
            let mut next = 0;
            let place = |&mark: &bool| {
                next += usize::from(mark);
                next - usize::from(mark)
            };
            marks.iter().map(place).collect()
        };
        let of_lanes = needed.shared.iter().filter(|&&n| n).count();
        let number = |first: usize, on: Vec<bool>| -> Vec<Option<usize>> {
            let places = count(&on);
            let pairs = on.iter().zip(places);
            pairs
                .map(|(&on, place)| on.then_some(first + place))
                .collect()
        };
        let on_lanes = |space: usize| {
            let rows = uniform[space].iter().zip(&needed.rows[space]);
            rows.map(|(&uniform, &needed)| !uniform || needed).collect()
        };
        Places {
            lane: [number(0, on_lanes(0)), number(of_lanes, on_lanes(1))],
            group: [
                number(0, uniform[0].clone()),
                number(program.shape.shared, uniform[1].clone()),
            ],
            shared: count(&needed.shared),
        }
    }

    fn row(&self, of_groups: bool, space: Space, index: usize) -> usize {
        let side = if of_groups { &self.group } else { &self.lane };
        side[space as usize][index].unwrap_or_default()
    }

    fn arg(&self, of_groups: bool, arg: Arg) -> Arg {
        match arg {
            Arg::Row(row) => Arg::Row(Row {
                index: self.row(of_groups, row.space, row.index),
                ..row
            }),
            Arg::Shared(i) => {
                let index = if of_groups { i } else { self.shared[i] };
                Arg::Row(Row::of(Space::Period, index))
            }
            other => other,
        }
    }

    fn rows(&self, of_groups: bool, space: Space, inputs: usize) -> usize {
        let side = if of_groups { &self.group } else { &self.lane };
        inputs + side[space as usize].iter().flatten().count()
    }
}

/// The operations of a block, shared out between the lanes and the groups.
fn draft(
    program: &Program,
    space: Space,
    uniform: &Marks<bool>,
    needed: &Needed,
    places: &Places,
) -> [Draft; 2] {
    let (block, at) = match space {
        Space::Start => (&program.start, 0),
        Space::Period => (&program.period, 1),
    };
    let inputs = |count: usize| if space == Space::Period { count } else { 0 };
    let shared: Vec<usize> = (0..inputs(program.shape.shared))
        .filter(|&i| needed.shared[i])
        .collect();
    let mut lane = Draft::new(space, places.rows(false, space, shared.len()));
    let mut group = Draft::new(
        space,
        places.rows(true, space, inputs(program.shape.shared)),
    );
    let hand_over = |lane: &mut Draft, group: &Draft, from: usize, to: usize| {
        lane.bridge(
            group.level(from),
            Bridge::new(Reduce::Sum, Arg::Row(Row::of(space, from)), to),
        );
    };
    for &i in &shared {
        hand_over(&mut lane, &group, i, places.shared[i]);
    }
    let both = |row: usize, lane: &mut Draft, group: &Draft| {
        if uniform[at][row] && needed.rows[at][row] {
            hand_over(
                lane,
                group,
                places.row(true, space, row),
                places.row(false, space, row),
            );
        }
    };
    for k in 0..inputs(program.states()) {
        both(program.shape.exo + k, &mut lane, &group);
    }
    for op in written(&block.ops) {
        let (out, rows) = op.results();
        if let Op::Reduce { f, x, .. } = op {
            let x = places.arg(false, *x);
            let level = lane.level_of(x).map_or(0, |level| level + 1);
            group.bridge(level, Bridge::new(*f, x, places.row(true, space, out)));
        } else {
            let of_groups = uniform[at][out];
            let mut op = op.clone();
            op.renumber(
                |out| places.row(of_groups, space, out),
                |arg| places.arg(of_groups, arg),
            );
            if of_groups { &mut group } else { &mut lane }.push(op);
        }
        (out..out + rows).for_each(|row| both(row, &mut lane, &group));
    }
    lane.put_off(&group);
    [lane, group]
}
