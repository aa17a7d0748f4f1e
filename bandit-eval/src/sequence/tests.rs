use rand::{RngExt, SeedableRng};
use rand_distr::{Beta, Distribution};
use rand_pcg::Pcg64;

use super::*;
use crate::{Estimator, Evaluation, Interval, Weighted};

fn sequences() -> (GaussianMixture, EmpiricalBernstein, Betting) {
    (
        GaussianMixture::new(0.0, 1.0, 0.95, 10_000.0).unwrap(),
        EmpiricalBernstein::new(0.0, 1.0, 0.95).unwrap(),
        Betting::new(0.0, 1.0, 0.95, 10_000).unwrap(),
    )
}

fn plain(reward: f64) -> Weighted {
    Weighted {
        weight: 1.0,
        propensity: 1.0,
        reward,
        model: None,
    }
}

/// Widths of the four sequences after 10,000 observations of Beta(2, 5), a published setting.
#[test]
fn widths_are_those_of_the_field() {
    let law = Beta::new(2.0, 5.0).unwrap();
    let mut widths = [0.0; 4];
    let repeats = 10;
    for seed in 0..repeats {
        let mut rng = Pcg64::seed_from_u64(seed);
        let (mut mixture, mut bernstein, mut betting) = sequences();
        let mut evaluation = Evaluation::new(&[Estimator::Ips]).unwrap();
        for _ in 0..10_000 {
            let x = law.sample(&mut rng);
            mixture.push(x).unwrap();
            bernstein.push(x).unwrap();
            betting.push(x).unwrap();
            evaluation.push_weighted(&plain(x)).unwrap();
        }
        let anytime = evaluation
            .raw(Estimator::Ips)
            .unwrap()
            .anytime(0.95, 10_000.0)
            .unwrap();
        let all = [
            mixture.interval(),
            anytime,
            bernstein.interval(),
            betting.interval(),
        ];
        for (width, interval) in widths.iter_mut().zip(all) {
            *width += interval.width() / repeats as f64;
        }
    }
    println!("{widths:?}");
    for (width, published) in widths.iter().zip([0.032, 0.009, 0.012, 0.012]) {
        assert!((width / published - 1.0).abs() <= 0.1, "{widths:?}");
    }
}

/// Thirty looks at the same growing sample: the sequences miss at most as often as they say, a normal interval about six times so.
#[test]
fn false_alarms_at_thirty_looks() {
    let law = Beta::new(2.0, 5.0).unwrap();
    let truth = 2.0 / 7.0;
    let repeats = 2_000;
    let mut alarms = [0_u32; 5];
    for seed in 0..repeats {
        let mut rng = Pcg64::seed_from_u64(seed);
        let mut mixture = GaussianMixture::new(0.0, 1.0, 0.95, 1_000.0).unwrap();
        let mut bernstein = EmpiricalBernstein::new(0.0, 1.0, 0.95).unwrap();
        let mut betting = Betting::new(0.0, 1.0, 0.95, 100).unwrap();
        let mut evaluation = Evaluation::new(&[Estimator::Ips]).unwrap();
        let mut missed = [false; 5];
        for _ in 1..=30 {
            for _ in 0..100 {
                let x = law.sample(&mut rng);
                mixture.push(x).unwrap();
                bernstein.push(x).unwrap();
                betting.push(x).unwrap();
                evaluation.push_weighted(&plain(x)).unwrap();
            }
            let estimate = evaluation.raw(Estimator::Ips).unwrap();
            let asymptotic = estimate.anytime(0.95, 1_000.0).unwrap();
            let normal = Interval::around(estimate.value, 1.96 * estimate.standard_error, 0.95);
            let all = [
                mixture.interval(),
                asymptotic,
                bernstein.interval(),
                betting.interval(),
                normal,
            ];
            for (missed, interval) in missed.iter_mut().zip(all) {
                *missed |= !interval.contains(truth);
            }
        }
        for (alarms, missed) in alarms.iter_mut().zip(missed) {
            *alarms += u32::from(missed);
        }
    }
    let shares = alarms.map(|a| f64::from(a) / repeats as f64);
    println!("{shares:?}");
    assert!(shares[..4].iter().all(|s| *s <= 0.05), "{shares:?}");
    assert!(
        shares[4] > 0.2,
        "the test would not see a fault: {shares:?}"
    );
}

/// Any ends, any order of looks: an interval stays within what is possible, and shifting and scaling the data does the same to it.
#[test]
fn units_do_not_matter() {
    let mut rng = Pcg64::seed_from_u64(3);
    let (mut mixture, mut bernstein, mut betting) = sequences();
    let mut others = (
        GaussianMixture::new(-7.0, 13.0, 0.95, 10_000.0).unwrap(),
        EmpiricalBernstein::new(-7.0, 13.0, 0.95).unwrap(),
        Betting::new(-7.0, 13.0, 0.95, 10_000).unwrap(),
    );
    for _ in 0..500 {
        let x: f64 = rng.random();
        let y = 20.0 * x - 7.0;
        mixture.push(x).unwrap();
        bernstein.push(x).unwrap();
        betting.push(x).unwrap();
        others.0.push(y).unwrap();
        others.1.push(y).unwrap();
        others.2.push(y).unwrap();
        let pairs = [
            (mixture.interval(), others.0.interval()),
            (bernstein.interval(), others.1.interval()),
            (betting.interval(), others.2.interval()),
        ];
        for (unit, other) in pairs {
            assert!((20.0 * unit.lower - 7.0 - other.lower).abs() < 0.05);
            assert!((20.0 * unit.upper - 7.0 - other.upper).abs() < 0.05);
            assert!(unit.lower >= 0.0 && unit.upper <= 1.0 + 1e-12);
        }
    }
}

#[test]
fn what_is_out_of_range_is_refused() {
    let (mut mixture, mut bernstein, mut betting) = sequences();
    for x in [-0.1, 1.1, f64::NAN] {
        assert!(matches!(
            mixture.push(x),
            Err(Error::Value { index: 0, .. })
        ));
        assert!(bernstein.push(x).is_err() && betting.push(x).is_err());
    }
    assert!(GaussianMixture::new(1.0, 1.0, 0.95, 10.0).is_err());
    assert!(Betting::new(0.0, f64::INFINITY, 0.95, 100).is_err());
    assert!(EmpiricalBernstein::new(0.0, 1.0, 0.0).is_err());
}
