//! A block going through the horizon: its tiles and its groups, phase by phase.
//!
//! One thread takes a whole block, or several threads a share of its tiles each. Then every thread computes what is one number for a group
//! by itself, from sums that all of them exchange: the same bits, and no one waits for another's numbers but for the sums.

use std::ops::{DerefMut, Range};

use super::arrangement::BlockPlace;
use super::bridges::live;
use super::exchange::{Exchange, most_rows};
use super::segment::Segments;
use super::tile::{Gradients, Memory, Run, Tile};
use crate::kernel::real::Real;
use crate::record::{Bridge, Reduce, Space};

/// The memory of one thread.
#[derive(Debug, Default)]
pub(super) struct Store<F> {
    lanes: Memory<F>,
    groups: Memory<F>,
    sums: Vec<f64>,
}

/// What a tile returns from a forward run.
#[derive(Debug, Default)]
pub(super) struct TileRollout<F> {
    pub(super) tile: usize,
    pub(super) objective: Vec<f64>,
    /// `[period][trace][lane of the tile]`
    pub(super) traces: Vec<F>,
    /// `[state][lane of the tile]`
    pub(super) state: Vec<F>,
}

/// What a tile returns from a reverse run besides the gradients of the parameters.
#[derive(Debug, Default)]
pub(super) struct TileInputs<F> {
    pub(super) tile: usize,
    /// `[input][lane of the tile]`
    pub(super) lane: Vec<F>,
    /// `[period][input][lane of the tile]`
    pub(super) exo: Vec<F>,
}

/// One thread's tiles of a block.
pub(super) struct Crew<'w, 'r, F: Real> {
    run: &'r Run<'r, F>,
    exchange: &'w Exchange,
    turn: usize,
    block: &'r BlockPlace,
    sums: Vec<f64>,
    groups: Tile<'r, F>,
    lanes: Tile<'r, F>,
    has_groups: bool,
}

impl<'w, 'r, F: Real> Crew<'w, 'r, F> {
    /// Takes some tiles of a block on, in the memory of a thread.
    pub(super) fn new(
        run: &'r Run<'r, F>,
        exchange: &'w Exchange,
        block: &'r BlockPlace,
        tiles: impl Iterator<Item = usize>,
        store: &mut Store<F>,
    ) -> Self {
        let lanes = Tile::of_lanes(run, tiles, std::mem::take(&mut store.lanes));
        let groups = std::mem::take(&mut store.groups);
        let groups = Tile::of_groups(run, block.groups.clone(), groups);
        let mut sums = std::mem::take(&mut store.sums);
        sums.resize(most_rows(run.plan) * block.groups.len(), 0.0);
        Crew {
            run,
            exchange,
            turn: 0,
            block,
            sums,
            groups,
            lanes,
            has_groups: run.plan.has_groups(),
        }
    }

    /// Gives the memory back.
    fn leave(self, store: &mut Store<F>) {
        store.groups = self.groups.memory;
        store.sums = self.sums;
        store.lanes = self.lanes.memory;
    }

    fn phases(&self, space: Space) -> usize {
        self.run.plan.lane.codes()[space as usize].phases.len()
    }

    /// Calls `work` with every tile's place among those of this thread, turned to it.
    fn each(&mut self, mut work: impl FnMut(usize, &mut Tile<'r, F>)) {
        for t in 0..self.lanes.tiles() {
            self.lanes.turn_to(t);
            work(t, &mut self.lanes);
        }
    }

    fn forward(&mut self, space: Space, period: usize) {
        for phase in 0..self.phases(space) {
            let to_groups = &self.groups.code(space).phases[phase].bridges;
            if !to_groups.is_empty() {
                let rows = || {
                    to_groups
                        .iter()
                        .flat_map(|b| std::iter::repeat_n(b.f, b.rows))
                };
                self.exchange(rows(), |tile, sums| tile.join(period, to_groups, sums));
                self.groups.receive(space, period, to_groups, &self.sums);
            }
            if self.has_groups {
                self.groups.run_phase(space, period, phase);
            }
            let to_lanes = &self.lanes.code(space).phases[phase].bridges;
            for t in 0..self.lanes.tiles() {
                self.lanes.turn_to(t);
                self.lanes.take_over(space, period, to_lanes, &self.groups);
                self.lanes.run_phase(space, period, phase);
            }
        }
    }

    /// Joins one number a row and group over all tiles of the block, in the order of the tiles.
    fn exchange(
        &mut self,
        rows: impl Iterator<Item = Reduce> + Clone,
        work: impl Fn(&Tile<'r, F>, &mut [f64]),
    ) {
        let count = rows.clone().count();
        for t in 0..self.lanes.tiles() {
            self.lanes.turn_to(t);
            self.hand_in(count, &work);
        }
        self.total(rows);
    }

    /// Hands in the numbers of the tile that is worked on, so many rows of them.
    fn hand_in(&mut self, rows: usize, work: impl Fn(&Tile<'r, F>, &mut [f64])) {
        let sums = &mut self.sums[..rows * self.block.groups.len()];
        work(&self.lanes, sums);
        if self.block.tiles.len() > 1 {
            let place = self.lanes.here.index - self.block.tiles.start;
            self.exchange.put(self.turn, place, sums);
        }
    }

    /// Joins what all tiles of the block have handed in.
    fn total(&mut self, rows: impl Iterator<Item = Reduce> + Clone) {
        let tiles = self.block.tiles.len();
        if tiles == 1 {
            return;
        }
        let sums = &mut self.sums[..rows.clone().count() * self.block.groups.len()];
        self.exchange.total(self.turn, tiles, rows, sums);
        self.turn += 1;
    }

    /// Runs one period.
    fn period(&mut self, period: usize) {
        if self.has_groups {
            self.groups.open(period);
        }
        self.each(|_, tile| tile.open(period));
        self.forward(Space::Period, period);
    }

    /// The whole horizon, forward.
    pub(super) fn roll(mut self, store: &mut Store<F>) -> Vec<TileRollout<F>> {
        let plan = self.run.plan;
        let periods = self.run.batch.run_periods();
        let traces = plan.traces.len();
        let mut rolled = Vec::with_capacity(self.lanes.tiles());
        self.each(|_, tile| {
            rolled.push(TileRollout {
                tile: tile.here.index,
                traces: vec![F::default(); periods * traces * tile.here.count],
                ..TileRollout::default()
            });
        });
        self.forward(Space::Start, 0);
        for period in 0..periods {
            self.period(period);
            self.each(|t, tile| {
                let (count, kept) = (tile.here.count, &mut rolled[t].traces);
                tile.close(period, |k, i, value| {
                    kept[(period * traces + k) * count + i] = value;
                });
            });
        }
        for (t, rolled) in rolled.iter_mut().enumerate() {
            self.lanes.turn_to(t);
            let here = &self.lanes.here;
            rolled.objective = here.objective[..here.count].to_vec();
            rolled.state = self.state(periods - 1);
        }
        self.leave(store);
        rolled
    }

    /// The state of the lanes of the tile that is worked on after a period.
    fn state(&self, period: usize) -> Vec<F> {
        let (plan, tile) = (self.run.plan, &self.lanes.here);
        let (lanes, groups) = (self.lanes.reader(period), self.groups.reader(period));
        let mut state = Vec::with_capacity(plan.states.len() * tile.count);
        for &(of_groups, k) in &plan.states {
            if of_groups {
                let source = groups.arg(plan.group.next[k], 1);
                for (g, lanes) in tile.groups.lanes.iter().enumerate() {
                    let value = super::source::lane(source, g);
                    state.extend(lanes.clone().map(|_| value));
                }
            } else {
                let source = lanes.arg(plan.lane.next[k], 1);
                state.extend((0..tile.count).map(|i| super::source::lane(source, i)));
            }
        }
        state
    }

    /// The whole horizon, forward and back. `gradients` has one entry a bundle, `bundle` finds a tile's, and what is the groups' goes to
    /// `lead`, or nowhere where another thread has it.
    pub(super) fn reverse<G: DerefMut<Target = Gradients<F>>>(
        mut self,
        gradients: &mut [G],
        bundle: &[usize],
        lead: &mut Lead<'_, F>,
        store: &mut Store<F>,
    ) -> Vec<TileInputs<F>> {
        let segments = self.run.reverse.unwrap_or_default();
        let there = self.forth(segments);
        let exo = self.run.plan.shape.exo;
        let mut inputs = Vec::with_capacity(self.lanes.tiles());
        self.groups.begin_reverse();
        self.each(|_, tile| {
            inputs.push(room_for_inputs(tile));
            tile.begin_reverse();
        });
        for segment in segments.ranges().rev() {
            if segment != there {
                self.groups.restore_checkpoint(segments, &segment);
                self.each(|_, tile| tile.restore_checkpoint(segments, &segment));
                segment.clone().for_each(|period| self.period(period));
            }
            for period in segment.rev() {
                self.groups.go_to(period);
                self.lanes.go_to(period);
                self.back(Space::Period, period, gradients, bundle, lead);
                if self.has_groups {
                    let own = lead.gradients(gradients);
                    self.groups.close_reverse(period, own, |_, _, _| {});
                }
                self.each(|t, tile| {
                    let (count, inputs) = (tile.here.count, &mut inputs[t].exo);
                    tile.close_reverse(period, &mut gradients[bundle[t]], |k, i, value| {
                        inputs[(period * exo + k) * count + i] = value;
                    });
                });
            }
        }
        self.back(Space::Start, 0, gradients, bundle, lead);
        self.each(|t, tile| {
            let weighted = tile.here.objective.iter().zip(&tile.here.weights);
            let weighted = weighted.map(|(o, w)| o * w.to_f64());
            gradients[bundle[t]].objective += weighted.sum::<f64>();
            let rows = inputs[t].lane.chunks_exact_mut(tile.here.count);
            for (k, row) in rows.enumerate() {
                let at = tile.adjoints.of_start(k);
                row.copy_from_slice(&tile.memory.adjoints[at..][..row.len()]);
            }
        });
        self.leave(store);
        inputs
    }

    /// The whole horizon forward, keeping what the way back begins each segment with; returns the last segment, which is there.
    fn forth(&mut self, segments: Segments) -> Range<usize> {
        let late = self.run.plan.objective_is_late;
        let mut there = 0..0;
        self.forward(Space::Start, 0);
        for segment in segments.ranges() {
            self.groups.keep_checkpoint(segments, &segment);
            self.each(|_, tile| tile.keep_checkpoint(segments, &segment));
            for period in segment.clone() {
                self.period(period);
                if !late {
                    self.each(|_, tile| tile.close(period, |_, _, _| {}));
                }
            }
            there = segment;
        }
        there
    }

    /// Goes back through the phases of a block.
    fn back<G: DerefMut<Target = Gradients<F>>>(
        &mut self,
        space: Space,
        period: usize,
        gradients: &mut [G],
        bundle: &[usize],
        lead: &mut Lead<'_, F>,
    ) {
        let late = self.run.plan.objective_is_late;
        let last = self.phases(space) - 1;
        for phase in (0..=last).rev() {
            let to_lanes: &[Bridge] =
                &self.run.plan.lane.codes()[space as usize].phases[phase].bridges;
            let again = to_lanes.iter().filter(|bridge| bridge.again);
            let rows = live(to_lanes).flat_map(|b| std::iter::repeat_n(Reduce::Sum, b.rows));
            let count = rows.clone().count();
            // A tile at a time, so that what is computed again stays in cache until it has been read.
            for (t, &b) in bundle.iter().enumerate() {
                self.lanes.turn_to(t);
                let (tile, own) = (&mut self.lanes, &mut *gradients[b]);
                if space == Space::Period {
                    tile.take_over(space, period, again.clone(), &self.groups);
                    tile.run_again(period, phase);
                    if phase == last {
                        if late {
                            tile.close(period, |_, _, _| {});
                        }
                        tile.seed(period, own);
                    }
                }
                tile.reverse_phase(space, period, phase, own);
                if count > 0 {
                    self.hand_in(count, |tile, sums| {
                        tile.join_adjoints(space, period, to_lanes, sums);
                    });
                }
            }
            if !self.has_groups {
                continue;
            }
            if count > 0 {
                self.total(rows);
                let own = lead.gradients(gradients);
                self.groups
                    .receive_adjoints(period, to_lanes, &self.sums, own);
            }
            let own = lead.gradients(gradients);
            self.groups.reverse_phase(space, period, phase, own);
            let to_groups = &self.groups.code(space).phases[phase].bridges;
            for (t, &b) in bundle.iter().enumerate() {
                self.lanes.turn_to(t);
                let own = &mut gradients[b];
                self.lanes
                    .take_over_adjoints(space, period, to_groups, &self.groups, own);
            }
        }
    }
}

/// Where the gradients go of what is one number for a group.
pub(super) enum Lead<'g, F> {
    /// To this bundle.
    Here(usize),
    /// Nowhere: another thread has the same.
    Elsewhere(&'g mut Gradients<F>),
}

impl<F: Real> Lead<'_, F> {
    fn gradients<'s, G: DerefMut<Target = Gradients<F>>>(
        &'s mut self,
        bundles: &'s mut [G],
    ) -> &'s mut Gradients<F> {
        match self {
            Lead::Here(bundle) => &mut bundles[*bundle],
            Lead::Elsewhere(spare) => spare,
        }
    }
}

/// Room for the derivatives of the inputs of a tile, if they are wanted.
fn room_for_inputs<F: Real>(tile: &Tile<'_, F>) -> TileInputs<F> {
    let (shape, batch) = (tile.run.plan.shape, tile.run.batch);
    let room = |n: usize| {
        let wanted = usize::from(batch.differentiate_inputs);
        vec![F::default(); wanted * n * tile.here.count]
    };
    TileInputs {
        tile: tile.here.index,
        lane: room(shape.lane),
        exo: room(shape.exo * batch.run_periods()),
    }
}
