//! Activations of dense layers, with the derivative that reverse mode keeps.

use super::elementwise;
use super::isa::per_isa;
use super::number::Number;
use crate::scalar::Activation;

#[inline(always)]
fn each<F: Number>(z: &mut [F], slope: &mut [F], f: impl Fn(F) -> (F, F)) {
    if slope.is_empty() {
        for z in z {
            *z = f(*z).0;
        }
    } else {
        for (z, slope) in z.iter_mut().zip(slope) {
            (*z, *slope) = f(*z);
        }
    }
}

#[inline(always)]
fn portable_body<const FMA: bool, F: Number>(activation: Activation, z: &mut [F], slope: &mut [F]) {
    let one = F::constant(1.0);
    match activation {
        Activation::Identity => {}
        Activation::Relu => each(z, slope, |z| (z.relu(), z.positive())),
        Activation::Silu => each(z, slope, |z| {
            let s = z.fast_sigmoid::<FMA>();
            let h = z * s;
            (h, F::madd::<FMA>(h, one - s, s))
        }),
        Activation::Softplus => each(z, slope, |z| {
            (z.fast_softplus::<FMA>(), z.fast_sigmoid::<FMA>())
        }),
        Activation::Sigmoid => each(z, slope, |z| {
            let s = z.fast_sigmoid::<FMA>();
            (s, s * (one - s))
        }),
        Activation::Tanh => each(z, slope, |z| {
            let t = z.fast_tanh::<FMA>();
            (t, one - t * t)
        }),
    }
}

#[inline(always)]
fn scale_body<const FMA: bool, F: Number>(
    lanes: usize,
    adjoint: &mut [F],
    slope: &[F],
    count: usize,
    sums: &mut [F],
) {
    for (row, slope) in adjoint
        .chunks_exact_mut(lanes)
        .zip(slope.chunks_exact(lanes))
    {
        for (a, &s) in row.iter_mut().zip(slope) {
            *a = *a * s;
        }
    }
    if count < lanes {
        for row in adjoint.chunks_exact_mut(lanes) {
            row[count..].fill(F::default());
        }
    }
    for (sum, row) in sums.iter_mut().zip(adjoint.chunks_exact(lanes)) {
        *sum = *sum + elementwise::total(row);
    }
}

per_isa!(
    /// Replaces `z` by its activation and writes the derivative to `slope`, unless that is empty.
    fn activate<F>(activation: Activation, z: &mut [F], slope: &mut [F]) = portable_body
);
per_isa!(
    /// Multiplies rows of adjoints, `lanes` each, by the saved derivatives (unless there are none), clears the lanes from `count` on, and
    /// adds the rows' totals to `sums` (which may be empty).
    fn scale<F>(lanes: usize, adjoint: &mut [F], slope: &[F], count: usize, sums: &mut [F]) = scale_body
);

#[cfg(test)]
mod tests {
    use super::super::dispatch::Kernels;
    use super::super::isa::Isa;
    use super::super::shape::TILE;
    use super::*;
    use proptest::prelude::*;

    const ALL: [Activation; 6] = [
        Activation::Identity,
        Activation::Relu,
        Activation::Silu,
        Activation::Softplus,
        Activation::Sigmoid,
        Activation::Tanh,
    ];

    proptest! {
        /// Values and derivatives against double precision; the kernels with and without the machine's instructions. With no
        /// place for the derivatives, the values are the same bits.
        #[test]
        fn activations_are_those_of_the_scalar(z in prop::collection::vec(-90.0..90.0_f32, TILE)) {
            for activation in ALL {
                for isa in Isa::all() {
                    let (mut y, mut slope) = (z.clone(), vec![1.0; TILE]);
                    f32::activate(isa, activation, &mut y, &mut slope);
                    let mut alone = z.clone();
                    f32::activate(isa, activation, &mut alone, &mut []);
                    prop_assert!(alone.iter().zip(&y).all(|(a, b)| a.to_bits() == b.to_bits()));
                    for i in 0..TILE {
                        let dual = activation.apply(crate::numbers::Dual::variable(f64::from(z[i])));
                        // Six units in the last place, of the larger of the value and its terms.
                        let limit = 6.0 * f64::from(f32::EPSILON);
                        let off = (f64::from(y[i]) - dual.value()).abs();
                        prop_assert!(off <= limit * dual.value().abs().max(1e-30), "{activation:?} {} {off}", z[i]);
                        let off = (f64::from(slope[i]) - dual.derivative()).abs();
                        // One minus the sigmoid, or the square, cancels: a unit of one, times up to z.
                        let term = f64::from(z[i]).abs().max(1.0);
                        prop_assert!(off <= limit * term, "{activation:?}' {} {off}", z[i]);
                    }
                }
            }
        }
    }
}
