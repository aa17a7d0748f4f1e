//! The executor on processor cores.

use super::arena::{Gradients, Run, Tile};
use super::batch::check;
use super::segment::Segments;
use super::workers::spread;
use super::{Batch, Executor, Gradient, Part, Rollout, Session, indices, period_major};
use crate::error::Error;
use crate::kernel::TILE;
use crate::kernel::real::Real;
use crate::optim::{Optimizer, Rule};
use crate::record::Program;
use std::ops::Range;

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
        let at_once = if program.joins_lanes() {
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
    fn open<'a>(
        &'a self,
        program: &'a Program,
        batch: Batch<'a, F>,
    ) -> Result<Box<dyn Session<F> + 'a>, Error> {
        batch.validate(program)?;
        indices::check(program, &batch)?;
        let params = vec![F::default(); program.shape().params];
        Ok(Box::new(CpuSession {
            cpu: *self,
            program,
            batch,
            optimizer: Optimizer::new(params),
        }))
    }
}

/// A program with its batch and parameters.
#[derive(Debug)]
struct CpuSession<'a, F: Real> {
    cpu: Cpu,
    program: &'a Program,
    batch: Batch<'a, F>,
    optimizer: Optimizer<F>,
}

impl<F: Real> Session<F> for CpuSession<'_, F> {
    fn load(&mut self, params: &[F]) -> Result<(), Error> {
        check("params", self.program.shape().params, params.len())?;
        self.optimizer = Optimizer::new(params.to_vec());
        Ok(())
    }

    fn forward(&mut self, part: &Part<'_>) -> Result<Rollout<F>, Error> {
        let (batch, groups) = self.batch.part(part)?;
        let groups = groups.filter(|_| self.program.joins_lanes());
        let runs = batch.one_by_one(groups.as_deref());
        let runs: Vec<Rollout<F>> = runs.iter().map(|batch| self.roll(batch)).collect();
        let (periods, traces) = (batch.run_periods(), self.program.traces());
        let lanes: Vec<usize> = runs.iter().map(|run| run.objective.len()).collect();
        let rows = |rows: usize, of: &dyn Fn(&Rollout<F>) -> &[F]| {
            side_by_side(&runs.iter().map(of).collect::<Vec<_>>(), rows, &lanes)
        };
        Ok(Rollout {
            traces: rows(periods * traces, &|run| &run.traces),
            state: rows(self.program.states(), &|run| &run.state),
            objective: runs.iter().flat_map(|run| run.objective.clone()).collect(),
        })
    }

    fn gradient(&mut self, part: &Part<'_>) -> Result<Gradient<F>, Error> {
        let (batch, groups) = self.batch.part(part)?;
        let groups = groups.filter(|_| self.program.joins_lanes());
        let batches = batch.one_by_one(groups.as_deref());
        let runs: Vec<Gradient<F>> = batches.iter().map(|batch| self.reverse(batch)).collect();
        let mut params = vec![0.0; self.program.shape().params];
        for run in &runs {
            for (sum, g) in params.iter_mut().zip(&run.params) {
                *sum += g.to_f64();
            }
        }
        let (periods, shape) = (batch.run_periods(), self.program.shape());
        let wanted = |rows: usize| if batch.differentiate_inputs { rows } else { 0 };
        let lanes: Vec<usize> = batches.iter().map(Batch::run_lanes).collect();
        let rows = |rows: usize, of: &dyn Fn(&Gradient<F>) -> &[F]| {
            side_by_side(
                &runs.iter().map(of).collect::<Vec<_>>(),
                wanted(rows),
                &lanes,
            )
        };
        let trained = self.program.trained.iter();
        Ok(Gradient {
            objective: runs.iter().map(|run| run.objective).sum(),
            params: params
                .into_iter()
                .zip(trained)
                .map(|(g, &trained)| F::from_f64(if trained { g } else { 0.0 }))
                .collect(),
            lane: rows(shape.lane, &|run| &run.lane),
            exo: rows(shape.exo * periods, &|run| &run.exo),
        })
    }

    fn step(&mut self, part: &Part<'_>, rule: &Rule, rate: f64) -> Result<f64, Error> {
        let mut gradient = self.gradient(part)?;
        let trained = &self.program.trained;
        self.optimizer
            .ascend_some(rule, &mut gradient.params, rate, trained);
        Ok(gradient.objective)
    }

    fn params(&mut self) -> Result<Vec<F>, Error> {
        Ok(self.optimizer.params().to_vec())
    }

    fn average(&mut self) -> Result<Vec<F>, Error> {
        Ok(self.optimizer.average().to_vec())
    }
}

/// Rows of several runs, side by side.
fn side_by_side<F: Real>(runs: &[&[F]], rows: usize, lanes: &[usize]) -> Vec<F> {
    let mut out = Vec::with_capacity(rows * lanes.iter().sum::<usize>());
    for r in 0..rows {
        for (run, &lanes) in runs.iter().zip(lanes) {
            out.extend_from_slice(&run[r * lanes..(r + 1) * lanes]);
        }
    }
    out
}

impl<F: Real> CpuSession<'_, F> {
    fn roll(&self, batch: &Batch<'_, F>) -> Rollout<F> {
        let program = self.program;
        let run = Run::new(program, self.optimizer.params(), batch, None);
        let tiles = if program.joins_lanes() {
            period_major::forward(&run, self.cpu.threads)
        } else {
            let threads = self.cpu.threads.min(run.tiles());
            let mut tiles: Vec<Tile<'_, F>> = (0..threads).map(|_| Tile::new(&run)).collect();
            spread(&mut tiles, run.tiles(), Tile::roll)
        };
        let lanes = batch.run_lanes();
        Rollout {
            objective: tiles
                .iter()
                .flat_map(|t| t.objective.iter().copied())
                .collect(),
            traces: join(&tiles, batch.run_periods() * program.traces(), lanes, |t| {
                &t.traces
            }),
            state: join(&tiles, program.states(), lanes, |t| &t.state),
        }
    }

    fn reverse(&self, batch: &Batch<'_, F>) -> Gradient<F> {
        let program = self.program;
        let segments = self.cpu.segments(program, batch);
        let run = Run::new(program, self.optimizer.params(), batch, Some(segments));
        let groups = groups(run.tiles());
        let results = if program.joins_lanes() {
            period_major::gradient(&run, self.cpu.threads, &groups)
        } else {
            let threads = self.cpu.threads.min(groups.len());
            let mut tiles: Vec<Tile<'_, F>> = (0..threads).map(|_| Tile::new(&run)).collect();
            spread(&mut tiles, groups.len(), |tile, group| {
                let mut gradients = Gradients::new(program);
                let inputs: Vec<TileInputs<F>> = groups[group]
                    .clone()
                    .map(|index| tile.roll_and_reverse(index, &mut gradients))
                    .collect();
                (gradients, inputs)
            })
        };
        let mut sums = vec![0.0; program.shape().params];
        let mut objective = 0.0;
        let mut inputs = Vec::with_capacity(run.tiles());
        for (gradients, more) in results {
            gradients.add_to(program, &mut sums);
            objective += gradients.objective;
            inputs.extend(more);
        }
        let wanted = |rows: usize| if batch.differentiate_inputs { rows } else { 0 };
        let (shape, lanes) = (program.shape(), batch.run_lanes());
        Gradient {
            objective,
            params: sums.into_iter().map(F::from_f64).collect(),
            lane: join(&inputs, wanted(shape.lane), lanes, |t| &t.lane),
            exo: join(
                &inputs,
                wanted(shape.exo * batch.run_periods()),
                lanes,
                |t| &t.exo,
            ),
        }
    }
}
