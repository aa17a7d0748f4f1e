//! The unit of demand does not matter: every policy, heuristic and network, earns the same money when demand is counted in dozens,
//! pieces or thousandths.

use std::ops::ControlFlow;

use hindsight_exo_idp::oracle::hindsight_optimum;
use hindsight_exo_idp::panel::{Columns, Covariate};
use hindsight_exo_idp::policy::{
    BaseStock, ConstantOrder, LeadTimeDemand, Plan, PromotionForecast, Signals, target_position,
};
use hindsight_exo_idp::train::{Recipe, Setting, Training, groups_by_variation, tune_levels};
use hindsight_exo_idp::{Conventions, LeadTimes, Panel, Paths, Replay};
use hindsight_gpu::{Device, Stream};
use rand::RngExt;

const PRODUCTS: usize = 6;
const WEEKS: usize = 80;
const FITTED: usize = 60;

/// Products of mean demand 0.4 to 60, with promotions and weeks without demand.
fn panel(unit: f64) -> Panel {
    let mut rng = Stream::new(11, "units").at(0, 0);
    let mut columns = Columns::default();
    let mut promotion = Vec::new();
    for product in 0..PRODUCTS {
        let mean = 0.4 * 2.7_f64.powi(i32::try_from(product).unwrap());
        for _ in 0..WEEKS {
            let promoted = rng.random::<f64>() < 0.2;
            let lift = if promoted { 2.5 } else { 1.0 };
            let some = f64::from(u8::from(rng.random::<f64>() < 0.8));
            columns
                .demand
                .push(unit * (mean * lift * some * rng.random_range(0.3..1.7)));
            columns.price.push(if promoted { 8.0 } else { 10.0 } / unit);
            columns.cost.push(6.0 / unit);
            columns.present.push(rng.random::<f64>() < 0.97);
            promotion.push(f64::from(u8::from(promoted)));
        }
        let first = product * WEEKS;
        columns.present[first] = true;
    }
    columns.covariates = vec![Covariate {
        name: "promotion".into(),
        planned: true,
        values: promotion,
    }];
    let names = (0..PRODUCTS).map(|p| p.to_string()).collect();
    Panel::new(names, WEEKS, columns).unwrap()
}

/// What every policy earns, in money.
fn earned(unit: f64) -> Vec<(String, f64)> {
    let panel = panel(unit);
    let device = Device::cpu(2);
    let conventions = Conventions {
        holding: 0.02 / unit,
        penalty: 0.5 / unit,
        ..Conventions::default()
    };
    let law = LeadTimes::uniform(1, 3, 0.5, 7).unwrap();
    let setting = Setting {
        panel: &panel,
        lead_times: &law,
        conventions,
        plan: Plan {
            horizon: 3,
            price: true,
        },
        weeks: 0..FITTED,
        warm_up: 8,
        opening: None,
    };
    let paths = Paths::new(&panel, &law, 2).unwrap();
    let replay = setting.replay(&paths, FITTED..WEEKS).unwrap();
    let learnt = setting.replay(&paths, setting.scored()).unwrap();
    let forecast = PromotionForecast::fit(&panel, 0..FITTED, setting.plan, 4).unwrap();
    let target = target_position(
        &panel,
        0..FITTED,
        &law,
        LeadTimeDemand::Convolved,
        &conventions,
    );
    let target = target.unwrap();
    let promoted = forecast
        .target_position(&panel, &law, &conventions)
        .unwrap();
    let groups = groups_by_variation(&learnt, 3);
    let factors: Vec<f64> = (0..24).map(|i| 0.2 + 0.1 * f64::from(i)).collect();
    let tuned =
        |levels: &Signals| tune_levels(&learnt, levels, &groups, &factors, &device).unwrap();
    let reference = setting.reference();
    let mean = Signals::from_fn(WEEKS, 1, PRODUCTS, |_, _, p| reference[p]);
    let run = |name: &str, levels: Signals| {
        let policy = BaseStock::new(name, 1.0, levels);
        (
            name.to_owned(),
            replay.run(&policy, &device).unwrap().reward(),
        )
    };
    let optimum = |replay: &Replay<'_>| -> f64 {
        (0..paths.lanes())
            .map(|lane| hindsight_optimum(replay, lane))
            .sum::<f64>()
            / 2.0
    };
    let mut all = vec![
        run("promotion-aware newsvendor, tuned", tuned(&promoted)),
        run("promotion-aware newsvendor", promoted),
        run("target position, tuned", tuned(&target)),
        run("target position", target),
        run("base stock", tuned(&mean)),
        ("hindsight optimum".to_owned(), optimum(&replay)),
    ];
    let constant = ConstantOrder::new(1.0, mean);
    all.push((
        "constant order".to_owned(),
        replay.run(&constant, &device).unwrap().reward(),
    ));
    for anchored in [true, false] {
        let recipe = Recipe {
            training: Training {
                steps: 60,
                batch: 12,
                ..Training::default()
            },
            ensemble_size: 1,
            anchored,
            ..Recipe::default()
        };
        let go = |_: &_| ControlFlow::Continue(());
        let fitted = recipe.fit(&setting, &law, &forecast, &device, go).unwrap();
        let reward = replay.run(&fitted.policy, &device).unwrap().reward();
        all.push((format!("network, anchored {anchored}"), reward));
    }
    all
}

#[test]
fn every_policy_earns_the_same_in_every_unit() {
    let pieces = earned(1.0);
    for unit in [1.0 / 12.0, 12.0, 1000.0] {
        for ((name, a), (_, b)) in pieces.iter().zip(earned(unit)) {
            let gap = (a - b).abs() / a.abs();
            assert!(gap < 0.005, "{name}: {a} in pieces, {b} in units of {unit}");
        }
    }
}
