//! Matrix products on tiles, in portable code.
//!
//! A tile of $k$ rows is a $k \times n$ matrix, its $n$ lanes contiguous: [`TILE`](super::shape::TILE) or more, whole blocks of them.

use super::isa::per_isa;
use super::number::Number;
use super::shape::{BLOCK, PANEL};

/// A panel in portable code, compiled for the instructions at hand: one row to [`PANEL`].
#[inline(always)]
fn panel_body<const FMA: bool, F: Number>(
    rows: usize,
    lanes: usize,
    panel: &[F],
    segments: &[&[F]],
    begin: Option<&[F; PANEL]>,
    out: &mut [F],
) {
    // As many bytes of lanes whatever a number has: with the rows of a panel they fill the registers.
    if size_of::<F>() > size_of::<f32>() {
        panel_by_rows::<FMA, F, { BLOCK / 2 }>(rows, lanes, panel, segments, begin, out);
    } else {
        panel_by_rows::<FMA, F, BLOCK>(rows, lanes, panel, segments, begin, out);
    }
}

#[inline(always)]
fn panel_by_rows<const FMA: bool, F: Number, const LANES: usize>(
    rows: usize,
    lanes: usize,
    panel: &[F],
    segments: &[&[F]],
    begin: Option<&[F; PANEL]>,
    out: &mut [F],
) {
    match rows {
        1 => panel_of::<FMA, F, LANES, 1>(lanes, panel, segments, begin, out),
        2 => panel_of::<FMA, F, LANES, 2>(lanes, panel, segments, begin, out),
        3 => panel_of::<FMA, F, LANES, 3>(lanes, panel, segments, begin, out),
        4 => panel_of::<FMA, F, LANES, 4>(lanes, panel, segments, begin, out),
        5 => panel_of::<FMA, F, LANES, 5>(lanes, panel, segments, begin, out),
        6 => panel_of::<FMA, F, LANES, 6>(lanes, panel, segments, begin, out),
        7 => panel_of::<FMA, F, LANES, 7>(lanes, panel, segments, begin, out),
        8 => panel_of::<FMA, F, LANES, 8>(lanes, panel, segments, begin, out),
        _ => unreachable!("a panel of {rows} rows"),
    }
}

/// `ROWS` rows of a panel, so many lanes at a time: their sums stay in registers.
#[inline(always)]
fn panel_of<const FMA: bool, F: Number, const LANES: usize, const ROWS: usize>(
    lanes: usize,
    panel: &[F],
    segments: &[&[F]],
    begin: Option<&[F; PANEL]>,
    out: &mut [F],
) {
    let panel = panel.as_chunks::<ROWS>().0;
    for first in (0..lanes).step_by(LANES) {
        let mut sums = [[F::default(); LANES]; ROWS];
        for (j, sum) in sums.iter_mut().enumerate() {
            match begin {
                Some(begin) => *sum = [begin[j]; LANES],
                None => sum.copy_from_slice(&out[j * lanes + first..][..LANES]),
            }
        }
        let mut weights = panel.iter();
        for segment in segments {
            for (x, weights) in segment.chunks_exact(lanes).zip(&mut weights) {
                let mut values = [F::default(); LANES];
                values.copy_from_slice(&x[first..first + LANES]);
                for (sum, &w) in sums.iter_mut().zip(weights) {
                    for (s, &x) in sum.iter_mut().zip(&values) {
                        *s = F::madd::<FMA>(w, x, *s);
                    }
                }
            }
        }
        for (j, sum) in sums.iter().enumerate() {
            out[j * lanes + first..][..LANES].copy_from_slice(sum);
        }
    }
}

/// Outputs whose weight gradients are summed side by side.
const OUTPUTS: usize = 4;

/// Columns of weight gradients that are summed side by side: rows of them are whole numbers of these ([`padded`](super::shape::padded)).
const COLUMNS: usize = 8;

#[inline(always)]
fn outer_body<const FMA: bool, F: Number>(
    lanes: usize,
    dz: &[F],
    xt: &[F],
    columns: usize,
    width: usize,
    grad: &mut [F],
) {
    let four = dz.chunks_exact(OUTPUTS * lanes);
    let rest = four.remainder().chunks_exact(lanes);
    let (grad, last) = grad.split_at_mut(four.len() * OUTPUTS * width);
    for (dz, grad) in four.zip(grad.chunks_exact_mut(OUTPUTS * width)) {
        outer_of::<FMA, F, OUTPUTS>(lanes, dz, xt, (columns, width), grad);
    }
    for (dz, grad) in rest.zip(last.chunks_exact_mut(width)) {
        outer_of::<FMA, F, 1>(lanes, dz, xt, (columns, width), grad);
    }
}

/// The weight gradients of `ROWS` outputs.
#[inline(always)]
fn outer_of<const FMA: bool, F: Number, const ROWS: usize>(
    lanes: usize,
    dz: &[F],
    xt: &[F],
    (columns, width): (usize, usize),
    grad: &mut [F],
) {
    let rows: [&[F]; ROWS] = std::array::from_fn(|row| &dz[row * lanes..][..lanes]);
    for column in (0..columns).step_by(COLUMNS) {
        let mut sums = [[F::default(); COLUMNS]; ROWS];
        for (sum, grad) in sums.iter_mut().zip(grad.chunks_exact(width)) {
            sum.copy_from_slice(&grad[column..][..COLUMNS]);
        }
        for (lane, x) in xt.chunks_exact(width).take(lanes).enumerate() {
            let mut columns = [F::default(); COLUMNS];
            columns.copy_from_slice(&x[column..][..COLUMNS]);
            for (sum, dz) in sums.iter_mut().zip(&rows) {
                for (s, &x) in sum.iter_mut().zip(&columns) {
                    *s = F::madd::<FMA>(dz[lane], x, *s);
                }
            }
        }
        for (sum, grad) in sums.iter().zip(grad.chunks_exact_mut(width)) {
            grad[column..][..COLUMNS].copy_from_slice(sum);
        }
    }
}

/// Rows as columns; see [`Kernels::transpose`](super::dispatch::Kernels::transpose).
pub(super) fn transpose<F: Copy>(lanes: usize, x: &[F], column: usize, width: usize, xt: &mut [F]) {
    for (k, row) in x.chunks_exact(lanes).enumerate() {
        for (lane, &value) in row.iter().enumerate() {
            xt[lane * width + column + k] = value;
        }
    }
}

per_isa!(
    /// One panel of weights; see [`Kernels::panel`](super::dispatch::Kernels::panel).
    fn panel<F>(rows: usize, lanes: usize, panel: &[F], segments: &[&[F]], begin: Option<&[F; PANEL]>, out: &mut [F]) = panel_body
);
per_isa!(
    /// Weight gradients; see [`Kernels::outer`](super::dispatch::Kernels::outer).
    fn outer<F>(lanes: usize, dz: &[F], xt: &[F], columns: usize, width: usize, grad: &mut [F]) = outer_body
);
