//! Between rows of lanes and rows of their groups: each group's lanes as one number, and that number in all of its lanes.

use std::ops::Range;

use super::isa::per_isa;
use super::number::Number;
use super::shape::{TILE, WIDE};
use crate::record::Reduce;
use crate::scalar::Scalar;

/// Where the groups of a tile are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Groups<'a> {
    /// The lanes of each.
    pub(crate) lanes: &'a [Range<usize>],
    /// How many lanes each has, where all have as many and lie side by side; zero otherwise.
    pub(crate) even: usize,
    /// Lanes of a row.
    pub(crate) row: usize,
}

impl<'a> Groups<'a> {
    pub(crate) fn new(lanes: &'a [Range<usize>], row: usize) -> Self {
        let size = lanes.first().map_or(0, ExactSizeIterator::len);
        let mut places = lanes.iter().enumerate();
        let even = places.all(|(g, lanes)| *lanes == (g * size..(g + 1) * size));
        Groups {
            lanes,
            even: if even { size } else { 0 },
            row,
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
    groups: Groups<'_>,
    nothing: f64,
    f: impl Fn(f64, f64) -> f64 + Copy,
) {
    let rows = rows.chunks_exact(groups.row);
    for (row, out) in rows.zip(out.chunks_exact_mut(groups.lanes.len())) {
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
    match groups.even {
        4 => fold_even::<4, F>(rows, out, groups, nothing, f),
        8 => fold_even::<8, F>(rows, out, groups, nothing, f),
        16 => fold_even::<16, F>(rows, out, groups, nothing, f),
        32 => fold_even::<32, F>(rows, out, groups, nothing, f),
        TILE => fold_even::<TILE, F>(rows, out, groups, nothing, f),
        WIDE => fold_even::<WIDE, F>(rows, out, groups, nothing, f),
        _ => {
            let rows = rows.chunks_exact(groups.row);
            for (row, out) in rows.zip(out.chunks_exact_mut(groups.lanes.len())) {
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
    groups: Groups<'_>,
    out: &mut [F],
) {
    let values = values.chunks_exact(groups.lanes.len());
    for (values, row) in values.zip(out.chunks_exact_mut(groups.row)) {
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
    match groups.even {
        4 => spread_even::<ADD, 4, F>(values, groups, out),
        8 => spread_even::<ADD, 8, F>(values, groups, out),
        16 => spread_even::<ADD, 16, F>(values, groups, out),
        32 => spread_even::<ADD, 32, F>(values, groups, out),
        TILE => spread_even::<ADD, TILE, F>(values, groups, out),
        WIDE => spread_even::<ADD, WIDE, F>(values, groups, out),
        _ => {
            let values = values.chunks_exact(groups.lanes.len());
            for (values, row) in values.zip(out.chunks_exact_mut(groups.row)) {
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
    if (1..groups.row).contains(&used) {
        for row in out.chunks_exact_mut(groups.row) {
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

    /// Lanes of a row, groups that fit it, many of them alike, and two rows of numbers.
    fn tile() -> impl Strategy<Value = (usize, Vec<Range<usize>>, Vec<f32>)> {
        prop_oneof![Just(TILE), Just(WIDE)].prop_flat_map(tile_of)
    }

    fn tile_of(row: usize) -> impl Strategy<Value = (usize, Vec<Range<usize>>, Vec<f32>)> {
        let alike = prop_oneof![
            Just(4),
            Just(8),
            Just(16),
            Just(32),
            Just(TILE),
            Just(row),
            1..row
        ];
        let alike = alike.prop_map(move |size| vec![size; row / size]);
        let sizes = prop_oneof![alike, prop::collection::vec(1..20_usize, 1..6)];
        let numbers = prop::collection::vec(-3.0..3.0_f32, 2 * row);
        (sizes, numbers).prop_map(move |(sizes, numbers)| {
            let mut groups = Vec::new();
            for size in sizes {
                let first = groups.last().map_or(0, |lanes: &Range<usize>| lanes.end);
                if first + size <= row {
                    groups.push(first..first + size);
                }
            }
            (row, groups, numbers)
        })
    }

    proptest! {
        /// A group's number is that of its lanes alone, whoever lies beside it.
        #[test]
        fn groups_are_joined_and_spread_one_by_one((width, lanes, rows) in tile()) {
            let groups = Groups::new(&lanes, width);
            for isa in Isa::all() {
                for f in [Reduce::Sum, Reduce::Max] {
                    let mut joined = vec![f64::NAN; 2 * lanes.len()];
                    f32::join(isa, f, &rows, groups, &mut joined);
                    for (row, joined) in rows.chunks_exact(width).zip(joined.chunks_exact(lanes.len())) {
                        for (range, &found) in lanes.iter().zip(joined) {
                            let own = row[range.clone()].iter().map(|&x| f64::from(x));
                            let exact = own.clone().fold(f.nothing(), |a, b| f.join(a, b));
                            prop_assert!((found - exact).abs() <= 1e-13 * own.map(f64::abs).sum::<f64>());
                            let mut alone = [row[range.clone()].to_vec(), vec![0.0; width]].concat();
                            alone.truncate(width);
                            let mut number = [f64::NAN];
                            let first = 0..range.len();
                            let lanes = std::slice::from_ref(&first);
                            let single = Groups { lanes, even: 0, row: width };
                            f32::join(isa, f, &alone, single, &mut number);
                            prop_assert_eq!(number[0], found);
                        }
                    }
                }
                let values: Vec<f32> = rows[..2 * lanes.len()].to_vec();
                let mut out = vec![f32::NAN; 2 * width];
                f32::spread(isa, &values, groups, &mut out);
                let mut more = rows.clone();
                f32::spread_more(isa, &values, groups, &mut more);
                for (r, values) in values.chunks_exact(lanes.len()).enumerate() {
                    for (range, &value) in lanes.iter().zip(values) {
                        let own = r * width + range.start..r * width + range.end;
                        prop_assert!(out[own.clone()].iter().all(|&x| x == value));
                        prop_assert!(own.into_iter().all(|i| more[i] == rows[i] + value));
                    }
                    let used = lanes[lanes.len() - 1].end;
                    prop_assert!(out[r * width..][..width][used..].iter().all(|x| Some(x) == values.last()));
                }
            }
        }
    }
}
