//! What a tile keeps of the periods that a segment begins with.

use std::ops::Range;

use super::segment::Segments;
use super::tile::Tile;
use crate::kernel::real::Real;

impl<F: Real> Tile<'_, F> {
    /// Keeps what a segment begins with, which has just been computed.
    pub(super) fn keep_checkpoint(&mut self, segments: Segments, segment: &Range<usize>) {
        self.each_carried(segments, segment, |rows, kept, here, there, len| {
            kept[there..there + len].copy_from_slice(&rows[here..here + len]);
        });
    }

    /// Brings back what a segment begins with.
    pub(super) fn restore_checkpoint(&mut self, segments: Segments, segment: &Range<usize>) {
        self.go_to(segment.start);
        self.each_carried(segments, segment, |rows, kept, here, there, len| {
            rows[here..here + len].copy_from_slice(&kept[there..there + len]);
        });
    }

    /// Calls `copy` with the rows, the checkpoints, the places of what is carried over in both, and how many numbers.
    fn each_carried(
        &mut self,
        segments: Segments,
        segment: &Range<usize>,
        copy: impl Fn(&mut [F], &mut [F], usize, usize, usize),
    ) {
        let Some((index, periods)) = segments.kept(segment) else {
            return;
        };
        let width = self.width();
        for (k, period) in periods.enumerate() {
            let mut there = self.checkpoints.at(index * segments.looked_back_on() + k);
            // Row by row: neighbours may lie on both sides of the border between what is kept and what passes.
            for row in self.side.carried.iter().cloned().flatten() {
                let here = self.map.of_period(period, row);
                copy(
                    &mut self.memory.rows,
                    &mut self.memory.checkpoints,
                    here,
                    there,
                    width,
                );
                there += width;
            }
        }
    }
}
