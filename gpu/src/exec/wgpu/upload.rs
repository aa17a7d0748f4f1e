//! What goes to the device: the batch once, the part of it that a run takes when that changes.

use super::adapter::Adapter;
use super::declarations::RUN;
use super::packing::as_u32;
use super::schedule::On;
use super::shape::{THREADS, TILE};
use crate::error::Error;
use crate::exec::batch::Batch;
use crate::record::Shape;

/// Numbers as the device reads them.
pub(super) fn bytes_of(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|x| x.to_le_bytes()).collect()
}

/// A buffer that shaders read and write and that can be copied either way.
pub(super) fn storage(
    adapter: &Adapter,
    what: &'static str,
    bytes: u64,
) -> Result<wgpu::Buffer, Error> {
    let usage =
        wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC;
    adapter.buffer(what, bytes, usage)
}

/// The arrays of a batch on the device.
#[derive(Debug, Clone)]
pub(super) struct Arrays {
    /// The lanes' inputs, then weights, then what groups share.
    pub(super) narrow: wgpu::Buffer,
    pub(super) exo: wgpu::Buffer,
    weights_at: usize,
    shared_at: usize,
    weighted: bool,
}

/// Bytes of the arrays of lanes, groups and periods: those of lanes and groups, and those of lanes and periods.
pub(super) fn bytes(shape: Shape, lanes: usize, groups: usize, periods: usize) -> [u64; 2] {
    let narrow = lanes * (shape.lane + 1) + shape.shared * periods * groups;
    [narrow, lanes * shape.exo * periods].map(|count| count as u64 * 4)
}

impl Arrays {
    pub(super) fn new(
        adapter: &Adapter,
        batch: &Batch<'_, f32>,
        mut buffer: impl FnMut(&'static str, u64) -> Result<wgpu::Buffer, Error>,
    ) -> Result<Arrays, Error> {
        let mut numbers = batch.lane.by_input();
        let weights_at = numbers.len();
        if let Some(weights) = &batch.weights {
            numbers.extend(weights.iter());
        }
        let shared_at = numbers.len();
        numbers.extend(batch.shared.iter());
        let (values, _) = batch.exo.in_memory();
        let narrow = buffer("inputs of lanes and groups", numbers.len() as u64 * 4)?;
        let exo = buffer("inputs of lanes and periods", values.len() as u64 * 4)?;
        adapter.write_many(&narrow, &numbers)?;
        adapter.write_many(&exo, values)?;
        Ok(Arrays {
            narrow,
            exo,
            weights_at,
            shared_at,
            weighted: batch.weights.is_some(),
        })
    }
}

/// Bytes of the numbers of a run: those of [`RUN`] and four behind them, in multiples of sixteen.
pub(super) const RUN_BYTES: u64 = ((RUN.len() as u64 + 4) * 4).next_multiple_of(16);

/// Sizes of a run.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sizes {
    pub(super) lanes: usize,
    pub(super) periods: usize,
    pub(super) groups: usize,
    pub(super) tiles: usize,
    pub(super) group_tiles: usize,
    pub(super) workgroups: usize,
    /// Tiles that have memory of their own: all, or as many as are worked on at once.
    pub(super) slots: usize,
    /// Threads that share a group whose lanes are joined.
    pub(super) join: usize,
    /// Vectors of a tile, and of a tile of groups.
    pub(super) slot: usize,
    pub(super) group_slot: usize,
    pub(super) traces: usize,
    pub(super) states: usize,
    /// Rows of adjoints of inputs that are wanted.
    pub(super) lane_grad: usize,
    pub(super) exo_grad: usize,
    pub(super) params: usize,
    /// Rows that come over from the groups and hand adjoints back.
    pub(super) over: usize,
}

impl Sizes {
    /// Numbers of the gradients that a workgroup sums, the objective behind them.
    pub(super) fn partial(&self) -> usize {
        self.params + 1
    }

    /// The workgroups of a dispatch.
    pub(super) fn of(&self, on: On) -> [usize; 2] {
        match on {
            On::Lanes => [self.workgroups, 1],
            On::Groups => [self.group_tiles, 1],
            On::Join(rows) => [(self.groups * self.join).div_ceil(THREADS), rows],
        }
    }

    pub(super) fn over_stride(&self) -> usize {
        self.over * self.tiles * TILE
    }

    /// Where the outputs of a run begin: objectives, traces or adjoints, state; and how many numbers there are.
    pub(super) fn outputs(&self) -> [usize; 5] {
        let traces = self.lanes;
        let state = traces + self.periods * self.traces * self.lanes;
        let lane = state + self.states * self.lanes;
        let exo = lane + self.lane_grad * self.lanes;
        [
            traces,
            state,
            lane,
            exo,
            exo + self.periods * self.exo_grad * self.lanes,
        ]
    }

    /// The numbers in the order of [`RUN`], and those behind them, for a run of which the whole has `all` lanes.
    pub(super) fn run(
        &self,
        arrays: &Arrays,
        batch: &Batch<'_, f32>,
        at: &Places,
        all: usize,
    ) -> Vec<u8> {
        let (_, strides) = batch.exo.in_memory();
        let [traces, state, lane, exo, _] = self.outputs();
        let numbers = [
            self.lanes,
            self.periods,
            batch.window.start,
            self.groups,
            self.tiles,
            self.group_tiles,
            self.workgroups,
            strides[0],
            strides[1],
            strides[2],
            batch.lanes,
            arrays.weights_at,
            arrays.shared_at,
            batch.shape.shared,
            batch.groups_of_shared(),
            at.gid,
            at.starts,
            at.picked,
            at.scalars,
            self.slot,
            self.group_slot,
            self.slots * self.slot,
            traces,
            state,
            lane,
            exo,
            self.params,
            self.partial(),
            self.over_stride(),
            self.tiles * TILE,
            self.join,
        ];
        const { assert!(RUN.len() == 31) };
        let mut bytes: Vec<u8> = numbers
            .into_iter()
            .flat_map(|x| as_u32(x).to_le_bytes())
            .collect();
        bytes.extend(f32::INFINITY.to_le_bytes());
        bytes.extend(f32::NAN.to_le_bytes());
        #[allow(
            clippy::cast_possible_truncation,
            reason = "as the processor rounds it"
        )]
        let mean = (1.0 / crate::exec::forward::lanes_as_f64(all)) as f32;
        bytes.extend(mean.to_le_bytes());
        bytes.extend(u32::from(arrays.weighted).to_le_bytes());
        // Uniform structures are sized in multiples of sixteen bytes.
        bytes.resize(bytes.len().next_multiple_of(16), 0);
        bytes
    }
}

/// Where the parts of the array of indices begin.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Places {
    pub(super) gid: usize,
    pub(super) starts: usize,
    pub(super) picked: usize,
    pub(super) scalars: usize,
}

/// Which lane of the batch each lane of the run is, its group, the groups' first lanes, their shared inputs, and which parameters are
/// summed one by one.
pub(super) fn indices(
    batch: &Batch<'_, f32>,
    sizes: &[usize],
    scalars: [&[usize]; 2],
) -> (Vec<u32>, Places) {
    let lanes = batch.run_lanes();
    let mut all: Vec<usize> = match &batch.selection {
        Some(picked) => picked.to_vec(),
        None => (0..lanes).collect(),
    };
    let mut at = Places {
        gid: all.len(),
        ..Places::default()
    };
    for (g, &size) in sizes.iter().enumerate() {
        all.extend(std::iter::repeat_n(g, size));
    }
    at.starts = all.len();
    let mut first = 0;
    all.push(0);
    for size in sizes {
        first += size;
        all.push(first);
    }
    at.picked = all.len();
    all.extend(batch.places_of_shared(sizes.len()));
    at.scalars = all.len();
    all.push(scalars[0].len());
    scalars.iter().for_each(|params| all.extend(*params));
    (all.into_iter().map(as_u32).collect(), at)
}
