//! Which of several policies to trust, by what each would have earned in the windows before.
//!
//! Every candidate is made anew at the beginning of each earlier window, from the weeks before that window alone, and replayed over it. The
//! one that earned most over all of them is taken. One window, the last, says too little: the best of it is the luckiest.

use std::ops::Range;

use gpu::Device;

use super::setting::Setting;
use crate::count::count;
use crate::error::Error;
use crate::paths::Paths;
use crate::policy::OrderUpTo;

/// What candidates earned in earlier windows.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Choice {
    /// The windows.
    pub windows: Vec<Range<usize>>,
    /// Each candidate's name and what it earned in each window, in money.
    pub earned: Vec<(String, Vec<f64>)>,
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

    /// Replays the candidates that `make` returns for each window, and takes the best. With no window the first candidate is taken.
    ///
    /// # Errors
    /// When a replay fails, or the candidates of two windows differ in number.
    pub fn run(
        setting: &Setting<'_>,
        paths: &Paths<'_>,
        windows: &[Range<usize>],
        device: &Device,
        mut make: impl FnMut(&Range<usize>) -> Result<Vec<OrderUpTo>, Error>,
    ) -> Result<Self, Error> {
        let mut earned: Vec<(String, Vec<f64>)> = Vec::new();
        for window in windows {
            let replay = setting.replay(paths, window.clone())?;
            let candidates = make(window)?;
            if earned.is_empty() {
                let name = |c: &OrderUpTo| (crate::policy::Policy::name(c).to_owned(), Vec::new());
                earned = candidates.iter().map(name).collect();
            }
            if candidates.len() != earned.len() {
                return Err(Error::Length {
                    array: "candidates of a window".into(),
                    expected: earned.len(),
                    found: candidates.len(),
                });
            }
            for (candidate, (_, earned)) in candidates.iter().zip(&mut earned) {
                earned.push(replay.run(candidate, device)?.reward());
            }
        }
        let chosen = best(&earned);
        Ok(Choice {
            windows: windows.to_vec(),
            earned,
            chosen,
        })
    }

    /// What a candidate earned, as a share of the best in each window, the mean over the windows.
    #[must_use]
    pub fn share(&self, candidate: usize) -> f64 {
        share(&self.earned, candidate)
    }
}

fn best(earned: &[(String, Vec<f64>)]) -> usize {
    let mut best = (0, f64::NEG_INFINITY);
    for candidate in 0..earned.len() {
        let share = share(earned, candidate);
        if share > best.1 {
            best = (candidate, share);
        }
    }
    best.0
}

fn share(earned: &[(String, Vec<f64>)], candidate: usize) -> f64 {
    let own = &earned[candidate].1;
    let shares = own.iter().enumerate().map(|(window, money)| {
        let of = |(_, earned): &(String, Vec<f64>)| earned[window];
        let most = earned.iter().map(of).fold(f64::NEG_INFINITY, f64::max);
        let least = earned.iter().map(of).fold(f64::INFINITY, f64::min);
        // In windows in which nobody earns anything, by how far each stays behind.
        if most > 0.0 {
            money / most
        } else if most > least {
            1.0 - (most - money) / (most - least)
        } else {
            1.0
        }
    });
    shares.sum::<f64>() / count(own.len().max(1))
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
            let earned: Vec<(String, Vec<f64>)> = rewards.into_iter().map(|r| (String::new(), r)).collect();
            let chosen = best(&earned);
            for (_, other) in &earned {
                prop_assert!(!other.iter().zip(&earned[chosen].1).all(|(a, b)| a > b));
            }
        }
    }
}
