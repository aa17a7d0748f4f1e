//! From a recording to what an executor runs.

use super::activity;
use super::fuse::fuse;
use super::gather::gather;
use super::late;
use super::layout;
use super::op::{Arg, Op, Row};
use super::plan::{Plan, Scratch};
use super::program::Program;
use super::split::split;

/// A program made ready, to be differentiated with respect to its trained parameters and, where `inputs`, to the lanes' inputs.
pub(crate) fn plan(program: &Program, inputs: bool) -> Plan {
    let mut program = program.clone();
    fuse(&mut program);
    // A program that stays within a lane keeps the order of its recording, and so the order of its sums.
    if program.joins_lanes() {
        program = gather(&program);
    }
    let mut plan = split(&program);
    plan.reach = reach(&plan);
    late::postpone(&mut plan);
    activity::mark(&mut plan, inputs);
    layout::arrange(&mut plan);
    plan.lane.scratch = Scratch::of(&plan.lane);
    plan.group.scratch = Scratch::of(&plan.group);
    plan
}

/// The largest lag of any operand.
fn reach(plan: &Plan) -> usize {
    let lag = |arg: Arg| match arg {
        Arg::Row(Row { lag, .. }) => lag,
        _ => 0,
    };
    let mut largest = 0;
    let mut see = |arg: Arg| largest = lag(arg).max(largest);
    for side in plan.sides() {
        let ops = side.period.ops.iter().flat_map(Op::operands);
        ops.for_each(|(arg, _)| see(arg));
        side.next.iter().for_each(|&arg| see(arg));
        let bridges = side.period.phases.iter().flat_map(|phase| &phase.bridges);
        bridges.for_each(|bridge| see(bridge.from));
    }
    see(plan.objective);
    plan.traces.iter().for_each(|&arg| see(arg));
    largest
}
