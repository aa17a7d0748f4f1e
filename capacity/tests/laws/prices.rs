//! A trained buyer and coordinator: what theory says of prices.

use std::sync::OnceLock;

use hindsight_capacity::backtest::Score;
use hindsight_capacity::gpu::{Device, Stream};
use hindsight_capacity::limits::Family;
use hindsight_capacity::{
    Cases, Cohort, Course, Draw, HORIZON, Loss, Model, Record, Roll, Training, World,
};
use hindsight_exo_idp::Paths;
use rand::RngExt;

const PRODUCTS: usize = 300;
const COURSE: Course = Course {
    weeks: 30,
    warm_up: 6,
    discount: 0.995,
};

fn world() -> World {
    World::new(PRODUCTS, 150, 3).unwrap()
}

fn with_record<T>(world: &World, test: impl FnOnce(&Record<'_>) -> T) -> T {
    let paths = Paths::new(world.panel(), &world.lead_times().unwrap(), 1).unwrap();
    let (resources, index) = (world.resources().unwrap(), world.index().to_vec());
    test(&Record::new(&paths, resources, index, vec![2.0; PRODUCTS]).unwrap())
}

fn draw(size: usize, cohorts: usize, seed: u64) -> Draw {
    Draw {
        products: 0..200,
        weeks: 0..110,
        size,
        cohorts,
        families: vec![Family::Haar],
        roomy: 0.25,
        notice: 13,
        seed,
    }
}

/// Trained once for all tests.
fn model() -> &'static Model {
    static MODEL: OnceLock<Model> = OnceLock::new();
    MODEL.get_or_init(|| {
        with_record(&world(), |record| {
            let device = Device::best();
            let mut model = Model::new(&record.shape(), 32, 3);
            let pool =
                Cases::new(record, &draw(2, 768, 1).cohorts(COURSE).unwrap(), COURSE).unwrap();
            let training = Training {
                steps: 3000,
                batch: 64,
                ..Training::default()
            };
            model.train_buyer(&pool, &training, &device).unwrap();
            let cases = draw(40, 64, 2)
                .cases(record, &model.buyer, COURSE, &device)
                .unwrap();
            let training = Training {
                steps: 900,
                batch: 8,
                ..training
            };
            model
                .train_coordinator(&cases, &Loss::default(), &training, &device)
                .unwrap();
            model
        })
    })
}

fn mean(scores: &[Score], of: impl Fn(&Score) -> f64) -> f64 {
    let n = f64::from(u32::try_from(scores.len()).unwrap());
    scores.iter().map(of).sum::<f64>() / n
}

/// Discounted use of the scored weeks, by resource and week.
fn used(roll: &Roll) -> Vec<f64> {
    let discount = |week: usize| {
        COURSE
            .discount
            .powi(i32::try_from(week - COURSE.warm_up).unwrap())
    };
    let rows = roll.usage[0].iter();
    rows.flat_map(|row| (COURSE.warm_up..COURSE.weeks).map(move |t| row[t] * discount(t)))
        .collect()
}

/// Of 1,000 pairs of prices, known ahead, fewer than 5 % violate revealed preference, and none by more than 2 % of the product of norms.
#[test]
fn the_trained_buyer_reveals_its_preference() {
    with_record(&world(), |record| {
        let device = Device::best();
        let cohort = Cohort {
            products: (200..260).collect(),
            start: 110,
        };
        let cases = Cases::new(record, &[cohort], COURSE).unwrap();
        let units = &cases.unit_prices()[0];
        let path = |number: u64| -> Vec<Vec<f64>> {
            let rng = &mut Stream::new(9, "prices").at(number, 0);
            let levels: [f64; 2] = std::array::from_fn(|_| rng.random_range(0.0..0.15));
            let step = rng.random_range(COURSE.warm_up..COURSE.weeks);
            let later: [f64; 2] = std::array::from_fn(|_| rng.random_range(0.0..0.15));
            let price =
                |week: usize, r: usize| units[r] * if week < step { levels[r] } else { later[r] };
            (0..COURSE.weeks)
                .map(|t| {
                    (0..2)
                        .flat_map(|r| (0..=HORIZON).map(move |h| (r, h)))
                        .map(|(r, h)| price(t + h, r))
                        .collect()
                })
                .collect()
        };
        // The first week of each path's prices is what is charged.
        let charged = |prices: &[Vec<f64>]| -> Vec<f64> {
            (0..2)
                .flat_map(|r| {
                    prices[COURSE.warm_up..]
                        .iter()
                        .map(move |week| week[r * (HORIZON + 1)])
                })
                .collect()
        };
        let runs: Vec<(Vec<f64>, Vec<f64>)> = (0..46)
            .map(|number| {
                let prices = path(number);
                let roll = cases
                    .play(&model().buyer, Some(std::slice::from_ref(&prices)), &device)
                    .unwrap();
                (charged(&prices), used(&roll))
            })
            .collect();
        let norm = |x: &[f64]| x.iter().map(|v| v * v).sum::<f64>().sqrt();
        let (mut pairs, mut violated, mut worst) = (0, 0, f64::MIN);
        for (k, (a, u)) in runs.iter().enumerate() {
            for (b, v) in &runs[..k] {
                let gap: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
                let inner: f64 = gap
                    .iter()
                    .zip(u.iter().zip(v))
                    .map(|(g, (u, v))| g * (u - v))
                    .sum();
                let share = inner / (norm(&gap) * norm(u));
                worst = worst.max(share);
                pairs += 1;
                violated += usize::from(inner > 0.0);
            }
        }
        println!("revealed preference: {violated} of {pairs} pairs violated, worst {worst:.4}");
        assert!(
            pairs >= 1000 && violated * 20 < pairs,
            "{violated} of {pairs}"
        );
        assert!(worst < 0.02, "{worst}");
    });
}

/// On families that it was not trained on the coordinator holds limits far better than no control does; where there is room it asks for little
/// and loses little (N2).
#[test]
fn the_coordinator_holds_limits_and_stays_away_where_there_is_room() {
    with_record(&world(), |record| {
        let device = Device::best();
        let other = Draw {
            products: 200..300,
            weeks: 80..150,
            families: Family::HELD_OUT.to_vec(),
            roomy: 0.0,
            ..draw(40, 32, 8)
        };
        let cases = other
            .cases(record, &model().buyer, COURSE, &device)
            .unwrap();
        let free = cases.scores(&cases.play(&model().buyer, None, &device).unwrap());
        let held = cases.scores(&cases.coordinate(model(), &device).unwrap());
        let violation = |scores: &[Score]| mean(scores, |s| s.violation);
        println!(
            "violation {:.4} without control, {:.4} with",
            violation(&free),
            violation(&held)
        );
        assert!(violation(&held) < 0.3 * violation(&free));

        let roomy: Vec<_> = cases
            .limits()
            .iter()
            .map(|limits| limits.scaled(4.0))
            .collect();
        let roomy = cases.with_limits(&roomy).unwrap();
        let roll = roomy.coordinate(model(), &device).unwrap();
        let lost = 1.0 - mean(&roomy.scores(&roll), |s| s.reward) / mean(&free, |s| s.reward);
        let units = roomy.unit_prices();
        let mut shares = Vec::new();
        for (weeks, units) in roll.prices.iter().zip(&units) {
            for week in weeks {
                let own = week.chunks_exact(HORIZON + 1).zip(units);
                shares.extend(own.map(|(own, unit)| own[0] / unit));
            }
        }
        let asked = shares.iter().sum::<f64>() / f64::from(u32::try_from(shares.len()).unwrap());
        println!("where there is room: {lost:.4} of the reward lost, a price of {asked:.5}");
        assert!(lost < 0.005, "{lost}");
        assert!(asked < 0.01, "{asked}");
    });
}

/// Use a product spreads over cohorts as the root of their size: the slope is minus one half.
#[test]
fn averages_over_cohorts_concentrate() {
    with_record(&world(), |record| {
        let spread = |size: usize| -> f64 {
            // The same weeks for all: cohorts differ by their products alone.
            let mut cohorts = draw(size, 150, 4).cohorts(COURSE).unwrap();
            cohorts
                .iter_mut()
                .for_each(|cohort: &mut Cohort| cohort.start = 40);
            let cases = Cases::new(record, &cohorts, COURSE).unwrap();
            let roll = cases.play(&model().buyer, None, &Device::best()).unwrap();
            let n = f64::from(u32::try_from(size).unwrap());
            let use_of: Vec<f64> = roll.usage.iter().map(|u| u[0][20] / n).collect();
            let m = use_of.iter().sum::<f64>() / 150.0;
            (use_of.iter().map(|x| (x - m) * (x - m)).sum::<f64>() / 149.0).sqrt()
        };
        // Drawn without replacement from 200: the finite-population factor is taken out.
        let corrected = |size: usize| {
            spread(size) / (1.0 - f64::from(u32::try_from(size).unwrap()) / 200.0).sqrt()
        };
        let slope = (corrected(40) / corrected(5)).ln() / 8.0_f64.ln();
        assert!((slope + 0.5).abs() < 0.15, "{slope}");
    });
}
