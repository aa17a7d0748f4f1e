//! What a session has on the device: compiled shaders, buffers, the batch where there is room for it; and the runs of a lot.

use std::collections::HashMap;

use super::adapter::Adapter;
use super::frame::Mode;
use super::kernels::Shader;
use super::optimiser::DeviceOptimiser;
use super::packing::as_u32;
use super::periods::live_rows;
use super::shape::{TILE, VECTORS, WORKGROUPS};
use super::stream::gathered;
use super::upload::{Arrays, RUN_BYTES, Sizes, bytes, indices, storage};
use crate::error::Error;
use crate::exec::batch::Batch;
use crate::exec::part::{Kept, Part};
use crate::optim::Rule;
use crate::record::{Plan, Space};

/// A shader with its compiled entry points.
#[derive(Debug)]
struct Ready {
    shader: Shader,
    /// One for each entry point of the schedule.
    pipelines: Vec<wgpu::ComputePipeline>,
}

/// What a run needs on the device, made for its part of the batch.
#[derive(Debug)]
struct Prepared {
    reverse: bool,
    part: Kept,
    sizes: Sizes,
    group: wgpu::BindGroup,
    /// The periods, where each phase is a dispatch.
    when: Option<wgpu::BindGroup>,
}

/// What becomes of the gradients of a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sums<'r> {
    /// Whether those of lots before are there already.
    pub(super) adds: bool,
    /// The step that is taken.
    pub(super) step: Option<(&'r Rule, f64)>,
}

/// Numbers that come back: of a buffer, from where, how many.
pub(super) type Wanted = Vec<(wgpu::Buffer, usize, usize)>;

/// The device's side of a session.
#[derive(Debug)]
pub(super) struct Work<'a> {
    adapter: &'a Adapter,
    plan: Plan,
    pub(super) joined: bool,
    inputs: bool,
    memory: u64,
    /// Bytes of the last run.
    asked: u64,
    /// The whole batch, where there is room for it.
    arrays: Option<Arrays>,
    optimiser: DeviceOptimiser,
    ready: HashMap<bool, Ready>,
    buffers: HashMap<&'static str, wgpu::Buffer>,
    prepared: Option<Prepared>,
    /// Where results come back, and how many numbers fit.
    staging: Option<(usize, wgpu::Buffer)>,
    /// The numbers of a run.
    numbers: wgpu::Buffer,
}

impl<'a> Work<'a> {
    pub(super) fn new(
        adapter: &'a Adapter,
        (plan, joined, inputs): (Plan, bool, bool),
        optimiser: DeviceOptimiser,
        memory: u64,
    ) -> Result<Self, Error> {
        let uniform = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        let numbers = adapter.buffer("run", RUN_BYTES, uniform)?;
        adapter.check()?;
        Ok(Work {
            adapter,
            plan,
            joined,
            inputs,
            memory,
            asked: 0,
            arrays: None,
            optimiser,
            ready: HashMap::new(),
            buffers: HashMap::new(),
            prepared: None,
            staging: None,
            numbers,
        })
    }

    /// Sends the whole batch to the device, where it takes no more than half of what a session may have.
    pub(super) fn keep(&mut self, batch: &Batch<'_, f32>) -> Result<(), Error> {
        let groups = batch.groups_of_shared();
        let needed = bytes(self.plan.shape, batch.lanes, groups, batch.horizon);
        if needed.iter().sum::<u64>() > self.memory / 2 {
            return Ok(());
        }
        let adapter = self.adapter;
        match Arrays::new(adapter, batch, |what, bytes| storage(adapter, what, bytes)) {
            Err(Error::DeviceLimit { .. }) => Ok(()),
            other => {
                self.arrays = Some(other?);
                Ok(())
            }
        }
    }

    pub(super) fn params(&self) -> usize {
        self.plan.shape.params
    }

    pub(super) fn load(&mut self, params: &[f32]) -> Result<(), Error> {
        self.optimiser.load(self.adapter, params);
        self.adapter.check()
    }

    /// Makes lots smaller than the last: the device has less memory than it said.
    pub(super) fn shrink(&mut self) {
        self.memory = self.asked / 2;
        self.arrays = None;
        self.buffers.clear();
        self.prepared = None;
        self.staging = None;
    }

    /// Forgets for which part the buffers are ready.
    pub(super) fn forget(&mut self) {
        self.prepared = None;
    }

    /// Writes and compiles the shader of a direction, when it is first asked for.
    pub(super) fn ready(&mut self, reverse: bool) -> Result<(), Error> {
        if self.ready.contains_key(&reverse) {
            return Ok(());
        }
        let mode = Mode {
            reverse,
            inputs: self.inputs,
            joined: self.joined,
        };
        let adapter = self.adapter;
        let bytes = adapter.limits.max_compute_workgroup_storage_size as usize;
        let shader = if self.joined {
            Shader::phase_major(&self.plan, mode)?
        } else {
            Shader::tile_major(&self.plan, mode, bytes / (VECTORS * 16))?
        };
        let mut layouts = vec![&adapter.layout];
        layouts.extend(self.joined.then_some(&adapter.when_layout));
        let entries: Vec<&str> = shader.schedule.entries().collect();
        let pipelines = adapter.pipelines(&shader.text, &entries, &layouts)?;
        self.ready.insert(reverse, Ready { shader, pipelines });
        Ok(())
    }

    /// Whether a lot of so many lanes, groups and periods has room.
    pub(super) fn fits(
        &self,
        (lanes, groups, periods): (usize, usize, usize),
        reverse: bool,
    ) -> bool {
        let sizes = self.sizes((lanes, groups, periods), 1, reverse);
        let needed = self.needs(&sizes);
        let limits = &self.adapter.limits;
        let largest = limits
            .max_storage_buffer_binding_size
            .min(limits.max_buffer_size);
        let workgroups = groups
            .div_ceil(TILE)
            .max(if self.joined { groups } else { 0 });
        needed.iter().all(|&bytes| bytes <= largest)
            && needed.iter().sum::<u64>() <= self.memory
            && workgroups <= limits.max_compute_workgroups_per_dimension as usize
    }

    /// Bytes of the buffers of a run: periods of tiles, gradients of workgroups, results, adjoints of groups; those of its inputs behind them.
    fn needs(&self, sizes: &Sizes) -> [u64; 6] {
        let tiles = sizes.slots * sizes.slot + sizes.group_tiles * sizes.group_slot;
        let slots = sizes.workgroups + sizes.group_tiles;
        let [.., outputs] = sizes.outputs();
        let periods = if self.joined { 1 } else { sizes.periods + 1 };
        let four = |count: usize| count as u64 * 4;
        let [narrow, exo] = match self.arrays {
            Some(_) => [0; 2],
            None => bytes(self.plan.shape, sizes.lanes, sizes.groups, sizes.periods),
        };
        [
            tiles as u64 * 16,
            four(slots * sizes.partial()),
            four(outputs),
            four(periods * sizes.over_stride()),
            narrow,
            exo,
        ]
    }

    fn sizes(
        &self,
        (lanes, groups, periods): (usize, usize, usize),
        largest: usize,
        reverse: bool,
    ) -> Sizes {
        let shader = &self.ready[&reverse].shader;
        let tiles = lanes.div_ceil(TILE);
        let own = shader.of_groups;
        let slot = shader.lane.vectors(periods);
        let group_slot = if own {
            shader.group.vectors(periods)
        } else {
            0
        };
        let group_tiles = if own { groups.div_ceil(TILE) } else { 0 };
        // As many workgroups as there is room for in the largest buffer, and in half of what a session may have.
        let limit = self.adapter.limits.max_storage_buffer_binding_size;
        let room = (limit.min(self.memory / 2) / 16) as usize;
        let room = room.saturating_sub(group_tiles * group_slot) / slot.max(1);
        let rows = |wanted: bool, rows: usize| if wanted { rows } else { 0 };
        let inputs = reverse && self.inputs;
        let live = |space| live_rows(&self.plan.lane, space).len();
        let most = tiles.min(WORKGROUPS);
        let workgroups = if self.joined {
            most
        } else {
            most.min(room.max(1))
        };
        Sizes {
            lanes,
            periods,
            groups,
            tiles,
            group_tiles,
            workgroups,
            slots: if self.joined { tiles } else { workgroups },
            join: super::join::threads(largest),
            slot,
            group_slot,
            traces: rows(!reverse, self.plan.traces.len()),
            states: rows(!reverse, self.plan.states.len()),
            lane_grad: rows(inputs, self.plan.shape.lane),
            exo_grad: rows(inputs, self.plan.shape.exo),
            params: self.plan.shape.params,
            over: rows(reverse, live(Space::Start).max(live(Space::Period))),
        }
    }

    /// A buffer of at least so many bytes, kept from run to run.
    fn pooled(&mut self, what: &'static str, bytes: u64) -> Result<wgpu::Buffer, Error> {
        match self.buffers.get(what) {
            Some(buffer) if buffer.size() >= bytes => Ok(buffer.clone()),
            _ => {
                self.buffers.remove(what);
                let buffer = storage(self.adapter, what, bytes)?;
                self.buffers.insert(what, buffer.clone());
                Ok(buffer)
            }
        }
    }

    /// Makes a part of the batch ready to run, unless it is the one before; `all` is the number of lanes of the whole.
    fn prepare(
        &mut self,
        batch: &Batch<'_, f32>,
        part: &Part<'_>,
        all: usize,
        reverse: bool,
    ) -> Result<Sizes, Error> {
        if let Some(prepared) = &self.prepared
            && prepared.reverse == reverse
            && prepared.part.is(part)
        {
            return Ok(prepared.sizes);
        }
        let (some, groups) = batch.part(part)?;
        let shape = (some.run_lanes(), groups.len(), some.run_periods());
        let largest = groups.iter().copied().max().unwrap_or(1);
        let sizes = self.sizes(shape, largest, reverse);
        let [tiles, partials, outputs, over, narrow, exo] = self.needs(&sizes);
        self.asked = [tiles, partials, outputs, over, narrow, exo].iter().sum();
        let memory = self.pooled("periods of tiles", tiles)?;
        let partials = self.pooled("gradients of workgroups", partials)?;
        let out = self.pooled("results", outputs)?;
        let over = self.pooled("adjoints of groups", over)?;
        let adapter = self.adapter;
        let own;
        let (some, arrays) = match &self.arrays {
            Some(arrays) => (&some, arrays.clone()),
            None => {
                own = gathered(&some, &groups);
                let arrays = Arrays::new(adapter, &own, |what, bytes| self.pooled(what, bytes))?;
                (&own, arrays)
            }
        };
        let shader = &self.ready[&reverse].shader;
        let scalars = [&shader.lane, &shader.group].map(|frame| {
            let mut pairs: Vec<(usize, usize)> =
                frame.scalars.iter().map(|(&p, &k)| (k, p)).collect();
            pairs.sort_unstable();
            pairs.into_iter().map(|(_, p)| p).collect::<Vec<usize>>()
        });
        let (indices, places) = indices(some, &groups, [&scalars[0], &scalars[1]]);
        adapter.write(&self.numbers, &sizes.run(&arrays, some, &places, all));
        let index = self.pooled("indices", indices.len() as u64 * 4)?;
        let indices: Vec<u8> = indices.iter().flat_map(|x| x.to_le_bytes()).collect();
        adapter.write(&index, &indices);
        let buffers = [
            &self.numbers,
            &arrays.narrow,
            &arrays.exo,
            &index,
            &self.optimiser.numbers,
            &self.optimiser.packed,
            &memory,
            &partials,
            &out,
            &over,
        ];
        let group = adapter.bind(&adapter.layout, &buffers);
        let when = self
            .joined
            .then(|| self.periods(sizes.periods))
            .transpose()?;
        self.prepared = Some(Prepared {
            reverse,
            part: Kept::of(part),
            sizes,
            group,
            when,
        });
        Ok(sizes)
    }

    /// Every period's number, where a dispatch finds it.
    fn periods(&self, periods: usize) -> Result<wgpu::BindGroup, Error> {
        let adapter = self.adapter;
        let stride = adapter.limits.min_uniform_buffer_offset_alignment.max(16) as usize;
        let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        let buffer = adapter.buffer("numbers of periods", (periods * stride) as u64, usage)?;
        let mut bytes = vec![0; periods * stride];
        for (t, place) in bytes.chunks_exact_mut(stride).enumerate() {
            place[..4].copy_from_slice(&as_u32(t).to_le_bytes());
        }
        adapter.write(&buffer, &bytes);
        Ok(adapter.bind_period(&buffer))
    }

    fn encoder(&self) -> wgpu::CommandEncoder {
        let descriptor = wgpu::CommandEncoderDescriptor::default();
        self.adapter.device.create_command_encoder(&descriptor)
    }

    /// Runs a part; returns how large it was.
    pub(super) fn run(
        &mut self,
        batch: &Batch<'_, f32>,
        part: &Part<'_>,
        all: usize,
        reverse: bool,
        sums: Sums<'_>,
    ) -> Result<(Sizes, wgpu::CommandEncoder), Error> {
        let sizes = self.prepare(batch, part, all, reverse)?;
        let adapter = self.adapter;
        let mut encoder = self.encoder();
        {
            let mut pass = adapter.begin(&mut encoder);
            let ready = &self.ready[&reverse];
            let prepared = self.prepared.as_ref();
            if let Some(prepared) = prepared {
                pass.set_bind_group(0, &prepared.group, &[]);
            }
            let when = prepared.and_then(|prepared| prepared.when.as_ref());
            let stride = adapter.limits.min_uniform_buffer_offset_alignment.max(16);
            for (k, dispatch, t) in ready.shader.schedule.of(sizes.periods) {
                pass.set_pipeline(&ready.pipelines[k]);
                if let Some(when) = when {
                    pass.set_bind_group(1, when, &[as_u32(t) * stride]);
                }
                adapter.dispatch(&mut pass, sizes.of(dispatch.on));
            }
            let of_groups = if ready.shader.groups_back {
                sizes.group_tiles
            } else {
                0
            };
            if reverse {
                let partials = &self.buffers["gradients of workgroups"];
                let slots = sizes.workgroups + of_groups;
                let own = (partials, slots, sizes.partial());
                self.optimiser
                    .encode(adapter, &mut pass, own, sums.adds, sums.step);
            }
        }
        Ok((sizes, encoder))
    }

    /// What comes back of a forward run: objectives, traces, states.
    pub(super) fn of_forward(&self, sizes: &Sizes) -> Wanted {
        let [_, _, end, ..] = sizes.outputs();
        vec![(self.buffers["results"].clone(), 0, end)]
    }

    /// What comes back of a gradient: the sums once, the adjoints of inputs of each lot.
    pub(super) fn of_gradient(&self, sizes: &Sizes, sums: bool) -> Wanted {
        let [_, _, lane, _, end] = sizes.outputs();
        let count = if sums { sizes.params + 1 } else { 0 };
        vec![
            (self.optimiser.gradient.clone(), 0, count),
            (self.buffers["results"].clone(), lane, end - lane),
        ]
    }

    /// What comes back of a step: its objective.
    pub(super) fn of_step(&self, sums: bool) -> Wanted {
        let gradient = self.optimiser.gradient.clone();
        vec![(gradient, self.params(), usize::from(sums))]
    }

    /// Submits, and brings numbers of some buffers back, one after another.
    pub(super) fn bring(
        &mut self,
        mut encoder: wgpu::CommandEncoder,
        wanted: &[(wgpu::Buffer, usize, usize)],
    ) -> Result<Vec<f32>, Error> {
        let count: usize = wanted.iter().map(|&(_, _, count)| count).sum();
        let staging = match &self.staging {
            Some((room, staging)) if *room == count => staging.clone(),
            _ => self.adapter.staging(count)?,
        };
        self.staging = Some((count, staging.clone()));
        let mut at = 0;
        for (buffer, first, count) in wanted.iter().filter(|part| part.2 > 0) {
            let (first, bytes) = (*first as u64 * 4, *count as u64 * 4);
            encoder.copy_buffer_to_buffer(buffer, first, &staging, at, bytes);
            at += bytes;
        }
        self.adapter.submit(encoder);
        self.adapter.read(&staging, count)
    }

    pub(super) fn parameters(&mut self) -> Result<Vec<f32>, Error> {
        let numbers = self.optimiser.numbers.clone();
        self.bring(self.encoder(), &[(numbers, 0, self.params())])
    }

    pub(super) fn average(&mut self) -> Result<Vec<f32>, Error> {
        let (state, params) = (self.optimiser.state.clone(), self.params());
        self.bring(self.encoder(), &[(state, 2 * params, params)])
    }
}
