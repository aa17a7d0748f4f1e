//! Layers on the way back: through the activation, to weights and biases, to the inputs.

use super::blocks::Kind;
use super::emitter::{Adjoint, Emitter, Lanes};
use super::layers::{Factor, share_of};
use super::order::Who;
use super::packing::Packed;
use super::shape::{ROWS_AT_ONCE, VECTORS};
use crate::record::{Dense, Row, Space};
use crate::scalar::Activation;

impl Emitter<'_> {
    /// The adjoints of a layer: of its inputs, weights and biases.
    pub(super) fn layer_back(&mut self, dense: &Dense, packed: &Packed) {
        let space = self.space;
        let own = Row::of(space, dense.out);
        if !self.settle(own, dense.outputs) {
            return;
        }
        self.enter(Kind::Layer, true);
        self.through_activation(dense, own);
        self.enter(Kind::Layer, true);
        self.adjoints_used(own, dense.outputs, Who::All, false);
        let dz = self.adjoint_place(own, "o", Lanes::At("k"));
        self.gradients(dense, &dz);
        // What was staged in the place of the inputs has been read by all.
        self.enter(Kind::Layer, true);
        let dz = self.adjoint_place(own, "i", Lanes::Four);
        self.input_adjoints(dense, packed, &dz);
        self.consume(dense.out, dense.outputs);
    }

    /// The adjoints of a layer's results through its activation, in place, where what no lane has is cleared; its inputs in workgroup memory.
    fn through_activation(&mut self, dense: &Dense, own: Row) {
        let saved = dense.activation != Activation::Identity;
        let rows = dense.outputs;
        let mut slopes = Vec::new();
        if self.is_raw(dense) {
            self.reads_rows(own, rows);
            let place = self.raw_place(own, "r", Lanes::Four);
            slopes = self.loads(rows, 0, &place);
            slopes
                .iter_mut()
                .for_each(|z| *z = format!("silu_slope_4({z}, {z} * sigmoid_4({z}))"));
        } else if saved {
            self.saved_used(dense, 0, rows, Who::Rows(0), false);
            let place = self.saved_place(dense, "r", Lanes::Four);
            slopes = self.loads(rows, 0, &place);
        }
        if dense.trained {
            self.stage(dense);
        }
        self.adjoint_rows(own, rows, true);
        let place = self.adjoint_place(own, "r", Lanes::Four);
        for turn in 0..rows.div_ceil(ROWS_AT_ONCE) {
            let slope = slopes
                .get(turn)
                .map_or(String::new(), |slope| format!(" * {slope}"));
            let update = format!("{place} = select(vec4<f32>(), {place}{slope}, alive4);");
            self.turn(rows, turn, &update);
        }
    }

    /// Adds $dZ\thinspace X^T$ and the sums of $dZ$ to the gradients of weights and biases, with the inputs staged; `dz` is where four lanes of row
    /// `o` are read, by the number `k` of the vector.
    pub(super) fn gradients(&mut self, dense: &Dense, dz: &str) {
        if !dense.trained {
            return;
        }
        let in_registers = self.registers.contains_key(&dense.id);
        if !in_registers {
            let shape = Who::Blocks(dense.outputs, dense.width);
            self.gradient_used(dense.weights, dense.outputs * dense.width, shape);
            if let Some(bias) = dense.bias {
                self.gradient_used(bias, dense.outputs, Who::Rows(bias));
            }
        }
        if let Some(bias) = dense.bias {
            for first in (0..dense.outputs).step_by(super::shape::THREADS) {
                let o = self.bind(format_args!("{first}u + tid"));
                self.begin(format_args!("if ({o} < {}u)", dense.outputs));
                self.line(format_args!("let o = {o}; var s = vec4<f32>();"));
                // Each thread begins at another vector: rows lie in the same banks.
                self.line(format_args!(
                    "for (var j = 0u; j < {VECTORS}u; j += 1u) {{ let k = (j + tid) % {VECTORS}u; s += {dz}; }}"
                ));
                let target = if in_registers {
                    format!("db{}_{first}", dense.id)
                } else {
                    format!("GP[gp + {bias}u + o]")
                };
                self.line(format_args!("{target} += (s.x + s.y) + (s.z + s.w);"));
                self.end();
            }
        }
        let shape = Blocks::of(dense);
        for pass in 0..shape.passes() {
            self.gradient_pass(dense, shape, pass, dz, in_registers);
        }
    }

    /// Notes that gradients of parameters are added to, which are told from rows by their numbers.
    pub(super) fn gradient_used(&mut self, first: usize, params: usize, who: Who) {
        let first = usize::MAX / 2 + first;
        self.order.note(first..first + params, who, true);
    }

    /// Begins code for the threads that have a block of a gradient in a pass, two levels deep: the first output and input of the thread's.
    fn own_block(&mut self, Blocks { down, across, .. }: Blocks, pass: usize) -> (String, String) {
        self.begin("");
        let cell = self.bind(format_args!("{}u + tid", pass * super::shape::THREADS));
        self.begin(format_args!("if ({cell} < {}u)", down * across));
        let o = self.bind(format_args!("{cell} / {across}u"));
        let i = self.bind(format_args!("{cell} % {across}u"));
        (o, i)
    }

    fn gradient_pass(
        &mut self,
        dense: &Dense,
        shape: Blocks,
        pass: usize,
        dz: &str,
        in_registers: bool,
    ) {
        let Blocks {
            rows,
            columns,
            down,
            across,
        } = shape;
        let (o, i) = self.own_block(shape, pass);
        let register = |r: usize, c: usize| format!("dw{}_{pass}_{r}_{c}", dense.id);
        if !in_registers {
            for r in 0..rows {
                for c in 0..columns {
                    self.line(format_args!("var {} = 0.0;", register(r, c)));
                }
            }
        }
        self.begin(format_args!("for (var j = 0u; j < {VECTORS}u; j += 1u)"));
        // Threads that read different rows read different vectors of them: rows lie in the same banks.
        self.line(format_args!("let k = (j + {i}) % {VECTORS}u;"));
        for c in 0..columns {
            let place = self.stage_place(
                dense,
                0,
                &clamped(&i, c, across, dense.width),
                Lanes::At("k"),
            );
            self.line(format_args!("let x{c} = {place};"));
        }
        for r in 0..rows {
            self.begin("");
            self.line(format_args!(
                "let o = {};",
                clamped(&o, r, down, dense.outputs)
            ));
            self.line(format_args!("let d = {dz};"));
            for c in 0..columns {
                let sum = register(r, c);
                self.line(format_args!("{sum} += dot(d, x{c});"));
            }
            self.end();
        }
        self.end();
        if !in_registers {
            self.flush(dense, shape, (&o, &i), register);
        }
        self.end();
        self.end();
    }

    /// Adds a thread's sums to the gradient in memory.
    fn flush(
        &mut self,
        dense: &Dense,
        shape: Blocks,
        (o, i): (&str, &str),
        register: impl Fn(usize, usize) -> String,
    ) {
        let Blocks {
            rows,
            columns,
            down,
            across,
        } = shape;
        for r in 0..rows {
            for c in 0..columns {
                let sum = register(r, c);
                let place = format!(
                    "GP[gp + {}u + ({o} + {}u) * {}u + {i} + {}u]",
                    dense.weights,
                    r * down,
                    dense.width,
                    c * across
                );
                let mut guards = Vec::new();
                if (r + 1) * down > dense.outputs {
                    guards.push(format!("{o} + {}u < {}u", r * down, dense.outputs));
                }
                if (c + 1) * across > dense.width {
                    guards.push(format!("{i} + {}u < {}u", c * across, dense.width));
                }
                if guards.is_empty() {
                    self.line(format_args!("{place} += {sum};"));
                } else {
                    self.line(format_args!(
                        "if ({}) {{ {place} += {sum}; }}",
                        guards.join(" && ")
                    ));
                }
            }
        }
    }

    /// Takes a layer's sums into registers for as long as the shader runs, if there is room; how many numbers a thread then has.
    pub(super) fn reserve(&mut self, dense: &Dense, left: usize) -> usize {
        let shape = Blocks::of(dense);
        let need = shape.registers();
        if !dense.trained || need > left {
            return 0;
        }
        self.registers.insert(dense.id, need);
        for first in (0..dense.outputs).step_by(super::shape::THREADS) {
            self.line(format_args!("var db{}_{first} = 0.0;", dense.id));
        }
        for pass in 0..shape.passes() {
            for r in 0..shape.rows {
                for c in 0..shape.columns {
                    self.line(format_args!("var dw{}_{pass}_{r}_{c} = 0.0;", dense.id));
                }
            }
        }
        need
    }

    /// Brings the sums in registers to memory.
    pub(super) fn release(&mut self, dense: &Dense) {
        if !self.registers.contains_key(&dense.id) {
            return;
        }
        if let Some(bias) = dense.bias {
            for first in (0..dense.outputs).step_by(super::shape::THREADS) {
                let o = format!("{first}u + tid");
                let sum = format!("db{}_{first}", dense.id);
                self.line(format_args!(
                    "if ({o} < {}u) {{ GP[gp + {bias}u + {o}] += {sum}; }}",
                    dense.outputs
                ));
            }
        }
        let shape = Blocks::of(dense);
        for pass in 0..shape.passes() {
            let (o, i) = self.own_block(shape, pass);
            self.flush(dense, shape, (&o, &i), |r, c| {
                format!("dw{}_{pass}_{r}_{c}", dense.id)
            });
            self.end();
            self.end();
        }
    }

    /// The adjoints of a layer's inputs; `dz` is where the thread's four lanes of row `i` are read.
    pub(super) fn input_adjoints(&mut self, dense: &Dense, packed: &Packed, dz: &str) {
        for (s, &(row, rows)) in dense.segments.iter().enumerate() {
            if !dense.wanted[s] {
                continue;
            }
            let foreign = row.space == Space::Start && self.space == Space::Period;
            let (place, adds) = if row.lag > 0 {
                let Some(place) = self.waiting_place(row, "i", Lanes::Four) else {
                    continue;
                };
                (place, true)
            } else {
                let adds = foreign || self.settle_within(row, rows);
                (self.adjoint_place(row, "i", Lanes::Four), adds)
            };
            self.adjoints_used(row, rows, share_of(rows, self.adjoint_row(row)), true);
            let sign = if adds { "+=" } else { "=" };
            let factor = Factor {
                place: dz.to_owned(),
                rows: dense.outputs,
                weights: packed.backward[s],
                lag: 0,
            };
            if row.lag > 0 {
                self.begin(format_args!("if (t >= {}u)", row.lag));
            }
            self.product(rows, &[factor], |e, sum, i| {
                e.line(format_args!("{{ let i = {i}; {place} {sign} {sum}; }}"));
            });
            if row.lag > 0 {
                self.end();
            }
        }
    }

    /// As [`settle`](Self::settle), within a block of a layer, which goes on behind it.
    fn settle_within(&mut self, row: Row, rows: usize) -> bool {
        let there = self.settle(row, rows);
        if there {
            self.enter(Kind::Layer, false);
        }
        let states = &mut self.adjoints[row.space as usize];
        states[row.index..row.index + rows].fill(Adjoint::Memory);
        there
    }
}

/// Row `first + k * step`, or the last.
fn clamped(first: &str, k: usize, step: usize, rows: usize) -> String {
    if (k + 1) * step > rows {
        format!("min({first} + {}u, {}u)", k * step, rows - 1)
    } else {
        format!("{first} + {}u", k * step)
    }
}

/// How a gradient of weights is shared out: each thread has `rows` times `columns` of them, `down` and `across` apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Blocks {
    rows: usize,
    columns: usize,
    down: usize,
    across: usize,
}

impl Blocks {
    pub(super) fn of(dense: &Dense) -> Blocks {
        let rows = dense.outputs.min(4);
        let down = dense.outputs.div_ceil(rows);
        let with = |columns: usize| Blocks {
            rows,
            columns,
            down,
            across: dense.width.div_ceil(columns),
        };
        let cost = |b: &Blocks| (b.passes() * (b.columns + 2), b.columns);
        let all = [1, 2, 4, 8].map(with);
        all.into_iter().min_by_key(cost).unwrap_or(with(1))
    }

    /// Numbers of the gradient that a thread has.
    pub(super) fn registers(self) -> usize {
        self.passes() * self.rows * self.columns
    }

    fn passes(self) -> usize {
        (self.down * self.across).div_ceil(super::shape::THREADS)
    }
}
