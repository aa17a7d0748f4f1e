//! Regret accounts kept in one pass: external, internal and swap regret from a K by K table.

use super::learner::{check_actions, check_rewards};
use crate::error::{Argument, GamesError, distribution, length, real};

/// External, internal and swap regret of one player's play, in one pass and $K^2$ memory.
///
/// With $D_{ij}=\sum_tx_t(i)[g_t(j)-g_t(i)]$, totals over the recorded rounds are: external
/// $\max_j\sum_iD_{ij}$, internal $\max_{i,j}D_{ij}$, swap $\sum_i\max_jD_{ij}$. So $0\le$ internal $\le$ swap $\le K\cdot$ internal and
/// external $\le$ swap; external may be negative.
///
/// [`RegretAccount::record`] takes mixed plays, [`RegretAccount::record_pure`] the realised action: the two answer different questions (the
/// regret of the distributions, or of the realised actions) and should not be mixed in one account.
///
/// ```
/// use hindsight_games::repeated::RegretAccount;
/// let mut account = RegretAccount::new(2)?;
/// account.record_pure(0, &[0.0, 1.0])?; // played 0, 1 would have paid
/// account.record_pure(1, &[1.0, 0.0])?; // played 1, 0 would have paid
/// assert_eq!((account.external(), account.internal(), account.swap()), (1.0, 1.0, 2.0));
/// # Ok::<(), hindsight_games::GamesError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct RegretAccount {
    actions: usize,
    rounds: usize,
    /// $D_{ij}$: differences are summed, so a large common reward costs no digits.
    gains: Vec<f64>,
}

/// Regrets at a round: totals over all rounds so far.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Regrets {
    /// Rounds recorded.
    pub rounds: usize,
    /// Against the best fixed action.
    pub external: f64,
    /// Against the best replacement of one action by another.
    pub internal: f64,
    /// Against the best replacement of every action by another.
    pub swap: f64,
}

impl RegretAccount {
    /// An empty account.
    ///
    /// # Errors
    /// [`GamesError::Empty`] without actions.
    pub fn new(actions: usize) -> Result<Self, GamesError> {
        let k = check_actions(actions)?;
        Ok(Self {
            actions: k,
            rounds: 0,
            gains: vec![0.0; k * k],
        })
    }

    /// Records a mixed play and the rewards of all actions.
    ///
    /// # Errors
    /// [`GamesError::Length`]; [`GamesError::NotAProbability`] or [`GamesError::NotADistribution`] for the play;
    /// [`GamesError::NotFinite`] for a reward. The account is unchanged then.
    pub fn record(&mut self, play: &[f64], rewards: &[f64]) -> Result<(), GamesError> {
        length(Argument::Play, self.actions, play.len())?;
        distribution(Argument::Play, play)?;
        check_rewards(self.actions, rewards)?;
        let rows = self.gains.chunks_exact_mut(self.actions);
        for ((row, &x), &own) in rows.zip(play).zip(rewards) {
            if x != 0.0 {
                for (g, r) in row.iter_mut().zip(rewards) {
                    *g += x * (r - own);
                }
            }
        }
        self.rounds += 1;
        Ok(())
    }

    /// Records a realised action and the rewards of all actions.
    ///
    /// # Errors
    /// [`GamesError::NoSuchAction`], [`GamesError::Length`], [`GamesError::NotFinite`].
    pub fn record_pure(&mut self, action: usize, rewards: &[f64]) -> Result<(), GamesError> {
        if action >= self.actions {
            return Err(GamesError::NoSuchAction {
                argument: Argument::Action,
                value: action,
                actions: self.actions,
            });
        }
        check_rewards(self.actions, rewards)?;
        let row = &mut self.gains[action * self.actions..(action + 1) * self.actions];
        let own = rewards[action];
        for (g, r) in row.iter_mut().zip(rewards) {
            *g += r - own;
        }
        self.rounds += 1;
        Ok(())
    }

    /// Number of rounds recorded.
    #[must_use]
    pub fn rounds(&self) -> usize {
        self.rounds
    }

    /// Total external regret; may be negative.
    #[must_use]
    pub fn external(&self) -> f64 {
        (0..self.actions)
            .map(|j| self.gains.iter().skip(j).step_by(self.actions).sum())
            .fold(f64::NEG_INFINITY, f64::max)
    }

    /// Total internal regret.
    #[must_use]
    pub fn internal(&self) -> f64 {
        self.best_gains().fold(0.0, f64::max)
    }

    /// Total swap regret.
    #[must_use]
    pub fn swap(&self) -> f64 {
        self.best_gains().sum()
    }

    /// All three regrets, as totals.
    #[must_use]
    pub fn regrets(&self) -> Regrets {
        Regrets {
            rounds: self.rounds,
            external: self.external(),
            internal: self.internal(),
            swap: self.swap(),
        }
    }

    /// Total gain of playing `to` whenever `from` was played; `None` when there is no such action.
    #[must_use]
    pub fn gain(&self, from: usize, to: usize) -> Option<f64> {
        let k = self.actions;
        (from < k && to < k).then(|| self.gains[from * k + to])
    }

    fn best_gains(&self) -> impl Iterator<Item = f64> + '_ {
        self.gains
            .chunks_exact(self.actions)
            .map(|row| row.iter().copied().fold(0.0, f64::max))
    }
}

impl Regrets {
    /// The same regrets as averages a round.
    #[must_use]
    pub fn average(&self) -> Self {
        let t = real(self.rounds.max(1));
        Self {
            rounds: self.rounds,
            external: self.external / t,
            internal: self.internal / t,
            swap: self.swap / t,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::RngExt;

    proptest! {
        #[test]
        fn regrets_are_ordered_and_equal_their_definitions(k in 2usize..6, rounds in 1usize..40, pure in any::<bool>(), seed in any::<u64>()) {
            let mut rng = super::super::learner::opponents::rng(seed);
            let mut account = RegretAccount::new(k).unwrap();
            let mut history = Vec::new();
            for _ in 0..rounds {
                let g: Vec<f64> = (0..k).map(|_| rng.random()).collect();
                let x = if pure {
                    let a = rng.random_range(0..k);
                    account.record_pure(a, &g).unwrap();
                    (0..k).map(|i| if i == a { 1.0 } else { 0.0 }).collect()
                } else {
                    let w: Vec<f64> = (0..k).map(|_| rng.random::<f64>()).collect();
                    let s: f64 = w.iter().sum();
                    let x: Vec<f64> = w.iter().map(|v| v / s).collect();
                    account.record(&x, &g).unwrap();
                    x
                };
                history.push((x, g));
            }
            // By their definitions: over all maps of actions to actions, by enumeration.
            let gain = |map: &dyn Fn(usize) -> usize| -> f64 {
                history.iter().map(|(x, g)| (0..k).map(|i| x[i] * (g[map(i)] - g[i])).sum::<f64>()).sum()
            };
            let external = (0..k).map(|j| gain(&|_| j)).fold(f64::NEG_INFINITY, f64::max);
            let internal = (0..k * k).map(|c| gain(&|i| if i == c / k { c % k } else { i })).fold(0.0, f64::max);
            let swap = (0..k.pow(u32::try_from(k).unwrap())).map(|c| gain(&|i| c / k.pow(u32::try_from(i).unwrap()) % k)).fold(0.0, f64::max);
            let r = account.regrets();
            prop_assert!((r.external - external).abs() < 1e-10);
            prop_assert!((r.internal - internal).abs() < 1e-10);
            prop_assert!((r.swap - swap).abs() < 1e-10);
            let slack = 1e-12;
            prop_assert!(0.0 <= r.internal && r.internal <= r.swap + slack && r.swap <= real(k) * r.internal + slack);
            prop_assert!(r.external <= r.swap + slack && r.external <= real(k - 1) * r.internal + slack);
        }
    }

    #[test]
    fn a_large_common_reward_costs_no_digits_and_bad_plays_are_refused() {
        let (mut plain, mut moved) = (
            RegretAccount::new(2).unwrap(),
            RegretAccount::new(2).unwrap(),
        );
        for t in 0..1000u32 {
            let g = [f64::from(t % 3), f64::from(t % 2)];
            plain.record(&[0.25, 0.75], &g).unwrap();
            moved.record(&[0.25, 0.75], &g.map(|r| r + 1e9)).unwrap();
        }
        assert_eq!(plain.regrets(), moved.regrets());
        for bad in [[f64::NAN, 1.0], [-0.5, 1.5], [0.5, 0.25]] {
            assert!(plain.record(&bad, &[0.0, 1.0]).is_err());
        }
        assert_eq!(plain.regrets(), moved.regrets());
    }

    #[test]
    fn external_regret_may_be_negative() {
        let mut account = RegretAccount::new(2).unwrap();
        account.record_pure(0, &[1.0, 0.0]).unwrap();
        account.record_pure(1, &[0.0, 1.0]).unwrap();
        assert_eq!(account.external(), -1.0);
        assert_eq!(account.swap(), 0.0);
        assert!(matches!(
            account.record_pure(2, &[0.0, 0.0]),
            Err(GamesError::NoSuchAction { value: 2, .. })
        ));
    }
}
