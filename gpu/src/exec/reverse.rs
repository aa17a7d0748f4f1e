//! The reverse pass of a tile: the adjoints that pass between periods, between lanes and groups, and to the outside.
//!
//! The lanes beyond a tile's count carry whatever comes out of repeating the last lane; no sum over lanes reads them.

use std::ops::Range;

use super::tile::{Gradients, Tile};
use crate::kernel::WIDE;
use crate::kernel::elementwise;
use crate::kernel::real::Real;
use crate::record::{Arg, Space};

/// Where the adjoint of an operand goes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target {
    /// Rows of adjoints, from this number on.
    Rows(usize),
    /// One parameter, summed over lanes.
    Param(usize),
    /// Nowhere.
    Nothing,
}

/// Where the adjoint of an operand goes.
pub(super) fn target<F: Real>(tile: &Tile<'_, F>, arg: Arg, period: usize) -> Target {
    match arg {
        Arg::Row(row) => tile
            .adjoints
            .at(row, period)
            .map_or(Target::Nothing, Target::Rows),
        Arg::Param(i) => Target::Param(i),
        Arg::Const(_) | Arg::Shared(_) => Target::Nothing,
    }
}

impl<F: Real> Tile<'_, F> {
    /// Clears the adjoints of the start and of the last periods; the others' are cleared when their slots become free.
    pub(super) fn begin_reverse(&mut self) {
        let (side, batch) = (self.side, self.run.batch);
        // Nobody asks for those of the lanes' inputs unless they are wanted.
        let inputs = self.run.plan.shape.lane;
        let skipped = if batch.differentiate_inputs || self.is_of_groups() {
            0
        } else {
            inputs
        };
        let (first, end) = (
            self.adjoints.of_start(skipped),
            self.adjoints.of_start(side.start.rows),
        );
        self.memory.adjoints[first..end].fill(F::default());
        let periods = self.run.batch.run_periods();
        for period in periods.saturating_sub(self.slots())..periods {
            self.clear(period, &side.added_to);
        }
    }

    /// Periods whose adjoints have a place.
    fn slots(&self) -> usize {
        self.run.plan.reach + 2
    }

    /// Clears the adjoints of some rows of a period.
    pub(super) fn clear(&mut self, period: usize, rows: &[Range<usize>]) {
        let width = self.width();
        for rows in rows {
            let first = self.adjoints.of_period(period, rows.start);
            self.memory.adjoints[first..][..rows.len() * width].fill(F::default());
        }
    }

    /// Adds one row to the adjoint of an operand.
    pub(super) fn add_row(
        &mut self,
        arg: Arg,
        period: usize,
        row: &[F],
        gradients: &mut Gradients<F>,
    ) {
        let isa = self.run.isa;
        match target(self, arg, period) {
            Target::Rows(at) => {
                let adjoints = &mut self.memory.adjoints[at..at + row.len()];
                elementwise::add(isa, row, adjoints);
            }
            Target::Param(i) => {
                elementwise::sum(isa, &row[..self.here.count], &mut gradients.params[i]);
            }
            Target::Nothing => {}
        }
    }

    /// Seeds the adjoint of a period's objective.
    pub(super) fn seed(&mut self, period: usize, gradients: &mut Gradients<F>) {
        let weights = self.here.weights;
        let weights = &weights[..self.width()];
        self.add_row(self.run.plan.objective, period, weights, gradients);
    }

    /// Hands the adjoints of a period's state to the period before (or to the start), those of its inputs to `exo`, and
    /// clears the slot.
    pub(super) fn close_reverse(
        &mut self,
        period: usize,
        gradients: &mut Gradients<F>,
        mut exo: impl FnMut(usize, usize, F),
    ) {
        let (side, width) = (self.side, self.width());
        let mut row = [F::default(); WIDE];
        for (k, &state) in side.states.iter().enumerate() {
            let at = self.adjoints.of(Space::Period, period, state);
            let row = &mut row[..width];
            row.copy_from_slice(&self.memory.adjoints[at..at + width]);
            match period.checked_sub(1) {
                Some(before) => self.add_row(side.next[k], before, row, gradients),
                None => self.add_row(side.initial[k], 0, row, gradients),
            }
        }
        if self.run.batch.differentiate_inputs && !self.is_of_groups() {
            for (k, &input) in side.inputs.iter().enumerate() {
                let at = self.adjoints.of(Space::Period, period, input);
                for i in 0..self.here.count {
                    exo(k, i, self.memory.adjoints[at + i]);
                }
            }
        }
        if let Some(next) = period.checked_sub(self.slots()) {
            self.clear(next, &side.added_to);
        }
    }
}
