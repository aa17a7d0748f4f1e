//! What is sooner computed again than kept: a differentiated run that would keep more than the caches hold computes the wide rows of a
//! period, such as those of the layers of a network, once more when it is about to go back through the period, and keeps what they are
//! computed of. What came over from the groups comes over again: there it is one number.

use super::layout;
use super::op::{Arg, Op, Row, Space};
use super::plan::{Code, Plan};
use crate::scalar::Activation;

/// Rows side by side that an operation writes at least, or writes some of, to be worth it: what is left of a period is narrow.
const WIDE: usize = 4;

/// Inputs of a layer up to which its products take no longer than its results would take to the memory and back.
const INPUTS: usize = 128;

/// Marks what is computed, or comes over to the lanes, again, each in its own phase of the way back: operations that are wide, and whatever
/// comes over, if their results are needed there, and nowhere but in that phase.
pub(super) fn mark(plan: &mut Plan) {
    let mut width = vec![0; plan.lane.period.rows];
    for run in layout::runs(&plan.lane, &plan.group) {
        let len = run.len();
        width[run].fill(len);
    }
    let code = &mut plan.lane.period;
    let phases = phases(code);
    let worth = |op: &Op| is_worth_it(op) && width.get(op.results().0) >= Some(&WIDE);
    let mut again: Vec<bool> = code.ops.iter().map(worth).collect();
    again[code.late..].fill(false);
    let over = code.phases.iter_mut().flat_map(|phase| &mut phase.bridges);
    over.for_each(|bridge| bridge.again = true);
    loop {
        let kept = kept(code, &phases, &again);
        let mut changed = false;
        let mut see = |(out, rows): (usize, usize), again: &mut bool| {
            let lost = *again && kept[out..out + rows].contains(&true);
            *again &= !lost;
            changed |= lost;
        };
        for (op, again) in code.ops.iter().zip(&mut again) {
            see(op.results(), again);
        }
        for bridge in code.phases.iter_mut().flat_map(|phase| &mut phase.bridges) {
            see((bridge.to, bridge.rows), &mut bridge.again);
        }
        if !changed {
            break;
        }
    }
    drop_what_nothing_needs(code, &mut again);
    code.again = again;
}

fn is_worth_it(op: &Op) -> bool {
    match op {
        Op::Dense(dense) => dense.width <= INPUTS,
        Op::Unary { .. } | Op::Binary { .. } | Op::Softmax { .. } | Op::LogSoftmax { .. } => true,
        _ => false,
    }
}

/// The phase of each operation.
fn phases(code: &Code) -> Vec<usize> {
    let phases = code.phases.iter().enumerate();
    let each = phases.flat_map(|(p, phase)| phase.ops.clone().map(move |_| p));
    each.collect()
}

/// What operation `at` reads on the way back: where it is computed there, its operands, and where it is reversed, what its adjoints need.
fn read(code: &Code, again: &[bool], at: usize) -> Vec<(Arg, usize)> {
    let (op, wants) = (&code.ops[at], code.wants[at]);
    let mut read = Vec::new();
    if again[at] || at >= code.late {
        read = op.operands();
    }
    if wants != [false; 2] {
        let (operands, results) = op.read_in_reverse(wants);
        let spans = op.operands().into_iter().zip(operands);
        read.extend(spans.filter(|(_, on)| *on).map(|(span, _)| span));
        let (out, rows) = op.results();
        read.extend(results.then_some((Arg::Row(Row::of(Space::Period, out)), rows)));
    }
    read
}

/// The rows that are read on the way back in another period or phase than their own.
fn kept(code: &Code, phases: &[usize], again: &[bool]) -> Vec<bool> {
    let mut own = vec![None; code.rows];
    for (op, &phase) in code.ops.iter().zip(phases) {
        let (out, rows) = op.results();
        own[out..out + rows].fill(Some(phase));
    }
    for (phase, bridges) in code.phases.iter().map(|phase| &phase.bridges).enumerate() {
        for bridge in bridges.iter().filter(|bridge| bridge.again) {
            own[bridge.to..bridge.to + bridge.rows].fill(Some(phase));
        }
    }
    let mut kept = vec![false; code.rows];
    for (at, &phase) in phases.iter().enumerate() {
        for (arg, rows) in read(code, again, at) {
            let Arg::Row(row) = arg else { continue };
            for index in (row.index..row.index + rows).filter(|_| row.space == Space::Period) {
                kept[index] |= row.lag > 0 || own[index] != Some(phase);
            }
        }
    }
    kept
}

/// Unmarks what the way back would compute and not read.
fn drop_what_nothing_needs(code: &mut Code, again: &mut [bool]) {
    let mut needed = vec![false; code.rows];
    let none = vec![false; again.len()];
    let spans = (0..code.ops.len()).flat_map(|at| read(code, &none, at));
    spans.for_each(|span| mark_rows(span, &mut needed));
    // From the last on: what reads an operation's results comes behind it.
    for at in (0..code.ops.len()).rev() {
        let (out, rows) = code.ops[at].results();
        again[at] &= saves(code, at) || needed[out..out + rows].contains(&true);
        if again[at] {
            code.ops[at]
                .operands()
                .into_iter()
                .for_each(|span| mark_rows(span, &mut needed));
        }
    }
    for bridge in code.phases.iter_mut().flat_map(|phase| &mut phase.bridges) {
        bridge.again &= needed[bridge.to..bridge.to + bridge.rows].contains(&true);
    }
}

fn mark_rows((arg, rows): (Arg, usize), marks: &mut [bool]) {
    if let Arg::Row(row) = arg
        && row.space == Space::Period
    {
        marks[row.index..row.index + rows].fill(true);
    }
}

/// Whether an operation saves derivatives for its reverse.
fn saves(code: &Code, at: usize) -> bool {
    let curved =
        matches!(&code.ops[at], Op::Dense(dense) if dense.activation != Activation::Identity);
    curved && code.wants[at] != [false; 2]
}

#[cfg(test)]
mod tests {
    use super::super::prepare::{Keep, plan};
    use crate::nn::{Activation, Layout};
    use crate::{Program, Scalar, Shape, Start, Step, Var};

    const PRICES: usize = 6;

    /// Prices that are one number for a group, and a layer of each lane that reads them beside the lane's own state.
    fn program() -> Program {
        let mut layout = Layout::new();
        let (published, lane) = (layout.dense(1, PRICES), layout.dense(1 + PRICES, 4));
        let shape = Shape {
            params: layout.params(),
            lane: 1,
            ..Shape::default()
        };
        Program::record(
            shape,
            |_, i| Start {
                state: vec![i.lane[0]],
                ..Start::default()
            },
            |_, i| {
                let total = i.state[0].lane_sum();
                let (mut prices, mut order) = (vec![], vec![]);
                published.apply(i.params, &[&[total]], Activation::Tanh, &mut prices);
                let mut seen = vec![i.state[0]];
                seen.extend(prices.iter().map(|&price| price * i.lane[0]));
                lane.apply(i.params, &[&seen], Activation::Tanh, &mut order);
                let next = order.iter().fold(Var::constant(0.0), |sum, &x| sum + x);
                Step {
                    objective: next * next,
                    state: vec![next],
                    ..Step::new()
                }
            },
        )
    }

    #[test]
    fn what_came_over_comes_over_again_and_the_group_keeps_it() {
        let [all, narrow] = [Keep::All, Keep::Narrow].map(|keep| plan(&program(), false, keep));
        let of_lanes = |again: bool| {
            let bridges = narrow.lane.period.phases.iter().flat_map(|p| &p.bridges);
            bridges
                .filter(|bridge| bridge.again == again)
                .map(|bridge| bridge.rows)
                .sum::<usize>()
        };
        assert_eq!((of_lanes(true), of_lanes(false)), (PRICES, 0));
        // The state and what comes of it are left: of the layer's inputs, its results and the prices nothing is.
        assert!(
            all.lane.kept > PRICES && narrow.lane.kept <= 2,
            "{} and {}",
            all.lane.kept,
            narrow.lane.kept
        );
        assert!(narrow.group.kept >= PRICES);
    }
}
