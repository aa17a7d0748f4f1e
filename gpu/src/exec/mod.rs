//! Running programs.

mod adjoint;
mod adjoint_dense;
mod arena;
mod batch;
mod cpu;
mod forward;
mod period_major;
mod reverse;
mod ring;
mod segment;
mod source;

pub use batch::Batch;
pub use cpu::Cpu;

use crate::error::Error;
use crate::kernel::real::Real;
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
    /// Its derivative with respect to every parameter.
    pub params: Vec<F>,
    /// Its derivative with respect to the lanes' inputs, `[input][lane]`; empty unless the batch asked for it.
    pub lane: Vec<F>,
    /// Its derivative with respect to the periods' inputs, `[period][input][lane]`; empty unless the batch asked for it.
    pub exo: Vec<F>,
}

/// Something that runs programs: the processor's cores here, a graphics processor elsewhere. Callers hold no other view of it.
pub trait Executor<F: Real>: std::fmt::Debug {
    /// The objective of every lane, and the traces.
    ///
    /// # Errors
    /// When `params` has another length than the program's shape says, or the batch was made for another shape.
    fn forward(
        &self,
        program: &Program,
        params: &[F],
        batch: &Batch<'_, F>,
    ) -> Result<Rollout<F>, Error>;

    /// The mean objective and its gradient, by reverse mode through all periods.
    ///
    /// # Errors
    /// As [`forward`](Executor::forward).
    fn gradient(
        &self,
        program: &Program,
        params: &[F],
        batch: &Batch<'_, F>,
    ) -> Result<Gradient<F>, Error>;
}
