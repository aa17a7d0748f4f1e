//! Classes: picking, looking up, and the likelihood of a class, whose logits are never kept: where only the objective reads it, it is
//! computed in the period that is about to be reversed, else once forward and once more in reverse.

use super::adjoint_dense::weight_gradient;
use super::reverse::{Target, target};
use super::source::{Reader, lane, segments};
use super::tile::{Gradients, Tile};
use crate::kernel::elementwise::Source;
use crate::kernel::isa::Isa;
use crate::kernel::real::Real;
use crate::kernel::{TILE, padded};
use crate::record::{Arg, Dense, MAX_SEGMENTS, NORMALISER, Space};
use crate::scalar::{Activation, place};

/// The place that each lane's index names among `count`.
fn places<F: Real>(index: Source<'_, F>, count: usize) -> [Option<usize>; TILE] {
    std::array::from_fn(|i| place(lane(index, i).to_f64(), count))
}

/// Writes of each lane the value that its index names.
pub(super) fn pick<F: Real>(x: &[F], index: Source<'_, F>, out: &mut [F]) {
    let places = places(index, x.len() / TILE);
    for (i, (out, place)) in out.iter_mut().zip(places).enumerate() {
        *out = place.map_or(F::from_f64(f64::NAN), |row| x[row * TILE + i]);
    }
}

/// Adds the adjoint of each lane's result to that of the value that it is.
pub(super) fn pick_adjoint<F: Real>(index: Source<'_, F>, rows: usize, dy: &[F], dx: &mut [F]) {
    for (i, (&dy, place)) in dy.iter().zip(places(index, rows)).enumerate() {
        if let Some(row) = place {
            let dx = &mut dx[row * TILE + i];
            *dx = *dx + dy;
        }
    }
}

/// Writes the row of a table that each lane's index names.
pub(super) fn lookup<F: Real>(table: &[F], width: usize, index: Source<'_, F>, out: &mut [F]) {
    let places = places(index, table.len() / width);
    let first = places.map(|place| place.unwrap_or(0) * width);
    for (k, row) in out.as_chunks_mut::<TILE>().0.iter_mut().enumerate() {
        for (out, first) in row.iter_mut().zip(first) {
            *out = table[first + k];
        }
    }
    for (i, _) in places.iter().enumerate().filter(|(_, p)| p.is_none()) {
        for row in out.as_chunks_mut::<TILE>().0 {
            row[i] = F::from_f64(f64::NAN);
        }
    }
}

/// Adds the adjoints of the first `count` lanes to those of the table's rows that they were looked up in.
pub(super) fn lookup_adjoint<F: Real>(
    index: Source<'_, F>,
    count: usize,
    dy: &[F],
    width: usize,
    table: &mut [F],
) {
    let places = places(index, table.len() / width);
    for (i, &place) in places.iter().enumerate().take(count) {
        if let Some(row) = place {
            for (k, sum) in table[row * width..][..width].iter_mut().enumerate() {
                *sum = *sum + dy[k * TILE + i];
            }
        }
    }
}

/// Writes the logarithm of the share of each lane's class, and to `normaliser`, unless that is empty, what reverse mode needs.
pub(super) fn log_likelihood<F: Real>(
    isa: Isa,
    logits: &[F],
    index: Source<'_, F>,
    out: &mut [F],
    normaliser: &mut [F],
) {
    let (mut top, mut log_total) = ([F::default(); TILE], [F::default(); TILE]);
    F::normaliser(isa, logits, &mut top, &mut log_total);
    pick(logits, index, out);
    for (i, out) in out.iter_mut().enumerate() {
        *out = (*out - top[i]) - log_total[i];
    }
    if let Some((first, second)) = normaliser.split_at_mut_checked(TILE) {
        first.copy_from_slice(&top);
        second.copy_from_slice(&log_total);
    }
}

impl<F: Real> Tile<'_, F> {
    /// The adjoint of a likelihood: of the layer's inputs, weights and biases.
    pub(super) fn reverse_log_likelihood(
        &mut self,
        space: Space,
        period: usize,
        (layer, index, out): (&Dense, Arg, usize),
        gradients: &mut Gradients<F>,
    ) {
        let (run, isa) = (self.run, self.run.isa);
        let dy_at = self.adjoints.of(space, period, out);
        let mut dy = [F::default(); TILE];
        dy.copy_from_slice(&self.memory.adjoints[dy_at..][..TILE]);
        let saved_at = self.saved.of(space, period, layer.saved);
        let mut targets = [Target::Nothing; MAX_SEGMENTS];
        for (to, &(row, _)) in targets.iter_mut().zip(&layer.segments) {
            *to = target(self, Arg::Row(row), period);
        }
        let memory = &mut self.memory;
        let normaliser = &memory.saved[saved_at..][..NORMALISER * TILE];
        let [top, log_total] = normaliser.as_chunks::<TILE>().0 else {
            return;
        };
        let reader = Reader::whole(&memory.rows, &memory.zeros, &self.map, period, run.params);
        let places = places(reader.arg(index, 1), layer.outputs);
        for (dy, place) in dy.iter_mut().zip(places) {
            // What is not a number has no derivative.
            *dy = if place.is_some() { *dy } else { F::default() };
        }
        let segments = segments(layer, &reader);
        let segments = &segments[..layer.segments.len()];
        let bias = layer.bias.map(|b| b..b + layer.outputs);
        let dz = &mut memory.logits[..layer.outputs * TILE];
        let biases = bias.clone().map_or(&[][..], |b| &run.params[b]);
        // On the way back the likelihood has mostly just been computed.
        if !(space == Space::Period && self.logits_of.take() == Some(out)) {
            let identity = Activation::Identity;
            run.packed[layer.id].forward(isa, TILE, segments, biases, identity, dz, &mut []);
        }
        F::likelihood_adjoint(isa, dz, top, log_total, &dy);
        for (i, (&dy, place)) in dy.iter().zip(places).enumerate() {
            if let Some(class) = place {
                let dz = &mut dz[class * TILE + i];
                *dz = *dz + dy;
            }
        }
        let bias = bias.filter(|_| layer.trained);
        let bias = bias.map_or(&mut [][..], |b| &mut gradients.params[b]);
        F::scale(isa, TILE, dz, &[], self.here.count, bias);
        if layer.trained {
            let (scratch, grad) = (&mut memory.transposed, &mut gradients.dense[layer.id]);
            let width = padded(layer.width);
            let lanes = (TILE, self.here.count);
            weight_gradient(isa, lanes, dz, segments, scratch, grad, width);
        }
        for (s, &(_, rows)) in layer.segments.iter().enumerate() {
            if let (Target::Rows(at), true) = (targets[s], layer.wanted[s]) {
                let dx = &mut memory.adjoints[at..at + rows * TILE];
                run.packed[layer.id].backward(isa, TILE, s, dz, layer.fresh[s], dx);
            }
        }
    }
}
