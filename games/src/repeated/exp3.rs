//! Exponential weights on estimates, for a learner that sees one reward a round.

use super::hedge::softmax;
use super::learner::{BanditLearner, check_actions, check_horizon};
use crate::error::{Argument, GamesError, finite, real};

/// A bandit learner: it sees only the reward of the action it drew.
///
/// The probability of action $i$ is proportional to $\exp(-\eta\hat L(i))$, where the loss estimate adds
/// $(1-g)/(x_t(i)+\gamma)$ for the drawn action. $\gamma=0$ is EXP3, with expected regret at most $\sqrt{2TK\ln K}$ against a fixed opponent;
/// $\gamma=\eta/2$ is EXP3-IX (Neu 2015), whose regret is bounded with high probability,
/// by $2\sqrt{2KT\ln K}+\left(\sqrt{2KT/\ln K}+1\right)\ln(2/\delta)$.
///
/// ```
/// use hindsight_games::repeated::{BanditLearner, Exp3};
/// let mut bandit = Exp3::implicit(4, 1000)?;
/// assert_eq!(bandit.play(), &[0.25; 4]);
/// bandit.observe(2, 1.0)?; // drew action 2, earned 1
/// # Ok::<(), hindsight_games::GamesError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Exp3 {
    rate: f64,
    implicit: f64,
    estimates: Vec<f64>,
    play: Vec<f64>,
}

impl Exp3 {
    /// EXP3 with the rate $\sqrt{2\ln K/(KT)}$.
    ///
    /// # Errors
    /// [`GamesError::Empty`] without actions or rounds.
    pub fn new(actions: usize, horizon: usize) -> Result<Self, GamesError> {
        let k = check_actions(actions)?;
        check_horizon(horizon)?;
        let rate = (2.0 * real(k).ln() / (real(k) * real(horizon))).sqrt();
        Ok(Self {
            rate,
            implicit: 0.0,
            estimates: vec![0.0; k],
            play: vec![1.0 / real(k); k],
        })
    }

    /// EXP3-IX with the same rate and implicit exploration $\gamma=\eta/2$.
    ///
    /// # Errors
    /// [`GamesError::Empty`] without actions or rounds.
    pub fn implicit(actions: usize, horizon: usize) -> Result<Self, GamesError> {
        let plain = Self::new(actions, horizon)?;
        Ok(Self {
            implicit: plain.rate / 2.0,
            ..plain
        })
    }
}

impl BanditLearner for Exp3 {
    fn actions(&self) -> usize {
        self.play.len()
    }

    fn play(&self) -> &[f64] {
        &self.play
    }

    fn observe(&mut self, action: usize, reward: f64) -> Result<(), GamesError> {
        let Some(estimate) = self.estimates.get_mut(action) else {
            return Err(GamesError::NoSuchAction {
                argument: Argument::Action,
                value: action,
                actions: self.play.len(),
            });
        };
        if !(0.0..=1.0).contains(&finite(Argument::Reward, reward)?) {
            return Err(GamesError::OutOfRange {
                argument: Argument::Reward,
                interval: "[0, 1]",
                value: reward,
            });
        }
        *estimate -= (1.0 - reward) / (self.play[action] + self.implicit).max(1e-300);
        softmax(self.rate, &self.estimates, &mut self.play);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::learner::opponents::rng;
    use super::super::{RegretAccount, sample_action};
    use super::*;
    use crate::laws::Adversary;

    #[test]
    fn bandit_regret_stays_below_its_bound() {
        let (k, horizon, runs) = (5, 3000, 20);
        for implicit in [false, true] {
            let mut mean = 0.0;
            for seed in 0..runs {
                let mut bandit = if implicit {
                    Exp3::implicit(k, horizon)
                } else {
                    Exp3::new(k, horizon)
                }
                .unwrap();
                let mut generator = rng(seed);
                let mut account = RegretAccount::new(k).unwrap();
                let mut g = vec![0.0; k];
                for t in 0..horizon {
                    Adversary::Drift.rewards(t, &[], &mut generator, &mut g);
                    let a = sample_action(bandit.play(), &mut generator).unwrap();
                    account.record_pure(a, &g).unwrap();
                    bandit.observe(a, g[a]).unwrap();
                }
                mean += account.external() / f64::from(u32::try_from(runs).unwrap());
            }
            let kt = (k * horizon) as f64;
            assert!(mean <= (2.0 * kt * (k as f64).ln()).sqrt(), "{mean}");
        }
        assert!(matches!(
            Exp3::new(3, 10).unwrap().observe(1, 1.5),
            Err(GamesError::OutOfRange {
                argument: Argument::Reward,
                ..
            })
        ));
        assert!(matches!(
            Exp3::new(3, 10).unwrap().observe(7, 0.5),
            Err(GamesError::NoSuchAction { .. })
        ));
    }
}
