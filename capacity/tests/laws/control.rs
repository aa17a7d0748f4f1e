//! Controllers on the same paths.

use std::sync::OnceLock;

use hindsight_capacity::control::{Ascent, Forecaster, Gate, Posted, Predictive, StepRule};
use hindsight_capacity::gpu::Device;
use hindsight_capacity::limits::{Family, Limits};
use hindsight_capacity::{
    Cases, Course, Draw, Error, HORIZON, Model, Record, Roll, Training, World,
};
use hindsight_exo_idp::Paths;

const COURSE: Course = Course {
    weeks: 24,
    warm_up: 6,
    discount: 0.995,
};
const LAW: [f64; 4] = [0.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0];

fn with_cases(test: impl FnOnce(&World, &Record<'_>, &Model, &Cases<f32>)) {
    let world = World::new(60, 120, 4).unwrap();
    let paths = Paths::new(world.panel(), &world.lead_times().unwrap(), 1).unwrap();
    let (resources, index) = (world.resources().unwrap(), world.index().to_vec());
    let record = Record::new(&paths, resources, index, vec![2.0; 60]).unwrap();
    let device = Device::best();
    let draw = Draw {
        products: 0..60,
        weeks: 0..80,
        size: 8,
        cohorts: 64,
        families: vec![Family::Haar],
        roomy: 0.0,
        notice: 13,
        seed: 1,
    };
    // Trained once for all tests.
    static MODEL: OnceLock<Model> = OnceLock::new();
    let model = MODEL.get_or_init(|| {
        let mut model = Model::new(&record.shape(), 16, 3);
        let pool = Cases::new(&record, &draw.cohorts(COURSE).unwrap(), COURSE).unwrap();
        let training = Training {
            steps: 600,
            ..Training::default()
        };
        model.train_buyer(&pool, &training, &device).unwrap();
        model
    });
    let other = Draw {
        weeks: 80..120,
        size: 20,
        cohorts: 6,
        families: Family::HELD_OUT.to_vec(),
        seed: 7,
        ..draw
    };
    let cases = other.cases(&record, &model.buyer, COURSE, &device).unwrap();
    test(&world, &record, model, &cases);
}

fn violation(cases: &Cases<f32>, roll: &Roll) -> f64 {
    let scores = cases.scores(roll);
    scores.iter().map(|s| s.violation).sum::<f64>()
        / f64::from(u32::try_from(scores.len()).unwrap())
}

/// A gate never lets more in than there is room for, and loses reward; both ways in which it cuts obey the same limits.
#[test]
fn a_gate_keeps_the_limits_that_stock_at_hand_allows() {
    with_cases(|_, _, model, cases| {
        let device = Device::best();
        let free = cases.play(&model.buyer, None, &device).unwrap();
        for gate in [Gate::ProRata, Gate::Greedy] {
            let roll = cases.gated(&model.buyer, gate, &device).unwrap();
            for (group, limits) in cases.limits().iter().enumerate() {
                for week in 0..COURSE.weeks {
                    let inbound = roll.usage[group][1][week];
                    assert!(inbound <= limits.of(1)[week] * (1.0 + 1e-5), "{inbound}");
                }
            }
            assert!(violation(cases, &roll) < 0.3 * violation(cases, &free));
            assert!(roll.reward.iter().sum::<f64>() < free.reward.iter().sum::<f64>());
        }
    });
}

/// Prices that are planned or known in hindsight hold limits better than none; what was charged is what was published; the same seed gives
/// the same bytes.
#[test]
fn planned_prices_hold_limits_better_than_none() {
    with_cases(|world, record, model, cases| {
        let (device, buyer) = (Device::best(), &model.buyer);
        let free = cases.play(buyer, None, &device).unwrap();
        // Whatever is ordered, no less is used than without any order.
        for (used, least) in free.usage.iter().zip(cases.unordered()) {
            for (used, least) in used.iter().flatten().zip(least.iter().flatten()) {
                assert!(*used >= least - 1e-3 * (1.0 + least), "{used} {least}");
            }
        }
        let free = violation(cases, &free);
        let control = Predictive {
            scenarios: 3,
            ascent: Ascent {
                steps: 8,
                ..Ascent::default()
            },
            margin: 0.0,
            lead_times: &LAW,
            seed: 3,
        };
        let averaged = Predictive {
            ascent: Ascent {
                steps_by: StepRule::Averaged { smoothing: 0.3 },
                ..control.ascent
            },
            ..control.clone()
        };
        for (control, forecaster) in [
            (&control, Forecaster::Fitted(80)),
            (&control, Forecaster::True(world)),
            (&averaged, Forecaster::Fitted(80)),
        ] {
            let run = || {
                cases
                    .predictive(record, buyer, control, &forecaster, &device)
                    .unwrap()
            };
            let roll = run();
            // No order of now arrives this week: its price is what was announced for it.
            if control.ascent.steps_by == StepRule::Measured {
                for weeks in &roll.prices {
                    for pair in weeks.windows(2) {
                        for r in [0, HORIZON + 1] {
                            assert!((pair[1][r] - pair[0][r + 1]).abs() < 1e-6);
                        }
                    }
                }
            }
            let held = violation(cases, &roll);
            println!("{held:.4} planned, {free:.4} without control");
            assert!(held < 0.8 * free, "{held} {free}");
            assert_eq!(roll, run());
            // The same prices posted at once are the same roll-out: week by week or all weeks together.
            let again = cases.play(buyer, Some(&roll.prices), &device).unwrap();
            for (a, b) in again.reward.iter().zip(&roll.reward) {
                assert!((a - b).abs() < 1e-4 * a.abs(), "{a} {b}");
            }
        }
        let ascent = Ascent {
            steps: 60,
            ..Ascent::default()
        };
        let (known, settled) = cases.hindsight(buyer, &ascent, 0.0, &device).unwrap();
        // What the ascent says of itself is what the roll-out says.
        let own: f64 = settled.iter().map(|s| s.violation).sum();
        assert!((own / 6.0 - violation(cases, &known)).abs() < 1e-4);
        assert!(violation(cases, &known) < 0.6 * free);
        // Behind a gate the same prices break no limit, and the Lagrangian is the reward where nothing is charged.
        let gated = cases
            .directed(
                buyer,
                &mut Posted(&known.prices),
                Some(Gate::ProRata),
                &device,
            )
            .unwrap();
        assert!(violation(cases, &gated) < 0.3 * violation(cases, &known) + 1e-9);
        let unpriced = cases.play(buyer, None, &device).unwrap();
        assert_eq!(cases.lagrangian(&unpriced).unwrap(), unpriced.reward);
        let constant = cases
            .best_constant(buyer, &[0.0, 0.02, 0.1], 5.0, &device)
            .unwrap();
        assert!(constant > 0.0);
    });
}

/// A coordinator played week by week, through the dual map, is the same as in one program; behind a gate nothing is above the limits.
#[test]
fn a_dual_map_played_week_by_week_is_the_coordinator_in_one_program() {
    with_cases(|_, _, model, cases| {
        let device = Device::best();
        let at_once = cases.coordinate(model, &device).unwrap();
        let mut map = &model.coordinator;
        let by_week = cases
            .directed(&model.buyer, &mut map, None, &device)
            .unwrap();
        let pairs = at_once.usage.iter().flatten().flatten();
        for (a, b) in pairs.zip(by_week.usage.iter().flatten().flatten()) {
            assert!((a - b).abs() < 1e-3 * (1.0 + a.abs()), "{a} {b}");
        }
        let gated = cases
            .directed(&model.buyer, &mut map, Some(Gate::ProRata), &device)
            .unwrap();
        for (group, limits) in cases.limits().iter().enumerate() {
            for week in 0..COURSE.weeks {
                assert!(gated.usage[group][1][week] <= limits.of(1)[week] * (1.0 + 1e-5));
            }
        }
    });
}

/// What a controller lacks is named.
#[test]
fn controllers_name_what_they_lack() {
    with_cases(|_, record, model, cases| {
        let (device, buyer) = (Device::best(), &model.buyer);
        let bare = Cases::<f32>::new(record, cases.cohorts(), COURSE).unwrap();
        assert!(matches!(
            bare.hindsight(buyer, &Ascent::default(), 0.0, &device),
            Err(Error::Empty(_))
        ));
        let mut model = model.clone();
        let training = Training::default();
        let trained = model.train_coordinator(&bare, &Default::default(), &training, &device);
        assert!(matches!(trained, Err(Error::Empty(_))));
        let short = Limits::new(vec![vec![1.0; 3]; 2], 1).unwrap();
        let given = bare.clone().with_limits(&vec![short; bare.groups()]);
        assert!(matches!(
            given,
            Err(Error::TooShort {
                needed: 24,
                found: 3
            })
        ));
        assert!(bare.with_limits(&[]).is_err());
    });
}
