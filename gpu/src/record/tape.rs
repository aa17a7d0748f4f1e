//! What a recording writes to.

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use super::MAX_SEGMENTS;
use super::custom::CustomOp;
use super::op::{Arg, Binary, Block, Dense, Op, Reduce, Row, Space, Unary};
use super::var::Var;
use crate::scalar::Activation;

thread_local! {
    /// The recordings under way on this thread, the innermost last. A constant is made without any handle
    /// ([`Scalar::constant`](crate::Scalar::constant)), so variables find the place they write to here.
    static TAPES: RefCell<Vec<Tape>> = const { RefCell::new(Vec::new()) };
}

/// The operations recorded so far.
#[derive(Debug)]
pub(super) struct Tape {
    space: Space,
    pub(super) start: Block,
    pub(super) period: Block,
    pub(super) dense: usize,
}

/// Stands for the recording under way: given to the closures of [`Program::record`](super::Program::record).
pub struct Recorder {
    _private: (),
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}

impl Recorder {
    /// Records an operation of one's own over values of one lane; see [`CustomOp`].
    pub fn custom<'r>(&'r self, op: Arc<dyn CustomOp>, inputs: &[Var<'r>]) -> Vec<Var<'r>> {
        let outputs = op.outputs();
        let inputs = inputs.iter().map(|v| v.arg).collect();
        let op = |out| Op::Custom {
            op,
            inputs,
            out,
            outputs,
        };
        match with(|tape| tape.push(outputs, op)) {
            Some(row) => rows(row.space, row.index, outputs),
            None => Vec::new(),
        }
    }
}

/// Begins a recording and ends it when it is dropped, whatever happens in between.
#[derive(Debug)]
pub(super) struct Recording {
    pub(super) recorder: Recorder,
}

impl Recording {
    pub(super) fn begin(lane_inputs: usize) -> Self {
        let start = Block {
            rows: lane_inputs,
            ..Block::default()
        };
        let tape = Tape {
            space: Space::Start,
            start,
            period: Block::default(),
            dense: 0,
        };
        TAPES.with_borrow_mut(|tapes| tapes.push(tape));
        Recording {
            recorder: Recorder { _private: () },
        }
    }

    /// Goes over to the period block, whose first rows are its inputs and states.
    pub(super) fn enter_period(&self, rows: usize) {
        with(|tape| {
            tape.space = Space::Period;
            tape.period.rows = rows;
        });
    }

    /// What was recorded.
    pub(super) fn take(&self) -> (Block, Block, usize) {
        with(|tape| {
            let (start, period) = (&mut tape.start, &mut tape.period);
            (std::mem::take(start), std::mem::take(period), tape.dense)
        })
        .unwrap_or_default()
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        TAPES.with_borrow_mut(|tapes| tapes.pop());
    }
}

/// Calls `write` with the recording under way; `None` outside any.
pub(super) fn with<R>(write: impl FnOnce(&mut Tape) -> R) -> Option<R> {
    TAPES.with_borrow_mut(|tapes| tapes.last_mut().map(write))
}

/// Variables of consecutive rows.
pub(super) fn rows<'r>(space: Space, first: usize, count: usize) -> Vec<Var<'r>> {
    let row = |i| Row {
        space,
        index: first + i,
        lag: 0,
    };
    (0..count).map(|i| var(Arg::Row(row(i)))).collect()
}

pub(super) fn var<'r>(arg: Arg) -> Var<'r> {
    Var {
        arg,
        recording: PhantomData,
    }
}

impl Tape {
    /// Adds an operation with `rows` results and returns the first.
    pub(super) fn push(&mut self, rows: usize, make: impl FnOnce(usize) -> Op) -> Row {
        let block = match self.space {
            Space::Start => &mut self.start,
            Space::Period => &mut self.period,
        };
        let out = block.rows;
        block.rows += rows;
        block.ops.push(make(out));
        Row {
            space: self.space,
            index: out,
            lag: 0,
        }
    }

    pub(super) fn unary(&mut self, f: Unary, x: Arg) -> Row {
        self.push(1, |out| Op::Unary { f, x, out, rows: 1 })
    }

    pub(super) fn binary(&mut self, f: Binary, a: Arg, b: Arg) -> Row {
        self.push(1, |out| Op::Binary {
            f,
            a,
            b,
            repeated: [false; 2],
            out,
            rows: 1,
        })
    }

    pub(super) fn copy(&mut self, x: Arg) -> Row {
        self.unary(Unary::Copy, x)
    }

    pub(super) fn reduce(&mut self, f: Reduce, x: Arg) -> Row {
        self.push(1, |out| Op::Reduce { f, x, out })
    }

    pub(super) fn pick(&mut self, values: &[Arg], index: Arg) -> Row {
        let (x, rows) = (self.neighbours(values), values.len());
        self.push(1, |out| Op::Pick {
            x,
            rows,
            index,
            out,
        })
    }

    pub(super) fn lookup(&mut self, table: usize, entries: usize, width: usize, index: Arg) -> Row {
        self.push(width, |out| Op::Lookup {
            table,
            entries,
            width,
            index,
            out,
        })
    }

    /// The value `lag > 0` periods ago; `None` where nothing has a past, in the start block.
    pub(super) fn delay(&mut self, x: Arg, lag: usize) -> Option<Row> {
        if self.space == Space::Start {
            return None;
        }
        let row = match x {
            Arg::Row(row) if row.space == Space::Period => row,
            // The same in every period, but zero before the first: a row of the period that can be looked back on.
            other => self.copy(other),
        };
        Some(Row {
            lag: row.lag + lag,
            ..row
        })
    }

    /// The first row of the results of a dense layer whose weights, and biases if any, are parameters.
    pub(super) fn dense(
        &mut self,
        weights: usize,
        bias: Option<usize>,
        inputs: &[Arg],
        outputs: usize,
        activation: Activation,
    ) -> Row {
        let segments = self.segments(inputs);
        let id = self.dense;
        self.dense += 1;
        let (wanted, fresh) = (vec![true; segments.len()], vec![false; segments.len()]);
        self.push(outputs, |out| {
            Op::Dense(Dense {
                weights,
                bias,
                segments,
                width: inputs.len(),
                outputs,
                out,
                activation,
                saved: 0,
                id,
                trained: true,
                wanted,
                fresh,
            })
        })
    }

    /// The first of consecutive rows that hold the values, of which there is at least one: copies unless they lie so.
    pub(super) fn neighbours(&mut self, values: &[Arg]) -> Row {
        if let Some(rows) = as_rows(values)
            && runs(&rows).len() == 1
        {
            return rows[0];
        }
        let copies: Vec<Row> = values.iter().map(|&arg| self.copy(arg)).collect();
        copies[0]
    }

    /// The values as runs of consecutive rows of one space and lag; a run of fewer than four rows is copied beside its
    /// neighbours, so that the kernels see few, long segments.
    fn segments(&mut self, values: &[Arg]) -> Vec<(Row, usize)> {
        if let Some(rows) = as_rows(values) {
            let runs = runs(&rows);
            let long = runs.len() <= MAX_SEGMENTS && runs.iter().all(|&(_, n)| n >= 4);
            if runs.len() == 1 || long {
                return runs;
            }
        }
        let copies: Vec<Row> = values.iter().map(|&arg| self.copy(arg)).collect();
        runs(&copies)
    }
}

/// The values as rows, if all are.
fn as_rows(values: &[Arg]) -> Option<Vec<Row>> {
    let as_row = |&arg: &Arg| match arg {
        Arg::Row(row) => Some(row),
        _ => None,
    };
    values.iter().map(as_row).collect()
}

/// Maximal runs of consecutive rows.
fn runs(rows: &[Row]) -> Vec<(Row, usize)> {
    let mut runs: Vec<(Row, usize)> = Vec::new();
    for &row in rows {
        match runs.last_mut() {
            Some((first, n)) if first.offset(*n) == row => *n += 1,
            _ => runs.push((row, 1)),
        }
    }
    runs
}
