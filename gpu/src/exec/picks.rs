//! Where the lanes of a tile are in the arrays of a batch.

use crate::kernel::prefetch;
use crate::kernel::real::Real;

/// Lanes side by side that are copied at once, such as those of a group of as many.
const RUN: usize = 8;

/// The lanes of a tile: neighbours, or some that were picked.
#[derive(Debug, Clone, Copy)]
pub(super) enum Picks<'a> {
    /// From the first on, so many.
    Neighbours(usize, usize),
    /// One by one.
    Any(&'a [usize]),
    /// In runs of [`RUN`] neighbours each.
    Runs(&'a [usize]),
}

impl<'a> Picks<'a> {
    /// The lanes that were picked, or `count` neighbours from `first` on.
    pub(super) fn new(first: usize, count: usize, lanes: Option<&'a [usize]>) -> Self {
        let Some(lanes) = lanes else {
            return Picks::Neighbours(first, count);
        };
        let (runs, rest) = lanes.as_chunks::<RUN>();
        let neighbours = |run: &[usize; RUN]| run.windows(2).all(|pair| pair[0] + 1 == pair[1]);
        if rest.is_empty() && runs.iter().all(neighbours) {
            Picks::Runs(lanes)
        } else {
            Picks::Any(lanes)
        }
    }

    /// Copies their values out of one row, and repeats the last to fill `out`.
    pub(super) fn copy<F: Real>(self, row: &[F], out: &mut [F]) {
        let count = match self {
            Picks::Neighbours(first, count) => {
                out[..count].copy_from_slice(&row[first..first + count]);
                count
            }
            Picks::Any(lanes) => {
                for (o, &lane) in out.iter_mut().zip(lanes) {
                    *o = row[lane];
                }
                lanes.len()
            }
            Picks::Runs(lanes) => {
                let runs = lanes.iter().step_by(RUN);
                for (out, &lane) in out.as_chunks_mut::<RUN>().0.iter_mut().zip(runs) {
                    if let Some(values) = row[lane..].first_chunk() {
                        *out = *values;
                    }
                }
                lanes.len()
            }
        };
        let last = out[count - 1];
        out[count..].fill(last);
    }

    /// The lanes one by one.
    pub(super) fn lanes(self) -> impl Iterator<Item = usize> {
        let (first, count, picked) = match self {
            Picks::Neighbours(first, count) => (first, count, &[][..]),
            Picks::Any(lanes) | Picks::Runs(lanes) => (0, 0, lanes),
        };
        (first..first + count).chain(picked.iter().copied())
    }

    /// Asks for their values in one row before they are needed, where the processor does not guess them.
    pub(super) fn ask<F>(self, row: &[F]) {
        let (step, lanes) = match self {
            Picks::Neighbours(first, count) => {
                return prefetch::numbers(&row[first..first + count]);
            }
            Picks::Any(lanes) => (1, lanes),
            Picks::Runs(lanes) => (RUN, lanes),
        };
        for &lane in lanes.iter().step_by(step) {
            prefetch::numbers(&row[lane..=lane]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn values_are_those_of_the_lanes(firsts in prop::collection::vec(0_u16..90, 1..9), size in 1_usize..10) {
            let row: Vec<f64> = (0..100).map(f64::from).collect();
            let lanes: Vec<usize> = firsts.iter().flat_map(|&f| (0..size).map(move |i| usize::from(f) + i)).take(64).collect();
            let mut out = [0.0; 64];
            let picks = Picks::new(3, lanes.len(), Some(&lanes));
            picks.ask(&row);
            picks.copy(&row, &mut out);
            let last = lanes[lanes.len() - 1];
            let all = lanes.iter().copied().chain(std::iter::repeat(last));
            prop_assert!(out.iter().zip(all).all(|(&o, lane)| o.to_bits() == row[lane].to_bits()));
            Picks::new(3, size, None).copy(&row, &mut out);
            prop_assert!(out[..size].iter().zip(&row[3..]).all(|(a, b)| a.to_bits() == b.to_bits()));
        }
    }
}
