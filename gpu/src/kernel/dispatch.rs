//! Which kernel a machine runs: one in its vector instructions where there is one, else portable code.

use super::elementwise::Source;
use super::groups::{self, Groups};
use super::isa::Isa;
use super::number::Number;
use super::shape::{PANEL, TILE};
#[cfg(target_arch = "x86_64")]
use super::x86;
use super::{activation, elementwise, product, softmax};
use crate::record::{Reduce, Unary};
use crate::scalar::Activation;

/// The kernels of a number type; what it has no kernels of its own for runs in portable code. A row has [`TILE`] lanes or, where it is not
/// of classes, [`WIDE`].
pub(crate) trait Kernels: Number {
    /// Writes $b + W X$ to `out`, one panel of weights: `rows` times $k$ weights, $k$-major, and $k$ rows of inputs, `lanes` each, in
    /// segments. What it begins with, $b$, is one number a row, or without any what `out` holds.
    fn panel(
        isa: Isa,
        (rows, lanes): (usize, usize),
        panel: &[Self],
        segments: &[&[Self]],
        begin: Option<&[Self; PANEL]>,
        out: &mut [Self],
    ) {
        product::panel(isa, rows, lanes, panel, segments, begin, out);
    }
    /// Adds the first `columns`, a multiple of eight, of $dZ\thinspace X^T$ to `grad` (outputs by `width`): `dz` has `lanes` a row, `xt` is
    /// lane-major, `width` a lane.
    fn outer(
        isa: Isa,
        lanes: usize,
        dz: &[Self],
        xt: &[Self],
        (columns, width): (usize, usize),
        grad: &mut [Self],
    ) {
        product::outer(isa, lanes, dz, xt, columns, width, grad);
    }
    /// Writes the rows `x`, `lanes` each, into columns `column..` of the lane-major `xt`, `width` a lane; columns up to a multiple of
    /// eight may be filled with zeros.
    fn transpose(_: Isa, lanes: usize, x: &[Self], column: usize, width: usize, xt: &mut [Self]) {
        product::transpose(lanes, x, column, width, xt);
    }
    /// Replaces `z` by its activation and writes the derivative to `slope`, unless that is empty.
    fn activate(isa: Isa, f: Activation, z: &mut [Self], slope: &mut [Self]) {
        activation::activate(isa, f, z, slope);
    }
    /// Writes a function of `x`.
    fn unary(isa: Isa, f: Unary, x: Source<'_, Self>, out: &mut [Self]) {
        elementwise::unary(isa, f, x, out);
    }
    /// Multiplies rows of adjoints, `lanes` each, by the saved derivatives (unless there are none), clears the lanes from `count` on, and
    /// adds the rows' totals to `sums` (which may be empty).
    fn scale(
        isa: Isa,
        lanes: usize,
        rows: &mut [Self],
        slope: &[Self],
        count: usize,
        sums: &mut [Self],
    ) {
        activation::scale(isa, lanes, rows, slope, count, sums);
    }
    /// Adds to `out` the scalar products of `a`, a whole row, with each of the rows.
    fn dots(isa: Isa, a: &[Self], rows: &[Self], out: &mut [Self]) {
        elementwise::dots(isa, a, rows, out);
    }
    /// Joins each group's lanes, of whole rows: one number a row and group.
    fn join(isa: Isa, f: Reduce, rows: &[Self], groups: Groups<'_>, out: &mut [f64]) {
        groups::join(isa, f, rows, groups, out);
    }
    /// Writes the numbers of the groups, one a row and group, to all their lanes; lanes that are no group's take the last one's.
    fn spread(isa: Isa, values: &[Self], groups: Groups<'_>, out: &mut [Self]) {
        groups::spread(isa, values, groups, out);
    }
    /// Adds the numbers of the groups, one a row and group, to all their lanes.
    fn spread_more(isa: Isa, values: &[Self], groups: Groups<'_>, out: &mut [Self]) {
        groups::spread_more(isa, values, groups, out);
    }
    /// Writes $e^{x_i} / \sum_j e^{x_j}$.
    fn shares(isa: Isa, x: &[Self], out: &mut [Self]) {
        softmax::softmax(isa, x, out);
    }
    /// Adds to `dx` the adjoint of the operand of the softmax `y`.
    fn shares_adjoint(isa: Isa, y: &[Self], dy: &[Self], dx: &mut [Self]) {
        softmax::softmax_adjoint(isa, y, dy, dx);
    }
    /// Writes the largest value of each lane, and the logarithm of the sum of the exponentials of all without it.
    fn normaliser(isa: Isa, x: &[Self], top: &mut [Self; TILE], log_total: &mut [Self; TILE]) {
        Self::exponentials(isa, x, top, log_total);
        let total = *log_total;
        elementwise::unary(isa, Unary::Ln, Source::Rows(&total), log_total);
    }
    /// The same without the logarithm.
    fn exponentials(isa: Isa, x: &[Self], top: &mut [Self; TILE], total: &mut [Self; TILE]) {
        softmax::normaliser(isa, x, top, total);
    }
    /// Writes $x_i - \ln \sum_j e^{x_j}$.
    fn log_shares(isa: Isa, x: &[Self], out: &mut [Self]) {
        let (mut top, mut log_total) = ([Self::default(); TILE], [Self::default(); TILE]);
        Self::normaliser(isa, x, &mut top, &mut log_total);
        softmax::less(isa, x, &top, &log_total, out);
    }
    /// Adds to `dx` the adjoint of the operand of `y`, the logarithms of shares.
    fn log_shares_adjoint(isa: Isa, y: &[Self], dy: &[Self], dx: &mut [Self]) {
        softmax::log_softmax_adjoint(isa, y, dy, dx);
    }
    /// Replaces logits by minus their shares times `dy`, given what [`normaliser`](Kernels::normaliser) found.
    fn likelihood_adjoint(
        isa: Isa,
        z: &mut [Self],
        top: &[Self; TILE],
        log_total: &[Self; TILE],
        dy: &[Self; TILE],
    ) {
        softmax::likelihood_adjoint(isa, z, top, log_total, dy);
    }
}

impl Kernels for f64 {}

impl Kernels for f32 {
    fn panel(
        isa: Isa,
        (rows, lanes): (usize, usize),
        panel: &[f32],
        segments: &[&[f32]],
        begin: Option<&[f32; PANEL]>,
        out: &mut [f32],
    ) {
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(proof) => {
                x86::avx2::panel(proof, (rows, lanes), panel, segments, begin, out);
            }
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(proof) => {
                x86::avx512::panel(proof, (rows, lanes), panel, segments, begin, out);
            }
            Isa::Portable => product::panel(isa, rows, lanes, panel, segments, begin, out),
        }
    }
    fn outer(
        isa: Isa,
        lanes: usize,
        dz: &[f32],
        xt: &[f32],
        (columns, width): (usize, usize),
        grad: &mut [f32],
    ) {
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(proof) => {
                _ = x86::avx2::outer(proof, lanes, dz, xt, (0..columns, width), grad)
            }
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(proof) => {
                let rest = x86::avx512::outer(proof, lanes, dz, xt, (0..columns, width), grad);
                x86::avx2::outer(proof.avx2(), lanes, dz, xt, (rest..columns, width), grad);
            }
            Isa::Portable => product::outer(isa, lanes, dz, xt, columns, width, grad),
        }
    }
    fn transpose(isa: Isa, lanes: usize, x: &[f32], column: usize, width: usize, xt: &mut [f32]) {
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(proof) => x86::transpose(proof, lanes, x, column, width, xt),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(proof) => x86::transpose(proof.avx2(), lanes, x, column, width, xt),
            Isa::Portable => product::transpose(lanes, x, column, width, xt),
        }
    }
    fn activate(isa: Isa, f: Activation, z: &mut [f32], slope: &mut [f32]) {
        let done = match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(proof) => x86::avx2::activate(proof, f, z, slope),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(proof) => x86::avx512::activate(proof, f, z, slope),
            Isa::Portable => false,
        };
        if !done {
            activation::activate(isa, f, z, slope);
        }
    }
    /// What is an activation too takes its kernel, of whole tiles.
    fn unary(isa: Isa, f: Unary, x: Source<'_, f32>, out: &mut [f32]) {
        let activation = match f {
            Unary::Tanh => Some(Activation::Tanh),
            Unary::Sigmoid => Some(Activation::Sigmoid),
            Unary::Silu => Some(Activation::Silu),
            _ => None,
        };
        match (x, activation) {
            (Source::Rows(x), Some(f)) if out.len().is_multiple_of(TILE) => {
                out.copy_from_slice(x);
                Self::activate(isa, f, out, &mut []);
            }
            _ => elementwise::unary(isa, f, x, out),
        }
    }
    fn scale(
        isa: Isa,
        lanes: usize,
        rows: &mut [f32],
        slope: &[f32],
        count: usize,
        sums: &mut [f32],
    ) {
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(proof) if count == lanes => x86::avx2::scale(proof, lanes, rows, slope, sums),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(proof) if count == lanes => {
                x86::avx512::scale(proof, lanes, rows, slope, sums)
            }
            _ => activation::scale(isa, lanes, rows, slope, count, sums),
        }
    }
    fn dots(isa: Isa, a: &[f32], rows: &[f32], out: &mut [f32]) {
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(proof) => x86::avx2::dots(proof, a, rows, out),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(proof) => x86::avx512::dots(proof, a, rows, out),
            Isa::Portable => elementwise::dots(isa, a, rows, out),
        }
    }
    fn join(isa: Isa, f: Reduce, rows: &[f32], groups: Groups<'_>, out: &mut [f64]) {
        #[cfg(target_arch = "x86_64")]
        if let Some(proof) = isa.avx2().filter(|_| x86::groups::takes(groups)) {
            return x86::groups::join(proof, f, rows, groups, out);
        }
        groups::join(isa, f, rows, groups, out);
    }
    fn spread(isa: Isa, values: &[f32], groups: Groups<'_>, out: &mut [f32]) {
        #[cfg(target_arch = "x86_64")]
        if let Some(proof) = isa.avx2().filter(|_| x86::groups::takes(groups)) {
            x86::groups::spread::<false>(proof, values, groups, out);
            return groups::fill_up(groups, out);
        }
        groups::spread(isa, values, groups, out);
    }
    fn spread_more(isa: Isa, values: &[f32], groups: Groups<'_>, out: &mut [f32]) {
        #[cfg(target_arch = "x86_64")]
        if let Some(proof) = isa.avx2().filter(|_| x86::groups::takes(groups)) {
            return x86::groups::spread::<true>(proof, values, groups, out);
        }
        groups::spread_more(isa, values, groups, out);
    }
    fn shares(isa: Isa, x: &[f32], out: &mut [f32]) {
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(proof) => x86::avx2::shares(proof, x, out),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(proof) => x86::avx512::shares(proof, x, out),
            Isa::Portable => softmax::softmax(isa, x, out),
        }
    }
    fn exponentials(isa: Isa, x: &[f32], top: &mut [f32; TILE], total: &mut [f32; TILE]) {
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(proof) => x86::avx2::normaliser(proof, x, top, total),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(proof) => x86::avx512::normaliser(proof, x, top, total),
            Isa::Portable => softmax::normaliser(isa, x, top, total),
        }
    }
    fn likelihood_adjoint(
        isa: Isa,
        z: &mut [f32],
        top: &[f32; TILE],
        log_total: &[f32; TILE],
        dy: &[f32; TILE],
    ) {
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(proof) => x86::avx2::likelihood_adjoint(proof, z, top, log_total, dy),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(proof) => x86::avx512::likelihood_adjoint(proof, z, top, log_total, dy),
            Isa::Portable => softmax::likelihood_adjoint(isa, z, top, log_total, dy),
        }
    }
}
