//! The schedule for programs that sum over lanes: all tiles finish a phase, then the sums, then the next phase.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use super::arena::{Gradients, Run, Tile};
use super::cpu::{TileInputs, TileRollout, groups};
use crate::kernel::real::Real;
use crate::record::{Reduce, Space};

use super::workers::{Meeting, side_by_side};

/// The tiles' partial sums. Two sets take turns, so that one barrier a phase is enough.
struct Exchange {
    partial: [Vec<AtomicU64>; 2],
    reductions: Vec<Reduce>,
    meeting: Meeting,
}

impl Exchange {
    fn new(tiles: usize, reductions: Vec<Reduce>, threads: usize) -> Self {
        let sums = reductions.len();
        let set = || (0..tiles * sums).map(|_| AtomicU64::new(0)).collect();
        Exchange {
            partial: [set(), set()],
            reductions,
            meeting: Meeting::new(threads),
        }
    }

    fn put(&self, turn: usize, tile: usize, sums: &[f64]) {
        for (slot, sum) in self.partial[turn % 2][tile * self.reductions.len()..]
            .iter()
            .zip(sums)
        {
            slot.store(sum.to_bits(), Ordering::Relaxed);
        }
    }

    /// Waits for all threads, then adds the tiles' sums in the order of the tiles.
    fn total(&self, turn: usize, totals: &mut [f64]) {
        self.meeting.wait();
        for (total, f) in totals.iter_mut().zip(&self.reductions) {
            *total = f.nothing();
        }
        for tile in self.partial[turn % 2].chunks_exact(self.reductions.len()) {
            for ((total, sum), f) in totals.iter_mut().zip(tile).zip(&self.reductions) {
                *total = f.join(*total, f64::from_bits(sum.load(Ordering::Relaxed)));
            }
        }
    }
}

/// One thread's tiles.
struct Worker<'w, 'r, F: Real> {
    run: &'r Run<'r, F>,
    exchange: &'w Exchange,
    turn: usize,
    sums: Vec<f64>,
    tiles: Vec<(usize, Tile<'r, F>)>,
}

impl<'w, 'r, F: Real> Worker<'w, 'r, F> {
    fn new(
        run: &'r Run<'r, F>,
        exchange: &'w Exchange,
        indices: impl Iterator<Item = usize>,
    ) -> Self {
        let enter = |index| {
            let mut tile = Tile::new(run);
            tile.enter(index);
            (index, tile)
        };
        Worker {
            run,
            exchange,
            turn: 0,
            sums: vec![0.0; run.program.reductions.len()],
            tiles: indices.map(enter).collect(),
        }
    }

    fn phases(&self, space: Space) -> usize {
        let program = self.run.program;
        if space == Space::Start {
            program.start.phases.len()
        } else {
            program.period.phases.len()
        }
    }

    fn forward(&mut self, space: Space, period: usize) {
        let phases = self.phases(space);
        for phase in 0..phases {
            for (index, tile) in &mut self.tiles {
                match space {
                    Space::Start => tile.start_phase(phase, &mut self.sums),
                    Space::Period => tile.phase(period, phase, &mut self.sums),
                }
                self.exchange.put(self.turn, *index, &self.sums);
            }
            if phase + 1 < phases {
                self.exchange.total(self.turn, &mut self.sums);
                self.turn += 1;
                for (_, tile) in &mut self.tiles {
                    tile.receive(space, period, phase, &self.sums);
                }
            }
        }
    }

    fn each(&mut self, mut work: impl FnMut(&mut Tile<'r, F>)) {
        self.tiles.iter_mut().for_each(|(_, tile)| work(tile));
    }

    /// Runs one period.
    fn period(&mut self, period: usize) {
        self.each(|tile| tile.open(period));
        self.forward(Space::Period, period);
    }

    /// Reverses the phases; `gradients` has one entry a tile group and `group` finds a tile's.
    fn reverse(
        &mut self,
        space: Space,
        period: usize,
        gradients: &mut [Gradients<F>],
        group: &[usize],
    ) {
        let phases = self.phases(space);
        for phase in (0..phases).rev() {
            if phase + 1 < phases {
                for (index, tile) in &mut self.tiles {
                    tile.sum_adjoints(space, period, phase, &mut self.sums);
                    self.exchange.put(self.turn, *index, &self.sums);
                }
                self.exchange.total(self.turn, &mut self.sums);
                self.turn += 1;
                for ((_, tile), &g) in self.tiles.iter_mut().zip(group) {
                    tile.spread_adjoints(space, period, phase, &self.sums, &mut gradients[g]);
                }
            }
            for ((_, tile), &g) in self.tiles.iter_mut().zip(group) {
                match space {
                    Space::Start => tile.reverse_start(phase, &mut gradients[g]),
                    Space::Period => tile.reverse_phase(period, phase, &mut gradients[g]),
                }
            }
        }
    }
}

/// Runs `work` on each thread's share of the groups; results are in the order of the groups.
fn share<F: Real, R: Send>(
    run: &Run<'_, F>,
    threads: usize,
    groups: &[Range<usize>],
    work: impl Fn(&Exchange, &[usize]) -> Vec<R> + Sync,
) -> Vec<R> {
    let threads = threads.min(groups.len());
    let exchange = Exchange::new(run.tiles(), run.program.reductions.clone(), threads);
    let mine = |thread: usize| (thread..groups.len()).step_by(threads).collect::<Vec<_>>();
    let shares = side_by_side(threads, |thread| {
        let mine = mine(thread);
        exchange.meeting.attend(|| work(&exchange, &mine))
    });
    // Thread t has groups t, t + threads, and so on.
    let mut shares: Vec<_> = shares.into_iter().map(Vec::into_iter).collect();
    (0..groups.len())
        .filter_map(|group| shares[group % threads].next())
        .collect()
}

/// The forward run of every tile.
pub(super) fn forward<F: Real>(run: &Run<'_, F>, threads: usize) -> Vec<TileRollout<F>> {
    let groups = groups(run.tiles());
    let periods = run.batch.run_periods();
    let by_group = share(run, threads, &groups, |exchange, mine| {
        let mut worker = Worker::new(run, exchange, mine.iter().flat_map(|&g| groups[g].clone()));
        let room = |count: usize| vec![F::default(); periods * run.program.traces() * count];
        let mut kept: Vec<Vec<F>> = worker
            .tiles
            .iter()
            .map(|(_, tile)| room(tile.count))
            .collect();
        worker.forward(Space::Start, 0);
        for period in 0..periods {
            worker.period(period);
            for ((_, tile), kept) in worker.tiles.iter_mut().zip(&mut kept) {
                tile.keep(period, kept);
            }
        }
        let mut rolled = worker
            .tiles
            .iter()
            .zip(kept)
            .map(|((_, tile), kept)| tile.rollout(kept));
        mine.iter()
            .map(|&g| rolled.by_ref().take(groups[g].len()).collect::<Vec<_>>())
            .collect()
    });
    by_group.into_iter().flatten().collect()
}

/// The gradients of every group, with the derivatives of its tiles' inputs.
pub(super) fn gradient<F: Real>(
    run: &Run<'_, F>,
    threads: usize,
    groups: &[Range<usize>],
) -> Vec<(Gradients<F>, Vec<TileInputs<F>>)> {
    share(run, threads, groups, |exchange, mine| {
        let mut worker = Worker::new(run, exchange, mine.iter().flat_map(|&g| groups[g].clone()));
        let group: Vec<usize> = mine
            .iter()
            .enumerate()
            .flat_map(|(i, &g)| groups[g].clone().map(move |_| i))
            .collect();
        let mut gradients: Vec<Gradients<F>> =
            mine.iter().map(|_| Gradients::new(run.program)).collect();
        let segments = run.reverse.unwrap_or_default();
        let mut there = 0..0;
        worker.forward(Space::Start, 0);
        for segment in segments.ranges() {
            worker.each(|tile| tile.keep_checkpoint(&segment));
            for period in segment.clone() {
                worker.period(period);
                worker.each(|tile| tile.close(period, |_, _, _| {}));
            }
            there = segment;
        }
        let mut inputs: Vec<TileInputs<F>> =
            worker.tiles.iter().map(|(_, tile)| tile.inputs()).collect();
        worker.each(Tile::begin_reverse);
        for segment in segments.ranges().rev() {
            if segment != there {
                worker.each(|tile| tile.restore_checkpoint(&segment));
                segment.clone().for_each(|period| worker.period(period));
            }
            for period in segment.rev() {
                for ((_, tile), &g) in worker.tiles.iter_mut().zip(&group) {
                    tile.seed(period, &mut gradients[g]);
                }
                worker.reverse(Space::Period, period, &mut gradients, &group);
                let tiles = worker.tiles.iter_mut().zip(&group).zip(&mut inputs);
                for (((_, tile), &g), inputs) in tiles {
                    tile.keep_reverse(period, &mut gradients[g], inputs);
                }
            }
        }
        worker.reverse(Space::Start, 0, &mut gradients, &group);
        for (((_, tile), &g), inputs) in worker.tiles.iter_mut().zip(&group).zip(&mut inputs) {
            tile.finish_reverse(&mut gradients[g], inputs);
        }
        let mut inputs = inputs.into_iter();
        let split = |(g, gradients): (&usize, Gradients<F>)| {
            (
                gradients,
                inputs.by_ref().take(groups[*g].len()).collect::<Vec<_>>(),
            )
        };
        mine.iter().zip(gradients).map(split).collect()
    })
}
