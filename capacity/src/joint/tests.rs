//! The coupled gradient against a naive tape and against differences.

use hindsight_exo_idp::Paths;
use hindsight_gpu::numbers::Dual;
use hindsight_gpu::{Device, Executor};

use super::*;
use crate::limits::{Family, Limits};
use crate::{Cases, Cohort, Course, Model, Record, World};

const PRODUCTS: usize = 8;
const WEEKS: usize = 20;

/// Two cohorts of eight products, two resources, twenty weeks.
fn with_cases(test: impl FnOnce(&Model, &Cases<f64>)) {
    let world = World::new(2 * PRODUCTS, 60, 5).unwrap();
    let paths = Paths::new(world.panel(), &world.lead_times().unwrap(), 1).unwrap();
    let (resources, index) = (world.resources().unwrap(), world.index().to_vec());
    let record = Record::new(&paths, resources, index, vec![2.0; 2 * PRODUCTS]).unwrap();
    let cohorts = [0, 1].map(|c| Cohort {
        products: (c * PRODUCTS..(c + 1) * PRODUCTS).collect(),
        start: 20 + c,
    });
    let course = Course {
        weeks: WEEKS,
        warm_up: 3,
        discount: 0.99,
    };
    let cases = Cases::new(&record, &cohorts, course).unwrap();
    let limits = [0_u64, 1].map(|c| {
        let factors = |r| Family::Haar.factors(WEEKS, 3, 2 * c + r).unwrap();
        let scale = |level: f64, r| factors(r).iter().map(|f| level * f).collect();
        Limits::new(vec![scale(500.0, 0), scale(150.0, 1)], 5).unwrap()
    });
    let cases = cases.with_limits(&limits).unwrap();
    // Weights that are not small: prices that answer to use.
    let mut model = Model::new(&record.shape(), 4, 7);
    let moved = model.coordinator.theta().iter().zip(0_u32..);
    let moved = moved.map(|(x, k)| x + 0.6 * f64::from(k).sin());
    model.coordinator = model
        .coordinator
        .clone()
        .with_theta(moved.collect())
        .unwrap();
    test(&model, &cases);
}

fn losses() -> [Loss; 3] {
    let loss = Loss::default();
    let (form, reward) = (Form::Dual, 0.3);
    [
        loss,
        Loss { form, ..loss },
        Loss {
            reward,
            margin: 0.05,
            ..loss
        },
    ]
}

/// The objective and its derivative in parameter `at`, product by product and week by week on dual numbers. `blind` cuts the way from use
/// to coordinator to later prices.
fn naive(model: &Model, cases: &Cases<f64>, loss: Loss, at: usize, blind: bool) -> (f64, f64) {
    let (shape, constant) = (&cases.shape, <Dual as Scalar>::constant);
    let all = [model.buyer.theta(), model.coordinator.theta()].concat();
    let number = |(k, &x): (usize, &f64)| {
        if k == at {
            Dual::variable(x)
        } else {
            Dual::constant(x)
        }
    };
    let all: Vec<Dual> = all.iter().enumerate().map(number).collect();
    let (theta, omega) = all.split_at(model.buyer.theta().len());
    let (lanes, rows) = (cases.lanes(), shape.exo());
    let mut total = constant(0.0);
    for group in 0..cases.groups() {
        let own = group * PRODUCTS..(group + 1) * PRODUCTS;
        let of = |lane: usize| -> Vec<Dual> {
            (0..shape.lane())
                .map(|k| constant(cases.lane[k * lanes + lane]))
                .collect()
        };
        let traits: Vec<Vec<Dual>> = own.clone().map(of).collect();
        let mut states: Vec<Vec<Dual>> = traits.iter().map(|t| t[..=shape.lead].to_vec()).collect();
        let mut lines = vec![DelayLine::new(); memory(shape)];
        for week in 0..WEEKS {
            let shared: Vec<Dual> = cases
                .shared_of(week, group)
                .into_iter()
                .map(constant)
                .collect();
            let exo = |lane: usize| -> Vec<Dual> {
                let at = |k: usize| (week * rows + k) * lanes + lane;
                (0..rows).map(|k| constant(cases.exo[at(k)])).collect()
            };
            let exo: Vec<Vec<Dual>> = own.clone().map(exo).collect();
            let seen: Vec<_> = (0..PRODUCTS)
                .map(|p| observe(shape, &exo[p], &states[p]))
                .collect();
            let each =
                |p: usize| contributions(shape, &exo[p], &traits[p][shape.lead + 2..], &seen[p].1);
            let add =
                |a: Vec<Dual>, b: Vec<Dual>| a.into_iter().zip(b).map(|(a, b)| a + b).collect();
            let sums: Vec<Dual> = (1..PRODUCTS).map(each).fold(each(0), add);
            let known: Vec<Dual> = sums
                .iter()
                .map(|&s| if blind { Scalar::detach(s) } else { s })
                .collect();
            let prices = model.coordinator.prices(omega, &known, &shared);
            let mut used = vec![constant(0.0); shape.resources()];
            let week_money = sums[shape.resources() * (5 + shape.lead)];
            for (p, (state, mine)) in seen.into_iter().enumerate() {
                let volumes = &traits[p][shape.lead + 2..];
                let published = prices
                    .iter()
                    .enumerate()
                    .map(|(k, &x)| x * volumes[k / (HORIZON + 1)]);
                let mut signals = signals(&exo[p], traits[p][shape.lead + 1]);
                signals.extend(published);
                let observation = Observation {
                    inventory: &mine,
                    signals: &signals,
                };
                let order = model.buyer.order(theta, &observation, &mut []);
                let played = play(shape, &exo[p], state, order);
                for (sum, own) in used.iter_mut().zip(uses(shape, &played, volumes)) {
                    *sum = *sum + own;
                }
                let money = shared[WEIGHT] * played.trace[3] + shared[TERMINAL] * played.trace[4];
                let share = constant(loss.reward) / week_money;
                total = total + money * share * constant(0.5);
                states[p] = played.state;
            }
            let lost = lost(shape, &loss, &used, &prices, &sums, &shared, &mut lines);
            total = total - lost * constant(0.5);
        }
    }
    (total.value(), total.derivative())
}

/// The gradient of the program is that of a naive tape to 1e-9 and of central differences to 1e-6, for every loss and every parameter of
/// both networks; and a tape that drops the way from use to later prices is told from it.
#[test]
fn the_coupled_gradient_is_exact() {
    with_cases(|model, cases| {
        for loss in losses() {
            let joint = Joint {
                shape: &cases.shape,
                buyer: &model.buyer,
                coordinator: Some((&model.coordinator, loss)),
                traced: false,
            };
            let (program, theta, device) = (joint.program(), joint.theta(), Device::cpu(1));
            let batch = cases.batch(&program).unwrap();
            let exact = device.gradient(&program, &theta, &batch).unwrap();
            let scale = exact.params.iter().fold(0.0_f64, |m, g| m.max(g.abs()));
            let (mut blind, mut checked) = (0.0_f64, 0);
            for at in (0..theta.len()).step_by(7) {
                let (value, slope) = naive(model, cases, loss, at, false);
                assert!(
                    (value - exact.objective).abs() < 1e-9 * value.abs(),
                    "{value} {}",
                    exact.objective
                );
                let gap = (slope - exact.params[at]).abs() / scale;
                assert!(
                    gap < 1e-9,
                    "{loss:?} parameter {at}: {slope} {}",
                    exact.params[at]
                );
                if checked % 10 == 0 && loss.form == Form::Adherence {
                    let moved = |h: f64| {
                        let mut theta = theta.clone();
                        theta[at] += h;
                        device.gradient(&program, &theta, &batch).unwrap().objective
                    };
                    let h = 1e-5;
                    let difference = (moved(h) - moved(-h)) / (2.0 * h);
                    assert!(
                        (difference - slope).abs() / scale < 1e-6,
                        "{at}: {difference} {slope}"
                    );
                }
                if loss.form == Form::Adherence {
                    let (_, dropped) = naive(model, cases, loss, at, true);
                    blind = blind.max((dropped - slope).abs() / scale);
                }
                checked += 1;
            }
            // Four orders above what the gradient is exact to.
            let caught = blind > 1e-5;
            assert_eq!(
                caught,
                loss.form == Form::Adherence,
                "a dropped path is off by {blind}"
            );
        }
    });
}

/// What the coordinator makes is computed once a cohort, not once a product.
#[test]
fn prices_are_computed_once_a_cohort() {
    with_cases(|model, cases| {
        let joint = Joint {
            shape: &cases.shape,
            buyer: &model.buyer,
            coordinator: Some((&model.coordinator, Loss::default())),
            traced: false,
        };
        let size = joint.program().size();
        assert!(size.group_rows > 2 * cases.shape.published(), "{size:?}");
    });
}
