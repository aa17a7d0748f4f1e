//! From a recording to what an executor runs.

use super::activity;
use super::again;
use super::common;
use super::copies;
use super::fuse::fuse;
use super::gather::gather;
use super::late;
use super::layout;
use super::op::{Arg, Op, Row};
use super::plan::{Plan, Scratch};
use super::program::Program;
use super::split::split;

/// What a differentiated run keeps of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// All that the way back reads.
    All,
    /// What the wide rows are computed of, instead of them.
    Narrow,
}

/// A program made ready, to be differentiated with respect to its trained parameters and, where `inputs`, to the lanes' inputs.
pub(crate) fn plan(program: &Program, inputs: bool, keep: Keep) -> Plan {
    let mut program = program.clone();
    fuse(&mut program);
    // A program that stays within a lane keeps the order of its recording, and so the order of its sums.
    if program.joins_lanes() {
        common::share(&mut program);
        copies::forward(&mut program);
        program = gather(&program);
    }
    let mut plan = split(&program);
    plan.reach = reach(&plan);
    late::postpone(&mut plan);
    activity::mark(&mut plan, inputs);
    if keep == Keep::Narrow {
        again::mark(&mut plan);
    }
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
