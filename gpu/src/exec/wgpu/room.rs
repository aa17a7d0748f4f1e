//! What a run takes of the device, and whether there is room for it.

use super::kernels::Shader;
use super::periods::live_rows;
use super::shape::{TILE, WORKGROUPS};
use super::upload::{Sizes, bytes};
use crate::record::{Plan, Space};

/// What decides how much a run takes.
#[derive(Debug)]
pub(super) struct Room<'w> {
    pub(super) plan: &'w Plan,
    pub(super) shader: &'w Shader,
    pub(super) limits: &'w wgpu::Limits,
    /// Bytes that a session may have.
    pub(super) memory: u64,
    pub(super) joined: bool,
    pub(super) reverse: bool,
    /// Whether adjoints of inputs are wanted.
    pub(super) inputs: bool,
    /// Whether the whole batch is on the device already.
    pub(super) resident: bool,
}

/// Lanes, groups and periods of a run.
pub(super) type Extent = (usize, usize, usize);

impl Room<'_> {
    /// Whether a run has room.
    pub(super) fn fits(&self, extent: Extent) -> bool {
        let sizes = self.sizes(extent, 1);
        let needed = self.needs(&sizes);
        let groups = sizes.groups;
        let workgroups = groups
            .div_ceil(TILE)
            .max(if self.joined { groups } else { 0 });
        needed.iter().all(|&bytes| bytes <= self.largest())
            && needed.iter().sum::<u64>() <= self.memory
            && workgroups <= self.limits.max_compute_workgroups_per_dimension as usize
    }

    /// Bytes of the largest buffer that a shader sees.
    fn largest(&self) -> u64 {
        let limits = self.limits;
        limits
            .max_storage_buffer_binding_size
            .min(limits.max_buffer_size)
    }

    /// Bytes of the buffers of a run: periods of tiles, gradients of workgroups, results, adjoints of groups; those of its inputs behind them.
    pub(super) fn needs(&self, sizes: &Sizes) -> [u64; 6] {
        let tiles = sizes.slots * sizes.slot + sizes.group_tiles * sizes.group_slot;
        let slots = sizes.workgroups + sizes.group_tiles;
        let [.., outputs] = sizes.outputs();
        let periods = if self.joined { 1 } else { sizes.periods + 1 };
        let four = |count: usize| count as u64 * 4;
        let [narrow, exo] = if self.resident {
            [0; 2]
        } else {
            bytes(self.plan.shape, sizes.lanes, sizes.groups, sizes.periods)
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

    /// Sizes of a run whose largest group has so many lanes.
    pub(super) fn sizes(&self, (lanes, groups, periods): Extent, largest: usize) -> Sizes {
        let shader = self.shader;
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
        let room = (self.largest().min(self.memory / 2) / 16) as usize;
        let room = room.saturating_sub(group_tiles * group_slot) / slot.max(1);
        let rows = |wanted: bool, rows: usize| if wanted { rows } else { 0 };
        let inputs = self.reverse && self.inputs;
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
            traces: rows(!self.reverse, self.plan.traces.len()),
            states: rows(!self.reverse, self.plan.states.len()),
            lane_grad: rows(inputs, self.plan.shape.lane),
            exo_grad: rows(inputs, self.plan.shape.exo),
            params: self.plan.shape.params,
            over: rows(self.reverse, live(Space::Start).max(live(Space::Period))),
        }
    }
}
