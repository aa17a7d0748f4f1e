//! Many small lists sorted side by side.

use gpu::numbers::vectorize;

use super::forecasts::Forecasts;

/// Lists that are sorted at a time.
const LANES: usize = 8;
/// Up to this length a fixed sequence of exchanges is faster than sorting list by list.
const LONGEST: usize = 512;

/// The same place of several lists.
type Row = [f64; LANES];

/// One sorted list.
pub(super) struct Sorted<'a> {
    rows: &'a [Row],
    lane: usize,
}

impl Sorted<'_> {
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The `i`-th smallest, from zero.
    pub(super) fn at(&self, i: usize) -> f64 {
        self.rows[i][self.lane]
    }

    /// How many lie below `value`, and how many are equal to it.
    pub(super) fn place(&self, value: f64) -> (usize, usize) {
        let below = self.rows.partition_point(|row| row[self.lane] < value);
        let rest = &self.rows[below..];
        (below, rest.partition_point(|row| row[self.lane] <= value))
    }
}

/// Sorts the members of every forecast and component less `shift` times the outcome, several at a time; `work` is given
/// the rows of up to eight lists and the places of these lists among all, in order.
pub(super) fn blocks(
    forecasts: &Forecasts<'_>,
    shift: f64,
    mut work: impl FnMut(&[Row], std::ops::Range<usize>),
) {
    let (size, components) = (forecasts.members(), forecasts.components());
    let lists = forecasts.outcomes().len();
    let exchanges = if size <= LONGEST {
        merge_exchange(size)
    } else {
        Vec::new()
    };
    let mut rows = vec![[0.0; LANES]; size];
    let mut list = Vec::new();
    for first in (0..lists).step_by(LANES) {
        let places = first..lists.min(first + LANES);
        for (lane, place) in places.clone().enumerate() {
            let from = place / components * size * components + place % components;
            let by = shift * forecasts.outcomes()[place];
            let members = forecasts.all()[from..].iter().step_by(components);
            for (row, member) in rows.iter_mut().zip(members) {
                row[lane] = member - by;
            }
        }
        if size <= LONGEST {
            vectorize(
                #[inline(always)]
                || exchange(&mut rows, &exchanges),
            );
        } else {
            for lane in 0..places.len() {
                list.clear();
                list.extend(rows.iter().map(|row| row[lane]));
                list.sort_unstable_by(f64::total_cmp);
                for (row, value) in rows.iter_mut().zip(&list) {
                    row[lane] = *value;
                }
            }
        }
        work(&rows, places);
    }
}

/// The sorted members of every forecast and component in turn, with its outcome.
pub(super) fn lists(forecasts: &Forecasts<'_>, mut work: impl FnMut(&Sorted<'_>, f64)) {
    blocks(forecasts, 0.0, |rows, places| {
        for (lane, place) in places.enumerate() {
            work(&Sorted { rows, lane }, forecasts.outcomes()[place]);
        }
    });
}

#[inline(always)]
fn exchange(rows: &mut [Row], exchanges: &[(u32, u32)]) {
    for &(low, high) in exchanges {
        let (a, b) = (rows[low as usize], rows[high as usize]);
        let (mut least, mut most) = (a, b);
        for lane in 0..LANES {
            let swap = b[lane] < a[lane];
            least[lane] = if swap { b[lane] } else { a[lane] };
            most[lane] = if swap { a[lane] } else { b[lane] };
        }
        rows[low as usize] = least;
        rows[high as usize] = most;
    }
}

/// The exchanges that sort any list of `length` entries: Batcher's merge exchange (Knuth, volume 3, algorithm 5.2.2M).
#[expect(
    clippy::cast_possible_truncation,
    reason = "only short lists are sorted this way"
)]
fn merge_exchange(length: usize) -> Vec<(u32, u32)> {
    let mut exchanges = Vec::new();
    let top = length.next_power_of_two() / 2;
    let mut p = top;
    while p > 0 {
        let (mut q, mut r, mut d) = (top, 0, p);
        loop {
            let pairs = (0..length.saturating_sub(d)).filter(|i| i & p == r);
            exchanges.extend(pairs.map(|i| (i as u32, (i + d) as u32)));
            if q == p {
                break;
            }
            (d, r) = (q - p, p);
            q /= 2;
        }
        p /= 2;
    }
    exchanges
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Sorts every list of zeros and ones, hence every list.
    #[test]
    fn merge_exchange_sorts_all_lists_of_zeros_and_ones() {
        for length in 0..=14_usize {
            let exchanges = merge_exchange(length);
            for bits in 0..1_u32 << length {
                let mut list: Vec<u32> = (0..length).map(|i| bits >> i & 1).collect();
                for &(a, b) in &exchanges {
                    if list[b as usize] < list[a as usize] {
                        list.swap(a as usize, b as usize);
                    }
                }
                assert!(list.is_sorted(), "{bits:b} of {length}");
            }
        }
    }

    proptest! {
        #[test]
        fn lists_are_sorted_whatever_their_number_and_length(
            size in prop_oneof![1..40_usize, 500..530_usize],
            count in 1..20_usize,
            components in 1..4_usize,
            seed in any::<u32>(),
        ) {
            let number = |i: usize| f64::from((i as u32).wrapping_mul(2_654_435_761).wrapping_add(seed) >> 20);
            let members: Vec<f64> = (0..count * size * components).map(number).collect();
            let outcomes = vec![100.0; count * components];
            let forecasts = Forecasts::joint(&members, &outcomes, components).unwrap();
            let mut place = 0;
            lists(&forecasts, |sorted, _| {
                let from = place / components * size * components + place % components;
                let mut expected: Vec<f64> = members[from..].iter().step_by(components).take(size).copied().collect();
                expected.sort_by(f64::total_cmp);
                let found: Vec<f64> = (0..sorted.len()).map(|i| sorted.at(i)).collect();
                assert_eq!(found, expected);
                let below = expected.iter().filter(|v| **v < 100.0).count();
                let equal = expected.iter().filter(|v| **v == 100.0).count();
                assert_eq!(sorted.place(100.0), (below, equal));
                place += 1;
            });
            prop_assert_eq!(place, outcomes.len());
        }
    }
}
