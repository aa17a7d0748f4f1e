//! Games, and what an equilibrium is.

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, prop_oneof};
use proptest::test_runner::TestCaseError;

use crate::equilibrium::{Concept, coarse_correlated_gap, correlated_gap};
use crate::game::Game;
use crate::marketplace::MarketParameters;

/// Games of `players` with `actions` each (at least one of either): payoffs are real numbers in $[-1,1]$, or whole numbers from 0 to 3, among which
/// ties and dominated actions are common.
pub fn games(players: usize, actions: usize) -> impl Strategy<Value = Game> {
    let profiles = actions.pow(u32::try_from(players).unwrap_or(u32::MAX));
    let real = vec(vec(-1.0_f64..1.0, profiles), players);
    let whole = vec(vec((0_u8..4).prop_map(f64::from), profiles), players);
    prop_oneof![real, whole].prop_filter_map("no game", move |payoffs| {
        Game::new(vec![actions; players], payoffs).ok()
    })
}

/// Markets of every kind: choke price 1 or 10, costs up to the choke price, fees from 0 to 0.9, with and without a value of experience.
pub fn markets() -> impl Strategy<Value = MarketParameters> {
    let scale = prop_oneof![Just(1.0), Just(10.0)];
    let experience = prop_oneof![Just(0.0), 0.0_f64..0.5];
    (scale, 0.0_f64..1.0, 0.0_f64..1.0, 0.0_f64..0.9, experience).prop_map(
        |(scale, operator, seller, fee, experience)| MarketParameters {
            choke_price: scale,
            operator_cost: scale * operator,
            seller_cost: scale * seller,
            fee,
            experience: scale * experience,
        },
    )
}

/// A joint distribution over profiles from which no player gains more than `tolerance`, in its payoffs, by deviating.
///
/// # Errors
/// [`TestCaseError`] with the gain; a distribution that is none.
pub fn is_equilibrium(
    game: &Game,
    concept: Concept,
    joint: &[f64],
    tolerance: f64,
) -> Result<(), TestCaseError> {
    let gap = match concept {
        Concept::Correlated => correlated_gap(game, joint)?,
        Concept::CoarseCorrelated => coarse_correlated_gap(game, joint)?,
    };
    if gap.is_nan() || gap > tolerance {
        return Err(TestCaseError::fail(format!(
            "a player gains {gap} from {concept:?}, above {tolerance}"
        )));
    }
    Ok(())
}
