//! Operations that do not fit the built-in ones.

use std::fmt::Debug;

/// A function of a few numbers of one lane, with its vector-Jacobian product: a water-filling split, a fixed point,
/// whatever the built-in operations do not express.
///
/// It is called lane by lane in `f64`, so it costs more than a built-in operation. Test the product against central
/// differences; the recorder trusts it.
///
/// ```
/// use hindsight_gpu::{Inputs, Program, Recorder, Shape, Start, Step, record::CustomOp};
/// use std::sync::Arc;
///
/// /// The hypotenuse of two numbers.
/// #[derive(Debug)]
/// struct Hypot;
/// impl CustomOp for Hypot {
///     fn outputs(&self) -> usize { 1 }
///     fn forward(&self, x: &[f64], y: &mut [f64]) { y[0] = x[0].hypot(x[1]); }
///     fn vjp(&self, x: &[f64], y: &[f64], dy: &[f64], dx: &mut [f64]) {
///         dx[0] = dy[0] * x[0] / y[0];
///         dx[1] = dy[0] * x[1] / y[0];
///     }
/// }
/// let shape = Shape { exo: 2, ..Shape::default() };
/// let program = Program::record(shape, |_, _| Start::default(), |recorder, inputs| Step {
///     objective: recorder.custom(Arc::new(Hypot), inputs.exo)[0],
///     ..Step::new()
/// });
/// # let _ = program;
/// ```
pub trait CustomOp: Debug + Send + Sync {
    /// How many numbers it returns.
    fn outputs(&self) -> usize;
    /// Writes the results of inputs `x` to `y`.
    fn forward(&self, x: &[f64], y: &mut [f64]);
    /// Writes to `dx` the derivative of $\sum_j dy_j\thinspace y_j$ with respect to each input.
    fn vjp(&self, x: &[f64], y: &[f64], dy: &[f64], dx: &mut [f64]);
    /// The same in WGSL, for executors on a graphics processor: functions `forward(x, y)` and `vjp(x, y, dy, dx)` on arrays of `f32`. An
    /// executor that needs it says so when it opens a program whose operations have none.
    fn shader(&self) -> Option<&str> {
        None
    }
}
