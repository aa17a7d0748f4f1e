//! How large a program is.

use super::plan::{Code, Plan, Side};
use super::prepare::{Keep, plan};
use super::program::Program;

/// How large a program is where it runs.
///
/// ```
/// use hindsight_gpu::{Program, Scalar, Shape, Start, Step};
/// let shape = Shape { params: 1, lane: 1, ..Shape::default() };
/// let program = Program::record(shape, |_, _| Start::default(), |_, i| {
///     let price = (i.lane[0].lane_sum() * i.params[0]).tanh();
///     Step { objective: price * i.lane[0], ..Step::new() }
/// });
/// let size = program.size();
/// // The sum, its product and the price are one number for a group; the price and what comes of it are one a lane.
/// assert_eq!((size.group_rows, size.lane_rows), (3, 3));
/// // Reverse mode reads the price, there and here, and what the parameter multiplies; a lane's own input is there in any case.
/// assert_eq!((size.group_tape_rows, size.lane_tape_rows), (2, 1));
/// assert_eq!(size.tape_bytes::<f32>(1000, 10, 52), 4 * 52 * (1000 + 2 * 10));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Size {
    /// Operations of the start and of one period, like ones on neighbouring rows joined: independent of the horizon.
    pub operations: usize,
    /// Rows of one number a lane, inputs and states included: those of the start and those of one period.
    pub lane_rows: usize,
    /// Rows of one number a group.
    pub group_rows: usize,
    /// Of a period, rows of one number a lane that a differentiated run keeps for the whole horizon.
    pub lane_tape_rows: usize,
    /// Of a period, rows of one number a group that a differentiated run keeps for the whole horizon.
    pub group_tape_rows: usize,
}

impl Program {
    /// How large the program is where it runs, differentiated with respect to the trained parameters.
    #[must_use]
    pub fn size(&self) -> Size {
        Size::of(&plan(self, false, Keep::All))
    }
}

impl Size {
    fn of(plan: &Plan) -> Size {
        let all = |count: fn(&Code) -> usize| {
            let codes = plan.sides().map(Side::codes);
            codes.into_iter().flatten().map(count).sum()
        };
        let rows = |side: &Side| side.start.rows + side.period.rows;
        let tape = |side: &Side| side.kept + side.saved;
        Size {
            operations: all(|code| {
                let bridges = code.phases.iter().map(|phase| phase.bridges.len());
                code.ops.len() + bridges.sum::<usize>()
            }),
            lane_rows: rows(&plan.lane),
            group_rows: rows(&plan.group),
            lane_tape_rows: tape(&plan.lane),
            group_tape_rows: tape(&plan.group),
        }
    }

    /// The bytes that a differentiated run of so many lanes, groups and periods keeps in numbers of type `F` where the horizon is not cut
    /// into segments.
    #[must_use]
    pub fn tape_bytes<F>(&self, lanes: usize, groups: usize, periods: usize) -> usize {
        let numbers = self.lane_tape_rows * lanes + self.group_tape_rows * groups;
        numbers * periods * size_of::<F>()
    }
}
