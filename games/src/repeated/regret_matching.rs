//! Regret matching and regret matching+: play in proportion to positive regret.

use super::learner::{Learner, check_actions, check_rewards};
use crate::error::{GamesError, real};

/// Regret matching, $x_t(i)\propto[R_{t-1}(i)]^+$ with $R(i)$ the regret for not having played $i$ always (Hart and Mas-Colell 2000,
/// the external-regret form), or regret matching+, which keeps $R\leftarrow[R+r]^+$ (Tammelin 2014).
///
/// External regret after $T$ rounds of rewards in $\[0,1\]$: at most $\sqrt{KT}$ for both. No rate to choose. When no regret is positive it
/// plays uniformly.
///
/// ```
/// use hindsight_games::repeated::{Learner, RegretMatching};
/// let mut learner = RegretMatching::plus(3)?;
/// learner.observe(&[1.0, 0.0, 0.0])?;
/// assert_eq!(learner.play(), &[1.0, 0.0, 0.0]);
/// # Ok::<(), hindsight_games::GamesError>(())
/// ```
#[derive(Debug, Clone)]
pub struct RegretMatching {
    plus: bool,
    regret: Vec<f64>,
    play: Vec<f64>,
}

impl RegretMatching {
    /// Plain regret matching.
    ///
    /// # Errors
    /// [`GamesError::Empty`] without actions.
    pub fn new(actions: usize) -> Result<Self, GamesError> {
        let k = check_actions(actions)?;
        Ok(Self {
            plus: false,
            regret: vec![0.0; k],
            play: vec![1.0 / real(k); k],
        })
    }

    /// Regret matching+.
    ///
    /// # Errors
    /// [`GamesError::Empty`] without actions.
    pub fn plus(actions: usize) -> Result<Self, GamesError> {
        Ok(Self {
            plus: true,
            ..Self::new(actions)?
        })
    }

    /// The bound $\sqrt{KT}$ on the external regret.
    #[must_use]
    pub fn bound(&self, rounds: usize) -> f64 {
        (real(self.regret.len()) * real(rounds)).sqrt()
    }
}

impl Learner for RegretMatching {
    fn actions(&self) -> usize {
        self.regret.len()
    }

    fn play(&mut self) -> &[f64] {
        &self.play
    }

    fn observe(&mut self, rewards: &[f64]) -> Result<(), GamesError> {
        check_rewards(self.regret.len(), rewards)?;
        let got = crate::game::dot(&self.play, rewards);
        let mut sum = 0.0;
        for ((r, g), x) in self.regret.iter_mut().zip(rewards).zip(&mut self.play) {
            *r += g - got;
            let positive = r.max(0.0);
            if self.plus {
                *r = positive;
            }
            *x = positive;
            sum += positive;
        }
        if sum > 0.0 {
            let scale = 1.0 / sum;
            self.play.iter_mut().for_each(|x| *x *= scale);
        } else {
            let uniform = 1.0 / real(self.play.len());
            self.play.fill(uniform);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::RegretAccount;
    use super::super::learner::opponents::rng;
    use super::*;
    use crate::laws::Adversary;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn external_regret_stays_below_root_kt(k in 1usize..12, horizon in 1usize..1500, seed in any::<u64>()) {
            for opponent in Adversary::ALL {
                for mut learner in [RegretMatching::new(k).unwrap(), RegretMatching::plus(k).unwrap()] {
                    let mut rng = rng(seed);
                    let mut account = RegretAccount::new(k).unwrap();
                    let mut g = vec![0.0; k];
                    for t in 0..horizon {
                        let x = learner.play().to_vec();
                        opponent.rewards(t, &x, &mut rng, &mut g);
                        account.record(&x, &g).unwrap();
                        learner.observe(&g).unwrap();
                    }
                    prop_assert!(account.external() <= learner.bound(horizon) + 1e-9);
                }
            }
        }
    }
}
