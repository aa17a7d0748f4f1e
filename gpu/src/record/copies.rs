//! Copies that need not be made: where a copy brings a row next to others, the operation that makes the row writes it there.

use super::common::replace;
use super::fuse::drop_rows;
use super::gather::neighbours;
use super::op::{Arg, Op, Row, Space, Unary};
use super::program::Program;

/// Takes the copies out of a program whose rows no other operation reads or writes as neighbours of others.
pub(super) fn forward(program: &mut Program) {
    for space in [Space::Start, Space::Period] {
        let joined = &neighbours(program)[space as usize];
        let block = match space {
            Space::Start => &mut program.start,
            Space::Period => &mut program.period,
        };
        let bound = |row: usize| joined[row] || row > 0 && joined[row - 1];
        // The operation that makes each row, where it makes no other, and the row in whose place each is read.
        let mut maker = vec![None; block.rows];
        let mut place: Vec<usize> = (0..block.rows).collect();
        let mut gone = vec![false; block.ops.len()];
        for (at, gone) in gone.iter_mut().enumerate() {
            let (out, rows) = block.ops[at].results();
            if let Some((from, first)) = source(space, &block.ops[at], &maker).filter(|_| rows == 1)
                && !bound(from)
            {
                block.ops[first].renumber(|_| out, |arg| arg);
                (place[from], *gone) = (out, true);
                (maker[from], maker[out]) = (None, Some(first));
            } else if rows == 1 {
                maker[out] = Some(at);
            }
        }
        if !gone.contains(&true) {
            continue;
        }
        let mut each = gone.iter();
        block.ops.retain(|_| each.next() != Some(&true));
        let dead: Vec<bool> = place
            .iter()
            .enumerate()
            .map(|(row, &to)| to != row)
            .collect();
        // From the last copy on: what a row became may have been copied itself.
        for row in (0..place.len()).rev() {
            place[row] = place[place[row]];
        }
        replace(program, space, &place);
        drop_rows(program, space, &dead);
    }
}

/// What a copy of this period reads, and the operation that makes it.
fn source(space: Space, op: &Op, maker: &[Option<usize>]) -> Option<(usize, usize)> {
    match op {
        Op::Unary {
            f: Unary::Copy,
            x:
                Arg::Row(Row {
                    space: of,
                    index,
                    lag: 0,
                }),
            ..
        } if *of == space => Some((*index, maker[*index]?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::prepare::{Keep, plan};
    use super::*;
    use crate::nn::{Activation, Layout};
    use crate::{Program, Scalar, Shape, Start, Step, Var};

    /// A layer of numbers that are computed for it alone, or read as they are; with `twice`, those that are computed are
    /// read by a second layer too.
    fn program(twice: bool) -> Program {
        let mut layout = Layout::new();
        let layers = [layout.dense(4, 3), layout.dense(4, 3)];
        let shape = Shape {
            params: layout.params(),
            lane: 2,
            exo: 1,
            ..Shape::default()
        };
        Program::record(
            shape,
            |_, _| Start::default(),
            |_, i| {
                let (a, b) = (i.lane[0] * i.exo[0], i.lane[1] - i.exo[0]);
                let seen = [a, b, i.exo[0], i.lane[0]];
                let mut out = vec![];
                layers[0].apply(i.params, &[&seen], Activation::Tanh, &mut out);
                if twice {
                    let seen = [b, a, seen[2], seen[3]];
                    layers[1].apply(i.params, &[&seen], Activation::Tanh, &mut out);
                }
                let sum = out.iter().fold(Var::constant(0.0), |sum, &x| sum + x);
                Step {
                    objective: sum.lane_sum(),
                    ..Step::new()
                }
            },
        )
    }

    fn copies(program: &Program) -> usize {
        let plan = plan(program, false, Keep::All);
        let is_copy = |op: &&Op| matches!(op, Op::Unary { f: Unary::Copy, .. });
        let rows = plan
            .lane
            .period
            .ops
            .iter()
            .filter(is_copy)
            .map(|op| op.results().1);
        rows.sum()
    }

    #[test]
    fn numbers_are_made_where_a_layer_reads_them() {
        // Left are the two that no operation of the period makes, and what stands in another place for the second layer.
        assert_eq!(copies(&program(false)), 2);
        assert_eq!(copies(&program(true)), 2 + 4);
    }
}
