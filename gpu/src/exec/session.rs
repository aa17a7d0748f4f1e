//! Running a program again and again on the same data.

use super::batch::Batch;
use super::part::Part;
use crate::error::Error;
use crate::kernel::real::Real;
use crate::optim::Rule;
use crate::record::Program;

/// What a forward run returns.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Rollout<F> {
    /// Each lane's objective: the sum over the periods.
    pub objective: Vec<f64>,
    /// The traces, `[period][trace][lane]`.
    pub traces: Vec<F>,
    /// The state after the last period, `[state][lane]`.
    pub state: Vec<F>,
}

/// What a differentiated run returns.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Gradient<F> {
    /// The weighted sum of the lanes' objectives: their mean unless weights were given.
    pub objective: f64,
    /// Its derivative with respect to every parameter; zero for those that are frozen.
    pub params: Vec<F>,
    /// Its derivative with respect to the lanes' inputs, `[input][lane]`; empty unless the batch asked for it.
    pub lane: Vec<F>,
    /// Its derivative with respect to the periods' inputs, `[period][input][lane]`; empty unless the batch asked for it.
    pub exo: Vec<F>,
}

/// Something that runs programs: the processor's cores ([`Cpu`](super::Cpu)), or another device. Callers hold no other view of it.
///
/// ```
/// use hindsight_gpu::{Batch, Device, Executor, Program, Shape, Start, Step};
/// let shape = Shape { lane: 1, ..Shape::default() };
/// let program = Program::record(shape, |_, _| Start::default(), |_, i| Step { objective: i.lane[0], ..Step::new() });
/// let executors: [Box<dyn Executor<f32>>; 1] = [Box::new(Device::best())];
/// for executor in executors {
///     let run = executor.forward(&program, &[], &Batch::new(&program, 3, 1))?;
///     assert_eq!(run.objective, [0.0; 3]);
/// }
/// # Ok::<(), hindsight_gpu::Error>(())
/// ```
pub trait Executor<F: Real>: std::fmt::Debug + Send + Sync {
    /// Gets ready to run a program on a batch as often as is wanted: memory, weights and the optimiser's state stay in the session.
    ///
    /// # Errors
    /// When the batch was made for another shape, or has no lanes or no periods; when the device cannot run the program.
    fn open<'a>(
        &'a self,
        program: &'a Program,
        batch: Batch<'a, F>,
    ) -> Result<Box<dyn Session<F> + 'a>, Error>;

    /// The objective of every lane, and the traces: a session of one run.
    ///
    /// # Errors
    /// As [`open`](Executor::open); when `params` has another length than the program's shape says.
    fn forward(
        &self,
        program: &Program,
        params: &[F],
        batch: &Batch<'_, F>,
    ) -> Result<Rollout<F>, Error> {
        let mut session = self.open(program, batch.borrowed())?;
        session.load(params)?;
        session.forward(&Part::all())
    }

    /// The mean objective and its gradient, by reverse mode through all periods: a session of one run.
    ///
    /// # Errors
    /// As [`forward`](Executor::forward).
    fn gradient(
        &self,
        program: &Program,
        params: &[F],
        batch: &Batch<'_, F>,
    ) -> Result<Gradient<F>, Error> {
        let mut session = self.open(program, batch.borrowed())?;
        session.load(params)?;
        session.gradient(&Part::all())
    }
}

/// A program opened with a batch: its parameters, memory and optimiser state live where it runs.
///
/// ```
/// use hindsight_gpu::optim::Rule;
/// use hindsight_gpu::{Batch, Device, Executor, Part, Program, Scalar, Shape, Start, Step};
/// // The objective is highest where the parameter is the lanes' mean.
/// let shape = Shape { params: 1, lane: 1, ..Shape::default() };
/// let program = Program::record(shape, |_, _| Start::default(), |_, i| {
///     let gap = i.params[0] - i.lane[0];
///     Step { objective: -(gap * gap), ..Step::new() }
/// });
/// let device = Device::cpu(1);
/// let batch = Batch::new(&program, 2, 1).lane(&[1.0_f32, 4.0])?;
/// let mut session = device.open(&program, batch)?;
/// for _ in 0..500 {
///     session.step(&Part::all(), &Rule::default(), 0.05)?;
/// }
/// assert!((session.params()?[0] - 2.5).abs() < 1e-2);
/// # Ok::<(), hindsight_gpu::Error>(())
/// ```
pub trait Session<F: Real>: std::fmt::Debug {
    /// Takes these parameters and begins the optimiser's state afresh. Before the first call all parameters are zero.
    ///
    /// # Errors
    /// When there are more or fewer than the program's shape says.
    fn load(&mut self, params: &[F]) -> Result<(), Error>;

    /// The objective of every lane of the part, and the traces.
    ///
    /// # Errors
    /// When the part names lanes, groups or periods that the batch does not have, or is empty.
    ///
    /// # Panics
    /// Where an operation of the caller's panics: the panic is resumed here, whatever the number of threads.
    fn forward(&mut self, part: &Part<'_>) -> Result<Rollout<F>, Error>;

    /// The part's mean objective and its gradient, by reverse mode through all periods.
    ///
    /// # Errors
    /// As [`forward`](Session::forward).
    fn gradient(&mut self, part: &Part<'_>) -> Result<Gradient<F>, Error>;

    /// One step of an optimiser up the gradient of the part, at learning rate `rate`; returns the objective before it. Frozen
    /// parameters stay as they are.
    ///
    /// # Errors
    /// As [`forward`](Session::forward).
    fn step(&mut self, part: &Part<'_>, rule: &Rule, rate: f64) -> Result<f64, Error>;

    /// The parameters.
    ///
    /// # Errors
    /// When they cannot be brought back from the device.
    fn params(&mut self) -> Result<Vec<F>, Error>;

    /// The running average of the parameters over the steps taken ([`Rule::averaging`]).
    ///
    /// # Errors
    /// As [`params`](Session::params).
    fn average(&mut self) -> Result<Vec<F>, Error>;
}
