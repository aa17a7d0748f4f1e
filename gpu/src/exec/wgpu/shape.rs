//! Sizes that the shaders and the host agree on.

/// Lanes of a workgroup: one row of memory holds a number for each.
pub(super) const TILE: usize = 32;
/// Threads of a workgroup.
pub(super) const THREADS: usize = 128;
/// Vectors of four numbers in a row.
pub(super) const VECTORS: usize = TILE / 4;
/// Rows that the threads take at once when each has four lanes of one.
pub(super) const ROWS_AT_ONCE: usize = THREADS / VECTORS;
/// Threads that share a lane.
pub(super) const PER_LANE: usize = THREADS / TILE;
/// Rows up to which an operation is written out, one thread a lane; longer ones are shared by all threads.
pub(super) const NARROW: usize = 8;
/// Outputs up to which a layer is a sum over the threads that share a lane.
pub(super) const HEAD: usize = 4;
/// Inputs from which it is worth sharing one out.
pub(super) const HEAD_INPUTS: usize = 16;
/// Numbers of a thread's registers that sums of weight gradients may take.
pub(super) const REGISTERS: usize = 72;
/// Workgroups that are in flight: each has memory for a horizon of one tile.
pub(super) const WORKGROUPS: usize = 528;
