//! Operations number by number, and sums of rows.

use super::isa::per_isa;
use super::number::Number;
use super::shape::TILE;
use crate::record::{Binary, Unary};

/// An operand: rows, one row that goes with all rows of the other operand, or one number for all of them.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Source<'a, F> {
    Rows(&'a [F]),
    Repeated(&'a [F]),
    Splat(F),
}

impl<'a, F: Copy> Source<'a, F> {
    /// The numbers of a row, or for all rows.
    #[inline(always)]
    pub(super) fn row(self, row: usize, width: usize) -> Source<'a, F> {
        match self {
            Source::Rows(x) => Source::Rows(&x[row * width..][..width]),
            Source::Repeated(x) => Source::Rows(x),
            Source::Splat(x) => Source::Splat(x),
        }
    }

    /// The numbers of the row that is repeated, if it is.
    #[inline(always)]
    pub(super) fn repeats(self) -> Option<usize> {
        match self {
            Source::Repeated(x) => Some(x.len()),
            _ => None,
        }
    }
}

#[inline(always)]
fn map<F: Number>(x: Source<'_, F>, out: &mut [F], f: impl Fn(F) -> F) {
    match x {
        Source::Rows(x) => {
            for (o, &x) in out.iter_mut().zip(x) {
                *o = f(x);
            }
        }
        Source::Repeated(x) => {
            for out in out.chunks_exact_mut(x.len()) {
                for (o, &x) in out.iter_mut().zip(x) {
                    *o = f(x);
                }
            }
        }
        Source::Splat(x) => out.fill(f(x)),
    }
}

#[inline(always)]
fn zip<F: Number>(a: Source<'_, F>, b: Source<'_, F>, out: &mut [F], f: impl Fn(F, F) -> F) {
    match (a, b) {
        (Source::Rows(a), Source::Rows(b)) => rows(a, b, out, f),
        (a, Source::Splat(b)) => map(a, out, |a| f(a, b)),
        (Source::Splat(a), b) => map(b, out, |b| f(a, b)),
        (a, b) => {
            let width = a.repeats().or(b.repeats()).unwrap_or(out.len());
            for (r, out) in out.chunks_exact_mut(width).enumerate() {
                if let (Source::Rows(a), Source::Rows(b)) = (a.row(r, width), b.row(r, width)) {
                    rows(a, b, out, &f);
                }
            }
        }
    }
}

#[inline(always)]
fn rows<F: Number>(a: &[F], b: &[F], out: &mut [F], f: impl Fn(F, F) -> F) {
    let (tiles_a, a) = a.as_chunks::<TILE>();
    let (tiles_b, b) = b.as_chunks::<TILE>();
    let (tiles_out, out) = out.as_chunks_mut::<TILE>();
    for ((out, a), b) in tiles_out.iter_mut().zip(tiles_a).zip(tiles_b) {
        row_of_tile(a, b, out, &f);
    }
    for ((o, &a), &b) in out.iter_mut().zip(a).zip(b) {
        *o = f(a, b);
    }
}

/// A row of a length that is known: no loop, and nothing to find out before it.
#[inline(always)]
fn row_of_tile<F: Number>(
    a: &[F; TILE],
    b: &[F; TILE],
    out: &mut [F; TILE],
    f: impl Fn(F, F) -> F,
) {
    for i in 0..TILE {
        out[i] = f(a[i], b[i]);
    }
}

#[inline(always)]
pub(super) fn unary_body<const FMA: bool, F: Number>(f: Unary, x: Source<'_, F>, out: &mut [F]) {
    match f {
        Unary::Copy | Unary::Detach => map(x, out, |x| x),
        Unary::Neg => map(x, out, |x| -x),
        Unary::Exp => map(x, out, F::fast_exp::<FMA>),
        Unary::Ln => map(x, out, F::fast_ln::<FMA>),
        Unary::Sqrt => map(x, out, F::sqrt),
        Unary::Tanh => map(x, out, F::fast_tanh::<FMA>),
        Unary::Sigmoid => map(x, out, F::fast_sigmoid::<FMA>),
        Unary::Softplus => map(x, out, F::fast_softplus::<FMA>),
        Unary::Silu => map(x, out, |x| x * x.fast_sigmoid::<FMA>()),
        Unary::Relu => map(x, out, F::relu),
        Unary::Erf => map(x, out, F::erf),
        Unary::Abs => map(x, out, F::abs),
        Unary::Positive => map(x, out, F::positive),
        Unary::Round(gradient) => map(x, out, |x| x.round(gradient)),
    }
}

#[inline(always)]
pub(super) fn binary_body<const FMA: bool, F: Number>(
    f: Binary,
    a: Source<'_, F>,
    b: Source<'_, F>,
    out: &mut [F],
) {
    match f {
        Binary::Add => zip(a, b, out, |a, b| a + b),
        Binary::Sub => zip(a, b, out, |a, b| a - b),
        Binary::Mul => zip(a, b, out, |a, b| a * b),
        Binary::Div => zip(a, b, out, |a, b| a / b),
        Binary::Min => zip(a, b, out, F::min),
        Binary::Max => zip(a, b, out, F::max),
    }
}

#[inline(always)]
fn add_body<const FMA: bool, F: Number>(x: &[F], out: &mut [F]) {
    for (o, &x) in out.iter_mut().zip(x) {
        *o = *o + x;
    }
}

per_isa!(
    /// Writes a function of `x`.
    fn unary<F>(f: Unary, x: Source<'_, F>, out: &mut [F]) = unary_body
);
per_isa!(
    /// Writes a function of `a` and `b`.
    fn binary<F>(f: Binary, a: Source<'_, F>, b: Source<'_, F>, out: &mut [F]) = binary_body
);
per_isa!(
    /// Adds `x` to `out`.
    fn add<F>(x: &[F], out: &mut [F]) = add_body
);

#[inline(always)]
fn add_double_body<const FMA: bool, F: Number>(x: &[F], out: &mut [f64]) {
    for (o, x) in out.iter_mut().zip(x) {
        *o += x.to_double();
    }
}

per_isa!(
    /// Adds `x` to `out`, in double precision.
    fn add_double<F>(x: &[F], out: &mut [f64]) = add_double_body
);

/// Interleaved partial sums, in an order that is fixed.
const PARTS: usize = 8;

/// The sum of a row.
#[inline(always)]
pub(super) fn total<F: Number>(row: &[F]) -> F {
    let mut parts = [F::default(); PARTS];
    let chunks = row.chunks_exact(PARTS);
    let rest = chunks.remainder().iter().fold(F::default(), |s, &x| s + x);
    for chunk in chunks {
        for (p, &x) in parts.iter_mut().zip(chunk) {
            *p = *p + x;
        }
    }
    parts.iter().fold(rest, |s, &p| s + p)
}

#[inline(always)]
fn sum_body<const FMA: bool, F: Number>(row: &[F], out: &mut F) {
    *out = *out + total(row);
}

#[inline(always)]
fn dots_body<const FMA: bool, F: Number>(a: &[F], rows: &[F], out: &mut [F]) {
    for (o, b) in out.iter_mut().zip(rows.chunks_exact(a.len())) {
        let mut parts = [F::default(); PARTS];
        for (a, b) in a.chunks_exact(PARTS).zip(b.chunks_exact(PARTS)) {
            for ((p, &a), &b) in parts.iter_mut().zip(a).zip(b) {
                *p = F::madd::<FMA>(a, b, *p);
            }
        }
        *o = *o + parts.iter().fold(F::default(), |s, &p| s + p);
    }
}

per_isa!(
    /// Adds the sum of `row` to `out`.
    fn sum<F>(row: &[F], out: &mut F) = sum_body
);
per_isa!(
    /// Adds to `out` the scalar products of `a`, a whole row, with each of the rows.
    fn dots<F>(a: &[F], rows: &[F], out: &mut [F]) = dots_body
);

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "exact cases")]
mod tests {
    use super::super::dispatch::Kernels;
    use super::super::isa::Isa;
    use super::super::shape::WIDE;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Rows of any length: those of the last tile are cut short. Single precision takes the machine's instructions.
        #[test]
        fn sums_take_every_number(a in prop::collection::vec(-1.0..1.0_f32, 1..=WIDE), shift in -1.0..1.0_f32) {
            let (lanes, most) = if a.len() > TILE { (WIDE, 256.0) } else { (TILE, 128.0) };
            let limit = most / 2.0 * most * 6e-8;
            let count = a.len();
            let wide = |x: &f32| f64::from(*x);
            let b: Vec<f32> = a.iter().map(|x| x * x + shift).collect();
            let sums: f64 = a.iter().map(wide).sum();
            let products: f64 = a.iter().zip(&b).map(|(a, b)| wide(a) * wide(b)).sum();
            // Beyond the count there is anything.
            let fill = |mut row: Vec<f32>| { row.resize(lanes, f32::NAN); row };
            let (long_a, long_b) = (fill(a.clone()), fill(b.clone()));
            for isa in Isa::all() {
                // So many numbers of at most two: as many rounding errors of half a unit of at most their sum.
                let close = |found: f32, exact: f64| (f64::from(found) - 1.0 - exact).abs() < limit;
                let (mut found, mut found_products) = (1.0, [1.0, 1.0]);
                sum(isa, &a, &mut found);
                prop_assert!(close(found, sums));
                let whole = |row: &[f32]| { let mut row = row.to_vec(); row.resize(lanes, 0.0); row };
                f32::dots(isa, &whole(&a), &[whole(&b), whole(&b)].concat(), &mut found_products);
                prop_assert!(found_products.iter().all(|&f| close(f, products)));
                let (mut rows, mut found) = ([&long_a[..], &long_a].concat(), [1.0, 1.0]);
                f32::scale(isa, lanes, &mut rows, &[&long_b[..], &long_b].concat(), count, &mut found);
                prop_assert!(found.iter().all(|&f| close(f, products)));
                prop_assert!((0..count).all(|i| rows[i] == a[i] * b[i] && rows[lanes + i] == rows[i]));
                prop_assert!(rows[count..lanes].iter().all(|&x| x == 0.0));
            }
        }
    }
}
