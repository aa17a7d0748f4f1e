//! What an operation reads and writes.

use super::op::{Arg, Binary, Dense, Op, Row, Unary};
use crate::scalar::RoundGradient;

impl Op {
    /// The operands, each with the number of consecutive rows that are read from it on.
    pub(crate) fn operands(&self) -> Vec<(Arg, usize)> {
        match self {
            Op::Unary { x, rows, .. } => vec![(*x, *rows)],
            Op::Binary { a, b, rows, .. } => vec![(*a, *rows), (*b, *rows)],
            Op::Select { mask, yes, no, .. } => vec![(*mask, 1), (*yes, 1), (*no, 1)],
            Op::Dense(Dense { segments, .. }) => {
                let segment = |&(row, rows): &(Row, usize)| (Arg::Row(row), rows);
                segments.iter().map(segment).collect()
            }
            Op::Softmax { x, rows, .. } => vec![(Arg::Row(*x), *rows)],
            Op::Reduce { x, .. } => vec![(*x, 1)],
            Op::Custom { inputs, .. } => inputs.iter().map(|&x| (x, 1)).collect(),
        }
    }

    /// Those of the operands that the results have a derivative with respect to.
    pub(crate) fn differentiable(&self) -> Vec<(Arg, usize)> {
        match self {
            Op::Unary {
                f: Unary::Detach | Unary::Positive | Unary::Round(RoundGradient::Zero),
                ..
            } => Vec::new(),
            Op::Select { yes, no, .. } => vec![(*yes, 1), (*no, 1)],
            other => other.operands(),
        }
    }

    /// First row and number of rows of the results.
    pub(crate) fn results(&self) -> (usize, usize) {
        match self {
            Op::Unary { out, rows, .. }
            | Op::Binary { out, rows, .. }
            | Op::Softmax { out, rows, .. } => (*out, *rows),
            Op::Select { out, .. } | Op::Reduce { out, .. } => (*out, 1),
            Op::Dense(dense) => (dense.out, dense.outputs),
            Op::Custom { out, outputs, .. } => (*out, *outputs),
        }
    }

    /// Puts other rows in the place of the operands and results.
    pub(crate) fn renumber(
        &mut self,
        result: impl Fn(usize) -> usize,
        operand: impl Fn(Arg) -> Arg,
    ) {
        let of_row = |row: Row| match operand(Arg::Row(row)) {
            Arg::Row(row) => row,
            _ => row,
        };
        match self {
            Op::Unary { x, out, .. } | Op::Reduce { x, out, .. } => {
                (*x, *out) = (operand(*x), result(*out));
            }
            Op::Binary { a, b, out, .. } => {
                (*a, *b, *out) = (operand(*a), operand(*b), result(*out));
            }
            Op::Select { mask, yes, no, out } => {
                (*mask, *yes, *no) = (operand(*mask), operand(*yes), operand(*no));
                *out = result(*out);
            }
            Op::Dense(Dense { segments, out, .. }) => {
                segments.iter_mut().for_each(|(row, _)| *row = of_row(*row));
                *out = result(*out);
            }
            Op::Softmax { x, out, .. } => (*x, *out) = (of_row(*x), result(*out)),
            Op::Custom { inputs, out, .. } => {
                inputs.iter_mut().for_each(|x| *x = operand(*x));
                *out = result(*out);
            }
        }
    }

    /// Whether its kernels take rows of any length, so that it can run on groups.
    pub(crate) fn takes_any_length(&self) -> bool {
        !matches!(self, Op::Softmax { .. })
    }

    /// Whether reverse mode reads the values of its operands, one by one, and those of its results; `wants` says whose adjoints are wanted.
    pub(crate) fn read_in_reverse(&self, wants: [bool; 2]) -> (Vec<bool>, bool) {
        match self {
            Op::Unary { f, .. } => {
                use Unary::{Abs, Erf, Exp, Ln, Relu, Sigmoid, Silu, Softplus, Sqrt, Tanh};
                let operand = matches!(f, Ln | Softplus | Silu | Relu | Erf | Abs);
                (
                    vec![operand],
                    matches!(f, Exp | Sqrt | Tanh | Sigmoid | Silu),
                )
            }
            Op::Binary { f, .. } => {
                let operands = match f {
                    Binary::Add | Binary::Sub => [false, false],
                    Binary::Mul => [wants[1], wants[0]],
                    Binary::Div => [wants[1], true],
                    Binary::Min | Binary::Max => [true, true],
                };
                (operands.to_vec(), false)
            }
            Op::Select { .. } => (vec![true, false, false], false),
            Op::Dense(dense) => (vec![dense.trained; dense.segments.len()], false),
            Op::Softmax { .. } => (vec![false], true),
            Op::Reduce { .. } => (vec![false], false),
            Op::Custom { inputs, .. } => (vec![true; inputs.len()], true),
        }
    }
}
