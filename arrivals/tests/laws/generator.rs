//! The generator: what it learns, what it refuses, what it saves.

use std::sync::OnceLock;

use hindsight_arrivals::exo_idp::market::{Market, MarketInputs};
use hindsight_arrivals::exo_idp::period::Position;
use hindsight_arrivals::model::{GenQot, GeneratedArrivals, OrderContext, Training};
use hindsight_arrivals::trial::Catalogue;
use hindsight_arrivals::world::VendorWorld;
use hindsight_arrivals::{ArrivalModel, ArrivalsError, Grid, Log, Path, Request, Samples};
use hindsight_gpu::numbers::Dual;
use hindsight_gpu::{DelayLine, Device, Scalar};

fn world() -> VendorWorld {
    VendorWorld::new(3, 2).unwrap()
}

fn fitted() -> &'static (Log, GenQot) {
    static FITTED: OnceLock<(Log, GenQot)> = OnceLock::new();
    FITTED.get_or_init(|| {
        let log = world().log(6_000, 156, 1).unwrap();
        let grid = Grid::weekly(world().longest()).unwrap();
        let training = Training {
            epochs: 8,
            ..Training::default()
        };
        let model = GenQot::fit(&log, &grid, &training, &Device::cpu(2)).unwrap();
        (log, model)
    })
}

/// The same bits for any number of threads, for a model that comes back from its text, and for a request wherever others stand after it.
#[test]
fn the_same_seed_gives_the_same_paths() {
    let (log, model) = fitted();
    let requests: Vec<_> = log.orders().iter().map(|o| o.request.clone()).collect();
    let samples = Samples { seed: 4, sample: 2 };
    let [one, two] = [1, 2].map(Device::cpu);
    let paths = model.on(&one).sample(&requests, samples).unwrap();
    let again = GenQot::from_text(&model.to_text()).unwrap();
    assert_eq!(&again, model);
    assert_eq!(again.on(&two).sample(&requests, samples).unwrap(), paths);
    let some = model.on(&two).sample(&requests[..100], samples).unwrap();
    assert_eq!(some, paths[..100]);
    let other = Samples { seed: 4, sample: 3 };
    assert_ne!(model.on(&one).sample(&requests, other).unwrap(), paths);
}

/// Draws are as frequent as the likelihood says: on average a sample's own likelihood is the entropy, and no path leaves the grid.
#[test]
fn samples_follow_the_likelihood() {
    let (log, model) = fitted();
    let device = Device::cpu(2);
    let request = &log.orders()[7].request;
    let count = 20_000;
    let paths = model
        .on(&device)
        .sample(
            &vec![request.clone(); count],
            Samples { seed: 8, sample: 0 },
        )
        .unwrap();
    // The probabilities of "nothing" and of "all at once after two periods".
    for pieces in [vec![], vec![(2, 1.0)], vec![(3, 1.0)]] {
        let receipts = pieces.iter().map(|&(time, share): &(i64, f64)| {
            let units = share * request.units;
            hindsight_arrivals::Receipt { time, units }
        });
        let order = hindsight_arrivals::Order {
            request: request.clone(),
            receipts: receipts.collect(),
            seen_until: None,
        };
        let p = model.log_likelihood(&[order], &device).unwrap()[0].exp();
        let same = |path: &&Path| {
            path.pieces.len() == pieces.len()
                && path
                    .pieces
                    .iter()
                    .zip(&pieces)
                    .all(|(a, b)| a.time == b.0 && (a.share - b.1).abs() < 1e-6)
        };
        let seen = paths.iter().filter(same).count() as f64 / count as f64;
        let error = (p * (1.0 - p) / count as f64).sqrt() + 1e-6;
        assert!((seen - p).abs() < 4.5 * error, "{pieces:?}: {seen} for {p}");
    }
    for path in &paths {
        assert!(
            path.pieces
                .windows(2)
                .all(|pair| pair[0].time < pair[1].time)
        );
        assert!(
            path.pieces
                .iter()
                .all(|p| p.share > 0.0 && p.time >= 0 && p.time <= model.grid().last())
        );
    }
}

/// What arrives by week of an order of the first product in the first week, and its derivative, sample by sample.
fn delivered(market: &GeneratedArrivals<'_>, units: f64, samples: usize) -> Vec<Vec<Dual>> {
    let (_, model) = fitted();
    let theta: Vec<Dual> = market.theta().into_iter().map(Dual::constant).collect();
    let weeks = usize::try_from(model.grid().last()).unwrap() + 1;
    let one = |sample: usize| {
        let signals = market.signals();
        let read = |signals: &&hindsight_arrivals::exo_idp::policy::Signals, row| {
            let columns = signals.row(0, row);
            Dual::constant(columns[sample % columns.len()])
        };
        let rows: Vec<Dual> = signals
            .iter()
            .flat_map(|signals| (0..signals.rows()).map(move |row| read(signals, row)))
            .collect();
        let inputs = MarketInputs {
            theta: &theta,
            rows: &rows,
            state: &[],
        };
        let order = Dual::variable(units);
        let mut memory = vec![DelayLine::new(); market.delay_lines()];
        let mut shares = vec![Dual::constant(0.0); weeks];
        let seen = Position::empty(weeks - 1);
        market.deliver(&inputs, &seen, order, &mut memory, &mut shares);
        shares.into_iter().map(|share| order * share).collect()
    };
    (0..samples).map(one).collect()
}

/// On average the derivative of a margin is the slope of what arrives, week by week, between two sizes that are sampled apart from it and from each other; that of
/// constant shares is not. What arrives is the same to the bit.
#[test]
fn the_gradient_of_a_margin_is_the_slope_of_what_arrives() {
    let (_, model) = fitted();
    let (usual, units, margin, samples) = (20.0, 60.0, 0.5, 6_000);
    let catalogue = Catalogue::of_world(&world(), vec![usual], 1).unwrap();
    let constant = GeneratedArrivals::new(model, &catalogue, samples, 3).unwrap();
    let marginal = constant.clone().with_margin(margin).unwrap();
    let [constant, marginal] = [constant, marginal].map(|m| delivered(&m, units, samples));
    for (constant, marginal) in constant.iter().flatten().zip(marginal.iter().flatten()) {
        assert_eq!(constant.value().to_bits(), marginal.value().to_bits());
        assert!((constant.derivative() - constant.value() / units).abs() < 1e-12);
    }
    let sampled = |units: f64, seed: u64| {
        let request = Request {
            units,
            ..catalogue.request(0, 0)
        };
        let samples = Samples { seed, sample: 0 };
        let requests = vec![request; 20_000];
        let device = Device::cpu(2);
        model.on(&device).sample(&requests, samples).unwrap()
    };
    let (larger, smaller) = (sampled(units, 5), sampled((1.0 - margin) * units, 6));
    let mean = |values: &[f64]| {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
        (mean, variance / count)
    };
    let mut told_apart = 0;
    for week in 0..constant[0].len() {
        let of = |paths: &[Path], share: f64| {
            let week = i64::try_from(week).unwrap();
            let units = |path: &Path| share * (path.by(week) - path.by(week - 1));
            mean(&paths.iter().map(units).collect::<Vec<_>>())
        };
        let ((all, first), (fewer, second)) = (of(&larger, 1.0), of(&smaller, 1.0 - margin));
        let (truth, error) = ((all - fewer) / margin, (first + second) / margin.powi(2));
        let distance = |found: &[Vec<Dual>]| {
            let slopes: Vec<f64> = found.iter().map(|own| own[week].derivative()).collect();
            let (found, own) = mean(&slopes);
            (found - truth).abs() / (error + own + 1e-9).sqrt()
        };
        assert!(
            distance(&marginal) < 4.5,
            "week {week}: {}",
            distance(&marginal)
        );
        told_apart += usize::from(distance(&constant) > 9.0);
    }
    assert!(told_apart > 0, "constant shares are as good");
}

#[test]
fn margins_outside_their_range_are_refused() {
    let (_, model) = fitted();
    let catalogue = Catalogue::of_world(&world(), vec![20.0], 1).unwrap();
    let market = GeneratedArrivals::new(model, &catalogue, 1, 3).unwrap();
    for margin in [0.0, -0.5, 1.5, f64::NAN] {
        assert!(market.clone().with_margin(margin).is_err(), "{margin}");
    }
}

/// What is open is not what never comes: the probability of an open order is the sum over all that may still happen.
#[test]
fn an_open_order_sums_over_what_may_come() {
    let (log, model) = fitted();
    let device = Device::cpu(1);
    let closed = log.orders()[3].clone();
    let of = |seen: Option<i64>| {
        let order = hindsight_arrivals::Order {
            receipts: vec![],
            seen_until: seen,
            ..closed.clone()
        };
        model.log_likelihood(&[order], &device).unwrap()[0].exp()
    };
    assert!((of(Some(-1)) - 1.0).abs() < 1e-9);
    let by_week: Vec<f64> = (0..model.grid().last())
        .map(|seen| of(Some(seen)))
        .collect();
    assert!(by_week.windows(2).all(|pair| pair[1] <= pair[0] + 1e-12));
    assert!(of(None) <= by_week[by_week.len() - 1] + 1e-12);
    assert!(by_week[0] > 0.9 && of(None) < 0.3);
}

#[test]
fn damaged_models_and_unknown_vendors_are_refused() {
    let (log, model) = fitted();
    let text = model.to_text();
    let damaged = text.replacen("e-1", "e-2", 1);
    assert_eq!(GenQot::from_text(&damaged), Err(ArrivalsError::Corrupt));
    assert!(matches!(
        GenQot::from_text(&text.replace("model 1", "model 2")),
        Err(ArrivalsError::Version { .. })
    ));
    assert!(GenQot::from_text("").is_err());
    let mut request = log.orders()[0].request.clone();
    request.vendor = 3;
    let samples = Samples { seed: 0, sample: 0 };
    let found = model.on(&Device::cpu(1)).sample(&[request], samples);
    assert_eq!(
        found,
        Err(ArrivalsError::Vendor {
            order: 0,
            vendor: 3,
            vendors: 3
        })
    );
}

/// Q5 in small: on orders of a known law the generator is close to the entropy and passes the joint test; planted faults do not.
#[test]
fn the_generator_is_calibrated_and_faults_are_caught() {
    use hindsight_arrivals::evaluate::Evaluation;

    #[derive(Debug)]
    struct Spoilt<'a>(&'a dyn ArrivalModel, fn(usize, &mut Path));
    impl ArrivalModel for Spoilt<'_> {
        fn name(&self) -> &'static str {
            "spoilt"
        }
        fn sample(
            &self,
            requests: &[hindsight_arrivals::Request],
            samples: Samples,
        ) -> Result<Vec<Path>, ArrivalsError> {
            let mut paths = self.0.sample(requests, samples)?;
            for (at, path) in paths.iter_mut().enumerate() {
                self.1(at, path);
            }
            Ok(paths)
        }
    }

    let held_out = world().log(1_500, 156, 9).unwrap();
    let held_out = held_out.filter(|_, order| order.seen_until.is_none());
    let orders = held_out.orders();
    let truth = world();
    let own = Evaluation::new(&truth, orders, 9, 40, 1).unwrap();
    assert!(
        own.pit.iter().all(|&p| p > 0.01) && own.joint > 0.01,
        "{own:?}"
    );
    for slope in &own.cumulative_slopes {
        assert!(
            (slope.value - 1.0).abs() < 1.6 * slope.margin + 0.02,
            "{slope:?}"
        );
    }
    let faults: [fn(usize, &mut Path); 3] = [
        |at, path| {
            if at % 4 == 0 {
                path.pieces.iter_mut().for_each(|piece| piece.time += 1);
            }
        },
        |_, path| path.pieces.iter_mut().for_each(|piece| piece.share *= 0.9),
        |at, path| {
            if at % 4 == 0 {
                path.pieces.clear();
            }
        },
    ];
    for (number, spoil) in faults.into_iter().enumerate() {
        let found = Evaluation::new(&Spoilt(&truth, spoil), orders, 9, 40, 1).unwrap();
        let least = found.pit.iter().copied().fold(found.joint, f64::min);
        assert!(least <= 0.01, "fault {number}: {found:?}");
    }
    let (_, model) = fitted();
    let device = Device::cpu(2);
    let entropy: f64 = orders
        .iter()
        .map(|order| {
            let density = truth
                .log_likelihood(&order.request, &Path::of(order))
                .unwrap();
            -density - model.grid().log_volume(order)
        })
        .sum();
    let likelihood: f64 = model.log_likelihood(orders, &device).unwrap().iter().sum();
    // Six thousand orders: the example `truth` shows how it closes with more.
    assert!(
        -likelihood > 0.98 * entropy && -likelihood < 1.2 * entropy,
        "{likelihood} {entropy}"
    );
}

/// A short log is trained longer than the default, and fresh orders are more likely for it; the length is chosen by the held-out orders, who
/// are not learned from. A long log is trained as by `fit`.
#[test]
fn short_logs_are_trained_as_long_as_it_pays() {
    let device = Device::cpu(2);
    let grid = Grid::weekly(world().longest()).unwrap();
    let (short, fresh) = (
        world().log(400, 156, 5).unwrap(),
        world().log(3_000, 156, 6).unwrap(),
    );
    let training = Training::default();
    let found = GenQot::fit_validated(&short, &grid, &training, &device).unwrap();
    let trial = found.trial.as_ref().unwrap();
    let (learned, held_out) = (trial.learned.orders(), trial.held_out.orders());
    assert_eq!((learned.len(), held_out.len()), (320, 80));
    assert!(held_out.iter().all(|order| short.orders().contains(order)));
    let mean = |model: &GenQot, orders: &[hindsight_arrivals::Order]| {
        let all = model.log_likelihood(orders, &device).unwrap();
        all.iter().sum::<f64>() / all.len() as f64
    };
    let best = trial
        .lengths
        .iter()
        .map(|l| l.1)
        .fold(f64::NEG_INFINITY, f64::max);
    assert!((mean(&trial.model, held_out) - best).abs() < 1e-12);
    assert!(trial.lengths.contains(&(found.epochs, best)));
    let default = GenQot::fit(&short, &grid, &training, &device).unwrap();
    let gain = mean(&found.model, fresh.orders()) - mean(&default, fresh.orders());
    assert!(gain > 0.1, "{gain}, {:?}", trial.lengths);
    let by_heart = Training {
        epochs: 16 * found.epochs,
        ..training
    };
    let by_heart = GenQot::fit(&short, &grid, &by_heart, &device).unwrap();
    let lost = mean(&found.model, fresh.orders()) - mean(&by_heart, fresh.orders());
    assert!(lost > 0.1, "{lost}");
    let few = short.filter(|i, _| i < 49);
    let alone = GenQot::fit_validated(&few, &grid, &training, &device).unwrap();
    assert_eq!(
        alone.model,
        GenQot::fit(&few, &grid, &training, &device).unwrap()
    );
    assert!(alone.trial.is_none());
}
