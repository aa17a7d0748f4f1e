//! A recorded program.

use std::ops::Range;

use super::op::{Arg, Block, Op, Space};
use super::tape::{self, Recorder, Recording};
use super::var::Var;
use crate::error::Error;
use crate::scalar::Scalar;

/// How many numbers of each kind a program reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Shape {
    /// Parameters, shared by all lanes and periods; what training changes.
    pub params: usize,
    /// Inputs of each lane that are the same in every period.
    pub lane: usize,
    /// Inputs of each lane and period.
    pub exo: usize,
    /// Inputs of each period that are the same for all lanes, such as a discount factor or a calendar.
    pub shared: usize,
}

/// What the start of a program returns: the state before the first period, and values that every period may read.
#[derive(Debug, Clone)]
pub struct Start<S> {
    /// The state before the first period.
    pub state: Vec<S>,
    /// Values computed once per lane, passed to every period as [`Inputs::carry`].
    pub carry: Vec<S>,
}

impl<S> Default for Start<S> {
    fn default() -> Self {
        Start {
            state: Vec::new(),
            carry: Vec::new(),
        }
    }
}

/// What a period reads.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a, S> {
    /// The shared parameters.
    pub params: &'a [S],
    /// The lane's own inputs.
    pub lane: &'a [S],
    /// The lane's inputs of this period.
    pub exo: &'a [S],
    /// The period's inputs, the same for all lanes.
    pub shared: &'a [S],
    /// The state at the beginning of the period.
    pub state: &'a [S],
    /// What the start returned as [`Start::carry`].
    pub carry: &'a [S],
}

/// What a period returns.
#[derive(Debug, Clone)]
pub struct Step<S> {
    /// The state at the end of the period; as long as that at the start.
    pub state: Vec<S>,
    /// The period's contribution to the lane's objective.
    pub objective: S,
    /// Values to keep for every lane and period of a forward run.
    pub traces: Vec<S>,
}

impl<S: Scalar> Step<S> {
    /// A step without state and traces, and an objective of zero.
    #[must_use]
    pub fn new() -> Self {
        Step {
            state: Vec::new(),
            objective: S::constant(0.0),
            traces: Vec::new(),
        }
    }
}

impl<S: Scalar> Default for Step<S> {
    fn default() -> Self {
        Step::new()
    }
}

/// A start and a period, recorded once: run for any number of lanes and periods by an [`Executor`](crate::Executor), and
/// differentiated in reverse through all periods.
///
/// Its size does not grow with the horizon. The objective of a lane is the sum of the period's objectives.
///
/// ```
/// use hindsight_gpu::{Batch, Device, Executor, Program, Scalar, Shape, Start, Step};
///
/// // Stock with lost sales: every period `order` units arrive, demand takes what it can, and a unit sold earns 1.
/// let shape = Shape { params: 1, lane: 0, exo: 1, shared: 0 };
/// let program = Program::record(
///     shape,
///     |_, _| Start { state: vec![Scalar::constant(0.0)], carry: vec![] },
///     |_, inputs| {
///         let stock = inputs.state[0] + inputs.params[0];
///         let sold = stock.min(inputs.exo[0]);
///         Step { state: vec![stock - sold], objective: sold - inputs.params[0] * Scalar::constant(0.5), traces: vec![] }
///     },
/// );
/// // One lane, three periods, demands 1, 3 and 2; an order of 2 a period.
/// let batch = Batch::new(&program, 1, 3).exo(&[1.0_f64, 3.0, 2.0])?;
/// let result = Device::best().gradient(&program, &[2.0], &batch)?;
/// assert_eq!(result.objective, 1.0 + 3.0 + 2.0 - 3.0 * 0.5 * 2.0);
/// # Ok::<(), hindsight_gpu::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Program {
    pub(crate) shape: Shape,
    pub(crate) start: Block,
    pub(crate) period: Block,
    /// Where each state row begins, in the start block.
    pub(crate) initial: Vec<Arg>,
    /// Where each state row's next value is, in the period block.
    pub(crate) next: Vec<Arg>,
    pub(crate) objective: Arg,
    pub(crate) traces: Vec<Arg>,
    /// Dense layers of both blocks.
    pub(crate) dense: usize,
    /// Which parameters are trained; the others are frozen.
    pub(crate) trained: Vec<bool>,
}

impl Program {
    /// The program that `start` and `period` describe. Each closure is called once.
    ///
    /// # Panics
    /// When the period returns another number of states than the start: a broken program, which no input can cause.
    pub fn record<A, B>(shape: Shape, start: A, period: B) -> Program
    where
        A: for<'r> FnOnce(&'r Recorder, Inputs<'_, Var<'r>>) -> Start<Var<'r>>,
        B: for<'r> FnOnce(&'r Recorder, Inputs<'_, Var<'r>>) -> Step<Var<'r>>,
    {
        let recording = Recording::begin(shape.lane);
        let recorder = &recording.recorder;
        let (initial, next, objective, traces) = {
            let params: Vec<Var<'_>> = (0..shape.params)
                .map(|i| tape::var(Arg::Param(i)))
                .collect();
            let lane = tape::rows(Space::Start, 0, shape.lane);
            let nothing = Inputs {
                params: &params,
                lane: &lane,
                exo: &[],
                shared: &[],
                state: &[],
                carry: &[],
            };
            let begun = start(recorder, nothing);
            recording.enter_period(shape.exo + begun.state.len());
            let exo = tape::rows(Space::Period, 0, shape.exo);
            let state = tape::rows(Space::Period, shape.exo, begun.state.len());
            let shared: Vec<Var<'_>> = (0..shape.shared)
                .map(|i| tape::var(Arg::Shared(i)))
                .collect();
            let inputs = Inputs {
                params: &params,
                lane: &lane,
                exo: &exo,
                shared: &shared,
                state: &state,
                carry: &begun.carry,
            };
            let step = period(recorder, inputs);
            assert_eq!(
                step.state.len(),
                begun.state.len(),
                "the period must return as many states as the start"
            );
            let args = |vars: &[Var<'_>]| vars.iter().map(|v| v.arg).collect::<Vec<_>>();
            (
                args(&begun.state),
                args(&step.state),
                step.objective.arg,
                args(&step.traces),
            )
        };
        let (start, period, dense) = recording.take();
        Program {
            shape,
            start,
            period,
            initial,
            next,
            objective,
            traces,
            dense,
            trained: vec![true; shape.params],
        }
    }

    /// The same program with the parameters in these ranges trained and all others frozen: their derivatives are zero, and
    /// [`Session::step`](crate::Session::step) leaves them as they are.
    ///
    /// ```
    /// use hindsight_gpu::{Batch, Cpu, Executor, Program, Shape, Start, Step};
    /// let shape = Shape { params: 2, ..Shape::default() };
    /// let product = Program::record(shape, |_, _| Start::default(), |_, i| Step {
    ///     objective: i.params[0] * i.params[1],
    ///     ..Step::new()
    /// });
    /// let program = product.train(&[1..2])?;
    /// let gradient = Cpu::new(1).gradient(&program, &[3.0_f64, 5.0], &Batch::new(&program, 1, 1))?;
    /// assert_eq!(gradient.params, [0.0, 3.0]);
    /// # Ok::<(), hindsight_gpu::Error>(())
    /// ```
    ///
    /// # Errors
    /// When a range ends after the last parameter.
    pub fn train(mut self, params: &[Range<usize>]) -> Result<Program, Error> {
        self.trained.fill(false);
        for range in params {
            let limit = self.trained.len() + 1;
            let trained = self.trained.get_mut(range.clone()).ok_or(Error::Range {
                what: "end of trained parameters",
                index: range.end,
                limit,
            })?;
            trained.fill(true);
        }
        Ok(self)
    }

    /// What the program reads.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The number of state values.
    #[must_use]
    pub fn states(&self) -> usize {
        self.initial.len()
    }

    /// The number of traces that a forward run keeps for every lane and period.
    #[must_use]
    pub fn traces(&self) -> usize {
        self.traces.len()
    }

    /// Whether an operation joins the lanes of a group, so that they must go through the horizon together.
    #[must_use]
    pub fn joins_lanes(&self) -> bool {
        self.ops().any(|op| matches!(op, Op::Reduce { .. }))
    }

    /// Whether rows are the classes of something.
    pub(crate) fn has_classes(&self) -> bool {
        self.ops().any(|op| match op {
            Op::Softmax { .. }
            | Op::LogSoftmax { .. }
            | Op::Pick { .. }
            | Op::Lookup { .. }
            | Op::LogLikelihood { .. } => true,
            Op::Unary { .. }
            | Op::Binary { .. }
            | Op::Select { .. }
            | Op::Dense(_)
            | Op::Reduce { .. }
            | Op::Custom { .. } => false,
        })
    }

    fn ops(&self) -> impl Iterator<Item = &Op> {
        self.start.ops.iter().chain(&self.period.ops)
    }
}
