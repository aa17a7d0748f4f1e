//! Adjoints while a shader is written: known by name, in memory, or zero.

use super::blocks::Kind;
use super::emitter::{Adjoint, Emitter, Lanes};
use super::order::Who;
use crate::record::{Arg, Row, Space};

impl Emitter<'_> {
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

    pub(super) fn add_to_row(&mut self, row: Row, by: &str) {
        if row.lag > 0 {
            if let Some(place) = self.waiting_place(row, "", Lanes::One) {
                self.adjoints_used(row, 1, Who::Lane, true);
                self.line(format_args!(
                    "if (t >= {}u) {{ {place} += {by}; }}",
                    row.lag
                ));
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
                Some(Target {
                    place,
                    adds,
                    lag: 0,
                    summed: false,
                })
            }
            Arg::Param(p) => {
                let &k = self.frame.scalars.get(&p)?;
                let place = self.sum_place(k);
                Some(Target {
                    place,
                    adds: true,
                    lag: 0,
                    summed: true,
                })
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
        Some(Target {
            place,
            adds: true,
            lag: row.lag,
            summed: false,
        })
    }

    /// Adds numbers to a target.
    pub(super) fn put(&mut self, target: &Target, by: &str) {
        let sign = if target.adds { "+=" } else { "=" };
        let place = &target.place;
        if target.summed {
            self.line(format_args!(
                "{place} += dot(select(vec4<f32>(), {by}, alive4), vec4<f32>(1.0));"
            ));
        } else if target.lag > 0 {
            self.line(format_args!(
                "if (t >= {}u) {{ {place} {sign} {by}; }}",
                target.lag
            ));
        } else {
            self.line(format_args!("{place} {sign} {by};"));
        }
    }
}

impl Target {
    /// The same, for a thread a lane.
    pub(super) fn of_one(&self) -> Target {
        let place = self.place.replace(" + lg]", " + l4][lc]");
        Target {
            place,
            ..self.clone()
        }
    }
}
