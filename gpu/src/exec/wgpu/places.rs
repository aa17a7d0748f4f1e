//! Where numbers are read and written: rows of device memory, of the tape, of workgroup memory, of the batch, of the groups.

use super::emitter::{Emitter, Lanes};
use super::frame::{Frame, Home};
use super::shape::VECTORS;
use crate::record::{Dense, Row, Space};

impl Emitter<'_> {
    /// A row of device memory: `base` and `add` count rows.
    pub(super) fn device(&self, base: usize, add: &str, lanes: Lanes<'_>) -> String {
        let base = base * VECTORS;
        at("M", &format!("s4 + {base}u"), add, VECTORS, lanes)
    }

    /// A hot row, in the memory of the workgroup.
    pub(super) fn workgroup(row: usize, add: &str, lanes: Lanes<'_>) -> String {
        at("sh", &format!("{}u", row * VECTORS), add, VECTORS, lanes)
    }

    /// A row of a layer's inputs that are staged.
    pub(super) fn stage_place(
        &self,
        layer: &Dense,
        row: usize,
        add: &str,
        lanes: Lanes<'_>,
    ) -> String {
        let own = if self.space == Space::Period {
            self.frame.in_place.get(&layer.id)
        } else {
            None
        };
        Self::workgroup(own.copied().unwrap_or(self.frame.stage) + row, add, lanes)
    }

    /// A row of scratch in the memory of the workgroup.
    pub(super) fn scratch_place(&self, row: usize, add: &str, lanes: Lanes<'_>) -> String {
        let base = self.scratch() + row * VECTORS;
        at("sh", &format!("{base}u"), add, VECTORS, lanes)
    }

    /// The first vector of scratch.
    pub(super) fn scratch(&self) -> usize {
        self.frame.scratch * VECTORS
    }

    /// A row of a period of the tape.
    pub(super) fn tape(&self, row: usize, lag: usize, add: &str, lanes: Lanes<'_>) -> String {
        let base = tape_base(self.frame, row, lag);
        at("M", &format!("s4 + {base}"), add, VECTORS, lanes)
    }

    /// What a layer saved for the way back.
    pub(super) fn saved_place(&self, layer: &Dense, add: &str, lanes: Lanes<'_>) -> String {
        let frame = self.frame;
        match frame.saved.get(&layer.id) {
            _ if self.space == Space::Start => {
                self.device(frame.start_saved + layer.saved, add, lanes)
            }
            Some(&place) => self.tape(frame.tape_rows + place, 0, add, lanes),
            None => self.device(self.saved_row(layer), add, lanes),
        }
    }

    /// The row of the tile's memory where what a layer saved begins.
    pub(super) fn saved_row(&self, layer: &Dense) -> usize {
        let frame = self.frame;
        match frame.saved.get(&layer.id) {
            _ if self.space == Space::Start => frame.start_saved + layer.saved,
            Some(&place) => frame.tape + frame.tape_rows + place,
            None => frame.once_saved + layer.saved.saturating_sub(self.side.saved),
        }
    }

    /// Whether the tape keeps what a layer's activation is of.
    pub(super) fn is_raw(&self, layer: &Dense) -> bool {
        self.space == Space::Period && self.frame.raw[layer.out]
    }

    /// Where the value of a row is read; `add` counts rows behind it.
    pub(super) fn place(&self, row: Row, add: &str, lanes: Lanes<'_>) -> String {
        if row.space == Space::Start {
            return self.device(row.index, add, lanes);
        }
        if !self.back
            && row.lag == 0
            && let Some(hot) = self.frame.hot[row.index]
        {
            return Self::workgroup(hot, add, lanes);
        }
        let place = self.home_place(row, add, lanes);
        match (self.frame.raw[row.index], lanes) {
            (true, Lanes::One) => format!("silu_1({place})"),
            (true, _) => format!("silu_4({place})"),
            (false, _) => place,
        }
    }

    /// Where the argument of a row's activation is read.
    pub(super) fn raw_place(&self, row: Row, add: &str, lanes: Lanes<'_>) -> String {
        self.home_place(row, add, lanes)
    }

    pub(super) fn home_place(&self, row: Row, add: &str, lanes: Lanes<'_>) -> String {
        let more = if add.is_empty() {
            String::new()
        } else {
            format!(" + ({add})")
        };
        let lag = row.lag;
        match self.frame.homes[row.index] {
            Home::Tape(place) => self.tape(place, lag, add, lanes),
            Home::Once(place) => self.device(self.frame.once + place, add, lanes),
            Home::Input(k) => {
                let source = if self.groups { "shared_" } else { "exo_" };
                let (width, who) = source_of(lanes, "src");
                format!("{source}{width}(t - {lag}u, {k}u{more}, {who})")
            }
            Home::Over(from) => self.over_place(from, lag, &more, lanes),
            Home::Nowhere => format!("NOWHERE_{}", row.index),
        }
    }

    /// A row of the groups in this period, as the thread's lane sees it.
    pub(super) fn over_value(&self, from: Row) -> String {
        self.over_place(from, 0, "", Lanes::One)
    }

    /// A row of the groups, as one of their lanes sees it.
    pub(super) fn over_place(&self, from: Row, lag: usize, more: &str, lanes: Lanes<'_>) -> String {
        let (width, who) = source_of(lanes, "gid");
        let base = match (from.space, self.over.homes.get(from.index)) {
            (Space::Start, _) => format!("{}u", from.index * VECTORS),
            (_, Some(&Home::Input(k))) => {
                return format!("shared_{width}(t - {lag}u, {k}u{more}, {who})");
            }
            (_, Some(&Home::Tape(place))) => tape_base(self.over, place, lag),
            (_, Some(&Home::Once(place))) => format!("{}u", (self.over.once + place) * VECTORS),
            _ => format!("NOWHERE_GROUP_{}", from.index),
        };
        let more = if more.is_empty() {
            String::new()
        } else {
            format!(" + (0u{more}) * {VECTORS}u")
        };
        format!("over_{width}({base}{more}, {who})")
    }

    /// The row of the tile's memory where the value of a row is kept, if it is.
    pub(super) fn slot_row(&self, row: Row) -> Option<usize> {
        if row.space == Space::Start {
            return Some(row.index);
        }
        match self.frame.homes[row.index] {
            Home::Tape(place) => Some(self.frame.tape + place),
            Home::Once(place) => Some(self.frame.once + place),
            _ => None,
        }
    }

    /// The row of the tile's memory where the adjoint of a row is kept, if it is.
    pub(super) fn adjoint_row(&self, row: Row) -> Option<usize> {
        if row.lag > 0 {
            return self
                .frame
                .ring
                .get(&row.index)
                .map(|place| self.frame.waiting + place);
        }
        match (row.space, self.frame.hot.get(row.index)) {
            (Space::Start, _) => Some(self.frame.start_adjoints + row.index),
            (_, Some(Some(_))) => None,
            _ => Some(self.frame.adjoints + row.index),
        }
    }

    /// Where the adjoint of a row of this period, or of the start, is kept.
    pub(super) fn adjoint_place(&self, row: Row, add: &str, lanes: Lanes<'_>) -> String {
        match (row.space, self.frame.hot.get(row.index)) {
            (Space::Start, _) => self.device(self.frame.start_adjoints + row.index, add, lanes),
            (_, Some(&Some(hot))) => Self::workgroup(hot, add, lanes),
            _ => self.device(self.frame.adjoints + row.index, add, lanes),
        }
    }

    /// Where the adjoints of rows wait for the period that they belong to.
    pub(super) fn waiting_place(&self, row: Row, add: &str, lanes: Lanes<'_>) -> Option<String> {
        let place = *self.frame.ring.get(&row.index)?;
        let (rows, slots) = (self.frame.ring.len(), self.plan.reach + 1);
        let base = format!(
            "s4 + {}u + ((t - {}u) % {slots}u) * {}u",
            (self.frame.waiting + place) * VECTORS,
            row.lag,
            rows * VECTORS,
        );
        Some(at("M", &base, add, VECTORS, lanes))
    }
}

fn source_of(lanes: Lanes<'_>, who: &str) -> (usize, String) {
    match lanes {
        Lanes::One => (1, who.to_owned()),
        Lanes::Four | Lanes::At(_) => (4, format!("{who}4")),
    }
}

fn tape_base(frame: &Frame, row: usize, lag: usize) -> String {
    let (first, stride) = (frame.tape * VECTORS, frame.tape_stride * VECTORS);
    let period = match frame.periods {
        None => format!("(t - {lag}u)"),
        // One more slot than is looked back on: what is read is never what is written.
        Some(few) => format!("((t + {few}u - {lag}u) % {}u)", few + 1),
    };
    format!("{}u + {period} * {stride}u", first + row * VECTORS)
}

fn at(array: &str, base: &str, add: &str, stride: usize, lanes: Lanes<'_>) -> String {
    let more = if add.is_empty() {
        String::new()
    } else {
        format!(" + ({add}) * {stride}u")
    };
    match lanes {
        Lanes::One => format!("{array}[{base}{more} + l4][lc]"),
        Lanes::Four => format!("{array}[{base}{more} + lg]"),
        Lanes::At(k) => format!("{array}[{base}{more} + {k}]"),
    }
}
