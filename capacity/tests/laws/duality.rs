//! Weak duality on exact small problems, and the closed form of two newsvendors.

use hindsight_capacity::control::{Ascent, Clairvoyant, StepRule, dual_ascent};
use hindsight_capacity::gpu::Stream;
use hindsight_capacity::limits::{Kind, Limits, Resource};
use hindsight_capacity::{Cases, Cohort, Course, Record, World};
use hindsight_exo_idp::panel::Columns;
use hindsight_exo_idp::{LeadTimes, Panel, Paths};
use rand::RngExt;

/// N1: two newsvendors with demand uniform on [0, 100], cost 4, prices 10 and 6, and room for 60 units: orders (47.5, 12.5), price 1.25, profit
/// 192.50, which is the dual's least value; equal prices of 10 and room for 80: price 2, 40 each.
#[test]
fn two_newsvendors_share_room_at_the_price_of_the_closed_form() {
    let order = |price: f64, p: f64| (100.0 * (p - 4.0 - price) / p).max(0.0);
    let profit = |q: f64, p: f64| p * (q - q * q / 200.0) - 4.0 * q;
    for (p, room, price, orders, value) in [
        ([10.0, 6.0], 60.0, 1.25, [47.5, 12.5], 192.5),
        ([10.0, 10.0], 80.0, 2.0, [40.0, 40.0], 320.0),
    ] {
        let used = |x: &[f64]| Ok(vec![p.iter().map(|&p| order(x[0], p)).sum()]);
        let ascent = Ascent {
            tolerance: 1e-7,
            largest: 10.0,
            ..Ascent::default()
        };
        let (found, settled) = dual_ascent(&[room], &[0.0], &ascent, used).unwrap();
        assert!(settled.residual() <= 1e-7, "{settled:?}");
        let found = found[0];
        assert!((found - price).abs() < 1e-5, "{found}");
        for k in 0..2 {
            assert!((order(found, p[k]) - orders[k]).abs() < 1e-3);
        }
        let dual = |x: f64| {
            p.iter()
                .map(|&p| profit(order(x, p), p) - x * order(x, p))
                .sum::<f64>()
                + x * room
        };
        assert!((dual(found) - value).abs() < 1e-4, "{}", dual(found));
        assert!((0..60).all(|k| dual(0.1 * f64::from(k)) >= value - 1e-9));
    }
    // What is not coordinated: a cut in proportion.
    let free = [10.0, 6.0].map(|p| order(0.0, p));
    let cut = free.map(|q| q * 60.0 / (free[0] + free[1]));
    let value = profit(cut[0], 10.0) + profit(cut[1], 6.0);
    assert!((value - 186.12).abs() < 0.01, "{value}");
}

/// Where use comes in lumps, so that no price meets the limit, the mean of the later prices is where single prices jump to and fro: a product of 60 units
/// that is ordered below a price of 2 and one of 40 below a price of 1, with room for 80.
#[test]
fn averaged_prices_find_the_jump_of_lumpy_use() {
    let used = |price: &[f64]| {
        let units = |most: f64, units: f64| if price[0] < most { units } else { 0.0 };
        Ok(vec![units(2.0, 60.0) + units(1.0, 40.0)])
    };
    let ascent = Ascent {
        steps: 600,
        steps_by: StepRule::Averaged { smoothing: 0.0 },
        largest: 10.0,
        ..Ascent::default()
    };
    for start in [0.0, 0.3, 5.0] {
        let (price, _) = dual_ascent(&[80.0], &[start], &ascent, used).unwrap();
        assert!((price[0] - 1.0).abs() < 0.05, "{price:?}");
    }
    // Smoothing is a correlation.
    let wrong = Ascent {
        steps_by: StepRule::Averaged { smoothing: 1.0 },
        ..ascent
    };
    assert!(dual_ascent(&[80.0], &[0.0], &wrong, used).is_err());
}

/// No policy that keeps the limits earns more than the dual function at any prices; and the best prices of dual ascent come close to it.
#[test]
fn the_dual_function_bounds_every_policy() {
    let world = World::new(4, 40, 2).unwrap();
    let paths = Paths::new(world.panel(), &world.lead_times().unwrap(), 1).unwrap();
    let (resources, index) = (world.resources().unwrap(), world.index().to_vec());
    let record = Record::new(&paths, resources, index, vec![2.0; 4]).unwrap();
    let course = Course {
        weeks: 14,
        warm_up: 4,
        discount: 0.99,
    };
    let cohort = Cohort {
        products: vec![0, 1, 2, 3],
        start: 12,
    };
    let cases = Cases::<f64>::new(&record, &[cohort], course).unwrap();
    let free = cases.bound(0, None).unwrap();
    // Stock of the opening leaves little by little; later there is room for about a week's demand.
    let flat = |storage: f64, inbound: f64| {
        let room = |week: usize| if week < 10 { 20.0 * storage } else { storage };
        let rows = vec![(0..14).map(room).collect(), vec![inbound; 14]];
        Limits::new(rows, 3).unwrap()
    };
    let cases = cases.with_limits(&[flat(60.0, 40.0)]).unwrap();
    let bound = cases.bound(0, None).unwrap();
    assert!(bound < free - 1.0, "the limits bind: {bound} {free}");
    for number in 0..12 {
        let rng = &mut Stream::new(4, "prices").at(number, 0);
        let level = rng.random_range(0.0..2.0);
        let prices: Vec<Vec<f64>> = (0..2)
            .map(|_| {
                (0..14)
                    .map(|_| level * rng.random_range(0.0..1.0))
                    .collect()
            })
            .collect();
        let dual = cases.bound(0, Some(&prices)).unwrap();
        assert!(dual >= bound - 1e-6 * bound.abs(), "{dual} {bound}");
    }
    // Dual ascent with the clairvoyant buyer comes close to the bound, from above.
    let ascent = Ascent {
        steps: 300,
        ..Ascent::default()
    };
    let (prices, settled) = cases
        .dual_prices(&Clairvoyant(&cases), &ascent, 0.0)
        .unwrap();
    let dual = cases.bound(0, Some(&prices[0])).unwrap();
    let gap = dual / bound - 1.0;
    println!("dual gap {gap:.5} after {} steps", settled[0].steps);
    assert!((-1e-9..0.01).contains(&gap), "{gap}");
    // Prices of zero are no control.
    let none = cases
        .bound(0, Some(&[vec![0.0; 14], vec![0.0; 14]]))
        .unwrap();
    assert!((none - free).abs() < 1e-6 * free.abs());
    // Limits that nobody can keep have no bound.
    let cases = cases.with_limits(&[flat(0.0, 0.0)]).unwrap();
    assert!(cases.bound(0, None).is_err());
}

/// Where nobody buys and costs go up and down, the best plan that knows all of them orders nothing of the weeks that are scored: no stock is sold back, at the end or
/// at the end of the warm-up, for more than it cost.
#[test]
fn nobody_earns_from_costs_alone() {
    let (products, weeks) = (2, 26);
    for seed in 0..12 {
        let mut rng = Stream::new(seed, "costs").at(0, 0);
        let cells = products * weeks;
        let columns = Columns {
            demand: vec![0.0; cells],
            price: vec![6.0; cells],
            cost: (0..cells).map(|_| rng.random_range(0.5..5.0)).collect(),
            present: vec![true; cells],
            covariates: vec![],
        };
        let names = (0..products).map(|p| p.to_string()).collect();
        let panel = Panel::new(names, weeks, columns).unwrap();
        let law = LeadTimes::uniform(1, 3, 0.5, seed).unwrap();
        let paths = Paths::new(&panel, &law, 1).unwrap();
        let room = Resource::new("storage", Kind::Storage, vec![1.0; products]).unwrap();
        let (index, lead) = (vec![1.0; cells], vec![2.0; products]);
        let record = Record::new(&paths, vec![room], index, lead).unwrap();
        let course = Course {
            weeks: 16,
            warm_up: 4,
            discount: 0.995,
        };
        let cohort = Cohort {
            products: (0..products).collect(),
            start: 8,
        };
        let cases = Cases::<f64>::new(&record, &[cohort], course).unwrap();
        let best = cases.bound(0, None).unwrap();
        assert!(best.abs() < 1e-9, "{seed}: {best}");
    }
}
