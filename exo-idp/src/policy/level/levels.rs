//! Levels and caps worked out once, for all weeks in which they are wanted.

use std::ops::Range;

use gpu::{Batch, Device, Executor, Program, Real, Shape, Start, Step};

use super::layers::Ensemble;
use super::{LevelWeights, ROWS};
use crate::error::Error;
use crate::policy::trailing::{INPUTS, Trailing};
use crate::policy::{OrderUpTo, Signals};

/// Products times weeks whose levels are worked out together, more or less: their inputs need little memory.
const AT_ONCE: usize = 4096;

impl LevelWeights {
    /// The policy of a [`LevelNetwork`](super::LevelNetwork) with these weights, its level and cap worked out once for every product and some
    /// of the `all` weeks of a panel. In other weeks, and in those that `trailing` has no numbers for, it orders nothing.
    ///
    /// # Errors
    /// When the weeks end after the panel.
    pub fn levels(
        &self,
        name: impl Into<String>,
        trailing: &Trailing,
        weeks: Range<usize>,
        all: usize,
        device: &Device,
    ) -> Result<OrderUpTo, Error> {
        if weeks.end > all {
            let Range { start, end } = weeks;
            return Err(Error::Weeks {
                what: "the weeks are outside the panel",
                start,
                end,
                weeks: all,
            });
        }
        let (columns, there) = (trailing.products(), trailing.weeks());
        let program = Ensemble::new(self.members().len()).program();
        let theta = self.members().iter().flatten();
        let theta: Vec<f32> = theta.map(|&x| f32::from_f64(x)).collect();
        let mut both = vec![0.0; all * 2 * columns];
        let known = weeks.start.max(there.start)..weeks.end.min(there.end);
        // One lane a product and week: no week needs another.
        let at_once = (AT_ONCE / columns.max(1)).max(1);
        let mut exo: Vec<f32> = Vec::new();
        for first in known.clone().step_by(at_once) {
            let some = first..(first + at_once).min(known.end);
            exo.clear();
            for row in 0..ROWS {
                for week in some.clone() {
                    let of = |product| f32::from_f64(self.row(trailing, row, week, product));
                    exo.extend((0..columns).map(of));
                }
            }
            let lanes = columns * some.len();
            let found =
                device.forward(&program, &theta, &Batch::new(&program, lanes, 1).exo(&exo)?)?;
            let (levels, caps) = found.traces.split_at(lanes);
            let of_weeks = levels.chunks(columns).zip(caps.chunks(columns));
            let into = both[some.start * 2 * columns..some.end * 2 * columns].chunks_mut(columns);
            let values = of_weeks.flat_map(|(level, cap)| [level, cap]);
            for (into, values) in into.zip(values) {
                for (out, &value) in into.iter_mut().zip(values) {
                    *out = f64::from(value);
                }
            }
        }
        Ok(OrderUpTo::from_rows(
            name,
            Signals::from_values(2, columns, both),
        ))
    }

    /// What a network reads of a week.
    pub(super) fn row(&self, trailing: &Trailing, row: usize, week: usize, product: usize) -> f64 {
        if row < INPUTS.len() {
            let input = trailing.input(row, week, product);
            self.normaliser().apply(row, input)
        } else if row < ROWS - 1 {
            trailing.level(row - INPUTS.len(), week, product)
        } else {
            trailing.scale(week, product)
        }
    }
}

impl Ensemble {
    /// Level and cap of a week, as a program.
    fn program(&self) -> Program {
        let shape = Shape {
            params: self.params(),
            exo: ROWS,
            ..Shape::default()
        };
        Program::record(
            shape,
            |_, _| Start::default(),
            |_, inputs| {
                let (level, cap) = self.decide(inputs.params, inputs.exo);
                Step {
                    traces: vec![level, cap],
                    ..Step::new()
                }
            },
        )
    }
}
