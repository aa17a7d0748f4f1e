//! Sizes that all kernels share.

/// Lanes of a tile: a row of `f32` is four cache lines, and a few hundred rows stay in the second-level cache.
pub(crate) const TILE: usize = 64;

/// Lanes of a wide tile, two tiles side by side. Where all tiles of a group go through a period before the next, their rows leave the
/// first-level cache in between whatever their size, and what an operation costs beside its lanes is paid half as often.
pub(crate) const WIDE: usize = 2 * TILE;

/// Rows of a weight panel of sixteen registers, and of thirty-two: with the lanes of a block, as many accumulators as leave
/// registers for the operands.
pub(super) const NARROW_PANEL: usize = 6;
pub(super) const WIDE_PANEL: usize = 8;

/// Rows of a weight panel at the most; see [`Isa::panel_rows`](super::isa::Isa::panel_rows).
pub(crate) const PANEL: usize = WIDE_PANEL;

/// Lanes of a register block in portable code.
pub(super) const BLOCK: usize = 16;

/// Columns of a block: rows of a matrix are padded to whole ones.
pub(crate) const EIGHT: usize = 8;

/// Columns of a matrix rounded up, so that its rows are whole registers.
pub(crate) fn padded(width: usize) -> usize {
    width.next_multiple_of(EIGHT)
}
