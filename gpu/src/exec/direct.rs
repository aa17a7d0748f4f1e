//! Operations number by number, with everything found beforehand that no tile or period changes: the kernels, and where the rows are within the
//! parts of a tile's memory. A short operation takes a few nanoseconds; finding all of this anew took ten times as long.
//!
//! What is left to [`apply`](super::apply) and [`adjoint`](super::adjoint): operations of other kinds, those that look back on earlier periods, and
//! adjoints that go to parameters.

use std::ops::Range;

use super::ring::{Map, Parts, Spot};
use crate::kernel::direct::{self, Back, Fate, Forward};
use crate::kernel::isa::Isa;
use crate::kernel::real::Real;
use crate::record::{Arg, Code, Op, Row, Side, Space};

/// The operations of a side that are found beforehand.
#[derive(Debug)]
pub(super) struct Directs<F> {
    /// Numbers that are one for all lanes, each of which has a row behind those that all tiles share.
    pub(super) fixed: Vec<Arg>,
    start: Vec<Option<Direct<F>>>,
    period: Vec<Option<Direct<F>>>,
}

/// One operation.
#[derive(Debug)]
pub(super) struct Direct<F> {
    forward: Forward<F>,
    back: Option<Back<F>>,
    /// Of the operands and of the results: where the values are, and where the adjoints.
    values: [Spot; 3],
    adjoints: [Spot; 3],
    /// Rows of values; of one that goes with all results there is one.
    rows: [usize; 3],
    /// Rows of adjoints: none of those that are not wanted.
    wanted: [usize; 3],
}

impl<F: Real> Directs<F> {
    pub(super) fn new(isa: Isa, side: &Side) -> Self {
        let mut fixed = Vec::new();
        let [start, period] =
            [(Space::Start, &side.start), (Space::Period, &side.period)].map(|(space, code)| {
                let each =
                    (0..code.ops.len()).map(|at| direct(isa, side, (space, code), at, &mut fixed));
                each.collect()
            });
        Directs {
            fixed,
            start,
            period,
        }
    }

    /// Those of a block, as many as it has operations.
    pub(super) fn of(&self, space: Space) -> &[Option<Direct<F>>] {
        match space {
            Space::Start => &self.start,
            Space::Period => &self.period,
        }
    }
}

/// An operation, if it is one of those.
fn direct<F: Real>(
    isa: Isa,
    side: &Side,
    (space, code): (Space, &Code),
    at: usize,
    fixed: &mut Vec<Arg>,
) -> Option<Direct<F>> {
    let (op, wants, fresh) = (&code.ops[at], code.wants[at], code.fresh[at]);
    let fates = [0, 1].map(|i| Fate::of(wants[i], fresh[i]));
    let (out, results) = op.results();
    let (forward, back, operands) = match op {
        Op::Unary { f, x, rows, .. } => {
            let back = direct::unary_back(isa, *f, fates[0]);
            (direct::unary(isa, *f)?, back, [(*x, *rows), (*x, 0)])
        }
        Op::Binary { f, .. } => {
            let [a, b] = <[_; 2]>::try_from(op.operands()).ok()?;
            let back = direct::binary_back(isa, *f, fates);
            (direct::binary(isa, *f), back, [a, b])
        }
        _ => return None,
    };
    let is_now =
        |(arg, _): &(Arg, usize)| !matches!(arg, Arg::Row(Row { lag: 1.., .. }) | Arg::Shared(_));
    // The longer operand says how long the results are.
    let longest = operands
        .iter()
        .filter(|(arg, _)| matches!(arg, Arg::Row(_)))
        .map(|&(_, rows)| rows)
        .max();
    if !operands.iter().all(is_now) || longest != Some(results) {
        return None;
    }
    let mut spot = |arg: Arg| match arg {
        Arg::Row(row) => Spot::of_value(side, row.space, row.index),
        number => {
            let known = fixed.iter().position(|other| other.is(number));
            let place = known.unwrap_or_else(|| {
                fixed.push(number);
                fixed.len() - 1
            });
            Spot::of_value(side, Space::Period, side.period.rows + place)
        }
    };
    let values = [
        spot(operands[0].0),
        spot(operands[1].0),
        Spot::of_value(side, space, out),
    ];
    let length = |(arg, rows): (Arg, usize)| if matches!(arg, Arg::Row(_)) { rows } else { 1 };
    let of_adjoint = |arg: Arg| match arg {
        Arg::Row(row) => Spot::of_adjoint(side, row.space, row.index),
        _ => Spot::default(),
    };
    let wanted = |i: usize| {
        if fates[i] == Fate::Left {
            0
        } else {
            operands[i].1
        }
    };
    Some(Direct {
        forward,
        back: back.filter(|_| is_told_apart(operands, fates)),
        values,
        adjoints: [
            of_adjoint(operands[0].0),
            of_adjoint(operands[1].0),
            Spot::of_adjoint(side, space, out),
        ],
        rows: [length(operands[0]), length(operands[1]), results],
        wanted: [wanted(0), wanted(1), results],
    })
}

/// Whether the adjoints that are wanted are rows, and rows of their own.
fn is_told_apart(operands: [(Arg, usize); 2], fates: [Fate; 2]) -> bool {
    let range = |i: usize| match operands[i] {
        (Arg::Row(row), rows) => Some((row.space, row.index..row.index + rows)),
        _ => None,
    };
    let wanted = fates.map(|fate| fate != Fate::Left);
    let are_rows = (0..2).all(|i| !wanted[i] || range(i).is_some());
    let overlap = |a: &Range<usize>, b: &Range<usize>| a.start < b.end && b.start < a.end;
    let apart = match (range(0), range(1)) {
        (Some((of_a, a)), Some((of_b, b))) => of_a != of_b || !overlap(&a, &b),
        _ => true,
    };
    are_rows && (apart || wanted != [true; 2])
}

impl<F: Real> Direct<F> {
    /// Computes it.
    #[inline]
    pub(super) fn run(&self, parts: &Parts, rows: &mut [F]) {
        let [a, b, out] = self.values.map(|spot| parts.at(spot));
        let [of_a, of_b, results] = self.rows.map(|rows| rows * parts.width());
        let (before, rest) = rows.split_at_mut(out);
        let (out, after) = rest.split_at_mut(results);
        let resume = before.len() + results;
        let operand = |at: usize, len: usize| {
            if at < before.len() {
                &before[at..at + len]
            } else {
                &after[at - resume..][..len]
            }
        };
        (self.forward)(operand(a, of_a), operand(b, of_b), out);
    }

    /// How its adjoint is computed, if it is here.
    pub(super) fn back(&self) -> Option<Back<F>> {
        self.back
    }

    /// Computes the adjoint.
    #[inline]
    pub(super) fn run_back(
        &self,
        back: Back<F>,
        (values, adjoints): (&Parts, &Parts),
        rows: &[F],
        memory: &mut [F],
    ) {
        let width = values.width();
        let value = |i: usize| &rows[values.at(self.values[i])..][..self.rows[i] * width];
        let range = |i: usize| match self.wanted[i] * width {
            // An empty range within another would count as an overlap.
            0 => 0..0,
            len => {
                let at = adjoints.at(self.adjoints[i]);
                at..at + len
            }
        };
        match memory.get_disjoint_mut([range(0), range(1), range(2)]) {
            Ok([da, db, dy]) => back(value(0), value(1), value(2), dy, da, db),
            // Told apart when it was found, and results are none of the operands.
            Err(_) => unreachable!("an operation writes adjoints that it reads"),
        }
    }
}

/// Fills the rows of the numbers that are one for all lanes.
pub(super) fn fill<F: Real>(fixed: &[Arg], params: &[F], map: &Map, rows: usize, memory: &mut [F]) {
    for (k, &arg) in fixed.iter().enumerate() {
        let value = match arg {
            Arg::Const(c) => F::from_f64(c),
            Arg::Param(i) => params[i],
            _ => F::default(),
        };
        let at = map.of_period(0, rows + k);
        memory[at..at + map.width].fill(value);
    }
}
