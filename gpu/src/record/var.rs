//! The recorder's variable.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Add, Div, Mul, Neg, Sub};

use super::op::{Arg, Binary, Op, Reduce, Row, Unary};
use super::tape::{self, Recorder};
use crate::scalar::{
    Activation, DelayLine, RoundGradient, Scalar, dense_outputs, place, table_rows,
};

/// A value of a program that is being recorded: a small handle, copied freely.
///
/// It implements [`Scalar`], so whatever is written against `Scalar` can be recorded. It stays inside the closures given to
/// [`Program::record`](super::Program::record). Operations on constants alone are computed while recording.
#[derive(Clone, Copy)]
pub struct Var<'r> {
    pub(super) arg: Arg,
    pub(super) recording: PhantomData<&'r Recorder>,
}

impl fmt::Debug for Var<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Var({:?})", self.arg)
    }
}

impl<'r> Var<'r> {
    fn constant_value(self) -> Option<f64> {
        match self.arg {
            Arg::Const(c) => Some(c),
            _ => None,
        }
    }

    /// The variable of a row; `otherwise` outside any recording, where only constants are.
    fn of(row: Option<Row>, otherwise: Self) -> Self {
        row.map_or(otherwise, |row| tape::var(Arg::Row(row)))
    }

    fn apply1(self, f: Unary, plain: impl Fn(f64) -> f64) -> Self {
        match self.arg {
            Arg::Const(c) => Var::constant(plain(c)),
            x => Self::of(tape::with(|tape| tape.unary(f, x)), self),
        }
    }

    fn apply2(self, other: Self, f: Binary, plain: impl Fn(f64, f64) -> f64) -> Self {
        match (self.arg, other.arg) {
            (Arg::Const(a), Arg::Const(b)) => Var::constant(plain(a, b)),
            (a, b) => Self::of(tape::with(|tape| tape.binary(f, a, b)), self),
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
        tape::var(Arg::Const(value))
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
        let op = |out| Op::Select {
            mask: mask.arg,
            yes: yes.arg,
            no: no.arg,
            out,
        };
        Self::of(tape::with(|tape| tape.push(1, op)), no)
    }
    fn round(self, gradient: RoundGradient) -> Self {
        self.apply1(Unary::Round(gradient), f64::round_ties_even)
    }
    fn detach(self) -> Self {
        self.apply1(Unary::Detach, |x| x)
    }
    /// The sum of a constant is the constant times the number of lanes.
    fn lane_sum(self) -> Self {
        Self::of(tape::with(|tape| tape.reduce(Reduce::Sum, self.arg)), self)
    }
    /// The largest of a constant is the constant.
    fn lane_max(self) -> Self {
        match self.arg {
            Arg::Const(_) => self,
            x => Self::of(tape::with(|tape| tape.reduce(Reduce::Max, x)), self),
        }
    }
    /// A recorded variable reads its own past; `line` stays empty. In the start block nothing has a past: the value is zero.
    fn delay(self, lag: usize, _line: &mut DelayLine<Self>) -> Self {
        if lag == 0 {
            return self;
        }
        let row = tape::with(|tape| tape.delay(self.arg, lag)).flatten();
        Self::of(row, Var::constant(0.0))
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
        let places = (parameters(weights), parameters(bias));
        let first_bias = match places {
            (Some(_), first) if bias.is_empty() || first.is_some() => first,
            _ => return dense_of_scalars(weights, bias, &values, activation, out),
        };
        let args: Vec<Arg> = values.iter().map(|v| v.arg).collect();
        let row = tape::with(|tape| {
            let first = places.0.unwrap_or(0);
            tape.dense(first, first_bias, &args, outputs, activation)
        });
        if let Some(row) = row {
            out.extend(tape::rows(row.space, row.index, outputs));
        }
    }
    fn softmax(xs: &[Self], out: &mut Vec<Self>) {
        shares(
            xs,
            f64::softmax,
            |x, out, rows| Op::Softmax { x, out, rows },
            out,
        );
    }
    fn log_softmax(xs: &[Self], out: &mut Vec<Self>) {
        let op = |x, out, rows| Op::LogSoftmax { x, out, rows };
        shares(xs, f64::log_softmax, op, out);
    }
    fn pick(xs: &[Self], index: Self) -> Self {
        let none = Var::constant(f64::NAN);
        if let Some(index) = index.constant_value() {
            return place(index, xs.len()).map_or(none, |i| xs[i]);
        }
        if xs.is_empty() {
            return none;
        }
        if parameters(xs).is_some() {
            let mut picked = Vec::with_capacity(1);
            Self::lookup(xs, 1, index, &mut picked);
            return picked.first().copied().unwrap_or(none);
        }
        let args: Vec<Arg> = xs.iter().map(|v| v.arg).collect();
        let row = tape::with(|tape| tape.pick(&args, index.arg));
        Self::of(row, none)
    }
    fn lookup(table: &[Self], width: usize, index: Self, out: &mut Vec<Self>) {
        let entries = table_rows(table.len(), width);
        if let Some(index) = index.constant_value() {
            match place(index, entries) {
                Some(i) => out.extend_from_slice(&table[i * width..][..width]),
                None => out.extend(std::iter::repeat_n(Var::constant(f64::NAN), width)),
            }
            return;
        }
        let Some(first) = parameters(table) else {
            // A table of values: each of its columns has a place of its own.
            out.extend((0..width).map(|k| {
                let column: Vec<Self> = table.iter().skip(k).step_by(width).copied().collect();
                Self::pick(&column, index)
            }));
            return;
        };
        let row = tape::with(|tape| tape.lookup(first, entries, width, index.arg));
        if let Some(row) = row {
            out.extend(tape::rows(row.space, row.index, width));
        }
    }
}

/// An operation from the values of all classes to as many, given for plain numbers and as what is recorded.
fn shares<'r>(
    xs: &[Var<'r>],
    plain: impl Fn(&[f64], &mut Vec<f64>),
    op: impl Fn(Row, usize, usize) -> Op,
    out: &mut Vec<Var<'r>>,
) {
    let constants: Option<Vec<f64>> = xs.iter().map(|v| v.constant_value()).collect();
    if let Some(constants) = constants {
        let mut result = Vec::new();
        plain(&constants, &mut result);
        out.extend(result.into_iter().map(Var::constant));
        return;
    }
    let row = tape::with(|tape| {
        let args: Vec<Arg> = xs.iter().map(|v| v.arg).collect();
        let (x, rows) = (tape.neighbours(&args), xs.len());
        tape.push(rows, |out| op(x, out, rows))
    });
    if let Some(row) = row {
        out.extend(tape::rows(row.space, row.index, xs.len()));
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
