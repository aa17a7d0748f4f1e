//! Between rows of lanes and rows of their groups: each group's lanes as one number, and that number in all of its lanes.

use std::ops::Range;

use super::isa::per_isa;
use super::number::Number;
use super::shape::TILE;
use crate::record::Reduce;
use crate::scalar::Scalar;

/// Where the groups of a tile are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Groups<'a> {
    /// The lanes of each.
    pub(crate) lanes: &'a [Range<usize>],
    /// How many lanes each has, where all have as many and lie side by side; zero otherwise.
    pub(crate) even: usize,
}

impl<'a> Groups<'a> {
    pub(crate) fn new(lanes: &'a [Range<usize>]) -> Self {
        let size = lanes.first().map_or(0, ExactSizeIterator::len);
        let mut places = lanes.iter().enumerate();
        let even = places.all(|(g, lanes)| *lanes == (g * size..(g + 1) * size));
        Groups {
            lanes,
            even: if even { size } else { 0 },
        }
    }
}

/// Partial results that do not wait for one another.
const PARTS: usize = 4;

/// The lanes of a group as one number: in an order that depends on their number alone.
#[inline(always)]
fn fold<F: Number>(lanes: &[F], nothing: f64, f: impl Fn(f64, f64) -> f64) -> f64 {
    let mut parts = [nothing; PARTS];
    let (chunks, rest) = lanes.as_chunks::<PARTS>();
    for chunk in chunks {
        for i in 0..PARTS {
            parts[i] = f(parts[i], chunk[i].to_double());
        }
    }
    for (part, x) in parts.iter_mut().zip(rest) {
        *part = f(*part, x.to_double());
    }
    f(f(parts[0], parts[1]), f(parts[2], parts[3]))
}

#[inline(always)]
fn fold_even<const N: usize, F: Number>(
    rows: &[F],
    out: &mut [f64],
    groups: usize,
    nothing: f64,
    f: impl Fn(f64, f64) -> f64 + Copy,
) {
    for (row, out) in rows.chunks_exact(TILE).zip(out.chunks_exact_mut(groups)) {
        for (out, lanes) in out.iter_mut().zip(row.as_chunks::<N>().0) {
            *out = fold(lanes, nothing, f);
        }
    }
}

#[inline(always)]
fn fold_all<F: Number>(
    rows: &[F],
    groups: Groups<'_>,
    out: &mut [f64],
    nothing: f64,
    f: impl Fn(f64, f64) -> f64 + Copy,
) {
    let count = groups.lanes.len();
    match groups.even {
        4 => fold_even::<4, F>(rows, out, count, nothing, f),
        8 => fold_even::<8, F>(rows, out, count, nothing, f),
        16 => fold_even::<16, F>(rows, out, count, nothing, f),
        32 => fold_even::<32, F>(rows, out, count, nothing, f),
        TILE => fold_even::<TILE, F>(rows, out, count, nothing, f),
        _ => {
            for (row, out) in rows.chunks_exact(TILE).zip(out.chunks_exact_mut(count)) {
                for (out, lanes) in out.iter_mut().zip(groups.lanes) {
                    *out = fold(&row[lanes.clone()], nothing, f);
                }
            }
        }
    }
}

#[inline(always)]
fn join_body<const FMA: bool, F: Number>(
    f: Reduce,
    rows: &[F],
    groups: Groups<'_>,
    out: &mut [f64],
) {
    match f {
        Reduce::Sum => fold_all(rows, groups, out, f.nothing(), |a, b| a + b),
        Reduce::Max => fold_all(rows, groups, out, f.nothing(), Scalar::max),
    }
}

#[inline(always)]
fn spread_even<const ADD: bool, const N: usize, F: Number>(
    values: &[F],
    groups: usize,
    out: &mut [F],
) {
    for (values, row) in values.chunks_exact(groups).zip(out.chunks_exact_mut(TILE)) {
        for (lanes, &value) in row.as_chunks_mut::<N>().0.iter_mut().zip(values) {
            // Whole groups at once: lane by lane the compiler would read the value again for every lane.
            let mut all = [value; N];
            if ADD {
                for i in 0..N {
                    all[i] = lanes[i] + all[i];
                }
            }
            *lanes = all;
        }
    }
}

#[inline(always)]
fn spread_all<const ADD: bool, F: Number>(values: &[F], groups: Groups<'_>, out: &mut [F]) {
    let count = groups.lanes.len();
    match groups.even {
        4 => spread_even::<ADD, 4, F>(values, count, out),
        8 => spread_even::<ADD, 8, F>(values, count, out),
        16 => spread_even::<ADD, 16, F>(values, count, out),
        32 => spread_even::<ADD, 32, F>(values, count, out),
        TILE => spread_even::<ADD, TILE, F>(values, count, out),
        _ => {
            for (values, row) in values.chunks_exact(count).zip(out.chunks_exact_mut(TILE)) {
                for (lanes, &value) in groups.lanes.iter().zip(values) {
                    for x in &mut row[lanes.clone()] {
                        *x = if ADD { *x + value } else { value };
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn spread_body<const FMA: bool, F: Number>(values: &[F], groups: Groups<'_>, out: &mut [F]) {
    spread_all::<false, F>(values, groups, out);
    fill_up(groups, out);
}

/// Repeats the number of the last lane that is a group's in those behind it.
#[inline(always)]
pub(super) fn fill_up<F: Copy>(groups: Groups<'_>, out: &mut [F]) {
    let used = groups.lanes.last().map_or(0, |lanes| lanes.end);
    if (1..TILE).contains(&used) {
        for row in out.chunks_exact_mut(TILE) {
            let last = row[used - 1];
            row[used..].fill(last);
        }
    }
}

#[inline(always)]
fn spread_more_body<const FMA: bool, F: Number>(values: &[F], groups: Groups<'_>, out: &mut [F]) {
    spread_all::<true, F>(values, groups, out);
}

per_isa!(
    /// Joins each group's lanes, of whole rows: one number a row and group.
    fn join<F>(f: Reduce, rows: &[F], groups: Groups<'_>, out: &mut [f64]) = join_body
);
per_isa!(
    /// Writes the numbers of the groups, one a row and group, to all their lanes; lanes that are no group's take the last one's.
    fn spread<F>(values: &[F], groups: Groups<'_>, out: &mut [F]) = spread_body
);
per_isa!(
    /// Adds the numbers of the groups, one a row and group, to all their lanes.
    fn spread_more<F>(values: &[F], groups: Groups<'_>, out: &mut [F]) = spread_more_body
);

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "the same sums in the same order")]
mod tests {
    use super::super::dispatch::Kernels;
    use super::super::isa::Isa;
    use super::*;
    use proptest::prelude::*;

    /// Sizes of groups that fit a tile, many of them alike, and two rows of numbers.
    fn tile() -> impl Strategy<Value = (Vec<Range<usize>>, Vec<f32>)> {
        let alike = prop_oneof![Just(4), Just(8), Just(16), Just(32), Just(TILE), 1..TILE];
        let alike = alike.prop_map(|size| vec![size; TILE / size]);
        let sizes = prop_oneof![alike, prop::collection::vec(1..20_usize, 1..6)];
        let numbers = prop::collection::vec(-3.0..3.0_f32, 2 * TILE);
        (sizes, numbers).prop_map(|(sizes, numbers)| {
            let mut groups = Vec::new();
            for size in sizes {
                let first = groups.last().map_or(0, |lanes: &Range<usize>| lanes.end);
                if first + size <= TILE {
                    groups.push(first..first + size);
                }
            }
            (groups, numbers)
        })
    }

    proptest! {
        /// A group's number is that of its lanes alone, whoever lies beside it.
        #[test]
        fn groups_are_joined_and_spread_one_by_one((lanes, rows) in tile()) {
            let groups = Groups::new(&lanes);
            for isa in Isa::all() {
                for f in [Reduce::Sum, Reduce::Max] {
                    let mut joined = vec![f64::NAN; 2 * lanes.len()];
                    f32::join(isa, f, &rows, groups, &mut joined);
                    for (row, joined) in rows.chunks_exact(TILE).zip(joined.chunks_exact(lanes.len())) {
                        for (range, &found) in lanes.iter().zip(joined) {
                            let own = row[range.clone()].iter().map(|&x| f64::from(x));
                            let exact = own.clone().fold(f.nothing(), |a, b| f.join(a, b));
                            prop_assert!((found - exact).abs() <= 1e-13 * own.map(f64::abs).sum::<f64>());
                            let mut alone = [row[range.clone()].to_vec(), vec![0.0; TILE]].concat();
                            alone.truncate(TILE);
                            let mut number = [f64::NAN];
                            let first = 0..range.len();
                            let lanes = std::slice::from_ref(&first);
                            let single = Groups { lanes, even: 0 };
                            f32::join(isa, f, &alone, single, &mut number);
                            prop_assert_eq!(number[0], found);
                        }
                    }
                }
                let values: Vec<f32> = rows[..2 * lanes.len()].to_vec();
                let mut out = vec![f32::NAN; 2 * TILE];
                f32::spread(isa, &values, groups, &mut out);
                let mut more = rows.clone();
                f32::spread_more(isa, &values, groups, &mut more);
                for (r, values) in values.chunks_exact(lanes.len()).enumerate() {
                    for (range, &value) in lanes.iter().zip(values) {
                        let own = r * TILE + range.start..r * TILE + range.end;
                        prop_assert!(out[own.clone()].iter().all(|&x| x == value));
                        prop_assert!(own.into_iter().all(|i| more[i] == rows[i] + value));
                    }
                    let used = lanes[lanes.len() - 1].end;
                    prop_assert!(out[r * TILE..][..TILE][used..].iter().all(|x| Some(x) == values.last()));
                }
            }
        }
    }
}
