//! A session on a graphics processor: what stays there between runs.

use std::collections::HashMap;

use super::adapter::Adapter;
use super::frame::Mode;
use super::kernels::Shader;
use super::optimiser::DeviceOptimiser;
use super::periods::live_rows;
use super::shape::{TILE, VECTORS, WORKGROUPS};
use super::upload::{Arrays, RUN_BYTES, Sizes, indices, storage};
use crate::error::Error;
use crate::exec::batch::{Batch, check};
use crate::exec::part::{Kept, Part};
use crate::exec::session::{Gradient, Rollout, Session};
use crate::optim::Rule;
use crate::record::{Keep, Plan, Program, Space, plan};

/// A shader with its compiled entry points.
#[derive(Debug)]
struct Ready {
    shader: Shader,
    lanes: wgpu::ComputePipeline,
    groups_forward: Option<wgpu::ComputePipeline>,
    groups_reverse: Option<wgpu::ComputePipeline>,
}

/// What a run needs on the device, made for its part of the batch.
#[derive(Debug)]
struct Prepared {
    reverse: bool,
    part: Kept,
    sizes: Sizes,
    group: wgpu::BindGroup,
}

/// A program with its batch, its parameters and its memory on a graphics processor.
#[derive(Debug)]
pub(super) struct GpuSession<'a> {
    adapter: &'a Adapter,
    plan: Plan,
    batch: Batch<'a, f32>,
    arrays: Arrays,
    optimiser: DeviceOptimiser,
    ready: HashMap<bool, Ready>,
    buffers: HashMap<&'static str, wgpu::Buffer>,
    prepared: Option<Prepared>,
    /// Where results come back, and how many numbers fit.
    staging: Option<(usize, wgpu::Buffer)>,
    /// The numbers of a run.
    numbers: wgpu::Buffer,
}

impl<'a> GpuSession<'a> {
    pub(super) fn new(
        adapter: &'a Adapter,
        program: &Program,
        batch: Batch<'a, f32>,
    ) -> Result<Self, Error> {
        if program.joins_lanes() {
            return Err(Error::NotOnDevice("a program whose lanes are joined"));
        }
        let plan = plan(program, batch.differentiate_inputs, Keep::All);
        super::kernels::customs(&plan, &mut String::new())?;
        let packing = super::packing::Packing::new(&plan);
        let mut optimiser = DeviceOptimiser::new(adapter, &plan, &packing)?;
        optimiser.load(adapter, &vec![0.0; plan.shape.params]);
        let arrays = Arrays::new(adapter, &batch)?;
        let uniform = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        let numbers = adapter.buffer("run", RUN_BYTES, uniform)?;
        adapter.check()?;
        Ok(GpuSession {
            adapter,
            plan,
            batch,
            arrays,
            optimiser,
            ready: HashMap::new(),
            buffers: HashMap::new(),
            prepared: None,
            staging: None,
            numbers,
        })
    }

    /// The shader of a direction, written and compiled when it is first asked for.
    fn ready(&mut self, reverse: bool) -> Result<&Ready, Error> {
        if !self.ready.contains_key(&reverse) {
            let mode = Mode {
                reverse,
                inputs: self.batch.differentiate_inputs,
            };
            let bytes = self.adapter.limits.max_compute_workgroup_storage_size as usize;
            let shader = Shader::tile_major(&self.plan, mode, bytes / (VECTORS * 16))?;
            let compile = |wanted: bool, entry| -> Result<Option<wgpu::ComputePipeline>, Error> {
                wanted
                    .then(|| self.adapter.pipeline(&shader.text, entry, false))
                    .transpose()
            };
            let ready = Ready {
                lanes: self.adapter.pipeline(&shader.text, "lanes", false)?,
                groups_forward: compile(shader.of_groups, "groups_forward")?,
                groups_reverse: compile(shader.groups_back, "groups_reverse")?,
                shader,
            };
            self.ready.insert(reverse, ready);
        }
        Ok(&self.ready[&reverse])
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

    /// Makes a part of the batch ready to run, unless it is the one before.
    fn prepare(&mut self, part: &Part<'_>, reverse: bool) -> Result<Sizes, Error> {
        if let Some(prepared) = &self.prepared
            && prepared.reverse == reverse
            && prepared.part.is(part)
        {
            return Ok(prepared.sizes);
        }
        self.ready(reverse)?;
        let (some, groups) = self.batch.part(part)?;
        let sizes = self.sizes(&some, &groups, reverse);
        let shader = &self.ready[&reverse].shader;
        let scalars = [&shader.lane, &shader.group].map(|frame| {
            let mut pairs: Vec<(usize, usize)> =
                frame.scalars.iter().map(|(&p, &k)| (k, p)).collect();
            pairs.sort_unstable();
            pairs.into_iter().map(|(_, p)| p).collect::<Vec<usize>>()
        });
        let (indices, places) = indices(&some, &groups, [&scalars[0], &scalars[1]]);
        let run = sizes.run(&self.arrays, &some, &places);
        let tiles = sizes.workgroups * sizes.slot + sizes.group_tiles * sizes.group_slot;
        let slots = sizes.workgroups + sizes.group_tiles;
        let [.., outputs] = sizes.outputs();
        let four = |count: usize| count as u64 * 4;
        let adapter = self.adapter;
        let index = self.pooled("indices", four(indices.len()))?;
        let memory = self.pooled("periods of tiles", tiles as u64 * 16)?;
        let partials = self.pooled("gradients of workgroups", four(slots * sizes.partial()))?;
        let out = self.pooled("results", four(outputs))?;
        let over = self.pooled(
            "adjoints of groups",
            four((sizes.periods + 1) * sizes.over_stride()),
        )?;
        adapter.write(&self.numbers, &run);
        let indices: Vec<u8> = indices.iter().flat_map(|x| x.to_le_bytes()).collect();
        adapter.write(&index, &indices);
        let buffers = [
            &self.numbers,
            &self.arrays.narrow,
            &self.arrays.exo,
            &index,
            &self.optimiser.numbers,
            &self.optimiser.packed,
            &memory,
            &partials,
            &out,
            &over,
        ];
        let group = adapter.bind(&adapter.layout, &buffers);
        self.prepared = Some(Prepared {
            reverse,
            part: Kept::of(part),
            sizes,
            group,
        });
        Ok(sizes)
    }

    fn sizes(&self, batch: &Batch<'_, f32>, groups: &[usize], reverse: bool) -> Sizes {
        let shader = &self.ready[&reverse].shader;
        let (lanes, periods) = (batch.run_lanes(), batch.run_periods());
        let tiles = lanes.div_ceil(TILE);
        let own = shader.of_groups;
        let slot = shader.lane.vectors(periods);
        let group_slot = if own {
            shader.group.vectors(periods)
        } else {
            0
        };
        let group_tiles = if own { groups.len().div_ceil(TILE) } else { 0 };
        // As many workgroups as the largest buffer has room for.
        let room = self.adapter.limits.max_storage_buffer_binding_size / 16;
        let room = (room as usize).saturating_sub(group_tiles * group_slot) / slot.max(1);
        let rows = |wanted: bool, rows: usize| if wanted { rows } else { 0 };
        let inputs = reverse && self.batch.differentiate_inputs;
        let live = |space| live_rows(&self.plan.lane, space).len();
        Sizes {
            lanes,
            periods,
            groups: groups.len(),
            tiles,
            group_tiles,
            workgroups: tiles.min(WORKGROUPS).min(room.max(1)),
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

    fn encoder(&self) -> wgpu::CommandEncoder {
        let descriptor = wgpu::CommandEncoderDescriptor::default();
        self.adapter.device.create_command_encoder(&descriptor)
    }

    /// Runs a part; returns how large it was.
    fn run(
        &mut self,
        part: &Part<'_>,
        reverse: bool,
        step: Option<(&Rule, f64)>,
    ) -> Result<(Sizes, wgpu::CommandEncoder), Error> {
        let sizes = self.prepare(part, reverse)?;
        let adapter = self.adapter;
        let mut encoder = self.encoder();
        {
            let mut pass = adapter.begin(&mut encoder);
            let ready = &self.ready[&reverse];
            if let Some(prepared) = &self.prepared {
                pass.set_bind_group(0, &prepared.group, &[]);
            }
            if let Some(pipeline) = &ready.groups_forward {
                pass.set_pipeline(pipeline);
                adapter.dispatch(&mut pass, sizes.group_tiles);
            }
            pass.set_pipeline(&ready.lanes);
            adapter.dispatch(&mut pass, sizes.workgroups);
            let mut slots = sizes.workgroups;
            if let Some(pipeline) = &ready.groups_reverse {
                pass.set_pipeline(pipeline);
                adapter.dispatch(&mut pass, sizes.group_tiles);
                slots += sizes.group_tiles;
            }
            if reverse {
                let partials = &self.buffers["gradients of workgroups"];
                self.optimiser
                    .encode(adapter, &mut pass, (partials, slots, sizes.partial()), step);
            }
        }
        Ok((sizes, encoder))
    }

    /// Submits, and brings numbers of some buffers back, one after another.
    fn bring(
        &mut self,
        mut encoder: wgpu::CommandEncoder,
        parts: &[(wgpu::Buffer, usize, usize)],
    ) -> Result<Vec<f32>, Error> {
        let count: usize = parts.iter().map(|&(_, _, count)| count).sum();
        let staging = match &self.staging {
            Some((room, staging)) if *room == count => staging.clone(),
            _ => self.adapter.staging(count)?,
        };
        self.staging = Some((count, staging.clone()));
        let mut at = 0;
        for (buffer, first, count) in parts.iter().filter(|part| part.2 > 0) {
            let (first, bytes) = (*first as u64 * 4, *count as u64 * 4);
            encoder.copy_buffer_to_buffer(buffer, first, &staging, at, bytes);
            at += bytes;
        }
        self.adapter.submit(encoder);
        self.adapter.read(&staging, count)
    }
}

impl Session<f32> for GpuSession<'_> {
    fn load(&mut self, params: &[f32]) -> Result<(), Error> {
        check("params", self.plan.shape.params, params.len())?;
        self.optimiser.load(self.adapter, params);
        self.adapter.check()
    }

    fn forward(&mut self, part: &Part<'_>) -> Result<Rollout<f32>, Error> {
        let (sizes, encoder) = self.run(part, false, None)?;
        let [traces, state, lane, ..] = sizes.outputs();
        let numbers = self.bring(encoder, &[(self.buffers["results"].clone(), 0, lane)])?;
        Ok(Rollout {
            objective: numbers[..traces].iter().map(|&x| f64::from(x)).collect(),
            traces: numbers[traces..state].to_vec(),
            state: numbers[state..].to_vec(),
        })
    }

    fn gradient(&mut self, part: &Part<'_>) -> Result<Gradient<f32>, Error> {
        let (sizes, encoder) = self.run(part, true, None)?;
        let [_, _, lane, exo, end] = sizes.outputs();
        let params = sizes.params;
        let out = self.buffers["results"].clone();
        let parts = [
            (self.optimiser.gradient.clone(), 0, params + 1),
            (out, lane, end - lane),
        ];
        let numbers = self.bring(encoder, &parts)?;
        let (sums, inputs) = numbers.split_at(params + 1);
        Ok(Gradient {
            objective: f64::from(sums[params]),
            params: sums[..params].to_vec(),
            lane: inputs[..exo - lane].to_vec(),
            exo: inputs[exo - lane..].to_vec(),
        })
    }

    fn step(&mut self, part: &Part<'_>, rule: &Rule, rate: f64) -> Result<f64, Error> {
        let (sizes, encoder) = self.run(part, true, Some((rule, rate)))?;
        let numbers = self.bring(
            encoder,
            &[(self.optimiser.gradient.clone(), sizes.params, 1)],
        )?;
        Ok(f64::from(numbers[0]))
    }

    fn params(&mut self) -> Result<Vec<f32>, Error> {
        let numbers = self.optimiser.numbers.clone();
        self.bring(self.encoder(), &[(numbers, 0, self.plan.shape.params)])
    }

    fn average(&mut self) -> Result<Vec<f32>, Error> {
        let (state, params) = (self.optimiser.state.clone(), self.plan.shape.params);
        self.bring(self.encoder(), &[(state, 2 * params, params)])
    }
}
