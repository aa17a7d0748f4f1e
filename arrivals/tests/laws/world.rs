//! The world's likelihood is that of its own draws, and logs hold what was seen.

use hindsight_arrivals::world::VendorWorld;
use hindsight_arrivals::{ArrivalModel, Grid, Path, Samples};
use proptest::prelude::*;

fn key(path: &Path) -> Vec<(i64, bool)> {
    let mut so_far = 0.0;
    let piece = |piece: &hindsight_arrivals::Piece| {
        so_far += piece.share;
        (piece.time, (so_far - 1.0_f64).abs() < 1e-9)
    };
    path.pieces.iter().map(piece).collect()
}

/// Of paths that consist of atoms alone the frequency among draws is the exponential of the likelihood.
#[test]
fn atoms_come_as_often_as_the_likelihood_says() {
    let world = VendorWorld::new(3, 11).unwrap();
    let count = 40_000;
    for (vendor, units) in [(0, 12.0), (1, 20.0), (2, 45.0)] {
        let request = world.request(vendor, units, 20.0, 48, 1);
        let requests = vec![request.clone(); count];
        let paths = world
            .sample(&requests, Samples { seed: 3, sample: 0 })
            .unwrap();
        let mut sum = 0.0;
        for pattern in [vec![], vec![(2, true)], vec![(3, true)], vec![(4, true)]] {
            let Some(example) = paths.iter().find(|path| key(path) == pattern) else {
                continue;
            };
            let p = world.log_likelihood(&request, example).unwrap().exp();
            let seen = paths.iter().filter(|path| key(path) == pattern).count();
            let share = seen as f64 / count as f64;
            let error = (p * (1.0 - p) / count as f64).sqrt();
            assert!((share - p).abs() < 4.5 * error, "{pattern:?}: {share} {p}");
            sum += p;
        }
        assert!(sum > 0.02 && sum < 1.0);
    }
}

/// The density integrates to one: the mean over draws from another law (twice the size) of the ratio of likelihoods.
#[test]
fn likelihood_ratios_have_mean_one() {
    let mut world = VendorWorld::new(2, 4).unwrap();
    for vendor in &mut world.vendors {
        vendor.spread = 0.7;
    }
    let count = 60_000;
    for vendor in 0..2 {
        let own = world.request(vendor, 24.0, 20.0, 10, 0);
        let other = world.request(vendor, 20.0, 20.0, 10, 0);
        let paths = world
            .sample(&vec![other.clone(); count], Samples { seed: 9, sample: 1 })
            .unwrap();
        let ratio = |path: &Path| {
            let [a, b] = [&own, &other].map(|r| world.log_likelihood(r, path).unwrap());
            assert!(b.is_finite(), "{path:?}");
            (a - b).exp()
        };
        let ratios: Vec<f64> = paths.iter().map(ratio).collect();
        let mean = ratios.iter().sum::<f64>() / count as f64;
        let square = ratios.iter().map(|r| r * r).sum::<f64>() / count as f64;
        let error = ((square - mean * mean) / count as f64).sqrt();
        assert!((mean - 1.0).abs() < 4.5 * error, "{mean} ± {error}");
        assert!(square > 1.01, "the laws differ");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// Nothing arrives early, nothing later than the longest time; orders of the end of the log are open.
    #[test]
    fn logs_hold_what_was_seen(seed in 0_u64..1000, vendors in 1_usize..5) {
        let world = VendorWorld::new(vendors, seed).unwrap();
        let log = world.log(400, 60, seed).unwrap();
        prop_assert!(log == world.log(400, 60, seed).unwrap());
        let longest = world.longest() as i64;
        let grid = Grid::weekly(world.longest()).unwrap();
        for order in log.orders() {
            for receipt in &order.receipts {
                prop_assert!(receipt.time >= 1 && receipt.time <= longest);
                prop_assert!(order.seen_until.is_none_or(|seen| receipt.time <= seen));
            }
            prop_assert_eq!(grid.tokens(order).len(), order.receipts.len());
            if order.seen_until.is_none() {
                prop_assert!(world.log_likelihood(&order.request, &Path::of(order)).unwrap().is_finite());
            }
        }
        prop_assert!(log.orders().iter().any(|order| order.seen_until.is_some()));
    }
}

/// What is known of orders of one product a vendor.
struct Known<'a>(&'a VendorWorld, f64);

impl hindsight_arrivals::model::OrderContext for Known<'_> {
    fn products(&self) -> usize {
        self.0.vendors.len()
    }
    fn weeks(&self) -> usize {
        60
    }
    fn request(&self, product: usize, week: usize) -> hindsight_arrivals::Request {
        self.0.request(product, self.1, self.1, week, 1)
    }
}

/// In the replay the world's orders arrive as its samples do: the same mean share by week since the order.
#[test]
fn the_market_of_a_world_follows_its_law() {
    use hindsight_arrivals::exo_idp::market::{Market, MarketInputs};
    use hindsight_arrivals::exo_idp::period::Position;

    let world = VendorWorld::new(3, 6).unwrap();
    let samples = 400;
    let market = world.market(&Known(&world, 20.0), samples, 5).unwrap();
    let seen = Position::<f64>::empty(0);
    for units in [8.0, 20.0, 50.0] {
        for vendor in 0..3 {
            let request = world.request(vendor, units, 20.0, 10, 1);
            let count = 20_000;
            let drawn = world
                .sample(&vec![request; count], Samples { seed: 2, sample: 0 })
                .unwrap();
            let mut found = vec![0.0; world.longest() + 1];
            let mut used = 0.0;
            // Weeks outside the peak.
            for week in 0..40 {
                for sample in 0..samples {
                    let lane = sample * 3 + vendor;
                    let rows: Vec<f64> = (0..market.rows())
                        .map(|row| market.signals()[0].row(week, row)[lane])
                        .collect();
                    let inputs = MarketInputs {
                        theta: &[],
                        rows: &rows,
                        state: &[],
                    };
                    let mut shares = vec![0.0; world.longest() + 1];
                    market.deliver(&inputs, &seen, units, &mut [], &mut shares);
                    found
                        .iter_mut()
                        .zip(&shares)
                        .for_each(|(sum, share)| *sum += share);
                    used += 1.0;
                }
            }
            for (week, sum) in found.iter().enumerate() {
                let of = |path: &Path| path.by(week as i64) - path.by(week as i64 - 1);
                let mean = drawn.iter().map(of).sum::<f64>() / count as f64;
                let gap = (sum / used - mean).abs();
                assert!(
                    gap < 4.5 * 0.5 * (1.0 / used + 1.0 / count as f64).sqrt(),
                    "{units} {vendor} {week}: {gap}"
                );
            }
        }
    }
}

/// What arrives in all is continuous in the order, and its derivative is that of central differences: nothing more where the vendor has no more room.
#[test]
fn the_gradient_of_a_world_sees_the_room() {
    use hindsight_arrivals::exo_idp::market::{Market, MarketInputs};
    use hindsight_arrivals::exo_idp::period::Position;
    use hindsight_gpu::Scalar;
    use hindsight_gpu::numbers::Dual;

    fn arrived<S: Scalar>(market: &impl Market, rows: &[f64], order: S, weeks: usize) -> S {
        let rows: Vec<S> = rows.iter().map(|&x| S::constant(x)).collect();
        let inputs = MarketInputs {
            theta: &[],
            rows: &rows,
            state: &[],
        };
        let mut shares = vec![S::constant(0.0); weeks];
        let seen = Position::empty(0);
        market.deliver(&inputs, &seen, order, &mut [], &mut shares);
        let add = |sum, share| sum + share * order;
        shares.into_iter().fold(S::constant(0.0), add)
    }

    let world = VendorWorld::new(3, 6).unwrap();
    let market = world.market(&Known(&world, 20.0), 50, 5).unwrap();
    let weeks = world.longest() + 1;
    let (mut full, mut short) = (0, 0);
    for lane in 0..150 {
        let signals = market.signals()[0];
        let read = |row| signals.row(7, row)[lane];
        let rows: Vec<f64> = (0..market.rows()).map(read).collect();
        for units in [9.0, 21.0, 64.0] {
            let at = |units: f64| arrived(&market, &rows, units, weeks);
            let found = arrived(&market, &rows, Dual::variable(units), weeks);
            let slope = (at(units + 1e-3) - at(units - 1e-3)) / 2e-3;
            let gap = (found.derivative() - slope).abs();
            assert!(
                gap < 1e-6,
                "{lane} {units}: {} for {slope}",
                found.derivative()
            );
            full += usize::from(slope > 0.9);
            short += usize::from(slope < 1e-6 && found.value() > 1.0);
        }
    }
    assert!(full > 50 && short > 50, "{full} in full, {short} short");
}
