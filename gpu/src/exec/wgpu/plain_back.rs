//! Operations number by number on the way back.

use super::blocks::{Kind, kind};
use super::emitter::{Emitter, Lanes, number};
use super::functions as f;
use super::order::Who;
use super::plain::custom_name;
use crate::record::{Arg, CustomOp, Op, Row};

impl Emitter<'_> {
    /// The adjoint of an operation that is no layer.
    pub(super) fn plain_back(&mut self, op: &Op, wants: [bool; 2]) {
        match op {
            Op::Unary { .. } | Op::Binary { .. } if matches!(kind(op), Kind::Wide(_)) => {
                self.wide_back(op, wants);
            }
            Op::Unary { f, x, out, rows } => {
                self.enter(Kind::Narrow, false);
                for i in (0..*rows).rev() {
                    let Some(dy) = self.adjoint(out + i) else {
                        continue;
                    };
                    let (needs_x, needs_y) = f::unary_reads(*f);
                    let v = if needs_x {
                        self.value(*x, i)
                    } else {
                        String::new()
                    };
                    let y = if needs_y {
                        self.own(out + i)
                    } else {
                        String::new()
                    };
                    if let Some(dx) = f::unary_adjoint(*f, &v, &y, &dy, 1) {
                        let dx = self.bind(dx);
                        self.add(*x, i, &dx);
                    }
                }
                self.consume(*out, *rows);
            }
            Op::Binary {
                f,
                a,
                b,
                repeated,
                out,
                rows,
            } => {
                self.enter(Kind::Narrow, false);
                for i in (0..*rows).rev() {
                    let Some(dy) = self.adjoint(out + i) else {
                        continue;
                    };
                    for (arg, second) in [(*a, false), (*b, true)] {
                        if !wants[usize::from(second)] || matches!(arg, Arg::Const(_)) {
                            continue;
                        }
                        let reads = f::binary_reads(*f, second);
                        let [x, y] = [(*a, 0), (*b, 1)].map(|(arg, k)| {
                            if reads[k] {
                                self.value(arg, if repeated[k] { 0 } else { i })
                            } else {
                                String::new()
                            }
                        });
                        let d = f::binary_adjoint(*f, second, (&x, &y), &dy, 1);
                        let d = self.bind(d);
                        self.add(arg, if repeated[usize::from(second)] { 0 } else { i }, &d);
                    }
                }
                self.consume(*out, *rows);
            }
            Op::Select { mask, yes, no, out } => {
                self.enter(Kind::Narrow, false);
                if let Some(dy) = self.adjoint(*out) {
                    let mask = self.value(*mask, 0);
                    let taken = self.bind(format_args!("select(0.0, {dy}, {mask} > 0.5)"));
                    self.add(*yes, 0, &taken);
                    let left = self.bind(format_args!("select({dy}, 0.0, {mask} > 0.5)"));
                    self.add(*no, 0, &left);
                }
                self.consume(*out, 1);
            }
            Op::Custom {
                op,
                inputs,
                out,
                outputs,
            } => {
                self.enter(Kind::Narrow, false);
                self.custom_back(op.as_ref(), inputs, (*out, *outputs));
                self.consume(*out, *outputs);
            }
            other => self.of_classes_back(other),
        }
    }

    /// The value of a row of this block.
    pub(super) fn own(&mut self, row: usize) -> String {
        self.value(Arg::Row(Row::of(self.space, row)), 0)
    }

    pub(super) fn custom_back(
        &mut self,
        op: &dyn CustomOp,
        inputs: &[Arg],
        (out, outputs): (usize, usize),
    ) {
        let dys: Vec<Option<String>> = (0..outputs).map(|i| self.adjoint(out + i)).collect();
        if dys.iter().all(Option::is_none) {
            return;
        }
        let x = self.custom_inputs(inputs);
        let ys: Vec<String> = (0..outputs).map(|i| self.own(out + i)).collect();
        let dys: Vec<String> = dys
            .into_iter()
            .map(|dy| dy.unwrap_or_else(|| number(0.0)))
            .collect();
        let (y, dy, dx) = (self.fresh("y"), self.fresh("dy"), self.fresh("dx"));
        self.line(format_args!(
            "var {y} = array<f32, {outputs}>({});",
            ys.join(", ")
        ));
        self.line(format_args!(
            "var {dy} = array<f32, {outputs}>({});",
            dys.join(", ")
        ));
        self.line(format_args!("var {dx} = array<f32, {}>();", inputs.len()));
        let call = custom_name(op, "vjp", inputs.len());
        self.line(format_args!("{call}(&{x}, &{y}, &{dy}, &{dx});"));
        for (i, &arg) in inputs.iter().enumerate() {
            let d = self.bind(format_args!("{dx}[{i}u]"));
            self.add(arg, 0, &d);
        }
    }

    /// The adjoint of an operation over many rows: by all threads, each on its own rows.
    pub(super) fn wide_back(&mut self, op: &Op, wants: [bool; 2]) {
        let (out, rows) = op.results();
        let space = self.space;
        let own = Row::of(space, out);
        if !self.settle(own, rows) {
            return;
        }
        let operands: Vec<(Arg, bool)> = match op {
            Op::Binary { a, b, repeated, .. } => vec![(*a, repeated[0]), (*b, repeated[1])],
            Op::Unary { x, .. } => vec![(*x, false)],
            _ => Vec::new(),
        };
        for (k, &(arg, same)) in operands.iter().enumerate() {
            if !wants[k] || matches!(arg, Arg::Const(_)) {
                continue;
            }
            if same {
                self.repeated_back(op, k, arg);
                continue;
            }
            let Some(target) = self.wide_target(arg, rows) else {
                continue;
            };
            self.enter(Kind::Wide(rows), true);
            self.adjoint_rows(own, rows, false);
            self.target_used(arg, rows);
            let dy = self.bind(self.adjoint_place(own, "r", Lanes::Four));
            let d = match op {
                Op::Unary { f, x, .. } => {
                    let (needs_x, needs_y) = f::unary_reads(*f);
                    let x = if needs_x {
                        self.vector(*x, false, rows)
                    } else {
                        String::new()
                    };
                    let y = if needs_y {
                        self.vector(Arg::Row(own), false, rows)
                    } else {
                        String::new()
                    };
                    f::unary_adjoint(*f, &x, &y, &dy, 4)
                }
                Op::Binary { f, .. } => {
                    let reads = f::binary_reads(*f, k == 1);
                    let [x, y] = [0, 1].map(|j| match operands.get(j) {
                        Some(&(arg, same)) if reads[j] => self.vector(arg, same, rows),
                        _ => String::new(),
                    });
                    Some(f::binary_adjoint(*f, k == 1, (&x, &y), &dy, 4))
                }
                _ => None,
            };
            if let Some(d) = d {
                self.put(&target, &d);
            }
        }
        self.consume(out, rows);
    }

    /// The adjoint of a row that went with all rows of the other operand.
    pub(super) fn repeated_back(&mut self, op: &Op, k: usize, arg: Arg) {
        let Op::Binary {
            f, a, b, out, rows, ..
        } = op
        else {
            return;
        };
        self.enter(Kind::Narrow, true);
        let total = self.fresh("v");
        self.line(format_args!("var {total} = 0.0;"));
        let own = self.value(arg, 0);
        let other = if k == 0 { *b } else { *a };
        self.stored();
        self.adjoints_used(Row::of(self.space, *out), *rows, Who::Lane, false);
        if let Arg::Row(row) = other {
            self.reads(row, *rows, Who::Lane);
        }
        self.begin(format_args!("for (var r = 0u; r < {rows}u; r += 1u)"));
        let dy = self.bind(self.adjoint_place(Row::of(self.space, *out), "r", Lanes::One));
        let z = match other {
            Arg::Row(row) => {
                let place = self.place(row, "r", Lanes::One);
                let z = self.fresh("v");
                self.line(format_args!("var {z} = 0.0;"));
                self.line(format_args!("if (t >= {}u) {{ {z} = {place}; }}", row.lag));
                z
            }
            other => self.value(other, 0),
        };
        let pair = if k == 0 {
            (own.as_str(), z.as_str())
        } else {
            (z.as_str(), own.as_str())
        };
        let d = f::binary_adjoint(*f, k == 1, pair, &dy, 1);
        self.line(format_args!("{total} += {d};"));
        self.end();
        self.add(arg, 0, &total);
    }
}
