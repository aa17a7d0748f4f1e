//! Which weeks are for what: to train on, to choose by, and held out, at one or several origins.
//!
//! An origin is a week at which the record is taken to end but for the weeks held out after it. With several origins the held-out
//! windows follow one another up to the end of the record and do not overlap; each is trained only on what comes before it:
//!
//! ```text
//! weeks  0 ............................................ 121
//!        [ train 61          ][ 15 ]
//!        [ train 76                ][ 15 ]
//!        [ train 91                      ][ 15 ]
//!        [ train 106                           ][ 15 ]
//! ```

use std::ops::Range;

use crate::error::Error;

/// Weeks that a policy sees before it is scored.
pub(super) const WARM_UP: usize = 12;
/// Weeks that are scored in training, at the least.
const LEAST: usize = 8;
/// Origins where nobody says how many, as far as the record allows.
const ORIGINS: usize = 4;
/// Weeks of the windows of several origins, at the least, where nobody says how many.
const SHORTEST: usize = 6;
/// Weeks before a window that are learnt from, at the most: forty years.
const LONGEST: usize = 2080;
/// Windows before an origin by which is chosen what acts there, as far as the record allows.
pub(super) const CHOICE: usize = 4;

/// Which weeks of a record are for what.
///
/// ```
/// use hindsight_exo_idp::backtest::Split;
///
/// let splits = Split::all(121, None, Some(4))?;
/// assert_eq!((splits[0].training.clone(), splits[0].held_out.clone()), (0..61, 61..76));
/// assert_eq!(splits[3].held_out, 106..121);
/// # Ok::<(), hindsight_exo_idp::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// The training weeks: those before the held-out ones, forty years of them (2,080 weeks) at the most.
    pub training: Range<usize>,
    /// The weeks that are scored; they follow the training weeks.
    pub held_out: Range<usize>,
}

impl Split {
    /// The splits of `origins` origins, the earliest first; the last one's held-out weeks end the record. Without a number of origins they
    /// are four, or as many as leave enough weeks to train on.
    ///
    /// Without a number of weeks to hold out it is a quarter of the record, or so few that the earliest origin is still trained on
    /// half of it.
    ///
    /// # Errors
    /// When the earliest origin has too few training weeks.
    pub fn all(
        weeks: usize,
        held_out: Option<usize>,
        origins: Option<usize>,
    ) -> Result<Vec<Self>, Error> {
        if let Some(origins) = origins {
            return Split::of(weeks, held_out, origins);
        }
        let long = |splits: &Vec<Split>| splits[0].held_out.len() >= SHORTEST;
        (2..=ORIGINS)
            .rev()
            .filter_map(|origins| Split::of(weeks, held_out, origins).ok())
            .find(|splits| held_out.is_some() || long(splits))
            .map_or_else(|| Split::of(weeks, held_out, 1), Ok)
    }

    fn of(weeks: usize, held_out: Option<usize>, origins: usize) -> Result<Vec<Self>, Error> {
        let origins = origins.max(1);
        let own = (weeks / 4).min(weeks / origins.saturating_mul(2));
        let held = held_out.unwrap_or(own).max(1);
        let training = weeks.saturating_sub(held.saturating_mul(origins));
        let needed = WARM_UP + LEAST;
        if training < needed {
            return Err(Error::TooFewWeeks {
                origins,
                held_out: held,
                weeks,
                training,
                needed,
            });
        }
        let split = |origin: usize| Split::at(training + origin * held, held);
        Ok((0..origins).map(split).collect())
    }

    fn at(training: usize, held_out: usize) -> Self {
        Split {
            training: training.saturating_sub(LONGEST)..training,
            held_out: training..training + held_out,
        }
    }

    /// The same weeks counted from the first training week.
    pub(super) fn counted_anew(&self) -> Self {
        let first = self.training.start;
        let count = |weeks: &Range<usize>| weeks.start - first..weeks.end - first;
        Split {
            training: count(&self.training),
            held_out: count(&self.held_out),
        }
    }

    /// Windows of the same length that end where this one's held-out weeks begin, the earliest first: what is made before each is tried in
    /// it, to choose what acts after them.
    pub(super) fn earlier(&self) -> Vec<Self> {
        let (first, held) = (self.held_out.start, self.held_out.len());
        let starts = (1..=CHOICE).filter_map(|back| first.checked_sub(back * held));
        let enough = starts.filter(|&training| training >= WARM_UP + LEAST);
        let mut splits: Vec<Split> = enough.map(|training| Split::at(training, held)).collect();
        splits.reverse();
        splits
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Windows follow one another to the end of the record, and nothing is trained on a held-out week of its own origin or later.
        #[test]
        fn windows_follow_one_another(weeks in prop_oneof![2_usize..400, 2_000_usize..9_000], origins in prop::option::of(1_usize..9), held_out in prop::option::of(1_usize..60)) {
            let Ok(splits) = Split::all(weeks, held_out, origins) else { return Ok(()) };
            prop_assert!(origins.is_none_or(|n| splits.len() == n) && splits.len() <= origins.unwrap_or(ORIGINS));
            prop_assert_eq!(splits[splits.len() - 1].held_out.end, weeks);
            // Those to choose by lead up to the first in the same way, whichever origin is the first.
            let earlier = splits[0].earlier();
            let all: Vec<&Split> = earlier.iter().chain(&splits).collect();
            for pair in all.windows(2) {
                prop_assert_eq!(pair[0].held_out.end, pair[1].held_out.start);
            }
            for (at, split) in splits.iter().enumerate() {
                let before = &all[..earlier.len() + at];
                let own = split.earlier();
                prop_assert!(own.iter().eq(before[before.len() - own.len()..].iter().copied()));
                prop_assert!(own.len() == CHOICE || own.len() == before.len());
            }
            for split in &splits {
                prop_assert_eq!(split.training.start, split.held_out.start.saturating_sub(LONGEST));
                prop_assert_eq!(split.training.end, split.held_out.start);
                let counted = split.counted_anew();
                prop_assert_eq!((counted.training.start, counted.training.len()), (0, split.training.len()));
                prop_assert_eq!((counted.held_out.start, counted.held_out.len()), (counted.training.end, split.held_out.len()));
                prop_assert!(!split.held_out.is_empty());
                prop_assert!(split.training.len() >= WARM_UP + LEAST);
            }
            for pair in splits.windows(2) {
                prop_assert_eq!(pair[0].held_out.end, pair[1].held_out.start);
                prop_assert_eq!(pair[0].held_out.len(), pair[1].held_out.len());
            }
            if held_out.is_none() {
                prop_assert!(2 * splits[0].training.end >= weeks);
            }
        }
    }

    #[test]
    fn one_origin_holds_out_a_quarter() {
        let split = &Split::all(121, None, Some(1)).unwrap()[0];
        assert_eq!(split.training, 0..91);
        assert_eq!(split.held_out, 91..121);
    }

    #[test]
    fn origins_are_as_many_as_the_record_allows() {
        let origins = |weeks| Split::all(weeks, None, None).unwrap().len();
        assert_eq!([121, 51, 44, 30].map(origins), [4, 4, 3, 1]);
    }

    #[test]
    fn too_few_weeks_are_refused_with_the_numbers() {
        for (weeks, held_out, origins, training) in [
            (121, Some(110), 1, 11),
            (121, Some(30), 4, 1),
            (20, None, 1, 15),
        ] {
            match Split::all(weeks, held_out, Some(origins)) {
                Err(Error::TooFewWeeks {
                    training: found, ..
                }) => assert_eq!(found, training),
                other => panic!("{other:?}"),
            }
        }
        assert!(Split::all(121, Some(usize::MAX), Some(usize::MAX)).is_err());
    }
}
