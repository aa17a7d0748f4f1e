//! A session on processor cores: what stays between runs, and who works on what.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::arrangement::{Arrangement, Cut, Job};
use super::batch::{Batch, check};
use super::crew::{Crew, Lead, Store, TileInputs, TileRollout};
use super::direct::Directs;
use super::exchange::Exchange;
use super::part::Part;
use super::segment::{Needs, Segments, Tape};
use super::session::{Gradient, Rollout, Session};
use super::tile::{Gradients, Run};
use super::workers::{side_by_side, spread};
use crate::error::Error;
use crate::kernel::dense::Packed;
use crate::kernel::isa::Isa;
use crate::kernel::real::Real;
use crate::optim::{Optimizer, Rule};
use crate::record::{Keep, Plan, Program, Side, plan};

/// A program with its batch, its parameters, and memory that is used again.
#[derive(Debug)]
pub(super) struct CpuSession<'a, F: Real> {
    threads: usize,
    tape: Tape,
    plan: Plan,
    /// Of the lanes and of the groups.
    directs: [Directs<F>; 2],
    cut: Cut,
    batch: Batch<'a, F>,
    optimizer: Optimizer<F>,
    /// The weights as the kernels read them; none where they have changed since, and whether the transposes are there.
    packed: Option<(Vec<Packed<F>>, bool)>,
    /// One a thread.
    stores: Vec<Store<F>>,
    /// One a bundle.
    gradients: Vec<Mutex<Gradients<F>>>,
}

impl<'a, F: Real> CpuSession<'a, F> {
    pub(super) fn new(
        threads: usize,
        tape: Tape,
        program: &Program,
        batch: Batch<'a, F>,
    ) -> Result<Self, Error> {
        let cut = Cut::of(program);
        let (all, sizes) = batch.part(&Part::all())?;
        let (arrangement, periods) = (Arrangement::new(&sizes, cut), all.run_periods());
        let ready = |keep| plan(program, batch.differentiate_inputs, keep);
        let mut plan = ready(Keep::All);
        // What does not fit is sooner computed again a period at a time, in cache, than a segment at a time.
        if !segments::<F>(&plan, threads, tape, &arrangement, periods).is_whole() {
            plan = ready(Keep::Narrow);
        }
        let params = vec![F::default(); program.shape().params];
        let directs = plan.sides().map(|side| Directs::new(Isa::detect(), side));
        Ok(CpuSession {
            threads,
            tape,
            directs,
            plan,
            cut,
            batch,
            optimizer: Optimizer::new(params),
            packed: None,
            stores: (0..threads).map(|_| Store::default()).collect(),
            gradients: Vec::new(),
        })
    }

    /// Weights as the kernels read them, with the transposes where adjoints are wanted.
    fn pack(&mut self, adjoints: bool) {
        if self
            .packed
            .as_ref()
            .is_some_and(|&(_, there)| there || !adjoints)
        {
            return;
        }
        let (isa, params) = (Isa::detect(), self.optimizer.params());
        let mut packed = vec![Packed::default(); self.plan.dense];
        for (_, dense) in self.plan.dense_ops().filter(|(groups, _)| !groups) {
            let weights = &params[dense.weights..dense.weights + dense.outputs * dense.width];
            let segments: Vec<usize> = dense.segments.iter().map(|&(_, rows)| rows).collect();
            let adjoints = adjoints && dense.wanted.contains(&true);
            packed[dense.id] = Packed::new(isa, weights, dense.outputs, &segments, adjoints);
        }
        self.packed = Some((packed, adjoints));
    }

    /// Calls `work` with every job: a thread a job, or all threads on one job after another where there are fewer than threads.
    fn share<R: Send>(
        threads: usize,
        stores: &mut [Store<F>],
        run: &Run<'_, F>,
        work: impl Fn(&Job, &mut Store<F>, Member<'_>) -> Vec<R> + Sync,
    ) -> Vec<R> {
        let jobs = &run.arrangement.jobs;
        let (tiles, _) = run.arrangement.largest();
        let shared = jobs.iter().any(|job| job.bundles.len() > 1);
        if jobs.len() >= threads || !shared {
            let results = spread(stores, jobs.len(), |store, job| {
                let exchange = Exchange::new(run.plan, tiles, 1);
                work(
                    &jobs[job],
                    store,
                    Member {
                        thread: 0,
                        threads: 1,
                        exchange: &exchange,
                    },
                )
            });
            return results.into_iter().flatten().collect();
        }
        let together = |job: &Job| {
            let threads = threads.min(job.bundles.len());
            let exchange = Exchange::new(run.plan, tiles, threads);
            let stores: Vec<Mutex<&mut Store<F>>> = stores.iter_mut().map(Mutex::new).collect();
            let results = side_by_side(threads, |thread| {
                let mut store = stores[thread]
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                let member = Member {
                    thread,
                    threads,
                    exchange: &exchange,
                };
                exchange.meeting.attend(|| work(job, &mut store, member))
            });
            results.into_iter().flatten().collect::<Vec<R>>()
        };
        jobs.iter().flat_map(together).collect()
    }
}

/// One of the threads that share a job: it has the bundles `thread`, `thread + threads`, and so on.
struct Member<'w> {
    thread: usize,
    threads: usize,
    exchange: &'w Exchange,
}

impl Member<'_> {
    fn bundles(&self, job: &Job) -> impl Iterator<Item = usize> + Clone {
        job.bundles.clone().skip(self.thread).step_by(self.threads)
    }
}

impl<F: Real> Session<F> for CpuSession<'_, F> {
    fn load(&mut self, params: &[F]) -> Result<(), Error> {
        check("params", self.plan.shape.params, params.len())?;
        self.optimizer = Optimizer::new(params.to_vec());
        self.packed = None;
        Ok(())
    }

    fn forward(&mut self, part: &Part<'_>) -> Result<Rollout<F>, Error> {
        self.pack(false);
        let (batch, sizes) = self.batch.part(part)?;
        let arrangement = Arrangement::new(&sizes, self.cut);
        let packed = self.packed.as_ref().map_or(&[][..], |(packed, _)| packed);
        let run = Run {
            isa: Isa::detect(),
            plan: &self.plan,
            directs: &self.directs,
            params: self.optimizer.params(),
            batch: &batch,
            packed,
            arrangement: &arrangement,
            reverse: None,
        };
        let tiles = Self::share(
            self.threads,
            &mut self.stores,
            &run,
            |job, store, member| {
                let blocks = &arrangement.blocks[job.blocks.clone()];
                let mut rolled = Vec::new();
                for block in blocks {
                    let mine = member
                        .bundles(job)
                        .flat_map(|b| arrangement.bundles[b].clone())
                        .filter(|tile| block.tiles.contains(tile));
                    let crew = Crew::new(&run, member.exchange, block, mine, store);
                    rolled.extend(crew.roll(store));
                }
                rolled
            },
        );
        Ok(self.rollout(&batch, &arrangement, tiles))
    }

    fn gradient(&mut self, part: &Part<'_>) -> Result<Gradient<F>, Error> {
        self.pack(true);
        let (batch, sizes) = self.batch.part(part)?;
        let arrangement = Arrangement::new(&sizes, self.cut);
        for _ in self.gradients.len()..arrangement.bundles.len() {
            self.gradients.push(Mutex::new(Gradients::new(&self.plan)));
        }
        let packed = self.packed.as_ref().map_or(&[][..], |(packed, _)| packed);
        let run = Run {
            isa: Isa::detect(),
            plan: &self.plan,
            directs: &self.directs,
            params: self.optimizer.params(),
            batch: &batch,
            packed,
            arrangement: &arrangement,
            reverse: Some(segments::<F>(
                &self.plan,
                self.threads,
                self.tape,
                &arrangement,
                batch.run_periods(),
            )),
        };
        let bundles = &self.gradients;
        let inputs = Self::share(
            self.threads,
            &mut self.stores,
            &run,
            |job, store, member| go_back(&run, job, store, &member, bundles),
        );
        let (mut params, mut objective) = (vec![0.0; self.plan.shape.params], 0.0);
        for gradients in &self.gradients[..arrangement.bundles.len()] {
            let gradients = lock(gradients);
            gradients.add_to(Isa::detect(), &self.plan, &mut params);
            objective += gradients.objective;
        }
        let trained = params.into_iter().zip(&self.plan.trained);
        let params = trained.map(|(g, &trained)| F::from_f64(if trained { g } else { 0.0 }));
        let params = params.collect();
        let lanes = batch.run_lanes();
        let wanted = |rows: usize| if batch.differentiate_inputs { rows } else { 0 };
        let mut lane = vec![F::default(); wanted(self.plan.shape.lane) * lanes];
        let mut exo = vec![F::default(); wanted(self.plan.shape.exo * batch.run_periods()) * lanes];
        for tile in inputs {
            let place = &arrangement.tiles[tile.tile];
            put(&tile.lane, (place.first, place.count), lanes, &mut lane);
            put(&tile.exo, (place.first, place.count), lanes, &mut exo);
        }
        Ok(Gradient {
            objective,
            params,
            lane,
            exo,
        })
    }

    fn step(&mut self, part: &Part<'_>, rule: &Rule, rate: f64) -> Result<f64, Error> {
        let mut gradient = self.gradient(part)?;
        let trained = &self.plan.trained;
        self.optimizer
            .ascend_some(rule, &mut gradient.params, rate, trained);
        self.packed = None;
        Ok(gradient.objective)
    }

    fn params(&mut self) -> Result<Vec<F>, Error> {
        Ok(self.optimizer.params().to_vec())
    }

    fn average(&mut self) -> Result<Vec<F>, Error> {
        Ok(self.optimizer.average().to_vec())
    }
}

impl<F: Real> CpuSession<'_, F> {
    /// The tiles' results side by side.
    fn rollout(
        &self,
        batch: &Batch<'_, F>,
        arrangement: &Arrangement,
        tiles: Vec<TileRollout<F>>,
    ) -> Rollout<F> {
        let lanes = batch.run_lanes();
        let rows = |rows: usize| vec![F::default(); rows * lanes];
        let mut rollout = Rollout {
            objective: vec![0.0; lanes],
            traces: rows(batch.run_periods() * self.plan.traces.len()),
            state: rows(self.plan.states.len()),
        };
        for tile in tiles {
            let place = &arrangement.tiles[tile.tile];
            let own = (place.first, place.count);
            rollout.objective[place.first..][..place.count].copy_from_slice(&tile.objective);
            put(&tile.traces, own, lanes, &mut rollout.traces);
            put(&tile.state, own, lanes, &mut rollout.state);
        }
        rollout
    }
}

/// How the horizon is kept by the largest block.
fn segments<F>(
    plan: &Plan,
    threads: usize,
    tape: Tape,
    arrangement: &Arrangement,
    periods: usize,
) -> Segments {
    let (tiles, groups) = arrangement.largest();
    let numbers =
        |lanes: usize, of_groups: usize| lanes * tiles * arrangement.width + of_groups * groups;
    let carried = |side: &Side| side.carried.iter().map(ExactSizeIterator::len).sum();
    let kept = |side: &Side| side.kept + side.saved;
    let needs = Needs {
        period: numbers(kept(&plan.lane), kept(&plan.group)),
        checkpoint: numbers(carried(&plan.lane), carried(&plan.group)),
    };
    let at_once = threads.min(arrangement.jobs.len());
    let room = tape.room::<F>(at_once, tiles > 1);
    Segments::new(periods, plan.reach, needs, room)
}

/// One thread's share of a job, forward and back; the gradients go to the job's bundles.
fn go_back<F: Real>(
    run: &Run<'_, F>,
    job: &Job,
    store: &mut Store<F>,
    member: &Member<'_>,
    bundles: &[Mutex<Gradients<F>>],
) -> Vec<TileInputs<F>> {
    let arrangement = run.arrangement;
    let mine = member.bundles(job);
    let mut gradients: Vec<MutexGuard<'_, Gradients<F>>> =
        mine.clone().map(|b| lock(&bundles[b])).collect();
    gradients.iter_mut().for_each(|gradients| gradients.clear());
    let mut spare = (member.thread > 0).then(|| Gradients::new(run.plan));
    let mut inputs = Vec::new();
    for block in &arrangement.blocks[job.blocks.clone()] {
        let tiles: Vec<(usize, usize)> = mine
            .clone()
            .enumerate()
            .flat_map(|(at, b)| arrangement.bundles[b].clone().map(move |tile| (at, tile)))
            .filter(|(_, tile)| block.tiles.contains(tile))
            .collect();
        let bundle: Vec<usize> = tiles.iter().map(|&(at, _)| at).collect();
        let tiles = tiles.into_iter().map(|(_, tile)| tile);
        let crew = Crew::new(run, member.exchange, block, tiles, store);
        let mut lead = match &mut spare {
            None => Lead::Here(0),
            Some(spare) => Lead::Elsewhere(spare),
        };
        inputs.extend(crew.reverse(&mut gradients, &bundle, &mut lead, store));
    }
    inputs
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Copies the rows of a tile to its lanes.
fn put<F: Copy>(rows: &[F], (first, count): (usize, usize), lanes: usize, out: &mut [F]) {
    let rows = rows.chunks_exact(count);
    for (row, out) in rows.zip(out.chunks_exact_mut(lanes)) {
        out[first..first + count].copy_from_slice(row);
    }
}
