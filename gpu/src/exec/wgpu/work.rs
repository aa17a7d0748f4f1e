//! What a session has on the device: compiled shaders, buffers, the batch where there is room for it; and the runs of a lot.

use std::collections::HashMap;

use super::adapter::Adapter;
use super::frame::Mode;
use super::kernels::Shader;
use super::optimiser::DeviceOptimiser;
use super::packing::as_u32;
use super::results::Back;
use super::room::Room;
use super::shape::VECTORS;
use super::stream::gathered;
use super::upload::{Arrays, RUN_BYTES, Sizes, bytes, indices, storage};
use crate::error::Error;
use crate::exec::batch::Batch;
use crate::exec::part::{Kept, Part};
use crate::optim::Rule;
use crate::record::Plan;

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

/// The device's side of a session.
#[derive(Debug)]
pub(super) struct Work<'a> {
    pub(super) adapter: &'a Adapter,
    plan: Plan,
    pub(super) joined: bool,
    inputs: bool,
    memory: u64,
    /// Bytes of the last run.
    asked: u64,
    /// The whole batch, where there is room for it.
    arrays: Option<Arrays>,
    pub(super) optimiser: DeviceOptimiser,
    ready: HashMap<bool, Ready>,
    pub(super) buffers: HashMap<&'static str, wgpu::Buffer>,
    prepared: Option<Prepared>,
    /// Where results come back, and how many numbers fit.
    pub(super) staging: Option<(usize, wgpu::Buffer)>,
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
            Err(Error::DeviceLimit { .. } | Error::OutOfMemory { .. }) => Ok(()),
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
        self.staging = None;
        self.forget();
    }

    /// Forgets for which part the buffers are ready, and lets go of those that no run will use.
    pub(super) fn forget(&mut self) {
        self.prepared = None;
        self.optimiser.unbind();
    }

    /// What decides how much runs of a direction take, once its shader is there.
    pub(super) fn room(&self, reverse: bool) -> Room<'_> {
        Room {
            plan: &self.plan,
            shader: &self.ready[&reverse].shader,
            limits: &self.adapter.limits,
            memory: self.memory,
            joined: self.joined,
            reverse,
            inputs: self.inputs,
            resident: self.arrays.is_some(),
        }
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
    pub(super) fn prepare(
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
        self.forget();
        let room = self.room(reverse);
        let sizes = room.sizes(shape, largest);
        let needed = room.needs(&sizes);
        self.asked = needed.iter().sum();
        let [tiles, partials, outputs, over, ..] = needed;
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

    pub(super) fn encoder(&self) -> wgpu::CommandEncoder {
        let descriptor = wgpu::CommandEncoderDescriptor::default();
        self.adapter.device.create_command_encoder(&descriptor)
    }

    /// Runs the part that is ready, and brings what is wanted back.
    pub(super) fn run(
        &mut self,
        sizes: &Sizes,
        reverse: bool,
        sums: Sums<'_>,
        wanted: &[Back],
    ) -> Result<Vec<f32>, Error> {
        // All memory is there before anything is asked for, so that a step is taken once or not at all.
        let staging = self.staging(wanted)?;
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
        let numbers = self.bring(encoder, &staging, wanted);
        if sums.step.is_some() {
            self.optimiser.count();
        }
        numbers
    }
}
