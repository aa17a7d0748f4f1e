//! What happens in a period, forward and back: what it begins with, its operations, what it hands on.

use super::blocks::Kind;
use super::emitter::{Adjoint, Emitter, Lanes};
use super::frame::Home;
use super::order::Who;
use super::packing::{Packed, Packing};
use super::shape::NARROW;
use crate::record::{Arg, Code, Op, Phase, Row, Side, Space};

impl Emitter<'_> {
    /// The operations of a range of the block, forward.
    pub(super) fn run(&mut self, ops: std::ops::Range<usize>, packing: &Packing) {
        let code = code_of(self.side, self.space);
        let kinds = super::blocks::kinds(&code.ops[ops.clone()], self.space);
        let mut before = None;
        for (op, (block, kind)) in code.ops[ops].iter().zip(kinds) {
            let anew = kind != Kind::Narrow && before != Some(block);
            before = Some(block);
            match op {
                Op::Dense(dense) => self.layer(dense, packed(packing, dense.id)),
                Op::LogLikelihood { logits, index, out } => {
                    self.likelihood(logits, packed(packing, logits.id), *index, *out);
                }
                Op::Reduce { .. } => {}
                other => {
                    self.enter(kind, anew);
                    self.plain(other);
                }
            }
        }
    }

    /// The adjoints of the operations of a range of the block.
    pub(super) fn run_back(&mut self, ops: std::ops::Range<usize>, packing: &Packing) {
        let code = code_of(self.side, self.space);
        let likelihoods = code
            .ops
            .iter()
            .filter(|op| matches!(op, Op::LogLikelihood { .. }));
        let alone = likelihoods.count() == 1;
        for at in ops.rev() {
            let (op, wants) = (&code.ops[at], code.wants[at]);
            if wants == [false; 2] {
                let (out, rows) = op.results();
                self.consume(out, rows);
                continue;
            }
            match op {
                Op::Dense(dense) => self.layer_back(dense, packed(packing, dense.id)),
                Op::LogLikelihood { logits, index, out } => {
                    let there = alone && self.space == Space::Period && at >= code.late;
                    let layer = (logits, packed(packing, logits.id));
                    self.likelihood_back(layer, *index, *out, there);
                }
                Op::Reduce { .. } => {}
                other => self.plain_back(other, wants),
            }
        }
    }

    /// Copies of rows, each from somewhere: by all threads where neighbours come from neighbours.
    fn copies(&mut self, pairs: &[(Row, Arg)], before_first: bool) {
        let mut at = 0;
        while at < pairs.len() {
            let (to, from) = pairs[at];
            let mut rows = 1;
            while let Some(&(next, of)) = pairs.get(at + rows) {
                let follows = match (from, of) {
                    (Arg::Row(a), Arg::Row(b)) => a.offset(rows) == b && self.neighbours(a, rows),
                    _ => false,
                };
                if !(follows && next == to.offset(rows) && self.neighbours(to, rows)) {
                    break;
                }
                rows += 1;
            }
            if rows > NARROW && !before_first {
                self.enter(Kind::Wide(rows), true);
                let x = self.vector(from, false, rows);
                self.set(to, &x, "r", (rows, Who::Rows(0)), Lanes::Four);
                self.leave();
            } else {
                self.enter(Kind::Narrow, false);
                for i in 0..rows {
                    let x = self.value(from, i);
                    self.set(to.offset(i), &x, "", (1, Who::Lane), Lanes::One);
                }
            }
            at += rows;
        }
    }

    /// Whether a row and the one `rows` behind it lie at the two ends of neighbouring places.
    fn neighbours(&self, row: Row, rows: usize) -> bool {
        if row.space == Space::Start {
            return true;
        }
        let (a, b) = (row.index, row.index + rows);
        let homes = match (self.frame.homes[a], self.frame.homes[b]) {
            (Home::Tape(a), Home::Tape(b)) | (Home::Once(a), Home::Once(b)) => a + rows == b,
            (Home::Input(a), Home::Input(b)) => a + rows == b,
            (Home::Over(a), Home::Over(b)) => a.offset(rows) == b,
            (Home::Nowhere, Home::Nowhere) => true,
            _ => false,
        };
        let hot = match (self.frame.hot[a], self.frame.hot[b]) {
            (Some(a), Some(b)) => a + rows == b,
            (None, None) => true,
            _ => false,
        };
        homes && hot
    }

    /// The state and the inputs of a period, where its operations look for them.
    pub(super) fn open_period(&mut self) {
        let side = self.side;
        let inputs = side.inputs.iter().enumerate();
        self.sources_in_place(inputs.map(|(k, &row)| (row, Home::Input(k))));
        if !self.groups && !self.mode.joined {
            side.period
                .phases
                .iter()
                .for_each(|p| self.over_in_place(p));
        }
        let states = |args: &[Arg], lag: usize| -> Vec<(Row, Arg)> {
            let from = |&arg: &Arg| match arg {
                Arg::Row(row) if row.space == Space::Period => Arg::Row(Row {
                    lag: row.lag + lag,
                    ..row
                }),
                other => other,
            };
            let rows = side.states.iter().map(|&row| Row::of(Space::Period, row));
            rows.zip(args.iter().map(from)).collect()
        };
        if side.states.is_empty() {
            return;
        }
        self.leave();
        self.begin("if (t == 0u)");
        self.copies(&states(&side.initial, 0), true);
        self.leave();
        self.end();
        self.begin("else");
        self.begin("");
        self.copies(&states(&side.next, 1), false);
        self.leave();
        self.end();
        self.end();
    }

    /// Rows of the groups that come over at the beginning of a phase, where they have a place of their own.
    pub(super) fn over_in_place(&mut self, phase: &Phase) {
        let over = super::frame::over_rows_of(phase);
        self.sources_in_place(over.map(|(row, from)| (row, Home::Over(from))));
    }

    /// Inputs, or rows of the groups, that layers read in workgroup memory, or that have a place of their own.
    fn sources_in_place(&mut self, sources: impl Iterator<Item = (usize, Home)>) {
        let frame = self.frame;
        for (row, source) in sources {
            let own = !matches!(frame.homes[row], Home::Input(_) | Home::Over(_));
            let hot = frame.hot[row].is_some();
            if !(hot || own && frame.homes[row] != Home::Nowhere) {
                continue;
            }
            self.enter(Kind::Narrow, false);
            let x = self.source_value(source);
            let x = self.bind(x);
            self.set(
                Row::of(Space::Period, row),
                &x,
                "",
                (1, Who::Lane),
                Lanes::One,
            );
        }
    }

    /// The objective of a period, its traces, and what is kept for the next.
    pub(super) fn close_period(&mut self, traces: bool, objective: bool) {
        self.enter(Kind::Narrow, false);
        let plan = self.plan;
        if traces {
            for (k, &arg) in plan.traces.iter().enumerate() {
                let x = self.value(arg, 0);
                self.line(format_args!(
                    "if (alive) {{ OUT[U.traces_at + (t * {}u + {k}u) * U.lanes + mine] = {x}; }}",
                    plan.traces.len()
                ));
            }
        }
        if objective {
            let x = self.value(plan.objective, 0);
            self.line(format_args!("if (alive) {{ OUT[mine] += {x}; }}"));
        }
    }

    /// The state after the last period.
    pub(super) fn final_state(&mut self) {
        self.enter(Kind::Narrow, true);
        let plan = self.plan;
        for (k, &(of_group, place)) in plan.states.iter().enumerate() {
            let x = match (of_group, plan.group.next.get(place)) {
                (false, _) => self.value(self.side.next[place], 0),
                (true, Some(&Arg::Row(row))) => self.of_group(row),
                (true, Some(&other)) => self.value(other, 0),
                (true, None) => continue,
            };
            self.line(format_args!(
                "if (alive) {{ OUT[U.state_at + {k}u * U.lanes + mine] = {x}; }}"
            ));
        }
        self.leave();
    }

    /// What a period's reverse begins with: what waits for it, the adjoints of the next period's state, the objective's weight.
    pub(super) fn open_back(&mut self) {
        self.adjoints[Space::Period as usize].fill(Adjoint::Zero);
        self.leave();
        self.enter(Kind::Narrow, true);
        let mut waiting: Vec<usize> = self.frame.ring.keys().copied().collect();
        waiting.sort_unstable();
        for row in waiting {
            let row = Row::of(Space::Period, row);
            if let Some(place) = self.waiting_place(row, "", Lanes::One) {
                let d = self.bind(&place);
                self.waiting_used(row);
                self.store(&place, "0.0");
                self.add(Arg::Row(row), 0, &d);
            }
        }
        self.take_state_adjoints(&self.side.next);
    }

    /// What a period's reverse hands on: the adjoints of its state, of its inputs where they are wanted, and of what came over from the
    /// groups.
    pub(super) fn close_back(&mut self) {
        self.enter(Kind::Narrow, false);
        let side = self.side;
        for (k, &row) in side.states.iter().enumerate() {
            let d = self.adjoint(row).unwrap_or_else(|| "0.0".to_owned());
            let row = self.frame.state_adjoints + k;
            self.order.note(row..row + 1, Who::Lane, true);
            let place = self.device(row, "", Lanes::One);
            self.store(&place, &d);
        }
        if self.mode.inputs && !self.groups {
            let inputs = side.inputs.len();
            for (k, &row) in side.inputs.iter().enumerate() {
                let d = self.adjoint(row).unwrap_or_else(|| "0.0".to_owned());
                self.line(format_args!(
                    "if (alive) {{ OUT[U.exo_grad_at + (t * {inputs}u + {k}u) * U.lanes + mine] = {d}; }}"
                ));
            }
        }
        if !self.groups && !self.mode.joined {
            self.hand_over(Space::Period);
        }
        self.adjoints[Space::Period as usize].fill(Adjoint::Zero);
        self.leave();
    }

    /// Adds the adjoints of the state to where the state came from.
    pub(super) fn take_state_adjoints(&mut self, from: &[Arg]) {
        for (k, &arg) in from.iter().enumerate() {
            if let Arg::Const(_) = arg {
                continue;
            }
            let row = self.frame.state_adjoints + k;
            self.order.note(row..row + 1, Who::Lane, false);
            let place = self.device(row, "", Lanes::One);
            let d = self.bind(place);
            self.add(arg, 0, &d);
        }
    }

    fn waiting_used(&mut self, row: Row) {
        if let Some(&place) = self.frame.ring.get(&row.index) {
            let row = self.frame.waiting + place;
            self.order.note(row..row + 1, Who::Lane, true);
        }
    }

    /// Puts the adjoints of what came over from the groups where those find them.
    pub(super) fn hand_over(&mut self, space: Space) {
        let period = if space == Space::Period {
            "t + 1u"
        } else {
            "0u"
        };
        for (b, (row, _)) in live_rows(self.side, space).into_iter().enumerate() {
            let d = self.adjoint(row).unwrap_or_else(|| "0.0".to_owned());
            self.line(format_args!(
                "BA[({period}) * U.over_stride + {b}u * U.lanes_padded + first + lane] = select(0.0, {d}, alive);"
            ));
        }
    }

    /// The adjoints of the start: those of the first state, then the operations.
    pub(super) fn start_back(&mut self, packing: &Packing) {
        self.space = Space::Start;
        self.enter(Kind::Narrow, true);
        self.take_state_adjoints(&self.side.initial);
        self.run_back(0..self.side.start.ops.len(), packing);
        if !self.groups {
            self.enter(Kind::Narrow, false);
            self.hand_over(Space::Start);
            self.lane_gradients();
        }
        self.leave();
    }

    /// The adjoints of the lanes' inputs, where they are wanted.
    pub(super) fn lane_gradients(&mut self) {
        if !self.mode.inputs {
            return;
        }
        for k in 0..self.plan.shape.lane {
            let d = self.adjoint(k).unwrap_or_else(|| "0.0".to_owned());
            self.line(format_args!(
                "if (alive) {{ OUT[U.lane_grad_at + {k}u * U.lanes + mine] = {d}; }}"
            ));
        }
    }

    /// Clears what the way back adds to.
    pub(super) fn clear_back(&mut self) {
        let frame = self.frame;
        let waiting = frame.ring.len() * (self.plan.reach + 1);
        self.leave();
        self.barrier();
        for (first, rows) in [
            (frame.start_adjoints, self.side.start.rows),
            (frame.waiting, waiting),
            (frame.state_adjoints, self.side.states.len()),
        ] {
            if rows == 0 {
                continue;
            }
            let v = super::shape::VECTORS;
            self.line(format_args!(
                "for (var i = tid; i < {}u; i += {}u) {{ M[s4 + {}u + i] = vec4<f32>(); }}",
                rows * v,
                super::shape::THREADS,
                first * v
            ));
        }
        self.barrier();
    }

    /// Where something of a batch or of the groups is read, in the thread's lane.
    pub(super) fn source_value(&self, source: Home) -> String {
        match source {
            Home::Input(k) if self.groups => format!("shared_1(t, {k}u, src)"),
            Home::Input(k) => format!("exo_1(t, {k}u, src)"),
            Home::Over(from) => self.over_value(from),
            _ => String::new(),
        }
    }
}

/// Rows of a block that came over from the groups and whose adjoints are wanted, with the rows that they came from.
pub(super) fn live_rows(side: &Side, space: Space) -> Vec<(usize, Arg)> {
    let phases = code_of(side, space).phases.iter();
    phases.flat_map(live_rows_of).collect()
}

/// Those that came over at the beginning of a phase.
pub(super) fn live_rows_of(phase: &Phase) -> impl Iterator<Item = (usize, Arg)> {
    let live = phase.bridges.iter().filter(|bridge| bridge.live);
    live.flat_map(|bridge| {
        (0..bridge.rows).map(|i| {
            let (from, to) = bridge.row(i);
            (to, from)
        })
    })
}

pub(super) fn code_of(side: &Side, space: Space) -> &Code {
    match space {
        Space::Start => &side.start,
        Space::Period => &side.period,
    }
}

fn packed(packing: &Packing, id: usize) -> &Packed {
    &packing.layers[&id]
}
