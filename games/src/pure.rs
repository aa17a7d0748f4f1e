//! Pure Nash equilibria and dominance by pure actions, for any number of players.

use crate::game::Game;

impl Game {
    /// All pure Nash equilibria, in profile order: no player gains strictly by a change of action alone.
    #[must_use]
    pub fn pure_nash(&self) -> Vec<Vec<usize>> {
        let mut stable = vec![true; self.profiles()];
        for (player, tensor) in (0..self.players())
            .filter_map(|i| self.payoffs(i))
            .enumerate()
        {
            let (stride, actions) = (self.stride(player), self.shape()[player]);
            for start in (0..self.profiles()).filter(|at| at / stride % actions == 0) {
                let line = || (0..actions).map(|a| start + a * stride);
                let best = line()
                    .map(|at| tensor[at])
                    .fold(f64::NEG_INFINITY, f64::max);
                for at in line() {
                    stable[at] &= tensor[at] >= best;
                }
            }
        }
        (0..self.profiles())
            .filter(|&at| stable[at])
            .map(|at| self.profile(at))
            .collect()
    }

    /// The actions of each player that survive repeated removal of actions strictly dominated by a pure action.
    /// The result does not depend on the order of removal.
    #[must_use]
    pub fn undominated(&self) -> Vec<Vec<usize>> {
        let mut left: Vec<Vec<usize>> = self.shape().iter().map(|&k| (0..k).collect()).collect();
        loop {
            let mut changed = false;
            for player in 0..self.players() {
                let doomed: Vec<usize> = left[player]
                    .iter()
                    .copied()
                    .filter(|&a| {
                        left[player]
                            .iter()
                            .any(|&b| b != a && self.dominates(player, b, a, &left))
                    })
                    .collect();
                if !doomed.is_empty() {
                    left[player].retain(|a| !doomed.contains(a));
                    changed = true;
                }
            }
            if !changed {
                return left;
            }
        }
    }

    fn dominates(&self, player: usize, better: usize, worse: usize, left: &[Vec<usize>]) -> bool {
        let tensor = self.payoffs(player).unwrap_or(&[]);
        let mut counter = vec![0; self.players()];
        loop {
            let mut base = 0;
            for (other, &position) in counter.iter().enumerate() {
                if other != player {
                    base += left[other][position] * self.stride(other);
                }
            }
            let stride = self.stride(player);
            if tensor[base + better * stride] <= tensor[base + worse * stride] {
                return false;
            }
            let mut other = self.players();
            loop {
                if other == 0 {
                    return true;
                }
                other -= 1;
                if other == player {
                    continue;
                }
                counter[other] += 1;
                if counter[other] < left[other].len() {
                    break;
                }
                counter[other] = 0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn pure_equilibria_survive_dominance(seed in any::<u64>()) {
            use rand::{RngExt, SeedableRng};
            let mut rng = rand_pcg::Pcg64::seed_from_u64(seed);
            let game = Game::from_fn(&[3, 4, 2], |_, _| f64::from(rng.random_range(0..4u8))).unwrap();
            let left = game.undominated();
            for profile in game.pure_nash() {
                for (player, action) in profile.iter().enumerate() {
                    prop_assert!(left[player].contains(action));
                }
            }
        }
    }
}
