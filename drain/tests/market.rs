//! A regional policy of `exo-idp` is trained through the model.

use std::ops::ControlFlow;

use hindsight_drain::gpu::{DelayLine, Device, Executor, Scalar};
use hindsight_drain::model::{DrainMarket, DrainModel, Terms, Training};
use hindsight_drain::orders::{Place, Referee, Rules};
use hindsight_drain::protocol::World;
use hindsight_exo_idp::market::Market;
use hindsight_exo_idp::panel::Columns;
use hindsight_exo_idp::policy::{Observation, Policy, Signals};
use hindsight_exo_idp::train::{Training as Course, direct_backprop};
use hindsight_exo_idp::{Conventions, LeadTimes, Panel, Paths, Replay, Window};

const WAREHOUSES: usize = 4;
const WEEKS: usize = 14;
const SAMPLES: usize = 3;

/// Orders up to a level of the warehouse's own, whose logarithm is trained.
#[derive(Debug)]
struct Levels {
    theta: Vec<f64>,
    number: Signals,
}

impl Policy for Levels {
    fn name(&self) -> &str {
        "levels"
    }
    fn theta(&self) -> &[f64] {
        &self.theta
    }
    fn signals(&self) -> Option<&Signals> {
        Some(&self.number)
    }
    fn is_network(&self) -> bool {
        true
    }
    fn order<S: Scalar>(
        &self,
        theta: &[S],
        seen: &Observation<'_, S>,
        _: &mut [DelayLine<S>],
    ) -> S {
        (S::pick(theta, seen.signals[0]).exp() - seen.inventory.position).relu()
    }
}

fn world() -> World {
    let place = |east, north| Place { east, north };
    let houses = [
        place(0.0, 0.0),
        place(900.0, 100.0),
        place(1800.0, 300.0),
        place(700.0, 900.0),
    ];
    let zones = [
        place(50.0, 60.0),
        place(300.0, 0.0),
        place(1000.0, 200.0),
        place(1700.0, 250.0),
        place(750.0, 800.0),
        place(400.0, 500.0),
    ];
    let referee = Referee::on_map(&houses, &zones, 60, Rules::default()).unwrap();
    World::new(referee, vec![40.0, 20.0, 25.0, 15.0, 20.0, 10.0]).unwrap()
}

#[test]
fn a_policy_of_exo_idp_is_trained_through_the_drain() {
    let world = world();
    let device = Device::cpu(1);
    let log = world.log(400, 3).unwrap();
    let fit = Training {
        steps: 300,
        ..Training::default()
    };
    let model = DrainModel::fit(&log, &fit, &device).unwrap();
    let demand: Vec<Vec<f64>> = (0..)
        .take(WEEKS)
        .map(|week| world.demand(5, week))
        .collect();
    let terms = Terms {
        price: 30.0,
        lost_penalty: 5.0,
    };
    let market = DrainMarket::new(model, world.costs(), &demand, terms, SAMPLES, 2).unwrap();

    let cells = WAREHOUSES * WEEKS;
    let columns = Columns {
        demand: vec![0.0; cells],
        price: vec![30.0; cells],
        cost: vec![10.0; cells],
        present: vec![true; cells],
        covariates: vec![],
    };
    let names = (0..WAREHOUSES).map(|w| w.to_string()).collect();
    let panel = Panel::new(names, WEEKS, columns).unwrap();
    let paths = Paths::new(&panel, &LeadTimes::fixed(1), SAMPLES).unwrap();
    let conventions = Conventions {
        holding: 0.5,
        ..Conventions::default()
    };
    let window = Window {
        scored: 2..WEEKS,
        warm_up: 2,
    };
    let replay = Replay::new(&paths, conventions, window, &[20.0; WAREHOUSES]).unwrap();
    let policy = Levels {
        theta: vec![3.0; WAREHOUSES],
        number: Signals::constant(WEEKS, 1, WAREHOUSES, |_, w| {
            f64::from(u8::try_from(w).unwrap())
        }),
    };

    // The gradient in every level, through drain, stock and cost of all weeks and all warehouses, is a difference.
    let program = replay.record(&policy, &market).unwrap();
    let arrays = replay.arrays::<f64, _, _>(&policy, &market).unwrap();
    let theta = [policy.theta().to_vec(), market.theta()].concat();
    let run = |theta: &[f64]| {
        device
            .gradient(&program, theta, &arrays.batch(&program).unwrap())
            .unwrap()
    };
    let exact = run(&theta);
    for w in 0..WAREHOUSES {
        let difference = |h: f64| {
            let moved = |by: f64| {
                let mut theta = theta.clone();
                theta[w] += by;
                run(&theta).objective
            };
            (moved(h) - moved(-h)) / (2.0 * h)
        };
        let fine = difference(1e-6);
        assert!(
            (exact.params[w] - fine).abs() < 1e-4 * (1.0 + fine.abs()),
            "{w}: {} {fine}",
            exact.params[w]
        );
    }

    // Training earns more, and leaves the model as it was.
    let course = Course {
        steps: 200,
        batch: WAREHOUSES * SAMPLES,
        learning_rate: 0.03,
        weight_decay: 0.0,
        ..Course::default()
    };
    let weights = vec![1.0; WAREHOUSES * SAMPLES];
    let watch = |_: &_| ControlFlow::Continue(());
    let trained = direct_backprop(
        &policy, &market, &replay, None, &weights, &course, &device, watch,
    )
    .unwrap();
    assert_eq!(trained.theta.len(), theta.len());
    for (before, after) in theta[WAREHOUSES..].iter().zip(&trained.theta[WAREHOUSES..]) {
        assert!(
            (before - after).abs() <= 1e-6 * before.abs(),
            "a parameter of the model moved"
        );
    }
    let (before, after) = (exact.objective, run(&trained.theta).objective);
    assert!(
        after > before + 0.05 * before.abs(),
        "{before} became {after}"
    );
}

#[test]
fn wrong_terms_are_named() {
    let world = world();
    let device = Device::cpu(1);
    let fit = Training {
        steps: 1,
        ..Training::default()
    };
    let model = DrainModel::fit(&world.log(5, 3).unwrap(), &fit, &device).unwrap();
    let market = |price, samples| {
        let terms = Terms {
            price,
            lost_penalty: 0.0,
        };
        DrainMarket::new(
            model.clone(),
            world.costs(),
            &[vec![1.0; 6]],
            terms,
            samples,
            0,
        )
        .is_err()
    };
    assert!(market(-1.0, 1) && market(f64::NAN, 1) && market(1.0, 0) && !market(1.0, 1));
}
