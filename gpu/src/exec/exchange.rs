//! What the tiles of a group tell one another: one number a row, joined in the order of the tiles.

use std::sync::atomic::{AtomicU64, Ordering};

use super::workers::Meeting;
use crate::record::{Plan, Reduce};

/// The tiles' partial sums. Two sets take turns, so that one meeting a phase is enough.
#[derive(Debug)]
pub(super) struct Exchange {
    partial: [Vec<AtomicU64>; 2],
    /// Numbers of a tile.
    len: usize,
    pub(super) meeting: Meeting,
}

impl Exchange {
    /// Room for the sums of as many tiles of one block.
    pub(super) fn new(plan: &Plan, tiles: usize, threads: usize) -> Self {
        let len = if tiles > 1 { most_rows(plan) } else { 0 };
        let set = || (0..tiles * len).map(|_| AtomicU64::new(0)).collect();
        Exchange {
            partial: [set(), set()],
            len,
            meeting: Meeting::new(threads),
        }
    }

    pub(super) fn put(&self, turn: usize, tile: usize, sums: &[f64]) {
        for (slot, sum) in self.partial[turn % 2][tile * self.len..].iter().zip(sums) {
            slot.store(sum.to_bits(), Ordering::Relaxed);
        }
    }

    /// Waits for all threads, then joins the sums of `tiles` tiles in their order.
    pub(super) fn total(
        &self,
        turn: usize,
        tiles: usize,
        rows: impl Iterator<Item = Reduce>,
        totals: &mut [f64],
    ) {
        self.meeting.wait();
        for (i, (f, total)) in rows.zip(totals).enumerate() {
            let partial = self.partial[turn % 2]
                .iter()
                .skip(i)
                .step_by(self.len.max(1));
            let partial = partial
                .take(tiles)
                .map(|sum| f64::from_bits(sum.load(Ordering::Relaxed)));
            *total = partial.fold(f.nothing(), |total, sum| f.join(total, sum));
        }
    }
}

/// The most rows that come over in a phase.
pub(super) fn most_rows(plan: &Plan) -> usize {
    let phases = plan.sides().into_iter().flat_map(|side| side.codes());
    let rows = phases.flat_map(|code| &code.phases).map(|phase| {
        let rows = phase.bridges.iter().map(|bridge| bridge.rows);
        rows.sum::<usize>()
    });
    rows.max().unwrap_or(0)
}
