//! Sizes that all kernels share.

/// Lanes of a tile: a row of `f32` is four cache lines, and a few hundred rows stay in the second-level cache.
pub(crate) const TILE: usize = 64;

/// Rows of a weight panel of sixteen registers, and of thirty-two: with the lanes of a block, as many accumulators as leave
/// registers for the operands.
pub(super) const NARROW_PANEL: usize = 6;
pub(super) const WIDE_PANEL: usize = 8;

/// Rows of a weight panel at the most; see [`Isa::panel_rows`](super::isa::Isa::panel_rows).
pub(crate) const PANEL: usize = WIDE_PANEL;

/// Lanes of a register block in portable code.
pub(super) const BLOCK: usize = 16;

/// Columns of a matrix rounded up, so that its rows are whole registers.
pub(crate) fn padded(width: usize) -> usize {
    width.next_multiple_of(8)
}
