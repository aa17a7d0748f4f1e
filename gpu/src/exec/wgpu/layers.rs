//! Layers: products of weights with tiles of lanes, in blocks of registers.

use super::blocks::Kind;
use super::emitter::{Emitter, Lanes, number};
use super::functions as f;
use super::order::Who;
use super::packing::Packed;
use super::shape::{HEAD, HEAD_INPUTS, PER_LANE, ROWS_AT_ONCE};
use crate::record::{Arg, Dense, Row};
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
    pub(super) fn input(&mut self, row: Row, rows: usize, weights: usize) -> Factor {
        self.reads(row, rows, Who::All);
        let place = self.place(row, "i", Lanes::Four);
        Factor {
            place,
            rows,
            weights,
            lag: row.lag,
        }
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
    pub(super) fn rows_of(&mut self, factor: &Factor, stride: usize, o: &str, sums: &[String]) {
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

    pub(super) fn one_row(
        &mut self,
        factor: &Factor,
        stride: usize,
        o: &str,
        sums: &[String],
        i: &str,
    ) {
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
                self.set(
                    Row::of(space, dense.out + o),
                    &y,
                    "",
                    (1, Who::Lane),
                    Lanes::One,
                );
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
    pub(super) fn head(&mut self, dense: &Dense) {
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
            self.begin(format_args!(
                "for (var i = q; i < {rows}u; i += {PER_LANE}u)"
            ));
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

    pub(super) fn head_sum(&mut self, dense: &Dense, o: usize) -> String {
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

    /// Loads four lanes of each of a thread's rows, without waiting between them; no more than registers hold.
    pub(super) fn loads(&mut self, rows: usize, lag: usize, place: &str) -> Vec<String> {
        let turns = 0..rows.div_ceil(ROWS_AT_ONCE);
        let names = turns.map(|turn| {
            let name = self.fresh("v");
            self.line(format_args!("var {name} = vec4<f32>();"));
            let guard = if lag > 0 {
                format!("if (t >= {lag}u) ")
            } else {
                String::new()
            };
            self.turn(rows, turn, &format!("{guard}{{ {name} = {place}; }}"));
            name
        });
        names.collect()
    }

    /// What a thread does to its row `r` of some rows, in one of its turns.
    pub(super) fn turn(&mut self, rows: usize, turn: usize, what: &str) {
        let first = turn * ROWS_AT_ONCE;
        let guard = if first + ROWS_AT_ONCE > rows {
            format!("if (r < {rows}u) ")
        } else {
            String::new()
        };
        self.line(format_args!(
            "{{ let r = rq + {first}u; {guard}{{ {what} }} }}"
        ));
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
    pub(super) fn saved_used(
        &mut self,
        layer: &Dense,
        k: usize,
        rows: usize,
        who: Who,
        write: bool,
    ) {
        let first = self.saved_row(layer) + k;
        let who = match who {
            Who::Rows(_) => Who::Rows(first),
            Who::Blocks(each, _) => Who::Blocks(each, first),
            other => other,
        };
        self.order.note(first..first + rows, who, write);
    }

    /// An operand's numbers as an argument of a block of one thread a lane.
    pub(super) fn index_of(&mut self, arg: Arg, count: usize) -> (String, String) {
        let index = self.value(arg, 0);
        let near = self.bind(format_args!("round({index})"));
        let good = self.bind(format_args!(
            "{near} >= 0.0 && {near} < {}",
            number(count_as_f64(count))
        ));
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

pub(super) fn share_of(outputs: usize, first: Option<usize>) -> Who {
    let first = first.unwrap_or_default();
    match each_of(outputs) {
        1 => Who::Rows(first),
        each => Who::Blocks(each, first),
    }
}

#[allow(
    clippy::cast_precision_loss,
    reason = "numbers of classes are far below 2^52"
)]
pub(super) fn count_as_f64(count: usize) -> f64 {
    count as f64
}
