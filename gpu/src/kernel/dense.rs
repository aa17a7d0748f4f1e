//! Matrix products on tiles.
//!
//! A tile of $k$ rows is a $k \times$ [`TILE`] matrix, lanes contiguous. Weights are packed once per run into panels of up to
//! six rows, so that the kernel keeps a block of 6 x 16 results in registers.

use super::TILE;
use super::isa::Isa;
use super::real::Real;

/// Rows of a weight panel.
pub(crate) const PANEL: usize = 6;
/// Lanes of a register block.
const BLOCK: usize = 16;

/// The matrix kernels of a number type.
pub(crate) trait Matrix: Sized {
    /// Adds $W X$ to `out`, one panel of weights: `rows` times $k$ weights, $k$-major, and $k$ rows of inputs in segments.
    fn panel(isa: Isa, rows: usize, panel: &[Self], segments: &[&[Self]], out: &mut [Self]);
    /// Adds $dZ\, X^T$ to `grad` (outputs by `width`): `dz` has [`TILE`] lanes a row, `xt` is lane-major, `width` a lane.
    fn outer(isa: Isa, dz: &[Self], xt: &[Self], width: usize, grad: &mut [Self]);
    /// Writes the rows `x` into columns `column..` of the lane-major `xt`, `width` a lane; columns up to a multiple of
    /// eight may be filled with zeros.
    fn transpose(isa: Isa, x: &[Self], column: usize, width: usize, xt: &mut [Self]);
}

/// Weights of one layer, packed for the kernels, forward and transposed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Packed<F> {
    forward: Vec<F>,
    /// The transposed weights of each segment, for the inputs' adjoints.
    backward: Vec<Vec<F>>,
    outputs: usize,
    width: usize,
}

impl<F: Real> Packed<F> {
    /// Packs `weights`, `outputs` by `width` row-major, whose inputs come in segments of the given lengths. The transposes are
    /// packed where `adjoints`.
    pub(crate) fn new(weights: &[F], outputs: usize, segments: &[usize], adjoints: bool) -> Self {
        let width = weights.len() / outputs;
        let forward = pack(outputs, width, |o, k| weights[o * width + k]);
        let mut backward = Vec::new();
        let mut first = 0;
        for &rows in segments
            .iter()
            .take(if adjoints { segments.len() } else { 0 })
        {
            backward.push(pack(rows, outputs, |k, o| weights[o * width + first + k]));
            first += rows;
        }
        Packed {
            forward,
            backward,
            outputs,
            width,
        }
    }

    /// Adds $W x$ to `out`.
    pub(crate) fn forward(&self, isa: Isa, segments: &[&[F]], out: &mut [F]) {
        product(
            isa,
            &self.forward,
            self.width,
            segments,
            &mut out[..self.outputs * TILE],
        );
    }

    /// Adds $W_s^T dz$ to `dx`, the adjoint of segment `s`.
    pub(crate) fn backward(&self, isa: Isa, segment: usize, dz: &[F], dx: &mut [F]) {
        product(isa, &self.backward[segment], self.outputs, &[dz], dx);
    }
}

fn pack<F: Copy>(rows: usize, width: usize, weight: impl Fn(usize, usize) -> F) -> Vec<F> {
    let mut panels = Vec::with_capacity(rows * width);
    for first in (0..rows).step_by(PANEL) {
        for k in 0..width {
            panels.extend((first..rows.min(first + PANEL)).map(|o| weight(o, k)));
        }
    }
    panels
}

fn product<F: Real>(isa: Isa, panels: &[F], width: usize, segments: &[&[F]], out: &mut [F]) {
    for (panel, out) in panels
        .chunks(PANEL * width)
        .zip(out.chunks_mut(PANEL * TILE))
    {
        F::panel(isa, out.len() / TILE, panel, segments, out);
    }
}

/// A panel in portable code, compiled for the instructions at hand.
#[inline(always)]
fn panel_body<const FMA: bool, F: Real>(
    rows: usize,
    panel: &[F],
    segments: &[&[F]],
    out: &mut [F],
) {
    for block in 0..TILE / BLOCK {
        let mut sums = [[F::default(); BLOCK]; PANEL];
        for (sum, row) in sums.iter_mut().zip(out.chunks_exact(TILE)) {
            sum.copy_from_slice(&row[block * BLOCK..(block + 1) * BLOCK]);
        }
        let inputs = segments.iter().flat_map(|s| s.chunks_exact(TILE));
        for (weights, x) in panel.chunks_exact(rows).zip(inputs) {
            let x = &x[block * BLOCK..(block + 1) * BLOCK];
            for (sum, &w) in sums.iter_mut().zip(weights) {
                for (s, &x) in sum.iter_mut().zip(x) {
                    *s = F::madd::<FMA>(w, x, *s);
                }
            }
        }
        for (sum, row) in sums.iter().zip(out.chunks_exact_mut(TILE)) {
            row[block * BLOCK..(block + 1) * BLOCK].copy_from_slice(sum);
        }
    }
}

#[inline(always)]
fn outer_body<const FMA: bool, F: Real>(dz: &[F], xt: &[F], width: usize, grad: &mut [F]) {
    for (dz, grad) in dz.chunks_exact(TILE).zip(grad.chunks_exact_mut(width)) {
        for (&d, x) in dz.iter().zip(xt.chunks_exact(width)) {
            for (g, &x) in grad.iter_mut().zip(x) {
                *g = F::madd::<FMA>(d, x, *g);
            }
        }
    }
}

fn transpose_portable<F: Copy>(x: &[F], column: usize, width: usize, xt: &mut [F]) {
    for (k, row) in x.chunks_exact(TILE).enumerate() {
        for (lane, &value) in row.iter().enumerate() {
            xt[lane * width + column + k] = value;
        }
    }
}

super::isa::per_isa!(
    /// One panel in portable code.
    fn portable_panel<F>(rows: usize, panel: &[F], segments: &[&[F]], out: &mut [F]) = panel_body
);
super::isa::per_isa!(
    /// Weight gradients in portable code.
    fn portable_outer<F>(dz: &[F], xt: &[F], width: usize, grad: &mut [F]) = outer_body
);

impl Matrix for f64 {
    fn panel(isa: Isa, rows: usize, panel: &[f64], segments: &[&[f64]], out: &mut [f64]) {
        portable_panel(isa, rows, panel, segments, out);
    }
    fn outer(isa: Isa, dz: &[f64], xt: &[f64], width: usize, grad: &mut [f64]) {
        portable_outer(isa, dz, xt, width, grad);
    }
    fn transpose(_: Isa, x: &[f64], column: usize, width: usize, xt: &mut [f64]) {
        transpose_portable(x, column, width, xt);
    }
}

impl Matrix for f32 {
    fn panel(isa: Isa, rows: usize, panel: &[f32], segments: &[&[f32]], out: &mut [f32]) {
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(proof) => super::avx2::panel(proof, rows, panel, segments, out),
            Isa::Portable => portable_panel(isa, rows, panel, segments, out),
        }
    }
    fn outer(isa: Isa, dz: &[f32], xt: &[f32], width: usize, grad: &mut [f32]) {
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(proof) => super::avx2::outer(proof, dz, xt, width, grad),
            Isa::Portable => portable_outer(isa, dz, xt, width, grad),
        }
    }
    fn transpose(isa: Isa, x: &[f32], column: usize, width: usize, xt: &mut [f32]) {
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(proof) => super::avx2::transpose(proof, x, column, width, xt),
            Isa::Portable => transpose_portable(x, column, width, xt),
        }
    }
}

/// Inputs of a layer rounded up, so that the transposed tile has whole registers.
pub(crate) fn padded(width: usize) -> usize {
    width.next_multiple_of(8)
}
