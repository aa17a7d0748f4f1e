//! The tiles of one thread: their memory, kept between runs, and where everything in it is.

use crate::kernel::WIDE;
use crate::kernel::aligned::Aligned;
use crate::kernel::dense::Packed;
use crate::kernel::elementwise;
use crate::kernel::groups::Groups;
use crate::kernel::isa::Isa;
use crate::kernel::padded;
use crate::kernel::real::Real;
use crate::record::{Code, Plan, Side, Space};

use super::arrangement::Arrangement;
use super::batch::Batch;
use super::direct::{self, Directs};
use super::ring::{Map, Slots};
use super::segment::Segments;

/// What all tiles of a run share.
#[derive(Debug)]
pub(super) struct Run<'a, F: Real> {
    pub(super) isa: Isa,
    pub(super) plan: &'a Plan,
    /// Of the lanes and of the groups, the operations that are found beforehand.
    pub(super) directs: &'a [Directs<F>; 2],
    pub(super) params: &'a [F],
    pub(super) batch: &'a Batch<'a, F>,
    pub(super) packed: &'a [Packed<F>],
    pub(super) arrangement: &'a Arrangement,
    /// How the horizon is kept for reverse mode, if it is.
    pub(super) reverse: Option<Segments>,
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
    pub(super) fn new(plan: &Plan) -> Self {
        let mut dense: Vec<Aligned<F>> = (0..plan.dense).map(|_| Aligned::default()).collect();
        for (_, op) in plan.dense_ops().filter(|(_, op)| op.trained) {
            dense[op.id] = Aligned::zeros(op.outputs * padded(op.width));
        }
        Gradients {
            params: vec![F::default(); plan.shape.params],
            dense,
            objective: 0.0,
        }
    }

    /// Begins anew.
    pub(super) fn clear(&mut self) {
        self.params.fill(F::default());
        self.dense
            .iter_mut()
            .for_each(|dense| dense.fill(F::default()));
        self.objective = 0.0;
    }

    /// Adds everything to the sums of the parameters, in `f64`.
    pub(super) fn add_to(&self, isa: Isa, plan: &Plan, sums: &mut [f64]) {
        elementwise::add_double(isa, &self.params, sums);
        for (_, op) in plan.dense_ops().filter(|(_, op)| op.trained) {
            let width = padded(op.width);
            let rows = self.dense[op.id].chunks_exact(width);
            for (sums, row) in sums[op.weights..].chunks_exact_mut(op.width).zip(rows) {
                elementwise::add_double(isa, &row[..op.width], sums);
            }
        }
    }
}

/// The numbers of a thread's tiles.
#[derive(Debug, Default)]
pub(super) struct Memory<F> {
    /// Rows of the start and of the periods.
    pub(super) rows: Aligned<F>,
    /// Rows of zeros, for those before the first period.
    pub(super) zeros: Aligned<F>,
    /// Derivatives of activations.
    pub(super) saved: Aligned<F>,
    pub(super) adjoints: Aligned<F>,
    pub(super) checkpoints: Aligned<F>,
    /// Scratch: inputs of a dense layer, lane-major; rows of an operand that has none; numbers of a custom operation.
    pub(super) transposed: Aligned<F>,
    pub(super) scratch: Aligned<F>,
    pub(super) numbers: Vec<f64>,
    /// The logits of a likelihood, and their adjoints.
    pub(super) logits: Aligned<F>,
}

/// What is known of one tile.
#[derive(Debug, Clone)]
pub(super) struct Place<'r, F> {
    /// Its number in the run.
    pub(super) index: usize,
    /// First lane of the run, or first group, and how many there are; in a tile of lanes the others repeat the last one with weight zero.
    pub(super) first: usize,
    pub(super) count: usize,
    /// The lanes of each of the block's groups that are here; none in a tile of groups.
    pub(super) groups: Groups<'r>,
    pub(super) objective: [f64; WIDE],
    pub(super) weights: [F; WIDE],
}

impl<F: Real> Place<'_, F> {
    pub(super) fn new(index: usize, first: usize, count: usize) -> Self {
        Place {
            index,
            first,
            count,
            groups: Groups::new(&[], 0),
            objective: [0.0; WIDE],
            weights: [F::default(); WIDE],
        }
    }
}

/// One of the tiles that a thread takes over the horizon (reverse mode) or over as many periods as are looked back on: of lanes, or the
/// tile of the groups of a block.
#[derive(Debug)]
pub(super) struct Tile<'r, F: Real> {
    pub(super) run: &'r Run<'r, F>,
    pub(super) side: &'r Side,
    pub(super) directs: &'r Directs<F>,
    pub(super) here: Box<Place<'r, F>>,
    /// The places of all tiles; that of the tile that is worked on is in `here`.
    places: Vec<Box<Place<'r, F>>>,
    at: usize,
    pub(super) map: Map,
    pub(super) saved: Map,
    pub(super) adjoints: Map,
    pub(super) checkpoints: Slots,
    pub(super) memory: Memory<F>,
    /// The result of the likelihood whose logits are in memory, in the period that was run last.
    pub(super) logits_of: Option<usize>,
}

impl<'r, F: Real> Tile<'r, F> {
    /// Tiles in some memory.
    pub(super) fn new(
        run: &'r Run<'r, F>,
        side: &'r Side,
        width: usize,
        places: Vec<Place<'r, F>>,
        memory: Memory<F>,
    ) -> Self {
        let of_groups = !std::ptr::eq(side, &raw const run.plan.lane);
        let mut tile = Tile {
            run,
            side,
            directs: &run.directs[usize::from(of_groups)],
            here: Box::new(Place::new(0, 0, 0)),
            places: places.into_iter().map(Box::new).collect(),
            at: 0,
            map: Map::default(),
            saved: Map::default(),
            adjoints: Map::default(),
            checkpoints: Slots::default(),
            memory,
            logits_of: None,
        };
        if let Some(first) = tile.places.first_mut() {
            std::mem::swap(first, &mut tile.here);
        }
        tile.lay(width);
        tile
    }

    /// The number of tiles.
    pub(super) fn tiles(&self) -> usize {
        self.places.len()
    }

    /// Makes a tile the one that is worked on.
    pub(super) fn turn_to(&mut self, tile: usize) {
        if tile == self.at {
            return;
        }
        std::mem::swap(&mut self.here, &mut self.places[self.at]);
        std::mem::swap(&mut self.here, &mut self.places[tile]);
        self.at = tile;
        self.logits_of = None;
        self.map.turn_to(tile);
        self.saved.turn_to(tile);
        self.adjoints.turn_to(tile);
        self.checkpoints.move_to(tile * self.checkpoints.len());
    }

    /// Numbers of a row.
    pub(super) fn width(&self) -> usize {
        self.map.width
    }

    /// Whether its rows are of groups.
    pub(super) fn is_of_groups(&self) -> bool {
        self.here.groups.lanes.is_empty()
    }

    /// The operations of a block.
    pub(super) fn code(&self, space: Space) -> &'r Code {
        match space {
            Space::Start => &self.side.start,
            Space::Period => &self.side.period,
        }
    }

    /// Finds room for rows of `width` numbers.
    fn lay(&mut self, width: usize) {
        let (side, tiles, reverse) = (self.side, self.places.len(), self.run.reverse);
        let (start, period) = (&side.start, &side.period);
        let passing = self.run.plan.reach + 2;
        let kept = reverse.map_or(passing, Segments::slots);
        let kept = (side.kept, kept);
        let shared = period.rows - side.own;
        let passing_rows = side.own - side.kept;
        let map =
            |start, kept, passing, shared| Map::new(width, tiles, start, kept, passing, shared);
        let fixed = &self.directs.fixed;
        let numbers = shared + fixed.len();
        self.map = map(start.rows, kept, (passing_rows, passing), numbers);
        let rows = period.rows.max(start.rows);
        grow(&mut self.memory.rows, self.map.len());
        let (params, memory) = (self.run.params, &mut self.memory.rows);
        direct::fill(fixed, params, &self.map, period.rows, memory);
        grow(&mut self.memory.zeros, rows * width);
        let scratch = side.scratch;
        grow(&mut self.memory.transposed, padded(scratch.inputs) * width);
        grow(&mut self.memory.logits, scratch.classes * width);
        let Some(segments) = reverse else { return };
        let saved = (side.saved, segments.len);
        self.saved = map(start.saved, saved, (0, 0), period.saved - side.saved);
        self.adjoints = map(start.rows, (side.own, passing), (0, 0), shared);
        let carried: usize = side.carried.iter().map(ExactSizeIterator::len).sum();
        let kept = segments.checkpoints() * segments.looked_back_on();
        self.checkpoints = Slots::new(0, kept, carried * width);
        grow(&mut self.memory.saved, self.saved.len());
        grow(&mut self.memory.adjoints, self.adjoints.len());
        grow(&mut self.memory.checkpoints, tiles * self.checkpoints.len());
        grow(&mut self.memory.scratch, scratch.operands * width);
    }

    /// Goes to a period, with all tiles.
    pub(super) fn go_to(&mut self, period: usize) {
        self.map.go_to(period);
        self.saved.go_to(period);
        self.adjoints.go_to(period);
    }
}

fn grow<F: Real>(numbers: &mut Aligned<F>, len: usize) {
    if numbers.len() < len {
        *numbers = Aligned::zeros(len);
    }
}
