//! The recorder and its variable.

use std::cell::RefCell;
use std::fmt;
use std::ops::{Add, Div, Mul, Neg, Sub};
use std::sync::Arc;

use super::MAX_SEGMENTS;
use super::custom::CustomOp;
use super::op::{Arg, Binary, Block, Dense, Op, Row, Space, Unary};
use crate::scalar::{Activation, DelayLine, RoundGradient, Scalar, dense_outputs};

/// Collects the operations of a program while its start and its period are run once on [`Var`]s.
pub struct Recorder {
    space: RefCell<Space>,
    blocks: RefCell<[Block; 2]>,
    dense: RefCell<usize>,
    sums: RefCell<usize>,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("space", &self.space.borrow())
            .finish_non_exhaustive()
    }
}

/// A value of a program that is being recorded: a small handle, copied freely.
///
/// It implements [`Scalar`], so whatever is written against `Scalar` can be recorded. It stays inside the closures given to
/// [`Program::record`](super::Program::record).
#[derive(Clone, Copy)]
pub struct Var<'r> {
    pub(super) arg: Arg,
    pub(super) recorder: Option<&'r Recorder>,
}

impl fmt::Debug for Var<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Var({:?})", self.arg)
    }
}

impl Recorder {
    pub(super) fn new(start_rows: usize, period_rows: usize) -> Self {
        let block = |rows| Block {
            rows,
            ..Block::default()
        };
        Recorder {
            space: RefCell::new(Space::Start),
            blocks: RefCell::new([block(start_rows), block(period_rows)]),
            dense: RefCell::new(0),
            sums: RefCell::new(0),
        }
    }

    pub(super) fn enter(&self, space: Space) {
        *self.space.borrow_mut() = space;
    }

    /// Sets aside the period's input and state rows.
    pub(super) fn reserve(&self, rows: usize) {
        self.blocks.borrow_mut()[Space::Period as usize].rows = rows;
    }

    pub(super) fn into_blocks(self) -> ([Block; 2], usize, usize) {
        (
            self.blocks.into_inner(),
            self.dense.into_inner(),
            self.sums.into_inner(),
        )
    }

    pub(super) fn var(&self, arg: Arg) -> Var<'_> {
        Var {
            arg,
            recorder: Some(self),
        }
    }

    pub(super) fn rows(&self, space: Space, first: usize, count: usize) -> Vec<Var<'_>> {
        (0..count)
            .map(|i| {
                self.var(Arg::Row(Row {
                    space,
                    index: first + i,
                    lag: 0,
                }))
            })
            .collect()
    }

    /// Adds an operation with `rows` results and returns the first.
    fn push(&self, rows: usize, make: impl FnOnce(usize, &mut Block) -> Op) -> Row {
        let space = *self.space.borrow();
        let mut blocks = self.blocks.borrow_mut();
        let block = &mut blocks[space as usize];
        let out = block.rows;
        block.rows += rows;
        let op = make(out, block);
        block.ops.push(op);
        Row {
            space,
            index: out,
            lag: 0,
        }
    }

    fn unary(&self, f: Unary, x: Arg) -> Var<'_> {
        let row = self.push(1, |out, _| Op::Unary { f, x, out, rows: 1 });
        self.var(Arg::Row(row))
    }

    fn binary(&self, f: Binary, a: Arg, b: Arg) -> Var<'_> {
        let row = self.push(1, |out, _| Op::Binary {
            f,
            a,
            b,
            out,
            rows: 1,
        });
        self.var(Arg::Row(row))
    }

    /// The value itself when it is a row, else a row that holds it.
    fn row_of(&self, arg: Arg) -> Row {
        match arg {
            Arg::Row(row) => row,
            other => self.push(1, |out, _| Op::Unary {
                f: Unary::Copy,
                x: other,
                out,
                rows: 1,
            }),
        }
    }

    /// The values as runs of consecutive rows of one space and lag; a run of fewer than four rows is copied beside its
    /// neighbours, so that the kernels see few, long segments.
    fn segments(&self, values: &[Var<'_>]) -> Vec<(Row, usize)> {
        let runs = runs(values.iter().map(|v| self.row_of(v.arg)));
        if runs.len() <= 1 || (runs.len() <= MAX_SEGMENTS && runs.iter().all(|&(_, n)| n >= 4)) {
            return runs;
        }
        let rows: Vec<Row> = runs
            .iter()
            .flat_map(|&(row, n)| (0..n).map(move |i| row.offset(i)))
            .collect();
        let copies = rows
            .into_iter()
            .map(|row| self.row_copy(Arg::Row(row)))
            .collect::<Vec<_>>();
        let joined = self::runs(copies.into_iter());
        debug_assert_eq!(joined.len(), 1);
        joined
    }

    fn row_copy(&self, x: Arg) -> Row {
        self.push(1, |out, _| Op::Unary {
            f: Unary::Copy,
            x,
            out,
            rows: 1,
        })
    }

    /// Records an operation of one's own over values of one lane; see [`CustomOp`].
    pub fn custom<'r>(&'r self, op: Arc<dyn CustomOp>, inputs: &[Var<'r>]) -> Vec<Var<'r>> {
        let outputs = op.outputs();
        let inputs = inputs.iter().map(|v| v.arg).collect();
        let row = self.push(outputs, |out, _| Op::Custom {
            op,
            inputs,
            out,
            outputs,
        });
        self.rows(row.space, row.index, outputs)
    }
}

/// Maximal runs of consecutive rows.
fn runs(rows: impl Iterator<Item = Row>) -> Vec<(Row, usize)> {
    let mut runs: Vec<(Row, usize)> = Vec::new();
    for row in rows {
        match runs.last_mut() {
            Some((first, n)) if first.offset(*n) == row => *n += 1,
            _ => runs.push((row, 1)),
        }
    }
    runs
}

impl<'r> Var<'r> {
    fn constant_value(self) -> Option<f64> {
        match self.arg {
            Arg::Const(c) => Some(c),
            _ => None,
        }
    }

    fn apply1(self, f: Unary, plain: impl Fn(f64) -> f64) -> Self {
        match (self.arg, self.recorder) {
            (Arg::Const(c), _) => Var::constant(plain(c)),
            (x, Some(recorder)) => recorder.unary(f, x),
            (_, None) => self,
        }
    }

    fn apply2(self, other: Self, f: Binary, plain: impl Fn(f64, f64) -> f64) -> Self {
        if let (Some(a), Some(b)) = (self.constant_value(), other.constant_value()) {
            return Var::constant(plain(a, b));
        }
        match self.recorder.or(other.recorder) {
            Some(recorder) => recorder.binary(f, self.arg, other.arg),
            None => self,
        }
    }
}

impl Add for Var<'_> {
    type Output = Self;
    fn add(self, o: Self) -> Self {
        match (self.constant_value(), o.constant_value()) {
            (Some(0.0), _) => o,
            (_, Some(0.0)) => self,
            _ => self.apply2(o, Binary::Add, |a, b| a + b),
        }
    }
}
impl Sub for Var<'_> {
    type Output = Self;
    fn sub(self, o: Self) -> Self {
        if o.constant_value() == Some(0.0) {
            self
        } else {
            self.apply2(o, Binary::Sub, |a, b| a - b)
        }
    }
}
impl Mul for Var<'_> {
    type Output = Self;
    fn mul(self, o: Self) -> Self {
        match (self.constant_value(), o.constant_value()) {
            (Some(1.0), _) => o,
            (_, Some(1.0)) => self,
            _ => self.apply2(o, Binary::Mul, |a, b| a * b),
        }
    }
}
impl Div for Var<'_> {
    type Output = Self;
    fn div(self, o: Self) -> Self {
        if o.constant_value() == Some(1.0) {
            self
        } else {
            self.apply2(o, Binary::Div, |a, b| a / b)
        }
    }
}
impl Neg for Var<'_> {
    type Output = Self;
    fn neg(self) -> Self {
        self.apply1(Unary::Neg, |x| -x)
    }
}

impl<'r> Scalar for Var<'r> {
    fn constant(value: f64) -> Self {
        Var {
            arg: Arg::Const(value),
            recorder: None,
        }
    }
    fn min(self, other: Self) -> Self {
        self.apply2(other, Binary::Min, <f64 as Scalar>::min)
    }
    fn max(self, other: Self) -> Self {
        self.apply2(other, Binary::Max, <f64 as Scalar>::max)
    }
    fn exp(self) -> Self {
        self.apply1(Unary::Exp, f64::exp)
    }
    fn ln(self) -> Self {
        self.apply1(Unary::Ln, f64::ln)
    }
    fn sqrt(self) -> Self {
        self.apply1(Unary::Sqrt, f64::sqrt)
    }
    fn tanh(self) -> Self {
        self.apply1(Unary::Tanh, f64::tanh)
    }
    fn sigmoid(self) -> Self {
        self.apply1(Unary::Sigmoid, <f64 as Scalar>::sigmoid)
    }
    fn softplus(self) -> Self {
        self.apply1(Unary::Softplus, <f64 as Scalar>::softplus)
    }
    fn silu(self) -> Self {
        self.apply1(Unary::Silu, <f64 as Scalar>::silu)
    }
    fn relu(self) -> Self {
        self.apply1(Unary::Relu, <f64 as Scalar>::relu)
    }
    fn erf(self) -> Self {
        self.apply1(Unary::Erf, <f64 as Scalar>::erf)
    }
    fn abs(self) -> Self {
        self.apply1(Unary::Abs, f64::abs)
    }
    fn positive(self) -> Self {
        self.apply1(Unary::Positive, <f64 as Scalar>::positive)
    }
    fn select(mask: Self, yes: Self, no: Self) -> Self {
        if let Some(m) = mask.constant_value() {
            return if m > 0.5 { yes } else { no };
        }
        let Some(recorder) = mask.recorder else {
            return no;
        };
        let row = recorder.push(1, |out, _| Op::Select {
            mask: mask.arg,
            yes: yes.arg,
            no: no.arg,
            out,
        });
        recorder.var(Arg::Row(row))
    }
    fn round(self, gradient: RoundGradient) -> Self {
        self.apply1(Unary::Round(gradient), f64::round_ties_even)
    }
    fn detach(self) -> Self {
        self.apply1(Unary::Detach, |x| x)
    }
    fn lane_sum(self) -> Self {
        // A constant is recorded too: its sum depends on the number of lanes.
        let Some(recorder) = self.recorder else {
            unreachable!(
                "the sum over lanes of a bare constant: multiply a recorded value by it instead"
            )
        };
        let id = *recorder.sums.borrow();
        *recorder.sums.borrow_mut() += 1;
        let row = recorder.push(1, |out, _| Op::LaneSum {
            x: self.arg,
            out,
            id,
        });
        recorder.var(Arg::Row(row))
    }
    /// A recorded variable reads its own past; `line` stays empty. In the start block nothing has a past: the value is zero.
    fn delay(self, lag: usize, _line: &mut DelayLine<Self>) -> Self {
        if lag == 0 {
            return self;
        }
        let Some(recorder) = self.recorder else {
            // A constant too is zero before the first period: record it as a row first. Without a recorder there is none.
            unreachable!("the delay of a bare constant: multiply a recorded value by it instead")
        };
        let row = recorder.row_of(self.arg);
        match row.space {
            // A value of the start block is the same in every period, but was zero before the first.
            Space::Start => {
                let copy = recorder.row_copy(Arg::Row(row));
                recorder.var(Arg::Row(Row { lag, ..copy }))
            }
            Space::Period => recorder.var(Arg::Row(Row {
                lag: row.lag + lag,
                ..row
            })),
        }
    }
    fn dense(
        weights: &[Self],
        bias: &[Self],
        inputs: &[&[Self]],
        activation: Activation,
        out: &mut Vec<Self>,
    ) {
        let values: Vec<Self> = inputs.iter().copied().flatten().copied().collect();
        let outputs = dense_outputs(weights.len(), values.len(), bias.len());
        let recorder = weights.iter().chain(&values).find_map(|v| v.recorder);
        let (Some(recorder), Some(first)) = (recorder, parameters(weights)) else {
            return dense_of_scalars(weights, bias, &values, activation, out);
        };
        let first_bias = parameters(bias);
        if !bias.is_empty() && first_bias.is_none() {
            return dense_of_scalars(weights, bias, &values, activation, out);
        }
        let segments = recorder.segments(&values);
        let id = *recorder.dense.borrow();
        *recorder.dense.borrow_mut() += 1;
        let row = recorder.push(outputs, |row, block| {
            let saved = block.saved;
            if activation != Activation::Identity {
                block.saved += outputs;
            }
            let wanted = vec![true; segments.len()];
            let width = values.len();
            let bias = first_bias;
            Op::Dense(Dense {
                weights: first,
                bias,
                segments,
                width,
                outputs,
                out: row,
                activation,
                saved,
                id,
                wanted,
            })
        });
        out.extend(recorder.rows(row.space, row.index, outputs));
    }
    fn softmax(xs: &[Self], out: &mut Vec<Self>) {
        let Some(recorder) = xs.iter().find_map(|v| v.recorder) else {
            let plain: Vec<f64> = xs.iter().filter_map(|v| v.constant_value()).collect();
            let mut result = Vec::new();
            f64::softmax(&plain, &mut result);
            out.extend(result.into_iter().map(Var::constant));
            return;
        };
        let rows: Vec<Row> = xs.iter().map(|v| recorder.row_copy(v.arg)).collect();
        let row = recorder.push(xs.len(), |out, _| Op::Softmax {
            x: rows[0].index,
            out,
            rows: xs.len(),
        });
        out.extend(recorder.rows(row.space, row.index, xs.len()));
    }
}

/// The first parameter when the values are consecutive shared parameters.
fn parameters(values: &[Var<'_>]) -> Option<usize> {
    let Some(Var {
        arg: Arg::Param(first),
        ..
    }) = values.first()
    else {
        return None;
    };
    let consecutive = values
        .iter()
        .enumerate()
        .all(|(i, v)| v.arg == Arg::Param(first + i));
    consecutive.then_some(*first)
}

/// A dense layer whose weights are computed values or constants, operation by operation.
fn dense_of_scalars<'r>(
    w: &[Var<'r>],
    bias: &[Var<'r>],
    x: &[Var<'r>],
    activation: Activation,
    out: &mut Vec<Var<'r>>,
) {
    for (o, row) in w.chunks_exact(x.len()).enumerate() {
        let start = bias.get(o).copied().unwrap_or(Var::constant(0.0));
        let z = row.iter().zip(x).fold(start, |z, (&w, &x)| z + w * x);
        out.push(activation.apply(z));
    }
}
