//! An executor against the processor in double precision.

use proptest::test_runner::{TestCaseError, TestCaseResult};

use super::random::{Arrays, Case, distance};
use crate::exec::{Gradient, Rollout};
use crate::{Batch, Cpu, Error, Executor, Program, Real};

/// [`values_agree`] and [`gradients_agree`].
///
/// ```
/// use hindsight_gpu::laws::{self, Kinds};
/// use hindsight_gpu::{Cpu, Executor};
/// use proptest::test_runner::TestRunner;
///
/// // Yours here.
/// let executor: Box<dyn Executor<f32>> = Box::new(Cpu::new(2));
/// let programs = laws::programs(Kinds::Smooth, false, 1..80);
/// TestRunner::default().run(&programs, |case| laws::executor_agrees(&*executor, &case))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`TestCaseError`] with what differs and the gap, or with the executor's own error.
pub fn executor_agrees<F: Real>(executor: &dyn Executor<F>, case: &Case) -> TestCaseResult {
    values_agree(executor, case)?;
    gradients_agree(executor, case)
}

/// Objectives, traces and states are those of the processor in double precision: within $10^{-10}$ of the largest number in double
/// precision, within $2\cdot 10^{-3}$ in single, where small programs amplify roundings a few hundred times. The same run twice gives the same
/// bits.
///
/// In single precision a number within a rounding of a half, of zero or of a class may fall to the other side: take [`Kinds`](super::Kinds)
/// without jumps there.
///
/// # Errors
///
/// As [`executor_agrees`].
pub fn values_agree<F: Real>(executor: &dyn Executor<F>, case: &Case) -> TestCaseResult {
    let program = case.program();
    let right = rollout(&Cpu::new(1), case, &program)?;
    let found: Rollout<F> = rollout(executor, case, &program)?;
    if rollout(executor, case, &program)? != found {
        return Err(TestCaseError::fail("another run has other bits"));
    }
    near::<F>("objectives", &found.objective, &right.objective)?;
    near::<F>("traces", &wide(&found.traces), &wide::<f64>(&right.traces))?;
    near::<F>("states", &wide(&found.state), &wide::<f64>(&right.state))
}

/// The weighted objective and its derivatives with respect to parameters and inputs are those of the processor in double precision, to the
/// tolerances of [`values_agree`]; so are the parameters' where the inputs' are not asked for. The same run twice gives the same bits.
///
/// In single precision a number near a kink may fall to the other side of it: take [`Kinds::Smooth`](super::Kinds::Smooth) there.
///
/// # Errors
///
/// As [`executor_agrees`].
pub fn gradients_agree<F: Real>(executor: &dyn Executor<F>, case: &Case) -> TestCaseResult {
    let program = case.program();
    let right = gradient::<f64>(&Cpu::new(1), case, &program, true)?;
    let found: Gradient<F> = gradient(executor, case, &program, true)?;
    if gradient(executor, case, &program, true)? != found {
        return Err(TestCaseError::fail("another run has other bits"));
    }
    let alone: Gradient<F> = gradient(executor, case, &program, false)?;
    near::<F>("objective", &[found.objective], &[right.objective])?;
    near::<F>(
        "derivatives of parameters",
        &wide(&found.params),
        &right.params,
    )?;
    near::<F>(
        "derivatives of parameters alone",
        &wide(&alone.params),
        &right.params,
    )?;
    near::<F>(
        "derivatives of lanes' inputs",
        &wide(&found.lane),
        &right.lane,
    )?;
    near::<F>(
        "derivatives of periods' inputs",
        &wide(&found.exo),
        &right.exo,
    )
}

/// The numbers of a case as a batch, in its groups.
fn batch<'a, F: Real>(
    arrays: &'a Arrays<F>,
    case: &Case,
    program: &Program,
) -> Result<Batch<'a, F>, Error> {
    let batch = arrays.batch(program, case.lanes, case.periods)?;
    if case.groups.is_empty() {
        return Ok(batch);
    }
    batch.groups(&case.groups)
}

fn rollout<F: Real>(
    executor: &dyn Executor<F>,
    case: &Case,
    program: &Program,
) -> Result<Rollout<F>, Error> {
    let arrays = Arrays::<F>::of(case);
    let batch = batch(&arrays, case, program)?;
    executor.forward(program, &arrays.params, &batch)
}

fn gradient<F: Real>(
    executor: &dyn Executor<F>,
    case: &Case,
    program: &Program,
    inputs: bool,
) -> Result<Gradient<F>, Error> {
    let arrays = Arrays::<F>::of(case);
    let batch = batch(&arrays, case, program)?;
    let batch = batch.weights(&arrays.weights)?;
    let batch = match inputs {
        true => batch.differentiate_inputs(),
        false => batch,
    };
    executor.gradient(program, &arrays.params, &batch)
}

fn wide<F: Real>(values: &[F]) -> Vec<f64> {
    values.iter().map(|x| x.to_f64()).collect()
}

fn near<F: Real>(what: &str, found: &[f64], right: &[f64]) -> TestCaseResult {
    if found.len() != right.len() {
        let lengths = format!("{what}: {} numbers instead of {}", found.len(), right.len());
        return Err(TestCaseError::fail(lengths));
    }
    let tolerance = if size_of::<F>() == size_of::<f64>() {
        1e-10
    } else {
        2e-3
    };
    let gap = distance(found, right);
    if gap > tolerance {
        return Err(TestCaseError::fail(format!(
            "{what} differ by {gap} of the largest"
        )));
    }
    Ok(())
}
