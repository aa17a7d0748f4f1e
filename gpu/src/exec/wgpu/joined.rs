//! Programs that join the lanes of a group: every phase of a period is a dispatch, since what one joins the next reads, in whatever workgroup
//! the lanes of a group are.
//!
//! Forward a phase joins lanes, then runs the groups' operations, then the lanes'; backward it runs the lanes' adjoints, joins those of what
//! came over from the groups, then runs the groups', whose adjoints of what was joined the lanes take over in the dispatch after.

use super::blocks::Kind;
use super::declarations::head;
use super::emitter::{Adjoint, Emitter, Lanes};
use super::frame::{Frame, Mode, forward_ops};
use super::join::join;
use super::kernels::{
    OF_GROUPS, OF_LANES, Shader, clear_sums, entry, lane_inputs, objective_of_tile, over_at_start,
    total_sums,
};
use super::order::Who;
use super::packing::Packing;
use super::periods::{code_of, live_rows_of};
use super::schedule::{Dispatch, Moment, On, Schedule, When};
use super::shape::VECTORS;
use crate::error::Error;
use crate::record::{Arg, Code, Plan, Reduce, Row, Space};

/// Adjoints of the groups that lanes take over: of which operand, and the first vector of the group's row.
type Given = Vec<(Arg, usize)>;

/// Writes the entry points one after another.
struct Writer<'p> {
    plan: &'p Plan,
    packing: &'p Packing,
    mode: Mode,
    lane: Emitter<'p>,
    group: Emitter<'p>,
    text: String,
}

impl Shader {
    /// The shader of a program that joins lanes.
    pub(super) fn phase_major(plan: &Plan, mode: Mode) -> Result<Shader, Error> {
        let lane = Frame::new(plan, false, mode, 0);
        let group = Frame::new(plan, true, mode, 0);
        let packing = Packing::new(plan);
        let frames = [&lane, &group];
        let mut writer = Writer {
            plan,
            packing: &packing,
            mode,
            lane: Emitter::new(plan, frames, false, mode),
            group: Emitter::new(plan, frames, true, mode),
            text: head(plan, lane.shared.max(group.shared), true)?,
        };
        let mut stages = vec![
            (When::Once(Moment::First), writer.forward(Space::Start)),
            (When::Forward, writer.forward(Space::Period)),
        ];
        if mode.reverse {
            writer.lane.back = true;
            writer.group.back = true;
            stages.push((When::Backward, writer.backward(Space::Period)));
            let mut last = writer.backward(Space::Start);
            last.extend(writer.totals());
            stages.push((When::Once(Moment::First), last));
        } else {
            let state = writer.of_lanes("state".to_owned(), |e, _| e.final_state());
            stages.push((When::Once(Moment::Last), vec![state]));
        }
        let text = writer.text;
        Ok(Shader {
            text,
            schedule: Schedule { stages },
            lane,
            group,
            of_groups: true,
            groups_back: mode.reverse,
        })
    }
}

impl<'p> Writer<'p> {
    /// An entry point that takes tiles of lanes.
    fn of_lanes(
        &mut self,
        name: String,
        body: impl FnOnce(&mut Emitter<'p>, &Packing),
    ) -> Dispatch {
        let e = &mut self.lane;
        e.begin("for (var tile = wg.x; tile < U.tiles; tile += U.workgroups)");
        e.line("let s4 = tile * U.slot;");
        e.line(OF_LANES);
        body(e, self.packing);
        e.leave();
        e.barrier();
        e.end();
        self.text.push_str(&entry(&name));
        self.text
            .push_str("  let gp = wg.x * U.partial; let t = W.period;\n");
        self.text.push_str(&self.lane.take());
        self.text.push_str("}\n");
        Dispatch::new(name, On::Lanes)
    }

    /// An entry point that takes tiles of groups.
    fn of_groups(
        &mut self,
        name: String,
        body: impl FnOnce(&mut Emitter<'p>, &Packing),
    ) -> Dispatch {
        let e = &mut self.group;
        e.line(OF_GROUPS);
        body(e, self.packing);
        e.leave();
        self.text.push_str(&entry(&name));
        self.text.push_str(
            "  let tile = wg.x; let s4 = U.groups_at + wg.x * U.group_slot; let gp = (U.workgroups + wg.x) * U.partial; let t = W.period;\n",
        );
        self.text.push_str(&self.group.take());
        self.text.push_str("}\n");
        Dispatch::new(name, On::Groups)
    }

    /// An entry point that joins rows.
    fn of_both(
        &mut self,
        name: String,
        rows: &[Reduce],
        value: impl FnMut(&mut Emitter<'_>, usize) -> String,
    ) -> Dispatch {
        let group = self.group.frame;
        let text = join(&mut self.lane, &name, group, rows, value);
        self.text.push_str(&text);
        Dispatch::new(name, On::Join(rows.len()))
    }

    fn codes(&self, space: Space) -> [&'p Code; 2] {
        let plan = self.plan;
        [code_of(&plan.lane, space), code_of(&plan.group, space)]
    }

    /// The phases of a block, forward.
    fn forward(&mut self, space: Space) -> Vec<Dispatch> {
        self.lane.space = space;
        self.group.space = space;
        let [lanes, groups] = self.codes(space);
        let last = lanes.phases.len().saturating_sub(1);
        let mut all = Vec::new();
        for phase in 0..lanes.phases.len() {
            let rows: Vec<(Reduce, Arg, usize)> = groups.phases[phase]
                .bridges
                .iter()
                .flat_map(|bridge| {
                    (0..bridge.rows).map(|i| {
                        let (from, to) = bridge.row(i);
                        (bridge.f, from, to)
                    })
                })
                .collect();
            let name = |what: &str| format!("{what}_{}_{phase}", name_of(space));
            if !rows.is_empty() {
                let reduce: Vec<Reduce> = rows.iter().map(|row| row.0).collect();
                all.push(self.of_both(name("join"), &reduce, |e, b| e.value(rows[b].1, 0)));
            }
            let (mode, own) = (self.mode, groups.phases[phase].ops.clone());
            let opens = phase == 0 && (space == Space::Start || !self.plan.group.states.is_empty());
            if opens || !rows.is_empty() || !own.is_empty() {
                all.push(self.of_groups(name("groups"), |e, packing| {
                    if opens {
                        open(e, mode);
                    }
                    for (b, &(_, _, to)) in rows.iter().enumerate() {
                        receive(e, b, to);
                    }
                    e.run(own, packing);
                }));
            }
            all.push(self.of_lanes(name("lanes"), |e, packing| {
                lanes_forward(e, mode, phase, phase == last, packing);
            }));
        }
        all
    }

    /// The phases of a block, backward.
    fn backward(&mut self, space: Space) -> Vec<Dispatch> {
        self.lane.space = space;
        self.group.space = space;
        let [lanes, groups] = self.codes(space);
        let last = lanes.phases.len().saturating_sub(1);
        let (mut all, mut given) = (Vec::new(), Given::new());
        for phase in (0..lanes.phases.len()).rev() {
            let live: Vec<(usize, Arg)> = live_rows_of(&lanes.phases[phase]).collect();
            let name = |what: &str| format!("{what}_back_{}_{phase}", name_of(space));
            let taken = std::mem::take(&mut given);
            all.push(self.of_lanes(name("lanes"), |e, packing| {
                if phase == last {
                    last_of_lanes(e, packing);
                }
                take_over(e, &taken);
                let ops = lanes.phases[phase].ops.clone();
                e.run_back(ops, packing);
                hand_over(e, &live);
                if phase == 0 {
                    close_lanes(e);
                }
            }));
            if !live.is_empty() {
                let sums = vec![Reduce::Sum; live.len()];
                all.push(self.of_both(name("join"), &sums, |_, b| {
                    format!("BA[{b}u * U.lanes_padded + i]")
                }));
            }
            let own = groups.phases[phase].ops.clone();
            let nothing = own.is_empty() && live.is_empty() && phase != 0 && phase != last;
            if nothing {
                given = adjoints_of_joined(&self.group, &groups.phases[phase]);
            } else {
                all.push(self.of_groups(name("groups"), |e, packing| {
                    if phase == last {
                        open_back(e);
                    }
                    for (b, &(_, from)) in live.iter().enumerate() {
                        receive_adjoint(e, b, from);
                    }
                    e.run_back(own, packing);
                    e.leave();
                    given = adjoints_of_joined(e, &groups.phases[phase]);
                    if phase == 0 && space == Space::Period {
                        e.close_back();
                    }
                }));
            }
        }
        if !given.is_empty() {
            let name = format!("lanes_back_{}", name_of(space));
            all.push(self.of_lanes(name, |e, _| take_over(e, &given)));
        }
        all
    }

    /// The sums of all that was added up on the way.
    fn totals(&mut self) -> Vec<Dispatch> {
        let lanes = self.of_lanes("totals".to_owned(), |e, _| {
            total_sums(e);
            objective_of_tile(e);
        });
        let groups = self.of_groups("totals_of_groups".to_owned(), |e, _| total_sums(e));
        vec![lanes, groups]
    }
}

fn name_of(space: Space) -> &'static str {
    match space {
        Space::Start => "start",
        Space::Period => "period",
    }
}

/// What a block begins with: in the start that nothing has been added up, in a period its state and inputs.
fn open(e: &mut Emitter<'_>, mode: Mode) {
    if e.space == Space::Period {
        e.open_period();
    } else if mode.reverse {
        clear_sums(e);
        e.clear_back();
    }
}

/// A phase of the lanes, forward.
fn lanes_forward(e: &mut Emitter<'_>, mode: Mode, phase: usize, is_last: bool, packing: &Packing) {
    let own = &code_of(e.side, e.space).phases[phase];
    if phase == 0 {
        open(e, mode);
    }
    match e.space {
        Space::Start => {
            if phase == 0 {
                e.line("if (q == 0u && alive) { OUT[mine] = 0.0; }");
                lane_inputs(e);
            }
            over_at_start(e, own);
        }
        Space::Period => e.over_in_place(own),
    }
    e.leave();
    let mut ops = own.ops.clone();
    if e.space == Space::Period {
        ops.end = ops.end.min(forward_ops(e.side, mode));
    }
    e.run(ops, packing);
    if is_last && e.space == Space::Period {
        let late = mode.reverse && e.plan.objective_is_late;
        e.close_period(!mode.reverse, !late);
    }
}

/// Where the way back through a block begins on the side of the lanes.
fn last_of_lanes(e: &mut Emitter<'_>, packing: &Packing) {
    open_back(e);
    if e.space == Space::Start {
        return;
    }
    let (plan, code) = (e.plan, &e.side.period);
    e.run(code.late..code.ops.len(), packing);
    if plan.objective_is_late {
        e.close_period(false, true);
    }
    e.enter(Kind::Narrow, false);
    e.add(plan.objective, 0, "weight");
}

/// Where the way back through a block begins: what waits for it, and the adjoints of the state.
fn open_back(e: &mut Emitter<'_>) {
    match e.space {
        Space::Period => e.open_back(),
        Space::Start => {
            e.enter(Kind::Narrow, true);
            e.take_state_adjoints(&e.side.initial);
        }
    }
}

/// Where the way back through a block ends on the side of the lanes.
fn close_lanes(e: &mut Emitter<'_>) {
    match e.space {
        Space::Period => e.close_back(),
        Space::Start => {
            e.enter(Kind::Narrow, false);
            e.lane_gradients();
        }
    }
}

/// In a shader of groups: a row that was joined, where its operations look for it.
fn receive(e: &mut Emitter<'_>, b: usize, to: usize) {
    e.enter(Kind::Narrow, false);
    let place = e.device(e.frame.joined + b, "", Lanes::One);
    let x = e.bind(place);
    let to = Row::of(e.space, to);
    e.set(to, &x, "", (1, Who::Lane), Lanes::One);
}

/// In a shader of groups: the adjoints of a row that the lanes had from it.
fn receive_adjoint(e: &mut Emitter<'_>, b: usize, from: Arg) {
    e.enter(Kind::Narrow, false);
    let place = e.device(e.frame.joined + b, "", Lanes::One);
    let d = e.bind(place);
    e.add(from, 0, &d);
}

/// The adjoints of what a phase joined that are not zero.
fn adjoints_of_joined(e: &Emitter<'_>, phase: &crate::record::Phase) -> Given {
    let first = match e.space {
        Space::Start => e.frame.start_adjoints,
        Space::Period => e.frame.adjoints,
    };
    let states = &e.adjoints[e.space as usize];
    let rows = live_rows_of(phase).filter(|&(to, _)| states[to] != Adjoint::Zero);
    rows.map(|(to, from)| (from, (first + to) * VECTORS))
        .collect()
}

/// In a shader of lanes: adds the adjoints of the groups' sums to those of what was summed.
fn take_over(e: &mut Emitter<'_>, given: &Given) {
    if given.is_empty() {
        return;
    }
    e.enter(Kind::Narrow, false);
    for &(from, vector) in given {
        let d = e.bind(format_args!("over_1({vector}u, gid)"));
        e.add(from, 0, &d);
    }
}

/// In a shader of lanes: leaves the adjoints of what came over from the groups.
fn hand_over(e: &mut Emitter<'_>, live: &[(usize, Arg)]) {
    if live.is_empty() {
        return;
    }
    e.enter(Kind::Narrow, false);
    for (b, &(row, _)) in live.iter().enumerate() {
        let d = e.adjoint(row).unwrap_or_else(|| "0.0".to_owned());
        e.line(format_args!(
            "BA[{b}u * U.lanes_padded + first + lane] = select(0.0, {d}, alive);"
        ));
    }
}
