//! What an operation reads and writes.

use super::op::{Arg, Binary, Dense, Op, Row, Unary};
use crate::scalar::RoundGradient;

impl Op {
    /// The operands, each with the number of consecutive rows that are read from it on; a layer's inputs come first.
    pub(crate) fn operands(&self) -> Vec<(Arg, usize)> {
        let inputs = |dense: &Dense| -> Vec<(Arg, usize)> {
            let segment = |&(row, rows): &(Row, usize)| (Arg::Row(row), rows);
            dense.segments.iter().map(segment).collect()
        };
        match self {
            Op::Unary { x, rows, .. } => vec![(*x, *rows)],
            Op::Binary {
                a,
                b,
                repeated,
                rows,
                ..
            } => {
                let [of_a, of_b] = repeated.map(|repeated| if repeated { 1 } else { *rows });
                vec![(*a, of_a), (*b, of_b)]
            }
            Op::Select { mask, yes, no, .. } => vec![(*mask, 1), (*yes, 1), (*no, 1)],
            Op::Dense(dense) => inputs(dense),
            Op::LogLikelihood { logits, index, .. } => {
                let mut all = inputs(logits);
                all.push((*index, 1));
                all
            }
            Op::Softmax { x, rows, .. } | Op::LogSoftmax { x, rows, .. } => {
                vec![(Arg::Row(*x), *rows)]
            }
            Op::Pick { x, rows, index, .. } => vec![(Arg::Row(*x), *rows), (*index, 1)],
            Op::Lookup { index, .. } => vec![(*index, 1)],
            Op::Reduce { x, .. } => vec![(*x, 1)],
            Op::Custom { inputs, .. } => inputs.iter().map(|&x| (x, 1)).collect(),
        }
    }

    /// Every operand, row by row.
    pub(crate) fn args(&self) -> Vec<Arg> {
        let rows = |(arg, rows)| match arg {
            Arg::Row(row) => (0..rows).map(|i| Arg::Row(row.offset(i))).collect(),
            other => vec![other],
        };
        self.operands().into_iter().flat_map(rows).collect()
    }

    /// Those of the operands that the results have a derivative with respect to.
    pub(crate) fn differentiable(&self) -> Vec<(Arg, usize)> {
        let mut operands = self.operands();
        match self {
            Op::Unary {
                f: Unary::Detach | Unary::Positive | Unary::Round(RoundGradient::Zero),
                ..
            } => operands.clear(),
            Op::Select { .. } => _ = operands.remove(0),
            Op::Pick { .. } | Op::Lookup { .. } | Op::LogLikelihood { .. } => _ = operands.pop(),
            _ => {}
        }
        operands
    }

    /// First row and number of rows of the results.
    pub(crate) fn results(&self) -> (usize, usize) {
        match self {
            Op::Unary { out, rows, .. }
            | Op::Binary { out, rows, .. }
            | Op::Softmax { out, rows, .. }
            | Op::LogSoftmax { out, rows, .. } => (*out, *rows),
            Op::Select { out, .. }
            | Op::Pick { out, .. }
            | Op::LogLikelihood { out, .. }
            | Op::Reduce { out, .. } => (*out, 1),
            Op::Dense(dense) => (dense.out, dense.outputs),
            Op::Lookup { out, width, .. } => (*out, *width),
            Op::Custom { out, outputs, .. } => (*out, *outputs),
        }
    }

    /// Puts other rows in the place of the results and operands, of which each names the first of some rows.
    pub(crate) fn renumber(
        &mut self,
        result: impl Fn(usize) -> usize,
        operand: impl Fn(Arg) -> Arg,
    ) {
        let of_row = |row: &mut Row| {
            if let Arg::Row(other) = operand(Arg::Row(*row)) {
                *row = other;
            }
        };
        let out = match self {
            Op::Unary { x, out, .. } | Op::Reduce { x, out, .. } => {
                *x = operand(*x);
                out
            }
            Op::Binary { a, b, out, .. } => {
                (*a, *b) = (operand(*a), operand(*b));
                out
            }
            Op::Select { mask, yes, no, out } => {
                (*mask, *yes, *no) = (operand(*mask), operand(*yes), operand(*no));
                out
            }
            Op::Dense(Dense { segments, out, .. }) => {
                segments.iter_mut().for_each(|(row, _)| of_row(row));
                out
            }
            Op::Softmax { x, out, .. } | Op::LogSoftmax { x, out, .. } => {
                of_row(x);
                out
            }
            Op::Pick { x, index, out, .. } => {
                of_row(x);
                *index = operand(*index);
                out
            }
            Op::Lookup { index, out, .. } => {
                *index = operand(*index);
                out
            }
            Op::LogLikelihood { logits, index, out } => {
                logits.segments.iter_mut().for_each(|(row, _)| of_row(row));
                *index = operand(*index);
                out
            }
            Op::Custom { inputs, out, .. } => {
                inputs.iter_mut().for_each(|x| *x = operand(*x));
                out
            }
        };
        *out = result(*out);
    }

    /// Whether its kernels take rows of any length, so that it can run on groups.
    pub(crate) fn takes_any_length(&self) -> bool {
        use Op::{Binary, Custom, Dense, Reduce, Select, Unary};
        matches!(
            self,
            Unary { .. } | Binary { .. } | Select { .. } | Dense(_) | Reduce { .. } | Custom { .. }
        )
    }

    /// Whether reverse mode reads the values of its operands, one by one, and those of its results; `wants` says whose adjoints are
    /// wanted.
    pub(crate) fn read_in_reverse(&self, wants: [bool; 2]) -> (Vec<bool>, bool) {
        match self {
            Op::Unary { f, .. } => {
                use Unary::{Abs, Erf, Exp, Ln, Relu, Sigmoid, Silu, Softplus, Sqrt, Tanh};
                let operand = matches!(f, Ln | Softplus | Silu | Relu | Erf | Abs);
                let result = matches!(f, Exp | Sqrt | Tanh | Sigmoid | Silu);
                (vec![operand], result)
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
            Op::LogLikelihood { logits, .. } => (vec![true; logits.segments.len() + 1], false),
            Op::Softmax { .. } | Op::LogSoftmax { .. } => (vec![false], true),
            Op::Pick { .. } => (vec![false, true], false),
            Op::Lookup { .. } => (vec![true], false),
            Op::Reduce { .. } => (vec![false], false),
            Op::Custom { inputs, .. } => (vec![true; inputs.len()], true),
        }
    }
}
