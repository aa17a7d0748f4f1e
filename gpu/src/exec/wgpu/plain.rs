//! Operations number by number, forward and back.

use super::blocks::{Kind, kind};
use super::emitter::{Adjoint, Emitter, Lanes, number};
use super::functions as f;
use super::order::Who;
use crate::record::{Arg, CustomOp, Op, Row, Space};

impl Emitter<'_> {
    /// The value of an operation that is no layer.
    pub(super) fn plain(&mut self, op: &Op) {
        let space = self.space;
        match op {
            Op::Unary { f, x, out, rows } => {
                if let Kind::Wide(_) = kind(op) {
                    let x = self.vector(*x, false, *rows);
                    let y = self.bind(f::unary(*f, &x, 4));
                    self.set(Row::of(space, *out), &y, "r", (*rows, Who::Rows(0)), Lanes::Four);
                    return;
                }
                for i in 0..*rows {
                    let x = self.value(*x, i);
                    let y = self.bind(f::unary(*f, &x, 1));
                    self.set(Row::of(space, out + i), &y, "", (1, Who::Lane), Lanes::One);
                }
            }
            Op::Binary { f, a, b, repeated, out, rows } => {
                if let Kind::Wide(_) = kind(op) {
                    let [a, b] = [(*a, repeated[0]), (*b, repeated[1])]
                        .map(|(arg, same)| self.vector(arg, same, *rows));
                    let y = self.bind(f::binary(*f, &a, &b));
                    self.set(Row::of(space, *out), &y, "r", (*rows, Who::Rows(0)), Lanes::Four);
                    return;
                }
                for i in 0..*rows {
                    let [a, b] = [(*a, repeated[0]), (*b, repeated[1])]
                        .map(|(arg, same)| self.value(arg, if same { 0 } else { i }));
                    let y = self.bind(f::binary(*f, &a, &b));
                    self.set(Row::of(space, out + i), &y, "", (1, Who::Lane), Lanes::One);
                }
            }
            Op::Select { mask, yes, no, out } => {
                let [mask, yes, no] = [mask, yes, no].map(|&arg| self.value(arg, 0));
                let y = self.bind(format_args!("select({no}, {yes}, {mask} > 0.5)"));
                self.set(Row::of(space, *out), &y, "", (1, Who::Lane), Lanes::One);
            }
            Op::Custom { op, inputs, out, outputs } => {
                let y = self.call_custom(op.as_ref(), inputs, *outputs);
                for i in 0..*outputs {
                    let y = self.bind(format_args!("{y}[{i}u]"));
                    self.set(Row::of(space, out + i), &y, "", (1, Who::Lane), Lanes::One);
                }
            }
            other => self.of_classes(other),
        }
    }

    fn custom_inputs(&mut self, inputs: &[Arg]) -> String {
        let xs: Vec<String> = inputs.iter().map(|&arg| self.value(arg, 0)).collect();
        let name = self.fresh("x");
        self.line(format_args!("var {name} = array<f32, {}>({});", xs.len(), xs.join(", ")));
        name
    }

    /// Calls an operation of the caller's own; the name of the array of its results.
    fn call_custom(&mut self, op: &dyn CustomOp, inputs: &[Arg], outputs: usize) -> String {
        let x = self.custom_inputs(inputs);
        let y = self.fresh("y");
        self.line(format_args!("var {y} = array<f32, {outputs}>();"));
        self.line(format_args!("{}(&{x}, &{y});", custom_name(op, "forward", inputs.len())));
        y
    }

    /// Adds to the adjoint of an operand's row, in a block of one thread a lane.
    pub(super) fn add(&mut self, arg: Arg, i: usize, by: &str) {
        match arg {
            Arg::Row(row) => self.add_to_row(row.offset(i), by),
            Arg::Param(p) => {
                if let Some(&k) = self.frame.scalars.get(&p) {
                    let place = self.sum_place(k);
                    self.line(format_args!("{place} += select(0.0, {by}, alive);"));
                }
            }
            Arg::Const(_) | Arg::Shared(_) => {}
        }
    }

    /// Where a thread adds up the adjoints of a parameter.
    pub(super) fn sum_place(&self, k: usize) -> String {
        let first = (self.frame.sums + k * super::shape::PER_LANE) * super::shape::VECTORS;
        format!("M[s4 + {first}u + (tid >> 2u)][tid & 3u]")
    }

    fn add_to_row(&mut self, row: Row, by: &str) {
        if row.lag > 0 {
            if let Some(place) = self.waiting_place(row, "", Lanes::One) {
                self.adjoints_used(row, 1, Who::Lane, true);
                self.line(format_args!("if (t >= {}u) {{ {place} += {by}; }}", row.lag));
            }
            return;
        }
        let there = self.adjoints[row.space as usize][row.index] == Adjoint::Memory;
        let foreign = row.space == Space::Start && self.space == Space::Period;
        if there || foreign {
            self.adjoints_used(row, 1, Who::Lane, foreign);
        }
        let place = self.adjoint_place(row, "", Lanes::One);
        // What the start made is added to in each period.
        if row.space == Space::Start && self.space == Space::Period {
            self.line(format_args!("{place} += {by};"));
            return;
        }
        let sum = match &self.adjoints[row.space as usize][row.index] {
            Adjoint::Zero => by.to_owned(),
            Adjoint::Memory => format!("{place} + {by}"),
            Adjoint::Name(name) => format!("{name} + {by}"),
        };
        let name = self.bind(sum);
        self.adjoints[row.space as usize][row.index] = Adjoint::Name(name);
    }

    /// The adjoint of a row of this block, in a block of one thread a lane; none where it is zero.
    pub(super) fn adjoint(&mut self, row: usize) -> Option<String> {
        let space = self.space;
        match self.adjoints[space as usize][row].clone() {
            Adjoint::Zero => None,
            Adjoint::Name(name) => Some(name),
            Adjoint::Memory => {
                self.adjoints_used(Row::of(space, row), 1, Who::Lane, false);
                let place = self.adjoint_place(Row::of(space, row), "", Lanes::One);
                let name = self.bind(place);
                self.adjoints[space as usize][row] = Adjoint::Name(name.clone());
                Some(name)
            }
        }
    }

    /// Forgets adjoints that have been passed on.
    pub(super) fn consume(&mut self, out: usize, rows: usize) {
        self.adjoints[self.space as usize][out..out + rows].fill(Adjoint::Zero);
    }

    /// Brings adjoints of neighbouring rows to memory, in a block of all threads; none is left to do where all are zero.
    pub(super) fn settle(&mut self, row: Row, rows: usize) -> bool {
        let states = &self.adjoints[row.space as usize][row.index..row.index + rows];
        if states.iter().all(|s| *s == Adjoint::Zero) {
            return false;
        }
        let zero: Vec<usize> = (0..rows).filter(|&i| states[i] == Adjoint::Zero).collect();
        if !zero.is_empty() {
            self.enter(Kind::Narrow, false);
            for i in zero {
                self.put_adjoint(row.offset(i), "0.0");
                self.adjoints[row.space as usize][row.index + i] = Adjoint::Memory;
            }
            self.stored();
        }
        true
    }

    /// The adjoint of an operation that is no layer.
    pub(super) fn plain_back(&mut self, op: &Op, wants: [bool; 2]) {
        match op {
            Op::Unary { .. } | Op::Binary { .. } if matches!(kind(op), Kind::Wide(_)) => {
                self.wide_back(op, wants);
            }
            Op::Unary { f, x, out, rows } => {
                self.enter(Kind::Narrow, false);
                for i in (0..*rows).rev() {
                    let Some(dy) = self.adjoint(out + i) else { continue };
                    let (needs_x, needs_y) = f::unary_reads(*f);
                    let v = if needs_x { self.value(*x, i) } else { String::new() };
                    let y = if needs_y { self.own(out + i) } else { String::new() };
                    if let Some(dx) = f::unary_adjoint(*f, &v, &y, &dy, 1) {
                        let dx = self.bind(dx);
                        self.add(*x, i, &dx);
                    }
                }
                self.consume(*out, *rows);
            }
            Op::Binary { f, a, b, repeated, out, rows } => {
                self.enter(Kind::Narrow, false);
                for i in (0..*rows).rev() {
                    let Some(dy) = self.adjoint(out + i) else { continue };
                    for (arg, other, second) in [(*a, *b, false), (*b, *a, true)] {
                        if !wants[usize::from(second)] || matches!(arg, Arg::Const(_)) {
                            continue;
                        }
                        let _ = other;
                        let reads = f::binary_reads(*f, second);
                        let [x, y] = [(*a, 0), (*b, 1)].map(|(arg, k)| {
                            if reads[k] {
                                self.value(arg, if repeated[k] { 0 } else { i })
                            } else {
                                String::new()
                            }
                        });
                        let d = f::binary_adjoint(*f, second, (&x, &y), &dy, 1);
                        let d = self.bind(d);
                        self.add(arg, if repeated[usize::from(second)] { 0 } else { i }, &d);
                    }
                }
                self.consume(*out, *rows);
            }
            Op::Select { mask, yes, no, out } => {
                self.enter(Kind::Narrow, false);
                if let Some(dy) = self.adjoint(*out) {
                    let mask = self.value(*mask, 0);
                    let taken = self.bind(format_args!("select(0.0, {dy}, {mask} > 0.5)"));
                    self.add(*yes, 0, &taken);
                    let left = self.bind(format_args!("select({dy}, 0.0, {mask} > 0.5)"));
                    self.add(*no, 0, &left);
                }
                self.consume(*out, 1);
            }
            Op::Custom { op, inputs, out, outputs } => {
                self.enter(Kind::Narrow, false);
                self.custom_back(op.as_ref(), inputs, (*out, *outputs));
                self.consume(*out, *outputs);
            }
            other => self.of_classes_back(other),
        }
    }

    /// The value of a row of this block.
    pub(super) fn own(&mut self, row: usize) -> String {
        self.value(Arg::Row(Row::of(self.space, row)), 0)
    }

    fn custom_back(&mut self, op: &dyn CustomOp, inputs: &[Arg], (out, outputs): (usize, usize)) {
        let dys: Vec<Option<String>> = (0..outputs).map(|i| self.adjoint(out + i)).collect();
        if dys.iter().all(Option::is_none) {
            return;
        }
        let x = self.custom_inputs(inputs);
        let ys: Vec<String> = (0..outputs).map(|i| self.own(out + i)).collect();
        let dys: Vec<String> = dys.into_iter().map(|dy| dy.unwrap_or_else(|| number(0.0))).collect();
        let (y, dy, dx) = (self.fresh("y"), self.fresh("dy"), self.fresh("dx"));
        self.line(format_args!("var {y} = array<f32, {outputs}>({});", ys.join(", ")));
        self.line(format_args!("var {dy} = array<f32, {outputs}>({});", dys.join(", ")));
        self.line(format_args!("var {dx} = array<f32, {}>();", inputs.len()));
        let call = custom_name(op, "vjp", inputs.len());
        self.line(format_args!("{call}(&{x}, &{y}, &{dy}, &{dx});"));
        for (i, &arg) in inputs.iter().enumerate() {
            let d = self.bind(format_args!("{dx}[{i}u]"));
            self.add(arg, 0, &d);
        }
    }

    /// The adjoint of an operation over many rows: by all threads, each on its own rows.
    fn wide_back(&mut self, op: &Op, wants: [bool; 2]) {
        let (out, rows) = op.results();
        let space = self.space;
        let own = Row::of(space, out);
        if !self.settle(own, rows) {
            return;
        }
        let operands: Vec<(Arg, bool)> = match op {
            Op::Binary { a, b, repeated, .. } => vec![(*a, repeated[0]), (*b, repeated[1])],
            Op::Unary { x, .. } => vec![(*x, false)],
            _ => Vec::new(),
        };
        for (k, &(arg, same)) in operands.iter().enumerate() {
            if !wants[k] || matches!(arg, Arg::Const(_)) {
                continue;
            }
            if same {
                self.repeated_back(op, k, arg);
                continue;
            }
            let Some(target) = self.wide_target(arg, rows) else { continue };
            self.enter(Kind::Wide(rows), true);
            self.adjoint_rows(own, rows, false);
            self.target_used(arg, rows);
            let dy = self.bind(self.adjoint_place(own, "r", Lanes::Four));
            let d = match op {
                Op::Unary { f, x, .. } => {
                    let (needs_x, needs_y) = f::unary_reads(*f);
                    let x = if needs_x { self.vector(*x, false, rows) } else { String::new() };
                    let y = if needs_y { self.vector(Arg::Row(own), false, rows) } else { String::new() };
                    f::unary_adjoint(*f, &x, &y, &dy, 4)
                }
                Op::Binary { f, .. } => {
                    let reads = f::binary_reads(*f, k == 1);
                    let [x, y] = [0, 1].map(|j| match operands.get(j) {
                        Some(&(arg, same)) if reads[j] => self.vector(arg, same, rows),
                        _ => String::new(),
                    });
                    Some(f::binary_adjoint(*f, k == 1, (&x, &y), &dy, 4))
                }
                _ => None,
            };
            if let Some(d) = d {
                self.put(&target, &d);
            }
        }
        self.consume(out, rows);
    }

    /// The adjoint of a row that went with all rows of the other operand.
    fn repeated_back(&mut self, op: &Op, k: usize, arg: Arg) {
        let Op::Binary { f, a, b, out, rows, .. } = op else { return };
        self.enter(Kind::Narrow, true);
        let total = self.fresh("v");
        self.line(format_args!("var {total} = 0.0;"));
        let own = self.value(arg, 0);
        let other = if k == 0 { *b } else { *a };
        self.stored();
        self.adjoints_used(Row::of(self.space, *out), *rows, Who::Lane, false);
        if let Arg::Row(row) = other {
            self.reads(row, *rows, Who::Lane);
        }
        self.begin(format_args!("for (var r = 0u; r < {rows}u; r += 1u)"));
        let dy = self.bind(self.adjoint_place(Row::of(self.space, *out), "r", Lanes::One));
        let z = match other {
            Arg::Row(row) => {
                let place = self.place(row, "r", Lanes::One);
                let z = self.fresh("v");
                self.line(format_args!("var {z} = 0.0;"));
                self.line(format_args!("if (t >= {}u) {{ {z} = {place}; }}", row.lag));
                z
            }
            other => self.value(other, 0),
        };
        let pair = if k == 0 { (own.as_str(), z.as_str()) } else { (z.as_str(), own.as_str()) };
        let d = f::binary_adjoint(*f, k == 1, pair, &dy, 1);
        self.line(format_args!("{total} += {d};"));
        self.end();
        self.add(arg, 0, &total);
    }
}

/// Where all threads add adjoints of rows.
#[derive(Debug, Clone)]
pub(super) struct Target {
    place: String,
    /// Whether what is there counts.
    adds: bool,
    /// Periods that must have passed.
    lag: usize,
    /// A parameter's sum: the rows and lanes as one number a thread.
    summed: bool,
}

impl Emitter<'_> {
    /// Where the adjoints of an operand's rows go, of which a thread is at row `r`; none where nobody wants them.
    pub(super) fn wide_target(&mut self, arg: Arg, rows: usize) -> Option<Target> {
        match arg {
            Arg::Row(row) if row.lag > 0 => Some(Target {
                place: self.waiting_place(row, "r", Lanes::Four)?,
                adds: true,
                lag: row.lag,
                summed: false,
            }),
            Arg::Row(row) => {
                let foreign = row.space == Space::Start && self.space == Space::Period;
                let adds = foreign || self.settle(row, rows);
                self.leave();
                if !foreign {
                    let states = &mut self.adjoints[row.space as usize];
                    states[row.index..row.index + rows].fill(Adjoint::Memory);
                }
                let place = self.adjoint_place(row, "r", Lanes::Four);
                Some(Target { place, adds, lag: 0, summed: false })
            }
            Arg::Param(p) => {
                let &k = self.frame.scalars.get(&p)?;
                let place = self.sum_place(k);
                Some(Target { place, adds: true, lag: 0, summed: true })
            }
            Arg::Const(_) | Arg::Shared(_) => None,
        }
    }

    /// Notes that all threads add adjoints to an operand's rows.
    pub(super) fn target_used(&mut self, arg: Arg, rows: usize) {
        if let Arg::Row(row) = arg {
            self.adjoint_rows(row, rows, true);
        }
    }

    /// Adjoints in memory of rows of which a thread names one.
    pub(super) fn rows_target(&self, row: Row) -> Option<Target> {
        let place = match row.lag {
            0 => self.adjoint_place(row, "r", Lanes::Four),
            _ => self.waiting_place(row, "r", Lanes::Four)?,
        };
        Some(Target { place, adds: true, lag: row.lag, summed: false })
    }

    /// Adds numbers to a target.
    pub(super) fn put(&mut self, target: &Target, by: &str) {
        let sign = if target.adds { "+=" } else { "=" };
        let place = &target.place;
        if target.summed {
            self.line(format_args!("{place} += dot(select(vec4<f32>(), {by}, alive4), vec4<f32>(1.0));"));
        } else if target.lag > 0 {
            self.line(format_args!("if (t >= {}u) {{ {place} {sign} {by}; }}", target.lag));
        } else {
            self.line(format_args!("{place} {sign} {by};"));
        }
    }
}

impl Target {
    /// The same, for a thread a lane.
    pub(super) fn of_one(&self) -> Target {
        let place = self.place.replace(" + lg]", " + l4][lc]");
        Target { place, ..self.clone() }
    }
}

/// The name of a function of an operation of the caller's own.
pub(super) fn custom_name(op: &dyn CustomOp, function: &str, inputs: usize) -> String {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    (op.shader(), inputs).hash(&mut hasher);
    format!("custom_{:x}_{function}", hasher.finish())
}
