//! Every way to run a replay gives the same numbers.

use hindsight_exo_idp::panel::Columns;
use hindsight_exo_idp::policy::{BaseStock, CappedBaseStock, ConstantOrder, Policy};
use hindsight_exo_idp::{Conventions, LeadTimes, Outcomes, Panel, Paths, Replay, replay::Quantity};
use hindsight_gpu::Executor;
use proptest::prelude::*;

use hindsight_exo_idp::laws::{Case, number_types_agree};

use super::world::{WEEKS, case, device, flat, network};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Week by week the recorded program gives the numbers of the plain simulator in double precision, and SIMD lanes to theirs.
    #[test]
    fn every_policy_agrees(case in case(3), seed in 0_u64..50) {
        let paths = Paths::new(&case.panel, &case.lead_times, 2).unwrap();
        let replay = case.replay(&paths, 4).unwrap();
        let level = flat(&case.panel, 25.0);
        number_types_agree(&replay, &BaseStock::new("base stock", 1.2, level.clone()))?;
        number_types_agree(&replay, &CappedBaseStock::new(1.0, 0.4, level.clone()))?;
        number_types_agree(&replay, &ConstantOrder::new(0.3, level))?;
        number_types_agree(&replay, &network(&case.panel, paths.max_lead_time(), &case.conventions, seed % 2 == 0, seed))?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    /// In whole units every policy's orders are the nearest whole numbers to what it asks for, on lanes as in the program, and a
    /// gradient passes the rounding.
    #[test]
    fn whole_units_are_whole(case in case(3), seed in 0_u64..50) {
        let paths = Paths::new(&case.panel, &case.lead_times, 2).unwrap();
        let whole = Case { conventions: Conventions { whole_units: true, ..case.conventions }, ..case.clone() };
        let (plain, whole) = (case.replay(&paths, 4).unwrap(), whole.replay(&paths, 4).unwrap());
        let level = flat(&case.panel, 25.3);
        rounded(&plain, &whole, &BaseStock::new("base stock", 1.2, level.clone()))?;
        rounded(&plain, &whole, &CappedBaseStock::new(1.0, 0.4, level.clone()))?;
        rounded(&plain, &whole, &ConstantOrder::new(0.3, level))?;
        rounded(&plain, &whole, &network(&case.panel, paths.max_lead_time(), &case.conventions, false, seed))?;
    }
}

fn rounded<P: Policy>(
    plain: &Replay<'_>,
    whole: &Replay<'_>,
    policy: &P,
) -> Result<(), TestCaseError> {
    let asked = plain.run_as::<f64, P, _>(policy, &(), &device()).unwrap();
    let runs = [
        whole.run_as::<f64, P, _>(policy, &(), &device()).unwrap(),
        whole.run(policy, &device()).unwrap(),
        recorded(whole, policy),
    ];
    let order = |outcomes: &Outcomes, lane: usize, week: usize| {
        outcomes.sample(Quantity::Order, lane % 3, lane / 3, week)
    };
    for outcomes in &runs {
        for week in outcomes.scored() {
            for lane in 0..6 {
                let units = order(outcomes, lane, week);
                prop_assert!(
                    (units - units.round()).abs() < 1e-9,
                    "{} {units}",
                    policy.name()
                );
            }
        }
        // Before anything was rounded both see the same, but for the opening stock.
        let first = outcomes.scored().start;
        if (plain.opening() == whole.opening()) && policy.theta().len() < 3 {
            let gap = (order(&asked, 0, first) - order(outcomes, 0, first)).abs();
            prop_assert!(gap <= 0.5 + 1e-5, "{gap}");
        }
    }
    let program = whole.record(policy, &()).unwrap();
    let arrays = whole.arrays::<f64, P, _>(policy, &()).unwrap();
    let batch = arrays.batch(&program).unwrap();
    let gradient = device().gradient(&program, policy.theta(), &batch).unwrap();
    prop_assert!(gradient.params.iter().any(|slope| slope.abs() > 0.0));
    Ok(())
}

/// The outcomes by the recorded program.
fn recorded<P: Policy>(replay: &Replay<'_>, policy: &P) -> Outcomes {
    let program = replay.record(policy, &()).unwrap();
    let arrays = replay.arrays::<f64, P, _>(policy, &()).unwrap();
    let batch = arrays.batch(&program).unwrap();
    let run = device().forward(&program, policy.theta(), &batch).unwrap();
    replay.outcomes(policy, &(), &run).unwrap()
}

/// What a search of parameters reads is what single runs say.
#[test]
fn objectives_are_those_of_runs() {
    let cells = 3 * WEEKS;
    let demand = (0..cells).map(|i| f64::from(u8::try_from(i % 7).unwrap()));
    let columns = Columns {
        demand: demand.collect(),
        price: vec![8.0; cells],
        cost: vec![4.0; cells],
        present: vec![true; cells],
        covariates: vec![],
    };
    let names = (0..3).map(|p| p.to_string()).collect();
    let panel = Panel::new(names, WEEKS, columns).unwrap();
    let paths = Paths::new(&panel, &LeadTimes::uniform(1, 3, 0.4, 3).unwrap(), 7).unwrap();
    let case = Case {
        panel: panel.clone(),
        lead_times: LeadTimes::fixed(0),
        conventions: Conventions::default(),
        opening: None,
    };
    let replay = case.replay(&paths, 3).unwrap();
    let policy = |scale: f64| BaseStock::new("base stock", scale, flat(&panel, 12.0));
    let thetas = [0.3, 1.0, 2.5].map(|scale| vec![scale]);
    let earned = replay
        .objectives(&policy(1.0), &(), &thetas, &device())
        .unwrap();
    for (theta, earned) in thetas.iter().zip(&earned) {
        let run = replay.run(&policy(theta[0]), &device()).unwrap();
        assert_eq!(run.objectives(), earned);
    }
    let wrong = replay.objectives(&policy(1.0), &(), &[vec![1.0, 2.0]], &device());
    assert!(matches!(
        wrong,
        Err(hindsight_exo_idp::Error::Length { .. })
    ));
}
