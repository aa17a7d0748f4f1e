//! What is booked adds up, and nothing passes the hindsight optimum.

use gpu::Device;
use proptest::test_runner::TestCaseError;

use crate::conventions::Unmet;
use crate::market::Market;
use crate::oracle::hindsight_optimum;
use crate::outcomes::Quantity;
use crate::policy::Policy;
use crate::replay::Replay;

/// Units are conserved and money adds up: where unmet demand is lost, on-hand stock changes by what is received less what is sold, and
/// demand is sold or unmet; nothing negative is ordered or held; the rewards that accrue by week add up to the objective.
///
/// # Errors
///
/// [`TestCaseError`] with the week and both sides.
pub fn accounts_add_up<P: Policy>(replay: &Replay<'_>, policy: &P) -> Result<(), TestCaseError> {
    let outcomes = replay.run_as::<f64, P, _>(policy, &(), &Device::cpu(2))?;
    let panel = replay.paths().panel();
    let close = |what: &str, week: usize, a: f64, b: f64| {
        if (a - b).abs() <= 1e-9 * (1.0 + a.abs().max(b.abs())) {
            return Ok(());
        }
        let name = policy.name();
        Err(TestCaseError::fail(format!(
            "{name}, week {week}: {what} {a} and {b}"
        )))
    };
    for product in 0..outcomes.products() {
        let earned: f64 = outcomes.accrued_reward(product).iter().sum();
        let last = outcomes.scored().end;
        close(
            "rewards and objective",
            last,
            earned,
            outcomes.objective(product),
        )?;
        for sample in 0..outcomes.samples() {
            let at = |q, week| outcomes.sample(q, product, sample, week);
            for week in outcomes.scored() {
                for quantity in [Quantity::Order, Quantity::Received, Quantity::Sold] {
                    let units = at(quantity, week);
                    close(&format!("{quantity:?}"), week, units, units.max(0.0))?;
                }
                if replay.conventions().unmet == Unmet::Backordered {
                    continue;
                }
                let on_hand = at(Quantity::OnHand, week);
                close("stock", week, on_hand, on_hand.max(0.0))?;
                let met = at(Quantity::Sold, week) + at(Quantity::Unmet, week);
                close("demand", week, met, panel.demand(product, week))?;
                if week > outcomes.scored().start {
                    let before = at(Quantity::OnHand, week - 1);
                    let after = before + at(Quantity::Received, week) - at(Quantity::Sold, week);
                    close("stock and movements", week, on_hand, after)?;
                }
            }
        }
    }
    Ok(())
}

/// On no path does the policy earn more than [`hindsight_optimum`], which places every order knowing all that comes. `market` is what
/// stands between them (`()` for nothing); one that hands out units nobody paid for is found here.
///
/// # Errors
///
/// [`TestCaseError`] with the lane, what was earned and the bound.
pub fn never_beats_the_hindsight_optimum<P: Policy, M: Market>(
    replay: &Replay<'_>,
    policy: &P,
    market: &M,
) -> Result<(), TestCaseError> {
    let outcomes = replay.run_as::<f64, P, M>(policy, market, &Device::cpu(2))?;
    for (lane, &earned) in outcomes.objectives().iter().enumerate() {
        let bound = hindsight_optimum(replay, lane);
        if earned.is_nan() || earned > bound + 1e-9 * (1.0 + bound.abs()) {
            let name = policy.name();
            return Err(TestCaseError::fail(format!(
                "{name}, lane {lane}: {earned} above the hindsight optimum {bound}"
            )));
        }
    }
    Ok(())
}
