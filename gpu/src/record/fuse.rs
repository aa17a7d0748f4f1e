//! Operations that become one, so that what lies between them is not kept.

use super::op::{Arg, Block, Dense, Op, Row, Space};
use super::program::Program;
use crate::scalar::Activation;

/// Joins the likelihood of a class over the outputs of a dense layer: where nothing else reads them, neither the logits nor their
/// logarithms keep a row, and reverse mode computes them again.
pub(super) fn fuse(program: &mut Program) {
    let reads = reads(program);
    for space in [Space::Start, Space::Period] {
        let block = match space {
            Space::Start => &mut program.start,
            Space::Period => &mut program.period,
        };
        let dead = likelihoods(space, block, &reads[space as usize]);
        if dead.contains(&true) {
            drop_rows(program, space, &dead);
        }
    }
}

/// How often each row of the two blocks is read.
fn reads(program: &Program) -> [Vec<usize>; 2] {
    let mut reads = [vec![0; program.start.rows], vec![0; program.period.rows]];
    let ops = program.start.ops.iter().chain(&program.period.ops);
    let outside = [&program.initial, &program.next, &program.traces];
    let outside = outside.into_iter().flatten().chain([&program.objective]);
    for arg in ops.flat_map(Op::args).chain(outside.copied()) {
        if let Arg::Row(row) = arg {
            reads[row.space as usize][row.index] += 1;
        }
    }
    reads
}

/// Joins what can be joined in a block; returns which of its rows nothing writes any more.
fn likelihoods(space: Space, block: &mut Block, reads: &[usize]) -> Vec<bool> {
    let mut maker = vec![None; block.rows];
    let mut dead = vec![false; block.rows];
    let mut gone = vec![false; block.ops.len()];
    for at in 0..block.ops.len() {
        let (out, rows) = block.ops[at].results();
        maker[out..out + rows].fill(Some(at));
        // The operation whose results are these rows, of which each is read once: here.
        let alone = |x: Row, rows: usize| {
            if x.space != space || x.lag > 0 {
                return None;
            }
            let maker = maker[x.index]?;
            let all = block.ops[maker].results() == (x.index, rows);
            let once = reads[x.index..x.index + rows].iter().all(|&n| n == 1);
            (all && once).then_some(maker)
        };
        let Op::Pick { x, rows, index, .. } = block.ops[at] else {
            continue;
        };
        let Some(shares) = alone(x, rows) else {
            continue;
        };
        let Op::LogSoftmax { x, .. } = block.ops[shares] else {
            continue;
        };
        let Some(layer) = alone(x, rows) else {
            continue;
        };
        let logits = match &block.ops[layer] {
            Op::Dense(dense) if dense.activation == Activation::Identity => Dense {
                out,
                ..dense.clone()
            },
            _ => continue,
        };
        for op in [shares, layer] {
            let (out, rows) = block.ops[op].results();
            dead[out..out + rows].fill(true);
            gone[op] = true;
        }
        block.ops[at] = Op::LogLikelihood { logits, index, out };
    }
    let mut gone = gone.into_iter();
    block.ops.retain(|_| gone.next() != Some(true));
    dead
}

/// Takes rows that nothing writes or reads out of a block; what lay side by side still does.
pub(super) fn drop_rows(program: &mut Program, space: Space, dead: &[bool]) {
    let mut live = 0;
    let place = |&dead: &bool| {
        live += usize::from(!dead);
        // Not read where the row is dead.
        live.saturating_sub(1)
    };
    let places: Vec<usize> = dead.iter().map(place).collect();
    let moved = |arg: Arg| match arg {
        Arg::Row(row) if row.space == space => Arg::Row(Row {
            index: places[row.index],
            ..row
        }),
        other => other,
    };
    let own = match space {
        Space::Start => &mut program.start,
        Space::Period => &mut program.period,
    };
    own.rows = live;
    for op in &mut own.ops {
        // An operation without results lies where the next one's would be, which may be behind the last row.
        op.renumber(|out| places.get(out).copied().unwrap_or(live), moved);
    }
    if space == Space::Start {
        for op in &mut program.period.ops {
            op.renumber(|out| out, moved);
        }
    }
    let outside = [&mut program.initial, &mut program.next, &mut program.traces];
    let outside = outside.into_iter().flatten();
    for arg in outside.chain([&mut program.objective]) {
        *arg = moved(*arg);
    }
}
