use super::draw::real;
use super::*;
use crate::error::Error;
use crate::exact::DemandLaw;
use rand::RngExt;

fn world(seed: u64) -> World {
    World::new(&WorldConfig {
        products: 120,
        weeks: 104,
        seed,
        ..WorldConfig::default()
    })
    .unwrap()
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let n = real(a.len());
    let (ma, mb) = (a.iter().sum::<f64>() / n, b.iter().sum::<f64>() / n);
    let mut s = [0.0; 3];
    for (x, y) in a.iter().zip(b) {
        s[0] += (x - ma) * (y - mb);
        s[1] += (x - ma) * (x - ma);
        s[2] += (y - mb) * (y - mb);
    }
    s[0] / (s[1] * s[2]).sqrt()
}

#[test]
fn same_seed_same_world_and_products_do_not_depend_on_their_number() {
    assert_eq!(world(1), world(1));
    assert_ne!(world(1), world(2));
    let small = World::new(&WorldConfig {
        products: 10,
        weeks: 104,
        seed: 1,
        ..WorldConfig::default()
    })
    .unwrap();
    let large = world(1);
    for i in 0..10 {
        assert_eq!(small.paths[i], large.paths[i]);
        assert_eq!(small.products[i], large.products[i]);
    }
}

/// Demand follows its stated law: the randomised probability transform of every cell is uniform (Kolmogorov distance below the
/// 1e-4 point), and a law without over-dispersion is caught by the same test.
#[test]
fn demand_has_the_law_that_is_kept() {
    let world = world(3);
    let mut rng = gpu::Stream::new(99, "transform").at(0, 0);
    let distance = |law: &dyn Fn(usize, usize) -> DemandLaw, rng: &mut rand_chacha::ChaCha8Rng| {
        let mut transformed = Vec::new();
        for i in 0..120 {
            for week in 0..104 {
                if world.mean_demand(i)[week] > 0.0 {
                    let law = law(i, week);
                    #[allow(
                        clippy::cast_possible_truncation,
                        clippy::cast_sign_loss,
                        reason = "whole units"
                    )]
                    let d = world.demand(i)[week] as u32;
                    let below = if d == 0 { 0.0 } else { law.cdf(d - 1) };
                    transformed.push(below + rng.random::<f64>() * law.pmf(d));
                }
            }
        }
        transformed.sort_by(f64::total_cmp);
        let n = real(transformed.len());
        let largest = transformed
            .iter()
            .enumerate()
            .map(|(k, u)| (u - (real(k) + 0.5) / n).abs())
            .fold(0.0, f64::max);
        largest * n.sqrt()
    };
    let right = distance(&|i, week| world.demand_law(i, week).unwrap(), &mut rng);
    assert!(right < 2.23, "{right}");
    let wrong = distance(
        &|i, week| DemandLaw::poisson(world.mean_demand(i)[week]).unwrap(),
        &mut rng,
    );
    assert!(wrong > 5.0, "{wrong}");
}

#[test]
fn sales_are_demand_censored_by_stock() {
    let world = world(4);
    let mut out = 0;
    for i in 0..120 {
        for week in 0..104 {
            let (demand, sold, share) = (
                world.demand(i)[week],
                world.sales(i)[week],
                world.in_stock(i)[week],
            );
            assert!((0.0..=1.0).contains(&share) && sold <= demand);
            // In stock all week: nothing lost, and no view without stock. Not so: the shelf ends empty.
            if share >= 1.0 {
                assert!(sold >= demand && world.views_out_of_stock(i)[week] <= 0.0);
            } else {
                assert!(world.on_hand(i)[week] <= 0.0);
                out += 1;
            }
            assert!(world.views_in_stock(i)[week] >= sold);
        }
    }
    assert!(out > 500, "{out} weeks out of stock");
}

#[test]
fn stock_is_conserved() {
    let world = world(5);
    for i in 0..120 {
        let mut stock = (3.0 * world.products()[i].base).ceil();
        let mut arriving = vec![0.0; 104 + 7];
        for week in 0..104 {
            arriving[week + world.lead_time(i)[week]] += world.orders(i)[week];
            stock += arriving[week] - world.sales(i)[week];
            assert!((stock - world.on_hand(i)[week]).abs() < 1e-9);
        }
    }
}

/// Frequencies of lead times against the kept law, over many vendors' worth of nearly independent weeks; and what is shared.
#[test]
fn lead_times_have_their_law_persist_and_are_shared_by_vendor() {
    let config = WorldConfig {
        products: 400,
        weeks: 400,
        vendors: 100,
        seed: 6,
        ..WorldConfig::default()
    };
    let world = World::new(&config).unwrap();
    let mut difference = vec![0.0; config.longest_lead + 1];
    let (mut persistent, mut same, mut other) = (Vec::new(), Vec::new(), Vec::new());
    let as_real = |i: usize| -> Vec<f64> { world.lead_time(i).iter().map(|&v| real(v)).collect() };
    for i in 0..400 {
        let law = world.lead_time_law(i);
        assert!((law.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        for (k, p) in law.iter().enumerate() {
            let share = real(world.lead_time(i).iter().filter(|v| **v == k).count()) / 400.0;
            difference[k] += (share - p) / 400.0;
        }
        let path = as_real(i);
        let c = correlation(&path[1..], &path[..399]);
        if c.is_finite() {
            persistent.push(c);
        }
        for j in i + 1..(i + 40).min(400) {
            let c = correlation(&path, &as_real(j));
            if c.is_finite() {
                let alike = world.products()[i].vendor == world.products()[j].vendor;
                if alike { &mut same } else { &mut other }.push(c);
            }
        }
    }
    let mean = |x: &[f64]| x.iter().sum::<f64>() / real(x.len());
    // About 100 vendors x 400 weeks / 9 (persistence 0.8): a standard error below 0.0075.
    assert!(difference.iter().all(|d| d.abs() < 0.03), "{difference:?}");
    assert!(mean(&persistent) > 0.5, "{}", mean(&persistent));
    assert!(
        mean(&same) > 0.35 && mean(&other).abs() < 0.05,
        "{} {}",
        mean(&same),
        mean(&other)
    );
}

#[test]
fn groups_share_shocks() {
    let config = WorldConfig {
        products: 80,
        weeks: 300,
        shock: 0.5,
        births: 0.0,
        deaths: 0.0,
        seed: 8,
        ..WorldConfig::default()
    };
    let world = World::new(&config).unwrap();
    let shock =
        |g: usize| -> Vec<f64> { (0..300).map(|week| world.shared.shock(g, week)).collect() };
    // Half of the variance is everyone's.
    let between = correlation(&shock(0), &shock(1));
    assert!((0.2..0.8).contains(&between), "{between}");
    // The shock is mean-one in units of demand.
    let mean = (0..5).flat_map(shock).map(f64::exp).sum::<f64>() / 1500.0;
    assert!((mean - 1.0).abs() < 0.15, "{mean}");
}

#[test]
fn products_are_born_and_die() {
    let world = world(9);
    let (mut born, mut dead) = (0, 0);
    for (i, product) in world.products().iter().enumerate() {
        assert!(product.born < product.dies && product.dies <= 104);
        born += usize::from(product.born > 0);
        dead += usize::from(product.dies < 104);
        for (week, present) in world.present(i).into_iter().enumerate() {
            assert_eq!(present, world.mean_demand(i)[week] > 0.0);
            assert!(present || (world.demand(i)[week] <= 0.0 && world.orders(i)[week] <= 0.0));
        }
    }
    assert!(
        (10..=40).contains(&born) && (6..=32).contains(&dead),
        "{born} {dead}"
    );
}

#[test]
fn intermittent_and_dispersed_products_look_it() {
    let world = world(10);
    let share_of_zeros = |i: usize| {
        let life = world.products()[i].born..world.products()[i].dies;
        real(
            world.demand(i)[life.clone()]
                .iter()
                .filter(|d| **d <= 0.0)
                .count(),
        ) / real(life.len())
    };
    let intermittent: Vec<usize> = (0..120)
        .filter(|&i| world.products()[i].occurrence < 1.0)
        .collect();
    assert!((15..=45).contains(&intermittent.len()));
    let zeros: Vec<f64> = intermittent.iter().map(|&i| share_of_zeros(i)).collect();
    assert!(zeros.iter().sum::<f64>() / real(zeros.len()) > 0.6);
}

#[test]
fn prices_follow_the_competitor_and_dip_in_promotions() {
    let world = world(11);
    for i in 0..20 {
        let (price, rival) = (
            world.price(i),
            world.covariate("competitor_price", i).unwrap(),
        );
        let depth = world.covariate("promotion", i).unwrap();
        let product = &world.products()[i];
        for week in 1..104 {
            let expected = product.regular_price
                * (rival[week - 1] / product.regular_price).powf(product.follow)
                * (1.0 - depth[week]);
            assert!((price[week] / expected - 1.0).abs() < 1e-9);
            assert!(world.cost(i)[week] > 0.0);
        }
    }
    assert!(world.covariate("none such", 0).is_none());
    for (name, _) in World::COVARIATES {
        assert!(
            world
                .covariate(name, 0)
                .unwrap()
                .iter()
                .all(|x| x.is_finite())
        );
    }
}

#[test]
fn wrong_configurations_are_named() {
    let base = WorldConfig::default();
    assert_eq!(
        World::new(&WorldConfig {
            products: 0,
            ..base.clone()
        })
        .unwrap_err(),
        Error::Empty("the set of products")
    );
    assert!(matches!(
        World::new(&WorldConfig {
            births: 1.5,
            ..base.clone()
        }),
        Err(Error::Domain {
            name: "share of births",
            ..
        })
    ));
    assert!(
        World::new(&WorldConfig {
            lead_persistence: 1.0,
            ..base.clone()
        })
        .is_err()
    );
    assert!(
        World::new(&WorldConfig {
            shock: f64::NAN,
            ..base.clone()
        })
        .is_err()
    );
    assert!(
        World::new(&WorldConfig {
            weeks: 1,
            ..base.clone()
        })
        .is_err()
    );
    // The corners that are allowed.
    for corner in [
        WorldConfig {
            longest_lead: 0,
            products: 5,
            ..base.clone()
        },
        WorldConfig {
            births: 1.0,
            deaths: 1.0,
            weeks: 2,
            products: 20,
            ..base.clone()
        },
        WorldConfig {
            intermittent: 1.0,
            median_demand: 0.01,
            products: 20,
            ..base.clone()
        },
        WorldConfig {
            median_demand: 1e4,
            demand_spread: 0.0,
            products: 2,
            weeks: 10,
            ..base
        },
    ] {
        let world = World::new(&corner).unwrap();
        assert!(world.demand_law(0, 0).is_ok());
    }
}

#[test]
fn the_record_of_the_logged_stock_sells_the_same() {
    let world = world(12);
    for i in 0..20 {
        let stock: Vec<f64> = world
            .sales(i)
            .iter()
            .zip(world.on_hand(i))
            .map(|(s, l)| s + l)
            .collect();
        let record = world.record(i, &stock, 0).unwrap();
        assert_eq!(record.sales, world.sales(i));
        for week in 0..104 {
            let views = record.views_in_stock[week] + record.views_out_of_stock[week];
            let logged = world.views_in_stock(i)[week] + world.views_out_of_stock(i)[week];
            assert!((views - logged).abs() < 1e-9);
        }
    }
    assert!(world.record(0, &[1.0], 0).is_err());
    assert!(world.record(0, &[f64::NAN; 104], 0).is_err());
}

/// The spiral: a base stock set from last round's sales sells less every round; one set from corrected demand does not.
#[test]
fn training_on_own_sales_starves_and_the_correction_does_not() {
    let config = WorldConfig {
        products: 80,
        weeks: 104,
        births: 0.0,
        deaths: 0.0,
        seed: 13,
        ..WorldConfig::default()
    };
    let world = World::new(&config).unwrap();
    let total = |paths: &[Vec<f64>]| paths.iter().flatten().sum::<f64>();
    let truth: f64 = (0..80).map(|i| world.demand(i).iter().sum::<f64>()).sum();
    let spiral = |corrected: bool| -> Vec<f64> {
        let mut seen: Vec<Vec<f64>> = (0..80).map(|i| world.demand(i).to_vec()).collect();
        (0..4)
            .map(|round| {
                let mut sold = Vec::new();
                for (i, seen) in seen.iter_mut().enumerate() {
                    // Mean demand over mean lead time and review, and nothing for safety.
                    let lead: f64 = world
                        .lead_time_law(i)
                        .iter()
                        .zip(0_u32..)
                        .map(|(p, k)| p * f64::from(k))
                        .sum();
                    let level = (lead + 1.0) * seen.iter().sum::<f64>() / 104.0;
                    let stock = replay(&world, i, level);
                    let record = world.record(i, &stock, round).unwrap();
                    *seen = if corrected {
                        crate::censor::corrected_demand(&record.as_sales_record())
                            .unwrap()
                            .units
                    } else {
                        record.sales.clone()
                    };
                    sold.push(record.sales);
                }
                total(&sold) / truth
            })
            .collect()
    };
    let (raw, repaired) = (spiral(false), spiral(true));
    assert!(raw.windows(2).all(|w| w[1] < 0.97 * w[0]), "{raw:?}");
    assert!(raw[3] < 0.75 * raw[0], "{raw:?}");
    assert!(repaired[3] > 0.97 * repaired[0], "{repaired:?}");
}

/// Stock facing demand under a base stock, on true demand and lead times.
fn replay(world: &World, product: usize, level: f64) -> Vec<f64> {
    let weeks = world.config().weeks;
    let mut arriving = vec![0.0; weeks + world.config().longest_lead + 1];
    let (mut on_hand, mut on_order) = (level, 0.0);
    (0..weeks)
        .map(|week| {
            let order = (level - on_hand - on_order).max(0.0);
            on_order += order;
            arriving[week + world.lead_time(product)[week]] += order;
            on_order -= arriving[week];
            let stock = on_hand + arriving[week];
            on_hand = (stock - world.demand(product)[week]).max(0.0);
            stock
        })
        .collect()
}
