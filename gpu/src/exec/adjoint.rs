//! The adjoints of the operations of a block.

use super::classes;
use super::disjoint::two;
use super::reverse::{Target, target};
use super::source::{Reader, lane};
use super::tile::{Gradients, Tile};
use crate::kernel::TILE;
use crate::kernel::adjoint::{self, To};
use crate::kernel::elementwise::{self, Source};
use crate::kernel::real::Real;
use crate::record::{Arg, Code, CustomOp, Op, Row, Space};

/// The block that is gone back through, and the period.
type Now = (Space, usize);

impl<F: Real> Tile<'_, F> {
    /// Goes back through the operations of one phase.
    pub(super) fn reverse_phase(
        &mut self,
        space: Space,
        period: usize,
        phase: usize,
        gradients: &mut Gradients<F>,
    ) {
        let code = self.code(space);
        self.clear(period, &code.phases[phase].added_to);
        let ops = code.phases[phase].ops.clone();
        let directs = self.directs.of(space);
        let parts = (&self.map.parts(period), &self.adjoints.parts(period));
        for at in ops.rev() {
            if code.wants[at] == [false; 2] {
                continue;
            }
            let direct = directs[at].as_ref();
            match direct.and_then(|direct| Some((direct, direct.back()?))) {
                Some((direct, back)) => {
                    let memory = &mut self.memory;
                    direct.run_back(back, parts, &memory.rows, &mut memory.adjoints);
                }
                None => self.reverse((space, period), code, at, gradients),
            }
        }
    }

    /// The adjoint of one operation.
    fn reverse(&mut self, now: Now, code: &Code, at: usize, gradients: &mut Gradients<F>) {
        let (isa, (space, period)) = (self.run.isa, now);
        let (op, wants, fresh) = (&code.ops[at], code.wants[at], code.fresh[at]);
        let results = op.results();
        match op {
            Op::Unary { f, x, rows, .. } => {
                let x = (*x, *rows, fresh[0]);
                self.pull(now, x, results, gradients, |reader, y, dy, fresh, dx| {
                    adjoint::unary(isa, *f, reader.arg(x.0, x.1), y, dy, fresh, dx);
                });
            }
            Op::Binary { .. } => self.reverse_binary(now, op, (wants, fresh), gradients),
            Op::Select { mask, yes, no, .. } => {
                for (arg, wanted) in [(*yes, true), (*no, false)] {
                    if wants[usize::from(!wanted)] {
                        let arg = (arg, 1, false);
                        self.pull(now, arg, results, gradients, |reader, _, dy, _, dx| {
                            chosen(reader.arg(*mask, 1), wanted, dy, dx);
                        });
                    }
                }
            }
            Op::Dense(dense) => self.reverse_dense(space, period, dense, gradients),
            Op::Softmax { x, rows, .. } => {
                let x = (Arg::Row(*x), *rows, false);
                self.pull(now, x, results, gradients, |_, y, dy, _, dx| {
                    F::shares_adjoint(isa, y, dy, dx);
                });
            }
            Op::LogSoftmax { x, rows, .. } => {
                let x = (Arg::Row(*x), *rows, false);
                self.pull(now, x, results, gradients, |_, y, dy, _, dx| {
                    F::log_shares_adjoint(isa, y, dy, dx);
                });
            }
            Op::Pick { x, rows, index, .. } => {
                let x = (Arg::Row(*x), *rows, false);
                self.pull(now, x, results, gradients, |reader, _, dy, _, dx| {
                    classes::pick_adjoint(reader.arg(*index, 1), *rows, dy, dx);
                });
            }
            Op::Lookup {
                table,
                entries,
                width,
                index,
                out,
            } => {
                let reader = self.reader(period);
                let at = self.adjoints.of(space, period, *out);
                let dy = &self.memory.adjoints[at..][..width * TILE];
                let table = &mut gradients.params[*table..][..entries * width];
                let count = self.here.count;
                classes::lookup_adjoint(reader.arg(*index, 1), count, dy, *width, table);
            }
            Op::LogLikelihood { logits, index, out } => {
                let likelihood = (logits, *index, *out);
                self.reverse_log_likelihood(space, period, likelihood, gradients);
            }
            // Its adjoint is handed over between the phases.
            Op::Reduce { .. } => {}
            Op::Custom { op, inputs, .. } => {
                self.reverse_custom(now, op.as_ref(), inputs, results, gradients);
            }
        }
    }

    fn reverse_custom(
        &mut self,
        (space, period): Now,
        op: &dyn CustomOp,
        inputs: &[Arg],
        (out, outputs): (usize, usize),
        gradients: &mut Gradients<F>,
    ) {
        let (n, m, width) = (inputs.len(), outputs, self.width());
        let mut numbers = std::mem::take(&mut self.memory.numbers);
        let mut scratch = std::mem::take(&mut self.memory.scratch);
        numbers.resize(2 * (n + m), 0.0);
        {
            let reader = self.reader(period);
            let y = reader.rows(Row::of(space, out), m);
            let dy = &self.memory.adjoints[self.adjoints.of(space, period, out)..];
            let (xs, rest) = numbers.split_at_mut(n);
            let (dxs, rest) = rest.split_at_mut(n);
            let (ys, dys) = rest.split_at_mut(m);
            for i in 0..self.here.count {
                for (x, &arg) in xs.iter_mut().zip(inputs) {
                    *x = lane(reader.arg(arg, 1), i).to_f64();
                }
                for j in 0..m {
                    ys[j] = y[j * width + i].to_f64();
                    dys[j] = dy[j * width + i].to_f64();
                }
                dxs.fill(0.0);
                op.vjp(xs, ys, dys, dxs);
                for (row, &dx) in scratch.chunks_exact_mut(width).zip(&*dxs) {
                    row[i] = F::from_f64(dx);
                }
            }
        }
        for (&arg, row) in inputs.iter().zip(scratch.chunks_exact_mut(width)) {
            row[self.here.count..].fill(F::default());
            self.add_row(arg, period, row, gradients);
        }
        self.memory.numbers = numbers;
        self.memory.scratch = scratch;
    }

    /// Both operands in one pass where their adjoints are rows of their own, otherwise one after the other.
    fn reverse_binary(
        &mut self,
        now: Now,
        op: &Op,
        (wants, fresh): ([bool; 2], [bool; 2]),
        gradients: &mut Gradients<F>,
    ) {
        let &Op::Binary {
            f,
            a,
            b,
            repeated,
            out,
            rows,
        } = op
        else {
            return;
        };
        let (isa, operands) = (self.run.isa, (a, b));
        let [of_a, of_b] = repeated.map(|repeated| if repeated { 1 } else { rows });
        if wants == [true; 2] {
            let (space, period) = now;
            let width = self.width();
            let range = |at: usize, rows: usize| at..at + rows * width;
            let dy = range(self.adjoints.of(space, period, out), rows);
            if let Target::Rows(da) = target(self, a, period)
                && let Target::Rows(db) = target(self, b, period)
                && let memory = &mut self.memory
                && let places = [range(da, of_a), range(db, of_b), dy]
                && let Ok([da, db, dy]) = memory.adjoints.get_disjoint_mut(places)
            {
                let (map, params) = (&self.map, self.run.params);
                let reader = Reader::whole(&memory.rows, &memory.zeros, map, period, params);
                let (a, b) = reader.both(operands, rows, repeated);
                let (da, db) = (To::rows(fresh[0], da), To::rows(fresh[1], db));
                return adjoint::binary(isa, f, a, b, dy, da, db);
            }
        }
        if wants[0] {
            let own = (a, of_a, fresh[0]);
            self.pull(
                now,
                own,
                (out, rows),
                gradients,
                |reader, _, dy, fresh, da| {
                    let (a, b) = reader.both(operands, rows, repeated);
                    adjoint::binary(isa, f, a, b, dy, To::rows(fresh, da), To::Nowhere);
                },
            );
        }
        if wants[1] {
            let own = (b, of_b, fresh[1]);
            self.pull(
                now,
                own,
                (out, rows),
                gradients,
                |reader, _, dy, fresh, db| {
                    let (a, b) = reader.both(operands, rows, repeated);
                    adjoint::binary(isa, f, a, b, dy, To::Nowhere, To::rows(fresh, db));
                },
            );
        }
    }

    /// Calls `add` with the values, the results, their adjoints, whether to write rather than to add, and the operand's adjoint; operand and
    /// results are each the first row and the number of rows.
    fn pull(
        &mut self,
        (space, period): Now,
        (operand, operands, fresh): (Arg, usize, bool),
        (out, rows): (usize, usize),
        gradients: &mut Gradients<F>,
        add: impl FnOnce(&Reader<'_, F>, &[F], &[F], bool, &mut [F]),
    ) {
        let (dx_len, len) = (operands * self.width(), rows * self.width());
        let dy_at = self.adjoints.of(space, period, out);
        let target = target(self, operand, period);
        let (map, params) = (&self.map, self.run.params);
        let memory = &mut self.memory;
        let reader = Reader::whole(&memory.rows, &memory.zeros, map, period, params);
        let y = reader.rows(Row::of(space, out), rows);
        match target {
            Target::Rows(at) => {
                let (dx, dy) = two(&mut memory.adjoints, (at, dx_len), (dy_at, len));
                add(&reader, y, dy, fresh, dx);
            }
            Target::Param(i) => {
                let dy = &memory.adjoints[dy_at..dy_at + len];
                let dx = &mut memory.scratch[..dx_len];
                dx.fill(F::default());
                add(&reader, y, dy, false, dx);
                for row in dx.chunks_exact(map.width) {
                    let row = &row[..self.here.count];
                    elementwise::sum(self.run.isa, row, &mut gradients.params[i]);
                }
            }
            Target::Nothing => {}
        }
    }
}

/// Adds the adjoints of the lanes whose mask chose the operand.
fn chosen<F: Real>(mask: Source<'_, F>, wanted: bool, dy: &[F], dx: &mut [F]) {
    for (i, (dx, &dy)) in dx.iter_mut().zip(dy).enumerate() {
        if (lane(mask, i) > F::constant(0.5)) == wanted {
            *dx = *dx + dy;
        }
    }
}
