//! What a policy cannot know, and what it must.

use std::ops::ControlFlow;

use hindsight_exo_idp::panel::Columns;
use hindsight_exo_idp::policy::{
    BaseStock, CappedBaseStock, ConstantOrder, LeadTimeDemand, NeuralConfig, Plan,
    PromotionForecast, ReorderPoint, Signals, target_position,
};
use hindsight_exo_idp::train::{Recipe, Setting, Training};
use hindsight_exo_idp::{
    Arrivals, Conventions, LeadTimes, Outcomes, Panel, Paths, Replay, Window,
    replay::{Opening, Quantity},
};
use proptest::prelude::*;

use hindsight_exo_idp::laws::{Case, Known, Later, replays_see_no_future};

use super::world::{WEEKS, case, device, flat, network, planned_network};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Pitfall 2 of the paper's file, as one law for every policy: whatever happens after week `t` (demand, prices, costs, covariates,
    /// presence, arrivals) cannot move an order of week `t` or before, not by one bit. What the plan says of the weeks ahead is
    /// known, and stands.
    #[test]
    fn no_policy_sees_the_future(case in case(2), noise in any::<u64>(), seed in 0_u64..20, price in any::<bool>(), horizon in 0_usize..4) {
        let plan = Plan { horizon, price };
        replays_see_no_future(&case, noise, Known { fitted: FITTED, plan }, |panel, arrivals| {
            Ok(every_policy(panel, arrivals, &case, plan, seed))
        })?;
    }
}

/// Weeks that policies are fitted on in the law of the future.
const FITTED: usize = 16;

/// Every kind of policy, fitted on the first weeks and replayed on the rest: levels, levels that follow a forecast, networks with and
/// without an anchor, the network of the default recipe.
fn every_policy(
    panel: &Panel,
    arrivals: &dyn Arrivals,
    case: &Case,
    plan: Plan,
    seed: u64,
) -> Vec<Outcomes> {
    let paths = Paths::new(panel, arrivals, 1).unwrap();
    let opening = case.opening.map(|[on_hand, now, next]| {
        let all = |units: f64| vec![units; panel.products()];
        Opening::new(panel, FITTED, all(on_hand), vec![all(now), all(next)]).unwrap()
    });
    let setting = Setting {
        panel,
        lead_times: &case.lead_times,
        conventions: case.conventions,
        plan,
        weeks: 0..FITTED,
        warm_up: 2,
        opening: opening.as_ref(),
    };
    let replay = setting.replay(&paths, 4..WEEKS).unwrap();
    let reference = setting.reference();
    let mean = Signals::from_fn(WEEKS, 1, panel.products(), |_, _, p| reference[p]);
    let forecast = PromotionForecast::fit(panel, 0..FITTED, plan, 5).unwrap();
    let promoted = forecast
        .target_position(panel, &case.lead_times, &case.conventions)
        .unwrap();
    let target = |treatment| {
        target_position(
            panel,
            0..FITTED,
            &case.lead_times,
            treatment,
            &case.conventions,
        )
        .unwrap()
    };
    let run = |replay: &Replay<'_>, name: &str, level: Signals| {
        let policy = BaseStock::new(name, 1.0, level);
        replay.run(&policy, &device()).unwrap()
    };
    let mut all = vec![
        run(&replay, "promotion-aware newsvendor", promoted),
        run(
            &replay,
            "target position",
            target(LeadTimeDemand::Convolved),
        ),
        run(
            &replay,
            "mean lead time",
            target(LeadTimeDemand::MeanLeadTime),
        ),
    ];
    let mut add = |outcomes: Outcomes| all.push(outcomes);
    let run = |policy: &ReorderPoint| replay.run(policy, &device()).unwrap();
    add(run(&ReorderPoint::new(1.0, 3.0, mean.clone())));
    let constant = ConstantOrder::new(1.0, mean.clone());
    add(replay.run(&constant, &device()).unwrap());
    let capped = CappedBaseStock::new(4.0, 1.5, mean);
    add(replay.run(&capped, &device()).unwrap());
    for anchored in [false, true] {
        let net = planned_network(
            panel,
            paths.max_lead_time(),
            &case.conventions,
            plan,
            anchored,
            seed,
        );
        add(replay.run(&net, &device()).unwrap());
    }
    let recipe = Recipe {
        network: NeuralConfig {
            channels: 3,
            dilations: vec![1, 2],
            hidden: 4,
        },
        training: Training {
            steps: 2,
            batch: 2,
            ..Training::default()
        },
        ensemble_size: 1,
        validation: 2,
        seed,
        ..Recipe::default()
    };
    let go = |_: &_| ControlFlow::Continue(());
    let fitted = recipe
        .fit(&setting, arrivals, &forecast, &device(), go)
        .unwrap();
    let trained = replay.run(&fitted.policy, &device()).unwrap();
    add(trained);
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// When an outstanding order will arrive is not seen: if all orders that are still on their way in week `t` come a week later,
    /// the order of week `t` does not move by a bit.
    #[test]
    fn no_policy_sees_when_an_outstanding_order_will_come(case in case(2), t in 8_i64..18, seed in 0_u64..20) {
        let run = |by: i64| {
            let arrivals = Later { law: &case.lead_times, by };
            let paths = Paths::new(&case.panel, &arrivals, 1).unwrap();
            let replay = case.replay(&paths, 2).unwrap();
            let net = network(&case.panel, paths.max_lead_time(), &case.conventions, true, seed);
            let level = BaseStock::new("base stock", 1.0, flat(&case.panel, 40.0));
            [replay.run(&net, &device()).unwrap(), replay.run(&level, &device()).unwrap()]
        };
        // In week `t` a policy may have seen what arrived in it, no more.
        for (now, later) in run(i64::MAX).iter().zip(&run(t)) {
            for product in 0..2 {
                for week in 2..=usize::try_from(t).unwrap() {
                    let order = |o: &Outcomes| o.sample(Quantity::Order, product, 0, week).to_bits();
                    prop_assert_eq!(order(now), order(later), "{} in week {}", now.policy(), week);
                }
            }
        }
    }
}

/// Pitfall 1 of the paper's file: the policy sees its own simulated stock, so another opening changes later orders.
#[test]
fn the_policy_sees_the_stock_that_it_made() {
    let cells = 2 * WEEKS;
    let demand = (0..cells)
        .map(|i| 5.0 + f64::from(u8::try_from(i % 7).unwrap()))
        .collect();
    let columns = Columns {
        demand,
        price: vec![8.0; cells],
        cost: vec![4.0; cells],
        present: vec![true; cells],
        covariates: vec![],
    };
    let panel = Panel::new(vec!["a".into(), "b".into()], WEEKS, columns).unwrap();
    let paths = Paths::new(&panel, &LeadTimes::fixed(2), 1).unwrap();
    let conventions = Conventions::default();
    let orders = |reference: f64| {
        let window = Window {
            scored: 4..WEEKS,
            warm_up: 4,
        };
        let replay = Replay::new(&paths, conventions, window, &[reference; 2]).unwrap();
        let net = network(&panel, 2, &conventions, true, 3);
        let outcomes = replay.run(&net, &device()).unwrap();
        (4..WEEKS)
            .map(|w| outcomes.sample(Quantity::Order, 0, 0, w))
            .collect::<Vec<f64>>()
    };
    let (low, high) = (orders(2.0), orders(20.0));
    assert!(
        low.iter()
            .zip(&high)
            .skip(1)
            .any(|(a, b)| (a - b).abs() > 0.1)
    );
}
