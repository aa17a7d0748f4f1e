//! What is computed twice is computed once: operations that do the same to the same rows.

use std::collections::HashMap;

use super::fuse::drop_rows;
use super::gather::neighbours;
use super::op::{Arg, Binary, Op, Reduce, Row, Space, Unary};
use super::program::Program;

/// An operand as a key: its kind, its bits or place, and its lag.
type Operand = (u8, u64, usize);

/// What an operation of one row does, and to what.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Key {
    Unary(Unary, Operand),
    Binary(Binary, [Operand; 2]),
    Select([Operand; 3]),
    Reduce(Reduce, Operand),
}

/// Takes out of a program what repeats an operation that comes before it. Rows that must lie side by side for another operation stay.
pub(super) fn share(program: &mut Program) {
    for space in [Space::Start, Space::Period] {
        let [of_start, of_period] = neighbours(program);
        let (block, joined) = match space {
            Space::Start => (&mut program.start, of_start),
            Space::Period => (&mut program.period, of_period),
        };
        let bound = |row: usize| joined[row] || row > 0 && joined[row - 1];
        // The row in whose place each row is read.
        let mut place: Vec<usize> = (0..block.rows).collect();
        let mut dead = vec![false; block.rows];
        let mut first = HashMap::new();
        block.ops.retain_mut(|op| {
            op.renumber(|out| out, |arg| moved(space, &place, arg));
            let (Some(key), (out, 1)) = (key(op), op.results()) else {
                return true;
            };
            let known = *first.entry(key).or_insert(out);
            dead[out] = known != out && !bound(out);
            if dead[out] {
                place[out] = known;
            }
            !dead[out]
        });
        if dead.contains(&true) {
            replace(program, space, &place);
            drop_rows(program, space, &dead);
        }
    }
}

/// Reads every row of a block in another's place.
pub(super) fn replace(program: &mut Program, space: Space, place: &[usize]) {
    let ops = program.start.ops.iter_mut().chain(&mut program.period.ops);
    ops.for_each(|op| op.renumber(|out| out, |arg| moved(space, place, arg)));
    let outside = [&mut program.initial, &mut program.next, &mut program.traces];
    let outside = outside.into_iter().flatten();
    for arg in outside.chain([&mut program.objective]) {
        *arg = moved(space, place, *arg);
    }
}

fn moved(space: Space, place: &[usize], arg: Arg) -> Arg {
    match arg {
        Arg::Row(row) if row.space == space => Arg::Row(Row {
            index: place[row.index],
            ..row
        }),
        other => other,
    }
}

fn key(op: &Op) -> Option<Key> {
    match op {
        Op::Unary { f, x, rows: 1, .. } => Some(Key::Unary(*f, operand(*x))),
        Op::Binary {
            f, a, b, rows: 1, ..
        } => Some(Key::Binary(*f, [*a, *b].map(operand))),
        Op::Select { mask, yes, no, .. } => Some(Key::Select([*mask, *yes, *no].map(operand))),
        Op::Reduce { f, x, .. } => Some(Key::Reduce(*f, operand(*x))),
        _ => None,
    }
}

fn operand(arg: Arg) -> Operand {
    match arg {
        Arg::Row(Row { space, index, lag }) => (space as u8, index as u64, lag),
        // By bits: zero and minus zero divide differently.
        Arg::Const(c) => (2, c.to_bits(), 0),
        Arg::Param(i) => (3, i as u64, 0),
        Arg::Shared(i) => (4, i as u64, 0),
    }
}

#[cfg(test)]
mod tests {
    use crate::{Program, Scalar, Shape, Start, Step, Var};

    /// A program that makes a number twice, and one that makes it once.
    fn programs(make: impl for<'r> Fn(Var<'r>, Var<'r>, usize) -> Var<'r>) -> [Program; 2] {
        let shape = Shape {
            lane: 2,
            params: 1,
            ..Shape::default()
        };
        [1, 0].map(|other| {
            Program::record(
                shape,
                |_, _| Start::default(),
                |_, i| {
                    let (x, y) = (i.lane[0] * i.params[0], i.lane[1]);
                    let first = make(x, y, 0);
                    let second = if other == 1 { make(x, y, 1) } else { first };
                    Step {
                        objective: first * second,
                        ..Step::new()
                    }
                },
            )
        })
    }

    #[test]
    fn what_repeats_takes_no_room() {
        let [twice, once] = programs(|x, y, _| (((x * y).exp().lane_sum() - y).relu() + x).sqrt());
        assert_eq!(twice.size(), once.size());
    }

    #[test]
    fn what_differs_stays() {
        let zero = |which| Var::constant([0.0, -0.0][which]);
        let [apart, once] = programs(|x, y, which| (x / zero(which)).lane_max() + y);
        assert_eq!(apart.size().lane_rows, once.size().lane_rows + 3);
        let [apart, once] =
            programs(|x, y, which| if which == 0 { x - y } else { y - x } + x.lane_sum());
        assert!(apart.size().operations > once.size().operations);
    }
}
