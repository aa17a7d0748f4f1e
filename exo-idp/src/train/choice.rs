//! Which of several policies to trust, by what each would have earned in the windows before.
//!
//! Every candidate is made anew at the beginning of each earlier window, from the weeks before that window alone, and replayed over it. The
//! one that earned most over all of them is taken. One window, the last, says too little: the best of it is the luckiest.

use std::ops::Range;

use crate::count::count;
use crate::error::Error;

/// What every candidate earned in one earlier window.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Trial {
    /// The window's weeks.
    pub weeks: Range<usize>,
    /// By candidate, in money.
    pub earned: Vec<f64>,
}

/// The candidate taken, and why.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Choice {
    /// The candidates' names.
    pub candidates: Vec<String>,
    /// What they earned in earlier windows.
    pub trials: Vec<Trial>,
    /// The candidate taken.
    pub chosen: usize,
}

impl Choice {
    /// Windows of `length` weeks at the end of `weeks`, at most `most` of them and none that begins before `least` weeks are over.
    #[must_use]
    pub fn windows(
        weeks: &Range<usize>,
        length: usize,
        most: usize,
        least: usize,
    ) -> Vec<Range<usize>> {
        let length = length.max(1);
        let room = weeks.len().saturating_sub(least) / length;
        let windows = room.min(most);
        (0..windows)
            .rev()
            .map(|k| weeks.end - (k + 1) * length..weeks.end - k * length)
            .collect()
    }

    /// The candidate of the largest [`share`](Choice::share); of several, and where there was no window, the first.
    ///
    /// ```
    /// use hindsight_exo_idp::train::{Choice, Trial};
    /// let trials = vec![
    ///     Trial { weeks: 20..28, earned: vec![90.0, 100.0] },
    ///     Trial { weeks: 28..36, earned: vec![60.0, 50.0] },
    /// ];
    /// // The second is the best once by a tenth, the first once by a sixth.
    /// let choice = Choice::among(vec!["network".into(), "newsvendor".into()], trials)?;
    /// assert_eq!(choice.name(), "network");
    /// # Ok::<(), hindsight_exo_idp::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there is no candidate, or a trial has not one number for each.
    pub fn among(candidates: Vec<String>, trials: Vec<Trial>) -> Result<Self, Error> {
        if candidates.is_empty() {
            return Err(Error::Empty("the list of candidates"));
        }
        if let Some(trial) = trials.iter().find(|t| t.earned.len() != candidates.len()) {
            return Err(Error::Length {
                array: "candidates of a window".into(),
                expected: candidates.len(),
                found: trial.earned.len(),
            });
        }
        let mut choice = Choice {
            candidates,
            trials,
            chosen: 0,
        };
        let mut most = choice.share(0);
        for candidate in 1..choice.candidates.len() {
            let share = choice.share(candidate);
            if share > most {
                (choice.chosen, most) = (candidate, share);
            }
        }
        Ok(choice)
    }

    /// The name of the candidate taken.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.candidates[self.chosen]
    }

    /// What a candidate earned as a share of the best in each window, the mean over the windows; one where there was none.
    ///
    /// In a window in which nobody earned anything it is one less the distance to the best, in units of that between the best and the
    /// worst.
    #[must_use]
    pub fn share(&self, candidate: usize) -> f64 {
        let share = |trial: &Trial| {
            let money = trial.earned[candidate];
            let most = trial
                .earned
                .iter()
                .copied()
                .fold(f64::NEG_INFINITY, f64::max);
            let least = trial.earned.iter().copied().fold(f64::INFINITY, f64::min);
            if most > 0.0 {
                money / most
            } else if most > least {
                1.0 - (most - money) / (most - least)
            } else {
                1.0
            }
        };
        if self.trials.is_empty() {
            return 1.0;
        }
        self.trials.iter().map(share).sum::<f64>() / count(self.trials.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Windows follow one another up to the end of the weeks and leave those wanted before them.
        #[test]
        fn windows_fit(start in 0_usize..5, weeks in 1_usize..200, length in 0_usize..20, most in 0_usize..8, least in 0_usize..60) {
            let windows = Choice::windows(&(start..start + weeks), length, most, least);
            prop_assert!(windows.len() <= most && windows.iter().all(|w| w.len() == length.max(1)));
            prop_assert!(windows.windows(2).all(|pair| pair[0].end == pair[1].start));
            if let (Some(first), Some(last)) = (windows.first(), windows.last()) {
                prop_assert!(first.start >= start + least && last.end == start + weeks);
            }
        }

        /// Taken is one that no other candidate beats in every window, whatever the sign of the rewards.
        #[test]
        fn the_chosen_is_not_dominated(rewards in prop::collection::vec(prop::collection::vec(-50.0_f64..100.0, 3), 1..8)) {
            let trial = |w: usize| Trial { weeks: w..w + 1, earned: rewards.iter().map(|r| r[w]).collect() };
            let choice = Choice::among(vec![String::new(); rewards.len()], (0..3).map(trial).collect()).unwrap();
            for other in &rewards {
                prop_assert!(!other.iter().zip(&rewards[choice.chosen]).all(|(a, b)| a > b));
            }
        }
    }
}
