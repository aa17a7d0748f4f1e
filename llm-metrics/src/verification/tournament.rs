//! Tournaments within each prompt: drawn here and judged by a verifier, or recorded elsewhere.

use super::responses::Responses;
use crate::error::{Error, GameProblem, Result};
use crate::stats::stream::hash;

/// One recorded comparison of two responses of a prompt, both counted within it from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Game {
    /// Prompt, from 0.
    pub prompt: usize,
    /// The response that won.
    pub winner: usize,
    /// The response that lost.
    pub loser: usize,
    /// The round in which they met, from 1.
    pub round: usize,
}

/// Returns weight 1 for the survivors of a single-elimination tournament over `rounds` rounds within each prompt, 0 for the others.
///
/// `beats(prompt, i, j)` says whether response i of the prompt beats response j (both counted within the prompt). Pairs are drawn
/// anew each round by a shuffle keyed by (seed, prompt, round); with an odd number the last goes through without a game. About
/// $R / 2^{\text{rounds}}$ of R responses survive, and always at least one.
///
/// ```
/// use hindsight_llm_metrics::verification::{Responses, tournament};
/// let r = Responses::new(&[vec![0.0, 1.0, 0.0, 0.0]])?;
/// let w = tournament(&r, 2, 1, |_, i, j| i == 1 || (j != 1 && i < j));
/// assert_eq!(w, [0.0, 1.0, 0.0, 0.0]);
/// # Ok::<(), hindsight_llm_metrics::Error>(())
/// ```
pub fn tournament(
    responses: &Responses,
    rounds: usize,
    seed: u64,
    mut beats: impl FnMut(usize, usize, usize) -> bool,
) -> Vec<f64> {
    let mut out = vec![0.0; responses.len()];
    for (prompt, range) in responses.groups().enumerate() {
        let mut alive: Vec<usize> = (0..range.len()).collect();
        for round in 0..rounds {
            if alive.len() < 2 {
                break;
            }
            let key = hash(seed, prompt as u64, round as u64);
            alive.sort_by_key(|&i| hash(key, i as u64, 0));
            alive = alive
                .chunks(2)
                .map(|pair| match pair {
                    [i, j] if !beats(prompt, *i, *j) => *j,
                    _ => pair[0],
                })
                .collect();
        }
        for i in alive {
            out[range.start + i] = 1.0;
        }
    }
    out
}

/// Returns the number of rounds after which a single response of each prompt is left: $\lceil \log_2 R \rceil$ for the largest number R of
/// responses of a prompt.
///
/// ```
/// use hindsight_llm_metrics::verification::{Responses, tournament_rounds};
/// assert_eq!(tournament_rounds(&Responses::new(&[vec![0.0; 5], vec![1.0]])?), 3);
/// # Ok::<(), hindsight_llm_metrics::Error>(())
/// ```
#[must_use]
pub fn tournament_rounds(responses: &Responses) -> usize {
    let most = responses.groups().map(|g| g.len()).max().unwrap_or(1);
    most.next_power_of_two().trailing_zeros() as usize
}

/// Returns the weights after each round of a recorded tournament, round 1 first: 1 for the responses not yet beaten, 0 for the others. Who
/// does not play in a round goes through it. The order of `games` does not matter.
///
/// ```
/// use hindsight_llm_metrics::verification::{Game, Responses, recorded_tournament};
/// let r = Responses::new(&[vec![0.0, 1.0, 0.0]])?;
/// let games = [
///     Game { prompt: 0, winner: 1, loser: 2, round: 2 },
///     Game { prompt: 0, winner: 2, loser: 0, round: 1 },
/// ];
/// assert_eq!(recorded_tournament(&r, &games)?, [[0.0, 1.0, 1.0], [0.0, 1.0, 0.0]]);
/// # Ok::<(), hindsight_llm_metrics::Error>(())
/// ```
///
/// # Errors
/// [`Error::Game`] for the first game of the earliest round at fault: with a prompt or response that is not there, a response against itself,
/// round 0 or one beyond [`tournament_rounds`] + 63, a response beaten in an earlier round, or one that plays twice in a round.
pub fn recorded_tournament(responses: &Responses, games: &[Game]) -> Result<Vec<Vec<f64>>> {
    let most = tournament_rounds(responses) + 63;
    let mut order: Vec<usize> = (0..games.len()).collect();
    order.sort_by_key(|&i| games[i].round);
    let mut alive = vec![1.0; responses.len()];
    let mut last_played = vec![0; responses.len()];
    let mut rounds = Vec::new();
    let mut rest = &order[..];
    while let Some(&first) = rest.first() {
        let round = games[first].round;
        let (now, later) = rest.split_at(rest.partition_point(|&i| games[i].round == round));
        rest = later;
        let mut beaten = Vec::with_capacity(now.len());
        for &index in now {
            let game = games[index];
            let wrong = |problem| Error::Game { index, problem };
            if !(1..=most).contains(&round) {
                return Err(wrong(GameProblem::Round));
            }
            let place = |response: usize| {
                let range = responses.range(game.prompt)?;
                (response < range.len()).then(|| range.start + response)
            };
            let (Some(winner), Some(loser)) = (place(game.winner), place(game.loser)) else {
                return Err(wrong(GameProblem::Unknown));
            };
            if winner == loser {
                return Err(wrong(GameProblem::Itself));
            }
            if alive[winner] < 0.5 || alive[loser] < 0.5 {
                return Err(wrong(GameProblem::Beaten));
            }
            if last_played[winner] == round || last_played[loser] == round {
                return Err(wrong(GameProblem::Twice));
            }
            (last_played[winner], last_played[loser]) = (round, round);
            beaten.push(loser);
        }
        // Rounds without a game change nothing.
        rounds.resize(round - 1, alive.clone());
        for loser in beaten {
            alive[loser] = 0.0;
        }
        rounds.push(alive.clone());
    }
    Ok(rounds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn tournaments_halve_and_the_best_survives(n in 1usize..40, rounds in 0usize..8, seed in 0u64..100) {
            let r = Responses::new(&[vec![0.0; n]]).unwrap();
            let w = tournament(&r, rounds, seed, |_, i, j| i > j);
            let mut left = n;
            for _ in 0..rounds { left = left.div_ceil(2); }
            prop_assert_eq!(w.iter().filter(|v| **v > 0.0).count(), left);
            prop_assert_eq!(w[n - 1], 1.0);
        }

        /// A drawn tournament, its games written down in any order, has the same survivors in every round.
        #[test]
        fn a_tournament_and_its_record_agree(
            sizes in proptest::collection::vec(1usize..20, 1..5), seed in 0u64..1000, turn in any::<prop::sample::Index>(),
        ) {
            let r = Responses::new(&sizes.iter().map(|n| vec![0.0; *n]).collect::<Vec<_>>()).unwrap();
            let beats = |p: usize, i: usize, j: usize| hash(seed, p as u64, i as u64) > hash(seed, p as u64, j as u64);
            let (mut games, mut drawn) = (vec![], vec![]);
            for round in 1..=tournament_rounds(&r) {
                // Each call plays all rounds up to this one; its last games are new.
                let mut all = vec![];
                drawn.push(tournament(&r, round, seed, |prompt, i, j| {
                    let won = beats(prompt, i, j);
                    let (winner, loser) = if won { (i, j) } else { (j, i) };
                    all.push((prompt, winner, loser));
                    won
                }));
                let known: Vec<_> = games.iter().map(|g: &Game| (g.prompt, g.winner, g.loser)).collect();
                games.extend(all.into_iter().filter(|g| !known.contains(g)).map(|(prompt, winner, loser)| Game { prompt, winner, loser, round }));
            }
            if !games.is_empty() {
                let at = turn.index(games.len());
                games.rotate_left(at);
                games.reverse();
            }
            prop_assert_eq!(recorded_tournament(&r, &games).unwrap(), drawn.clone());
            if let Some(last) = drawn.last() {
                prop_assert_eq!(last.iter().sum::<f64>(), sizes.len() as f64);
            }
        }
    }

    #[test]
    fn records_that_no_tournament_leaves_are_refused() {
        let r = Responses::new(&[vec![0.0; 4]]).unwrap();
        let game = |winner, loser, round| Game {
            prompt: 0,
            winner,
            loser,
            round,
        };
        let fault = |games: &[Game]| match recorded_tournament(&r, games) {
            Err(Error::Game { index, .. }) => index,
            other => panic!("{other:?}"),
        };
        assert_eq!(fault(&[game(0, 1, 1), game(2, 1, 2)]), 1);
        assert_eq!(fault(&[game(2, 1, 2), game(0, 1, 1)]), 0);
        assert_eq!(fault(&[game(0, 1, 1), game(0, 2, 1)]), 1);
        assert_eq!(fault(&[game(0, 4, 1)]), 0);
        assert_eq!(fault(&[game(0, 0, 1)]), 0);
        assert_eq!(fault(&[game(0, 1, 0)]), 0);
        assert_eq!(fault(&[game(0, 1, usize::MAX)]), 0);
        assert_eq!(
            fault(&[Game {
                prompt: 1,
                ..game(0, 1, 1)
            }]),
            0
        );
        assert!(recorded_tournament(&r, &[]).unwrap().is_empty());
    }

    #[test]
    fn rounds_without_games_change_nothing() {
        let r = Responses::new(&[vec![0.0; 2]]).unwrap();
        let late = [Game {
            prompt: 0,
            winner: 0,
            loser: 1,
            round: 3,
        }];
        assert_eq!(
            recorded_tournament(&r, &late).unwrap(),
            [[1.0, 1.0], [1.0, 1.0], [1.0, 0.0]]
        );
    }
}
