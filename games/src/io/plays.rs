//! Recorded play: actions or distributions as they were written down, and the regret of them.

use crate::error::{Argument, GamesError};
use crate::repeated::RegretAccount;

/// What one player did in a round.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(untagged)
)]
pub enum Play {
    /// The number of the action that was realised.
    Pure(usize),
    /// The probability of each action.
    Mixed(Vec<f64>),
}

/// The account of one player's recorded play, opened by the first round: all rounds hold actions, or all hold distributions, since the regrets of the two are
/// different things. Distributions are mended by [`mend_distribution`].
///
/// ```
/// use hindsight_games::io::{Play, RecordedPlay};
/// let mut record = RecordedPlay::default();
/// record.add(&Play::Mixed(vec![0.3333334; 3]), &[0.0, 1.0, 2.0])?;
/// assert_eq!(record.mended(), 1);
/// assert!((record.account().unwrap().external() - 1.0).abs() < 1e-12);
/// assert!(record.add(&Play::Pure(2), &[0.0, 1.0, 2.0]).is_err());
/// # Ok::<(), hindsight_games::GamesError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct RecordedPlay {
    /// The account, and whether it is of realised actions.
    account: Option<(RegretAccount, bool)>,
    mended: usize,
}

impl RecordedPlay {
    /// Adds a round: the play and the rewards of all actions. Nothing is added where there is an error.
    ///
    /// # Errors
    /// [`GamesError::PureAndMixed`] for a play of the other form than the first, [`GamesError::Empty`] for a first round without rewards, and those of
    /// [`RegretAccount::record`] and [`RegretAccount::record_pure`].
    pub fn add(&mut self, play: &Play, rewards: &[f64]) -> Result<(), GamesError> {
        if self.account.is_none() && rewards.is_empty() {
            return Err(GamesError::Empty {
                argument: Argument::Rewards,
            });
        }
        let pure = matches!(play, Play::Pure(_));
        let (mut account, first) = match self.account.take() {
            Some(open) => open,
            None => (RegretAccount::new(rewards.len())?, pure),
        };
        let empty = account.rounds() == 0;
        let added = if pure == first {
            record(&mut account, play, rewards)
        } else {
            Err(GamesError::PureAndMixed)
        };
        if added.is_ok() || !empty {
            self.account = Some((account, first));
        }
        self.mended += usize::from(added?);
        Ok(())
    }

    /// The account; none before the first round.
    #[must_use]
    pub fn account(&self) -> Option<&RegretAccount> {
        self.account.as_ref().map(|(account, _)| account)
    }

    /// Whether the plays are realised actions; false before the first round.
    #[must_use]
    pub fn is_pure(&self) -> bool {
        self.account.as_ref().is_some_and(|(_, pure)| *pure)
    }

    /// Distributions that were mended.
    #[must_use]
    pub fn mended(&self) -> usize {
        self.mended
    }
}

/// Records a play; whether it was mended.
fn record(account: &mut RegretAccount, play: &Play, rewards: &[f64]) -> Result<bool, GamesError> {
    match play {
        Play::Pure(action) => account.record_pure(*action, rewards).map(|()| false),
        Play::Mixed(play) => {
            let mut play = play.clone();
            let mended = mend_distribution(&mut play);
            account.record(&play, rewards).map(|()| mended)
        }
    }
}

/// Divides printed probabilities by their sum where that misses one by more than $10^{-9}$, which no function of this crate takes, but by at most $10^{-6}$, as
/// rounded digits do; whether it did. Other values stay as they are.
///
/// ```
/// let mut third = [0.3333334; 3];
/// assert!(hindsight_games::io::mend_distribution(&mut third));
/// assert!((third.iter().sum::<f64>() - 1.0).abs() < 1e-15);
/// ```
pub fn mend_distribution(probabilities: &mut [f64]) -> bool {
    let sum: f64 = probabilities.iter().sum();
    let off = (sum - 1.0).abs();
    let mend = off > 1e-9 && off <= 1e-6;
    if mend {
        probabilities.iter_mut().for_each(|p| *p /= sum);
    }
    mend
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_account_is_that_of_the_plays(rounds in proptest::collection::vec((0usize..3, proptest::collection::vec(-1.0..1.0f64, 3)), 1..30)) {
            let mut account = RegretAccount::new(3).unwrap();
            let (mut pure, mut certain) = (RecordedPlay::default(), RecordedPlay::default());
            for (action, rewards) in &rounds {
                account.record_pure(*action, rewards).unwrap();
                pure.add(&Play::Pure(*action), rewards).unwrap();
                let unit = (0..3).map(|a| f64::from(u8::from(a == *action))).collect();
                certain.add(&Play::Mixed(unit), rewards).unwrap();
            }
            prop_assert_eq!(pure.account(), Some(&account));
            prop_assert_eq!(certain.account(), Some(&account));
            prop_assert!(pure.is_pure() && !certain.is_pure());
            prop_assert_eq!(certain.mended(), 0);
        }

        #[test]
        fn only_printed_distributions_are_mended(weights in proptest::collection::vec(0.01..1.0f64, 2..8), digits in 1i32..12) {
            let sum: f64 = weights.iter().sum();
            let unit = 10f64.powi(digits);
            let printed: Vec<f64> = weights.iter().map(|w| (w / sum * unit).round() / unit).collect();
            let off = (printed.iter().sum::<f64>() - 1.0).abs();
            let mut mended = printed.clone();
            if mend_distribution(&mut mended) {
                prop_assert!((1e-9..=1e-6).contains(&off), "{off}");
                prop_assert!((mended.iter().sum::<f64>() - 1.0).abs() < 1e-14);
            } else {
                prop_assert!(!(1.1e-9..0.9e-6).contains(&off), "{off}");
                prop_assert_eq!(mended, printed);
            }
        }
    }

    #[test]
    fn what_is_refused_leaves_the_account_as_it_was() {
        let mut record = RecordedPlay::default();
        assert!(matches!(
            record.add(&Play::Pure(0), &[]),
            Err(GamesError::Empty {
                argument: Argument::Rewards
            })
        ));
        // An account that nothing was recorded into is not open: the next round may have another form.
        assert!(record.add(&Play::Pure(2), &[0.0, 1.0]).is_err());
        assert!(record.account().is_none());
        record
            .add(&Play::Mixed(vec![0.5, 0.5]), &[0.0, 1.0])
            .unwrap();
        let before = record.account().cloned();
        let pure = record.add(&Play::Pure(0), &[0.0, 1.0]);
        assert_eq!(pure, Err(GamesError::PureAndMixed));
        assert!(
            record
                .add(&Play::Mixed(vec![0.5, 0.4]), &[0.0, 1.0])
                .is_err()
        );
        assert!(record.add(&Play::Mixed(vec![0.5, 0.5]), &[]).is_err());
        assert_eq!(record.account(), before.as_ref());
    }
}
