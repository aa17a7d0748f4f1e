//! The reverse pass of a tile: the order of things, and the adjoints that pass between periods, the start and the outside.
//!
//! The lanes beyond a tile's count carry whatever comes out of repeating the last lane; no sum over lanes reads them.

use super::arena::{Gradients, Kept, Tile};
use super::ring::Slots;
use crate::kernel::TILE;
use crate::kernel::elementwise;
use crate::kernel::real::Real;
use crate::record::{Arg, Op, Reduce, Row, Space};

/// Where the adjoint of an operand goes.
pub(super) enum Target {
    /// Rows of the start block, from this number on.
    Start(usize),
    /// Rows of the ring of adjoints.
    Period(usize),
    /// One parameter, summed over lanes.
    Param(usize),
    /// Nowhere.
    Nothing,
}

/// Where the adjoint of an operand goes, given where the slots of the adjoints are.
pub(super) fn target(slots: &Slots, arg: Arg, period: usize) -> Target {
    match arg {
        Arg::Row(Row {
            space: Space::Start,
            index,
            ..
        }) => Target::Start(index * TILE),
        Arg::Row(Row { index, lag, .. }) => match period.checked_sub(lag) {
            Some(at) => Target::Period(slots.at(at) + index * TILE),
            None => Target::Nothing,
        },
        Arg::Param(i) => Target::Param(i),
        Arg::Const(_) | Arg::Shared(_) => Target::Nothing,
    }
}

impl<F: Real> Tile<'_, F> {
    /// Clears all adjoints.
    pub(super) fn begin_reverse(&mut self) {
        self.adjoints.start.fill(F::default());
        self.adjoints.periods.numbers.fill(F::default());
    }

    /// Adds one row to the adjoint of an operand.
    pub(super) fn add_row(
        &mut self,
        arg: Arg,
        period: usize,
        row: &[F; TILE],
        gradients: &mut Gradients<F>,
    ) {
        let isa = self.run.isa;
        let Kept { start, periods } = &mut self.adjoints;
        match target(&periods.slots, arg, period) {
            Target::Start(at) => elementwise::add(isa, row, &mut start[at..at + TILE]),
            Target::Period(at) => elementwise::add(isa, row, &mut periods.numbers[at..at + TILE]),
            Target::Param(i) => {
                elementwise::sum(isa, &row[..self.count], &mut gradients.params[i]);
            }
            Target::Nothing => {}
        }
    }

    /// Goes to a period and seeds the adjoint of its objective.
    pub(super) fn seed(&mut self, period: usize, gradients: &mut Gradients<F>) {
        self.rows.periods.go_to(period);
        self.saved.periods.go_to(period);
        self.adjoints.periods.go_to(period);
        let weights = self.weights;
        self.add_row(self.run.program.objective, period, &weights, gradients);
    }

    /// Reverses one phase of a period.
    pub(super) fn reverse_phase(
        &mut self,
        period: usize,
        phase: usize,
        gradients: &mut Gradients<F>,
    ) {
        let ops = self.run.program.period.phases[phase].clone();
        self.reverse(Space::Period, period, ops, gradients);
    }

    /// Reverses one phase of the start block.
    pub(super) fn reverse_start(&mut self, phase: usize, gradients: &mut Gradients<F>) {
        let ops = self.run.program.start.phases[phase].clone();
        self.reverse(Space::Start, 0, ops, gradients);
    }

    /// Hands the adjoints of a period's state to the period before (or to the start), those of its inputs to `exo`, and
    /// clears the slot.
    pub(super) fn close_reverse(
        &mut self,
        period: usize,
        gradients: &mut Gradients<F>,
        mut exo: impl FnMut(usize, usize, F),
    ) {
        let program = self.run.program;
        let slot = self.adjoints.periods.at(period);
        let mut row = [F::default(); TILE];
        for k in 0..program.states() {
            let at = slot + program.state_row(k).index * TILE;
            row.copy_from_slice(&self.adjoints.periods.numbers[at..at + TILE]);
            match period.checked_sub(1) {
                Some(before) => self.add_row(program.next[k], before, &row, gradients),
                None => self.add_row(program.initial[k], 0, &row, gradients),
            }
        }
        if self.run.batch.differentiate_inputs {
            for k in 0..program.shape.exo {
                for i in 0..self.count {
                    exo(k, i, self.adjoints.periods.numbers[slot + k * TILE + i]);
                }
            }
        }
        for rows in &program.added_to {
            let rows = slot + rows.start * TILE..slot + rows.end * TILE;
            self.adjoints.periods.numbers[rows].fill(F::default());
        }
    }

    /// The adjoints of the sums over lanes that ended a phase, added over this tile's lanes.
    pub(super) fn sum_adjoints(
        &mut self,
        space: Space,
        period: usize,
        phase: usize,
        sums: &mut [f64],
    ) {
        let program = self.run.program;
        let (block, adjoint, base) = match space {
            Space::Start => (&program.start, &self.adjoints.start, 0),
            Space::Period => {
                let periods = &self.adjoints.periods;
                (&program.period, &periods.numbers, periods.at(period))
            }
        };
        for op in &block.ops[block.phases[phase].clone()] {
            if let Op::Reduce {
                f: Reduce::Sum,
                out,
                id,
                ..
            } = op
            {
                let row = &adjoint[base + out * TILE..][..self.count];
                sums[*id] = row.iter().map(|a| a.to_f64()).sum();
            }
        }
    }

    /// Adds the totals of [`sum_adjoints`](Self::sum_adjoints) to the adjoints of what was summed.
    pub(super) fn spread_adjoints(
        &mut self,
        space: Space,
        period: usize,
        phase: usize,
        totals: &[f64],
        gradients: &mut Gradients<F>,
    ) {
        let program = self.run.program;
        let block = if space == Space::Start {
            &program.start
        } else {
            &program.period
        };
        for op in &block.ops[block.phases[phase].clone()] {
            if let Op::Reduce {
                f: Reduce::Sum,
                x,
                id,
                ..
            } = op
            {
                let mut row = [F::from_f64(totals[*id]); TILE];
                row[self.count..].fill(F::default());
                self.add_row(*x, period, &row, gradients);
            }
        }
    }
}
