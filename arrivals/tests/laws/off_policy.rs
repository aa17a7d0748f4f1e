//! Q6: a generator learned from one policy's orders, judged by those of another.

use hindsight_arrivals::model::{GenQot, Training};
use hindsight_arrivals::world::VendorWorld;
use hindsight_arrivals::{AGES, ArrivalModel, Grid, Log, Order, Path, Request};
use hindsight_gpu::Device;

/// The mean of predicted less received shares of the closed orders, with its standard error.
fn bias(model: &dyn ArrivalModel, log: &Log) -> [f64; 2] {
    let orders = log.filter(|_, order| order.seen_until.is_none());
    let requests: Vec<Request> = orders.orders().iter().map(|o| o.request.clone()).collect();
    let drawn = model.samples(&requests, 40, 3).unwrap();
    let gaps: Vec<f64> = drawn
        .iter()
        .zip(orders.orders())
        .map(|(paths, order)| {
            paths.iter().map(Path::total).sum::<f64>() / 40.0 - Path::of(order).total()
        })
        .collect();
    let n = gaps.len() as f64;
    let mean = gaps.iter().sum::<f64>() / n;
    let square = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>();
    [mean, square.sqrt() / n]
}

/// The same orders with the peak, in which vendors have less room, hidden: no season, no covariate, no history.
fn hidden(log: &Log) -> Log {
    let mut blind = Log::new(log.vendors(), 0, 0);
    for order in log.orders() {
        let request = Request {
            season: 0.0,
            covariates: Vec::new(),
            history: [[0.0; 2]; AGES],
            ..order.request.clone()
        };
        blind
            .push(Order {
                request,
                ..order.clone()
            })
            .unwrap();
    }
    blind
}

/// Half of the year is a peak in which vendors have 0.6 of their room, and the generator is not told. Where the log's buyer knew of it and ordered less then, size
/// is confounded with room, and the orders of a policy twice as large are mispredicted; where sizes were randomised they are not.
#[test]
fn sizes_confounded_with_room_mislead_and_randomised_ones_do_not() {
    let mut world = VendorWorld::new(4, 12).unwrap();
    world.peak = 26;
    let peak = |request: &Request| request.covariates[0] > 0.5;
    let careful = |request: &Request, z: f64| {
        let size = if peak(request) { 0.6 } else { 1.6 };
        size * (0.35 * z).exp()
    };
    let random = |_: &Request, z: f64| (0.6 * z).exp();
    let twice = |_: &Request, z: f64| 2.0 * (0.35 * z).exp();
    let log = |seed, orders, size: &dyn Fn(&Request, f64) -> f64| {
        hidden(&world.log_of(orders, 208, seed, size).unwrap())
    };
    let grid = Grid::weekly(world.longest()).unwrap();
    let (device, training) = (
        Device::cpu(2),
        Training {
            epochs: 10,
            ..Training::default()
        },
    );
    let judged = log(9, 6_000, &twice);
    println!(
        "| sizes in the log | log's own policy | a policy that orders twice as much |\n|---|---|---|"
    );
    let mut found = Vec::new();
    for (name, size) in [
        (
            "smaller in the peak",
            &careful as &dyn Fn(&Request, f64) -> f64,
        ),
        ("random", &random),
    ] {
        let model = GenQot::fit(&log(1, 25_000, size), &grid, &training, &device).unwrap();
        let generator = model.on(&device);
        let [own, other] = [&log(2, 6_000, size), &judged].map(|log| bias(&generator, log));
        let words = |[mean, error]: [f64; 2]| format!("{mean:+.4} ± {:.4}", 1.96 * error);
        println!("| {name} | {} | {} |", words(own), words(other));
        // At home both are right, but for what one fit and 6,000 orders leave open.
        assert!(own[0].abs() < 0.02, "{name}: {own:?}");
        found.push(other);
    }
    let [confounded, randomised] = [found[0], found[1]];
    assert!(confounded[0] > 0.05, "{confounded:?}");
    assert!(randomised[0].abs() < 0.02, "{randomised:?}");
    assert!(confounded[0] > 4.0 * randomised[0].abs() + 3.0 * confounded[1]);
}
