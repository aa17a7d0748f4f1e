//! Expected payoffs of a game under joint distributions and mixed strategies.

use crate::error::{Argument, GamesError, distribution, length};
use crate::game::{Game, advance, dot};

impl Game {
    /// The sum of all players' payoffs at the profile with a number.
    pub(crate) fn welfare(&self, profile: usize) -> f64 {
        (0..self.players())
            .filter_map(|i| self.payoffs(i))
            .map(|u| u[profile])
            .sum()
    }

    /// Expected payoff of each player under a joint distribution over profiles.
    ///
    /// # Errors
    /// [`GamesError::Length`], [`GamesError::NotAProbability`] or [`GamesError::NotADistribution`] for a wrong `joint`.
    pub fn expected_payoffs(&self, joint: &[f64]) -> Result<Vec<f64>, GamesError> {
        self.check_joint(joint)?;
        let all = (0..self.players()).filter_map(|i| self.payoffs(i));
        Ok(all.map(|u| dot(u, joint)).collect())
    }

    /// Expected payoff of each of `player`'s actions against independent mixed play of the others, written to `out`.
    /// `mixed` holds one distribution a player; the player's own entry is not read.
    pub(crate) fn action_payoffs_into(&self, player: usize, mixed: &[Vec<f64>], out: &mut [f64]) {
        out.fill(0.0);
        let tensor = self.payoffs(player).unwrap_or(&[]);
        if let [rows, columns] = self.shape()[..] {
            if player == 0 {
                let y = &mixed[1];
                for (o, row) in out.iter_mut().zip(tensor.chunks_exact(columns)).take(rows) {
                    *o = dot(row, y);
                }
            } else {
                for (&x, row) in mixed[0].iter().zip(tensor.chunks_exact(columns)) {
                    if x > 0.0 {
                        for (o, u) in out.iter_mut().zip(row) {
                            *o += x * u;
                        }
                    }
                }
            }
            return;
        }
        let mut profile = vec![0; self.players()];
        for u in tensor {
            let mut weight = 1.0;
            for (other, &action) in profile.iter().enumerate() {
                if other != player {
                    weight *= mixed[other][action];
                }
            }
            out[profile[player]] += weight * u;
            advance(&mut profile, self.shape());
        }
    }

    /// Expected payoff of each of `player`'s actions against independent mixed play of the others.
    ///
    /// # Errors
    /// [`GamesError::NoSuchAction`] for the player, and those of a wrong distribution.
    pub fn action_payoffs(
        &self,
        player: usize,
        mixed: &[Vec<f64>],
    ) -> Result<Vec<f64>, GamesError> {
        self.check_mixed(mixed)?;
        if player >= self.players() {
            return Err(GamesError::NoSuchAction {
                argument: Argument::Player,
                value: player,
                actions: self.players(),
            });
        }
        let mut out = vec![0.0; self.shape()[player]];
        self.action_payoffs_into(player, mixed, &mut out);
        Ok(out)
    }

    /// Checks one distribution a player.
    pub(crate) fn check_mixed(&self, mixed: &[Vec<f64>]) -> Result<(), GamesError> {
        length(Argument::MixedProfile, self.players(), mixed.len())?;
        for (strategy, &actions) in mixed.iter().zip(self.shape()) {
            length(Argument::MixedStrategy, actions, strategy.len())?;
            distribution(Argument::MixedStrategy, strategy)?;
        }
        Ok(())
    }

    /// Checks a distribution over profiles.
    pub(crate) fn check_joint(&self, joint: &[f64]) -> Result<(), GamesError> {
        length(Argument::Joint, self.profiles(), joint.len())?;
        distribution(Argument::Joint, joint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn action_payoffs_equal_the_sum_over_profiles(
            shape in proptest::collection::vec(1usize..4, 1..4),
            seed in any::<u64>(),
        ) {
            use rand::{RngExt, SeedableRng};
            let mut rng = rand_pcg::Pcg64::seed_from_u64(seed);
            let game = Game::from_fn(&shape, |_, _| rng.random_range(-1.0..1.0)).unwrap();
            let mixed: Vec<Vec<f64>> = shape.iter().map(|&k| {
                let w: Vec<f64> = (0..k).map(|_| rng.random_range(0.01..1.0)).collect();
                let s: f64 = w.iter().sum();
                w.into_iter().map(|v| v / s).collect()
            }).collect();
            for player in 0..shape.len() {
                let fast = game.action_payoffs(player, &mixed).unwrap();
                for (action, expected) in fast.iter().enumerate() {
                    let mut slow = 0.0;
                    for at in 0..game.profiles() {
                        let profile = game.profile(at);
                        prop_assert_eq!(game.index(&profile).unwrap(), at);
                        if profile[player] == action {
                            let weight: f64 = (0..shape.len()).filter(|&p| p != player)
                                .map(|p| mixed[p][profile[p]]).product();
                            slow += weight * game.payoff(player, &profile).unwrap();
                        }
                    }
                    prop_assert!((expected - slow).abs() < 1e-12);
                }
            }
        }
    }
}
