//! Which adjoints are wanted: those on a way from a trained parameter, or an input that derivatives are asked for, to the objective.

use super::op::{Arg, Op, Reduce, Row, Space};
use super::plan::{Code, Plan, Side};

/// Marks of the rows of a side: of the start and of the period.
type Marks = [Vec<bool>; 2];

/// Marks what reverse mode must do, with respect to the trained parameters and, where `inputs`, to the lanes' inputs.
pub(super) fn mark(plan: &mut Plan, inputs: bool) {
    let active = active(plan, inputs);
    let reached = reached(plan);
    let trained = std::mem::take(&mut plan.trained);
    for (side, (active, reached)) in [&mut plan.lane, &mut plan.group]
        .into_iter()
        .zip(active.iter().zip(&reached))
    {
        for (space, code) in [&mut side.start, &mut side.period].into_iter().enumerate() {
            let Code { ops, wants, .. } = code;
            for (op, wants) in ops.iter_mut().zip(wants) {
                *wants = wants_of(op, &reached[space], active, &trained);
            }
        }
    }
    let [of_lanes, of_groups] = &active;
    for (side, from, reached) in [
        (&mut plan.lane, of_groups, &reached[0]),
        (&mut plan.group, of_lanes, &reached[1]),
    ] {
        for (space, code) in [&mut side.start, &mut side.period].into_iter().enumerate() {
            for bridge in code.phases.iter_mut().flat_map(|phase| &mut phase.bridges) {
                let on = span(&reached[space], bridge.to, bridge.rows);
                bridge.live = bridge.f == Reduce::Sum
                    && on
                    && depends((bridge.from, bridge.rows), from, &trained);
            }
        }
    }
    plan.trained = trained;
}

fn span(marks: &[bool], first: usize, rows: usize) -> bool {
    marks[first..first + rows].iter().any(|&mark| mark)
}

fn depends((arg, rows): (Arg, usize), active: &Marks, trained: &[bool]) -> bool {
    match arg {
        Arg::Row(Row { space, index, .. }) => span(&active[space as usize], index, rows),
        Arg::Param(i) => trained[i],
        Arg::Const(_) | Arg::Shared(_) => false,
    }
}

/// Whether any parameter of a layer or a table is trained.
fn is_trained(op: &Op, trained: &[bool]) -> bool {
    if let Op::Lookup {
        table,
        entries,
        width,
        ..
    } = op
    {
        return span(trained, *table, entries * width);
    }
    op.layer().is_some_and(|layer| {
        let weights = span(trained, layer.weights, layer.width * layer.outputs);
        weights || layer.bias.is_some_and(|b| span(trained, b, layer.outputs))
    })
}

fn wants_of(op: &mut Op, reached: &[bool], active: &Marks, trained: &[bool]) -> [bool; 2] {
    let (out, rows) = op.results();
    let on = span(reached, out, rows);
    let own = on && is_trained(op, trained);
    if let Some(layer) = op.layer_mut() {
        layer.trained = own;
        for (wanted, &(row, rows)) in layer.wanted.iter_mut().zip(&layer.segments) {
            *wanted = on && depends((Arg::Row(row), rows), active, trained);
        }
    }
    let operands = op.differentiable();
    let wanted = |operand| on && depends(operand, active, trained);
    match operands[..] {
        [first, second] if matches!(op, Op::Binary { .. } | Op::Select { .. }) => {
            [wanted(first), wanted(second)]
        }
        _ => [own || operands.into_iter().any(wanted); 2],
    }
}

/// The rows behind which there is something that derivatives are wanted of.
fn active(plan: &Plan, inputs: bool) -> [Marks; 2] {
    let rows = |side: &Side| side.codes().map(|code| vec![false; code.rows]);
    let mut active = [rows(&plan.lane), rows(&plan.group)];
    if inputs {
        active[0][0][..plan.shape.lane].fill(true);
        plan.lane
            .inputs
            .iter()
            .for_each(|&row| active[0][1][row] = true);
    }
    while flow(plan, Space::Start, &mut active) {}
    for (s, side) in plan.sides().into_iter().enumerate() {
        for (&row, &initial) in side.states.iter().zip(&side.initial) {
            active[s][1][row] |= depends((initial, 1), &active[s], &plan.trained);
        }
    }
    // Until nothing changes: what is looked back on, and the states, may lie behind what reads them.
    loop {
        let mut changed = flow(plan, Space::Period, &mut active);
        for (s, side) in plan.sides().into_iter().enumerate() {
            for (&row, &next) in side.states.iter().zip(&side.next) {
                let on = depends((next, 1), &active[s], &plan.trained);
                changed |= on && !active[s][1][row];
                active[s][1][row] |= on;
            }
        }
        if !changed {
            return active;
        }
    }
}

/// Passes the marks on from operands to results once; returns whether any is new.
fn flow(plan: &Plan, space: Space, active: &mut [Marks; 2]) -> bool {
    let at = space as usize;
    let mut changed = false;
    let mut set = |marks: &mut [bool], on: bool| {
        if on {
            changed |= marks.contains(&false);
            marks.fill(true);
        }
    };
    let phases = plan.lane.codes()[at].phases.len();
    for phase in 0..phases {
        for (own, other) in [(1, 0), (0, 1)] {
            let code = plan.sides()[own].codes()[at];
            for bridge in &code.phases[phase].bridges {
                let from = (bridge.from, bridge.rows);
                let on = bridge.f == Reduce::Sum && depends(from, &active[other], &plan.trained);
                set(&mut active[own][at][bridge.to..bridge.to + bridge.rows], on);
            }
            for op in &code.ops[code.phases[phase].ops.clone()] {
                let (out, rows) = op.results();
                let mut operands = op.differentiable().into_iter();
                let on = is_trained(op, &plan.trained)
                    || operands.any(|operand| depends(operand, &active[own], &plan.trained));
                set(&mut active[own][at][out..out + rows], on);
            }
        }
    }
    changed
}

/// The rows that the objective depends on.
fn reached(plan: &Plan) -> [Marks; 2] {
    let rows = |side: &Side| side.codes().map(|code| vec![false; code.rows]);
    let mut reached = [rows(&plan.lane), rows(&plan.group)];
    reach((plan.objective, 1), &mut reached[0]);
    loop {
        let mut changed = flow_back(plan, Space::Period, &mut reached);
        for (s, side) in plan.sides().into_iter().enumerate() {
            for (&row, &next) in side.states.iter().zip(&side.next) {
                if reached[s][1][row] {
                    changed |= reach((next, 1), &mut reached[s]);
                }
            }
        }
        if !changed {
            break;
        }
    }
    for (s, side) in plan.sides().into_iter().enumerate() {
        for (&row, &initial) in side.states.iter().zip(&side.initial) {
            if reached[s][1][row] {
                reach((initial, 1), &mut reached[s]);
            }
        }
    }
    while flow_back(plan, Space::Start, &mut reached) {}
    reached
}

/// Marks an operand; returns whether it is new.
fn reach((arg, rows): (Arg, usize), reached: &mut Marks) -> bool {
    let Arg::Row(Row { space, index, .. }) = arg else {
        return false;
    };
    let marks = &mut reached[space as usize][index..index + rows];
    let new = marks.contains(&false);
    marks.fill(true);
    new
}

/// Passes the marks on from results to operands once; returns whether any is new.
fn flow_back(plan: &Plan, space: Space, reached: &mut [Marks; 2]) -> bool {
    let at = space as usize;
    let mut changed = false;
    let phases = plan.lane.codes()[at].phases.len();
    for phase in (0..phases).rev() {
        for (own, other) in [(0, 1), (1, 0)] {
            let code = plan.sides()[own].codes()[at];
            for op in code.ops[code.phases[phase].ops.clone()].iter().rev() {
                let (out, rows) = op.results();
                if span(&reached[own][at], out, rows) {
                    for operand in op.differentiable() {
                        changed |= reach(operand, &mut reached[own]);
                    }
                }
            }
            for bridge in &code.phases[phase].bridges {
                let on = span(&reached[own][at], bridge.to, bridge.rows);
                if on && bridge.f == Reduce::Sum {
                    changed |= reach((bridge.from, bridge.rows), &mut reached[other]);
                }
            }
        }
    }
    changed
}
