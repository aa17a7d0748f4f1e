//! The laws hold for this crate's learners and solvers, and catch planted faults.

use hindsight_games::GamesError;
use hindsight_games::equilibrium::{Concept, Objective, correlated_equilibrium};
use hindsight_games::laws::{
    Adversary, Regret, adversaries, games, is_equilibrium, keeps_the_protocol, markets,
    regret_within_bound,
};
use hindsight_games::marketplace::Marketplace;
use hindsight_games::repeated::{Learner, LearnerKind, RegretMatching};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn every_kind_of_learner_keeps_the_protocol(adversary in adversaries(), actions in 1_usize..7, seed in any::<u64>()) {
        for kind in LearnerKind::ALL {
            let mut learner = kind.learner(actions, 100)?;
            keeps_the_protocol(&mut *learner, adversary, seed)?;
        }
    }

    #[test]
    fn regret_matching_stays_within_its_bound(adversary in adversaries(), actions in 1_usize..9, seed in any::<u64>()) {
        let fresh = RegretMatching::plus(actions)?;
        regret_within_bound(&mut fresh.clone(), Regret::External, |rounds| fresh.bound(rounds), adversary, 700, seed)?;
    }

    #[test]
    fn solutions_are_equilibria(game in games(2, 4)) {
        for concept in [Concept::Correlated, Concept::CoarseCorrelated] {
            let solution = correlated_equilibrium(&game, concept, &Objective::Welfare)?;
            is_equilibrium(&game, concept, &solution.joint, 1e-9)?;
        }
    }

    #[test]
    fn every_market_is_one(parameters in markets()) {
        Marketplace::new(parameters)?;
    }
}

/// Plays what was best in the last round alone.
#[derive(Debug)]
struct FollowTheLast(Vec<f64>);

impl Learner for FollowTheLast {
    fn actions(&self) -> usize {
        self.0.len()
    }
    fn play(&mut self) -> &[f64] {
        &self.0
    }
    fn observe(&mut self, rewards: &[f64]) -> Result<(), GamesError> {
        let best = (0..rewards.len()).max_by(|&a, &b| rewards[a].total_cmp(&rewards[b]));
        self.0.fill(0.0);
        if let Some(chosen) = best.and_then(|best| self.0.get_mut(best)) {
            *chosen = 1.0;
        }
        Ok(())
    }
}

#[test]
fn a_learner_with_linear_regret_and_one_that_takes_anything_are_caught() {
    let mut learner = FollowTheLast(vec![1.0, 0.0]);
    let bound = |rounds: usize| (2.0 * f64::from(u32::try_from(rounds).unwrap())).sqrt();
    let caught = regret_within_bound(
        &mut learner,
        Regret::External,
        bound,
        Adversary::Flip,
        400,
        1,
    );
    assert!(caught.unwrap_err().to_string().contains("regret"));
    let mut learner = FollowTheLast(vec![1.0, 0.0]);
    let caught = keeps_the_protocol(&mut learner, Adversary::Noise, 1);
    assert!(
        caught
            .unwrap_err()
            .to_string()
            .contains("takes a reward more")
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn what_is_no_equilibrium_is_caught(game in games(2, 3)) {
        // All weight on the worst profile of the first player: it is an equilibrium only where nothing better is at hand.
        let payoffs = game.payoffs(0).unwrap();
        let worst = (0..payoffs.len()).min_by(|&a, &b| payoffs[a].total_cmp(&payoffs[b])).unwrap();
        let mut joint = vec![0.0; payoffs.len()];
        joint[worst] = 1.0;
        let column = worst % 3;
        let gain = (0..3).map(|row| payoffs[3 * row + column] - payoffs[worst]).fold(0.0, f64::max);
        let verdict = is_equilibrium(&game, Concept::Correlated, &joint, gain / 2.0);
        prop_assert!(verdict.is_err() || gain == 0.0);
    }
}
