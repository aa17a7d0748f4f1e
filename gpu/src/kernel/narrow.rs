//! Layers of a few columns: what is one number for a group of lanes.
//!
//! Rows have as many numbers as there are groups, seldom more than a handful, so weights are read as they are stored, and products run
//! along them. The numbers of a group do not depend on how many others stand beside it.

use std::ops::Range;

use super::activation;
use super::isa::{Isa, per_isa};
use super::number::Number;
use super::shape::padded;
use crate::scalar::Activation;

/// Products that do not wait for one another.
const PARTS: usize = 32;

#[inline(always)]
fn dot<const FMA: bool, F: Number>(weights: &[F], x: &[F]) -> F {
    let mut parts = [F::default(); PARTS];
    let whole = weights.len() - weights.len() % PARTS;
    let chunks = weights
        .as_chunks::<PARTS>()
        .0
        .iter()
        .zip(x.as_chunks::<PARTS>().0);
    for (w, x) in chunks {
        for i in 0..PARTS {
            parts[i] = F::madd::<FMA>(w[i], x[i], parts[i]);
        }
    }
    let rest = weights[whole..].iter().zip(&x[whole..]);
    let rest = rest.fold(F::default(), |sum, (&w, &x)| F::madd::<FMA>(w, x, sum));
    let mut half = PARTS / 2;
    while half > 0 {
        for i in 0..half {
            parts[i] = parts[i] + parts[i + half];
        }
        half /= 2;
    }
    parts[0] + rest
}

/// Adds `factor` times `x` to `out`.
#[inline(always)]
fn add_times<const FMA: bool, F: Number>(factor: F, x: &[F], out: &mut [F]) {
    for (out, &x) in out.iter_mut().zip(x) {
        *out = F::madd::<FMA>(factor, x, *out);
    }
}

#[inline(always)]
fn products_body<const FMA: bool, F: Number>(
    weights: &[F],
    bias: &[F],
    xt: &[F],
    stride: usize,
    groups: usize,
    out: &mut [F],
) {
    let outputs = out.len() / groups;
    let width = weights.len() / outputs;
    for (o, (row, out)) in weights
        .chunks_exact(width)
        .zip(out.chunks_exact_mut(groups))
        .enumerate()
    {
        let begin = bias.get(o).copied().unwrap_or_default();
        for (out, x) in out.iter_mut().zip(xt.chunks_exact(stride)) {
            *out = begin + dot::<FMA, F>(row, &x[..width]);
        }
    }
}

#[inline(always)]
fn scale_body<const FMA: bool, F: Number>(
    groups: usize,
    dz: &mut [F],
    slope: &[F],
    sums: &mut [F],
) {
    for (d, &s) in dz.iter_mut().zip(slope) {
        *d = *d * s;
    }
    for (sum, row) in sums.iter_mut().zip(dz.chunks_exact(groups)) {
        *sum = row.iter().fold(*sum, |sum, &d| sum + d);
    }
}

#[inline(always)]
fn weight_gradient_body<const FMA: bool, F: Number>(
    groups: usize,
    dz: &[F],
    xt: &[F],
    stride: usize,
    grad: &mut [F],
) {
    for (dz, grad) in dz.chunks_exact(groups).zip(grad.chunks_exact_mut(stride)) {
        for (&d, x) in dz.iter().zip(xt.chunks_exact(stride)) {
            add_times::<FMA, F>(d, x, grad);
        }
    }
}

#[inline(always)]
fn adjoint_body<const FMA: bool, F: Number>(
    groups: usize,
    weights: &[F],
    columns: Range<usize>,
    dz: &[F],
    fresh: bool,
    scratch: &mut [F],
    dx: &mut [F],
) {
    let width = weights.len() / (dz.len() / groups);
    let scratch = &mut scratch[..columns.len()];
    for group in 0..groups {
        scratch.fill(F::default());
        for (row, &d) in weights
            .chunks_exact(width)
            .zip(dz.iter().skip(group).step_by(groups))
        {
            add_times::<FMA, F>(d, &row[columns.clone()], scratch);
        }
        for (dx, &s) in dx.iter_mut().skip(group).step_by(groups).zip(&*scratch) {
            *dx = if fresh { s } else { *dx + s };
        }
    }
}

per_isa!(
    fn products<F>(weights: &[F], bias: &[F], xt: &[F], stride: usize, groups: usize, out: &mut [F]) = products_body
);
per_isa!(
    /// Multiplies rows of adjoints by the saved derivatives (unless there are none), and adds the rows' totals to `sums` (which may be
    /// empty).
    fn scale<F>(groups: usize, dz: &mut [F], slope: &[F], sums: &mut [F]) = scale_body
);
per_isa!(
    fn outer<F>(groups: usize, dz: &[F], xt: &[F], stride: usize, grad: &mut [F]) = weight_gradient_body
);
per_isa!(
    /// Adds to `dx`, or writes where `fresh`, the adjoint of the inputs that some columns of the weights belong to; `scratch` has room for
    /// one group's.
    fn adjoint<F>(
        groups: usize, weights: &[F], columns: Range<usize>, dz: &[F], fresh: bool, scratch: &mut [F], dx: &mut [F],
    ) = adjoint_body
);

/// The inputs of a layer, `groups` numbers a row, side by side for each group; `stride` numbers a group.
fn turn<F: Number>(groups: usize, segments: &[&[F]], stride: usize, xt: &mut [F]) {
    let mut column = 0;
    for row in segments.iter().flat_map(|rows| rows.chunks_exact(groups)) {
        for (group, &value) in row.iter().enumerate() {
            xt[group * stride + column] = value;
        }
        column += 1;
    }
    for x in xt.chunks_exact_mut(stride).take(groups) {
        x[column..].fill(F::default());
    }
}

/// Writes $f(b + W x)$ to `out`, with the derivative of $f$ to `slope` unless that is empty; `bias` may be empty. `scratch` has room for the
/// padded inputs of all groups.
pub(crate) fn forward<F: Number>(
    isa: Isa,
    groups: usize,
    weights: &[F],
    bias: &[F],
    segments: &[&[F]],
    f: Activation,
    scratch: &mut [F],
    out: &mut [F],
    slope: &mut [F],
) {
    let stride = padded(weights.len() / (out.len() / groups));
    turn(groups, segments, stride, scratch);
    products(isa, weights, bias, scratch, stride, groups, out);
    activation::activate(isa, f, out, slope);
}

/// Adds $dz\thinspace x^T$, summed over the groups, to the gradient of the weights, `stride` numbers an output.
pub(crate) fn weight_gradient<F: Number>(
    isa: Isa,
    groups: usize,
    dz: &[F],
    segments: &[&[F]],
    stride: usize,
    scratch: &mut [F],
    grad: &mut [F],
) {
    turn(groups, segments, stride, scratch);
    outer(isa, groups, dz, scratch, stride, grad);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn numbers(n: usize) -> impl Strategy<Value = Vec<f64>> {
        prop::collection::vec(-1.0..1.0_f64, n)
    }

    /// Groups, outputs, rows of two segments of inputs, weights, inputs, adjoints.
    fn layer() -> impl Strategy<Value = (usize, usize, [usize; 2], Vec<f64>, Vec<f64>, Vec<f64>)> {
        (1..6_usize, 1..9_usize, 1..60_usize, 1..9_usize).prop_flat_map(|(g, o, a, b)| {
            let arrays = (numbers(o * (a + b)), numbers((a + b) * g), numbers(o * g));
            arrays.prop_map(move |(w, x, dz)| (g, o, [a, b], w, x, dz))
        })
    }

    proptest! {
        #[test]
        fn products_are_the_naive_ones((groups, outputs, rows, w, x, dz) in layer()) {
            let width = rows[0] + rows[1];
            let segments = [&x[..rows[0] * groups], &x[rows[0] * groups..]];
            let (bias, wide) = (vec![0.5; outputs], padded(width));
            let close = |a: f64, b: f64| (a - b).abs() < 1e-13 * 70.0;
            for isa in Isa::all() {
                let (mut out, mut scratch) = (vec![f64::NAN; outputs * groups], vec![f64::NAN; wide * groups]);
                forward(isa, groups, &w, &bias, &segments, Activation::Identity, &mut scratch, &mut out, &mut []);
                let mut grad = vec![1.0; outputs * wide];
                weight_gradient(isa, groups, &dz, &segments, wide, &mut scratch, &mut grad);
                for o in 0..outputs {
                    for g in 0..groups {
                        let z: f64 = (0..width).map(|k| w[o * width + k] * x[k * groups + g]).sum();
                        prop_assert!(close(out[o * groups + g], 0.5 + z));
                    }
                    for k in 0..width {
                        let d: f64 = (0..groups).map(|g| dz[o * groups + g] * x[k * groups + g]).sum();
                        prop_assert!(close(grad[o * wide + k], 1.0 + d));
                    }
                }
                for fresh in [false, true] {
                    let mut dx = vec![2.0; rows[1] * groups];
                    adjoint(isa, groups, &w, rows[0]..width, &dz, fresh, &mut scratch, &mut dx);
                    for k in 0..rows[1] {
                        for g in 0..groups {
                            let d: f64 = (0..outputs).map(|o| dz[o * groups + g] * w[o * width + rows[0] + k]).sum();
                            let exact = if fresh { d } else { 2.0 + d };
                            prop_assert!(close(dx[k * groups + g], exact));
                        }
                    }
                }
            }
        }

        /// A group's numbers are the same bits alone.
        #[test]
        fn a_group_does_not_see_the_others((groups, outputs, rows, w, x, dz) in layer()) {
            let width = rows[0] + rows[1];
            let run = |groups: usize, x: &[f64], dz: &[f64]| {
                let (mut out, mut scratch) = (vec![0.0; outputs * groups], vec![0.0; padded(width) * groups]);
                let isa = Isa::detect();
                forward(isa, groups, &w, &[], &[x], Activation::Silu, &mut scratch, &mut out, &mut []);
                let mut dx = vec![1.0; width * groups];
                adjoint(isa, groups, &w, 0..width, dz, false, &mut scratch, &mut dx);
                [out, dx]
            };
            let all = run(groups, &x, &dz);
            for g in 0..groups {
                let own = |rows: &[f64]| rows.iter().skip(g).step_by(groups).copied().collect::<Vec<_>>();
                let alone = run(1, &own(&x), &own(&dz));
                prop_assert_eq!(own(&all[0]), alone[0].clone());
                prop_assert_eq!(own(&all[1]), alone[1].clone());
            }
        }
    }
}
