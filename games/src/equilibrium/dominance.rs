//! Actions that no belief supports: dominance by mixed strategies.

use super::zero_sum::solve_zero_sum;
use crate::error::GamesError;
use crate::game::Game;

/// Least gain of a mixture, relative to the largest payoff difference it is compared on, that counts as strict.
const STRICT: f64 = 1e-9;

/// The actions of each player that survive repeated removal of actions strictly dominated by a pure or mixed strategy.
///
/// For two players these are the rationalizable actions (Bernheim 1984, Pearce 1984); they contain every action with positive probability in any
/// Nash or correlated equilibrium. The result does not depend on the order of removal. [`Game::undominated`] looks at pure strategies alone and may leave
/// more. Each test is one linear programme: an action is dominated when the zero-sum game of gains over it has a positive value.
///
/// # Errors
/// [`GamesError::NotConverged`].
///
/// ```
/// use hindsight_games::{Game, equilibrium::undominated_by_mixtures};
/// // Half of the first and half of the second row beat the third, neither alone does.
/// let a = [vec![3.0, 0.0], vec![0.0, 3.0], vec![1.0, 1.0]];
/// let game = Game::bimatrix(&a, &[vec![0.0, 0.0], vec![0.0, 0.0], vec![0.0, 0.0]])?;
/// assert_eq!(game.undominated()[0], [0, 1, 2]);
/// assert_eq!(undominated_by_mixtures(&game)?[0], [0, 1]);
/// # Ok::<(), hindsight_games::GamesError>(())
/// ```
pub fn undominated_by_mixtures(game: &Game) -> Result<Vec<Vec<usize>>, GamesError> {
    // Pure dominance first: it is cheap and never removes more.
    let mut left = game.undominated();
    loop {
        let mut changed = false;
        for player in 0..game.players() {
            let others = profiles_of_others(game, player, &left);
            let mut at = 0;
            while at < left[player].len() && left[player].len() > 1 {
                if is_dominated(game, player, left[player][at], &left[player], &others)? {
                    left[player].remove(at);
                    changed = true;
                } else {
                    at += 1;
                }
            }
        }
        if !changed {
            return Ok(left);
        }
    }
}

/// Positions in the player's tensor of its action 0 against every profile of the others' remaining actions.
fn profiles_of_others(game: &Game, player: usize, left: &[Vec<usize>]) -> Vec<usize> {
    let mut bases = vec![0];
    for (other, actions) in left.iter().enumerate().filter(|(o, _)| *o != player) {
        let stride = game.stride(other);
        bases = bases
            .iter()
            .flat_map(|base| actions.iter().map(move |a| base + a * stride))
            .collect();
    }
    bases
}

fn is_dominated(
    game: &Game,
    player: usize,
    action: usize,
    left: &[usize],
    others: &[usize],
) -> Result<bool, GamesError> {
    let payoffs = game.payoffs(player).unwrap_or(&[]);
    let stride = game.stride(player);
    let mut gains: Vec<Vec<f64>> = left
        .iter()
        .filter(|a| **a != action)
        .map(|a| {
            others
                .iter()
                .map(|base| payoffs[base + a * stride] - payoffs[base + action * stride])
                .collect()
        })
        .collect();
    // Each profile in its own unit: a gain must be strict against every profile of the others.
    for s in 0..others.len() {
        let size = gains.iter().fold(0.0f64, |m, g| m.max(g[s].abs()));
        if size > 0.0 {
            gains.iter_mut().for_each(|g| g[s] /= size);
        }
    }
    Ok(solve_zero_sum(&gains)?.value > STRICT)
}

#[cfg(test)]
mod tests {
    use super::super::{Concept, Objective, correlated_equilibrium};
    use super::*;
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(80))]
        #[test]
        fn no_equilibrium_uses_a_dominated_action(whole in any::<bool>(), seed in any::<u64>()) {
            let mut rng = rand_pcg::Pcg64::seed_from_u64(seed);
            let game = Game::from_fn(&[4, 3, 2], |_, _| {
                if whole { f64::from(rng.random_range(0..4u8)) } else { rng.random() }
            }).unwrap();
            let (pure, mixed) = (game.undominated(), undominated_by_mixtures(&game).unwrap());
            for (p, m) in pure.iter().zip(&mixed) {
                prop_assert!(!m.is_empty() && m.iter().all(|a| p.contains(a)));
            }
            for player in 0..3 {
                let e = correlated_equilibrium(&game, Concept::Correlated, &Objective::Player(player)).unwrap();
                for (s, p) in e.joint.iter().enumerate().filter(|(_, p)| **p > 1e-7) {
                    for (i, a) in game.profile(s).iter().enumerate() {
                        prop_assert!(mixed[i].contains(a), "{s} {p}");
                    }
                }
            }
        }
    }
}
