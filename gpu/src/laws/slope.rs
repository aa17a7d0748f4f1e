//! Derivatives against differences.

use proptest::test_runner::{TestCaseError, TestCaseResult};
use rand::RngExt;

use crate::record::CustomOp;
use crate::{Batch, Error, Executor, Program, Stream};

/// How many directions a gradient is tried in.
const DIRECTIONS: u64 = 6;

/// The gradient that `executor` gives of a program is the slope of the objective that it gives: along six random directions of the parameters,
/// central differences with two steps, extrapolated, agree with it.
///
/// The tolerance is $10^{-6}$ of the largest slope that the gradient's length allows, and twice what the two steps differ by: near a kink, or
/// where the program jumps, differences say little, and little is concluded. Programs with straight-through rounding or detached values have
/// another derivative on purpose.
///
/// ```
/// use hindsight_gpu::{Batch, Cpu, Program, Shape, Start, Step, laws};
/// let shape = Shape { params: 2, lane: 1, ..Shape::default() };
/// let program = Program::record(shape, |_, _| Start::default(), |_, i| Step {
///     objective: i.params[0] * i.lane[0] * i.params[1],
///     ..Step::new()
/// });
/// let batch = Batch::new(&program, 3, 1).lane(&[1.0, 2.0, -4.0])?;
/// let verdict = laws::gradient_is_right(&Cpu::new(1), &program, &[0.5, 2.0], &batch, 7);
/// assert!(verdict.is_ok());
/// # Ok::<(), hindsight_gpu::Error>(())
/// ```
///
/// # Errors
///
/// [`TestCaseError`] with both slopes, or with what is wrong with the arrays.
pub fn gradient_is_right(
    executor: &dyn Executor<f64>,
    program: &Program,
    params: &[f64],
    batch: &Batch<'_, f64>,
    seed: u64,
) -> TestCaseResult {
    let gradient = executor.gradient(program, params, batch)?.params;
    // The objective alone: the gradient's run has it with the weights.
    let value = |params: &[f64]| -> Result<f64, Error> {
        Ok(executor.gradient(program, params, batch)?.objective)
    };
    for k in 0..DIRECTIONS {
        let mut rng = Stream::new(seed, "directions").at(k, 0);
        let direction: Vec<f64> = params
            .iter()
            .map(|_| 2.0 * rng.random::<f64>() - 1.0)
            .collect();
        let along = |h: f64| -> Result<f64, Error> {
            let moved: Vec<f64> = params
                .iter()
                .zip(&direction)
                .map(|(&x, &d)| x + h * d)
                .collect();
            value(&moved)
        };
        let slope: f64 = gradient.iter().zip(&direction).map(|(g, d)| g * d).sum();
        let scale = length(&gradient) * length(&direction);
        let what = format!("along direction {k}");
        compare(&what, slope, scale, &along)?;
    }
    Ok(())
}

/// The vector-Jacobian product of an operation at `x` is the slope of what the operation returns: for every input and output on its own, by
/// central differences with two steps, extrapolated; the tolerance is that of [`gradient_is_right`]. Products are linear in `dy`, and `x` is not
/// moved.
///
/// # Errors
///
/// [`TestCaseError`] with the input, the output and both slopes.
pub fn derivative_is_right(operation: &dyn CustomOp, x: &[f64]) -> TestCaseResult {
    let outputs = operation.outputs();
    let value = |x: &[f64]| {
        let mut y = vec![f64::NAN; outputs];
        operation.forward(x, &mut y);
        y
    };
    let y = value(x);
    let product = |dy: &[f64]| {
        let mut dx = vec![f64::NAN; x.len()];
        operation.vjp(x, &y, dy, &mut dx);
        dx
    };
    let unit =
        |j: usize| -> Vec<f64> { (0..outputs).map(|k| f64::from(u8::from(k == j))).collect() };
    let rows: Vec<Vec<f64>> = (0..outputs).map(|j| product(&unit(j))).collect();
    let scale = rows.iter().map(|row| length(row)).fold(0.0, f64::max);
    for (j, row) in rows.iter().enumerate() {
        for (i, &slope) in row.iter().enumerate() {
            let along = |h: f64| -> Result<f64, Error> {
                let mut moved = x.to_vec();
                moved[i] += h;
                Ok(value(&moved)[j])
            };
            compare(&format!("output {j}, input {i}"), slope, scale, &along)?;
        }
    }
    // All outputs at once, each with a weight of its own.
    let weights: Vec<f64> = (0..outputs).map(|j| [0.5, -1.5, 2.0][j % 3]).collect();
    for (i, &found) in product(&weights).iter().enumerate() {
        let sum: f64 = rows.iter().zip(&weights).map(|(row, w)| w * row[i]).sum();
        let gap = (found - sum).abs();
        if gap.is_nan() || gap > 1e-9 * scale {
            return Err(TestCaseError::fail(format!(
                "input {i}: {found} with all outputs at once, {sum} as their sum"
            )));
        }
    }
    Ok(())
}

/// Whether `slope` is that of `along` at zero.
fn compare(
    what: &str,
    slope: f64,
    scale: f64,
    along: &dyn Fn(f64) -> Result<f64, Error>,
) -> TestCaseResult {
    let h = 1e-4;
    let difference = |h: f64| -> Result<f64, Error> { Ok((along(h)? - along(-h)?) / (2.0 * h)) };
    let (wide, narrow) = (difference(h)?, difference(h / 2.0)?);
    let right = (4.0 * narrow - wide) / 3.0;
    // Differences of values of this size are exact to no more.
    let rounding = 16.0 * f64::EPSILON * along(0.0)?.abs() / h;
    let tolerance = 1e-6 * scale + 2.0 * (wide - narrow).abs() + rounding;
    let gap = (slope - right).abs();
    if gap.is_nan() || gap > tolerance {
        return Err(TestCaseError::fail(format!(
            "{what} the derivative says {slope}, differences {right}"
        )));
    }
    Ok(())
}

fn length(values: &[f64]) -> f64 {
    values.iter().map(|x| x * x).sum::<f64>().sqrt()
}
