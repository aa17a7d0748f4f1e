//! Coverage over a thinned grid, exact values in closed form, planted faults.

use super::*;
use crate::calibration::bins::{EdgeRule, Edges};
use crate::calibration::bootstrap::ece_bootstrap;
use crate::stats::interval::{BootstrapInterval, bootstrap_interval};
use crate::testing::{calibrated, distorted, uniform};

fn edges(bins: usize) -> Edges {
    Edges::equal_width(bins, EdgeRule::default()).unwrap()
}

/// `right` of `of` records, all at one confidence.
fn block(right: usize, of: usize, confidence: f64) -> Reliability {
    let y: Vec<bool> = (0..of).map(|i| i < right).collect();
    Reliability::new(&vec![confidence; of], &y, edges(10)).unwrap()
}

/// The error that the outcomes' true probabilities have, given the confidences.
fn truth(conf: &[f64], law: impl Fn(f64) -> f64, norm: Norm, bins: usize) -> f64 {
    let e = edges(bins);
    let mut gaps = vec![(0.0, 0.0); bins];
    for &c in conf {
        let g = &mut gaps[e.bin_of(c)];
        g.0 += 1.0;
        g.1 += law(c) - c;
    }
    let n = conf.len() as f64;
    let terms = gaps
        .iter()
        .filter(|g| g.0 > 0.0)
        .map(|g| (g.0 / n, g.1 / g.0));
    match norm {
        Norm::L1 => terms.map(|(p, d)| p * d.abs()).sum(),
        Norm::L2 => terms.map(|(p, d)| p * d * d).sum::<f64>().sqrt(),
        Norm::Max => terms.map(|(_, d)| d.abs()).fold(0.0, f64::max),
    }
}

/// Confidences by kind: uniform, near one, or a few values with half of them at 1.
fn confidences(kind: u64, n: usize, seed: u64) -> Vec<f64> {
    (0..n as u64)
        .map(|i| {
            let u = uniform(seed, 1, i);
            match kind {
                0 => u,
                1 => 1.0 - 0.15 * u.powi(4),
                _ => [0.5, 0.9, 1.0, 1.0][(u * 4.0) as usize],
            }
        })
        .collect()
}

/// How many of `sets` intervals of the given level contain the truth.
fn covered(
    n: usize,
    bins: usize,
    kind: u64,
    law: fn(f64) -> f64,
    norm: Norm,
    level: f64,
    sets: u64,
) -> usize {
    let hit = |s: &u64| {
        let conf = confidences(kind, n, 1000 + s);
        let y: Vec<bool> = conf
            .iter()
            .zip(0..)
            .map(|(c, i)| uniform(1000 + s, 2, i) < law(*c))
            .collect();
        let t = Reliability::new(&conf, &y, edges(bins)).unwrap();
        let i = calibration_interval(&t, norm, level, 200, *s).unwrap();
        let theta = truth(&conf, law, norm, bins);
        i.lower - 1e-9 <= theta && theta <= i.upper + 1e-9
    };
    (0..sets).filter(hit).count()
}

const LAWS: [fn(f64) -> f64; 4] = [
    |c| c,
    |c| c.powf(1.5),
    |c| (c - 0.05).max(0.0),
    |c| 0.5 + (c - 0.5) * 0.8,
];

#[test]
fn one_block_of_records_gives_the_exact_binomial_answer() {
    let end = |t: &Reliability, norm| calibration_interval(t, norm, 0.95, 4000, 1).unwrap();
    for norm in [Norm::L1, Norm::L2, Norm::Max] {
        // Twenty of twenty at 0.99: the accuracy a with a^20 = 0.025 is the farthest.
        let i = end(&block(20, 20, 0.99), norm);
        assert!(
            i.lower == 0.0 && (i.upper - (0.99 - 0.025f64.powf(0.05))).abs() < 3e-3,
            "{norm:?} {i:?}"
        );
        let i = end(&block(5, 5, 1.0), norm);
        assert!(
            i.lower == 0.0 && (i.upper - (1.0 - 0.025f64.powf(0.2))).abs() < 5e-3,
            "{norm:?} {i:?}"
        );
        let i = end(&block(20, 40, 0.5), norm);
        assert!(
            i.lower == 0.0 && (i.upper - 0.1406).abs() < 4e-3,
            "{norm:?} {i:?}"
        );
        // No right answer at confidence 0.5: the error is 0.5, and cannot be larger.
        let i = end(&block(0, 30, 0.5), norm);
        assert!(
            (i.upper - 0.5).abs() < 1e-9 && i.lower > 0.3,
            "{norm:?} {i:?}"
        );
    }
}

#[test]
fn one_record_a_bin_gives_no_interval() {
    let conf: Vec<f64> = (0..50).map(|i| (f64::from(i) + 0.5) / 50.0).collect();
    let y: Vec<bool> = (0..50).map(|i| i % 3 == 0).collect();
    let t = Reliability::new(&conf, &y, edges(200)).unwrap();
    for norm in [Norm::L1, Norm::L2, Norm::Max] {
        let e = calibration_interval(&t, norm, 0.9, 200, 1).unwrap_err();
        assert!(
            matches!(
                e,
                Error::TooFew {
                    needed: 100,
                    found: 50,
                    ..
                }
            ),
            "{e}"
        );
    }
}

/// Of 24 intervals that cover 90 %, fewer than 15 hit once in 10,000 cells; every cell of the grid must pass. The full study is `examples/coverage.rs`.
#[test]
fn intervals_cover_over_the_grid() {
    for (n, bins) in [
        (5, 1),
        (20, 1),
        (20, 5),
        (60, 10),
        (300, 15),
        (300, 100),
        (2000, 15),
        (2000, 100),
        (1000, 200),
        (100_000, 15),
    ] {
        for norm in [Norm::L1, Norm::L2, Norm::Max] {
            for (kind, law) in [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (2, 3)] {
                if kind == 0 && 2 * bins.min(n) > n {
                    continue;
                }
                let (sets, least) = if bins >= 100 || n > 10_000 {
                    (6, 3)
                } else {
                    (24, 15)
                };
                let c = covered(n, bins, kind, LAWS[law], norm, 0.9, sets);
                assert!(
                    c >= least,
                    "{n} records, {bins} bins, kind {kind}, law {law}, {norm:?}: {c} of {sets}"
                );
            }
        }
    }
}

/// Bins whose errors are all clear leave no room to be cautious: there the level is met from both sides, and an interval of level 70 % is caught.
#[test]
fn an_interval_of_level_seventy_is_caught_where_the_level_is_exact() {
    let law: fn(f64) -> f64 = |c| 0.5 + (c - 0.5) * 0.4;
    let at = |level| covered(2000, 1, 1, law, Norm::L1, level, 300);
    // Of 300 at 90 %: 270 on average, standard deviation 5.2. At 70 %: 210 and 7.9.
    let (right, planted) = (at(0.9), at(0.7));
    assert!((249..=291).contains(&right), "{right}");
    assert!(planted < 249, "{planted}");
}

#[test]
fn the_percentile_bootstrap_does_not_cover_at_zero() {
    let naive = (0..60u64).filter(|s| {
        let (conf, y) = calibrated(1000, 1000 + s);
        let r = ece_bootstrap(&conf, &y, &edges(10), 200, *s).unwrap();
        let t = Reliability::new(&conf, &y, edges(10)).unwrap();
        bootstrap_interval(&r, t.l1(), 0.9, BootstrapInterval::Percentile)
            .unwrap()
            .contains(0.0)
    });
    assert_eq!(naive.count(), 0, "the planted fault");
}

#[test]
fn intervals_shorten_with_records_and_nest_with_the_level() {
    let (conf, y) = distorted(20_000, 3, |p| p.powf(1.3));
    let width = |n: usize, level| {
        let t = Reliability::new(&conf[..n], &y[..n], edges(15)).unwrap();
        let i = calibration_interval(&t, Norm::L1, level, 400, 1).unwrap();
        assert!(i.lower <= i.upper && i.lower >= 0.0 && i.upper <= 1.0);
        i.upper - i.lower
    };
    assert!(width(20_000, 0.9) < 0.6 * width(2000, 0.9));
    assert!(width(2000, 0.8) < width(2000, 0.95));
}
