//! Classes: shares, picking, looking up, and the likelihood of a class of a layer.

use super::blocks::Kind;
use super::emitter::{Adjoint, Emitter, Lanes, number};
use super::order::Who;
use super::packing::Packed;
use super::shape::VECTORS;
use crate::record::{Arg, Dense, Op, Row};

impl Emitter<'_> {
    /// The values of an operation over classes, in a block of one thread a lane.
    pub(super) fn of_classes(&mut self, op: &Op) {
        let space = self.space;
        match op {
            Op::Softmax { x, out, rows } | Op::LogSoftmax { x, out, rows } => {
                self.stored();
                self.reads(*x, *rows, Who::Lane);
                let place = self.place(*x, "r", Lanes::One);
                let (top, total) = self.normaliser(&place, *rows);
                let logs = matches!(op, Op::LogSoftmax { .. });
                let y = if logs {
                    let log = self.bind(format_args!("log({total})"));
                    format!("({place} - {top}) - {log}")
                } else {
                    format!("exp({place} - {top}) / {total}")
                };
                self.begin(format_args!("for (var r = 0u; r < {rows}u; r += 1u)"));
                let y = self.bind(y);
                self.set(
                    Row::of(space, *out),
                    &y,
                    "r",
                    (*rows, Who::Lane),
                    Lanes::One,
                );
                self.stored();
                self.end();
            }
            Op::Pick {
                x,
                rows,
                index,
                out,
            } => {
                let (place, good) = self.index_of(*index, *rows);
                self.stored();
                self.reads(*x, *rows, Who::Lane);
                let x = self.place(*x, &place, Lanes::One);
                let y = self.bind(format_args!("select({}, {x}, {good})", number(f64::NAN)));
                self.set(Row::of(space, *out), &y, "", (1, Who::Lane), Lanes::One);
            }
            Op::Lookup {
                table,
                entries,
                width,
                index,
                out,
            } => {
                let (place, good) = self.index_of(*index, *entries);
                for k in 0..*width {
                    let x = format!("P[{}u + {place} * {width}u]", table + k);
                    let y = self.bind(format_args!("select({}, {x}, {good})", number(f64::NAN)));
                    self.set(Row::of(space, out + k), &y, "", (1, Who::Lane), Lanes::One);
                }
            }
            _ => {}
        }
    }

    /// The largest of some rows, and the sum of the exponentials without it.
    fn normaliser(&mut self, place: &str, rows: usize) -> (String, String) {
        let (top, total) = (self.fresh("top"), self.fresh("sum"));
        self.line(format_args!("var {top} = {};", number(f64::NEG_INFINITY)));
        let each = format!("for (var r = 0u; r < {rows}u; r += 1u)");
        self.line(format_args!("{each} {{ {top} = max({top}, {place}); }}"));
        self.line(format_args!("var {total} = 0.0;"));
        self.line(format_args!(
            "{each} {{ {total} += exp({place} - {top}); }}"
        ));
        (top, total)
    }

    /// The adjoint of an operation over classes.
    pub(super) fn of_classes_back(&mut self, op: &Op) {
        let (out, count) = op.results();
        let own = Row::of(self.space, out);
        match op {
            Op::Softmax { x, rows, .. } | Op::LogSoftmax { x, rows, .. } => {
                if !self.settle(own, *rows) {
                    return;
                }
                let Some(target) = self.wide_target(Arg::Row(*x), *rows) else {
                    return;
                };
                self.enter(Kind::Narrow, false);
                self.stored();
                self.adjoints_used(own, *rows, Who::Lane, false);
                self.adjoints_used(*x, *rows, Who::Lane, true);
                self.reads(own, *rows, Who::Lane);
                let dy = self.adjoint_place(own, "r", Lanes::One);
                let y = self.place(own, "r", Lanes::One);
                let logs = matches!(op, Op::LogSoftmax { .. });
                let total = self.fresh("sum");
                self.line(format_args!("var {total} = 0.0;"));
                let term = if logs {
                    dy.clone()
                } else {
                    format!("{dy} * {y}")
                };
                let each = format!("for (var r = 0u; r < {rows}u; r += 1u)");
                self.line(format_args!("{each} {{ {total} += {term}; }}"));
                self.begin(each);
                let d = if logs {
                    format!("{dy} - exp({y}) * {total}")
                } else {
                    format!("{y} * ({dy} - {total})")
                };
                let d = self.bind(d);
                self.put(&target.of_one(), &d);
                self.end();
            }
            Op::Pick { x, rows, index, .. } => {
                self.enter(Kind::Narrow, false);
                let Some(dy) = self.adjoint(out) else { return };
                let (place, good) = self.index_of(*index, *rows);
                let Some(target) = self.narrow_rows(*x, *rows) else {
                    return;
                };
                self.line(format_args!("{{ let r = {place};"));
                self.put(&target.of_one(), &format!("select(0.0, {dy}, {good})"));
                self.line("}");
            }
            Op::Lookup {
                table,
                entries,
                width,
                index,
                ..
            } => {
                if !self.settle(own, count) {
                    return;
                }
                self.lookup_back(own, (*table, *entries, *width), *index);
            }
            _ => {}
        }
        self.consume(out, count);
    }

    /// Adjoints in memory of rows of which each thread adds to one, whose number it finds.
    fn narrow_rows(&mut self, row: Row, rows: usize) -> Option<super::adjoints::Target> {
        if row.lag == 0 && row.space == self.space {
            for i in 0..rows {
                if self.adjoints[row.space as usize][row.index + i] == Adjoint::Zero {
                    self.put_adjoint(row.offset(i), "0.0");
                    self.adjoints[row.space as usize][row.index + i] = Adjoint::Memory;
                }
                if let Adjoint::Name(name) =
                    self.adjoints[row.space as usize][row.index + i].clone()
                {
                    self.put_adjoint(row.offset(i), &name);
                    self.adjoints[row.space as usize][row.index + i] = Adjoint::Memory;
                }
            }
        }
        self.stored();
        self.adjoints_used(row, rows, Who::Lane, true);
        self.rows_target(row)
    }

    /// Adds the adjoints of what was looked up to the table: a thread has a column, and takes the lanes one after another.
    fn lookup_back(
        &mut self,
        own: Row,
        (table, entries, width): (usize, usize, usize),
        index: Arg,
    ) {
        if !self.plan.trained[table..table + entries * width].contains(&true) {
            return;
        }
        self.enter(Kind::Narrow, false);
        let (place, good) = self.index_of(index, entries);
        let kept = self.scratch_place(0, "", Lanes::One);
        self.line(format_args!(
            "{kept} = bitcast<f32>(select(0xffffffffu, {place}, {good} && alive));"
        ));
        self.enter(Kind::Layer, true);
        self.gradient_used(table, entries * width, Who::Rows(width));
        let scratch = self.scratch();
        self.begin(format_args!(
            "for (var r = tid; r < {width}u; r += {}u)",
            super::shape::THREADS
        ));
        self.begin(format_args!(
            "for (var k = 0u; k < {}u; k += 1u)",
            4 * VECTORS
        ));
        self.line(format_args!(
            "let e = bitcast<u32>(sh[{scratch}u + (k >> 2u)][k & 3u]);"
        ));
        self.adjoints_used(own, width, Who::All, false);
        let dy = self.adjoint_place(own, "r", Lanes::At("(k >> 2u)"));
        self.line(format_args!(
            "if (e != 0xffffffffu) {{ GP[gp + {table}u + e * {width}u + r] += {dy}[k & 3u]; }}"
        ));
        self.end();
        self.end();
    }

    /// The logits of a likelihood, in memory.
    fn logits(&mut self, layer: &Dense, packed: &Packed) {
        self.enter(Kind::Layer, true);
        let inputs = self.inputs(layer, packed);
        let first = self.frame.logits;
        self.order
            .note(first..first + layer.outputs, Who::All, true);
        let place = self.device(first, "o", Lanes::Four);
        self.product(layer.outputs, &inputs, |e, sum, o| {
            let bias = match layer.bias {
                Some(b) => format!(" + vec4<f32>(P[{b}u + {o}])"),
                None => String::new(),
            };
            e.line(format_args!("{{ let o = {o}; {place} = {sum}{bias}; }}"));
        });
    }

    fn logits_used(&mut self, classes: usize, who: Who, write: bool) {
        let first = self.frame.logits;
        self.order.note(first..first + classes, who, write);
    }

    /// The logarithm of the share of each lane's class.
    pub(super) fn likelihood(&mut self, layer: &Dense, packed: &Packed, index: Arg, out: usize) {
        self.logits(layer, packed);
        self.enter(Kind::Narrow, true);
        self.logits_used(layer.outputs, Who::Lane, false);
        let place = self.device(self.frame.logits, "r", Lanes::One);
        let (top, total) = self.normaliser(&place, layer.outputs);
        let log = self.bind(format_args!("log({total})"));
        let (class, good) = self.index_of(index, layer.outputs);
        let x = self.device(self.frame.logits, &class, Lanes::One);
        let none = number(f64::NAN);
        let y = self.bind(format_args!(
            "select({none}, ({x} - {top}) - {log}, {good})"
        ));
        self.set(Row::of(self.space, out), &y, "", (1, Who::Lane), Lanes::One);
        if self.mode.reverse {
            for (i, value) in [top, log].into_iter().enumerate() {
                self.save(layer, i, &value);
            }
        }
    }

    /// The adjoint of a likelihood; `there` says that its logits have just been computed.
    pub(super) fn likelihood_back(
        &mut self,
        (layer, packed): (&Dense, &Packed),
        index: Arg,
        out: usize,
        there: bool,
    ) {
        self.enter(Kind::Narrow, false);
        let Some(dy) = self.adjoint(out) else { return };
        if !there {
            self.logits(layer, packed);
            self.enter(Kind::Narrow, true);
        }
        let dy = if there {
            dy
        } else {
            self.adjoint(out).unwrap_or(dy)
        };
        let (class, good) = self.index_of(index, layer.outputs);
        let dy = self.bind(format_args!("select(0.0, {dy}, {good} && alive)"));
        self.stored();
        let [top, log] = [0, 1].map(|i| {
            let place = self.saved_place(layer, &format!("{i}u"), Lanes::One);
            self.saved_used(layer, i, 1, Who::Lane, false);
            self.bind(place)
        });
        self.logits_used(layer.outputs, Who::Lane, true);
        let place = self.device(self.frame.logits, "r", Lanes::One);
        self.begin(format_args!(
            "for (var r = 0u; r < {}u; r += 1u)",
            layer.outputs
        ));
        self.line(format_args!(
            "{place} = {dy} * (select(0.0, 1.0, r == {class}) - exp(({place} - {top}) - {log}));"
        ));
        self.end();
        if layer.trained {
            self.enter(Kind::Layer, true);
            self.stage(layer);
        }
        self.enter(Kind::Layer, true);
        self.logits_used(layer.outputs, Who::All, false);
        let dz = self.device(self.frame.logits, "o", Lanes::At("k"));
        self.gradients(layer, &dz);
        self.enter(Kind::Layer, true);
        let dz = self.device(self.frame.logits, "i", Lanes::Four);
        self.input_adjoints(layer, packed, &dz);
        self.consume(out, 1);
    }
}
