//! Operations number by number, forward and back.

use super::blocks::{Kind, kind};
use super::emitter::{Emitter, Lanes};
use super::functions as f;
use super::order::Who;
use crate::record::{Arg, CustomOp, Op, Row};

impl Emitter<'_> {
    /// The value of an operation that is no layer.
    pub(super) fn plain(&mut self, op: &Op) {
        let space = self.space;
        match op {
            Op::Unary { f, x, out, rows } => {
                self.row_by_row(op, (*out, *rows), |e, i, w| {
                    let x = e.operand(*x, false, i, *rows);
                    f::unary(*f, &x, w)
                });
            }
            Op::Binary {
                f,
                a,
                b,
                repeated,
                out,
                rows,
            } => {
                self.row_by_row(op, (*out, *rows), |e, i, _| {
                    let [a, b] = [(*a, repeated[0]), (*b, repeated[1])]
                        .map(|(arg, same)| e.operand(arg, same, i, *rows));
                    f::binary(*f, &a, &b)
                });
            }
            Op::Select { mask, yes, no, out } => {
                let [mask, yes, no] = [mask, yes, no].map(|&arg| self.value(arg, 0));
                let y = self.bind(format_args!("select({no}, {yes}, {mask} > 0.5)"));
                self.set(Row::of(space, *out), &y, "", (1, Who::Lane), Lanes::One);
            }
            Op::Custom {
                op,
                inputs,
                out,
                outputs,
            } => {
                let y = self.call_custom(op.as_ref(), inputs, *outputs);
                for i in 0..*outputs {
                    let y = self.bind(format_args!("{y}[{i}u]"));
                    self.set(Row::of(space, out + i), &y, "", (1, Who::Lane), Lanes::One);
                }
            }
            other => self.of_classes(other),
        }
    }

    /// The values of an operation over rows: by all threads at once, or one row after another by a thread a lane; `value` is told which row,
    /// if it is one, and of how many lanes.
    fn row_by_row(
        &mut self,
        op: &Op,
        (out, rows): (usize, usize),
        value: impl Fn(&mut Self, Option<usize>, usize) -> String,
    ) {
        let out = Row::of(self.space, out);
        if let Kind::Wide(_) = kind(op) {
            let y = value(self, None, 4);
            let y = self.bind(y);
            self.set(out, &y, "r", (rows, Who::Rows(0)), Lanes::Four);
            return;
        }
        for i in 0..rows {
            let y = value(self, Some(i), 1);
            let y = self.bind(y);
            self.set(out.offset(i), &y, "", (1, Who::Lane), Lanes::One);
        }
    }

    /// An operand's number in row `i`, or its four in the row that the thread is at; the same row for all of them where it is repeated.
    pub(super) fn operand(
        &mut self,
        arg: Arg,
        repeated: bool,
        i: Option<usize>,
        rows: usize,
    ) -> String {
        match i {
            Some(i) => self.value(arg, if repeated { 0 } else { i }),
            None => self.vector(arg, repeated, rows),
        }
    }

    pub(super) fn custom_inputs(&mut self, inputs: &[Arg]) -> String {
        let xs: Vec<String> = inputs.iter().map(|&arg| self.value(arg, 0)).collect();
        let name = self.fresh("x");
        self.line(format_args!(
            "var {name} = array<f32, {}>({});",
            xs.len(),
            xs.join(", ")
        ));
        name
    }

    /// Calls an operation of the caller's own; the name of the array of its results.
    pub(super) fn call_custom(
        &mut self,
        op: &dyn CustomOp,
        inputs: &[Arg],
        outputs: usize,
    ) -> String {
        let x = self.custom_inputs(inputs);
        let y = self.fresh("y");
        self.line(format_args!("var {y} = array<f32, {outputs}>();"));
        self.line(format_args!(
            "{}(&{x}, &{y});",
            custom_name(op, "forward", inputs.len())
        ));
        y
    }
}

/// The name of a function of an operation of the caller's own.
pub(super) fn custom_name(op: &dyn CustomOp, function: &str, inputs: usize) -> String {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    (op.shader(), inputs).hash(&mut hasher);
    format!("custom_{:x}_{function}", hasher.finish())
}
