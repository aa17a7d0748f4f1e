//! The adjoints of the operations of a block.

use std::ops::Range;

use super::arena::{Gradients, Tile};
use super::reverse::Target;
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
                    let x = Arg::Row(Row {
                        space,
                        index: *x,
                        lag: 0,
                    });
                    self.pull(space, period, x, *out, *rows, gradients, |_, y, dy, dx| {
                        softmax_adjoint(y, dy, dx)
                    });
                }
                // Its adjoint crosses lanes: the schedule takes care of it between the phases.
                Op::LaneSum { .. } => {}
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
            let reader = self.reader_for(space, period);
            let result = Row {
                space,
                index: out,
                lag: 0,
            };
            let y = reader.rows(result, m);
            let dy = match space {
                Space::Start => &self.start_adjoint[out * TILE..],
                Space::Period => &self.adjoint[self.adjoint_slot(period) + out * TILE..],
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
        let target = self.target(operand, period);
        if matches!(target, Target::Nothing) {
            return;
        }
        let len = rows * TILE;
        let mut scratch = std::mem::take(&mut self.scratch);
        let mut start_adjoint = std::mem::take(&mut self.start_adjoint);
        let mut adjoint = std::mem::take(&mut self.adjoint);
        {
            let reader = self.reader_for(space, period);
            let y = reader.rows(
                Row {
                    space,
                    index: out,
                    lag: 0,
                },
                rows,
            );
            let dy_at = match space {
                Space::Start => out * TILE,
                Space::Period => self.adjoint_slot(period) + out * TILE,
            };
            match (target, space) {
                (Target::Start(at), Space::Start) => {
                    let (dx, dy) = two(&mut start_adjoint, at, dy_at, len);
                    add(&reader, y, dy, dx);
                }
                (Target::Start(at), Space::Period) => {
                    let end = (at + len).min(start_adjoint.len());
                    add(
                        &reader,
                        y,
                        &adjoint[dy_at..dy_at + len],
                        &mut start_adjoint[at..end],
                    );
                }
                (Target::Period(at), _) => {
                    let (dx, dy) = two(&mut adjoint, at, dy_at, len);
                    add(&reader, y, dy, dx);
                }
                (Target::Param(i), _) => {
                    let dy = match space {
                        Space::Start => &start_adjoint[dy_at..dy_at + len],
                        Space::Period => &adjoint[dy_at..dy_at + len],
                    };
                    let dx = &mut scratch[..len];
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
        self.scratch = scratch;
        self.start_adjoint = start_adjoint;
        self.adjoint = adjoint;
    }

    pub(super) fn reader_for(&self, space: Space, period: usize) -> Reader<'_, F> {
        let mut reader = self.reader(period);
        if space == Space::Start {
            reader.shared = &[];
        }
        reader
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

/// The adjoint of an operand (at most as many rows as the results) and that of the results.
fn two<F>(values: &mut [F], write: usize, read: usize, len: usize) -> (&mut [F], &[F]) {
    let end = if write < read {
        (write + len).min(read)
    } else {
        (write + len).min(values.len())
    };
    disjoint(values, write..end, read..read + len)
}

fn softmax_adjoint<F: Real>(y: &[F], dy: &[F], dx: &mut [F]) {
    for i in 0..TILE {
        let pairs = y.iter().zip(dy).skip(i).step_by(TILE);
        let mean = pairs.clone().fold(F::default(), |s, (&y, &dy)| s + y * dy);
        for (dx, (&y, &dy)) in dx.iter_mut().skip(i).step_by(TILE).zip(pairs) {
            *dx = *dx + y * (dy - mean);
        }
    }
}
