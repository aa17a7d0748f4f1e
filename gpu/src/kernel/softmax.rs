//! Shares and their logarithms: every lane of a tile by itself, classes are rows.
//!
//! The largest value of a lane is taken off first, so that no exponential overflows; a value of $-\infty$ has the share zero.

use super::isa::per_isa;
use super::number::Number;
use super::shape::TILE;

/// The largest of each lane.
#[inline(always)]
fn tops<F: Number>(x: &[F]) -> [F; TILE] {
    let mut top = [F::constant(f64::NEG_INFINITY); TILE];
    for row in x.as_chunks::<TILE>().0 {
        for (t, &x) in top.iter_mut().zip(row) {
            *t = if *t > x { *t } else { x };
        }
    }
    top
}

#[inline(always)]
fn softmax_body<const FMA: bool, F: Number>(x: &[F], out: &mut [F]) {
    let top = tops(x);
    let mut total = [F::default(); TILE];
    let rows = x.as_chunks::<TILE>().0;
    for (out, row) in out.as_chunks_mut::<TILE>().0.iter_mut().zip(rows) {
        for i in 0..TILE {
            out[i] = (row[i] - top[i]).fast_exp::<FMA>();
            total[i] = total[i] + out[i];
        }
    }
    for t in &mut total {
        *t = F::constant(1.0) / *t;
    }
    for out in out.as_chunks_mut::<TILE>().0 {
        for (o, &t) in out.iter_mut().zip(&total) {
            *o = *o * t;
        }
    }
}

#[inline(always)]
fn softmax_adjoint_body<const FMA: bool, F: Number>(y: &[F], dy: &[F], dx: &mut [F]) {
    let rows = y.as_chunks::<TILE>().0.iter().zip(dy.as_chunks::<TILE>().0);
    let mut mean = [F::default(); TILE];
    for (y, dy) in rows.clone() {
        for i in 0..TILE {
            mean[i] = F::madd::<FMA>(y[i], dy[i], mean[i]);
        }
    }
    for (dx, (y, dy)) in dx.as_chunks_mut::<TILE>().0.iter_mut().zip(rows) {
        for i in 0..TILE {
            dx[i] = F::madd::<FMA>(y[i], dy[i] - mean[i], dx[i]);
        }
    }
}

#[inline(always)]
fn normaliser_body<const FMA: bool, F: Number>(
    x: &[F],
    top: &mut [F; TILE],
    total: &mut [F; TILE],
) {
    (*top, *total) = (tops(x), [F::default(); TILE]);
    for row in x.as_chunks::<TILE>().0 {
        for i in 0..TILE {
            total[i] = total[i] + (row[i] - top[i]).fast_exp::<FMA>();
        }
    }
}

#[inline(always)]
fn less_body<const FMA: bool, F: Number>(
    x: &[F],
    top: &[F; TILE],
    log_total: &[F; TILE],
    out: &mut [F],
) {
    let rows = x.as_chunks::<TILE>().0;
    for (out, row) in out.as_chunks_mut::<TILE>().0.iter_mut().zip(rows) {
        for i in 0..TILE {
            // In this order: the difference to the largest is exact where it matters, however large both are.
            out[i] = (row[i] - top[i]) - log_total[i];
        }
    }
}

#[inline(always)]
fn log_softmax_adjoint_body<const FMA: bool, F: Number>(y: &[F], dy: &[F], dx: &mut [F]) {
    let mut total = [F::default(); TILE];
    for dy in dy.as_chunks::<TILE>().0 {
        for i in 0..TILE {
            total[i] = total[i] + dy[i];
        }
    }
    let rows = y.as_chunks::<TILE>().0.iter().zip(dy.as_chunks::<TILE>().0);
    for (dx, (y, dy)) in dx.as_chunks_mut::<TILE>().0.iter_mut().zip(rows) {
        for i in 0..TILE {
            dx[i] = dx[i] + (dy[i] - y[i].fast_exp::<FMA>() * total[i]);
        }
    }
}

#[inline(always)]
fn likelihood_adjoint_body<const FMA: bool, F: Number>(
    z: &mut [F],
    top: &[F; TILE],
    log_total: &[F; TILE],
    dy: &[F; TILE],
) {
    for z in z.as_chunks_mut::<TILE>().0 {
        for i in 0..TILE {
            z[i] = -(((z[i] - top[i]) - log_total[i]).fast_exp::<FMA>() * dy[i]);
        }
    }
}

per_isa!(
    /// Writes $e^{x_i} / \sum_j e^{x_j}$.
    fn softmax<F>(x: &[F], out: &mut [F]) = softmax_body
);
per_isa!(
    /// Adds to `dx` the adjoint of the operand of the softmax `y`.
    fn softmax_adjoint<F>(y: &[F], dy: &[F], dx: &mut [F]) = softmax_adjoint_body
);
per_isa!(
    /// Writes the largest of each lane, and the sum of the exponentials of all without it.
    fn normaliser<F>(x: &[F], top: &mut [F; TILE], total: &mut [F; TILE]) = normaliser_body
);
per_isa!(
    /// Writes the values less the two of each lane.
    fn less<F>(x: &[F], top: &[F; TILE], log_total: &[F; TILE], out: &mut [F]) = less_body
);
per_isa!(
    /// Adds to `dx` the adjoint of the operand of the logarithms of shares `y`.
    fn log_softmax_adjoint<F>(y: &[F], dy: &[F], dx: &mut [F]) = log_softmax_adjoint_body
);
per_isa!(
    /// Replaces logits by minus their shares times `dy`.
    fn likelihood_adjoint<F>(z: &mut [F], top: &[F; TILE], log_total: &[F; TILE], dy: &[F; TILE]) = likelihood_adjoint_body
);

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "exact cases")]
mod tests {
    use super::super::dispatch::Kernels;
    use super::super::isa::Isa;
    use super::*;
    use proptest::prelude::*;

    /// Rows of values, with another array of the same size; now and then of great size.
    fn rows() -> impl Strategy<Value = (Vec<f32>, Vec<f32>)> {
        let size = prop::sample::select(vec![1.0_f32, 30.0, 1e4]);
        (1..12_usize, size).prop_flat_map(|(rows, size)| {
            let numbers = |size: f32| prop::collection::vec(-size..size, rows * TILE);
            (numbers(size), numbers(1.0))
        })
    }

    /// The shares of one lane in double precision.
    fn exact(x: &[f32], lane: usize) -> Vec<f64> {
        let lane = x.iter().skip(lane).step_by(TILE).map(|&x| f64::from(x));
        let top = lane.clone().fold(f64::MIN, f64::max);
        let terms: Vec<f64> = lane.map(|x| (x - top).exp()).collect();
        let total: f64 = terms.iter().sum();
        terms.into_iter().map(|e| e / total).collect()
    }

    proptest! {
        /// The exponential is right to two units in the last place and its argument to half a unit, which counts as often as the
        /// argument is large; the sum and the quotient are right to half a unit a row.
        #[test]
        fn shares_are_those_of_double_precision((x, dy) in rows()) {
            for isa in Isa::all() {
                let mut y = vec![f32::NAN; x.len()];
                f32::shares(isa, &x, &mut y);
                let mut dx = vec![0.5_f32; x.len()];
                f32::shares_adjoint(isa, &y, &dy, &mut dx);
                for lane in 0..TILE {
                    let exact = exact(&x, lane);
                    let of = |row: usize| row * TILE + lane;
                    let mean: f64 = exact.iter().enumerate().map(|(row, e)| e * f64::from(dy[of(row)])).sum();
                    for (row, e) in exact.iter().enumerate() {
                        let limit = (10.0 - e.max(1e-38).ln()) * f64::from(f32::EPSILON);
                        // Below the smallest normal number shares are held at zero.
                        prop_assert!((f64::from(y[of(row)]) - e).abs() <= limit * e + 1e-37, "{isa:?} {e}");
                        let slope = 0.5 + e * (f64::from(dy[of(row)]) - mean);
                        prop_assert!((f64::from(dx[of(row)]) - slope).abs() <= 2.0 * 100.0 * f64::from(f32::EPSILON), "{isa:?} {slope}");
                    }
                }
            }
        }

        #[test]
        fn instruction_sets_with_fused_operations_agree((x, dy) in rows()) {
            let run = |isa: Isa| {
                let (mut y, mut dx) = (vec![0.0_f32; x.len()], vec![0.0_f32; x.len()]);
                f32::shares(isa, &x, &mut y);
                f32::shares_adjoint(isa, &y, &dy, &mut dx);
                [y, dx].concat().into_iter().map(f32::to_bits).collect::<Vec<_>>()
            };
            let fused = Isa::all().into_iter().filter(|&isa| isa != Isa::Portable).map(run);
            let fused: Vec<Vec<u32>> = fused.collect();
            prop_assert!(fused.windows(2).all(|pair| pair[0] == pair[1]));
        }
    }

    /// A class that is masked out by minus infinity has the share zero; a lane of nothing else has no shares; what is not a
    /// number stays in its lane.
    #[test]
    fn masks_and_what_is_not_a_number() {
        for isa in Isa::all() {
            let mut x = vec![0.0_f32; 3 * TILE];
            x[TILE] = f32::NEG_INFINITY;
            for row in 0..3 {
                x[row * TILE + 1] = f32::NEG_INFINITY;
            }
            x[2 * TILE + 2] = f32::NAN;
            let mut y = vec![9.0; 3 * TILE];
            f32::shares(isa, &x, &mut y);
            let lane = |lane: usize| [y[lane], y[TILE + lane], y[2 * TILE + lane]];
            assert_eq!(lane(0), [0.5, 0.0, 0.5]);
            assert!(lane(1).iter().chain(&lane(2)).all(|y| y.is_nan()));
            assert!(lane(3).iter().all(|y| (y - 1.0 / 3.0).abs() < 1e-7));
        }
    }
}
