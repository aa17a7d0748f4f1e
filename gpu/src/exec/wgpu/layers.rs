//! Layers: products of weights with tiles of lanes, in blocks of registers.

use super::blocks::Kind;
use super::emitter::{Adjoint, Emitter, Lanes, number};
use super::functions as f;
use super::order::Who;
use super::packing::Packed;
use super::shape::{HEAD, HEAD_INPUTS, PER_LANE, ROWS_AT_ONCE, VECTORS};
use crate::record::{Arg, Dense, Row, Space};
use crate::scalar::Activation;

/// A factor of a product: where four lanes of row `i` of some rows are read, the number of rows, and the first vector of the weights that
/// go with them.
pub(super) struct Factor {
    pub(super) place: String,
    pub(super) rows: usize,
    pub(super) weights: usize,
    /// Periods that must have passed, or the factor is zero.
    pub(super) lag: usize,
}

impl Emitter<'_> {
    /// Where four lanes of a segment's row `i` are read.
    fn input(&mut self, row: Row, rows: usize, weights: usize) -> Factor {
        self.reads(row, rows, Who::All);
        let place = self.place(row, "i", Lanes::Four);
        Factor { place, rows, weights, lag: row.lag }
    }

    /// Sums over the rows of the factors, for `outputs` outputs of which each thread has some, four lanes each: calls `finish` with the
    /// name of the sum and the number of the output.
    pub(super) fn product(
        &mut self,
        outputs: usize,
        factors: &[Factor],
        mut finish: impl FnMut(&mut Self, &str, &str),
    ) {
        let each = each_of(outputs);
        let at_once = ROWS_AT_ONCE * each;
        for first in (0..outputs).step_by(at_once) {
            self.begin("");
            let o = self.bind(format_args!("{first}u + rq * {each}u"));
            if first + at_once > outputs {
                self.begin(format_args!("if ({o} < {outputs}u)"));
            }
            let sums: Vec<String> = (0..each).map(|_| self.fresh("a")).collect();
            for sum in &sums {
                self.line(format_args!("var {sum} = vec4<f32>();"));
            }
            let stride = outputs.div_ceil(4);
            for factor in factors {
                if factor.lag > 0 {
                    self.begin(format_args!("if (t >= {}u)", factor.lag));
                }
                self.rows_of(factor, stride, &o, &sums);
                if factor.lag > 0 {
                    self.end();
                }
            }
            for (k, sum) in sums.iter().enumerate() {
                let here = self.bind(format_args!("{o} + {k}u"));
                let partial = !outputs.is_multiple_of(each);
                if partial && k > 0 {
                    self.begin(format_args!("if ({here} < {outputs}u)"));
                }
                finish(self, sum, &here);
                if partial && k > 0 {
                    self.end();
                }
            }
            if first + at_once > outputs {
                self.end();
            }
            self.end();
        }
    }

    /// Adds a factor's rows times their weights to the sums, four rows a turn.
    fn rows_of(&mut self, factor: &Factor, stride: usize, o: &str, sums: &[String]) {
        const TURN: usize = 4;
        let whole = factor.rows / TURN * TURN;
        if whole > 0 {
            self.begin(format_args!("for (var j = 0u; j < {whole}u; j += {TURN}u)"));
            for k in 0..TURN {
                self.one_row(factor, stride, o, sums, &format!("j + {k}u"));
            }
            self.end();
        }
        for i in whole..factor.rows {
            self.one_row(factor, stride, o, sums, &format!("{i}u"));
        }
    }

    fn one_row(&mut self, factor: &Factor, stride: usize, o: &str, sums: &[String], i: &str) {
        self.begin("");
        self.line(format_args!("let i = {i};"));
        let x = self.bind(&factor.place);
        let place = format!("PK[{}u + i * {stride}u + ({o} >> 2u)]", factor.weights);
        // One weight is loaded as it lies: a part of a vector that is not known beforehand is slow to take out of registers.
        let parts: Vec<String> = match sums.len() {
            1 => vec![self.bind(format_args!("{place}[{o} & 3u]"))],
            2 => {
                let w = self.bind(place);
                let half = self.bind(format_args!("select({w}.xy, {w}.zw, ({o} & 2u) != 0u)"));
                vec![format!("{half}.x"), format!("{half}.y")]
            }
            _ => {
                let w = self.bind(place);
                ["x", "y", "z", "w"].map(|c| format!("{w}.{c}")).to_vec()
            }
        };
        for (sum, w) in sums.iter().zip(parts) {
            self.line(format_args!("{sum} = fma(vec4<f32>({w}), {x}, {sum});"));
        }
        self.end();
    }

    /// The rows of a layer's inputs with the weights that go with them.
    pub(super) fn inputs(&mut self, dense: &Dense, packed: &Packed) -> Vec<Factor> {
        let mut column = 0;
        let segments = dense.segments.iter().map(|&(row, rows)| {
            let weights = packed.forward + column * dense.outputs.div_ceil(4);
            column += rows;
            self.input(row, rows, weights)
        });
        segments.collect()
    }

    /// The values of a layer.
    pub(super) fn layer(&mut self, dense: &Dense, packed: &Packed) {
        self.enter(Kind::Layer, true);
        let raw = self.is_raw(dense);
        let saves = self.mode.reverse && dense.activation != Activation::Identity && !raw;
        let space = self.space;
        if dense.outputs <= HEAD && dense.width >= HEAD_INPUTS && !raw {
            self.head(dense);
            for o in 0..dense.outputs {
                let z = self.head_sum(dense, o);
                let y = self.bind(f::activation(dense.activation, &z, 1));
                if saves {
                    let slope = self.bind(f::slope(dense.activation, &z, &y, 1));
                    self.save(dense, o, &slope);
                }
                self.set(Row::of(space, dense.out + o), &y, "", (1, Who::Lane), Lanes::One);
            }
            return;
        }
        let inputs = self.inputs(dense, packed);
        let (rows, who) = (dense.outputs, share(dense.outputs));
        if saves {
            self.saved_used(dense, 0, rows, who, true);
        }
        self.product(dense.outputs, &inputs, |e, sum, o| {
            let z = e.bind(match dense.bias {
                Some(b) => format!("{sum} + vec4<f32>(P[{b}u + {o}])"),
                None => sum.to_owned(),
            });
            let y = e.bind(f::activation(dense.activation, &z, 4));
            if saves {
                let place = e.saved_place(dense, o, Lanes::Four);
                let slope = f::slope(dense.activation, &z, &y, 4);
                e.line(format_args!("{place} = {slope};"));
            }
            let row = Row::of(space, dense.out);
            if raw {
                e.set_raw(row, (&z, &y), o, (rows, who));
            } else {
                e.set(row, &y, o, (rows, who), Lanes::At("lg"));
            }
        });
    }

    /// A layer of few outputs: each of the threads that share a lane sums some of the inputs, and a block of one thread a lane is begun that
    /// adds their sums up.
    fn head(&mut self, dense: &Dense) {
        let sums: Vec<String> = (0..dense.outputs).map(|_| self.fresh("part")).collect();
        for sum in &sums {
            self.line(format_args!("var {sum} = 0.0;"));
        }
        let mut column = 0;
        for &(row, rows) in &dense.segments {
            if row.lag > 0 {
                self.begin(format_args!("if (t >= {}u)", row.lag));
            }
            self.reads(row, rows, Who::All);
            self.begin(format_args!("for (var i = q; i < {rows}u; i += {PER_LANE}u)"));
            let x = self.bind(self.place(row, "i", Lanes::One));
            for (o, sum) in sums.iter().enumerate() {
                let w = dense.weights + o * dense.width + column;
                self.line(format_args!("{sum} = fma(P[{w}u + i], {x}, {sum});"));
            }
            self.end();
            if row.lag > 0 {
                self.end();
            }
            column += rows;
        }
        for (o, sum) in sums.iter().enumerate() {
            let place = self.scratch_place(o * PER_LANE, "q", Lanes::One);
            self.line(format_args!("{place} = {sum};"));
        }
        self.enter(Kind::Narrow, true);
    }

    fn head_sum(&mut self, dense: &Dense, o: usize) -> String {
        let mut sum = match dense.bias {
            Some(b) => format!("P[{}u]", b + o),
            None => number(0.0),
        };
        for q in 0..PER_LANE {
            let part = self.scratch_place(o * PER_LANE + q, "", Lanes::One);
            sum = format!("{sum} + {part}");
        }
        self.bind(sum)
    }

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
            slopes.iter_mut().for_each(|z| *z = format!("silu_slope_4({z}, {z} * sigmoid_4({z}))"));
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
            let slope = slopes.get(turn).map_or(String::new(), |slope| format!(" * {slope}"));
            let update = format!("{place} = select(vec4<f32>(), {place}{slope}, alive4);");
            self.turn(rows, turn, &update);
        }
    }

    /// Loads four lanes of each of a thread's rows, without waiting between them; no more than registers hold.
    fn loads(&mut self, rows: usize, lag: usize, place: &str) -> Vec<String> {
        let turns = 0..rows.div_ceil(ROWS_AT_ONCE);
        let names = turns.map(|turn| {
            let name = self.fresh("v");
            self.line(format_args!("var {name} = vec4<f32>();"));
            let guard = if lag > 0 { format!("if (t >= {lag}u) ") } else { String::new() };
            self.turn(rows, turn, &format!("{guard}{{ {name} = {place}; }}"));
            name
        });
        names.collect()
    }

    /// What a thread does to its row `r` of some rows, in one of its turns.
    fn turn(&mut self, rows: usize, turn: usize, what: &str) {
        let first = turn * ROWS_AT_ONCE;
        let guard = if first + ROWS_AT_ONCE > rows { format!("if (r < {rows}u) ") } else { String::new() };
        self.line(format_args!("{{ let r = rq + {first}u; {guard}{{ {what} }} }}"));
    }

    /// Brings the inputs of a layer to workgroup memory.
    pub(super) fn stage(&mut self, dense: &Dense) {
        let mut column = 0;
        let mut loaded = Vec::new();
        for &(row, rows) in &dense.segments {
            self.reads_rows(row, rows);
            let place = self.place(row, "r", Lanes::Four);
            loaded.push((column, rows, self.loads(rows, row.lag, &place)));
            column += rows;
        }
        for (column, rows, names) in loaded {
            let place = self.stage_place(dense, column, "r", Lanes::Four);
            for (turn, name) in names.iter().enumerate() {
                self.turn(rows, turn, &format!("{place} = {name};"));
            }
        }
    }

    /// Keeps a number of the thread's lane for the way back.
    pub(super) fn save(&mut self, layer: &Dense, k: usize, value: &str) {
        self.saved_used(layer, k, 1, Who::Lane, true);
        let place = self.saved_place(layer, &format!("{k}u"), Lanes::One);
        self.store(&place, value);
    }

    /// Notes that what is saved is read or written.
    pub(super) fn saved_used(&mut self, layer: &Dense, k: usize, rows: usize, who: Who, write: bool) {
        let first = self.saved_row(layer) + k;
        let who = match who {
            Who::Rows(_) => Who::Rows(first),
            Who::Blocks(each, _) => Who::Blocks(each, first),
            other => other,
        };
        self.order.note(first..first + rows, who, write);
    }

    /// Adds $dZ\, X^T$ and the sums of $dZ$ to the gradients of weights and biases, with the inputs staged; `dz` is where four lanes of row
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

    fn gradient_pass(
        &mut self,
        dense: &Dense,
        shape: Blocks,
        pass: usize,
        dz: &str,
        in_registers: bool,
    ) {
        let Blocks { rows, columns, down, across } = shape;
        self.begin("");
        let cell = self.bind(format_args!("{}u + tid", pass * super::shape::THREADS));
        self.begin(format_args!("if ({cell} < {}u)", down * across));
        let o = self.bind(format_args!("{cell} / {across}u"));
        let i = self.bind(format_args!("{cell} % {across}u"));
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
            let place = self.stage_place(dense, 0, &clamped(&i, c, across, dense.width), Lanes::At("k"));
            self.line(format_args!("let x{c} = {place};"));
        }
        for r in 0..rows {
            self.begin("");
            self.line(format_args!("let o = {};", clamped(&o, r, down, dense.outputs)));
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
        let Blocks { rows, columns, down, across } = shape;
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
                    self.line(format_args!("if ({}) {{ {place} += {sum}; }}", guards.join(" && ")));
                }
            }
        }
    }

    /// Takes a layer's sums into registers for as long as the shader runs, if there is room; how many numbers a thread then has.
    pub(super) fn reserve(&mut self, dense: &Dense, left: usize) -> usize {
        let shape = Blocks::of(dense);
        let need = shape.passes() * shape.rows * shape.columns;
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
            self.begin("");
            let cell = self.bind(format_args!("{}u + tid", pass * super::shape::THREADS));
            self.begin(format_args!("if ({cell} < {}u)", shape.down * shape.across));
            let o = self.bind(format_args!("{cell} / {}u", shape.across));
            let i = self.bind(format_args!("{cell} % {}u", shape.across));
            self.flush(dense, shape, (&o, &i), |r, c| format!("dw{}_{pass}_{r}_{c}", dense.id));
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
                let Some(place) = self.waiting_place(row, "i", Lanes::Four) else { continue };
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

    /// An operand's numbers as an argument of a block of one thread a lane.
    pub(super) fn index_of(&mut self, arg: Arg, count: usize) -> (String, String) {
        let index = self.value(arg, 0);
        let near = self.bind(format_args!("round({index})"));
        let good = self.bind(format_args!("{near} >= 0.0 && {near} < {}", number(count_as_f64(count))));
        let place = self.bind(format_args!("select(0u, u32(max({near}, 0.0)), {good})"));
        (place, good)
    }
}

/// Outputs of a product that a thread has side by side.
fn each_of(outputs: usize) -> usize {
    match outputs.div_ceil(ROWS_AT_ONCE) {
        0..=1 => 1,
        2 => 2,
        _ => 4,
    }
}

/// How the threads share the outputs of a product.
fn share(outputs: usize) -> Who {
    share_of(outputs, Some(0))
}

fn share_of(outputs: usize, first: Option<usize>) -> Who {
    let first = first.unwrap_or_default();
    match each_of(outputs) {
        1 => Who::Rows(first),
        each => Who::Blocks(each, first),
    }
}

#[allow(clippy::cast_precision_loss, reason = "numbers of classes are far below 2^52")]
pub(super) fn count_as_f64(count: usize) -> f64 {
    count as f64
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
struct Blocks {
    rows: usize,
    columns: usize,
    down: usize,
    across: usize,
}

impl Blocks {
    fn of(dense: &Dense) -> Blocks {
        let rows = dense.outputs.min(4);
        let down = dense.outputs.div_ceil(rows);
        let with = |columns: usize| Blocks { rows, columns, down, across: dense.width.div_ceil(columns) };
        let cost = |b: &Blocks| (b.passes() * (b.columns + 2), b.columns);
        let all = [1, 2, 4, 8].map(with);
        all.into_iter().min_by_key(cost).unwrap_or(with(1))
    }

    fn passes(self) -> usize {
        (self.down * self.across).div_ceil(super::shape::THREADS)
    }
}
