//! What learners of named kinds reach in a game of any payoffs.

use super::kinds::LearnerKind;
use super::learner::Learner;
use super::play::{PlayRecord, self_play};
use crate::equilibrium::{coarse_correlated_gap, correlated_gap, nash_conv};
use crate::error::{Argument, GamesError, length};
use crate::game::Game;

/// Self-play in units of each player's payoff spread, for which learning rates are made, and the gaps that are left in the game's own units.
///
/// ```
/// use hindsight_games::{Game, repeated::{LearnerKind, PlayStudy}};
/// let pennies = Game::zero_sum(&[vec![300.0, -100.0], vec![-100.0, 300.0]])?;
/// let study = PlayStudy::new(&pennies, &[LearnerKind::RmPlus], 500)?;
/// assert!(study.coarse_gap < 10.0 && (study.payoffs[0] - 100.0).abs() < 10.0);
/// # Ok::<(), hindsight_games::GamesError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct PlayStudy {
    /// The play. Its regrets, its curve (at [`checkpoints`]) and its payoffs are those of the rescaled game, with payoffs between 0 and 1.
    pub record: PlayRecord,
    /// Correlated gap of the empirical joint play.
    pub correlated_gap: f64,
    /// Coarse correlated gap of the empirical joint play.
    pub coarse_gap: f64,
    /// What all players together could gain against the average plays.
    pub nash_conv_of_averages: f64,
    /// Mean payoff of each player.
    pub payoffs: Vec<f64>,
}

impl PlayStudy {
    /// `rounds` rounds of learners of these kinds: one for all players, or one for each.
    ///
    /// # Errors
    /// [`GamesError::Length`] when kinds and players do not fit, [`GamesError::Empty`] without rounds.
    pub fn new(game: &Game, kinds: &[LearnerKind], rounds: usize) -> Result<Self, GamesError> {
        let players = game.players();
        if kinds.len() != 1 {
            length(Argument::Learners, players, kinds.len())?;
        }
        let (unit, _) = game.rescaled();
        let mut learners = (game.shape().iter().zip(kinds.iter().cycle()))
            .map(|(&actions, kind)| kind.learner(actions, rounds))
            .collect::<Result<Vec<_>, _>>()?;
        let mut seats: Vec<&mut dyn Learner> = learners
            .iter_mut()
            .map(|learner| &mut **learner as &mut dyn Learner)
            .collect();
        let record = self_play(&unit, &mut seats, rounds, &checkpoints(rounds))?;
        Ok(Self {
            correlated_gap: correlated_gap(game, &record.joint)?,
            coarse_gap: coarse_correlated_gap(game, &record.joint)?,
            nash_conv_of_averages: nash_conv(game, &record.averages)?,
            payoffs: game.expected_payoffs(&record.joint)?,
            record,
        })
    }
}

/// Rounds at which a curve over `rounds` rounds is drawn, evenly on a logarithmic axis: 1, 2, 5, 10, 20, ...; none is later than the last.
///
/// ```
/// assert_eq!(hindsight_games::repeated::checkpoints(30), [1, 2, 5, 10, 20]);
/// ```
#[must_use]
pub fn checkpoints(rounds: usize) -> Vec<usize> {
    std::iter::successors(Some(1_usize), |unit| unit.checked_mul(10))
        .take_while(|unit| *unit <= rounds)
        .flat_map(|unit| [1, 2, 5].map(|times| unit.checked_mul(times)))
        .flatten()
        .filter(|round| *round <= rounds)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::learner::opponents;
    use super::*;
    use crate::error::real;
    use proptest::prelude::*;
    use rand::RngExt;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn other_units_of_payoff_change_the_gaps_and_nothing_else(
            kind in 0..LearnerKind::ALL.len(), exponent in -8i32..9, seed in any::<u64>(),
        ) {
            let mut rng = opponents::rng(seed);
            // A power of two: rescaling is exact.
            let scale = 2f64.powi(exponent);
            let game = Game::from_fn(&[3, 2], |_, _| rng.random()).unwrap();
            let payoffs = (0..2).map(|i| game.payoffs(i).unwrap().iter().map(|u| scale * u).collect());
            let scaled = Game::new(vec![3, 2], payoffs.collect()).unwrap();
            let kinds = [LearnerKind::ALL[kind]];
            let [own, other] = [&game, &scaled].map(|game| PlayStudy::new(game, &kinds, 50).unwrap());
            prop_assert_eq!(&own.record, &other.record);
            for (own, other) in [
                (own.correlated_gap, other.correlated_gap),
                (own.coarse_gap, other.coarse_gap),
                (own.nash_conv_of_averages, other.nash_conv_of_averages),
                (own.payoffs[1], other.payoffs[1]),
            ] {
                prop_assert!((scale * own - other).abs() <= 1e-12 * scale, "{own} {other}");
            }
        }
    }

    #[test]
    fn each_player_has_its_own_kind_and_a_wrong_number_is_refused() {
        let mut rng = opponents::rng(1);
        let game = Game::from_fn(&[2, 3], |_, _| rng.random()).unwrap();
        let all = [LearnerKind::Rm, LearnerKind::Hedge];
        let study = PlayStudy::new(&game, &all, 100).unwrap();
        let turned = PlayStudy::new(&game.exchanged().unwrap(), &[all[1], all[0]], 100).unwrap();
        for (own, other) in study.record.averages[0]
            .iter()
            .zip(&turned.record.averages[1])
        {
            assert!((own - other).abs() < 1e-9, "{own} {other}");
        }
        let last = study.record.curve.last().unwrap();
        assert_eq!(last.round, 100);
        assert!(
            last.regrets
                .iter()
                .all(|r| r.external <= 2.0 * real(100).sqrt())
        );
        assert!(matches!(
            PlayStudy::new(&game, &[LearnerKind::Rm; 3], 10),
            Err(GamesError::Length {
                expected: 2,
                found: 3,
                ..
            })
        ));
        assert!(PlayStudy::new(&game, &[], 10).is_err());
        assert!(PlayStudy::new(&game, &all, 0).is_err());
    }

    #[test]
    fn checkpoints_rise_up_to_the_last_round() {
        for rounds in [0, 1, 9, 10, 49, 50, 1000, usize::MAX] {
            let all = checkpoints(rounds);
            assert!(all.windows(2).all(|pair| pair[0] < pair[1]), "{rounds}");
            assert!(all.last().copied().unwrap_or(0) <= rounds);
            assert!(rounds == 0 || rounds.div_ceil(3) <= *all.last().unwrap());
        }
    }
}
