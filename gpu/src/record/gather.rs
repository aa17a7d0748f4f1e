//! Operations that do the same to many values, side by side.
//!
//! Code that is written sample by sample, or pair by pair, is recorded so: each operation of one row. Within a phase they may come in any
//! order that their operands allow; here those of one form are put next to each other, and so are their rows, so that they become one
//! operation over many rows and come over to the other side together.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use super::op::{Arg, Block, Op, Row, Space};
use super::program::Program;

/// What is known of the rows of a block: how each is made, and when it is there.
struct Rows {
    /// The same for rows made in the same way of values of the same form.
    form: Vec<u64>,
    /// The sums over lanes that lie behind it, and since then the operations.
    rank: Vec<(usize, usize)>,
}

/// The same program in another order.
pub(super) fn gather(program: &Program) -> Program {
    let [of_start, of_period] = neighbours(program);
    let mut program = program.clone();
    let lane = program.shape.lane;
    let mut start = Rows::inputs(program.start.rows, 0);
    let map = reorder(
        Space::Start,
        &mut program.start,
        lane,
        &of_start,
        &mut start,
        None,
    );
    let start = start.moved(&map);
    program
        .initial
        .iter_mut()
        .for_each(|arg| *arg = moved(Space::Start, &map, *arg));
    for op in &mut program.period.ops {
        op.renumber(|out| out, |arg| moved(Space::Start, &map, arg));
    }
    let fixed = program.shape.exo + program.states();
    let mut period = Rows::inputs(program.period.rows, 1);
    let own = reorder(
        Space::Period,
        &mut program.period,
        fixed,
        &of_period,
        &mut period,
        Some(&start),
    );
    let outside = program.next.iter_mut().chain(&mut program.traces);
    for arg in outside.chain([&mut program.objective]) {
        *arg = moved(Space::Period, &own, moved(Space::Start, &map, *arg));
    }
    program
}

fn moved(space: Space, map: &[usize], arg: Arg) -> Arg {
    match arg {
        Arg::Row(row) if row.space == space => Arg::Row(Row {
            index: map[row.index],
            ..row
        }),
        other => other,
    }
}

impl Rows {
    /// Rows that have come in, all of one form.
    fn inputs(rows: usize, form: u64) -> Self {
        Rows {
            form: vec![form; rows],
            rank: vec![(0, 0); rows],
        }
    }

    fn moved(&self, map: &[usize]) -> Self {
        let mut moved = Rows::inputs(map.len(), 0);
        for (from, &to) in map.iter().enumerate() {
            (moved.form[to], moved.rank[to]) = (self.form[from], self.rank[from]);
        }
        moved
    }
}

/// Puts the operations of a block in another order, and returns the new places of its rows; the first `fixed` stay.
fn reorder(
    space: Space,
    block: &mut Block,
    fixed: usize,
    joined: &[bool],
    rows: &mut Rows,
    start: Option<&Rows>,
) -> Vec<usize> {
    let mut first = HashMap::new();
    let mut keys = Vec::with_capacity(block.ops.len());
    for (i, op) in block.ops.iter().enumerate() {
        let here = |arg: &Arg| match arg {
            Arg::Row(row) if row.space == space && row.lag == 0 => Some(rows.rank[row.index]),
            _ => None,
        };
        let rank = op.args().iter().filter_map(here).max().unwrap_or_default();
        let form = form(op, i, |row| match (row.space, start) {
            (Space::Start, Some(start)) => start.form[row.index],
            _ => rows.form[row.index],
        });
        let (out, count) = op.results();
        let after = match op {
            Op::Reduce { .. } => (rank.0 + 1, 0),
            _ => (rank.0, rank.1 + 1),
        };
        rows.rank[out..out + count].fill(after);
        rows.form[out..out + count].fill(form);
        keys.push((rank, *first.entry(form).or_insert(i), i));
    }
    keys.sort_unstable();
    let map = places(block, fixed, joined, keys.iter().map(|&(.., i)| i));
    let mut ops: Vec<Option<Op>> = std::mem::take(&mut block.ops)
        .into_iter()
        .map(Some)
        .collect();
    block.ops = keys.iter().filter_map(|&(.., i)| ops[i].take()).collect();
    for op in &mut block.ops {
        // An operation without results lies where the next one's would be, which may be behind the last row.
        op.renumber(
            |out| map.get(out).copied().unwrap_or(out),
            |arg| moved(space, &map, arg),
        );
    }
    map
}

/// How an operation makes its results; `form` tells it of the rows that it reads.
fn form(op: &Op, index: usize, form: impl Fn(Row) -> u64) -> u64 {
    let mut hasher = DefaultHasher::new();
    match op {
        Op::Unary { f, .. } => (0, f).hash(&mut hasher),
        Op::Binary { f, .. } => (1, f).hash(&mut hasher),
        Op::Select { .. } => 2.hash(&mut hasher),
        Op::Reduce { f, .. } => (3, f).hash(&mut hasher),
        // Layers and the like stay single.
        _ => (4, index).hash(&mut hasher),
    }
    for arg in op.args() {
        match arg {
            Arg::Row(row) => (0, form(row), row.lag).hash(&mut hasher),
            Arg::Const(c) => (1, c.to_bits()).hash(&mut hasher),
            Arg::Param(i) => (2, i).hash(&mut hasher),
            // Inputs that lie side by side.
            Arg::Shared(_) => 3.hash(&mut hasher),
        }
    }
    hasher.finish()
}

/// For each row of the start and of the period, whether the next one must stay behind it: rows that an operation reads or writes as
/// neighbours, of which those of the start may be read in the period.
pub(super) fn neighbours(program: &Program) -> [Vec<bool>; 2] {
    let rows = [program.start.rows, program.period.rows];
    let mut joined = rows.map(|rows| vec![false; rows]);
    for (space, block) in [
        (Space::Start, &program.start),
        (Space::Period, &program.period),
    ] {
        for op in &block.ops {
            let (out, rows) = op.results();
            let spans = op.operands().into_iter();
            for (arg, rows) in spans.chain([(Arg::Row(Row::of(space, out)), rows)]) {
                if let Arg::Row(row) = arg
                    && rows > 1
                {
                    joined[row.space as usize][row.index..row.index + rows - 1].fill(true);
                }
            }
        }
    }
    joined
}

/// New places of the rows: in the order of the operations that write them, neighbours with each other.
fn places(
    block: &Block,
    fixed: usize,
    joined: &[bool],
    order: impl Iterator<Item = usize>,
) -> Vec<usize> {
    let mut map = vec![usize::MAX; block.rows];
    let mut next = 0;
    let mut put = |row: usize| {
        // The whole run that the row belongs to.
        let first = (0..row)
            .rev()
            .take_while(|&r| joined[r])
            .last()
            .unwrap_or(row);
        let mut run = first;
        while map[run] == usize::MAX {
            map[run] = next;
            next += 1;
            if !joined[run] || run + 1 == block.rows {
                break;
            }
            run += 1;
        }
    };
    (0..fixed).for_each(&mut put);
    for op in order {
        let (out, rows) = block.ops[op].results();
        (out..out + rows).for_each(&mut put);
    }
    map
}
