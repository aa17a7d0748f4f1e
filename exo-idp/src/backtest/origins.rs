//! Which weeks are for what: to train on, to stop by, and held out, at one or several origins.
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

/// Which weeks of a record are for what.
///
/// ```
/// use hindsight_exo_idp::backtest::Split;
///
/// let splits = Split::all(121, None, 4)?;
/// assert_eq!((splits[0].training.clone(), splits[0].held_out.clone()), (0..61, 61..76));
/// assert_eq!(splits[3].held_out, 106..121);
/// # Ok::<(), hindsight_exo_idp::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// The training weeks.
    pub training: Range<usize>,
    /// How many of them, the last ones, tell when to stop training: a sixth.
    pub validation: usize,
    /// The weeks that are scored; they follow the training weeks.
    pub held_out: Range<usize>,
}

impl Split {
    /// The splits of `origins` origins, the earliest first; the last one's held-out weeks end the record.
    ///
    /// Without a number of weeks to hold out it is a quarter of the record, or so few that the earliest origin is still trained on
    /// half of it.
    ///
    /// # Errors
    /// When the earliest origin has too few training weeks.
    pub fn all(weeks: usize, held_out: Option<usize>, origins: usize) -> Result<Vec<Self>, Error> {
        let origins = origins.max(1);
        let own = (weeks / 4).min(weeks / origins.saturating_mul(2));
        let held = held_out.unwrap_or(own).max(1);
        let training = weeks.saturating_sub(held.saturating_mul(origins));
        let needed = WARM_UP + validation(training) + LEAST;
        if training < needed {
            return Err(Error::TooFewWeeks {
                origins,
                held_out: held,
                weeks,
                training,
                needed,
            });
        }
        let split = |origin: usize| {
            let training = training + origin * held;
            Split {
                training: 0..training,
                validation: validation(training),
                held_out: training..training + held,
            }
        };
        Ok((0..origins).map(split).collect())
    }
}

fn validation(training: usize) -> usize {
    (training / 6).max(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Windows follow one another to the end of the record, and nothing is trained on a held-out week of its own origin or later.
        #[test]
        fn windows_follow_one_another(weeks in 2_usize..400, origins in 1_usize..9, held_out in prop::option::of(1_usize..60)) {
            let Ok(splits) = Split::all(weeks, held_out, origins) else { return Ok(()) };
            prop_assert_eq!(splits.len(), origins);
            prop_assert_eq!(splits[origins - 1].held_out.end, weeks);
            for split in &splits {
                prop_assert_eq!(split.training.start, 0);
                prop_assert_eq!(split.training.end, split.held_out.start);
                prop_assert!(!split.held_out.is_empty());
                prop_assert!(split.training.len() >= WARM_UP + split.validation + LEAST);
            }
            for pair in splits.windows(2) {
                prop_assert_eq!(pair[0].held_out.end, pair[1].held_out.start);
                prop_assert_eq!(pair[0].held_out.len(), pair[1].held_out.len());
            }
            if held_out.is_none() {
                prop_assert!(2 * splits[0].training.len() >= weeks);
            }
        }
    }

    #[test]
    fn one_origin_holds_out_a_quarter() {
        let split = &Split::all(121, None, 1).unwrap()[0];
        assert_eq!((split.training.clone(), split.validation), (0..91, 15));
        assert_eq!(split.held_out, 91..121);
    }

    #[test]
    fn too_few_weeks_are_refused_with_the_numbers() {
        for (weeks, held_out, origins, training) in [
            (121, Some(110), 1, 11),
            (121, Some(30), 4, 1),
            (20, None, 1, 15),
        ] {
            match Split::all(weeks, held_out, origins) {
                Err(Error::TooFewWeeks {
                    training: found, ..
                }) => assert_eq!(found, training),
                other => panic!("{other:?}"),
            }
        }
        assert!(Split::all(121, Some(usize::MAX), usize::MAX).is_err());
    }
}
