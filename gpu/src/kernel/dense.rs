//! Dense layers, packed for the kernels.
//!
//! A tile of $k$ rows is a $k \times n$ matrix, its $n$ lanes contiguous. Weights are packed once per run into panels of as many
//! rows as the kernel of the machine's instructions keeps in registers, with 16 lanes or more.

use super::dispatch::Kernels;
use super::isa::Isa;
use super::shape::PANEL;
use crate::scalar::Activation;

/// Weights of one layer, packed for the kernels, forward and transposed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Packed<F> {
    forward: Vec<F>,
    /// The transposed weights of each segment, for the inputs' adjoints.
    backward: Vec<Vec<F>>,
    outputs: usize,
    width: usize,
    /// Rows of a panel, which the instructions choose.
    rows: usize,
}

impl<F: Kernels> Packed<F> {
    /// Packs `weights`, `outputs` by `width` row-major, whose inputs come in segments of the given lengths. The transposes are
    /// packed where `adjoints`.
    pub(crate) fn new(
        isa: Isa,
        weights: &[F],
        outputs: usize,
        segments: &[usize],
        adjoints: bool,
    ) -> Self {
        let (width, panel) = (weights.len() / outputs, isa.panel_rows());
        let forward = pack(panel, outputs, width, |o, k| weights[o * width + k]);
        let mut backward = Vec::new();
        let mut first = 0;
        for &rows in segments
            .iter()
            .take(if adjoints { segments.len() } else { 0 })
        {
            backward.push(pack(panel, rows, outputs, |k, o| {
                weights[o * width + first + k]
            }));
            first += rows;
        }
        Packed {
            forward,
            backward,
            outputs,
            width,
            rows: panel,
        }
    }

    /// Writes $f(b + W x)$ to `out`, `lanes` a row, with the derivative of $f$ to `slope` unless that is empty; `bias` may be empty.
    pub(crate) fn forward(
        &self,
        isa: Isa,
        lanes: usize,
        segments: &[&[F]],
        bias: &[F],
        activation: Activation,
        out: &mut [F],
        mut slope: &mut [F],
    ) {
        let panels = self.forward.chunks(self.rows * self.width);
        for (p, (panel, out)) in panels.zip(out.chunks_mut(self.rows * lanes)).enumerate() {
            let mut begin = [F::default(); PANEL];
            for (b, &bias) in begin.iter_mut().zip(bias.iter().skip(p * self.rows)) {
                *b = bias;
            }
            let rows = (out.len() / lanes, lanes);
            F::panel(isa, rows, panel, segments, Some(&begin), out);
            let here;
            (here, slope) = slope.split_at_mut(slope.len().min(out.len()));
            F::activate(isa, activation, out, here);
        }
    }

    /// Adds $W_s^T dz$ to `dx`, the adjoint of segment `s`; where `fresh`, writes it.
    pub(crate) fn backward(
        &self,
        isa: Isa,
        lanes: usize,
        segment: usize,
        dz: &[F],
        fresh: bool,
        dx: &mut [F],
    ) {
        let panels = self.backward[segment].chunks(self.rows * self.outputs);
        let begin = fresh.then_some([F::default(); PANEL]);
        for (panel, dx) in panels.zip(dx.chunks_mut(self.rows * lanes)) {
            let rows = (dx.len() / lanes, lanes);
            F::panel(isa, rows, panel, &[dz], begin.as_ref(), dx);
        }
    }
}

fn pack<F: Copy>(
    panel: usize,
    rows: usize,
    width: usize,
    weight: impl Fn(usize, usize) -> F,
) -> Vec<F> {
    let mut panels = Vec::with_capacity(rows * width);
    for first in (0..rows).step_by(panel) {
        for k in 0..width {
            panels.extend((first..rows.min(first + panel)).map(|o| weight(o, k)));
        }
    }
    panels
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "exact cases")]
mod tests {
    use super::super::dispatch::Kernels;
    use super::*;
    use crate::kernel::{TILE, WIDE, padded};
    use proptest::prelude::*;

    fn numbers(n: usize) -> impl Strategy<Value = Vec<f32>> {
        prop::collection::vec(-1.0..1.0_f32, n)
    }

    /// Lanes of a row and rows of inputs in segments, outputs, weights, inputs and adjoints.
    type Layer = ((usize, Vec<usize>), usize, Vec<f32>, Vec<f32>, Vec<f32>);

    fn layer() -> impl Strategy<Value = Layer> {
        let lanes = prop_oneof![Just(TILE), Just(WIDE)];
        let sizes = (lanes, prop::collection::vec(1..20_usize, 1..4), 1..20_usize);
        sizes.prop_flat_map(|(lanes, segments, outputs)| {
            let width: usize = segments.iter().sum();
            let arrays = (
                numbers(width * outputs),
                numbers(width * lanes),
                numbers(outputs * lanes),
            );
            (Just((lanes, segments)), Just(outputs), arrays)
                .prop_map(|(s, o, (w, x, dz))| (s, o, w, x, dz))
        })
    }

    /// The rows of `x` in segments.
    fn split<'a>(lanes: usize, x: &'a [f32], segments: &[usize]) -> Vec<&'a [f32]> {
        let mut rest = x;
        let take = |&rows: &usize| {
            let (segment, more) = rest.split_at(rows * lanes);
            rest = more;
            segment
        };
        segments.iter().map(take).collect()
    }

    /// Sums of up to `terms` products below one in size are off by at most half a unit in the last place a step.
    fn close(found: &[f32], exact: &[f64], terms: u16) -> bool {
        let limit = f64::from(f32::EPSILON) * f64::from(terms).powi(2);
        found
            .iter()
            .zip(exact)
            .all(|(&f, &e)| (f64::from(f) - e).abs() <= limit)
    }

    proptest! {
        #[test]
        fn products_are_the_naive_ones(((lanes, segments), outputs, w, x, dz) in layer()) {
            let width = x.len() / lanes;
            let mut exact = vec![1.0_f64; outputs * lanes];
            let mut exact_dx = vec![1.0_f64; width * lanes];
            for o in 0..outputs {
                for k in 0..width {
                    for lane in 0..lanes {
                        let weight = f64::from(w[o * width + k]);
                        exact[o * lanes + lane] += weight * f64::from(x[k * lanes + lane]);
                        exact_dx[k * lanes + lane] += weight * f64::from(dz[o * lanes + lane]);
                    }
                }
            }
            for isa in Isa::all() {
                let packed = Packed::new(isa, &w, outputs, &segments, true);
                let mut out = vec![f32::NAN; outputs * lanes];
                let ones = vec![1.0; outputs];
                let identity = Activation::Identity;
                packed.forward(isa, lanes, &split(lanes, &x, &segments), &ones, identity, &mut out, &mut []);
                prop_assert!(close(&out, &exact, 1 + u16::try_from(width)?), "{isa:?}");
                let mut first = 0;
                for (s, &rows) in segments.iter().enumerate() {
                    let exact_dx = &exact_dx[first * lanes..];
                    let mut dx = vec![1.0_f32; rows * lanes];
                    packed.backward(isa, lanes, s, &dz, false, &mut dx);
                    prop_assert!(close(&dx, exact_dx, 1 + u16::try_from(outputs)?), "{isa:?}");
                    let mut fresh = vec![f32::NAN; rows * lanes];
                    packed.backward(isa, lanes, s, &dz, true, &mut fresh);
                    let fresh: Vec<f32> = fresh.iter().map(|x| x + 1.0).collect();
                    prop_assert!(close(&fresh, exact_dx, 1 + u16::try_from(outputs)?), "{isa:?}");
                    first += rows;
                }
            }
        }

        /// The same operations in the same order, however many lanes at a time: the same bits.
        #[test]
        fn instruction_sets_with_fused_operations_agree(((lanes, segments), outputs, w, x, dz) in layer()) {
            let wide = padded(x.len() / lanes);
            let run = |isa: Isa| {
                let packed = Packed::new(isa, &w, outputs, &segments, true);
                let (mut out, mut slope) = (vec![0.0_f32; outputs * lanes], vec![0.0_f32; outputs * lanes]);
                packed.forward(isa, lanes, &split(lanes, &x, &segments), &[], Activation::Silu, &mut out, &mut slope);
                let mut dx = vec![1.0_f32; segments[0] * lanes];
                packed.backward(isa, lanes, 0, &dz, false, &mut dx);
                let xt: Vec<f32> = x.iter().chain(&dz).cycle().take(wide * lanes).copied().collect();
                let mut grad = vec![0.5_f32; outputs * wide];
                f32::outer(isa, lanes, &dz, &xt, (wide, wide), &mut grad);
                [out, slope, dx, grad].concat().into_iter().map(f32::to_bits).collect::<Vec<_>>()
            };
            let fused = Isa::all().into_iter().filter(|&isa| isa != Isa::Portable).map(run);
            let fused: Vec<Vec<u32>> = fused.collect();
            prop_assert!(fused.windows(2).all(|pair| pair[0] == pair[1]));
        }

        #[test]
        fn weight_gradients_are_the_naive_ones(((lanes, segments), outputs, w, x, dz) in layer()) {
            let width = x.len() / lanes;
            let wide = padded(width);
            let mut exact = vec![0.5_f64; outputs * width];
            for (o, dz) in dz.chunks_exact(lanes).enumerate() {
                for (k, x) in x.chunks_exact(lanes).enumerate() {
                    let products = dz.iter().zip(x).map(|(&d, &x)| f64::from(d) * f64::from(x));
                    exact[o * width + k] += products.sum::<f64>();
                }
            }
            for isa in Isa::all() {
                let mut transposed = vec![0.0_f32; wide * lanes];
                let mut column = 0;
                for segment in split(lanes, &x, &segments) {
                    f32::transpose(isa, lanes, segment, column, wide, &mut transposed);
                    column += segment.len() / lanes;
                }
                for (lane, row) in transposed.chunks_exact(wide).enumerate() {
                    let across: Vec<f32> = (0..width).map(|k| x[k * lanes + lane]).collect();
                    prop_assert_eq!(&row[..width], &across[..]);
                }
                let mut grad = vec![0.5_f32; outputs * wide];
                f32::outer(isa, lanes, &dz, &transposed, (wide, wide), &mut grad);
                let found: Vec<f32> = grad.chunks_exact(wide).flat_map(|row| row[..width].to_vec()).collect();
                prop_assert!(close(&found, &exact, 65), "{isa:?}");
            }
            prop_assert_eq!(w.len(), outputs * width);
        }
    }
}
