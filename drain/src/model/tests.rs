//! Laws of the model.

use gpu::{Batch, Device, Executor, Program, Scalar, Shape, Start, Step};
use proptest::prelude::*;

use super::arrays::{self, Noise};
use super::network::Network;
use super::*;

/// A model with random weights, much wilder than trained ones.
fn wild(seed: u64, options: usize) -> DrainModel {
    let size = Size {
        hidden: 8,
        rank: 2,
        rounds: 3,
    };
    let network = Network::new(size, options);
    let mut params = network.initial(seed);
    // Undo that the head begins near zero, and more.
    let start = params.len() / 2;
    params[start..].iter_mut().for_each(|p| *p *= 8.0);
    DrainModel {
        size,
        options,
        params,
    }
}

/// The same with every unit shipped that can be.
fn served(mut model: DrainModel) -> DrainModel {
    let last = model.params.len() - 2;
    let weights = last - 2 * model.size.hidden;
    model.params[weights..last].fill(0.0);
    model.params[last] = 100.0;
    model
}

fn numbers(seed: u64, count: usize) -> Vec<f64> {
    use rand::RngExt;
    let mut rng = gpu::Stream::new(seed, "tests").at(0, 0);
    (0..count).map(|_| rng.random()).collect()
}

fn network_of(warehouses: usize, zones: usize, seed: u64) -> UnitCosts {
    let price: Vec<f64> = numbers(seed, 2 * warehouses * zones)
        .iter()
        .map(|u| 2.0 + 8.0 * u)
        .collect();
    UnitCosts::new(
        warehouses,
        zones,
        price,
        vec![1.5; warehouses],
        vec![11.0; warehouses],
    )
    .unwrap()
}

/// States of all kinds: plenty, short, no stock, no demand, single units, thousands.
fn states_of(costs: &UnitCosts, count: usize, seed: u64) -> Vec<State> {
    let (w, z) = (costs.warehouses(), costs.zones());
    (0..count)
        .map(|k| {
            let u = numbers(seed + k as u64, w + z + 2);
            let scale = 10.0_f64.powf(4.0 * u[w + z]);
            let stock = u[..w].iter().map(|v| {
                let units = (scale * v * [0.0, 0.2, 1.0, 3.0][k % 4]).round();
                if *v < 0.2 { 0.0 } else { units }
            });
            let demand = u[w..w + z]
                .iter()
                .map(|v| if k % 9 == 5 { 0.0 } else { (scale * v).round() });
            State {
                stock: stock.collect(),
                demand: demand.collect(),
            }
        })
        .collect()
}

/// O1 of the checks, so many samples; the tolerance is that of sums in double precision.
fn violations(rounds: u64, samples: usize) -> (usize, usize) {
    let device = Device::cpu(1);
    let (mut count, mut wrong) = (0, 0);
    for round in 0..rounds {
        let costs = network_of(2 + round as usize % 7, 1 + round as usize % 5, round);
        let states = states_of(&costs, 40, 1000 * round);
        let mut model = wild(round, 2);
        if round % 3 == 0 {
            model = served(model);
        }
        let forecasts = model
            .forecast(&costs, &states, samples, round, &device)
            .unwrap();
        for (state, forecast) in states.iter().zip(&forecasts) {
            for sample in &forecast.samples {
                count += 1;
                let total = sample.total_units();
                let complete = round % 3 != 0 || total >= state.most() * (1.0 - 1e-9) - 1e-9;
                wrong += usize::from(!is_feasible(&costs, state, sample, 1e-10) || !complete);
            }
        }
    }
    (count, wrong)
}

#[test]
fn samples_are_feasible() {
    assert_eq!(violations(20, 200), (160_000, 0));
}

#[test]
#[ignore = "ten million samples take a minute"]
fn ten_million_samples_are_feasible() {
    assert_eq!(violations(250, 1000), (10_000_000, 0));
}

/// A planted fault must show: a unit too many, and money without units.
#[test]
fn infeasible_drains_are_told() {
    let costs = network_of(3, 2, 1);
    let state = State {
        stock: vec![5.0, 0.0, 9.0],
        demand: vec![4.0, 3.0],
    };
    let drain = |units: [f64; 3]| Drain {
        units: units.to_vec(),
        cost: units.iter().map(|u| 5.0 * u).collect(),
    };
    assert!(is_feasible(&costs, &state, &drain([5.0, 0.0, 2.0]), 1e-10));
    assert!(!is_feasible(&costs, &state, &drain([5.0, 0.0, 2.1]), 1e-10)); // beyond demand
    assert!(!is_feasible(&costs, &state, &drain([5.1, 0.0, 0.0]), 1e-10)); // beyond stock
    let mut paid = drain([5.0, 0.0, 2.0]);
    paid.cost[1] = 1.0;
    assert!(!is_feasible(&costs, &state, &paid, 1e-10));
    paid.cost[1] = 0.0;
    paid.cost[0] = 1.0;
    assert!(!is_feasible(&costs, &state, &paid, 1e-10)); // below the tariff
}

/// O2: the derivatives are those of differences, off the kinks.
#[test]
fn sensitivities_are_differences() {
    let device = Device::cpu(1);
    let (mut checked, mut kinks) = (0, 0);
    for round in 0..12 {
        let costs = network_of(4, 3, round);
        let model = wild(round, 2);
        let states: Vec<State> = states_of(&costs, 8, 50 * round)
            .into_iter()
            .map(|mut s| {
                s.stock.iter_mut().for_each(|v| *v += 1.3);
                s.demand.iter_mut().for_each(|v| *v += 1.0);
                s
            })
            .collect();
        let samples = 5;
        let found = model
            .sensitivities(&costs, &states, samples, 3, &device)
            .unwrap();
        let total = |states: &[State], k: usize| {
            let mean = model.forecast(&costs, states, samples, 3, &device).unwrap()[k].mean();
            [mean.total_units(), mean.total_cost()]
        };
        for k in 0..states.len() {
            for w in 0..4 {
                let difference = |h: f64| {
                    let moved = |by: f64| {
                        let mut other = states.clone();
                        other[k].stock[w] += by;
                        total(&other, k)
                    };
                    let (up, down) = (moved(h), moved(-h));
                    [0, 1].map(|i| (up[i] - down[i]) / (2.0 * h))
                };
                let step = 1e-4 * states[k].stock[w].min(100.0);
                let (coarse, fine) = (difference(step), difference(step / 4.0));
                for i in 0..2 {
                    let exact = [&found[k].units, &found[k].cost][i][w];
                    let scale = 1.0 + exact.abs();
                    if (coarse[i] - fine[i]).abs() > 1e-6 * scale {
                        kinks += 1;
                        continue;
                    }
                    checked += 1;
                    assert!(
                        (exact - fine[i]).abs() < 1e-5 * scale,
                        "{exact} is no {}",
                        fine[i]
                    );
                }
            }
        }
    }
    assert!(
        checked > 10 * kinks && checked > 500,
        "{checked} checked, {kinks} kinks"
    );
}

/// O3: one more unit is not shipped where all demand is served, and is shipped wherever it lies where the network is short.
#[test]
fn units_follow_stock_exactly_where_the_network_is_short() {
    let device = Device::cpu(1);
    let costs = network_of(5, 3, 2);
    let model = served(wild(3, 2));
    let state = |stock: [f64; 5]| State {
        stock: stock.to_vec(),
        demand: vec![30.0, 50.0, 20.0],
    };
    let states = [
        state([40.0, 30.0, 10.0, 80.0, 25.0]),
        state([10.0, 30.0, 5.0, 20.0, 25.0]),
    ];
    let found = model
        .sensitivities(&costs, &states, 16, 1, &device)
        .unwrap();
    assert!(
        found[0].units.iter().all(|d| d.abs() < 1e-10),
        "{:?}",
        found[0].units
    );
    assert!(
        found[1].units.iter().all(|d| (d - 1.0).abs() < 1e-10),
        "{:?}",
        found[1].units
    );
}

/// Warehouses in another order, with their noise, give the same samples in that order.
#[test]
fn samples_do_not_depend_on_the_order_of_warehouses() {
    let device = Device::cpu(1);
    let costs = network_of(6, 4, 5);
    let states = states_of(&costs, 9, 7);
    let order = [3, 0, 5, 1, 4, 2];
    let model = wild(9, 2);
    let network = model.network();
    let run = |costs: &UnitCosts, states: &[State], order: &[usize]| {
        let program = super::sample::sampler(&network, costs);
        let shape = (states.len(), 6);
        let mut noise = Noise::draw(4, shape, 2, 8, network.latents());
        let lanes = 6 * states.len();
        noise.own = noise
            .own
            .chunks_exact(lanes)
            .flat_map(|row| {
                row.chunks_exact(6)
                    .flat_map(|case| order.iter().map(|&w| case[w]))
            })
            .collect();
        let lane = arrays::states(costs, states);
        let groups = vec![6; states.len()];
        let batch = Batch::new(&program, lanes, 2)
            .lane(&lane)
            .unwrap()
            .exo(&noise.own)
            .unwrap()
            .groups(&groups)
            .unwrap()
            .shared_by_group(&noise.shared)
            .unwrap();
        device
            .forward(&program, &model.params, &batch)
            .unwrap()
            .traces
    };
    let plain = run(&costs, &states, &[0, 1, 2, 3, 4, 5]);
    let moved: Vec<State> = states
        .iter()
        .map(|s| State {
            stock: order.iter().map(|&w| s.stock[w]).collect(),
            demand: s.demand.clone(),
        })
        .collect();
    let permuted = run(&costs.permuted(&order), &moved, &order);
    let mut differs = false;
    for (a, b) in plain.chunks_exact(6).zip(permuted.chunks_exact(6)) {
        for (i, &w) in order.iter().enumerate() {
            assert!((a[w] - b[i]).abs() < 1e-9, "{} became {}", a[w], b[i]);
            differs |= (a[i] - b[i]).abs() > 1e-3;
        }
    }
    assert!(differs, "the order matters to where numbers stand");
}

/// The level by bisection.
fn level(weights: &[f64], capacities: &[f64], total: f64) -> Vec<f64> {
    let fill = |level: f64| -> Vec<f64> {
        weights
            .iter()
            .zip(capacities)
            .map(|(p, c)| c.min(p * level))
            .collect()
    };
    let (mut low, mut high) = (0.0, 1e12);
    for _ in 0..300 {
        let middle = 0.5 * (low + high);
        if fill(middle).iter().sum::<f64>() < total {
            low = middle
        } else {
            high = middle
        }
    }
    fill(high)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn water_filling_is_feasible_and_level(
        lanes in prop::collection::vec((0.01..10.0_f64, 0.0..1.0_f64), 2..9), share in 0.01..0.999_f64
    ) {
        let (weights, capacities): (Vec<f64>, Vec<f64>) = lanes.into_iter().unzip();
        let total = share * capacities.iter().sum::<f64>();
        let shape = Shape { lane: 3, ..Shape::default() };
        let program = Program::record(shape, |_, _| Start::default(), |_, i| Step {
            traces: vec![water_filling(i.lane[0], i.lane[1], i.lane[2])],
            objective: water_filling(i.lane[0], i.lane[1], i.lane[2]) * i.lane[0].sigmoid(),
            ..Step::new()
        });
        let n = weights.len();
        let rows = [weights.clone(), capacities.clone(), vec![total; n]].concat();
        let ones = vec![1.0; n];
        let run = |rows: &[f64]| {
            let batch = Batch::new(&program, n, 1).lane(rows).unwrap().weights(&ones).unwrap().differentiate_inputs();
            (Device::cpu(1).forward(&program, &[], &batch).unwrap(), Device::cpu(1).gradient(&program, &[], &batch).unwrap())
        };
        let (forward, gradient) = run(&rows);
        let found = forward.traces;
        prop_assert!((found.iter().sum::<f64>() - total).abs() < 1e-9);
        prop_assert!(found.iter().zip(&capacities).all(|(y, c)| (0.0..=*c).contains(y)));
        for (y, expected) in found.iter().zip(level(&weights, &capacities, total)) {
            prop_assert!((y - expected).abs() < 1e-7, "{found:?}");
        }
        // The sum of a lane's own derivatives of the total is one by one a difference, off the kinks.
        let objective = |rows: &[f64]| run(rows).1.objective;
        for k in 0..2 * n {
            let difference = |h: f64| {
                let moved = |by: f64| { let mut r = rows.clone(); r[k] += by; objective(&r) };
                (moved(h) - moved(-h)) / (2.0 * h)
            };
            let step = 1e-6;
            let (a, b) = (difference(step), difference(step / 3.0));
            if rows[k] > 1e-4 && (a - b).abs() < 1e-6 {
                prop_assert!((gradient.lane[k] - b).abs() < 1e-5 * (1.0 + b.abs()), "{k}: {} {b}", gradient.lane[k]);
            }
        }
    }

    #[test]
    fn whole_units_keep_sum_and_limits(pairs in prop::collection::vec((0.0..50.0_f64, 0.0..1.0_f64), 1..12)) {
        let limits: Vec<f64> = pairs.iter().map(|(l, _)| l.round()).collect();
        let units: Vec<f64> = limits.iter().zip(&pairs).map(|(l, (_, u))| l * u).collect();
        let whole = whole_units(&units, &limits);
        prop_assert_eq!(whole.iter().sum::<u64>(), units.iter().sum::<f64>().round() as u64);
        for ((w, u), l) in whole.iter().zip(&units).zip(&limits) {
            prop_assert!(*w as f64 <= *l && (*w as f64 - u).abs() < 1.0 + 1e-9);
        }
    }

    #[test]
    fn baselines_are_feasible_and_the_programme_is_cheapest(seed in 0..500_u64) {
        let costs = network_of(4, 3, seed);
        for state in states_of(&costs, 6, seed) {
            let said: Vec<Drain> = Baseline::ALL.iter().map(|b| b.forecast(&costs, &state).unwrap()).collect();
            for drain in &said {
                prop_assert!(is_feasible(&costs, &state, drain, 1e-9));
                prop_assert!((drain.total_units() - state.most()).abs() < 1e-6 * (1.0 + state.most()));
            }
            prop_assert!(said[2].total_cost() <= said[1].total_cost() + 1e-6 * (1.0 + said[1].total_cost()));
            prop_assert!(said[2].total_cost() <= said[0].total_cost() + 1e-6 * (1.0 + said[0].total_cost()));
        }
    }
}

#[test]
fn forecasts_are_the_same_bits_for_any_number_of_threads() {
    let costs = network_of(5, 3, 1);
    let states = states_of(&costs, 30, 3);
    let run = |threads| {
        wild(2, 2)
            .forecast(&costs, &states, 11, 5, &Device::cpu(threads))
            .unwrap()
    };
    assert_eq!(run(1), run(3));
    // Neither do they depend on the states that come after.
    assert_eq!(
        wild(2, 2)
            .forecast(&costs, &states[..4], 11, 5, &Device::cpu(1))
            .unwrap(),
        run(1)[..4]
    );
}

#[test]
fn saved_models_come_back_and_damage_is_told() {
    use crate::error::DrainError;
    let model = wild(4, 3);
    let text = model.to_text();
    assert_eq!(DrainModel::from_text(&text).unwrap(), model);
    for (place, byte) in text.bytes().enumerate().step_by(37) {
        let mut other = text.clone().into_bytes();
        other[place] = if byte == b'5' { b'6' } else { b'5' };
        assert!(
            DrainModel::from_text(std::str::from_utf8(&other).unwrap()).is_err(),
            "byte {place}"
        );
    }
    assert!(DrainModel::from_text(&text[..text.len() / 2]).is_err());
    assert_eq!(
        DrainModel::from_text(""),
        Err(DrainError::NotAModel { line: 1 })
    );
    let newer = text.replacen("model 1", "model 2", 1);
    assert_eq!(
        DrainModel::from_text(&newer),
        Err(DrainError::Version {
            found: "2".to_owned()
        })
    );
}

#[test]
fn wrong_input_is_named() {
    use crate::error::{Argument, DrainError};
    let device = Device::cpu(1);
    let costs = network_of(2, 2, 1);
    let state = |stock: Vec<f64>| State {
        stock,
        demand: vec![1.0; 2],
    };
    let forecast = |state: State| {
        wild(1, 2)
            .forecast(&costs, &[state], 1, 0, &device)
            .unwrap_err()
    };
    assert!(matches!(
        forecast(state(vec![1.0])),
        DrainError::Length {
            argument: Argument::Stock,
            expected: 2,
            found: 1
        }
    ));
    assert!(matches!(
        forecast(state(vec![1.0, -2.0])),
        DrainError::Negative {
            argument: Argument::Stock,
            index: 1,
            ..
        }
    ));
    assert!(matches!(
        forecast(state(vec![f64::NAN, 1.0])),
        DrainError::NotFinite {
            argument: Argument::Stock,
            index: 0,
            ..
        }
    ));
    assert!(matches!(
        wild(1, 3).forecast(&costs, &[state(vec![1.0; 2])], 1, 0, &device),
        Err(DrainError::Length {
            argument: Argument::ShipOption,
            expected: 3,
            found: 2
        })
    ));
    assert_eq!(
        wild(1, 2).forecast(&costs, &[], 1, 0, &device),
        Err(DrainError::Empty {
            argument: Argument::State
        })
    );
    let mut log = Log::new(costs);
    assert_eq!(
        DrainModel::fit(&log, &Training::default(), &device),
        Err(DrainError::Empty {
            argument: Argument::Log
        })
    );
    let drain = Drain {
        units: vec![1.5, 0.0],
        cost: vec![5.0, 0.0],
    };
    assert_eq!(
        log.push(state(vec![1.0, 1.0]), drain),
        Err(DrainError::Impossible { index: 0 })
    );
}
