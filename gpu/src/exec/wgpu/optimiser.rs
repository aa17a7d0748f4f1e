//! The state of the optimiser where the parameters live: one dispatch sums the gradients, another clips, moves and averages.

use super::adapter::Adapter;
use super::packing::{Packing, as_u32};
use super::upload::{bytes_of, storage};
use crate::error::Error;
use crate::optim::Rule;
use crate::record::Plan;

const TEXT: &str = include_str!("optimise.wgsl");
/// Bytes of a step's numbers.
const RULE_BYTES: usize = 80;
/// Parameters that a workgroup sums.
const SUMMED: usize = 32;
/// Parameters that a workgroup moves.
const MOVED: usize = 256;

/// Parameters and what Adam knows of them, on the device.
#[derive(Debug)]
pub(super) struct DeviceOptimiser {
    params: usize,
    pub(super) numbers: wgpu::Buffer,
    pub(super) packed: wgpu::Buffer,
    /// The gradient, the objective behind it, then sums of squares.
    pub(super) gradient: wgpu::Buffer,
    /// First moments, second moments, average.
    pub(super) state: wgpu::Buffer,
    map: wgpu::Buffer,
    rule: wgpu::Buffer,
    places: (Vec<u32>, Vec<u32>, usize),
    reduce: wgpu::ComputePipeline,
    ascend: wgpu::ComputePipeline,
    /// The gradients that were bound last, and how.
    bound: Option<(wgpu::Buffer, wgpu::BindGroup)>,
    steps: i32,
}

impl DeviceOptimiser {
    pub(super) fn new(adapter: &Adapter, plan: &Plan, packing: &Packing) -> Result<Self, Error> {
        let params = plan.shape.params;
        let sums = (params + 1).div_ceil(SUMMED);
        let four = |count: usize| count as u64 * 4;
        let mut map: Vec<u32> = plan.trained.iter().map(|&t| u32::from(t)).collect();
        map.extend(&packing.first);
        map.extend(&packing.places);
        let buffers = storage(adapter, "parameters", four(params))?;
        let map_buffer = storage(adapter, "places of parameters", four(map.len()))?;
        let places: Vec<u8> = map.iter().flat_map(|x| x.to_le_bytes()).collect();
        adapter.write(&map_buffer, &places);
        let mut compiled = adapter
            .pipelines(TEXT, &["reduce", "ascend"], &[&adapter.rule_layout])?
            .into_iter();
        let (Some(reduce), Some(ascend)) = (compiled.next(), compiled.next()) else {
            return Err(Error::Device("no optimiser".to_owned()));
        };
        let uniform = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        Ok(DeviceOptimiser {
            params,
            numbers: buffers,
            packed: storage(adapter, "weights", packing.vectors as u64 * 16)?,
            gradient: storage(adapter, "gradient", four(params + 1 + sums))?,
            state: storage(adapter, "optimiser", four(3 * params))?,
            map: map_buffer,
            rule: adapter.buffer("rule", RULE_BYTES as u64, uniform)?,
            places: (
                packing.first.clone(),
                packing.places.clone(),
                packing.vectors * 4,
            ),
            reduce,
            ascend,
            bound: None,
            steps: 0,
        })
    }

    /// Takes parameters; what Adam knew is forgotten.
    pub(super) fn load(&mut self, adapter: &Adapter, params: &[f32]) {
        self.steps = 0;
        adapter.write(&self.numbers, &bytes_of(params));
        let (first, places, count) = &self.places;
        let mut packed = vec![0.0_f32; *count];
        for (i, &x) in params.iter().enumerate() {
            let range = first[i] as usize..first[i + 1] as usize;
            places[range]
                .iter()
                .for_each(|&place| packed[place as usize] = x);
        }
        adapter.write(&self.packed, &bytes_of(&packed));
        let mut state = vec![0.0_f32; 2 * params.len()];
        state.extend(params);
        adapter.write(&self.state, &bytes_of(&state));
    }

    /// Lets go of gradients that are not used any more.
    pub(super) fn unbind(&mut self) {
        self.bound = None;
    }

    /// Counts a step that the device takes.
    pub(super) fn count(&mut self) {
        self.steps = self.steps.saturating_add(1);
    }

    fn bind(&mut self, adapter: &Adapter, partials: &wgpu::Buffer) -> wgpu::BindGroup {
        if let Some((before, group)) = &self.bound
            && before == partials
        {
            return group.clone();
        }
        let buffers = [
            &self.rule,
            partials,
            &self.map,
            &self.gradient,
            &self.numbers,
            &self.packed,
            &self.state,
        ];
        let group = adapter.bind(&adapter.rule_layout, &buffers);
        self.bound = Some((partials.clone(), group.clone()));
        group
    }

    /// Tells the device what the next step is, and asks for it if `step` is given; else only sums the gradients up. `adds` says that those of other lanes are there
    /// already.
    pub(super) fn encode(
        &mut self,
        adapter: &Adapter,
        pass: &mut wgpu::ComputePass<'_>,
        (partials, slots, partial): (&wgpu::Buffer, usize, usize),
        adds: bool,
        step: Option<(&Rule, f64)>,
    ) {
        let sums = (self.params + 1).div_ceil(SUMMED);
        let whole = [self.params, slots, partial, sums].map(as_u32);
        let mut bytes: Vec<u8> = whole.iter().flat_map(|x| x.to_le_bytes()).collect();
        if let Some((rule, rate)) = step {
            bytes.extend(
                self.constants(rule, rate)
                    .iter()
                    .flat_map(|x| x.to_le_bytes()),
            );
        }
        bytes.resize(64, 0);
        bytes.extend(u32::from(adds).to_le_bytes());
        bytes.resize(RULE_BYTES, 0);
        adapter.write(&self.rule, &bytes);
        let group = self.bind(adapter, partials);
        pass.set_bind_group(0, &group, &[]);
        pass.set_pipeline(&self.reduce);
        adapter.dispatch(pass, [sums, 1]);
        if step.is_some() && self.params > 0 {
            pass.set_pipeline(&self.ascend);
            adapter.dispatch(pass, [self.params.div_ceil(MOVED), 1]);
        }
    }

    #[allow(
        clippy::cast_possible_truncation,
        reason = "the device computes in single precision"
    )]
    fn constants(&self, rule: &Rule, rate: f64) -> [f32; 12] {
        let adam = rule.adam;
        let steps = self.steps.saturating_add(1);
        let step = f64::from(steps);
        let mean = rule.averaging.min(step / (step + 9.0));
        [
            rule.clip.min(f64::from(f32::MAX)),
            adam.beta1,
            adam.beta2,
            adam.epsilon,
            1.0 - adam.beta1,
            1.0 - adam.beta2,
            1.0 - adam.beta1.powi(steps),
            1.0 - adam.beta2.powi(steps),
            rate,
            adam.weight_decay,
            mean,
            1.0 - mean,
        ]
        .map(|x| x as f32)
    }
}
