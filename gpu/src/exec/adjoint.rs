//! The adjoints of the operations of a block.

use std::ops::Range;

use super::arena::{Gradients, Kept, Tile};
use super::classes;
use super::reverse::{Target, target};
use super::source::{Reader, lane};
use crate::kernel::TILE;
use crate::kernel::elementwise;
use crate::kernel::real::Real;
use crate::record::{Arg, Binary, CustomOp, Op, Row, Space};

impl<F: Real> Tile<'_, F> {
    pub(super) fn reverse(
        &mut self,
        space: Space,
        period: usize,
        ops: Range<usize>,
        gradients: &mut Gradients<F>,
    ) {
        let program = self.run.program;
        let block = if space == Space::Start {
            &program.start
        } else {
            &program.period
        };
        for op in block.ops[ops].iter().rev() {
            match op {
                Op::Unary { f, x, out, rows } => {
                    let (f, isa) = (*f, self.run.isa);
                    self.pull(
                        space,
                        period,
                        *x,
                        *out,
                        *rows,
                        gradients,
                        |reader, y, dy, dx| {
                            elementwise::unary_adjoint(isa, f, reader.arg(*x, *rows), y, dy, dx);
                        },
                    );
                }
                Op::Binary { f, a, b, out, rows } => {
                    self.reverse_binary(space, period, *f, (*a, *b), (*out, *rows), gradients)
                }
                Op::Select { mask, yes, no, out } => {
                    for (arg, wanted) in [(*yes, true), (*no, false)] {
                        self.pull(
                            space,
                            period,
                            arg,
                            *out,
                            1,
                            gradients,
                            |reader, _, dy, dx| {
                                let mask = reader.arg(*mask, 1);
                                for (i, (dx, &dy)) in dx.iter_mut().zip(dy).enumerate() {
                                    if (lane(mask, i) > F::constant(0.5)) == wanted {
                                        *dx = *dx + dy;
                                    }
                                }
                            },
                        );
                    }
                }
                Op::Dense(dense) => self.reverse_dense(space, period, dense, gradients),
                Op::Softmax { x, out, rows } => {
                    let (x, isa) = (Arg::Row(*x), self.run.isa);
                    self.pull(space, period, x, *out, *rows, gradients, |_, y, dy, dx| {
                        F::shares_adjoint(isa, y, dy, dx)
                    });
                }
                Op::LogSoftmax { x, out, rows } => {
                    let (x, isa) = (Arg::Row(*x), self.run.isa);
                    self.pull(space, period, x, *out, *rows, gradients, |_, y, dy, dx| {
                        F::log_shares_adjoint(isa, y, dy, dx)
                    });
                }
                Op::Pick {
                    x,
                    rows,
                    index,
                    out,
                } => self.pull_rows(
                    space,
                    period,
                    (Arg::Row(*x), *rows),
                    (*out, 1),
                    gradients,
                    |reader, _, dy, dx| classes::pick_adjoint(reader.arg(*index, 1), *rows, dy, dx),
                ),
                Op::Lookup {
                    table,
                    entries,
                    width,
                    index,
                    out,
                } => {
                    let reader = Reader::new(self.run, &self.rows, space, period);
                    let dy = self.adjoints.rows(space, period, *out, *width);
                    let table = &mut gradients.params[*table..][..entries * width];
                    classes::lookup_adjoint(reader.arg(*index, 1), self.count, dy, *width, table);
                }
                Op::LogLikelihood { logits, index, out } => {
                    let likelihood = (logits, *index, *out);
                    self.reverse_log_likelihood(space, period, likelihood, gradients);
                }
                // Its adjoint crosses lanes: the schedule takes care of it between the phases.
                Op::Reduce { .. } => {}
                Op::Custom {
                    op,
                    inputs,
                    out,
                    outputs,
                } => {
                    let results = (*out, *outputs);
                    self.reverse_custom(space, period, op.as_ref(), inputs, results, gradients);
                }
            }
        }
    }

    fn reverse_custom(
        &mut self,
        space: Space,
        period: usize,
        op: &dyn CustomOp,
        inputs: &[Arg],
        (out, outputs): (usize, usize),
        gradients: &mut Gradients<F>,
    ) {
        let (n, m) = (inputs.len(), outputs);
        let mut numbers = std::mem::take(&mut self.numbers);
        let mut scratch = std::mem::take(&mut self.scratch);
        numbers.resize(2 * (n + m), 0.0);
        {
            let reader = Reader::new(self.run, &self.rows, space, period);
            let y = reader.rows(Row::of(space, out), m);
            let Kept { start, periods } = &self.adjoints;
            let dy = match space {
                Space::Start => &start[out * TILE..],
                Space::Period => &periods.numbers[periods.at(period) + out * TILE..],
            };
            let (xs, rest) = numbers.split_at_mut(n);
            let (dxs, rest) = rest.split_at_mut(n);
            let (ys, dys) = rest.split_at_mut(m);
            for i in 0..self.count {
                for (x, &arg) in xs.iter_mut().zip(inputs) {
                    *x = lane(reader.arg(arg, 1), i).to_f64();
                }
                for j in 0..m {
                    ys[j] = y[j * TILE + i].to_f64();
                    dys[j] = dy[j * TILE + i].to_f64();
                }
                dxs.fill(0.0);
                op.vjp(xs, ys, dys, dxs);
                for (row, &dx) in scratch.chunks_exact_mut(TILE).zip(&*dxs) {
                    row[i] = F::from_f64(dx);
                }
            }
        }
        for (&arg, row) in inputs.iter().zip(scratch.as_chunks_mut::<TILE>().0) {
            row[self.count..].fill(F::default());
            self.add_row(arg, period, row, gradients);
        }
        self.numbers = numbers;
        self.scratch = scratch;
    }

    fn reverse_binary(
        &mut self,
        space: Space,
        period: usize,
        f: Binary,
        (a, b): (Arg, Arg),
        (out, rows): (usize, usize),
        gradients: &mut Gradients<F>,
    ) {
        let isa = self.run.isa;
        // Minimum and maximum at a tie give the whole adjoint to the first: the two pulls agree on it.
        self.pull(
            space,
            period,
            a,
            out,
            rows,
            gradients,
            |reader, _, dy, dx| {
                elementwise::first_adjoint(
                    isa,
                    f,
                    reader.arg(a, rows),
                    reader.arg(b, rows),
                    dy,
                    dx,
                );
            },
        );
        self.pull(
            space,
            period,
            b,
            out,
            rows,
            gradients,
            |reader, _, dy, dx| {
                elementwise::second_adjoint(
                    isa,
                    f,
                    reader.arg(a, rows),
                    reader.arg(b, rows),
                    dy,
                    dx,
                );
            },
        );
    }

    /// Calls `add` with the values, the results, their adjoints and the operand's adjoint to add to.
    fn pull(
        &mut self,
        space: Space,
        period: usize,
        operand: Arg,
        out: usize,
        rows: usize,
        gradients: &mut Gradients<F>,
        add: impl FnOnce(&Reader<'_, F>, &[F], &[F], &mut [F]),
    ) {
        self.pull_rows(space, period, (operand, rows), (out, rows), gradients, add);
    }

    /// The same where the operand has another number of rows than the results.
    fn pull_rows(
        &mut self,
        space: Space,
        period: usize,
        (operand, operands): (Arg, usize),
        (out, rows): (usize, usize),
        gradients: &mut Gradients<F>,
        add: impl FnOnce(&Reader<'_, F>, &[F], &[F], &mut [F]),
    ) {
        let (dx_len, len) = (operands * TILE, rows * TILE);
        let reader = Reader::new(self.run, &self.rows, space, period);
        let y = reader.rows(Row::of(space, out), rows);
        let Kept { start, periods } = &mut self.adjoints;
        let target = target(&periods.slots, operand, period);
        let dy_at = match space {
            Space::Start => out * TILE,
            Space::Period => periods.at(period) + out * TILE,
        };
        match (target, space) {
            (Target::Start(at), Space::Start) => {
                let (dx, dy) = two(start, (at, dx_len), (dy_at, len));
                add(&reader, y, dy, dx);
            }
            (Target::Start(at), Space::Period) => {
                let end = (at + dx_len).min(start.len());
                let dy = &periods.numbers[dy_at..dy_at + len];
                add(&reader, y, dy, &mut start[at..end]);
            }
            (Target::Period(at), _) => {
                let (dx, dy) = two(&mut periods.numbers, (at, dx_len), (dy_at, len));
                add(&reader, y, dy, dx);
            }
            (Target::Param(i), _) => {
                let dy = match space {
                    Space::Start => &start[dy_at..dy_at + len],
                    Space::Period => &periods.numbers[dy_at..dy_at + len],
                };
                let dx = &mut self.scratch[..dx_len];
                dx.fill(F::default());
                add(&reader, y, dy, dx);
                for row in dx.chunks_exact(TILE) {
                    let row = &row[..self.count];
                    elementwise::sum(self.run.isa, row, &mut gradients.params[i]);
                }
            }
            (Target::Nothing, _) => {}
        }
    }
}

pub(super) fn disjoint<F>(
    values: &mut [F],
    write: Range<usize>,
    read: Range<usize>,
) -> (&mut [F], &[F]) {
    match values.get_disjoint_mut([write, read]) {
        Ok([write, read]) => (write, read),
        // Results come after operands in one slot, and other slots are elsewhere.
        Err(_) => unreachable!("an operation reads what it writes"),
    }
}

/// The adjoint of an operand (which ends where the results begin) and that of the results, both by first number and length.
fn two<F>(
    values: &mut [F],
    (write, most): (usize, usize),
    (read, len): (usize, usize),
) -> (&mut [F], &[F]) {
    let end = if write < read {
        (write + most).min(read)
    } else {
        (write + most).min(values.len())
    };
    disjoint(values, write..end, read..read + len)
}
