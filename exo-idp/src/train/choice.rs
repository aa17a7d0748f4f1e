//! Which of several policies to trust, by what each would have earned in the windows before.
//!
//! Every candidate is made anew at the beginning of each earlier window, from the weeks before that window alone, and replayed over it. The
//! first is taken unless another earned more over all of them, by clearly more than windows differ: of many candidates the best in a few
//! windows is often the luckiest.

use std::ops::Range;

use crate::count::count;
use crate::error::Error;

/// Deviation of the difference of two shares that a window besides those seen is counted with.
const DOUBT: f64 = 0.05;

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

    /// The first candidate, or the one that is surest to be ahead of it: whose mean [`share`](Choice::share) is ahead of the first one's by the
    /// most beyond two standard errors.
    ///
    /// The standard error is that of the mean difference of both shares over the windows; a window of 5 percent is counted besides those that
    /// were, so that a single window does not pass for certain. Of a dozen candidates that are alike the luckiest is ahead by one and a half
    /// standard errors: hence two. Our own formulation, after the rule of one standard error of Breiman et al. (1984, 3.4.3), which is for
    /// candidates in an order.
    ///
    /// ```
    /// use hindsight_exo_idp::train::{Choice, Trial};
    /// let names = || vec!["network".to_owned(), "newsvendor".to_owned()];
    /// let trials = |newsvendor: [f64; 2]| vec![
    ///     Trial { weeks: 20..28, earned: vec![90.0, newsvendor[0]] },
    ///     Trial { weeks: 28..36, earned: vec![60.0, newsvendor[1]] },
    /// ];
    /// // Once ahead and once behind, the newsvendor has not earned the place; twice clearly ahead it has.
    /// assert_eq!(Choice::among(names(), trials([100.0, 57.0]))?.name(), "network");
    /// assert_eq!(Choice::among(names(), trials([100.0, 68.0]))?.name(), "newsvendor");
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
        let mut most = 0.0;
        for candidate in 1..choice.candidates.len() {
            let ahead = choice.surely_ahead(candidate);
            if ahead > most {
                (choice.chosen, most) = (candidate, ahead);
            }
        }
        Ok(choice)
    }

    /// The name of the candidate taken.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.candidates[self.chosen]
    }

    /// How far a candidate's mean share is ahead of the first one's, less two standard errors.
    fn surely_ahead(&self, candidate: usize) -> f64 {
        let difference = |trial: &Trial| share(trial, candidate) - share(trial, 0);
        let differences: Vec<f64> = self.trials.iter().map(difference).collect();
        let n = count(differences.len()).max(1.0);
        let mean = differences.iter().sum::<f64>() / n;
        let squares: f64 = differences.iter().map(|d| (d - mean).powi(2)).sum();
        let deviation = ((squares + DOUBT * DOUBT) / n).sqrt();
        mean - 2.0 * deviation / n.sqrt()
    }

    /// What a candidate earned as a share of the best in each window, the mean over the windows; one where there was none.
    ///
    /// In a window in which nobody earned anything it is one less the distance to the best, in units of that between the best and the
    /// worst.
    #[must_use]
    pub fn share(&self, candidate: usize) -> f64 {
        if self.trials.is_empty() {
            return 1.0;
        }
        let shares = self.trials.iter().map(|trial| share(trial, candidate));
        shares.sum::<f64>() / count(self.trials.len())
    }
}

/// What a candidate earned in a window, as a share of the best.
fn share(trial: &Trial, candidate: usize) -> f64 {
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

        /// Whatever the sign of the rewards, one that is not the first is ahead of it; and one that is ahead of the first by as much in every
        /// window as no window could add by chance is not passed over.
        #[test]
        fn the_chosen_is_ahead_of_the_first(rewards in prop::collection::vec(prop::collection::vec(-50.0_f64..100.0, 3), 1..8)) {
            let trial = |w: usize| Trial { weeks: w..w + 1, earned: rewards.iter().map(|r| r[w]).collect() };
            let choice = Choice::among(vec![String::new(); rewards.len()], (0..3).map(trial).collect()).unwrap();
            prop_assert!(choice.chosen == 0 || choice.share(choice.chosen) > choice.share(0));
            for other in 1..rewards.len() {
                let ahead: Vec<f64> = choice.trials.iter().map(|t| share(t, other) - share(t, 0)).collect();
                let (least, most) = ahead.iter().fold((f64::MAX, f64::MIN), |(a, b), &d| (a.min(d), b.max(d)));
                let spread = most - least;
                prop_assert!(choice.chosen > 0 || least <= 2.0 * (spread * spread + DOUBT * DOUBT).sqrt());
            }
        }
    }
}
