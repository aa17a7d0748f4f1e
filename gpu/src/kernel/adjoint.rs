//! Adjoints of operations number by number.

use super::elementwise::Source;
use super::isa::per_isa;
use super::number::Number;
use super::shape::TILE;
use crate::record::{Binary, Unary};
use crate::scalar::RoundGradient;

/// Adds a number to an adjoint, or where nothing has been added to it before, writes it.
#[inline(always)]
fn put<const FRESH: bool, F: Number>(to: &mut F, value: F) {
    *to = if FRESH { value } else { *to + value };
}

/// Adds `dy` times a factor of operand and result to `dx`, or writes it.
#[inline(always)]
fn pull<const FRESH: bool, F: Number>(
    x: Source<'_, F>,
    y: &[F],
    dy: &[F],
    dx: &mut [F],
    factor: impl Fn(F, F) -> F,
) {
    match x {
        Source::Rows(x) | Source::Repeated(x) => {
            for (((dx, &dy), &y), &x) in dx.iter_mut().zip(dy).zip(y).zip(x) {
                put::<FRESH, F>(dx, dy * factor(x, y));
            }
        }
        Source::Splat(x) => {
            for ((dx, &dy), &y) in dx.iter_mut().zip(dy).zip(y) {
                put::<FRESH, F>(dx, dy * factor(x, y));
            }
        }
    }
}

#[inline(always)]
fn unary_body<const FMA: bool, F: Number>(
    f: Unary,
    x: Source<'_, F>,
    y: &[F],
    dy: &[F],
    fresh: bool,
    dx: &mut [F],
) {
    if fresh {
        unary_pull::<FMA, true, F>(f, x, y, dy, dx);
    } else {
        unary_pull::<FMA, false, F>(f, x, y, dy, dx);
    }
}

#[inline(always)]
pub(super) fn unary_pull<const FMA: bool, const FRESH: bool, F: Number>(
    f: Unary,
    x: Source<'_, F>,
    y: &[F],
    dy: &[F],
    dx: &mut [F],
) {
    let one = F::constant(1.0);
    match f {
        Unary::Detach | Unary::Positive | Unary::Round(RoundGradient::Zero) => {}
        Unary::Copy | Unary::Round(RoundGradient::StraightThrough) => {
            pull::<FRESH, F>(x, y, dy, dx, |_, _| one)
        }
        Unary::Neg => pull::<FRESH, F>(x, y, dy, dx, |_, _| -one),
        Unary::Exp => pull::<FRESH, F>(x, y, dy, dx, |_, y| y),
        Unary::Ln => pull::<FRESH, F>(x, y, dy, dx, |x, _| one / x),
        Unary::Sqrt => pull::<FRESH, F>(x, y, dy, dx, |_, y| one / (y + y)),
        Unary::Tanh => pull::<FRESH, F>(x, y, dy, dx, |_, y| one - y * y),
        Unary::Sigmoid => pull::<FRESH, F>(x, y, dy, dx, |_, y| y * (one - y)),
        Unary::Softplus => pull::<FRESH, F>(x, y, dy, dx, |x, _| x.fast_sigmoid::<FMA>()),
        Unary::Silu => pull::<FRESH, F>(x, y, dy, dx, |x, y| {
            let s = x.fast_sigmoid::<FMA>();
            s + y * (one - s)
        }),
        Unary::Relu => pull::<FRESH, F>(x, y, dy, dx, |x, _| x.positive()),
        Unary::Erf => {
            pull::<FRESH, F>(x, y, dy, dx, |x, _| {
                F::constant(std::f64::consts::FRAC_2_SQRT_PI) * (-(x * x)).fast_exp::<FMA>()
            });
        }
        Unary::Abs => pull::<FRESH, F>(x, y, dy, dx, |x, _| x.positive() - (-x).positive()),
    }
}

/// Where the adjoint of an operand goes.
#[derive(Debug)]
pub(crate) enum To<'a, F> {
    /// It is not wanted.
    Nowhere,
    /// To what is there already.
    Added(&'a mut [F]),
    /// Where nothing is yet.
    Written(&'a mut [F]),
}

impl<'a, F> To<'a, F> {
    /// Rows that are written where `fresh`, otherwise added to.
    pub(crate) fn rows(fresh: bool, rows: &'a mut [F]) -> Self {
        if fresh {
            To::Written(rows)
        } else {
            To::Added(rows)
        }
    }

    /// That of one row of the operand. Of one that is repeated there is one for all rows, which the `last` one may write and the others
    /// add to.
    #[inline(always)]
    fn row(&mut self, row: usize, width: usize, repeated: bool, last: bool) -> To<'_, F> {
        let (fresh, rows) = match self {
            To::Nowhere => return To::Nowhere,
            To::Added(rows) => (false, rows),
            To::Written(rows) => (true, rows),
        };
        if repeated {
            To::rows(fresh && last, rows)
        } else {
            To::rows(fresh, &mut rows[row * width..][..width])
        }
    }
}

/// The derivatives of a function of two numbers. A trait and no closure: what is compiled for the instructions must be inlined always.
pub(super) trait Slopes {
    fn of<F: Number>(a: F, b: F) -> (F, F);
}

macro_rules! slopes {
    ($($f:ident($a:ident, $b:ident) = $slopes:expr;)*) => {
        $(pub(super) struct $f;
        impl Slopes for $f {
            #[inline(always)]
            fn of<F: Number>($a: F, $b: F) -> (F, F) {
                $slopes
            }
        })*

        #[inline(always)]
        fn binary_body<const FMA: bool, F: Number>(
            f: Binary,
            a: Source<'_, F>,
            b: Source<'_, F>,
            dy: &[F],
            da: To<'_, F>,
            db: To<'_, F>,
        ) {
            match f {
                $(Binary::$f => all_rows::<$f, F>((a, da), (b, db), dy),)*
            }
        }
    };
}

/// The slopes of a quotient by one division in place of three, which take longer than all else that a short operation does.
#[inline(always)]
fn of_quotient<F: Number>(a: F, b: F) -> (F, F) {
    let inverse = F::constant(1.0) / b;
    (inverse, -(a * inverse) * inverse)
}

// Minimum and maximum at a tie give the whole adjoint to the first operand.
slopes!(
    Add(_a, _b) = (F::constant(1.0), F::constant(1.0));
    Sub(_a, _b) = (F::constant(1.0), F::constant(-1.0));
    Mul(a, b) = (b, a);
    Div(a, b) = of_quotient(a, b);
    Min(a, b) = (F::constant(1.0) - (a - b).positive(), (a - b).positive());
    Max(a, b) = (F::constant(1.0) - (b - a).positive(), (b - a).positive());
);

/// Row by row where one row of an operand is repeated: from the last on, as if every row were an operation of its own.
#[inline(always)]
pub(super) fn all_rows<S: Slopes, F: Number>(
    (a, mut da): (Source<'_, F>, To<'_, F>),
    (b, mut db): (Source<'_, F>, To<'_, F>),
    dy: &[F],
) {
    let width = a.repeats().or(b.repeats()).unwrap_or(dy.len());
    let [one_a, one_b] = [a, b].map(|x| x.repeats().is_some());
    let mut last = true;
    for (r, dy) in dy.chunks_exact(width).enumerate().rev() {
        let da = da.row(r, width, one_a, last);
        let db = db.row(r, width, one_b, last);
        row::<S, F>(a.row(r, width), b.row(r, width), dy, da, db);
        last = false;
    }
}

#[inline(always)]
fn row<S: Slopes, F: Number>(
    a: Source<'_, F>,
    b: Source<'_, F>,
    dy: &[F],
    da: To<'_, F>,
    db: To<'_, F>,
) {
    match (da, db) {
        (To::Nowhere, To::Nowhere) => {}
        (To::Added(da), To::Nowhere) => one::<S, true, false, F>(a, b, dy, da),
        (To::Written(da), To::Nowhere) => one::<S, true, true, F>(a, b, dy, da),
        (To::Nowhere, To::Added(db)) => one::<S, false, false, F>(a, b, dy, db),
        (To::Nowhere, To::Written(db)) => one::<S, false, true, F>(a, b, dy, db),
        (To::Added(da), To::Added(db)) => both::<S, false, false, F>(a, b, dy, da, db),
        (To::Added(da), To::Written(db)) => both::<S, false, true, F>(a, b, dy, da, db),
        (To::Written(da), To::Added(db)) => both::<S, true, false, F>(a, b, dy, da, db),
        (To::Written(da), To::Written(db)) => both::<S, true, true, F>(a, b, dy, da, db),
    }
}

/// The derivative with respect to one operand.
#[inline(always)]
fn slope<S: Slopes, const FIRST: bool, F: Number>(a: F, b: F) -> F {
    let (of_a, of_b) = S::of(a, b);
    if FIRST { of_a } else { of_b }
}

/// The adjoint of one operand: the first, or the second.
#[inline(always)]
fn one<S: Slopes, const FIRST: bool, const FRESH: bool, F: Number>(
    a: Source<'_, F>,
    b: Source<'_, F>,
    dy: &[F],
    dx: &mut [F],
) {
    match (a, b) {
        (Source::Rows(a), Source::Rows(b)) => {
            let (tiles_a, a) = a.as_chunks::<TILE>();
            let (tiles_b, b) = b.as_chunks::<TILE>();
            let (tiles_dy, dy) = dy.as_chunks::<TILE>();
            let (tiles_dx, dx) = dx.as_chunks_mut::<TILE>();
            for (((dx, dy), a), b) in tiles_dx.iter_mut().zip(tiles_dy).zip(tiles_a).zip(tiles_b) {
                one_tile::<S, FIRST, FRESH, F>(a, b, dy, dx);
            }
            for (((dx, &dy), &a), &b) in dx.iter_mut().zip(dy).zip(a).zip(b) {
                put::<FRESH, F>(dx, dy * slope::<S, FIRST, F>(a, b));
            }
        }
        (Source::Rows(a), Source::Splat(b)) => {
            for ((dx, &dy), &a) in dx.iter_mut().zip(dy).zip(a) {
                put::<FRESH, F>(dx, dy * slope::<S, FIRST, F>(a, b));
            }
        }
        (Source::Splat(a), Source::Rows(b)) => {
            for ((dx, &dy), &b) in dx.iter_mut().zip(dy).zip(b) {
                put::<FRESH, F>(dx, dy * slope::<S, FIRST, F>(a, b));
            }
        }
        (Source::Splat(a), Source::Splat(b)) => {
            for (dx, &dy) in dx.iter_mut().zip(dy) {
                put::<FRESH, F>(dx, dy * slope::<S, FIRST, F>(a, b));
            }
        }
        // Row by row there is none.
        (Source::Repeated(_), _) | (_, Source::Repeated(_)) => {}
    }
}

/// Both adjoints, of operands that are rows: one that is the same number in all lanes has no rows of adjoints.
#[inline(always)]
fn both<S: Slopes, const FRESH_A: bool, const FRESH_B: bool, F: Number>(
    a: Source<'_, F>,
    b: Source<'_, F>,
    dy: &[F],
    da: &mut [F],
    db: &mut [F],
) {
    if let (Source::Rows(a), Source::Rows(b)) = (a, b) {
        let (tiles_a, a) = a.as_chunks::<TILE>();
        let (tiles_b, b) = b.as_chunks::<TILE>();
        let (tiles_dy, dy) = dy.as_chunks::<TILE>();
        let (tiles_da, da) = da.as_chunks_mut::<TILE>();
        let (tiles_db, db) = db.as_chunks_mut::<TILE>();
        let adjoints = tiles_da.iter_mut().zip(tiles_db);
        let operands = tiles_a.iter().zip(tiles_b);
        for (((da, db), dy), (a, b)) in adjoints.zip(tiles_dy).zip(operands) {
            both_of_tile::<S, FRESH_A, FRESH_B, F>(a, b, dy, da, db);
        }
        let adjoints = da.iter_mut().zip(db);
        for (((da, db), &dy), (&a, &b)) in adjoints.zip(dy).zip(a.iter().zip(b)) {
            let (of_a, of_b) = S::of(a, b);
            put::<FRESH_A, F>(da, dy * of_a);
            put::<FRESH_B, F>(db, dy * of_b);
        }
    }
}

// A row of a tile has a length that is known: no loop, and nothing to find out before it.

#[inline(always)]
fn one_tile<S: Slopes, const FIRST: bool, const FRESH: bool, F: Number>(
    a: &[F; TILE],
    b: &[F; TILE],
    dy: &[F; TILE],
    dx: &mut [F; TILE],
) {
    for i in 0..TILE {
        put::<FRESH, F>(&mut dx[i], dy[i] * slope::<S, FIRST, F>(a[i], b[i]));
    }
}

#[inline(always)]
fn both_of_tile<S: Slopes, const FRESH_A: bool, const FRESH_B: bool, F: Number>(
    a: &[F; TILE],
    b: &[F; TILE],
    dy: &[F; TILE],
    da: &mut [F; TILE],
    db: &mut [F; TILE],
) {
    for i in 0..TILE {
        let (of_a, of_b) = S::of(a[i], b[i]);
        put::<FRESH_A, F>(&mut da[i], dy[i] * of_a);
        put::<FRESH_B, F>(&mut db[i], dy[i] * of_b);
    }
}

per_isa!(
    /// Adds to `dx`, or where `fresh` writes, the adjoint of the operand `x` of `y = f(x)`.
    fn unary<F>(f: Unary, x: Source<'_, F>, y: &[F], dy: &[F], fresh: bool, dx: &mut [F]) = unary_body
);
per_isa!(
    /// The adjoints of both operands; one that is repeated has one row.
    fn binary<F>(f: Binary, a: Source<'_, F>, b: Source<'_, F>, dy: &[F], da: To<'_, F>, db: To<'_, F>) = binary_body
);

#[cfg(test)]
mod tests {
    use super::super::isa::Isa;
    use super::*;
    use proptest::prelude::*;

    const WIDTH: usize = 24;
    const ROWS: usize = 3;
    const ALL: [Binary; 6] = [
        Binary::Add,
        Binary::Sub,
        Binary::Mul,
        Binary::Div,
        Binary::Min,
        Binary::Max,
    ];

    fn numbers() -> impl Strategy<Value = Vec<f32>> {
        prop::collection::vec(prop_oneof![-2.0..-0.5_f32, 0.5..2.0_f32], WIDTH * ROWS)
    }

    fn source(x: &[f32], repeated: bool) -> Source<'_, f32> {
        if repeated {
            Source::Repeated(&x[..WIDTH])
        } else {
            Source::Rows(x)
        }
    }

    proptest! {
        /// Both operands in one pass or each in its own, with one row repeated or none: the same bits, and the sums of the rows' adjoints.
        #[test]
        fn one_pass_is_two((a, b, dy) in (numbers(), numbers(), numbers()), repeated in 0..3_usize, fresh: [bool; 2]) {
            let (a, b) = (source(&a, repeated == 1), source(&b, repeated == 2));
            let rows = |which| if repeated == which { 1 } else { ROWS };
            for isa in Isa::all() {
                for f in ALL {
                    let before = |which: usize| vec![0.25_f32; WIDTH * rows(which)];
                    let (mut da, mut db) = (before(1), before(2));
                    binary(isa, f, a, b, &dy, To::rows(fresh[0], &mut da), To::rows(fresh[1], &mut db));
                    let (mut first, mut second) = (before(1), before(2));
                    binary(isa, f, a, b, &dy, To::rows(fresh[0], &mut first), To::Nowhere);
                    binary(isa, f, a, b, &dy, To::Nowhere, To::rows(fresh[1], &mut second));
                    prop_assert!(da.iter().zip(&first).all(|(a, b)| a.to_bits() == b.to_bits()));
                    prop_assert!(db.iter().zip(&second).all(|(a, b)| a.to_bits() == b.to_bits()));
                    if f == Binary::Mul && repeated == 1 {
                        let Source::Rows(b) = b else { unreachable!("the first is repeated") };
                        for (i, &da) in da.iter().enumerate() {
                            let begin = if fresh[0] { 0.0 } else { 0.25 };
                            let exact = (i..WIDTH * ROWS).step_by(WIDTH).map(|at| f64::from(dy[at]) * f64::from(b[at])).sum::<f64>();
                            prop_assert!((f64::from(da) - begin - exact).abs() < 1e-5);
                        }
                    }
                }
            }
        }
    }
}
