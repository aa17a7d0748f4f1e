//! The memory of one tile, taken once and used for every tile of a run.

use crate::kernel::aligned::Aligned;
use crate::kernel::dense::Packed;
use crate::kernel::isa::Isa;
use crate::kernel::real::Real;
use crate::kernel::{TILE, padded};
use crate::record::{Dense, Op, Program, Space};

use super::batch::Batch;
use super::ring::Ring;
use super::segment::{Checkpoints, Segments};

/// What all tiles of a run share.
#[derive(Debug)]
pub(super) struct Run<'a, F: Real> {
    pub(super) isa: Isa,
    pub(super) program: &'a Program,
    pub(super) params: &'a [F],
    pub(super) batch: &'a Batch<'a, F>,
    pub(super) packed: Vec<Packed<F>>,
    /// How the horizon is kept for reverse mode, if it is.
    pub(super) reverse: Option<Segments>,
}

impl<'a, F: Real> Run<'a, F> {
    pub(super) fn new(
        program: &'a Program,
        params: &'a [F],
        batch: &'a Batch<'a, F>,
        reverse: Option<Segments>,
    ) -> Self {
        let isa = Isa::detect();
        let mut packed = vec![Packed::default(); program.dense];
        for dense in dense_ops(program) {
            let weights = &params[dense.weights..dense.weights + dense.outputs * dense.width];
            let segments: Vec<usize> = dense.segments.iter().map(|&(_, rows)| rows).collect();
            packed[dense.id] =
                Packed::new(isa, weights, dense.outputs, &segments, reverse.is_some());
        }
        Run {
            isa,
            program,
            params,
            batch,
            packed,
            reverse,
        }
    }

    /// The number of tiles.
    pub(super) fn tiles(&self) -> usize {
        self.batch.run_lanes().div_ceil(TILE)
    }

    /// The inputs that all lanes share, which the start block has none of.
    pub(super) fn shared_in(&self, space: Space, period: usize) -> &'a [F] {
        match space {
            Space::Start => &[],
            Space::Period => self.shared(period),
        }
    }

    /// The periods' inputs that all lanes share.
    pub(super) fn shared(&self, period: usize) -> &'a [F] {
        let n = self.program.shape.shared;
        &self.batch.shared[(self.batch.window.start + period) * n..][..n]
    }
}

pub(super) fn dense_ops(program: &Program) -> impl Iterator<Item = &Dense> {
    program
        .start
        .ops
        .iter()
        .chain(&program.period.ops)
        .filter_map(Op::layer)
}

/// Gradients that a few neighbouring tiles share: added up in the order of the tiles.
#[derive(Debug)]
pub(super) struct Gradients<F> {
    pub(super) params: Vec<F>,
    /// Weight gradients of each dense layer, outputs by padded width.
    pub(super) dense: Vec<Aligned<F>>,
    pub(super) objective: f64,
}

impl<F: Real> Gradients<F> {
    pub(super) fn new(program: &Program) -> Self {
        let mut dense: Vec<Aligned<F>> = (0..program.dense).map(|_| Aligned::default()).collect();
        for op in dense_ops(program) {
            dense[op.id] = Aligned::zeros(op.outputs * padded(op.width));
        }
        Gradients {
            params: vec![F::default(); program.shape.params],
            dense,
            objective: 0.0,
        }
    }

    /// Adds everything to the sums of the parameters, in `f64`.
    pub(super) fn add_to(&self, program: &Program, sums: &mut [f64]) {
        for (sum, &g) in sums.iter_mut().zip(&self.params) {
            *sum += g.to_f64();
        }
        for op in dense_ops(program) {
            let width = padded(op.width);
            let rows = self.dense[op.id].chunks_exact(width);
            for (sums, row) in sums[op.weights..].chunks_exact_mut(op.width).zip(rows) {
                for (sum, &g) in sums.iter_mut().zip(row) {
                    *sum += g.to_f64();
                }
            }
        }
    }
}

/// What the start block and the periods keep: derivatives of activations, or adjoints.
#[derive(Debug)]
pub(super) struct Kept<F> {
    pub(super) start: Aligned<F>,
    pub(super) periods: Ring<F>,
}

impl<F: Real> Kept<F> {
    /// Rows of the start block or of a period, from `first` on; none in a run that is not gone back through.
    pub(super) fn rows(
        &mut self,
        space: Space,
        period: usize,
        first: usize,
        count: usize,
    ) -> &mut [F] {
        let rows = match space {
            Space::Start => self.start.get_mut(first * TILE..),
            Space::Period => {
                let at = self.periods.at(period) + first * TILE;
                self.periods.numbers.get_mut(at..)
            }
        };
        rows.and_then(|rows| rows.get_mut(..count * TILE))
            .unwrap_or(&mut [])
    }
}

/// The rows of the start block and of the periods, and rows of zeros for those before the first.
#[derive(Debug)]
pub(super) struct Rows<F> {
    pub(super) start: Aligned<F>,
    pub(super) periods: Ring<F>,
    pub(super) zeros: Aligned<F>,
}

/// One tile over the horizon (reverse mode) or over as many periods as are looked back on.
#[derive(Debug)]
pub(super) struct Tile<'r, F: Real> {
    pub(super) run: &'r Run<'r, F>,
    /// First lane of the run, and lanes that exist; the others repeat the last one with weight zero.
    pub(super) first: usize,
    pub(super) count: usize,
    pub(super) rows: Rows<F>,
    pub(super) saved: Kept<F>,
    pub(super) checkpoints: Checkpoints<F>,
    pub(super) adjoints: Kept<F>,
    pub(super) objective: [f64; TILE],
    pub(super) weights: [F; TILE],
    /// Scratch: inputs of a dense layer, lane-major; rows of an operand that has none; numbers of a custom operation.
    pub(super) transposed: Aligned<F>,
    pub(super) scratch: Aligned<F>,
    /// The logits of a likelihood, and their adjoints.
    pub(super) logits: Aligned<F>,
    pub(super) numbers: Vec<f64>,
}

impl<'r, F: Real> Tile<'r, F> {
    pub(super) fn new(run: &'r Run<'r, F>) -> Self {
        let program = run.program;
        let zeros = Aligned::zeros;
        let (ring, segment) = match run.reverse {
            Some(segments) => (segments.slots(), segments.len),
            None => (program.reach + 2, 0),
        };
        let kept = |slots: usize, start: usize, period: usize| Kept {
            start: Aligned::zeros(if run.reverse.is_some() {
                start * TILE
            } else {
                0
            }),
            periods: Ring::new(if run.reverse.is_some() { slots } else { 0 }, period * TILE),
        };
        let widest = dense_ops(program)
            .map(|d| padded(d.width))
            .max()
            .unwrap_or(0);
        let rows = program.period.rows.max(program.start.rows);
        let operands = program.custom_operands().max(rows);
        Tile {
            run,
            first: 0,
            count: 0,
            rows: Rows {
                start: zeros(program.start.rows * TILE),
                periods: Ring::new(ring, program.period.rows * TILE),
                zeros: zeros(rows * TILE),
            },
            saved: kept(segment, program.start.saved, program.period.saved),
            checkpoints: Checkpoints::new(
                run.reverse.unwrap_or_default(),
                program.period.rows * TILE,
            ),
            adjoints: kept(program.reach + 2, program.start.rows, program.period.rows),
            objective: [0.0; TILE],
            weights: [F::default(); TILE],
            transposed: zeros(if run.reverse.is_some() {
                widest * TILE
            } else {
                0
            }),
            scratch: zeros(if run.reverse.is_some() {
                operands * TILE
            } else {
                0
            }),
            logits: zeros(program.most_classes() * TILE),
            numbers: Vec::new(),
        }
    }
}
