//! Which variable enters, and which leaves: ratio tests in two passes (Harris 1973).
//!
//! The first pass finds the smallest ratio when every bound is relaxed by a tolerance; the second takes the largest pivot among the ratios below it.

/// Smallest pivot taken.
pub(super) const PIVOT: f64 = 1e-7;

/// The candidates seen so far.
#[derive(Debug)]
pub(super) struct Ratio {
    tolerance: f64,
    bound: f64,
    pivot: f64,
    best: Option<usize>,
}

impl Ratio {
    pub(super) fn new(tolerance: f64) -> Self {
        Self {
            tolerance,
            bound: f64::INFINITY,
            pivot: 0.0,
            best: None,
        }
    }

    /// First pass: `room` is what is left (at least 0 but for rounding), `fall` how fast it is used up.
    pub(super) fn bound(&mut self, room: f64, fall: f64) {
        if fall > PIVOT {
            self.bound = self.bound.min((room.max(0.0) + self.tolerance) / fall);
        }
    }

    /// Second pass, in the order of the first.
    pub(super) fn choose(&mut self, index: usize, room: f64, fall: f64) {
        if fall > self.pivot.max(PIVOT) && room.max(0.0) <= self.bound * fall {
            self.pivot = fall;
            self.best = Some(index);
        }
    }

    pub(super) fn best(self) -> Option<usize> {
        self.best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(candidates: &[(f64, f64)], tolerance: f64) -> Option<usize> {
        let mut ratio = Ratio::new(tolerance);
        for &(room, fall) in candidates {
            ratio.bound(room, fall);
        }
        for (i, &(room, fall)) in candidates.iter().enumerate() {
            ratio.choose(i, room, fall);
        }
        ratio.best()
    }

    #[test]
    fn a_small_pivot_gives_way_to_a_large_one_within_the_tolerance() {
        assert_eq!(run(&[(0.0, 1e-6), (1e-12, 1.0)], 1e-9), Some(1));
        assert_eq!(run(&[(0.0, 1e-6), (1e-2, 1.0)], 1e-9), Some(0));
        assert_eq!(run(&[(1.0, -1.0), (1.0, 1e-8)], 1e-9), None);
    }
}
