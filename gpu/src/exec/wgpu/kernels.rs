//! Whole shaders: the text that a device compiles.

use super::declarations::head;
use super::emitter::Emitter;
use super::frame::{Frame, Mode, forward_ops};
use super::packing::Packing;
use super::periods::live_rows;
use super::schedule::{Dispatch, Moment, On, Schedule, When};
use super::shape::{PER_LANE, REGISTERS, THREADS, VECTORS};
use crate::error::Error;
use crate::record::{Phase, Plan, Space};

/// A compiled-to-be shader of a program.
#[derive(Debug)]
pub(super) struct Shader {
    pub(super) text: String,
    pub(super) lane: Frame,
    pub(super) group: Frame,
    /// Whether the groups have operations of their own.
    pub(super) of_groups: bool,
    /// Whether the groups have something to reverse.
    pub(super) groups_back: bool,
    pub(super) schedule: Schedule,
}

impl Shader {
    /// The shader of a program whose lanes are never joined: a workgroup takes its tiles through the whole horizon.
    pub(super) fn tile_major(
        plan: &Plan,
        mode: Mode,
        workgroup_rows: usize,
    ) -> Result<Shader, Error> {
        let lane = Frame::new(plan, false, mode, workgroup_rows);
        let group = Frame::new(plan, true, mode, workgroup_rows);
        let packing = Packing::new(plan);
        let of_groups = !(plan.group.start.ops.is_empty() && plan.group.period.ops.is_empty());
        let live = |space| !live_rows(&plan.lane, space).is_empty();
        let groups_back = mode.reverse && of_groups && (live(Space::Start) || live(Space::Period));
        let mut text = head(plan, lane.shared.max(group.shared), false)?;
        let mut dispatches = Vec::new();
        let frames = [&lane, &group];
        if of_groups {
            text.push_str(&groups_forward(plan, frames, mode, &packing));
            dispatches.push(Dispatch::new("groups_forward", On::Groups));
        }
        text.push_str(&lanes_kernel(plan, frames, mode, &packing));
        dispatches.push(Dispatch::new("lanes", On::Lanes));
        if groups_back {
            text.push_str(&groups_reverse(plan, frames, mode, &packing));
            dispatches.push(Dispatch::new("groups_reverse", On::Groups));
        }
        Ok(Shader {
            text,
            lane,
            group,
            of_groups,
            groups_back,
            schedule: Schedule {
                stages: vec![(When::Once(Moment::First), dispatches)],
            },
        })
    }
}

/// What every entry point begins with.
const THREAD: &str = "
  let q = tid / TILE; let lane = tid % TILE; let l4 = lane >> 2u; let lc = lane & 3u;
  let rq = tid / 8u; let lg = tid % 8u;";

/// What a workgroup knows of the tile of lanes that it takes.
pub(super) const OF_LANES: &str = "
   let first = tile * TILE; let count = min(TILE, U.lanes - first);
   let mine = min(first + lane, U.lanes - 1u); let alive = lane < count;
   let own4 = min(vec4<u32>(first + lg * 4u) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(U.lanes - 1u));
   let alive4 = vec4<u32>(lg * 4u) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(count);
   let src = I[mine]; let src4 = vec4<u32>(I[own4.x], I[own4.y], I[own4.z], I[own4.w]);
   let gid = I[U.gid_at + mine];
   let gid4 = vec4<u32>(I[U.gid_at + own4.x], I[U.gid_at + own4.y], I[U.gid_at + own4.z], I[U.gid_at + own4.w]);
   var weight = U.mean; if (U.weighted != 0u) { weight = D[U.weights_at + src]; }
   if (!alive) { weight = 0.0; }
";

/// What a workgroup knows of the tile of groups that it takes.
pub(super) const OF_GROUPS: &str = "
   let first = tile * TILE; let count = min(TILE, U.groups - first);
   let mine = min(first + lane, U.groups - 1u); let alive = lane < count;
   let own4 = min(vec4<u32>(first + lg * 4u) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(U.groups - 1u));
   let alive4 = vec4<u32>(lg * 4u) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(count);
   let src = mine; let src4 = own4; let gid = mine; let gid4 = own4;
";

pub(super) fn entry(name: &str) -> String {
    format!(
        "@compute @workgroup_size({THREADS})\nfn {name}(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) tid: u32) {{{THREAD}\n"
    )
}

/// Lanes' start: their inputs, what the groups hand over, the operations.
fn start_of_lanes(e: &mut Emitter<'_>, packing: &Packing) {
    use super::blocks::Kind;
    e.space = Space::Start;
    e.enter(Kind::Narrow, true);
    lane_inputs(e);
    for phase in &e.side.start.phases {
        over_at_start(e, phase);
    }
    e.leave();
    e.run(0..e.side.start.ops.len(), packing);
    e.leave();
    e.space = Space::Period;
}

/// The inputs of the lanes, in their rows.
pub(super) fn lane_inputs(e: &mut Emitter<'_>) {
    e.enter(super::blocks::Kind::Narrow, false);
    for k in 0..e.plan.shape.lane {
        let place = e.device(k, "", super::emitter::Lanes::One);
        e.order.note(k..k + 1, super::order::Who::Lane, true);
        e.line(format_args!("{place} = D[{k}u * U.lane_total + src];"));
    }
}

/// What the groups hand over at the beginning of a phase of the start.
pub(super) fn over_at_start(e: &mut Emitter<'_>, phase: &Phase) {
    e.enter(super::blocks::Kind::Narrow, false);
    for (to, from) in super::frame::over_rows_of(phase) {
        let place = e.device(to, "", super::emitter::Lanes::One);
        let value = e.over_value(from);
        e.order.note(to..to + 1, super::order::Who::Lane, true);
        e.line(format_args!("{place} = {value};"));
    }
}

fn lanes_kernel(plan: &Plan, frames: [&Frame; 2], mode: Mode, packing: &Packing) -> String {
    let mut e = Emitter::new(plan, frames, false, mode);
    let mut text = entry("lanes");
    text.push_str("  let s4 = wg.x * U.slot; let gp = wg.x * U.partial;\n");
    let layers = || {
        plan.dense_ops()
            .filter(|(groups, _)| !groups)
            .map(|(_, dense)| dense)
    };
    if mode.reverse {
        clear_sums(&mut e);
        let mut left = REGISTERS;
        for dense in layers() {
            left -= e.reserve(dense, left);
        }
    }
    e.begin("for (var tile = wg.x; tile < U.tiles; tile += U.workgroups)");
    e.line(OF_LANES);
    e.line("if (q == 0u && alive) { OUT[mine] = 0.0; }");
    start_of_lanes(&mut e, packing);
    let forward = forward_ops(e.side, mode);
    let around = e.order.here();
    e.begin("for (var t = 0u; t < U.periods; t += 1u)");
    e.open_period();
    e.run(0..forward, packing);
    e.close_period(!mode.reverse, !(mode.reverse && plan.objective_is_late));
    e.leave();
    e.end();
    e.order.around(around);
    if mode.reverse {
        reverse_of_lanes(&mut e, packing);
    } else {
        e.line("let t = U.periods;");
        final_state(&mut e);
    }
    e.barrier();
    e.end();
    if mode.reverse {
        for dense in layers() {
            e.release(dense);
            e.barrier();
        }
        total_sums(&mut e);
    }
    text.push_str(&e.take());
    text.push_str("}\n");
    text
}

/// The state after the last period: that which the period after it would begin with.
fn final_state(e: &mut Emitter<'_>) {
    e.begin("");
    e.line("let last = t - 1u;");
    e.begin("");
    e.line("let t = last;");
    e.final_state();
    e.end();
    e.end();
}

fn reverse_of_lanes(e: &mut Emitter<'_>, packing: &Packing) {
    let plan = e.plan;
    e.back = true;
    e.clear_back();
    let around = e.order.here();
    e.begin("for (var back = U.periods; back > 0u; back -= 1u)");
    e.line("let t = back - 1u;");
    e.open_back();
    let (late, all) = (e.side.period.late, e.side.period.ops.len());
    e.run(late..all, packing);
    if plan.objective_is_late {
        e.close_period(false, true);
    }
    e.enter(super::blocks::Kind::Narrow, false);
    e.add(plan.objective, 0, "weight");
    e.run_back(0..all, packing);
    e.close_back();
    e.end();
    e.order.around(around);
    e.start_back(packing);
    objective_of_tile(e);
    e.back = false;
}

/// Adds the weighted objectives of a tile to the workgroup's.
pub(super) fn objective_of_tile(e: &mut Emitter<'_>) {
    let place = e.scratch_place(0, "", super::emitter::Lanes::One);
    e.barrier();
    e.line(format_args!(
        "if (q == 0u) {{ {place} = weight * OUT[mine]; }}"
    ));
    e.barrier();
    e.begin("if (tid == 0u)");
    e.line("var s = vec4<f32>();");
    let four = e.scratch_place(0, "", super::emitter::Lanes::At("k"));
    e.line(format_args!(
        "for (var k = 0u; k < {VECTORS}u; k += 1u) {{ s += {four}; }}"
    ));
    e.line("GP[gp + U.params] += (s.x + s.y) + (s.z + s.w);");
    e.end();
}

/// Sums begin at zero.
pub(super) fn clear_sums(e: &mut Emitter<'_>) {
    e.line(format_args!(
        "for (var i = tid; i < U.partial; i += {THREADS}u) {{ GP[gp + i] = 0.0; }}"
    ));
    let rows = e.frame.scalars.len() * PER_LANE;
    if rows > 0 {
        e.line(format_args!(
            "for (var i = tid; i < {}u; i += {THREADS}u) {{ M[s4 + {}u + i] = vec4<f32>(); }}",
            rows * VECTORS,
            e.frame.sums * VECTORS
        ));
    }
    e.barrier();
}

/// The threads' sums of parameters that are read one by one, as one.
pub(super) fn total_sums(e: &mut Emitter<'_>) {
    let count = e.frame.scalars.len();
    if count == 0 {
        return;
    }
    e.barrier();
    e.begin(format_args!(
        "for (var k = tid; k < {count}u; k += {THREADS}u)"
    ));
    e.line("var s = vec4<f32>();");
    e.line(format_args!(
        "for (var i = 0u; i < {0}u; i += 1u) {{ s += M[s4 + {1}u + k * {0}u + i]; }}",
        PER_LANE * VECTORS,
        e.frame.sums * VECTORS
    ));
    let at = if e.groups {
        "U.scalars_at + 1u + I[U.scalars_at]"
    } else {
        "U.scalars_at + 1u"
    };
    e.line(format_args!(
        "GP[gp + I[{at} + k]] += (s.x + s.y) + (s.z + s.w);"
    ));
    e.end();
}

/// The groups forward through all periods.
fn groups_forward(plan: &Plan, frames: [&Frame; 2], mode: Mode, packing: &Packing) -> String {
    let mut e = Emitter::new(plan, frames, true, mode);
    let mut text = entry("groups_forward");
    text.push_str("  let tile = wg.x; let s4 = U.groups_at + wg.x * U.group_slot;\n");
    e.line(OF_GROUPS);
    e.run(0..plan.group.start.ops.len(), packing);
    e.leave();
    e.space = Space::Period;
    let around = e.order.here();
    e.begin("for (var t = 0u; t < U.periods; t += 1u)");
    e.open_period();
    e.run(0..plan.group.period.ops.len(), packing);
    e.leave();
    e.end();
    e.order.around(around);
    text.push_str(&e.take());
    text.push_str("}\n");
    text
}

/// The groups back through all periods: the adjoints of what the lanes read, added up over them.
fn groups_reverse(plan: &Plan, frames: [&Frame; 2], mode: Mode, packing: &Packing) -> String {
    let mut e = Emitter::new(plan, frames, true, mode);
    let mut text = entry("groups_reverse");
    text.push_str("  let tile = wg.x; let s4 = U.groups_at + wg.x * U.group_slot; let gp = (U.workgroups + wg.x) * U.partial;\n");
    clear_sums(&mut e);
    e.line(OF_GROUPS);
    e.space = Space::Period;
    e.back = true;
    e.clear_back();
    let around = e.order.here();
    e.begin("for (var back = U.periods; back > 0u; back -= 1u)");
    e.line("let t = back - 1u;");
    e.open_back();
    super::bridges::from_lanes(&mut e, Space::Period, "t + 1u");
    e.run_back(0..plan.group.period.ops.len(), packing);
    e.close_back();
    e.end();
    e.order.around(around);
    e.space = Space::Start;
    super::bridges::from_lanes(&mut e, Space::Start, "0u");
    e.start_back(packing);
    total_sums(&mut e);
    text.push_str(&e.take());
    text.push_str("}\n");
    text
}
