//! What is sooner computed again than kept: a differentiated run that would keep more than the caches hold computes the wide rows of a
//! period, such as those of the layers of a network, once more when it is about to go back through the period, and keeps what they are
//! computed of.

use super::op::{Arg, Op, Row, Space};
use super::plan::{Code, Plan};
use crate::scalar::Activation;

/// Rows that an operation writes at least, to be worth it: what is left of a period is narrow.
const WIDE: usize = 4;

/// Inputs of a layer up to which its products take no longer than its results would take to the memory and back.
const INPUTS: usize = 128;

/// Marks the operations of the lanes' period that are computed again, each in its own phase of the way back: those that are wide, whose
/// results are needed there, and nowhere but in that phase.
pub(super) fn mark(plan: &mut Plan) {
    let code = &plan.lane.period;
    let phases = phases(code);
    let mut again: Vec<bool> = code.ops.iter().map(is_worth_it).collect();
    again[code.late..].fill(false);
    loop {
        let kept = kept(code, &phases, &again);
        let mut changed = false;
        for (op, again) in code.ops.iter().zip(&mut again) {
            let (out, rows) = op.results();
            let lost = *again && kept[out..out + rows].contains(&true);
            *again &= !lost;
            changed |= lost;
        }
        if !changed {
            break;
        }
    }
    drop_what_nothing_needs(code, &mut again);
    plan.lane.period.again = again;
}

fn is_worth_it(op: &Op) -> bool {
    let small = match op {
        Op::Dense(dense) => dense.width <= INPUTS,
        Op::Unary { .. } | Op::Binary { .. } | Op::Softmax { .. } | Op::LogSoftmax { .. } => true,
        _ => false,
    };
    small && op.results().1 >= WIDE
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
fn drop_what_nothing_needs(code: &Code, again: &mut [bool]) {
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
