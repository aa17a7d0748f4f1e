//! The executor on processor cores.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::arena::{Gradients, Run, Tile};
use super::segment::Segments;
use super::{Batch, Executor, Gradient, Rollout, period_major};
use crate::error::Error;
use crate::kernel::TILE;
use crate::kernel::real::Real;
use crate::record::Program;

/// Groups of neighbouring tiles that add up their gradients one after another: a number that depends on the data alone, so
/// that the order of every sum is the same for any number of threads.
const GROUPS: usize = 32;

/// Runs programs on processor cores, in tiles of 64 lanes.
///
/// A program whose operations stay within a lane runs tile by tile over the whole horizon, in cache. One that sums over
/// lanes runs all tiles period by period. The results are the same bits for any number of threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cpu {
    threads: usize,
    tape: usize,
}

/// Bytes in which a differentiated run keeps its periods, unless told otherwise.
const TAPE: usize = 1 << 30;

impl Cpu {
    /// An executor with a number of threads; zero counts as one.
    #[must_use]
    pub fn new(threads: usize) -> Self {
        Cpu {
            threads: threads.max(1),
            tape: TAPE,
        }
    }

    /// The same with at most about `bytes` for the periods that a differentiated run keeps, all threads together; 1 GiB
    /// without it.
    ///
    /// A horizon that does not fit is cut into segments, each of which is run once more before it is gone back through: slower
    /// by up to one forward run, the same bits. What a period at least needs is taken, however small the number.
    ///
    /// ```
    /// use hindsight_gpu::Cpu;
    /// assert_eq!(Cpu::new(2).with_tape(64 << 20).threads(), 2);
    /// ```
    #[must_use]
    pub fn with_tape(self, bytes: usize) -> Self {
        Cpu {
            tape: bytes,
            ..self
        }
    }

    /// How the horizon of a batch is kept: tiles that run over lanes are all kept at once, the others one a thread.
    fn segments<F: Real>(&self, program: &Program, batch: &Batch<'_, F>) -> Segments {
        let tiles = batch.run_lanes().div_ceil(TILE);
        let at_once = if program.crosses_lanes() {
            tiles
        } else {
            self.threads.min(groups(tiles).len())
        };
        let (periods, bytes) = (batch.run_periods(), self.tape / at_once.max(1));
        Segments::new(program, periods, size_of::<F>(), bytes)
    }

    /// The number of threads.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.threads
    }
}

impl Default for Cpu {
    /// As many threads as the machine has cores.
    fn default() -> Self {
        Cpu::new(std::thread::available_parallelism().map_or(1, std::num::NonZero::get))
    }
}

/// The tiles of each group.
pub(super) fn groups(tiles: usize) -> Vec<Range<usize>> {
    let groups = tiles.min(GROUPS);
    (0..groups)
        .map(|g| g * tiles / groups..(g + 1) * tiles / groups)
        .collect()
}

/// What a tile returns from a forward run.
#[derive(Debug, Default)]
pub(super) struct TileRollout<F> {
    pub(super) objective: Vec<f64>,
    /// `[period][trace][lane of the tile]`
    pub(super) traces: Vec<F>,
    /// `[state][lane of the tile]`
    pub(super) state: Vec<F>,
}

/// What a tile returns from a reverse run besides the gradients of the parameters.
#[derive(Debug, Default)]
pub(super) struct TileInputs<F> {
    /// `[input][lane of the tile]`
    pub(super) lane: Vec<F>,
    /// `[period][input][lane of the tile]`
    pub(super) exo: Vec<F>,
}

/// Calls `work` on every index, on several threads, each with a value of its own that `make` returns; the results are in
/// the order of the indices.
fn spread<S, R: Send>(
    threads: usize,
    count: usize,
    make: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize) -> R + Sync,
) -> Vec<R> {
    let threads = threads.min(count);
    if threads <= 1 {
        let mut state = make();
        return (0..count).map(|i| work(&mut state, i)).collect();
    }
    let next = AtomicUsize::new(0);
    let results: Vec<Mutex<Option<R>>> = (0..count).map(|_| Mutex::new(None)).collect();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut state = make();
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    let Some(slot) = results.get(i) else { break };
                    let result = work(&mut state, i);
                    if let Ok(mut slot) = slot.lock() {
                        *slot = Some(result);
                    }
                }
            });
        }
    });
    results
        .into_iter()
        .filter_map(|slot| slot.into_inner().ok().flatten())
        .collect()
}

impl<F: Real> Tile<'_, F> {
    /// The whole horizon of a tile whose program stays within a lane.
    fn roll(&mut self, index: usize) -> TileRollout<F> {
        self.enter(index);
        self.start_phase(0, &mut []);
        let traces = self.run.program.traces();
        let mut kept = vec![F::default(); self.run.batch.run_periods() * traces * self.count];
        for period in 0..self.run.batch.run_periods() {
            self.open(period);
            self.phase(period, 0, &mut []);
            self.keep(period, &mut kept);
        }
        self.rollout(kept)
    }

    /// Books a period and keeps its traces.
    pub(super) fn keep(&mut self, period: usize, kept: &mut [F]) {
        let (count, traces) = (self.count, self.run.program.traces());
        self.close(period, |k, i, value| {
            kept[(period * traces + k) * count + i] = value
        });
    }

    pub(super) fn rollout(&self, traces: Vec<F>) -> TileRollout<F> {
        let mut state = vec![F::default(); self.run.program.states() * self.count];
        self.final_state(|k, i, value| state[k * self.count + i] = value);
        TileRollout {
            objective: self.objective[..self.count].to_vec(),
            traces,
            state,
        }
    }

    /// Forward and reverse over the whole horizon of a tile whose program stays within a lane.
    fn roll_and_reverse(&mut self, index: usize, gradients: &mut Gradients<F>) -> TileInputs<F> {
        self.enter(index);
        self.start_phase(0, &mut []);
        let segments = self.run.reverse.unwrap_or_default();
        let mut there = 0..0;
        for segment in segments.ranges() {
            self.keep_checkpoint(&segment);
            for period in segment.clone() {
                self.open(period);
                self.phase(period, 0, &mut []);
                self.close(period, |_, _, _| {});
            }
            there = segment;
        }
        let mut inputs = self.inputs();
        self.begin_reverse();
        for segment in segments.ranges().rev() {
            if segment != there {
                self.restore_checkpoint(&segment);
                for period in segment.clone() {
                    self.open(period);
                    self.phase(period, 0, &mut []);
                }
            }
            for period in segment.rev() {
                self.seed(period, gradients);
                self.reverse_phase(period, 0, gradients);
                self.keep_reverse(period, gradients, &mut inputs);
            }
        }
        self.reverse_start(0, gradients);
        self.finish_reverse(gradients, &mut inputs);
        inputs
    }

    /// Room for the derivatives of the inputs, if they are wanted.
    pub(super) fn inputs(&self) -> TileInputs<F> {
        let (shape, wanted) = (
            self.run.program.shape(),
            self.run.batch.differentiate_inputs,
        );
        let room = |n: usize| vec![F::default(); if wanted { n * self.count } else { 0 }];
        TileInputs {
            lane: room(shape.lane),
            exo: room(shape.exo * self.run.batch.run_periods()),
        }
    }

    /// Closes a period in reverse and keeps the derivatives of its inputs.
    pub(super) fn keep_reverse(
        &mut self,
        period: usize,
        gradients: &mut Gradients<F>,
        inputs: &mut TileInputs<F>,
    ) {
        let (count, exo) = (self.count, self.run.program.shape().exo);
        self.close_reverse(period, gradients, |k, i, value| {
            inputs.exo[(period * exo + k) * count + i] = value
        });
    }

    /// Books the objective and keeps the derivatives of the lanes' inputs.
    pub(super) fn finish_reverse(&self, gradients: &mut Gradients<F>, inputs: &mut TileInputs<F>) {
        let weighted = self
            .objective
            .iter()
            .zip(&self.weights)
            .map(|(o, w)| o * w.to_f64());
        gradients.objective += weighted.sum::<f64>();
        for (k, row) in inputs.lane.chunks_exact_mut(self.count).enumerate() {
            row.copy_from_slice(&self.adjoints.start[k * TILE..][..self.count]);
        }
    }
}

/// Puts the rows of tiles side by side.
fn join<F: Real, T>(tiles: &[T], rows: usize, lanes: usize, part: impl Fn(&T) -> &[F]) -> Vec<F> {
    let mut out = vec![F::default(); rows * lanes];
    for (index, tile) in tiles.iter().enumerate() {
        let first = index * TILE;
        let count = (lanes - first).min(TILE);
        for (r, row) in part(tile).chunks_exact(count).enumerate() {
            out[r * lanes + first..][..count].copy_from_slice(row);
        }
    }
    out
}

impl<F: Real> Executor<F> for Cpu {
    fn forward(
        &self,
        program: &Program,
        params: &[F],
        batch: &Batch<'_, F>,
    ) -> Result<Rollout<F>, Error> {
        let run = Run::new(program, params, batch, None)?;
        let tiles = if program.crosses_lanes() {
            period_major::forward(&run, self.threads)
        } else {
            spread(self.threads, run.tiles(), || Tile::new(&run), Tile::roll)
        };
        let lanes = batch.run_lanes();
        Ok(Rollout {
            objective: tiles
                .iter()
                .flat_map(|t| t.objective.iter().copied())
                .collect(),
            traces: join(&tiles, batch.run_periods() * program.traces(), lanes, |t| {
                &t.traces
            }),
            state: join(&tiles, program.states(), lanes, |t| &t.state),
        })
    }

    fn gradient(
        &self,
        program: &Program,
        params: &[F],
        batch: &Batch<'_, F>,
    ) -> Result<Gradient<F>, Error> {
        let segments = self.segments(program, batch);
        let run = Run::new(program, params, batch, Some(segments))?;
        let groups = groups(run.tiles());
        let results = if program.crosses_lanes() {
            period_major::gradient(&run, self.threads, &groups)
        } else {
            spread(
                self.threads,
                groups.len(),
                || Tile::new(&run),
                |tile, group| {
                    let mut gradients = Gradients::new(program);
                    let inputs: Vec<TileInputs<F>> = groups[group]
                        .clone()
                        .map(|index| tile.roll_and_reverse(index, &mut gradients))
                        .collect();
                    (gradients, inputs)
                },
            )
        };
        let mut sums = vec![0.0; params.len()];
        let mut objective = 0.0;
        let mut inputs = Vec::with_capacity(run.tiles());
        for (gradients, more) in results {
            gradients.add_to(program, &mut sums);
            objective += gradients.objective;
            inputs.extend(more);
        }
        let wanted = |rows: usize| if batch.differentiate_inputs { rows } else { 0 };
        let (shape, lanes) = (program.shape(), batch.run_lanes());
        Ok(Gradient {
            objective,
            params: sums.into_iter().map(F::from_f64).collect(),
            lane: join(&inputs, wanted(shape.lane), lanes, |t| &t.lane),
            exo: join(
                &inputs,
                wanted(shape.exo * batch.run_periods()),
                lanes,
                |t| &t.exo,
            ),
        })
    }
}
