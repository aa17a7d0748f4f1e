//! What an excess over a limit is a share of.

use crate::error::count;

/// A week's limit counts as at least this share of the mean: a week without any room counts, and does not outweigh all others.
pub(crate) const LEAST: f64 = 0.1;

/// The scale of a resource's excesses: the week's limit, or [`LEAST`] of the mean limit of all weeks where it is less.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    least: f64,
}

impl Scale {
    /// The scale of a resource with these limits.
    pub(crate) fn of(limits: &[f64]) -> Self {
        let mean = limits.iter().sum::<f64>() / count(limits.len().max(1));
        Scale {
            least: LEAST * mean,
        }
    }

    /// How far a use is above a week's limit, as a share; all of a use is excess where there is no room in any week.
    pub(crate) fn gap(self, used: f64, limit: f64) -> f64 {
        let base = limit.max(self.least);
        if base > 0.0 {
            (used - limit) / base
        } else if used > 0.0 {
            1.0
        } else {
            0.0
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Excesses are shares: the unit of volume does not matter, more use is never less excess, and a limit that is kept leaves none.
        #[test]
        fn shares_of_limits(limits in prop::collection::vec(0.0..9.0_f64, 1..6), used in 0.0..30.0_f64, more in 0.0..9.0_f64, unit in 0.01..100.0_f64) {
            let (own, scaled) = (Scale::of(&limits), Scale::of(&limits.iter().map(|x| unit * x).collect::<Vec<_>>()));
            for &limit in &limits {
                let gap = own.gap(used, limit);
                prop_assert!((gap - scaled.gap(unit * used, unit * limit)).abs() <= 1e-9 * gap.abs().max(1.0));
                prop_assert!(own.gap(used + more, limit) >= gap);
                prop_assert_eq!(gap > 0.0, used > limit);
            }
        }
    }

    #[test]
    fn a_week_without_room_is_measured_by_the_others() {
        let scale = Scale::of(&[0.0, 150.0, 150.0]);
        assert!((scale.gap(5.0, 0.0) - 0.5).abs() < 1e-12);
        assert!((scale.gap(300.0, 150.0) - 1.0).abs() < 1e-12);
        let closed = Scale::of(&[0.0, 0.0]);
        assert!((closed.gap(7.0, 0.0) - 1.0).abs() < 1e-12 && closed.gap(0.0, 0.0).abs() < 1e-12);
    }
}
