//! The reverse pass of a tile.

use std::ops::Range;

use super::arena::{Gradients, Tile};
use super::forward::segments;
use super::source::{Reader, lane};
use crate::kernel::dense::{Matrix, padded};
use crate::kernel::elementwise;
use crate::kernel::real::Real;
use crate::kernel::{TILE, activation};
use crate::record::{Arg, Binary, Dense, Op, Row, Space};
use crate::scalar::Activation;

/// Where the adjoint of an operand goes.
enum Target {
    /// Rows of the start block, from this number on.
    Start(usize),
    /// Rows of the ring of adjoints.
    Period(usize),
    /// One parameter, summed over lanes.
    Param(usize),
    /// Nowhere.
    Nothing,
}

impl<F: Real> Tile<'_, F> {
    /// Clears all adjoints.
    pub(super) fn begin_reverse(&mut self) {
        self.start_adjoint.fill(F::default());
        self.adjoint.fill(F::default());
    }

    fn adjoint_slot(&self, period: usize) -> usize {
        (period % self.adjoint_ring) * self.run.program.period.rows * TILE
    }

    fn target(&self, arg: Arg, period: usize) -> Target {
        match arg {
            Arg::Row(Row {
                space: Space::Start,
                index,
                ..
            }) => Target::Start(index * TILE),
            Arg::Row(Row { index, lag, .. }) => match period.checked_sub(lag) {
                Some(at) => Target::Period(self.adjoint_slot(at) + index * TILE),
                None => Target::Nothing,
            },
            Arg::Param(i) => Target::Param(i),
            Arg::Const(_) | Arg::Shared(_) => Target::Nothing,
        }
    }

    /// Adds one row to the adjoint of an operand.
    fn add_row(&mut self, arg: Arg, period: usize, row: &[F; TILE], gradients: &mut Gradients<F>) {
        let isa = self.run.isa;
        match self.target(arg, period) {
            Target::Start(at) => elementwise::add(isa, row, &mut self.start_adjoint[at..at + TILE]),
            Target::Period(at) => elementwise::add(isa, row, &mut self.adjoint[at..at + TILE]),
            Target::Param(i) => gradients.params[i] = gradients.params[i] + elementwise::sum(row),
            Target::Nothing => {}
        }
    }

    /// Seeds the adjoint of a period's objective.
    pub(super) fn seed(&mut self, period: usize, gradients: &mut Gradients<F>) {
        let weights = self.weights;
        self.add_row(self.run.program.objective, period, &weights, gradients);
    }

    /// Reverses one phase of a period.
    pub(super) fn reverse_phase(
        &mut self,
        period: usize,
        phase: usize,
        gradients: &mut Gradients<F>,
    ) {
        let ops = self.run.program.period.phases[phase].clone();
        self.reverse(Space::Period, period, ops, gradients);
    }

    /// Reverses one phase of the start block.
    pub(super) fn reverse_start(&mut self, phase: usize, gradients: &mut Gradients<F>) {
        let ops = self.run.program.start.phases[phase].clone();
        self.reverse(Space::Start, 0, ops, gradients);
    }

    /// Hands the adjoints of a period's state to the period before (or to the start), those of its inputs to `exo`, and
    /// clears the slot.
    pub(super) fn close_reverse(
        &mut self,
        period: usize,
        gradients: &mut Gradients<F>,
        mut exo: impl FnMut(usize, usize, F),
    ) {
        let program = self.run.program;
        let slot = self.adjoint_slot(period);
        let mut row = [F::default(); TILE];
        for k in 0..program.states() {
            row.copy_from_slice(&self.adjoint[slot + program.state_row(k).index * TILE..][..TILE]);
            match period.checked_sub(1) {
                Some(before) => self.add_row(program.next[k], before, &row, gradients),
                None => self.add_row(program.initial[k], 0, &row, gradients),
            }
        }
        if self.run.batch.differentiate_inputs {
            for k in 0..program.shape.exo {
                for i in 0..self.count {
                    exo(k, i, self.adjoint[slot + k * TILE + i]);
                }
            }
        }
        self.adjoint[slot..slot + program.period.rows * TILE].fill(F::default());
    }

    /// The adjoints of the sums over lanes that ended a phase, added over this tile's lanes.
    pub(super) fn sum_adjoints(
        &mut self,
        space: Space,
        period: usize,
        phase: usize,
        sums: &mut [f64],
    ) {
        let program = self.run.program;
        let (block, adjoint, base) = match space {
            Space::Start => (&program.start, &self.start_adjoint, 0),
            Space::Period => (&program.period, &self.adjoint, self.adjoint_slot(period)),
        };
        for op in &block.ops[block.phases[phase].clone()] {
            if let Op::LaneSum { out, id, .. } = op {
                let row = &adjoint[base + out * TILE..][..self.count];
                sums[*id] = row.iter().map(|a| a.to_f64()).sum();
            }
        }
    }

    /// Adds the totals of [`sum_adjoints`](Self::sum_adjoints) to the adjoints of what was summed.
    pub(super) fn spread_adjoints(
        &mut self,
        space: Space,
        period: usize,
        phase: usize,
        totals: &[f64],
        gradients: &mut Gradients<F>,
    ) {
        let program = self.run.program;
        let block = if space == Space::Start {
            &program.start
        } else {
            &program.period
        };
        for op in &block.ops[block.phases[phase].clone()] {
            if let Op::LaneSum { x, id, .. } = op {
                let mut row = [F::from_f64(totals[*id]); TILE];
                row[self.count..].fill(F::default());
                self.add_row(*x, period, &row, gradients);
            }
        }
    }

    fn reverse(
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
                    let mut numbers = std::mem::take(&mut self.numbers);
                    for (k, &arg) in inputs.iter().enumerate() {
                        self.pull(
                            space,
                            period,
                            arg,
                            *out,
                            *outputs,
                            gradients,
                            |reader, y, dy, dx| {
                                custom_adjoint(
                                    op.as_ref(),
                                    inputs,
                                    k,
                                    reader,
                                    (y, dy),
                                    dx,
                                    &mut numbers,
                                );
                            },
                        );
                    }
                    self.numbers = numbers;
                }
            }
        }
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
        // An operand wider than its results happens in custom operations and softmax only, where `rows` covers both.
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
                    gradients.params[i] = gradients.params[i] + elementwise::sum(dx);
                }
                (Target::Nothing, _) => {}
            }
        }
        self.scratch = scratch;
        self.start_adjoint = start_adjoint;
        self.adjoint = adjoint;
    }

    fn reader_for(&self, space: Space, period: usize) -> Reader<'_, F> {
        let mut reader = self.reader(period);
        if space == Space::Start {
            reader.shared = &[];
        }
        reader
    }

    fn reverse_dense(
        &mut self,
        space: Space,
        period: usize,
        dense: &Dense,
        gradients: &mut Gradients<F>,
    ) {
        let run = self.run;
        let isa = run.isa;
        let len = dense.outputs * TILE;
        let mut transposed = std::mem::take(&mut self.transposed);
        let mut start_adjoint = std::mem::take(&mut self.start_adjoint);
        let mut adjoint = std::mem::take(&mut self.adjoint);
        let saved_at = |slot: usize| (slot * run.program.period.saved + dense.saved) * TILE;
        let (dz_at, slope) = match space {
            Space::Start => (dense.out * TILE, self.start_saved.get(dense.saved * TILE..)),
            Space::Period => (
                self.adjoint_slot(period) + dense.out * TILE,
                self.saved.get(saved_at(period % self.ring)..),
            ),
        };
        {
            let home = if space == Space::Start {
                &mut start_adjoint
            } else {
                &mut adjoint
            };
            let dz = &mut home[dz_at..dz_at + len];
            if dense.activation != Activation::Identity {
                activation::scale(isa, dz, &slope.unwrap_or(&[])[..len]);
            }
            if let Some(bias) = dense.bias {
                for (o, row) in dz.chunks_exact(TILE).enumerate() {
                    gradients.params[bias + o] = gradients.params[bias + o] + elementwise::sum(row);
                }
            }
            let reader = self.reader_for(space, period);
            let segments = segments(dense, &reader);
            let segments = &segments[..dense.segments.len()];
            weight_gradient(
                isa,
                dz,
                segments,
                &mut transposed,
                &mut gradients.dense[dense.id],
                padded(dense.width),
            );
        }
        for (s, (&(row, rows), &wanted)) in dense.segments.iter().zip(&dense.wanted).enumerate() {
            if !wanted && !run.batch.differentiate_inputs {
                continue;
            }
            let packed = &run.packed[dense.id];
            match (self.target(Arg::Row(row), period), space) {
                (Target::Start(at), Space::Start) => {
                    let (dx, dz) =
                        disjoint(&mut start_adjoint, at..at + rows * TILE, dz_at..dz_at + len);
                    packed.backward(isa, s, dz, dx);
                }
                (Target::Start(at), Space::Period) => {
                    packed.backward(
                        isa,
                        s,
                        &adjoint[dz_at..dz_at + len],
                        &mut start_adjoint[at..at + rows * TILE],
                    );
                }
                (Target::Period(at), _) => {
                    let (dx, dz) = disjoint(&mut adjoint, at..at + rows * TILE, dz_at..dz_at + len);
                    packed.backward(isa, s, dz, dx);
                }
                (Target::Param(_) | Target::Nothing, _) => {}
            }
        }
        self.transposed = transposed;
        self.start_adjoint = start_adjoint;
        self.adjoint = adjoint;
    }
}

/// Adds $dZ\, X^T$ to the gradient of the weights.
fn weight_gradient<F: Real>(
    isa: crate::kernel::isa::Isa,
    dz: &[F],
    segments: &[&[F]],
    transposed: &mut [F],
    grad: &mut [F],
    width: usize,
) {
    // A layer of one or two outputs is cheaper by scalar products: nothing to transpose.
    if dz.len() <= 2 * TILE {
        for (dz, grad) in dz.chunks_exact(TILE).zip(grad.chunks_exact_mut(width)) {
            let inputs = segments.iter().flat_map(|s| s.chunks_exact(TILE));
            for (g, x) in grad.iter_mut().zip(inputs) {
                *g = *g + elementwise::dot(dz, x);
            }
        }
        return;
    }
    let mut column = 0;
    for segment in segments {
        <F as Matrix>::transpose(isa, segment, column, width, transposed);
        column += segment.len() / TILE;
    }
    <F as Matrix>::outer(isa, dz, transposed, width, grad);
}

fn disjoint<F>(values: &mut [F], write: Range<usize>, read: Range<usize>) -> (&mut [F], &[F]) {
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

fn custom_adjoint<F: Real>(
    op: &dyn crate::CustomOp,
    inputs: &[Arg],
    operand: usize,
    reader: &Reader<'_, F>,
    (y, dy): (&[F], &[F]),
    dx: &mut [F],
    numbers: &mut Vec<f64>,
) {
    let (n, m) = (inputs.len(), y.len() / TILE);
    numbers.resize(2 * (n + m), 0.0);
    let (xs, rest) = numbers.split_at_mut(n);
    let (dxs, rest) = rest.split_at_mut(n);
    let (ys, dys) = rest.split_at_mut(m);
    for i in 0..TILE {
        for (x, &arg) in xs.iter_mut().zip(inputs) {
            *x = lane(reader.arg(arg, 1), i).to_f64();
        }
        for j in 0..m {
            ys[j] = y[j * TILE + i].to_f64();
            dys[j] = dy[j * TILE + i].to_f64();
        }
        dxs.fill(0.0);
        op.vjp(xs, ys, dys, dxs);
        dx[i] = dx[i] + F::from_f64(dxs[operand]);
    }
}
