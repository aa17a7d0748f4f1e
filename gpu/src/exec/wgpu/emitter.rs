//! Text of a shader for one side of a program: where numbers are read and written, and what is known of them at each place.

use std::collections::HashMap;
use std::fmt::Display;

use super::blocks::Kind;
use super::frame::{Frame, Mode};
use super::order::{Order, Who};
use crate::record::{Arg, Plan, Row, Side, Space};

/// Which lanes of a row an expression reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lanes<'s> {
    /// The thread's own.
    One,
    /// The thread's four.
    Four,
    /// Four of them, by the number of the vector.
    At(&'s str),
}

/// What is known of the adjoint of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Adjoint {
    Zero,
    Memory,
    Name(String),
}

/// Writes the code of one side.
#[derive(Debug)]
pub(super) struct Emitter<'p> {
    pub(super) plan: &'p Plan,
    pub(super) side: &'p Side,
    pub(super) frame: &'p Frame,
    /// Where the rows of the groups lie.
    pub(super) over: &'p Frame,
    pub(super) groups: bool,
    pub(super) mode: Mode,
    /// The block of the program that is written.
    pub(super) space: Space,
    /// Whether the code goes back through the periods.
    pub(super) back: bool,
    pub(super) text: String,
    depth: usize,
    names: usize,
    open: Option<Kind>,
    known: HashMap<Row, String>,
    pub(super) adjoints: [Vec<Adjoint>; 2],
    pub(super) order: Order,
    /// What a block of one thread a lane stores when it ends: loads that do not wait for stores can be under way together.
    stores: Vec<String>,
    /// Layers whose weight gradients are summed in registers, by id, and how many numbers a thread has for each pass.
    pub(super) registers: HashMap<usize, usize>,
}

impl<'p> Emitter<'p> {
    pub(super) fn new(plan: &'p Plan, frames: [&'p Frame; 2], groups: bool, mode: Mode) -> Self {
        let side = if groups { &plan.group } else { &plan.lane };
        Emitter {
            plan,
            side,
            frame: frames[usize::from(groups)],
            over: frames[1],
            groups,
            mode,
            space: Space::Start,
            back: false,
            text: String::new(),
            depth: 1,
            names: 0,
            open: None,
            known: HashMap::new(),
            adjoints: [
                vec![Adjoint::Memory; side.start.rows],
                vec![Adjoint::Zero; side.period.rows],
            ],
            order: Order::default(),
            stores: Vec::new(),
            registers: HashMap::new(),
        }
    }

    pub(super) fn line(&mut self, line: impl Display) {
        for _ in 0..self.depth {
            self.text.push(' ');
        }
        self.text.push_str(&line.to_string());
        self.text.push('\n');
    }

    pub(super) fn begin(&mut self, head: impl Display) {
        self.line(format_args!("{head} {{"));
        self.depth += 1;
    }

    pub(super) fn end(&mut self) {
        self.depth -= 1;
        self.line("}");
    }

    /// Forgets under which names numbers are known.
    pub(super) fn forget(&mut self) {
        self.known.clear();
    }

    /// A name that is not used yet.
    pub(super) fn fresh(&mut self, stem: &str) -> String {
        self.names += 1;
        format!("{stem}{}", self.names)
    }

    /// A number under a new name.
    pub(super) fn bind(&mut self, expression: impl Display) -> String {
        let name = self.fresh("v");
        self.line(format_args!("let {name} = {expression};"));
        name
    }

    /// What all threads have written is seen by all.
    pub(super) fn barrier(&mut self) {
        self.line("storageBarrier(); workgroupBarrier();");
        self.order.settle();
    }

    /// Threads wait for one another; whether for device memory too is known when the text is complete.
    pub(super) fn meet(&mut self) {
        let block = self.order.begin();
        self.line(format_args!("\u{1}{block}\u{1}workgroupBarrier();"));
    }

    /// The text since this was asked last, with the barriers that it needs.
    pub(super) fn take(&mut self) -> String {
        let written = std::mem::take(&mut self.text);
        let order = std::mem::take(&mut self.order);
        let mut parts = written.split('\u{1}');
        let mut text = parts.next().unwrap_or_default().to_owned();
        while let (Some(block), Some(rest)) = (parts.next(), parts.next()) {
            if block.parse().is_ok_and(|block| order.needs(block)) {
                text.push_str("storageBarrier(); ");
            }
            text.push_str(rest);
        }
        text
    }

    /// Stores a number of the thread's lane when the block ends, or at once in other blocks.
    pub(super) fn store(&mut self, place: &str, value: &str) {
        let line = format!("{place} = {value};");
        if self.open == Some(Kind::Narrow) {
            self.stores.push(line);
        } else {
            self.line(line);
        }
    }

    /// Stores what waits.
    pub(super) fn stored(&mut self) {
        for line in std::mem::take(&mut self.stores) {
            self.line(line);
        }
    }

    /// Goes on in a block of code of some kind; what the threads have done before is seen by all.
    pub(super) fn enter(&mut self, kind: Kind, anew: bool) {
        if !anew && self.open == Some(kind) {
            return;
        }
        self.leave();
        self.meet();
        match kind {
            Kind::Narrow => self.begin("if (q == 0u)"),
            Kind::Wide(rows) => self.begin(format_args!(
                "for (var r = rq; r < {rows}u; r += {}u)",
                super::shape::ROWS_AT_ONCE
            )),
            Kind::Layer => self.begin(""),
        }
        self.open = Some(kind);
    }

    /// Ends the block of code: adjoints that are known by name alone go to memory.
    pub(super) fn leave(&mut self) {
        let Some(kind) = self.open.take() else {
            return;
        };
        if kind == Kind::Narrow {
            self.stored();
            for space in [Space::Start, Space::Period] {
                for index in 0..self.adjoints[space as usize].len() {
                    if let Adjoint::Name(name) = self.adjoints[space as usize][index].clone() {
                        self.put_adjoint(Row::of(space, index), &name);
                        self.stored();
                        self.adjoints[space as usize][index] = Adjoint::Memory;
                    }
                }
            }
        }
        self.known.clear();
        self.end();
    }

    /// The same of a row that may be of an earlier period, under a name.
    pub(super) fn of_group(&mut self, row: Row) -> String {
        let place = self.over_place(row, row.lag, "", Lanes::One);
        self.look_up(row, "f32", &place)
    }

    /// An operand's number in the thread's lane; `i` counts rows.
    pub(super) fn value(&mut self, arg: Arg, i: usize) -> String {
        match arg {
            Arg::Const(c) => number(c),
            Arg::Param(p) => format!("P[{p}u]"),
            Arg::Shared(k) => format!("shared_1(t, {k}u, src)"),
            Arg::Row(row) => {
                let row = row.offset(i);
                if let Some(name) = self.known.get(&row) {
                    return name.clone();
                }
                self.reads(row, 1, Who::Lane);
                let place = self.place(row, "", Lanes::One);
                let name = self.look_up(row, "f32", &place);
                self.known.insert(row, name.clone());
                name
            }
        }
    }

    /// Four of an operand's numbers, of the row among `rows` that the thread is at; one row for all of them where it is repeated.
    pub(super) fn vector(&mut self, arg: Arg, repeated: bool, rows: usize) -> String {
        match arg {
            Arg::Row(row) => {
                if let Some(name) = self.known.get(&row) {
                    return name.clone();
                }
                let add = if repeated { "" } else { "r" };
                if repeated {
                    self.reads(row, 1, Who::All);
                } else {
                    self.reads_rows(row, rows);
                }
                let place = self.place(row, add, Lanes::Four);
                let name = self.look_up(row, "vec4<f32>", &place);
                self.known.insert(row, name.clone());
                name
            }
            other => format!("vec4<f32>({})", self.value(other, 0)),
        }
    }

    /// Notes that the threads read rows, each every sixteenth.
    pub(super) fn reads_rows(&mut self, row: Row, rows: usize) {
        let who = Who::Rows(self.slot_row(row).unwrap_or_default());
        self.reads(row, rows, who);
    }

    /// Notes that rows' values are read.
    pub(super) fn reads(&mut self, row: Row, rows: usize, who: Who) {
        let hot = !self.back
            && row.lag == 0
            && row.space == Space::Period
            && self.frame.hot[row.index].is_some();
        if let (false, Some(first)) = (hot, self.slot_row(row)) {
            self.order.note(first..first + rows, who, false);
        }
    }

    /// Notes that adjoints of rows are read or written.
    pub(super) fn adjoints_used(&mut self, row: Row, rows: usize, who: Who, write: bool) {
        if let Some(first) = self.adjoint_row(row) {
            self.order.note(first..first + rows, who, write);
        }
    }

    /// The same, where each thread has every sixteenth row.
    pub(super) fn adjoint_rows(&mut self, row: Row, rows: usize, write: bool) {
        let who = Who::Rows(self.adjoint_row(row).unwrap_or_default());
        self.adjoints_used(row, rows, who, write);
    }

    /// Puts the adjoint of a row in the thread's lane to memory.
    pub(super) fn put_adjoint(&mut self, row: Row, value: &str) {
        self.adjoints_used(row, 1, Who::Lane, true);
        let place = self.adjoint_place(row, "", Lanes::One);
        self.store(&place, value);
    }

    pub(super) fn look_up(&mut self, row: Row, kind: &str, place: &str) -> String {
        if row.lag == 0 {
            return self.bind(place);
        }
        let name = self.fresh("v");
        self.line(format_args!("var {name} = {kind}();"));
        self.line(format_args!(
            "if (t >= {}u) {{ {name} = {place}; }}",
            row.lag
        ));
        name
    }

    /// Takes a new value of a row of this block, the first of `rows` that the threads share as `who` says; it goes to wherever it is read
    /// later.
    pub(super) fn set(
        &mut self,
        row: Row,
        value: &str,
        add: &str,
        (rows, who): (usize, Who),
        lanes: Lanes<'_>,
    ) {
        if row.space == Space::Period
            && !self.back
            && let Some(hot) = self.frame.hot[row.index]
        {
            let place = Self::workgroup(hot, add, lanes);
            self.store(&place, value);
        }
        if let Some(first) = self.slot_row(row) {
            let who = if let Who::Rows(_) = who {
                Who::Rows(first)
            } else {
                who
            };
            let who = if let Who::Blocks(each, _) = who {
                Who::Blocks(each, first)
            } else {
                who
            };
            self.order.note(first..first + rows, who, true);
            let place = if row.space == Space::Start {
                self.device(row.index, add, lanes)
            } else {
                self.home_place(row, add, lanes)
            };
            self.store(&place, value);
        }
        let whole = lanes == Lanes::One && add.is_empty();
        if whole || lanes == Lanes::Four && matches!(self.open, Some(Kind::Wide(_))) {
            self.known.insert(row, value.to_owned());
        }
    }

    /// As [`set`](Self::set) of the rows of a layer whose home keeps what its activation is of: that, and the value.
    pub(super) fn set_raw(
        &mut self,
        row: Row,
        (z, y): (&str, &str),
        add: &str,
        (rows, who): (usize, Who),
    ) {
        if let Some(hot) = self.frame.hot[row.index] {
            let place = Self::workgroup(hot, add, Lanes::At("lg"));
            self.store(&place, y);
        }
        if let Some(first) = self.slot_row(row) {
            let who = if let Who::Blocks(each, _) = who {
                Who::Blocks(each, first)
            } else {
                Who::Rows(first)
            };
            self.order.note(first..first + rows, who, true);
            let place = self.home_place(row, add, Lanes::At("lg"));
            self.store(&place, z);
        }
    }
}

/// A number in the text of a shader.
#[allow(
    clippy::cast_possible_truncation,
    reason = "shaders compute in single precision"
)]
pub(super) fn number(c: f64) -> String {
    let c = c as f32;
    if c.is_nan() {
        return "bitcast<f32>(U.nan)".to_owned();
    }
    if c.is_infinite() {
        let sign = if c < 0.0 { "-" } else { "" };
        return format!("({sign}bitcast<f32>(U.infinity))");
    }
    if c == 0.0 || c.is_normal() {
        let text = format!("{c:?}");
        return if text.starts_with('-') {
            format!("({text}f)")
        } else {
            format!("{text}f")
        };
    }
    format!("bitcast<f32>({}u)", c.to_bits())
}
