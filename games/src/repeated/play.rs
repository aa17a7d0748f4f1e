//! Self-play of learners in a normal-form game.

use super::account::{RegretAccount, Regrets};
use super::learner::Learner;
use crate::equilibrium::{coarse_correlated_gap, correlated_gap};
use crate::error::{Argument, GamesError, length, real};
use crate::game::{Game, advance};

/// Regrets of all players and equilibrium gaps of the empirical play at a checkpoint.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Checkpoint {
    /// Rounds played.
    pub round: usize,
    /// Total regrets of each player.
    pub regrets: Vec<Regrets>,
    /// Correlated gap of the time average of the outer products; equals the largest swap regret divided by the rounds.
    pub correlated_gap: f64,
    /// Coarse correlated gap; equals the largest external regret divided by the rounds.
    pub coarse_gap: f64,
}

/// What simultaneous self-play left behind.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PlayRecord {
    /// Time average of the outer products of the mixed plays, over profiles in row-major order. This, not the product of the
    /// averages, is what tends to the correlated equilibria.
    pub joint: Vec<f64>,
    /// Time average of each player's mixed play.
    pub averages: Vec<Vec<f64>>,
    /// Average payoff of each player.
    pub payoffs: Vec<f64>,
    /// One entry for each requested round, and the last.
    pub curve: Vec<Checkpoint>,
}

/// Plays `rounds` rounds: all learners move at once and see the expected reward of each of their actions against the others' mixed play.
///
/// `checkpoints` are rounds at which regrets and gaps are recorded; the last round always is. Costs a pass over the payoffs of every player and the
/// joint distribution a round.
///
/// # Errors
/// [`GamesError::Length`] when learners and game do not fit, [`GamesError::Empty`] for no rounds.
///
/// ```
/// use hindsight_games::{Game, repeated::{Hedge, Learner, self_play}};
/// let game = Game::zero_sum(&[vec![1.0, 0.0], vec![0.0, 1.0]])?;
/// let (mut a, mut b) = (Hedge::fixed(2, 500)?, Hedge::fixed(2, 500)?);
/// let record = self_play(&game, &mut [&mut a, &mut b], 500, &[])?;
/// let end = &record.curve[0];
/// assert!((end.coarse_gap - end.regrets[0].external.max(end.regrets[1].external) / 500.0).abs() < 1e-12);
/// # Ok::<(), hindsight_games::GamesError>(())
/// ```
pub fn self_play(
    game: &Game,
    learners: &mut [&mut dyn Learner],
    rounds: usize,
    checkpoints: &[usize],
) -> Result<PlayRecord, GamesError> {
    check_seats(game, learners, rounds)?;
    let mut joint = vec![0.0; game.profiles()];
    let mut accounts = game
        .shape()
        .iter()
        .map(|&k| RegretAccount::new(k))
        .collect::<Result<Vec<_>, _>>()?;
    let mut averages: Vec<Vec<f64>> = game.shape().iter().map(|&k| vec![0.0; k]).collect();
    let mut payoffs = vec![0.0; game.players()];
    let mut mixed = averages.clone();
    let mut rewards = averages.clone();
    let mut curve = Vec::new();
    let mut profile = vec![0; game.players()];
    for round in 1..=rounds {
        for (x, learner) in mixed.iter_mut().zip(learners.iter_mut()) {
            x.copy_from_slice(learner.play());
        }
        if let [x, y] = &mixed[..] {
            for (row, p) in joint.chunks_exact_mut(y.len()).zip(x) {
                for (j, q) in row.iter_mut().zip(y) {
                    *j += p * q;
                }
            }
        } else {
            profile.fill(0);
            for j in &mut joint {
                *j += profile
                    .iter()
                    .zip(&mixed)
                    .map(|(&a, x)| x[a])
                    .product::<f64>();
                advance(&mut profile, game.shape());
            }
        }
        for player in 0..game.players() {
            game.action_payoffs_into(player, &mixed, &mut rewards[player]);
            accounts[player].record(&mixed[player], &rewards[player])?;
            payoffs[player] += crate::game::dot(&mixed[player], &rewards[player]);
            for (a, x) in averages[player].iter_mut().zip(&mixed[player]) {
                *a += x;
            }
            learners[player].observe(&rewards[player])?;
        }
        if round == rounds || checkpoints.contains(&round) {
            let total: f64 = joint.iter().sum();
            let average: Vec<f64> = joint.iter().map(|j| j / total).collect();
            curve.push(Checkpoint {
                round,
                regrets: accounts.iter().map(RegretAccount::regrets).collect(),
                correlated_gap: correlated_gap(game, &average)?,
                coarse_gap: coarse_correlated_gap(game, &average)?,
            });
        }
    }
    let total: f64 = joint.iter().sum();
    joint.iter_mut().for_each(|j| *j /= total);
    for x in averages.iter_mut().chain([&mut payoffs]) {
        x.iter_mut().for_each(|v| *v /= real(rounds));
    }
    Ok(PlayRecord {
        joint,
        averages,
        payoffs,
        curve,
    })
}

/// The time averages of each player's play after `rounds` rounds of simultaneous self-play, without accounts: for zero-sum games, where the averages
/// are nearly optimal. Use [`self_play`] for anything about correlated equilibria.
///
/// # Errors
/// As [`self_play`].
pub fn average_self_play(
    game: &Game,
    learners: &mut [&mut dyn Learner],
    rounds: usize,
) -> Result<Vec<Vec<f64>>, GamesError> {
    check_seats(game, learners, rounds)?;
    let mut mixed: Vec<Vec<f64>> = game.shape().iter().map(|&k| vec![0.0; k]).collect();
    let mut averages = mixed.clone();
    let mut rewards = mixed.clone();
    for _ in 0..rounds {
        for ((x, average), learner) in mixed.iter_mut().zip(&mut averages).zip(learners.iter_mut())
        {
            x.copy_from_slice(learner.play());
            for (a, x) in average.iter_mut().zip(x.iter()) {
                *a += x;
            }
        }
        for (player, learner) in learners.iter_mut().enumerate() {
            game.action_payoffs_into(player, &mixed, &mut rewards[player]);
            learner.observe(&rewards[player])?;
        }
    }
    for average in &mut averages {
        average.iter_mut().for_each(|a| *a /= real(rounds));
    }
    Ok(averages)
}

fn check_seats(
    game: &Game,
    learners: &[&mut dyn Learner],
    rounds: usize,
) -> Result<(), GamesError> {
    length(Argument::Learners, game.players(), learners.len())?;
    super::learner::check_horizon(rounds)?;
    for (learner, &k) in learners.iter().zip(game.shape()) {
        length(Argument::LearnerActions, k, learner.actions())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{BlumMansour, Hedge, RegretMatching, StoltzLugosi};
    use super::*;
    use crate::equilibrium::{nash_conv, pairwise_correlated_gap, solve_zero_sum};
    use proptest::prelude::*;
    use rand::RngExt;

    fn learner(kind: usize, k: usize, rounds: usize) -> Box<dyn Learner> {
        match kind % 4 {
            0 => Box::new(Hedge::fixed(k, rounds).unwrap()),
            1 => Box::new(RegretMatching::plus(k).unwrap()),
            2 => Box::new(BlumMansour::tuned(k, rounds).unwrap()),
            _ => Box::new(StoltzLugosi::fixed(k, rounds).unwrap()),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn gaps_equal_average_regrets_exactly(
            shape in prop_oneof![Just(vec![2usize, 2]), Just(vec![5, 3]), Just(vec![3, 2, 4]), Just(vec![2, 2, 2, 2])],
            kinds in proptest::collection::vec(0usize..4, 4), rounds in 1usize..200, seed in any::<u64>(),
        ) {
            let mut rng = super::super::learner::opponents::rng(seed);
            let game = Game::from_fn(&shape, |_, _| rng.random()).unwrap();
            let mut learners: Vec<Box<dyn Learner>> = shape.iter().zip(&kinds).map(|(&k, &kind)| learner(kind, k, rounds)).collect();
            let mut seats: Vec<&mut dyn Learner> = learners.iter_mut().map(|l| l.as_mut() as &mut dyn Learner).collect();
            let record = self_play(&game, &mut seats, rounds, &[rounds / 2]).unwrap();
            for point in &record.curve {
                let t = real(point.round);
                let worst = |f: &dyn Fn(&Regrets) -> f64| point.regrets.iter().map(f).fold(f64::NEG_INFINITY, f64::max) / t;
                prop_assert!((point.correlated_gap - worst(&|r| r.swap)).abs() < 1e-12);
                prop_assert!((point.coarse_gap - worst(&|r| r.external)).abs() < 1e-12);
            }
            let last = record.curve.last().unwrap();
            let internal = last.regrets.iter().map(|r| r.internal).fold(0.0, f64::max) / real(rounds);
            prop_assert!((pairwise_correlated_gap(&game, &record.joint).unwrap() - internal).abs() < 1e-12);
        }
    }

    #[test]
    fn zero_sum_averages_are_nearly_optimal_and_the_product_of_averages_hides_correlation() {
        let mut rng = super::super::learner::opponents::rng(4);
        let rows: Vec<Vec<f64>> = (0..6)
            .map(|_| (0..7).map(|_| rng.random()).collect())
            .collect();
        let game = Game::zero_sum(&rows).unwrap();
        let rounds = 4000;
        let (mut a, mut b) = (
            RegretMatching::plus(6).unwrap(),
            RegretMatching::plus(7).unwrap(),
        );
        let record = self_play(&game, &mut [&mut a, &mut b], rounds, &[]).unwrap();
        let regrets: f64 = record.curve[0]
            .regrets
            .iter()
            .map(|r| r.external)
            .sum::<f64>()
            / real(rounds);
        let conv = nash_conv(&game, &record.averages).unwrap();
        assert!(
            (conv - regrets).abs() < 1e-10,
            "in zero-sum games NashConv of the averages is the sum of average regrets"
        );
        assert!(
            (record.payoffs[0] - solve_zero_sum(&rows).unwrap().value).abs() <= regrets + 1e-10
        );
        assert!(conv < 0.01);
        let (mut a, mut b) = (
            RegretMatching::plus(6).unwrap(),
            RegretMatching::plus(7).unwrap(),
        );
        assert_eq!(
            average_self_play(&game, &mut [&mut a, &mut b], rounds).unwrap(),
            record.averages
        );
        // Sum of optimistic regrets in zero-sum self-play stays bounded while rounds grow.
        let (mut a, mut b) = (
            Hedge::optimistic(6, 0.25).unwrap(),
            Hedge::optimistic(7, 0.25).unwrap(),
        );
        let record = self_play(&game, &mut [&mut a, &mut b], 20_000, &[2000]).unwrap();
        let sums: Vec<f64> = record
            .curve
            .iter()
            .map(|c| c.regrets.iter().map(|r| r.external).sum())
            .collect();
        assert!(
            sums[1] < (6.0f64.ln() + 7.0f64.ln()) / 0.25 && sums[1] < sums[0] + 0.5,
            "{sums:?}"
        );
    }
}
