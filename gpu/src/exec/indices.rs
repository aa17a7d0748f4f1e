//! Inputs that are used as indices: looked at before a run begins, so that a wrong one is an error and not a NaN.

use super::batch::Batch;
use crate::error::Error;
use crate::kernel::real::Real;
use crate::record::{Arg, Op, Program, Row, Space};

/// Checks every input of the batch that an operation of the program reads as an index.
pub(super) fn check<F: Real>(program: &Program, batch: &Batch<'_, F>) -> Result<(), Error> {
    let shape = program.shape();
    let ops = program.start.ops.iter().chain(&program.period.ops);
    for (index, classes) in ops.filter_map(index) {
        let wrong = |array, input, period, lane, value: F| Error::Index {
            array,
            input,
            lane,
            period,
            value: value.to_f64(),
            classes,
        };
        let names = |value: F| {
            let value = value.to_f64();
            crate::scalar::place(value, classes).is_some() && value.fract() == 0.0
        };
        match index {
            Arg::Row(Row {
                space: Space::Start,
                index: input,
                ..
            }) if input < shape.lane => {
                for lane in 0..batch.lanes {
                    let value = batch.lane.at(0, input, lane);
                    if !names(value) {
                        return Err(wrong("lane", input, 0, lane, value));
                    }
                }
            }
            Arg::Row(Row {
                space: Space::Period,
                index: input,
                ..
            }) if input < shape.exo => {
                for (period, lane) in batch
                    .window
                    .clone()
                    .flat_map(|t| (0..batch.lanes).map(move |n| (t, n)))
                {
                    let value = batch.exo.at(period, input, lane);
                    if !names(value) {
                        return Err(wrong("exo", input, period, lane, value));
                    }
                }
            }
            Arg::Shared(input) => {
                let groups = 0..batch.groups_of_shared();
                for (period, group) in (0..batch.run_periods())
                    .flat_map(|t| groups.clone().map(move |group| (t, group)))
                {
                    let value = batch.shared_of(period, input, group);
                    if !names(value) {
                        return Err(wrong("shared", input, period, group, value));
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// The index that an operation reads, and the number of classes.
fn index(op: &Op) -> Option<(Arg, usize)> {
    match op {
        Op::Pick { index, rows, .. } => Some((*index, *rows)),
        Op::Lookup { index, entries, .. } => Some((*index, *entries)),
        Op::LogLikelihood { logits, index, .. } => Some((*index, logits.outputs)),
        _ => None,
    }
}
