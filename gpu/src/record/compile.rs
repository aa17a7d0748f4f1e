//! What happens to a recording before it is run: like operations on neighbouring rows become one, operations are ordered
//! into phases, and adjoints that nobody wants are marked.

use std::ops::Range;

use super::fuse;
use super::op::{Arg, Block, Dense, Op, Reduce, Row, Space, Unary};
use super::program::Program;

/// Finishes a recorded program.
pub(super) fn finish(program: &mut Program) {
    fuse::fuse(program);
    for (space, block) in [
        (Space::Start, &mut program.start),
        (Space::Period, &mut program.period),
    ] {
        block.ops = merge(space, std::mem::take(&mut block.ops));
        order(space, block);
    }
    let outputs = program
        .next
        .iter()
        .chain([&program.objective])
        .chain(&program.traces);
    let read = program
        .period
        .ops
        .iter()
        .flat_map(Op::args)
        .chain(outputs.copied());
    program.reach = read.map(lag).max().unwrap_or(0);
    mark(program);
    program.added_to = freshen(program);
}

fn lag(arg: Arg) -> usize {
    match arg {
        Arg::Row(row) => row.lag,
        _ => 0,
    }
}

impl Op {
    /// Every operand, row by row.
    pub(crate) fn args(&self) -> Vec<Arg> {
        let span = |arg: Arg, rows: usize| -> Vec<Arg> {
            match arg {
                Arg::Row(row) => (0..rows).map(|i| Arg::Row(row.offset(i))).collect(),
                other => vec![other],
            }
        };
        let inputs = |dense: &Dense| -> Vec<Arg> {
            let segments = dense.segments.iter();
            segments
                .flat_map(|&(row, rows)| span(Arg::Row(row), rows))
                .collect()
        };
        match self {
            Op::Unary { x, rows, .. } => span(*x, *rows),
            Op::Binary { a, b, rows, .. } => [span(*a, *rows), span(*b, *rows)].concat(),
            Op::Select { mask, yes, no, .. } => vec![*mask, *yes, *no],
            Op::Dense(dense) => inputs(dense),
            Op::LogLikelihood { logits, index, .. } => [inputs(logits), vec![*index]].concat(),
            Op::Softmax { x, rows, .. } | Op::LogSoftmax { x, rows, .. } => {
                span(Arg::Row(*x), *rows)
            }
            Op::Pick { x, rows, index, .. } => [span(Arg::Row(*x), *rows), vec![*index]].concat(),
            Op::Lookup { index, .. } => vec![*index],
            Op::Reduce { x, .. } => vec![*x],
            Op::Custom { inputs, .. } => inputs.clone(),
        }
    }
}

/// Whether `next` continues `arg` after `rows` rows, without reading what those rows compute: they are written to `out` of
/// block `space`.
fn continues(space: Space, arg: Arg, next: Arg, rows: usize, out: usize) -> bool {
    match (arg, next) {
        (Arg::Row(a), Arg::Row(b)) => {
            a.offset(rows) == b && (a.lag > 0 || b.index < out || a.space != space)
        }
        // By bits: zero and minus zero divide differently.
        (Arg::Const(a), Arg::Const(b)) => a.to_bits() == b.to_bits(),
        (a, b) => a == b,
    }
}

/// Joins neighbouring operations of one kind into one over several rows.
fn merge(space: Space, ops: Vec<Op>) -> Vec<Op> {
    let mut merged: Vec<Op> = Vec::with_capacity(ops.len());
    for op in ops {
        let joined = match (merged.last_mut(), &op) {
            (
                Some(Op::Unary { f, x, out, rows }),
                Op::Unary {
                    f: g,
                    x: next,
                    out: place,
                    rows: more,
                },
            ) if f == g && *out + *rows == *place && continues(space, *x, *next, *rows, *out) => {
                *rows += more;
                true
            }
            (
                Some(Op::Binary { f, a, b, out, rows }),
                Op::Binary {
                    f: g,
                    a: next_a,
                    b: next_b,
                    out: place,
                    rows: more,
                },
            ) if f == g
                && *out + *rows == *place
                && continues(space, *a, *next_a, *rows, *out)
                && continues(space, *b, *next_b, *rows, *out) =>
            {
                *rows += more;
                true
            }
            _ => false,
        };
        if !joined {
            merged.push(op);
        }
    }
    merged
}

/// Orders the operations into phases; sums over lanes end the phase that feeds them.
fn order(space: Space, block: &mut Block) {
    let mut level = vec![0_usize; block.rows];
    let mut of_op = Vec::with_capacity(block.ops.len());
    for op in &block.ops {
        let here = |arg: Arg| match arg {
            Arg::Row(row) if row.space == space && row.lag == 0 => level[row.index],
            _ => 0,
        };
        let phase = op.args().into_iter().map(here).max().unwrap_or(0);
        of_op.push(phase);
        let (out, rows) = op.results();
        let after = phase + usize::from(matches!(op, Op::Reduce { .. }));
        level[out..out + rows].fill(after);
    }
    let phases = of_op.iter().copied().max().map_or(1, |top| top + 1);
    // A sum at the end leaves one more phase, empty or not, in which its result is there.
    let phases = phases.max(level.iter().copied().max().unwrap_or(0) + 1);
    let mut numbered: Vec<(usize, bool, Op)> = of_op
        .into_iter()
        .zip(std::mem::take(&mut block.ops))
        .map(|(phase, op)| (phase, matches!(op, Op::Reduce { .. }), op))
        .collect();
    numbered.sort_by_key(|&(phase, sum, _)| (phase, sum));
    let mut start = 0;
    block.phases = (0..phases)
        .map(|phase| {
            let end = start
                + numbered[start..]
                    .iter()
                    .take_while(|(p, ..)| *p == phase)
                    .count();
            std::mem::replace(&mut start, end)..end
        })
        .collect();
    block.ops = numbered.into_iter().map(|(.., op)| op).collect();
}

/// Marks for each dense segment whether anything behind it depends on the parameters.
fn mark(program: &mut Program) {
    let mut active = [
        vec![false; program.start.rows],
        vec![false; program.period.rows],
    ];
    flow(Space::Start, &program.start, &mut active);
    for (k, arg) in program.initial.iter().enumerate() {
        active[1][program.shape.exo + k] |= depends(*arg, &active);
    }
    // Until nothing changes: what is looked back on, and the states, may lie behind what reads them.
    while flow(Space::Period, &program.period, &mut active) | carry_over(program, &mut active) {}
    for block in [&mut program.start, &mut program.period] {
        for op in &mut block.ops {
            if let Some(dense) = op.layer_mut() {
                for (wanted, &(row, rows)) in dense.wanted.iter_mut().zip(&dense.segments) {
                    *wanted = (0..rows).any(|i| depends(Arg::Row(row.offset(i)), &active));
                }
            }
        }
    }
}

fn depends(arg: Arg, active: &[Vec<bool>; 2]) -> bool {
    match arg {
        Arg::Row(Row { space, index, .. }) => active[space as usize][index],
        Arg::Param(_) => true,
        Arg::Const(_) | Arg::Shared(_) => false,
    }
}

/// Passes the marks from the states at the end of a period to those at its beginning; returns whether any is new.
fn carry_over(program: &Program, active: &mut [Vec<bool>; 2]) -> bool {
    let mut changed = false;
    for (k, arg) in program.next.iter().enumerate() {
        let on = depends(*arg, active);
        let mark = &mut active[Space::Period as usize][program.shape.exo + k];
        changed |= on && !*mark;
        *mark |= on;
    }
    changed
}

/// Passes the marks from operands to results; returns whether any is new.
fn flow(space: Space, block: &Block, active: &mut [Vec<bool>; 2]) -> bool {
    let mut changed = false;
    for op in &block.ops {
        let (out, rows) = op.results();
        let on = match op {
            Op::Dense(_) | Op::Lookup { .. } | Op::LogLikelihood { .. } => true,
            Op::Pick { x, rows, .. } => (0..*rows).any(|i| depends(Arg::Row(x.offset(i)), active)),
            Op::Unary {
                f: Unary::Detach | Unary::Positive,
                ..
            }
            | Op::Reduce { f: Reduce::Max, .. } => false,
            other => other.args().into_iter().any(|arg| depends(arg, active)),
        };
        let marks = &mut active[space as usize][out..out + rows];
        changed |= on && !marks.iter().all(|&mark| mark);
        marks.fill(on);
    }
    changed
}

/// Finds the adjoints of the period that a dense layer may write instead of adding to, because nothing has been added to
/// them before in reverse; returns the rows that are added to.
fn freshen(program: &mut Program) -> Vec<Range<usize>> {
    let mut touched = vec![false; program.period.rows];
    let mut touch = |arg: Arg| -> bool {
        match arg {
            Arg::Row(row) if row.space == Space::Period => {
                std::mem::replace(&mut touched[row.index], true)
            }
            _ => false,
        }
    };
    // What comes from outside the period's own operations, or from later periods, is there before them.
    let outside = program.next.iter().chain([&program.objective]);
    outside.for_each(|&arg| _ = touch(arg));
    let ops = &mut program.period.ops;
    let late = ops.iter().flat_map(Op::args).filter(|&arg| lag(arg) > 0);
    late.for_each(|arg| _ = touch(arg));
    let mut added = vec![true; program.period.rows];
    for op in ops.iter_mut().rev() {
        match op.layer_mut() {
            Some(dense) => {
                for (fresh, &(row, rows)) in dense.fresh.iter_mut().zip(&dense.segments) {
                    let before = (0..rows)
                        .filter(|&i| touch(Arg::Row(row.offset(i))))
                        .count();
                    *fresh = row.space == Space::Period && row.lag == 0 && before == 0;
                    if *fresh {
                        added[row.index..row.index + rows].fill(false);
                    }
                }
            }
            None => op.args().into_iter().for_each(|arg| _ = touch(arg)),
        }
    }
    ranges(&added)
}

/// Maximal ranges of marked places.
fn ranges(marks: &[bool]) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for (i, _) in marks.iter().enumerate().filter(|&(_, &mark)| mark) {
        match ranges.last_mut() {
            Some(range) if range.end == i => range.end += 1,
            _ => ranges.push(i..i + 1),
        }
    }
    ranges
}
